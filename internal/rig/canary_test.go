package rig_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238 as authenticator apps do it
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// canary is a run in which every kind of secret has a value of its own, and
// everything that the server says is written down.
type canary struct {
	t       *testing.T
	srv     *rig.Server
	http    *http.Client
	secrets map[string]string // by what they are
	said    map[string][]byte // by who said it
	mu      sync.Mutex        // guards said
}

// secret makes a value that a test can look for and gives it a name.
func (c *canary) secret(what string) string {
	v := "canary-" + rand.Text()
	c.secrets[what] = v
	return v
}

// keep notes a secret that the server made.
func (c *canary) keep(what, v string) string {
	c.t.Helper()
	if len(v) < 6 {
		c.t.Fatalf("the server gave no %s: %q", what, v)
	}
	c.secrets[what] = v
	return v
}

func (c *canary) hear(who string, what []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said[who] = append(c.said[who], what...)
}

// ask sends a request. Its answer is written down unless once says that it shows a secret once.
func (c *canary) ask(method, target string, body any, once bool, header ...string) (int, []byte, *http.Response) {
	c.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			c.t.Fatal(err)
		}
	}
	if strings.HasPrefix(target, "/") {
		target = c.srv.URL + target
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, target, bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	if raw != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	out, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
	if err != nil {
		c.t.Fatal(err)
	}
	if !once {
		c.hear(fmt.Sprintf("%s %s (%d)", method, target, r.StatusCode), out)
	}
	return r.StatusCode, out, r
}

// do is ask of what has to work; the answer's fields are returned.
func (c *canary) do(method, target string, body any, once bool, header ...string) map[string]any {
	c.t.Helper()
	code, raw, _ := c.ask(method, target, body, once, header...)
	if code >= 300 {
		c.t.Fatalf("%s %s = %d %s", method, target, code, raw)
	}
	var out map[string]any
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			c.t.Fatal(err)
		}
	}
	return out
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// totp is the code of RFC 6238 for a secret in base32.
func totp(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, uint64(at.Unix()/30))
	sum := m.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// TestSecretsAreNeverSaid gives every kind of secret a value of its own, uses
