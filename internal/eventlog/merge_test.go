package eventlog

import (
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// lifeOfSegments lets segments come in for some days, joins what pickMerge says after each,
// and returns how often a byte was written anew, how many segments were there at most, and how
// many of the days that are over were there at the end.
func lifeOfSegments(t *testing.T, days, aDay int, size int64, late func(n int) []int64) (anew float64, most, atEnd int) {
	t.Helper()
	var segs []mergeItem
	id, in, again := uint64(0), int64(0), int64(0)
	come := func(day, size int64) {
		id++
		segs = append(segs, mergeItem{id, day, size})
		in += size
	}
	for n := range days * aDay {
		day := int64(n / aDay)
		come(day, size)
		for _, back := range late(n) {
			if back <= day {
				come(day-back, size/100)
			}
		}
		for group := pickMerge(segs); group != nil; group = pickMerge(segs) {
			sum := int64(0)
			for _, g := range group {
				if g.day != group[0].day || len(group) < 2 {
					t.Fatalf("%v become one", group)
				}
				sum += g.size
				segs = slices.DeleteFunc(segs, func(s mergeItem) bool { return s.id == g.id })
			}
			id++
			again += sum
			segs = append(segs, mergeItem{id, group[0].day, sum})
		}
		most = max(most, len(segs))
	}
	for _, s := range segs {
		if s.day < int64(days)-10 {
			atEnd++
		}
	}
	return float64(again) / float64(in), most, atEnd
}

// However segments come in, they stay few, and what is in them is written anew
// once or twice. The numbers are those of docs/eventlog.md.
func TestMergesLittle(t *testing.T) {
	none := func(int) []int64 { return nil }
	for _, c := range []struct {
		name       string
		days, aDay int
		size       int64
		late       func(int) []int64
		anew       float64 // at most
		most       int     // segments at any time
		atEnd      int     // of days that are over
	}{
		{"10,000 devices", 60, 12, 30 << 20, none, 1, 160, 60},
		{"100,000 devices", 30, 120, 30 << 20, none, 1, 300, 200},
		{"a few devices", 60, 2, 200 << 10, none, 0.1, 130, 120},
		{"small ones in great numbers", 20, 500, 1 << 20, none, 2, 160, 60},
		{"some come late", 60, 12, 30 << 20, func(n int) []int64 { return []int64{int64(n%30) + 1, int64(n%7) + 1} }, 1, 420, 200},
	} {
		anew, most, atEnd := lifeOfSegments(t, c.days, c.aDay, c.size, c.late)
		t.Logf("%s: %.2f times, %d segments at most, %d at the end", c.name, anew, most, atEnd)
		if anew > c.anew || most > c.most || atEnd > c.atEnd {
			t.Errorf("%s: written anew %.2f times, at most %.2f; %d segments, at most %d; %d of days that are over, at most %d", c.name, anew, c.anew, most, c.most, atEnd, c.atEnd)
		}
	}
}

// What is left of a day when it is over becomes one, but nothing large is written anew
// for little, nothing that may still grow, and nothing beyond what one may be.
func TestPickMerge(t *testing.T) {
	const mb = 1 << 20
	var lately []mergeItem
	for n := range uint64(mergeNew) {
		lately = append(lately, mergeItem{1000 + n, 50 + int64(n), mb})
	}
	for name, c := range map[string]struct {
		sizes []int64
		want  int
	}{
		"rest":            {[]int64{mb, 2 * mb, 30 * mb, 30 * mb, 60 * mb}, 5},
		"few":             {[]int64{mb, 2 * mb, 3 * mb}, 0},
		"one is large":    {[]int64{mb, mb, mb, mb, 100 * mb}, 4},
		"all but one few": {[]int64{mb, mb, mb, 100 * mb}, 0},
		"done":            {[]int64{300 * mb, 300 * mb, 300 * mb, 300 * mb, 300 * mb}, 0},
		"rest too much":   {[]int64{10 * mb, 10 * mb, 10 * mb, 250 * mb, 250 * mb, 250 * mb, 250 * mb}, 6},
		"too much":        {[]int64{250 * mb, 250 * mb, 250 * mb, 250 * mb, 250 * mb}, 4},
	} {
		all := slices.Clone(lately)
		for i, size := range c.sizes {
			all = append(all, mergeItem{uint64(i), 1, size})
		}
		if got := pickMerge(all); len(got) != c.want {
			t.Errorf("%s: %v become one, want %d", name, got, c.want)
		}
		for i := range all[mergeNew:] {
			all[mergeNew+i].day = 50 // of a day that goes on
		}
		if got := pickMerge(all); len(got) != 0 && name != "too much" {
			t.Errorf("%s: %v become one while the day goes on", name, got)
		}
	}
}

// What a log really writes anew is little too.
func TestRewritten(t *testing.T) {
	e := openTest(t, t.TempDir(), Options{})
	for seq := range uint64(3 * mergeAt) {
		put(t, e, testBatch(1, seq+1, 5))
		settled(e)
	}
	e.quiet()
	if s := e.Stats(); s.Segments > mergeAt || s.Rewritten == 0 || s.Rewritten > 2*s.Rows {
		t.Errorf("%+v", s)
	}
}

// Work on segments waits for those who read, and not for ever.
func TestMergeGivesWay(t *testing.T) {
	waits, over := make(chan struct{}), make(chan time.Time)
	e := openTest(t, t.TempDir(), Options{patience: func() <-chan time.Time {
		waits <- struct{}{}
		return over
	}})
	put(t, e, mixed(1, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), 3*sealWithin))
	settled(e)
	segs := slices.Clone(e.segs)
	merged := make(chan error, 1)
	rewrite := func() { e.work <- func() { merged <- e.rewrite(segs, nil) } }
	v := e.view()
	rewrite()
	<-waits             // there is somebody who reads
	over <- time.Time{} // for too long
	<-waits
	v.release()
	if err := <-merged; err != nil || e.Stats().Rewritten != 6*sealWithin {
		t.Errorf("%+v, %v", e.Stats(), err)
	}
	if n := holding(e, event.Process, time.Time{}).Events; n != 3*sealWithin {
		t.Errorf("%d events", n)
	}
}
