package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/alert"
	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// thing is what an investigation asks an agent about, or looks for among indicators.
type thing struct {
	Kind    alert.Subject `json:"kind"`
	Path    string        `json:"path,omitempty"` // of a file; of a process what it is called
	SHA256  string        `json:"sha256,omitempty"`
	SHA1    string        `json:"sha1,omitempty"`
	PID     int64         `json:"pid,omitempty"`
	Began   time.Time     `json:"began,omitzero"`
	Address string        `json:"address,omitempty"`
	URL     string        `json:"url,omitempty"`
	Alerts  []string      `json:"alerts"`
	Unasked string        `json:"unasked,omitempty"` // why the agent is not asked
}

const mostThings = 300 // of one investigation

// thingsOf are what alerts name that can be examined, each once, in the order of the alerts.
func thingsOf(alerts []string, evidence map[string][]AlertEvidence) (out []thing) {
	counts := map[alert.Subject]int{}
	add := func(t thing, of string) {
		i := slices.IndexFunc(out, func(o thing) bool {
			return o.Kind == t.Kind && o.Path == t.Path && o.PID == t.PID && o.Began.Equal(t.Began) && o.Address == t.Address && o.URL == t.URL && (o.SHA256 == t.SHA256 || o.SHA256 == "" || t.SHA256 == "")
		})
		if i >= 0 {
			if out[i].SHA256 == "" {
				out[i].SHA256, out[i].SHA1 = t.SHA256, t.SHA1
			}
			if !slices.Contains(out[i].Alerts, of) {
				out[i].Alerts = append(out[i].Alerts, of)
			}
			return
		}
		if len(out) >= mostThings {
			return
		}
		t.Alerts = []string{of}
		switch counts[t.Kind]++; {
		case t.Kind == alert.SubjectHost:
		case t.Kind == alert.SubjectFile && (!path.IsAbs(t.Path) || len(t.Path) > protocol.MaxPath):
			t.Unasked = "the alert does not tell its whole path"
		case counts[t.Kind] > protocol.MaxExamined:
			t.Unasked = fmt.Sprintf("the agent is asked about %d things of a kind", protocol.MaxExamined)
		}
		out = append(out, t)
	}
	for _, id := range alerts {
		for i := range evidence[id] {
			switch x := &evidence[id][i]; x.Kind {
			case evidenceProcess:
				add(thing{Kind: alert.SubjectProcess, PID: x.PID, Began: x.Began, Path: cmp.Or(x.Path, x.Name), SHA256: x.SHA256, SHA1: x.SHA1}, id)
				if name := wholePath(x); name != "" {
					add(thing{Kind: alert.SubjectFile, Path: name, SHA256: x.SHA256, SHA1: x.SHA1}, id)
				}
			case evidenceFile:
				add(thing{Kind: alert.SubjectFile, Path: cmp.Or(wholePath(x), x.Name), SHA256: x.SHA256, SHA1: x.SHA1}, id)
			case evidenceIP:
				if a, ok := ev.EntityID(ev.EntityAddress, x.IP); ok {
					add(thing{Kind: alert.SubjectAddress, Address: a}, id)
				}
			case evidenceURL:
				add(thing{Kind: alert.SubjectHost, URL: x.URL}, id)
			}
		}
	}
	return out
}

// wholePath is the path of a file that evidence names, "" when it does not say it.
func wholePath(x *AlertEvidence) string {
	switch {
	case !path.IsAbs(x.Path):
		return ""
	case x.Name == "" || path.Base(x.Path) == x.Name:
		return path.Clean(x.Path)
	}
	return path.Join(x.Path, x.Name)
}

// investigateOf is the message of an investigation: what sendTask has put there.
func investigateOf(t *store.MachineAction) *protocol.Investigate {
	m := &protocol.Investigate{}
	_ = json.Unmarshal(t.Ask, m) // without it there is nothing to be asked
	m.ID = t.ID
	return m
}

