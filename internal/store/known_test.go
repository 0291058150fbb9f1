package store

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

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
