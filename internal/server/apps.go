package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// KnownPermissions are the permission names of the Defender API for
// applications, and those that are Picket's own. An application may hold any of
// them; those beyond AppPermissions open nothing yet.
var KnownPermissions = []string{
	AlertRead, AlertWrite, alertWriteToo,
	MachineRead, MachineReadWrite, MachineIsolate, "Machine.StopAndQuarantine", "Machine.LiveResponse",
	"Machine.RestrictExecution", MachineScan, MachineCollect, "Machine.Offboard",
	"User.Read.All", VulnerabilityRead, RecommendationRead, RecommendationWrite, SoftwareRead, RemediationRead, RemediationWrite,
	ScoreRead, TiWriteOwn, TiWrite, AdvancedQuery, huntToo,
	"Library.Manage", "Incident.Read.All", "Incident.ReadWrite.All", "File.Read.All", "Ip.Read.All", "Url.Read.All",
}

// Second names: a page of the Defender API spells the one so, a later API of the
// same product the other.
const (
	alertWriteToo = "Alerts.ReadWrite.All"
	huntToo       = "AdvancedHunting.Read.All"
)

// firstNames are the permissions that second names open.
var firstNames = map[string]string{alertWriteToo: AlertWrite, huntToo: AdvancedQuery}

const (
	maxApps       = 1000 // applications
	maxOwnTokens  = 20   // of one person
	maxAppSecrets = 10   // of one application
	maxSecretDays = 3660
	maxAppName    = 200
)

// AppSecret is a new application's credential; the secret is shown only once. A
// public application has none.
type AppSecret struct {
	TenantID     string `json:"tenantId"`
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// TenantID names this installation in token addresses; it never changes.
func (a *Accounts) TenantID() string { return a.tenant }

// CreateApp registers an application that does nothing for people. With no
// permissions named it gets all of KnownPermissions; a name that is not among
// them is ErrInvalid. The secret (256 random bits) never expires and is returned
// once; its digest is stored.
func (a *Accounts) CreateApp(ctx context.Context, name string, permissions []string) (tenantID, clientID, secret string, err error) {
	made, err := a.createApp(ctx, AppCreateArgs{Name: name, Permissions: permissions})
	return a.tenant, made.ClientID, made.ClientSecret, err
}

func (a *Accounts) createApp(ctx context.Context, in AppCreateArgs) (AppSecret, error) {
	if len(in.Permissions)+len(in.Delegated)+len(in.Redirects) == 0 && !in.Public && !in.DeviceCode {
		in.Permissions = KnownPermissions
	}
	return a.addApp(ctx, store.App{Name: in.Name, Permissions: in.Permissions, By: "command line", Public: in.Public, Redirects: in.Redirects, Delegated: in.Delegated, DeviceCode: in.DeviceCode}, 0)
}

// delegation checks what an application may do for people, and whether there is
// anything that it may do at all.
func delegation(app *store.App) (err error) {
	if app.Redirects, err = checkRedirects(app.Redirects); err != nil {
		return err
	}
	if len(app.Delegated) > 0 {
		if app.Delegated, err = knownPermissions(app.Delegated); err != nil {
			return err
		}
		for i, p := range app.Delegated { // people hold it by its first name
			app.Delegated[i] = cmp.Or(firstNames[p], p)
		}
		app.Delegated = inOrder(app.Delegated)
	}
	switch {
	case app.Public && len(app.Permissions) > 0:
		return Invalidf("permissions", "a public application keeps no secret and does nothing of its own: give it delegated permissions")
	case len(app.Delegated) > 0 && len(app.Redirects) == 0 && !app.DeviceCode:
		return Invalidf("redirects", "must be at least one, unless people may type a code")
	case len(app.Delegated) == 0 && (len(app.Redirects) > 0 || app.DeviceCode || app.Public):
		return Invalidf("delegated", "must be at least one permission that people can let it have")
	}
	if len(app.Permissions) > 0 || len(app.Delegated) == 0 {
		app.Permissions, err = knownPermissions(app.Permissions)
	}
	return err
}

// addApp registers an application or a person's token with its first secret,
// which lives for a number of days; 0: for ever.
func (a *Accounts) addApp(ctx context.Context, app store.App, days int) (AppSecret, error) {
	var err error
	if app.Name, err = appName(app.Name); err != nil {
		return AppSecret{}, err
	}
	if err := delegation(&app); err != nil {
		return AppSecret{}, err
	}
	app.Client, app.Created = newUUID(), a.now()
	secret, first, err := "", store.AppSecret{}, error(nil)
	if !app.Public {
		if secret, first, err = a.newAppSecret(app.Client, "", days); err != nil {
			return AppSecret{}, err
		}
	}
	most, what := maxApps, "applications"
	if app.Owner != 0 {
		most, what = maxOwnTokens, "tokens of yours"
	}
	if err := a.st.AddApp(ctx, app, first, most); errors.Is(err, store.ErrFull) {
		return AppSecret{}, Invalidf("name", "there are %d %s already, which is the most: delete one", most, what)
	} else if err != nil {
		return AppSecret{}, err
	}
	a.log.InfoContext(ctx, "application created", "app", app.Name, "client", app.Client, "owner", app.Owner)
	return AppSecret{TenantID: a.tenant, ClientID: app.Client, ClientSecret: secret}, nil
}

func appName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxAppName {
		return "", Invalidf("name", "must have 1 to %d characters", maxAppName)
	}
	return name, nil
}

