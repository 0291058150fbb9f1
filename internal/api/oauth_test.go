package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// verifier is a good one, and challenge what belongs to it.
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func challengeFor(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// party is an application that acts for people, from outside.
type party struct {
	*world
	id, secret, redirect string
}

// register makes an application with an administrator's credentials.
func (w *world) register(admin []string, fields string) *party {
	w.t.Helper()
	a := w.do("POST", "/api/x/applications", fields, append(admin, "Content-Type", "application/json")...)
	var made Credentials
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.code != 201 {
		w.t.Fatalf("register %s = %d %s", fields, a.code, a.body)
	}
	var in struct{ Redirects []string }
	if err := json.Unmarshal([]byte(fields), &in); err != nil {
		w.t.Fatal(err)
	}
	return &party{world: w, id: made.ClientID, secret: made.ClientSecret, redirect: append(in.Redirects, "")[0]}
}

const nativeApp = `{"name":"Desk","permissions":[],"public":true,"redirects":["http://127.0.0.1/back","com.example.desk:/back"],"delegated":["Machine.Read.All","Software.Read.All","Machine.ReadWrite.All"],"device_code":true}`
const webApp = `{"name":"Portal","permissions":["Score.Read.All"],"redirects":["https://portal.example/back?x=1"],"delegated":["Machine.Read.All","AdvancedQuery.Read.All"]}`

// query is what the party sends a browser with.
func (p *party) query(change map[string]string) url.Values {
	q := url.Values{"client_id": {p.id}, "redirect_uri": {p.redirect}, "response_type": {"code"}, "scope": {"Machine.Read offline_access"}, "state": {"s 1"},
		"code_challenge": {challengeFor(verifier)}, "code_challenge_method": {"S256"}}
	for k, v := range change {
		q.Set(k, v)
		if v == "-" {
			q.Del(k)
		}
	}
	return q
}

// sent is where the authorization address sends a browser to.
func (p *party) sent(q url.Values) *url.URL {
	p.t.Helper()
	a := p.do("GET", "/oauth2/v2.0/authorize?"+q.Encode(), "")
	u, err := url.Parse(a.header.Get("Location"))
	if a.code != 302 || err != nil {
		p.t.Fatalf("authorize = %d %s, %v", a.code, a.body, err)
	}
	return u
}

// decide answers the consent page as somebody, and is where the browser goes then.
func (p *party) decide(person []string, ask string, allow bool) *url.URL {
	p.t.Helper()
	a := p.do("POST", "/api/x/me/consent", fmt.Sprintf(`{"ask":%q,"allow":%v}`, ask, allow), append(person, "Content-Type", "application/json")...)
	var out SentBack
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.code != 200 {
		p.t.Fatalf("consent = %d %s", a.code, a.body)
	}
	u, err := url.Parse(out.Address)
	if err != nil {
		p.t.Fatal(err)
	}
	return u
}

// code is an authorization code that a person let the party have.
func (p *party) code(person []string, change map[string]string) string {
	p.t.Helper()
	at := p.sent(p.query(change))
	if at.Path != "/consent" || at.Host != "" {
		p.t.Fatalf("the browser is sent to %s", at)
	}
	return p.decide(person, at.Query().Get("ask"), true).Query().Get("code")
}

// tokens is what the token address answers.
type tokens struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	Scope       string
	Error       string
	Description string `json:"error_description"`
	code        int
}

func (p *party) post(path string, form url.Values) tokens {
	p.t.Helper()
	if !form.Has("client_id") {
		form.Set("client_id", p.id)
		if p.secret != "" {
			form.Set("client_secret", p.secret)
		}
	}
	a := p.do("POST", path, form.Encode())
	out := tokens{code: a.code}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		p.t.Fatalf("%d %s", a.code, a.body)
	}
	return out
}

func (p *party) redeem(code string, change map[string]string) tokens {
	p.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirect}, "code_verifier": {verifier}}
	for k, v := range change {
		form.Set(k, v)
		if v == "-" {
			form.Del(k)
		}
	}
	return p.post("/oauth2/v2.0/token", form)
}

