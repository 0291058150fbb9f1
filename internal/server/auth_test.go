package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// cheapCost keeps tests fast; the form of the hash is the same.
var cheapCost = argonCost{memory: 64, time: 1, threads: 1}

// testAccounts are accounts on a fresh store with a clock that the test moves.
func testAccounts(t *testing.T) (*Accounts, *time.Time, *store.Store) {
	t.Helper()
	st, err := store.Open(t.Context(), t.TempDir(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	a, err := OpenAccounts(t.Context(), st, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	a.now = func() time.Time { return at }
	a.cost, a.decoy = cheapCost, encodeDecoy(cheapCost)
	return a, &at, st
}

// signIn signs in with a password from an address.
func signIn(ctx context.Context, a *Accounts, name, password, remote string) (SessionSecret, Me, error) {
	in, err := a.SignIn(ctx, name, password, Place{Remote: remote})
	return in.Secret, in.Me, err
}

// redeem signs in with a one-time link from an address.
func redeem(ctx context.Context, a *Accounts, link, remote string) (SessionSecret, Me, error) {
	in, err := a.RedeemLink(ctx, link, Place{Remote: remote})
	return in.Secret, in.Me, err
}

// administrator signs the first administrator in and sets a password.
func administrator(t *testing.T, a *Accounts, password string) (SessionSecret, Caller) {
	t.Helper()
	link, err := a.SignInLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret, me, err := redeem(t.Context(), a, link, "10.0.0.9")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Me{Username: "admin", DisplayName: "Administrator", Role: "Administrator", NeedsSecret: true, Administrator: true, Permissions: me.Permissions, AllDevices: true}); !reflect.DeepEqual(me, want) || len(me.Permissions) != len(RolePermissions) {
		t.Fatalf("me = %+v, want %+v", me, want)
	}
	c, _, err := a.SessionCaller(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		if err := a.SetPassword(t.Context(), c, "", password); err != nil {
			t.Fatal(err)
		}
	}
	return secret, c
}

func TestSignInLink(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	link, err := a.SignInLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(link) < 43 {
		t.Errorf("link %q has less than 256 bits", link)
	}
	if _, _, err := redeem(ctx, a, link+"x", ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("another link = %v", err)
	}
	if _, err := st.AccountByName(ctx, "admin"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a wrong link made an account: %v", err)
	}
	secret, _, err := redeem(ctx, a, link, "10.0.0.9:1234")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := redeem(ctx, a, link, "10.0.0.9:1234"); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the second use = %v", err)
	}
	c, _, err := a.SessionCaller(ctx, secret)
	if err != nil || !c.Admin || c.UserID == 0 || c.App != "" {
		t.Errorf("caller = %+v, %v", c, err)
	}
	// A later link signs the same account in and makes no second one.
	again, err := a.SignInLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := redeem(ctx, a, again, "")
	if err != nil {
		t.Fatal(err)
	}
	if d, _, err := a.SessionCaller(ctx, other); err != nil || d.UserID != c.UserID {
		t.Errorf("second link = %+v, %v; want user %d", d, err, c.UserID)
	}
	late, err := a.SignInLink(ctx)
	if err != nil {
		t.Fatal(err)
	}
	*at = at.Add(24 * time.Hour)
	if _, _, err := redeem(ctx, a, late, ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("after a day = %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	for _, tt := range []struct {
		name  string
		steps []time.Duration // between uses
		alive bool
	}{
		{"used at once", []time.Duration{0}, true},
		{"idle for less than 12 hours", []time.Duration{12*time.Hour - time.Second}, true},
		{"idle for 12 hours", []time.Duration{12 * time.Hour}, false},
		{"used often for a week", []time.Duration{11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour,
			11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour}, true},
		{"used often for more than a week", []time.Duration{11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour,
			11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 11 * time.Hour, 3 * time.Hour}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, at, _ := testAccounts(t)
			secret, _ := administrator(t, a, "")
			var err error
			for _, s := range tt.steps {
				*at = at.Add(s)
				_, _, err = a.SessionCaller(t.Context(), secret)
			}
			if (err == nil) != tt.alive || err != nil && !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("err = %v, want alive %v", err, tt.alive)
			}
		})
	}
}

