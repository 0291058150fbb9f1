package posture

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/agent/collect"
	"github.com/picketsec/picket/internal/inventory"
)

// collectRoot runs the agent's collectors that checks look at on a root.
func collectRoot(t *testing.T, dir string, live bool) map[inventory.SectionName]*inventory.Section {
	t.Helper()
	h, c, err := collect.OpenHost(dir, live, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wanted := map[inventory.SectionName]bool{inventory.OSSection: true, inventory.DPKG: true, inventory.RPM: true, inventory.APK: true}
	for _, n := range inventory.SettingSections {
		wanted[n] = true
	}
	sections := map[inventory.SectionName]*inventory.Section{}
	for _, c := range collect.All() {
		if wanted[c.Name] {
			sections[c.Name] = collect.Run(context.Background(), c, h, collect.DefaultLimits())
		}
	}
	return sections
}

// skip skips a test, or fails it in CI.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s, and in CI this test may not be skipped", why)
	}
	t.Skip(why)
}

// TestLive judges this very host: most checks give pass or fail on a stock
// Debian 12.
func TestLive(t *testing.T) {
	release, err := os.ReadFile("/etc/os-release")
	switch {
	case runtime.GOOS != "linux" || err != nil || !strings.Contains(string(release), "ID=debian") || !strings.Contains(string(release), `VERSION_ID="12"`):
		skip(t, "this host is no Debian 12")
	case os.Geteuid() != 0:
		skip(t, "not root: what only root may read is not assessed")
	}
	count := map[State]int{}
	for _, r := range Evaluate(collectRoot(t, "/", true)) {
		count[r.State]++
		if r.State == NotAssessed {
			t.Logf("%s: %s", r.Check, r.Reason)
		}
	}
	if n := count[Pass] + count[Fail]; n < 100 {
		t.Errorf("%d checks give pass or fail, at least 100 are promised: %v", n, count)
	}
	t.Logf("%v", count)
}

// TestRoot judges another root, from files to results: nothing of the host on
// which the agent runs is taken for the root's.
func TestRoot(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"etc/os-release":           "ID=debian\nVERSION_ID=\"12\"\n",
		"etc/passwd":               "root:x:0:0:root:/root:/bin/bash\nsecond:x:0:0::/root:/bin/sh\n",
		"etc/group":                "root:x:0:\n",
		"etc/shadow":               "root:*:1:0:99999:7:::\n",
		"etc/sysctl.d/x.conf":      "kernel.kptr_restrict = 2\nkernel.dmesg_restrict = 0\n",
		"usr/sbin/sshd":            "",
		"etc/ssh/sshd_config":      "PermitRootLogin no\n",
		"var/lib/dpkg/status":      "Package: telnetd\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n",
		"etc/sudoers":              "Defaults use_pty\n%sudo ALL=(ALL) NOPASSWD: ALL\n",
		"etc/fstab":                "tmpfs /tmp tmpfs nodev,nosuid 0 0\n",
		"etc/audit/rules.d/x.rule": "",
	} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := map[string]Result{}
	for _, r := range Evaluate(collectRoot(t, dir, false)) {
		at[r.Check] = r
	}
	for id, want := range map[string]State{
		"scid-4001": Fail, "scid-4010": Pass, "scid-2003": Pass, "scid-2004": Fail, "scid-1001": Pass, "scid-1006": Fail, "scid-3040": Fail, "scid-4060": Pass,
		"scid-4062": Fail, "scid-2060": Pass, "scid-2062": Fail, "scid-2066": Fail,
		"scid-2001": NotAssessed,   // no file sets it, and no kernel runs
		"scid-2063": NotAssessed,   // what systemd mounts at /dev/shm
		"scid-2020": NotAssessed,   // the kernel's word on the processor
		"scid-2023": NotAssessed,   // what firmware it starts by
		"scid-3020": NotAssessed,   // no kernel is installed
		"scid-5052": NotApplicable, // not of the RHEL family
	} {
		if r := at[id]; r.State != want {
			t.Errorf("%s: %+v, want %s", id, r, want)
		}
	}
}
