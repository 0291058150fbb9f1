package sense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// packets sees what name servers answer in this network namespace: a filter in
// the kernel lets datagrams from port 53 through and nothing else.
type packets struct {
	h    *host
	file *os.File
	seen answers
}

// The classic filter: not what this host sends, UDP over IPv4 or IPv6, no
// fragment but a first one, from port 53. It sees the packet from its IP header.
var dnsFilter = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0xfffff004}, // 0: packet type
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 16, K: unix.PACKET_OUTGOING},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0},
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf0},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 7, K: 0x40},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9}, // 5: IPv4
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 11, K: unix.IPPROTO_UDP},
	{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 6},
	{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jt: 9, K: 0x1fff},
	{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
	{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 0},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 5, Jf: 6, K: 53},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 5, K: 0x60}, // 12: IPv6
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 6},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 3, K: unix.IPPROTO_UDP},
	{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 40},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: 53},
	{Code: unix.BPF_RET | unix.BPF_K, K: maxDatagram}, // 17
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

const maxDatagram = 8 << 10

func openPackets(_ context.Context, h *host) (running, error) {
	// Protocol 0: nothing comes before the filter is there.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	prog := unix.SockFprog{Len: uint16(len(dnsFilter)), Filter: &dnsFilter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return nil, errors.Join(fmt.Errorf("attach filter: %w", err), unix.Close(fd))
	}
	all := uint16(unix.ETH_P_ALL)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all<<8 | all>>8}); err != nil {
		return nil, errors.Join(fmt.Errorf("bind: %w", err), unix.Close(fd))
	}
	return &packets{h: h, file: os.NewFile(uintptr(fd), "packets"), seen: newAnswers()}, nil
}

// Run implements running.
func (p *packets) Run(ctx context.Context) error {
	defer p.file.Close()
	buf := make([]byte, maxDatagram)
	defer interruptible(ctx, p.file)()
	var next time.Time // to look what was lost, and what was brought together; zero: nothing came
	for ctx.Err() == nil {
		if stop, err := deadline(ctx, p.file, sooner(next, at(p.seen.next()))); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := p.file.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ENETDOWN): // of one interface: the others go on
		case err != nil:
			return fmt.Errorf("read: %w", err)
		default:
			at := Now()
			if a, err := parsePacket(buf[:n]); err == nil && p.seen.add(&a, at) {
				p.h.put(p.h.resolved(&a, 1), at)
			}
			next = sooner(next, time.Now().Add(time.Second))
		}
		if now := time.Now(); errors.Is(err, os.ErrDeadlineExceeded) || !next.IsZero() && now.After(next) {
			next = time.Time{}
			p.round(false)
		}
	}
	p.round(true)
	return ctx.Err()
}

// round tells what was brought together and what the socket had no room for.
func (p *packets) round(end bool) {
	p.seen.over(Now(), end, func(g *answerGroup) { p.h.put(p.h.resolved(&g.last, g.more), g.at) })
	conn, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		if st, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil && st.Drops > 0 {
			p.h.sink.Lost(event.DNS, uint64(st.Drops), "the kernel's buffer was full")
		}
	})
}
