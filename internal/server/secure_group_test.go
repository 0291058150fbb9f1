package server

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
)

// judgeAll gives a device the same result of some checks.
func judgeAll(s *Server, r *report, state posture.State, checks ...int) {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	d := s.core.at(s.core.byID[r.id])
	v := slices.Clone(d.verdicts)
	for _, check := range checks {
		v[check/4] = v[check/4]&^(3<<(check%4*2)) | byte(slices.Index(verdictStates[:], state))<<(check%4*2)
	}
	s.core.judge(d, v)
}

// The trend of the secure score of any selection of groups is what it was, also
// after a restart and a jump of the clock.
func TestSecureTrendOfGroups(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1")
	two.send(t, "openssl 3.0.11-1~deb12u1")
	move(t, s, two, 2)
	judgeAll(s, one, posture.Fail, 3, 4, 5, 6)
	judgeAll(s, two, posture.Fail, 5, 6, 7)
	in := func(g ...exposure.Group) Caller {
		c := admin
		c.Groups = g
		return c
	}
	score := func(c Caller) float64 {
		t.Helper()
		v, err := s.SecureScore(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		return v.PerCent
	}
	at := time.Now().UTC().Truncate(time.Second)
	record := func(when time.Time) {
		t.Helper()
		last, err := s.lastGroupSecures(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.recordGroupSecures(t.Context(), last, when); err != nil {
			t.Fatal(err)
		}
	}
	first, alone := score(in(0, 2)), score(in(2))
	record(at.Add(-80 * time.Hour))
	record(at.Add(-60 * time.Hour)) // nothing changed: no point
	judgeAll(s, one, posture.Pass, 3, 4, 5)
	second := score(in(0, 2))
	record(at.Add(-40 * time.Hour))
	judgeAll(s, one, posture.Pass, 6)
	record(at.Add(-39 * time.Hour)) // too soon
	judgeAll(s, two, posture.Pass, 5, 7)
	third, better := score(in(0, 2)), score(in(2))
	record(at.Add(-20 * time.Hour))
	if first >= second || second >= third || alone >= better {
		t.Fatalf("scores %v, %v, %v; %v, %v do not rise", first, second, third, alone, better)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	check := func(c Caller, since time.Time, want ...float64) {
		t.Helper()
		got, err := s.groupSecureTrend(t.Context(), c.looks(), since)
		if err != nil || len(got) != len(want) {
			t.Fatalf("trend of %v is %+v, %v, want %v", c.Groups, got, err, want)
		}
		for i := range got {
			if got[i].PerCent != want[i] || i > 0 && got[i].At.Before(got[i-1].At) || got[i].At.Before(since) || len(got[i].Categories) == 0 || got[i].Devices != len(c.Groups) {
				t.Errorf("trend of %v is %+v, want %v in order from %v on", c.Groups, got, want, since)
			}
		}
	}
	check(in(0, 2), at.Add(-30*24*time.Hour), first, second, third)
	check(in(0, 2), at.Add(-50*time.Hour), first, second, third) // what held when the range begins
	check(in(0, 2), at.Add(-30*time.Hour), second, third)
	check(in(2), at.Add(-30*24*time.Hour), alone, better)
	check(in(9), at.Add(-30*24*time.Hour))
	move(t, s, two, 2)
	judgeAll(s, two, posture.Fail, 5, 6, 7)
	record(at.Add(-200 * time.Hour)) // the clock jumped back
	got, err := s.groupSecureTrend(t.Context(), exposure.Within(2), at.Add(-30*24*time.Hour))
	if err != nil || len(got) != 3 || got[2].PerCent != alone || !got[2].At.After(got[1].At) {
		t.Errorf("after a jump of the clock %+v, %v", got, err)
	}
}

func TestPackedCounts(t *testing.T) {
	counts := map[string]posture.Count{"scid-1": {Pass: 1, Fail: 300}, "scid-2": {Mitigated: 5, NotAssessed: 1 << 20}, "scid-3": {}}
	packed := packCounts(counts)
	got := map[string]posture.Count{}
	for range 2 {
		if err := addCounts(got, packed); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || got["scid-1"] != (posture.Count{Pass: 2, Fail: 600}) || got["scid-2"] != (posture.Count{Mitigated: 10, NotAssessed: 2 << 20}) {
		t.Errorf("added twice: %+v", got)
	}
	whole := len(packCounts(map[string]posture.Count{"scid-1": counts["scid-1"]}))
	for n := 1; n < len(packed); n++ {
		if err := addCounts(map[string]posture.Count{}, packed[:n]); (err == nil) != (n == whole) {
			t.Errorf("the first %d of %d bytes: %v", n, len(packed), err)
		}
	}
}
