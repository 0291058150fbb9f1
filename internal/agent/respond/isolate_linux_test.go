package respond

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/rig"
)

const (
	isolatedVar = "PICKET_TEST_ISOLATED" // in the process that has namespaces of its own
	peerVar     = "PICKET_TEST_PEER"     // in a host beside it
	peerPort    = 8681                   // on which the peers answer
	ownPort     = 9000                   // on which the host answers
)

// needs skips a test for want of something, and fails it in CI, where it must be there.
func needs(t *testing.T, what string) {
	t.Helper()
	if what == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and in CI this test may not be skipped", what)
	}
	t.Skip(what)
}

// peer is the program of a host beside the isolated one: it answers on peerPort,
// and connects where it is told to.
func peer() {
	for range 200 { // its address comes after it
		l, err := net.Listen("tcp", fmt.Sprintf(":%d", peerPort))
		if err == nil {
			go echo(l)
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Println("up")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := talk(context.Background(), lines.Text()); err != nil {
			fmt.Println("no:", err)
		} else {
			fmt.Println("yes")
		}
	}
}

// echo answers with what it is told.
func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// blocked is how long a connection may take before it counts as blocked.
const blocked = time.Second

// talk connects to an address and has a word with what answers there.
func talk(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, blocked)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	return word(c)
}

func word(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(blocked))
	if _, err := c.Write([]byte("hello")); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, 5))
	return err
}

// world is a host in a network namespace of its own, which is this process, and
// two others that it is connected to: its server and another one.
type world struct {
	*testing.T
	server, other *beside
	state         string

	mu      sync.Mutex // guards the fields below
	servers []netip.AddrPort
	events  []string
	changes []Isolation
}

// beside is another host.
type beside struct {
	v4, v6, host4, host6 string // its addresses, and those of the host on the way to it
	in                   io.Writer
	out                  *bufio.Reader
}

func (w *world) sh(line string) string {
	w.Helper()
	f := strings.Fields(line)
	out, err := exec.CommandContext(w.Context(), f[0], f[1:]...).CombinedOutput()
	if err != nil {
		w.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}

// join makes a host and a link to it.
func (w *world) join(n int) *beside {
	w.Helper()
	self, err := os.Executable()
	if err != nil {
		w.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), peerVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		w.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	b := &beside{in: in, out: bufio.NewReader(out), v4: fmt.Sprintf("10.9.%d.2", n), v6: fmt.Sprintf("fd00:%d::2", n), host4: fmt.Sprintf("10.9.%d.1", n), host6: fmt.Sprintf("fd00:%d::1", n)}
	if line, err := b.out.ReadString('\n'); line != "up\n" {
		w.Fatalf("the other host says %q, %v", line, err)
	}
	dev := fmt.Sprintf("to%d", n)
	w.sh(fmt.Sprintf("ip link add %s type veth peer name eth0 netns %d", dev, cmd.Process.Pid))
	for _, c := range []string{
		"ip addr add " + b.host4 + "/24 dev " + dev, "ip addr add " + b.host6 + "/64 dev " + dev + " nodad", "ip link set " + dev + " up",
	} {
		w.sh(c)
	}
	enter := fmt.Sprintf("nsenter --net=/proc/%d/ns/net ", cmd.Process.Pid)
	for _, c := range []string{"ip addr add " + b.v4 + "/24 dev eth0", "ip addr add " + b.v6 + "/64 dev eth0 nodad", "ip link set eth0 up", "ip link set lo up"} {
		w.sh(enter + c)
	}
	return b
}

// reaches says whether the other host can connect to the host.
func (b *beside) reaches(addr string) bool {
	if _, err := fmt.Fprintln(b.in, addr); err != nil {
		return false
	}
	line, err := b.out.ReadString('\n')
	return err == nil && line == "yes\n"
}

func at(host string, port int) string { return net.JoinHostPort(host, fmt.Sprint(port)) }

// flows says which ways are open: to and from server and other, by IPv4 and IPv6.
func (w *world) flows() string {
	open := make([]string, 8)
	var wg sync.WaitGroup
	for i, f := range []struct {
		name string
		b    *beside
	}{{"server", w.server}, {"other", w.other}} {
		v := [2]struct{ name, far, near string }{{"4", f.b.v4, f.b.host4}, {"6", f.b.v6, f.b.host6}}
		for j, v := range v {
			wg.Go(func() {
				if talk(w.Context(), at(v.far, peerPort)) == nil {
					open[4*i+2*j] = ">" + f.name + v.name
				}
			})
		}
		wg.Go(func() { // it tries one after the other
			for j, v := range v {
				if f.b.reaches(at(v.near, ownPort)) {
					open[4*i+2*j+1] = "<" + f.name + v.name
				}
			}
		})
	}
	wg.Wait()
	open = slices.DeleteFunc(open, func(s string) bool { return s == "" })
	return strings.Join(open, " ")
}

const (
	allFlows  = ">server4 <server4 >server6 <server6 >other4 <other4 >other6 <other6"
	someFlows = ">server4 >server6"
)

// want waits until these ways are open, and no others.
func (w *world) want(when, flows string) {
	w.Helper()
	got := ""
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		if got = w.flows(); got == flows {
			return
		}
	}
	w.Fatalf("%s: open is %q, want %q\n%s", when, got, flows, w.sh("nft list ruleset"))
}

