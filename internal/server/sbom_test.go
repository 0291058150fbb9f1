package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// bom is a document about a Debian 12 system; packages are "name version source".
func bom(subject, made string, packages ...string) []byte {
	var parts []string
	for _, p := range packages {
		f := strings.Fields(p)
		parts = append(parts, fmt.Sprintf(`{"type":"library","name":%q,"version":%q,"purl":"pkg:deb/debian/%s@%s?arch=amd64&distro=debian-12&upstream=%s"}`, f[0], f[1], f[0], f[1], f[2]))
	}
	return fmt.Appendf(nil, `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":%q,"tools":{"components":[{"name":"syft"}]},
		"component":{"type":"container","name":%q}},"components":[%s]}`, made, subject, strings.Join(parts, ","))
}

// A device without an agent has the findings of its packages, which no other
// device has; a younger document replaces it, an older one does not.
func TestSBOMIsADevice(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2026-1 resolved 3.0.17-1", "openssl CVE-2026-2 open", "bash CVE-2026-3 open")
	agent := enrol(t, s, "a")
	newReport(s, agent).send(t, "bash 5.2 bash")

	res, err := s.ImportSBOM(ctx, admin, bom("shop:1", "2026-11-20T09:00:00Z", "libssl3 3.0.11-1 openssl"), SBOMImport{})
	if err != nil {
		t.Fatal(err)
	}
	if !res.New || res.Packages != 1 || res.Name != "shop:1" {
		t.Errorf("import = %+v", res)
	}
	equal(t, "findings", vulns(t, s, res.Device), "CVE-2026-1 fixed", "CVE-2026-2 open")
	list, err := s.WeaknessDevices(ctx, admin, "CVE-2026-2", Query{})
	if err != nil || list.Total != 1 || list.Items[0].ID != res.Device {
		t.Errorf("devices of the weakness that only the document has: %+v, %v", list, err)
	}
	d, err := s.Device(ctx, admin, string(res.Device))
	if err != nil || d.Source != "sbom" || d.Health != "Active" || d.SBOM == nil || d.SBOM.Subject != "container shop:1" || d.OSPlatform != "Debian" || d.Exposure == noData {
		t.Errorf("device = %+v, %v", d, err)
	}
	page, err := s.Devices(ctx, admin, Query{Filter: map[string][]string{"source": {"sbom"}}}, nil)
	if err != nil || page.Total != 1 || page.Items[0].ID != res.Device {
		t.Errorf("devices by source: %+v, %v", page, err)
	}

	// Older: refused, nothing changes.
	older := bom("shop:1", "2026-11-19T09:00:00Z", "libssl3 3.0.17-1 openssl")
	if _, err := s.ImportSBOM(ctx, admin, older, SBOMImport{}); !errors.Is(err, ErrConflict) {
		t.Errorf("an older document: %v", err)
	}
	equal(t, "findings after an older document", vulns(t, s, res.Device), "CVE-2026-1 fixed", "CVE-2026-2 open")
	// Younger: replaces; what is gone is closed with a reason.
	again, err := s.ImportSBOM(ctx, admin, bom("shop:1", "2026-11-21T09:00:00Z", "libssl3 3.0.17-1 openssl"), SBOMImport{})
	if err != nil || again.New || again.Device != res.Device {
		t.Errorf("a younger document: %+v, %v", again, err)
	}
	equal(t, "findings after a younger document", vulns(t, s, res.Device), "CVE-2026-2 open")
	equal(t, "closed", closedRows(t, s, res.Device), "CVE-2026-1 upgraded 3.0.11-1 → 3.0.17-1")
	// Forced: the older one after all. A kind of package that is gone is gone.
	if _, err := s.ImportSBOM(ctx, admin, bom("shop:1", "2026-11-01T09:00:00Z"), SBOMImport{Force: true}); err != nil {
		t.Errorf("forced: %v", err)
	}
	equal(t, "findings of a document without packages", vulns(t, s, res.Device))
	// The future: refused, since nothing could follow it.
	if _, err := s.ImportSBOM(ctx, admin, bom("shop:1", time.Now().Add(48*time.Hour).UTC().Format(time.RFC3339)), SBOMImport{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a document of the future: %v", err)
	}
	if _, err := s.ImportSBOM(ctx, admin, []byte(`{"bomFormat":"CycloneDX",`), SBOMImport{}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("half a document: %v", err)
	}
	if _, err := s.ImportSBOM(ctx, Caller{Name: "x", Permissions: []string{MachineRead}}, older, SBOMImport{}); !errors.Is(err, ErrDenied) {
		t.Errorf("without permission: %v", err)
	}

	// All of it is there after a restart, and 30 days later the device counts no more.
	if _, err := s.ImportSBOM(ctx, admin, bom("shop:1", "2026-11-22T09:00:00Z", "libssl3 3.0.11-1 openssl"), SBOMImport{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	equal(t, "findings after a restart", vulns(t, s, res.Device), "CVE-2026-1 fixed", "CVE-2026-2 open")
	counts := func() bool {
		s.core.mu.RLock()
		defer s.core.mu.RUnlock()
		_, _, ok := s.core.fleet.Scores().DeviceScore(s.core.byID[res.Device])
		return ok
	}
	if !counts() {
		t.Error("the device is in no score")
	}
	s.retire(time.Now().Add(outAfter + time.Hour))
	if counts() {
		t.Error("a device that was silent for 30 days is still in scores")
	}
	if _, err := s.ImportSBOM(ctx, admin, bom("shop:1", "2026-11-23T09:00:00Z", "libssl3 3.0.11-1 openssl"), SBOMImport{}); err != nil {
		t.Fatal(err)
	}
	if !counts() {
		t.Error("a new document does not bring the device back into scores")
	}
	if _, err := s.st.RegisterSBOM(ctx, agent, time.Now()); !errors.Is(err, store.ErrAgent) {
		t.Errorf("a device with an agent is taken for a document's: %v", err)
	}
}

// What is written of a device and read again has the same findings.
func TestSBOMOutAndIn(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2026-1 resolved 3.0.17-1", "openssl CVE-2026-2 open", "bash CVE-2026-3 open")
	agent := enrol(t, s, "a")
	newReport(s, agent).send(t, "libssl3 3.0.11-1 openssl", "bash 5.2 bash")
	want := vulns(t, s, agent)
	for _, format := range []string{"cyclonedx", "spdx"} {
		f, err := s.DeviceSBOM(t.Context(), admin, string(agent), format)
		if err != nil {
			t.Fatal(err)
		}
		var a, b bytes.Buffer
		if err := errors.Join(f.Write(&a), f.Write(&b)); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: two downloads differ, %v", format, err)
		}
		res, err := s.ImportSBOM(t.Context(), admin, a.Bytes(), SBOMImport{Name: "copy " + format})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, format, vulns(t, s, res.Device), want...)
	}
	if _, err := s.DeviceSBOM(t.Context(), admin, string(agent), "word"); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown format: %v", err)
	}
	if _, err := s.DeviceSBOM(t.Context(), admin, "nobody", "spdx"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown device: %v", err)
	}
}

