package server

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// KnownPermissions are the permission names of the Defender API for
// applications, and RecommendationWrite, which is Picket's own. An application
// may hold any of them; those beyond AppPermissions open nothing yet.
var KnownPermissions = []string{
	"Alert.Read.All", "Alert.ReadWrite.All", "Alerts.ReadWrite.All",
	MachineRead, MachineReadWrite, "Machine.Isolate", "Machine.StopAndQuarantine", "Machine.LiveResponse",
	"Machine.RestrictExecution", "Machine.Scan", "Machine.CollectForensics", "Machine.Offboard",
	"User.Read.All", VulnerabilityRead, RecommendationRead, RecommendationWrite, SoftwareRead, RemediationRead, RemediationWrite,
	ScoreRead, "Ti.ReadWrite", "Ti.ReadWrite.All", "AdvancedQuery.Read.All", "AdvancedHunting.Read.All",
	"Library.Manage", "Incident.Read.All", "Incident.ReadWrite.All", "File.Read.All", "Ip.Read.All", "Url.Read.All",
}

// AppSecret is a new application's credential; the secret is shown only once.
type AppSecret struct {
	TenantID     string `json:"tenantId"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// AppCreateArgs are the arguments of the admin verb "app create".
type AppCreateArgs struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
}

// appCreateVerb is "picket app create".
func appCreateVerb(ctx context.Context, s *Server, args json.RawMessage, _ func(Progress)) (any, error) {
	var in AppCreateArgs
	if err := json.Unmarshal(args, &in); err != nil {
		return nil, Invalidf("args", "not the arguments of app create: %v", err)
	}
	tenant, client, secret, err := s.CreateApp(ctx, in.Name, in.Permissions)
	return AppSecret{TenantID: tenant, ClientID: client, ClientSecret: secret}, err
}

// TenantID names this installation in token addresses; it never changes.
func (a *Accounts) TenantID() string { return a.tenant }

// CreateApp registers an application. With no permissions named it gets all of
// KnownPermissions; a name that is not among them is ErrInvalid. The secret
// (256 random bits) is returned once; its digest is stored.
func (a *Accounts) CreateApp(ctx context.Context, name string, permissions []string) (tenantID, clientID, secret string, err error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 200 {
		return "", "", "", Invalidf("name", "must have 1 to 200 characters")
	}
	given := []string{}
	for _, p := range permissions {
		i := slices.IndexFunc(KnownPermissions, func(k string) bool { return strings.EqualFold(k, p) })
		if i < 0 {
			return "", "", "", Invalidf("permission", "%q is not known; known are: %s", p, strings.Join(KnownPermissions, ", "))
		}
		if !slices.Contains(given, KnownPermissions[i]) {
			given = append(given, KnownPermissions[i])
		}
	}
	if len(permissions) == 0 {
		given = slices.Clone(KnownPermissions)
	}
	clientID, secret = newUUID(), newSecret()
	app := store.App{Client: clientID, Name: name, Secret: digest(secret), Permissions: given, Created: a.now()}
	if err := a.st.AddApp(ctx, app); err != nil {
		return "", "", "", err
	}
	a.log.InfoContext(ctx, "application created", "app", name, "client", clientID)
	return a.tenant, clientID, secret, nil
}

// AccessToken is an issued token.
type AccessToken struct {
	Token   string
	Expires time.Duration // how long it lives from now
}

// IssueToken exchanges a client id and secret for a token. base is the address
// that the server was reached at ("https://picket.example"), for the issuer.
// A wrong id or secret is ErrUnauthenticated; a secret of 256 random bits needs
// no bound on attempts.
func (a *Accounts) IssueToken(ctx context.Context, base, clientID, secret string) (AccessToken, error) {
	app, err := a.st.AppByClient(ctx, strings.ToLower(clientID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return AccessToken{}, err
	}
	want := app.Secret
	if err != nil {
		want = digest(newSecret())
	}
	if subtle.ConstantTimeCompare(digest(secret), want) != 1 || err != nil {
		return AccessToken{}, ErrUnauthenticated
	}
	at := a.now().Unix()
	token, err := a.keys.sign(claims{
		Issuer: base + "/" + a.tenant + "/v2.0", Audience: tokenAudience, Tenant: a.tenant, App: app.Client, Roles: app.Permissions,
		IssuedAt: at, NotBefore: at, Expires: at + int64(tokenLife/time.Second), Version: "2.0",
	})
	if err != nil {
		return AccessToken{}, err
	}
	return AccessToken{Token: token, Expires: tokenLife}, nil
}

// TokenCaller is who a token belongs to. A token that does not hold, has
// expired, or whose application is gone, is ErrUnauthenticated. The caller has
// the roles of the token that the application still holds.
func (a *Accounts) TokenCaller(ctx context.Context, token string) (Caller, error) {
	c, err := a.keys.verify(token, a.tenant, a.now())
	if err != nil {
		return Caller{}, fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	}
	app, err := a.st.AppByClient(ctx, c.App)
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, err
	}
	var held []string
	for _, role := range c.Roles {
		if !slices.Contains(app.Permissions, role) {
			continue
		}
		held = append(held, role)
		switch role {
		case MachineReadWrite:
			held = append(held, MachineRead)
		case RemediationWrite:
			held = append(held, RemediationRead)
		}
	}
	return Caller{Name: app.Name, App: app.Client, Permissions: held}, nil
}
