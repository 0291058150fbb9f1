package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// insideVar holds, in the isolated process of TestService, the folder of the binaries.
const insideVar = "PICKET_TEST_SERVICE"

// TestService installs the built agent as a service of a host with systemd, kills
// it, and removes it. All of it runs in namespaces that end with the test.
func TestService(t *testing.T) {
	if dir := os.Getenv(insideVar); dir != "" {
		testService(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it takes 20 s, most of which systemd waits before it starts the agent again")
	}
	what := rig.HostNeeds()
	for _, tool := range []string{"/usr/sbin/sshd", "/usr/bin/sshpass"} {
		if _, err := os.Stat(tool); err != nil {
			what = tool + " is not installed"
		}
	}
	if what != "" {
		skip(t, "%s", what)
	}
	onHost(t, insideVar)
}

const agentUnit = "picket-agent.service"

// service is the agent on its host, as its administrator sees it.
type service struct {
	*testing.T
	host   *rig.Host
	client *rig.Client
}

func testService(t *testing.T, bin string) {
	began := time.Now()
	s, srv := newService(t, bin)
	t.Logf("%s: booted", time.Since(began).Round(time.Millisecond))
	id := s.install(srv)
	t.Logf("%s: enrolled and reported", time.Since(began).Round(time.Millisecond))
	if got := s.show("ActiveState") + " " + s.show("NRestarts"); got != "active 0" {
		t.Errorf("the unit is %s", got)
	}
	for p, mode := range map[string]fs.FileMode{"/etc/picket/agent.env": 0o600, "/var/lib/picket-agent/identity.pem": 0o600, "/var/lib/picket-agent": fs.ModeDir | 0o700,
		"/etc/picket": fs.ModeDir | 0o755, "/etc/systemd/system/" + agentUnit: 0o644, "/etc/systemd/system/picket-isolation.service": 0o644} {
		info, err := os.Lstat(s.host.Root + p)
		if err != nil || info.Mode() != mode || info.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("%s: %v, %v; want %v of root", p, info, err, mode)
		}
	}

	// The limits of the unit are those that the agent would set itself.
	if got := s.show("CPUQuotaPerSecUSec") + " " + s.show("MemoryMax") + " " + s.show("TasksMax"); got != "500ms 268435456 128" {
		t.Errorf("limits %s", got)
	}

	s.happened(id, "probe-before", true)
	s.logsOn(id)
	pid := s.show("MainPID")
	s.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", agentUnit)
	s.wait("systemd to start it again", func() error {
		if got := s.show("ActiveState") + " " + s.show("NRestarts"); got != "active 1" || s.show("MainPID") == pid {
			return fmt.Errorf("the unit is %s", got)
		}
		return nil
	})
	t.Logf("%s: killed and started again", time.Since(began).Round(time.Millisecond))
	status := filepath.Join(s.host.Root, "var/lib/dpkg/status")
	raw, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, "\nPackage: rig-probe\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\nMaintainer: T <t@example>\nDescription: a probe\n"...)
	if err := os.WriteFile(status, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if again := s.device(map[string]string{"rig-probe": "1.0-1"}); again != id {
		t.Errorf("device %s came back as %s", id, again)
	}
	s.happened(id, "probe-after", false)
	t.Logf("%s: reported a change", time.Since(began).Round(time.Millisecond))

	s.run("/usr/local/bin/picket-agent", "uninstall", "--state", "/var/lib/picket-agent")
	if got := s.show("LoadState") + " " + s.show("ActiveState"); got != "not-found inactive" {
		t.Errorf("after uninstall the unit is %s", got)
	}
	for _, p := range []string{"/etc/systemd/system/" + agentUnit, "/etc/systemd/system/multi-user.target.wants/" + agentUnit,
		"/etc/picket/agent.env", "/var/lib/picket-agent"} {
		if _, err := os.Lstat(s.host.Root + p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after uninstall %s is there: %v", p, err)
		}
	}
	for _, p := range []string{"/usr/local/bin/picket-agent", "/etc/picket/ca.pem"} { // the administrator has put them there
		if _, err := os.Lstat(s.host.Root + p); err != nil {
			t.Errorf("after uninstall: %v", err)
		}
	}
	s.wait("the session to end", func() error {
		devices, err := s.client.Devices(t.Context())
		if err == nil && (len(devices) != 1 || devices[0].Connected) {
			err = fmt.Errorf("devices %+v", devices)
		}
		return err
	})
	t.Logf("%s", s.run("journalctl", "--no-pager", "--output=cat", "--unit="+agentUnit))
	t.Logf("%s: removed", time.Since(began).Round(time.Millisecond))
}

