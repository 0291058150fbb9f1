package server

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// alarm raises an alert with evidence on a device.
func alarm(t *testing.T, s *Server, id inventory.DeviceID, title string, evidence ...AlertEvidence) string {
	t.Helper()
	d := s.deviceOf(id)
	now := s.now()
	a := &store.Alert{ID: newAlertID(now), Device: d.num, Title: title, Severity: "High", Status: "New", Category: "Malware", Source: sourceCustom, Created: now, Updated: now, FirstEvent: now, LastEvent: now}
	edit := store.AlertEdit{Alert: a}
	for i := range evidence {
		e, err := evidence[i].stored()
		if err != nil {
			t.Fatal(err)
		}
		edit.Evidence = append(edit.Evidence, e)
	}
	if err := s.st.AddAlert(t.Context(), edit); err != nil {
		t.Fatal(err)
	}
	s.alertsChanged(d.num, a)
	return a.ID
}

func (s *Server) investigation(t *testing.T, id string) Investigation {
	t.Helper()
	i, err := s.Investigation(t.Context(), boss, id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestInvestigationFromItsStartToVerdicts starts an investigation of a device, has its
// agent answer, and looks at what is said of it.
func TestInvestigationFromItsStartToVerdicts(t *testing.T) {
	s, agent := ableAgent(t)
	can := &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskInvestigate}}}
	agent.says(s, can)
	began := time.Now().Add(-time.Hour).UTC().Truncate(time.Millisecond)
	hash := strings.Repeat("a", 64)
	first := alarm(t, s, agent.id, "First",
		AlertEvidence{Kind: evidenceProcess, PID: 77, Began: began, Name: "evil", Path: "/tmp/evil", SHA256: hash},
		AlertEvidence{Kind: evidenceFile, Name: "gone", Path: "/tmp"}, AlertEvidence{Kind: evidenceFile, Name: "ls", Path: "/usr/bin/ls"},
		AlertEvidence{Kind: evidenceIP, IP: "192.0.2.7"}, AlertEvidence{Kind: evidenceURL, URL: "https://c2.bad.example/x"})
	if _, _, err := s.SaveIndicator(t.Context(), admin, IndicatorEdit{Type: "DomainName", Value: "bad.example", Action: "Block", Title: "Bad", Description: "d", Severity: "High"}); err != nil {
		t.Fatal(err)
	}
	i, joined, err := s.StartInvestigation(t.Context(), boss, string(agent.id), NewInvestigation{Comment: "case 7", Alert: first})
	if err != nil || joined || i.State != "Queued" || i.Trigger != first || len(i.AlertRefs) != 1 || i.Requester != boss.Name {
		t.Fatalf("started: %+v, %v, %v", i, joined, err)
	}
	again, joined, err := s.StartInvestigation(t.Context(), boss, string(agent.id), NewInvestigation{Comment: "me too"})
	if err != nil || !joined || again.ID != i.ID {
		t.Errorf("a second start: %+v, %v, %v", again, joined, err)
	}
	if a := s.does(t, boss, string(agent.id), NewMachineAction{Kind: protocol.TaskInvestigate}); a.ID != i.Action || a.Investigation != i.ID {
		t.Errorf("a third start, as an action: %+v", a)
	}
	s.step(t)
	m := agent.recv()
	if m.Investigate == nil || m.Investigate.ID != i.Action || strings.Join(m.Investigate.Files, " ") != "/tmp/evil /tmp/gone /usr/bin/ls" || len(m.Investigate.Processes) != 1 ||
		m.Investigate.Processes[0].PID != 77 || !m.Investigate.Processes[0].Began.Equal(began) || strings.Join(m.Investigate.Addresses, " ") != "192.0.2.7" {
		t.Fatalf("asked: %+v", m.Investigate)
	}
	agent.reports(protocol.TaskState{ID: i.Action, State: protocol.TaskRunning})
	if now := s.investigation(t, i.ID); now.State != "Running" || !now.Active {
		t.Errorf("while it runs: %+v", now)
	}
	late := alarm(t, s, agent.id, "Late", AlertEvidence{Kind: evidenceFile, Name: "late", Path: "/tmp"})
	if a, err := s.Alert(t.Context(), boss, late); err != nil || a.Investigation != i.ID || a.InvestigationState != "Running" {
		t.Errorf("an alert that came later: %+v, %v", a.AlertRow, err)
	}
	for state, want := range map[string]int{"Running": 2, "Queued": 0, noOne: 0} {
		if p, err := s.Alerts(t.Context(), boss, Query{Filter: map[string][]string{"investigation_state": {state}}}, nil); err != nil || p.Total != want {
			t.Errorf("%d alerts in an investigation that is %s, want %d, %v", p.Total, state, want, err)
		}
	}
	found := &protocol.InvestigationResult{Engine: "ClamAV 1", Files: []protocol.FileFacts{{Path: "/tmp/evil", SHA256: hash, Size: 3, Scanned: true}, {Path: "/tmp/gone", Gone: true},
		{Path: "/usr/bin/ls", SHA256: strings.Repeat("b", 64), Package: "coreutils 9", Integrity: "same"}, {Path: "/etc/cron.d/evil", SHA256: strings.Repeat("c", 64)}},
		Processes:   []protocol.ProcessFacts{{ProcessKey: protocol.ProcessKey{PID: 77, Began: began}, Name: "evil", Program: "/tmp/evil", SHA256: hash}},
		Connections: []protocol.Connection{{Protocol: "tcp", Remote: "192.0.2.7:443"}}, Starts: []protocol.Start{{Place: "/etc/cron.d/evil", Line: "* * * * * root /tmp/evil", File: "/tmp/evil"}}}
	state := protocol.TaskState{ID: i.Action, State: protocol.TaskSucceeded, Result: &protocol.TaskResult{Investigation: found}}
	// What cannot be stored is no success, and is judged when it comes again.
	broken, cut := context.WithCancel(t.Context())
	cut()
	lost := protocol.TaskState{ID: i.Action, State: protocol.TaskSucceeded, Result: &protocol.TaskResult{Investigation: &protocol.InvestigationResult{}}}
	if ok, err := s.investigated(broken, agent.id, &lost); ok || err == nil {
		t.Errorf("findings that were not stored: %v, %v", ok, err)
	}
	agent.reports(state)
	end := s.investigation(t, i.ID)
	got := map[string]string{}
	for _, e := range end.Evidence {
		got[e.Kind+" "+e.Name] = e.Verdict + " " + e.Status
	}
	want := map[string]string{"File /tmp/evil": "Suspicious Active", "File /tmp/gone": "Unknown NotFound", "File /usr/bin/ls": "NoThreatsFound Active", "Process /tmp/evil": "Suspicious Active",
		"Ip 192.0.2.7": "Suspicious Active", "Url https://c2.bad.example/x": "Malicious Unknown", "Persistence /etc/cron.d/evil": "Suspicious Active", "File /tmp/late": "Unknown Unknown"}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %q, want %q", k, got[k], v)
		}
	}
	if len(got) != len(want) || end.State != "PartiallyInvestigated" || end.Active || end.Ended.IsZero() || len(end.AlertRefs) != 2 || end.Scanner != "ClamAV 1" {
		t.Errorf("at its end: %+v", end)
	}
	log := ""
	for _, l := range end.Log {
		log += l.Text + "\n"
	}
	for _, w := range []string{"case 7", "me too", "began to examine", "ClamAV 1 looked at 1 files", "Ended, PartiallyInvestigated"} {
		if !strings.Contains(log, w) {
			t.Errorf("%q is not in the log:\n%s", w, log)
		}
	}
	a := s.stands(t, i.Action, "Succeeded")
	if a.Result != nil && a.Result.Investigation != nil {
		t.Error("the action holds what was found a second time")
	}
	agent.reports(state) // it comes again: nothing is judged twice
	if n := len(s.investigation(t, i.ID).Log); n != len(end.Log) {
		t.Errorf("%d lines in the log after the same once more, want %d", n, len(end.Log))
	}

	// Whoever does not see the device sees nothing of it, in no list.
	elsewhere := Caller{Name: "e", Permissions: []string{AlertRead, AlertWrite, MachineRead}, Scope: exposure.Within(7)}
	if _, err := s.Investigation(t.Context(), elsewhere, i.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("an investigation out of scope: %v", err)
	}
	if p, err := s.Investigations(t.Context(), elsewhere, Query{}, nil); err != nil || p.Total != 0 {
		t.Errorf("a list out of scope: %+v, %v", p, err)
	}
	if _, _, err := s.StartInvestigation(t.Context(), elsewhere, string(agent.id), NewInvestigation{Comment: "c"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("started out of scope: %v", err)
	}
	if _, err := s.Investigation(t.Context(), Caller{Name: "n", Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, i.ID); !errors.Is(err, ErrDenied) {
		t.Errorf("without permission: %v", err)
	}
	counts, err := s.TimelineCounts(t.Context(), boss, string(agent.id), TimelineQuery{})
	if err != nil || len(counts.Investigations) != 1 || counts.Investigations[0].ID != i.ID || counts.Investigations[0].State != "PartiallyInvestigated" {
		t.Errorf("on the chart: %+v, %v", counts.Investigations, err)
	}
	if p, err := s.Investigations(t.Context(), boss, Query{Filter: map[string][]string{"alert": {late}}}, nil); err != nil || p.Total != 1 {
		t.Errorf("by an alert: %+v, %v", p, err)
	}
}

// TestInvestigationsEndWithTheirActions ends investigations in every other way.
func TestInvestigationsEndWithTheirActions(t *testing.T) {
	s, agent := ableAgent(t)
	can := &protocol.Response{Can: []protocol.Ability{{Kind: protocol.TaskInvestigate}}}
	agent.says(s, can)
	start := func() Investigation {
		t.Helper()
		i, joined, err := s.StartInvestigation(t.Context(), boss, string(agent.id), NewInvestigation{Comment: "c"})
		if err != nil || joined {
			t.Fatal(i, joined, err)
		}
		return i
	}
	one := start()
	if _, err := s.CancelMachineAction(t.Context(), boss, one.Action, "no need"); err != nil {
		t.Fatal(err)
	}
	if i := s.investigation(t, one.ID); i.State != "TerminatedByUser" || i.Canceller != boss.Name || i.Active {
		t.Errorf("cancelled: %+v", i)
	}
	two := start()
	s.step(t)
	if m := agent.recv(); m.Investigate == nil || len(m.Investigate.Files) != 0 {
		t.Fatalf("%+v", m)
	}
	agent.reports(protocol.TaskState{ID: two.Action, State: protocol.TaskFailed, Detail: "It broke."})
	if i := s.investigation(t, two.ID); i.State != "Failed" || i.Details != "It broke." {
		t.Errorf("failed: %+v", i)
	}
	three := start()
	s.step(t)
	agent.recv()
	agent.reports(protocol.TaskState{ID: three.Action, State: protocol.TaskSucceeded}) // and not a word of what it found
	if i := s.investigation(t, three.ID); i.State != "Failed" {
		t.Errorf("without findings: %+v", i)
	}
	agent.leave(s)
	four := start()
	if four.State != "PendingResource" {
		t.Errorf("of a device that is away: %+v", four)
	}
	// A lockdown cancels what waits without a word about it: the loop ends it.
	if _, _, err := s.st.ChangeMachineAction(t.Context(), four.Action, func(a *store.MachineAction) bool {
		a.Status, a.Error, a.Ended = store.ActionCancelled, "Lockdown.", s.now()
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.settleInvestigations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i := s.investigation(t, four.ID); i.State != "TerminatedBySystem" || i.Details != "Lockdown." {
		t.Errorf("by a lockdown: %+v", i)
	}
	// All of it is there after a restart.
	s.core.investigations = newInvestigationBook()
	if err := s.loadInvestigations(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Investigations(t.Context(), boss, Query{}, nil); err != nil || p.Total != 4 || p.Items[0].ID != four.ID {
		t.Errorf("after a restart: %+v, %v", p, err)
	}
}

// TestHostileFindings has an agent say impossible things: none is believed of another
// process, and unasked programs do not explain what an alert names.
func TestHostileFindings(t *testing.T) {
	none := func(alert.IndicatorType, string) (string, string) { return "", "" }
	things := []thing{{Kind: alert.SubjectProcess, PID: 7, Path: "/tmp/x", Alerts: []string{"a"}}, {Kind: alert.SubjectFile, Path: "/tmp/x", SHA256: strings.Repeat("a", 64), Alerts: []string{"a"}}}
	raw := `{"files":[{"path":"/tmp/y","integrity":"same","package":"p 1","sha256":"` + strings.Repeat("b", 64) + `"}],"processes":[{"pid":8,"gone":true}]}`
	var r protocol.InvestigationResult
	if err := json.Unmarshal([]byte(raw), &r); err != nil {
		t.Fatal(err)
	}
	j := &judging{result: &r, block: none}
	for _, e := range j.judge(things) {
		if e.Name == "/tmp/x" && (e.Verdict != "Unknown" || e.Status != "Unknown") {
			t.Errorf("%s %s: %s %s", e.Kind, e.Name, e.Verdict, e.Reason)
		}
	}
	if j.counts[alert.Unjudged] != 2 {
		t.Errorf("%v", j.counts)
	}
}
