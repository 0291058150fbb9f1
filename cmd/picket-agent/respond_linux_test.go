package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestResponse asks the real server for response actions on a host with systemd
// and a network of its own: isolation, release, a scan, a package, a reboot.
func TestResponse(t *testing.T) {
	const inside = "PICKET_TEST_RESPONSE"
	if dir := os.Getenv(inside); dir != "" {
		testResponse(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it boots a host twice")
	}
	if what := rig.HostNeeds(); what != "" {
		skip(t, "%s", what)
	}
	for _, tool := range []string{"nft", "busybox", "clamscan"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, "%s is not installed", tool)
		}
	}
	onHost(t, inside)
}

// The addresses of the isolated host and of those that it talks to.
const (
	hostAddr, hostAddr2 = "10.9.1.1", "10.9.2.1"
	serverAddr          = "10.9.1.2"
	otherAddr           = "10.9.2.2"
	hostPort            = "9000" // answers on the host
	otherPort           = "9001" // answers on the other host
)

// response is a host with a network of its own.
type response struct {
	*service
	id string
}

func testResponse(t *testing.T, bin string) {
	// A process that holds the host's network, over reboots too.
	hold := exec.CommandContext(t.Context(), "sleep", "600")
	hold.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hold.Process.Kill(); _ = hold.Wait() })
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	network := fmt.Sprintf("/proc/%d/ns/net", hold.Process.Pid)
	for _, line := range []string{
		"ip link add tohost type veth peer name eth0 netns " + fmt.Sprint(hold.Process.Pid),
		"ip addr add " + serverAddr + "/24 dev tohost", "ip addr add " + otherAddr + "/24 dev tohost", "ip link set tohost up",
		"nsenter --net=" + network + " ip addr add " + hostAddr + "/24 dev eth0", "nsenter --net=" + network + " ip addr add " + hostAddr2 + "/24 dev eth0",
		"nsenter --net=" + network + " ip link set eth0 up", "nsenter --net=" + network + " ip link set lo up",
	} {
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	// The test itself lives in the network of the server and of the other host.
	host, err := rig.BootHostIn(t.Context(), filepath.Join(bin, "host"), network)
	if err != nil {
		t.Fatal(err)
	}
	bins, err := rig.Built(bin)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := bins.StartServerAt(t.Context(), filepath.Join(t.TempDir(), "data"), serverAddr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() })
	s := &service{T: t, host: host}
	if s.client, err = srv.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.copy(bins.Agent, "usr/local/bin/picket-agent", 0o755)
	s.copy(filepath.Join(srv.Dir, "ca.pem"), "etc/picket/ca.pem", 0o644)
	s.virus()
	r := &response{service: s, id: s.install(srv)}
	l, err := net.Listen("tcp", net.JoinHostPort(otherAddr, otherPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go answers(l)
	s.listensOn()
	r.open("before", true)

	// Isolated: only the server is there, and through it the host does what it is asked.
	r.do("isolate", nil)
	r.open("isolated", false)
	r.isolated(true, "")
	r.scan()
	r.pack()
	s.run("nft", "flush", "ruleset")
	r.wait("the rules to be put back", func() error {
		if n := r.isolation().Repaired; n != 1 {
			return fmt.Errorf("put back %d times", n)
		}
		return nil
	})
	r.open("with rules that were put back", false)
	r.do("release", nil)
	r.isolated(false, "")
	r.open("released", true)

	// Root on the host ends it, and the server learns of it.
	r.do("isolate", nil)
	r.open("isolated again", false)
	if out := s.run("/usr/local/bin/picket-agent", "release", "--state", "/var/lib/picket-agent"); !strings.Contains(out, "is released") {
		t.Errorf("release on the host says %q", out)
	}
	r.open("released on the host", true)
	r.isolated(false, "root")
	r.wait("the timeline to tell of it", func() error {
		var line struct{ Items []struct{ Action string } }
		if err := s.client.Get(t.Context(), "/api/x/devices/"+r.id+"/timeline?action=ResponseAction&q=root", &line); err != nil {
			return err
		}
		if len(line.Items) == 0 {
			return fmt.Errorf("it does not")
		}
		return nil
	})

	// A host that boots is isolated before its agent runs, after what loads its own
	// rules and flushes all others.
	r.do("isolate", map[string]any{"until": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	s.copyText("#!/usr/sbin/nft -f\nflush ruleset\ntable inet own { chain c { type filter hook input priority 0; policy accept; }; }\n", "etc/nftables.conf")
	s.run("systemctl", "enable", "nftables.service")
	s.run("systemctl", "disable", agentUnit)
	if err := host.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.show("ActiveState"); got != "inactive" {
		t.Errorf("the agent is %s: the next step proves nothing", got)
	}
	if own := s.run("nft", "list", "tables"); !strings.Contains(own, "inet own") {
		t.Errorf("the host's own rules are not there: %s", own)
	}
	s.listensOn()
	r.open("after a reboot, without an agent", false)
	s.run("systemctl", "enable", "--now", agentUnit)
	r.isolated(true, "")
	r.do("release", nil)
	r.open("released after a reboot", true)
	s.run("/usr/local/bin/picket-agent", "uninstall", "--state", "/var/lib/picket-agent")
	if out := s.run("ls", "/etc/systemd/system"); strings.Contains(out, "picket") {
		t.Errorf("after uninstall there is %s", out)
	}
}

// answers answers everybody with a word.
func answers(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("hello\n"))
		_ = c.Close()
	}
}

// listensOn lets a program on the host answer.
func (s *service) listensOn() {
	s.Helper()
	s.run("systemd-run", "--quiet", "--unit=answers", "busybox", "nc", "-ll", "-p", hostPort, "-e", "/bin/echo", "hello")
}

// virus gives the host's ClamAV a signature, and the host a file that it is of.
func (s *service) virus() {
	s.Helper()
	eicar := `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`
	if err := os.RemoveAll(filepath.Join(s.host.Root, "var/lib/clamav")); err != nil {
		s.Fatal(err)
	}
	s.copyText(fmt.Sprintf("%x:%d:Eicar-Test\n", md5.Sum([]byte(eicar)), len(eicar)), "var/lib/clamav/test.hdb")
	s.copyText(eicar, "usr/local/bin/bad-file")
	s.run("mount", "-t", "tmpfs", "tmpfs", "/root") // not the files of whoever runs the test
}

func (s *service) copyText(text, to string) {
	s.Helper()
	from := filepath.Join(s.TempDir(), "text")
	if err := os.WriteFile(from, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	s.copy(from, to, 0o644)
}

// heard says whether an address is reached from here.
func heard(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	n, _ := io.ReadFull(c, make([]byte, 5))
	return n == 5
}

// open waits until all ways between the host and the others are open, or none.
func (r *response) open(when string, want bool) {
	r.Helper()
	r.wait(when, func() error {
		out, _ := r.host.Run(r.Context(), "timeout", "2", "busybox", "nc", otherAddr, otherPort)
		got := map[string]bool{"from the host to the other": strings.Contains(string(out), "hello"), "from the other to the host": heard(net.JoinHostPort(hostAddr2, hostPort)),
			"from the server to the host": heard(net.JoinHostPort(hostAddr, hostPort))}
		for way, open := range got {
			if open != want {
				return fmt.Errorf("%s: open is %v, want %v", way, open, want)
			}
		}
		return nil
	})
}

type hostAction struct {
	ID, Status, Error string
	Result            struct {
		Scan struct {
			Engine     string
			Files      uint64
			Detections []struct{ Path, Signature, SHA256 string }
		}
		Package struct{ Items, Missing int }
	}
}

// do asks for an action and waits until it has succeeded.
func (r *response) do(kind string, more map[string]any) (a hostAction) {
	r.Helper()
	body := map[string]any{"kind": kind, "comment": "a test"}
	for k, v := range more {
		body[k] = v
	}
	r.wait("the server to take "+kind, func() error {
		return r.client.Send(r.Context(), http.MethodPost, "/api/x/devices/"+r.id+"/actions", body, &a)
	})
	err := rig.Wait(r.Context(), 3*time.Minute, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		err := r.client.Get(ctx, "/api/x/machine-actions/"+a.ID, &a)
		if err == nil && a.Status == "Failed" {
			r.Fatalf("%s failed: %s", kind, a.Error)
		}
		return a.Status == "Succeeded", err
	})
	if err != nil {
		r.Fatalf("%s is %s (%s): %v\n%s", kind, a.Status, a.Error, err, r.run("journalctl", "--no-pager", "--lines=40", "--unit="+agentUnit))
	}
	return a
}

type isolationState struct {
	On       bool
	Cause    string
	Repaired uint64
}

func (r *response) isolation() isolationState {
	r.Helper()
	var d struct{ Isolation isolationState }
	if err := r.client.Get(r.Context(), "/api/x/devices/"+url.PathEscape(r.id), &d); err != nil {
		r.Fatal(err)
	}
	return d.Isolation
}

// isolated waits until the server knows how the host stands.
func (r *response) isolated(on bool, cause string) {
	r.Helper()
	r.wait("the server to know", func() error {
		if i := r.isolation(); i.On != on || !strings.Contains(i.Cause, cause) {
			return fmt.Errorf("it says %+v", i)
		}
		return nil
	})
}

func (r *response) scan() {
	r.Helper()
	a := r.do("scan", map[string]any{"scope": "Quick"})
	found := a.Result.Scan
	if len(found.Detections) != 1 || found.Detections[0].Path != "/usr/local/bin/bad-file" || found.Detections[0].Signature != "Eicar-Test.UNOFFICIAL" || len(found.Detections[0].SHA256) != 64 || !strings.HasPrefix(found.Engine, "ClamAV") || found.Files < 2 {
		r.Errorf("scan %+v", found)
	}
	r.wait("the timeline to tell of the scan", func() error {
		for _, action := range []string{"AntivirusDetection", "AntivirusScanCompleted"} {
			var line struct{ Items []struct{ Action string } }
			if err := r.client.Get(r.Context(), "/api/x/devices/"+r.id+"/timeline?action="+action, &line); err != nil {
				return err
			}
			if len(line.Items) != 1 {
				return fmt.Errorf("%d events %s", len(line.Items), action)
			}
		}
		return nil
	})
}

func (r *response) pack() {
	r.Helper()
	a := r.do("collect", nil)
	resp, err := r.client.Stream(r.Context(), "/api/x/machine-actions/"+a.ID+"/package")
	if err != nil {
		r.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it was read to its end
	if err != nil {
		r.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		r.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range z.File {
		c, err := f.Open()
		if err != nil {
			r.Fatal(err)
		}
		b, err := io.ReadAll(c)
		if err != nil {
			r.Fatal(err)
		}
		got[f.Name] = string(b)
	}
	for name, want := range map[string]string{
		"Processes/processes.csv": "/usr/local/bin/picket-agent", "Services and tasks/services.txt": agentUnit, "Services and tasks/timers.txt": ".timer",
		"Logs/journal.txt": "systemd", "Agent/log.txt": "picket-agent", "Network/firewall-nftables.txt": "table inet picket", "Network/addresses.csv": hostAddr,
		"Network/connections.csv": serverAddr, "Agent/state.csv": "the host is isolated", "System/system.txt": "rig-host",
	} {
		if !strings.Contains(got[name], want) {
			r.Errorf("%s of the package does not hold %q, but %.300q", name, want, got[name])
		}
	}
	for name, text := range got {
		if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, "pkt_") {
			r.Errorf("%s holds a secret", name)
		}
	}
	r.Logf("package of %d bytes, %d items, %d not whole", len(raw), a.Result.Package.Items, a.Result.Package.Missing)
}
