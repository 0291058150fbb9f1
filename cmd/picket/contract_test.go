package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	programs "github.com/picketsec/picket/internal/rig"
)

// The tests of this file run the two built programs and speak to them over
// their sockets only, as people and scripts do.

var build struct {
	once sync.Once
	dir  string
	err  error
}

// TestMain removes the programs that the tests built.
func TestMain(m *testing.M) {
	code := m.Run()
	if build.dir != "" {
		_ = os.RemoveAll(build.dir)
	}
	os.Exit(code)
}

// binaries builds both programs once and returns their directory.
func binaries(t *testing.T) string {
	t.Helper()
	build.once.Do(func() {
		if build.dir, build.err = os.MkdirTemp("", "picket-bin"); build.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", build.dir, "../picket", "../picket-agent")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			build.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.dir
}

// picket runs a command to its end and returns stdout.
func picket(t *testing.T, args ...string) string {
	t.Helper()
	out, errText, code := picketCode(t, args...)
	if code != 0 {
		t.Fatalf("picket %s: exit %d: %s", strings.Join(args, " "), code, errText)
	}
	return strings.TrimSpace(out)
}

func picketCode(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return runCode(t, filepath.Join(binaries(t), "picket"), args...)
}

func runCode(t *testing.T, bin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// rig is a running server with an application's token.
type rig struct {
	t                    *testing.T
	data, console, agent string
	token                string
	cmd                  *exec.Cmd
	stderr               *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func freePort(t *testing.T) string {
	t.Helper()
	at, err := programs.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// startServer starts "picket server" on a new data directory.
func startServer(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, data: filepath.Join(t.TempDir(), "data"), console: freePort(t), agent: freePort(t)}
	r.start()
	t.Cleanup(r.stop)
	r.authorise()
	return r
}

// authorise gets the token of a new application.
func (r *rig) authorise() {
	t := r.t
	t.Helper()
	var app struct{ TenantID, ClientID, ClientSecret string }
	if err := json.Unmarshal([]byte(picket(t, "app", "create", "--data", r.data, "--name", "test")), &app); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret}, "scope": {"https://api/.default"}}
	resp, err := http.PostForm("http://"+r.console+"/"+app.TenantID+"/oauth2/v2.0/token", form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var tok struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&tok); err != nil || tok.TokenType != "Bearer" || tok.ExpiresIn < 60 || strings.Count(tok.AccessToken, ".") != 2 {
		t.Fatalf("token answer %d: %+v, %v", resp.StatusCode, tok, err)
	}
	r.token = tok.AccessToken
}

func (r *rig) start() {
	r.t.Helper()
	r.stderr = &lockedBuffer{}
	r.cmd = exec.Command(filepath.Join(binaries(r.t), "picket"), "server", "--data", r.data, "--listen", r.console, "--agent-listen", r.agent)
	r.cmd.Stderr = r.stderr
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	eventually(r.t, "the server answers", func() bool {
		resp, err := http.Get("http://" + r.console + "/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (r *rig) stop() {
	if r.cmd.ProcessState != nil {
		return
	}
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("server ended with %v: %s", err, r.stderr)
	}
}

// eventually waits up to 20 s for ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain: %s", what)
		}
		<-tick.C
	}
}

// get reads a path of the API into v and returns the status.
func (r *rig) get(path string, v any) int {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+r.console+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(body, v); err != nil {
			r.t.Fatalf("GET %s: %d %q: %v", path, resp.StatusCode, body, err)
		}
	}
	return resp.StatusCode
}

// values reads a list of the Defender-compatible API.
func (r *rig) values(path string) []map[string]any {
	r.t.Helper()
	var page struct {
		Value []map[string]any `json:"value"`
	}
	if code := r.get(path, &page); code != http.StatusOK {
		r.t.Fatalf("GET %s: %d", path, code)
	}
	return page.Value
}

func (r *rig) ids(path string) []string {
	r.t.Helper()
	out := []string{}
	for _, v := range r.values(path) {
		out = append(out, v["id"].(string))
	}
	slices.Sort(out)
	return out
}

// root writes a root file system of Debian 12 with the given dpkg status.
func root(t *testing.T, dir, status string) {
	t.Helper()
	files := map[string]string{
		"etc/os-release":      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
		"etc/hostname":        "rooted\n",
		"var/lib/dpkg/status": status,
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		tmp := path + ".new"
		if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
	}
}

func statusOf(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		f := strings.Fields(p)
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nMaintainer: Test <t@debian.org>\nArchitecture: amd64\nVersion: %s\n", f[0], f[1])
		if len(f) > 2 {
			fmt.Fprintf(&b, "Source: %s\n", f[2])
		}
		b.WriteString("Description: test package\n\n")
	}
	return b.String()
}

