package server

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/store"
)

var here = Place{Remote: "10.0.0.9", Agent: "Browser/1", Base: "http://localhost:8080"}

const goodPassword = "correct horse battery"

// codeAt is what an authenticator app shows.
func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	raw, err := base32Plain.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return codeOf(raw, at.Unix()/codeStep)
}

// withCodes sets one-time codes up and returns the secret and the recovery codes.
func withCodes(t *testing.T, a *Accounts, at *time.Time, c Caller) (string, []string) {
	t.Helper()
	k, err := a.BeginCode(t.Context(), c, "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := a.ConfirmCode(t.Context(), c, codeAt(t, k.Secret, *at))
	if err != nil || len(set.Codes) != recoveryCodes {
		t.Fatalf("confirmed = %+v, %v", set, err)
	}
	return k.Secret, set.Codes
}

// firstStep signs in with the password and returns the ticket of the second step.
func firstStep(t *testing.T, a *Accounts) *SecondStep {
	t.Helper()
	in, err := a.SignIn(t.Context(), "admin", goodPassword, here)
	if err != nil || in.Step == nil || in.Secret != "" || in.Me.Username != "" {
		t.Fatalf("password alone = %+v, %v; want a second step and nothing more", in, err)
	}
	return in.Step
}

// The codes are those of RFC 6238, appendix B, cut to six digits.
func TestCodesOfRFC6238(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // "12345678901234567890"
	for unix, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := codeAt(t, secret, time.Unix(unix, 0)); got != want {
			t.Errorf("code at %d = %s, want %s", unix, got, want)
		}
	}
}

func TestOneTimeCodes(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	k, err := a.BeginCode(ctx, c, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := "otpauth://totp/Picket:admin?secret=" + k.Secret + "&"; !strings.HasPrefix(k.Address, want) {
		t.Errorf("address %q", k.Address)
	}
	if kept, err := st.TOTPOf(ctx, c.UserID); err != nil || bytes.Contains(kept.Secret, []byte(k.Secret)) {
		t.Errorf("the secret is stored as it is, or not at all: %v", err)
	}
	// What is not confirmed asks nobody for anything.
	if in, err := a.SignIn(ctx, "admin", goodPassword, here); err != nil || in.Step != nil {
		t.Errorf("before the first code = %+v, %v", in, err)
	}
	var input *InputError
	if _, err := a.ConfirmCode(ctx, c, "000000"); !errors.As(err, &input) {
		t.Errorf("a wrong first code = %v", err)
	}
	used := codeAt(t, k.Secret, *at)
	if _, err := a.ConfirmCode(ctx, c, used); err != nil {
		t.Fatal(err)
	}
	if _, err := a.BeginCode(ctx, c, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("a second secret over one in use = %v", err)
	}

	step := firstStep(t, a)
	if want := []string{showCode, showRecovery}; strings.Join(step.Factors, " ") != strings.Join(want, " ") {
		t.Errorf("factors = %v, want %v", step.Factors, want)
	}
	try := func(what, code string, ok bool) {
		t.Helper()
		in, err := a.SecondFactor(ctx, firstStep(t, a).Ticket, showCode, code, here)
		if ok != (err == nil && in.Secret != "") || !ok && !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%s = %+v, %v", what, in, err)
		}
		a.factors.clear("admin")
	}
	try("the code that confirmed, again", used, false)
	try("two steps ahead", codeAt(t, k.Secret, at.Add(60*time.Second)), false)
	try("a step ahead", codeAt(t, k.Secret, at.Add(30*time.Second)), true)
	try("the same once more", codeAt(t, k.Secret, at.Add(30*time.Second)), false)
	*at = at.Add(90 * time.Second)
	try("a step behind", codeAt(t, k.Secret, at.Add(-30*time.Second)), true)
	try("with a space, as apps show it", codeAt(t, k.Secret, *at)[:3]+" "+codeAt(t, k.Secret, *at)[3:], true)
	try("an older one than the last used", codeAt(t, k.Secret, at.Add(-30*time.Second)), false)

	// The session says how.
	*at = at.Add(time.Minute)
	in, err := a.SecondFactor(ctx, firstStep(t, a).Ticket, showCode, codeAt(t, k.Secret, *at), here)
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := a.SessionCaller(ctx, in.Secret)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := a.Sessions(ctx, d)
	if err != nil || len(rows) == 0 || rows[0].Method != "password and one-time code" || rows[0].Agent != "Browser/1" || !rows[0].Current {
		t.Errorf("sessions = %+v, %v", rows, err)
	}
	if err := a.RemoveCode(ctx, d, ""); err != nil {
		t.Fatal(err)
	}
	if in, err := a.SignIn(ctx, "admin", goodPassword, here); err != nil || in.Step != nil {
		t.Errorf("after removal = %+v, %v", in, err)
	}
	if n, err := st.RecoveryCodes(ctx, c.UserID); n != 0 || err != nil {
		t.Errorf("%d recovery codes are left with nothing to recover, %v", n, err)
	}
}

