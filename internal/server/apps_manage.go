package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// AppRow is an application, or a person's own token, as people see it.
type AppRow struct {
	ID          string     `json:"id"` // client id
	Name        string     `json:"name"`
	Owner       string     `json:"owner" doc:"Whose own token it is; empty for an application."`
	Permissions []string   `json:"permissions"`
	Disabled    bool       `json:"disabled"`
	Created     time.Time  `json:"created"`
	CreatedBy   string     `json:"created_by"`
	LastUsed    *time.Time `json:"last_used"`
	LastRemote  string     `json:"last_remote"`
	Calls       int64      `json:"calls"`   // ever
	Refused     int64      `json:"refused"` // of those, by a limit
	Preset      string     `json:"preset" enum:",plain,reference"`
	PerMinute   int        `json:"per_minute"` // with the preset plain
	Uses        []RateUse  `json:"uses"`
	Secrets     []AppKey   `json:"secrets"`
	AppDelegation
}

// AppDelegation is what an application may do for people who let it.
type AppDelegation struct {
	Public     bool     `json:"public,omitempty" doc:"It runs at people's own machines and keeps no secret. It stays what it was made as."`
	Redirects  []string `json:"redirects,omitempty" maxItems:"20" doc:"Addresses that people may be sent back to, to the byte; of a public one at the loopback, with any port."`
	Delegated  []string `json:"delegated,omitempty" maxItems:"100" doc:"Permissions that people may let it have."`
	DeviceCode bool     `json:"device_code,omitempty" doc:"People may let it in by a code that they type on the console."`
}

// AppKey is a secret as people see it: everything but itself.
type AppKey struct {
	ID       string     `json:"id"`
	Hint     string     `json:"hint" doc:"The first three characters."`
	Note     string     `json:"note"`
	Created  time.Time  `json:"created"`
	Expires  *time.Time `json:"expires"`
	LastUsed *time.Time `json:"last_used"`
}

// AppEdit is what may be chosen of an application.
type AppEdit struct {
	Name        string   `json:"name" maxLength:"200"`
	Permissions []string `json:"permissions" maxItems:"100"`
	Disabled    bool     `json:"disabled,omitempty"`
	Preset      string   `json:"preset,omitempty" enum:",plain,reference" doc:"Limits: empty as for all, plain with a number of its own, reference as the Defender API has."`
	PerMinute   int      `json:"per_minute,omitempty" minimum:"0" doc:"Calls a minute, with plain."`
	AppDelegation
}

func delegationOf(app *store.App) AppDelegation {
	return AppDelegation{Public: app.Public, Redirects: app.Redirects, Delegated: app.Delegated, DeviceCode: app.DeviceCode}
}

// NewSecret is how a secret is made.
type NewSecret struct {
	Note      string `json:"note,omitempty" maxLength:"200"`
	Days      int    `json:"days,omitempty" minimum:"0" maximum:"3660" doc:"How long it lives; 0: it never expires."`
	KeepHours *int   `json:"keep_hours,omitempty" minimum:"0" maximum:"87840" doc:"How long the secrets before it live on, at most; absent: as they did."`
}

// APISettings are what holds for all applications.
type APISettings struct {
	Preset      string       `json:"preset" enum:"plain,reference"`
	PerMinute   int          `json:"per_minute"`
	Permissions []Permission `json:"permissions"`
	Keys        []SigningKey `json:"keys"`
	TenantID    string       `json:"tenant_id"`
}

