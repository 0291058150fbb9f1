package collect

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLiveDeletedProgram starts a real program, deletes its file and looks for it.
func TestLiveDeletedProgram(t *testing.T) {
	sleep := need(t, "sleep")
	h := liveHost(t)
	dir, err := os.MkdirTemp("/var/tmp", "collect-test-")
	if err != nil {
		t.Skipf("no directory outside of /tmp: %v", err)
	}
	defer os.RemoveAll(dir)
	data, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	prog := filepath.Join(dir, "old-program")
	if err := os.WriteFile(prog, data, 0o755); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	cmd := exec.CommandContext(t.Context(), prog, "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := os.Remove(prog); err != nil {
		t.Fatal(err)
	}
	want := []string{strings.TrimPrefix(prog, "/")}
	// The new process may still be on its way through exec.
	for deadline := time.Now().Add(10 * time.Second); ; {
		stale := staleProcesses(t.Context(), h, begin("restart", DefaultLimits()))
		i := slices.IndexFunc(stale, func(p staleProcess) bool { return p.PID == cmd.Process.Pid })
		if i < 0 {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is not among %+v", cmd.Process.Pid, stale)
			}
			continue
		}
		if d := cmp.Diff(want, stale[i].files); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if stale[i].Name != "old-program" {
			t.Errorf("name %q", stale[i].Name)
		}
		if off := stale[i].Start.Sub(before).Abs(); off > 5*time.Second {
			t.Errorf("start %s is %s from the real one", stale[i].Start, off)
		}
		return
	}
}

func TestParseUpgrade(t *testing.T) {
	zone := time.FixedZone("x", 2*3600)
	pkg, old, at, err := parseUpgrade("2026-11-21 22:10:01 upgrade libssl3:amd64 3.0.11-1 3.0.15-1", zone)
	if err != nil || pkg != "libssl3" || old != "3.0.11-1" || !at.Equal(time.Date(2026, 11, 21, 20, 10, 1, 0, time.UTC)) {
		t.Errorf("got %q %q %s %v", pkg, old, at, err)
	}
	for _, line := range []string{"", "2026-11-21 22:10:01 install a <none> 1", "x y upgrade a 1 2", "2026-11-21 22:10:01 status installed a 1"} {
		if _, _, _, err := parseUpgrade(line, zone); err == nil {
			t.Errorf("%q was taken for an upgrade", line)
		}
	}
}

func TestOldName(t *testing.T) {
	for in, want := range map[string]string{
		"usr/lib/a.so.1.dpkg-new": "usr/lib/a.so.1", "usr/lib/a.so.1;5f3a2b1c": "usr/lib/a.so.1", "usr/lib/a;b": "usr/lib/a;b", "usr/bin/x": "usr/bin/x",
	} {
		if got := oldName(in); got != want {
			t.Errorf("oldName(%q) = %q, want %q", in, got, want)
		}
	}
}