// askInvestigation is what the agent is asked: decided when it is sent first, so that
// alerts that came while it waited are in it, and kept.
func (s *Server) askInvestigation(ctx context.Context, t *store.MachineAction) ([]byte, error) {
	s.investigating.Lock()
	defer s.investigating.Unlock()
	i := s.core.investigations.ofAction(t.ID)
	if i == nil {
		return nil, fmt.Errorf("action %s has no investigation: %w", t.ID, ErrConflict)
	}
	raw, _, _, err := s.st.InvestigationParts(ctx, i.N)
	if err != nil {
		return nil, err
	}
	var things []thing
	if err := json.Unmarshal(raw, &things); err != nil {
		return nil, fmt.Errorf("read what is asked of investigation %d: %w", i.N, err)
	}
	if things == nil {
		next := *i
		next.Alerts = s.joinedAlerts(i)
		if things, err = s.thingsOfAlerts(ctx, next.Alerts); err != nil {
			return nil, err
		}
		if next.Asked, err = json.Marshal(things); err != nil {
			return nil, fmt.Errorf("encode what is asked: %w", err)
		}
		if err := s.keepInvestigation(ctx, &next, fmt.Sprintf("%d alerts name %d things: the agent of the device is asked about them.", len(next.Alerts), len(things))); err != nil {
			return nil, err
		}
	}
	m := &protocol.Investigate{}
	for _, x := range things {
		switch {
		case x.Unasked != "":
		case x.Kind == alert.SubjectFile:
			m.Files = append(m.Files, x.Path)
		case x.Kind == alert.SubjectProcess:
			m.Processes = append(m.Processes, protocol.ProcessKey{PID: x.PID, Began: x.Began})
		case x.Kind == alert.SubjectAddress:
			m.Addresses = append(m.Addresses, x.Address)
		}
	}
	return json.Marshal(m)
}

func (s *Server) thingsOfAlerts(ctx context.Context, ids []string) ([]thing, error) {
	var seqs []int64
	by := map[int64]string{}
	for _, id := range ids {
		if a := s.core.alerts.get(id); a != nil {
			seqs, by[a.Seq] = append(seqs, a.Seq), id
		}
	}
	out := []thing{}
	if len(seqs) == 0 {
		return out, nil
	}
	parts, err := s.st.AlertParts(ctx, seqs, true)
	if err != nil {
		return nil, err
	}
	evidence := map[string][]AlertEvidence{}
	for seq, p := range parts {
		if evidence[by[seq]], err = decodeEvidence(p.Evidence); err != nil {
			return nil, err
		}
	}
	return append(out, thingsOf(ids, evidence)...), nil
}

// findings is what came of an investigation, as it is stored.
type findings struct {
	Evidence  []InvestigationEvidence `json:"evidence"`
	Scanner   string                  `json:"scanner"`
	NoScanner string                  `json:"no_scanner"`
}

// investigated judges and stores what an agent found, durably when it returns nil, and
// takes it out of what it said. found is false when it is no investigation of the
// device, or has nothing to say. What comes again is not judged again.
func (s *Server) investigated(ctx context.Context, id inventory.DeviceID, m *protocol.TaskState) (found bool, err error) {
	if m.Result == nil || m.Result.Investigation == nil || m.State != protocol.TaskSucceeded {
		return false, nil
	}
	result := m.Result.Investigation
	m.Result.Investigation = nil
	s.investigating.Lock()
	defer s.investigating.Unlock()
	i := s.core.investigations.ofAction(m.ID)
	if i == nil || i.Device != id {
		return false, nil
	}
	t, err := s.st.MachineAction(ctx, m.ID)
	if err != nil { // not acknowledged: the agent says it again
		return false, err
	}
	if t.Sent.IsZero() || t.Status == store.ActionFailed || t.Status == store.ActionSucceeded {
		return true, nil // it changes nothing any more
	}
	if !i.Ended.IsZero() && i.State != string(alert.InvestigationByUser) && i.State != string(alert.InvestigationBySystem) {
		return true, nil
	}
	raw, _, _, err := s.st.InvestigationParts(ctx, i.N)
	if err != nil {
		return false, err
	}
	var things []thing
	if err := json.Unmarshal(raw, &things); err != nil {
		return false, fmt.Errorf("read what was asked of investigation %d: %w", i.N, err)
	}
	next := *i
	next.Ended = s.now().Truncate(time.Millisecond)
	next.Alerts = s.joinedAlerts(&next)
	late, err := s.thingsOfAlerts(ctx, next.Alerts)
	if err != nil {
		return false, err
	}
	for _, x := range late {
		if !slices.ContainsFunc(things, func(o thing) bool {
			return o.Kind == x.Kind && o.Path == x.Path && o.PID == x.PID && o.Address == x.Address && o.URL == x.URL
		}) {
			x.Unasked = "its alert came after the device was asked: start another investigation"
			things = append(things, x)
		}
	}
	j := &judging{result: result, block: s.blockers(id)}
	out := findings{Evidence: j.judge(things), Scanner: printable(strings.TrimSpace(result.Engine + " " + result.Database)), NoScanner: printable(result.NoEngine)}
	if next.Evidence, err = json.Marshal(out); err != nil {
		return false, fmt.Errorf("encode what was found: %w", err)
	}
	state, details := alert.Outcome(j.counts, printable(result.Ended))
	next.State, next.Details, next.Canceller = string(state), details, ""
	return true, s.keepInvestigation(ctx, &next, j.lines(&out, state, details)...)
}

