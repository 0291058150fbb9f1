package server

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// A device shows a code of 8 of these letters, which make no words and look like
// no others (RFC 8628, section 6.1): 20⁸ of them for at most mostDevices that wait.
const (
	userLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userLength  = 8
	deviceLife  = 10 * time.Minute
	devicePoll  = 5 * time.Second // between two questions; more after each that came too early
	mostDevices = 10_000
	mostOfOne   = 20 // devices that wait at one address
)

// DeviceRequest is how an application on a device without a browser begins.
type DeviceRequest struct {
	Client, Secret string
	Scope          string
	Remote         string // address it asks from
}

// DeviceStart is what the device shows and keeps.
type DeviceStart struct {
	DeviceCode string // the device's secret
	UserCode   string // what it shows: XXXX-XXXX
	Address    string // where the person types it
	Complete   string // the same with the code in it
	Expires    time.Duration
	Interval   time.Duration // between two questions
}

func newUserCode() string {
	out := make([]byte, 0, userLength)
	for b := [1]byte{}; len(out) < userLength; {
		_, _ = rand.Read(b[:]) // never fails
		if b[0] < 240 {        // 12 times as many as there are letters: each as often
			out = append(out, userLetters[int(b[0])%len(userLetters)])
		}
	}
	return string(out)
}