func TestRecoveryCodes(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	if _, err := a.NewRecoveryCodes(ctx, c, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("recovery codes without a factor = %v", err)
	}
	_, codes := withCodes(t, a, at, c)
	use := func(code string) error {
		_, err := a.SecondFactor(ctx, firstStep(t, a).Ticket, showRecovery, code, here)
		a.factors.clear("admin")
		return err
	}
	if err := use(strings.ToUpper(strings.ReplaceAll(codes[0], "-", " "))); err != nil {
		t.Errorf("a code as people type it = %v", err)
	}
	if err := use(codes[0]); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("used twice = %v", err)
	}
	if f, err := a.OwnFactors(ctx, c); err != nil || f.Recovery != recoveryCodes-1 || !f.Code {
		t.Errorf("factors = %+v, %v", f, err)
	}
	fresh, err := a.NewRecoveryCodes(ctx, c, "")
	if err != nil || len(fresh.Codes) != recoveryCodes {
		t.Fatal(err)
	}
	if err := use(codes[1]); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a code of the old set = %v", err)
	}
	if err := use(fresh.Codes[1]); err != nil {
		t.Errorf("a code of the new set = %v", err)
	}
}

func TestTicketOfSecondStep(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	secret, codes := withCodes(t, a, at, c)
	*at = at.Add(time.Minute)
	ticket := firstStep(t, a).Ticket
	if in, err := a.SecondFactor(ctx, ticket, showCode, codeAt(t, secret, *at), here); err != nil || in.Secret == "" {
		t.Fatalf("the ticket = %+v, %v", in, err)
	}
	for what, bad := range map[string]string{"spent": ticket, "empty": "", "made up": "AAAA", "changed": ticket[:len(ticket)-2] + "AA"} {
		if _, err := a.SecondFactor(ctx, bad, showRecovery, codes[0], here); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("a ticket that is %s = %v", what, err)
		}
	}
	old, changed := firstStep(t, a).Ticket, firstStep(t, a).Ticket
	*at = at.Add(slipLife)
	if _, err := a.SecondFactor(ctx, old, showRecovery, codes[0], here); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a ticket of five minutes ago = %v", err)
	}
	*at = at.Add(-slipLife)
	if err := a.SetPassword(ctx, c, goodPassword, "another horse battery"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SecondFactor(ctx, changed, showRecovery, codes[0], here); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a ticket of the password before = %v", err)
	}
}

