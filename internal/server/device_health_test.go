package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

// What is first wrong with a device's sensor and antivirus program is its state; what nothing
// said anything of is not known.
func TestSensorAndAntivirusHealth(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	other := newLife(t, s, "other")
	health := func(state string) DeviceHealth {
		t.Helper()
		h, err := s.DeviceHealth(t.Context(), admin, string(l.id))
		if err != nil || h.State != state {
			t.Errorf("state %q, want %q; %+v, %v", h.State, state, h, err)
		}
		return h
	}
	said := func(a ev.Action, ago time.Duration, fields string) {
		l.now = time.Now().UTC().Add(-ago)
		l.send(l.event(a, func(e *ev.Event) { e.Set(ev.AdditionalFields, fields) }))
	}
	health("no_sensor")
	for _, x := range []struct{ source, kinds string }{{"proc", `["process","network"]`}, {"ebpf", `["process"]`}} {
		l.send(l.event(ev.SensorStarted, func(e *ev.Event) {
			e.Set(ev.Source, x.source)
			e.Set(ev.AdditionalFields, `{"Kinds":`+x.kinds+`}`)
		}))
	}
	h := health("no_antivirus")
	if len(h.Sources) != 2 || h.Sources[0].Name != "ebpf" || !slices.Equal(h.Sources[1].Kinds, []string{"network"}) || h.Antivirus != "" {
		t.Errorf("sources %+v", h)
	}
	day := 24 * time.Hour
	said(ev.AntivirusReport, 10*day, `{"ReportSource":"ClamAV","Signatures":8700000}`)
	if h = health("signatures_old"); h.Antivirus != "ClamAV" || h.Signatures != 8700000 {
		t.Errorf("%+v", h)
	}
	said(ev.AntivirusReport, 2*day, `{"ReportSource":"ClamAV","Signatures":8700001}`)
	health("never_scanned")
	said(ev.AntivirusScanCancelled, day, `{"ReportSource":"ClamAV","ScanType":"quick","Engine":"ClamAV 1.4.6","ScannedFiles":3}`)
	if h = health("scan_failed"); h.Quick == nil || h.Quick.Failed == "" || h.Full != nil || h.Engine != "ClamAV 1.4.6" {
		t.Errorf("%+v", h)
	}
	made := time.Now().UTC().Add(-3 * day).Truncate(time.Second)
	said(ev.AntivirusScanCompleted, time.Hour, fmt.Sprintf(`{"ReportSource":"ClamAV","ScanType":"quick","ScannedFiles":20,"InfectedFiles":1,"SignaturesMade":%q}`, made.Format(time.RFC3339)))
	said(ev.AntivirusScanCompleted, 2*time.Hour, `{"ReportSource":"ClamAV","ScannedFiles":7}`)
	said(ev.AntivirusDetection, time.Hour, `{"ReportSource":"ClamAV","ThreatName":"Eicar"}`)
	h = health("ok")
	if h.Quick == nil || h.Quick.Failed != "" || h.Quick.Files != 20 || h.Quick.Infected != 1 || h.Other == nil || h.Other.Files != 7 || h.Detections != 1 || !h.SignaturesAt.Equal(made) {
		t.Errorf("%+v, quick %+v, other %+v", h, h.Quick, h.Other)
	}
	said(ev.AntivirusScanCompleted, time.Minute, strings.Repeat("[", 10)) // an endpoint may say anything
	health("ok")
	if h, err := s.DeviceHealth(t.Context(), admin, string(other.id)); err != nil || h.State != "no_sensor" || h.Detections != 0 {
		t.Errorf("another device: %+v, %v", h, err)
	}
	if _, err := s.DeviceHealth(t.Context(), Caller{Name: "x", Permissions: []string{SoftwareRead}}, string(l.id)); err == nil {
		t.Error("without the permission")
	}
}

// Of a device whose antivirus program says more than is looked at, what it said
// last counts.
func TestHealthIsWhatWasSaidLast(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	l.now = time.Now().UTC().Add(-2 * time.Hour)
	scan := func(kind string) ev.Event {
		return l.event(ev.AntivirusScanCompleted, func(e *ev.Event) { e.Set(ev.AdditionalFields, `{"ScanType":"`+kind+`","ScannedFiles":1}`) })
	}
	events := []ev.Event{scan("full")}
	for range mostHeard {
		events = append(events, l.event(ev.AntivirusReport, nil))
	}
	l.send(append(events, scan("quick"))...)
	h, err := s.DeviceHealth(t.Context(), admin, string(l.id))
	if err != nil || h.Quick == nil || !h.Quick.At.Equal(l.now) || h.Full != nil {
		t.Errorf("quick %+v, full %+v, %v: want the last words alone", h.Quick, h.Full, err)
	}
}