// knownPermissions spells permissions as KnownPermissions does, each once.
func knownPermissions(names []string) ([]string, error) {
	given := []string{}
	for _, p := range names {
		i := slices.IndexFunc(KnownPermissions, func(k string) bool { return strings.EqualFold(k, p) })
		if i < 0 {
			return nil, Invalidf("permission", "%q is not known; known are: %s", p, strings.Join(KnownPermissions, ", "))
		}
		if !slices.Contains(given, KnownPermissions[i]) {
			given = append(given, KnownPermissions[i])
		}
	}
	if len(given) == 0 {
		return nil, Invalidf("permissions", "must be at least one")
	}
	return given, nil
}

// newAppSecret makes a secret of 256 random bits and what is stored of it.
func (a *Accounts) newAppSecret(client, note string, days int) (string, store.AppSecret, error) {
	if days < 0 || days > maxSecretDays {
		return "", store.AppSecret{}, Invalidf("days", "%d is not between 0 (never expires) and %d", days, maxSecretDays)
	}
	if len(note) > maxAppName {
		return "", store.AppSecret{}, Invalidf("note", "%d bytes, at most %d", len(note), maxAppName)
	}
	secret := newSecret()
	n := store.AppSecret{ID: newID(), App: client, Hash: digest(secret), Hint: secret[:3], Note: note, Created: a.now()}
	if days > 0 {
		n.Expires = n.Created.Add(time.Duration(days) * 24 * time.Hour)
	}
	return secret, n, nil
}

// AccessToken is an issued token.
type AccessToken struct {
	Token   string
	Expires time.Duration // how long it lives from now
}

// IssueToken exchanges a client id and secret for a token. base is the address
// that the server was reached at ("https://picket.example"), for the issuer. An
// application's token says its permissions in roles, a person's in scp.
// A wrong id or secret, one that has expired, and a disabled application are
// ErrUnauthenticated; a secret of 256 random bits needs no bound on attempts. A
// token never outlives the secret that it was got with. Tokens count as calls:
// too many are a *RateError.
func (a *Accounts) IssueToken(ctx context.Context, base, clientID, secret string) (AccessToken, error) {
	client := strings.ToLower(clientID)
	app, err := a.st.AppByClient(ctx, client)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return AccessToken{}, err
	}
	at := a.now()
	used, secretErr := a.appSecretOf(ctx, client, secret)
	if secretErr != nil {
		return AccessToken{}, secretErr
	}
	if err != nil || used.ID == "" || app.Disabled {
		return AccessToken{}, ErrUnauthenticated
	}
	c := claims{Issuer: base + "/" + a.tenant + "/v2.0", Audience: tokenAudience, Tenant: a.tenant, App: app.Client, Secret: used.ID,
		IssuedAt: at.Unix(), NotBefore: at.Unix(), Version: "2.0"}
	if app.Owner == 0 {
		c.Roles = app.Permissions
	} else {
		who, err := a.personCaller(ctx, app.Owner)
		if err != nil {
			return AccessToken{}, err
		}
		held := slices.DeleteFunc(slices.Clone(app.Permissions), func(p string) bool { return !who.Has(p) })
		c.Person, c.User, c.Scopes = fmt.Sprint(who.UserID), who.Name, scopesOf(held)
	}
	if err := a.rates.admit(app.Client, used.ID, "", limitsOf(app.Limits), "POST", "token", at); err != nil {
		return AccessToken{}, err
	}
	life := tokenLife
	if !used.Expires.IsZero() {
		life = min(life, used.Expires.Sub(at).Truncate(time.Second))
	}
	c.Expires = at.Add(life).Unix()
	token, err := a.keys.issue(c)
	if err != nil {
		return AccessToken{}, err
	}
	return AccessToken{Token: token, Expires: life}, nil
}

// personCaller is an account as it may act now, outside of any session. An
// account that is gone or disabled is ErrUnauthenticated.
func (a *Accounts) personCaller(ctx context.Context, account int64) (Caller, error) {
	who, err := a.st.AccountByID(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, err
	}
	r, err := a.rights(ctx, who.ID)
	return r.caller(who), err
}

