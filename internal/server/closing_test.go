package server

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// give imports a file with this content.
func give(t *testing.T, s *Server, name, content string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, path)
}

// sections reports any sections.
func (r *report) sections(t *testing.T, list ...*inventory.Section) {
	t.Helper()
	var deltas []inventory.Delta
	for _, sec := range list {
		sec.SeenAt = time.Now().UTC()
		sec.Seal()
		deltas = append(deltas, inventory.Diff(r.held[sec.Name], sec))
		r.held[sec.Name] = sec
	}
	r.seq++
	if _, err := r.s.ingest(t.Context(), r.id, r.seq, deltas); err != nil {
		t.Fatal(err)
	}
}

func oneItem(name inventory.SectionName, key string, v any) *inventory.Section {
	s := inventory.NewSection(name, inventory.Complete, "")
	s.Put(key, v)
	return s
}

// A record that its authority rejected, or that its database withdrew, closes
// the findings of it, whatever other feeds still say.
func TestRejectedAndWithdrawnCloseFindings(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	r.send(t, "libssl3 3.0.1-1 openssl")
	r.sections(t, oneItem(inventory.Python, "django@x", inventory.Package{Ecosystem: inventory.EcoPyPI, Name: "django", Version: "4.1", Paths: []string{"/x"}}))
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 open")
	osv := func(more string) string {
		return `{"schema_version":"1.6.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2026-0` + more + `,"published":"2024-01-01T00:00:00Z","summary":"S","details":"D",
			"affected":[{"package":{"ecosystem":"PyPI","name":"django"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"4.2"}]}]}]}`
	}
	give(t, s, "a.json", osv(`1-01T00:00:00Z"`))
	equal(t, "before", vulns(t, s, id), "CVE-2024-0001 fixed", "CVE-2024-0002 open", "GHSA-aaaa-bbbb-cccc fixed")

	give(t, s, "cve.json", `{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-0001","state":"REJECTED","dateUpdated":"2026-02-01T00:00:00Z"},
		"containers":{"cna":{"rejectedReasons":[{"lang":"en","value":"No flaw."}]}}}`)
	give(t, s, "a.json", osv(`2-01T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z"`))
	equal(t, "after", vulns(t, s, id), "CVE-2024-0002 open")
	equal(t, "closed", closedRows(t, s, id), "CVE-2024-0001 rejected the record was rejected or withdrawn", "GHSA-aaaa-bbbb-cccc rejected the record was rejected or withdrawn")
}

// A reboot into the fixed kernel and the restart of a process that still used
// old files close their findings, and say so.
func TestRebootAndRestartCloseFindings(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	load(t, s, "tracker-2026-01-01.json", "linux CVE-2025-0001 resolved 6.1.129-1", "openssl CVE-2024-0001 resolved 3.0.2-1")
	r.send(t, "linux-image-6.1.0-31-amd64 6.1.128-1 linux", "linux-image-6.1.0-32-amd64 6.1.129-1 linux", "libssl3 3.0.2-1 openssl")
	kernel := func(release, version string) *inventory.Section {
		return oneItem(inventory.Kernel, "running", inventory.KernelFact{Release: release, Package: "linux-image-" + release, PackageVersion: version})
	}
	need := oneItem(inventory.Restart, "libssl3", inventory.RestartNeed{Package: "libssl3", Source: "openssl", Installed: "3.0.2-1", RunningVersion: "3.0.1-1",
		Paths: []string{"/usr/lib/libssl.so.3"}, Processes: []inventory.Process{{PID: 7, Name: "nginx"}}})
	r.sections(t, kernel("6.1.0-31-amd64", "6.1.128-1"), need)
	equal(t, "before", vulns(t, s, id), "CVE-2024-0001 restart-needed", "CVE-2025-0001 restart-needed")

	r.sections(t, kernel("6.1.0-32-amd64", "6.1.129-1"), inventory.NewSection(inventory.Restart, inventory.Complete, ""))
	got := vulns(t, s, id)
	if len(got) != 1 || got[0] != "CVE-2025-0001 latent-kernel" {
		t.Errorf("after = %q, want only the old kernel on disk", got)
	}
	closed := strings.Join(closedRows(t, s, id), "\n")
	for _, want := range []string{"CVE-2024-0001 restarted the processes that used 3.0.1-1 ended", "CVE-2025-0001 kernel-changed 6.1.128-1 → 6.1.129-1"} {
		if !strings.Contains(closed, want) {
			t.Errorf("want %q in\n%s", want, closed)
		}
	}
}

// What the intelligence closed before a device had the package is no news of that device.
func TestClosedBeforeADeviceCame(t *testing.T) {
	s := testServer(t)
	first := enrol(t, s, "a")
	newReport(s, first).send(t, "libssl3 3.0.1-1 openssl")
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1")
	load(t, s, "tracker-2026-02-01.json", "openssl CVE-2024-0001 resolved 3.0.0-1")
	later := enrol(t, s, "b")
	newReport(s, later).send(t, "libssl3 3.0.1-1 openssl")
	s.core.mu.Lock() // it comes some seconds later
	d := s.core.matches(string(later))[0]
	held := d.held.List()
	for i := range held {
		held[i].Since += 5
	}
	d.held = store.Hold(held)
	s.core.mu.Unlock()
	equal(t, "closed on the first", closedRows(t, s, first), "CVE-2024-0001 advisory-changed no loaded feed says any more that openssl 3.0.1-1 has it")
	equal(t, "closed on the later", closedRows(t, s, later))
}

