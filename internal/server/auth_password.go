package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// argonCost is what one password hash costs (argon2id, RFC 9106).
type argonCost struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
}

// defaultCost is the second recommended option of RFC 9106, section 4.
var defaultCost = argonCost{memory: 64 << 10, time: 3, threads: 4}

const (
	saltBytes = 16
	hashBytes = 32
)

var errHashForm = errors.New("stored password hash has an unknown form")

// hashPassword returns a hash with its parameters in PHC form:
// "$argon2id$v=19$m=65536,t=3,p=4$salt$hash".
func (a *Accounts) hashPassword(ctx context.Context, password string) (string, error) {
	if err := a.enterHash(ctx); err != nil {
		return "", err
	}
	defer func() { <-a.hashes }()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt)
	return encodeHash(a.cost, salt, argon2.IDKey([]byte(password), salt, a.cost.time, a.cost.memory, a.cost.threads, hashBytes)), nil
}

// checkPassword reports whether the password has this hash.
func (a *Accounts) checkPassword(ctx context.Context, hash, password string) (bool, error) {
	cost, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	if err := a.enterHash(ctx); err != nil {
		return false, err
	}
	defer func() { <-a.hashes }()
	got := argon2.IDKey([]byte(password), salt, cost.time, cost.memory, cost.threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// enterHash waits for one of the few places to hash in.
func (a *Accounts) enterHash(ctx context.Context) error {
	select {
	case a.hashes <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func encodeHash(c argonCost, salt, hash []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads, b64(salt), b64(hash))
}

// encodeDecoy is a hash that no password has.
func encodeDecoy(c argonCost) string {
	b := make([]byte, saltBytes+hashBytes)
	_, _ = rand.Read(b)
	return encodeHash(c, b[:saltBytes], b[saltBytes:])
}

// decodeHash reads what encodeHash wrote, within bounds that keep a damaged
// database from eating the memory.
func decodeHash(s string) (c argonCost, salt, hash []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errHashForm
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, errHashForm
	}
	if c.memory > 1<<20 || c.time == 0 || c.time > 32 || c.threads == 0 {
		return c, nil, nil, errHashForm
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(salt) < 8 {
		return c, nil, nil, errHashForm
	}
	if hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(hash) < 16 || len(hash) > 128 {
		return c, nil, nil, errHashForm
	}
	return c, salt, hash, nil
}

// backoff slows down repeated failures of one key: after some free attempts
// each further one needs a wait that doubles up to a bound. An attempt counts
// when it begins, so that attempts at the same time cannot all be free.
type backoff struct {
	free int
	cap  time.Duration

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
	if k.n >= b.free {
		wait := b.cap
		if shift := k.n - b.free; shift < 20 {
			wait = min(b.cap, time.Second<<shift)
		}
		if left := k.last.Add(wait).Sub(at); left > 0 {
			return &WaitError{After: left}
		}
	}
	k.n++
	k.last = at
	return nil
}

// clear forgets a key after success.
func (b *backoff) clear(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.keys, key)
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