// blockers finds indicators that hold for a device: the title of one that asks to block
// a value, and of one that allows it.
func (s *Server) blockers(id inventory.DeviceID) func(t alert.IndicatorType, value string) (blocked, allowed string) {
	set := s.indicators.set.Load()
	group := exposure.Group(0)
	if d := s.deviceOf(id); d != nil {
		s.core.mu.RLock()
		group = d.group
		s.core.mu.RUnlock()
	}
	applies := set.applying(group, s.now())
	return func(t alert.IndicatorType, value string) (blocked, allowed string) {
		key, why := alert.IndicatorValue(t, value)
		if why != "" {
			return "", ""
		}
		x := set.byKey[indicatorKey{string(t), key}]
		if x == nil || applies(x.ID) == nil {
			return "", ""
		}
		switch a := alert.IndicatorAction(x.Action); {
		case a == alert.Allowed:
			return "", x.Title
		case a.Prevents() && a != alert.Warn:
			return x.Title, ""
		}
		return "", ""
	}
}

// judging says of each thing what it is.
type judging struct {
	result *protocol.InvestigationResult
	block  func(t alert.IndicatorType, value string) (blocked, allowed string)
	counts map[alert.Verdict]int

	files map[string]*InvestigationEvidence
	out   []InvestigationEvidence
}

// judge judges things that were asked for, and what the agent found on the way.
func (j *judging) judge(things []thing) []InvestigationEvidence {
	j.counts, j.files = map[alert.Verdict]int{}, map[string]*InvestigationEvidence{}
	facts := map[string]*protocol.FileFacts{}
	for i := range j.result.Files {
		if f := &j.result.Files[i]; facts[f.Path] == nil {
			facts[f.Path] = f
		}
	}
	places := map[string][]protocol.Start{}
	for _, s := range j.result.Starts {
		places[s.Place] = append(places[s.Place], s)
	}
	verdicts := map[string]alert.Verdict{} // of files, the worst of a path
	note := func(name string, v string) {
		if was, ok := verdicts[name]; !ok || slices.Index(alert.Verdicts, alert.Verdict(v)) < slices.Index(alert.Verdicts, was) {
			verdicts[name] = alert.Verdict(v)
		}
	}
	for i := range things {
		if t := &things[i]; t.Kind == alert.SubjectFile {
			e := j.file(t, facts[t.Path])
			note(t.Path, e.Verdict)
			j.out = append(j.out, e)
		}
	}
	for i := range j.result.Files {
		f := &j.result.Files[i]
		if _, named := verdicts[f.Path]; !named && places[f.Path] == nil {
			e := j.file(&thing{Kind: alert.SubjectFile, Path: f.Path}, f)
			note(f.Path, e.Verdict)
			j.out = append(j.out, e)
		}
	}
	asked := 0
	for i := range things {
		switch t := &things[i]; t.Kind {
		case alert.SubjectProcess:
			var p *protocol.ProcessFacts
			if t.Unasked == "" {
				if asked < len(j.result.Processes) && j.result.Processes[asked].PID == t.PID {
					p = &j.result.Processes[asked]
				}
				asked++
			}
			j.out = append(j.out, j.process(t, p, facts, verdicts))
		case alert.SubjectAddress, alert.SubjectHost:
			j.out = append(j.out, j.elsewhere(t))
		}
	}
	for i := range j.result.Files {
		if f := &j.result.Files[i]; places[f.Path] != nil {
			if _, named := verdicts[f.Path]; !named {
				j.out = append(j.out, j.start(f, places[f.Path], verdicts))
			}
		}
	}
	slices.SortStableFunc(j.out, func(a, b InvestigationEvidence) int {
		return slices.Index(alert.Verdicts, alert.Verdict(a.Verdict)) - slices.Index(alert.Verdicts, alert.Verdict(b.Verdict))
	})
	for i := range j.out {
		j.counts[alert.Verdict(j.out[i].Verdict)]++
	}
	return append([]InvestigationEvidence{}, j.out...)
}

