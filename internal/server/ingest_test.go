package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// admin may do everything.
var admin = Caller{Name: "test", Admin: true}

// openTest opens a server on dir.
func openTest(t *testing.T, dir string) *Server {
	t.Helper()
	filled(t, dir)
	s, err := Open(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// testServer is a server on a directory of its own, closed with the test.
func testServer(t *testing.T) *Server {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// enrol makes a device without an agent.
func enrol(t *testing.T, s *Server, key string) inventory.DeviceID {
	t.Helper()
	ctx := t.Context()
	now := time.Now().UTC()
	secret, _, err := s.st.CreateToken(ctx, "", "test", 1, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte(key))
	id := inventory.IDFromKey([]byte(key))
	if _, _, err := s.st.Register(ctx, store.Registration{ID: id, KeyHash: hex.EncodeToString(hash[:]), Secret: secret, Serial: key, Now: now, Expires: now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s.deviceRegistered(ctx, id)
	return id
}

// report is a device's sections as an agent would send them: os and dpkg.
type report struct {
	s    *Server
	id   inventory.DeviceID
	seq  uint64
	held map[inventory.SectionName]*inventory.Section
	os   inventory.OS // zero: Debian 12
}

func newReport(s *Server, id inventory.DeviceID) *report {
	return &report{s: s, id: id, held: map[inventory.SectionName]*inventory.Section{}}
}

// send reports packages given as "name version" or "name version source".
func (r *report) send(t *testing.T, packages ...string) []inventory.SectionName {
	t.Helper()
	os := inventory.NewSection(inventory.OSSection, inventory.Complete, "")
	is := r.os
	if is.ID == "" {
		is = inventory.OS{ID: "debian", VersionID: "12", Codename: "bookworm", PrettyName: "Debian GNU/Linux 12 (bookworm)", Family: "linux", Arch: "amd64", Hostname: "h1"}
	}
	os.Put("os", is)
	dpkg := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	for _, p := range packages {
		f := strings.Fields(p)
		src := f[0]
		if len(f) > 2 {
			src = f[2]
		}
		dpkg.Put(f[0]+":amd64", inventory.Package{Ecosystem: inventory.EcoDebian, Name: f[0], Version: f[1], Arch: "amd64", Source: src, SourceVersion: f[1], Paths: []string{"var/lib/dpkg/status"}})
	}
	var deltas []inventory.Delta
	for _, sec := range []*inventory.Section{os, dpkg} {
		sec.SeenAt = time.Now().UTC()
		sec.Seal()
		if old := r.held[sec.Name]; old == nil || old.Hash() != sec.Hash() {
			deltas = append(deltas, inventory.Diff(old, sec))
		}
		r.held[sec.Name] = sec
	}
	r.seq++
	resync, err := r.s.ingest(t.Context(), r.id, r.seq, deltas)
	if err != nil {
		t.Fatal(err)
	}
	return resync
}

// load imports a Debian tracker export with the given rows "source CVE status fixed".
func load(t *testing.T, s *Server, name string, rows ...string) {
	t.Helper()
	bySource := map[string][]string{}
	for _, row := range rows {
		f := strings.Fields(row)
		fixed := ""
		if len(f) > 3 {
			fixed = fmt.Sprintf(`, "fixed_version": %q`, f[3])
		}
		bySource[f[0]] = append(bySource[f[0]], fmt.Sprintf(`%q: {"releases": {"bookworm": {"status": %q, "urgency": "not yet assigned", "repositories": {}%s}}}`, f[1], f[2], fixed))
	}
	var parts []string
	for src, cves := range bySource {
		parts = append(parts, fmt.Sprintf("%q: {%s}", src, strings.Join(cves, ", ")))
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("{"+strings.Join(parts, ", ")+"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
}

func importFile(t *testing.T, s *Server, path string) {
	t.Helper()
	if _, err := s.desk.runImport(t.Context(), []string{path}, func(Progress) {}); err != nil {
		t.Fatal(err)
	}
}

func vulns(t *testing.T, s *Server, id inventory.DeviceID) []string {
	t.Helper()
	p, err := s.DeviceVulns(t.Context(), admin, string(id), Query{Sort: []string{"id"}})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, v := range p.Items {
		out = append(out, v.ID+" "+string(v.State))
	}
	return out
}

func closedRows(t *testing.T, s *Server, id inventory.DeviceID) []string {
	t.Helper()
	p, err := s.DeviceClosed(t.Context(), admin, string(id), Query{})
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, v := range p.Items {
		out = append(out, v.ID+" "+v.Reason+" "+v.Detail)
	}
	slices.Sort(out)
	return out
}

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %q, want %q", what, got, want)
	}
}

func TestInventoryAndIntelligenceMakeFindings(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	r.send(t, "libssl3 3.0.1-1 openssl", "bash 5.2-1")
	equal(t, "without intelligence", vulns(t, s, id))

	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open", "bash CVE-2024-0003 resolved 5.1-1")
	equal(t, "after import", vulns(t, s, id), "CVE-2024-0001 fixed", "CVE-2024-0002 open")

	r.send(t, "libssl3 3.0.2-1 openssl", "bash 5.2-1")
	equal(t, "after upgrade", vulns(t, s, id), "CVE-2024-0002 open")
	equal(t, "closed by upgrade", closedRows(t, s, id), "CVE-2024-0001 upgraded 3.0.1-1 → 3.0.2-1")

	r.send(t, "bash 5.2-1")
	equal(t, "after removal", vulns(t, s, id))
	equal(t, "closed by removal", closedRows(t, s, id), "CVE-2024-0001 upgraded 3.0.1-1 → 3.0.2-1", "CVE-2024-0002 removed openssl 3.0.2-1 is no longer installed")
}

func TestIntelligenceClosesFindings(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	newReport(s, id).send(t, "libssl3 3.0.1-1 openssl")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open")
	load(t, s, "tracker-2026-02-01.json", "openssl CVE-2024-0001 resolved 3.0.0-1", "openssl CVE-2024-0002 open")
	equal(t, "after the advisory changed", vulns(t, s, id), "CVE-2024-0002 open")
	equal(t, "closed", closedRows(t, s, id), "CVE-2024-0001 advisory-changed no loaded feed says any more that openssl 3.0.1-1 has it")
}

func TestReportsAreAppliedOnce(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1")
	r.send(t, "libssl3 3.0.1-1 openssl")
	old := r.held[inventory.DPKG]
	r.send(t, "libssl3 3.0.2-1 openssl")

	back := inventory.Diff(r.held[inventory.DPKG], old) // a replay that would bring the finding back
	if _, err := s.ingest(t.Context(), id, 1, []inventory.Delta{back}); err != nil {
		t.Fatal(err)
	}
	equal(t, "after a replay", vulns(t, s, id))

	renamed := inventory.NewSection(inventory.OSSection, inventory.Complete, "") // a replay that would give it another name
	renamed.Put("os", inventory.OS{ID: "debian", VersionID: "12", Hostname: "h0"})
	renamed.Seal()
	if _, err := s.ingest(t.Context(), id, 1, []inventory.Delta{inventory.Diff(r.held[inventory.OSSection], renamed)}); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Device(t.Context(), admin, string(id)); err != nil || d.Name != "h1" {
		t.Errorf("after a replay it is called %q, %v", d.Name, err)
	}

	// A section of a later version is left out, what comes with it is taken.
	odd := inventory.NewSection("zodiac", inventory.Complete, "")
	odd.Put("k", 1)
	odd.Seal()
	good := inventory.NewSection(inventory.NPM, inventory.Complete, "")
	good.Put("left-pad@/srv", inventory.Package{Ecosystem: inventory.EcoNPM, Name: "left-pad", Version: "1.3.0", Paths: []string{"/srv"}})
	good.Seal()
	if resync, err := s.ingest(t.Context(), id, 8, []inventory.Delta{inventory.Diff(nil, odd), inventory.Diff(nil, good)}); err != nil || len(resync) != 0 {
		t.Fatalf("resync = %v, %v", resync, err)
	}
	if hashes, err := s.sectionHashes(t.Context(), id); err != nil || hashes[inventory.NPM] != good.Hash() || hashes["zodiac"] != "" {
		t.Errorf("the server has %v, %v", hashes, err)
	}

	stray := inventory.Diff(old, r.held[inventory.DPKG])
	resync, err := s.ingest(t.Context(), id, 9, []inventory.Delta{stray})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(resync, []inventory.SectionName{inventory.DPKG}) {
		t.Errorf("delta from other content: resync = %v, want dpkg", resync)
	}
}

// A weakness that becomes known of a component leaves since when the others are.
func TestNewWeaknessLeavesTheOthersTheirAge(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open")
	newReport(s, id).send(t, "libssl3 3.0.1-1 openssl")
	s.core.mu.Lock() // an hour passes
	d := s.core.matches(string(id))[0]
	held := d.held.List()
	for i := range held {
		held[i].Since -= 3600
	}
	d.held = store.Hold(held)
	for c, list := range s.core.known {
		for i := range list {
			s.core.known[c][i].Since -= 3600
		}
	}
	s.core.mu.Unlock()
	load(t, s, "tracker-2026-01-02.json", "openssl CVE-2024-0001 open", "openssl CVE-2024-0002 open")
	p, err := s.DeviceVulns(t.Context(), admin, string(id), Query{Sort: []string{"id"}})
	if err != nil || len(p.Items) != 2 {
		t.Fatalf("%+v, %v", p.Items, err)
	}
	for i, old := range []bool{true, false} {
		if age := time.Since(p.Items[i].FirstSeen); (age > 59*time.Minute) != old {
			t.Errorf("%s was first seen %v ago, an hour ago: %v", p.Items[i].ID, age, old)
		}
	}
}

// A restart must change nothing that a user sees: findings, first-seen times,
// closures. An upgrade that leaves a weakness open keeps its first-seen time.
func TestRestartChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open")
	r.send(t, "libssl3 3.0.1-1 openssl")
	s.core.mu.Lock() // an hour passes
	d := s.core.matches(string(id))[0]
	held := d.held.List()
	for i := range held {
		held[i].Since -= 3600
	}
	d.held = store.Hold(held)
	for c, list := range s.core.known {
		for i := range list {
			s.core.known[c][i].Since -= 3600
		}
	}
	s.core.mu.Unlock()
	r.send(t, "libssl3 3.0.2-1 openssl")

	page := func(s *Server) Page[DeviceVulnRow] {
		p, err := s.DeviceVulns(context.Background(), admin, string(id), Query{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before := page(s)
	if len(before.Items) != 1 || time.Since(before.Items[0].FirstSeen) < 59*time.Minute {
		t.Fatalf("after upgrade: %+v, want CVE-2024-0002 first seen an hour ago", before.Items)
	}
	closed := closedRows(t, s, id)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	after := page(s)
	if len(after.Items) != 1 || after.Items[0].ID != before.Items[0].ID || after.Items[0].State != before.Items[0].State {
		t.Errorf("after restart: %+v, want %+v", after.Items, before.Items)
	}
	equal(t, "closed after restart", closedRows(t, s, id), closed...)
	if _, err := Open(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("second open: %v, want a message that the directory is in use", err)
	}
}

func TestDataDirectoryIsClosedToOthers(t *testing.T) {
	empty := t.TempDir()
	if err := os.Chmod(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := openTest(t, empty).Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(empty); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of an empty directory after open = %v, %v, want 0700", info.Mode(), err)
	}
	other := t.TempDir()
	if err := errors.Join(os.Chmod(other, 0o755), os.WriteFile(filepath.Join(other, "letter"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: other, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("open of a directory with files of others: %v, want advice", err)
	}
}

func TestWindow(t *testing.T) {
	rows := make([]int, 1000)
	for i := range rows {
		rows[i] = (i * 7919) % 1000
	}
	cmp := func(a, b int) int { return a - b }
	for _, tt := range []struct{ offset, limit, first, n int }{{0, 10, 0, 10}, {30, 30, 30, 30}, {990, 30, 990, 10}, {0, 0, 0, 1000}, {2000, 10, 0, 0}} {
		got := window(slices.Clone(rows), cmp, tt.offset, tt.limit)
		if len(got) != tt.n {
			t.Errorf("window(%d, %d) has %d rows, want %d", tt.offset, tt.limit, len(got), tt.n)
			continue
		}
		for i, v := range got {
			if v != tt.first+i {
				t.Errorf("window(%d, %d)[%d] = %d, want %d", tt.offset, tt.limit, i, v, tt.first+i)
				break
			}
		}
	}
}

// What an endpoint or a feed calls itself must not steer the terminal of the
// administrator who asks why.
func TestExplainIsSafeForATerminal(t *testing.T) {
	evil := "a\x1b[2Jb\nforged line\u202egnp"
	d := Device{DeviceRow: DeviceRow{Name: evil, OSName: evil}}
	v := DeviceVuln{DeviceVulnRow: DeviceVulnRow{ID: "CVE-2024-1", Title: evil}, found: []found{{Finding: exposure.Finding{
		Device:    inventory.DeviceID(evil),
		Component: exposure.Component{Product: evil, Version: evil, Module: evil, Key: advisory.Key{Name: evil}},
		Match: exposure.Match{Weakness: "CVE-2024-1", Fixed: evil, Rule: evil, Statement: advisory.Statement{
			Advisory: evil, URL: evil, Announced: []string{evil}, Urgency: evil, Note: evil}},
		Evidence: []exposure.Evidence{{Item: evil, Package: evil, Version: evil, Arch: evil, Paths: []string{evil}, Processes: []inventory.Process{{Name: evil}}}}},
		coverage: []advisory.Coverage{{Feed: evil}}}}}
	text := explainText(d, v)
	if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "\nforged") {
		t.Errorf("explain steers the terminal: %q", text)
	}
	if n := strings.Count(text, "forged"); n < 20 {
		t.Errorf("explain shows %d of the evil texts, want all of them escaped: %q", n, text)
	}
}
