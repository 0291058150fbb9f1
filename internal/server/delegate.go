package server

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Refresh tokens end when they were not used for so long, and at the latest so
// long after the person let the application in.
const (
	refreshIdle = 14 * 24 * time.Hour
	refreshLife = 90 * 24 * time.Hour
	offline     = "offline_access"
)

// OAuthError is a refusal in the words of RFC 6749, section 5.2 (and of RFC 8628,
// section 3.5). It is an ErrInvalid.
type OAuthError struct {
	Code string // invalid_grant, authorization_pending …
	Text string // for people
}

// Error is what people read.
func (e *OAuthError) Error() string { return e.Text }

// Is makes every OAuthError an ErrInvalid.
func (e *OAuthError) Is(target error) bool { return target == ErrInvalid }

func refusal(code, format string, args ...any) error {
	return &OAuthError{Code: code, Text: fmt.Sprintf(format, args...)}
}

// invalidGrant is the refusal of what does not hold; it never says which part.
func invalidGrant() error {
	return refusal("invalid_grant", "The code or token is not known, was used, has expired, or belongs to another application.")
}

// DelegatedToken is what an application gets that acts for a person.
type DelegatedToken struct {
	AccessToken
	Scope   string
	Refresh string // "" when none was asked for
}

// appSecretOf finds the secret of an application that somebody shows. All are
// compared: the time tells nothing.
func (a *Accounts) appSecretOf(ctx context.Context, client, secret string) (used store.AppSecret, err error) {
	list, err := a.st.AppSecrets(ctx, cmp.Or(client, "-"))
	if err != nil {
		return used, err
	}
	at, sum := a.now(), digest(secret)
	for _, n := range list {
		if sameDigest(sum, n.Hash) && (n.Expires.IsZero() || n.Expires.After(at)) {
			used = n
		}
	}
	return used, nil
}

// delegate is the application that asks to act for a person, with the secret
// that it showed. A public one shows none. Who is not known is ErrUnauthenticated.
func (a *Accounts) delegate(ctx context.Context, client, secret string) (store.App, store.AppSecret, error) {
	client = strings.ToLower(client)
	app, err := a.st.AppByClient(ctx, client)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.App{}, store.AppSecret{}, err
	}
	used, secretErr := a.appSecretOf(ctx, client, secret)
	switch {
	case secretErr != nil:
		return store.App{}, store.AppSecret{}, secretErr
	case err != nil || app.Disabled || app.Public && secret != "" || !app.Public && used.ID == "":
		return store.App{}, store.AppSecret{}, ErrUnauthenticated
	case app.Owner != 0:
		return store.App{}, store.AppSecret{}, refusal("unauthorized_client", "A person's own token does not act for others.")
	}
	return app, used, nil
}

// scopesAsked are the permissions that a scope parameter names, and whether it
// asks for a refresh token. Names are those without ".All", with or without the
// address of a resource before them; ".default" is all that is registered. What
// identity libraries always add is passed over.
func scopesAsked(app *store.App, text string) (permissions []string, refresh bool, err error) {
	for _, word := range strings.Fields(text) {
		switch name := word[strings.LastIndexByte(word, '/')+1:]; strings.ToLower(name) {
		case offline:
			refresh = true
		case "openid", "profile", "email":
		case ".default":
			permissions = append(permissions, app.Delegated...)
		default:
			for second, first := range firstNames {
				if strings.EqualFold(name, second) || strings.EqualFold(name+".All", second) {
					name = first
				}
			}
			i := slices.IndexFunc(app.Delegated, func(p string) bool { return strings.EqualFold(name, scopeOf(p)) || strings.EqualFold(name, p) })
			if i < 0 {
				return nil, false, refusal("invalid_scope", "The application is not registered for %q.", cutText(word, 100))
			}
			permissions = append(permissions, app.Delegated[i])
		}
	}
	permissions = inOrder(permissions)
	if len(permissions) == 0 {
		return nil, false, refusal("invalid_scope", "scope names no permission, such as Machine.Read.")
	}
	return permissions, refresh, nil
}

// inOrder are permissions in the order of KnownPermissions, each once.
func inOrder(list []string) []string {
	out := []string{}
	for _, p := range KnownPermissions {
		if slices.Contains(list, p) {
			out = append(out, p)
		}
	}
	return out
}

// DelegatedScopes are the names that applications may ask people for.
func DelegatedScopes() []string {
	out := []string{offline}
	for _, p := range AppPermissions {
		out = append(out, scopeOf(p))
	}
	return out
}

