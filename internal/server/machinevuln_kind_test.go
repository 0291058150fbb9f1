package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// vulnCore draws a fleet with components that rows cannot tell apart, devices
// that rest and device groups.
func vulnCore(t *rapid.T) *core {
	c := newCore()
	for i, s := range []advisory.Severity{advisory.Low, advisory.Medium, advisory.High, advisory.Critical, advisory.Unrated} {
		c.facts[fmt.Sprintf("CVE-2024-%d", 998+i)] = &fact{Severity: s}
	}
	var ids []exposure.ComponentID
	for i := range rapid.IntRange(1, 12).Draw(t, "components") {
		k := exposure.Component{Key: advisory.Key{Ecosystem: "PyPI"}, Vendor: "debian", Product: fmt.Sprint([]string{"p", "p", "P"}[i%3], i/4), Version: fmt.Sprint(i / 4), Disk: fmt.Sprint(i)}
		if i%5 == 4 {
			k.Vendor = "npm"
		}
		id, _ := c.fleet.Intern(k)
		ids = append(ids, id)
		var a exposure.Assessment
		for n := range 5 {
			if w := rapid.IntRange(0, 3).Draw(t, "hit"); w > 0 {
				a.Matches = append(a.Matches, exposure.Match{Weakness: fmt.Sprintf("CVE-2024-%d", 998+n), Exposed: w > 1, State: exposure.RestartNeeded, Fixed: "9",
					Statement: advisory.Statement{Advisory: []string{"", "DSA-1", "DSA-2"}[rapid.IntRange(0, 2).Draw(t, "by")]}})
			}
		}
		slices.SortFunc(a.Matches, func(a, b exposure.Match) int { return strings.Compare(a.Weakness, b.Weakness) })
		c.fleet.SetAssessment(id, &a)
	}
	for num := range uint32(rapid.IntRange(1, 25).Draw(t, "devices")) {
		d := c.register(store.Device{Num: num, ID: inventory.DeviceID(fmt.Sprintf("%x%039x", (num*7)%16, num))})
		c.fleet.SetDevice(num, rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 0, len(ids), rapid.ID[exposure.ComponentID]).Draw(t, "has"))
		c.regroup(d, exposure.Group(num%3))
		if rapid.IntRange(0, 7).Draw(t, "rest") == 0 {
			c.fleet.Rest(num)
		}
	}
	return c
}

// vulnFields are what conditions and orders speak of.
var vulnFields = []func(*MachineVuln) string{
	func(v *MachineVuln) string { return v.CVE }, func(v *MachineVuln) string { return v.Vendor }, func(v *MachineVuln) string { return v.Product },
	func(v *MachineVuln) string { return v.Version }, func(v *MachineVuln) string { return v.Severity }, func(v *MachineVuln) string { return strings.ToLower(v.FixingID) },
}

func drawCondition(t *rapid.T, depth int) *MachineVulnCondition {
	op := ""
	if depth > 0 {
		op = rapid.SampledFrom([]string{"and", "or", "not", ""}).Draw(t, "op")
	}
	switch op {
	case "not":
		return &MachineVulnCondition{Op: op, Kids: []*MachineVulnCondition{drawCondition(t, depth-1)}}
	case "":
		if rapid.Bool().Draw(t, "device") {
			from := rapid.SampledFrom([]inventory.DeviceID{"3", "8", "c"}).Draw(t, "from")
			return &MachineVulnCondition{Device: func(id inventory.DeviceID) bool { return id > from }}
		}
		f := rapid.SampledFrom(vulnFields).Draw(t, "field")
		than := rapid.SampledFrom([]string{"CVE-2024-999", "debian", "p1", "2", "High", "dsa-1"}).Draw(t, "than")
		return &MachineVulnCondition{Row: func(v *MachineVuln) bool { return f(v) > than }}
	}
	c := &MachineVulnCondition{Op: op}
	for range rapid.IntRange(1, 3).Draw(t, "kids") {
		c.Kids = append(c.Kids, drawCondition(t, depth-1))
	}
	return c
}

