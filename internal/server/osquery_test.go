package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// nodeSite is a server with its agents' listener.
type nodeSite struct {
	t    *testing.T
	s    *Server
	addr string
	pool *x509.CertPool
}

func newNodeSite(t *testing.T) *nodeSite {
	t.Helper()
	s := testServer(t)
	cfg, err := s.AgentTLS()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: s.AgentHandler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(tls.NewListener(ln, cfg)) }() // it ends with Close
	t.Cleanup(func() { _ = srv.Close() })
	n := &nodeSite{t: t, s: s, addr: ln.Addr().String(), pool: x509.NewCertPool()}
	n.pool.AddCert(s.ca.cert)
	return n
}

func (n *nodeSite) token(uses int, life time.Duration) string {
	n.t.Helper()
	now := n.s.gate.now()
	secret, _, err := n.s.st.CreateToken(n.t.Context(), "osquery", "test", uses, now, now.Add(life))
	if err != nil {
		n.t.Fatal(err)
	}
	return secret
}

// ask posts JSON as osqueryd does: TLS 1.2, no certificate.
func (n *nodeSite) ask(path string, body any, header ...string) (status int, answer map[string]any) {
	n.t.Helper()
	raw, packed := body.([]byte)
	if !packed {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			n.t.Fatal(err)
		}
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.pool, MaxVersion: tls.VersionTLS12}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(n.t.Context(), http.MethodPost, "https://"+n.addr+path, bytes.NewReader(raw))
	if err != nil {
		n.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	_ = json.Unmarshal(text, &answer) // refusals are no JSON
	return resp.StatusCode, answer
}

// enroll makes a node and returns its key.
func (n *nodeSite) enroll(host string) string {
	n.t.Helper()
	_, a := n.ask("/api/osquery/enroll", map[string]any{"enroll_secret": n.token(1, time.Hour), "host_identifier": host,
		"host_details": map[string]any{"os_version": map[string]string{"platform": "debian", "name": "Debian GNU/Linux", "version": "12 (bookworm)", "major": "12", "arch": "x86_64"}, "system_info": map[string]string{"hostname": host}}})
	key, _ := a["node_key"].(string)
	if len(key) < 43 || a["node_invalid"] != false {
		n.t.Fatalf("enrolment = %v", a)
	}
	return key
}

func (n *nodeSite) devices() []DeviceRow {
	n.t.Helper()
	page, err := n.s.Devices(n.t.Context(), admin, Query{}, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return page.Items
}

func TestNodesAreKnownByTheirKeyAlone(t *testing.T) {
	n := newNodeSite(t)
	key := n.enroll("web")
	list := n.devices()
	if len(list) != 1 || list[0].Name != "web" || list[0].Source != "osquery" || list[0].OSPlatform != "Debian" || list[0].Health != "Active" {
		t.Fatalf("devices = %+v", list)
	}
	if again := n.enroll("web"); again == key || len(n.devices()) != 2 {
		t.Error("whoever names a host becomes it")
	}
	for _, wrong := range []string{"", "web", string(list[0].ID), key[1:] + key[:1], "null"} {
		for _, path := range []string{"/api/osquery/config", "/api/v1/osquery/log", "/api/osquery/distributed/read", "/api/osquery/distributed/write"} {
			code, a := n.ask(path, map[string]any{"node_key": wrong})
			if code != 200 || a["node_invalid"] != true || len(a) != 1 {
				t.Errorf("%s with %q = %d %v", path, wrong, code, a)
			}
		}
	}
	for range 10 {
		n.ask("/api/osquery/config", map[string]any{"node_key": "wrong"})
	}
	if code, _ := n.ask("/api/osquery/config", map[string]any{"node_key": "wrong"}); code != http.StatusTooManyRequests {
		t.Errorf("wrong keys without end = %d", code)
	}
	if _, a := n.ask("/api/osquery/config", map[string]any{"node_key": key}); a["node_invalid"] != false || len(a["schedule"].(map[string]any)) != 9 {
		t.Errorf("configuration = %v", a)
	}
	for _, row := range mustRows(t, n.s) {
		if bytes.Contains(row, []byte(key)) {
			t.Error("the store holds a node key")
		}
	}
}

// mustRows are the files of the store.
func mustRows(t *testing.T, s *Server) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir(), "*.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var out [][]byte
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, raw)
	}
	return out
}

