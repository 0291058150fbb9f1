package server

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Tokens are JSON Web Tokens (RFC 7519) signed with RS256 and nothing else.

const (
	tokenLife     = 3599 * time.Second
	tokenAudience = "urn:picket:api"
	maxToken      = 16 << 10 // bytes of a token that is read
	clockSkew     = 60 * time.Second
	algorithm     = "RS256" // the only one that verify accepts
)

var b64url = base64.RawURLEncoding

// signer is the key that tokens are signed with.
type signer struct {
	key *rsa.PrivateKey
	kid string
}

// newSigningKey is a fresh 2048-bit RSA key in PEM (PKCS #8).
func newSigningKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode signing key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseSigner(text []byte) (signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return signer{}, errors.New("read signing key: no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return signer{}, fmt.Errorf("read signing key: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return signer{}, errors.New("read signing key: not an RSA key")
	}
	// The thumbprint of RFC 7638 names the key.
	e := b64url.EncodeToString(big.NewInt(int64(key.E)).Bytes())
	n := b64url.EncodeToString(key.N.Bytes())
	sum := sha256.Sum256([]byte(`{"e":"` + e + `","kty":"RSA","n":"` + n + `"}`))
	return signer{key: key, kid: b64url.EncodeToString(sum[:])}, nil
}

// Claims are what a token says.
type claims struct {
	Issuer    string   `json:"iss"`
	Audience  string   `json:"aud"`
	Tenant    string   `json:"tid"`
	App       string   `json:"appid"`
	Secret    string   `json:"sec"`             // id of the secret that it was got with
	Roles     []string `json:"roles,omitempty"` // of an application
	Grant     string   `json:"grt,omitempty"`   // id of what a person let the application do
	Scopes    string   `json:"scp,omitempty"`   // of a person's token
	Person    string   `json:"oid,omitempty"`
	User      string   `json:"upn,omitempty"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
	Version   string   `json:"ver"`
}

type jwtHeader struct {
	Type string `json:"typ,omitempty"`
	Alg  string `json:"alg"`
	Kid  string `json:"kid"`
}

func (s signer) sign(c claims) (string, error) {
	head, err := json.Marshal(jwtHeader{Type: "JWT", Alg: algorithm, Kid: s.kid})
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode token: %w", err)
	}
	signed := b64url.EncodeToString(head) + "." + b64url.EncodeToString(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed + "." + b64url.EncodeToString(sig), nil
}

// verify is verifyToken with this key.
func (s signer) verify(token, tenant string, at time.Time) (claims, error) {
	return verifyToken(token, tenant, at, func(kid string) *rsa.PublicKey {
		if kid != s.kid {
			return nil
		}
		return &s.key.PublicKey
	})
}

// verifyToken is the only way from the text of a token to claims that may be
// believed. The algorithm is not the token's choice, and nothing of the body
// is read before the signature holds. key finds a key by its name.
func verifyToken(token, tenant string, at time.Time, key func(kid string) *rsa.PublicKey) (claims, error) {
	if len(token) > maxToken {
		return claims{}, errors.New("token is too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, errors.New("token does not have three parts")
	}
	var head jwtHeader
	if err := decodePart(parts[0], &head); err != nil {
		return claims{}, fmt.Errorf("read token header: %w", err)
	}
	pub := key(head.Kid)
	if head.Alg != algorithm || pub == nil {
		return claims{}, errors.New("token is not signed with this server's key")
	}
	sig, err := b64url.Strict().DecodeString(parts[2])
	if err != nil {
		return claims{}, fmt.Errorf("read token signature: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig); err != nil {
		return claims{}, errors.New("token signature does not hold")
	}
	var c claims
	if err := decodePart(parts[1], &c); err != nil {
		return claims{}, fmt.Errorf("read token claims: %w", err)
	}
	now := at.Unix()
	skew := int64(clockSkew / time.Second)
	switch {
	case c.Audience != tokenAudience:
		return claims{}, errors.New("token is for another audience")
	case c.Tenant != tenant || !strings.HasSuffix(c.Issuer, "/"+tenant+"/v2.0"):
		// The host in front depends on how the server was addressed; the tenant
		// and the key say whose token it is.
		return claims{}, errors.New("token is from another issuer")
	case c.Expires <= now:
		return claims{}, errors.New("token has expired")
	case c.NotBefore > now+skew || c.IssuedAt > now+skew:
		return claims{}, errors.New("token is not valid yet")
	case c.Expires-c.IssuedAt > int64(tokenLife/time.Second)+1:
		return claims{}, errors.New("token lives too long")
	}
	return c, nil
}

func decodePart(part string, into any) error {
	raw, err := b64url.Strict().DecodeString(part)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one value")
	}
	return nil
}

// KeySet is a JSON Web Key Set (RFC 7517).
type KeySet struct {
	Keys []Key `json:"keys"`
}

// Key is the public part of a signing key.
type Key struct {
	Type string `json:"kty"`
	Use  string `json:"use"`
	Alg  string `json:"alg"`
	ID   string `json:"kid"`
	N    string `json:"n"`
	E    string `json:"e"`
}