// refreshToken makes both parts of a refresh token and their digests.
func refreshToken(family string) (token string, familySum, changing []byte) {
	stays := cmp.Or(family, newSecret())
	changes := newSecret()
	return stays + "." + changes, digest(stays), digest(changes)
}

// newGrant is a grant to an application, with its first refresh token if one is asked for.
func (a *Accounts) newGrant(app *store.App, account int64, scopes []string, refresh bool, method, way, remote string) (g store.Grant, token string) {
	at := a.now()
	g = store.Grant{ID: newID(), App: app.Client, AppName: app.Name, Account: account, Scopes: scopes, Method: method, Way: way, Remote: addressKey(remote), Created: at, Used: at, Expires: at.Add(tokenLife)}
	if refresh {
		token, g.Family, g.Refresh = refreshToken("")
		g.Expires = at.Add(refreshIdle)
	}
	return g, token
}

// admitToken counts a token as a call of the application, before anything is used up.
func (a *Accounts) admitToken(app *store.App, used store.AppSecret) error {
	return a.rates.admit(app.Client, used.ID, "", limitsOf(app.Limits), "POST", "token", a.now())
}

// issueDelegated signs a token for a grant: with scopes and without roles.
func (a *Accounts) issueDelegated(ctx context.Context, base string, app *store.App, used store.AppSecret, g *store.Grant, scopes []string, refresh string) (DelegatedToken, error) {
	who, err := a.st.AccountByID(ctx, g.Account)
	if err != nil {
		return DelegatedToken{}, notFound(err)
	}
	at := a.now()
	life := min(tokenLife, g.Expires.Sub(at).Truncate(time.Second))
	if !used.Expires.IsZero() {
		life = min(life, used.Expires.Sub(at).Truncate(time.Second))
	}
	c := claims{Issuer: base + "/" + a.tenant + "/v2.0", Audience: tokenAudience, Tenant: a.tenant, App: app.Client, Secret: used.ID, Grant: g.ID,
		Person: strconv.FormatInt(who.ID, 10), User: who.Name, Scopes: scopesOf(scopes), IssuedAt: at.Unix(), NotBefore: at.Unix(), Expires: at.Add(life).Unix(), Version: "2.0"}
	token, err := a.keys.issue(c)
	if err != nil {
		return DelegatedToken{}, err
	}
	out := DelegatedToken{AccessToken: AccessToken{Token: token, Expires: life}, Scope: c.Scopes, Refresh: refresh}
	if refresh != "" {
		out.Scope += " " + offline
	}
	return out, nil
}

// throughName is how the audit log names an application that acts for a person.
func throughName(person, app string) string { return person + " through " + app }

// noteDelegate says in the audit log who acts for whom.
func noteDelegate(ctx context.Context, app *store.App, g *store.Grant, person string) {
	actor(ctx, audit.Application, throughName(person, app.Name), app.Client+"/"+strconv.FormatInt(g.Account, 10))
}

// delegateCaller is who a token of a grant belongs to, checked anew: the grant
// and what it was got with must stand, and the caller may do what the token, the
// grant, the application and the person at this moment all may.
func (a *Accounts) delegateCaller(ctx context.Context, c *claims, app *store.App, at time.Time) (Caller, error) {
	g, err := a.st.Grant(ctx, c.Grant, at)
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, err
	}
	if app.Disabled || g.App != app.Client || strconv.FormatInt(g.Account, 10) != c.Person {
		return Caller{}, ErrUnauthenticated
	}
	if !app.Public {
		if ok, err := a.st.HasAppSecret(ctx, app.Client, c.Secret, at); err != nil || !ok {
			return Caller{}, errors.Join(err, ErrUnauthenticated)
		}
	}
	who, err := a.st.AccountByID(ctx, g.Account)
	if err != nil {
		return Caller{}, errors.Join(notFound(err), ErrUnauthenticated)
	}
	said := permissionsOf(c.Scopes)
	return a.actingFor(ctx, app, who, g.Method, func(p string) bool {
		return slices.Contains(g.Scopes, p) && slices.Contains(said, p)
	})
}

// actingFor is an application that acts for a person who signed in by method: it
// may do what the application is registered for, also allows, and the person may
// do now, where the person may do it.
func (a *Accounts) actingFor(ctx context.Context, app *store.App, who store.Account, method string, also func(permission string) bool) (Caller, error) {
	r, err := a.rights(ctx, who.ID)
	if err != nil {
		return Caller{}, err
	}
	owes, err := a.owesFactor(ctx, who, method)
	if err != nil {
		return Caller{}, err
	}
	if owes {
		r = Rights{Scope: exposure.Scope{}}
	}
	person := r.caller(who)
	out := person
	out.Name = throughName(who.Name, app.Name)
	out.delegated, out.behind = true, &person
	return out.asProgram(app, slices.DeleteFunc(slices.Clone(app.Delegated), func(p string) bool { return !also(p) })), nil
}

