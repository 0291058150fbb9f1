package server

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
)

// move puts a device into a group, by a tag. The group of a number is made when
// there is none yet.
func move(t *testing.T, s *Server, r *report, g exposure.Group) {
	t.Helper()
	tag := func(n exposure.Group) string { return fmt.Sprint("g", n) }
	for n := exposure.Group(len(s.rules().groups)) + 1; n <= g; n++ {
		if id := mustGroup(t, s, 0, tag(n), on(group.Tag, group.Equals, tag(n))); id != n {
			t.Fatalf("group %d has number %d", n, id)
		}
	}
	mustTag(t, s, r.id, []string{tag(g)}, nil)
	if got := groupNow(t, s, r.id); got != tag(g) {
		t.Fatalf("the device is in %q, want %q", got, tag(g))
	}
}

// seen is what a caller sees of the fleet, in one line.
func seen(t *testing.T, s *Server, caller Caller) string {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	board, err := s.Dashboard(ctx, caller)
	must(err)
	devices, err := s.Devices(ctx, caller, Query{}, nil)
	must(err)
	weak, err := s.Weaknesses(ctx, caller, Query{}, nil)
	must(err)
	soft, err := s.SoftwareList(ctx, caller, Query{}, nil)
	must(err)
	recs, err := s.Recommendations(ctx, caller, Query{Filter: map[string][]string{"type": {RemedyUpdate}}}, nil)
	must(err)
	out := fmt.Sprintf("devices %d/%d weaknesses %d:", devices.Total, board.Score.Devices, board.Weaknesses)
	for _, w := range weak.Items {
		list, err := s.WeaknessDevices(ctx, caller, w.ID, Query{})
		must(err)
		out += fmt.Sprintf(" %s=%d/%d", w.ID[len(w.ID)-1:], w.Exposed, list.Total)
	}
	out += " software:"
	for _, p := range soft.Items {
		list, err := s.SoftwareDevices(ctx, caller, p.ID, Query{})
		must(err)
		out += fmt.Sprintf(" %s=%d/%d", p.Name, p.Installed, list.Total)
	}
	out += " do:"
	for _, r := range recs.Items {
		list, err := s.RecommendationDevices(ctx, caller, r.ID, Query{})
		must(err)
		out += fmt.Sprintf(" %s=%d/%d", r.Component, r.Exposed, list.Total)
	}
	return out
}

// Every answer about the fleet is about the device groups that were asked
// for, and follows devices that change or move.
func TestAnswersAreAboutTheGroupsAskedFor(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2024-0002 resolved 7.88.1-10+deb12u8")
	one, two, three := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two")), newReport(s, enrol(t, s, "three"))
	const openssl, curl, fixed = "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5", "openssl 3.0.15-1~deb12u1"
	one.send(t, openssl, curl)
	two.send(t, openssl)
	three.send(t, openssl)
	move(t, s, two, 1)
	move(t, s, three, 2)
	in := func(groups ...exposure.Group) Caller {
		c := admin
		c.Groups = append([]exposure.Group{}, groups...)
		return c
	}
	check := func(when string, c Caller, want string) {
		t.Helper()
		if got := seen(t, s, c); got != want {
			t.Errorf("%s, groups %v:\n got %s\nwant %s", when, c.Groups, got, want)
		}
	}
	check("at first", admin, "devices 3/3 weaknesses 2: 1=3/3 2=1/1 software: openssl=3/3 curl=1/1 do: openssl=3/3 curl=1/1")
	check("at first", in(0), "devices 1/1 weaknesses 2: 2=1/1 1=1/1 software: curl=1/1 openssl=1/1 do: curl=1/1 openssl=1/1")
	check("at first", in(2, 1), "devices 2/2 weaknesses 1: 1=2/2 software: openssl=2/2 do: openssl=2/2")
	check("at first", in(7), "devices 0/0 weaknesses 0: software: do:")
	check("at first", in(), "devices 0/0 weaknesses 0: software: do:")

	sum, den := new(big.Int), uint64(0)
	for _, g := range []exposure.Group{0, 1, 2} {
		v, err := s.ExposureScore(t.Context(), in(g))
		if err != nil {
			t.Fatal(err)
		}
		sum, den = sum.Add(sum, number(t, v.Num)), den+v.Den
	}
	if all := scoreNow(t, s); all.Num != sum.String() || all.Den != den {
		t.Errorf("groups add up to %v/%d, all is %v/%d", sum, den, all.Num, all.Den)
	}

	two.send(t, fixed)
	check("two is upgraded", in(1, 2), "devices 2/2 weaknesses 1: 1=1/1 software: openssl=2/2 do: openssl=1/1")
	move(t, s, one, 1)
	check("one moved", in(1, 2), "devices 3/3 weaknesses 2: 1=2/2 2=1/1 software: openssl=3/3 curl=1/1 do: openssl=2/2 curl=1/1")
	check("one moved", in(0), "devices 0/0 weaknesses 0: software: do:")
	load(t, s, "later.json", "openssl CVE-2024-0001 resolved 3.0.10-1", "curl CVE-2024-0002 resolved 7.88.1-10+deb12u8")
	check("the advisory was withdrawn", in(1, 2), "devices 3/3 weaknesses 1: 2=1/1 software: curl=1/1 openssl=3/3 do: curl=1/1")
}
