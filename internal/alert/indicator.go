package alert

import (
	"bytes"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/event"
)

// IndicatorType is what the value of an indicator is.
type IndicatorType string

// The types of indicators, as the Defender API names them. Nothing that happens on an
// endpoint is known by a certificate: of that type nothing is matched.
const (
	FileSHA1    IndicatorType = "FileSha1"
	FileSHA256  IndicatorType = "FileSha256"
	FileMD5     IndicatorType = "FileMd5"
	Certificate IndicatorType = "CertificateThumbprint"
	IPAddress   IndicatorType = "IpAddress"
	DomainName  IndicatorType = "DomainName"
	URL         IndicatorType = "Url"
)

// IndicatorTypes are all of them.
var IndicatorTypes = []IndicatorType{FileSHA1, FileSHA256, FileMD5, Certificate, IPAddress, DomainName, URL}

// IndicatorAction is what somebody asks for where an indicator matches.
type IndicatorAction string

// The actions. AlertOnly and AlertAndBlock are older words of the Defender API.
const (
	Allowed           IndicatorAction = "Allowed"
	AuditOnly         IndicatorAction = "Audit"
	Warn              IndicatorAction = "Warn"
	Block             IndicatorAction = "Block"
	BlockAndRemediate IndicatorAction = "BlockAndRemediate"
	AlertOnly         IndicatorAction = "Alert"
	AlertAndBlock     IndicatorAction = "AlertAndBlock"
)

// IndicatorActions are all of them.
var IndicatorActions = []IndicatorAction{Allowed, AuditOnly, Warn, Block, BlockAndRemediate, AlertOnly, AlertAndBlock}

// Prevents reports whether an action asks for more than an alert.
func (a IndicatorAction) Prevents() bool {
	return a == Warn || a == Block || a == BlockAndRemediate || a == AlertAndBlock
}

// ParseIndicatorType reads a type, whatever its case.
func ParseIndicatorType(s string) (IndicatorType, bool) { return fold(IndicatorTypes, s) }

// ParseIndicatorAction reads an action, whatever its case; Allow is Allowed.
func ParseIndicatorAction(s string) (IndicatorAction, bool) {
	if strings.EqualFold(s, "Allow") {
		return Allowed, true
	}
	return fold(IndicatorActions, s)
}

const (
	longestURL  = 2048
	longestHost = 253
)

// IndicatorValue is a value in the form in which it is compared: hexadecimal digits and
// hosts in lower case, an address as package net/netip writes it, a URL with its
// scheme and host in lower case. What is no value of the type is refused, and why
// says how it must be.
func IndicatorValue(t IndicatorType, text string) (value, why string) {
	text = strings.TrimSpace(text)
	hexDigits := func(n int) (string, string) {
		low := strings.ToLower(text)
		if len(low) != n || strings.Trim(low, "0123456789abcdef") != "" {
			return "", "must be " + map[int]string{32: "32", 40: "40", 64: "64"}[n] + " hexadecimal digits"
		}
		return low, ""
	}
	switch t {
	case FileSHA1, Certificate:
		return hexDigits(40)
	case FileSHA256:
		return hexDigits(64)
	case FileMD5:
		return hexDigits(32)
	case IPAddress:
		id, ok := event.EntityID(event.EntityAddress, text)
		if !ok {
			return "", "must be one IPv4 or IPv6 address; ranges cannot be matched"
		}
		return id, ""
	case DomainName:
		host := strings.ToLower(strings.TrimSuffix(text, "."))
		if !isHost(host) || !strings.Contains(host, ".") {
			return "", "must be the name of a host or domain, without wildcards and without a path"
		}
		return host, ""
	case URL:
		u, err := url.Parse(text)
		if err == nil && u.Scheme == "" {
			u, err = url.Parse("http://" + text)
		}
		if err != nil || len(text) > longestURL || u.User != nil || !slices.Contains([]string{"http", "https"}, strings.ToLower(u.Scheme)) {
			return "", "must be a URL such as https://example.com/path of at most 2048 bytes, without a user"
		}
		host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
		if a, err := netip.ParseAddr(host); err == nil {
			host = a.Unmap().String()
		} else if !isHost(host) {
			return "", "must have the name of a host, without wildcards"
		}
		u.Scheme, u.Host, u.Fragment = strings.ToLower(u.Scheme), host+port(u), ""
		if strings.Contains(host, ":") {
			u.Host = "[" + host + "]" + port(u)
		}
		return u.String(), ""
	}
	return "", "is of no known type"
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return ":" + p
	}
	return ""
}

