package api

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// publishedKey is a key as the server publishes it.
type publishedKey struct{ Kty, Use, Alg, Kid, N, E string }

// published reads the keys from where the discovery document says that they are.
func (w *world) published() []publishedKey {
	w.t.Helper()
	var doc struct {
		Keys string `json:"jwks_uri"`
	}
	var set struct{ Keys []publishedKey }
	a := w.do("GET", "/v2.0/.well-known/openid-configuration", "")
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || !strings.HasPrefix(doc.Keys, "http://picket.test/") {
		w.t.Fatalf("configuration = %d %s", a.code, a.body)
	}
	a = w.do("GET", strings.TrimPrefix(doc.Keys, "http://picket.test"), "")
	if err := json.Unmarshal([]byte(a.body), &set); err != nil || a.code != 200 || len(set.Keys) == 0 {
		w.t.Fatalf("keys = %d %s", a.code, a.body)
	}
	return set.Keys
}

// verify checks a token with published keys and nothing else, as a client does.
func verify(token string, keys []publishedKey) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("no token")
	}
	var raw [3][]byte
	for i := range 3 {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return err
		}
	}
	var head struct{ Alg, Kid string }
	if err := json.Unmarshal(raw[0], &head); err != nil {
		return err
	}
	for _, k := range keys {
		if k.Kid != head.Kid {
			continue
		}
		n, err := base64.RawURLEncoding.DecodeString(k.N)
		if err != nil {
			return fmt.Errorf("n: %w", err)
		}
		e, err := base64.RawURLEncoding.DecodeString(k.E)
		if err != nil {
			return fmt.Errorf("e: %w", err)
		}
		if k.Kty != "RSA" || k.Alg != "RS256" || head.Alg != k.Alg || k.Use != "sig" || n[0] == 0 || e[0] == 0 {
			return fmt.Errorf("key %+v of %+v", k, head)
		}
		pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		if pub.N.BitLen() < 2048 {
			return fmt.Errorf("a key of %d bits", pub.N.BitLen())
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], raw[2])
	}
	return fmt.Errorf("no published key is %q", head.Kid)
}

// TestTokensHoldByThePublishedKeys verifies tokens with the modulus and the
// exponent that the server publishes, before and after the key changes, as
// clients do that know the server by its documents alone.
func TestTokensHoldByThePublishedKeys(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	person := strings.TrimPrefix(bearer(w.register(admin, nativeApp).signIn(admin, nil).Access)[1], "Bearer ")
	tokens := map[string]string{"an application's": strings.TrimPrefix(w.app()[1], "Bearer "), "one for a person": person}
	keys := w.published()
	check := func(when string) {
		t.Helper()
		for what, token := range tokens {
			if err := verify(token, w.published()); err != nil {
				t.Errorf("%s, %s: %v", what, when, err)
			}
		}
	}
	check("at first")
	for what, change := range map[string]func(k *publishedKey){
		"another modulus": func(k *publishedKey) {
			n, _ := base64.RawURLEncoding.DecodeString(k.N)
			n[len(n)-1] ^= 2
			k.N = base64.RawURLEncoding.EncodeToString(n)
		},
		"another exponent": func(k *publishedKey) { k.E = "Aw" },
		"another id":       func(k *publishedKey) { k.Kid += "x" },
	} {
		wrong := append([]publishedKey{}, keys...)
		for i := range wrong {
			change(&wrong[i])
		}
		for name, token := range tokens {
			if verify(token, wrong) == nil {
				t.Errorf("%s holds with %s: the test verifies nothing", name, what)
			}
		}
	}
	if a := w.do("POST", "/api/x/api-settings/rotate-key", `{}`, append(admin, "Content-Type", "application/json")...); a.code != 200 {
		t.Fatalf("rotate = %d %s", a.code, a.body)
	}
	tokens["a new application's"] = strings.TrimPrefix(w.app("Score.Read.All")[1], "Bearer ")
	check("after the key changed") // old ones hold until they expire
	if verify(tokens["a new application's"], keys) == nil {
		t.Error("the key did not change")
	}
}
