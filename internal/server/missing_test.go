package server

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
)

// The updates that a device, or devices of a product, lack are the bulletins
// whose fixes are not installed; each leaves when its version is there.
func TestMissingUpdates(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 resolved 3.0.2-1", "curl CVE-2024-0003 resolved 7.88-2", "curl CVE-2024-0004 open")
	list := filepath.Join(t.TempDir(), "list")
	text := "[02 Jan 2026] DSA-6001-1 curl - security update\n\t{CVE-2024-0003}\n\t[bookworm] - curl 7.88-2\n" +
		"[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001 CVE-2024-0002}\n\t[bookworm] - openssl 3.0.2-1\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, list)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.1-1", "curl 7.88-1")
	two.send(t, "openssl 3.0.1-1", "curl 7.88-3")
	say := func(p Page[MissingUpdate], err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range p.Items {
			var products []string
			for _, x := range r.Products {
				products = append(products, x.Name+" "+x.Version+"→"+x.Fixed)
			}
			out = append(out, fmt.Sprintf("%s %v %v %d %v on %d", r.ID, r.Systems, products, r.Weaknesses, r.WeaknessIDs, r.Devices))
		}
		return strings.Join(out, "; ")
	}
	device := func(r *report, q Query) string {
		t.Helper()
		return say(s.DeviceUpdates(t.Context(), admin, string(r.id), q))
	}
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	openssl := "DSA-6000-1 [Debian 12] [openssl 3.0.1-1→3.0.2-1] 2 [CVE-2024-0001 CVE-2024-0002] on 2"
	curl := "DSA-6001-1 [Debian 12] [curl 7.88-1→7.88-2] 1 [CVE-2024-0003] on 1"
	byID := Query{Sort: []string{"id"}}
	want("one lacks both", device(one, byID), openssl+"; "+curl)
	want("two has curl", device(two, byID), openssl)
	for i, list := range []func(q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error){
		func(q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error) {
			return s.DeviceUpdateTable(t.Context(), admin, string(one.id), q)
		},
		func(q RowQuery[MissingUpdate]) (RowPage[MissingUpdate], error) {
			return s.SoftwareUpdateTable(t.Context(), admin, "debian-_-openssl", q)
		},
	} {
		q := RowQuery[MissingUpdate]{Limit: 1, Count: true, Order: func(a, b *MissingUpdate) int { return a.Devices - b.Devices }}
		p, err := list(q)
		want("by devices", say(Page[MissingUpdate]{Items: p.Rows}, err), []string{curl, openssl}[i])
		if p.More != (i == 0) || p.Total != 2-i {
			t.Errorf("%d updates, more %v", p.Total, p.More)
		}
	}
	want("found by a weakness", device(one, Query{Text: "cve-2024-0003"}), curl)
	want("the most missed first", device(one, Query{Sort: []string{"-devices"}}), openssl+"; "+curl)
	want("of the product", say(s.SoftwareUpdates(t.Context(), admin, "debian-_-curl", byID)), curl)
	few := Caller{Permissions: []string{SoftwareRead}, Scope: exposure.Everywhere()}
	want("without weaknesses", say(s.DeviceUpdates(t.Context(), few, string(two.id), byID)), strings.Replace(openssl, "CVE-2024-0001 CVE-2024-0002", "", 1))
	two.send(t, "openssl 3.0.2-1", "curl 7.88-3")
	want("installed", device(two, byID), "")
	// What is installed and waits for a restart is no missing update, though it counts as a weakness until then.
	two.sections(t, oneItem(inventory.Restart, "libssl3", inventory.RestartNeed{Package: "libssl3", Source: "openssl", Installed: "3.0.2-1", RunningVersion: "3.0.1-1"}))
	if p, err := s.DeviceVulns(t.Context(), admin, string(two.id), Query{Filter: map[string][]string{"exposed": {"true"}, "state": {string(exposure.RestartNeeded)}}}); err != nil || p.Total != 2 {
		t.Fatalf("%d weaknesses wait for a restart, %v", p.Total, err)
	}
	want("waits for a restart", device(two, byID), "")
	want("one is left", device(one, byID), strings.Replace(openssl, "on 2", "on 1", 1)+"; "+curl)
}

