// Package pest is an agent that sends what it likes: text of its choice in
// every string of every section, for tests of what the server and the console
// make of a hostile host. It walks the types of package inventory, so that a
// string that is collected tomorrow is sent too.
//
//	sections, err := pest.Sections(func(string) string { return "<script>" }, nil)
//	device, rejected, err := p.Send(ctx, token, protocol.Hello{}, sections)
package pest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/protocol"
)

// Texts are what a hostile host may put in place of any text.
var Texts = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "'; DROP TABLE device; --", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "\t=1",
	"../../../../etc/passwd", "a/../../b", "..", ".", "%2e%2e%2f", "a-_-b-_-c", "\x00nul\x01\x1b[31mred\x1b[0m", "line\r\nforged,row\u2028", "\u202ertl\u202c", "\ufeffbom",
	"\xff\xfe not utf8 \xc3(", "C:\\Windows\\x", "CON", "%s%n%d", "${jndi:ldap://x}", "{{7*7}}${7*7}", strings.Repeat("n", 64<<10), strings.Repeat("\u00e9", 40_000),
}

// FactOf returns the zero value of what the items of a section are.
func FactOf(name inventory.SectionName) (any, error) {
	switch name {
	case inventory.OSSection:
		return inventory.OS{}, nil
	case inventory.Kernel:
		return inventory.KernelFact{}, nil
	case inventory.Hardware:
		return inventory.HardwareFact{}, nil
	case inventory.Interfaces:
		return inventory.Interface{}, nil
	case inventory.Updates:
		return inventory.Update{}, nil
	case inventory.Restart:
		return inventory.RestartNeed{}, nil
	}
	switch {
	case slices.Contains(inventory.PackageSections, name):
		return inventory.Package{}, nil
	case slices.Contains(inventory.SettingSections, name):
		return inventory.Setting{}, nil
	}
	return nil, fmt.Errorf("section %s: package pest does not know what its items are", name)
}

// Fill puts text(field) into every string of v, which can be set. A field is
// named by what JSON calls it, with a dot between levels: "processes.name". Lists
// get one element, and none where it would be empty. A kind of value that Fill does not know is an error: what is collected in it
// would not be filled.
func Fill(v reflect.Value, text func(field string) string) error { return fill(v, "", text) }

func fill(v reflect.Value, at string, text func(field string) string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text(at))
		return nil
	case reflect.Slice:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		err := fill(one.Index(0), at, text)
		if !one.Index(0).IsZero() {
			v.Set(one)
		}
		return err
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return nil
		}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if err := fill(v.Field(i), strings.TrimPrefix(at+"."+name, "."), text); err != nil {
				return err
			}
		}
		return nil
	case reflect.Bool, reflect.Int, reflect.Uint64:
		return nil
	}
	return fmt.Errorf("%s is a %s: package pest does not know how to fill it", at, v.Type())
}

// Fields lists the strings of a section's items, as Fill names them.
func Fields(name inventory.SectionName) ([]string, error) {
	fact, err := FactOf(name)
	if err != nil {
		return nil, err
	}
	var list []string
	return list, Fill(reflect.New(reflect.TypeOf(fact)).Elem(), func(field string) string {
		list = append(list, field)
		return ""
	})
}

// wide is the length from which a text goes into one string of an item at a
// time, so that no item is too large to be taken.
const wide = 1000

// Sections are all sections, partial where there is a text, with text("section.field") in every
// string. honest holds by the same name what is said truly in a second item of
// each section of which it says anything (in the only one, where there is one),
// and in further items of all sections of settings, one for every setting that a
// check looks at.
func Sections(text func(field string) string, honest map[string]string) ([]*inventory.Section, error) {
	var list []*inventory.Section
	for _, name := range inventory.SectionNames {
		fields, err := Fields(name)
		if err != nil {
			return nil, err
		}
		reason := text(string(name))
		s := inventory.NewSection(name, inventory.Complete, "")
		if reason != "" {
			s.MarkPartial(reason[:min(len(reason), wide)])
		}
		// item makes an item of the section with only the field one filled ("": all).
		item := func(key, one string, honest map[string]string) error {
			fact, err := FactOf(name)
			if err != nil {
				return err
			}
			v := reflect.New(reflect.TypeOf(fact)).Elem()
			err = Fill(v, func(field string) string {
				full := string(name) + "." + field
				if truth, ok := honest[full]; ok {
					return truth
				}
				if one != "" && one != field {
					return ""
				}
				return text(full)
			})
			s.Put(key, v.Interface())
			return err
		}
		truths := honestKeys(name, honest)
		switch {
		case len(truths) == 1 && single[name] != "": // there is room for one item
		case len(text(string(name))) >= wide:
			for i, f := range fields {
				if err := item(strconv.Itoa(i), f, nil); err != nil {
					return nil, err
				}
			}
		default:
			if err := item(cmp.Or(text(string(name)+".key"), "0"), "", nil); err != nil {
				return nil, err
			}
		}
		for _, key := range truths {
			if err := item(key, "", honest); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	return list, nil
}

// single are the sections of one item, with its key.
var single = map[inventory.SectionName]string{inventory.OSSection: "os", inventory.Kernel: "running", inventory.Hardware: "hardware"}

// honestKeys are the keys of the second items of a section.
func honestKeys(name inventory.SectionName, honest map[string]string) (keys []string) {
	switch {
	case len(honest) == 0:
	case slices.Contains(inventory.SettingSections, name):
		for _, c := range posture.Checks() {
			for _, e := range c.Expectations() {
				if e.Section == name {
					keys = append(keys, strings.ReplaceAll(e.Setting, "*", "any"))
					if program, _, ok := strings.Cut(e.Setting, ":"); ok { // that it is there is a setting, too
						keys = append(keys, program)
					}
				}
			}
		}
	default:
		for field := range honest {
			if strings.HasPrefix(field, string(name)+".") {
				return []string{cmp.Or(single[name], "honest")}
			}
		}
	}
	return keys
}

// Pest is where a server listens for agents, and what it trusts.
type Pest struct {
	Addr  string // host:port
	Roots *x509.CertPool
	// Text is what the texts of events hold that follow the sections, by the name of
	// the column; nil: no events.
	Text func(column string) string
}

// events is one event of every action with every column set.
func (p *Pest) events() (*protocol.Events, error) {
	var raw []byte
	n := 0
	now := time.Now()
	for a := range event.Actions {
		if a.Kind() == event.Response { // the server tells those, and refuses what is sent with one
			continue
		}
		e := event.Event{Action: a, Seq: uint64(a), Time: now.Add(time.Duration(n) * time.Millisecond)}
		for c := range event.Columns {
			switch c.Type() {
			case event.String, event.Dynamic:
				e.Set(c, p.Text("event."+c.String()))
			default:
				e.SetInt(c, 1)
			}
		}
		more, err := event.Append(raw, &e)
		if err != nil || len(more) > protocol.MaxEventBytes {
			break // texts that are too long for all of them
		}
		raw = more
		n++
	}
	out, err := protocol.NewEvents(protocol.StreamActivity, 1, raw, n)
	if err != nil {
		return nil, err
	}
	out.Sent = now
	return out, nil
}

func (p *Pest) client(certs ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.Roots, MinVersion: tls.VersionTLS13, Certificates: certs}}}
}