// newService boots a host and starts a server that both see on their loopback
// interface. It mounts, which ends with this process.
func newService(t *testing.T, bin string) (*service, *rig.Server) {
	t.Helper()
	host, err := rig.BootHost(t.Context(), filepath.Join(bin, "host"))
	if err != nil {
		t.Fatal(err)
	}
	bins, err := rig.Built(bin)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := bins.StartServer(t.Context(), filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() }) // the one that runs by then
	s := &service{T: t, host: host}
	if s.client, err = srv.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.copy(bins.Agent, "usr/local/bin/picket-agent", 0o755)
	s.copy(filepath.Join(srv.Dir, "ca.pem"), "etc/picket/ca.pem", 0o644)
	return s, srv
}

// install installs the agent on the host and returns the device's id when it has reported.
func (s *service) install(srv *rig.Server) string {
	s.Helper()
	token, err := srv.Admin(s.Context(), "enroll-token create")
	if err != nil {
		s.Fatal(err)
	}
	s.run("/usr/local/bin/picket-agent", "install", "--server", srv.AgentURL, "--ca", "/etc/picket/ca.pem",
		"--token", strings.TrimSpace(string(token)), "--state", "/var/lib/picket-agent")
	if got := s.run("systemctl", "is-enabled", agentUnit); got != "enabled" {
		s.Errorf("the unit is %s", got)
	}
	return s.device(nil)
}

// device waits until the only device is connected and has these packages, and
// returns its id.
func (s *service) device(packages map[string]string) string {
	s.Helper()
	id := ""
	s.wait("the report", func() error {
		devices, err := s.client.Devices(s.Context())
		if err != nil {
			return err
		}
		if len(devices) != 1 || !devices[0].Connected || devices[0].Name != "rig-host" || devices[0].Software == 0 {
			return fmt.Errorf("devices %+v", devices)
		}
		id = devices[0].ID
		if packages == nil {
			return nil
		}
		software, err := s.client.Software(s.Context(), id)
		if err != nil {
			return err
		}
		for name, version := range packages {
			if software[name] != version {
				return fmt.Errorf("%s is %q", name, software[name])
			}
		}
		return nil
	})
	return id
}

// listens waits until the agent, which has just been started, sees what happens.
func (s *service) listens(id string) {
	s.Helper()
	probe := fmt.Sprintf("listens-%d-", time.Now().UnixNano())
	s.wait("the agent to see what happens", func() error {
		s.run("/bin/true", probe)
		var line struct{ Items []struct{} }
		err := s.client.Get(s.Context(), "/api/x/devices/"+id+"/timeline?action=ProcessCreated&q="+probe, &line)
		if err == nil && len(line.Items) == 0 {
			err = errors.New("none of them is in the timeline")
		}
		return err
	})
}

// happened runs a program on the host and waits until the device's timeline
// tells of it, and says whether anything before is missing.
func (s *service) happened(id, probe string, complete bool) {
	s.Helper()
	var line struct {
		Items    []struct{ Action, User string }
		Complete bool
		Missing  []struct{ Kind, Reason string }
	}
	s.listens(id)
	began := time.Now()
	s.run("/bin/echo", probe)
	s.wait("the event of "+probe, func() error {
		if err := s.client.Get(s.Context(), "/api/x/devices/"+id+"/timeline?action=ProcessCreated&q="+probe, &line); err != nil {
			return err
		}
		if len(line.Items) != 1 || line.Items[0].User == "" {
			return fmt.Errorf("timeline %+v", line)
		}
		return nil
	})
	s.Logf("%s is in the timeline after %s, missing %v", probe, time.Since(began).Round(time.Millisecond), line.Missing)
	if err := s.client.Get(s.Context(), "/api/x/devices/"+id+"/timeline", &line); err != nil {
		s.Fatal(err)
	}
	if line.Complete != complete {
		s.Errorf("complete: %v, missing %v", line.Complete, line.Missing)
	}
	for _, m := range line.Missing {
		if m.Reason == "" {
			s.Errorf("nothing says why %s is missing some", m.Kind)
		}
	}
}

func (s *service) wait(what string, ok func() error) {
	s.Helper()
	err := rig.Wait(s.Context(), 45*time.Second, 100*time.Millisecond, func(context.Context) (bool, error) {
		err := ok()
		return err == nil, err
	})
	if err != nil {
		s.Fatalf("waited for %s: %v\n%s", what, err, s.run("journalctl", "--no-pager", "--lines=40", "--unit="+agentUnit))
	}
}

// run runs a program on the host, which must succeed, and returns its output.
func (s *service) run(args ...string) string {
	s.Helper()
	out, err := s.host.Run(s.Context(), args...)
	if err != nil {
		s.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (s *service) show(property string) string {
	s.Helper()
	return s.run("systemctl", "show", "--value", "--property="+property, agentUnit)
}

// copy puts a file on the host's disk.
func (s *service) copy(from, to string, mode fs.FileMode) {
	s.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		s.Fatal(err)
	}
	to = filepath.Join(s.host.Root, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(to, raw, mode); err != nil {
		s.Fatal(err)
	}
}
