package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	machines "github.com/picketsec/picket/internal/rig"
)

// TestHostIsRecorded installs the built agent on a host with systemd, does on it
// what people and intruders do, and looks for the events. All of it runs in
// namespaces that end with the test.
func TestHostIsRecorded(t *testing.T) {
	if dir := os.Getenv(insideVar); dir != "" {
		testHost(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it boots a host")
	}
	what := machines.HostNeeds()
	for _, tool := range []string{"/usr/sbin/sshd", "/usr/bin/sudo", "/usr/bin/sshpass", "/usr/sbin/cron"} {
		if _, err := os.Stat(tool); err != nil {
			what = tool + " is not installed"
		}
	}
	if what != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s, and in CI this test may not be skipped", what)
		}
		t.Skip(what)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "host"), 0o700); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "picket-agent"), "../../cmd/picket-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "-test.run=^TestHostIsRecorded$", "-test.v")
	cmd.Env = append(os.Environ(), insideVar+"="+dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := machines.Isolated(cmd); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "--- PASS: TestHostIsRecorded") {
		t.Errorf("the test did not run inside:\n%s", out.String())
	}
	t.Log(out.String())
}

// recorded is a host whose agent reports to a server of the test.
type recorded struct {
	*testing.T
	host *machines.Host
	f    *fakeServer
}

func testHost(t *testing.T, dir string) {
	host, err := machines.BootHost(t.Context(), filepath.Join(dir, "host")) // mounts, which end with this process
	if err != nil {
		t.Fatal(err)
	}
	h := &recorded{T: t, host: host, f: newFakeServer(t)}
	h.copy(filepath.Join(dir, "picket-agent"), "usr/local/bin/picket-agent", 0o755)
	h.copy(h.f.ca, "etc/picket/ca.pem", 0o644)
	h.install()
	h.sources()
	h.people()
	h.console()
	h.keys()
	h.network()
	h.files()
	h.memory()
	h.killed()
	h.withoutJournal()
	h.whole()
}

func (h *recorded) install() {
	h.sh("/usr/local/bin/picket-agent install --server https://" + h.f.addr + " --ca /etc/picket/ca.pem --token t --state /var/lib/picket-agent")
}

// sources proves that each kind has the best source there is.
func (h *recorded) sources() {
	for kind, source := range map[event.Kind]string{event.Process: "ebpf", event.Network: "ebpf", event.File: "fanotify", event.Logon: "journal", event.DNS: "packet socket", event.Image: "perf",
		event.Account: "files", event.Schedule: "files", event.Service: "files"} {
		h.see("a source of "+kind.String(), func(e *event.Event) bool {
			return e.Action == event.SensorStarted && e.Text(event.Source) == source && strings.Contains(e.Text(event.AdditionalFields), `"`+kind.String()+`"`)
		})
	}
}

// people come and go: accounts, logons and what they do.
func (h *recorded) people() {
	h.sh("useradd -m -s /bin/bash alice && echo alice:s3cret | chpasswd && usermod -aG sudo alice")
	h.action(event.UserAccountCreated, "AccountName=alice")
	h.action(event.GroupMemberAdded, "GroupName=sudo", "AccountName=alice")

	h.sh("mkdir -p /run/sshd && ssh-keygen -A >/dev/null && echo PasswordAuthentication yes >>/etc/ssh/sshd_config && systemctl start ssh")
	h.action(event.ServiceStarted, "ServiceName=ssh")
	const ssh = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 "
	h.sh("sshpass -p s3cret " + ssh + "alice@127.0.0.1 'sh -c \"sleep 0.2; id -u >/dev/null\"'")
	in := h.action(event.LogonSuccess, "AccountName=alice", "Protocol=ssh", "RemoteIP=127.0.0.1", "LogonType=RemoteInteractive")
	if f, _ := in.Get(event.IsLocalAdmin); f.Number != 1 {
		h.Errorf("alice is in the group of sudo: %s", show(&in))
	}
	h.action(event.LogoffSuccess, "AccountName=alice", "Protocol=ssh")
	h.sh("! sshpass -p wrong " + ssh + "alice@127.0.0.1 true")
	h.action(event.LogonFailed, "AccountName=alice", "Protocol=ssh", "RemoteIP=127.0.0.1", "FailureReason=wrong password")
	h.sh("! sshpass -p wrong " + ssh + "nobody-here@127.0.0.1 true")
	h.action(event.LogonFailed, "AccountName=nobody-here", "FailureReason=unknown account")
	h.sh("runuser -u alice -- logger -t sshd 'Accepted password for forged from 192.0.2.66 port 1 ssh2'")
	h.sh("runuser -u alice -- sh -c 'echo s3cret | sudo -S -k /usr/bin/id -u'")
	h.action(event.LogonSuccess, "AccountName=root", "Protocol=sudo", `"by":"alice"`, "/usr/bin/id -u")
	h.sh("! runuser -u alice -- sh -c 'echo wrong | sudo -S -k /usr/bin/id'")
	h.action(event.LogonFailed, "Protocol=sudo", `"by":"alice"`)

	if e := h.find(func(e *event.Event) bool { return e.Text(event.AccountName) == "forged" }); e != nil {
		h.Errorf("anybody can make a logon: %s", show(e))
	}

	// The tree of what ran over ssh: id under sh under bash or sh of sshd.
	id := h.action(event.ProcessCreated, "FileName=id", "ProcessCommandLine=id -u", "AccountName=alice")
	number := func(e *event.Event, c event.Column) int64 {
		f, _ := e.Get(c)
		return f.Number
	}
	at, names := id, []string{"id"}
	started := func(pid, created int64) *event.Event {
		return h.find(func(e *event.Event) bool {
			return e.Action == event.ProcessCreated && number(e, event.ProcessID) == pid && number(e, event.ProcessCreationTime) == created
		})
	}
	for range 6 {
		up := started(number(&at, event.InitiatingProcessID), number(&at, event.InitiatingProcessCreationTime))
		if up == nil { // it has copied itself, and started nothing: the one that it is a copy of
			up = started(number(&at, event.InitiatingProcessParentID), number(&at, event.InitiatingProcessParentCreationTime))
		}
		if up == nil {
			break
		}
		at = *up
		names = append(names, at.Text(event.FileName))
	}
	if !slices.Contains(names, "sshd") {
		h.Errorf("the tree above id is %v", names)
	}
}

