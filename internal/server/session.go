package server

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/audit"
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
	maxAgent    = 300             // bytes of a browser's name that are kept
)

// Place is where a request to sign in comes from.
type Place struct {
	Remote string // address
	Agent  string // what the browser calls itself
	Base   string // address of the console as the browser used it, "https://picket.example"
	Public bool   // Base is the configured public address and not what the request says
}

func (a *Accounts) newSession(account int64, method string, from Place, at time.Time) (SessionSecret, store.Session) {
	secret := newSecret()
	return SessionSecret(secret), store.Session{Hash: digest(secret), Account: account, Created: at, Used: at,
		Remote: addressKey(from.Remote), Agent: cutText(from.Agent, maxAgent), Method: method}
}

// cutText is valid UTF-8 without control characters, of at most most bytes.
func cutText(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError || r == 0x7f {
			return -1
		}
		return r
	}, s)
	for len(s) > most {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// SessionCaller is who a session belongs to. A session that is unknown, idle
// for too long or too old is ErrUnauthenticated. Remote of the Caller is left
// to whoever knows it. A caller who owes a second factor has no rights but
// those over the own account.
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
	owes, err := a.owesFactor(ctx, who, n.Method)
	if err != nil {
		return Caller{}, Me{}, err
	}
	if owes {
		r = Rights{}
	}
	c := r.caller(who)
	c.session = string(hash)
	c = a.lasting(c, seen, func(ctx context.Context) (Caller, error) {
		c, _, err := a.SessionCaller(ctx, secret)
		return c, err
	}, func(ctx context.Context) (Caller, error) { return a.personCaller(ctx, who.ID) })
	return c, meOf(who, r, owes, n.Method), nil
}

// SignOut ends a session. One that does not exist is no error.
func (a *Accounts) SignOut(ctx context.Context, secret SessionSecret) error {
	return a.st.DeleteSession(ctx, digest(secret.Reveal()))
}

// SessionRow is one open session of the own account.
type SessionRow struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created_at"`
	Used    time.Time `json:"used_at" doc:"To five minutes."`
	Ends    time.Time `json:"ends_at" doc:"When it ends if it is not used again."`
	Remote  string    `json:"remote" doc:"Address it was opened from."`
	Agent   string    `json:"agent" doc:"What the browser called itself."`
	Method  string    `json:"method" doc:"How its person signed in."`
	Current bool      `json:"current" doc:"The session that asks."`
}

// Sessions lists the open sessions of the caller, the last used first.
func (a *Accounts) Sessions(ctx context.Context, c Caller) ([]SessionRow, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return nil, err
	}
	return a.sessionsOf(ctx, who.ID, c.session)
}

func (a *Accounts) sessionsOf(ctx context.Context, account int64, current string) ([]SessionRow, error) {
	list, err := a.st.Sessions(ctx, account)
	if err != nil {
		return nil, err
	}
	at := a.now()
	rows := []SessionRow{}
	for _, n := range list {
		ends := n.Created.Add(sessionLife)
		if idle := n.Used.Add(sessionIdle); idle.Before(ends) {
			ends = idle
		}
		if ends.After(at) {
			rows = append(rows, SessionRow{ID: n.ID(), Created: n.Created, Used: n.Used, Ends: ends, Remote: n.Remote, Agent: n.Agent, Method: n.Method, Current: string(n.Hash) == current})
		}
	}
	return rows, nil
}

// EndSession ends one session of the caller by its id; another person's is ErrNotFound.
func (a *Accounts) EndSession(ctx context.Context, c Caller, id string) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"session": id, "of": who.Name}, nil)
	return notFound(a.st.EndSession(ctx, who.ID, id))
}

// EndOtherSessions ends every session of the caller but the one that asks.
func (a *Accounts) EndOtherSessions(ctx context.Context, c Caller) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	audit.Change(ctx, who.Name, map[string]any{"sessions": "all others, too"}, map[string]any{"sessions": "this one alone"})
	n, err := a.st.EndOtherSessions(ctx, who.ID, []byte(c.session))
	if err == nil {
		a.log.InfoContext(ctx, "other sessions ended", "user", who.Name, "sessions", n)
	}
	return err
}

// SignedIn is how far a sign-in came: a session, or one step before it.
type SignedIn struct {
	Secret SessionSecret // "" while Step is missing
	Me     Me
	Step   *SecondStep
}

// SecondStep says that a second factor is missing.
type SecondStep struct {
	Ticket  string   `json:"ticket" doc:"To be sent with the second factor; good for five minutes."`
	Factors []string `json:"factors" enum:"code,passkey,recovery" doc:"What may be shown."`
}

// Ways of signing in, as sessions tell them.
const (
	byPassword = "password"
	byLink     = "one-time link"
	byPasskey  = "passkey"
	byProvider = "single sign-on"
)

// admit lets somebody in who has shown a first factor, or asks for the second.
// strong says that none is needed any more.
func (a *Accounts) admit(ctx context.Context, who store.Account, method string, strong bool, from Place) (SignedIn, error) {
	if !strong {
		step, err := a.secondStep(ctx, who, method)
		if err != nil {
			return SignedIn{}, err
		}
		if step != nil {
			actor(ctx, audit.Person, who.Name, strconv.FormatInt(who.ID, 10))
			audit.Change(ctx, "", nil, map[string]any{"second_factor": "asked for"})
			return SignedIn{Step: step}, nil
		}
	}
	at := a.now()
	actor(ctx, audit.Person, who.Name, strconv.FormatInt(who.ID, 10))
	secret, n := a.newSession(who.ID, method, from, at)
	if err := a.st.AddSession(ctx, n, at.Add(-sessionLife), at.Add(-sessionIdle)); err != nil {
		return SignedIn{}, err
	}
	a.remote.clear(addressKey(from.Remote))
	me, err := a.me(ctx, who, method)
	if err != nil {
		return SignedIn{}, err
	}
	a.log.InfoContext(ctx, "signed in", "user", who.Name, "remote", from.Remote, "method", method)
	return SignedIn{Secret: secret, Me: me}, nil
}