// enrol makes a new device of a key of its own.
func (p *Pest) enrol(ctx context.Context, token string) (inventory.DeviceID, tls.Certificate, error) {
	fail := func(err error) (inventory.DeviceID, tls.Certificate, error) {
		return "", tls.Certificate{}, fmt.Errorf("enrol: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fail(err)
	}
	csr, err := protocol.NewCSR(key)
	if err != nil {
		return fail(err)
	}
	body, err := json.Marshal(protocol.EnrollRequest{Version: protocol.Version, AgentVersion: "pest", Token: token, CSR: csr})
	if err != nil {
		return fail(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+p.Addr+protocol.EnrollPath, bytes.NewReader(body))
	if err != nil {
		return fail(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client().Do(req)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read, or is of no use
	var enrolled protocol.EnrollResponse
	if err := json.NewDecoder(resp.Body).Decode(&enrolled); err != nil {
		return fail(fmt.Errorf("%s: %w", resp.Status, err))
	}
	block, _ := pem.Decode([]byte(enrolled.Certificate))
	if block == nil {
		return fail(fmt.Errorf("%s without a certificate", resp.Status))
	}
	return enrolled.Device, tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}, nil
}

// Open enrols a new device and opens its session; the first message is the caller's.
func (p *Pest) Open(ctx context.Context, token string) (inventory.DeviceID, *protocol.Conn, error) {
	device, cert, err := p.enrol(ctx, token)
	if err != nil {
		return "", nil, err
	}
	ws, _, err := websocket.Dial(ctx, "wss://"+p.Addr+protocol.SessionPath, &websocket.DialOptions{HTTPClient: p.client(cert)})
	if err != nil {
		return "", nil, fmt.Errorf("open the session of %s: %w", device, err)
	}
	return device, protocol.NewConn(ws, nil), nil
}

// Send enrols a new device and delivers sections as its first report, after
// hello, whose version is set. It returns the device and what the server
// refused of the sections when the server has the others on disk.
func (p *Pest) Send(ctx context.Context, token string, hello protocol.Hello, sections []*inventory.Section) (inventory.DeviceID, []protocol.Rejected, error) {
	device, c, err := p.Open(ctx, token)
	if err != nil {
		return "", nil, err
	}
	defer c.Close("done")
	deltas := make([]inventory.Delta, len(sections))
	for i, s := range sections {
		s.SeenAt = time.Now()
		s.Seal()
		deltas[i] = inventory.Diff(nil, s)
	}
	hello.Version = protocol.Version
	for _, m := range []*protocol.Message{{Hello: &hello}, {Deliver: &protocol.Deliver{Seq: 1, Deltas: deltas}}} {
		if err := c.Send(ctx, m); err != nil {
			return "", nil, fmt.Errorf("send as %s: %w", device, err)
		}
	}
	var rejected []protocol.Rejected
	for {
		m, done, err := c.Recv(ctx)
		done()
		if err != nil {
			return "", nil, fmt.Errorf("the server ended the session of %s: %w", device, err)
		}
		if m.Refusal != nil {
			return "", nil, fmt.Errorf("the server refused %s: %s", device, m.Refusal.Reason)
		}
		switch {
		case m.Ack != nil && m.Ack.Seq == 1 && p.Text != nil:
			rejected = m.Ack.Rejected
			e, err := p.events()
			if err == nil {
				err = c.Send(ctx, &protocol.Message{Events: e})
			}
			if err != nil {
				return "", nil, fmt.Errorf("send events as %s: %w", device, err)
			}
		case m.Ack != nil && m.Ack.Seq == 1:
			return device, m.Ack.Rejected, nil
		case m.Ack != nil && len(m.Ack.Events) > 0:
			return device, rejected, nil
		}
	}
}
