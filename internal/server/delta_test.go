package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// exported is an export by row id; values are what a row says besides times.
func exported(t *testing.T, s *Server, q ExportQuery) (time.Time, map[string]string) {
	t.Helper()
	x, err := s.ExportVulns(t.Context(), admin, q)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	last := ""
	for d, err := range x.Devices {
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Rows {
			r := &d.Rows[i]
			place := fmt.Sprintf("%08d %q %q %q %q", d.Num, r.Vendor, r.Product, r.Version, r.Weakness)
			if place <= last {
				t.Errorf("row %s comes behind %s", place, last)
			}
			last = place
			id := fmt.Sprintf("%.4s %s %s %s", d.ID, r.Product, r.Version, r.Weakness)
			rows[id] = fmt.Sprint(r.Severity, r.CVSS, r.Exploit, " ", r.Fixed, " ", r.FixedBy, r.Paths)
			if q.Since.IsZero() {
				if r.FirstSeen.IsZero() || r.Status != "" {
					t.Errorf("%s: first seen %v, status %q", id, r.FirstSeen, r.Status)
				}
				continue
			}
			rows[id] = r.Status
			if r.ChangedAt.Before(q.Since) || r.ChangedAt.After(x.At) {
				t.Errorf("%s changed at %v, not in %v … %v", id, r.ChangedAt, q.Since, x.At)
			}
		}
	}
	return x.At, rows
}

// difference is what a delta between two exports has to say.
func difference(was, now map[string]string) map[string]string {
	out := map[string]string{}
	for id, row := range now {
		switch old, there := was[id]; {
		case !there:
			out[id] = RowNew
		case old != row:
			out[id] = RowUpdated
		}
	}
	for id := range was {
		if _, there := now[id]; !there {
			out[id] = RowFixed
		}
	}
	return out
}

func sameRows(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	var lines []string
	for id, v := range want {
		if got[id] != v {
			lines = append(lines, fmt.Sprintf("%s: %q, want %q", id, got[id], v))
		}
	}
	for id, v := range got {
		if _, ok := want[id]; !ok {
			lines = append(lines, fmt.Sprintf("%s: %q, want nothing", id, v))
		}
	}
	if slices.Sort(lines); len(lines) > 0 {
		t.Errorf("%s:\n  %s", what, strings.Join(lines, "\n  "))
	}
}

// history makes random things happen to a fleet.
type history struct {
	t       *testing.T
	s       *Server
	dir     string
	rng     *rand.Rand
	reports []*report
	day     int
}

func (h *history) step() {
	rng := h.rng
	switch n := rng.IntN(10); {
	case n == 0 && len(h.reports) < 6:
		h.reports = append(h.reports, newReport(h.s, enrol(h.t, h.s, fmt.Sprint("device", len(h.reports)))))
	case n < 5 && len(h.reports) > 0:
		h.report(h.reports[rng.IntN(len(h.reports))])
	case n < 7:
		h.day++
		var rows []string
		for _, src := range []string{"openssl", "bash", "zlib"} {
			for c := range 4 {
				if what := rng.IntN(4); what > 0 {
					rows = append(rows, fmt.Sprintf("%s CVE-2024-000%d %s", src, c, []string{"", "open", "resolved 3.0-1", "undetermined"}[what]))
				}
			}
		}
		load(h.t, h.s, fmt.Sprintf("tracker-%s.json", time.Date(2026, 1, 1+h.day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)), append(rows, "other CVE-2020-0001 open")...)
	case n == 7:
		h.exploited()
	case n == 8:
		h.announced()
	default:
		h.restart()
	}
}