// appHolder is an application, or the person of an own token, as it may act now.
func (a *Accounts) appHolder(ctx context.Context, client string) (Caller, error) {
	app, err := a.st.AppByClient(ctx, client)
	if errors.Is(err, store.ErrNotFound) || err == nil && app.Disabled {
		return Caller{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, err
	}
	if app.Owner != 0 {
		return a.personCaller(ctx, app.Owner)
	}
	return Caller{Name: app.Name, App: client, Permissions: app.Permissions, Scope: exposure.Everywhere()}, nil
}

// TokenCaller is who a token belongs to. A token that does not hold, has
// expired, or whose application or secret is gone, expired or disabled, is
// ErrUnauthenticated. The caller of an application's token has the roles of the
// token that the application still holds; that of a person's token has those
// scopes of the token that the token and its person still hold, and sees what
// the person sees. For a token of a grant see delegateCaller.
func (a *Accounts) TokenCaller(ctx context.Context, token string) (Caller, error) {
	at, seen := a.now(), a.st.Access()
	c, err := a.keys.check(token, a.tenant, at)
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
	if c.Grant != "" {
		caller, err := a.delegateCaller(ctx, &c, &app, at)
		if err != nil {
			return Caller{}, err
		}
		caller.tokenSecret = c.Secret
		return a.lasting(caller, seen,
			func(ctx context.Context) (Caller, error) { return a.TokenCaller(ctx, token) },
			func(ctx context.Context) (Caller, error) { return a.holderFor(ctx, app.Client, caller.UserID) }), nil
	}
	if ok, err := a.st.HasAppSecret(ctx, app.Client, c.Secret, at); err != nil || !ok || app.Disabled {
		return Caller{}, errors.Join(err, ErrUnauthenticated)
	}
	caller := Caller{Name: app.Name, App: app.Client, Scope: exposure.Everywhere(), limits: limitsOf(app.Limits)}
	held := func(said []string) []string {
		return slices.DeleteFunc(slices.Clone(said), func(p string) bool { return !slices.Contains(app.Permissions, p) })
	}
	if app.Owner == 0 {
		caller.Permissions = expand(held(c.Roles))
	} else {
		person, err := a.personCaller(ctx, app.Owner)
		if err != nil {
			return Caller{}, err
		}
		caller = person
		caller.Name += " by token " + app.Name
		caller.behind = &person
		caller = caller.asProgram(&app, held(permissionsOf(c.Scopes)))
	}
	caller.tokenSecret = c.Secret
	return a.lasting(caller, seen,
		func(ctx context.Context) (Caller, error) { return a.TokenCaller(ctx, token) },
		func(ctx context.Context) (Caller, error) { return a.appHolder(ctx, app.Client) }), nil
}

// scopeWords are words of permissions that scopes spell otherwise.
var scopeWords = strings.NewReplacer("Alerts.", "Alert.", "RemediationTasks.", "RemediationTask.")

// scopeOf is a permission as people's tokens name it: without ".All".
func scopeOf(permission string) string {
	return scopeWords.Replace(strings.TrimSuffix(permission, ".All"))
}

// scopesOf are permissions as the scopes of a token.
func scopesOf(permissions []string) string {
	out := make([]string, len(permissions))
	for i, p := range permissions {
		out[i] = scopeOf(p)
	}
	return strings.Join(out, " ")
}

// permissionsOf is the inverse of scopesOf; what is not known is left out.
func permissionsOf(scopes string) []string {
	var out []string
	said := strings.Fields(scopes)
	for _, p := range KnownPermissions {
		if slices.Contains(said, scopeOf(p)) {
			out = append(out, p)
		}
	}
	return out
}

// AppCreateArgs are the arguments of the admin verb "app create". With neither
// permissions nor anything for people it is all permissions.
type AppCreateArgs struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	AppDelegation
}

// AppArgs are the arguments of the admin verbs about one application.
type AppArgs struct {
	Client    string `json:"client"`
	Days      int    `json:"days"`       // how long the new secret lives; 0: for ever
	KeepHours int    `json:"keep_hours"` // how long the old ones live on
}

// KeyArgs are the arguments of the admin verb "app rotate-key".
type KeyArgs struct {
	Revoke bool `json:"revoke"` // tokens end at once
}

func verbArgs[T any](raw json.RawMessage) (in T, err error) {
	if err = json.Unmarshal(raw, &in); err != nil {
		return in, Invalidf("args", "not the arguments of this command: %v", err)
	}
	return in, nil
}

// appVerbs are "picket app …".
func appVerbs() map[string]AdminVerb {
	return map[string]AdminVerb{
		"app create": func(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
			in, err := verbArgs[AppCreateArgs](raw)
			if err != nil {
				return nil, err
			}
			return s.createApp(ctx, in)
		},
		"app list": func(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
			return s.appRows(ctx, 0)
		},
		"app rotate": func(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
			in, err := verbArgs[AppArgs](raw)
			if err != nil {
				return nil, err
			}
			return s.addSecret(ctx, in.Client, NewSecret{Days: in.Days, KeepHours: &in.KeepHours})
		},
		"app delete": func(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
			in, err := verbArgs[AppArgs](raw)
			if err != nil {
				return nil, err
			}
			return nil, s.deleteApp(ctx, in.Client)
		},
		"app rotate-key": func(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
			in, err := verbArgs[KeyArgs](raw)
			if err != nil {
				return nil, err
			}
			return s.rotateKey(ctx, in.Revoke)
		},
	}
}
