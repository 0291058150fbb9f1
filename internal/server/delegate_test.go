package server

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

// delegated is an application that people may let in, with a clock that the test moves.
type delegated struct {
	*testing.T
	a      *Accounts
	at     *time.Time
	person Caller
	client string
}

const portalAt = "http://127.0.0.1/back"

func newDelegation(t *testing.T) *delegated {
	a, at, _ := testAccounts(t)
	_, c := administrator(t, a, "a long password of mine")
	app, err := a.NewApp(t.Context(), c, AppEdit{Name: "Desk", AppDelegation: AppDelegation{Public: true, Redirects: []string{portalAt}, Delegated: []string{MachineRead}, DeviceCode: true}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &delegated{t, a, at, c, app.ClientID}
}

const someVerifier = "0123456789012345678901234567890123456789abc"

// code lets the application in and returns its authorization code.
func (d *delegated) code() string {
	d.Helper()
	sum := sha256.Sum256([]byte(someVerifier))
	ask := url.Values{"client_id": {d.client}, "redirect_uri": {portalAt}, "response_type": {"code"}, "scope": {"Machine.Read offline_access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}.Encode()
	to, err := d.a.DecideConsent(d.Context(), d.person, "https://picket.example", base64.RawURLEncoding.EncodeToString([]byte(ask)), true)
	if err != nil {
		d.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		d.Fatal(err)
	}
	return u.Query().Get("code")
}

func (d *delegated) redeem(code string) (DelegatedToken, error) {
	return d.a.RedeemCode(d.Context(), "https://picket.example", CodeRequest{Client: d.client, Code: code, Redirect: portalAt, Verifier: someVerifier})
}

func (d *delegated) refresh(token string) (DelegatedToken, error) {
	return d.a.RefreshToken(d.Context(), "https://picket.example", RefreshRequest{Client: d.client, Token: token})
}

func (d *delegated) pass(by time.Duration) { *d.at = d.at.Add(by) }

// refused fails the test unless an error is the refusal with this code.
func (d *delegated) refused(what, code string, err error) {
	d.Helper()
	var oauth *OAuthError
	if !errors.As(err, &oauth) || oauth.Code != code {
		d.Errorf("%s: %v, want %s", what, err, code)
	}
}

// Codes, tokens and what refreshes them end when they are said to.
func TestDelegationExpires(t *testing.T) {
	d := newDelegation(t)
	code := d.code()
	d.pass(codeLife)
	_, err := d.redeem(code)
	d.refused("a code after its minute", "invalid_grant", err)

	code = d.code()
	d.pass(codeLife - time.Second)
	got, err := d.redeem(code)
	if err != nil {
		t.Fatal(err)
	}
	if got.AccessToken.Expires != tokenLife {
		t.Errorf("the token lives for %v, want %v", got.AccessToken.Expires, tokenLife)
	}
	d.pass(tokenLife - time.Second)
	if c, err := d.a.TokenCaller(t.Context(), got.Token); err != nil || !c.Has(MachineRead) {
		t.Errorf("a token in its last second opens %v, %v", c.Permissions, err)
	}
	d.pass(2 * time.Second)
	if _, err := d.a.TokenCaller(t.Context(), got.Token); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a token after its hour: %v, want ErrUnauthenticated", err)
	}

	// Used again and again, a refresh token lives on, but not for ever.
	const between = refreshIdle - time.Hour
	uses := 0
	for begun := *d.at; uses < 20; uses++ {
		next, err := d.refresh(got.Refresh)
		if err != nil {
			d.refused("a refresh token after its last day", "invalid_grant", err)
			if refused := d.at.Sub(begun); refused < refreshLife || refused-between > refreshLife {
				t.Errorf("it was refreshed last after %v and refused after %v, want %v between", refused-between, refused, refreshLife)
			}
			break
		}
		got = next
		d.pass(between)
	}
	if uses < 5 || uses == 20 {
		t.Errorf("it was refreshed %d times", uses)
	}

	if got, err = d.redeem(d.code()); err != nil {
		t.Fatal(err)
	}
	d.pass(refreshIdle)
	_, err = d.refresh(got.Refresh)
	d.refused("a refresh token that nobody used", "invalid_grant", err)
}

// A device asks as often as it was told to, and only until its code ends.
func TestDeviceAsksInTime(t *testing.T) {
	d := newDelegation(t)
	start := func() DeviceStart {
		t.Helper()
		s, err := d.a.StartDevice(t.Context(), "https://picket.example", DeviceRequest{Client: d.client, Scope: "Machine.Read"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	poll := func(s DeviceStart) error {
		_, err := d.a.PollDevice(t.Context(), "https://picket.example", DevicePoll{Client: d.client, Code: s.DeviceCode})
		return err
	}
	s := start()
	d.refused("a first question", "authorization_pending", poll(s))
	d.pass(time.Second)
	d.refused("a question too early", "slow_down", poll(s))
	d.pass(s.Interval)
	d.refused("a question as often as before", "slow_down", poll(s))
	d.pass(4 * s.Interval)
	d.refused("a question after a longer wait", "authorization_pending", poll(s))
	if err := d.a.DecideDevice(t.Context(), d.person, strings.ToLower(s.UserCode), true); err != nil {
		t.Fatal(err)
	}
	d.pass(deviceLife)
	d.refused("a device that was let in and asked too late", "expired_token", poll(s))

	s = start()
	d.pass(deviceLife)
	if err := d.a.DecideDevice(t.Context(), d.person, s.UserCode, true); !errors.Is(err, ErrInvalid) {
		t.Errorf("a code after its time is decided on: %v", err)
	}
}

// Who has to set up a second factor lets nobody in, and nobody acts for them meanwhile.
func TestDelegationOwesASecondFactor(t *testing.T) {
	d := newDelegation(t)
	got, err := d.redeem(d.code())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.a.SetSignInPolicy(t.Context(), d.person, SignInPolicy{SecondFactor: factorEveryone}); err != nil {
		t.Fatal(err)
	}
	if c, err := d.a.TokenCaller(t.Context(), got.Token); err == nil && c.Has(MachineRead) {
		t.Error("the token of a person who owes a second factor opens what it did")
	}
	_, err = d.refresh(got.Refresh)
	d.refused("the refresh token of a person who owes a second factor", "invalid_grant", err)
	var policy *PolicyError
	if _, err := d.a.DecideConsent(t.Context(), d.person, "https://picket.example", "", true); !errors.As(err, &policy) {
		t.Errorf("a person who owes a second factor decides: %v, want a PolicyError", err)
	}
}
