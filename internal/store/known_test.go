package store

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Whatever is learned of components in short entries and in whole rows, in any
// order and however often the log is folded: they are read back as they are.
func TestLearnedIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		s, err := Open(ctx, t.TempDir(), Options{Memory: true})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		want := map[uint32]map[string]Known{}
		steps := rapid.SampledFrom([]int{1, 5, foldAfter - 1, foldAfter + 3, 2*foldAfter + 1}).Draw(rt, "steps")
		for range steps {
			var rows []Component
			var learned []Learned
			for _, id := range rapid.SliceOfNDistinct(rapid.Uint32Range(0, 3), 0, 3, rapid.ID).Draw(rt, "components") {
				if want[id] == nil || rapid.IntRange(0, 9).Draw(rt, "whole") == 0 {
					want[id] = map[string]Known{}
					for i := range rapid.IntRange(0, 2).Draw(rt, "n") {
						k := Known{Weakness: fmt.Sprint("CVE-", i), State: "open", Since: int64(steps)}
						want[id][k.Weakness] = k
					}
					rows = append(rows, Component{ID: id, Spec: []byte("{}"), Known: sorted(want[id])})
					continue
				}
				w := fmt.Sprint("CVE-", rapid.IntRange(0, 3).Draw(rt, "weakness"))
				l := Learned{Component: id, Known: Known{Weakness: w}, Gone: rapid.Bool().Draw(rt, "gone")}
				delete(want[id], w)
				if !l.Gone {
					l.State, l.Since = rapid.SampledFrom([]string{"open", "fixed"}).Draw(rt, "state"), rapid.Int64Range(1, 9).Draw(rt, "since")
					want[id][w] = l.Known
				}
				learned = append(learned, l)
			}
			if err := s.Reassessed(ctx, 1, rows, learned, nil, nil); err != nil {
				rt.Fatal(err)
			}
		}
		got := map[uint32][]Known{}
		if err := s.Components(ctx, func(c Component) error { got[c.ID] = c.Known; return nil }); err != nil {
			rt.Fatal(err)
		}
		expect := map[uint32][]Known{}
		for id, known := range want {
			expect[id] = sorted(known)
		}
		if diff := gocmp.Diff(expect, got); diff != "" {
			rt.Fatalf("known differs (-want +got):\n%s", diff)
		}
	})
}

func sorted(m map[string]Known) []Known {
	out := make([]Known, 0, len(m))
	for _, k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Known) int { return cmp.Compare(a.Weakness, b.Weakness) })
	return out
}

// Changes are read back by device and time, and forgotten from the oldest on.
func TestChanges(t *testing.T) {
	s := openTest(t, t.TempDir())
	ctx := t.Context()
	if since, err := s.ChangesSince(ctx, time.Now()); err != nil || since != 0 {
		t.Fatalf("a new store keeps changes since %d, %v", since, err)
	}
	for at := range int64(10) {
		ch := &Change{At: 100 + at, Device: AllDevices, None: []uint32{uint32(at)}}
		if err := s.Reassessed(ctx, 1, nil, nil, nil, nil, ch); err != nil {
			t.Fatal(err)
		}
	}
	read := func(from int64) (out []uint32) {
		list, err := s.Changes(ctx, AllDevices, from)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			out = append(out, c.None...)
		}
		return out
	}
	if got := read(107); !slices.Equal(got, []uint32{7, 8, 9}) {
		t.Errorf("from 107 on: %v", got)
	}
	for _, drop := range []struct {
		before int64
		most   int
		since  int64
		left   int
	}{{100, 100, 0, 10}, {103, 100, 103, 7}, {103, 4, 106, 4}, {105, 100, 106, 4}} {
		since, err := s.dropChanges(ctx, drop.before, drop.most)
		if left := len(read(0)); err != nil || since != drop.since || left != drop.left {
			t.Errorf("drop before %d, at most %d: kept since %d, %d left, %v; want %d, %d", drop.before, drop.most, since, left, err, drop.since, drop.left)
		}
	}
	if last, err := s.LastChanges(ctx); err != nil || last[AllDevices] != 109 {
		t.Errorf("%v %v", last, err)
	}
	if since, err := s.ChangesSince(ctx, time.Now()); err != nil || since != 106 {
		t.Errorf("after a look: %d, %v", since, err)
	}
}
