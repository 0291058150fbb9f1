package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
)

const (
	// healthDays is how far back what antivirus programs said is looked at.
	healthDays = 30
	// mostHeard is how many of its last words are looked at.
	mostHeard = 1000
	// signaturesOld is the age from which signatures count as old.
	signaturesOld = 7 * 24 * time.Hour
)

// DeviceHealth is how the sensor and the antivirus program of a device are, by what the agent
// told in 30 days.
type DeviceHealth struct {
	Days int `json:"days"`
	// State is the first of these that holds; ok: none of the others.
	State string `json:"state" enum:"no_sensor,no_antivirus,signatures_old,scan_failed,signatures_unknown,never_scanned,ok"`
	// Sensor is the agent's health, Sources where its events come from now, since SensorSince.
	Sensor      string         `json:"sensor"`
	Sources     []SensorSource `json:"sources"`
	SensorSince time.Time      `json:"sensor_since,omitzero"`
	// Antivirus is the program; "": none said anything.
	Antivirus string `json:"antivirus"`
	Engine    string `json:"engine"` // its version, "": not known
	// SignaturesAt is when the signatures were made, where a scan told it, else when they were loaded last.
	SignaturesAt time.Time `json:"signatures_at,omitzero"`
	Signatures   int64     `json:"signatures"` // how many; 0: not known
	Full         *ScanFact `json:"full_scan"`
	Quick        *ScanFact `json:"quick_scan"`
	Other        *ScanFact `json:"other_scan"` // the program's own, of which it does not say how much it looked at
	Detections   int       `json:"detections"`
	AsOf         time.Time `json:"as_of"`
}

// SensorSource is a source of events with the kinds that it gives.
type SensorSource struct {
	Name  string   `json:"name"`
	Kinds []string `json:"kinds"`
}

// ScanFact is the last scan of a kind.
type ScanFact struct {
	At       time.Time `json:"at"`
	Files    int64     `json:"files"`
	Infected int64     `json:"infected"`
	Failed   string    `json:"failed"` // why it ended before its end; "": it did not
}

// avSaid is what an event of an antivirus program says.
type avSaid struct {
	ReportSource, ScanType, Engine          string
	ScannedFiles, InfectedFiles, Signatures int64
	SignaturesMade                          time.Time
}

// DeviceHealth tells how a device's sensor and antivirus program are.
func (s *Server) DeviceHealth(ctx context.Context, c Caller, id string) (DeviceHealth, error) {
	if err := s.need(c, MachineRead); err != nil {
		return DeviceHealth{}, err
	}
	now := s.now()
	s.core.mu.RLock()
	d, err := s.core.named(c.sees(), id)
	var health string
	if err == nil {
		health = d.health(now)
	}
	s.core.mu.RUnlock()
	if err != nil {
		return DeviceHealth{}, err
	}
	h := DeviceHealth{Days: healthDays, Sensor: health, Sources: []SensorSource{}, AsOf: now}
	q := eventlog.Query{Scope: eventlog.Only(d.id), From: now.AddDate(0, 0, -healthDays), To: now.Add(time.Minute), Actions: []ev.Action{ev.AntivirusDetection}}
	if _, err = s.telemetry.log.Scan(ctx, q, func(eventlog.Row) error { h.Detections++; return nil }); err != nil {
		return DeviceHealth{}, fmt.Errorf("count what antivirus found on %s: %w", d.id, err)
	}
	q.Actions = []ev.Action{ev.AntivirusReport, ev.AntivirusScanCompleted, ev.AntivirusScanCancelled}
	rows, _, _, err := s.telemetry.log.Page(ctx, q, eventlog.Cursor{}, mostHeard)
	if err != nil {
		return DeviceHealth{}, fmt.Errorf("read what antivirus said on %s: %w", d.id, err)
	}
	slices.SortFunc(rows, func(a, b eventlog.Row) int { return a.Time.Compare(b.Time) })
	made := false
	for i := range rows {
		made = h.heard(&rows[i], made)
	}
	if h.Antivirus == "" && h.Detections > 0 {
		h.Antivirus = "Antivirus"
	}
	sensors, _, _, err := s.telemetry.log.Page(ctx, eventlog.Query{Scope: eventlog.Only(d.id), Actions: []ev.Action{ev.SensorStarted, ev.SensorChanged}}, eventlog.Cursor{}, 200)
	if err != nil {
		return DeviceHealth{}, fmt.Errorf("read what the agent said of its sources on %s: %w", d.id, err)
	}
	h.sources(sensors)
	h.State = h.state(now)
	return h, nil
}

// heard takes in what an antivirus program said; made says that the time of signatures is that
// of their making.
func (h *DeviceHealth) heard(r *eventlog.Row, made bool) bool {
	var m avSaid
	_ = json.Unmarshal(r.Record.Text(ev.AdditionalFields), &m) // what is not there is not said
	h.Antivirus = orElse(m.ReportSource, orElse(h.Antivirus, "Antivirus"))
	h.Engine = orElse(m.Engine, h.Engine)
	if m.Signatures > 0 {
		h.Signatures = m.Signatures
	}
	switch {
	case !m.SignaturesMade.IsZero() && !m.SignaturesMade.After(r.Time):
		h.SignaturesAt, made = m.SignaturesMade.UTC(), true
	case r.Record.Head().Action == ev.AntivirusReport && (!made || r.Time.Sub(h.SignaturesAt) > signaturesOld):
		h.SignaturesAt, made = r.Time, false // loaded since: they are as new as that at best
	}
	if r.Record.Head().Action == ev.AntivirusReport {
		return made
	}
	f := &ScanFact{At: r.Time, Files: m.ScannedFiles, Infected: m.InfectedFiles}
	if r.Record.Head().Action == ev.AntivirusScanCancelled {
		f.Failed = orElse(string(r.Record.Text(ev.Reason)), "it was cancelled")
	}
	switch m.ScanType {
	case "full":
		h.Full = f
	case "quick":
		h.Quick = f
	default:
		h.Other = f
	}
	return made
}

// sources takes the newest word of each source, newest first.
func (h *DeviceHealth) sources(rows []eventlog.Row) {
	taken := map[ev.Kind]bool{}
	for i := range rows {
		src, ok := sourceSaid(&rows[i])
		if !ok {
			continue
		}
		out := SensorSource{Name: src.Name, Kinds: []string{}}
		for _, k := range src.Kinds {
			if !taken[k] { // a newer source took its place
				taken[k] = true
				out.Kinds = append(out.Kinds, k.String())
			}
		}
		if len(out.Kinds) == 0 {
			continue
		}
		h.Sources = append(h.Sources, out)
		h.SensorSince = src.At
	}
}

// state is the first thing that is wrong.
func (h *DeviceHealth) state(now time.Time) string {
	scans := []*ScanFact{h.Quick, h.Full, h.Other}
	switch {
	case len(h.Sources) == 0:
		return "no_sensor"
	case h.Antivirus == "":
		return "no_antivirus"
	case !h.SignaturesAt.IsZero() && now.Sub(h.SignaturesAt) > signaturesOld:
		return "signatures_old"
	case slices.ContainsFunc(scans, func(f *ScanFact) bool { return f != nil && f.Failed != "" }):
		return "scan_failed"
	case h.SignaturesAt.IsZero():
		return "signatures_unknown"
	case !slices.ContainsFunc(scans, func(f *ScanFact) bool { return f != nil }):
		return "never_scanned"
	}
	return "ok"
}