const tracker = `{"openssl": {
  "CVE-2024-0001": {"scope": "remote", "description": "First.", "releases": {"bookworm": {"status": "resolved", "fixed_version": "3.0.2-1", "urgency": "high", "repositories": {}}}},
  "CVE-2024-0002": {"releases": {"bookworm": {"status": "open", "urgency": "unimportant", "repositories": {}}}},
  "CVE-2024-0003": {"releases": {"bookworm": {"status": "open", "nodsa": "Minor issue", "nodsa_reason": "", "urgency": "low", "repositories": {}}}},
  "CVE-2024-0004": {"releases": {"bookworm": {"status": "undetermined", "urgency": "not yet assigned", "repositories": {}}}},
  "CVE-2024-0005": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "0", "urgency": "not yet assigned", "repositories": {}}}}}}`

// From an empty directory to findings of another root, and on to their
// closure: every step by the contract's commands.
func TestContractPath(t *testing.T) {
	r := startServer(t)
	tree := filepath.Join(t.TempDir(), "root")
	root(t, tree, statusOf("libssl3 3.0.1-1 openssl", "bash 5.2-1"))
	if got := r.values("/api/machines"); len(got) != 0 {
		t.Fatalf("machines of a new server = %v, want none", got)
	}
	if text := picket(t, "intel", "status", "--data", r.data); !strings.Contains(text, "no intelligence is loaded") {
		t.Errorf("intelligence of a new server: %s", text)
	}

	feed := filepath.Join(t.TempDir(), "tracker-2026-06-30.json")
	if err := os.WriteFile(feed, []byte(tracker), 0o600); err != nil {
		t.Fatal(err)
	}
	picket(t, "intel", "import", "--data", r.data, feed)

	state := filepath.Join(t.TempDir(), "deep", "state")
	once := []string{"run", "--server", "https://" + r.agent, "--ca", filepath.Join(r.data, "ca.pem"), "--state", state, "--root", tree, "--once"}
	token := picket(t, "enroll-token", "create", "--data", r.data)
	agentBin := filepath.Join(binaries(t), "picket-agent")
	if out, errText, code := runCode(t, agentBin, append(once, "--token", token)...); code != 0 {
		t.Fatalf("agent: exit %d: %s%s", code, out, errText)
	}
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("state directory: %v, %v, want mode 0700", info, err)
	}
	machines := r.ids("/api/v1.0/Machines/")
	if len(machines) != 1 || len(machines[0]) != 40 {
		t.Fatalf("machines = %v, want one id of 40 digits", machines)
	}
	id := machines[0]
	want := []string{"CVE-2024-0001", "CVE-2024-0003"} // not: unimportant, undetermined, not affected
	if got := r.ids("/api/machines/" + id + "/vulnerabilities"); !slices.Equal(got, want) {
		t.Errorf("vulnerabilities = %v, want %v", got, want)
	}
	if got := r.ids("/api/vulnerabilities"); !slices.Equal(got, want) {
		t.Errorf("vulnerabilities of all = %v, want %v", got, want)
	}
	if got := r.ids("/api/machines/" + id + "/software"); !slices.Equal(got, []string{"debian-_-bash", "debian-_-openssl"}) {
		t.Errorf("software = %v", got)
	}
	explained := picket(t, "explain", "--data", r.data, id, "CVE-2024-0001")
	for _, part := range []string{"3.0.1-1", "3.0.2-1", "debian-tracker", "libssl3"} {
		if !strings.Contains(explained, part) {
			t.Errorf("explain does not mention %q:\n%s", part, explained)
		}
	}

	root(t, tree, statusOf("libssl3 3.0.2-1 openssl"))
	if out, errText, code := runCode(t, agentBin, once...); code != 0 { // enrolled: no token
		t.Fatalf("agent, second time: exit %d: %s%s", code, out, errText)
	}
	if got := r.ids("/api/machines/" + id + "/vulnerabilities"); !slices.Equal(got, []string{"CVE-2024-0003"}) {
		t.Errorf("vulnerabilities after upgrade = %v", got)
	}

	// The same after a restart, and admin commands without a server.
	r.stop()
	picket(t, "enroll-token", "create", "--data", r.data)
	picket(t, "intel", "status", "--data", r.data, "--json")
	r.start()
	if got := r.ids("/api/machines/" + id + "/vulnerabilities"); !slices.Equal(got, []string{"CVE-2024-0003"}) {
		t.Errorf("vulnerabilities after restart = %v", got)
	}
}

