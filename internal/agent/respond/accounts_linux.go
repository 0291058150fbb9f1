package respond

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// passwd writes the accounts. Where a hash is in the second field, as long ago,
// it is left out.
func (h *hostRoot) passwd(ctx context.Context, w io.Writer) error {
	raw, err := h.read("etc/passwd", medium)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f := strings.SplitN(strings.TrimRight(line, "\n"), ":", 3)
		if len(f) == 3 && len(f[1]) > 1 {
			f[1] = leftOut
		}
		if _, err := io.WriteString(w, strings.Join(f, ":")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// passwords writes of each account whether it has a password and since when.
func (h *hostRoot) passwords(ctx context.Context, w io.Writer) error {
	raw, err := h.read("etc/shadow", medium)
	if err != nil {
		return err
	}
	t, err := newTable(w, "Account", "Password", "Changed", "Expires")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(raw)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 8 {
			continue
		}
		if err := t.row(f[0], passwordState(f[1]), day(f[2]), day(f[7])); err != nil {
			return err
		}
	}
	return t.end()
}

// passwordState tells of the field of a password what there is to know without it.
func passwordState(field string) string {
	switch {
	case field == "":
		return "none: anybody may sign in"
	case field == "*" || strings.Trim(field, "!*") == "":
		return "no password can be right"
	case field[0] == '!' || field[0] == '*':
		return "locked"
	}
	return "set"
}

// day is a number of days since 1970 as a date.
func day(field string) string {
	n, err := strconv.Atoi(field)
	if err != nil || n < 0 || n > 1e6 {
		return ""
	}
	return time.Unix(int64(n)*86400, 0).UTC().Format(time.DateOnly)
}

// userNames are the names of accounts by their number.
func userNames(h *hostRoot) map[string]string {
	out := map[string]string{}
	raw, err := h.read("etc/passwd", medium)
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(raw)) {
		if f := strings.SplitN(line, ":", 4); len(f) == 4 && out[f[2]] == "" {
			out[f[2]] = f[0]
		}
	}
	return out
}

// utmpForm is where the parts of a record of wtmp are, which depends on the
// width of time in the C library's old interfaces.
type utmpForm struct{ size, seconds, wide, addr int }

func utmpFormOf(arch string) utmpForm {
	if arch == "arm64" || arch == "loong64" {
		return utmpForm{size: 400, seconds: 344, wide: 8, addr: 360}
	}
	return utmpForm{size: 384, seconds: 340, wide: 4, addr: 348}
}

// signIn is a record of wtmp, btmp or utmp.
type signIn struct {
	kind             int16
	pid              uint32
	line, user, host string
	at               time.Time
	addr             netip.Addr
}

func (f utmpForm) parse(b []byte) signIn {
	text := func(from, n int) string {
		s, _, _ := bytes.Cut(b[from:from+n], []byte{0})
		return string(bytes.ToValidUTF8(s, []byte("?")))
	}
	s := signIn{kind: int16(binary.LittleEndian.Uint16(b)), pid: binary.LittleEndian.Uint32(b[4:]), line: text(8, 32), user: text(44, 32), host: text(76, 256)}
	seconds := int64(binary.LittleEndian.Uint32(b[f.seconds:]))
	if f.wide == 8 {
		seconds = int64(binary.LittleEndian.Uint64(b[f.seconds:]))
	}
	if seconds > 0 && seconds < 1<<40 {
		s.at = time.Unix(seconds, 0).UTC()
	}
	raw := b[f.addr : f.addr+16]
	if bytes.Count(raw[4:], []byte{0}) == 12 {
		if a := netip.AddrFrom4([4]byte(raw[:4])); !a.IsUnspecified() {
			s.addr = a
		}
	} else {
		s.addr = netip.AddrFrom16([16]byte(raw)).Unmap()
	}
	return s
}

// signInKinds are the kinds of records (utmp(5)).
var signInKinds = []string{"empty", "run level", "boot", "clock set", "clock set", "init", "login", "user", "end", "accounting"}

// signIns writes a file of records, the newest of them when it is large.
func (h *hostRoot) signIns(name string) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		f, err := h.open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		form := utmpFormOf(runtime.GOARCH)
		if info, err := f.Stat(); err == nil && info.Size() > medium {
			if _, err := f.Seek((info.Size()-medium)/int64(form.size)*int64(form.size), io.SeekStart); err != nil {
				return err
			}
		}
		t, err := newTable(w, "Time", "Kind", "User", "Terminal", "From", "Address", "PID")
		if err != nil {
			return err
		}
		known := map[string]bool{"": true, "reboot": true, "shutdown": true, "runlevel": true, "LOGIN": true}
		for _, user := range userNames(h) {
			known[user] = true
		}
		b := make([]byte, form.size)
		for ctx.Err() == nil {
			if _, err := io.ReadFull(f, b); err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					return t.end()
				}
				return errors.Join(err, t.end())
			}
			s := form.parse(b)
			kind := strconv.Itoa(int(s.kind))
			if s.kind >= 0 && int(s.kind) < len(signInKinds) {
				kind = signInKinds[s.kind]
			}
			if !known[s.user] {
				s.user = "[no account of this host]"
			}
			addr := ""
			if s.addr.IsValid() {
				addr = s.addr.String()
			}
			if err := t.row(s.at.Format(time.RFC3339), kind, s.user, s.line, s.host, addr, strconv.FormatUint(uint64(s.pid), 10)); err != nil {
				return err
			}
		}
		return errors.Join(context.Cause(ctx), t.end())
	}
}

// lastSize is the size of a record of lastlog: seconds, terminal, host.
const lastSize = 4 + 32 + 256

// lastSignIns writes the last sign-in of each account that has one.
func (h *hostRoot) lastSignIns(ctx context.Context, w io.Writer) error {
	f, err := h.open("var/log/lastlog")
	if err != nil {
		return err
	}
	defer f.Close()
	t, err := newTable(w, "Account", "UID", "Time", "Terminal", "From")
	if err != nil {
		return err
	}
	b := make([]byte, lastSize)
	for uid, name := range userNames(h) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := strconv.ParseUint(uid, 10, 32)
		if err != nil {
			continue
		}
		if _, err := f.ReadAt(b, int64(n)*lastSize); err != nil {
			continue // the file ends before it
		}
		at := binary.LittleEndian.Uint32(b)
		if at == 0 {
			continue
		}
		line, _, _ := bytes.Cut(b[4:36], []byte{0})
		host, _, _ := bytes.Cut(b[36:], []byte{0})
		if err := t.row(name, uid, time.Unix(int64(at), 0).UTC().Format(time.RFC3339), string(line), string(host)); err != nil {
			return err
		}
	}
	return t.end()
}