func TestNodesNeedATokenThatCounts(t *testing.T) {
	n := newNodeSite(t)
	once, over := n.token(1, time.Hour), n.token(1, -time.Minute)
	enroll := func(secret string) bool {
		code, a := n.ask("/api/v1/osquery/enroll", map[string]any{"enroll_secret": secret, "host_identifier": "x"})
		if code != 200 {
			t.Fatalf("enrolment = %d %v", code, a)
		}
		return a["node_invalid"] == false
	}
	if enroll("") || enroll("wrong") || enroll(over) {
		t.Error("enrolled without a good token")
	}
	if !enroll(once) || enroll(once) {
		t.Error("a token for one device enrols one")
	}
	tokens, err := n.s.st.ListTokens(t.Context())
	if err != nil || !slices.ContainsFunc(tokens, func(k store.Token) bool { return k.Uses == 1 }) {
		t.Errorf("the use is not counted: %v, %v", tokens, err)
	}
}

func TestTLS12OpensNothingButOsquery(t *testing.T) {
	n := newNodeSite(t)
	for _, path := range []string{protocol.EnrollPath, protocol.SessionPath, "/", "/api/osquery", "/api/x/devices"} {
		if code, a := n.ask(path, map[string]any{"token": n.token(1, time.Hour)}); code != http.StatusForbidden || a["reason"] == "" {
			t.Errorf("POST %s by TLS 1.2 = %d %v", path, code, a)
		}
	}
	key := n.enroll("web")
	for _, path := range []string{"/api/machines", "/api/x/devices", "/api/osquery/carve/begin"} {
		if code, _ := n.ask(path, map[string]any{"node_key": key}, "Authorization", "Bearer "+key); code < 400 {
			t.Errorf("a node key opens %s: %d", path, code)
		}
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.pool, MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+n.addr+"/api/osquery/enroll", nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := tr.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

func TestMessagesOfNodesAreBounded(t *testing.T) {
	n := newNodeSite(t)
	key := n.enroll("web")
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.Copy(z, io.LimitReader(zeros{}, 200<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path string
		body []byte
		head []string
	}{
		"a bomb":           {"/api/osquery/log", bomb.Bytes(), []string{"Content-Encoding", "gzip"}},
		"no gzip":          {"/api/osquery/log", []byte(`{}`), []string{"Content-Encoding", "gzip"}},
		"no JSON":          {"/api/osquery/log", []byte(`x`), nil},
		"a large key":      {"/api/osquery/config", []byte(`{"node_key":"` + strings.Repeat("x", 100<<10) + `"}`), nil},
		"no rows":          {"/api/osquery/distributed/write", []byte(`{"node_key":"` + key + `","queries":{"picket_deb":{"a":1}}}`), nil},
		"a huge enrolment": {"/api/osquery/enroll", []byte(`{"enroll_secret":"` + strings.Repeat("x", 300<<10) + `"}`), nil},
	} {
		if code, a := n.ask(tt.path, tt.body, tt.head...); code != http.StatusBadRequest {
			t.Errorf("%s = %d %v", name, code, a)
		}
	}
	if code, _ := n.ask("/api/osquery/log", map[string]any{"node_key": key, "log_type": "status", "data": []any{}}); code != 200 {
		t.Errorf("a good message after them = %d", code)
	}
}

// What a message unpacks to is read as far as it may be and no further, and so
// is what comes packed and unpacks to nothing.
func TestMessagesOfNodesAreReadNoFurther(t *testing.T) {
	read := func(from io.Reader, most int64) error {
		r := httptest.NewRequest(http.MethodPost, "/", from)
		r.Header.Set("Content-Encoding", "gzip")
		_, err := nodeBody(httptest.NewRecorder(), r, most)
		return err
	}
	var bomb, nothing bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := io.Copy(z, io.LimitReader(zeros{}, 64<<20)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), gzip.NewWriter(&nothing).Close()); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := read(&bomb, maxNodeSmall)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; err == nil || used > 8<<20 {
		t.Errorf("a bomb: %v, %d MiB were allocated", err, used>>20)
	}
	endless := &counting{from: io.LimitReader(&again{what: nothing.Bytes()}, 3*maxNodePacked)}
	if err := read(endless, 1<<30); err == nil || endless.n > maxNodePacked+1<<20 {
		t.Errorf("packed nothing without end: %v after %d MiB", err, endless.n>>20)
	}
}

// counting counts what is read.
type counting struct {
	from io.Reader
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

// again reads the same without end.
type again struct {
	what []byte
	at   int
}

func (a *again) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		m := copy(p[n:], a.what[a.at:])
		n, a.at = n+m, (a.at+m)%len(a.what)
	}
	return n, nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// rows is a result of a question, as osqueryd logs it.
func rows(key, question string, list ...map[string]string) map[string]any {
	return map[string]any{"node_key": key, "log_type": "result", "data": []any{map[string]any{"name": "picket_" + question, "action": "snapshot", "snapshot": append([]map[string]string{}, list...)}}}
}

func TestReportsOfNodes(t *testing.T) {
	n := newNodeSite(t)
	ctx := t.Context()
	key := n.enroll("web")
	id := n.devices()[0].ID
	if _, a := n.ask("/api/osquery/distributed/read", map[string]any{"node_key": key}); len(a["queries"].(map[string]any)) != 9 {
		t.Errorf("a new node is asked %v", a)
	}
	if _, a := n.ask("/api/osquery/distributed/read", map[string]any{"node_key": key}); len(a["queries"].(map[string]any)) != 0 {
		t.Errorf("a node that was just asked is asked again: %v", a)
	}
	if code, a := n.ask("/api/osquery/log", rows(key, "deb", map[string]string{"name": "bash", "version": "5.2.15-2+b8", "source": "bash (5.2.15-2)", "arch": "amd64", "status": "install ok installed"})); code != 200 || a["node_invalid"] != false {
		t.Fatalf("log = %d %v", code, a)
	}
	d, err := n.s.Device(ctx, admin, string(id))
	if err != nil || d.Software != 1 || d.Source != "osquery" {
		t.Fatalf("device = %+v, %v", d, err)
	}
	of := map[inventory.SectionName]SectionRow{}
	for _, sec := range d.Sections {
		of[sec.Name] = sec
	}
	if of[inventory.DPKG].Status != inventory.Complete || of[inventory.SSHD].Status != inventory.Partial || of[inventory.SSHD].Reason == "" || of[inventory.RPM].Name != "" {
		t.Errorf("sections = %+v", of)
	}
	changed := of[inventory.DPKG].Changed
	if code, _ := n.ask("/api/osquery/log", rows(key, "deb", map[string]string{"name": "bash", "version": "5.2.15-2+b8", "source": "bash (5.2.15-2)", "arch": "amd64", "status": "install ok installed"})); code != 200 {
		t.Fatal(code)
	}
	if d, err = n.s.Device(ctx, admin, string(id)); err != nil {
		t.Fatal(err)
	}
	for _, sec := range d.Sections {
		if sec.Name == inventory.DPKG && !sec.Changed.Equal(changed) {
			t.Error("the same rows are a change")
		}
	}
	if code, _ := n.ask("/api/osquery/log", rows(key, "users", map[string]string{"username": "ada", "uid": "1000"})); code != 200 {
		t.Fatal(code)
	}
	if d, err = n.s.Device(ctx, admin, string(id)); err != nil || len(d.Users) != 1 || d.Users[0].Name != "ada" {
		t.Errorf("users = %+v, %v", d.Users, err)
	}
	if code, _ := n.ask("/api/osquery/log", rows(key, "deb")); code != 200 {
		t.Fatal(code)
	}
	if d, err = n.s.Device(ctx, admin, string(id)); err != nil || d.Software != 0 {
		t.Errorf("software that went is still there: %d, %v", d.Software, err)
	}
	if err := n.s.RemoveDevice(ctx, admin, string(id)); err != nil {
		t.Fatal(err)
	}
	if _, a := n.ask("/api/osquery/config", map[string]any{"node_key": key}); a["node_invalid"] != true {
		t.Errorf("the key of a removed device holds: %v", a)
	}
}

// osqueryd finds the real program, which scripts/test-deps.sh installs.
func osqueryd(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	path := os.Getenv("PICKET_OSQUERYD")
	if path == "" && err == nil {
		path = filepath.Join(cache, "picket-test", "osqueryd-5.20.0")
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("osqueryd is not there, and in CI this check may not be skipped: %v", err)
		}
		t.Skipf("osqueryd is not there (scripts/test-deps.sh installs it): %v", err)
	}
	return path
}

// The real osqueryd becomes a device with the packages of this machine.
func TestRealOsquery(t *testing.T) {
	if testing.Short() {
		t.Skip("once, without the race detector")
	}
	program := osqueryd(t)
	n := newNodeSite(t)
	dir := t.TempDir()
	for name, text := range map[string][]byte{"secret": []byte(n.token(1, time.Hour)), "ca.pem": n.s.ca.pem} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := func() func() {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, program, "--ephemeral=false", "--database_path="+filepath.Join(dir, "db"), "--pidfile="+filepath.Join(dir, "pid"), "--extensions_socket="+filepath.Join(dir, "em"),
			"--logger_path="+dir, "--disable_watchdog", "--tls_hostname="+n.addr, "--tls_server_certs="+filepath.Join(dir, "ca.pem"), "--enroll_secret_path="+filepath.Join(dir, "secret"),
			"--enroll_tls_endpoint=/api/osquery/enroll", "--config_plugin=tls", "--config_tls_endpoint=/api/osquery/config", "--logger_plugin=tls", "--logger_tls_endpoint=/api/osquery/log",
			"--logger_tls_compress", "--logger_tls_period=1", "--disable_distributed=false", "--distributed_plugin=tls", "--distributed_interval=1", "--distributed_tls_read_endpoint=/api/osquery/distributed/read",
			"--distributed_tls_write_endpoint=/api/osquery/distributed/write", "--host_identifier=hostname")
		var log bytes.Buffer
		cmd.Stderr = &log
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 10 * time.Second
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return func() {
			cancel()
			if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) && cmd.ProcessState.ExitCode() > 0 && t.Failed() {
				t.Logf("osqueryd ended with %v: %s", err, log.String())
			}
		}
	}
	stop := start()
	defer func() { stop() }()
	var d Device
	end := time.Now().Add(90 * time.Second)
	for {
		if list := n.devices(); len(list) == 1 {
			var err error
			if d, err = n.s.Device(t.Context(), admin, string(list[0].ID)); err != nil {
				t.Fatal(err)
			}
			if len(d.Users) > 0 && d.Software > 0 && len(d.Interfaces) > 0 {
				break
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no inventory: %+v", n.devices())
		}
		time.Sleep(200 * time.Millisecond)
	}
	if d.Source != "osquery" || d.Health != "Active" || d.Kernel.Release == "" || d.Hardware.MemoryBytes == 0 {
		t.Errorf("device = %+v", d)
	}
	sections, err := n.s.st.Sections(t.Context(), n.s.core.byID[d.ID])
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("dpkg-query", "-W", "-f", "${Package}:${Architecture} ${Version} ${source:Package} ${source:Version}\n").Output()
	if err != nil {
		t.Skipf("no dpkg to compare with: %v", err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[name] = rest
	}
	for _, it := range sections[inventory.DPKG].Items {
		var p inventory.Package
		if err := json.Unmarshal(it.Value, &p); err != nil {
			t.Fatal(err)
		}
		if got := p.Version + " " + p.Source + " " + p.SourceVersion; !p.Residual && want[it.Key] != got {
			t.Errorf("%s is %q, dpkg says %q", it.Key, got, want[it.Key])
		}
	}
	if len(sections[inventory.DPKG].Items) < len(want) {
		t.Errorf("%d packages, dpkg has %d", len(sections[inventory.DPKG].Items), len(want))
	}
	// Started again it is the same device; when the server forgets it, it enrols again by itself.
	stop()
	stop = start()
	time.Sleep(3 * time.Second)
	if list := n.devices(); len(list) != 1 {
		t.Errorf("%d devices after a restart", len(list))
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(n.token(1, time.Hour)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.s.RemoveDevice(t.Context(), admin, string(d.ID)); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(60 * time.Second); ; {
		list := n.devices()
		if len(list) == 1 && list[0].ID != d.ID {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("it does not enrol again: %+v", list)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