func (p *party) refresh(token string) tokens {
	p.t.Helper()
	return p.post("/oauth2/v2.0/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// signIn lets a person let the party act for them.
func (p *party) signIn(person []string, change map[string]string) tokens {
	p.t.Helper()
	got := p.redeem(p.code(person, change), nil)
	if got.code != 200 || got.Access == "" {
		p.t.Fatalf("no token: %+v", got)
	}
	return got
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCodeFlowEndToEnd(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	for _, fields := range []string{nativeApp, webApp} {
		p := w.register(admin, fields)
		if strings.Contains(fields, `"public"`) != (p.secret == "") {
			t.Errorf("secret %q of %s", p.secret, fields)
		}
		at := p.sent(p.query(nil))
		ask := at.Query().Get("ask")
		a := w.do("GET", "/api/x/me/consent?ask="+ask, "", admin...)
		if a.code != 200 || !strings.Contains(a.body, `{"name":"Machine.Read","held":true}`) || !strings.Contains(a.body, `"refreshes":true`) {
			t.Fatalf("consent = %d %s", a.code, a.body)
		}
		back := p.decide(admin, ask, true)
		q := back.Query()
		if !strings.HasPrefix(back.String(), p.redirect) || q.Get("state") != "s 1" || q.Get("iss") != "http://picket.test/"+w.tenant+"/v2.0" || len(q.Get("code")) < 43 {
			t.Fatalf("sent back to %s", back)
		}
		got := p.redeem(q.Get("code"), nil)
		if got.code != 200 || got.Scope != "Machine.Read offline_access" || got.Refresh == "" {
			t.Fatalf("token = %+v", got)
		}
		c := claimsOf(t, got.Access)
		if c["scp"] != "Machine.Read" || c["roles"] != nil || c["upn"] != "admin" || c["appid"] != p.id {
			t.Errorf("claims = %v", c)
		}
		for target, want := range map[string]int{"/api/machines": 200, "/api/software": 403, "/api/exposureScore": 403, "/api/x/devices": 200, "/api/x/tokens": 403, "/api/x/me/tokens": 403,
			"/api/x/me/grants": 403, "/api/x/applications": 403, "/api/x/me/sessions": 403, "/api/x/audit": 403} {
			if a := w.do("GET", target, "", bearer(got.Access)...); a.code != want {
				t.Errorf("GET %s = %d, want %d", target, a.code, want)
			}
		}
		next := p.refresh(got.Refresh)
		if next.code != 200 || next.Refresh == "" || next.Refresh == got.Refresh || w.do("GET", "/api/machines", "", bearer(next.Access)...).code != 200 {
			t.Fatalf("refresh = %+v", next)
		}
		no := p.decide(admin, p.sent(p.query(nil)).Query().Get("ask"), false).Query()
		if no.Get("error") != "access_denied" || no.Get("code") != "" || no.Get("state") != "s 1" {
			t.Errorf("refused: %v", no)
		}
	}
}

// TestAuthorizeSendsNobodyAstray breaks the request: while client and redirect
// hold, the refusal goes there, else nobody is sent anywhere but to the console.
func TestAuthorizeSendsNobodyAstray(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	native, site := w.register(admin, nativeApp), w.register(admin, webApp)
	for what, tt := range map[string]struct {
		p      *party
		change map[string]string
		want   string // error; "": stays on the console
	}{
		"an unknown client":         {native, map[string]string{"client_id": "0"}, ""},
		"another's redirect":        {native, map[string]string{"redirect_uri": site.redirect}, ""},
		"a redirect elsewhere":      {site, map[string]string{"redirect_uri": "https://evil.example/back"}, ""},
		"a longer path":             {site, map[string]string{"redirect_uri": "https://portal.example/back?x=1&y=2"}, ""},
		"another case":              {site, map[string]string{"redirect_uri": "https://portal.example/Back?x=1"}, ""},
		"a path that climbs":        {site, map[string]string{"redirect_uri": "https://portal.example/a/../back?x=1"}, ""},
		"a port of a site":          {site, map[string]string{"redirect_uri": "https://portal.example:8443/back?x=1"}, ""},
		"no redirect":               {site, map[string]string{"redirect_uri": "-"}, ""},
		"a user name as host":       {native, map[string]string{"redirect_uri": "http://127.0.0.1:80@evil.example/back"}, ""},
		"a host that begins alike":  {native, map[string]string{"redirect_uri": "http://127.0.0.1.evil.example/back"}, ""},
		"another loopback name":     {native, map[string]string{"redirect_uri": "http://localhost:4000/back"}, ""},
		"another path at loopback":  {native, map[string]string{"redirect_uri": "http://127.0.0.1:4000/other"}, ""},
		"a fragment":                {native, map[string]string{"redirect_uri": "http://127.0.0.1:4000/back#x"}, ""},
		"a scheme of browsers":      {native, map[string]string{"redirect_uri": "javascript:alert(1)"}, ""},
		"another type":              {native, map[string]string{"response_type": "token"}, "unsupported_response_type"},
		"an answer in the fragment": {native, map[string]string{"response_mode": "fragment"}, "invalid_request"},
		"no challenge":              {native, map[string]string{"code_challenge": "-"}, "invalid_request"},
		"the plain method":          {native, map[string]string{"code_challenge": verifier, "code_challenge_method": "plain"}, "invalid_request"},
		"no method":                 {native, map[string]string{"code_challenge_method": "-"}, "invalid_request"},
		"no challenge of a site":    {site, map[string]string{"code_challenge": "-"}, "invalid_request"},
		"a scope too many":          {site, map[string]string{"scope": "Machine.Read Alert.Read"}, "invalid_scope"},
		"settings":                  {site, map[string]string{"scope": "Picket.Manage"}, "invalid_scope"},
		"its own permission":        {site, map[string]string{"scope": "Score.Read"}, "invalid_scope"},
		"no permission":             {site, map[string]string{"scope": "openid offline_access"}, "invalid_scope"},
		"without asking":            {site, map[string]string{"prompt": "none"}, "interaction_required"},
	} {
		q := tt.p.query(tt.change)
		at := tt.p.sent(q)
		if tt.want == "" {
			if at.Host != "" || at.Scheme != "" || at.Path != "/consent" || at.Query().Get("trouble") == "" || at.Query().Get("ask") != "" {
				t.Errorf("%s: sent to %s", what, at)
			}
		} else if !strings.HasPrefix(at.String(), tt.p.redirect) || at.Query().Get("error") != tt.want || at.Query().Get("state") != "s 1" || at.Query().Get("code") != "" {
			t.Errorf("%s: sent to %s", what, at)
		}
		// The console's own route looks at all of it again.
		ask := base64.RawURLEncoding.EncodeToString([]byte(q.Encode()))
		if tt.want != "interaction_required" {
			if a := w.do("POST", "/api/x/me/consent", `{"ask":"`+ask+`","allow":true}`, append(admin, "Content-Type", "application/json")...); a.code != 422 {
				t.Errorf("%s: consent = %d %s", what, a.code, a.body)
			}
		}
	}
	for _, at := range []string{"http://127.0.0.1:4711/back", "http://127.0.0.1/back", "com.example.desk:/back"} {
		q := native.query(map[string]string{"redirect_uri": at})
		if got := native.sent(q); got.Query().Get("ask") == "" {
			t.Errorf("%s: %s", at, got)
		}
	}
	twice := native.query(nil)
	twice.Add("scope", "Software.Read")
	if at := native.sent(twice); at.Query().Get("error") != "invalid_request" {
		t.Errorf("scope twice: %s", at)
	}
	for _, bad := range []string{"http://example.com/x", "https:///x", "/x", "myapp:/x", "https://u:p@e.example/", "https://e.example/#", "https://*.example/", "javascript:alert(1)", "data:text/html,x"} {
		if a := w.do("POST", "/api/x/applications", `{"name":"x","permissions":[],"redirects":["`+bad+`"],"delegated":["Machine.Read.All"]}`, append(admin, "Content-Type", "application/json")...); a.code != 422 {
			t.Errorf("redirect %s is registered: %d", bad, a.code)
		}
	}
}

// TestCodesAreForWhoAskedAlone shows codes wrongly. Each shown code is used up.
func TestCodesAreForWhoAskedAlone(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	native, site, other := w.register(admin, nativeApp), w.register(admin, webApp), w.register(admin, strings.Replace(webApp, "Portal", "Other", 1))
	for what, tt := range map[string]struct {
		p      *party
		shows  *party
		change map[string]string
		want   string
	}{
		"another client":             {site, other, nil, "invalid_grant"},
		"a public client":            {site, native, map[string]string{"redirect_uri": site.redirect}, "invalid_grant"},
		"another redirect":           {native, native, map[string]string{"redirect_uri": "com.example.desk:/back"}, "invalid_grant"},
		"another port":               {native, native, map[string]string{"redirect_uri": "http://127.0.0.1:1/back"}, "invalid_grant"},
		"no redirect":                {native, native, map[string]string{"redirect_uri": "-"}, "invalid_grant"},
		"no verifier":                {native, native, map[string]string{"code_verifier": "-"}, "invalid_grant"},
		"a wrong verifier":           {native, native, map[string]string{"code_verifier": strings.Repeat("x", 43)}, "invalid_grant"},
		"the challenge as verifier":  {native, native, map[string]string{"code_verifier": challengeFor(verifier)}, "invalid_grant"},
		"no verifier, with a secret": {site, site, map[string]string{"code_verifier": "-"}, "invalid_grant"},
	} {
		code := tt.p.code(admin, nil)
		if got := tt.shows.redeem(code, tt.change); got.code != 400 || got.Error != tt.want || got.Access != "" {
			t.Errorf("%s: %+v", what, got)
		}
		if got := tt.p.redeem(code, nil); got.Access != "" {
			t.Errorf("%s: the code still works", what)
		}
	}
	for what, form := range map[string]url.Values{
		"a wrong secret":           {"client_id": {site.id}, "client_secret": {other.secret}},
		"no secret":                {"client_id": {site.id}},
		"a public client's secret": {"client_id": {native.id}, "client_secret": {site.secret}},
		"an unknown client":        {"client_id": {"x"}},
	} {
		for _, rest := range []url.Values{{"grant_type": {"authorization_code"}, "code": {"x"}}, {"grant_type": {"refresh_token"}, "refresh_token": {"x"}},
			{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"x"}}, {"grant_type": {"client_credentials"}}} {
			rest.Set("client_id", form.Get("client_id"))
			if form.Has("client_secret") {
				rest.Set("client_secret", form.Get("client_secret"))
			}
			if got := site.post("/oauth2/v2.0/token", rest); got.code != 401 || got.Error != "invalid_client" {
				t.Errorf("%s, %s: %+v", what, rest.Get("grant_type"), got)
			}
		}
	}
	if got := site.post("/oauth2/v2.0/token", url.Values{"grant_type": {"password"}, "username": {"admin"}, "password": {"x"}}); got.Error != "unsupported_grant_type" {
		t.Errorf("a password is taken: %+v", got)
	}
	code := native.code(admin, nil)
	if got := native.post("/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {native.redirect}, "code_verifier": {verifier}}); got.Error != "invalid_request" {
		t.Errorf("another tenant: %+v", got)
	}
	first := native.redeem(code, nil)
	if first.code != 200 || w.do("GET", "/api/machines", "", bearer(first.Access)...).code != 200 {
		t.Fatalf("%+v", first)
	}
	if again := native.redeem(code, nil); again.Error != "invalid_grant" {
		t.Errorf("a code works twice: %+v", again)
	}
	if a := w.do("GET", "/api/machines", "", bearer(first.Access)...); a.code != 401 {
		t.Errorf("the token of a code that was shown twice = %d", a.code)
	}
	if got := native.refresh(first.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the refresh token of a code that was shown twice: %+v", got)
	}
}

func TestRefreshTokensAreUsedOnce(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	native, site := w.register(admin, nativeApp), w.register(admin, webApp)
	first := native.signIn(admin, nil)
	second := native.refresh(first.Refresh)
	if second.code != 200 {
		t.Fatalf("%+v", second)
	}
	if got := site.refresh(second.Refresh); got.Error != "invalid_grant" {
		t.Errorf("another client's: %+v", got)
	}
	wide := native.post("/oauth2/v2.0/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {second.Refresh}, "scope": {"Machine.Read Software.Read"}})
	if wide.Error != "invalid_scope" {
		t.Errorf("more than was granted: %+v", wide)
	}
	if got := native.refresh(first.Refresh); got.Error != "invalid_grant" {
		t.Errorf("an old one: %+v", got)
	}
	for what, token := range map[string]string{"first": first.Access, "second": second.Access} {
		if a := w.do("GET", "/api/machines", "", bearer(token)...); a.code != 401 {
			t.Errorf("the %s token after an old refresh token was shown = %d", what, a.code)
		}
	}
	if got := native.refresh(second.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the newest after an old one was shown: %+v", got)
	}
	if got := native.signIn(admin, map[string]string{"scope": "Machine.Read"}); got.Refresh != "" {
		t.Error("a refresh token that nobody asked for")
	}
	two := native.signIn(admin, map[string]string{"scope": "Machine.Read Software.Read offline_access"})
	narrow := native.post("/oauth2/v2.0/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {two.Refresh}, "scope": {"Software.Read"}})
	if narrow.code != 200 || claimsOf(t, narrow.Access)["scp"] != "Software.Read" || w.do("GET", "/api/machines", "", bearer(narrow.Access)...).code != 403 {
		t.Errorf("a narrower token: %+v", narrow)
	}
	if got := native.post("/oauth2/v2.0/revoke", url.Values{"token": {narrow.Refresh}}); got.code != 200 {
		t.Errorf("revoke = %+v", got)
	}
	if a := w.do("GET", "/api/software", "", bearer(narrow.Access)...); a.code != 401 {
		t.Errorf("a token after it was revoked = %d", a.code)
	}
}

func TestDevicesAreLetInByTheirPerson(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	p := w.register(admin, nativeApp)
	if got := w.register(admin, webApp).post("/oauth2/v2.0/devicecode", url.Values{"scope": {"Machine.Read"}}); got.Error != "unauthorized_client" {
		t.Errorf("not registered for it: %+v", got)
	}
	start := func() (d struct {
		Device string `json:"device_code"`
		User   string `json:"user_code"`
		At     string `json:"verification_uri"`
	}) {
		t.Helper()
		a := w.do("POST", "/oauth2/v2.0/devicecode", url.Values{"client_id": {p.id}, "scope": {"Machine.Read offline_access"}}.Encode())
		if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.code != 200 || len(d.User) != 9 || d.At != "http://picket.test/device" {
			t.Fatalf("start = %d %s", a.code, a.body)
		}
		return d
	}
	poll := func(code string) tokens {
		t.Helper()
		return p.post("/oauth2/v2.0/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {code}})
	}
	decide := func(code string, allow bool) answer {
		t.Helper()
		return w.do("POST", "/api/x/me/device", fmt.Sprintf(`{"code":%q,"allow":%v}`, code, allow), append(admin, "Content-Type", "application/json")...)
	}
	d := start()
	if got := poll(d.Device); got.Error != "authorization_pending" {
		t.Errorf("before: %+v", got)
	}
	if got := poll(d.Device); got.Error != "slow_down" {
		t.Errorf("at once again: %+v", got)
	}
	if got := poll(d.User); got.Error != "invalid_grant" {
		t.Errorf("the user's code is taken from a device: %+v", got)
	}
	if a := w.do("GET", "/api/x/me/device?code="+strings.ToLower(d.User), "", admin...); a.code != 200 || !strings.Contains(a.body, `"application":"Desk"`) {
		t.Errorf("look = %d %s", a.code, a.body)
	}
	d = start()
	if a := decide(d.User, true); a.code != 204 {
		t.Fatalf("allow = %d %s", a.code, a.body)
	}
	if a := decide(d.User, true); a.code != 422 {
		t.Errorf("a code works twice for people: %d", a.code)
	}
	got := poll(d.Device)
	if got.code != 200 || got.Scope != "Machine.Read offline_access" || w.do("GET", "/api/machines", "", bearer(got.Access)...).code != 200 {
		t.Fatalf("token = %+v", got)
	}
	if got := poll(d.Device); got.Access != "" {
		t.Error("a device's code works twice")
	}
	d = start()
	if a := decide(d.User, false); a.code != 204 {
		t.Fatalf("deny = %d %s", a.code, a.body)
	}
	if got := poll(d.Device); got.Error != "access_denied" {
		t.Errorf("denied: %+v", got)
	}
	last := answer{}
	for range 8 {
		last = w.do("GET", "/api/x/me/device?code=BBBB-BBBB", "", admin...)
	}
	if last.code != 429 || last.header.Get("Retry-After") == "" {
		t.Errorf("the eighth guess = %d %s", last.code, last.body)
	}
	d = start()
	if a := decide(d.User, true); a.code != 429 {
		t.Errorf("a right code after too many wrong ones = %d", a.code)
	}
	for n := 0; ; n++ {
		if a := w.do("POST", "/oauth2/v2.0/devicecode", url.Values{"client_id": {p.id}, "scope": {"Machine.Read"}}.Encode()); a.code == 429 {
			break
		} else if n > 30 {
			t.Fatal("devices without end wait at one address")
		}
	}
}

// TestGrantsEndWithWhatTheyStandOn takes each support away.
func TestGrantsEndWithWhatTheyStandOn(t *testing.T) {
	e := openEstate(t)
	boss := e.hire("Administrator", "all").header
	native, site := e.register(boss, nativeApp), e.register(boss, webApp)
	must := func(a answer) {
		t.Helper()
		if a.code >= 300 {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	ask := func(method, target, body string, who []string) answer {
		return e.do(method, target, body, append(slices.Clone(who), "Content-Type", "application/json")...)
	}
	n := 0
	person := func() (somebody, server.Caller) {
		n++
		e.roles[fmt.Sprintf("R%d", n)] = e.roles["Security reader"]
		who := e.hire(fmt.Sprintf("R%d", n), "alpha")
		c, _, err := e.s.SessionCaller(t.Context(), server.SessionSecret(strings.TrimPrefix(who.header[1], sessionCookie+"=")))
		if err != nil {
			t.Fatal(err)
		}
		return who, c
	}
	for what, end := range map[string]func(p *party, who somebody, c server.Caller){
		"the person is disabled": func(_ *party, _ somebody, c server.Caller) {
			if _, err := e.s.EditPerson(t.Context(), e.admin, c.UserID, server.PersonEdit{Disabled: true}); err != nil {
				t.Fatal(err)
			}
		},
		"the person is deleted": func(_ *party, _ somebody, c server.Caller) {
			if err := e.s.DeletePerson(t.Context(), e.admin, c.UserID); err != nil {
				t.Fatal(err)
			}
		},
		"the person signs out everywhere": func(_ *party, who somebody, _ server.Caller) {
			must(ask("DELETE", "/api/x/me/sessions", "", who.header))
		},
		"an administrator ends the person's sessions": func(_ *party, _ somebody, c server.Caller) {
			if err := e.s.EndPersonSessions(t.Context(), e.admin, c.UserID); err != nil {
				t.Fatal(err)
			}
		},
		"the password changes": func(_ *party, who somebody, _ server.Caller) {
			must(ask("PUT", "/api/x/me/password", `{"new":"correct horse battery"}`, who.header))
		},
		"the factors are reset": func(_ *party, _ somebody, c server.Caller) {
			if err := e.s.ResetPersonFactors(t.Context(), e.admin, c.UserID); err != nil {
				t.Fatal(err)
			}
		},
		"the person revokes": func(_ *party, who somebody, _ server.Caller) {
			var list []server.GrantRow
			if err := json.Unmarshal([]byte(ask("GET", "/api/x/me/grants", "", who.header).body), &list); err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			if a := ask("DELETE", "/api/x/me/grants/"+list[0].ID, "", boss); a.code != 404 {
				t.Errorf("somebody else revokes it as the own: %d", a.code)
			}
			must(ask("DELETE", "/api/x/me/grants/"+list[0].ID, "", who.header))
		},
		"an administrator revokes": func(p *party, who somebody, _ server.Caller) {
			var list []server.GrantRow
			if err := json.Unmarshal([]byte(ask("GET", "/api/x/applications/"+p.id+"/grants", "", boss).body), &list); err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(list, func(g server.GrantRow) bool { return g.Person == who.name })
			must(ask("DELETE", "/api/x/applications/"+p.id+"/grants/"+list[i].ID, "", boss))
		},
	} {
		for _, p := range []*party{native, site} {
			who, c := person()
			got := p.signIn(who.header, nil)
			code := p.code(who.header, nil)
			if a := e.do("GET", "/api/machines", "", bearer(got.Access)...); a.code != 200 {
				t.Fatalf("%s: before = %d %s", what, a.code, a.body)
			}
			end(p, who, c)
			if a := e.do("GET", "/api/machines", "", bearer(got.Access)...); a.code != 401 {
				t.Errorf("%s: the token = %d", what, a.code)
			}
			if got := p.refresh(got.Refresh); got.Error != "invalid_grant" {
				t.Errorf("%s: refresh = %+v", what, got)
			}
			if got := p.redeem(code, nil); got.Error != "invalid_grant" && !strings.HasSuffix(what, "revokes") {
				t.Errorf("%s: a code of before = %+v", what, got)
			}
		}
	}
	who, _ := person()
	got := site.signIn(who.header, nil)
	var rows []server.AppRow
	if err := json.Unmarshal([]byte(ask("GET", "/api/x/applications", "", boss).body), &rows); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(rows, func(r server.AppRow) bool { return r.ID == site.id })
	must(ask("DELETE", "/api/x/applications/"+site.id+"/secrets/"+rows[i].Secrets[0].ID, "", boss))
	if a := e.do("GET", "/api/machines", "", bearer(got.Access)...); a.code != 401 {
		t.Errorf("the token of a removed secret = %d", a.code)
	}
	if got := site.refresh(got.Refresh); got.Error != "invalid_client" {
		t.Errorf("refresh with a removed secret = %+v", got)
	}
	got = native.signIn(who.header, nil)
	must(ask("PUT", "/api/x/applications/"+native.id, strings.Replace(nativeApp, `"public"`, `"disabled":true,"public"`, 1), boss))
	if a := e.do("GET", "/api/machines", "", bearer(got.Access)...); a.code != 401 {
		t.Errorf("the token of a disabled application = %d", a.code)
	}
	if got := native.refresh(got.Refresh); got.code != http.StatusUnauthorized {
		t.Errorf("refresh of a disabled application = %+v", got)
	}
	if at := native.sent(native.query(nil)); at.Query().Get("trouble") == "" {
		t.Errorf("a disabled application sends people to %s", at)
	}
}

// TestDelegatesFollowTheirPerson changes role, group and scopes between two requests.
func TestDelegatesFollowTheirPerson(t *testing.T) {
	e := openEstate(t)
	boss := e.hire("Administrator", "all").header
	p := e.register(boss, nativeApp)
	who := e.hire("Security reader", "alpha")
	got := p.signIn(who.header, map[string]string{"scope": "Machine.Read Machine.ReadWrite"})
	devices := func() string { return e.do("GET", "/api/machines", "", bearer(got.Access)...).body }
	if list := devices(); !strings.Contains(list, e.ids["alpha devices"][0]) || strings.Contains(list, e.ids["omega devices"][0]) {
		t.Errorf("a delegate sees other devices than its person: %s", list)
	}
	if a := e.do("GET", "/api/machines/"+e.ids["omega devices"][0], "", bearer(got.Access)...); a.code != 404 {
		t.Errorf("a hidden device = %d", a.code)
	}
	tag := `{"Value":"x","Action":"Add"}`
	write := func() int {
		return e.do("POST", "/api/machines/"+e.ids["alpha devices"][0]+"/tags", tag, append(bearer(got.Access), "Content-Type", "application/json")...).code
	}
	if code := write(); code != 403 {
		t.Errorf("a reader's delegate writes: %d", code)
	}
	if a := e.do("GET", "/api/software", "", bearer(got.Access)...); a.code != 403 {
		t.Errorf("what was not consented to = %d", a.code)
	}
	if _, err := e.s.SetGroupAccess(t.Context(), e.admin, e.groups["alpha"], server.GroupAccess{UserGroups: []int64{e.teams["omega"]}}); err != nil {
		t.Fatal(err)
	}
	if list := devices(); strings.Contains(list, e.ids["alpha devices"][0]) {
		t.Errorf("a delegate sees a group that its person lost: %s", list)
	}
	if _, err := e.s.SetGroupAccess(t.Context(), e.admin, e.groups["alpha"], server.GroupAccess{UserGroups: []int64{e.teams["alpha"]}}); err != nil {
		t.Fatal(err)
	}
	if list := devices(); !strings.Contains(list, e.ids["alpha devices"][0]) {
		t.Errorf("the group came back, but not to the delegate: %s", list)
	}
	c, _, err := e.s.SessionCaller(t.Context(), server.SessionSecret(strings.TrimPrefix(who.header[1], sessionCookie+"=")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.s.EditPerson(t.Context(), e.admin, c.UserID, server.PersonEdit{UserGroups: []int64{e.teams["alpha"]}}); err != nil {
		t.Fatal(err)
	}
	if a := e.do("GET", "/api/machines", "", bearer(got.Access)...); a.code != 403 {
		t.Errorf("after the role was taken away = %d", a.code)
	}
	// The application loses a permission; an administrator's delegate is no administrator.
	of := p.signIn(boss, map[string]string{"scope": ".default"})
	if a := e.do("GET", "/api/software", "", bearer(of.Access)...); a.code != 200 {
		t.Errorf("an administrator's delegate: %d", a.code)
	}
	for _, target := range []string{"/api/x/people", "/api/x/applications", "/api/x/audit", "/api/x/device-groups/rules"} {
		if a := e.do("GET", target, "", bearer(of.Access)...); a.code < 400 {
			t.Errorf("an administrator's delegate reads %s: %d", target, a.code)
		}
	}
	less := strings.Replace(nativeApp, `"Software.Read.All",`, "", 1)
	if a := e.do("PUT", "/api/x/applications/"+p.id, less, append(slices.Clone(boss), "Content-Type", "application/json")...); a.code != 200 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	if a := e.do("GET", "/api/software", "", bearer(of.Access)...); a.code != 403 {
		t.Errorf("after the application lost the permission = %d", a.code)
	}
	// The log names both.
	a := e.do("POST", "/api/machines/"+e.ids["omega devices"][0]+"/tags", tag, append(bearer(of.Access), "Content-Type", "application/json")...)
	if a.code != 200 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	page, err := e.s.Audit(t.Context(), e.admin, server.Query{Limit: 1})
	if err != nil || len(page.Items) != 1 || page.Items[0].Actor != "administrator-all through Desk" || page.Items[0].Kind != "application" || !strings.HasPrefix(page.Items[0].ActorID, p.id+"/") {
		t.Errorf("the log says %+v, %v", page.Items, err)
	}
}

// TestConsentCannotBeForcedOrFramed asks for consent from another site, by a
// program, and looks at the headers that keep pages out of frames.
func TestConsentCannotBeForcedOrFramed(t *testing.T) {
	w := newWorld(t)
	admin := w.session()
	p := w.register(admin, nativeApp)
	ask := p.sent(p.query(nil)).Query().Get("ask")
	body := `{"ask":"` + ask + `","allow":true}`
	for what, header := range map[string][]string{
		"another site":       append(slices.Clone(admin), "Content-Type", "application/json", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"),
		"a sister site":      append(slices.Clone(admin), "Content-Type", "application/json", "Sec-Fetch-Site", "same-site", "Origin", "https://x.picket.test"),
		"an application":     append(w.app("Machine.Read.All"), "Content-Type", "application/json"),
		"a delegate":         append(bearer(p.signIn(admin, nil).Access), "Content-Type", "application/json"),
		"nobody":             {"Content-Type", "application/json"},
		"a session and form": append(slices.Clone(admin), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site"),
	} {
		if a := w.do("POST", "/api/x/me/consent", body, header...); a.code != 401 && a.code != 403 {
			t.Errorf("consent by %s = %d %s", what, a.code, a.body)
		}
	}
	a := w.do("GET", "/oauth2/v2.0/authorize?"+p.query(nil).Encode(), "")
	if a.header.Get("X-Frame-Options") != "DENY" || !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers = %v", a.header)
	}
	if a := w.do("GET", "/consent?ask="+ask, ""); a.header.Get("X-Frame-Options") != "DENY" {
		t.Errorf("the page may be framed: %v", a.header)
	}
	doc := w.do("GET", "/.well-known/oauth-authorization-server/"+w.tenant+"/v2.0", "")
	for _, want := range []string{`"issuer":"http://picket.test/` + w.tenant + `/v2.0"`, `/oauth2/v2.0/authorize"`, `/oauth2/v2.0/devicecode"`, `"code_challenge_methods_supported":["S256"]`, `"Machine.Read"`} {
		if !strings.Contains(doc.body, want) {
			t.Errorf("the document lacks %s: %s", want, doc.body)
		}
	}
	if a := w.do("GET", "/.well-known/oauth-authorization-server/other/v2.0", ""); a.code != 400 {
		t.Errorf("another tenant's document = %d", a.code)
	}
}
