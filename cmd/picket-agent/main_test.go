//go:build !windows

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

// TestMain lets the test binary be the agent, so that tests can kill it.
func TestMain(m *testing.M) {
	if os.Getenv("PICKET_TEST_IS_AGENT") != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr, unrestrained)
		stop()
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// unrestrained leaves the process of the test as it is.
func unrestrained(string, *slog.Logger) func() { return func() {} }

var admin = server.Caller{Name: "test", Admin: true}

// house is a real server on a real port, that can go away and come back.
type house struct {
	t    *testing.T
	dir  string
	addr string
	s    *server.Server
	stop func()
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: filepath.Join(t.TempDir(), "server"), addr: "127.0.0.1:0"}
	h.up()
	t.Cleanup(func() {
		if h.stop != nil {
			h.down()
		}
	})
	return h
}

func (h *house) up() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := net.Listen("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	s, err := server.Open(ctx, server.Options{Dir: h.dir, Log: slog.New(slog.DiscardHandler), AgentAddr: h.addr})
	if err != nil {
		h.t.Fatal(err)
	}
	cfg, err := s.AgentTLS()
	if err != nil {
		h.t.Fatal(err)
	}
	srv := &http.Server{Handler: s.AgentHandler(), BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), ReadHeaderTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(tls.NewListener(ln, cfg)) }) // ends with srv.Close
	wg.Go(func() { _ = s.Run(ctx) })                          // ends with ctx
	h.s = s
	h.stop = func() {
		cancel()
		if err := srv.Close(); err != nil {
			h.t.Error(err)
		}
		wg.Wait()
		h.wait("sessions to end", func() bool {
			page, err := s.Devices(context.Background(), admin, server.Query{}, func(d *server.DeviceRow) bool { return d.Connected })
			return err == nil && page.Total == 0
		})
		if err := s.Close(); err != nil {
			h.t.Error(err)
		}
	}
}

func (h *house) down() { h.stop(); h.stop = nil }

func (h *house) wait(what string, ok func() bool) {
	h.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	h.t.Fatalf("waited too long for %s", what)
}

func (h *house) token(uses int) string {
	h.t.Helper()
	secret, _, err := h.s.CreateToken(context.Background(), admin, "", uses, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	return secret
}

func (h *house) devices() []server.DeviceRow {
	h.t.Helper()
	page, err := h.s.Devices(context.Background(), admin, server.Query{}, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return page.Items
}

// versions returns the installed versions of a product on a device.
func (h *house) versions(id inventory.DeviceID, name string) string {
	page, err := h.s.DeviceSoftware(context.Background(), admin, string(id), server.Query{})
	if err != nil {
		return ""
	}
	for _, r := range page.Items {
		if r.Name == name {
			return r.Version
		}
	}
	return ""
}

// tree is a small root file system with a dpkg database.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) *tree {
	t.Helper()
	r := &tree{t: t, dir: t.TempDir()}
	for _, d := range []string{"etc", "var/lib/dpkg"} {
		if err := os.MkdirAll(filepath.Join(r.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nNAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")
	r.write("etc/machine-id", strings.Repeat("0123456789abcdef", 2)+"\n")
	r.write("etc/hostname", "tree\n")
	r.set("1.0-1")
	return r
}

// write replaces a file by rename, as package managers do.
func (r *tree) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path+"-new", []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+"-new", path); err != nil {
		r.t.Fatal(err)
	}
}

// set installs a version of the package "probe".
func (r *tree) set(version string) {
	r.t.Helper()
	r.write("var/lib/dpkg/status", fmt.Sprintf("Package: probe\nStatus: install ok installed\nArchitecture: amd64\nVersion: %s\nMaintainer: T <t@example>\nDescription: a probe\n\n", version))
}

// run runs the program in this process until it ends.
func run(t *testing.T, args ...string) (code int, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	var errs bytes.Buffer
	code = Main(ctx, args, func(string) string { return "" }, io.Discard, &errs, unrestrained)
	return code, errs.String()
}

func (h *house) args(state, token string, more ...string) []string {
	a := []string{"run", "--server", "https://" + h.addr, "--ca", filepath.Join(h.dir, "ca.pem"), "--state", state}
	if token != "" {
		a = append(a, "--token", token)
	}
	return append(a, more...)
}

// start runs the program in this process in the background.
func (h *house) start(args ...string) (stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, args, func(string) string { return "" }, io.Discard, io.Discard, unrestrained)
	}()
	var once sync.Once
	code := 0
	stop = func() int {
		once.Do(func() { cancel(); code = <-done })
		return code
	}
	h.t.Cleanup(func() { stop() })
	return stop
}

