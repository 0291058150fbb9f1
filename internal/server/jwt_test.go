package server

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"
)

// rawToken builds a token by hand.
func rawToken(t *testing.T, header, body any, sign func(signed []byte) []byte) string {
	t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	signed := b64url.EncodeToString(h) + "." + b64url.EncodeToString(b)
	return signed + "." + b64url.EncodeToString(sign([]byte(signed)))
}

func rs256(t *testing.T, key *rsa.PrivateKey) func([]byte) []byte {
	return func(signed []byte) []byte {
		sum := sha256.Sum256(signed)
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
}

func TestTokens(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	tenant, client, secret, err := a.CreateApp(ctx, "siem", []string{"machine.readwrite.all", "Software.Read.All"})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := a.IssueToken(ctx, "https://picket.example", client, secret)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.TokenCaller(ctx, issued.Token)
	if err != nil || !c.Has(MachineRead) || !c.Has(SoftwareRead) || c.Has(VulnerabilityRead) || c.Admin || c.App != client || c.UserID != 0 {
		t.Fatalf("caller = %+v, %v", c, err)
	}
	list, err := st.AppSecrets(ctx, client)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	now := at.Unix()
	good := func() claims {
		return claims{Issuer: "https://picket.example/" + tenant + "/v2.0", Audience: tokenAudience, Tenant: tenant, App: client, Secret: list[0].ID,
			Roles: []string{SoftwareRead}, IssuedAt: now, NotBefore: now, Expires: now + 3599}
	}
	with := func(f func(*claims)) claims { c := good(); f(&c); return c }
	head := func(alg string) jwtHeader { return jwtHeader{Alg: alg, Kid: a.keys.kid} }
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	own := rs256(t, a.keys.key)
	der, err := x509.MarshalPKIXPublicKey(&a.keys.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	mac := func(signed []byte) []byte {
		m := hmac.New(sha256.New, public)
		m.Write(signed)
		return m.Sum(nil)
	}
	none := func([]byte) []byte { return nil }
	parts := strings.Split(issued.Token, ".")
	elevated, err := json.Marshal(with(func(c *claims) { c.Roles = KnownPermissions }))
	if err != nil {
		t.Fatal(err)
	}
	more, err := b64url.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	twice := parts[0] + "." + b64url.EncodeToString(append(more, "{}"...))
	twice += "." + b64url.EncodeToString(own([]byte(twice)))
	for _, tt := range []struct {
		name, token string
		ok          bool
	}{
		{"two values", twice, false},
		{"huge and signed", rawToken(t, head("RS256"), with(func(c *claims) { c.User = strings.Repeat("a", maxToken) }), own), false},
		{"by hand", rawToken(t, head("RS256"), good(), own), true},
		{"alg none", rawToken(t, head("none"), good(), none), false},
		{"alg None with a signature", rawToken(t, head("None"), good(), own), false},
		{"no alg", rawToken(t, head(""), good(), own), false},
		{"no signature", parts[0] + "." + parts[1] + ".", false},
		{"HS256 with the public key", rawToken(t, head("HS256"), good(), mac), false},
		{"RS256 said, HMAC done", rawToken(t, head("RS256"), good(), mac), false},
		{"RS512 said", rawToken(t, head("RS512"), good(), own), false},
		{"another key", rawToken(t, head("RS256"), good(), rs256(t, other)), false},
		{"another kid", rawToken(t, jwtHeader{Alg: "RS256", Kid: "x"}, good(), own), false},
		{"another audience", rawToken(t, head("RS256"), with(func(c *claims) { c.Audience = "https://graph.example" }), own), false},
		{"another tenant", rawToken(t, head("RS256"), with(func(c *claims) { c.Tenant = "x" }), own), false},
		{"another issuer", rawToken(t, head("RS256"), with(func(c *claims) { c.Issuer = "https://picket.example/x/v2.0" }), own), false},
		{"expired", rawToken(t, head("RS256"), with(func(c *claims) { c.IssuedAt, c.NotBefore, c.Expires = now-3599, now-3599, now }), own), false},
		{"from the future", rawToken(t, head("RS256"), with(func(c *claims) { c.IssuedAt, c.NotBefore, c.Expires = now+120, now+120, now+3000 }), own), false},
		{"not valid before a moment to come", rawToken(t, head("RS256"), with(func(c *claims) { c.NotBefore = now + 120 }), own), false},
		{"issued at a moment to come", rawToken(t, head("RS256"), with(func(c *claims) { c.IssuedAt = now + 120 }), own), false},
		{"lives too long", rawToken(t, head("RS256"), with(func(c *claims) { c.Expires = now + 1e6 }), own), false},
		{"unknown application", rawToken(t, head("RS256"), with(func(c *claims) { c.App = "x" }), own), false},
		{"no secret", rawToken(t, head("RS256"), with(func(c *claims) { c.Secret = "" }), own), false},
		{"unknown secret", rawToken(t, head("RS256"), with(func(c *claims) { c.Secret = "x" }), own), false},
		{"tampered body", parts[0] + "." + b64url.EncodeToString(elevated) + "." + parts[2], false},
		{"tampered signature", issued.Token[:len(issued.Token)-8] + "AAAAAAAA", false},
		{"four parts", issued.Token + ".x", false},
		{"two parts", parts[0] + "." + parts[1], false},
		{"header not JSON", "e30x." + parts[1] + "." + parts[2], false},
		{"empty", "", false},
		{"huge", strings.Repeat("a", maxToken+1), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := a.TokenCaller(ctx, tt.token)
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("err = %v, want ok %v", err, tt.ok)
			}
		})
	}
	t.Run("roles the application lost", func(t *testing.T) {
		c, err := a.TokenCaller(ctx, rawToken(t, head("RS256"), with(func(c *claims) { c.Roles = []string{VulnerabilityRead, ManageSettings} }), own))
		if err != nil || len(c.Permissions) != 0 {
			t.Errorf("caller = %+v, %v", c, err)
		}
	})
	t.Run("one hour", func(t *testing.T) {
		if issued.Expires != 3599*time.Second {
			t.Errorf("life = %v", issued.Expires)
		}
		*at = at.Add(3598 * time.Second)
		if _, err := a.TokenCaller(ctx, issued.Token); err != nil {
			t.Errorf("just before the end: %v", err)
		}
		*at = at.Add(time.Second)
		if _, err := a.TokenCaller(ctx, issued.Token); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("at the end: %v", err)
		}
	})
	t.Run("same key and tenant after a restart", func(t *testing.T) {
		again, err := OpenAccounts(ctx, st, a.log)
		if err != nil {
			t.Fatal(err)
		}
		if again.tenant != a.tenant || again.keys.kid != a.keys.kid {
			t.Error("tenant or key changed")
		}
	})
	t.Run("deleted application", func(t *testing.T) {
		*at = at.Add(-time.Hour)
		if err := st.DeleteApp(ctx, client); err != nil {
			t.Fatal(err)
		}
		if _, err := a.TokenCaller(ctx, issued.Token); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestCreateApp(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := t.Context()
	_, client, secret, err := a.CreateApp(ctx, "all", nil)
	if err != nil || len(secret) < 43 {
		t.Fatalf("secret %q, %v", secret, err)
	}
	if app, err := st.AppByClient(ctx, client); err != nil || len(app.Permissions) != len(KnownPermissions) {
		t.Errorf("app = %+v, %v", app, err)
	}
	for _, bad := range []struct {
		name string
		perm []string
	}{{"x", []string{"Machine.Read"}}, {"x", []string{ManageSettings}}, {"", nil}, {strings.Repeat("x", 300), nil}} {
		if _, _, _, err := a.CreateApp(ctx, bad.name, bad.perm); !errors.Is(err, ErrInvalid) {
			t.Errorf("CreateApp(%.10q, %v) = %v", bad.name, bad.perm, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	text, err := newSigningKey()
	if err != nil {
		f.Fatal(err)
	}
	s, err := parseSigner(text)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	good, err := s.sign(claims{Issuer: "x/t/v2.0", Audience: tokenAudience, Tenant: "t", IssuedAt: now.Unix(), NotBefore: now.Unix(), Expires: now.Unix() + 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := s.verify(token, "t", now); err == nil && token != good {
			t.Errorf("a token that was not issued holds: %q", token)
		}
	})
}