func isHost(s string) bool {
	if s == "" || len(s) > longestHost {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range label {
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80) {
				return false
			}
		}
	}
	return true
}

// Indicator is what a Matcher looks for: a value as [IndicatorValue] makes it, and the
// number that hits name it by.
type Indicator struct {
	ID    int64
	Type  IndicatorType
	Value string
}

// Hit is an indicator that something in an event matches.
type Hit struct {
	ID     int64
	Entity string // what matched: a hash, an address, a host
	// Thing tells the things of one event apart: two hashes of one file are the same thing.
	Thing Thing
	// Close is how close the value is: of several for a thing the closest counts.
	// A host by itself is closer than a domain above it, a URL closer than its host.
	Close int
	// HostOnly: the indicator has a path, of which the event says nothing.
	HostOnly bool
}

// Thing is a part of an event that has a value.
type Thing uint8

// The things.
const (
	ThingFile    Thing = iota + 1 // what the event is about
	ThingProgram                  // what acted
	ThingAddress                  // the other end
	ThingHost
)

// Matcher finds indicators in events by one look into a table for each value. It is
// never changed and safe for concurrent use. The zero Matcher finds nothing.
type Matcher struct {
	hashes    map[string][]int64
	addresses map[string][]int64
	domains   map[string][]int64
	urls      map[string][]urlIndicator // by host
}

type urlIndicator struct {
	id   int64
	path string // "": all of the host
	raw  string // with its query
}

// NewMatcher makes a matcher of indicators. Those of certificates match nothing.
func NewMatcher(list []Indicator) *Matcher {
	m := &Matcher{hashes: map[string][]int64{}, addresses: map[string][]int64{}, domains: map[string][]int64{}, urls: map[string][]urlIndicator{}}
	for _, x := range list {
		switch x.Type {
		case FileSHA1, FileSHA256, FileMD5:
			m.hashes[x.Value] = append(m.hashes[x.Value], x.ID)
		case IPAddress:
			m.addresses[x.Value] = append(m.addresses[x.Value], x.ID)
		case DomainName:
			m.domains[x.Value] = append(m.domains[x.Value], x.ID)
		case URL:
			if u, err := url.Parse(x.Value); err == nil {
				path := u.EscapedPath()
				if path == "/" {
					path = ""
				}
				rest := path
				if u.RawQuery != "" {
					rest += "?" + u.RawQuery
				}
				m.urls[u.Hostname()] = append(m.urls[u.Hostname()], urlIndicator{x.ID, path, rest})
			}
		}
	}
	return m
}

// Empty reports whether nothing can match.
func (m *Matcher) Empty() bool {
	return m == nil || len(m.hashes)+len(m.addresses)+len(m.domains)+len(m.urls) == 0
}

// Match appends what matches in an event to dst.
func (m *Matcher) Match(r event.Record, dst []Hit) []Hit {
	for col, text := range r.Texts {
		switch col {
		case event.SHA1, event.SHA256, event.MD5:
			dst = m.hash(dst, ThingFile, text)
		case event.InitiatingProcessSHA1, event.InitiatingProcessSHA256, event.InitiatingProcessMD5:
			dst = m.hash(dst, ThingProgram, text)
		case event.RemoteIP, event.InitiatingProcessRemoteSessionIP:
			if len(m.addresses) > 0 {
				dst = m.address(dst, text)
			}
		case event.RemoteURL:
			if len(m.domains)+len(m.urls)+len(m.addresses) > 0 {
				dst = m.location(dst, text)
			}
		}
	}
	return dst
}

func (m *Matcher) hash(dst []Hit, t Thing, text []byte) []Hit {
	if len(m.hashes) == 0 {
		return dst
	}
	var low [64]byte
	if len(text) > len(low) {
		return dst
	}
	for i, c := range text {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		low[i] = c
	}
	for _, id := range m.hashes[string(low[:len(text)])] {
		dst = append(dst, Hit{ID: id, Entity: string(low[:len(text)]), Thing: t, Close: 1})
	}
	return dst
}

