package server

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/vex"
)

// openvex is a document; statements are "CVE status justification purl".
func openvex(id, author, made string, statements ...string) []byte {
	var list []string
	for _, s := range statements {
		f := strings.Fields(s)
		list = append(list, fmt.Sprintf(`{"vulnerability":{"name":%q},"status":%q,"justification":%q,"products":[{"@id":%q}]}`, f[0], f[1], f[2], f[3]))
	}
	return fmt.Appendf(nil, `{"@context":"https://openvex.dev/ns/v0.2.0","@id":%q,"author":%q,"timestamp":%q,"version":1,"statements":[%s]}`, id, author, made, strings.Join(list, ","))
}

// pointsOf is what the findings of a device weigh now.
func pointsOf(t *testing.T, s *Server, id string) uint64 {
	t.Helper()
	d, err := s.DeviceScore(t.Context(), admin, id)
	if err != nil {
		t.Fatal(err)
	}
	return d.Points
}

// What a document says is not affected leaves the score, by exactly matched
// package URLs alone; a later one that says otherwise, and removal, bring it back.
func TestVEXIn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2026-1001 resolved 3.0.17-1", "openssl CVE-2026-1002 open", "bash CVE-2026-1003 open")
	res, err := s.ImportSBOM(ctx, admin, bom("shop", "2026-11-20T09:00:00Z", "libssl3 3.0.11-1 openssl", "bash 5.2 bash"), SBOMImport{})
	if err != nil {
		t.Fatal(err)
	}
	id := string(res.Device)
	all := pointsOf(t, s, id)
	doc := func(made string, statements ...string) VEXDocument {
		t.Helper()
		r, err := s.ImportVEX(ctx, admin, openvex("https://x.test/1", "X", made, statements...), false)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := doc("2026-11-20T09:00:00Z",
		"CVE-2026-1001 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian-12",
		"CVE-2026-1002 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@3.0.12-1",
		"CVE-2026-1002 not_affected vulnerable_code_not_present pkg:deb/ubuntu/openssl@3.0.11-1",
		"CVE-2026-1002 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@3.0.11-1?distro=debian-11",
		"CVE-2026-1002 not_affected vulnerable_code_not_present pkg:npm/openssl@3.0.11-1",
		"CVE-2026-9999 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@3.0.11-1",
		"CVE-2026-1003 under_investigation - pkg:deb/debian/bash",
		"CVE-2026-1002 not_affected vulnerable_code_not_present OpenSSL")
	if r.Statements != 8 || r.Matched != 2 || r.Exceptions != 1 || r.UnmatchedCount != 6 || len(r.Unmatched) != 6 {
		t.Errorf("import = %+v", r)
	}
	for _, u := range r.Unmatched {
		if u.Reason == "" || u.Product == "" {
			t.Errorf("unmatched without a reason: %+v", u)
		}
	}
	one := pointsOf(t, s, id)
	if one >= all {
		t.Errorf("points = %d with the document, %d without", one, all)
	}
	list, err := s.Exceptions(ctx, admin, Query{})
	if err != nil || list.Total != 1 || list.Items[0].Source.Kind != "OpenVEX" || list.Items[0].Source.Author != "X" || list.Items[0].Weakness != "CVE-2026-1001" {
		t.Errorf("exceptions = %+v, %v", list, err)
	}
	// The findings stay countable.
	equal(t, "findings", vulns(t, s, res.Device), "CVE-2026-1001 fixed", "CVE-2026-1002 open", "CVE-2026-1003 open")
	if _, err := s.ImportVEX(ctx, admin, openvex("https://x.test/1", "X", "2026-11-19T09:00:00Z"), false); !errors.Is(err, ErrConflict) {
		t.Errorf("an older version: %v", err)
	}
	// A later document of the author says that it is affected after all.
	if _, err := s.ImportVEX(ctx, admin, openvex("https://x.test/2", "X", "2026-11-21T09:00:00Z", "CVE-2026-1001 affected - pkg:deb/debian/openssl"), false); err != nil {
		t.Fatal(err)
	}
	if n := pointsOf(t, s, id); n != all {
		t.Errorf("points = %d after a later document says affected, want %d", n, all)
	}
	if err := s.RemoveVEX(ctx, admin, "https://x.test/2"); err != nil {
		t.Fatal(err)
	}
	if n := pointsOf(t, s, id); n != one {
		t.Errorf("points = %d after that was removed, want %d", n, one)
	}
	// A younger version replaces the first.
	r = doc("2026-11-22T09:00:00Z", "CVE-2026-1002 fixed - pkg:deb/debian/openssl@3.0.11-1")
	if n := pointsOf(t, s, id); r.Exceptions != 1 || n >= all {
		t.Errorf("a younger version: %+v, %d points", r, n)
	}
	if err := s.RemoveVEX(ctx, admin, r.ID); err != nil {
		t.Fatal(err)
	}
	if n := pointsOf(t, s, id); n != all {
		t.Errorf("points = %d after removal, want %d", n, all)
	}
	if rows, err := s.VEXDocuments(ctx, admin, Query{}); err != nil || rows.Total != 0 {
		t.Errorf("documents = %+v, %v", rows, err)
	}
	if _, err := s.ImportVEX(ctx, Caller{Name: "x", Permissions: AppPermissions, Scope: exposure.Everywhere()}, nil, false); !errors.Is(err, ErrDenied) {
		t.Errorf("without permission: %v", err)
	}
}