func drawQuery(t *rapid.T, rows []MachineVuln) *MachineVulnQuery {
	q := &MachineVulnQuery{Count: rapid.Bool().Draw(t, "count"), Skip: rapid.IntRange(0, 30).Draw(t, "skip"), Limit: rapid.IntRange(0, 20).Draw(t, "limit")}
	if rapid.Bool().Draw(t, "where") {
		q.Where = drawCondition(t, 3)
	}
	if rapid.IntRange(0, 3).Draw(t, "weakness") == 0 {
		q.Weakness = "CVE-2024-1000"
	}
	for range rapid.IntRange(0, 3).Draw(t, "keys") {
		k := MachineVulnKey{Desc: rapid.Bool().Draw(t, "desc")}
		if rapid.IntRange(0, 3).Draw(t, "by device") > 0 {
			k.Value = rapid.SampledFrom(vulnFields).Draw(t, "key")
		}
		q.Order = append(q.Order, k)
	}
	if len(rows) > 0 && rapid.Bool().Draw(t, "after") {
		after := rapid.SampledFrom(rows).Draw(t, "row")
		if rapid.IntRange(0, 4).Draw(t, "gone") == 0 { // what it names is no more
			after.Version, after.FixingID = after.Version+"x", "DSA-1a"
		}
		q.After = &after
	}
	return q
}

// plainly is what a query means.
func plainly(rows []MachineVuln, q *MachineVulnQuery) (page MachineVulnPage) {
	var kept []MachineVuln
	for _, r := range rows {
		if (q.Weakness == "" || q.Weakness == r.CVE) && q.Where.Holds(&r) {
			kept = append(kept, r)
		}
	}
	if q.Count {
		page.Total = len(kept)
	}
	slices.SortFunc(kept, func(a, b MachineVuln) int { return q.order(&a, &b) })
	if q.After != nil {
		kept = slices.DeleteFunc(kept, func(r MachineVuln) bool { return q.order(&r, q.After) <= 0 })
	}
	kept = kept[min(q.Skip, len(kept)):]
	page.Rows, page.More = kept[:min(q.Limit, len(kept))], q.Limit > 0 && len(kept) > q.Limit
	return page
}

// TestMachineVulnsByKind: a page from the index is the page that a walk over
// all rows gives, whatever is filtered, ordered, counted and skipped.
func TestMachineVulnsByKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := vulnCore(t)
		caller := admin
		if rapid.Bool().Draw(t, "scope") {
			caller.Groups = []exposure.Group{0, 2}
		}
		var all []MachineVuln
		for r := range c.machineVulnRows(context.Background(), caller, &MachineVulnQuery{}, nil) {
			all = append(all, r)
		}
		for range 8 {
			q := drawQuery(t, all)
			got, err := c.vulnsByKind(context.Background(), caller, q, rapid.SampledFrom([]int{0, 5, farSkip}).Draw(t, "far"))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "by kind", got, plainly(all, q))
			if q.Limit == 0 {
				continue
			}
			walk := c.vulnsSorted
			if q.Order == nil {
				walk = c.vulnsInTurn
			}
			got, err = walk(context.Background(), caller, q)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "row by row", got, plainly(all, q))
		}
	})
}

func same(t *rapid.T, how string, got, want MachineVulnPage) {
	if !slices.Equal(got.Rows, want.Rows) || got.More != want.More || got.Total != want.Total {
		t.Fatalf("%s:\n got %v more %v total %d\nwant %v more %v total %d", how, got.Rows, got.More, got.Total, want.Rows, want.More, want.Total)
	}
}