// responder makes one, as an agent that has just started.
func (w *world) responder() *Responder {
	return New(Config{State: w.state, Version: "1", Named: true,
		Event: func(e *event.Event) {
			w.mu.Lock()
			w.events = append(w.events, e.Action.String()+": "+e.Text(event.Reason))
			w.mu.Unlock()
		},
		Changed: func(i Isolation) {
			w.mu.Lock()
			w.changes = append(w.changes, i)
			w.mu.Unlock()
		},
		Server: func(context.Context) ([]netip.AddrPort, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.servers), nil
		},
		Reach: func(ctx context.Context) error {
			w.mu.Lock()
			list := slices.Clone(w.servers)
			w.mu.Unlock()
			var bad error
			for _, s := range list {
				if bad = talk(ctx, s.String()); bad == nil {
					return nil
				}
			}
			return bad
		}})
}

func (w *world) serve(addrs ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.servers = nil
	for _, a := range addrs {
		w.servers = append(w.servers, netip.MustParseAddrPort(a))
	}
}

// running runs what keeps isolation until the returned function is called.
func (w *world) running(r *Responder) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			w.Errorf("run: %v", err)
		}
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v\n%s", err, w.sh("nft list ruleset"))
	}
}

// told waits until an event has a text.
func (w *world) told(text string) {
	w.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		found := slices.ContainsFunc(w.events, func(s string) bool { return strings.Contains(s, text) })
		w.mu.Unlock()
		if found {
			return
		}
	}
	w.Fatalf("no event tells %q: %q", text, w.events)
}