func TestOnceReportsAndComesBack(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	state := filepath.Join(t.TempDir(), "a", "b", "state")
	if code, text := run(t, h.args(state, h.token(1), "--root", r.dir, "--once")...); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	devices := h.devices()
	if len(devices) != 1 || devices[0].Name != "tree" || devices[0].OSVersion != "12" {
		t.Fatalf("devices = %+v", devices)
	}
	id := devices[0].ID
	if got := h.versions(id, "probe"); got != "1.0-1" {
		t.Errorf("probe %q", got)
	}
	r.set("1.0-2")
	if code, text := run(t, h.args(state, "", "--root", r.dir, "--once")...); code != 0 {
		t.Fatalf("second run: exit %d: %s", code, text)
	}
	if got := h.versions(id, "probe"); got != "1.0-2" || len(h.devices()) != 1 {
		t.Errorf("probe %q, %d devices", got, len(h.devices()))
	}
	// The key is the device: without the certificate, without a token, it is the same one.
	for _, name := range []string{"session.json", "sections", "spool"} {
		if err := os.RemoveAll(filepath.Join(state, name)); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(state, "identity.pem"))
	if err != nil {
		t.Fatal(err)
	}
	key, _, _ := strings.Cut(string(raw), "-----BEGIN CERTIFICATE")
	if err := os.WriteFile(filepath.Join(state, "identity.pem"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := run(t, h.args(state, "", "--root", r.dir, "--once")...); code != 0 {
		t.Fatalf("with the key alone: exit %d: %s", code, text)
	}
	if got := h.devices(); len(got) != 1 || got[0].ID != id {
		t.Errorf("devices = %+v", got)
	}
	err = filepath.WalkDir(state, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", p, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestExitCodes(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	other := newHouse(t)
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	fresh := func() string { return filepath.Join(t.TempDir(), "state") }
	used := h.token(1)
	if code, text := run(t, h.args(fresh(), used, "--root", r.dir, "--once")...); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	for _, tt := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"nothing", nil, 2, "picket-agent run"},
		{"unknown command", []string{"walk"}, 2, "not a command"},
		{"unknown flag", []string{"run", "--fast"}, 2, "fast"},
		{"no server", []string{"run", "--ca", "x", "--state", fresh()}, 2, "--server"},
		{"plain http", []string{"run", "--server", "http://x:1", "--ca", "x", "--state", fresh()}, 2, "https://"},
		{"no authority", []string{"run", "--server", "https://x:1", "--ca", "/nonexistent", "--state", fresh()}, 2, "--ca"},
		{"disk for events that is no number", h.args(fresh(), "x", "--event-disk", "1G"), 2, "not a number of MiB"},
		{"too little disk for events", h.args(fresh(), "x", "--event-disk", "15"), 2, "16 to 4096 MiB"},
		{"no root", h.args(fresh(), "x", "--root", "/nonexistent"), 2, "--root"},
		{"open state directory", h.args(open, "x", "--once"), 3, "chmod"},
		{"linked state directory", h.args(link, "x", "--once"), 3, "symbolic link"},
		{"release without a state directory", []string{"release"}, 2, "--state"},
		{"release of an open state directory", []string{"release", "--state", open}, 3, "chmod"},
		{"release of no state directory", []string{"release", "--state", fresh()}, 3, "no such file"},
		{"restore of a linked state directory", []string{"restore", "--state", link}, 3, "symbolic link"},
		{"no token", h.args(fresh(), "", "--root", r.dir, "--once"), 4, "no enrolment token"},
		{"wrong token", h.args(fresh(), "pkt_AAAAAAAAAAAAAAAAAAAAAAAAAA", "--root", r.dir, "--once"), 4, "not known"},
		{"used token", h.args(fresh(), used, "--root", r.dir, "--once"), 4, "used up"},
		{"other authority", []string{"run", "--server", "https://" + h.addr, "--ca", filepath.Join(other.dir, "ca.pem"), "--state", fresh(), "--token", used, "--root", r.dir, "--once"}, 5, "certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, text := run(t, tt.args...)
			if code != tt.code || !strings.Contains(text, tt.text) {
				t.Errorf("exit %d, want %d with %q: %s", code, tt.code, tt.text, text)
			}
		})
	}
}

