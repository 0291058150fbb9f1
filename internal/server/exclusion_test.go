package server

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// An excluded device leaves the scores and every list over devices, stays in the list
// of devices with who did it and why, and is as before when it is taken in again. A
// restart changes nothing, and connecting brings it back to no list.
func TestExcludedDevicesLeaveScoresAndLists(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	out, in := newReport(s, enrol(t, s, "out")), newReport(s, enrol(t, s, "in"))
	out.send(t, "openssl 3.0.11-1~deb12u1")
	in.send(t, "openssl 3.0.11-1~deb12u1")
	both, score := tvm(t, s), scoreNow(t, s)
	if score.Devices != 2 {
		t.Fatalf("%d devices count, want 2", score.Devices)
	}
	if err := s.SetExclusion(t.Context(), admin, string(out.id), &Exclusion{Reason: "duplicate", Comment: " of in "}); err != nil {
		t.Fatal(err)
	}
	gone := func(what string) {
		t.Helper()
		if got, want := tvm(t, s), strings.ReplaceAll(strings.ReplaceAll(both, " 2", " 1"), "CVE-1", "CVE-2"); got != want {
			t.Errorf("%s:\n%s, want\n%s", what, got, want)
		}
		if v := scoreNow(t, s); v.Devices != 1 {
			t.Errorf("%s: %d devices count, want 1", what, v.Devices)
		}
		row := one(t, s, out.id)
		if row.Exclusion == nil || row.Exclusion.Reason != "duplicate" || row.Exclusion.Comment != "of in" || row.Exclusion.By != admin.Name || row.Exclusion.At.IsZero() {
			t.Errorf("%s: its exclusion is %+v", what, row.Exclusion)
		}
		if row.Exposure != noData || !strings.Contains(row.NoData, "excluded") || row.Weaknesses != 1 {
			t.Errorf("%s: exposure %s (%s), %d weaknesses", what, row.Exposure, row.NoData, row.Weaknesses)
		}
		for word, want := range map[string]inventory.DeviceID{"true": out.id, "false": in.id} {
			if p, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"excluded": {word}}}, nil); err != nil || p.Total != 1 || p.Items[0].ID != want {
				t.Errorf("%s: excluded=%s: %+v, %v, want %s", what, word, p.Items, err, want)
			}
		}
	}
	gone("excluded")
	for query, want := range map[string]string{"IsExcluded and ExclusionReason == 'duplicate'": string(out.id), "not(IsExcluded) and isempty(ExclusionReason)": string(in.id)} {
		if got, _ := hunted(t, s, admin, "DeviceInfo | where "+query+" | project DeviceId"); len(got) != 1 || got[0] != want {
			t.Errorf("hunting: %s: %q", query, got)
		}
	}
	s.connectionChanged(out.id, true)
	gone("connected")
	out.send(t, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10")
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	if v := scoreNow(t, s); v.Devices != 1 {
		t.Errorf("after a report: %d devices count, want 1", v.Devices)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	gone("after a restart")
	for range 2 { // the second time it changes nothing
		if err := s.SetExclusion(t.Context(), admin, string(out.id), nil); err != nil {
			t.Fatal(err)
		}
	}
	if v := scoreNow(t, s); v.Devices != 2 {
		t.Errorf("taken in again: %d devices count, want 2", v.Devices)
	}
	if row := one(t, s, out.id); row.Exclusion != nil || row.Exposure == noData || row.NoData != "" {
		t.Errorf("taken in again: %+v, exposure %s (%s)", row.Exclusion, row.Exposure, row.NoData)
	}
}

// What is not a reason, or does not say which, excludes nothing; who does not see a
// device or may not change devices cannot exclude it.
func TestExclusionRefused(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "one"))
	for what, e := range map[string]Exclusion{"a word that is no reason": {Reason: "ugly"}, "no reason": {}, "other without a comment": {Reason: "other", Comment: " "},
		"a long comment": {Reason: "duplicate", Comment: strings.Repeat("x", mostExclusionComment+1)}} {
		if err := s.SetExclusion(t.Context(), admin, string(r.id), &e); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, c := range map[string]struct {
		who  Caller
		want error
	}{
		"who only reads":              {Caller{Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}, ErrDenied},
		"who does not see the device": {Caller{Permissions: []string{MachineReadWrite}, Scope: exposure.Within(7)}, ErrNotFound},
	} {
		if err := s.SetExclusion(t.Context(), c.who, string(r.id), &Exclusion{Reason: "inactive"}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if row := one(t, s, r.id); row.Exclusion != nil {
		t.Errorf("excluded: %+v", row.Exclusion)
	}
}
