package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// tvm is what every list over devices says of openssl and CVE-2024-0001, as text.
func tvm(t *testing.T, s *Server) string {
	t.Helper()
	var b strings.Builder
	soft, err := s.SoftwareList(t.Context(), admin, Query{Text: "openssl"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range soft.Items {
		fmt.Fprintf(&b, "software %s installed %d exposed %d; ", r.ID, r.Installed, r.Exposed)
	}
	weak, err := s.Weaknesses(t.Context(), admin, Query{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range weak.Items {
		fmt.Fprintf(&b, "%s exposed %d affected %d; ", r.ID, r.Exposed, r.Affected)
	}
	recs, err := s.Recommendations(t.Context(), admin, Query{Filter: map[string][]string{"type": {RemedyUpdate}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs.Items {
		devs, err := s.RecommendationDevices(t.Context(), admin, r.ID, Query{})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s exposed %d of %d, listed %d; ", r.ID, r.Exposed, r.Installed, devs.Total)
	}
	devs, err := s.SoftwareDevices(t.Context(), admin, "debian-_-openssl", Query{})
	if err == nil {
		fmt.Fprintf(&b, "installed on %d; ", devs.Total)
	}
	return b.String()
}

// one returns the row of a device.
func one(t *testing.T, s *Server, id inventory.DeviceID) DeviceRow {
	t.Helper()
	d, err := s.Device(t.Context(), admin, string(id))
	if err != nil {
		t.Fatal(err)
	}
	return d.DeviceRow
}

// A device that was silent for thirty days leaves every list over devices, as
// it leaves the scores; it is still there itself, with what it last had, and
// all is as before when it comes back. A restart changes nothing.
func TestSilentDevicesLeaveLists(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	quiet, live := newReport(s, enrol(t, s, "quiet")), newReport(s, enrol(t, s, "live"))
	quiet.send(t, "openssl 3.0.11-1~deb12u1")
	live.send(t, "openssl 3.0.11-1~deb12u1")
	both := tvm(t, s)
	if want := "software debian-_-openssl installed 2 exposed 2; CVE-2024-0001 exposed 2 affected 2; va-_-debian-_-openssl exposed 2 of 2, listed 2; installed on 2; "; both != want {
		t.Fatalf("with both devices:\n%s, want\n%s", both, want)
	}
	s.connectionChanged(live.id, true)
	s.retire(time.Now().Add(31 * 24 * time.Hour))
	s.core.mu.Lock()
	s.core.at(s.core.byID[quiet.id]).agent.LastSeen = time.Now().Add(-31 * 24 * time.Hour)
	s.core.mu.Unlock()
	if got, want := tvm(t, s), strings.ReplaceAll(strings.ReplaceAll(both, " 2", " 1"), "CVE-1", "CVE-2"); got != want {
		t.Errorf("with one of them silent:\n%s, want\n%s", got, want)
	}
	row := one(t, s, quiet.id)
	if row.Health != "Inactive" || row.Exposure != noData || !strings.Contains(row.NoData, "30 days") || row.Weaknesses != 1 || row.Software != 1 {
		t.Errorf("the silent device: %s, exposure %s (%s), %d weaknesses of %d products; want Inactive, no data and 1 of 1", row.Health, row.Exposure, row.NoData, row.Weaknesses, row.Software)
	}
	// What is learned meanwhile holds for it when it comes back.
	load(t, s, "later.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 resolved 3.0.16-1~deb12u1")
	if row := one(t, s, quiet.id); row.Weaknesses != 2 {
		t.Errorf("the silent device has %d weaknesses after the second became known, want 2", row.Weaknesses)
	}
	s.connectionChanged(quiet.id, true)
	if got := tvm(t, s); !strings.Contains(got, "CVE-2024-0001 exposed 2") || !strings.Contains(got, "CVE-2024-0002 exposed 2") || !strings.Contains(got, "installed 2 exposed 2") {
		t.Errorf("with the silent one back:\n%s", got)
	}
	if row := one(t, s, quiet.id); row.Exposure == noData || row.NoData != "" {
		t.Errorf("the device that is back has exposure %s (%s)", row.Exposure, row.NoData)
	}
}

// What only a silent device has is still listed for the device, on one device.
func TestSilentDeviceTables(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	quiet := newReport(s, enrol(t, s, "quiet"))
	quiet.send(t, "openssl 3.0.11-1~deb12u1")
	s.retire(time.Now().Add(31 * 24 * time.Hour))
	weak, err := s.DeviceWeaknessTable(t.Context(), admin, string(quiet.id), WeaknessTableQuery{RowQuery: RowQuery[WeaknessColumns]{Limit: -1}})
	if err != nil || len(weak.Rows) != 1 || weak.Rows[0].ID != "CVE-2024-0001" || weak.Rows[0].Exposed != 1 {
		t.Errorf("weaknesses: %+v, %v", weak.Rows, err)
	}
	software, err := s.DeviceSoftwareTable(t.Context(), admin, string(quiet.id), RowQuery[SoftwareRow]{Limit: -1})
	if err != nil || len(software.Rows) != 1 || software.Rows[0].Installed != 1 || software.Rows[0].Exposed != 1 {
		t.Errorf("software: %+v, %v", software.Rows, err)
	}
	if all, err := s.WeaknessTable(t.Context(), admin, WeaknessTableQuery{RowQuery: RowQuery[WeaknessColumns]{Limit: -1}}); err != nil || len(all.Rows) != 0 {
		t.Errorf("all weaknesses: %+v, %v", all.Rows, err)
	}
}

// A device of which nothing could be judged has no exposure level, says why,
// and makes no score look better; with intelligence for it, it counts.
func TestNothingAssessedIsNoData(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	row := one(t, s, r.id)
	if row.Exposure != noData || !strings.Contains(row.NoData, "no loaded feed covers Debian 12") {
		t.Errorf("without intelligence: exposure %s, because %q", row.Exposure, row.NoData)
	}
	if v := scoreNow(t, s); v.Devices != 0 || v.Levels != (LevelCount{}) {
		t.Errorf("it counts in the score: %+v", v)
	}
	if secure, err := s.SecureScore(t.Context(), admin); err != nil || secure.Max == 0 {
		t.Errorf("its configuration counts nowhere: %+v, %v", secure, err)
	}
	load(t, s, "tracker.json", "curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	if v := scoreNow(t, s); v.Devices != 1 {
		t.Errorf("with intelligence for it %d devices count, want 1", v.Devices)
	}
	if row := one(t, s, r.id); row.Exposure == noData || row.NoData != "" {
		t.Errorf("with intelligence: exposure %s, because %q", row.Exposure, row.NoData)
	}
	// The feed speaks of another release only: what was judged cannot be any more.
	path := filepath.Join(t.TempDir(), "tracker-2030-01-01.json")
	other := `{"curl": {"CVE-2024-0004": {"releases": {"trixie": {"status": "open", "urgency": "not yet assigned", "repositories": {}}}}}}`
	if err := os.WriteFile(path, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
	if v := scoreNow(t, s); v.Devices != 0 {
		t.Errorf("with intelligence for another release %d devices count, want none", v.Devices)
	}
	if row := one(t, s, r.id); row.Exposure != noData || !strings.Contains(row.NoData, "no loaded feed covers Debian 12") {
		t.Errorf("with intelligence for another release: exposure %s, because %q", row.Exposure, row.NoData)
	}
}
