package sense

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// socketReader asks the kernel for its sockets again and again, those of TCP and
// those of UDP with another end, and hears of each of TCP that is done away with
// in between: the way to connections where eBPF does not work. It sees those of
// its own network namespace. Of a connection that no look saw the process is not
// known.
type socketReader struct {
	h    *host
	news *os.File // words of sockets that are gone
	ask  int      // asks for those that there are
	udp  bool     // the kernel tells of UDP, too
	all  sockets
	seen connections
}

const (
	socketsEvery  = 3 * time.Second
	socketsBuffer = 1 << 20
	// Groups of netlink: TCP sockets that are gone. Of UDP they are not asked for: short
	// ones are mostly those by which a resolver tries out its routes, and send nothing.
	goneIPv4 = 1 << 0
	goneIPv6 = 1 << 2
)

func openSockets(_ context.Context, h *host) (running, error) {
	s := &socketReader{h: h, ask: -1, udp: true, all: newSockets(), seen: newConnections()}
	open := func(groups uint32) (int, error) {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_SOCK_DIAG)
		if err != nil {
			return -1, fmt.Errorf("open: %w", err)
		}
		if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
			return -1, errors.Join(fmt.Errorf("bind: %w", err), unix.Close(fd))
		}
		return fd, nil
	}
	var err error
	if s.ask, err = open(0); err != nil {
		return nil, err
	}
	news, err := open(goneIPv4 | goneIPv6)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	_ = unix.SetsockoptInt(news, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketsBuffer) // else the usual size
	s.news = os.NewFile(uintptr(news), "sockets that are gone")
	if err := s.look(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *socketReader) lacks() string {
	if !s.udp {
		return "no UDP, and no process of connections shorter than 3 s"
	}
	return "no UDP shorter than 3 s or of sockets without another end, and no process of connections shorter than 3 s"
}

func (s *socketReader) close() error {
	var err error
	if s.news != nil {
		err = s.news.Close()
	}
	if s.ask >= 0 {
		err = errors.Join(err, unix.Close(s.ask))
		s.ask = -1
	}
	return err
}

// Run implements running.
func (s *socketReader) Run(ctx context.Context) error {
	defer s.close()
	defer interruptible(ctx, s.news)()
	buf := make([]byte, 64<<10)
	next := time.Now().Add(socketsEvery)
	looked := s.h.clock.Now()
	for ctx.Err() == nil {
		if stop, err := deadline(ctx, s.news, next); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := s.news.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ENOBUFS):
			s.h.sink.Lost(event.Network, 0, looked, "the kernel's buffer was full")
		case err != nil:
			return fmt.Errorf("read: %w", err)
		default:
			s.gone(buf[:n])
		}
		if time.Now().Before(next) {
			continue
		}
		if err := s.look(); err != nil {
			return err
		}
		if n := s.all.crowded; n > 0 {
			s.h.sink.Lost(event.Network, n, looked, "more connections at once than are remembered")
			s.all.crowded = 0
		}
		s.seen.over(Now(), false, s.flush)
		looked, next = s.h.clock.Now(), time.Now().Add(socketsEvery)
	}
	s.seen.over(Now(), true, s.flush)
	return ctx.Err()
}

func (s *socketReader) flush(_ connKey, g *connGroup) {
	s.h.put(s.h.connected(&g.last, g.more, SourceSockets), time.Duration(g.last.time))
}

func (s *socketReader) tell(r *kernelConnection) {
	if s.seen.add(keyOf(r), r) {
		s.h.put(s.h.connected(r, 1, SourceSockets), time.Duration(r.time))
	}
}

// gone deals with words of sockets that are gone.
func (s *socketReader) gone(b []byte) {
	list, _, _ := parseSockets(b)
	for i := range list {
		if s.all.gone(&list[i]) {
			r := s.all.record(&list[i], true, Now())
			s.tell(&r)
		}
	}
}

// look asks for all sockets, and tells of the new ones.
func (s *socketReader) look() error {
	var all []socket
	for _, family := range []uint8{familyIPv4, familyIPv6} {
		some, err := s.dump(family, unix.IPPROTO_TCP)
		if err != nil {
			return err
		}
		all = append(all, some...)
		if !s.udp {
			continue
		}
		some, err = s.dump(family, unix.IPPROTO_UDP)
		switch {
		case err != nil && s.all.round == 0: // a kernel without diagnostics of UDP
			s.udp = false
		case err != nil:
			return err
		}
		all = append(all, some...)
	}
	fresh := s.all.look(all)
	if len(fresh) == 0 {
		return nil
	}
	owners := s.owners(fresh)
	for i := range fresh {
		r := s.all.record(&fresh[i], false, Now())
		if p := owners[fresh[i].inode]; p != nil && fresh[i].inode != 0 {
			r.pid, r.start = p.pid, p.start*uint64(tick)
		}
		s.tell(&r)
	}
	return nil
}

// dump asks for the sockets of a family and protocol that are connected or wait.
func (s *socketReader) dump(family, protocol uint8) ([]socket, error) {
	req := make([]byte, netlinkHead+diagRequest)
	binary.NativeEndian.PutUint32(req, uint32(len(req)))
	binary.NativeEndian.PutUint16(req[4:], diagByFamily)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	req[netlinkHead], req[netlinkHead+1] = family, protocol
	const not = 1<<tcpSynSent | 1<<tcpSynReceived | 1<<tcpNewSynRecv | 1<<tcpTimeWait | 1<<tcpClose
	binary.NativeEndian.PutUint32(req[netlinkHead+4:], (1<<13-1)&^not)
	if err := unix.Sendto(s.ask, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("ask for sockets: %w", err)
	}
	var out []socket
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(s.ask, buf, 0) // an answer is there when asking returns, and its rest when a part is read
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read sockets: %w", err)
		}
		some, done, code := parseSockets(buf[:n])
		if code != 0 {
			return nil, fmt.Errorf("ask for sockets: %w", unix.Errno(code))
		}
		for i := range some {
			some[i].udp = protocol == unix.IPPROTO_UDP
		}
		if len(out) < 4*maxSockets {
			out = append(out, some...)
		}
		if done || n == 0 {
			return out, nil
		}
	}
}

// owners finds the processes that hold sockets, by the numbers of those.
func (s *socketReader) owners(fresh []socket) map[uint32]*process {
	want := map[uint32]*process{}
	for i := range fresh {
		if fresh[i].inode != 0 {
			want[fresh[i].inode] = nil
		}
	}
	missing := len(want)
	pids, err := listPids()
	if err != nil {
		return want
	}
	for i := len(pids) - 1; i >= 0 && missing > 0; i-- { // the newest first
		for inode := range socketsOf(pids[i]) {
			if p, asked := want[inode]; asked && p == nil {
				if want[inode] = s.h.who(pids[i]); want[inode] != nil {
					missing--
				}
			}
		}
	}
	return want
}

// socketsOf yields the numbers of the sockets that a process holds.
func socketsOf(pid uint32) func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		names, err := os.ReadDir(dir)
		if err != nil {
			return
		}
		for _, fd := range names {
			to, err := os.Readlink(dir + "/" + fd.Name())
			if err != nil {
				continue
			}
			text, ok := strings.CutPrefix(to, "socket:[")
			if !ok {
				continue
			}
			inode, err := strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 32)
			if err == nil && !yield(uint32(inode)) {
				return
			}
		}
	}
}
