package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/intel"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// Every connection of an agent is verified anew: no ticket carries one on.
func TestNoSessionTickets(t *testing.T) {
	s := newSite(t)
	tr := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: s.ca.pool, ClientSessionCache: tls.NewLRUClientSessionCache(4)}}
	defer tr.CloseIdleConnections()
	for n := range 2 {
		resp, err := (&http.Client{Transport: tr}).Post(s.url+protocol.EnrollPath, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body) // tickets come behind the handshake
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.TLS.DidResume {
			t.Errorf("connection %d was carried on by a ticket", n)
		}
	}
}

// Who asks for an import may go while it is evaluated: what is loaded is
// taken into the fleet all the same.
func TestImportThatIsCancelledWhileItEvaluates(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "a")
	newReport(s, id).send(t, "libssl3 3.0.1-1 openssl")
	path := filepath.Join(t.TempDir(), "tracker-2026-01-01.json")
	text := `{"openssl": {"CVE-2024-0001": {"releases": {"bookworm": {"status": "open", "urgency": "not yet assigned", "repositories": {}}}}}}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asked := false
	res, err := s.desk.runImport(ctx, []string{path}, func(p Progress) {
		if strings.HasPrefix(p.Text, "evaluating") {
			asked = true
			cancel()
		}
	})
	if err != nil || !res.Changed || !asked || ctx.Err() == nil {
		t.Fatalf("import = %+v, %v; evaluated: %v", res, err, asked)
	}
	equal(t, "findings", vulns(t, s, id), "CVE-2024-0001 open")
	if done, err := s.st.AssessedGeneration(t.Context()); err != nil || done != s.intel.Generation() {
		t.Errorf("the store has generation %d, the intelligence %d, %v", done, s.intel.Generation(), err)
	}
}

// Where too much changed to be listed, everything is looked at.
func TestIntelChangedAsAWhole(t *testing.T) {
	for name, said := range map[string]intel.Result{
		"statements": {All: true},
		"weaknesses": {AllWeaknesses: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := testServer(t)
			id := enrol(t, s, "a")
			newReport(s, id).send(t, "libssl3 3.0.1-1 openssl")
			path := filepath.Join(t.TempDir(), "tracker-2026-01-01.json")
			text := `{"openssl": {"CVE-2024-0001": {"releases": {"bookworm": {"status": "open", "urgency": "not yet assigned", "repositories": {}}}}}}`
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			res, err := s.intel.Import(t.Context(), []string{path}, intel.ImportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			said.Changed, said.Generation = true, res.Generation
			if err := s.intelChanged(t.Context(), said); err != nil {
				t.Fatal(err)
			}
			equal(t, "findings", vulns(t, s, id), "CVE-2024-0001 open")
		})
	}
}

// One section that is not what its hash says does not stop the others: it is
// asked for again, counted, and rejected when it comes wrong again.
func TestWrongHashAmongGoodSections(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	a.connect("", home)
	good := inventory.Diff(nil, section(inventory.DPKG, "a"))
	bad := inventory.Diff(nil, section(inventory.RPM, "b"))
	bad.Hash = strings.Repeat("0", 64)
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: []inventory.Delta{bad, good}}})
	if m := a.recv(); m.Resync == nil || !slices.Equal(m.Resync.Sections, []inventory.SectionName{inventory.RPM}) {
		t.Fatalf("first answer = %+v", m)
	}
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 1 || len(m.Ack.Rejected) != 0 || len(s.b.sections[a.id]) != 1 {
		t.Fatalf("second answer = %+v", m)
	}
	s.g.flush(t.Context())
	if d, err := s.g.st.Device(t.Context(), a.id); err != nil || d.Rejected != 1 {
		t.Errorf("counted %d, %v", d.Rejected, err)
	}
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 2, Deltas: []inventory.Delta{bad}}})
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 2 || len(m.Ack.Rejected) != 1 || m.Ack.Rejected[0].Name != inventory.RPM || m.Ack.Rejected[0].Hash != bad.Hash {
		t.Fatalf("answer to the same again = %+v", m)
	}

	real := testServer(t)
	id := enrol(t, real, "x")
	for name, again := range map[string]inventory.Delta{"hash": bad, "base": {Name: inventory.RPM, Status: inventory.Complete, Base: good.Hash, Hash: good.Hash}} {
		resync, err := real.ingest(t.Context(), id, uint64(len(name))+1, []inventory.Delta{again, good})
		if err != nil || !slices.Equal(resync, []inventory.SectionName{inventory.RPM}) {
			t.Errorf("%s: asked again for %v, %v", name, resync, err)
		}
	}
	held, err := real.sectionHashes(t.Context(), id)
	if err != nil || held[inventory.DPKG] != good.Hash || len(held) != 1 {
		t.Errorf("the server holds %v, %v", held, err)
	}
}