// userCode is a code as it was made, however a person types it.
func userCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(userLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// StartDevice begins a sign-in on a device without a browser. Refusals are an
// *OAuthError; too many that wait are an ErrUnavailable.
func (a *Accounts) StartDevice(ctx context.Context, base string, r DeviceRequest) (DeviceStart, error) {
	app, used, err := a.delegate(ctx, r.Client, r.Secret)
	if err != nil {
		return DeviceStart{}, err
	}
	if !app.DeviceCode {
		return DeviceStart{}, refusal("unauthorized_client", "The application is not registered for codes of devices.")
	}
	scopes, refresh, err := scopesAsked(&app, r.Scope)
	if err != nil {
		return DeviceStart{}, err
	}
	if !app.Public { // who knows the secret; anybody knows the id of a public one
		if err := a.admitToken(&app, used); err != nil {
			return DeviceStart{}, err
		}
	}
	secret, code, at := newSecret(), newUserCode(), a.now()
	err = a.st.AddDeviceCode(ctx, store.DeviceCode{Hash: digest(secret), UserHash: digest(code), App: app.Client, Scopes: scopes, Offline: refresh, Remote: addressKey(r.Remote),
		Created: at, Expires: at.Add(deviceLife)}, mostDevices, mostOfOne)
	if errors.Is(err, store.ErrFull) {
		return DeviceStart{}, &WaitError{After: time.Minute}
	}
	shown := code[:4] + "-" + code[4:]
	return DeviceStart{DeviceCode: secret, UserCode: shown, Address: base + "/device", Complete: base + "/device?code=" + shown, Expires: deviceLife, Interval: devicePoll}, err
}

// waitingDevice finds the device that shows a code. Codes that are wrong make the
// caller wait longer and longer.
func (a *Accounts) waitingDevice(ctx context.Context, c Caller, typed string) (store.DeviceCode, store.App, error) {
	key := c.id()
	if err := a.guesses.attempt(key, a.now()); err != nil {
		return store.DeviceCode{}, store.App{}, err
	}
	d, err := a.st.WaitingDevice(ctx, digest(userCode(typed)), a.now())
	if errors.Is(err, store.ErrNotFound) {
		return d, store.App{}, Invalidf("code", "is not one that a device shows now: look at the device again, or begin there anew")
	}
	if err != nil {
		return d, store.App{}, err
	}
	a.guesses.forgive(key)
	app, err := a.st.AppByClient(ctx, d.App)
	if err == nil && app.Disabled {
		err = store.ErrNotFound
	}
	return d, app, notFound(err)
}

// AskedDevice is what the device that shows a code asks of the caller. Nothing
// follows from it yet. A wrong code is an ErrInvalid, too many a *WaitError.
func (a *Accounts) AskedDevice(ctx context.Context, c Caller, code string) (Consent, error) {
	if _, _, err := a.decider(ctx, c); err != nil {
		return Consent{}, err
	}
	d, app, err := a.waitingDevice(ctx, c, code)
	if err != nil {
		return Consent{}, err
	}
	out := consentOf(&app, c, d.Scopes, d.Offline)
	out.Remote = d.Remote
	return out, nil
}

// DecideDevice lets the application on the device that shows a code act for the
// caller, or not. Errors are those of AskedDevice.
func (a *Accounts) DecideDevice(ctx context.Context, c Caller, code string, allow bool) error {
	who, method, err := a.decider(ctx, c)
	if err != nil {
		return err
	}
	d, app, err := a.waitingDevice(ctx, c, code)
	if err != nil {
		return err
	}
	audit.Change(ctx, app.Client, nil, map[string]any{"application": app.Name, "permissions": scopesOf(d.Scopes), "refreshes": d.Offline, "device": d.Remote, "allowed": allow})
	state := store.DeviceAllowed
	if !allow {
		state = store.DeviceDenied
	}
	if err := a.st.DecideDevice(ctx, d.UserHash, state, who.ID, method, a.now()); err != nil {
		return notFound(err)
	}
	a.log.InfoContext(ctx, "device decided on", "app", app.Name, "client", app.Client, "user", who.Name, "allowed", allow)
	return nil
}

// DevicePoll is how a device asks whether its person has decided.
type DevicePoll struct {
	Client, Secret string
	Code           string
	Remote         string
}

// PollDevice exchanges a device's code once its person has let it in. Until then
// it is an *OAuthError: authorization_pending, slow_down, access_denied,
// expired_token, invalid_grant.
func (a *Accounts) PollDevice(ctx context.Context, base string, r DevicePoll) (DelegatedToken, error) {
	app, used, err := a.delegate(ctx, r.Client, r.Secret)
	if err != nil {
		return DelegatedToken{}, err
	}
	d, err := a.st.DeviceCode(ctx, digest(r.Code))
	at := a.now()
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && d.App != app.Client:
		return DelegatedToken{}, invalidGrant()
	case err != nil:
		return DelegatedToken{}, err
	case !d.Expires.After(at):
		return DelegatedToken{}, refusal("expired_token", "Nobody let the device in in time: begin again.")
	case a.polls.early(string(d.Hash), at):
		return DelegatedToken{}, refusal("slow_down", "Wait longer between two questions.")
	case d.State == store.DeviceWaiting:
		return DelegatedToken{}, refusal("authorization_pending", "The person has not decided yet.")
	case d.State == store.DeviceDenied:
		if err := a.st.TakeDeviceCode(audit.With(ctx, nil), d.Hash, store.Grant{}); err != nil && !errors.Is(err, store.ErrNotFound) {
			return DelegatedToken{}, err
		}
		return DelegatedToken{}, refusal("access_denied", "The person said no.")
	}
	if err := a.admitToken(&app, used); err != nil {
		return DelegatedToken{}, err
	}
	who, err := a.st.AccountByID(ctx, d.Account)
	if err != nil {
		return DelegatedToken{}, notFound(err)
	}
	scopes := inOrder(slices.DeleteFunc(d.Scopes, func(p string) bool { return !slices.Contains(app.Delegated, p) }))
	g, refresh := a.newGrant(&app, d.Account, scopes, d.Offline, d.Method, store.GrantByDevice, r.Remote)
	noteDelegate(ctx, &app, &g, who.Name)
	audit.Change(ctx, app.Client, nil, map[string]any{"grant": g.ID, "permissions": scopesOf(scopes), "refreshes": d.Offline})
	if err := a.st.TakeDeviceCode(ctx, d.Hash, g); errors.Is(err, store.ErrNotFound) {
		return DelegatedToken{}, invalidGrant()
	} else if err != nil {
		return DelegatedToken{}, err
	}
	return a.issueDelegated(ctx, base, &app, used, &g, g.Scopes, refresh)
}

// pollBook knows when devices may ask again. It is safe for concurrent use; a
// restart forgets.
type pollBook struct {
	mu   sync.Mutex
	next map[string]poll // at most mostDevices
}

type poll struct {
	at   time.Time     // not before
	wait time.Duration // between two
}

// early reports whether a device asks too early, and notes when it may next.
func (b *pollBook) early(key string, at time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == nil || len(b.next) >= mostDevices {
		b.next = map[string]poll{}
	}
	p, known := b.next[key]
	if !known {
		p.wait = devicePoll
	}
	early := known && at.Before(p.at)
	if early {
		p.wait += devicePoll
	}
	p.at = at.Add(p.wait - time.Second) // clocks and networks are not exact
	b.next[key] = p
	return early
}
