package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/demo"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/server"
)

// world is a real server with demo intelligence and a listener for agents.
type world struct {
	t   *testing.T
	s   *server.Server
	url string
	ca  []byte
	dir string // for the devices
}

var admin = server.Caller{Name: "test", Admin: true}

func newWorld(t *testing.T) *world { return newWorldOf(t, filepath.Join(t.TempDir(), "server")) }

// newWorldOf is a world with a data directory that may hold something already.
func newWorldOf(t *testing.T, dir string) *world {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), AgentAddr: ln.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.LoadDemo(t.Context(), demo.Intelligence()); err != nil {
		t.Fatal(err)
	}
	cfg, err := s.AgentTLS()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	srv := &http.Server{Handler: s.AgentHandler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	var running sync.WaitGroup
	running.Go(func() { _ = srv.Serve(tls.NewListener(ln, cfg)) }) // ends with srv.Close
	running.Go(func() { _ = s.Run(ctx) })                          // ends with ctx
	t.Cleanup(func() {
		cancel()
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		running.Wait()
		waitFor(t, "sessions to end", func() bool {
			return !slices.ContainsFunc(rows(t, s), func(r server.DeviceRow) bool { return r.Connected })
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, s: s, url: "https://" + ln.Addr().String(), ca: ca, dir: filepath.Join(t.TempDir(), "devices")}
}

func (x *world) options(devices int) Options {
	return Options{Server: x.url, CA: x.ca, Dir: x.dir, Devices: devices, Seed: 1, Connections: 1000, Speed: 86400, Start: start, Version: "test",
		Token: func(ctx context.Context) (string, error) {
			token, _, err := x.s.CreateToken(ctx, admin, "test", devices, 1)
			return token, err
		}}
}

func rows(t *testing.T, s *server.Server) []server.DeviceRow {
	t.Helper()
	p, err := s.Devices(context.Background(), admin, server.Query{Sort: []string{"name"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Items
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("waited too long for %s", what)
}

func ids(list []server.DeviceRow) (out []string) {
	for _, r := range list {
		out = append(out, string(r.ID)+" "+r.Name)
	}
	return out
}

// Devices over sockets: all of them are there, some with findings; the next run
// continues with the same ones and needs no token.
func TestRun(t *testing.T) {
	x := newWorld(t)
	opt := x.options(16)
	opt.Once = true
	sum, err := Run(t.Context(), opt)
	if err != nil || sum.Settled != 16 || sum.Enrolled != 16 || sum.Errors != 0 || sum.Rejected != 0 {
		t.Fatalf("%+v, %v, want 16 devices without errors", sum, err)
	}
	first := rows(t, x.s)
	if len(first) != 16 {
		t.Fatalf("%d devices on the server, want 16", len(first))
	}
	found := 0
	for _, r := range first {
		if !slices.Equal(r.Tags, []string{Tag}) || r.Software < 20 || r.IP == "" || r.Health != "Active" {
			t.Errorf("device %+v, want the tag, software, an address and health", r)
		}
		found += r.Weaknesses
	}
	if found == 0 {
		t.Error("no device has a weakness")
	}

	opt.Token = func(context.Context) (string, error) { return "", errors.New("asked for a token") }
	sum, err = Run(t.Context(), opt)
	if err != nil || sum.Settled != 16 || sum.Enrolled != 0 {
		t.Fatalf("second run: %+v, %v, want the same devices without enrolment", sum, err)
	}
	again := rows(t, x.s)
	if d := cmp.Diff(ids(first), ids(again)); d != "" {
		t.Errorf("devices after a restart, -first +again:\n%s", d)
	}
	for _, r := range again {
		if r.CloneOf != "" {
			t.Errorf("%s was forked", r.Name)
		}
	}
}

// A running fleet changes what the server shows, takes turns when connections
// are few, and ends at once when it is told to.
func TestLife(t *testing.T) {
	for name, connections := range map[string]int{"resident": 100, "by turns": 4} {
		t.Run(name, func(t *testing.T) {
			x := newWorld(t)
			opt := x.options(12)
			opt.Connections = connections
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var mu sync.Mutex
			var last Summary
			opt.Progress = func(s Summary) {
				mu.Lock()
				defer mu.Unlock()
				last = s
				if s.Connected > connections {
					t.Errorf("%d connections are open, at most %d are allowed", s.Connected, connections)
				}
			}
			done := make(chan error, 1)
			go func() {
				_, err := Run(ctx, opt)
				done <- err
			}()
			seen := map[string]int{}
			waitFor(t, "changes to arrive", func() bool {
				for _, r := range rows(t, x.s) {
					seen[string(r.ID)] = r.Software
				}
				mu.Lock()
				defer mu.Unlock()
				return last.Settled == 12 && last.Sections > 12*16+20
			})
			if len(seen) != 12 {
				t.Errorf("%d devices, want 12", len(seen))
			}
			cancel()
			if err := <-done; err != nil {
				t.Errorf("ended by its caller: %v, want nil", err)
			}
		})
	}
}

// What the server refuses, and a server that is not there, end the simulation
// with an error that says which it is.
func TestFailures(t *testing.T) {
	x := newWorld(t)
	bad := x.options(3)
	bad.Token = func(context.Context) (string, error) { return "pkt_unknown", nil }
	_, err := Run(t.Context(), bad)
	if r, ok := errors.AsType[*protocol.RefusedError](err); !ok || r.Code != protocol.RefusedToken {
		t.Errorf("with an unknown token: %v, want a refusal", err)
	}
	few := x.options(3)
	few.Dir = t.TempDir()
	few.Token = func(ctx context.Context) (string, error) {
		token, _, err := x.s.CreateToken(ctx, admin, "test", 1, 1)
		return token, err
	}
	if err := os.Chmod(few.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), few)
	if r, ok := errors.AsType[*protocol.RefusedError](err); !ok || r.Code != protocol.RefusedToken {
		t.Errorf("with a token for one of three devices: %v, want a refusal", err)
	}

	other := x.options(1)
	other.CA, err = os.ReadFile(filepath.Join(newWorld(t).s.Dir(), "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = Run(t.Context(), other); !errors.Is(err, ErrUnreached) {
		t.Errorf("with another CA: %v, want ErrUnreached", err)
	}

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := x.options(1)
	gone.Server = "https://" + ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := open(gone)
	if err != nil {
		t.Fatal(err)
	}
	f.patience = 0
	if _, err := f.finish(t.Context(), f.run(t.Context())); !errors.Is(err, ErrUnreached) {
		t.Errorf("without a server: %v, want ErrUnreached", err)
	}
}

// A server that has lost its devices, not its authority, gets them back: each
// enrols again with the key that it has.
func TestForgotten(t *testing.T) {
	x := newWorld(t)
	opt := x.options(3)
	opt.Once = true
	if _, err := Run(t.Context(), opt); err != nil {
		t.Fatal(err)
	}
	want := ids(rows(t, x.s))
	dir := filepath.Join(t.TempDir(), "server")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.pem", "ca.key"} {
		raw, err := os.ReadFile(filepath.Join(x.s.Dir(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	y := newWorldOf(t, dir)
	y.dir = x.dir
	opt = y.options(3)
	opt.Once = true
	sum, err := Run(t.Context(), opt)
	if err != nil || sum.Enrolled != 3 {
		t.Errorf("%+v, %v, want three devices to enrol again", sum, err)
	}
	if d := cmp.Diff(want, ids(rows(t, y.s))); d != "" {
		t.Errorf("devices on the new server, -want +got:\n%s", d)
	}
}

func TestOptions(t *testing.T) {
	good := Options{Server: "https://localhost:1", CA: []byte("x"), Dir: t.TempDir(), Devices: 1, Connections: 1, Speed: 1}
	for name, change := range map[string]func(*Options){
		"server": func(o *Options) { o.Server = "http://localhost:1" }, "path": func(o *Options) { o.Server = "https://localhost:1/x" },
		"devices": func(o *Options) { o.Devices = 0 }, "connections": func(o *Options) { o.Connections = 0 },
		"speed": func(o *Options) { o.Speed = 0 }, "rate": func(o *Options) { o.Rate = -1 }, "dir": func(o *Options) { o.Dir = "" },
		"ca": func(*Options) {},
	} {
		o := good
		change(&o)
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v, want ErrOptions", name, err)
		}
	}
}

// Keys are for their owner alone, one simulation at a time uses them, and what
// is damaged or another fleet's is not used.
func TestBook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	state := fleetState{Seed: 1, Start: start, Tick: time.Minute}
	b, err := openBook(dir, &state)
	if err != nil {
		t.Fatal(err)
	}
	for n, i := range []int{0, 7} {
		made, err := b.load(i)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := b.load(i); err != nil || read.id != made.id {
			t.Errorf("the key of device %d is used before it is on disk: %v", i, err)
		}
		made.nonce = "n"
		if err := b.save(made); err != nil {
			t.Fatal(err)
		}
		read, err := b.load(i)
		if err != nil || read.id != made.id || read.nonce != "n" || !read.key.Equal(made.key) {
			t.Errorf("%d: device %d is read back as %+v, %v", n, i, read, err)
		}
	}
	if err := b.note(fleetState{Seed: 1, Start: start, Tick: time.Minute, Age: 2.5}); err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{}
	for _, name := range []string{".", "devices", "fleet.json", "lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		modes[name] = info.Mode().Perm()
	}
	if d := cmp.Diff(map[string]fs.FileMode{".": 0o700, "devices": 0o600, "fleet.json": 0o600, "lock": 0o600}, modes); d != "" {
		t.Errorf("modes, -want +got:\n%s", d)
	}
	refuses := func(what, dir string, seed uint64) {
		t.Helper()
		if _, err := openBook(dir, &fleetState{Seed: seed, Tick: 1}); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v, want ErrState", what, err)
		}
	}
	refuses("in use", dir, 1)
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	refuses("another seed", dir, 2)
	state = fleetState{Seed: 1, Start: time.Now(), Tick: time.Hour}
	if b, err = openBook(dir, &state); err != nil || state.Age != 2.5 || !state.Start.Equal(start) || state.Tick != time.Minute {
		t.Fatalf("opened again: %+v, %v, want what it was", state, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "devices"), []byte("{\"key\":\"AAAA\"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.load(0); !errors.Is(err, ErrState) {
		t.Errorf("a damaged key: %v, want ErrState", err)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	loose := t.TempDir()
	if err := os.Chmod(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	refuses("open to others", loose, 1)
	if err := os.WriteFile(filepath.Join(dir, fleetFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses("an unreadable fleet", dir, 1)
}
