package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// TestDeviceRefs: a page of references is the page that a walk over all of the
// devices gives, and no more devices are looked at than the filter and the page ask for.
func TestDeviceRefs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := vulnCore(t)
		devs := roaring.New()
		for _, d := range c.devices {
			if d != nil && rapid.Bool().Draw(t, "in") {
				devs.Add(d.num)
				d.sum.Name = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
			}
		}
		q := DeviceRefQuery{RowQuery: RowQuery[DeviceRef]{Skip: rapid.IntRange(0, 5).Draw(t, "skip"), Limit: rapid.IntRange(-1, 5).Draw(t, "limit"), Count: rapid.Bool().Draw(t, "count")}}
		if rapid.Bool().Draw(t, "named") {
			q.IDs = []inventory.DeviceID{"none"}
			for _, d := range c.devices {
				if d != nil && rapid.IntRange(0, 3).Draw(t, "id") == 0 {
					q.IDs = append(q.IDs, d.id)
				}
			}
		}
		if rapid.Bool().Draw(t, "of groups") {
			q.Groups = []exposure.Group{exposure.Group(rapid.IntRange(0, 3).Draw(t, "group")), 4711}
		}
		if rapid.Bool().Draw(t, "where") {
			q.Where = func(r *DeviceRef) bool { return r.Name != "b" }
		}
		if rapid.Bool().Draw(t, "order") {
			q.Order = func(a, b *DeviceRef) int { return cmp.Compare(b.Name, a.Name) }
		}
		var want []DeviceRef
		candidates := 0
		for _, d := range c.devices {
			if d == nil || !devs.Contains(d.num) || q.IDs != nil && !slices.Contains(q.IDs, d.id) || q.Groups != nil && !slices.Contains(q.Groups, d.group) {
				continue
			}
			candidates++
			if r := (DeviceRef{ID: d.id, Name: d.sum.Name, GroupID: d.group, Group: c.groupWord(d.group)}); q.Where == nil || q.Where(&r) {
				want = append(want, r)
			}
		}
		total := 0
		if q.Count {
			total = len(want)
		}
		if q.Order != nil {
			slices.SortStableFunc(want, func(a, b DeviceRef) int { return q.Order(&a, &b) })
		}
		want = want[min(q.Skip, len(want)):]
		more := q.Limit > 0 && len(want) > q.Limit
		if q.Limit >= 0 {
			want = want[:min(q.Limit, len(want))]
		}
		got, err := c.deviceRefs(context.Background(), devs, &q)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got.Rows) != fmt.Sprint(want) || got.More != more || got.Total != total {
			t.Fatalf("%+v:\n got %v, %v, %d\nwant %v, %v, %d", q, got.Rows, got.More, got.Total, want, more, total)
		}
		most := candidates
		if q.Where == nil && q.Order == nil && !q.Count && q.Limit >= 0 {
			most = min(most, q.Skip+q.Limit+1)
		}
		if got.looked > most {
			t.Fatalf("%+v: %d devices were looked at, %d at most are needed", q, got.looked, most)
		}
	})
}

// A page that is ordered by many rows holds few of them.
func TestDeviceRefsInOrder(t *testing.T) {
	s := testServer(t)
	c := s.core
	devs := roaring.New()
	for i := range 5000 {
		c.devices = append(c.devices, &device{num: uint32(i), id: inventory.DeviceID(fmt.Sprint(i))})
		devs.Add(uint32(i))
	}
	if page, err := c.deviceRefs(t.Context(), devs, &DeviceRefQuery{RowQuery: RowQuery[DeviceRef]{Skip: 3, Limit: 4}}); err != nil || page.looked != 8 || len(page.Rows) != 4 || !page.More {
		t.Errorf("a page of 4 behind 3 looks at %d devices: %v, %v", page.looked, page.Rows, err)
	}
	got, err := c.deviceRefs(t.Context(), devs, &DeviceRefQuery{RowQuery: RowQuery[DeviceRef]{Skip: 1, Limit: 2, Order: func(a, b *DeviceRef) int {
		return cmp.Or(len(b.ID)-len(a.ID), strings.Compare(string(b.ID), string(a.ID)))
	}}})
	if err != nil || len(got.Rows) != 2 || got.Rows[0].ID != "4998" || got.Rows[1].ID != "4997" || !got.More || cap(got.Rows) > 3000 {
		t.Errorf("%v of %d, %v, %v", got.Rows, cap(got.Rows), got.More, err)
	}
}

// TestTableOfSome: the weaknesses of a product are those that its components
// have, as a walk over the console's rows gives them, and no others are looked at.
func TestTableOfSome(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tableCore(t)
		caller := admin
		if rapid.Bool().Draw(t, "scope") {
			caller.Groups = []exposure.Group{0, 2}
		}
		l := c.lens(caller)
		products := slices.Sorted(c.fleet.Products())
		among := c.hitsOf(c.fleet.ProductComponents(rapid.SampledFrom(products).Draw(t, "product"), l.devs), func(*exposure.Hit) bool { return true })
		q := drawTableQuery(t)
		var all []WeaknessColumns
		for _, w := range walked(c, caller) {
			if among[w.ID] {
				all = append(all, w)
			}
		}
		got, err := c.tableOf(context.Background(), l, among, 0, q)
		if err != nil {
			t.Fatal(err)
		}
		want := plainTable(all, q)
		if fmt.Sprint(got.Rows) != fmt.Sprint(want.Rows) || got.More != want.More || got.Total != want.Total {
			t.Fatalf("%+v of %v:\n got %v\nwant %v", q, among, got.Rows, want.Rows)
		}
		if got.looked > len(among) || q.IDs != nil && got.looked > 2*len(q.IDs)+len(oddIDs) {
			t.Fatalf("%+v: %d weaknesses of %d were looked at", q, got.looked, len(among))
		}
	})
}