// TestIsolation isolates a host that is a network namespace of the test.
func TestIsolation(t *testing.T) {
	if os.Getenv(isolatedVar) != "" {
		testIsolation(t)
		return
	}
	if os.Geteuid() != 0 {
		needs(t, "only root can make network namespaces")
	}
	for _, tool := range []string{"ip", "nft", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			needs(t, tool+" is not installed")
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestIsolation$", "-test.v", "-test.timeout=8m")
	cmd.Env = append(os.Environ(), isolatedVar+"=1")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err = rig.Isolated(cmd)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
}

func testIsolation(t *testing.T) {
	w := &world{T: t, state: t.TempDir()}
	w.must(os.Chmod(w.state, 0o700))
	w.must(syscall.Mount("proc", "/proc", "proc", 0, ""))
	w.sh("ip link set lo up")
	w.server, w.other = w.join(1), w.join(2)
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", ownPort))
	w.must(err)
	defer l.Close()
	go echo(l)
	s4, s6 := at(w.server.v4, peerPort), at(w.server.v6, peerPort)
	w.serve(s4, s6)
	w.want("before", allFlows)

	// The host's own rules are there afterwards as they were.
	own := filepath.Join(t.TempDir(), "own.nft")
	w.must(os.WriteFile(own, []byte("table inet own { chain c { type filter hook input priority 0; policy accept; tcp dport 12345 drop; }; }\ntable ip filter { chain INPUT { type filter hook input priority 0; policy accept; ip saddr 192.0.2.1 drop; }; }\n"), 0o600))
	w.sh("nft -f " + own)
	rules := func() string {
		return w.sh("nft -s list table inet own") + w.sh("nft -s list table ip filter")
	}
	ours := func() bool { return exec.Command("nft", "list", "table", "inet", "picket").Run() == nil }
	before := rules()
	r := w.responder()
	for kind, why := range r.Can() {
		if why != "" && kind != Scan {
			t.Fatalf("cannot %s: %s", kind, why)
		}
	}
	w.must(r.Restore(t.Context()))

	// A connection that is there is cut, one to the server stays.
	dial := func(addr string) net.Conn {
		c, err := net.Dial("tcp", addr)
		w.must(err)
		t.Cleanup(func() { c.Close() })
		w.must(word(c))
		return c
	}
	toOther4, toOther6, toServer := dial(at(w.other.v4, peerPort)), dial(at(w.other.v6, peerPort)), dial(s4)
	w.must(r.Isolate(t.Context(), "task-1", time.Time{}))
	for _, c := range []net.Conn{toOther4, toOther6} {
		if err := word(c); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the connection to %s: %v, want it ended", c.RemoteAddr(), err)
		}
	}
	if err := word(toServer); err != nil {
		t.Errorf("the connection to the server: %v", err)
	}
	w.want("isolated", someFlows)
	if err := talk(t.Context(), at("127.0.0.1", ownPort)); err != nil {
		t.Errorf("the host with itself: %v", err)
	}
	w.sh("ip -6 neigh flush all")
	w.sh("ip neigh flush all")
	w.want("without knowing its neighbours", someFlows)
	if got := rules(); got != before {
		t.Errorf("the host's own rules were\n%s\nand are\n%s", before, got)
	}
	if i := r.Isolation(); !i.On || i.Task != "task-1" || !i.Until.IsZero() || i.Since.IsZero() {
		t.Errorf("isolation %+v", i)
	}

	// Whoever takes the rules away, or makes holes in them, is not left alone.
	stop := w.running(r)
	for n, attack := range []string{
		"nft flush ruleset",
		"nft delete table inet picket",
		"nft delete element inet picket isolated { ipv4 }",
		"nft insert rule inet picket out accept",
		"nft flush chain inet picket in",
		"nft add element inet picket server4 { " + w.other.v4 + " . 8681 }",
		"nft add table inet picket { flags dormant; }",
	} {
		listed, err := listTable(t.Context())
		w.must(err)
		w.sh(attack)
		for end := time.Now().Add(time.Minute); r.Isolation().Repaired != uint64(n+1); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: repaired %d times, want %d\n%s", attack, r.Isolation().Repaired, n+1, w.sh("nft list ruleset"))
			}
		}
		if got, err := listTable(t.Context()); err != nil || got != listed {
			t.Errorf("after %s the rules are not what they were: %v\n%s", attack, err, got)
		}
	}
	w.want("repaired", someFlows)
	w.told("were put back")
	w.sh("nft -f " + own)
	if i := r.Isolation(); i.Repaired != 7 {
		t.Errorf("other rules than ours count as a repair: %+v", i)
	}

	// Root ends it on the host while the agent runs, and while it does not.
	was, err := ReleaseLocal(t.Context(), w.state)
	w.must(err)
	if !was {
		t.Error("the host is said not to have been isolated")
	}
	w.told(CauseLocal)
	w.want("released on the host", allFlows)
	if i := r.Isolation(); i.On || i.Cause != CauseLocal {
		t.Errorf("isolation %+v", i)
	}
	w.must(r.Isolate(t.Context(), "task-2", time.Time{}))
	w.want("isolated again", someFlows)
	w.must(r.Release(t.Context(), "task-3"))
	w.want("released", allFlows)
	if i := r.Isolation(); i.On || i.Task != "task-3" || i.Cause != "" || ours() {
		t.Errorf("isolation %+v", i)
	}
	w.must(r.Release(t.Context(), "task-4")) // twice is as once

	// Its time ends it, with an agent.
	w.must(r.Isolate(t.Context(), "task-5", time.Now().Add(3*time.Second)))
	w.told(CauseTime)
	w.want("its time is over", allFlows)
	if i := r.Isolation(); i.On || i.Cause != CauseTime || ours() {
		t.Errorf("isolation %+v", i)
	}
	stop()

	// And without one: the kernel does.
	w.must(r.Isolate(t.Context(), "task-6", time.Now().Add(4*time.Second)))
	w.want("its time is over, and there is no agent", allFlows)
	r = w.responder()
	w.must(r.Restore(t.Context()))
	if i := r.Isolation(); i.On || i.Cause != CauseTime || ours() {
		t.Errorf("isolation %+v", i)
	}

	// A reboot takes the rules; the agent puts them back before anything else.
	w.must(r.Isolate(t.Context(), "task-7", time.Now().Add(time.Hour)))
	w.sh("nft flush ruleset")
	w.want("after a reboot, before the agent", allFlows)
	r = w.responder()
	w.must(r.Restore(t.Context()))
	w.want("after a reboot", someFlows)
	if i := r.Isolation(); !i.On || i.Task != "task-7" || i.Until.IsZero() {
		t.Errorf("isolation %+v", i)
	}

	// A server that cannot be reached leaves everything as it was.
	w.serve(at(w.server.v4, 1))
	if err := r.Isolate(t.Context(), "task-8", time.Time{}); err == nil || !strings.Contains(err.Error(), "could not be reached") {
		t.Errorf("isolated from the server: %v", err)
	}
	w.want("as before a change that did not work", someFlows)
	if i := r.Isolation(); !i.On || i.Task != "task-7" || i.Until.IsZero() {
		t.Errorf("isolation %+v", i)
	}
	w.must(r.Release(t.Context(), ""))
	if err := r.Isolate(t.Context(), "task-9", time.Time{}); err == nil {
		t.Error("isolated from the server")
	}
	w.want("rolled back", allFlows)
	if k, err := loadKept(w.state); err != nil || k.On || ours() {
		t.Errorf("kept %+v, %v", k, err)
	}
	w.serve()
	if err := r.Isolate(t.Context(), "task-10", time.Time{}); err == nil || ours() {
		t.Errorf("isolated without an address of the server: %v", err)
	}
	w.serve(s4, s6)
	if err := r.Isolate(t.Context(), "task-11", time.Now().Add(-time.Second)); err == nil || ours() {
		t.Errorf("isolated until a moment ago: %v", err)
	}

	// An agent that ends before it has reached its server: the next one does, or
	// takes the rules away.
	half := kept{Isolation: Isolation{On: true, Since: time.Now().UTC(), Task: "task-12"}, Servers: []netip.AddrPort{netip.MustParseAddrPort(s4), netip.MustParseAddrPort(s6)}}
	w.must(r.keep(half))
	r = w.responder()
	w.must(r.Restore(t.Context()))
	if text := w.sh("nft list set inet picket isolated"); !strings.Contains(text, "timeout 2m") {
		t.Errorf("the kernel would not end what is not verified: %s", text)
	}
	stop = w.running(r)
	for end := time.Now().Add(time.Minute); !r.isolation.get().Verified; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the next agent does not verify")
		}
	}
	w.want("verified by the next agent", someFlows)
	stop()
	w.serve(at(w.server.v4, 1))
	w.must(r.keep(half))
	r = w.responder()
	w.must(r.Restore(t.Context()))
	stop = w.running(r)
	w.told("the server could not be reached through the rules")
	w.want("taken back by the next agent", allFlows)
	stop()

	// A server that gets another address is let through, and one that is down
	// does not end isolation.
	w.serve(s4)
	w.must(r.Isolate(t.Context(), "task-13", time.Time{}))
	w.want("isolated", ">server4")
	w.serve(s6)
	r.follow(t.Context())
	w.want("the server has another address", someFlows)
	w.serve(at(w.server.v4, 1))
	r.follow(t.Context())
	w.want("the server is down", someFlows)
	if k := r.isolation.get(); !k.On || len(k.Servers) != 2 {
		t.Errorf("kept %+v", k)
	}

	// Root ends it while no agent runs.
	if was, err := ReleaseLocal(t.Context(), w.state); err != nil || !was {
		t.Errorf("released on the host: %v, %v", was, err)
	}
	r = w.responder()
	w.must(r.Restore(t.Context()))
	w.want("released on the host without an agent", allFlows)
	if i := r.Isolation(); i.On || i.Cause != CauseLocal {
		t.Errorf("isolation %+v", i)
	}
	if was, err := ReleaseLocal(t.Context(), w.state); err != nil || was {
		t.Errorf("released twice: %v, %v", was, err)
	}
}

