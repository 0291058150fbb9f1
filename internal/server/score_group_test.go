package server

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// The trend of any selection of groups is what their score was, also after a
// restart and a jump of the clock.
func TestTrendOfGroups(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	move(t, s, two, 2)
	both := admin
	both.Groups = []exposure.Group{0, 2}
	score := func(c Caller) float64 {
		t.Helper()
		v, err := s.ExposureScore(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return v.Score
	}
	at := time.Now().UTC().Truncate(time.Second)
	record := func(when time.Time) {
		t.Helper()
		last, err := s.lastGroupScores(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.recordGroups(t.Context(), last, when); err != nil {
			t.Fatal(err)
		}
	}
	first := score(both)
	record(at.Add(-48 * time.Hour))
	record(at.Add(-47 * time.Hour)) // nothing changed: no point
	two.send(t, "openssl 3.0.15-1~deb12u1")
	second := score(both)
	record(at.Add(-24 * time.Hour))
	one.send(t, "openssl 3.0.15-1~deb12u1")
	third := score(both)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	move(t, s, two, 2)
	if again := score(both); again != third {
		t.Errorf("score after a restart is %v, was %v", again, third)
	}
	record(at.Add(-100 * time.Hour)) // the clock jumped back
	check := func(c Caller, since time.Time, want ...float64) {
		t.Helper()
		got, err := s.trend(t.Context(), c.looks(), since)
		if err != nil || len(got) != len(want) {
			t.Fatalf("trend of %v is %+v, %v, want %v", c.Groups, got, err, want)
		}
		for i := range got {
			if got[i].Score != want[i] || i > 0 && got[i].At.Before(got[i-1].At) || got[i].At.Before(since) {
				t.Errorf("trend of %v is %+v, want %v in order from %v on", c.Groups, got, want, since)
			}
		}
	}
	check(both, at.Add(-30*24*time.Hour), first, second, third)
	check(both, at.Add(-36*time.Hour), first, second, third) // what held when the range begins
	only := admin
	only.Groups = []exposure.Group{2}
	check(only, at.Add(-30*24*time.Hour), first, third)
	only.Groups = []exposure.Group{9}
	check(only, at.Add(-30*24*time.Hour))
	if first <= second || second <= third {
		t.Errorf("scores %v, %v, %v do not fall", first, second, third)
	}
}
