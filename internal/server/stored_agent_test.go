package server

import (
	"bytes"
	"encoding/json"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// agentCanary is the value that must be nowhere.
const agentCanary = "canary-4711-of-agents"

// salted adds fields to every object of a message, as far as its type says what
// its own are: all that the store has and the object does not.
func salted(typ reflect.Type, v any, names []string) any {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch in := v.(type) {
	case []any:
		if typ.Kind() == reflect.Slice {
			for i := range in {
				in[i] = salted(typ.Elem(), in[i], names)
			}
		}
	case map[string]any:
		if typ.Kind() != reflect.Struct {
			return v // its names are data
		}
		own := []string{}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				name = f.Name
			}
			own = append(own, strings.ToLower(name))
			if x, ok := in[name]; ok {
				in[name] = salted(f.Type, x, names)
			}
		}
		for _, name := range names {
			if !slices.Contains(own, strings.ToLower(name)) {
				in[name] = agentCanary
			}
		}
	}
	return v
}

// salt is a message as JSON, with fields added to all of its objects.
func salt(t *testing.T, m any, names []string) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(mustJSON(t, m)), &v); err != nil {
		t.Fatal(err)
	}
	raw := []byte(mustJSON(t, salted(reflect.TypeOf(m), v, names)))
	if !bytes.Contains(raw, []byte(agentCanary)) {
		t.Fatalf("nothing was added to %s", raw)
	}
	return raw
}

// Every message of an agent with every field that the store has besides its own:
// it means what it means without them, and none of them is kept.
func TestStoredFieldsOfAgentsAreIgnored(t *testing.T) {
	var names []string
	const of = "github.com/picketsec/picket/internal/store"
	scope := typed(t, of)[of].pkg.Scope()
	for _, name := range scope.Names() {
		st, ok := scope.Lookup(name).Type().Underlying().(*types.Struct)
		if _, is := scope.Lookup(name).(*types.TypeName); !is || !ok || !scope.Lookup(name).Exported() {
			continue
		}
		for f := range st.Fields() {
			if f.Exported() {
				names = append(names, f.Name(), strings.ToLower(f.Name()))
			}
		}
	}
	if names = slices.Compact(slices.Sorted(slices.Values(names))); len(names) < 200 {
		t.Fatalf("%d names of the store were found", len(names))
	}
	s := testServer(t)
	site := serveGateway(t, s.gate)
	key := newKey(t)
	csr, err := protocol.NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := site.client(nil, 0).Post(site.url+protocol.EnrollPath, "application/json", bytes.NewReader(salt(t, protocol.EnrollRequest{Version: 1, Token: site.secs, CSR: csr}, names)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	var out protocol.EnrollResponse
	if err := json.Unmarshal(text, &out); err != nil || resp.StatusCode != 200 {
		t.Fatalf("enrol = %d %s", resp.StatusCode, text)
	}
	a := &fakeAgent{s: site, key: key, id: out.Device}
	a.use(out.Certificate)
	if a.conn, _, err = site.dial(a.cert, 0); err != nil {
		t.Fatal(err)
	}
	send := func(m *protocol.Message) {
		t.Helper()
		if err := a.conn.SendFrame(t.Context(), append([]byte{0}, salt(t, m, names)...)); err != nil {
			t.Fatal(err)
		}
	}
	send(&protocol.Message{Hello: &protocol.Hello{Version: 1, AgentVersion: "t", OS: "linux", Arch: "amd64", Evidence: home}})
	m := a.recv()
	if m.Welcome == nil {
		t.Fatalf("answer to Hello = %+v", m)
	}
	send(&protocol.Message{Kept: &protocol.Kept{Nonce: m.Welcome.Nonce}})
	send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: []inventory.Delta{inventory.Diff(nil, section(inventory.DPKG, "one"))}}})
	if m = a.recv(); m.Ack == nil {
		t.Fatalf("answer to Deliver = %+v", m)
	}
	if csr, err = protocol.NewCSR(key); err != nil {
		t.Fatal(err)
	}
	send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr}})
	if m = a.recv(); m.Certificate == nil {
		t.Fatalf("answer to a renewal = %+v", m)
	}
	waitFor(t, "the nonce to be noted", func() bool {
		d, err := s.st.Device(t.Context(), a.id)
		return err == nil && d.Nonce != ""
	})
	d, err := s.st.Device(t.Context(), a.id)
	if err != nil || d.CloneOf != "" || !d.Removed.IsZero() || d.FirstSeen.After(time.Now()) || d.ID != a.id {
		t.Errorf("the device is %+v, %v", d, err)
	}
	err = filepath.WalkDir(s.Dir(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if i := bytes.Index(raw, []byte(agentCanary)); i >= 0 {
			t.Errorf("%s holds what an agent sent beside its message: %.200q", filepath.Base(path), raw[max(0, i-100):i+30])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
