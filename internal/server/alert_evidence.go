package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/store"
)

// The kinds of evidence, as the Defender API names them.
const (
	evidenceProcess = "Process"
	evidenceFile    = "File"
	evidenceIP      = "Ip"
	evidenceURL     = "Url"
	evidenceUser    = "User"
)

// evidenceOf is what an event tells of: the process that acted, what it started
// or touched, addresses, names and the user, each once.
func evidenceOf(r *eventlog.Row) []AlertEvidence {
	e := r.Record.Event()
	at := r.Time
	var out []AlertEvidence
	add := func(x AlertEvidence, ok bool) {
		if ok {
			x.At, x.Event = at, eventID(r)
			out = append(out, x)
		}
	}
	switch e.Kind() {
	case ev.Process, ev.ProcessEnd:
		add(evidentProcess(&e, subject, initiator))
	case ev.File, ev.Image, ev.Kernel, ev.Schedule, ev.Antivirus, ev.Response:
		add(evidentFile(&e))
	}
	add(evidentProcess(&e, initiator, parent))
	add(AlertEvidence{Kind: evidenceIP, IP: e.Text(ev.RemoteIP)}, e.Text(ev.RemoteIP) != "")
	add(AlertEvidence{Kind: evidenceURL, URL: e.Text(ev.RemoteURL)}, e.Text(ev.RemoteURL) != "")
	add(evidentUser(&e))
	return out
}

func evidentProcess(e *ev.Event, c, above processColumns) (AlertEvidence, bool) {
	pid, ok := e.Get(c.pid)
	if !ok {
		return AlertEvidence{}, false
	}
	x := AlertEvidence{Kind: evidenceProcess, PID: pid.Number, Began: eventTime(e, c.began), Name: e.Text(c.name)}
	if c.path != 0 {
		x.Path = e.Text(c.path)
		x.Command, x.Account, x.SHA256, x.SHA1 = e.Text(c.command), e.Text(c.account), e.Text(c.sha256), e.Text(c.sha1)
	}
	if p, ok := e.Get(above.pid); ok && above.pid != c.pid {
		x.ParentPID, x.ParentName, x.ParentBegan = p.Number, e.Text(above.name), eventTime(e, above.began)
	}
	return x, true
}

func evidentFile(e *ev.Event) (AlertEvidence, bool) {
	x := AlertEvidence{Kind: evidenceFile, Name: e.Text(ev.FileName), Path: e.Text(ev.FolderPath), SHA256: e.Text(ev.SHA256), SHA1: e.Text(ev.SHA1)}
	return x, x.Name != "" || x.Path != ""
}

func evidentUser(e *ev.Event) (AlertEvidence, bool) {
	x := AlertEvidence{Kind: evidenceUser, Account: e.Text(ev.AccountName), Domain: e.Text(ev.AccountDomain), SID: e.Text(ev.AccountSID)}
	if x.Account == "" {
		x.Account, x.Domain, x.SID = e.Text(ev.InitiatingProcessAccountName), e.Text(ev.InitiatingProcessAccountDomain), e.Text(ev.InitiatingProcessAccountSID)
	}
	return x, x.Account != ""
}

func eventTime(e *ev.Event, c ev.Column) time.Time {
	f, ok := e.Get(c)
	if !ok {
		return time.Time{}
	}
	return time.Unix(0, f.Number).UTC()
}