// all of them, rightly and wrongly, at the built server, and looks for them in
// its log at level debug, the audit log with its exports and what is forwarded
// of it, the answers of every route, error answers, profiles, and everything
// in the data directory but the file of keys (CVE-2022-39351).
func TestSecretsAreNeverSaid(t *testing.T) {
	t.Setenv("PICKET_LOG_LEVEL", "debug")
	dir := t.TempDir()
	bins, err := rig.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := bins.StartServer(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if !stopped {
			stopped = true
			srv.Stop()
		}
	}
	t.Cleanup(stop)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &canary{t: t, srv: srv, http: &http.Client{Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, secrets: map[string]string{}, said: map[string][]byte{}} //nolint:gosec // osquery's side of its own server

	c.people()
	c.programs()
	c.delegates()
	c.places()
	c.passkeys()
	c.mistakes()
	c.agent(bins, dir)
	c.exports()
	c.readAll()
	c.profiles()

	stop() // what is only in the write-ahead log is in the database then
	c.readFiles(dir)
	c.judge()
	t.Logf("%d secrets, %d answers and files", len(c.secrets), len(c.said))
}

// people signs in with all that people sign in with.
func (c *canary) people() {
	raw, err := c.srv.Admin(c.t.Context(), "sign-in-link")
	if err != nil {
		c.t.Fatal(err)
	}
	_, link, _ := strings.Cut(strings.TrimSpace(string(raw)), "#")
	c.do("POST", "/api/x/session/redeem", map[string]any{"token": c.keep("sign-in link", link)}, false)
	c.cookies("session opened by link")
	c.do("PUT", "/api/x/me/password", map[string]any{"new": c.secret("password")}, false)
	c.ask("PUT", "/api/x/me/password", map[string]any{"current": c.secret("wrong current password"), "new": c.secret("refused new password")}, false)
	secret := c.keep("one-time code secret", text(c.do("POST", "/api/x/me/code", map[string]any{}, true), "secret"))
	codes := c.do("POST", "/api/x/me/code/confirm", map[string]any{"code": totp(c.t, secret, time.Now())}, true)["codes"].([]any)
	for i, code := range codes {
		c.keep(fmt.Sprintf("recovery code %d", i), code.(string))
	}
	ask := map[string]any{"username": "admin", "password": c.secrets["password"]}
	c.ask("POST", "/api/x/session", map[string]any{"username": "admin", "password": c.secret("wrong password")}, false)
	step, ok := c.do("POST", "/api/x/session", ask, true)["step"].(map[string]any)
	if !ok {
		c.t.Fatal("no second step is asked for")
	}
	ticket := c.keep("ticket of a sign-in", text(step, "ticket"))
	c.ask("POST", "/api/x/session/second", map[string]any{"ticket": ticket, "factor": "recovery", "code": c.secret("wrong recovery code")}, false)
	c.do("POST", "/api/x/session/second", map[string]any{"ticket": ticket, "factor": "recovery", "code": codes[0]}, false)
	c.cookies("session opened by password and recovery code")
	person := c.do("POST", "/api/x/people", map[string]any{"name": "ann"}, true)
	c.keep("sign-in link of a person", text(person, "secret"))
}

// passkeys begins with passkeys in both ways, and ends with answers that do not hold.
func (c *canary) passkeys() {
	answer := func(what string) map[string]any {
		part := func(name string) string {
			return base64.RawURLEncoding.EncodeToString([]byte(c.secret(name + " of " + what)))
		}
		return map[string]any{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": map[string]any{"clientDataJSON": part("client data"),
			"attestationObject": part("attestation"), "authenticatorData": part("authenticator data"), "signature": part("signature"), "userHandle": "MQ"}}
	}
	at := strings.Replace(c.srv.URL, "127.0.0.1", "localhost", 1) // passkeys belong to a name
	var cookies []string
	for _, k := range c.http.Jar.Cookies(mustURL(c.t, c.srv.URL)) {
		cookies = append(cookies, k.Name+"="+k.Value)
	}
	cookie := strings.Join(cookies, "; ")
	begun := c.do("POST", at+"/api/x/me/passkeys/begin", map[string]any{"password": c.secrets["password"]}, true, "Cookie", cookie)
	ticket := c.keep("ticket of a new passkey", text(begun, "ticket"))
	options, _ := begun["options"].(map[string]any)
	if inner, ok := options["publicKey"].(map[string]any); ok {
		options = inner
	}
	c.keep("challenge of a new passkey", text(options, "challenge"))
	c.ask("POST", at+"/api/x/me/passkeys", map[string]any{"ticket": ticket, "name": "k", "credential": answer("a new passkey")}, false, "Cookie", cookie)
	asked := c.do("POST", at+"/api/x/session/passkey/ask", map[string]any{}, true)
	c.ask("POST", at+"/api/x/session/passkey", map[string]any{"ticket": c.keep("ticket of a sign-in by passkey", text(asked, "ticket")), "credential": answer("a sign-in by passkey")}, false)
}

// agent runs the built agent with a token and everything that it says written
// down; its key, which is in its state directory alone, is a secret, too.
func (c *canary) agent(bins rig.Bins, dir string) {
	raw, err := c.srv.Admin(c.t.Context(), "enroll-token create", "--uses", "2")
	if err != nil {
		c.t.Fatal(err)
	}
	token := c.keep("enrolment token of an agent", strings.TrimSpace(string(raw)))
	tree, err := rig.NewTree(filepath.Join(dir, "root"), map[string]string{"alpha": "1.0-1"})
	if err != nil {
		c.t.Fatal(err)
	}
	state := filepath.Join(dir, "agent")
	for _, how := range []struct{ token, server string }{{token, c.srv.AgentURL}, {c.secret("wrong token of an agent"), c.srv.AgentURL}, {token, "https://127.0.0.1:1"}} {
		at := state
		if how.token != token {
			at += "-refused"
		}
		ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, bins.Agent, "run", "--once", "--verbose", "--server", how.server, "--ca", filepath.Join(c.srv.Dir, "ca.pem"), "--state", at, "--root", tree.Root, "--token", how.token)
		out, err := cmd.CombinedOutput()
		cancel()
		if good := how.token == token && how.server == c.srv.AgentURL; good != (err == nil) {
			c.t.Fatalf("the agent: %v: %s", err, out)
		}
		c.hear("what the agent says", out)
	}
	for name, file := range map[string]string{"key of an agent": filepath.Join(state, "identity.pem"), "key of the authority": filepath.Join(c.srv.Dir, "ca.key")} {
		pemText, err := os.ReadFile(file)
		if err != nil {
			c.t.Fatal(err)
		}
		block, _ := pem.Decode(pemText)
		if block == nil {
			c.t.Fatalf("%s holds no key", file)
		}
		lines := strings.Split(string(pem.EncodeToMemory(block)), "\n")
		c.keep(name, lines[2])
	}
	if !strings.Contains(string(c.said["what the agent says"]), "enrolled") {
		c.t.Errorf("the agent says %s", c.said["what the agent says"])
	}
}

