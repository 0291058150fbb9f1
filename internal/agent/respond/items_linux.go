package respond

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Caps of items, in bytes.
const (
	small  = 1 << 20
	medium = 8 << 20
	large  = 24 << 20
)

// Times of items.
const (
	soon = 10 * time.Second
	slow = 60 * time.Second
)

// maxEntries bounds the files of one directory that are looked at.
const maxEntries = 5000

func (r *Responder) can(k Kind) error {
	switch k {
	case Collect:
		return nil
	case Scan:
		return r.canScan()
	case Isolate, Release:
		return r.canIsolate()
	case Investigate:
		return r.canInvestigate()
	}
	return unsupported(fmt.Sprintf("the agent knows no action %q", k))
}

// items are what a package of this host holds.
func (r *Responder) items() []item {
	h := &hostRoot{dir: r.cfg.Root}
	p := &procs{}
	text := func(name string, max int64, files ...string) item {
		return item{name: name, how: "/" + strings.Join(files, ", /"), max: max, wait: soon, run: func(ctx context.Context, w io.Writer) error { return h.texts(ctx, w, files...) }}
	}
	kernel := func(name string, max int64, files ...string) item {
		it := text(name, max, files...)
		it.live = true
		return it
	}
	ask := func(name string, max int64, wait time.Duration, program string, args ...string) item {
		return item{name: name, how: program + " " + strings.Join(args, " "), max: max, wait: wait, live: true,
			run: func(ctx context.Context, w io.Writer) error { return output(ctx, w, program, args...) }}
	}
	systemd := func(it item) item { // its manager answers, where there is one
		run := it.run
		it.run = func(ctx context.Context, w io.Writer) error {
			if _, err := os.Stat("/run/systemd/system"); err != nil {
				return fmt.Errorf("systemd does not run on this host: %w", fs.ErrNotExist)
			}
			return run(ctx, w)
		}
		return it
	}
	do := func(name, how string, max int64, wait time.Duration, live bool, run func(context.Context, io.Writer) error) item {
		return item{name: name, how: how, max: max, wait: wait, live: live, run: run}
	}
	return []item{
		text("System/os-release.txt", small, "etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/redhat-release", "etc/hostname", "etc/machine-info"),
		do("System/system.txt", "uname, sysinfo, /proc", small, soon, true, systemFacts),
		kernel("System/cpu.txt", small, "proc/cpuinfo"),
		kernel("System/memory.txt", small, "proc/meminfo", "proc/loadavg", "proc/pressure/cpu", "proc/pressure/memory", "proc/pressure/io"),
		do("System/hardware.csv", "/sys/class/dmi/id, /sys/bus/pci, /sys/block", small, soon, true, hardware),
		kernel("Kernel modules/modules.txt", small, "proc/modules", "proc/sys/kernel/tainted"),
		do("Disks/mounts.csv", "/proc/self/mountinfo, statfs of local file systems", medium, soon, true, mounts),
		kernel("Disks/partitions.txt", small, "proc/partitions", "proc/swaps", "proc/mdstat"),
		text("Disks/fstab.txt", small, "etc/fstab"),
		do("Processes/processes.csv", "/proc/PID/{stat,status,cmdline,exe}, SHA-256 of the programs", large, 3*time.Minute, true, p.list),
		do("Open files/open-files.csv", "/proc/PID/fd", large, slow, true, p.files),
		do("Network/connections.csv", "/proc/net/{tcp,tcp6,udp,udp6,raw,raw6}, /proc/PID/fd", large, slow, true, func(ctx context.Context, w io.Writer) error { return p.sockets(ctx, w, false) }),
		do("Network/listening.csv", "/proc/net/{tcp,tcp6,udp,udp6}, /proc/PID/fd", medium, slow, true, func(ctx context.Context, w io.Writer) error { return p.sockets(ctx, w, true) }),
		kernel("Network/unix-sockets.txt", medium, "proc/net/unix"),
		do("Network/neighbours.csv", "netlink: ARP and IPv6 neighbours", medium, soon, true, neighbours),
		do("Network/addresses.csv", "netlink: interfaces and addresses", medium, soon, true, addresses),
		do("Network/routes.csv", "netlink: routes", medium, soon, true, routes),
		ask("Network/firewall-nftables.txt", medium, soon, "nft", "list", "ruleset"),
		do("Network/firewall-iptables-legacy.txt", "iptables-legacy-save, ip6tables-legacy-save, where such rules are loaded", medium, soon, true, legacyRules),
		text("Network/resolver.txt", small, "etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf", "run/systemd/resolve/resolv.conf", "etc/systemd/resolved.conf"),
		do("Network/proxy.txt", "lines about proxies in /etc/environment, /etc/profile.d, of apt, dnf and systemd", small, soon, false, h.proxies),
		do("Users and groups/passwd.txt", "/etc/passwd", medium, soon, false, h.passwd),
		text("Users and groups/group.txt", medium, "etc/group"),
		do("Users and groups/password-status.csv", "/etc/shadow: whether there is a password and since when, no hashes", medium, soon, false, h.passwords),
		do("Users and groups/sudoers.txt", "/etc/sudoers, /etc/sudoers.d", medium, soon, false, func(ctx context.Context, w io.Writer) error {
			return h.folders(ctx, w, "etc/sudoers", "etc/sudoers.d")
		}),
		do("Users and groups/sign-ins.csv", "/var/log/wtmp", medium, soon, false, h.signIns("var/log/wtmp")),
		do("Users and groups/failed-sign-ins.csv", "/var/log/btmp; a name that is no account is left out, it may be a password", medium, soon, false, h.signIns("var/log/btmp")),
		do("Users and groups/last-sign-ins.csv", "/var/log/lastlog", medium, soon, false, h.lastSignIns),
		do("Users and groups/signed-in-now.csv", "/run/utmp", small, soon, true, h.signIns("run/utmp")),
		systemd(ask("Services and tasks/services.txt", medium, slow, "systemctl", "list-units", "--all", "--full", "--plain", "--no-pager", "--no-legend", "--type=service,socket")),
		ask("Services and tasks/unit-files.txt", medium, slow, "systemctl", "list-unit-files", "--full", "--no-pager", "--no-legend"),
		systemd(ask("Services and tasks/timers.txt", small, slow, "systemctl", "list-timers", "--all", "--full", "--no-pager", "--no-legend")),
		do("Services and tasks/own-units.txt", "/etc/systemd/system", medium, soon, false, func(ctx context.Context, w io.Writer) error { return h.folders(ctx, w, "etc/systemd/system") }),
		do("Services and tasks/cron.txt", "/etc/crontab, /etc/anacrontab, /etc/cron.*, crontabs of users", medium, soon, false, func(ctx context.Context, w io.Writer) error {
			return h.folders(ctx, w, "etc/crontab", "etc/anacrontab", "etc/cron.d", "etc/cron.hourly", "etc/cron.daily", "etc/cron.weekly", "etc/cron.monthly", "var/spool/cron/crontabs", "var/spool/cron")
		}),
		do("Temp directories/listing.csv", "names in /tmp, /var/tmp, /dev/shm, not what they hold", medium, soon, false, h.listing("tmp", "var/tmp", "dev/shm")),
		ask("Logs/journal.txt", large, slow, "journalctl", "--no-pager", "--output=short-iso", "--lines=100000"),
		do("Logs/auth-log.txt", "end of /var/log/auth.log or /var/log/secure", medium, soon, false, h.end(medium, "var/log/auth.log", "var/log/secure")),
		do("Logs/system-log.txt", "end of /var/log/syslog or /var/log/messages", medium, soon, false, h.end(medium, "var/log/syslog", "var/log/messages")),
		ask("Agent/log.txt", medium, slow, "journalctl", "--no-pager", "--output=short-iso", "--lines=20000", "--unit=picket-agent.service"),
		do("Agent/state.csv", "isolation; names and sizes in the agent's state directory", small, soon, false, r.ownState),
	}
}