// key tells evidence from other evidence of its alert.
func (x *AlertEvidence) key() string {
	switch x.Kind {
	case evidenceProcess:
		return fmt.Sprintf("process %d %d", x.PID, x.Began.UnixNano())
	case evidenceFile:
		return "file " + x.Path + "\x00" + x.Name + "\x00" + x.SHA256
	case evidenceIP:
		return "ip " + x.IP
	case evidenceURL:
		return "url " + x.URL
	}
	return "user " + strings.ToLower(x.Domain+`\`+x.Account)
}

// entities are what the alert is found by because of it.
func (x *AlertEvidence) entities() []store.AlertEntity {
	var out []store.AlertEntity
	add := func(kind, value string) {
		if value != "" {
			out = append(out, store.AlertEntity{Kind: kind, Value: strings.ToLower(value)})
		}
	}
	add("file", x.SHA256)
	add("file", x.SHA1)
	if a, err := netip.ParseAddr(x.IP); err == nil {
		add("ip", a.Unmap().String())
	}
	add("domain", hostOf(x.URL))
	add("user", x.Account)
	if x.Domain != "" && x.Account != "" {
		add("user", x.Domain+`\`+x.Account)
	}
	return out
}

// hostOf is the name of the host in an address; an address may be the name alone.
func hostOf(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	address, _, _ = strings.Cut(address, "/")
	host, _, _ := strings.Cut(address, ":")
	return strings.TrimSuffix(host, ".")
}

// stored is evidence as the store takes it.
func (x *AlertEvidence) stored() (store.AlertEvidence, error) {
	raw, err := json.Marshal(x)
	return store.AlertEvidence{Key: x.key(), Body: raw, Entities: x.entities()}, err
}

// What AlertRelated is asked for.
const (
	RelatedMachine   = "machine"
	RelatedUser      = "user"
	RelatedFiles     = "files"
	RelatedDomains   = "domains"
	RelatedAddresses = "ips"
)

// needOfRelated are the permissions that open what alerts name.
var needOfRelated = map[string]string{RelatedMachine: MachineRead, RelatedUser: AccountRead, RelatedFiles: FileRead, RelatedDomains: URLRead, RelatedAddresses: AddressRead}

// AlertRelated returns what an alert names of a kind: files with their hashes,
// domains as host names, addresses, users; of a machine only its id.
func (s *Server) AlertRelated(ctx context.Context, caller Caller, id, kind string, q RowQuery[AlertEvidence]) (AlertRelated, error) {
	permission, ok := needOfRelated[kind]
	if !ok {
		return AlertRelated{}, Invalidf("kind", "%q is nothing that alerts name", kind)
	}
	if err := s.need(caller, permission); err != nil {
		return AlertRelated{}, err
	}
	s.core.mu.RLock()
	a, d := s.core.visibleAlert(caller.sees(), id)
	s.core.mu.RUnlock()
	if a == nil {
		return AlertRelated{}, fmt.Errorf("alert %q: %w", id, ErrNotFound)
	}
	out := AlertRelated{Device: d.id}
	parts, err := s.st.AlertParts(ctx, []int64{a.Seq}, true)
	if err != nil {
		return AlertRelated{}, err
	}
	all, err := decodeEvidence(parts[a.Seq].Evidence)
	if err != nil {
		return AlertRelated{}, err
	}
	seen := map[string]bool{}
	var list []AlertEvidence
	for i := range all {
		if x, ok := all[i].related(kind); ok && !seen[x.key()] {
			seen[x.key()] = true
			list = append(list, x)
		}
	}
	out.RowPage = q.Of(Each(list))
	return out, nil
}

// related is evidence as one of a kind of things.
func (x *AlertEvidence) related(kind string) (AlertEvidence, bool) {
	switch kind {
	case RelatedUser:
		return *x, x.Kind == evidenceUser
	case RelatedFiles: // a process's program is a file, too
		f := AlertEvidence{Kind: evidenceFile, At: x.At, Event: x.Event, Name: x.Name, Path: x.Path, SHA1: x.SHA1, SHA256: x.SHA256}
		return f, (x.Kind == evidenceFile || x.Kind == evidenceProcess) && (f.Name != "" || f.Path != "")
	case RelatedDomains:
		return AlertEvidence{Kind: evidenceURL, At: x.At, Event: x.Event, URL: hostOf(x.URL)}, x.Kind == evidenceURL
	case RelatedAddresses:
		return *x, x.Kind == evidenceIP
	}
	return AlertEvidence{}, false
}
