package sense

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// utmpSize is the size of a record of wtmp and btmp.
const utmpSize = 384

// utmpRecord is a record of them.
type utmpRecord struct {
	typ              int16
	pid              uint32
	line, user, host string
	at               time.Time
	addr             netip.Addr
}

// The types of records that are of interest.
const (
	utmpLogin = 6 // in btmp: an attempt
	utmpUser  = 7
	utmpDead  = 8
)

// parseUtmp reads a record of utmpSize bytes.
func parseUtmp(b []byte) utmpRecord {
	text := func(from, n int) string {
		s, _, _ := bytes.Cut(b[from:from+n], []byte{0})
		return valid(string(s))
	}
	r := utmpRecord{typ: int16(binary.LittleEndian.Uint16(b)), pid: binary.LittleEndian.Uint32(b[4:]), line: text(8, 32), user: text(44, 32), host: text(76, 256),
		at: time.Unix(int64(binary.LittleEndian.Uint32(b[340:])), int64(binary.LittleEndian.Uint32(b[344:])%1e6)*1000)}
	if raw := b[348:364]; bytes.Count(raw[4:], []byte{0}) == 12 {
		if a := netip.AddrFrom4([4]byte(raw[:4])); !a.IsUnspecified() {
			r.addr = a
		}
	} else {
		r.addr = netip.AddrFrom16([16]byte(raw)).Unmap()
	}
	return r
}

// logon makes a logon of a record; failed is set for those of btmp. open has
// who came by the terminals in use: of who goes a record says the terminal alone.
func (r *utmpRecord) logon(failed bool, open map[string]logon) (logon, bool) {
	l := logon{user: r.user, typ: typeInteractive, protocol: "login", remote: r.addr, more: map[string]any{"terminal": r.line}}
	if r.host != "" && !strings.HasPrefix(r.host, ":") {
		l.typ, l.protocol = typeRemote, "ssh"
		if a, err := netip.ParseAddr(r.host); err == nil {
			l.remote = a.Unmap()
		}
	}
	switch {
	case failed && (r.typ == utmpLogin || r.typ == utmpUser):
		l.action, l.reason = event.LogonFailed, "refused"
	case !failed && r.typ == utmpUser:
		l.action = event.LogonSuccess
		if len(open) < maxKeys {
			open[r.line] = l
		}
	case !failed && r.typ == utmpDead && open[r.line].user != "":
		l = open[r.line]
		l.action = event.LogoffSuccess
		delete(open, r.line)
	default:
		return logon{}, false
	}
	return l, true
}