func TestSignOut(t *testing.T) {
	a, _, _ := testAccounts(t)
	secret, _ := administrator(t, a, "")
	if err := a.SignOut(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(t.Context(), secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("err = %v", err)
	}
}

func TestPassword(t *testing.T) {
	a, _, _ := testAccounts(t)
	ctx := t.Context()
	first, c := administrator(t, a, "correct horse battery")
	for _, tt := range []struct {
		name, current, fresh, field string
	}{
		{"no current", "", "another horse battery", "current"},
		{"wrong current", "incorrect horse", "another horse battery", "current"},
		{"too short", "correct horse battery", "elevenchars", "new"},
		{"too long", "correct horse battery", strings.Repeat("x", 2000), "new"},
		{"not text", "correct horse battery", "\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc\xff\xfe\xfd\xfc", "new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := a.SetPassword(ctx, c, tt.current, tt.fresh)
			var input *InputError
			if !errors.As(err, &input) || input.Field != tt.field {
				t.Errorf("err = %v, want one about %q", err, tt.field)
			}
		})
	}
	other, me, err := signIn(ctx, a, " Admin ", "correct horse battery", "10.0.0.8")
	if err != nil || me.NeedsSecret {
		t.Fatalf("sign in = %+v, %v", me, err)
	}
	if err := a.SetPassword(ctx, c, "correct horse battery", "another horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(ctx, other); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("another session outlived the change of the password: %v", err)
	}
	if _, _, err := a.SessionCaller(ctx, first); err != nil {
		t.Errorf("the own session ended: %v", err)
	}
	if _, _, err := signIn(ctx, a, "admin", "correct horse battery", ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the old password = %v", err)
	}
	if err := a.SetPassword(ctx, Caller{Name: "app", App: "x", Admin: true}, "", "another horse battery"); !errors.Is(err, ErrDenied) {
		t.Errorf("an application sets a password: %v", err)
	}
}

func TestNoSignInWithoutPassword(t *testing.T) {
	a, _, _ := testAccounts(t)
	administrator(t, a, "")
	for _, password := range []string{"", " ", "admin"} {
		if _, _, err := signIn(t.Context(), a, "admin", password, ""); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("password %q = %v", password, err)
		}
	}
}

func TestBackoffPerAccount(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	administrator(t, a, "correct horse battery")
	var wait *WaitError
	for i := range 10 {
		if _, _, err := signIn(ctx, a, "admin", "wrong", fmt.Sprintf("10.1.0.%d", i)); !errors.Is(err, ErrUnauthenticated) {
			t.Fatalf("attempt %d = %v", i, err)
		}
	}
	if _, _, err := signIn(ctx, a, "admin", "correct horse battery", "10.2.0.1"); !errors.As(err, &wait) || wait.After != time.Second {
		t.Fatalf("attempt 11 = %v, want to wait a second", err)
	}
	*at = at.Add(time.Second)
	if _, _, err := signIn(ctx, a, "admin", "wrong", "10.2.0.2"); !errors.Is(err, ErrUnauthenticated) {
		t.Fatalf("after the wait = %v", err)
	}
	if _, _, err := signIn(ctx, a, "admin", "wrong", "10.2.0.3"); !errors.As(err, &wait) || wait.After != 2*time.Second {
		t.Fatalf("then = %v, want to wait two seconds", err)
	}
	*at = at.Add(2 * time.Second)
	if _, _, err := signIn(ctx, a, "admin", "correct horse battery", "10.2.0.4"); err != nil {
		t.Fatalf("the right password after the wait = %v", err)
	}
	if _, _, err := signIn(ctx, a, "admin", "wrong", "10.2.0.5"); !errors.Is(err, ErrUnauthenticated) {
		t.Fatalf("success did not clear the count: %v", err)
	}
}

