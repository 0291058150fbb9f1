package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// groupsVar names the control groups that Isolated has made for its program.
const groupsVar = "PICKET_RIG_GROUPS"

// HostNeeds says what is missing here to boot a Host, or is empty.
func HostNeeds() string {
	if os.Geteuid() != 0 {
		return "a host can only be booted by root"
	}
	for _, tool := range []string{"systemd-nspawn", "nsenter", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			return tool + " is not installed"
		}
	}
	return ""
}

// Isolated runs a program as the first process of namespaces of its own: the
// program sees no processes but its own, and no network but a loopback
// interface that is down. Whatever it started has ended, and whatever it
// mounted is gone, when Isolated returns. It needs root.
func Isolated(cmd *exec.Cmd) (err error) {
	groups, err := makeGroups(fmt.Sprintf("picket-rig-%d", os.Getpid()))
	defer func() { err = errors.Join(err, removeGroups(groups)) }()
	if err != nil {
		return err
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, groupsVar+"="+strings.Join(groups, ":"))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig:    syscall.SIGKILL,
		Cloneflags:   unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS,
		Unshareflags: unix.CLONE_NEWNS,
	}
	return cmd.Run()
}

// makeGroups makes a control group in each hierarchy that systemd would keep its
// processes in, wherever it is mounted. Those made before an error are returned.
func makeGroups(name string) (groups []string, err error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(raw)) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 3 || g[0] != "cgroup2" && (g[0] != "cgroup" || !strings.Contains(g[2], "name=systemd")) {
			continue
		}
		dir := filepath.Join(f[4], name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return groups, fmt.Errorf("make control group: %w", err)
		}
		groups = append(groups, dir)
	}
	return groups, nil
}

// removeGroups removes groups with all below them.
func removeGroups(groups []string) error {
	var bad error
	for _, g := range groups {
		var dirs []string
		err := filepath.WalkDir(g, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return err
		})
		for i := len(dirs) - 1; i >= 0; i-- {
			err = errors.Join(err, os.Remove(dirs[i]))
		}
		bad = errors.Join(bad, err)
	}
	return bad
}

// Host is a machine of its own with systemd as its first process, whose disk
// starts as a copy of this machine's and whose loopback interface is shared with
// the program that booted it.
type Host struct {
	*Process
	Root    string // where its disk is seen from outside
	leader  int    // its first process
	network string // file of the network namespace that it is booted in; "" is that of the program
}

// BootHost boots a host in a program that Isolated has started, at most once,
// and waits until it is up. What it writes to its disk is in memory. It ends
// with the program.
func BootHost(ctx context.Context, dir string) (*Host, error) { return BootHostIn(ctx, dir, "") }

// BootHostIn is BootHost with a network namespace of the host's own, which it
// keeps when it reboots: a file as /proc/PID/ns/net.
func BootHostIn(ctx context.Context, dir, network string) (*Host, error) {
	for _, g := range strings.Split(os.Getenv(groupsVar), ":") {
		if err := os.WriteFile(filepath.Join(g, "cgroup.procs"), []byte("0"), 0); err != nil {
			return nil, fmt.Errorf("enter control group: %w", err)
		}
	}
	for _, m := range []struct{ what, at string }{{"proc", "/proc"}, {"tmpfs", "/run"}, {"tmpfs", dir}} {
		if err := unix.Mount(m.what, m.at, m.what, 0, ""); err != nil {
			return nil, fmt.Errorf("mount %s on %q: %w", m.what, m.at, err)
		}
	}
	if _, err := Run(ctx, "ip", "link", "set", "lo", "up"); err != nil {
		return nil, err
	}
	h := &Host{Root: filepath.Join(dir, "root"), network: network}
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{h.Root, upper, work} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := unix.Mount("overlay", h.Root, "overlay", 0, "lowerdir=/,upperdir="+upper+",workdir="+work); err != nil {
		return nil, fmt.Errorf("mount a copy of the root: %w", err)
	}
	if err := h.prepare(); err != nil {
		return nil, fmt.Errorf("prepare disk: %w", err)
	}
	return h, h.boot(ctx)
}

