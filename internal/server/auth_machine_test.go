package server

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"
)

// signInWalk is somebody who goes through the steps of signing in, in whatever order,
// with what was given out before, what was right once, and what never was.
type signInWalk struct {
	*testing.T
	a      *Accounts
	at     *time.Time
	rnd    *rand.Rand
	secret string   // of one-time codes
	fresh  []string // recovery codes that were not used

	tickets map[string]time.Time // of second steps: when they were given out
	slips   []string             // of other kinds
	dead    []string             // secrets of sessions that ended, tickets that did their work
	last    string               // ticket that was given out last
	ended   int                  // sign-ins that came to their end
}

// some is any text that was ever seen, or one that never was.
func (w *signInWalk) some() string {
	pool := append(slices.Clone(w.slips), w.dead...)
	for t := range w.tickets {
		pool = append(pool, t)
	}
	slices.Sort(pool)
	pool = append(pool, "", "AAAA", "admin", w.secret)
	text := pool[w.rnd.IntN(len(pool))]
	if w.rnd.IntN(6) == 0 && len(text) > 4 {
		i := w.rnd.IntN(len(text))
		text = text[:i] + string("Aq-_9"[w.rnd.IntN(5)]) + text[i+1:]
	}
	return text
}

// in holds that nobody is signed in who must not be.
func (w *signInWalk) in(what string, in SignedIn, err error, may bool) {
	w.Helper()
	if err != nil && (in.Secret != "" || in.Step != nil || in.Me.Username != "") {
		w.Errorf("%s: %v, and still %+v", what, err, in)
	}
	if in.Secret == "" {
		return
	}
	if !may {
		w.Errorf("%s signs in: %+v", what, in.Me)
	}
	if _, _, err := w.a.SessionCaller(w.Context(), in.Secret); err != nil {
		w.Errorf("%s: the session that it opened: %v", what, err)
	}
	if err := w.a.SignOut(w.Context(), in.Secret); err != nil {
		w.Error(err)
	}
	w.dead = append(w.dead, in.Secret.Reveal())
	w.ended++
}

func (w *signInWalk) step() {
	ctx, from := w.Context(), Place{Remote: randomAddress(w.rnd), Agent: "Browser/1", Base: "http://localhost:8080"}
	*w.at = w.at.Add(31 * time.Second)
	switch w.rnd.IntN(9) {
	case 0, 1:
		in, err := w.a.SignIn(ctx, "admin", goodPassword, from)
		w.in("the password alone", in, err, false)
		if in.Step != nil {
			w.tickets[in.Step.Ticket], w.last = *w.at, in.Step.Ticket
		}
	case 2:
		in, err := w.a.SignIn(ctx, "admin", w.some(), from)
		w.in("a wrong password", in, err, false)
		if in.Step != nil {
			w.Error("a wrong password gets to the second step")
		}
	case 3, 4:
		ticket := w.some()
		factor := []string{showCode, showRecovery, showPasskey, "password", ""}[w.rnd.IntN(5)]
		code := []string{codeAt(w.T, w.secret, *w.at), codeAt(w.T, w.secret, w.at.Add(-time.Hour)), w.fresh[0], "000000", "", w.some()}[w.rnd.IntN(6)]
		if w.rnd.IntN(2) == 0 {
			ticket = w.last
		}
		if w.rnd.IntN(2) == 0 {
			factor, code = showCode, codeAt(w.T, w.secret, *w.at)
		}
		given, known := w.tickets[ticket]
		good := known && w.at.Before(given.Add(slipLife))
		right := factor == showCode && code == codeAt(w.T, w.secret, *w.at) || factor == showRecovery && code == w.fresh[0]
		in, err := w.a.SecondFactor(ctx, ticket, factor, code, from)
		w.in("a second factor "+factor+" with a ticket", in, err, good && right)
		if in.Secret != "" {
			delete(w.tickets, ticket)
			w.dead = append(w.dead, ticket)
			if factor == showRecovery {
				w.dead, w.fresh = append(w.dead, w.fresh[0]), w.fresh[1:]
			}
		}
	case 5:
		if _, me, err := w.a.SessionCaller(ctx, SessionSecret(w.some())); err == nil {
			w.Errorf("what is no session is one of %+v", me)
		}
	case 6:
		in, err := w.a.RedeemLink(ctx, w.some(), from)
		w.in("what is no link", in, err, false)
	case 7:
		c, err := w.a.AskPasskey(ctx, w.some(), from)
		if err == nil {
			w.slips = append(w.slips, c.Ticket)
		}
		in, err := w.a.PasskeySignIn(ctx, w.some(), json.RawMessage(`{"id":"AAAA","rawId":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AAAA","userHandle":"MQ"}}`), from)
		w.in("a passkey that nobody has", in, err, false)
	case 8:
		in, _, err := w.a.ArriveSSO(ctx, url.Values{"code": {w.some()}, "state": {w.some()}}, w.some(), from)
		w.in("somebody from no provider", in, err, false)
	}
}

func randomAddress(rnd *rand.Rand) string {
	return "10." + string(rune('0'+rnd.IntN(10))) + "." + string(rune('0'+rnd.IntN(10))) + "." + string(rune('1'+rnd.IntN(9)))
}

// TestSignInStepsCannotBeSkipped is for the class of CVE-2013-6766 and CWE-288: the
// steps of signing in are taken in every order, by somebody who keeps all that was
// ever given out. A session comes of a right second factor with a ticket that was
// given for the password, did no work yet and is not too old, and of nothing else.
func TestSignInStepsCannotBeSkipped(t *testing.T) {
	t.Parallel()
	ended := 0
	for seed := range uint64(24) {
		a, at, _ := testAccounts(t)
		_, c := administrator(t, a, goodPassword)
		w := &signInWalk{T: t, a: a, at: at, rnd: rand.New(rand.NewPCG(seed, 7)), tickets: map[string]time.Time{}}
		w.secret, w.fresh = withCodes(t, a, at, c)
		for i := range 120 {
			if i%10 == 0 {
				*at = at.Add(20 * time.Minute) // who guessed has waited
			}
			w.step()
			if len(w.fresh) < 2 {
				break
			}
		}
		ended += w.ended
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if ended < 20 {
		t.Errorf("%d sign-ins came to their end: the walk goes nowhere", ended)
	}
}
