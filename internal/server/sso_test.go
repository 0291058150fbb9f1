package server

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/scim"
	"github.com/picketsec/picket/internal/store"
)

// idp is an OpenID Connect provider whose tokens the test makes as it likes.
type idp struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	claims map[string]any
	alg    string
	sign   *rsa.PrivateKey // nil: key
	long   bool            // answers without end
	asked  url.Values      // of the last token request
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, alg: "RS256"}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.long {
			_, _ = w.Write([]byte(`{"issuer":"` + strings.Repeat("x", 2*ssoAnswer) + `"}`))
			return
		}
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"end_session_endpoint": p.URL + "/out", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}, "code_challenge_methods_supported": []string{"S256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "use": "sig", "kid": "k", "alg": "RS256", "n": b64url.EncodeToString(key.N.Bytes()), "e": b64url.EncodeToString(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		p.asked = r.Form
		if r.Form.Get("code") != "good" {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]any{"error": "invalid_grant"})
			return
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.token()})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return p
}

func (p *idp) token() string {
	head, _ := json.Marshal(map[string]string{"alg": p.alg, "kid": "k", "typ": "JWT"})
	body, _ := json.Marshal(p.claims)
	signed := b64url.EncodeToString(head) + "." + b64url.EncodeToString(body)
	if p.alg == "none" {
		return signed + "."
	}
	key := p.key
	if p.sign != nil {
		key = p.sign
	}
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	return signed + "." + b64url.EncodeToString(sig)
}

