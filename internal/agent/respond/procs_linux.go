package respond

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits on what is looked at of processes.
const (
	maxProcs    = 50_000
	maxFDs      = 400_000   // of all processes
	maxArgs     = 32 << 10  // bytes of a command line, as the timeline has them
	maxProgram  = 512 << 20 // bytes of a program that is hashed
	maxNetworks = 128       // network namespaces
	userHZ      = 100       // ticks a second in /proc
)

// procs reads the processes of the agent's own process namespace. Environments
// are never read.
type procs struct{}

// process is a process as /proc has it.
type process struct {
	pid, parent, threads int
	name, state          string
	uid                  string
	start                time.Time
	resident             int64 // bytes
	args, exe, cwd       string
}

// each calls fn for every process that is there.
func (*procs) each(ctx context.Context, fn func(pid int) error) error {
	d, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer d.Close()
	n := 0
	for {
		names, err := d.Readdirnames(256)
		for _, name := range names {
			pid, bad := strconv.Atoi(name)
			if bad != nil {
				continue
			}
			if n++; n > maxProcs {
				return fmt.Errorf("there are more than %d processes: the others are left out", maxProcs)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := fn(pid); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// list writes all processes.
func (p *procs) list(ctx context.Context, w io.Writer) error {
	t, err := newTable(w, "PID", "Parent", "User", "UID", "Started", "State", "Threads", "Resident bytes", "Name", "Program", "SHA-256", "Folder", "Command line")
	if err != nil {
		return err
	}
	users, boot, sums := userNames(&hostRoot{}), bootTime(), map[unix.Stat_t]string{}
	bad := p.each(ctx, func(pid int) error {
		q, ok := readProcess(pid, boot)
		if !ok {
			return nil // it has ended
		}
		sum := programSum(ctx, pid, sums)
		return t.row(strconv.Itoa(q.pid), strconv.Itoa(q.parent), users[q.uid], q.uid, q.start.Format(time.RFC3339), q.state, strconv.Itoa(q.threads),
			strconv.FormatInt(q.resident, 10), q.name, q.exe, sum, q.cwd, q.args)
	})
	return errors.Join(bad, t.end())
}

func readProcess(pid int, boot time.Time) (q process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid) + "/"
	raw, err := readSome(dir+"stat", 4<<10)
	if err != nil {
		return q, false
	}
	open, end := bytes.IndexByte(raw, '('), bytes.LastIndexByte(raw, ')')
	if open < 0 || end < open {
		return q, false
	}
	f := strings.Fields(string(raw[end+1:]))
	if len(f) < 22 {
		return q, false
	}
	q.pid, q.name, q.state = pid, string(raw[open+1:end]), f[0]
	q.parent, _ = strconv.Atoi(f[1]) // a number, by the kernel
	q.threads, _ = strconv.Atoi(f[17])
	ticks, _ := strconv.ParseInt(f[19], 10, 64)
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	q.start = boot.Add(time.Duration(ticks) * time.Second / userHZ).UTC()
	q.resident = pages * int64(os.Getpagesize())
	if raw, err = readSome(dir+"status", 8<<10); err == nil {
		for line := range strings.Lines(string(raw)) {
			if rest, found := strings.CutPrefix(line, "Uid:"); found {
				if ids := strings.Fields(rest); len(ids) > 1 {
					q.uid = ids[1]
				}
			}
		}
	}
	if raw, err = readSome(dir+"cmdline", maxArgs); err == nil {
		q.args = string(bytes.ReplaceAll(bytes.TrimRight(raw, "\x00"), []byte{0}, []byte{' '}))
	}
	q.exe, _ = os.Readlink(dir + "exe") // a kernel thread has none
	q.cwd, _ = os.Readlink(dir + "cwd")
	return q, true
}

// programSum is the SHA-256 of the file that a process runs, also when it is
// deleted by now; "" when it cannot be had.
func programSum(ctx context.Context, pid int, known map[unix.Stat_t]string) string {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/exe", pid), os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	var st unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || st.Size > maxProgram || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return ""
	}
	key := unix.Stat_t{Dev: st.Dev, Ino: st.Ino, Size: st.Size, Mtim: st.Mtim}
	if sum, ok := known[key]; ok {
		return sum
	}
	sum, err := sumOf(ctx, f, maxProgram)
	if err != nil {
		return ""
	}
	known[key] = sum
	return sum
}

// sumOf is the SHA-256 of at most max bytes of a file.
func sumOf(ctx context.Context, f io.Reader, max int64) (string, error) {
	h := sha256.New()
	in := io.LimitReader(f, max)
	buf := make([]byte, 128<<10)
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		n, err := in.Read(buf)
		h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// fds calls fn for the open files of a process: number and what it leads to.
func fds(pid int, fn func(fd, to string) error) error {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	d, err := os.Open(dir)
	if err != nil {
		return nil // it has ended, or it is another's
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(512)
		for _, name := range names {
			if to, err := os.Readlink(filepath.Join(dir, name)); err == nil {
				if err := fn(name, to); err != nil {
					return err
				}
			}
		}
		if err != nil || len(names) == 0 {
			return nil
		}
	}
}

// files writes the open files of all processes.
func (p *procs) files(ctx context.Context, w io.Writer) error {
	t, err := newTable(w, "PID", "Name", "FD", "Open")
	if err != nil {
		return err
	}
	n := 0
	bad := p.each(ctx, func(pid int) error {
		name, _ := readSome(fmt.Sprintf("/proc/%d/comm", pid), 64)
		return fds(pid, func(fd, to string) error {
			if n++; n > maxFDs {
				return fmt.Errorf("there are more than %d open files: the others are left out", maxFDs)
			}
			return t.row(strconv.Itoa(pid), strings.TrimSpace(string(name)), fd, to)
		})
	})
	return errors.Join(bad, t.end())
}

// owner is a process that has a socket.
type owner struct {
	pid  int
	name string
}

// owners finds who has which socket, and one process of each network namespace.
func (p *procs) owners(ctx context.Context) (owners map[string]owner, networks map[string]int, err error) {
	owners, networks = map[string]owner{}, map[string]int{}
	err = p.each(ctx, func(pid int) error {
		ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err == nil && len(networks) < maxNetworks {
			if _, ok := networks[ns]; !ok {
				networks[ns] = pid
			}
		}
		name := ""
		return fds(pid, func(_, to string) error {
			inode, ok := strings.CutPrefix(to, "socket:[")
			if !ok || len(owners) >= maxFDs {
				return nil
			}
			if name == "" {
				raw, _ := readSome(fmt.Sprintf("/proc/%d/comm", pid), 64)
				name = strings.TrimSpace(string(raw))
			}
			owners[strings.TrimSuffix(inode, "]")] = owner{pid, name}
			return nil
		})
	})
	return owners, networks, err
}

// tcpStates are the states of TCP in /proc/net/tcp.
var tcpStates = []string{"", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV"}

// sockets writes the connections, or what listens, of all network namespaces
// that processes here are in.
func (p *procs) sockets(ctx context.Context, w io.Writer, listening bool) error {
	t, err := newTable(w, "Protocol", "Local", "Remote", "State", "UID", "PID", "Name", "Network")
	if err != nil {
		return err
	}
	owners, networks, bad := p.owners(ctx)
	own, _ := os.Readlink("/proc/self/ns/net")
	for ns, pid := range networks {
		label := ns
		if ns == own {
			label = "host"
		}
		for _, proto := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
			err := socketTable(ctx, fmt.Sprintf("/proc/%d/net/%s", pid, proto), func(s socket) error {
				state := ""
				if strings.HasPrefix(proto, "tcp") && s.state < len(tcpStates) {
					state = tcpStates[s.state]
				}
				waits := state == "LISTEN" || !strings.HasPrefix(proto, "tcp") && s.remote.Port() == 0
				if waits != listening {
					return nil
				}
				pid, o := "", owners[s.inode]
				if o.pid != 0 {
					pid = strconv.Itoa(o.pid)
				}
				return t.row(proto, s.local.String(), s.remote.String(), state, s.uid, pid, o.name, label)
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				bad = errors.Join(bad, err)
			}
			if errors.Is(err, errFull) || ctx.Err() != nil {
				return errors.Join(bad, t.end())
			}
		}
	}
	return errors.Join(bad, t.end())
}

// socket is a line of a table of sockets.
type socket struct {
	local, remote netip.AddrPort
	state         int
	uid, inode    string
}

func socketTable(ctx context.Context, name string, fn func(socket) error) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if s, ok := parseSocket(lines.Text()); ok {
			if err := fn(s); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return lines.Err()
}

// parseSocket reads a line of /proc/net/tcp and the like.
func parseSocket(line string) (s socket, ok bool) {
	f := strings.Fields(line)
	if len(f) < 10 {
		return s, false
	}
	var good [2]bool
	s.local, good[0] = parseEndpoint(f[1])
	s.remote, good[1] = parseEndpoint(f[2])
	state, err := strconv.ParseUint(f[3], 16, 8)
	s.state, s.uid, s.inode = int(state), f[7], f[9]
	return s, good[0] && good[1] && err == nil
}

// parseEndpoint reads an address in words of four bytes, each in the order of
// the host, which is little-endian where the agent runs, and a port.
func parseEndpoint(text string) (netip.AddrPort, bool) {
	at, port, ok := strings.Cut(text, ":")
	raw, err := hex.DecodeString(at)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil || err2 != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	a, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), ok
}

func readSome(name string, max int64) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, max))
	if errors.Is(err, syscall.ESRCH) { // it has just ended
		return nil, fs.ErrNotExist
	}
	return raw, err
}

func bootTime() time.Time {
	raw, err := readSome("/proc/stat", 1<<20)
	if err != nil {
		return time.Time{}
	}
	for line := range strings.Lines(string(raw)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err == nil {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}
