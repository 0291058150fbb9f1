package server

import (
	"errors"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
)

// Every person may say that what it reads is wrong, or ask that something be
// supported; the reports are for those who manage. A program that only reads
// reports nothing.
func TestReadersReportInaccuracies(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	newReport(s, enrol(t, s, "one")).send(t, "openssl 3.0.11-1~deb12u1")
	reader := Caller{Name: "rita", UserID: 7, Permissions: []string{SoftwareRead, VulnerabilityRead}, Scope: exposure.Everywhere()}
	report := func(c Caller, kind, subject, category string) error {
		_, err := s.ReportInaccuracy(t.Context(), c, InaccuracyReport{Kind: kind, Subject: subject, Category: category, Details: "I looked."})
		return err
	}
	for kind, subject := range map[string]string{"software": "debian-_-openssl", "weakness": "CVE-2024-0001"} {
		if err := report(reader, kind, subject, "not-supported"); err != nil {
			t.Errorf("%s of a reader: %v", kind, err)
		}
	}
	program, nobody, blind := reader, reader, reader
	program.App, program.Name = "soar", "soar"
	nobody.Permissions = []string{MachineRead}
	blind.Scope = exposure.Within()
	for name, c := range map[string]struct {
		who                     Caller
		kind, subject, category string
		want                    error
	}{
		"a program that reads":          {program, "software", "debian-_-openssl", "other", ErrDenied},
		"who reads none of it":          {nobody, "software", "debian-_-openssl", "other", ErrDenied},
		"what may not be read":          {reader, "recommendation", "va-_-debian-_-openssl", "other", ErrDenied},
		"what is on no device it sees":  {blind, "software", "debian-_-openssl", "other", ErrNotFound},
		"what there is not":             {reader, "software", "debian-_-nothing", "other", ErrNotFound},
		"a category of another subject": {admin, "recommendation", "va-_-debian-_-openssl", "not-supported", ErrInvalid},
	} {
		if err := report(c.who, c.kind, c.subject, c.category); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	program.Permissions = append(program.Permissions, ManageSecurity)
	if err := report(program, "software", "debian-_-openssl", "other"); err != nil {
		t.Errorf("a program that manages: %v", err)
	}
	if _, err := s.Inaccuracies(t.Context(), reader, Query{}); !errors.Is(err, ErrDenied) {
		t.Errorf("the list for a reader: %v", err)
	}
	if _, err := s.Inaccuracy(t.Context(), reader, "1"); !errors.Is(err, ErrDenied) {
		t.Errorf("one report for a reader: %v", err)
	}
	for range mostOwn - 2 {
		if err := report(reader, "software", "debian-_-openssl", "other"); err != nil {
			t.Fatal(err)
		}
	}
	if err := report(reader, "software", "debian-_-openssl", "other"); !errors.Is(err, ErrInvalid) {
		t.Errorf("one more than a reader may have open: %v", err)
	}
	if err := report(admin, "software", "debian-_-openssl", "other"); err != nil {
		t.Errorf("an administrator: %v", err)
	}
	if p, err := s.Inaccuracies(t.Context(), admin, Query{}); err != nil || p.Total != mostOwn+2 {
		t.Errorf("%d reports, %v", p.Total, err)
	}
}
