package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// SessionSecret is what a browser keeps in its cookie: 256 random bits. The
// server stores only its digest. It never shows in logs or formatted text.
type SessionSecret string

// LogValue hides the secret.
func (SessionSecret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String hides the secret.
func (SessionSecret) String() string { return "[redacted]" }

// Reveal is the secret itself, for the cookie.
func (s SessionSecret) Reveal() string { return string(s) }

// A session ends when it was not used for 12 hours, and after 7 days anyway.
const (
	sessionIdle = 12 * time.Hour
	sessionLife = 7 * 24 * time.Hour
	touchEvery  = 5 * time.Minute // how exactly the last use is stored
)

func (a *Accounts) newSession(account int64, remote string, at time.Time) (SessionSecret, store.Session) {
	secret := newSecret()
	return SessionSecret(secret), store.Session{Hash: digest(secret), Account: account, Created: at, Used: at, Remote: addressKey(remote)}
}

// SessionCaller is who a session belongs to. A session that is unknown, idle
// for too long or too old is ErrUnauthenticated. Remote of the Caller is left
// to whoever knows it.
func (a *Accounts) SessionCaller(ctx context.Context, secret SessionSecret) (Caller, Me, error) {
	if secret == "" || len(secret) > 200 {
		return Caller{}, Me{}, ErrUnauthenticated
	}
	hash, seen := digest(secret.Reveal()), a.st.Access()
	n, who, err := a.st.SessionByHash(ctx, hash)
	if errors.Is(err, store.ErrNotFound) {
		return Caller{}, Me{}, ErrUnauthenticated
	}
	if err != nil {
		return Caller{}, Me{}, err
	}
	at := a.now()
	if at.Sub(n.Created) >= sessionLife || at.Sub(n.Used) >= sessionIdle {
		return Caller{}, Me{}, errors.Join(ErrUnauthenticated, a.st.DeleteSession(ctx, hash))
	}
	if at.Sub(n.Used) >= touchEvery {
		if err := a.st.TouchSession(ctx, hash, at); err != nil {
			return Caller{}, Me{}, err
		}
	}
	r, err := a.rights(ctx, who.ID)
	if err != nil {
		return Caller{}, Me{}, err
	}
	c := r.caller(who)
	c.session = string(hash)
	c = a.lasting(c, seen, func(ctx context.Context) (Caller, error) {
		c, _, err := a.SessionCaller(ctx, secret)
		return c, err
	}, func(ctx context.Context) (Caller, error) { return a.personCaller(ctx, who.ID) })
	return c, meOf(who, r), nil
}

// SignOut ends a session. One that does not exist is no error.
func (a *Accounts) SignOut(ctx context.Context, secret SessionSecret) error {
	return a.st.DeleteSession(ctx, digest(secret.Reveal()))
}
