package server

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// keyring is the key that tokens are signed with and the public parts of those
// before it, as long as a token of theirs may live. Safe for concurrent use.
type keyring struct {
	rotating sync.Mutex   // one change at a time
	mu       sync.RWMutex // guards what is below
	signer
	old []retired
}

type retired struct {
	kid   string
	pub   *rsa.PublicKey
	until time.Time
}

// load reads the keys of a store; on a new one it makes the first.
func (k *keyring) load(ctx context.Context, st *store.Store) error {
	text, err := identity(ctx, st, "signing-key", newSigningKey)
	if err != nil {
		return err
	}
	s, err := parseSigner(text)
	if err != nil {
		return err
	}
	list, err := st.RetiredKeys(ctx)
	if err != nil {
		return err
	}
	var old []retired
	for _, r := range list {
		any, err := x509.ParsePKIXPublicKey(r.Public)
		if err != nil {
			return fmt.Errorf("read old signing key %q: %w", r.Kid, err)
		}
		pub, ok := any.(*rsa.PublicKey)
		if !ok {
			return fmt.Errorf("read old signing key %q: not an RSA key", r.Kid)
		}
		old = append(old, retired{r.Kid, pub, r.Until})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.signer, k.old = s, old
	return nil
}

// issue signs a token with the current key.
func (k *keyring) issue(c claims) (string, error) {
	k.mu.RLock()
	s := k.signer
	k.mu.RUnlock()
	return s.sign(c)
}

// check verifies a token with the key that it names.
func (k *keyring) check(token, tenant string, at time.Time) (claims, error) {
	return verifyToken(token, tenant, at, func(kid string) *rsa.PublicKey {
		k.mu.RLock()
		defer k.mu.RUnlock()
		if kid == k.kid {
			return &k.key.PublicKey
		}
		for _, o := range k.old {
			if kid == o.kid && at.Before(o.until) {
				return o.pub
			}
		}
		return nil
	})
}

// SigningKey is a key that tokens are signed with, or were.
type SigningKey struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until,omitzero" doc:"When the last token that it signed ends; absent for the key in use."`
}

// rotateKey makes a new key for tokens. Tokens of the one before hold until
// they end; with revoke, every token that there is ends now.
func (a *Accounts) rotateKey(ctx context.Context, revoke bool) (SigningKey, error) {
	a.keys.rotating.Lock()
	defer a.keys.rotating.Unlock()
	text, err := newSigningKey()
	if err != nil {
		return SigningKey{}, err
	}
	at := a.now()
	var old *store.RetiredKey
	if !revoke {
		der, err := x509.MarshalPKIXPublicKey(&a.keys.key.PublicKey)
		if err != nil {
			return SigningKey{}, fmt.Errorf("encode old signing key: %w", err)
		}
		old = &store.RetiredKey{Kid: a.keys.kid, Public: der, Until: at.Add(tokenLife + time.Second)}
	}
	audit.Change(ctx, "signing key", map[string]any{"key": a.keys.kid}, map[string]any{"key": "a new one", "tokens_end": revoke})
	if err := a.st.ReplaceSigningKey(ctx, text, old, at); err != nil {
		return SigningKey{}, err
	}
	if err := a.keys.load(ctx, a.st); err != nil {
		return SigningKey{}, err
	}
	a.log.InfoContext(ctx, "signing key replaced", "key", a.keys.kid, "revoked", revoke)
	return SigningKey{ID: a.keys.kid}, nil
}

// RotateSigningKey makes a new key for tokens. Tokens of the one before hold
// until they end, an hour at most; with revoke, every token ends now.
func (a *Accounts) RotateSigningKey(ctx context.Context, c Caller, revoke bool) (SigningKey, error) {
	if !c.Has(ManageSettings) {
		return SigningKey{}, ErrDenied
	}
	return a.rotateKey(ctx, revoke)
}

// signingKeys are the key in use and those before it whose tokens may live.
func (a *Accounts) signingKeys() []SigningKey {
	a.keys.mu.RLock()
	defer a.keys.mu.RUnlock()
	out := []SigningKey{{ID: a.keys.kid}}
	for _, o := range a.keys.old {
		if a.now().Before(o.until) {
			out = append(out, SigningKey{ID: o.kid, Until: o.until})
		}
	}
	return out
}

// KeySet holds the keys with which tokens may be verified by others.
func (a *Accounts) KeySet() KeySet {
	a.keys.mu.RLock()
	defer a.keys.mu.RUnlock()
	set := KeySet{Keys: []Key{publicKey(a.keys.kid, &a.keys.key.PublicKey)}}
	for _, o := range a.keys.old {
		if a.now().Before(o.until) {
			set.Keys = append(set.Keys, publicKey(o.kid, o.pub))
		}
	}
	return set
}

func publicKey(kid string, pub *rsa.PublicKey) Key {
	return Key{Type: "RSA", Use: "sig", Alg: algorithm, ID: kid,
		N: b64url.EncodeToString(pub.N.Bytes()), E: b64url.EncodeToString(big.NewInt(int64(pub.E)).Bytes())}
}
