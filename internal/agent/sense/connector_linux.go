package sense

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// connector listens to the kernel's proc connector: a word for each exec and
// exit, and the rest is read from /proc, if it is still there. It works in the
// first network namespace only.
type connector struct {
	h    *host
	file *os.File
}

const (
	connIndex     = 1 // of the proc connector
	connListen    = 1
	connExec      = 0x00000002
	connExit      = 0x80000000
	connHead      = 20 // of the connector's message
	connEventHead = 16
	connBuffer    = 4 << 20
	firstPidNS    = 0xEFFFFFFC // the kernel's number of the first namespace of processes
)

func openConnector(_ context.Context, h *host) (running, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	c := &connector{h: h, file: os.NewFile(uintptr(fd), "proc connector")}
	if err = c.listen(fd); err == nil {
		err = h.seed()
	}
	if err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	return c, nil
}

func (c *connector) listen(fd int) error {
	// Its numbers are those of the first namespace: in another they are other
	// processes' here.
	first, err := namespace("pid")
	if err != nil {
		return err
	}
	if first != firstPidNS {
		return errors.New("it numbers processes by the host's namespace, this is another")
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connIndex}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, connBuffer) // else the usual size
	msg := make([]byte, unix.NLMSG_HDRLEN+connHead+4)
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	binary.NativeEndian.PutUint16(msg[4:], unix.NLMSG_DONE)
	binary.NativeEndian.PutUint32(msg[16:], connIndex)
	binary.NativeEndian.PutUint32(msg[20:], connIndex)
	binary.NativeEndian.PutUint16(msg[32:], 4)
	binary.NativeEndian.PutUint32(msg[36:], connListen)
	if err := unix.Sendto(fd, msg, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	// A refusal comes with the first read.
	if err := c.file.SetReadDeadline(time.Now().Add(ringEvery)); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	n, err := c.file.Read(buf)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
	case err != nil:
		return fmt.Errorf("subscribe: %w", err)
	default:
		c.take(buf[:n])
	}
	return nil
}

// Run implements running.
func (c *connector) Run(ctx context.Context) error {
	defer c.file.Close()
	defer interruptible(ctx, c.file)()
	buf := make([]byte, 64<<10)
	looked := c.h.clock.Now()
	for ctx.Err() == nil {
		if stop, err := deadline(ctx, c.file, time.Time{}); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := c.file.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ENOBUFS):
			c.h.sink.Lost(event.Process, 0, looked, "the kernel's buffer was full")
			c.h.sink.Lost(event.ProcessEnd, 0, looked, "the kernel's buffer was full")
		case err != nil:
			return fmt.Errorf("read: %w", err)
		default:
			c.take(buf[:n])
		}
		looked = c.h.clock.Now()
	}
	return ctx.Err()
}

// take deals with a datagram.
func (c *connector) take(b []byte) {
	for _, w := range parseConnector(b) {
		switch w.what {
		case connExec:
			c.h.sawStart(w.pid, SourceConn)
		case connExit:
			if p := c.h.procs.now(w.pid); p != nil {
				c.h.sawEnd(p.key, w.code, sinceBoot(w.at), SourceConn)
			}
		}
	}
}

// word is what the connector says of a process.
type word struct {
	what, pid, code uint32
	at              uint64 // ns since boot, without sleep
}

// parseConnector reads a datagram of netlink; threads are left out.
func parseConnector(b []byte) []word {
	var out []word
	for len(b) >= unix.NLMSG_HDRLEN+connHead+connEventHead+8 {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.NLMSG_HDRLEN+connHead+connEventHead+8 || size > len(b) {
			return out
		}
		e := b[unix.NLMSG_HDRLEN+connHead : size]
		w := word{what: binary.NativeEndian.Uint32(e), at: binary.NativeEndian.Uint64(e[8:])}
		thread := binary.NativeEndian.Uint32(e[16:])
		w.pid = binary.NativeEndian.Uint32(e[20:])
		if w.what == connExit && len(e) >= 28 {
			w.code = binary.NativeEndian.Uint32(e[24:])
		}
		if thread == w.pid || w.what == connExec {
			out = append(out, w)
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return out
}
