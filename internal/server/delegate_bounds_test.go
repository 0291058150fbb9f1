package server

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

const picketAt = "https://picket.example"

// desk is what newDelegation registers, for changes.
func (d *delegated) desk(change func(e *AppEdit)) {
	d.Helper()
	e := AppEdit{Name: "Desk", AppDelegation: AppDelegation{Public: true, Redirects: []string{portalAt}, Delegated: []string{MachineRead}, DeviceCode: true}}
	change(&e)
	if _, err := d.a.EditApp(d.Context(), d.person, d.client, e); err != nil {
		d.Fatal(err)
	}
}

// confidential is an application with a secret that lives for some days.
func (d *delegated) confidential(days int) (client, secret string) {
	d.Helper()
	made, err := d.a.NewApp(d.Context(), d.person, AppEdit{Name: "Portal", AppDelegation: AppDelegation{Redirects: []string{portalAt}, Delegated: []string{MachineRead}, DeviceCode: true}}, days)
	if err != nil {
		d.Fatal(err)
	}
	return made.ClientID, made.ClientSecret
}

func (d *delegated) device(client, secret string) (DeviceStart, error) {
	return d.a.StartDevice(d.Context(), picketAt, DeviceRequest{Client: client, Secret: secret, Scope: ".default offline_access"})
}

func (d *delegated) poll(client, secret, code string) (DelegatedToken, error) {
	return d.a.PollDevice(d.Context(), picketAt, DevicePoll{Client: client, Secret: secret, Code: code})
}

// letIn is the token of a device that its person let in.
func (d *delegated) letIn(client, secret string) DelegatedToken {
	d.Helper()
	s, err := d.device(client, secret)
	if err == nil {
		err = d.a.DecideDevice(d.Context(), d.person, s.UserCode, true)
	}
	if err != nil {
		d.Fatal(err)
	}
	got, err := d.poll(client, secret, s.DeviceCode)
	if err != nil {
		d.Fatal(err)
	}
	return got
}

// A secret works until it expires, a token does not outlive it or its grant, and
// a person's own token lets nobody else in.
func TestDelegatesShowWhoTheyAre(t *testing.T) {
	d := newDelegation(t)
	client, secret := d.confidential(1)
	d.pass(24*time.Hour - 10*time.Minute)
	got := d.letIn(client, secret)
	if got.AccessToken.Expires != 10*time.Minute {
		t.Errorf("a token lives for %v beside a secret that has ten minutes", got.AccessToken.Expires)
	}
	d.pass(10 * time.Minute)
	if _, err := d.device(client, secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a secret that has expired: %v", err)
	}
	if _, err := d.a.RefreshToken(t.Context(), picketAt, RefreshRequest{Client: client, Secret: secret, Token: got.Refresh}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a refresh with a secret that has expired: %v", err)
	}
	own, err := d.a.NewOwnToken(t.Context(), d.person, "mine", []string{MachineRead}, 30)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.poll(own.ClientID, own.ClientSecret, "x")
	d.refused("a person's own token", "unauthorized_client", err)

	// Half an hour before the grant ends, so does the token.
	got = d.letIn(d.client, "")
	for begun, step := *d.at, refreshIdle-time.Minute; d.at.Sub(begun) < refreshLife-30*time.Minute; {
		d.pass(min(step, refreshLife-30*time.Minute-d.at.Sub(begun)))
		if got, err = d.refresh(got.Refresh); err != nil {
			t.Fatal(err)
		}
	}
	if got.AccessToken.Expires != 30*time.Minute {
		t.Errorf("a token lives for %v, its grant for 30 minutes", got.AccessToken.Expires)
	}
	// After a use the idle days begin anew, and are no more than before.
	got = d.letIn(d.client, "")
	d.pass(time.Hour)
	if got, err = d.refresh(got.Refresh); err != nil {
		t.Fatal(err)
	}
	d.pass(refreshIdle)
	_, err = d.refresh(got.Refresh)
	d.refused("a refresh token that was used once and then not", "invalid_grant", err)
}

