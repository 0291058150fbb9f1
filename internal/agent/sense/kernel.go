package sense

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"path"
	"strings"
)

// The types of records of bpf/sense.bpf.c.
const (
	kernelExec = iota + 1
	kernelFork
	kernelExit
	kernelConnect
	kernelFailed
	kernelAccept
	kernelListen
	kernelSent
	kernelReceived
	kernelLoaded
	kernelUnloaded
	kernelTypes
)

const (
	headSize       = 88
	connectionSize = 72
)

var errRecord = errors.New("not a record of the kernel program")

// kernelProcess is a record of a process.
type kernelProcess struct {
	kind                      uint32
	time, start, parentStart  uint64 // ns since boot
	inode, size               uint64
	pid, parent               uint32
	uid, euid, login, session uint32
	device, nested, code      uint32
	args, group               []byte
	path, script              string
}

// kernelConnection is a record of a socket: of TCP, or of an exchange of datagrams.
type kernelConnection struct {
	kind          uint32
	time, start   uint64
	pid, uid      uint32
	local, remote netip.AddrPort
}

// recordType returns the type of a record, 0 for none.
func recordType(b []byte) uint32 {
	switch {
	case len(b) == connectionSize:
		return binary.NativeEndian.Uint32(b[16:])
	case len(b) >= headSize:
		return binary.NativeEndian.Uint32(b[40:])
	}
	return 0
}

// parseProcess reads a record of a process; it keeps no bytes of b but args and group.
func parseProcess(b []byte) (kernelProcess, error) {
	var r kernelProcess
	if len(b) < headSize {
		return r, errRecord
	}
	u64 := func(at int) uint64 { return binary.NativeEndian.Uint64(b[at:]) }
	u32 := func(at int) uint32 { return binary.NativeEndian.Uint32(b[at:]) }
	r.time, r.start, r.parentStart, r.inode, r.size = u64(0), u64(8), u64(16), u64(24), u64(32)
	r.kind, r.pid, r.parent, r.uid, r.euid = u32(40), u32(44), u32(48), u32(52), u32(56)
	r.login, r.session, r.device, r.nested, r.code = u32(60), u32(64), u32(68), u32(72), u32(76)
	rest := b[headSize:]
	take := func(at int) ([]byte, bool) {
		n := int(binary.NativeEndian.Uint16(b[at:]))
		if n > len(rest) {
			return nil, false
		}
		out := rest[:n]
		rest = rest[n:]
		return out, true
	}
	args, ok := take(80)
	names, ok2 := take(82)
	script, ok3 := take(84)
	group, ok4 := take(86)
	if !ok || !ok2 || !ok3 || !ok4 || r.kind < kernelExec || r.kind > kernelExit || r.pid == 0 {
		return r, errRecord
	}
	r.args, r.group = args, group
	r.path, r.script = reversed(string(names)), strings.TrimRight(string(script), "\x00")
	return r, nil
}

// kernelModule is a record of a module of the kernel, and of the process that
// loaded or removed it; none has no pid.
type kernelModule struct {
	loaded      bool
	time, start uint64
	pid         uint32
	name        string
}

// parseModule reads a record of a module.
func parseModule(b []byte) (kernelModule, error) {
	if len(b) < headSize {
		return kernelModule{}, errRecord
	}
	kind, n := binary.NativeEndian.Uint32(b[40:]), int(binary.NativeEndian.Uint16(b[82:]))
	if kind != kernelLoaded && kind != kernelUnloaded || n > len(b)-headSize {
		return kernelModule{}, errRecord
	}
	r := kernelModule{loaded: kind == kernelLoaded, time: binary.NativeEndian.Uint64(b), start: binary.NativeEndian.Uint64(b[8:]), pid: binary.NativeEndian.Uint32(b[44:])}
	if r.name = strings.TrimRight(string(b[headSize:headSize+n]), "\x00"); r.name == "" {
		return r, errRecord
	}
	return r, nil
}

// reversed makes a path of its names, the last of which comes first.
func reversed(names string) string {
	names = strings.TrimRight(names, "\x00")
	if names == "" {
		return ""
	}
	list := strings.Split(names, "\x00")
	var b strings.Builder
	for i := len(list) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(list[i])
	}
	return path.Clean(b.String())
}

// parseConnection reads a record of a socket.
func parseConnection(b []byte) (kernelConnection, error) {
	var r kernelConnection
	if len(b) != connectionSize {
		return r, errRecord
	}
	r.time, r.start = binary.NativeEndian.Uint64(b), binary.NativeEndian.Uint64(b[8:])
	r.kind, r.pid, r.uid = binary.NativeEndian.Uint32(b[16:]), binary.NativeEndian.Uint32(b[20:]), binary.NativeEndian.Uint32(b[24:])
	if r.kind < kernelConnect || r.kind > kernelReceived {
		return r, errRecord
	}
	family := binary.NativeEndian.Uint16(b[68:])
	addr := func(at int) netip.Addr {
		if family == 2 {
			return netip.AddrFrom4([4]byte(b[at : at+4]))
		}
		return netip.AddrFrom16([16]byte(b[at : at+16])).Unmap()
	}
	r.local = netip.AddrPortFrom(addr(32), binary.NativeEndian.Uint16(b[64:]))
	r.remote = netip.AddrPortFrom(addr(48), binary.NativeEndian.Uint16(b[66:]))
	return r, nil
}