// describe is a package before anything is in it.
func (r *Responder) describe() *Package {
	p := &Package{Version: r.cfg.Version, Root: r.cfg.Root, Collected: time.Now().UTC().Truncate(time.Second), System: runtime.GOOS + "/" + runtime.GOARCH}
	h := &hostRoot{dir: r.cfg.Root}
	if raw, err := h.read("etc/hostname", 256); err == nil {
		p.Host = cell(strings.TrimSpace(string(raw)))
	}
	if r.live() {
		if name, err := os.Hostname(); err == nil {
			p.Host = cell(name)
		}
	}
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		raw, err := h.read(file, 64<<10)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			if v, ok := strings.CutPrefix(line, "PRETTY_NAME="); ok {
				p.System = cell(strings.Trim(strings.TrimSpace(v), `"'`)) + ", " + p.System
			}
		}
		break
	}
	return p
}

// hostRoot is the file system that is looked at.
type hostRoot struct{ dir string }

// open opens a file that is a regular one: nothing else is read, and nothing that
// waits for somebody.
func (h *hostRoot) open(name string) (*os.File, error) {
	var f *os.File
	var err error
	if h.dir == "" {
		f, err = os.OpenFile("/"+name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	} else {
		var root *os.Root
		if root, err = os.OpenRoot(h.dir); err != nil {
			return nil, err
		}
		f, err = root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
		_ = root.Close() // the file stays open
	}
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, f.Close(), fmt.Errorf("/%s is not a regular file", name))
	}
	return f, nil
}