// Guessing second factors waits longer and longer, and a restart forgives nothing;
// the first factor is not held up by it, nor the right one for ever.
func TestGuessingSecondFactors(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	secret, codes := withCodes(t, a, at, c)
	*at = at.Add(time.Minute)
	ticket := firstStep(t, a).Ticket
	guess := func(factor, code, remote string) error {
		_, err := a.SecondFactor(ctx, ticket, factor, code, Place{Remote: remote})
		return err
	}
	for i := range 5 {
		if err := guess([]string{showCode, showRecovery}[i%2], "123456", "10.0.1."+string(rune('0'+i))); !errors.Is(err, ErrUnauthenticated) {
			t.Fatalf("guess %d = %v", i, err)
		}
	}
	var wait *WaitError
	if err := guess(showCode, codeAt(t, secret, *at), "10.0.2.1"); !errors.As(err, &wait) {
		t.Errorf("the sixth, and right = %v", err)
	}
	if err := guess(showRecovery, codes[0], "10.0.2.2"); !errors.As(err, &wait) {
		t.Errorf("a right recovery code instead = %v", err)
	}
	b, err := OpenAccounts(ctx, st, a.log)
	if err != nil {
		t.Fatal(err)
	}
	b.now, b.cost, b.decoy = a.now, a.cost, a.decoy
	if _, err := b.SecondFactor(ctx, ticket, showCode, codeAt(t, secret, *at), Place{Remote: "10.0.2.3"}); !errors.As(err, &wait) {
		t.Errorf("after a restart = %v", err)
	}
	rows, err := b.Locks(ctx, c)
	if err != nil || len(rows) == 0 || rows[0].Kind != countFactor || rows[0].Name != "admin" || !rows[0].Locked || rows[0].Failures != 5 {
		t.Fatalf("locks = %+v, %v", rows, err)
	}
	if _, err := b.Locks(ctx, Caller{Name: "x"}); !errors.Is(err, ErrDenied) {
		t.Errorf("anybody sees the locks: %v", err)
	}
	if err := b.Unlock(ctx, Caller{Name: "x"}, rows[0].ID); !errors.Is(err, ErrDenied) {
		t.Errorf("anybody unlocks: %v", err)
	}
	if err := b.Unlock(ctx, c, rows[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Unlock(ctx, c, rows[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("unlocked twice = %v", err)
	}
	if in, err := b.SecondFactor(ctx, ticket, showCode, codeAt(t, secret, *at), Place{Remote: "10.0.2.4"}); err != nil || in.Secret == "" {
		t.Errorf("unlocked = %+v, %v", in, err)
	}
	if list, err := st.Attempts(ctx, 100); err != nil || len(list) != 0 {
		t.Errorf("kept after success: %+v, %v", list, err)
	}
	// However many failures there were, the wait has an end.
	for range 60 {
		_ = b.factors.attempt("admin", *at)
		*at = at.Add(16 * time.Minute)
	}
	if err := b.factors.attempt("admin", *at); err != nil {
		t.Errorf("after 16 minutes = %v", err)
	}
}

func TestChangingFactorsNeedsThePerson(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	withCodes(t, a, at, c)
	*at = at.Add(freshFor)
	var input *InputError
	for what, do := range map[string]func(password string) error{
		"remove codes":       func(p string) error { return a.RemoveCode(ctx, c, p) },
		"new recovery codes": func(p string) error { _, err := a.NewRecoveryCodes(ctx, c, p); return err },
		"begin codes":        func(p string) error { _, err := a.BeginCode(ctx, c, p); return err },
		"begin passkey":      func(p string) error { _, err := a.BeginPasskey(ctx, c, p, here); return err },
		"remove passkey":     func(p string) error { return a.RemovePasskey(ctx, c, "AAAA", p) },
	} {
		for _, p := range []string{"", "wrong horse battery"} {
			if err := do(p); !errors.As(err, &input) || input.Field != "password" {
				t.Errorf("%s with password %q in an old session = %v", what, p, err)
			}
		}
		if err := do(goodPassword); errors.As(err, &input) {
			t.Errorf("%s with the password = %v", what, err)
		}
		if err := do(goodPassword); errors.Is(err, ErrDenied) {
			t.Errorf("%s = %v", what, err)
		}
	}
	app := Caller{Name: "app", App: "x", Admin: true}
	if _, err := a.BeginCode(ctx, app, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("an application = %v", err)
	}
}

func TestSecondFactorRequired(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	secret, c := administrator(t, a, goodPassword)
	if _, err := a.SetSignInPolicy(ctx, Caller{Name: "x"}, SignInPolicy{SecondFactor: factorEveryone}); !errors.Is(err, ErrDenied) {
		t.Fatalf("anybody sets the policy: %v", err)
	}
	for _, bad := range []SignInPolicy{{}, {SecondFactor: "some"}, {SecondFactor: factorRoles}} {
		if _, err := a.SetSignInPolicy(ctx, c, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("policy %+v = %v", bad, err)
		}
	}
	roles, err := st.RolesOf(ctx, c.UserID)
	if err != nil || len(roles) != 1 {
		t.Fatalf("roles of the administrator = %v, %v", roles, err)
	}
	administrators := roles[0]
	for _, tt := range []struct {
		p    SignInPolicy
		owes bool
	}{
		{SignInPolicy{SecondFactor: factorRoles, Roles: []int64{9999}}, false},
		{SignInPolicy{SecondFactor: factorRoles, Roles: []int64{administrators}}, true},
		{SignInPolicy{SecondFactor: factorEveryone}, true},
		{SignInPolicy{SecondFactor: factorOptional}, false},
		{SignInPolicy{SecondFactor: factorEveryone}, true},
	} {
		if _, err := a.SetSignInPolicy(ctx, c, tt.p); err != nil {
			t.Fatal(err)
		}
		got, me, err := a.SessionCaller(ctx, secret)
		if err != nil || me.NeedsFactor != tt.owes || got.Admin == tt.owes || got.Has(MachineRead) == tt.owes {
			t.Errorf("%+v: caller %+v, me %+v, %v", tt.p, got, me, err)
		}
		c = Caller{Name: got.Name, UserID: got.UserID, Admin: true, session: got.session}
	}
	// The way out is open: the own account.
	owing, _, _ := a.SessionCaller(ctx, secret)
	withCodes(t, a, at, owing)
	if got, me, err := a.SessionCaller(ctx, secret); err != nil || !got.Admin || me.NeedsFactor {
		t.Errorf("with a factor = %+v, %+v, %v", got, me, err)
	}
	b, err := OpenAccounts(ctx, st, a.log)
	if err != nil || b.policy.Load().SecondFactor != factorEveryone {
		t.Errorf("after a restart: %+v, %v", b.policy.Load(), err)
	}
	if err := a.ResetFactors(ctx, "Admin"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(ctx, secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a session outlived the reset of its factors: %v", err)
	}
	if err := a.ResetFactors(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
		t.Errorf("reset of nobody = %v", err)
	}
}

func TestSessionsAreEnded(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	var secrets []SessionSecret
	for range 3 {
		*at = at.Add(time.Second)
		in, err := a.SignIn(ctx, "admin", goodPassword, Place{Remote: "10.0.0.7", Agent: "evil\x00\x1b[31m\n" + strings.Repeat("ä", 400)})
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, in.Secret)
	}
	rows, err := a.Sessions(ctx, c)
	if err != nil || len(rows) != 4 || !rows[3].Current || rows[0].Current || rows[0].Method != byPassword || len(rows[0].Agent) > maxAgent || strings.ContainsAny(rows[0].Agent, "\x00\x1b\n") {
		t.Fatalf("sessions = %+v, %v", rows, err)
	}
	for _, r := range rows {
		if !r.Ends.Equal(r.Used.Add(sessionIdle)) {
			t.Errorf("a session that ends at %v", r.Ends)
		}
	}
	for _, bad := range []string{"", "x", "0123456789abcdef", rows[0].ID + "00"} {
		if err := a.EndSession(ctx, c, bad); !errors.Is(err, ErrNotFound) {
			t.Errorf("end %q = %v", bad, err)
		}
	}
	// Another person's session is not there for this one.
	other, err := st.AddAccount(ctx, store.Account{Name: "eve", Created: *at}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.EndSession(ctx, Caller{Name: "eve", UserID: other.ID}, rows[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("another person's session = %v", err)
	}
	if err := a.EndSession(ctx, c, rows[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(ctx, secrets[2]); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("an ended session = %v", err)
	}
	if err := a.EndOtherSessions(ctx, c); err != nil {
		t.Fatal(err)
	}
	if rows, err := a.Sessions(ctx, c); err != nil || len(rows) != 1 || !rows[0].Current {
		t.Errorf("then = %+v, %v", rows, err)
	}
}

func TestLocalSignInOnlyForAdministrators(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	hash, err := a.hashPassword(ctx, goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.AddAccount(ctx, store.Account{Name: "eve", Password: hash, Created: *at}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SignIn(ctx, "eve", goodPassword, here); err != nil {
		t.Fatal(err)
	}
	if _, err := a.SetSignInPolicy(ctx, c, SignInPolicy{SecondFactor: factorOptional, LocalAdminsOnly: true}); err != nil {
		t.Fatal(err)
	}
	var policy *PolicyError
	if _, err := a.SignIn(ctx, "eve", goodPassword, here); !errors.As(err, &policy) || !errors.Is(err, ErrDenied) {
		t.Errorf("eve = %v", err)
	}
	if _, err := a.SignIn(ctx, "eve", "wrong horse battery", here); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a wrong password says more: %v", err)
	}
	if _, err := a.SignIn(ctx, "admin", goodPassword, here); err != nil {
		t.Errorf("the administrator = %v", err)
	}
}