func (h *recorded) network() {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		h.Fatal(err)
	}
	defer conn.Close()
	done := make(chan struct{})
	go func() { // answers one question with 192.0.2.7
		defer close(done)
		buf := make([]byte, 512)
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		m := append([]byte(nil), buf[:n]...)
		m[2], m[3] = 0x81, 0x80
		binary.BigEndian.PutUint16(m[6:], 1)
		m = append(m, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7)
		_, _ = conn.WriteTo(m, from) // the question waits for it
	}()
	h.sh(`python3 -c "import socket; s=socket.socket(2,2); s.settimeout(5); s.sendto(bytes.fromhex('12340100000100000000000003777777076578616d706c6504746573740000010001'),('127.0.0.1',53)); s.recv(512)"`)
	<-done
	h.action(event.DNSQueryResponse, "RemoteUrl=www.example.test", "192.0.2.7")

	h.sh(`python3 -c "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',4444)); s.listen(); time.sleep(3)" >/dev/null 2>&1 & sleep 0.7; bash -c 'exec 3<>/dev/tcp/127.0.0.1/4444; sleep 0.3'; ! bash -c 'exec 3<>/dev/tcp/127.0.0.1/4445' 2>/dev/null`)
	h.action(event.ListeningConnectionCreated, "LocalPort#4444", "InitiatingProcessFileName=python3")
	h.action(event.ConnectionSuccess, "RemotePort#4444", "RemoteIP=127.0.0.1", "InitiatingProcessFileName=bash")
	h.action(event.InboundConnectionAccepted, "LocalPort#4444", "InitiatingProcessFileName=python3")
	h.action(event.ConnectionFailed, "RemotePort#4445", "InitiatingProcessFileName=bash")
}

func (h *recorded) files() {
	h.sh("echo 10.0.0.1 evil >>/etc/hosts; printf '#!/bin/sh\\nexit 0\\n' >/tmp/dropper; chmod +x /tmp/dropper; /tmp/dropper")
	h.action(event.FileModified, "FolderPath=/etc/hosts")
	h.action(event.FileCreated, "FolderPath=/tmp/dropper")
	h.action(event.ScriptLoaded, "FolderPath=/tmp/dropper", "Interpreter=/usr/bin/dash")
	h.sh("mkdir /tmp/www && cp /bin/dash /tmp/www/nginx && /tmp/www/nginx -c 'sh -c \"echo x >/tmp/www/shell.php\"'")
	h.action(event.FileCreated, "FolderPath=/tmp/www/shell.php")
	h.sh(`printf '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n' >/etc/systemd/system/evil.timer; printf '[Service]\nExecStart=/bin/true\n' >/etc/systemd/system/evil.service; echo '* * * * * root /bin/true' >/etc/cron.d/evil`)
	h.action(event.ScheduledTaskCreated, "TaskName=evil.timer", "OnCalendar=daily", "evil.service")
	h.action(event.ScheduledTaskCreated, "TaskName=/etc/cron.d/evil", "/bin/true")
	h.action(event.ServiceInstalled, "ServiceName=evil", "/bin/true")
	h.sh("rm /etc/cron.d/evil; userdel alice 2>/dev/null || userdel -f alice")
	h.action(event.ScheduledTaskDeleted, "TaskName=/etc/cron.d/evil")
	h.sh(`printf '\nPackage: rig-probe\nStatus: install ok installed\nArchitecture: all\nVersion: 1.0-1\nMaintainer: T <t@example>\nDescription: a probe\n' >>/var/lib/dpkg/status`)
	h.action(event.PackageInstalled, "PackageName=rig-probe", "PackageVersion=1.0-1")
	h.action(event.UserAccountDeleted, "AccountName=alice")
}