// exports has lists written as files and reads them by their addresses, which are secrets.
func (c *canary) exports() {
	app := c.do("POST", "/api/x/applications", map[string]any{"name": "exporter", "permissions": []string{"Software.Read.All", "Vulnerability.Read.All"}}, true)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {text(app, "client_id")}, "client_secret": {c.keep("secret of an exporter", text(app, "client_secret"))}}.Encode()
	token := c.keep("token of an exporter", text(c.do("POST", "/"+text(app, "tenant_id")+"/oauth2/v2.0/token", form, true), "access_token"))
	read := 0
	for _, list := range []string{"SoftwareInventoryExport", "SoftwareVulnerabilitiesExport", "SecureConfigurationsAssessmentExport"} {
		files, _ := c.do("GET", "/api/machines/"+list, nil, true, "Authorization", "Bearer "+token)["exportFiles"].([]any)
		for _, f := range files {
			at := mustURL(c.t, f.(string))
			_, raw, r := c.ask("GET", at.Path, nil, true)
			if z, err := gzip.NewReader(bytes.NewReader(raw)); err == nil {
				if raw, err = io.ReadAll(z); err != nil {
					c.t.Fatal(err)
				}
			}
			c.hear("a file of "+list, raw)
			read += r.StatusCode / 200
			parts := strings.Split(strings.Trim(at.Path, "/"), "/")
			c.keep("address of "+list, parts[len(parts)-2])
			c.ask("GET", strings.TrimSuffix(at.Path, parts[len(parts)-1])+"9.gz", nil, false)
		}
	}
	if read == 0 {
		c.t.Error("no file of an export was read")
	}
}

// profiles reads what the socket for debugging tells.
func (c *canary) profiles() {
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.srv.Dir, "admin.sock"))
	}}}
	defer client.CloseIdleConnections()
	for _, name := range []string{"", "goroutine?debug=2", "goroutine?debug=1", "heap", "heap?debug=1", "allocs", "block", "mutex", "threadcreate", "symbol", "profile?seconds=1", "trace?seconds=1"} {
		r, err := client.Get("http://admin/debug/pprof/" + name)
		if err != nil {
			c.t.Fatal(err)
		}
		raw, err := io.ReadAll(io.LimitReader(r.Body, 256<<20))
		_ = r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || len(raw) == 0 && name != "symbol" {
			c.t.Fatalf("profile %s: %d, %v", name, r.StatusCode, err)
		}
		if z, err := gzip.NewReader(bytes.NewReader(raw)); err == nil {
			if raw, err = io.ReadAll(z); err != nil {
				c.t.Fatal(err)
			}
		}
		c.hear("profile "+name, raw)
	}
	if !strings.Contains(string(c.said["profile goroutine?debug=2"]), "picket") {
		c.t.Error("no goroutine of the server is in its profile")
	}
}