func (h *hostRoot) read(name string, max int64) ([]byte, error) {
	f, err := h.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, max))
}

// entries lists a directory, sorted by name.
func (h *hostRoot) entries(name string) (list []os.DirEntry, err error) {
	var d *os.File
	if h.dir == "" {
		d, err = os.OpenFile("/"+name, os.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	} else {
		var root *os.Root
		if root, err = os.OpenRoot(h.dir); err != nil {
			return nil, err
		}
		d, err = root.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
		_ = root.Close() // the directory stays open
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	list, err = d.ReadDir(maxEntries)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	slices.SortFunc(list, func(a, b os.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, err
}

// texts writes those of some files that there are, each below a line with its name.
func (h *hostRoot) texts(ctx context.Context, w io.Writer, files ...string) error {
	found := false
	var bad error
	for _, name := range files {
		switch err := h.text(ctx, w, name); {
		case err == nil:
			found = true
		case errors.Is(err, errFull), ctx.Err() != nil:
			return err
		case !errors.Is(err, fs.ErrNotExist):
			bad = errors.Join(bad, err)
		}
	}
	if !found && bad == nil {
		return fmt.Errorf("/%s: %w", strings.Join(files, ", /"), fs.ErrNotExist)
	}
	return bad
}

func (h *hostRoot) text(ctx context.Context, w io.Writer, name string) error {
	f, err := h.open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintf(w, "## /%s\n", name); err != nil {
		return err
	}
	return copyText(ctx, w, f)
}

// copyText passes a text on until ctx ends. What is no text is left out.
func copyText(ctx context.Context, w io.Writer, f io.Reader) error {
	in := bufio.NewReaderSize(f, 64<<10)
	if head, err := in.Peek(512); err == nil || errors.Is(err, io.EOF) {
		if slices.Contains(head, 0) {
			_, err := io.WriteString(w, "(not a text)\n")
			return err
		}
	}
	last := byte('\n')
	buf := make([]byte, 64<<10)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := in.Read(buf)
		if n > 0 {
			last = buf[n-1]
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if last == '\n' {
		return nil
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// folders writes files, and of directories the files in them.
func (h *hostRoot) folders(ctx context.Context, w io.Writer, names ...string) error {
	var files []string
	for _, name := range names {
		list, err := h.entries(name)
		if err != nil {
			files = append(files, name) // a file, or not there
			continue
		}
		for _, e := range list {
			if !e.IsDir() {
				files = append(files, path.Join(name, e.Name()))
			}
		}
	}
	return h.texts(ctx, w, files...)
}

// end writes the end of the first of some files that there is.
func (h *hostRoot) end(max int64, names ...string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		for _, name := range names {
			f, err := h.open(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			defer f.Close()
			if info, err := f.Stat(); err == nil && info.Size() > max {
				if _, err := f.Seek(info.Size()-max, io.SeekStart); err != nil {
					return err
				}
			}
			return copyText(ctx, w, f)
		}
		return fmt.Errorf("/%s: %w", strings.Join(names, ", /"), fs.ErrNotExist)
	}
}

// listing lists directories, not deeper than two levels.
func (h *hostRoot) listing(dirs ...string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		t, err := newTable(w, "Path", "Mode", "Owner", "Group", "Bytes", "Modified")
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			if err := h.list(ctx, t, dir, 2); err != nil {
				return errors.Join(err, t.end())
			}
		}
		return t.end()
	}
}

func (h *hostRoot) list(ctx context.Context, t *table, dir string, depth int) error {
	list, err := h.entries(dir)
	if err != nil {
		return nil // it is gone, or there is none
	}
	for _, e := range list {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		info, err := e.Info()
		if err != nil {
			continue
		}
		owner, group := "", ""
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			owner, group = strconv.Itoa(int(st.Uid)), strconv.Itoa(int(st.Gid))
		}
		name := path.Join(dir, e.Name())
		if err := t.row("/"+name, info.Mode().String(), owner, group, strconv.FormatInt(info.Size(), 10), info.ModTime().UTC().Format(time.RFC3339)); err != nil {
			return err
		}
		if e.IsDir() && depth > 1 {
			if err := h.list(ctx, t, name, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// proxies writes the lines that set a proxy.
func (h *hostRoot) proxies(ctx context.Context, w io.Writer) error {
	files := []string{"etc/environment", "etc/profile", "etc/bash.bashrc", "etc/yum.conf", "etc/dnf/dnf.conf", "etc/wgetrc", "etc/sysconfig/proxy", "etc/systemd/system.conf", "etc/picket/agent.env"}
	for _, dir := range []string{"etc/profile.d", "etc/apt/apt.conf.d", "etc/systemd/system.conf.d", "etc/environment.d"} {
		list, _ := h.entries(dir) // where there is none there is nothing
		for _, e := range list {
			files = append(files, path.Join(dir, e.Name()))
		}
	}
	for _, name := range files {
		raw, err := h.read(name, small)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if strings.Contains(strings.ToLower(line), "proxy") {
				if _, err := fmt.Fprintf(w, "/%s: %s\n", name, strings.TrimSpace(line)); err != nil {
					return err
				}
			}
		}
	}
	_, err := fmt.Fprintf(w, "## looked at %d files\n", len(files))
	return err
}

// ownState tells what the agent itself has on its disk, by names and sizes alone.
func (r *Responder) ownState(ctx context.Context, w io.Writer) error {
	t, err := newTable(w, "Name", "Mode", "Bytes", "Modified")
	if err != nil {
		return err
	}
	is := r.Isolation()
	text := "the host is not isolated"
	if is.On {
		text = fmt.Sprintf("the host is isolated since %s, until %s, its rules were put back %d times", is.Since.Format(time.RFC3339), is.Until.Format(time.RFC3339), is.Repaired)
	}
	if err := t.row("("+text+")", "", "", ""); err != nil {
		return err
	}
	n := 0
	bad := filepath.WalkDir(r.cfg.State, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n++; err != nil || n > maxEntries {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // it is gone
		}
		rel, err := filepath.Rel(r.cfg.State, name)
		if err != nil {
			return err
		}
		return t.row(rel, info.Mode().String(), strconv.FormatInt(info.Size(), 10), info.ModTime().UTC().Format(time.RFC3339))
	})
	return errors.Join(bad, t.end())
}
