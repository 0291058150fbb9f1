package sense

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// socket is what the kernel's socket diagnostics say of one of TCP or UDP.
type socket struct {
	udp           bool
	cookie        uint64 // never used again while the system runs
	state         uint8
	local, remote netip.AddrPort
	inode         uint32
	acked         uint64 // bytes that the other end has acknowledged, the first word included
	counted       bool   // acked is known
}

// States of a socket, as the kernel numbers them.
const (
	tcpEstablished = 1
	tcpSynSent     = 2
	tcpSynReceived = 3
	tcpTimeWait    = 6 // no socket any more: it has another cookie, and was told as gone
	tcpClose       = 7
	tcpListen      = 10
	tcpNewSynRecv  = 12
)

// The forms of the kernel's inet_diag.h and tcp.h.
const (
	netlinkHead   = 16
	diagByFamily  = 20 // SOCK_DIAG_BY_FAMILY
	diagRequest   = 56
	diagMessage   = 72
	diagInfo      = 2   // the attribute with tcp_info
	tcpBytesAcked = 120 // in tcp_info
	netlinkError  = 2
	netlinkDone   = 3
	familyIPv4    = 2
	familyIPv6    = 10
)

// parseSockets reads a datagram of socket diagnostics. done: it ends an answer;
// code is the kernel's refusal, 0 for none.
func parseSockets(b []byte) (out []socket, done bool, code int32) {
	for len(b) >= netlinkHead {
		size := int(binary.NativeEndian.Uint32(b))
		if size < netlinkHead || size > len(b) {
			return out, done, code
		}
		body := b[netlinkHead:size]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case netlinkDone:
			return out, true, code
		case netlinkError:
			if len(body) >= 4 {
				code = -int32(binary.NativeEndian.Uint32(body))
			}
			return out, true, code
		case diagByFamily:
			if s, ok := parseSocket(body); ok {
				out = append(out, s)
			}
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return out, done, code
}

func parseSocket(b []byte) (socket, bool) {
	if len(b) < diagMessage {
		return socket{}, false
	}
	s := socket{state: b[1], inode: binary.NativeEndian.Uint32(b[68:]), cookie: binary.NativeEndian.Uint64(b[44:])}
	addr := func(raw []byte) (netip.Addr, bool) {
		switch b[0] {
		case familyIPv4:
			return netip.AddrFrom4([4]byte(raw)), true
		case familyIPv6:
			return netip.AddrFrom16([16]byte(raw)).Unmap(), true
		}
		return netip.Addr{}, false
	}
	local, ok := addr(b[8:])
	remote, ok2 := addr(b[24:])
	if !ok || !ok2 {
		return socket{}, false
	}
	s.local = netip.AddrPortFrom(local, binary.BigEndian.Uint16(b[4:]))
	s.remote = netip.AddrPortFrom(remote, binary.BigEndian.Uint16(b[6:]))
	for a := b[diagMessage:]; len(a) >= 4; {
		n := int(binary.NativeEndian.Uint16(a))
		if n < 4 || n > len(a) {
			break
		}
		if binary.NativeEndian.Uint16(a[2:]) == diagInfo && n >= 4+tcpBytesAcked+8 {
			s.acked, s.counted = binary.NativeEndian.Uint64(a[4+tcpBytesAcked:]), true
		}
		a = a[min((n+3)&^3, len(a)):]
	}
	return s, true
}

// sockets remembers the sockets of TCP, and those of UDP with another end, that
// there are, and decides what is told of one: each connection once, when it is
// first seen, or, of TCP, when it is gone and was never seen before.
type sockets struct {
	there   map[uint64]uint32 // by cookie: the round that saw it last; 0: gone, told
	ports   map[uint16]int    // that are waited on, and by how many
	listen  map[uint64]uint16
	round   uint32
	crowded uint64 // connections that there was no room to remember, since they were last told
}

const maxSockets = 16 << 10

func newSockets() sockets {
	return sockets{there: map[uint64]uint32{}, ports: map[uint16]int{}, listen: map[uint64]uint16{}}
}

// look takes all sockets that there are, and returns those of which to tell.
// The first look only remembers.
func (c *sockets) look(all []socket) []socket {
	c.round++
	var fresh []socket
	for i := range all { // who waits first: it says which way a connection went
		s := &all[i]
		if s.state != tcpListen {
			continue
		}
		if _, known := c.listen[s.cookie]; !known {
			if !c.note(s.cookie) {
				continue
			}
			c.listen[s.cookie] = s.local.Port()
			c.ports[s.local.Port()]++
			fresh = append(fresh, *s)
		}
		c.there[s.cookie] = c.round
	}
	for i := range all {
		s := &all[i]
		switch s.state {
		case tcpListen, tcpSynSent, tcpSynReceived, tcpNewSynRecv, tcpTimeWait, tcpClose: // not one yet, or not any more
			continue
		}
		if _, known := c.there[s.cookie]; known {
			c.there[s.cookie] = c.round
		} else if s.remote.Port() != 0 && c.note(s.cookie) {
			fresh = append(fresh, *s)
		}
	}
	for cookie, seen := range c.there {
		if seen != c.round {
			c.forget(cookie)
		}
	}
	if c.round == 1 {
		return nil
	}
	return fresh
}

func (c *sockets) note(cookie uint64) bool {
	if len(c.there) >= maxSockets {
		if c.round > 1 {
			c.crowded++
		}
		return false
	}
	c.there[cookie] = c.round
	return true
}

func (c *sockets) forget(cookie uint64) {
	delete(c.there, cookie)
	if port, ok := c.listen[cookie]; ok {
		delete(c.listen, cookie)
		if c.ports[port]--; c.ports[port] <= 0 {
			delete(c.ports, port)
		}
	}
}

// gone takes a socket that the kernel has just done away with, and says whether
// to tell of it: of one that no look saw.
func (c *sockets) gone(s *socket) bool {
	if _, known := c.there[s.cookie]; known {
		c.forget(s.cookie)
		return false
	}
	return c.round > 0 && s.remote.Port() != 0 && s.local.Port() != 0
}

// record is a socket in the form of the kernel program. A socket of UDP has
// another end because its process chose one. A connection of TCP whose own
// port is waited on came from outside. One that is gone and whose first word
// nobody acknowledged was never there.
func (c *sockets) record(s *socket, gone bool, now time.Duration) kernelConnection {
	r := kernelConnection{kind: kernelConnect, time: uint64(now), local: s.local, remote: s.remote}
	switch {
	case s.udp:
		r.kind = kernelSent
	case s.state == tcpListen:
		r.kind = kernelListen
	case c.ports[s.local.Port()] > 0:
		r.kind = kernelAccept
	case gone && s.counted && s.acked == 0:
		r.kind = kernelFailed
	}
	return r
}
