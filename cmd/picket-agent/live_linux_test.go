package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/rig"
)

// skip skips a test for want of something, and fails it in CI, where it must be there.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+", and in CI this test may not be skipped", args...)
	}
	t.Skipf(format, args...)
}

// startBuilt starts a built server and a built agent of a small tree and waits
// until the agent has reported.
func startBuilt(t *testing.T) *rig.Agent {
	t.Helper()
	dir := t.TempDir()
	bins, err := rig.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := bins.StartServer(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Stop)
	a, err := bins.StartAgent(t.Context(), srv, filepath.Join(dir, "state"), rig.AgentOptions{Root: newTree(t).dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Stop)
	c, err := srv.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, a, func() error {
		devices, err := c.Devices(t.Context())
		if err == nil && (len(devices) != 1 || !devices[0].Connected || devices[0].Software == 0) {
			err = fmt.Errorf("devices %+v", devices)
		}
		return err
	})
	return a
}

func waitFor(t *testing.T, a *rig.Agent, ok func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	err := ok()
	for end := time.Now().Add(60 * time.Second); err != nil && time.Now().Before(end); err = ok() {
		<-tick.C
	}
	if err != nil {
		t.Fatalf("waited too long: %v\n%s", err, a.Log())
	}
}

// ownGroups returns the folders of the agent's groups below the mounts of version
// 1 on this kind of machine, by controller.
func ownGroups(t *testing.T, pid int) map[string]string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for line := range strings.Lines(string(raw)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 || !strings.HasPrefix(filepath.Base(f[2]), "picket-agent-") {
			continue
		}
		for m := range strings.Lines(string(mounts)) {
			w := strings.Fields(m)
			if n := len(w); n > 6 && w[3] == "/" && w[n-3] == "cgroup" && strings.HasSuffix(w[n-1], ","+f[1]) {
				at[f[1]] = filepath.Join(w[4], f[2])
			}
		}
	}
	return at
}

// TestOwnControlGroup proves on a host with control groups of version 1 that the
// built agent is alone in groups with hard limits, that it is there again after
// it was killed, and that nothing of it stays when it ends.
func TestOwnControlGroup(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "only root can make control groups")
	}
	if _, err := os.Stat("/sys/fs/cgroup/memory/memory.limit_in_bytes"); err != nil {
		skip(t, "this host has no control groups of version 1")
	}
	a := startBuilt(t)
	look := func() map[string]string {
		t.Helper()
		groups := ownGroups(t, a.PID())
		got := map[string]string{}
		for controller, dir := range groups {
			for _, file := range []string{"cgroup.procs", "cpu.cfs_quota_us", "cpu.cfs_period_us", "memory.limit_in_bytes", "pids.max"} {
				if raw, err := os.ReadFile(filepath.Join(dir, file)); err == nil {
					got[controller+" "+file] = strings.TrimSpace(string(raw))
				}
			}
		}
		pid := fmt.Sprint(a.PID())
		want := map[string]string{"cpu cgroup.procs": pid, "cpu cpu.cfs_quota_us": "50000", "cpu cpu.cfs_period_us": "100000",
			"memory cgroup.procs": pid, "memory memory.limit_in_bytes": "268435456", "pids cgroup.procs": pid, "pids pids.max": "128"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("limits (-want +got):\n%s\n%s", diff, a.Log())
		}
		return groups
	}
	first := look()
	a.Kill()
	for _, dir := range first {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("a killed agent has left no group: the next step proves nothing: %v", err)
		}
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, a, func() error {
		if n := strings.Count(a.Log(), "hard limits"); n != 2 {
			return fmt.Errorf("%d lines about limits from two starts", n)
		}
		return nil
	})
	if diff := cmp.Diff(first, look()); diff != "" {
		t.Errorf("groups after a kill (-first +second):\n%s", diff)
	}
	a.Stop()
	for _, dir := range first {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s stays after the end of the agent: %v", dir, err)
		}
	}
}

// TestListensNowhere proves that the running agent has no socket that waits for others.
func TestListensNowhere(t *testing.T) {
	a := startBuilt(t)
	own := map[string]bool{}
	dir := fmt.Sprintf("/proc/%d/", a.PID())
	fds, err := os.ReadDir(dir + "fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "fd/" + fd.Name()); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				own[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	if len(own) == 0 {
		t.Fatal("the agent has no socket at all: it is not connected, and this proves nothing")
	}
	// Field of state, of inode, and the state that is allowed: 01 is a connection
	// of TCP or a peer of UDP. A unix socket that listens has flag 0x10000.
	for _, table := range []struct {
		name         string
		state, inode int
		allowed      []string
	}{
		{"tcp", 3, 9, []string{"01", "02", "08"}}, {"tcp6", 3, 9, []string{"01", "02", "08"}},
		{"udp", 3, 9, []string{"01"}}, {"udp6", 3, 9, []string{"01"}}, {"raw", 3, 9, nil}, {"raw6", 3, 9, nil},
		{"unix", 3, 6, []string{"00000000"}},
	} {
		raw, err := os.ReadFile(dir + "net/" + table.name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			if len(f) > table.inode && own[f[table.inode]] && !slices.Contains(table.allowed, f[table.state]) {
				t.Errorf("%s: %s", table.name, line)
			}
		}
	}
}