// A weakness of several components is one row, in the state that counts most.
func TestStateOfAWeaknessInSeveralComponents(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	r := newReport(s, id)
	load(t, s, "tracker-2026-01-01.json", "linux CVE-2025-0001 open")
	r.send(t, "linux-image-6.1.0-1-amd64 6.1.8-1 linux", "linux-image-6.1.0-2-amd64 6.1.9-1 linux", "linux-libc-dev 6.1.7-1 linux")
	r.sections(t, oneItem(inventory.Kernel, "running", inventory.KernelFact{Release: "6.1.0-2-amd64", Package: "linux-image-6.1.0-2-amd64", PackageVersion: "6.1.9-1"}))
	equal(t, "with a kernel that runs", vulns(t, s, id), "CVE-2025-0001 open")
	r.sections(t, oneItem(inventory.Kernel, "running", inventory.KernelFact{Release: "6.1.0-9-other"}))
	equal(t, "with images that do not run", vulns(t, s, id), "CVE-2025-0001 latent-kernel")
}

func TestDeviceHealth(t *testing.T) {
	now := time.Date(2026, 7, 10, 0, 0, 0, 0, time.UTC)
	known := summary{OSID: "debian"}
	for _, tt := range []struct {
		name   string
		device *device
		want   string
	}{
		{"nothing reported", &device{}, "NoSensorData"},
		{"seen an hour ago", &device{sum: known, agent: store.Device{LastSeen: now.Add(-time.Hour)}}, "Active"},
		{"seen a week and an hour ago", &device{sum: known, agent: store.Device{LastSeen: now.Add(-7*24*time.Hour - time.Hour)}}, "Inactive"},
		{"reports were lost an hour ago", &device{sum: known, online: true, agent: store.Device{LostAt: now.Add(-time.Hour)}}, "ImpairedCommunication"},
		{"reports were lost two days ago", &device{sum: known, online: true, agent: store.Device{LostAt: now.Add(-48 * time.Hour)}}, "Active"},
		{"lost and silent since", &device{sum: known, agent: store.Device{LastSeen: now.Add(-8 * 24 * time.Hour), LostAt: now.Add(-time.Hour)}}, "Inactive"},
		{"connected since long", &device{sum: known, online: true, agent: store.Device{LastSeen: now.AddDate(0, -1, 0)}}, "Active"},
	} {
		if got := tt.device.health(now); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// An agent that had to drop reports, or reports of which were refused, is impaired
// in every list at once, and after a restart too; one that dropped some once is not
// for ever.
func TestLostReportsImpairADevice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	lossy, refused, fine := enrol(t, s, "lossy"), enrol(t, s, "refused"), enrol(t, s, "fine")
	for _, id := range []inventory.DeviceID{lossy, refused, fine} {
		newReport(s, id).send(t, "bash 5.2")
	}
	impaired := func(want ...string) {
		t.Helper()
		p, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"health": {"ImpairedCommunication"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, r := range p.Items {
			got = append(got, string(r.ID))
		}
		slices.Sort(got)
		slices.Sort(want)
		equal(t, "impaired", got, want...)
	}
	impaired()
	now := time.Now()
	s.gate.mu.Lock()
	s.gate.signs = map[inventory.DeviceID]store.Sign{lossy: {At: now, Dropped: 3}, refused: {At: now, Rejected: 1}, fine: {At: now, Queued: 5}}
	s.gate.mu.Unlock()
	s.gate.flush(t.Context())
	impaired(string(lossy), string(refused))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	t.Cleanup(func() { _ = s.Close() })
	impaired(string(lossy), string(refused))
	later := now.Add(25 * time.Hour)
	s.reportsLost(lossy, store.Sign{At: later, Dropped: 3}) // what it said before
	s.core.mu.RLock()
	at := s.core.at(s.core.byID[lossy]).agent.LostAt
	s.core.mu.RUnlock()
	if at.After(now) {
		t.Errorf("the same reports were lost again at %v", at)
	}
	s.reportsLost(lossy, store.Sign{At: later, Dropped: 4})
	if p, err := s.Device(t.Context(), admin, string(lossy)); err != nil || p.Dropped != 4 {
		t.Errorf("dropped %d, %v", p.Dropped, err)
	}
}

// Lists that were looked at before show new facts of a weakness at once.
func TestListsShowNewFacts(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open", "openssl CVE-2024-0002 open")
	newReport(s, enrol(t, s, "a")).send(t, "libssl3 3.0.1-1 openssl")
	look := func(want advisory.Severity) {
		t.Helper()
		w, err := s.Weaknesses(t.Context(), admin, Query{Sort: []string{"id"}}, nil)
		if err != nil || len(w.Items) != 2 || w.Items[0].Severity != want || w.Items[1].Severity != advisory.Unrated {
			t.Errorf("weaknesses %+v, %v, want the first %s", w.Items, err, want)
		}
	}
	look(advisory.Unrated)
	give(t, s, "CVE-2024-0001.json", `{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{"cveId":"CVE-2024-0001","state":"PUBLISHED","dateUpdated":"2026-02-01T00:00:00Z"},"containers":{"cna":{"descriptions":[{"lang":"en","value":"D"}],"metrics":[{"cvssV3_1":{"version":"3.1","vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H","baseScore":9.8}}]}}}`)
	look(advisory.Critical)
}