// withProvider sets single sign-on up with groups from the claim "groups".
func withProvider(t *testing.T, a *Accounts, c Caller, p *idp) int64 {
	t.Helper()
	group, err := a.st.PutUserGroup(t.Context(), store.UserGroup{Name: "Analysts", Source: store.SourceLocal}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := SingleSignOnEdit{Secret: "shh-shh-shh", SingleSignOn: SingleSignOn{Enabled: true, Issuer: p.URL, ClientID: "picket", Scopes: []string{"profile"},
		GroupClaim: "groups", LinkClaim: "oid", Groups: []GroupMapping{{Value: "soc", UserGroup: group}}}}
	if _, err := a.SetSingleSignOn(t.Context(), c, e, here.Base); err != nil {
		t.Fatal(err)
	}
	return group
}

// trip is a browser's way to the provider: what it left with.
func trip(t *testing.T, a *Accounts) (slip string, q url.Values) {
	t.Helper()
	d, err := a.DepartSSO(t.Context(), "/devices", here)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(d.Address)
	if err != nil {
		t.Fatal(err)
	}
	return d.Slip, u.Query()
}

func (p *idp) good(at time.Time, nonce string) map[string]any {
	return map[string]any{"iss": p.URL, "aud": "picket", "sub": "s-1", "nonce": nonce, "iat": at.Unix(), "exp": at.Add(5 * time.Minute).Unix(),
		"name": "Ann Example", "preferred_username": "admin", "email": "admin@example.org", "groups": []string{"soc", "other"}, "oid": "o-1"}
}

func TestSingleSignOn(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	p := newIDP(t)
	group := withProvider(t, a, c, p)

	slip, q := trip(t, a)
	if q.Get("code_challenge_method") != "S256" || q.Get("scope") != "openid profile" || q.Get("redirect_uri") != here.Base+SSOCallback || q.Get("client_id") != "picket" || len(q.Get("state")) < 43 || len(q.Get("nonce")) < 43 {
		t.Errorf("asked for %v", q)
	}
	p.claims = p.good(*at, q.Get("nonce"))
	in, next, err := a.ArriveSSO(ctx, url.Values{"state": {q.Get("state")}, "code": {"good"}}, slip, here)
	if err != nil || next != "/devices" {
		t.Fatalf("arrived = %+v, %q, %v", in, next, err)
	}
	if challengeOf(p.asked.Get("code_verifier")) != q.Get("code_challenge") {
		t.Error("the verifier is not that of the challenge")
	}
	// A person of the same user name as a local account is another person.
	if in.Me.Username != "admin-2" || in.Me.Administrator || !in.Me.External || in.Me.NeedsSecret || in.Me.DisplayName != "Ann Example" {
		t.Errorf("me = %+v", in.Me)
	}
	d, _, err := a.SessionCaller(ctx, in.Secret)
	if err != nil || d.Admin || d.UserID == c.UserID {
		t.Fatalf("caller = %+v, %v", d, err)
	}
	if m, err := st.Members(ctx, group, store.SourceOIDC); err != nil || len(m) != 1 || m[0] != d.UserID {
		t.Errorf("members = %v, %v", m, err)
	}
	// The account has nothing of its own to sign in with.
	if err := a.SetPassword(ctx, d, "", "another horse battery"); !errors.Is(err, ErrConflict) {
		t.Errorf("a password of its own = %v", err)
	}
	if _, err := a.BeginPasskey(ctx, d, "", here); !errors.Is(err, ErrConflict) {
		t.Errorf("a passkey of its own = %v", err)
	}

	arrive := func(change func(claims map[string]any)) (SignedIn, error) {
		t.Helper()
		slip, q := trip(t, a)
		p.claims = p.good(*at, q.Get("nonce"))
		change(p.claims)
		in, _, err := a.ArriveSSO(ctx, url.Values{"state": {q.Get("state")}, "code": {"good"}}, slip, here)
		return in, err
	}
	// Groups follow at each sign-in; the same person comes back under any name.
	again, err := arrive(func(c map[string]any) {
		c["groups"], c["preferred_username"], c["name"] = "other", "renamed", "Ann Other"
	})
	if err != nil || again.Me.Username != "admin-2" || again.Me.DisplayName != "Ann Other" {
		t.Errorf("again = %+v, %v", again.Me, err)
	}
	if m, err := st.Members(ctx, group, store.SourceOIDC); err != nil || len(m) != 0 {
		t.Errorf("members then = %v, %v", m, err)
	}
	// Disabled people are refused.
	if err := st.SetDisabled(ctx, d.UserID, *at); err != nil {
		t.Fatal(err)
	}
	var sso *SSOError
	if _, err := arrive(func(map[string]any) {}); !errors.As(err, &sso) || sso.Word != "disabled" {
		t.Errorf("disabled = %v", err)
	}
	if out := a.LeaveSSO(ctx, here.Base); !strings.HasPrefix(out, p.URL+"/out?") || !strings.Contains(out, url.QueryEscape(here.Base+"/login")) {
		t.Errorf("the way out = %q", out)
	}
}

func TestTokensOfTheProviderThatDoNotHold(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	p := newIDP(t)
	withProvider(t, a, c, p)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	arrive := func(change func(map[string]any)) error {
		slip, q := trip(t, a)
		p.claims = p.good(*at, q.Get("nonce"))
		change(p.claims)
		_, _, err := a.ArriveSSO(ctx, url.Values{"state": {q.Get("state")}, "code": {"good"}}, slip, here)
		return err
	}
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	for what, tt := range map[string]struct {
		change func(map[string]any)
		alg    string
		key    *rsa.PrivateKey
		word   string
	}{
		"another audience":       {set("aud", "somebody"), "", nil, "token"},
		"two audiences":          {set("aud", []string{"picket", "other"}), "", nil, "token"},
		"another party":          {set("azp", "other"), "", nil, "token"},
		"another issuer":         {set("iss", "https://evil.example"), "", nil, "token"},
		"expired":                {set("exp", at.Add(-time.Second).Unix()), "", nil, "token"},
		"from the future":        {set("iat", at.Add(time.Hour).Unix()), "", nil, "token"},
		"another nonce":          {set("nonce", "x"), "", nil, "token"},
		"no nonce":               {func(c map[string]any) { delete(c, "nonce") }, "", nil, "token"},
		"no subject":             {set("sub", ""), "", nil, "token"},
		"alg none":               {func(map[string]any) {}, "none", nil, "token"},
		"another key":            {func(map[string]any) {}, "", other, "token"},
		"groups of another kind": {set("groups", map[string]int{"a": 1}), "", nil, "token"},
	} {
		t.Run(what, func(t *testing.T) {
			p.alg, p.sign = "RS256", tt.key
			if tt.alg != "" {
				p.alg = tt.alg
			}
			var sso *SSOError
			if err := arrive(tt.change); !errors.As(err, &sso) || sso.Word != tt.word || !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("err = %v, want %s", err, tt.word)
			}
		})
	}
	p.alg, p.sign = "RS256", nil
	if people, err := st.People(ctx); err != nil || len(people) != 1 {
		t.Errorf("%d accounts, %v; want the administrator's alone", len(people), err)
	}
	if err := arrive(func(map[string]any) {}); err != nil {
		t.Errorf("a good token = %v", err)
	}
}