// say makes evidence of what is known of a thing.
func (j *judging) say(t *thing, f alert.Facts, name string) InvestigationEvidence {
	v, there, why := alert.Judge(f)
	e := InvestigationEvidence{Kind: string(f.Subject), Name: name, PID: t.PID, Began: t.Began, SHA256: t.SHA256, Alerts: t.Alerts, Verdict: string(v), Status: string(there), Reason: printable(why)}
	if e.Alerts == nil {
		e.Alerts = []string{}
	}
	return e
}

// hashes looks for hashes among indicators.
func (j *judging) hashes(f *alert.Facts, sha256, sha1 string) {
	for _, h := range []struct {
		t alert.IndicatorType
		v string
	}{{alert.FileSHA256, sha256}, {alert.FileSHA1, sha1}} {
		if h.v == "" {
			continue
		}
		blocked, allowed := j.block(h.t, h.v)
		f.Blocked, f.Allowed = cmp.Or(f.Blocked, blocked), cmp.Or(f.Allowed, allowed)
	}
}

func (j *judging) file(t *thing, f *protocol.FileFacts) InvestigationEvidence {
	x := alert.Facts{Subject: alert.SubjectFile, Named: len(t.Alerts) > 0, Trouble: t.Unasked}
	if f == nil || t.Unasked != "" {
		x.Trouble = orElse(x.Trouble, "the agent says nothing of it")
		j.hashes(&x, t.SHA256, t.SHA1)
		return j.say(t, x, t.Path)
	}
	x.Signature, x.Trouble, x.Gone, x.Package, x.Integrity, x.Config = printable(f.Signature), printable(f.Trouble), f.Gone, printable(f.Package), alert.Integrity(f.Integrity), f.Config
	x.Changed = t.SHA256 != "" && f.SHA256 != "" && t.SHA256 != f.SHA256
	sha1 := t.SHA1
	if x.Changed { // what the alert named is not there any more: what is there decides
		sha1 = ""
	}
	j.hashes(&x, cmp.Or(f.SHA256, t.SHA256), sha1)
	e := j.say(t, x, t.Path)
	e.SHA256, e.File = cmp.Or(t.SHA256, f.SHA256), f
	return e
}

func (j *judging) process(t *thing, p *protocol.ProcessFacts, facts map[string]*protocol.FileFacts, verdicts map[string]alert.Verdict) InvestigationEvidence {
	x := alert.Facts{Subject: alert.SubjectProcess, Named: true, Trouble: t.Unasked, Program: t.Path}
	if p == nil || t.Unasked != "" {
		x.Trouble = orElse(x.Trouble, "the agent says nothing of it")
		return j.say(t, x, t.Path)
	}
	x.Trouble, x.Gone, x.Deleted = printable(p.Trouble), p.Gone, p.Deleted
	name := t.Path
	if !p.Gone {
		x.Program, name = printable(cmp.Or(p.Program, p.Name)), cmp.Or(p.Program, p.Name, t.Path)
		x.Runs = verdicts[p.Program]
		if f := facts[p.Program]; f != nil {
			x.Package, x.Integrity = printable(f.Package), alert.Integrity(f.Integrity)
			x.Deleted = x.Deleted || f.Gone || p.SHA256 != "" && f.SHA256 != "" && p.SHA256 != f.SHA256
			if p.SHA256 == "" || p.SHA256 != f.SHA256 { // what runs may be something else than what is there
				x.Integrity = alert.NotCompared
			}
		}
		j.hashes(&x, p.SHA256, "")
	}
	e := j.say(t, x, name)
	e.Process = p
	if !p.Gone {
		e.Began, e.SHA256 = p.Began, cmp.Or(p.SHA256, t.SHA256)
	}
	return e
}

