package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// What may be shown as a second factor.
const (
	showCode     = "code"
	showPasskey  = "passkey"
	showRecovery = "recovery"
)

const stepSlip = "second step"

// stepNote is what a browser carries between the two factors.
type stepNote struct {
	Account int64  `json:"account"`
	Method  string `json:"method"`
	Mark    []byte `json:"mark"` // digest of the password's hash: another password ends it
}

// secondStep is what an account has to show besides its first factor; nil: nothing.
func (a *Accounts) secondStep(ctx context.Context, who store.Account, method string) (*SecondStep, error) {
	f := []string{}
	switch t, err := a.st.TOTPOf(ctx, who.ID); {
	case err == nil && t.Step > 0:
		f = append(f, showCode)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	keys, err := a.st.Passkeys(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		f = append(f, showPasskey)
	}
	if len(f) == 0 {
		return nil, nil
	}
	left, err := a.st.RecoveryCodes(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		f = append(f, showRecovery)
	}
	ticket, err := a.writeSlip(stepSlip, stepNote{Account: who.ID, Method: method, Mark: digest(who.Password)})
	if err != nil {
		return nil, err
	}
	return &SecondStep{Ticket: ticket, Factors: f}, nil
}

// stepAccount is whose second factor a ticket waits for.
func (a *Accounts) stepAccount(ctx context.Context, ticket string) (store.Account, stepNote, error) {
	var note stepNote
	if err := a.readSlip(stepSlip, ticket, &note); err != nil {
		return store.Account{}, note, err
	}
	who, err := a.st.AccountByID(ctx, note.Account)
	if errors.Is(err, store.ErrNotFound) || err == nil && !who.Disabled.IsZero() {
		return who, note, ErrUnauthenticated
	}
	if err == nil && subtle.ConstantTimeCompare(digest(who.Password), note.Mark) != 1 {
		return who, note, ErrUnauthenticated
	}
	return who, note, err
}

// SecondFactor ends a sign-in with a one-time code ("code") or a recovery code
// ("recovery"). A wrong one is ErrUnauthenticated; after some of them each
// further one has to wait (*WaitError), up to 15 minutes.
func (a *Accounts) SecondFactor(ctx context.Context, ticket, factor, code string, from Place) (SignedIn, error) {
	if len(code) > 100 {
		return SignedIn{}, ErrUnauthenticated
	}
	who, note, err := a.stepAccount(ctx, ticket)
	if err != nil {
		return SignedIn{}, err
	}
	actor(ctx, audit.Nobody, who.Name, "")
	if err := a.remote.attempt(addressKey(from.Remote), a.now()); err != nil {
		return SignedIn{}, err
	}
	if err := a.factors.attempt(who.Name, a.now()); err != nil {
		return SignedIn{}, err
	}
	switch factor {
	case showCode:
		err = a.useConfirmed(ctx, who, code)
	case showRecovery:
		if err = a.st.UseRecoveryCode(ctx, who.ID, digest(plainCode(code))); errors.Is(err, store.ErrNotFound) {
			err = ErrUnauthenticated
		}
	default:
		err = Invalidf("factor", "%q is not one of code, recovery", factor)
	}
	if err != nil {
		if errors.Is(err, ErrUnauthenticated) {
			a.log.WarnContext(ctx, "second factor refused", "user", who.Name, "remote", from.Remote, "factor", factor)
		}
		return SignedIn{}, err
	}
	if !a.spendSlip(ticket) {
		return SignedIn{}, ErrUnauthenticated
	}
	a.factors.clear(who.Name)
	word := map[string]string{showCode: "one-time code", showRecovery: "recovery code"}[factor]
	return a.admit(ctx, who, note.Method+" and "+word, true, from)
}

// useConfirmed accepts a code of a secret that is in use.
func (a *Accounts) useConfirmed(ctx context.Context, who store.Account, code string) error {
	t, err := a.st.TOTPOf(ctx, who.ID)
	if err == nil && t.Step == 0 || errors.Is(err, store.ErrNotFound) {
		return ErrUnauthenticated
	}
	if err != nil {
		return err
	}
	return a.useCode(ctx, who, code)
}

// sameText compares two short secrets in constant time.
func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// randomBytes are n random bytes.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process rather than return less
	return b
}
