package sense

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// socketWord is a word of the kernel on one socket, in the form of inet_diag.h.
func socketWord(cookie uint64, local, remote string, acked uint64) []byte {
	b := make([]byte, netlinkHead+diagMessage+4+tcpBytesAcked+8)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], diagByFamily)
	m := b[netlinkHead:]
	from, to := netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
	m[0], m[1] = familyIPv6, 7
	if from.Addr().Is4() && to.Addr().Is4() {
		m[0] = familyIPv4
	}
	binary.BigEndian.PutUint16(m[4:], from.Port())
	binary.BigEndian.PutUint16(m[6:], to.Port())
	for at, a := range map[int]netip.Addr{8: from.Addr(), 24: to.Addr()} {
		raw := a.As16()
		if m[0] == familyIPv4 {
			copy(m[at:], raw[12:])
		} else {
			copy(m[at:], raw[:])
		}
	}
	binary.NativeEndian.PutUint64(m[44:], cookie)
	binary.NativeEndian.PutUint16(m[diagMessage:], 4+tcpBytesAcked+8)
	binary.NativeEndian.PutUint16(m[diagMessage+2:], diagInfo)
	binary.NativeEndian.PutUint64(m[diagMessage+4+tcpBytesAcked:], acked)
	return b
}

func TestWordsOnSockets(t *testing.T) {
	raw := append(socketWord(7, "192.0.2.1:40000", "198.51.100.2:443", 1), socketWord(8, "[2001:db8::1]:22", "[::ffff:192.0.2.9]:50000", 0)...)
	raw = append(raw, 16, 0, 0, 0, netlinkDone, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	list, done, code := parseSockets(raw)
	if len(list) != 2 || !done || code != 0 {
		t.Fatal(list, done, code)
	}
	if s := list[0]; s.cookie != 7 || s.local.String() != "192.0.2.1:40000" || s.remote.String() != "198.51.100.2:443" || !s.counted || s.acked != 1 {
		t.Errorf("%+v", s)
	}
	if s := list[1]; s.local.String() != "[2001:db8::1]:22" || s.remote.String() != "192.0.2.9:50000" || s.acked != 0 || !s.counted {
		t.Errorf("%+v", s)
	}
	refused := append(make([]byte, netlinkHead), 0xff, 0xff, 0xff, 0xff)
	binary.NativeEndian.PutUint32(refused, 20)
	binary.NativeEndian.PutUint16(refused[4:], netlinkError)
	if _, done, code := parseSockets(refused); !done || code != 1 {
		t.Error(done, code)
	}
}

// Each connection is told once: when a look finds it, or when it is gone before one did.
func TestSocketsAreToldOnce(t *testing.T) {
	at := func(cookie uint64, state uint8, local, remote string) socket {
		return socket{cookie: cookie, state: state, local: netip.MustParseAddrPort(local), remote: netip.MustParseAddrPort(remote)}
	}
	c := newSockets()
	old, ear := at(1, tcpEstablished, "10.0.0.1:40000", "10.0.0.2:443"), at(2, tcpListen, "0.0.0.0:22", "0.0.0.0:0")
	if c.gone(&old) {
		t.Error("told before anything was looked at")
	}
	if got := c.look([]socket{old, ear}); len(got) != 0 {
		t.Errorf("what was there before is told: %v", got)
	}
	fresh, in := at(3, tcpEstablished, "10.0.0.1:40001", "10.0.0.2:443"), at(4, tcpEstablished, "10.0.0.1:22", "10.0.0.9:50000")
	half, ear2 := at(5, tcpSynSent, "10.0.0.1:40002", "10.0.0.2:443"), at(6, tcpListen, "[::]:8080", "[::]:0")
	got := c.look([]socket{in, fresh, half, at(10, tcpTimeWait, "10.0.0.1:40006", "10.0.0.2:443"), old, ear, ear2})
	if len(got) != 3 {
		t.Fatal(got)
	}
	for i, want := range []uint32{kernelListen, kernelAccept, kernelConnect} {
		if r := c.record(&got[i], false, time.Second); r.kind != want {
			t.Errorf("%v is %d, want %d", got[i], r.kind, want)
		}
	}
	if again := c.look([]socket{in, fresh, old, ear, ear2}); len(again) != 0 {
		t.Errorf("told twice: %v", again)
	}
	if c.gone(&fresh) {
		t.Error("what a look found is told again at its end")
	}
	short, never := at(7, 7, "10.0.0.1:40003", "10.0.0.2:443"), at(8, 7, "10.0.0.1:40004", "10.0.0.2:1")
	short.counted, short.acked, never.counted = true, 1, true
	for s, want := range map[*socket]uint32{&short: kernelConnect, &never: kernelFailed} {
		if !c.gone(s) {
			t.Errorf("%v is not told", s)
		}
		if r := c.record(s, true, time.Second); r.kind != want {
			t.Errorf("%v is %d, want %d", s, r.kind, want)
		}
	}
	if none := at(9, 7, "10.0.0.1:40005", "0.0.0.0:0"); c.gone(&none) {
		t.Error("a socket without another end is told")
	}
	// UDP goes where its process said, also from a port that TCP waits on.
	sent := at(11, tcpEstablished, "10.0.0.1:22", "10.0.0.3:53")
	sent.udp = true
	if got := c.look([]socket{in, ear, sent}); len(got) != 1 || !got[0].udp {
		t.Error(got)
	}
	if r := c.record(&sent, false, time.Second); r.kind != kernelSent || !r.datagrams() {
		t.Errorf("UDP is %d", r.kind)
	}
	c.look([]socket{in}) // the one that waited on port 22 is gone
	if r := c.record(&in, false, time.Second); r.kind != kernelConnect || len(c.listen) != 0 || len(c.ports) != 0 || len(c.there) != 1 {
		t.Error(r.kind, c)
	}
}

// There is a limit to what is remembered, and what is beyond it is counted.
func TestSocketsHaveALimit(t *testing.T) {
	c := newSockets()
	all := make([]socket, maxSockets+5)
	for i := range all {
		all[i] = socket{cookie: uint64(i + 1), state: tcpEstablished, local: netip.MustParseAddrPort("10.0.0.1:1"), remote: netip.MustParseAddrPort("10.0.0.2:2")}
	}
	c.look(nil)
	if got := c.look(all); len(got) != maxSockets || c.crowded != 5 || len(c.there) != maxSockets {
		t.Error(len(got), c.crowded, len(c.there))
	}
}