// asProgram is a person's caller as a program of theirs: never an administrator,
// with the permissions that are given and that the person holds.
func (c Caller) asProgram(app *store.App, given []string) Caller {
	c.Permissions = expand(slices.DeleteFunc(given, func(p string) bool { return !c.Has(p) }))
	c.Scope, c.Admin, c.App = c.sees(), false, app.Client
	c.limits = limitsOf(app.Limits)
	return c
}

// expand adds what permissions include.
func expand(permissions []string) []string {
	var held []string
	for _, p := range permissions {
		held = append(held, p)
		if first := firstNames[p]; first != "" {
			held, p = append(held, first), first
		}
		switch p {
		case MachineReadWrite:
			held = append(held, MachineRead)
		case RemediationWrite:
			held = append(held, RemediationRead)
		case AlertWrite:
			held = append(held, AlertRead)
		}
	}
	return held
}

// holderFor is who asked for something as an application that acts for a person,
// with what both may do now, whatever became of the grant.
func (a *Accounts) holderFor(ctx context.Context, client string, account int64) (Caller, error) {
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
	who, err := a.st.AccountByID(ctx, account)
	if err != nil {
		return Caller{}, errors.Join(notFound(err), ErrUnauthenticated)
	}
	return a.actingFor(ctx, &app, who, byProvider, func(string) bool { return true })
}

// GrantRow is an application that acts for a person, as people see it.
type GrantRow struct {
	ID          string    `json:"id"`
	Application string    `json:"application"`
	ClientID    string    `json:"client_id"`
	Person      string    `json:"person"`
	Permissions []string  `json:"permissions" doc:"As scp names them."`
	Way         string    `json:"way" enum:"code,device"`
	Remote      string    `json:"remote" doc:"Address that the application asked from."`
	Refreshes   bool      `json:"refreshes" doc:"It gets new tokens without asking."`
	Created     time.Time `json:"created"`
	Used        time.Time `json:"used" doc:"When it got its last token."`
	Expires     time.Time `json:"expires"`
}

func (a *Accounts) grantRows(ctx context.Context, account int64, client string) ([]GrantRow, error) {
	list, err := a.st.Grants(ctx, account, client, a.now())
	out := []GrantRow{}
	for i := range list {
		g := &list[i]
		out = append(out, GrantRow{ID: g.ID, Application: g.AppName, ClientID: g.App, Person: g.Person, Permissions: strings.Fields(scopesOf(g.Scopes)), Way: g.Way, Remote: g.Remote,
			Refreshes: len(g.Refresh) > 0, Created: g.Created, Used: g.Used, Expires: g.Expires})
	}
	return out, err
}

// OwnGrants lists the applications that the caller lets act for them, the last used first.
func (a *Accounts) OwnGrants(ctx context.Context, c Caller) ([]GrantRow, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return nil, err
	}
	return a.grantRows(ctx, who.ID, "")
}

// EndOwnGrant ends what the caller lets an application do; its tokens end now.
func (a *Accounts) EndOwnGrant(ctx context.Context, c Caller, id string) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"grant": id, "of": who.Name}, nil)
	return notFound(a.st.EndGrant(ctx, id, who.ID, ""))
}

// AppGrants lists the people whom an application acts for, the last used first.
func (a *Accounts) AppGrants(ctx context.Context, c Caller, client string) ([]GrantRow, error) {
	if !c.Has(ManageSettings) {
		return nil, ErrDenied
	}
	app, err := a.app(ctx, client)
	if err != nil {
		return nil, err
	}
	return a.grantRows(ctx, 0, app.Client)
}

// EndAppGrant ends what a person lets an application do; its tokens end now.
func (a *Accounts) EndAppGrant(ctx context.Context, c Caller, client, id string) error {
	if !c.Has(ManageSettings) {
		return ErrDenied
	}
	app, err := a.app(ctx, client)
	if err != nil {
		return err
	}
	audit.Change(ctx, app.Client, map[string]any{"grant": id, "application": app.Name}, nil)
	return notFound(a.st.EndGrant(ctx, id, 0, app.Client))
}

func sameDigest(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
