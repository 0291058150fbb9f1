package server

import (
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/posture"
)

// What a device with active alerts is exposed to says so in its own lists too,
// whatever the recommendation is; rows about what counts nothing, and rows of
// other devices, do not.
func TestRowsOfADeviceSayItsAlerts(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2024-0002 open", "bash CVE-2024-0003 undetermined")
	one, two := newLife(t, s, "one", "openssl 3.0.11-1~deb12u1", "curl 7.88"), newLife(t, s, "two", "openssl 3.0.11-1~deb12u1", "curl 7.88")
	const check = 3
	for _, l := range []*life{one, two} {
		judged(s, l.id, check, posture.Fail)
	}
	activity := request(t, s, "va-_-debian-_-openssl")
	first := one.start(1, 100, "sh")
	one.send(first)
	// marks are what rows of a device tell of alerts, and how many rows do not, of all.
	type marks struct {
		recs, weak, soft []string
		plain, all       int
	}
	of := func(l *life) (m marks) {
		t.Helper()
		see := func(into *[]string, id string, alerts int) {
			m.all++
			switch alerts {
			case 0:
				m.plain++
			case 1:
				*into = append(*into, id)
			default:
				t.Errorf("%s of one device has %d alerted devices", id, alerts)
			}
		}
		recs, err := s.DeviceRecommendations(t.Context(), admin, string(l.id), Query{Sort: []string{"name"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs.Items {
			see(&m.recs, r.Type, r.Threats.Alerts)
		}
		weak, err := s.DeviceVulns(t.Context(), admin, string(l.id), Query{Sort: []string{"id"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range weak.Items {
			see(&m.weak, r.ID, r.Threats.Alerts)
		}
		soft, err := s.DeviceSoftware(t.Context(), admin, string(l.id), Query{Sort: []string{"name"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range soft.Items {
			see(&m.soft, r.Name, r.Threats.Alerts)
		}
		slices.Sort(m.recs)
		m.recs = slices.Compact(m.recs)
		return m
	}
	const all = -1
	same := func(when string, got marks, recs, weak, soft []string, plain int) {
		t.Helper()
		if plain == all {
			plain = got.all
		}
		if got.all < 9 || !slices.Equal(got.recs, recs) || !slices.Equal(got.weak, weak) || !slices.Equal(got.soft, soft) || got.plain != plain {
			t.Errorf("%s: %+v", when, got)
		}
	}
	same("no alert yet", of(one), nil, nil, nil, all)
	a := one.raise(alertOf(one, &first))
	same("with an alert", of(one), []string{RemedyAttention, RemedyConfigure, RemedyUpdate}, []string{"CVE-2024-0001", "CVE-2024-0002"}, []string{"curl", "openssl"}, 2)
	same("another device", of(two), nil, nil, nil, all)

	only, err := s.DeviceSoftware(t.Context(), admin, string(one.id), Query{Filter: map[string][]string{"threat": {"alert"}}})
	if err != nil || only.Total != 2 {
		t.Errorf("software with the threat: %d, %v", only.Total, err)
	}
	devs, err := s.WeaknessDevices(t.Context(), admin, "CVE-2024-0001", Query{Sort: []string{"name"}})
	if err != nil || len(devs.Items) != 2 {
		t.Fatalf("devices of a weakness: %+v, %v", devs.Items, err)
	}
	for _, d := range devs.Items {
		if (d.Alerts == 1) != (d.ID == one.id) {
			t.Errorf("below the weakness %s has %d alerts", d.Name, d.Alerts)
		}
	}
	targets, err := s.RemediationDevices(t.Context(), admin, activity.ID, Query{})
	if err != nil || len(targets.Items) != 2 {
		t.Fatalf("targets: %+v, %v", targets.Items, err)
	}
	for _, d := range targets.Items {
		if (d.Alerts == 1) != (d.ID == one.id) {
			t.Errorf("the target %s has %d alerts", d.Name, d.Alerts)
		}
	}
	resolved := "Resolved"
	if err := s.UpdateAlerts(t.Context(), admin, []string{a.ID}, AlertChange{Status: &resolved}); err != nil {
		t.Fatal(err)
	}
	same("resolved", of(one), nil, nil, nil, all)
}