// The command takes files; one that cannot be used stops no other.
func TestSBOMImportVerb(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json")
	if err := errors.Join(os.WriteFile(good, bom("x", "2026-11-20T09:00:00Z"), 0o600), os.WriteFile(bad, []byte("no"), 0o600)); err != nil {
		t.Fatal(err)
	}
	args, _ := json.Marshal(ImportArgs{Paths: []string{bad, good, filepath.Join(dir, "none"), dir}})
	raw, err := s.Admin(t.Context(), "sbom import", args, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	var list []FileResult[SBOMImported]
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 4 || list[0].Error == "" || list[1].Result == nil || list[2].Error == "" || list[3].Error == "" {
		t.Errorf("results = %s", raw)
	}
	args, _ = json.Marshal(ImportArgs{Paths: []string{good, good}, Name: "x"})
	if _, err := s.Admin(t.Context(), "sbom import", args, func(Progress) {}); !errors.Is(err, ErrInvalid) {
		t.Errorf("one name for two files: %v", err)
	}
}

// A removed device leaves the fleet and its findings close, exports of earlier
// moments and activities still know it, also after a restart; its document
// makes it a device again. One with an agent stays.
func TestRemoveDevice(t *testing.T) {
	t.Parallel()
	b := newExcepting(t)
	ctx := t.Context()
	load(t, b.s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	b.device("host", 0, "openssl 3.0.11-1~deb12u1")
	before := time.Now()
	document := bom("shop", "2026-11-20T09:00:00Z", "openssl 3.0.11-1~deb12u1 openssl", "bash 5.2 bash")
	res, err := b.s.ImportSBOM(ctx, admin, document, SBOMImport{})
	if err != nil {
		t.Fatal(err)
	}
	imported := time.Now()
	id := string(res.Device)
	b.make(NewException{Weakness: "CVE-2024-0001", Scope: ScopeDevices, Devices: []inventory.DeviceID{res.Device}})
	delta := func(since time.Time) (out []string) {
		t.Helper()
		e, err := b.s.ExportVulns(ctx, admin, ExportQuery{Since: since})
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range e.Devices {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range d.Rows {
				out = append(out, d.Name+" "+r.Weakness+" "+r.Status)
			}
		}
		return out
	}
	equal(t, "delta since before", delta(before), "shop CVE-2024-0001 New")
	if err := b.s.RemoveDevice(ctx, admin, string(b.boxes["host"].id)); !errors.Is(err, ErrConflict) {
		t.Errorf("a device with an agent: %v", err)
	}
	if host, err := b.s.DeviceRemoval(ctx, admin, string(b.boxes["host"].id)); err != nil || host.Refused == "" {
		t.Errorf("preview of a device with an agent: %+v, %v", host, err)
	}
	if err := b.s.RemoveDevice(ctx, Caller{Name: "x"}, id); !errors.Is(err, ErrDenied) {
		t.Errorf("without permission: %v", err)
	}
	got, err := b.s.DeviceRemoval(ctx, admin, id)
	if err != nil || got.Name != "shop" || got.Software != 2 || got.Weaknesses != 1 || got.Exceptions != 1 || got.Subject != res.Subject || got.Refused != "" {
		t.Errorf("preview = %+v, %v", got, err)
	}
	if err := b.s.RemoveDevice(ctx, admin, id); err != nil {
		t.Fatal(err)
	}
	gone := func(when string) {
		t.Helper()
		if _, err := b.s.Device(ctx, admin, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", when, err)
		}
		page, err := b.s.Devices(ctx, admin, Query{}, nil)
		if err != nil || page.Total != 1 {
			t.Errorf("%s: %d devices, %v", when, page.Total, err)
		}
		w, err := b.s.Weakness(ctx, admin, "CVE-2024-0001")
		if err != nil || w.Exposed != 1 {
			t.Errorf("%s: exposed on %d, %v", when, w.Exposed, err)
		}
		equal(t, when+": delta since the import", delta(imported), "shop CVE-2024-0001 Fixed")
		equal(t, when+": delta since before", delta(before))
		if err := b.s.RemoveDevice(ctx, admin, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s, again: %v", when, err)
		}
	}
	gone("removed")
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	gone("after a restart")
	a, err := b.s.st.Device(ctx, res.Device)
	if err != nil || a.RemovedBy != admin.Name || a.Removed.IsZero() {
		t.Errorf("the record of who did it: %+v, %v", a, err)
	}
	back, err := b.s.ImportSBOM(ctx, admin, document, SBOMImport{})
	if err != nil || !back.New || back.Device != res.Device {
		t.Fatalf("imported again: %+v, %v", back, err)
	}
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	d, err := b.s.Device(ctx, admin, id)
	if err != nil || d.Weaknesses != 1 || !d.FirstSeen.After(imported) {
		t.Errorf("the device again: %+v, %v", d.DeviceRow, err)
	}
	closed, err := b.s.DeviceClosed(ctx, admin, id, Query{})
	if err != nil || closed.Total != 1 || closed.Items[0].Detail != "the device was removed by "+admin.Name {
		t.Errorf("closed = %+v, %v", closed, err)
	}
	equal(t, "delta since before, with the device again", delta(before), "shop CVE-2024-0001 New")
}

// A removed device that comes back with nothing is what it is from then on; what
// it had is in a delta from before its removal, and it is told that it is gone.
func TestEmptyDocumentAfterRemoval(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	res, err := s.ImportSBOM(ctx, admin, bom("shop", "2026-11-20T09:00:00Z", "openssl 3.0.11-1~deb12u1 openssl"), SBOMImport{})
	if err != nil {
		t.Fatal(err)
	}
	imported := time.Now()
	if err := s.RemoveDevice(ctx, admin, string(res.Device)); err != nil {
		t.Fatal(err)
	}
	told := func(when string) {
		t.Helper()
		equal(t, when+": delta since the import", deltaOf(t, s, imported), "shop CVE-2024-0001 Fixed")
	}
	told("removed")
	// It is known again before its document is: exports in between still know what it was.
	a, err := s.st.Device(ctx, res.Device)
	if err != nil {
		t.Fatal(err)
	}
	s.core.mu.Lock()
	s.core.add(a)
	s.core.mu.Unlock()
	told("known again")
	back, err := s.ImportSBOM(ctx, admin, bom("shop", "2026-11-21T09:00:00Z"), SBOMImport{})
	if err != nil || back.Device != res.Device {
		t.Fatalf("%+v, %v", back, err)
	}
	told("with an empty document")
}

// deltaOf lists what changed since a moment: device, weakness and status.
func deltaOf(t *testing.T, s *Server, since time.Time) (got []string) {
	t.Helper()
	e, err := s.ExportVulns(t.Context(), admin, ExportQuery{Since: since})
	if err != nil {
		t.Fatal(err)
	}
	for d, err := range e.Devices {
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range d.Rows {
			got = append(got, d.Name+" "+r.Weakness+" "+r.Status)
		}
	}
	return got
}

// A name belongs to the host that has it; where more devices have it, errors
// name them, and the command line always asks.
func TestDeviceNames(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 open")
	r := newReport(s, enrol(t, s, "web"))
	r.send(t, "openssl 3.0.11-1 openssl")
	host, err := s.Device(ctx, admin, string(r.id))
	if err != nil {
		t.Fatal(err)
	}
	var bills []string
	for _, subject := range []string{"one", "two"} {
		text := strings.ReplaceAll(string(bom(subject, "2026-11-20T09:00:00Z", "openssl 3.0.11-1 openssl")), `"container"`, fmt.Sprintf("%q, %q: %q", "container", "bom-ref", subject))
		res, err := s.ImportSBOM(ctx, admin, []byte(text), SBOMImport{})
		if err != nil {
			t.Fatal(err)
		}
		bills = append(bills, string(res.Device))
		s.core.mu.Lock()
		d := s.core.matches(string(res.Device))[0]
		d.sum.Name = host.Name
		s.core.mu.Unlock()
	}
	if d, err := s.Device(ctx, admin, host.Name); err != nil || d.ID != host.ID {
		t.Errorf("by name: %v, %v; want the host", d.ID, err)
	}
	if d, err := s.Device(ctx, admin, bills[0]); err != nil || string(d.ID) != bills[0] {
		t.Errorf("by id: %v, %v", d.ID, err)
	}
	names := func(err error, ids ...string) {
		t.Helper()
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%v", err)
			return
		}
		for _, id := range ids {
			if !strings.Contains(err.Error(), id) {
				t.Errorf("%v does not name %s", err, id)
			}
		}
	}
	explain := func(device string) error {
		_, err := explainVerb(ctx, s, fmt.Appendf(nil, `{"device":%q,"weakness":"CVE-2024-0001"}`, device), func(Progress) {})
		return err
	}
	names(explain(host.Name), append(bills, string(host.ID))...)
	if err := explain(bills[1]); err != nil {
		t.Errorf("by id: %v", err)
	}
	s.core.mu.Lock()
	s.core.matches(string(host.ID))[0].sum.Name = "other"
	s.core.mu.Unlock()
	_, err = s.Device(ctx, admin, host.Name)
	names(err, bills...)
}
