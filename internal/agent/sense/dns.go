package sense

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// answer is what a name server said.
type answer struct {
	server    netip.Addr
	localPort uint16
	owner     key // the process that asked, if it is known
	name      string
	typ       uint16
	code      uint8
	results   []string
}

// askers knows which process asked name servers from which port, of late. Safe
// for concurrent use.
type askers struct {
	mu    sync.Mutex // guards the fields below
	last  map[asker]key
	order []asker // oldest first
}

// asker is a port of this host and the server that was asked from it.
type asker struct {
	port   uint16
	server netip.Addr
}

const (
	dnsPort   = 53
	maxAskers = 2048
	// answerDelay is how long an answer waits until who asked is known.
	answerDelay = 500 * time.Millisecond
	// maxAnswers may wait; those beyond it are told without a process.
	maxAnswers = 4096
)

func newAskers() *askers { return &askers{last: map[asker]key{}} }

func (a *askers) note(port uint16, server netip.Addr, k key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := asker{port, server.Unmap()}
	if _, known := a.last[at]; !known {
		if len(a.order) >= maxAskers {
			delete(a.last, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, at)
	}
	a.last[at] = k
}

// who returns the process that asked a server from a port last.
func (a *askers) who(port uint16, server netip.Addr) (key, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	k, ok := a.last[asker{port, server.Unmap()}]
	return k, ok
}

var errDNS = errors.New("not an answer of a name server")

const maxResults = 32

// dnsTypes are the names of the types of records that are told.
var dnsTypes = map[uint16]string{1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV", 64: "SVCB", 65: "HTTPS", 255: "ANY"}

func typeName(t uint16) string {
	if n, ok := dnsTypes[t]; ok {
		return n
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// parsePacket reads an IP packet with a datagram of UDP from port 53.
func parsePacket(b []byte) (answer, error) {
	var a answer
	if len(b) < 20 {
		return a, errDNS
	}
	var udp []byte
	switch b[0] >> 4 {
	case 4:
		n := int(b[0]&0xf) * 4
		if n < 20 || len(b) < n+8 || b[9] != 17 {
			return a, errDNS
		}
		a.server, udp = netip.AddrFrom4([4]byte(b[12:16])), b[n:]
	case 6:
		if len(b) < 48 || b[6] != 17 {
			return a, errDNS
		}
		a.server, udp = netip.AddrFrom16([16]byte(b[8:24])), b[40:]
	default:
		return a, errDNS
	}
	if binary.BigEndian.Uint16(udp) != 53 {
		return a, errDNS
	}
	a.localPort = binary.BigEndian.Uint16(udp[2:])
	return a, a.parse(udp[8:])
}

// parse reads a message of DNS: one question and what answers it.
func (a *answer) parse(m []byte) error {
	if len(m) < 12 || m[2]&0x80 == 0 || m[2]&0x78 != 0 || binary.BigEndian.Uint16(m[4:]) != 1 {
		return errDNS
	}
	a.code = m[3] & 0xf
	name, at, err := dnsName(m, 12)
	if err != nil || at+4 > len(m) {
		return errDNS
	}
	a.name, a.typ = name, binary.BigEndian.Uint16(m[at:])
	at += 4
	for n := int(binary.BigEndian.Uint16(m[6:])); n > 0 && len(a.results) < maxResults; n-- {
		if _, at, err = dnsName(m, at); err != nil || at+10 > len(m) {
			return nil // cut short: what was there counts
		}
		typ, size := binary.BigEndian.Uint16(m[at:]), int(binary.BigEndian.Uint16(m[at+8:]))
		data := at + 10
		if at = data + size; at > len(m) {
			return nil
		}
		switch {
		case typ == 1 && size == 4:
			a.results = append(a.results, netip.AddrFrom4([4]byte(m[data:at])).String())
		case typ == 28 && size == 16:
			a.results = append(a.results, netip.AddrFrom16([16]byte(m[data:at])).String())
		case typ == 5 || typ == 12 || typ == 2:
			if to, _, err := dnsName(m, data); err == nil {
				a.results = append(a.results, to)
			}
		default:
			a.results = append(a.results, typeName(typ))
		}
	}
	return nil
}

// dnsName reads a name at a place of a message and returns it with where the
// next thing is.
func dnsName(m []byte, at int) (name string, next int, err error) {
	var b strings.Builder
	next = -1
	for jumps := 0; ; {
		if at >= len(m) {
			return "", 0, errDNS
		}
		n := int(m[at])
		switch {
		case n == 0:
			if next < 0 {
				next = at + 1
			}
			return b.String(), next, nil
		case n&0xc0 == 0xc0:
			if at+1 >= len(m) {
				return "", 0, errDNS
			}
			if next < 0 {
				next = at + 2
			}
			if jumps++; jumps > 16 {
				return "", 0, errDNS
			}
			at = n&0x3f<<8 | int(m[at+1])
		case n > 63 || at+1+n > len(m) || b.Len() > 255:
			return "", 0, errDNS
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			for _, c := range m[at+1 : at+1+n] {
				if c < 0x21 || c > 0x7e || c == '.' || c == '\\' {
					b.WriteString(`\` + string([]byte{'0' + c/100, '0' + c/10%10, '0' + c%10}))
				} else {
					b.WriteByte(c)
				}
			}
			at += 1 + n
		}
	}
}

// key is what answers that are told together have in common.
func (a *answer) key() string {
	return fmt.Sprint(a.owner) + " " + a.server.String() + " " + a.name + " " + typeName(a.typ) + " " + strconv.Itoa(int(a.code)) + " " + strings.Join(a.results, " ")
}

// resolved is the event of an answer; of count, if more than one.
func (h *host) resolved(a *answer, count int64) *event.Event {
	e := &event.Event{Action: event.DNSQueryResponse, Fields: make([]event.Field, 0, 28)}
	e.Set(event.RemoteURL, a.name)
	e.Set(event.RemoteIP, a.server.Unmap().String())
	e.SetInt(event.RemotePort, dnsPort)
	e.SetInt(event.LocalPort, int64(a.localPort))
	e.Set(event.Protocol, "Udp")
	results := a.results
	if results == nil {
		results = []string{}
	}
	e.Set(event.AdditionalFields, object(map[string]any{"DnsQueryString": a.name, "DnsQueryType": typeName(a.typ), "DnsQueryResult": results, "DnsResponseCode": a.code}))
	e.Set(event.Source, SourcePacket)
	if a.owner.pid != 0 {
		p := h.procs.get(a.owner)
		if p != nil {
			e.Set(event.ContainerID, p.container)
		}
		h.initiated(e, p, a.owner)
	}
	if count > 1 {
		e.SetInt(event.EventCount, count)
	}
	return e
}

// answers brings together the same answer, given again within a window.
type answers struct {
	windows[string]
	open map[string]*answerGroup
}

type answerGroup struct {
	last answer
	at   time.Duration
	more int64
}

func newAnswers() answers {
	return answers{windows[string]{length: connWindow}, map[string]*answerGroup{}}
}

// add takes an answer and says whether to tell it now.
func (s *answers) add(a *answer, at time.Duration) bool {
	k := a.key()
	if g := s.open[k]; g != nil {
		g.last, g.at = *a, at
		g.more++
		return false
	}
	if len(s.open) < maxGroups {
		s.open[k] = &answerGroup{}
		s.begin(k, at)
	}
	return true
}

// over takes out what is older than the window, everything when end is set.
func (s *answers) over(now time.Duration, end bool, each func(*answerGroup)) {
	for k := range s.ended(now, end) {
		g := s.open[k]
		delete(s.open, k)
		if g.more > 0 {
			each(g)
		}
	}
}
