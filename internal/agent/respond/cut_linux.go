package respond

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// Of the kernel's linux/sock_diag.h and linux/inet_diag.h.
const (
	diagByFamily = 20
	diagDestroy  = 21
	diagSize     = 56 // of a request
	diagID       = 48 // of what names a socket, in a request behind 8 bytes, in an answer behind 4
	// diagStates are all states of TCP but TIME_WAIT, CLOSE and LISTEN.
	diagStates = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<8 | 1<<9 | 1<<11
	maxCut     = 20_000
)

// cut ends the connections of TCP that isolation does not let through, so that
// programs know at once and none goes on when isolation ends. The rules have
// stopped them already: where the kernel cannot end them they hang.
func cut(servers []netip.AddrPort, dns []netip.Addr) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}) != nil {
		return
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		for _, id := range connections(fd, family) {
			remote := endpoint(family, id[20:36], id[2:4])
			if a := remote.Addr(); a.IsLoopback() || slices.Contains(servers, remote) || remote.Port() == 53 && slices.Contains(dns, a) {
				continue
			}
			_ = ask(fd, diagDestroy, unix.NLM_F_ACK, family, id) // it may have ended, or the kernel cannot
			_, _ = answer(fd, make([]byte, 4<<10))
		}
	}
}

// connections names the sockets of a family that are connected.
func connections(fd int, family byte) (ids [][]byte) {
	if ask(fd, diagByFamily, unix.NLM_F_DUMP, family, make([]byte, diagID)) != nil {
		return nil
	}
	buf := make([]byte, 64<<10)
	for {
		raw, err := answer(fd, buf)
		if err != nil {
			return ids
		}
		for len(raw) >= unix.NLMSG_HDRLEN {
			n, kind := int(binary.NativeEndian.Uint32(raw)), binary.NativeEndian.Uint16(raw[4:])
			if n < unix.NLMSG_HDRLEN || n > len(raw) || kind == unix.NLMSG_DONE || kind == unix.NLMSG_ERROR {
				return ids
			}
			if body := raw[unix.NLMSG_HDRLEN:n]; kind == diagByFamily && len(body) >= 4+diagID && len(ids) < maxCut {
				ids = append(ids, slices.Clone(body[4:4+diagID]))
			}
			raw = raw[min((n+3)&^3, len(raw)):]
		}
	}
}

// ask sends a request about a socket, or about all.
func ask(fd int, kind, flags uint16, family byte, id []byte) error {
	m := make([]byte, unix.NLMSG_HDRLEN+diagSize)
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint16(m[6:], unix.NLM_F_REQUEST|flags)
	b := m[unix.NLMSG_HDRLEN:]
	b[0], b[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[4:], diagStates)
	copy(b[8:], id)
	return unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

func answer(fd int, buf []byte) ([]byte, error) {
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}

// endpoint reads an address of a socket.
func endpoint(family byte, raw, port []byte) netip.AddrPort {
	a := netip.AddrFrom16([16]byte(raw)).Unmap()
	if family == unix.AF_INET {
		a = netip.AddrFrom4([4]byte(raw[:4]))
	}
	return netip.AddrPortFrom(a, binary.BigEndian.Uint16(port))
}