// What is written names every exposed finding, and says what is known of it.
func TestVEXOut(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2026-1001 resolved 3.0.17-1", "openssl CVE-2026-1002 open", "bash CVE-2026-1003 undetermined")
	agent := enrol(t, s, "a")
	rep := newReport(s, agent)
	rep.send(t, "libssl3 3.0.11-1 openssl", "bash 5.2 bash")
	if _, err := s.ImportVEX(ctx, admin, openvex("https://x.test/1", "X", "2026-11-20T09:00:00Z", "CVE-2026-1002 not_affected - pkg:deb/debian/openssl"), false); err != nil {
		t.Fatal(err)
	}
	read := func(id string, f vex.Format) map[string]string {
		t.Helper()
		file, err := s.VEXReport(ctx, admin, id, string(f))
		if err != nil {
			t.Fatal(err)
		}
		var a, b bytes.Buffer
		if err := errors.Join(file.Write(&a), file.Write(&b)); err != nil || a.String() != b.String() {
			t.Errorf("%s: two writings differ, %v", f, err)
		}
		d, err := vex.Decode(a.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out := map[string]string{}
		for _, st := range d.Statements {
			for _, p := range st.Products {
				out[st.Weakness+" "+p.PURL] = string(st.Status)
			}
		}
		return out
	}
	const openssl, bash = " pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian-12", " pkg:deb/debian/bash@5.2?arch=source&distro=debian-12"
	for _, f := range []vex.Format{vex.OpenVEX, vex.CSAF, vex.CycloneDX} {
		for _, id := range []string{string(agent), ""} {
			got := read(id, f)
			for k, want := range map[string]string{"CVE-2026-1001" + openssl: "affected", "CVE-2026-1002" + openssl: "not_affected", "CVE-2026-1003" + bash: "under_investigation"} {
				if got[k] != want {
					t.Errorf("%s of %q: %s is %q, want %q (%v)", f, id, k, got[k], want, got)
				}
			}
		}
	}
	rep.send(t, "libssl3 3.0.17-1 openssl", "bash 5.2 bash")
	if got := read(string(agent), vex.OpenVEX); got["CVE-2026-1001 pkg:deb/debian/openssl@3.0.17-1?arch=source&distro=debian-12"] != "fixed" {
		t.Errorf("after the upgrade: %v", got)
	}
	empty := admin
	empty.Groups = []exposure.Group{99}
	file, err := s.VEXReport(ctx, empty, "", "openvex")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil || strings.Contains(b.String(), "CVE-") {
		t.Errorf("a group without devices: %s, %v", b.String(), err)
	}
}

// What came of a document's statements adds up; what removal would bring back
// is what it does bring back, also when an earlier document holds again.
func TestVEXStatementsAndRemoval(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2026-1001 resolved 3.0.17-1", "openssl CVE-2026-1002 open", "bash CVE-2026-1003 open")
	for _, name := range []string{"a", "b"} {
		newReport(s, enrol(t, s, name)).send(t, "libssl3 3.0.11-1 openssl", "bash 5.2 bash")
	}
	put := func(id, made string, statements ...string) VEXDocument {
		t.Helper()
		r, err := s.ImportVEX(ctx, admin, openvex(id, "X", made, statements...), false)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	put("first", "2026-11-20T09:00:00Z",
		"CVE-2026-1001 not_affected vulnerable_code_not_present pkg:deb/debian/openssl",
		"CVE-2026-1002 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@9",
		"CVE-2026-1003 not_affected vulnerable_code_not_present pkg:deb/debian/bash")
	put("second", "2026-11-21T09:00:00Z",
		"CVE-2026-1001 affected - pkg:deb/debian/openssl",
		"CVE-2026-1002 fixed - pkg:deb/debian/openssl",
		"CVE-2026-1003 fixed - pkg:deb/debian/bash")
	said := func(id string) []string {
		t.Helper()
		page, err := s.VEXStatements(ctx, admin, id, Query{Sort: []string{"weakness"}})
		if err != nil {
			t.Fatal(err)
		}
		doc, err := s.VEXDocument(ctx, admin, id)
		if err != nil {
			t.Fatal(err)
		}
		counts := map[string]int{VEXApplied: doc.Applied, VEXOverruled: doc.Overruled, VEXUnmatchedAs: doc.UnmatchedCount, VEXNotExcepted: doc.Matched - doc.Applied - doc.Overruled}
		var out []string
		for _, r := range page.Items {
			counts[r.Outcome]--
			if (r.Outcome == VEXApplied) != (r.Reason == "") {
				t.Errorf("%+v", r)
			}
			out = append(out, fmt.Sprint(r.Weakness, " ", r.Outcome, " ", r.Devices))
		}
		for o, n := range counts {
			if n != 0 {
				t.Errorf("%s: %s is %d too many in the row", id, o, n)
			}
		}
		return out
	}
	equal(t, "first", said("first"), "CVE-2026-1001 Overruled 2", "CVE-2026-1002 NotMatched 0", "CVE-2026-1003 Overruled 2")
	equal(t, "second", said("second"), "CVE-2026-1001 NotExcepted 2", "CVE-2026-1002 Applied 2", "CVE-2026-1003 Applied 2")
	only, err := s.VEXStatements(ctx, admin, "second", Query{Filter: map[string][]string{"outcome": {VEXApplied}}, Limit: 1})
	if err != nil || only.Total != 2 || len(only.Items) != 1 || only.Items[0].Software != "debian-_-openssl" {
		t.Errorf("filtered = %+v, %v", only, err)
	}
	// Excepted by nobody else: CVE-2026-1002 on both. CVE-2026-1003 is in the first document again.
	got, err := s.VEXRemoval(ctx, admin, "second")
	want := VEXRemoval{Exceptions: 2, Made: 2, Findings: 2, Weaknesses: []string{"CVE-2026-1002"}, Count: 1, Devices: 2}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("removal = %+v, %v, want %+v", got, err, want)
	}
	excepted := func() (out []string) {
		t.Helper()
		list, err := s.Exceptions(ctx, admin, Query{Filter: map[string][]string{"status": {StandsInEffect}}, Sort: []string{"name"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			if d, err := s.VEXDocument(ctx, admin, e.Document); err != nil || d.Document != e.Source.ID || e.Package == "" {
				t.Errorf("exception %+v: %v", e, err)
			}
			out = append(out, e.Weakness+" "+e.Source.ID)
		}
		return out
	}
	equal(t, "before", excepted(), "CVE-2026-1002 second", "CVE-2026-1003 second")
	if err := s.RemoveVEX(ctx, admin, "second"); err != nil {
		t.Fatal(err)
	}
	equal(t, "after", excepted(), "CVE-2026-1001 first", "CVE-2026-1003 first")
	for name, err := range map[string]error{
		"document":   second(s.VEXDocument(ctx, admin, "second")),
		"statements": second(s.VEXStatements(ctx, admin, "second", Query{})),
		"file":       second(s.VEXFile(ctx, admin, "second")),
		"removal":    second(s.VEXRemoval(ctx, admin, "second")),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of a removed document: %v", name, err)
		}
	}
	file, err := s.VEXFile(ctx, admin, "first")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.Write(&b); err != nil || !strings.Contains(b.String(), "vulnerable_code_not_present") {
		t.Errorf("file = %s, %v", b.String(), err)
	}
}

func second[T any](_ T, err error) error { return err }

// An exception of a document is about one release's package, and follows the
// fleet: also devices that come later, however many there are.
func TestVEXFollowsTheFleet(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := testServer(t)
	tracker := filepath.Join(t.TempDir(), "tracker.json")
	const vulnerable = `{"status": "resolved", "urgency": "not yet assigned", "repositories": {}, "fixed_version": "3.0.17-1"}`
	if err := os.WriteFile(tracker, []byte(`{"openssl": {"CVE-2026-1001": {"releases": {"bookworm": `+vulnerable+`, "bullseye": `+vulnerable+`}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	importFile(t, s, tracker)
	on := func(name, release string) {
		t.Helper()
		document := strings.ReplaceAll(string(bom(name, "2026-11-20T09:00:00Z", "libssl3 3.0.11-1 openssl")), "debian-12", "debian-"+release)
		document = strings.ReplaceAll(document, `"12"`, fmt.Sprintf("%q", release))
		if _, err := s.ImportSBOM(ctx, admin, []byte(document), SBOMImport{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	on("first", "12")
	on("other", "11")
	open := func() (out []string) {
		t.Helper()
		page, err := s.WeaknessDevices(ctx, admin, "CVE-2026-1001", Query{Sort: []string{"name"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			if v, err := s.DeviceVuln(ctx, admin, string(d.ID), "CVE-2026-1001"); err != nil || !v.Exception {
				out = append(out, d.Name)
			}
		}
		return out
	}
	r, err := s.ImportVEX(ctx, admin, openvex("doc", "X", "2026-11-20T09:00:00Z", "CVE-2026-1001 not_affected vulnerable_code_not_present pkg:deb/debian/openssl@3.0.11-1?distro=debian-12"), false)
	if err != nil || r.Exceptions != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	equal(t, "open", open(), "other")
	on("later", "12")
	equal(t, "open, with a device that came later", open(), "other")
	list, err := s.Exceptions(ctx, admin, Query{})
	if err != nil || list.Total != 1 || list.Items[0].Scope != ScopeGlobal || list.Items[0].Exposed != 2 || list.Items[0].Package != "Debian:12/openssl" {
		t.Errorf("exceptions = %+v, %v", list, err)
	}
}
