package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

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
