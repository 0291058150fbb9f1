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