// memory proves that the agent with all its sources stays small.
func (h *recorded) memory() {
	out, err := h.host.Run(h.Context(), "sh", "-c", "cat /proc/$(systemctl show --value --property=MainPID picket-agent)/status")
	if err != nil {
		h.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kb, err := strconv.Atoi(f[1])
			if err != nil || kb == 0 || kb > 40<<10 {
				h.Errorf("the agent has %s kB in memory: %v", f[1], err)
			}
			h.Logf("resident memory with all sources: %d MB", kb>>10)
		}
	}
}

// killed kills the agent: what was acknowledged stays, and for how long nothing
// was recorded is told.
func (h *recorded) killed() {
	h.sh("systemctl kill --kill-who=main --signal=KILL picket-agent")
	h.sh("echo 10.0.0.2 meanwhile >>/etc/hosts; useradd bob")
	e := h.action(event.SensorChanged, "Source=agent", "Reason=the agent was killed", "nothingRecordedSince")
	h.Logf("after the kill: %s", show(&e))
	h.action(event.UserAccountCreated, "AccountName=bob", "Reason=found when the agent was there again")
}

// whole proves that every number of every kind is there or said to be missing.
func (h *recorded) whole() {
	h.sh("systemctl stop picket-agent")
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	for _, all := range h.f.records {
		var have, told [event.NumKinds]map[uint64]bool
		for k := range event.Kinds {
			have[k], told[k] = map[uint64]bool{}, map[uint64]bool{}
		}
		for _, e := range all {
			if have[e.Kind()][e.Seq] {
				h.Errorf("%s %d is there twice", e.Kind(), e.Seq)
			}
			have[e.Kind()][e.Seq] = true
			if k, ok := event.KindOf(e.Text(event.LostKind)); ok {
				h.Logf("lost: %s", show(&e))
				from, _ := e.Get(event.LostFrom)
				to, _ := e.Get(event.LostTo)
				for n := from.Number; n <= to.Number; n++ {
					told[k][uint64(n)] = true
				}
			}
		}
		for k := range event.Kinds {
			last := uint64(0)
			for n := range have[k] {
				last = max(last, n)
			}
			h.Logf("%s: %d events, %d said to be missing", k, len(have[k]), len(told[k]))
			for n := uint64(1); n <= last; n++ {
				if !have[k][n] && !told[k][n] {
					h.Errorf("%s %d is neither there nor said to be missing", k, n)
				}
			}
		}
	}
}

// show is an event in one line.
func show(e *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %d", e.Time.Format(time.TimeOnly), e.Action, e.Seq)
	for _, f := range e.Fields {
		if f.Text != "" {
			fmt.Fprintf(&b, " %s=%s", f.Column, f.Text)
		} else {
			fmt.Fprintf(&b, " %s#%d", f.Column, f.Number)
		}
	}
	return b.String()
}

func (h *recorded) find(ok func(*event.Event) bool) *event.Event {
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	for _, all := range h.f.records {
		for i := range all {
			if ok(&all[i]) {
				return &all[i]
			}
		}
	}
	return nil
}

func (h *recorded) see(what string, ok func(*event.Event) bool) event.Event {
	h.Helper()
	var got *event.Event
	err := machines.Wait(h.Context(), 45*time.Second, 50*time.Millisecond, func(context.Context) (bool, error) {
		if got = h.find(ok); got == nil {
			return false, errors.New("not there")
		}
		return true, nil
	})
	if err == nil {
		return *got
	}
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	for _, all := range h.f.records {
		for i := range all {
			if e := &all[i]; e.Kind() != event.ProcessEnd && e.Kind() != event.Process {
				h.Log(show(e))
			}
		}
	}
	out, _ := h.host.Run(context.Background(), "journalctl", "--no-pager", "--lines=60")
	h.Fatalf("no event: %s\n%s", what, out)
	return event.Event{}
}

// action waits for an event whose line holds some words.
func (h *recorded) action(a event.Action, words ...string) event.Event {
	h.Helper()
	return h.see(fmt.Sprint(a, " ", words), func(e *event.Event) bool {
		if e.Action != a {
			return false
		}
		line := show(e)
		for _, w := range words {
			if !strings.Contains(line, w) {
				return false
			}
		}
		return true
	})
}

func (h *recorded) sh(script string) {
	h.Helper()
	if _, err := h.host.Run(h.Context(), "bash", "-c", script); err != nil {
		h.Fatalf("%s: %v", script, err)
	}
}

// copy puts a file on the host's disk.
func (h *recorded) copy(from, to string, mode fs.FileMode) {
	h.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		h.Fatal(err)
	}
	h.write(raw, to, mode)
}

func (h *recorded) write(raw []byte, to string, mode fs.FileMode) {
	h.Helper()
	to = filepath.Join(h.host.Root, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(to, raw, mode); err != nil {
		h.Fatal(err)
	}
}