// cookies notes what the browser got.
func (c *canary) cookies(what string) {
	at, err := url.Parse(c.srv.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	list := c.http.Jar.Cookies(at)
	if len(list) == 0 {
		c.t.Fatal("there is no cookie")
	}
	for _, k := range list {
		c.keep(what+" "+k.Name, k.Value)
	}
}

// programs makes and uses the credentials of programs, directories and osquery.
func (c *canary) programs() {
	app := c.do("POST", "/api/x/applications", map[string]any{"name": "canary", "permissions": []string{"Machine.Read.All"}}, true)
	form := func(secret string) string {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {text(app, "client_id")}, "client_secret": {secret}}.Encode()
	}
	tokens := "/" + text(app, "tenant_id") + "/oauth2/v2.0/token"
	token := c.keep("token", text(c.do("POST", tokens, form(c.keep("application secret", text(app, "client_secret"))), true), "access_token"))
	c.ask("POST", tokens, form(c.secret("wrong application secret")), false)
	c.do("GET", "/api/machines", nil, false, "Authorization", "Bearer "+token)
	c.ask("GET", "/api/machines", nil, false, "Authorization", "Bearer "+c.secret("wrong token"))
	more := c.do("POST", "/api/x/applications/"+text(app, "client_id")+"/secrets", map[string]any{"note": "second"}, true)
	c.keep("second application secret", text(more, "client_secret"))
	own := c.do("POST", "/api/x/me/tokens", map[string]any{"name": "mine", "permissions": []string{"Machine.Read.All"}, "days": 1}, true)
	c.keep("own token", text(own, "client_secret"))

	scim := c.keep("provisioning token", text(c.do("POST", "/api/x/sign-in/provisioning/token", nil, true), "secret"))
	c.do("GET", "/scim/v2/Users", nil, false, "Authorization", "Bearer "+scim)
	c.do("POST", "/scim/v2/Users", map[string]any{"userName": "bob", "password": c.secret("password that a directory sends")}, false, "Authorization", "Bearer "+scim)
	c.ask("GET", "/scim/v2/Users", nil, false, "Authorization", "Bearer "+c.secret("wrong provisioning token"))

	enrol := c.keep("enrolment token", text(c.do("POST", "/api/x/tokens", map[string]any{"note": "n", "max_uses": 5, "hours": 1}, true), "secret"))
	node := c.do("POST", c.srv.AgentURL+"/api/osquery/enroll", map[string]any{"enroll_secret": enrol, "host_identifier": "h", "platform_type": "9",
		"host_details": map[string]any{"system_info": map[string]any{"hostname": "h"}, "os_version": map[string]any{"name": "Debian"}}}, true)
	c.do("POST", c.srv.AgentURL+"/api/osquery/config", map[string]any{"node_key": c.keep("node key of osquery", text(node, "node_key"))}, false)
	c.ask("POST", c.srv.AgentURL+"/api/osquery/enroll", map[string]any{"enroll_secret": c.secret("wrong enrolment secret of osquery"), "host_identifier": "h"}, false)
	c.ask("POST", c.srv.AgentURL+"/api/osquery/config", map[string]any{"node_key": c.secret("wrong node key")}, false)
	c.ask("POST", c.srv.AgentURL+"/agent/v1/enroll", map[string]any{"version": 1, "token": c.secret("wrong enrolment token"), "csr": "x"}, false)
}

