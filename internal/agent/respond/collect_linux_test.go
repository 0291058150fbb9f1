package respond

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// planted is a secret that must not be in a package.
const planted = "Pl4ntedSecretValue"

const sleepVar = "PICKET_TEST_SLEEP"

func TestMain(m *testing.M) {
	if os.Getenv(sleepVar) != "" {
		fmt.Println("up")
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	if os.Getenv(peerVar) != "" {
		peer()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// statuses are the items of a package by name.
func statuses(p *Package) map[string]Item {
	out := map[string]Item{}
	for _, it := range p.Items {
		out[it.Name] = it
	}
	return out
}

// TestCollectLive makes a package of the running host and looks for what must be
// in it, and for what must not.
func TestCollectLive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "--marker-of-this-test", "--password="+planted, "--token", planted, "https://u:"+planted+"@example.org/")
	cmd.Env = append(os.Environ(), sleepVar+"=1", "SECRET_IN_ENVIRONMENT="+planted)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	if err := os.WriteFile(filepath.Join(state, "identity.pem"), []byte("-----BEGIN PRIVATE KEY-----\n"+planted+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	var b bytes.Buffer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := New(Config{State: state, Version: "1.2.3"}).Collect(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := open(t, b.Bytes())
	for _, it := range p.Items {
		t.Logf("%-45s %-13s %8d bytes %6d ms %s", it.Name, it.Status, it.Bytes, it.Millis, it.Error)
	}
	t.Logf("%d bytes packed, %d of texts", b.Len(), p.Bytes)
	for name, text := range got {
		if strings.Contains(text, planted) {
			i := strings.Index(text, planted)
			t.Errorf("%s holds the secret: %q", name, text[max(0, i-100):i+30])
		}
	}
	at := l.Addr().String()
	for name, want := range map[string][]string{
		"Processes/processes.csv":              {"--marker-of-this-test", filepath.Base(self)},
		"Open files/open-files.csv":            {"socket:["},
		"Network/listening.csv":                {at, "LISTEN"},
		"Network/connections.csv":              {at, c.LocalAddr().String(), "ESTABLISHED"},
		"Network/addresses.csv":                {"lo", "127.0.0.1/8"},
		"Network/routes.csv":                   {"127.0.0.1/32"},
		"Disks/mounts.csv":                     {"/proc", "proc"},
		"System/system.txt":                    {"Kernel: Linux", "Boot id: "},
		"System/cpu.txt":                       {"processor"},
		"System/memory.txt":                    {"MemTotal"},
		"Users and groups/passwd.txt":          {"root:x:0:0:"},
		"Users and groups/group.txt":           {"root:x:0:"},
		"Agent/state.csv":                      {"identity.pem"},
		"Temp directories/listing.csv":         {filepath.Dir(filepath.Dir(state))},
		"CollectionSummaryReport.csv":          {"Processes/processes.csv", "/proc/PID/fd"},
		"CollectionSummaryReport.json":         {`"agentVersion": "1.2.3"`},
		"Users and groups/password-status.csv": {"root,"},
	} {
		if strings.HasPrefix(name, "Users and groups/password") && os.Geteuid() != 0 {
			continue
		}
		for _, w := range want {
			if !strings.Contains(got[name], w) {
				t.Errorf("%s does not hold %q", name, w)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(got["Processes/processes.csv"])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, row := range rows[1:] {
		if row[0] == fmt.Sprint(os.Getpid()) {
			found = true
			sum, err := sumFile(self)
			if err != nil || row[10] != sum {
				t.Errorf("this process has SHA-256 %q, want %q, %v", row[10], sum, err)
			}
			if start, err := time.Parse(time.RFC3339, row[4]); err != nil || time.Since(start).Abs() > time.Hour {
				t.Errorf("this process started at %q, %v", row[4], err)
			}
		}
	}
	if !found {
		t.Error("this process is not in the list")
	}
	for name, it := range statuses(p) {
		if it.Status == Failed || it.Status == TimedOut {
			t.Errorf("%s: %s (%s)", name, it.Status, it.Error)
		}
	}
	if grown := after.HeapSys - before.HeapSys; after.HeapSys > before.HeapSys && grown > 96<<20 {
		t.Errorf("collecting took %d MiB of memory", grown>>20)
	}
}

func sumFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return sumOf(context.Background(), f, 1<<40)
}

// TestCollectRoot makes a package of another root, with secrets in many places
// and a link that leads out of it.
func TestCollectRoot(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	files := map[string]string{
		"etc/os-release":               "PRETTY_NAME=\"Test OS 1\"\n",
		"etc/hostname":                 "other-host\n",
		"etc/passwd":                   "root:x:0:0:root:/root:/bin/sh\nold:" + planted + ":1000:1000::/home/old:/bin/sh\nalice:x:1001:1001::/home/alice:/bin/sh\n",
		"etc/group":                    "root:x:0:\n",
		"etc/shadow":                   "root:$y$j9T$" + planted + "$x:19000:0:99999:7:::\nalice:!$6$x$" + planted + ":19001:0:99999:7:::\nnobody:*:19000:0:99999:7:::\nopen::19000:0:99999:7::20000:\n",
		"etc/sudoers":                  "root ALL=(ALL:ALL) ALL\n",
		"etc/sudoers.d/ops":            "alice ALL=(ALL) NOPASSWD: /bin/x\n",
		"etc/environment":              "http_proxy=http://u:" + planted + "@proxy.example:3128\nOTHER=1\n",
		"etc/cron.d/job":               "* * * * * root backup --password " + planted + "\n",
		"var/spool/cron/crontabs/al":   "MAILTO=x\n0 1 * * * curl -H 'Authorization: Bearer " + planted + "' x\n",
		"etc/cron.daily/with-key":      "cat <<E\n-----BEGIN EC PRIVATE KEY-----\n" + planted + "\n-----END EC PRIVATE KEY-----\nE\n",
		"etc/systemd/system/a.service": "[Service]\nEnvironment=API_TOKEN=" + planted + "\nExecStart=/bin/a\n",
		"root/.ssh/id_ed25519":         "-----BEGIN OPENSSH PRIVATE KEY-----\n" + planted + "\n",
		"tmp/" + "a-file":              planted,
		"var/log/auth.log":             "sshd: Accepted publickey for alice\n",
		"var/log/wtmp":                 string(utmpBytes(7, "alice", "pts/0", "10.1.2.3", 1_700_000_000)),
		"var/log/btmp":                 string(utmpBytes(6, planted, "ssh", "10.1.2.4", 1_700_000_001)) + string(utmpBytes(6, "alice", "ssh", "10.1.2.4", 1_700_000_002)),
	}
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside, []byte(planted+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "etc/fstab")); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	p, err := New(Config{State: t.TempDir(), Root: dir + "/"}).Collect(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	got, items := open(t, b.Bytes()), statuses(p)
	for name, text := range got {
		if i := strings.Index(text, planted); i >= 0 {
			t.Errorf("%s holds the secret: %q", name, text[max(0, i-100):i+30])
		}
	}
	for name, want := range map[string][]string{
		"Users and groups/passwd.txt":          {"root:x:0:0", "old:[left out]:1000", "alice:x:"},
		"Users and groups/password-status.csv": {"root,set,2022-01-08", "alice,locked", "nobody,no password can be right", "open,none: anybody may sign in,2022-01-08,2024-10-04"},
		"Users and groups/sudoers.txt":         {"## /etc/sudoers.d/ops\n", "NOPASSWD: ", "root ALL=(ALL:ALL) ALL"},
		"Users and groups/sign-ins.csv":        {"2023-11-14T22:13:20Z,user,alice,pts/0,10.1.2.3"},
		"Users and groups/failed-sign-ins.csv": {"[no account of this host]", "2023-11-14T22:13:22Z,login,alice"},
		"Services and tasks/cron.txt":          {"## /etc/cron.d/job\n* * * * * root backup --password [left out]\n", "[private key left out]", "## /var/spool/cron/crontabs/al"},
		"Services and tasks/own-units.txt":     {"API_TOKEN=[left out]"},
		"Network/proxy.txt":                    {"/etc/environment: http_proxy=http://[left out]@proxy.example:3128"},
		"Temp directories/listing.csv":         {"/tmp/a-file"},
		"Logs/auth-log.txt":                    {"Accepted publickey"},
		"System/os-release.txt":                {"Test OS 1"},
	} {
		for _, w := range want {
			if !strings.Contains(got[name], w) {
				t.Errorf("%s does not hold %q: %q", name, w, got[name])
			}
		}
	}
	if p.Host != "other-host" || !strings.HasPrefix(p.System, "Test OS 1") {
		t.Errorf("package %+v", p)
	}
	for _, name := range []string{"Processes/processes.csv", "Network/connections.csv", "Network/firewall-nftables.txt", "Kernel modules/modules.txt", "Logs/journal.txt"} {
		if it := items[name]; it.Status != Unavailable || !strings.Contains(it.Error, "--root") {
			t.Errorf("%s of another root: %+v", name, it)
		}
		if _, there := got[name]; there {
			t.Errorf("%s is in the package of another root", name)
		}
	}
	if it := items["Disks/fstab.txt"]; it.Status == Whole || got["Disks/fstab.txt"] != "" && strings.Contains(got["Disks/fstab.txt"], planted) {
		t.Errorf("a link out of the root was followed: %+v", it)
	}
}

// utmpBytes is a record of wtmp.
func utmpBytes(kind uint16, user, line, host string, at uint64) []byte {
	f := utmpFormOf(runtime.GOARCH)
	b := make([]byte, f.size)
	binary.LittleEndian.PutUint16(b, kind)
	copy(b[8:], line)
	copy(b[44:], user)
	copy(b[76:], host)
	if f.wide == 8 {
		binary.LittleEndian.PutUint64(b[f.seconds:], at)
	} else {
		binary.LittleEndian.PutUint32(b[f.seconds:], uint32(at))
	}
	a := netip.MustParseAddr(host).As4()
	copy(b[f.addr:], a[:])
	return b
}

// TestParse proves the readers of the kernel's forms.
func TestParse(t *testing.T) {
	s, ok := parseSocket("   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0")
	if !ok || s.local.String() != "127.0.0.1:8080" || s.remote.String() != "127.0.0.2:50000" || s.state != 1 || s.uid != "1000" || s.inode != "12345" {
		t.Errorf("socket %+v, %v", s, ok)
	}
	s, ok = parseSocket("   1: 000080FE00000000FF005450B6AD1DFE:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 77 1")
	if !ok || s.local.String() != "[fe80::5054:ff:fe1d:adb6]:22" {
		t.Errorf("socket %+v, %v", s, ok)
	}
	for _, bad := range []string{"", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode", "0: 01:1 02:2 01 0:0 0:0 0 0 0 1", "0: zz00007F:1F90 0100007F:1 01 0 0 0 0 0 1 1"} {
		if s, ok := parseSocket(bad); ok {
			t.Errorf("%q is taken for %+v", bad, s)
		}
	}
	m, ok := parseMount(`36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`)
	if !ok || m.at != "/mnt 2" || m.kind != "ext3" || m.source != "/dev/root" || m.options != "rw,noatime,rw,errors=continue" {
		t.Errorf("mount %+v, %v", m, ok)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		f := utmpFormOf(arch)
		b := make([]byte, f.size)
		b[f.seconds], b[f.addr+15] = 1, 1
		if s := f.parse(b); s.at.Unix() != 1 || s.addr.String() != "::1" {
			t.Errorf("%s: %+v", arch, s)
		}
	}
}

// TestPrograms proves that only programs of the list are started, and none that
// somebody else could have put there.
func TestPrograms(t *testing.T) {
	if _, err := program("sh"); err == nil {
		t.Error("a shell would be started")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root owns programs")
	}
	dir := t.TempDir()
	p := filepath.Join(dir, "nft")
	for mode, good := range map[os.FileMode]bool{0o755: true, 0o775: false, 0o777: false} {
		if err := os.WriteFile(p, []byte("#!/bin/false\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		if err := checkProgram(p); (err == nil) != good {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chown(p, 65534, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(p, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := checkProgram(p); err == nil {
		t.Error("a program of another user would be started")
	}
}