func TestStateIsUsedByOneAgent(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	state := filepath.Join(t.TempDir(), "state")
	h.start(h.args(state, h.token(1), "--root", r.dir)...)
	h.wait("the device", func() bool { return len(h.devices()) == 1 })
	if code, text := run(t, h.args(state, "", "--root", r.dir, "--once")...); code != 3 || !strings.Contains(text, "in use") {
		t.Errorf("exit %d: %s", code, text)
	}
}

func TestChangeIsThereInTwoSeconds(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	h.start(h.args(filepath.Join(t.TempDir(), "state"), h.token(1), "--root", r.dir)...)
	h.wait("the first report", func() bool { d := h.devices(); return len(d) == 1 && h.versions(d[0].ID, "probe") == "1.0-1" })
	id := h.devices()[0].ID
	for i := range 3 {
		want := fmt.Sprintf("2.0-%d", i)
		start := time.Now()
		r.set(want)
		h.wait(want, func() bool { return h.versions(id, "probe") == want })
		took := time.Since(start)
		t.Logf("change to index: %v", took.Round(time.Millisecond))
		if took > 10*time.Second {
			t.Errorf("change took %v", took)
		}
	}
}

// What no file notice tells of is there soon after a nudge, and not hours later.
func TestNudgeMakesItLook(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	stop := h.start(h.args(filepath.Join(t.TempDir(), "state"), h.token(1), "--root", r.dir)...)
	h.wait("the first report", func() bool {
		d := h.devices()
		return len(d) == 1 && d[0].Connected && h.versions(d[0].ID, "probe") == "1.0-1"
	})
	id := h.devices()[0].ID
	if err := os.MkdirAll(filepath.Join(r.dir, "srv/app/node_modules/left-pad"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.write("srv/app/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0"}`)
	if _, _, err := h.s.Nudge(t.Context(), admin, string(id), ""); err != nil {
		t.Fatal(err)
	}
	h.wait("what the agent sees", func() bool { return h.versions(id, "left-pad") == "1.3.0" })
	stop()
	h.wait("the end of the session", func() bool { return !h.devices()[0].Connected })
	if _, _, err := h.s.Nudge(t.Context(), admin, string(id), ""); !errors.Is(err, server.ErrUnavailable) {
		t.Errorf("an agent that is away: %v", err)
	}
}

func TestServerAbsence(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	state := filepath.Join(t.TempDir(), "state")
	stop := h.start(h.args(state, h.token(1), "--root", r.dir)...)
	h.wait("the first report", func() bool { d := h.devices(); return len(d) == 1 && h.versions(d[0].ID, "probe") == "1.0-1" })
	id := h.devices()[0].ID
	h.down()
	r.set("1.0-3")
	waitSpool(t, state)
	stop() // the agent restarts while the server is away
	r.set("1.0-4")
	h.start(h.args(state, "", "--root", r.dir)...)
	h.up()
	h.wait("the change", func() bool { return h.versions(id, "probe") == "1.0-4" })
	if len(h.devices()) != 1 {
		t.Errorf("%d devices", len(h.devices()))
	}
}

// waitSpool waits until a change is in the spool.
func waitSpool(t *testing.T, state string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		list, err := filepath.Glob(filepath.Join(state, "spool", "*.seg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if info, err := os.Stat(p); err == nil && info.Size() > 0 {
				return
			}
		}
	}
	t.Fatal("no change in the spool")
}

func TestCopiedStateDirectoryIsForked(t *testing.T) {
	h, r := newHouse(t), newTree(t)
	state := filepath.Join(t.TempDir(), "state")
	h.start(h.args(state, h.token(1), "--root", r.dir)...)
	h.wait("the first report", func() bool {
		d := h.devices()
		return len(d) == 1 && d[0].Connected && h.versions(d[0].ID, "probe") == "1.0-1"
	})
	id := h.devices()[0].ID
	copied := filepath.Join(t.TempDir(), "copied")
	// The agent works while it is copied: a file that goes away is tried again.
	h.wait("the copy", func() bool {
		return os.RemoveAll(copied) == nil && exec.Command("/bin/cp", "-a", state, copied).Run() == nil
	})
	elsewhere := newTree(t)
	elsewhere.set("7.0-1")
	if code, text := run(t, h.args(copied, "", "--root", elsewhere.dir, "--once")...); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	devices := h.devices()
	if len(devices) != 2 {
		t.Fatalf("devices = %+v", devices)
	}
	for _, d := range devices {
		switch {
		case d.ID == id && (d.CloneOf != "" || h.versions(d.ID, "probe") != "1.0-1"):
			t.Errorf("the original = %+v", d)
		case d.ID != id && (d.CloneOf != string(id) || h.versions(d.ID, "probe") != "7.0-1"):
			t.Errorf("the clone = %+v", d)
		}
	}
	// The copy stays who it has become.
	if code, text := run(t, h.args(copied, "", "--root", elsewhere.dir, "--once")...); code != 0 || len(h.devices()) != 2 {
		t.Errorf("exit %d, %d devices: %s", code, len(h.devices()), text)
	}
}

// TestKilledAtAnyMoment kills the agent with SIGKILL again and again while the
// package changes. What it holds in the end is what the server has, on one
// device, and the state directory never becomes unusable.
func TestKilledAtAnyMoment(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	h, r := newHouse(t), newTree(t)
	state := filepath.Join(t.TempDir(), "state")
	token := h.token(1)
	rnd := rand.New(rand.NewPCG(1, 2))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range rounds {
		var errs bytes.Buffer
		cmd := exec.Command(self, h.args(state, token, "--root", r.dir)...)
		cmd.Env = append(os.Environ(), "PICKET_TEST_IS_AGENT=1")
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.set(fmt.Sprintf("3.0-%d", i))
		killed := time.AfterFunc(time.Duration(rnd.IntN(1200))*time.Millisecond, func() { _ = cmd.Process.Kill() }) // it may be over
		err := cmd.Wait()
		killed.Stop()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != -1 {
			t.Fatalf("round %d: the agent ended by itself: %v\n%s", i, err, errs.String())
		}
	}
	r.set("4.0-1")
	if code, text := run(t, h.args(state, token, "--root", r.dir, "--once")...); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	devices := h.devices()
	if len(devices) != 1 {
		t.Fatalf("%d devices after %d kills", len(devices), rounds)
	}
	if got := h.versions(devices[0].ID, "probe"); got != "4.0-1" {
		t.Errorf("probe %q", got)
	}
	d, err := h.s.Device(context.Background(), admin, string(devices[0].ID))
	if err != nil || d.Dropped != 0 {
		t.Errorf("%d records counted as lost, %v", d.Dropped, err)
	}
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	if code := Main(context.Background(), []string{"version"}, os.Getenv, &out, io.Discard, unrestrained); code != 0 || !strings.HasPrefix(out.String(), "picket-agent ") {
		t.Errorf("exit %d, %q", code, out.String())
	}
}

// TestLinksNothingOfTheServer keeps what an endpoint must not carry out of the agent.
func TestLinksNothingOfTheServer(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		for _, bad := range []string{"database/sql", "net/http/pprof", "internal/server", "internal/api", "internal/store", "internal/exposure", "internal/advisory", "picket/web", "testing"} {
			if dep == bad || strings.HasSuffix(dep, "picket/"+bad) || strings.HasSuffix(dep, bad) && strings.Contains(bad, "/") && strings.Contains(dep, "picketsec") {
				t.Errorf("the agent links %s", dep)
			}
		}
	}
}