// delegates lets an application act for a person by a code in the browser and by
// one on a device, refreshes, and shows what was shown before.
func (c *canary) delegates() {
	const back = "https://portal.example/back"
	app := c.do("POST", "/api/x/applications", map[string]any{"name": "portal", "permissions": []string{}, "redirects": []string{back}, "delegated": []string{"Machine.Read.All"}, "device_code": true}, true)
	secret := c.keep("secret of an application that acts for people", text(app, "client_secret"))
	post := func(path string, once bool, form url.Values) map[string]any {
		form.Set("client_id", text(app, "client_id"))
		form.Set("client_secret", secret)
		code, raw, _ := c.ask("POST", path, form.Encode(), once)
		out := map[string]any{}
		if err := json.Unmarshal(raw, &out); err != nil {
			c.t.Fatalf("%s = %d %s", path, code, raw)
		}
		return out
	}
	const tokens = "/oauth2/v2.0/token"
	keep := func(what string, got map[string]any) string {
		c.keep("access token "+what, text(got, "access_token"))
		refresh := c.keep("refresh token "+what, text(got, "refresh_token"))
		for i, part := range strings.Split(refresh, ".") {
			c.keep(fmt.Sprintf("part %d of the refresh token %s", i, what), part)
		}
		return refresh
	}

	verifier := c.secret("code verifier") + "-long-enough-for-the-rules"
	sum := sha256.Sum256([]byte(verifier))
	_, _, sent := c.ask("GET", "/oauth2/v2.0/authorize?"+url.Values{"client_id": {text(app, "client_id")}, "redirect_uri": {back}, "response_type": {"code"}, "scope": {"Machine.Read offline_access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}.Encode(), nil, false)
	ask := mustURL(c.t, sent.Header.Get("Location")).Query().Get("ask")
	c.do("GET", "/api/x/me/consent?"+url.Values{"ask": {ask}}.Encode(), nil, false)
	code := c.keep("authorization code", mustURL(c.t, text(c.do("POST", "/api/x/me/consent", map[string]any{"ask": ask, "allow": true}, true), "address")).Query().Get("code"))
	redeem := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {verifier}}
	first := keep("for a code", post(tokens, true, redeem))
	second := keep("for a refresh token", post(tokens, true, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first}}))
	for _, again := range []url.Values{redeem, {"grant_type": {"refresh_token"}, "refresh_token": {first}}, {"grant_type": {"refresh_token"}, "refresh_token": {second}}} {
		if got := post(tokens, false, again); text(got, "error") != "invalid_grant" {
			c.t.Fatalf("what was shown before is answered by %v", got)
		}
	}

	device := post("/oauth2/v2.0/devicecode", true, url.Values{"scope": {"Machine.Read offline_access"}})
	c.keep("device code", text(device, "device_code"))
	user := c.keep("user code", text(device, "user_code"))
	c.keep("user code as it is stored", strings.ReplaceAll(user, "-", ""))
	c.do("GET", "/api/x/me/device?code="+user, nil, false)
	c.ask("GET", "/api/x/me/device?code="+c.keep("wrong user code", "BCDF-GHJK"), nil, false)
	c.do("POST", "/api/x/me/device", map[string]any{"code": user, "allow": true}, false)
	last := keep("for a device", post(tokens, true, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {text(device, "device_code")}}))
	c.do("GET", "/api/machines", nil, false, "Authorization", "Bearer "+c.secrets["access token for a device"])
	post("/oauth2/v2.0/revoke", false, url.Values{"token": {last}})
}

// places stores the credentials of other systems and uses them, at ones that
// say back all that they were told: those are errors that administrators read.
func (c *canary) places() {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(r.URL.Path, "/events") || strings.HasPrefix(r.URL.Path, "/hook") {
			c.hear("what is sent to "+r.URL.Path, body)
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"message":"refused: %s","errorMessages":["%s"],"error":{"message":"%s"}}`, r.Header.Get("Authorization"), r.Header.Get("Authorization"), r.Header.Get("Authorization"))
	}))
	c.t.Cleanup(echo.Close)
	taken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.hear("events forwarded", body)
	}))
	c.t.Cleanup(taken.Close)

	sso := map[string]any{"enabled": false, "name": "n", "issuer": echo.URL, "client_id": "c", "scopes": []string{}, "group_claim": "", "link_claim": "", "groups": []any{}, "require_group": false, "secret": c.secret("client secret of single sign-on")}
	c.do("PUT", "/api/x/sign-in/sso", sso, false)
	c.ask("POST", "/api/x/sign-in/sso/test", sso, false)

	for name, at := range map[string]string{"refusing": echo.URL + "/events", "taking": taken.URL + "/events"} {
		hook := map[string]any{"kind": "webhook", "name": name, "enabled": true, "classes": []string{"audit"}, "config": map[string]any{"url": at}, "secret": c.secret("signing key of a receiver, " + name)}
		c.do("POST", "/api/x/forwarding/"+text(c.do("POST", "/api/x/forwarding", hook, false), "id")+"/test", nil, false)
	}
	for kind, config := range map[string]map[string]any{
		"webhook":    {"url": echo.URL + "/hook"},
		"jira":       {"url": echo.URL, "user": "u@example.org", "project": "SEC", "issue": "Task", "api": "2"},
		"github":     {"url": echo.URL, "project": "o/r"},
		"servicenow": {"url": echo.URL, "user": "u", "project": "incident"},
		"email":      {"host": "127.0.0.1", "port": 1, "tls": "starttls", "user": "u", "from": "a@example.org", "to": []string{"b@example.org"}},
	} {
		in := map[string]any{"kind": kind, "name": kind, "enabled": true, "config": config, "secret": c.secret("credential of " + kind)}
		id := text(c.do("POST", "/api/x/ticketing", in, false), "id")
		c.do("POST", "/api/x/ticketing/"+id+"/test", nil, false)
		in["name"], in["secret"] = "", c.secret("refused credential of "+kind)
		c.ask("PUT", "/api/x/ticketing/"+id, in, false)
	}
}

// mistakes puts secrets where they do not belong: in bodies that cannot be read.
func (c *canary) mistakes() {
	doc := c.description()
	for _, target := range slices.Sorted(maps.Keys(doc)) {
		for method := range doc[target] {
			if method == "get" || strings.Contains(target, "{") {
				continue
			}
			up := strings.ToUpper(method)
			c.ask(up, "/api/x"+target, map[string]any{"password": c.secret("unknown field of " + up + " " + target)}, false)
			c.ask(up, "/api/x"+target, `{"secret":"`+c.secret("broken body of "+up+" "+target), false)
			c.ask(up, "/api/x"+target, []string{c.secret("list as body of " + up + " " + target)}, false)
		}
		if len(c.http.Jar.Cookies(mustURL(c.t, c.srv.URL))) == 0 {
			c.t.Fatalf("signed out by %s", target)
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// description is the paths of the API.
func (c *canary) description() map[string]map[string]any {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "api", "openapi.golden.json"))
	if err != nil {
		c.t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		c.t.Fatal(err)
	}
	delete(doc.Paths, "/session")         // signing out would end the run
	delete(doc.Paths["/me/prefs"], "put") // what a person's own console keeps is up to it
	delete(doc.Paths["/me/sessions"], "delete")
	delete(doc.Paths["/sign-in/provisioning/token"], "delete")
	delete(doc.Paths["/lockdown/lift"], "delete")
	return doc.Paths
}