// Permission is one that an application may be given.
type Permission struct {
	Name  string `json:"name"`
	Opens bool   `json:"opens" doc:"It opens something in this version."`
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// appRows are all applications, or one person's tokens.
func (a *Accounts) appRows(ctx context.Context, owner int64) ([]AppRow, error) {
	apps, err := a.st.Apps(ctx, owner)
	if err != nil {
		return nil, err
	}
	secrets, err := a.st.AppSecrets(ctx, "")
	if err != nil {
		return nil, err
	}
	at := a.now()
	out := []AppRow{}
	for i := range apps {
		app := &apps[i]
		l := limitsOf(app.Limits)
		uses, fresh := a.rates.now(app.Client, at)
		row := AppRow{ID: app.Client, Name: app.Name, Owner: app.OwnerName, Permissions: app.Permissions, Disabled: app.Disabled, Created: app.Created, CreatedBy: app.By,
			LastUsed: timeOrNil(app.LastUsed), LastRemote: app.LastRemote, Calls: app.Calls + fresh.Calls, Refused: app.Refused + fresh.Refused,
			Preset: l.Preset, PerMinute: l.PerMinute, Uses: uses, Secrets: []AppKey{}, AppDelegation: delegationOf(app)}
		if fresh.Calls > 0 {
			row.LastUsed, row.LastRemote = &fresh.At, cmp.Or(fresh.Remote, row.LastRemote)
		}
		for _, n := range secrets {
			if n.App == app.Client {
				k := AppKey{ID: n.ID, Hint: n.Hint, Note: n.Note, Created: n.Created, Expires: timeOrNil(n.Expires), LastUsed: timeOrNil(n.LastUsed)}
				if fresh.Secret == n.ID {
					k.LastUsed = &fresh.At
				}
				row.Secrets = append(row.Secrets, k)
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func (a *Accounts) appRow(ctx context.Context, client string, owner int64) (AppRow, error) {
	rows, err := a.appRows(ctx, owner)
	if err != nil {
		return AppRow{}, err
	}
	for _, r := range rows {
		if r.ID == client {
			return r, nil
		}
	}
	return AppRow{}, ErrNotFound
}

// Apps lists the applications and people's own tokens, newest first.
func (a *Accounts) Apps(ctx context.Context, c Caller) ([]AppRow, error) {
	if !c.Has(ManageSettings) {
		return nil, ErrDenied
	}
	return a.appRows(ctx, 0)
}

// APISettings are what holds for all applications.
func (a *Accounts) APISettings(_ context.Context, c Caller) (APISettings, error) {
	if !c.Has(ManageSettings) {
		return APISettings{}, ErrDenied
	}
	a.rates.mu.Lock()
	l := a.rates.general
	a.rates.mu.Unlock()
	out := APISettings{Preset: l.Preset, PerMinute: l.PerMinute, Keys: a.signingKeys(), TenantID: a.tenant, Permissions: []Permission{}}
	for _, p := range KnownPermissions {
		out.Permissions = append(out.Permissions, Permission{Name: p, Opens: slices.Contains(AppPermissions, cmp.Or(firstNames[p], p))})
	}
	return out, nil
}

// SetAPILimits sets the limits of applications that have none of their own; at once.
func (a *Accounts) SetAPILimits(ctx context.Context, c Caller, preset string, perMinute int) error {
	if !c.Has(ManageSettings) {
		return ErrDenied
	}
	l, err := appLimits{Preset: preset, PerMinute: perMinute}.check(true)
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	a.rates.mu.Lock()
	was := a.rates.general
	a.rates.mu.Unlock()
	audit.Change(ctx, "limits", was, l)
	if err := a.st.SetSetting(ctx, limitSetting, text); err != nil {
		return err
	}
	a.rates.mu.Lock()
	defer a.rates.mu.Unlock()
	a.rates.general = l
	return nil
}

// NewApp registers an application with its first secret, which is shown only
// here; a public one has none. At least one permission must be chosen, its own or
// one that people can let it have.
func (a *Accounts) NewApp(ctx context.Context, c Caller, in AppEdit, days int) (AppSecret, error) {
	if !c.Has(ManageSettings) {
		return AppSecret{}, ErrDenied
	}
	l, err := in.limits()
	if err != nil {
		return AppSecret{}, err
	}
	audit.Change(ctx, "", nil, in)
	return a.addApp(ctx, store.App{Name: in.Name, Permissions: in.Permissions, By: c.Name, Limits: l, Public: in.Public, Redirects: in.Redirects, Delegated: in.Delegated, DeviceCode: in.DeviceCode}, days)
}

func (in *AppEdit) limits() (string, error) {
	l, err := appLimits{Preset: in.Preset, PerMinute: in.PerMinute}.check(false)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(l)
	return string(text), err
}

// EditApp changes an application, but not whether it is public; tokens that it has already follow at once. Of
// a person's token only whether it is disabled can be changed.
func (a *Accounts) EditApp(ctx context.Context, c Caller, client string, in AppEdit) (AppRow, error) {
	if !c.Has(ManageSettings) {
		return AppRow{}, ErrDenied
	}
	app, err := a.app(ctx, client)
	if err != nil {
		return AppRow{}, err
	}
	was := AppEdit{Name: app.Name, Permissions: app.Permissions, Disabled: app.Disabled, Preset: limitsOf(app.Limits).Preset, PerMinute: limitsOf(app.Limits).PerMinute, AppDelegation: delegationOf(&app)}
	if app.Owner != 0 {
		in = AppEdit{Name: was.Name, Permissions: was.Permissions, Disabled: in.Disabled, Preset: in.Preset, PerMinute: in.PerMinute}
	}
	if in.Public != app.Public {
		return AppRow{}, Invalidf("public", "stays as the application was made: make another one")
	}
	if in.Name, err = appName(in.Name); err != nil {
		return AppRow{}, err
	}
	if app.Limits, err = in.limits(); err != nil {
		return AppRow{}, err
	}
	app.Name, app.Permissions, app.Disabled = in.Name, in.Permissions, in.Disabled
	app.Redirects, app.Delegated, app.DeviceCode = in.Redirects, in.Delegated, in.DeviceCode
	if err := delegation(&app); err != nil {
		return AppRow{}, err
	}
	in.Permissions, in.AppDelegation = app.Permissions, delegationOf(&app)
	audit.Change(ctx, app.Client, was, in)
	if err := a.st.SetApp(ctx, app); err != nil {
		return AppRow{}, notFound(err)
	}
	return a.appRow(ctx, app.Client, 0)
}

func (a *Accounts) app(ctx context.Context, client string) (store.App, error) {
	app, err := a.st.AppByClient(ctx, strings.ToLower(client))
	return app, notFound(err)
}

func notFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotFound
	}
	return err
}

// DeleteApp removes an application, or a person's token; its tokens end now.
func (a *Accounts) DeleteApp(ctx context.Context, c Caller, client string) error {
	if !c.Has(ManageSettings) {
		return ErrDenied
	}
	return a.deleteApp(ctx, client)
}

func (a *Accounts) deleteApp(ctx context.Context, client string) error {
	app, err := a.app(ctx, client)
	if err != nil {
		return err
	}
	audit.Change(ctx, app.Client, AppEdit{Name: app.Name, Permissions: app.Permissions, Disabled: app.Disabled, AppDelegation: delegationOf(&app)}, nil)
	if err := a.st.DeleteApp(ctx, app.Client); err != nil {
		return notFound(err)
	}
	a.log.InfoContext(ctx, "application deleted", "app", app.Name, "client", app.Client)
	return nil
}

// AddAppSecret makes another secret of an application, which is shown only
// here. Those before it live on as it says.
func (a *Accounts) AddAppSecret(ctx context.Context, c Caller, client string, in NewSecret) (AppSecret, error) {
	if !c.Has(ManageSettings) {
		return AppSecret{}, ErrDenied
	}
	return a.addSecret(ctx, client, in)
}

func (a *Accounts) addSecret(ctx context.Context, client string, in NewSecret) (AppSecret, error) {
	app, err := a.app(ctx, client)
	if err != nil {
		return AppSecret{}, err
	}
	if app.Owner != 0 {
		return AppSecret{}, Invalidf("id", "it is the token of %s, who makes a new one instead", app.OwnerName)
	}
	if app.Public {
		return AppSecret{}, Invalidf("id", "it is a public application, which keeps no secret")
	}
	secret, n, err := a.newAppSecret(app.Client, strings.TrimSpace(in.Note), in.Days)
	if err != nil {
		return AppSecret{}, err
	}
	var others time.Time
	if in.KeepHours != nil {
		if *in.KeepHours < 0 || *in.KeepHours > maxSecretDays*24 {
			return AppSecret{}, Invalidf("keep_hours", "%d is not between 0 and %d", *in.KeepHours, maxSecretDays*24)
		}
		others = n.Created.Add(time.Duration(*in.KeepHours) * time.Hour)
	}
	audit.Change(ctx, app.Client, nil, map[string]any{"secret": n.ID, "expires": timeOrNil(n.Expires), "others_expire": timeOrNil(others)})
	err = a.st.AddAppSecret(ctx, n, others, maxAppSecrets)
	if errors.Is(err, store.ErrFull) {
		return AppSecret{}, Invalidf("id", "it has %d secrets, which is the most: remove one first", maxAppSecrets)
	}
	if err != nil {
		return AppSecret{}, notFound(err)
	}
	a.log.InfoContext(ctx, "secret added", "app", app.Name, "client", app.Client, "secret", n.ID)
	return AppSecret{TenantID: a.tenant, ClientID: app.Client, ClientSecret: secret}, nil
}

// DeleteAppSecret removes one secret of an application; tokens that were got
// with it end now.
func (a *Accounts) DeleteAppSecret(ctx context.Context, c Caller, client, id string) error {
	if !c.Has(ManageSettings) {
		return ErrDenied
	}
	audit.Change(ctx, client, map[string]any{"secret": id}, nil)
	return notFound(a.st.DeleteAppSecret(ctx, strings.ToLower(client), id))
}

// OwnTokens lists the caller's own tokens.
func (a *Accounts) OwnTokens(ctx context.Context, c Caller) ([]AppRow, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return nil, err
	}
	return a.appRows(ctx, who.ID)
}

// OwnPermissions are what the caller may give a token of his own: what he holds.
func (a *Accounts) OwnPermissions(_ context.Context, c Caller) []string {
	out := []string{}
	for _, p := range AppPermissions {
		if c.UserID != 0 && c.App == "" && c.Has(p) {
			out = append(out, p)
		}
	}
	return out
}

// NewOwnToken makes a token of the caller's own: a client id and a secret with
// which a program gets tokens that carry scp. They never open more than their
// person may at the time of each request, and never the settings of the product.
// It lives 1 to 366 days.
func (a *Accounts) NewOwnToken(ctx context.Context, c Caller, name string, permissions []string, days int) (AppSecret, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return AppSecret{}, err
	}
	if days < 1 || days > 366 {
		return AppSecret{}, Invalidf("days", "%d is not between 1 and 366", days)
	}
	for _, p := range permissions {
		if !slices.Contains(a.OwnPermissions(ctx, c), p) {
			return AppSecret{}, Invalidf("permissions", "%q is not one that you hold", p)
		}
	}
	audit.Change(ctx, "", nil, map[string]any{"name": name, "permissions": permissions, "days": days})
	return a.addApp(ctx, store.App{Name: name, Permissions: permissions, Owner: who.ID, By: who.Name}, days)
}

// DeleteOwnToken removes one of the caller's own tokens.
func (a *Accounts) DeleteOwnToken(ctx context.Context, c Caller, client string) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	app, err := a.app(ctx, client)
	if err != nil {
		return err
	}
	if app.Owner != who.ID {
		return ErrNotFound
	}
	return a.deleteApp(ctx, client)
}