// What a token says of itself, signed or not, opens nothing that its grant does not.
func TestTokensOfGrantsSayNoMoreThanTheGrant(t *testing.T) {
	d := newDelegation(t)
	d.desk(func(e *AppEdit) { e.Delegated = []string{MachineRead, SoftwareRead} })
	got, err := d.redeem(d.code()) // for Machine.Read
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.a.keys.check(got.Token, d.a.tenant, *d.at)
	if err != nil {
		t.Fatal(err)
	}
	client, secret := d.confidential(0)
	other, err := d.a.keys.check(d.letIn(client, secret).Token, d.a.tenant, *d.at)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(c *claims){
		"another application's": func(c *claims) { c.App, c.Secret = other.App, other.Secret },
		"another person's":      func(c *claims) { c.Person = "4711" },
		"of no grant":           func(c *claims) { c.Grant = "x" },
	} {
		forged := c
		change(&forged)
		token, err := d.a.keys.issue(forged)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := d.a.TokenCaller(t.Context(), token); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("a token %s: %+v, %v", what, who.Permissions, err)
		}
	}
	c.Scopes = "Machine.Read Software.Read"
	token, err := d.a.keys.issue(c)
	if err != nil {
		t.Fatal(err)
	}
	if who, err := d.a.TokenCaller(t.Context(), token); err != nil || !who.Has(MachineRead) || who.Has(SoftwareRead) {
		t.Errorf("a token with more than its grant: %v, %v", who.Permissions, err)
	}
}

