package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/inventory"
)

func openTest(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An acknowledgement rests on every commit being synced: WAL with FULL.
func TestCommitsAreSynced(t *testing.T) {
	s := openTest(t, t.TempDir())
	defer func() { _ = s.Close() }()
	var mode string
	var sync int
	if err := errors.Join(s.w.QueryRow(`PRAGMA journal_mode`).Scan(&mode), s.w.QueryRow(`PRAGMA synchronous`).Scan(&sync)); err != nil {
		t.Fatal(err)
	}
	if mode != "wal" || sync != 2 {
		t.Errorf("journal_mode %q, synchronous %d, want wal and 2 (FULL)", mode, sync)
	}
}

func TestChangedMigrationIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	err := s.write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE migration SET sum = 'other' WHERE name = '0004_inventory.sql'`)
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "0004_inventory.sql") {
		t.Errorf("open with a changed migration: %v, want a refusal that names it", err)
	}
}

func testDevice(t *testing.T, s *Store) Device {
	t.Helper()
	now := time.Now().UTC()
	secret, _, err := s.CreateToken(t.Context(), "", "test", 1, now, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	d, _, err := s.Register(t.Context(), Registration{ID: inventory.IDFromKey([]byte("k")), KeyHash: "k", Secret: secret, Serial: "1", Now: now, Expires: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// One report is all or nothing, and is applied once.
func TestApply(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, dir)
	d := testDevice(t, s)
	sec := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	sec.Put("a", inventory.Package{Name: "a", Version: "1"})
	sec.SeenAt = time.UnixMilli(1_700_000_000_000).UTC()
	sec.Seal()
	rep := Ingest{Device: d.Num, ID: d.ID, Seq: 3, At: time.Now(), Sections: []*inventory.Section{sec},
		State:      &DeviceState{Device: d.Num, Summary: []byte(`{}`), Components: Hold([]Held{{Component: 4, Since: 9, Past: []Past{{2, 5}}}})},
		Components: []Component{{ID: 4, Spec: []byte(`{}`), Known: []Known{{"CVE-1", "open", 7}}}},
		Closed:     []Closed{{Device: int64(d.Num), Component: 4, Weakness: "CVE-0", Reason: "upgraded", At: 8}}}
	if dup, err := s.Apply(t.Context(), []Ingest{rep}); err != nil || dup[0] {
		t.Fatal(dup, err)
	}
	if dup, err := s.Apply(t.Context(), []Ingest{rep}); err != nil || !dup[0] {
		t.Errorf("second time: dup %v, %v, want a duplicate", dup, err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	later := rep
	later.Seq = 4
	if _, err := s.Apply(canceled, []Ingest{later}); err == nil {
		t.Error("apply with a cancelled context succeeded")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	got, err := s.Sections(t.Context(), d.Num)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[inventory.SectionName]*inventory.Section{inventory.DPKG: sec}, got); diff != "" {
		t.Errorf("sections (-want +got):\n%s", diff)
	}
	var states []DeviceState
	if err := s.DeviceStates(t.Context(), func(st DeviceState) error { states = append(states, st); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]DeviceState{*rep.State}, states, cmp.AllowUnexported(Holding{})); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	closed, err := s.ClosedOf(t.Context(), d.Num, []uint32{4}, 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rep.Closed, closed); diff != "" {
		t.Errorf("closed once (-want +got):\n%s", diff)
	}
	reg, err := s.Device(t.Context(), d.ID)
	if err != nil || reg.LastSeq != 3 {
		t.Errorf("last sequence = %d, %v, want 3", reg.LastSeq, err)
	}
}

func TestPackedColumnsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		past := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Past {
			return Past{rapid.Uint32().Draw(t, "c"), rapid.Int64().Draw(t, "s")}
		}), 1, 3)
		held := []Held{}
		id := uint32(0)
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			id += rapid.Uint32Range(0, 1<<20).Draw(t, "step")
			h := Held{Component: id, Since: rapid.Int64Range(0, 1<<40).Draw(t, "since")}
			if rapid.Bool().Draw(t, "upgraded") {
				h.Past = past.Draw(t, "past")
			}
			held = append(held, h)
		}
		holding, err := holdingOf(Hold(held).column())
		if got := holding.List(); err != nil || holding.Len() != len(held) || cmp.Diff(held, got) != "" {
			t.Fatalf("held: %v %d %s", err, holding.Len(), cmp.Diff(held, got))
		}
		known := []Known{}
		for range rapid.IntRange(0, 20).Draw(t, "k") {
			known = append(known, Known{rapid.String().Draw(t, "w"), rapid.String().Draw(t, "st"), rapid.Int64().Draw(t, "since")})
		}
		back, err := unpackKnown(packKnown(known))
		if err != nil || cmp.Diff(known, back) != "" {
			t.Fatalf("known: %v %s", err, cmp.Diff(known, back))
		}
	})
}

func FuzzPackedColumns(f *testing.F) {
	f.Add(packHeld([]Held{{1, 2, []Past{{3, 4}}}}))
	f.Add(packKnown([]Known{{"CVE-2024-1", "open", 5}}))
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(_ *testing.T, b []byte) {
		if h, err := holdingOf(b); err == nil {
			_ = h.List()
		}
		_, _ = unpackKnown(b)
	})
}

func BenchmarkApply(b *testing.B) {
	dir := filepath.Join(b.TempDir())
	s, err := Open(b.Context(), dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	sec := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	sec.Put("a", inventory.Package{Name: "a", Version: "1"})
	for b.Loop() {
		if _, err := s.Apply(b.Context(), []Ingest{{Device: 1, Sections: []*inventory.Section{sec}, At: time.Now()}}); err != nil {
			b.Fatal(err)
		}
	}
}
