package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// TestLifeOf holds when a release counts as ended and when its end is near: what
// counts is the last support of any kind, and regular support is named where
// longer support goes on.
func TestLifeOf(t *testing.T) {
	now := time.Date(2026, 6, 30, 23, 59, 0, 0, time.UTC)
	p := advisory.Product{Name: "debian", Label: "Debian"}
	for _, c := range []struct {
		name  string
		cycle advisory.Cycle
		want  EndOfLife
	}{
		{"nothing known but that it goes on", advisory.Cycle{Name: "sid"}, EndOfLife{Cycle: "sid"}},
		{"nothing known but that it ended", advisory.Cycle{Name: "5", Ended: true}, EndOfLife{Cycle: "5", Ended: true, Tag: "EOS version"}},
		{"far away", advisory.Cycle{Name: "1", EOL: "2028-06-30", Latest: "1.2"}, EndOfLife{Cycle: "1", Date: "2028-06-30", Latest: "1.2"}},
		{"the day before the last half year", advisory.Cycle{Name: "1", EOL: "2026-12-31"}, EndOfLife{Cycle: "1", Date: "2026-12-31"}},
		{"in the last half year", advisory.Cycle{Name: "1", EOL: "2026-12-30"}, EndOfLife{Cycle: "1", Date: "2026-12-30", Tag: "Upcoming EOS version"}},
		{"tomorrow", advisory.Cycle{Name: "1", EOL: "2026-07-01"}, EndOfLife{Cycle: "1", Date: "2026-07-01", Tag: "Upcoming EOS version"}},
		{"today", advisory.Cycle{Name: "1", EOL: "2026-06-30"}, EndOfLife{Cycle: "1", Date: "2026-06-30", Ended: true, Tag: "EOS version"}},
		{"the date is newer than the mark in the feed", advisory.Cycle{Name: "1", EOL: "2027-06-30", Ended: true}, EndOfLife{Cycle: "1", Date: "2027-06-30"}},
		{"longer support goes on", advisory.Cycle{Name: "12", EOL: "2026-06-10", LTS: "2028-06-30", Ended: true}, EndOfLife{Cycle: "12", Date: "2028-06-30", Regular: "2026-06-10"}},
		{"longer support ended too", advisory.Cycle{Name: "10", EOL: "2022-09-10", LTS: "2024-06-30", Ended: true}, EndOfLife{Cycle: "10", Date: "2024-06-30", Regular: "2022-09-10", Ended: true, Tag: "EOS version"}},
		{"longer support that is none", advisory.Cycle{Name: "1", EOL: "2028-06-30", LTS: "2028-06-30"}, EndOfLife{Cycle: "1", Date: "2028-06-30"}},
	} {
		c.want.Product = "Debian"
		if diff := cmp.Diff(&c.want, lifeOf(p, c.cycle, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestLifeOfProducts holds that longer support counts only where everybody gets it, and
// that a product is tagged as a whole when no line of it is supported then.
func TestLifeOfProducts(t *testing.T) {
	now := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	gone, soon, on := advisory.Cycle{Name: "1", EOL: "2024-01-01"}, advisory.Cycle{Name: "2", EOL: "2026-10-01"}, advisory.Cycle{Name: "3", EOL: "2029-01-01"}
	sold := advisory.Cycle{Name: "18.04", EOL: "2023-05-31", LTS: "2028-04-01", Ended: true}
	for _, c := range []struct {
		name   string
		cycles []advisory.Cycle
		of     advisory.Cycle
		want   string
	}{
		{"one line goes on", []advisory.Cycle{on, soon, gone}, gone, "EOS version"},
		{"one line goes on", []advisory.Cycle{on, soon, gone}, soon, "Upcoming EOS version"},
		{"one line goes on", []advisory.Cycle{on, soon, gone}, on, ""},
		{"the last line ends soon", []advisory.Cycle{soon, gone}, soon, "Upcoming EOS software"},
		{"the last line ends soon", []advisory.Cycle{soon, gone}, gone, "EOS version"},
		{"the only known line ends soon", []advisory.Cycle{soon}, soon, "Upcoming EOS version"},
		{"nothing is left", []advisory.Cycle{gone, {Name: "0", Ended: true}}, gone, "EOS software"},
		{"longer support is sold", []advisory.Cycle{on, sold}, sold, "EOS version"},
		{"only sold support is left", []advisory.Cycle{sold}, sold, "EOS software"},
	} {
		got := lifeOf(advisory.Product{Name: "ubuntu", Cycles: c.cycles}, c.of, now)
		if got.Tag != c.want || got.Ended != strings.HasPrefix(c.want, "EOS") || c.of.LTS != got.Extended {
			t.Errorf("%s: line %s is %+v, want %q", c.name, c.of.Name, got, c.want)
		}
	}
}

// TestOSSupport holds that a device says how long its release is supported once
// the feed that knows is loaded, and nothing before.
func TestOSSupport(t *testing.T) {
	s := testServer(t)
	os12 := inventory.OS{ID: "debian", VersionID: "12"}
	if got := s.osSupport(os12); got != nil {
		t.Errorf("without a feed: %+v", got)
	}
	path := filepath.Join(t.TempDir(), "products.json")
	feed := `{"schema_version": "1.2.0", "total": 1, "result": [{"name": "debian", "label": "Debian", "identifiers": [],
		"releases": [{"name": "12", "codename": "Bookworm", "isEol": true, "eolFrom": "2001-01-01", "eoesFrom": "2002-02-02", "latest": {"name": "12.9"}}, {"name": "13", "isEol": false}]}]}`
	if err := os.WriteFile(path, []byte(feed), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
	want := &EndOfLife{Product: "Debian", Cycle: "12", Ended: true, Date: "2002-02-02", Regular: "2001-01-01", Latest: "12.9", Tag: "EOS version"}
	if diff := cmp.Diff(want, s.osSupport(os12)); diff != "" {
		t.Errorf("os support (-want +got):\n%s", diff)
	}
	for _, os := range []inventory.OS{{}, {ID: "debian", VersionID: "99"}, {ID: "plan9", VersionID: "12"}} {
		if got := s.osSupport(os); got != nil {
			t.Errorf("support of %+v = %+v, want none", os, got)
		}
	}
}

// A release is upcoming to end from six months before the day on.
func TestUpcomingIsSixMonths(t *testing.T) {
	now := time.Now().UTC()
	for days, want := range map[int]bool{-1: false, 1: true, 182: true, 183: true, 185: false, 300: false} {
		e := EndOfLife{Ended: days < 0, Date: now.AddDate(0, 0, days).Format(time.DateOnly)}
		if e.near(now) != want {
			t.Errorf("support that ends in %d days: upcoming %v, want %v", days, !want, want)
		}
	}
	if (&EndOfLife{}).near(now) {
		t.Error("a release of which no end is known is upcoming")
	}
}
