package server

import (
	"context"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// backoff slows down repeated failures of one key: after some free attempts
// each further one needs a wait that doubles up to a bound. An attempt counts
// when it begins, so that attempts at the same time cannot all be free. Nobody
// is locked out for ever: a wait is never longer than the bound.
type backoff struct {
	free int
	cap  time.Duration
	// keep stores a count, so that a restart forgives nothing; nil: in memory only.
	keep func(key string, n int, last time.Time)

	mu   sync.Mutex
	keys map[string]*attempts // at most maxBackoffKeys
}

type attempts struct {
	n    int
	last time.Time
}

const (
	maxBackoffKeys = 10000
	forgetAfter    = time.Hour
)

// attempt counts an attempt; it is a *WaitError, and not counted, when the key must wait.
func (b *backoff) attempt(key string, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.keys[key]
	if k == nil || at.Sub(k.last) > forgetAfter {
		b.makeRoom(at)
		k = &attempts{}
		b.keys[key] = k
	}
	if left := k.last.Add(b.wait(k.n)).Sub(at); left > 0 && k.n >= b.free {
		return &WaitError{After: left}
	}
	k.n++
	k.last = at
	if b.keep != nil && b.shown(k.n) {
		b.keep(key, k.n, at)
	}
	return nil
}

// forgive takes back one attempt that was right; those before it stay.
func (b *backoff) forgive(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.keys[key]; k != nil && k.n > 0 {
		k.n--
	}
}

// wait is how long to wait after the n-th attempt.
func (b *backoff) wait(n int) time.Duration {
	if n < b.free {
		return 0
	}
	if shift := n - b.free; shift < 20 {
		return min(b.cap, time.Second<<shift)
	}
	return b.cap
}

// shown says whether so many attempts are worth keeping: half of the free ones.
func (b *backoff) shown(n int) bool { return n >= (b.free+1)/2 }

// clear forgets a key after success.
func (b *backoff) clear(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k := b.keys[key]
	if k == nil {
		return
	}
	delete(b.keys, key)
	if b.keep != nil && b.shown(k.n) {
		b.keep(key, 0, k.last)
	}
}

// makeRoom keeps the map bounded: first what is forgotten goes, then what is oldest.
func (b *backoff) makeRoom(at time.Time) {
	if b.keys == nil {
		b.keys = map[string]*attempts{}
	}
	if len(b.keys) < maxBackoffKeys {
		return
	}
	oldest, when := "", at
	for key, k := range b.keys {
		if at.Sub(k.last) > forgetAfter {
			delete(b.keys, key)
		} else if !k.last.After(when) {
			oldest, when = key, k.last
		}
	}
	if len(b.keys) >= maxBackoffKeys {
		delete(b.keys, oldest)
	}
}

// locks are the keys that are worth showing at a moment.
func (b *backoff) locks(kind string, at time.Time) []LockRow {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rows []LockRow
	for key, k := range b.keys {
		if b.shown(k.n) && at.Sub(k.last) <= forgetAfter {
			until := k.last.Add(b.wait(k.n))
			rows = append(rows, LockRow{ID: lockID(kind, key), Kind: kind, Name: key, Failures: k.n, Last: k.last.UTC(), Until: until.UTC(), Locked: until.After(at)})
		}
	}
	return rows
}

func lockID(kind, key string) string {
	return kind + "-" + base64.RawURLEncoding.EncodeToString([]byte(key))
}

// has says whether there is anything to forget about a key.
func (b *backoff) has(key string) bool { return b.count(key) > 0 }

func (b *backoff) count(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.keys[key]; k != nil {
		return k.n
	}
	return 0
}

// Kinds of keys that attempts are counted by.
const (
	countAccount = "account" // first factors, by user name
	countAddress = "address" // by network address
	countFactor  = "factor"  // second factors, by user name
)

func (a *Accounts) backoffs() map[string]*backoff {
	return map[string]*backoff{countAccount: &a.users, countAddress: &a.remote, countFactor: &a.factors}
}

// loadAttempts takes up the counts of the run before and keeps them from now on.
func (a *Accounts) loadAttempts(ctx context.Context) error {
	list, err := a.st.Attempts(ctx, 3*maxBackoffKeys)
	if err != nil {
		return err
	}
	for kind, b := range a.backoffs() {
		b.keys = map[string]*attempts{}
		for _, at := range list {
			if at.Kind == kind && len(b.keys) < maxBackoffKeys {
				b.keys[at.Key] = &attempts{n: at.N, last: at.Last}
			}
		}
		b.keep = func(key string, n int, last time.Time) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := a.st.PutAttempt(ctx, store.Attempt{Kind: kind, Key: key, N: n, Last: last}, last.Add(-forgetAfter)); err != nil {
				a.log.WarnContext(ctx, "failed attempts were not kept for after a restart", "kind", kind, "error", err)
			}
		}
	}
	return nil
}

// LockRow is an account or an address that failed to sign in several times.
type LockRow struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"account,address,factor" doc:"account: wrong first factors for a user name; factor: wrong second factors; address: failures from a network address."`
	Name     string    `json:"name" doc:"User name or address."`
	Failures int       `json:"failures"`
	Last     time.Time `json:"last_at"`
	Until    time.Time `json:"until" doc:"When the next attempt is allowed."`
	Locked   bool      `json:"locked" doc:"The next attempt has to wait."`
}

// maxLocks bounds how many are listed.
const maxLocks = 500

// Locks lists what failed to sign in several times within the hour, the latest first.
func (a *Accounts) Locks(_ context.Context, c Caller) ([]LockRow, error) {
	if err := a.manage(c); err != nil {
		return nil, err
	}
	rows := []LockRow{}
	for kind, b := range a.backoffs() {
		rows = append(rows, b.locks(kind, a.now())...)
	}
	slices.SortFunc(rows, func(x, y LockRow) int {
		if d := y.Last.Compare(x.Last); d != 0 {
			return d
		}
		return strings.Compare(x.ID, y.ID)
	})
	return rows[:min(len(rows), maxLocks)], nil
}

// Unlock forgives the failures of an account or address. One that has none is ErrNotFound.
func (a *Accounts) Unlock(ctx context.Context, c Caller, id string) error {
	if err := a.manage(c); err != nil {
		return err
	}
	kind, rest, _ := strings.Cut(id, "-")
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	key, b := string(raw), a.backoffs()[kind]
	if err != nil || b == nil || !b.has(key) {
		return ErrNotFound
	}
	audit.Change(ctx, id, map[string]any{"kind": kind, "name": key, "failures": b.count(key)}, map[string]any{"failures": 0})
	b.clear(key)
	a.log.InfoContext(ctx, "failed attempts forgiven", "kind", kind, "key", key, "by", c.Name)
	return nil
}

// addressKey is the address that attempts are counted by: the host without its
// port, and the network (/64) of an IPv6 address.
func addressKey(remote string) string {
	ip, err := netip.ParseAddr(remote)
	if ap, errPort := netip.ParseAddrPort(remote); errPort == nil {
		ip, err = ap.Addr(), nil
	}
	if err != nil {
		return remote
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