func (h *history) report(r *report) {
	rng := h.rng
	var pkgs []string
	for _, p := range []string{"openssl", "libssl3", "bash", "zlib"} {
		if v := rng.IntN(4); v > 0 {
			src := map[string]string{"libssl3": "openssl"}[p]
			pkgs = append(pkgs, strings.TrimSpace(fmt.Sprintf("%s %d.0-1 %s", p, v, src)))
		}
	}
	if rng.IntN(8) == 0 {
		pkgs = nil
	}
	r.send(h.t, pkgs...)
	if rng.IntN(2) == 0 {
		py := inventory.NewSection(inventory.Python, inventory.Complete, "")
		for v := range rng.IntN(3) {
			path := fmt.Sprintf("/opt/%d/x-%d.dist-info", rng.IntN(2), v)
			py.Put(path, inventory.Package{Ecosystem: inventory.EcoPyPI, Name: "examplelib", Version: fmt.Sprintf("1.%d", v), Paths: []string{path}})
		}
		py.SeenAt = time.Now().UTC()
		py.Seal()
		r.seq++
		if _, err := h.s.ingest(h.t.Context(), r.id, r.seq, []inventory.Delta{inventory.Diff(nil, py)}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// file imports a text of the next day.
func (h *history) file(name, text string) {
	path := filepath.Join(h.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	importFile(h.t, h.s, path)
}

func (h *history) exploited() {
	h.day++
	at := time.Date(2026, 6, 1+h.day, 0, 0, 0, 0, time.UTC)
	var rows []string
	for c := range 4 {
		if h.rng.IntN(2) == 0 {
			rows = append(rows, fmt.Sprintf(`{"cveID":"CVE-2024-000%d","vendorProject":"v","product":"p","vulnerabilityName":"n","dateAdded":"2026-05-01","shortDescription":"d","requiredAction":"a","dueDate":"2026-05-20","knownRansomwareCampaignUse":"Known","notes":""}`, c))
		}
	}
	h.file("kev.json", fmt.Sprintf(`{"title":"T","catalogVersion":"%s","dateReleased":"%sT00:00:00.0000Z","count":%d,"vulnerabilities":[%s]}`,
		at.Format("2006.01.02"), at.Format(time.DateOnly), len(rows), strings.Join(rows, ",")))
}

func (h *history) announced() {
	h.day++
	at := time.Date(2026, 6, 1+h.day, 0, 0, 0, 0, time.UTC)
	h.file("list", fmt.Sprintf("[%s] DSA-60%02d-1 openssl - security update\n\t{CVE-2024-000%d CVE-2024-000%d}\n\t[bookworm] - openssl 3.0-1\n",
		at.Format("02 Jan 2006"), h.day, h.rng.IntN(2), 2+h.rng.IntN(2)))
}

func (h *history) restart() {
	if err := h.s.Close(); err != nil {
		h.t.Fatal(err)
	}
	small := h.s.core.small
	h.s = openTest(h.t, h.dir)
	h.s.core.small = small
	for _, r := range h.reports {
		r.s = h.s
	}
}

// TestDeltaIsTheDifference: over random histories, what a delta says is the
// difference of the two full exports at its ends, and an export of an earlier
// moment is what it was at that moment.
func TestDeltaIsTheDifference(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			h := &history{t: t, s: openTest(t, dir), dir: dir, rng: rand.New(rand.NewPCG(seed, 7))}
			defer func() { _ = h.s.Close() }()
			if seed%2 == 1 {
				h.s.core.small = true // every component and weakness is a step of its own
			}
			h.file("GHSA-aaaa-bbbb-cccc.json", `{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-01T00:00:00Z","published":"2026-01-01T00:00:00Z","aliases":["CVE-2024-0007"],"summary":"s","details":"d",`+
				`"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],`+
				`"affected":[{"package":{"ecosystem":"PyPI","name":"examplelib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.9"}]}]}]}`)
			type moment struct {
				at   time.Time
				rows map[string]string
			}
			var moments []moment
			most := 0
			for range 30 {
				h.step()
				at, now := exported(t, h.s, ExportQuery{})
				most = max(most, len(now))
				for i := range 3 {
					if len(moments) == 0 {
						break
					}
					was := moments[h.rng.IntN(len(moments))]
					_, got := exported(t, h.s, ExportQuery{Since: was.at})
					sameRows(t, fmt.Sprintf("delta %d", i), got, difference(was.rows, now))
					_, again := exported(t, h.s, ExportQuery{At: was.at})
					sameRows(t, "earlier moment", again, was.rows)
					if mid := moments[h.rng.IntN(len(moments))]; mid.at.After(was.at) {
						_, got := exported(t, h.s, ExportQuery{Since: was.at, At: mid.at})
						sameRows(t, "delta between earlier moments", got, difference(was.rows, mid.rows))
					}
				}
				if t.Failed() {
					t.FailNow()
				}
				moments = append(moments, moment{at, now})
			}
			if most == 0 {
				t.Error("no row was ever exported")
			}
		})
	}
}

// A delta asks for what is recorded: not before, and not further back than two weeks.
func TestDeltaWindow(t *testing.T) {
	s := testServer(t)
	for since, ok := range map[time.Duration]bool{time.Minute: true, MaxDelta - time.Minute: true, MaxDelta + time.Minute: false} {
		if _, err := s.ExportVulns(t.Context(), admin, ExportQuery{Since: time.Now().Add(-since)}); (err == nil) != ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("delta of %v: %v", since, err)
		}
	}
	s.changesSince.Store(time.Now().Add(-time.Hour).UnixMicro())
	for since, ok := range map[time.Duration]bool{time.Minute: true, 2 * time.Hour: false} {
		if _, err := s.ExportVulns(t.Context(), admin, ExportQuery{Since: time.Now().Add(-since)}); (err == nil) != ok {
			t.Errorf("delta of %v where an hour is recorded: %v", since, err)
		}
	}
	if _, err := s.ExportVulns(t.Context(), admin, ExportQuery{At: time.Now().Add(-2 * time.Hour)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("an export of a moment that is not recorded: %v", err)
	}
	for _, ask := range []func(Caller) error{
		func(c Caller) error { _, err := s.ExportVulns(t.Context(), c, ExportQuery{}); return err },
		func(c Caller) error { _, err := s.ExportInventory(t.Context(), c, ExportQuery{}); return err },
		func(c Caller) error { _, err := s.ExportChecks(t.Context(), c, ExportQuery{}); return err },
		func(c Caller) error { _, err := s.NewExportFiles(t.Context(), c, SoftwareRead, 0); return err },
	} {
		if err := ask(Caller{}); !errors.Is(err, ErrDenied) {
			t.Errorf("without permission: %v", err)
		}
	}
}

// A device that moves to another device group has the same rows: exports name
// the new group, and a delta says nothing.
func TestExportsOfADeviceThatMoved(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open")
	r := newReport(s, enrol(t, s, "a"))
	r.send(t, "openssl 3.0.1-1")
	at, rows := exported(t, s, ExportQuery{})
	move(t, s, r, 1)
	group := func() (name string) {
		t.Helper()
		x, err := s.ExportVulns(t.Context(), admin, ExportQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range x.Devices {
			if err != nil {
				t.Fatal(err)
			}
			name = d.Group
		}
		return name
	}
	if name := group(); len(rows) != 1 || name != "g1" {
		t.Errorf("%d rows, the group is %q, want one in g1", len(rows), name)
	}
	_, delta := exported(t, s, ExportQuery{Since: at})
	sameRows(t, "a delta over a move", delta, nil)
	r.send(t, "bash 5.2-1")
	_, delta = exported(t, s, ExportQuery{Since: at})
	if len(delta) != 1 {
		t.Errorf("a delta over a move and a removal %v, want one row", delta)
	}
}