// What an application has lost meanwhile it gets in no way.
func TestDelegatesGetWhatIsLeft(t *testing.T) {
	d := newDelegation(t)
	both := func(e *AppEdit) { e.Delegated = []string{MachineRead, SoftwareRead} }
	one := func(e *AppEdit) { e.Delegated = []string{SoftwareRead} }
	d.desk(both)
	first := d.letIn(d.client, "")
	code := d.code() // for Machine.Read
	s, err := d.device(d.client, "")
	if err == nil {
		err = d.a.DecideDevice(t.Context(), d.person, s.UserCode, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.desk(one)
	if got, err := d.refresh(first.Refresh); err != nil || got.Scope != "Software.Read offline_access" {
		t.Errorf("refreshed: %q, %v", got.Scope, err)
	}
	if got, err := d.poll(d.client, "", s.DeviceCode); err != nil || got.Scope != "Software.Read offline_access" {
		t.Errorf("a device: %q, %v", got.Scope, err)
	}
	got, err := d.redeem(code)
	if err == nil && strings.Contains(got.Scope, "Machine.Read") {
		t.Errorf("a code: %q, %v", got.Scope, err)
	}
	d.desk(both)
	if err == nil {
		if c, err := d.a.TokenCaller(t.Context(), got.Token); err == nil && c.Has(MachineRead) {
			t.Error("what came of the code grew when the application got it back")
		}
	}
}

// What a token says is read once, however much it says: every request pays for it.
func TestTokensAreReadOnce(t *testing.T) {
	d := newDelegation(t)
	cost := func(delegated []string) float64 {
		t.Helper()
		d.desk(func(e *AppEdit) { e.Delegated = delegated })
		token := d.letIn(d.client, "").Token
		return testing.AllocsPerRun(5, func() {
			if _, err := d.a.TokenCaller(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	if one, all := cost([]string{MachineRead}), cost(KnownPermissions); all > 2*one+1000 {
		t.Errorf("%v allocations with every permission, %v with one", all, one)
	}
}

// An administrator sees and ends what one application does, not another's.
func TestGrantsAreOneApplications(t *testing.T) {
	d := newDelegation(t)
	client, secret := d.confidential(0)
	d.letIn(client, secret)
	mine := d.letIn(d.client, "")
	theirs, err := d.a.AppGrants(t.Context(), d.person, client)
	if err != nil || len(theirs) != 1 || theirs[0].ClientID != client {
		t.Fatalf("%+v, %v", theirs, err)
	}
	own, err := d.a.AppGrants(t.Context(), d.person, d.client)
	if err != nil || len(own) != 1 || own[0].ClientID != d.client {
		t.Fatalf("%+v, %v", own, err)
	}
	if err := d.a.EndAppGrant(t.Context(), d.person, client, own[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("ended as another's: %v", err)
	}
	if err := d.a.EndRefreshToken(t.Context(), RefreshRequest{Client: client, Secret: secret, Token: mine.Refresh}); err != nil {
		t.Errorf("revoked by another: %v", err)
	}
	if _, err := d.a.TokenCaller(t.Context(), mine.Token); err != nil {
		t.Errorf("the token: %v", err)
	}
}

// Tokens are calls: an application above its limit gets none, and nothing that it
// showed is used up. A device may begin as often as its address may.
func TestTokensOfDelegatesAreLimited(t *testing.T) {
	d := newDelegation(t)
	first := d.letIn(d.client, "")
	s, err := d.device(d.client, "")
	if err == nil {
		err = d.a.DecideDevice(t.Context(), d.person, s.UserCode, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	code := d.code()
	d.pass(10 * time.Second) // the minute of the calls before is not over
	d.desk(func(e *AppEdit) { e.Preset, e.PerMinute = LimitPlain, 1 })
	var limit *RateError
	if _, err := d.redeem(code); !errors.As(err, &limit) {
		t.Errorf("a code: %v", err)
	}
	if _, err := d.refresh(first.Refresh); !errors.As(err, &limit) {
		t.Errorf("a refresh token: %v", err)
	}
	if _, err := d.poll(d.client, "", s.DeviceCode); !errors.As(err, &limit) {
		t.Errorf("a device: %v", err)
	}
	if _, err := d.device(d.client, ""); err != nil {
		t.Errorf("anybody uses up the calls of a public application: %v", err)
	}
	client, secret := d.confidential(0)
	if _, err := d.a.EditApp(t.Context(), d.person, client, AppEdit{Name: "Portal", Preset: LimitPlain, PerMinute: 1,
		AppDelegation: AppDelegation{Redirects: []string{portalAt}, Delegated: []string{MachineRead}, DeviceCode: true}}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.device(client, secret); err != nil {
		t.Errorf("the first call of an application with a secret: %v", err)
	}
	if _, err := d.device(client, secret); !errors.As(err, &limit) {
		t.Errorf("the second call of an application with a secret: %v", err)
	}
	d.desk(func(*AppEdit) {})
	if _, err := d.redeem(code); err != nil {
		t.Errorf("the code is used up: %v", err)
	}
	if _, err := d.refresh(first.Refresh); err != nil {
		t.Errorf("the refresh token is used up: %v", err)
	}
	d.pass(10 * time.Second)
	if _, err := d.poll(d.client, "", s.DeviceCode); err != nil {
		t.Errorf("the device's code is used up: %v", err)
	}
}

// A device's code is for the application that began, ends with a refusal, and
// asks nothing while its application is turned off. Right codes do not count as guesses.
func TestCodesOfDevicesAreOneApplications(t *testing.T) {
	d := newDelegation(t)
	client, secret := d.confidential(0)
	begun := func(allow bool) string {
		t.Helper()
		s, err := d.device(d.client, "")
		if err == nil {
			err = d.a.DecideDevice(t.Context(), d.person, s.UserCode, allow)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s.DeviceCode
	}
	code := begun(true)
	_, err := d.poll(client, secret, code)
	d.refused("another application", "invalid_grant", err)
	if _, err := d.poll(d.client, "", code); err != nil {
		t.Errorf("the application that began: %v", err)
	}
	code = begun(false)
	_, err = d.poll(d.client, "", code)
	d.refused("the person said no", "access_denied", err)
	_, err = d.poll(d.client, "", code)
	d.refused("asked once more", "invalid_grant", err)

	s, err := d.device(d.client, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := d.a.AskedDevice(t.Context(), d.person, s.UserCode); err != nil {
			t.Fatalf("a right code: %v", err)
		}
	}
	d.desk(func(e *AppEdit) { e.Disabled = true })
	if _, err := d.a.AskedDevice(t.Context(), d.person, s.UserCode); !errors.Is(err, ErrNotFound) {
		t.Errorf("an application that is turned off asks: %v", err)
	}
}

// Challenges, verifiers and states have the form that their rules say.
func TestAsksAreWellFormed(t *testing.T) {
	d := newDelegation(t)
	ask := func(change map[string]string) (url.Values, error) {
		q := url.Values{"client_id": {d.client}, "redirect_uri": {portalAt}, "response_type": {"code"}, "scope": {"Machine.Read"}, "state": {"s"},
			"code_challenge": {strings.Repeat("x", challenges)}, "code_challenge_method": {"S256"}}
		for k, v := range change {
			q.Set(k, v)
		}
		at, err := d.a.Authorize(t.Context(), picketAt, q.Encode())
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(at)
		return u.Query(), err
	}
	for what, tt := range map[string]struct{ field, value, state string }{
		"a challenge of other letters": {"code_challenge", strings.Repeat("x", challenges-1) + "+", "s"},
		"a long state":                 {"state", strings.Repeat("s", maxState+1), ""},
	} {
		if back, err := ask(map[string]string{tt.field: tt.value}); err != nil || back.Get("error") != "invalid_request" || back.Get("state") != tt.state {
			t.Errorf("%s: %v, %v", what, back, err)
		}
	}
	if back, err := ask(map[string]string{"state": strings.Repeat("s", maxState)}); err != nil || back.Get("ask") == "" {
		t.Errorf("the longest state: %v, %v", back, err)
	}
	for _, verifier := range []string{strings.Repeat("v", minVerify-1), strings.Repeat("v", maxVerify+1), strings.Repeat("v", minVerify), strings.Repeat("v", maxVerify)} {
		q := url.Values{"client_id": {d.client}, "redirect_uri": {portalAt}, "response_type": {"code"}, "scope": {"Machine.Read"}, "code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"}}
		to, err := d.a.DecideConsent(t.Context(), d.person, picketAt, base64.RawURLEncoding.EncodeToString([]byte(q.Encode())), true)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(to, "code=")
		code, _, _ = strings.Cut(code, "&")
		_, err = d.a.RedeemCode(t.Context(), picketAt, CodeRequest{Client: d.client, Code: code, Redirect: portalAt, Verifier: verifier})
		if n := len(verifier); (err == nil) != (n >= minVerify && n <= maxVerify) {
			t.Errorf("a verifier of %d: %v", n, err)
		}
	}
	// Whose session has ended decides on nothing.
	gone := d.person
	gone.session = "x"
	if _, err := d.a.AskedDevice(t.Context(), gone, "BBBB-BBBB"); !errors.Is(err, ErrDenied) {
		t.Errorf("without a session: %v", err)
	}
}

// One device that asks too often waits longer, others are not concerned, and the
// book of who asked is bounded.
func TestPollBook(t *testing.T) {
	var b pollBook
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, tt := range []struct {
		key   string
		after time.Duration
		early bool
	}{{"a", 0, false}, {"a", devicePoll - 2*time.Second, true}, {"b", 0, false}, {"a", 2*devicePoll - 2*time.Second, true}, {"a", 3*devicePoll - time.Second, false}, {"b", 0, false}} {
		at = at.Add(tt.after)
		if got := b.early(tt.key, at); got != tt.early {
			t.Errorf("question %d, of %s: early %v", i, tt.key, got)
		}
	}
	for i := range 3 * mostDevices {
		b.early(string(rune(i)), at)
		if len(b.next) > mostDevices {
			t.Fatalf("%d devices are remembered", len(b.next))
		}
	}
}
