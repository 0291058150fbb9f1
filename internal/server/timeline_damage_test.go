package server

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

// sealedLife closes a server with a device whose events are in one sealed file, and returns its
// directory, the file, and the device.
func sealedLife(t *testing.T) (dir, file string, one *life) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	one = newLife(t, s, "one")
	for pid := range int64(20) {
		one.send(one.start(1, 100+pid, "sh"))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir) // what was in the log is sealed
	waitFor(t, "the events to be sealed", func() bool { return s.telemetry.log.Stats().MemRows == 0 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "events", "seg-*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	return dir, files[0], one
}

// spoil changes a byte of a file.
func spoil(t *testing.T, file string, at int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0x41
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// footerAt is where the footer of a file begins.
func footerAt(t *testing.T, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return int(binary.LittleEndian.Uint64(b[len(b)-24:]))
}

func (l *life) status() (health, notices string) {
	l.t.Helper()
	st, err := l.s.Status(l.t.Context(), admin)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, n := range st.Notices {
		notices += n.Text + "\n"
	}
	return st.Health, notices
}

// A stored file that is damaged is told of: by the server's status, with what is kept, and by
// each timeline that it may have held events of, and by no other.
func TestDamageIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		at     func(file string) int
		what   string
		notice string
		items  int // of the timeline, with the newest 20 in the file
	}{
		"footer": {func(file string) int { return footerAt(t, file) + 3 }, "segment", "1 files cannot be read", 1},
		"block":  {func(string) int { return 40 }, "block", "1 parts of files cannot be read", 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir, file, one := sealedLife(t)
			spoil(t, file, c.at(file))
			s := openTest(t, dir)
			t.Cleanup(func() { _ = s.Close() })
			one.t, one.s = t, s
			later := newLife(t, s, "later")
			later.send(later.start(1, 300, "b"))
			began := one.now
			one.now = one.now.Add(30 * time.Minute)
			one.send(one.start(1, 200, "after"))

			if tl := later.timeline(TimelineQuery{}); !tl.Complete || tl.Damaged != 0 || len(tl.Unreadable) != 0 {
				t.Errorf("a device that was not there: %+v", tl)
			}
			tl := one.timeline(TimelineQuery{})
			if tl.Complete || tl.Damaged != 1 || len(tl.Unreadable) != 1 || tl.Unreadable[0].What != c.what || tl.Unreadable[0].Events != 20 || len(tl.Items) != c.items {
				t.Errorf("timeline %+v", tl)
			}
			if tl := one.timeline(TimelineQuery{From: began.Add(time.Minute)}); !tl.Complete || tl.Damaged != 0 {
				t.Errorf("a time that was not in it: %+v", tl)
			}
			// A page that does not reach into what is damaged says so as well.
			if tl := one.timeline(TimelineQuery{Limit: 1}); tl.Complete || tl.Damaged != 1 || tl.Items[0].Title != "p1 started after" {
				t.Errorf("newest: %+v", tl)
			}
			if health, notices := one.status(); health != "amber" || !strings.Contains(notices, c.notice) {
				t.Errorf("status %s: %s", health, notices)
			}
			v, err := s.Retention(t.Context(), admin)
			if err != nil || v.Damage.Segments+v.Damage.Parts != 1 || v.Damage.Events != 20 {
				t.Errorf("stored: %+v, %v", v.Damage, err)
			}
			if _, err := s.TimelineCounts(t.Context(), admin, string(one.id), TimelineQuery{}); err != nil {
				t.Errorf("chart: %v", err)
			}
		})
	}
}

// Numbers that are missing in the middle have the damage as their reason, as far as nobody said
// another.
func TestDamageIsAReason(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	l := newLife(t, s, "one")
	l.now = l.now.AddDate(0, 0, -3)
	for range 3 { // a file for each day
		l.now = l.now.AddDate(0, 0, 1)
		l.send(l.start(1, 100, "a"), l.event(ev.FileCreated, nil))
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, dir)
		waitFor(t, "the events to be sealed", func() bool { return s.telemetry.log.Stats().MemRows == 0 })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "events", "seg-*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	slices.Sort(files) // days in order: they were written so
	spoil(t, files[1], -1)
	l.s = openTest(t, dir)
	t.Cleanup(func() { _ = l.s.Close() })
	tl := l.timeline(TimelineQuery{})
	if tl.MissingN != 2 || len(tl.Missing) != 2 || !strings.Contains(tl.Missing[0].Reason, "cannot be read") || len(tl.Items) != 4 {
		t.Errorf("timeline %+v", tl)
	}
}