// TestKept proves that what is kept survives being read back, and that neither a
// link nor damage in its place is taken for it.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	k := kept{Isolation: Isolation{On: true, Since: time.Unix(9, 0).UTC(), Task: "t"}, Verified: true, Servers: []netip.AddrPort{netip.MustParseAddrPort("[fd00::1]:8681")}, DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	if err := saveKept(dir, k); err != nil {
		t.Fatal(err)
	}
	got, err := loadKept(dir)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(k) {
		t.Errorf("%+v, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, isolationFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.WriteFile(filepath.Join(dir, isolationFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKept(dir); err == nil {
		t.Error("damage is read")
	}
	if err := os.Remove(filepath.Join(dir, isolationFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, isolationFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKept(dir); err == nil {
		t.Error("a link is followed")
	}
}

// TestResolvers proves which name servers may be asked.
func TestResolvers(t *testing.T) {
	got := resolvers("# nameserver 9.9.9.9\nnameserver 10.0.0.1\nnameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 10.0.0.1\nnameserver x\noptions edns0\nnameserver 0.0.0.0\n")
	if fmt.Sprint(got) != "[10.0.0.1 fe80::1]" {
		t.Errorf("resolvers %v", got)
	}
	servers := merge(nil, []netip.AddrPort{netip.MustParseAddrPort("[::ffff:10.0.0.1]:1"), netip.MustParseAddrPort("10.0.0.1:1"), netip.MustParseAddrPort("0.0.0.0:1"), netip.MustParseAddrPort("10.0.0.1:0"), {}})
	if fmt.Sprint(servers) != "[10.0.0.1:1]" {
		t.Errorf("servers %v", servers)
	}
}
