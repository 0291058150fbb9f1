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

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
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
			if !r.ChangedAt.After(q.Since) || r.ChangedAt.After(x.At) {
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

// Who sees some device groups is told of a device that leaves them as gone,
// under the group that it left, and of one that comes as new, also after a
// restart; pages of one export keep the devices of its moment.
func TestDeltaOfSomeGroups(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open", "bash CVE-2024-0002 open")
	a, b, stays := newReport(s, enrol(t, s, "a")), newReport(s, enrol(t, s, "b")), newReport(s, enrol(t, s, "c"))
	names := map[inventory.DeviceID]string{a.id: "a", b.id: "b", stays.id: "c"}
	for _, r := range []*report{a, b, stays} {
		r.send(t, "openssl 3.0.1-1")
	}
	move(t, s, a, 1)
	move(t, s, b, 2)
	move(t, s, stays, 1)
	one := admin
	one.Groups = []exposure.Group{1}
	both := admin
	both.Groups = []exposure.Group{1, 2}
	ask := func(c Caller, q ExportQuery) (at time.Time, out []string) {
		t.Helper()
		x, err := s.ExportVulns(t.Context(), c, q)
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range x.Devices {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range d.Rows {
				if !q.Since.IsZero() && !r.ChangedAt.After(q.Since) {
					t.Errorf("a row changed at %v, not after %v", r.ChangedAt, q.Since)
				}
				out = append(out, strings.TrimSpace(fmt.Sprint(names[d.ID], " ", d.Group, " ", r.Product, " ", r.Status)))
			}
		}
		return x.At, out
	}
	at, got := ask(one, ExportQuery{})
	equal(t, "in full", got, "a g1 openssl", "c g1 openssl")
	mustTag(t, s, a.id, []string{"g2"}, []string{"g1"})
	mustTag(t, s, b.id, []string{"g1"}, []string{"g2"})
	b.send(t, "openssl 3.0.1-1", "bash 5.2-1")
	check := func(when string) {
		t.Helper()
		_, got := ask(one, ExportQuery{Since: at})
		equal(t, when+", a delta of one group", got, "a g1 openssl Fixed", "b g1 bash New", "b g1 openssl New")
		_, got = ask(both, ExportQuery{Since: at})
		equal(t, when+", a delta of both", got, "b g1 bash New")
		_, got = ask(admin, ExportQuery{Since: at})
		equal(t, when+", a delta of all", got, "b g1 bash New")
		_, got = ask(one, ExportQuery{At: at})
		equal(t, when+", a later page", got, "a g1 openssl", "c g1 openssl")
		_, got = ask(one, ExportQuery{})
		equal(t, when+", in full", got, "b g1 bash", "b g1 openssl", "c g1 openssl")
	}
	check("moved")
	if err := s.saveMoves(t.Context()); err != nil {
		t.Fatal(err)
	}
	restart := func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, dir)
	}
	restart()
	check("after a restart")
	at, _ = ask(one, ExportQuery{})
	mustTag(t, s, b.id, []string{"g2"}, []string{"g1"}) // and the program ends before it is stored
	restart()
	_, got = ask(one, ExportQuery{Since: at})
	equal(t, "a move that was not stored", got, "b g1 bash Fixed", "b g1 openssl Fixed")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Moves beyond their number are forgotten, oldest first, and who would need
// them is told to begin anew.
func TestMovesAreBounded(t *testing.T) {
	s := testServer(t)
	at := time.Now().Add(-time.Minute)
	b := s.core.moves
	for i := range int64(10) {
		b.moved(store.Move{At: at.UnixMicro() + i, Device: uint32(i % 3), Was: 1, Now: 2})
	}
	b.drop(0, 4)
	if left := len(b.of[0]) + len(b.of[1]) + len(b.of[2]); left != 4 || b.count != 4 || b.since != at.UnixMicro()+6 {
		t.Errorf("%d moves left, counted %d, since %d", left, b.count, b.since-at.UnixMicro())
	}
	one := admin
	one.Groups = []exposure.Group{1}
	if _, err := s.ExportVulns(t.Context(), one, ExportQuery{Since: at}); err == nil {
		t.Error("a delta over moves that are forgotten")
	}
	if _, err := s.ExportVulns(t.Context(), admin, ExportQuery{Since: at}); err != nil {
		t.Errorf("a delta of all devices: %v", err)
	}
}