// TestMachineVulnsLookAtLittle: filter, order and count look at kinds of rows,
// of which there are few, and at the rows of the page.
func TestMachineVulnsLookAtLittle(t *testing.T) {
	c := newCore()
	var ids []exposure.ComponentID
	for i := range 100 {
		id, _ := c.fleet.Intern(exposure.Component{Vendor: "debian", Product: fmt.Sprint("p", i), Version: "1"})
		c.fleet.SetAssessment(id, &exposure.Assessment{Matches: []exposure.Match{{Weakness: fmt.Sprintf("CVE-2024-%04d", i), Exposed: true}}})
		ids = append(ids, id)
	}
	for num := range uint32(2000) {
		c.register(store.Device{Num: num, ID: inventory.DeviceID(fmt.Sprintf("%040x", num*2654435761))})
		c.fleet.SetDevice(num, ids)
	}
	half := &MachineVulnCondition{Device: func(id inventory.DeviceID) bool { return id > "0000000000000000000000000000000080" }}
	product := MachineVulnKey{Value: func(v *MachineVuln) string { return v.Product }}
	for name, q := range map[string]*MachineVulnQuery{
		"filter and count": {Where: half, Count: true, Limit: 10},
		"order":            {Order: []MachineVulnKey{product}, Limit: 10},
		"order by device":  {Order: []MachineVulnKey{{Desc: true}}, Limit: 10},
		"all of it":        {Where: half, Order: []MachineVulnKey{product, {Desc: true}}, Count: true, Limit: 10, Skip: 30_000},
	} {
		page, err := c.vulnsByKind(t.Context(), admin, q, farSkip)
		if err != nil || len(page.Rows) != 10 || page.looked > 250 {
			t.Errorf("%s: %d rows, looked at %d, %v", name, len(page.Rows), page.looked, err)
		}
	}
}

// A device that came later has its place in the order of ids.
func TestMachineVulnsOrderNewDevices(t *testing.T) {
	c := newCore()
	id, _ := c.fleet.Intern(exposure.Component{Vendor: "debian", Product: "p", Version: "1"})
	c.fleet.SetAssessment(id, &exposure.Assessment{Matches: []exposure.Match{{Weakness: "CVE-2024-1000", Exposed: true}}})
	var got []string
	for num, name := range []string{"b", "c", "a"} {
		c.register(store.Device{Num: uint32(num), ID: inventory.DeviceID(strings.Repeat(name, 40))})
		c.fleet.SetDevice(uint32(num), []exposure.ComponentID{id})
		page, err := c.vulnsByKind(t.Context(), admin, &MachineVulnQuery{Order: []MachineVulnKey{{}}, Limit: 9}, farSkip)
		if err != nil {
			t.Fatal(err)
		}
		order := ""
		for _, r := range page.Rows {
			order += string(r.Device[:1])
		}
		got = append(got, order)
	}
	equal(t, "orders", got, "b", "bc", "abc")
}

// TestMachineVulnsManySets: a condition that asks for too many sets of devices
// is refused and does not fill the memory.
func TestMachineVulnsManySets(t *testing.T) {
	c := newCore()
	var a exposure.Assessment
	for i := range 2 * mostMasks {
		a.Matches = append(a.Matches, exposure.Match{Weakness: fmt.Sprintf("CVE-2024-%04d", i), Exposed: true})
	}
	id, _ := c.fleet.Intern(exposure.Component{Vendor: "debian", Product: "p", Version: "1"})
	c.fleet.SetAssessment(id, &a)
	c.register(store.Device{ID: inventory.DeviceID(fmt.Sprintf("%040x", 1))})
	c.fleet.SetDevice(0, []exposure.ComponentID{id})
	ask := func(bits int) error {
		where := &MachineVulnCondition{Op: "or", Kids: []*MachineVulnCondition{{Device: func(inventory.DeviceID) bool { return true }}}}
		for i := range bits {
			where.Kids = append(where.Kids, &MachineVulnCondition{Row: func(v *MachineVuln) bool {
				n, _ := strconv.Atoi(v.CVE[9:])
				return n>>i&1 == 1
			}})
		}
		page, err := c.vulnsByKind(t.Context(), admin, &MachineVulnQuery{Where: where, Limit: 1, Count: true}, farSkip)
		if err == nil && page.Total != 2*mostMasks {
			t.Errorf("%d bits: counted %d", bits, page.Total)
		}
		return err
	}
	if err := ask(10); err != nil {
		t.Errorf("as many sets as may be: %v", err)
	}
	if err := ask(11); !errors.Is(err, ErrManySets) {
		t.Errorf("more sets than may be: %v", err)
	}
}
