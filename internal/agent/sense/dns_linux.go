package sense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
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
	wait []waitingAnswer
}

// waitingAnswer is one whose asker may not be known yet.
type waitingAnswer struct {
	answer
	at time.Duration
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
	var lost time.Time // when to look what was lost; zero: nothing came since
	for ctx.Err() == nil {
		until := sooner(lost, at(p.seen.next()))
		if len(p.wait) > 0 {
			until = sooner(until, at(p.wait[0].at+answerDelay))
		}
		if stop, err := deadline(ctx, p.file, until); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := p.file.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ENETDOWN): // of one interface: the others go on
		case err != nil:
			return fmt.Errorf("read: %w", err)
		default:
			p.take(buf[:n], Now())
			if lost.IsZero() {
				lost = time.Now().Add(time.Second)
			}
		}
		p.settle(Now() - answerDelay)
		p.together(false)
		if !lost.IsZero() && time.Now().After(lost) {
			lost = time.Time{}
			p.count()
		}
	}
	p.settle(Now())
	p.together(true)
	p.count()
	return ctx.Err()
}

// take notes an answer.
func (p *packets) take(raw []byte, at time.Duration) {
	a, err := parsePacket(raw)
	if err != nil {
		return
	}
	if len(p.wait) >= maxAnswers {
		p.settle(p.wait[len(p.wait)/2].at)
	}
	p.wait = append(p.wait, waitingAnswer{a, at})
}

// settle tells what came before a moment, with who asked.
func (p *packets) settle(before time.Duration) {
	done := 0
	for i := range p.wait {
		w := &p.wait[i]
		if w.at > before {
			break
		}
		w.owner, _ = p.h.asked.who(w.localPort, w.server)
		if p.seen.add(&w.answer, w.at) {
			p.h.put(p.h.resolved(&w.answer, 1), w.at)
		}
		done++
	}
	p.wait = slices.Delete(p.wait, 0, done)
}

// together tells what was brought together.
func (p *packets) together(end bool) {
	p.seen.over(Now(), end, func(g *answerGroup) { p.h.put(p.h.resolved(&g.last, g.more), g.at) })
}

// count tells what the socket had no room for.
func (p *packets) count() {
	conn, err := p.file.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		if st, err := unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil && st.Drops > 0 {
			p.h.sink.Lost(event.DNS, uint64(st.Drops), time.Time{}, "the kernel's buffer was full")
		}
	})
}