func TestStateIsOfThisBrowserAndOnce(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	p := newIDP(t)
	withProvider(t, a, c, p)
	slip, q := trip(t, a)
	strange, strangeQ := trip(t, a)
	p.claims = p.good(*at, q.Get("nonce"))
	word := func(q url.Values, slip string) string {
		_, _, err := a.ArriveSSO(ctx, q, slip, here)
		var sso *SSOError
		if errors.As(err, &sso) {
			return sso.Word
		}
		return fmt.Sprint(err)
	}
	good := url.Values{"state": {q.Get("state")}, "code": {"good"}}
	for what, tt := range map[string]struct {
		q    url.Values
		slip string
		want string
	}{
		"no cookie":               {good, "", "state"},
		"another browser":         {good, strange, "state"},
		"another state":           {url.Values{"state": {strangeQ.Get("state")}, "code": {"good"}}, slip, "state"},
		"no state":                {url.Values{"code": {"good"}}, slip, "state"},
		"a cookie of another use": {good, firstStepSlip(t, a), "state"},
	} {
		if got := word(tt.q, tt.slip); got != tt.want {
			t.Errorf("%s = %s, want %s", what, got, tt.want)
		}
	}
	if got := word(good, slip); got != "<nil>" {
		t.Fatalf("the right one = %s", got)
	}
	if got := word(good, slip); got != "state" {
		t.Errorf("the same once more = %s", got)
	}
	if got := word(url.Values{"state": {strangeQ.Get("state")}, "error": {"access_denied"}}, strange); got != "provider" {
		t.Errorf("refused by the provider = %s", got)
	}
	late, lateQ := trip(t, a)
	*at = at.Add(slipLife)
	if got := word(url.Values{"state": {lateQ.Get("state")}, "code": {"good"}}, late); got != "state" {
		t.Errorf("after five minutes = %s", got)
	}
	mixed, mixedQ := trip(t, a)
	if got := word(url.Values{"state": {mixedQ.Get("state")}, "code": {"good"}, "iss": {"https://evil.example"}}, mixed); got != "provider" {
		t.Errorf("mixed up with another issuer = %s", got)
	}
	bad, badQ := trip(t, a)
	if got := word(url.Values{"state": {badQ.Get("state")}, "code": {"bad"}}, bad); got != "provider" {
		t.Errorf("a code that the provider does not know = %s", got)
	}
}

func firstStepSlip(t *testing.T, a *Accounts) string {
	t.Helper()
	slip, err := a.writeSlip(stepSlip, ssoNote{})
	if err != nil {
		t.Fatal(err)
	}
	return slip
}

