package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// appWorld is an administrator, an application and a token of it.
type appWorld struct {
	t      *testing.T
	a      *Accounts
	at     *time.Time
	st     *store.Store
	admin  Caller
	client string
}

func newAppWorld(t *testing.T, permissions ...string) (w *appWorld, made AppSecret) {
	a, at, st := testAccounts(t)
	_, admin := administrator(t, a, "")
	made, err := a.NewApp(t.Context(), admin, AppEdit{Name: "siem", Permissions: permissions}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &appWorld{t, a, at, st, admin, made.ClientID}, made
}

func (w *appWorld) token(s AppSecret) string {
	w.t.Helper()
	token, err := w.a.IssueToken(w.t.Context(), "https://picket.example", s.ClientID, s.ClientSecret)
	if err != nil {
		w.t.Fatal(err)
	}
	return token.Token
}

func (w *appWorld) opens(token string) bool {
	w.t.Helper()
	_, err := w.a.TokenCaller(w.t.Context(), token)
	if err != nil && !errors.Is(err, ErrUnauthenticated) {
		w.t.Fatal(err)
	}
	return err == nil
}

func (w *appWorld) row() AppRow {
	w.t.Helper()
	rows, err := w.a.Apps(w.t.Context(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if r.ID == w.client {
			return r
		}
	}
	w.t.Fatal("the application is not listed")
	return AppRow{}
}

func TestTokensOfADisabledOrDeletedApplicationEndAtOnce(t *testing.T) {
	w, made := newAppWorld(t, MachineRead)
	ctx := t.Context()
	token := w.token(made)
	if !w.opens(token) {
		t.Fatal("the token does not work")
	}
	edit := AppEdit{Name: "siem", Permissions: []string{MachineRead, SoftwareRead}, Disabled: true}
	if row, err := w.a.EditApp(ctx, w.admin, w.client, edit); err != nil || !row.Disabled {
		t.Fatal(row, err)
	}
	if w.opens(token) {
		t.Error("a token of a disabled application still works")
	}
	if _, err := w.a.IssueToken(ctx, "x", w.client, made.ClientSecret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a disabled application got a token: %v", err)
	}
	edit.Disabled = false
	if _, err := w.a.EditApp(ctx, w.admin, w.client, edit); err != nil {
		t.Fatal(err)
	}
	if c, err := w.a.TokenCaller(ctx, token); err != nil || c.Has(SoftwareRead) || !c.Has(MachineRead) {
		t.Errorf("enabled again, a token has what it said and no more: %+v, %v", c, err)
	}
	if c, err := w.a.TokenCaller(ctx, w.token(made)); err != nil || !c.Has(SoftwareRead) {
		t.Errorf("a new token has the new permission: %+v, %v", c, err)
	}
	edit.Permissions = []string{SoftwareRead}
	if _, err := w.a.EditApp(ctx, w.admin, w.client, edit); err != nil {
		t.Fatal(err)
	}
	if c, err := w.a.TokenCaller(ctx, token); err != nil || c.Has(MachineRead) {
		t.Errorf("a permission that was taken away still works: %+v, %v", c, err)
	}
	if err := w.a.DeleteApp(ctx, w.admin, w.client); err != nil {
		t.Fatal(err)
	}
	if w.opens(token) {
		t.Error("a token of a deleted application still works")
	}
	if err := w.a.DeleteApp(ctx, w.admin, w.client); !errors.Is(err, ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestSecretsRotateExpireAndAreRemoved(t *testing.T) {
	w, first := newAppWorld(t, MachineRead)
	ctx := t.Context()
	old := w.token(first)
	keep := 2
	second, err := w.a.AddAppSecret(ctx, w.admin, w.client, NewSecret{Note: "2027", Days: 30, KeepHours: &keep})
	if err != nil || second.ClientSecret == first.ClientSecret {
		t.Fatal(second, err)
	}
	fresh := w.token(second)
	if !w.opens(old) || !w.opens(fresh) || !w.opens(w.token(first)) {
		t.Fatal("both secrets work until the old one expires")
	}
	*w.at = w.at.Add(2*time.Hour - 10*time.Second)
	short, err := w.a.IssueToken(ctx, "https://picket.example", first.ClientID, first.ClientSecret)
	if err != nil || short.Expires != 10*time.Second {
		t.Errorf("a token outlives its secret: %v, %v", short.Expires, err)
	}
	fresh = w.token(second)
	*w.at = w.at.Add(10 * time.Second)
	if w.opens(short.Token) || !w.opens(fresh) {
		t.Error("tokens of the expired secret, and only those, end")
	}
	if _, err := w.a.IssueToken(ctx, "x", first.ClientID, first.ClientSecret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("an expired secret got a token: %v", err)
	}
	row := w.row()
	if len(row.Secrets) != 2 || row.Secrets[0].Note != "2027" || row.Secrets[0].Hint != second.ClientSecret[:3] || row.Secrets[0].LastUsed == nil {
		t.Errorf("secrets = %+v", row.Secrets)
	}
	if err := w.a.DeleteAppSecret(ctx, w.admin, w.client, row.Secrets[0].ID); err != nil {
		t.Fatal(err)
	}
	if w.opens(fresh) {
		t.Error("a token of a removed secret still works")
	}
	for range maxAppSecrets - 1 {
		if _, err := w.a.AddAppSecret(ctx, w.admin, w.client, NewSecret{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.a.AddAppSecret(ctx, w.admin, w.client, NewSecret{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("one secret too many: %v", err)
	}
}

func TestASecretOpensOnlyItsOwnApplication(t *testing.T) {
	w, one := newAppWorld(t, MachineRead)
	two, err := w.a.NewApp(t.Context(), w.admin, AppEdit{Name: "two", Permissions: []string{VulnerabilityRead}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{one.ClientID, two.ClientSecret}, {two.ClientID, one.ClientSecret}, {"", one.ClientSecret}, {one.ClientID, ""}} {
		if _, err := w.a.IssueToken(t.Context(), "x", pair[0], pair[1]); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("IssueToken(%q, …) = %v", pair[0], err)
		}
	}
}

func TestSigningKeysRotate(t *testing.T) {
	w, made := newAppWorld(t, MachineRead)
	ctx := t.Context()
	old := w.token(made)
	before := w.a.KeySet().Keys[0].ID
	key, err := w.a.RotateSigningKey(ctx, w.admin, false)
	if err != nil || key.ID == before {
		t.Fatal(key, err)
	}
	set := w.a.KeySet()
	if len(set.Keys) != 2 || set.Keys[0].ID != key.ID || set.Keys[1].ID != before {
		t.Errorf("key set = %+v", set)
	}
	fresh := w.token(made)
	again, err := OpenAccounts(ctx, w.st, w.a.log)
	if err != nil {
		t.Fatal(err)
	}
	again.now = w.a.now
	for name, a := range map[string]*Accounts{"running": w.a, "started again": again} {
		for _, token := range []string{old, fresh} {
			if _, err := a.TokenCaller(ctx, token); err != nil {
				t.Errorf("%s: a token of before or after does not hold: %v", name, err)
			}
		}
	}
	if text, err := w.st.Identity(ctx, "signing-key"); err != nil || strings.Contains(string(text), before) {
		t.Error("the old private key is kept", err)
	}
	*w.at = w.at.Add(2 * time.Hour)
	if n := len(w.a.KeySet().Keys); n != 1 {
		t.Errorf("%d keys two hours later", n)
	}
	*w.at = w.at.Add(-2 * time.Hour)
	if _, err := w.a.RotateSigningKey(ctx, w.admin, true); err != nil {
		t.Fatal(err)
	}
	if w.opens(old) || w.opens(fresh) {
		t.Error("tokens survive a key that is revoked")
	}
	if !w.opens(w.token(made)) {
		t.Error("no token with the new key")
	}
	if _, err := w.a.RotateSigningKey(ctx, Caller{App: w.client, Permissions: KnownPermissions}, true); !errors.Is(err, ErrDenied) {
		t.Errorf("an application rotates keys: %v", err)
	}
}

// nobody makes an account that is in no user group.
func nobody(t *testing.T, a *Accounts, st *store.Store) int64 {
	t.Helper()
	who, err := st.AddAccount(t.Context(), store.Account{Name: "eve", Display: "Eve", Created: a.now()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return who.ID
}

func TestOwnTokensNeverOpenMoreThanTheirPersonMay(t *testing.T) {
	w, _ := newAppWorld(t, MachineRead)
	ctx := t.Context()
	if _, err := w.a.NewOwnToken(ctx, w.admin, "x", []string{ManageSettings}, 1); !errors.Is(err, ErrInvalid) {
		t.Errorf("a token for settings: %v", err)
	}
	made, err := w.a.NewOwnToken(ctx, w.admin, "report", []string{MachineRead, VulnerabilityRead}, 30)
	if err != nil {
		t.Fatal(err)
	}
	token := w.token(made)
	said, err := w.a.keys.check(token, w.a.tenant, *w.at)
	if err != nil || said.Scopes != "Machine.Read Vulnerability.Read" || len(said.Roles) != 0 || said.User != "admin" {
		t.Errorf("claims = %+v, %v", said, err)
	}
	c, err := w.a.TokenCaller(ctx, token)
	if err != nil || !c.Has(MachineRead) || !c.Has(VulnerabilityRead) || c.Has(SoftwareRead) || c.Admin || c.Has(ManageSettings) || c.UserID != w.admin.UserID {
		t.Fatalf("caller = %+v, %v", c, err)
	}
	if _, err := w.a.OwnTokens(ctx, c); !errors.Is(err, ErrDenied) {
		t.Errorf("a token lists tokens: %v", err)
	}
	if _, err := w.a.NewOwnToken(ctx, c, "more", []string{MachineRead}, 1); !errors.Is(err, ErrDenied) {
		t.Errorf("a token makes tokens: %v", err)
	}
	if _, err := w.a.EditApp(ctx, w.admin, made.ClientID, AppEdit{Name: "x", Permissions: KnownPermissions}); err != nil {
		t.Fatal(err)
	}
	if c, err = w.a.TokenCaller(ctx, w.token(made)); err != nil || c.Has(SoftwareRead) {
		t.Errorf("somebody else's edit gave a token more: %+v, %v", c, err)
	}
	poor, err := w.a.addApp(ctx, store.App{Name: "left over", Permissions: []string{MachineRead}, Owner: nobody(t, w.a, w.st)}, 30)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = w.a.TokenCaller(ctx, w.token(poor)); err != nil || len(c.Permissions) != 0 {
		t.Errorf("a token opens more than its person: %+v, %v", c, err)
	}
	said.App, said.Scopes = poor.ClientID, "Machine.Read"
	secrets, err := w.st.AppSecrets(ctx, poor.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	said.Secret = secrets[0].ID
	older, err := w.a.keys.issue(said) // of the time when its person might
	if err != nil {
		t.Fatal(err)
	}
	if c, err = w.a.TokenCaller(ctx, older); err != nil || len(c.Permissions) != 0 {
		t.Errorf("a token opens what its person may no more: %+v, %v", c, err)
	}
}

func TestOwnTokensAreTheirPersonsAlone(t *testing.T) {
	w, _ := newAppWorld(t, MachineRead)
	ctx := t.Context()
	made, err := w.a.NewOwnToken(ctx, w.admin, "report", []string{MachineRead}, 30)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := w.a.OwnTokens(ctx, w.admin)
	if err != nil || len(rows) != 1 || rows[0].ID != made.ClientID || rows[0].Owner != "admin" {
		t.Fatalf("own tokens = %+v, %v", rows, err)
	}
	other := Caller{Name: "eve", UserID: w.admin.UserID + 1}
	if err := w.a.DeleteOwnToken(ctx, other, made.ClientID); !errors.Is(err, ErrDenied) {
		t.Errorf("a stranger deletes: %v", err)
	}
	if err := w.a.DeleteOwnToken(ctx, w.admin, w.client); !errors.Is(err, ErrNotFound) {
		t.Errorf("an application was deleted as an own token: %v", err)
	}
	if _, err := w.a.AddAppSecret(ctx, w.admin, made.ClientID, NewSecret{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("the administrator made a secret of somebody's token: %v", err)
	}
	token := w.token(made)
	if err := w.a.DeleteOwnToken(ctx, w.admin, made.ClientID); err != nil {
		t.Fatal(err)
	}
	if w.opens(token) {
		t.Error("a deleted token works")
	}
	for range maxOwnTokens {
		if _, err := w.a.NewOwnToken(ctx, w.admin, "n", []string{MachineRead}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.a.NewOwnToken(ctx, w.admin, "n", []string{MachineRead}, 1); !errors.Is(err, ErrInvalid) {
		t.Errorf("one token too many: %v", err)
	}
}

func TestUseOfApplicationsIsKept(t *testing.T) {
	w, made := newAppWorld(t, MachineRead)
	ctx := t.Context()
	c, err := w.a.TokenCaller(ctx, w.token(made))
	if err != nil {
		t.Fatal(err)
	}
	c.Remote = "192.0.2.7"
	for range 3 {
		if err := w.a.Admit(c, "GET", "machines"); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string) {
		t.Helper()
		row := w.row()
		if row.Calls != 4 || row.LastRemote != "192.0.2.7" || row.LastUsed == nil || !row.LastUsed.Equal(*w.at) || row.Secrets[0].LastUsed == nil {
			t.Errorf("%s: %+v", when, row)
		}
	}
	check("in memory")
	w.a.flushRates(ctx)
	check("written")
	again, err := OpenAccounts(ctx, w.st, w.a.log)
	if err != nil {
		t.Fatal(err)
	}
	w.a = again
	check("after a restart")
}

func TestManagingApplicationsNeedsThePermission(t *testing.T) {
	w, made := newAppWorld(t, MachineRead)
	ctx := context.Background()
	c, err := w.a.TokenCaller(ctx, w.token(made))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"list":    failure(w.a.Apps(ctx, c)),
		"new":     failure(w.a.NewApp(ctx, c, AppEdit{Name: "x", Permissions: slices.Clone(KnownPermissions)}, 0)),
		"edit":    failure(w.a.EditApp(ctx, c, w.client, AppEdit{Name: "x", Permissions: slices.Clone(KnownPermissions)})),
		"delete":  w.a.DeleteApp(ctx, c, w.client),
		"secret":  failure(w.a.AddAppSecret(ctx, c, w.client, NewSecret{})),
		"remove":  w.a.DeleteAppSecret(ctx, c, w.client, "x"),
		"limits":  w.a.SetAPILimits(ctx, c, LimitPlain, 1),
		"setting": failure(w.a.APISettings(ctx, c)),
	} {
		if !errors.Is(err, ErrDenied) {
			t.Errorf("%s = %v", name, err)
		}
	}
}

func failure[T any](_ T, err error) error { return err }

// A permission with two names opens the same by both, for applications and for
// people through one, and is shown as one that opens something.
func TestPermissionsWithTwoNames(t *testing.T) {
	d := newDelegation(t)
	for second, opens := range map[string][]string{"Alerts.ReadWrite.All": {AlertRead, AlertWrite}, "AdvancedHunting.Read.All": {AdvancedQuery}} {
		_, client, secret, err := d.a.CreateApp(t.Context(), second, []string{second})
		if err != nil {
			t.Fatal(err)
		}
		token, err := d.a.IssueToken(t.Context(), picketAt, client, secret)
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.a.TokenCaller(t.Context(), token.Token)
		d.desk(func(e *AppEdit) { e.Delegated = []string{second} })
		for _, p := range opens {
			if err != nil || !c.Has(p) {
				t.Errorf("%s does not open %s: %v, %v", second, p, c.Permissions, err)
			}
			if through, err := d.a.TokenCaller(t.Context(), d.letIn(d.client, "").Token); err != nil || !through.Has(p) {
				t.Errorf("%s does not open %s for a person: %v, %v", second, p, through.Permissions, err)
			}
		}
		for _, scope := range []string{second, strings.TrimSuffix(second, ".All"), opens[len(opens)-1]} {
			if _, err := d.a.StartDevice(t.Context(), picketAt, DeviceRequest{Client: d.client, Scope: scope}); err != nil {
				t.Errorf("scope %s: %v", scope, err)
			}
		}
		all, err := d.a.APISettings(t.Context(), d.person)
		if err != nil || !slices.Contains(all.Permissions, Permission{Name: second, Opens: true}) {
			t.Errorf("%s is said to open nothing: %v", second, err)
		}
	}
}