// elsewhere judges an address, or a host.
func (j *judging) elsewhere(t *thing) InvestigationEvidence {
	x := alert.Facts{Subject: t.Kind, Named: true, Trouble: t.Unasked}
	if t.Kind == alert.SubjectHost {
		x.Blocked, x.Allowed = j.block(alert.URL, t.URL)
		for host := hostOf(t.URL); host != "" && x.Blocked == "" && x.Allowed == ""; {
			x.Blocked, x.Allowed = j.block(alert.DomainName, host)
			_, host, _ = strings.Cut(host, ".")
		}
		return j.say(t, x, t.URL)
	}
	x.Blocked, x.Allowed = j.block(alert.IPAddress, t.Address)
	var open []protocol.Connection
	for _, c := range j.result.Connections {
		if a, ok := addressOf(c.Remote); ok && a == t.Address {
			open = append(open, c)
		}
	}
	x.Open = len(open)
	e := j.say(t, x, t.Address)
	e.Open = open[:min(len(open), protocol.MaxRelated)]
	return e
}

// addressOf is the address of an address with a port.
func addressOf(text string) (string, bool) {
	host := text
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		host = strings.Trim(text[:i], "[]")
	}
	return ev.EntityID(ev.EntityAddress, host)
}

func (j *judging) start(f *protocol.FileFacts, starts []protocol.Start, verdicts map[string]alert.Verdict) InvestigationEvidence {
	x := alert.Facts{Subject: alert.SubjectStart, Signature: printable(f.Signature), Trouble: printable(f.Trouble), Gone: f.Gone, Package: printable(f.Package), Integrity: alert.Integrity(f.Integrity), Config: f.Config}
	for _, s := range starts {
		v, ok := verdicts[s.File]
		if !ok {
			v = alert.Unjudged
		}
		if x.Starts == "" || slices.Index(alert.Verdicts, v) < slices.Index(alert.Verdicts, x.StartsBad) {
			x.Starts, x.StartsBad = printable(s.File), v
		}
	}
	j.hashes(&x, f.SHA256, "")
	e := j.say(&thing{Path: f.Path}, x, f.Path)
	e.SHA256, e.File, e.Starts = f.SHA256, f, starts
	return e
}

const mostJudgedLines = 50

// lines are what the log of an investigation says of its end.
func (j *judging) lines(f *findings, state alert.InvestigationState, details string) []string {
	r := j.result
	out := []string{fmt.Sprintf("The agent examined %d files, %d processes and %d connections.", len(r.Files), len(r.Processes), len(r.Connections))}
	scanned := 0
	for i := range r.Files {
		if r.Files[i].Scanned {
			scanned++
		}
	}
	switch {
	case f.NoScanner != "":
		out = append(out, "Files were not scanned: "+f.NoScanner)
	case f.Scanner != "":
		out = append(out, fmt.Sprintf("%s looked at %d files.", f.Scanner, scanned))
	}
	if r.More > 0 {
		out = append(out, fmt.Sprintf("%d further facts are beyond the limits and were left out.", r.More))
	}
	for i := range f.Evidence {
		if e := &f.Evidence[i]; (e.Verdict == string(alert.Malicious) || e.Verdict == string(alert.Suspicious)) && i < mostJudgedLines {
			out = append(out, printable(fmt.Sprintf("%s: %s. %s", e.Name, e.Verdict, e.Reason)))
		}
	}
	return append(out, fmt.Sprintf("Ended, %s: %s", state, details))
}