// readAll reads every list and item that has no id in its path, and exports.
func (c *canary) readAll() {
	read := 0
	for _, target := range slices.Sorted(maps.Keys(c.description())) {
		if _, ok := c.description()[target]["get"]; !ok || strings.Contains(target, "{") || target == "/live" {
			continue
		}
		if code, _, _ := c.ask("GET", "/api/x"+target, nil, false); code == 401 {
			c.t.Fatalf("GET %s = 401: the session is gone", target)
		}
		read++
	}
	for _, target := range []string{"/api/x/session", "/api/x/audit?size=100", "/api/x/audit/export?format=jsonl", "/api/x/audit/export?format=csv", "/api/x/people/1", "/api/x/search?q=canary"} {
		c.ask("GET", target, nil, false)
	}
	if read < 40 {
		c.t.Errorf("only %d routes were read", read)
	}
	if !strings.Contains(string(c.said["GET "+c.srv.URL+"/api/x/audit/export?format=jsonl (200)"]), "make-provisioning-token") {
		c.t.Error("the audit log was not read")
	}
	err := rig.Wait(c.t.Context(), 30*time.Second, 100*time.Millisecond, func(context.Context) (bool, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		return strings.Contains(string(c.said["events forwarded"]), "make-provisioning-token"), nil
	})
	if err != nil {
		c.t.Errorf("the audit log is not forwarded: %v", err)
	}
}

// readFiles reads what is on disk: logs, and the directories of server and agent but for their keys.
func (c *canary) readFiles(dir string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Dir(path) == dir && !strings.HasSuffix(path, ".log") || slices.Contains([]string{"secrets.key", "ca.key", "identity.pem"}, d.Name()) {
			return err
		}
		raw, err := os.ReadFile(path)
		c.hear("file "+d.Name(), raw)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	log := string(c.said["file data.log"])
	if !strings.Contains(log, "provisioning token made") {
		c.t.Errorf("the log was not read: %.300s", log)
	}
}

// judge looks for every secret, as it is and as it is encoded, in all that was said.
func (c *canary) judge() {
	for what, v := range c.secrets {
		forms := map[string]string{"": v, " in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(v)), "="), " in hexadecimal": hex.EncodeToString([]byte(v)), " URL-encoded": url.QueryEscape(v)}
		for who, raw := range c.said {
			for how, form := range forms {
				if i := bytes.Index(raw, []byte(form)); i >= 0 {
					c.t.Errorf("%s%s is in %s: …%q…", what, how, who, raw[max(0, i-60):i])
				}
			}
		}
	}
}