// A device's update says whether the device itself has an active alert, which a
// filter finds, and apart from that how many others that lack it have one, of those
// that are looked at; a product's says of all. Who installs it, or whose alert is
// resolved, is counted no more.
func TestMissingUpdatesSayAlerts(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "curl CVE-2024-0003 resolved 7.88-2")
	list := filepath.Join(t.TempDir(), "list")
	text := "[02 Jan 2026] DSA-6001-1 curl - security update\n\t{CVE-2024-0003}\n\t[bookworm] - curl 7.88-2\n" +
		"[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.2-1\n"
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, list)
	report := newReport(s, enrol(t, s, "one"))
	report.send(t, "openssl 3.0.1-1", "curl 7.88-2")
	one, two := &life{t: t, s: s, id: report.id, seqs: map[ev.Kind]uint64{}, now: time.Now().UTC().Add(-time.Hour)}, newLife(t, s, "two", "openssl 3.0.1-1", "curl 7.88-1")
	mustTag(t, s, two.id, []string{"web"}, nil)
	web := admin
	web.Groups = []exposure.Group{mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web"))}
	first := one.start(1, 100, "sh")
	one.send(first)
	a := one.raise(alertOf(one, &first))
	type count struct{ here, elsewhere int }
	want := func(when string, caller Caller, want map[string]count) {
		t.Helper()
		for _, filter := range []map[string][]string{nil, {"threat": {"alert"}}} {
			p, err := s.DeviceUpdates(t.Context(), caller, string(two.id), Query{Filter: filter})
			got := map[string]count{}
			for _, r := range p.Items {
				got[r.ID] = count{r.Threats.Alerts, r.AlertsElsewhere}
			}
			left := maps.Clone(want)
			if filter != nil {
				maps.DeleteFunc(left, func(_ string, n count) bool { return n.here == 0 })
			}
			if err != nil || !maps.Equal(got, left) {
				t.Errorf("%s, filter %v: %v, %v, want %v", when, filter, got, err, left)
			}
		}
	}
	const openssl, curl = "DSA-6000-1", "DSA-6001-1"
	product := func(when string, alerted, elsewhere int) {
		t.Helper()
		p, err := s.SoftwareUpdates(t.Context(), admin, "debian-_-openssl", Query{})
		if err != nil || len(p.Items) != 1 || p.Items[0].Threats.Alerts != alerted || p.Items[0].AlertsElsewhere != elsewhere {
			t.Errorf("%s: %+v, %v, want %d devices with alerts", when, p.Items, err, alerted)
		}
	}
	want("one has an alert", admin, map[string]count{openssl: {0, 1}, curl: {0, 0}})
	want("of a group without it", web, map[string]count{openssl: {0, 0}, curl: {0, 0}})
	product("one has an alert", 1, 0)
	third := two.start(1, 102, "sh")
	two.send(third)
	c := two.raise(alertOf(two, &third))
	want("both have one", admin, map[string]count{openssl: {1, 1}, curl: {1, 0}})
	product("both have one", 2, 0)
	resolved := "Resolved"
	if err := s.UpdateAlerts(t.Context(), admin, []string{c.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	report.send(t, "openssl 3.0.2-1", "curl 7.88-2")
	want("one has the update", admin, map[string]count{openssl: {0, 0}, curl: {0, 0}})
	next := two.start(1, 101, "sh")
	two.send(next)
	b := two.raise(alertOf(two, &next))
	want("two has an alert again", admin, map[string]count{openssl: {1, 0}, curl: {1, 0}})
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID, b.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	want("resolved", admin, map[string]count{openssl: {0, 0}, curl: {0, 0}})
}
