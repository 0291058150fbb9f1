package server

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// What was worked out is good in the state that it was worked out in, for its
// own key, and who asks at the same time gets the same.
func TestKeptIsWorkedOutOnceInAState(t *testing.T) {
	var c core
	var worked atomic.Int64
	ask := func(key string, size int) int64 {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return keep(&c.kept, c.mu.state(), key, func() (int64, int) { return worked.Add(1), size })
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if got := ask("a", 1); got != 1 {
				t.Errorf("one of many at once got answer %d, want that of the first", got)
			}
		})
	}
	all.Wait()
	if got := ask("b", 1); got != 2 {
		t.Errorf("another key got answer %d, want its own", got)
	}
	func() { // a change of nothing counts as one
		c.mu.Lock()
		defer c.mu.Unlock()
	}()
	if got := ask("a", 1); got != 3 {
		t.Errorf("after a change the answer is number %d, want a new one", got)
	}
	for n := range 1000 {
		ask(fmt.Sprint("big", n), mostKept/10)
		if k := c.kept.byKey; k.size > mostKept || len(k.at) > 20 || k.order.Len() != len(k.at) {
			t.Fatalf("%d bytes in %d answers are kept, at most %d may be", k.size, len(k.at), mostKept)
		}
		if got := ask("big0", mostKept/10); got != 4 {
			t.Fatalf("what is asked for all the time is answer %d, want that of the beginning", got)
		}
	}
	func() {
		defer func() { _ = recover() }()
		c.mu.RLock()
		defer c.mu.RUnlock()
		keep(&c.kept, c.mu.state(), "broken", func() (int64, int) { panic("broken") })
	}()
	if got := ask("broken", 1); got == 0 {
		t.Error("after a panic, nothing is taken for the answer")
	}
	ask("too big", mostKept+1)
	if k := c.kept.byKey; k.size != 0 || len(k.at) != 0 {
		t.Errorf("what is too big leaves %d bytes in %d answers", k.size, len(k.at))
	}
}

// A list shows each caller its own devices, one page after the other, whatever
// others looked at before, and what changed since.
func TestKeptListsFollowScopesAndChanges(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 open", "curl CVE-2024-0002 open")
	var reports []*report
	for n := range 6 {
		r := newReport(s, enrol(t, s, fmt.Sprint("device", n)))
		r.send(t, "openssl 3.0.1-1")
		if n%2 == 1 {
			move(t, s, r, 1)
		}
		reports = append(reports, r)
	}
	names := func(c Caller, q Query) string {
		t.Helper()
		p, err := s.Devices(t.Context(), c, q, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, d := range p.Items {
			out = append(out, string(d.ID[:6]))
		}
		return fmt.Sprint(p.Total, " ", strings.Join(out, " "))
	}
	want := func(c Caller, which ...int) string {
		var ids []string
		for _, n := range which {
			ids = append(ids, string(reports[n].id[:6]))
		}
		slices.Sort(ids)
		return fmt.Sprint(len(ids), " ", strings.Join(ids, " "))
	}
	some := Caller{Name: "some", Permissions: []string{MachineRead, VulnerabilityRead, ScoreRead}, Scope: exposure.Within(1)}
	byID := Query{Sort: []string{"id"}, Limit: 10}
	check := func(when string, c Caller, which ...int) {
		t.Helper()
		for range 2 { // worked out, then kept
			if got, want := names(c, byID), want(c, which...); got != want {
				t.Errorf("%s: %s sees %s, want %s", when, c.Name, got, want)
			}
		}
	}
	check("first", admin, 0, 1, 2, 3, 4, 5)
	check("first", some, 1, 3, 5)
	picked := admin
	picked.Name, picked.Groups = "who picked a group", []exposure.Group{1}
	check("first", picked, 1, 3, 5)
	for _, c := range []Caller{admin, some, picked} {
		board, err := s.Dashboard(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		want := 3
		if c.Name == admin.Name {
			want = topRows
		}
		if len(board.Devices) != want {
			t.Errorf("the dashboard of %s has %d devices, want %d", c.Name, len(board.Devices), want)
		}
	}
	move(t, s, reports[0], 1)
	check("after a move", some, 0, 1, 3, 5)
	mustTag(t, s, reports[1].id, nil, []string{"g1"})
	check("after a move away", some, 0, 3, 5)
	var paged []string
	for at := range 6 {
		page := names(admin, Query{Sort: []string{"-id"}, Offset: at, Limit: 1})
		paged = append(paged, strings.TrimPrefix(page, "6 "))
	}
	if whole := names(admin, Query{Sort: []string{"-id"}}); whole != "6 "+strings.Join(paged, " ") {
		t.Errorf("pages of one are %v, the list is %s", paged, whole)
	}
	if a, b := names(admin, Query{Text: string(reports[2].id), Limit: 5}), names(admin, Query{Text: string(reports[3].id), Limit: 5}); a == b {
		t.Errorf("two searches find the same: %s", a)
	}
	on := func(c Caller, weakness string) int {
		t.Helper()
		p, err := s.WeaknessDevices(t.Context(), c, weakness, Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	reports[3].send(t, "openssl 3.0.1-1", "curl 7.1-1")
	for range 2 {
		if a, b, c := on(admin, "CVE-2024-0001"), on(some, "CVE-2024-0001"), on(some, "CVE-2024-0002"); a != 6 || b != 3 || c != 1 {
			t.Errorf("weaknesses are on %d, %d and %d devices, want 6, 3 and 1", a, b, c)
		}
	}
}

// A page of a device shows a report as soon as it is stored, and when sections
// were looked at again, also when the page was looked at before.
func TestKeptPortraitsFollowReports(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	r.send(t, "openssl 3.0.1-1")
	software := func() string {
		t.Helper()
		p, err := s.DeviceSoftware(t.Context(), admin, string(id), Query{Sort: []string{"name"}, Filter: map[string][]string{}})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, p := range p.Items {
			out = append(out, p.Name+" "+p.Version)
		}
		return strings.Join(out, ", ")
	}
	seenAt := func() time.Time {
		t.Helper()
		d, err := s.Device(t.Context(), admin, string(id))
		if err != nil {
			t.Fatal(err)
		}
		for _, sec := range d.Sections {
			if sec.Name == inventory.DPKG {
				return sec.SeenAt
			}
		}
		t.Fatal("the device has no section of packages")
		return time.Time{}
	}
	for _, version := range []string{"3.0.1-1", "3.0.2-1", "3.0.3-1"} {
		r.send(t, "openssl "+version)
		for range 2 {
			if got := software(); got != "openssl "+version {
				t.Errorf("the device shows %s, want openssl %s", got, version)
			}
		}
	}
	for n := range 3 {
		at := time.Now().Add(time.Duration(n+1) * time.Minute).UTC().Truncate(time.Millisecond)
		seenAt()
		if err := s.seen(t.Context(), id, map[inventory.SectionName]time.Time{inventory.DPKG: at}, at); err != nil {
			t.Fatal(err)
		}
		if got := seenAt(); !got.Equal(at) {
			t.Errorf("before it is written, packages were seen at %v, want %v", got, at)
		}
		s.flushSeen(t.Context())
		if got := seenAt(); !got.Equal(at) {
			t.Errorf("once it is written, packages were seen at %v, want %v", got, at)
		}
	}
}