// boot starts the host's first process and waits until the host is up.
func (h *Host) boot(ctx context.Context) (err error) {
	var more []string
	if h.network != "" {
		more = []string{"--network-namespace-path=" + h.network}
	}
	h.Process, err = start(filepath.Join(filepath.Dir(h.Root), "host.log"), "systemd-nspawn", append(more, "--quiet", "--boot", "--directory="+h.Root,
		"--machine=rig", "--register=no", "--keep-unit", "--console=pipe", "--capability=all", "--system-call-filter=bpf perf_event_open fanotify_init fanotify_mark name_to_handle_at open_by_handle_at", "systemd.unit=multi-user.target"))
	if err != nil {
		return err
	}
	err = Wait(ctx, time.Minute, 50*time.Millisecond, h.up)
	if err != nil {
		text := h.Log()
		h.Kill()
		return fmt.Errorf("boot host: %w\n%s", err, text)
	}
	return nil
}

// rebooted is how systemd-nspawn exits when the host asks for a reboot.
const rebooted = 133

// Reboot lets the host shut down in order and boots it again from its disk.
func (h *Host) Reboot(ctx context.Context) error {
	_, asked := h.Run(ctx, "systemctl", "reboot") // the answer may be lost with the host
	select {
	case <-h.Done():
	case <-ctx.Done():
		return errors.Join(ctx.Err(), asked)
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the host did not shut down in a minute"), asked)
	}
	var exit *exec.ExitError
	if err := h.Err(); !errors.As(err, &exit) || exit.ExitCode() != rebooted {
		return fmt.Errorf("the host ended without a reboot: %w", errors.Join(err, asked))
	}
	return h.boot(ctx)
}

// Cut ends the host as a cut of its power does, and boots it again from its disk.
func (h *Host) Cut(ctx context.Context) error {
	if err := syscall.Kill(h.leader, syscall.SIGKILL); err != nil { // with it ends all of its namespace
		return err
	}
	select {
	case <-h.Done():
	case <-time.After(10 * time.Second):
		h.Kill()
	}
	return h.boot(ctx)
}

// prepare takes from the disk what belongs to this machine alone: its services,
// its other disks, its identity.
func (h *Host) prepare() error {
	etc := filepath.Join(h.Root, "etc")
	for _, pattern := range []string{"systemd/system/*.wants", "systemd/system/*.requires", "rc?.d", "fstab", "crypttab"} {
		list, err := filepath.Glob(filepath.Join(etc, pattern))
		if err != nil {
			return err
		}
		for _, p := range list {
			if err := os.RemoveAll(p); err != nil {
				return err
			}
		}
	}
	for name, text := range map[string]string{"machine-id": strings.Repeat("51c", 10) + "51\n", "hostname": "rig-host\n"} {
		p := filepath.Join(etc, name)
		if err := os.RemoveAll(p); err != nil {
			return err
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// up reports whether the host has booted.
func (h *Host) up(ctx context.Context) (bool, error) {
	select {
	case <-h.Done():
		return false, fmt.Errorf("the host ended: %w", h.Err())
	default:
	}
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", h.PID(), h.PID()))
	if err != nil {
		return false, err
	}
	if _, err := fmt.Sscan(string(raw), &h.leader); err != nil {
		return false, fmt.Errorf("the host has no first process yet: %w", err)
	}
	state, err := h.Run(ctx, "systemctl", "is-system-running") // exits with 1 while it starts, and where a unit failed
	switch text := strings.TrimSpace(string(state)); text {
	case "running", "degraded":
		return true, nil
	default:
		return false, errors.Join(fmt.Errorf("the host is %q", text), err)
	}
}

// Run runs a program on the host to its end and returns what it wrote to stdout.
// It has the environment of a root login, nothing of the test's. The error holds
// the end of stderr.
func (h *Host) Run(ctx context.Context, args ...string) ([]byte, error) {
	enter := []string{"-i", "HOME=/root", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"nsenter", "--target", fmt.Sprint(h.leader), "--all", "--wd=/"} // env runs outside: on the host the program is the only one
	return Run(ctx, "env", append(enter, args...)...)
}