func (m *Matcher) address(dst []Hit, text []byte) []Hit {
	ids := m.addresses[string(text)]
	value := text
	if ids == nil && slices.Contains(text, ':') { // an IPv4 address has one form only
		id, ok := event.EntityID(event.EntityAddress, string(text))
		if !ok {
			return dst
		}
		value, ids = []byte(id), m.addresses[id]
	}
	for _, id := range ids {
		dst = append(dst, Hit{ID: id, Entity: string(value), Thing: ThingAddress, Close: 1})
	}
	return dst
}

// location matches the text of a host or URL.
func (m *Matcher) location(dst []Hit, text []byte) []Hit {
	var buf [longestHost + 1]byte
	host, rest, whole := buf[:0], "", false
	if !bytes.ContainsAny(text, "/:?#@[") { // nearly always: the host alone
		if len(text) > len(buf) {
			return dst
		}
		for _, c := range text {
			if c >= 'A' && c <= 'Z' {
				c += 'a' - 'A'
			}
			host = append(host, c)
		}
		host = bytes.TrimSuffix(host, []byte("."))
	} else {
		var name string
		name, rest, whole = partsOfURL(text)
		host = []byte(name)
	}
	if len(host) == 0 {
		return dst
	}
	const exact = 1000 // names have fewer labels
	for _, u := range m.urls[string(host)] {
		h := Hit{ID: u.id, Entity: string(host), Thing: ThingHost, Close: exact}
		switch {
		case u.raw == "":
		case !whole:
			h.HostOnly = true
		case u.raw == rest || below(rest, u):
			h.Entity, h.Close = h.Entity+rest, exact+len(u.raw)
		default:
			continue
		}
		dst = append(dst, h)
	}
	if last := host[len(host)-1]; last >= '0' && last <= '9' || slices.Contains(host, ':') {
		if a, err := netip.ParseAddr(string(host)); err == nil {
			return m.address(dst, []byte(a.Unmap().String()))
		}
	}
	for name := host; len(m.domains) > 0; {
		for _, id := range m.domains[string(name)] {
			dst = append(dst, Hit{ID: id, Entity: string(host), Thing: ThingHost, Close: 1 + bytes.Count(name, []byte("."))})
		}
		i := bytes.IndexByte(name, '.')
		if i < 0 {
			break
		}
		name = name[i+1:]
	}
	return dst
}

// below reports whether what follows the host of a URL lies below an indicator's path.
func below(rest string, u urlIndicator) bool {
	if u.raw != u.path { // with a query it is that place alone
		return false
	}
	after, ok := strings.CutPrefix(rest, u.path)
	return ok && (after == "" || strings.HasSuffix(u.path, "/") || after[0] == '/' || after[0] == '?')
}

// partsOfURL cuts a host or a URL apart; whole says that the text is a URL, of which the
// path is known.
func partsOfURL(text []byte) (host, rest string, whole bool) {
	if len(text) == 0 || len(text) > longestURL {
		return "", "", false
	}
	s := string(text)
	if i := strings.Index(s, "://"); i >= 0 {
		s, whole = s[i+3:], true
	}
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		s, rest, whole = s[:i], s[i:], true
		rest, _, _ = strings.Cut(rest, "#")
		if strings.HasPrefix(rest, "?") {
			rest = "/" + rest
		}
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if b, ok := strings.CutPrefix(s, "["); ok {
		s, _, _ = strings.Cut(b, "]")
	} else if strings.Count(s, ":") == 1 {
		s, _, _ = strings.Cut(s, ":")
	}
	return strings.ToLower(strings.TrimSuffix(s, ".")), rest, whole
}

// Relevant are the hits that count: none of a thing whose closest hits have one that
// allows reports true for. Each indicator counts once for each entity.
func Relevant(hits []Hit, allows func(id int64) bool) []Hit {
	var out []Hit
	for _, h := range hits {
		if allows(h.ID) || slices.ContainsFunc(hits, func(o Hit) bool { return o.Thing == h.Thing && o.Close >= h.Close && allows(o.ID) }) {
			continue
		}
		if !slices.ContainsFunc(out, func(o Hit) bool { return o.ID == h.ID && o.Entity == h.Entity }) {
			out = append(out, h)
		}
	}
	return out
}