// A running agent notices a change of the package database by itself.
func TestChangeReachesTheAPI(t *testing.T) {
	r := startServer(t)
	feed := filepath.Join(t.TempDir(), "tracker-2026-06-30.json")
	if err := os.WriteFile(feed, []byte(tracker), 0o600); err != nil {
		t.Fatal(err)
	}
	picket(t, "intel", "import", "--data", r.data, feed)
	tree := filepath.Join(t.TempDir(), "root")
	root(t, tree, statusOf("libssl3 3.0.1-1 openssl"))
	agent := exec.Command(filepath.Join(binaries(t), "picket-agent"), "run", "--server", "https://"+r.agent, "--ca", filepath.Join(r.data, "ca.pem"),
		"--state", filepath.Join(t.TempDir(), "state"), "--root", tree, "--token", picket(t, "enroll-token", "create", "--data", r.data))
	var text lockedBuffer
	agent.Stderr = &text
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = agent.Process.Signal(syscall.SIGTERM)
		if err := agent.Wait(); err != nil {
			t.Errorf("agent ended with %v: %s", err, &text)
		}
	}()
	var id string
	eventually(t, "the device reports a finding", func() bool {
		ids := r.ids("/api/machines")
		if len(ids) == 1 {
			id = ids[0]
		}
		return id != "" && len(r.ids("/api/machines/"+id+"/vulnerabilities")) == 2
	})
	root(t, tree, statusOf("libssl3 3.0.2-1 openssl"))
	eventually(t, "the upgrade closes the finding", func() bool {
		return slices.Equal(r.ids("/api/machines/"+id+"/vulnerabilities"), []string{"CVE-2024-0003"})
	})
	root(t, tree, statusOf("libssl3 3.0.1-1 openssl"))
	eventually(t, "the downgrade opens it again", func() bool {
		return len(r.ids("/api/machines/"+id+"/vulnerabilities")) == 2
	})
}

// Every path under /api/ asks who is there before it says what exists.
func TestContractStatuses(t *testing.T) {
	r := startServer(t)
	token := r.token
	for _, path := range []string{"/api/machines", "/api/nothing", "/api/x/devices", "/api/x/nothing", "/api/v1.0/machines", "/api/"} {
		r.token = ""
		if code := r.get(path, nil); code != http.StatusUnauthorized {
			t.Errorf("GET %s without a token: %d, want 401", path, code)
		}
	}
	r.token = token
	for _, path := range []string{"/api/nothing", "/api/v1.0/nothing", "/api/x/nothing", "/api/x/devices/nothing/at/all", "/api/machines/0000000000000000000000000000000000000000"} {
		var e struct {
			Error struct{ Code, Message, Target string }
		}
		if code := r.get(path, &e); code != http.StatusNotFound || e.Error.Code == "" || e.Error.Target == "" {
			t.Errorf("GET %s: %d %+v, want 404 in the error shape", path, code, e)
		}
	}
	for _, args := range [][]string{{}, {"nothing"}, {"server"}, {"server", "--data", t.TempDir(), "--listen", "0.0.0.0:0"}} {
		if _, text, code := picketCode(t, args...); code != exitUsage || text == "" {
			t.Errorf("picket %v: exit %d, %q, want %d and a reason", args, code, text, exitUsage)
		}
	}
	if _, text, code := picketCode(t, "intel", "import", "--data", r.data, "/nonexistent"); code != exitFailure || text == "" {
		t.Errorf("import of a missing path: exit %d, %q, want %d and a reason", code, text, exitFailure)
	}
}

// What "make run" prints: the only loopback URL is the last line of stdout.
func TestDemoPrintsOneLink(t *testing.T) {
	cmd := exec.Command(filepath.Join(binaries(t), "picket"), "demo", "--simulated", "3", "--data", filepath.Join(t.TempDir(), "demo"), "--listen", freePort(t), "--agent-listen", freePort(t))
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil {
			t.Errorf("demo ended with %v: %s", err, &stderr)
		}
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no link: %v: %s", err, &stderr)
	}
	link, err := url.Parse(strings.TrimSuffix(line, "\n"))
	if err != nil || link.Scheme != "http" || link.Hostname() != "localhost" || link.Fragment == "" {
		t.Fatalf("last line %q is not a sign-in link", line)
	}
	if text := stderr.String(); strings.Contains(text, "localhost:") || strings.Contains(text, "127.0.0.1:") {
		t.Errorf("stderr holds another loopback address:\n%s", text)
	}
	base := "http://" + link.Host
	for range 2 { // a GET consumes nothing
		resp, err := http.Get(base + link.Path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	redeem := func() int {
		resp, err := http.Post(base+"/api/x/session/redeem", "application/json", strings.NewReader(`{"token":"`+link.Fragment+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if first, second := redeem(), redeem(); first != http.StatusOK || second != http.StatusUnauthorized {
		t.Errorf("redeeming the link twice: %d, %d, want 200, 401", first, second)
	}
}