func TestBackoffPerAddress(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	var wait *WaitError
	// All addresses of one IPv6 network count together, whatever the account.
	for i := range 10 {
		if _, _, err := signIn(ctx, a, fmt.Sprint("user", i), "wrong", fmt.Sprintf("[2001:db8::%x]:99", i)); !errors.Is(err, ErrUnauthenticated) {
			t.Fatalf("attempt %d = %v", i, err)
		}
	}
	if _, _, err := signIn(ctx, a, "someone", "wrong", "2001:db8::ffff"); !errors.As(err, &wait) {
		t.Errorf("attempt 11 = %v, want to wait", err)
	}
	if _, _, err := redeem(ctx, a, "guess", "2001:db8::1"); !errors.As(err, &wait) {
		t.Errorf("a link from there = %v, want to wait", err)
	}
	if _, _, err := signIn(ctx, a, "someone", "wrong", "2001:db8:0:1::1"); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("another network = %v", err)
	}
	for range 40 {
		*at = at.Add(16 * time.Minute) // longer than the longest wait
		if _, _, err := signIn(ctx, a, "x", "wrong", "2001:db8::1"); !errors.Is(err, ErrUnauthenticated) {
			t.Fatalf("after the longest wait = %v", err)
		}
	}
}

func TestBackoffIsBounded(t *testing.T) {
	b := backoff{free: 1, cap: time.Minute}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range maxBackoffKeys + 500 {
		_ = b.attempt(fmt.Sprint(i), at.Add(time.Duration(i)*time.Microsecond))
	}
	if len(b.keys) > maxBackoffKeys {
		t.Errorf("%d keys are kept", len(b.keys))
	}
}

func TestPrefs(t *testing.T) {
	a, _, _ := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, "")
	if got, err := a.Prefs(ctx, c); err != nil || string(got) != "{}" {
		t.Errorf("at first = %s, %v", got, err)
	}
	for _, bad := range []string{"", "[]", "null", `"x"`, `{"a":`, `{"a":"` + strings.Repeat("x", maxPrefs) + `"}`} {
		if err := a.SetPrefs(ctx, c, json.RawMessage(bad)); !errors.Is(err, ErrInvalid) {
			t.Errorf("SetPrefs(%.20q…) = %v", bad, err)
		}
	}
	if err := a.SetPrefs(ctx, c, json.RawMessage(`{"theme":"dark"}`)); err != nil {
		t.Fatal(err)
	}
	if got, err := a.Prefs(ctx, c); err != nil || string(got) != `{"theme":"dark"}` {
		t.Errorf("then = %s, %v", got, err)
	}
}

func TestSecretsStayOutOfLogsAndStore(t *testing.T) {
	a, _, st := testAccounts(t)
	var log bytes.Buffer
	a.log = slog.New(slog.NewTextHandler(&log, nil))
	secret, _ := administrator(t, a, "correct horse battery")
	_, client, appSecret, err := a.CreateApp(t.Context(), "x\nlevel=ERROR msg=forged", nil)
	if err != nil {
		t.Fatal(err)
	}
	a.log.Info("secret", "value", secret)
	_, _ = fmt.Fprint(&log, secret, fmt.Sprintf("%v %+v %s", secret, secret, secret))
	for _, s := range []string{secret.Reveal(), "correct horse", appSecret} {
		if strings.Contains(log.String(), s) {
			t.Errorf("the log has a secret: %s", log.String())
		}
	}
	if strings.Contains(log.String(), "\nlevel=ERROR") {
		t.Error("a name forged a line of the log")
	}
	list, err := st.AppSecrets(context.Background(), client)
	if err != nil || len(list) != 1 || bytes.Contains(list[0].Hash, []byte(appSecret)) || len(list[0].Hash) != 32 || len(list[0].Hint) > 3 {
		t.Errorf("stored secrets = %+v, %v", list, err)
	}
}

func TestPasswordHashForm(t *testing.T) {
	a, _, _ := testAccounts(t)
	h, err := a.hashPassword(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(h, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Errorf("hash = %q", h)
	}
	if again, _ := a.hashPassword(t.Context(), "correct horse battery"); again == h {
		t.Error("two hashes of one password are the same: no salt")
	}
	for _, bad := range []string{"", "x", "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA", "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"} {
		if ok, err := a.checkPassword(t.Context(), bad, "x"); ok || err == nil {
			t.Errorf("hash %q = %v, %v", bad, ok, err)
		}
	}
	if defaultCost.memory < 64<<10 || defaultCost.time < 3 {
		t.Errorf("the cost of a password is too low: %+v", defaultCost)
	}
}