func TestProvisionedPeopleAreTiedByIdNotByName(t *testing.T) {
	a, at, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	p := newIDP(t)
	withProvider(t, a, c, p)
	made, err := a.MakeProvisioningToken(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := a.Provisioner(ctx, made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := dir.CreateUser(ctx, []byte(`{"userName":"ann@example.org","externalId":"o-1","active":true}`), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.CreateUser(ctx, []byte(`{"userName":"bob@example.org","externalId":"o-2"}`), ""); err != nil {
		t.Fatal(err)
	}
	arrive := func(sub, oid, name string) SignedIn {
		t.Helper()
		slip, q := trip(t, a)
		p.claims = p.good(*at, q.Get("nonce"))
		p.claims["sub"], p.claims["oid"], p.claims["preferred_username"], p.claims["email"] = sub, oid, name, name
		in, _, err := a.ArriveSSO(ctx, url.Values{"state": {q.Get("state")}, "code": {"good"}}, slip, here)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	in := arrive("pairwise-1", "o-1", "whoever@example.org")
	if in.Me.Username != "ann@example.org" {
		t.Errorf("tied to %q", in.Me.Username)
	}
	if other := arrive("pairwise-9", "o-1", "eve"); other.Me.Username == "ann@example.org" {
		t.Error("a second identity of the provider took the account over")
	}
	if other := arrive("pairwise-2", "o-9", "bob@example.org"); other.Me.Username == "bob@example.org" {
		t.Error("an account was taken over by its name")
	}
	// active false ends what is open, at once.
	d, _, err := a.SessionCaller(ctx, in.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.PatchUser(ctx, doc.Text("id"), []byte(`{"Operations":[{"op":"replace","path":"active","value":false}]}`), ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(ctx, in.Secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the session of a disabled person = %v", err)
	}
	if _, _, err := d.Again(ctx); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("what is under way goes on: %v", err)
	}
	// The last administrator cannot be provisioned away.
	groups, err := st.UserGroups(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dir.PatchGroup(ctx, fmt.Sprint(groups[0].ID), []byte(`{"Operations":[{"op":"remove","path":"members"}]}`), ""); err == nil {
		t.Error("the directory changed a group that is not its own")
	}
	var _ scim.Doc = doc
}

func TestSettingsOfSingleSignOn(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := t.Context()
	_, c := administrator(t, a, goodPassword)
	p := newIDP(t)
	withProvider(t, a, c, p)
	nobody := Caller{Name: "x"}
	if _, err := a.SingleSignOn(ctx, nobody, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("anybody reads it: %v", err)
	}
	if _, err := a.SetSingleSignOn(ctx, nobody, SingleSignOnEdit{}, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("anybody sets it: %v", err)
	}
	if _, err := a.TestSingleSignOn(ctx, nobody, SingleSignOnEdit{}); !errors.Is(err, ErrDenied) {
		t.Errorf("anybody has addresses asked: %v", err)
	}
	raw, err := st.Setting(ctx, ssoSetting)
	if err != nil || strings.Contains(string(raw), "shh-shh-shh") {
		t.Errorf("the secret is stored as it is: %v", err)
	}
	ok := SingleSignOn{Issuer: p.URL, ClientID: "picket"}
	if r, err := a.TestSingleSignOn(ctx, c, SingleSignOnEdit{SingleSignOn: ok}); err != nil || !r.OK || !strings.Contains(r.Text, "1 keys") {
		t.Errorf("test = %+v, %v", r, err)
	}
	for what, tt := range map[string]struct{ issuer, text string }{
		"a slash too much": {p.URL + "/", "another name"},
		"no provider":      {p.URL + "/nothing", "no provider"},
		"nothing listens":  {"http://127.0.0.1:1", "Nothing listens"},
	} {
		if r, err := a.TestSingleSignOn(ctx, c, SingleSignOnEdit{SingleSignOn: SingleSignOn{Issuer: tt.issuer, ClientID: "picket"}}); err != nil || r.OK || !strings.Contains(r.Text, tt.text) || r.Mend == "" {
			t.Errorf("%s = %+v, %v", what, r, err)
		}
	}
	p.long = true
	if r, err := a.TestSingleSignOn(ctx, c, SingleSignOnEdit{SingleSignOn: ok}); err != nil || r.OK || !strings.Contains(r.Text, "too long") {
		t.Errorf("an answer without end = %+v, %v", r, err)
	}
	for what, bad := range map[string]SingleSignOn{
		"no issuer":            {ClientID: "c"},
		"plain http":           {Issuer: "http://login.example.org", ClientID: "c"},
		"another scheme":       {Issuer: "file:///etc/passwd", ClientID: "c"},
		"a user in it":         {Issuer: "https://a:b@login.example.org", ClientID: "c"},
		"no client":            {Issuer: "https://login.example.org"},
		"groups, no claim":     {Issuer: "https://login.example.org", ClientID: "c", Groups: []GroupMapping{{"a", 1}}},
		"an unknown group":     {Issuer: "https://login.example.org", ClientID: "c", GroupClaim: "g", Groups: []GroupMapping{{"a", 999}}},
		"required, no groups":  {Issuer: "https://login.example.org", ClientID: "c", RequireGroup: true},
		"a scope with spaces":  {Issuer: "https://login.example.org", ClientID: "c", Scopes: []string{"a b"}},
		"the secret elsewhere": {Issuer: "https://login.example.org", ClientID: "c"},
	} {
		var input *InputError
		if _, err := a.SetSingleSignOn(ctx, c, SingleSignOnEdit{SingleSignOn: bad}, ""); !errors.As(err, &input) {
			t.Errorf("%s = %v", what, err)
		}
	}
	// Local accounts work while the provider is down.
	p.Close()
	a.sso.known = nil
	if _, err := a.DepartSSO(ctx, "/", here); !errors.Is(err, ErrUnavailable) {
		t.Errorf("provider down = %v", err)
	}
	if in, err := a.SignIn(ctx, "admin", goodPassword, here); err != nil || in.Secret == "" {
		t.Errorf("local sign-in = %+v, %v", in, err)
	}
}
