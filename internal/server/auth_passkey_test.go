package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
)

// authenticator is a passkey in software (WebAuthn, ES256, no attestation).
type authenticator struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	handle  string // of the user, as the options gave it
	counter uint32

	// What it says wrong, when it does.
	origin, rp, kind string
	unverified       bool
}

const hereOrigin = "http://localhost:8080"

func newAuthenticator(t *testing.T) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id) // it never fails
	return &authenticator{t: t, key: key, id: id, origin: hereOrigin, rp: "localhost"}
}

func b64u(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// cborBytes is a byte string of CBOR.
func cborBytes(b []byte) []byte {
	if len(b) < 256 {
		return append([]byte{0x58, byte(len(b))}, b...)
	}
	return append([]byte{0x59, byte(len(b) >> 8), byte(len(b))}, b...)
}

func cborText(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) }

// clientData is what a browser adds about the page.
func (a *authenticator) clientData(kind string, options json.RawMessage) []byte {
	a.t.Helper()
	var o struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal(options, &o); err != nil {
		a.t.Fatal(err)
	}
	if o.User.ID != "" {
		a.handle = o.User.ID
	}
	if a.kind != "" {
		kind = a.kind
	}
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": o.Challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

// data is the authenticator's own part: of which site, whether the user was
// verified, the counter, and a new key.
func (a *authenticator) data(fresh []byte) []byte {
	rp := sha256.Sum256([]byte(a.rp))
	flags := byte(0x05) // present and verified
	if a.unverified {
		flags = 0x01
	}
	if fresh != nil {
		flags |= 0x40
	}
	out := append(rp[:], flags)
	out = binary.BigEndian.AppendUint32(out, a.counter)
	return append(out, fresh...)
}

// register answers the options of a registration.
func (a *authenticator) register(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	pub, err := a.key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		a.t.Fatal(err)
	}
	cose := bytes.Join([][]byte{{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21}, cborBytes(pub[1:33]), {0x22}, cborBytes(pub[33:])}, nil)
	fresh := append(make([]byte, 16), 0, byte(len(a.id)))
	fresh = append(append(fresh, a.id...), cose...)
	client := a.clientData("webauthn.create", options)
	object := bytes.Join([][]byte{{0xa3}, cborText("fmt"), cborText("none"), cborText("attStmt"), {0xa0}, cborText("authData"), cborBytes(a.data(fresh))}, nil)
	return a.answer(map[string]any{"clientDataJSON": b64u(client), "attestationObject": b64u(object)})
}

// signIn answers the options of a sign-in.
func (a *authenticator) signIn(options json.RawMessage) json.RawMessage {
	a.t.Helper()
	client, data := a.clientData("webauthn.get", options), a.data(nil)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(bytes.Clone(data), sum[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, a.key, signed[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": b64u(client), "authenticatorData": b64u(data), "signature": b64u(sig), "userHandle": a.handle})
}

func (a *authenticator) answer(response map[string]any) json.RawMessage {
	raw, err := json.Marshal(map[string]any{"id": b64u(a.id), "rawId": b64u(a.id), "type": "public-key", "response": response})
	if err != nil {
		a.t.Fatal(err)
	}
	return raw
}

// registered is a passkey of the administrator.
func registered(t *testing.T, a *Accounts, c Caller) *authenticator {
	t.Helper()
	key := newAuthenticator(t)
	ask, err := a.BeginPasskey(t.Context(), c, "", Place{Base: hereOrigin})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.AddPasskey(t.Context(), c, ask.Ticket, "key", key.register(ask.Options), Place{Base: hereOrigin}); err != nil {
		t.Fatal(err)
	}
	return key
}

// A passkey signs in; not at another origin or site, not with an answer to
// another question or to the same one twice, not when its user was not
// verified, and not when its counter goes back: then it is refused for good.
func TestPasskeysThatDoNotHold(t *testing.T) {
	a, _, _ := testAccounts(t)
	_, c := administrator(t, a, "")
	ctx, here := t.Context(), Place{Base: hereOrigin, Remote: "192.0.2.1"}
	key := registered(t, a, c)
	try := func(change func()) error {
		t.Helper()
		ask, err := a.AskPasskey(ctx, "", here)
		if err != nil {
			t.Fatal(err)
		}
		was := *key
		defer func() { key.origin, key.rp, key.kind, key.unverified = was.origin, was.rp, was.kind, was.unverified }()
		change()
		key.counter++
		in, err := a.PasskeySignIn(ctx, ask.Ticket, key.signIn(ask.Options), here)
		if (err == nil) != (in.Secret != "") {
			t.Errorf("signed in: %v, with the error %v", in.Secret != "", err)
		}
		a.remote.clear(addressKey(here.Remote))
		return err
	}
	if err := try(func() {}); err != nil {
		t.Fatalf("a good passkey: %v", err)
	}
	for name, change := range map[string]func(){
		"another origin":                func() { key.origin = "http://localhost.evil.example" },
		"another port":                  func() { key.origin = "http://localhost:8081" },
		"another site":                  func() { key.rp = "evil.example" },
		"a registration in place of it": func() { key.kind = "webauthn.create" },
		"a user who was not verified":   func() { key.unverified = true },
		"the key of somebody else":      func() { key.key = newAuthenticator(t).key },
	} {
		good := key.key
		if err := try(change); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
		key.key = good
	}

	// An answer is good for its own question, and once.
	first, err := a.AskPasskey(ctx, "", here)
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.AskPasskey(ctx, "", here)
	if err != nil {
		t.Fatal(err)
	}
	key.counter++
	answer := key.signIn(first.Options)
	if _, err := a.PasskeySignIn(ctx, second.Ticket, answer, here); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the answer to another question: %v", err)
	}
	if _, err := a.PasskeySignIn(ctx, first.Ticket, answer, here); err != nil {
		t.Fatalf("the answer to its question: %v", err)
	}
	key.counter++
	if _, err := a.PasskeySignIn(ctx, first.Ticket, key.signIn(first.Options), here); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the same question twice: %v", err)
	}

	key.counter -= 5
	if err := try(func() {}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a counter that goes back: %v", err)
	}
	key.counter += 100
	if err := try(func() {}); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("after that, with a good counter: %v", err)
	}
	f, err := a.OwnFactors(ctx, c)
	if err != nil || len(f.Passkeys) != 1 || !f.Passkeys[0].Doubt {
		t.Errorf("the passkey is not in doubt: %+v, %v", f.Passkeys, err)
	}
}

// A registration is held to the same.
func TestRegistrationsThatDoNotHold(t *testing.T) {
	a, _, _ := testAccounts(t)
	_, c := administrator(t, a, "")
	for name, change := range map[string]func(*authenticator){
		"another origin":        func(k *authenticator) { k.origin = "http://evil.example" },
		"another site":          func(k *authenticator) { k.rp = "evil.example" },
		"a sign-in, no new key": func(k *authenticator) { k.kind = "webauthn.get" },
	} {
		key := newAuthenticator(t)
		change(key)
		ask, err := a.BeginPasskey(t.Context(), c, "", Place{Base: hereOrigin})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.AddPasskey(t.Context(), c, ask.Ticket, "key", key.register(ask.Options), Place{Base: hereOrigin}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f, err := a.OwnFactors(t.Context(), c); err != nil || len(f.Passkeys) != 0 {
		t.Errorf("registered: %+v, %v", f.Passkeys, err)
	}
}
