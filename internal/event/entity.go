package event

import (
	"bytes"
	"net/netip"
)

// EntityKind is what events are looked up by across devices.
type EntityKind uint8

// The kinds of entities. Their numbers are kept on disk: the list only grows.
const (
	EntityFile    EntityKind = iota + 1 // a file's SHA-1 or SHA-256, in hexadecimal digits
	EntityAddress                       // an IP address at the other end
	EntityDomain                        // a host name, and every name above it of two labels or more
	EntityAccount                       // an account's name, without its domain
)

// What an event says of an account besides its name.
const (
	AccountActed   = "activity"
	AccountLogon   = "logon"
	AccountRefused = "failed logon"
)

const (
	// longestDomain is the longest name of a host.
	longestDomain = 253
	// mostAbove is how many names above a host are told.
	mostAbove = 6
	// mostEntities is how many an event has at most: two files by two sums, two
	// addresses, two accounts, a host and what is above it.
	mostEntities = 10 + mostAbove
)

// EntityRef is an entity of an event. The bytes are the record's own or of a
// buffer that lives as long.
type EntityRef struct {
	Kind EntityKind
	// ID is a hash or a host in whatever case the event has, an address in its
	// canonical form, an account as it is.
	ID []byte
	// Name is what it went by: of a file its name, of an address or a host the program that
	// spoke to it, of an account what it did (AccountActed …); nil: not known.
	Name []byte
}

// Entities appends what a record can be looked up by to dst, each entity once: the
// subject comes before the process that acted.
func (r Record) Entities(dst []EntityRef) []EntityRef {
	var c [RemoteDeviceName]([]byte)
	h, _ := r.head()
	for col, text := range r.Texts {
		if col >= RemoteDeviceName && col != InitiatingProcessRemoteSessionIP {
			continue
		}
		if col == InitiatingProcessRemoteSessionIP {
			col = 0 // its place is free
		}
		c[col] = text
	}
	start := len(dst)
	add := func(k EntityKind, id, name []byte) {
		if len(id) == 0 || len(dst)-start >= mostEntities {
			return
		}
		for i := range dst[start:] {
			if o := &dst[start+i]; o.Kind == k && bytes.EqualFold(o.ID, id) {
				return
			}
		}
		dst = append(dst, EntityRef{k, id, name})
	}
	for _, f := range [...][3]Column{{SHA256, SHA1, FileName}, {InitiatingProcessSHA256, InitiatingProcessSHA1, InitiatingProcessFileName}} {
		if isHex(c[f[0]], 64) {
			add(EntityFile, c[f[0]], c[f[2]])
		}
		if isHex(c[f[1]], 40) {
			add(EntityFile, c[f[1]], c[f[2]])
		}
	}
	program := c[InitiatingProcessFileName]
	add(EntityAddress, canonicalAddress(c[RemoteIP]), program)
	add(EntityAddress, canonicalAddress(c[0]), program)
	if host := HostOf(c[RemoteURL]); host != nil {
		add(EntityDomain, host, program)
		for n := 0; n < mostAbove; n++ {
			i := bytes.IndexByte(host, '.')
			if i < 0 || bytes.IndexByte(host[i+1:], '.') < 0 {
				break
			}
			host = host[i+1:]
			add(EntityDomain, host, program)
		}
	}
	did := AccountActed
	switch h.Action {
	case LogonSuccess:
		did = AccountLogon
	case LogonFailed, LogonAttempted:
		did = AccountRefused
	}
	add(EntityAccount, c[AccountName], []byte(did))
	add(EntityAccount, c[InitiatingProcessAccountName], []byte(AccountActed))
	return dst
}

// HostOf returns the host of a host name or a URL; nil when there is none, or
// when it is an address.
func HostOf(text []byte) []byte {
	if i := bytes.Index(text, []byte("://")); i >= 0 {
		text = text[i+3:]
	}
	if i := bytes.IndexAny(text, "/?#"); i >= 0 {
		text = text[:i]
	}
	if i := bytes.LastIndexByte(text, '@'); i >= 0 {
		text = text[i+1:]
	}
	if i := bytes.IndexByte(text, ':'); i >= 0 {
		text = text[:i]
	}
	text = bytes.TrimSuffix(text, []byte("."))
	if len(text) == 0 || len(text) > longestDomain {
		return nil
	}
	if last := text[len(text)-1]; last >= '0' && last <= '9' && canonicalAddress(text) != nil {
		return nil
	}
	return text
}

// canonicalAddress returns an address as [net/netip] writes it; nil: it is none.
func canonicalAddress(text []byte) []byte {
	if len(text) == 0 || len(text) > 64 {
		return nil
	}
	a, err := netip.ParseAddr(string(text))
	if err != nil {
		return nil
	}
	return a.Unmap().WithZone("").AppendTo(nil)
}

func isHex(b []byte, n int) bool {
	if len(b) != n {
		return false
	}
	for _, c := range b {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// EntityID makes an id of what somebody wrote; false when it can be none of the kind.
func EntityID(k EntityKind, text string) (string, bool) {
	switch k {
	case EntityFile:
		return lowerASCII([]byte(text)), isHex([]byte(text), 40) || isHex([]byte(text), 64)
	case EntityAddress:
		id := canonicalAddress([]byte(text))
		return string(id), id != nil
	case EntityDomain:
		id := HostOf([]byte(text))
		return lowerASCII(id), id != nil && domainBytes(id)
	case EntityAccount:
		return text, text != "" && len(text) <= 256
	}
	return "", false
}

func lowerASCII(b []byte) string {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return string(out)
}

func domainBytes(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f || bytes.IndexByte([]byte(`"'<>\(){}`), c) >= 0 {
			return false
		}
	}
	return true
}
