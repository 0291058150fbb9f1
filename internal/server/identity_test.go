package server

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// whatIsKnown is all that the server keeps of a device, as text, but for the
// moments at which it was heard.
func whatIsKnown(t *testing.T, s *Server, id inventory.DeviceID) string {
	t.Helper()
	ctx := t.Context()
	s.gate.flush(ctx)
	d, err := s.st.Device(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	d.LastSeen = time.Time{}
	hashes, err := s.sectionHashes(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.MachineActions(ctx, boss, Query{Filter: map[string][]string{"device": {string(id)}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	line, err := s.Timeline(ctx, boss, string(id), TimelineQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	s.core.mu.RLock()
	response := mustJSON(t, s.core.at(s.core.byID[id]).response)
	s.core.mu.RUnlock()
	return fmt.Sprintf("device %s\nresponse %s\nsections %v\nactions %s\ntimeline %s\nevents %v\nconnected %v", mustJSON(t, d), response, hashes, mustJSON(t, rows.Items), mustJSON(t, line.Items), s.eventsKept(id), s.gate.connected(id))
}

// naming is a text of JSON with further fields that name a device.
func naming(t *testing.T, v any, id inventory.DeviceID) json.RawMessage {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(mustJSON(t, v)), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"device", "device_id", "deviceId", "Device", "machine", "machine_id", "machineId", "agent", "agent_id", "from", "source", "node", "key", "session"} {
		if _, taken := fields[name]; !taken {
			fields[name] = id
		}
	}
	return json.RawMessage(mustJSON(t, fields))
}

// TestAgentsSpeakForThemselvesAlone is for the class of CVE-2022-35629: a device
// is who its certificate says, whatever its messages name. Every kind of message
// of the protocol comes from one agent and names another device in every way
// that there is: nothing becomes different with that other one. A kind that is
// new in the protocol fails until it is told here what an agent says in it.
func TestAgentsSpeakForThemselvesAlone(t *testing.T) {
	s, victim := ableAgent(t)
	ctx := t.Context()
	attacker := victim.s.enroll(newKey(t))
	body := []byte("PK\x03\x04 not really")
	digest := sha256.Sum256(body)
	hash := hex.EncodeToString(digest[:])
	collect := s.does(t, boss, string(victim.id), NewMachineAction{Kind: protocol.TaskCollect})
	isolate := s.does(t, boss, string(victim.id), NewMachineAction{Kind: protocol.TaskIsolate})
	s.step(t)
	for range 2 {
		if m := victim.recv(); m.Collect == nil && m.Isolate == nil {
			t.Fatalf("the agent got %+v", m)
		}
	}
	victim.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: []inventory.Delta{inventory.Diff(nil, section(inventory.DPKG, "bash"))}}})
	victim.recv()
	victim.send(&protocol.Message{Events: happening(t, protocol.StreamActivity, 1, ev.Event{Action: ev.ProcessCreated, Seq: 1, Time: time.Now()})})
	victim.recv()
	stop := victim.answer() // it lives
	defer stop()
	csr, err := protocol.NewCSR(victim.key) // as it goes over the wire: whoever sees it has it
	if err != nil {
		t.Fatal(err)
	}
	evil := inventory.Diff(nil, section(inventory.DPKG, "evil"))
	says := map[string]any{ // by the field of protocol.Message; those of the server are filled in below
		"Hello": protocol.Hello{Version: protocol.Version, AgentVersion: "evil", OS: "linux", Arch: "amd64", Nonce: victim.last.Nonce, Evidence: protocol.Evidence{MachineID: "m1"},
			Tags: []string{"evil"}, Response: &protocol.Response{Isolation: protocol.Isolation{On: true, Task: isolate.ID}}},
		"Kept":      protocol.Kept{Nonce: victim.last.Nonce},
		"Deliver":   protocol.Deliver{Seq: 2, Deltas: []inventory.Delta{evil}},
		"Seen":      protocol.Seen{Mark: 7, Sections: map[inventory.SectionName]time.Time{inventory.DPKG: time.Now().Add(-time.Hour)}},
		"CSR":       protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr},
		"Events":    happening(t, protocol.StreamActivity, 2, ev.Event{Action: ev.ProcessCreated, Seq: 2, Time: time.Now()}),
		"TaskState": protocol.TaskState{ID: collect.ID, State: protocol.TaskSucceeded, Result: &protocol.TaskResult{Package: &protocol.PackageResult{Bytes: int64(len(body)), SHA256: hash}}},
		"Response":  protocol.Response{Isolation: protocol.Isolation{On: true, Task: isolate.ID}},
		"Ack":       protocol.Ack{Seq: 9, Tasks: []protocol.TaskAck{{ID: isolate.ID, State: protocol.TaskSucceeded}}},
		"Welcome":   protocol.Welcome{Nonce: victim.last.Nonce, LastSeq: 9},
	}
	of := reflect.TypeFor[protocol.Message]()
	fromServer := []string{"Welcome", "Ack", "Resync", "Nudge", "Slow", "Fork", "Renew", "Certificate", "Refusal", "Collect", "Scan", "Isolate", "Release", "Investigate", "CancelTask"}
	before := whatIsKnown(t, s, victim.id)
	attacker.connect("", protocol.Evidence{MachineID: "m2"})
	for i := range of.NumField() {
		f := of.Field(i)
		content, told := says[f.Name]
		if !told && !slices.Contains(fromServer, f.Name) {
			t.Errorf("a new kind of message, %s: say above what an agent says in it that names another device", f.Name)
			continue
		}
		if !told { // a kind that is the server's to send, with the ids of the other device's tasks
			v := reflect.New(f.Type.Elem())
			if id := v.Elem().FieldByName("ID"); id.IsValid() {
				id.SetString(isolate.ID)
			}
			content = v.Interface()
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		frame := map[string]any{"device": victim.id, "id": victim.id, "machine": victim.id, "from": victim.id, name: naming(t, content, victim.id)}
		raw := append([]byte{0}, mustJSON(t, frame)...)
		if e, ok := content.(*protocol.Events); ok { // its records travel behind its JSON
			whole, err := protocol.Encode(&protocol.Message{Events: e})
			if err != nil {
				t.Fatal(err)
			}
			head := mustJSON(t, frame)
			raw = append(append(binary.AppendUvarint(whole[:1:1], uint64(len(head))), head...), e.Packed...)
		}
		if attacker.conn == nil {
			attacker.connect(attacker.last.Nonce, protocol.Evidence{MachineID: "m2"})
		}
		if err := attacker.conn.SendFrame(ctx, raw); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		// What is answered, and that the message was dealt with, shows in what
		// comes up to the answer to the next one; a session may end over it.
		settle(t, attacker)
		if got := whatIsKnown(t, s, victim.id); got != before {
			t.Fatalf("%s of another device changed what is known of this one:\n%s\nbefore:\n%s", f.Name, got, before)
		}
	}
	// What was the attacker's own was taken: the messages were read.
	hashes, err := s.sectionHashes(ctx, attacker.id)
	if err != nil || hashes[inventory.DPKG] != evil.Hash || len(s.eventsKept(attacker.id)) == 0 {
		t.Errorf("the agent's own reports: %v, %v, %v: the test sends nothing that is taken", hashes, s.eventsKept(attacker.id), err)
	}

	// The routes: each with the attacker's certificate and all that names the other device.
	routes := map[string]func(){
		"POST " + protocol.EnrollPath: func() { // the request of a key that is known: what it yields is of use to that key alone
			status, out, _ := attacker.s.post(protocol.EnrollRequest{Version: 1, Token: attacker.s.secs, CSR: csr})
			if status == http.StatusOK {
				stolen := &fakeAgent{s: attacker.s, key: attacker.key, id: victim.id}
				stolen.use(out.Certificate)
				if conn, _, err := attacker.s.dial(stolen.cert, 0); err == nil {
					conn.CloseNow()
					t.Error("a session with another device's certificate and no key of it")
				}
			}
		},
		"GET " + protocol.SessionPath: func() { // answers Hello as the device of the certificate
			m := attacker.hello(victim.last.Nonce, protocol.Evidence{MachineID: "m1"})
			if m.Welcome != nil && (m.Welcome.Nonce == victim.last.Nonce || maps.Equal(m.Welcome.Hashes, hashesOf(t, s, victim.id))) {
				t.Errorf("welcomed as another device: %+v", m.Welcome)
			}
			attacker.conn.CloseNow()
		},
		"PUT " + protocol.PackagePath + "{id}": func() {
			if got := attacker.upload(collect.ID, body, hash); got != http.StatusNotFound {
				t.Errorf("the package of another device's action: %d", got)
			}
		},
	}
	if got, want := slices.Sorted(maps.Keys(s.gate.routes())), slices.Sorted(maps.Keys(routes)); !slices.Equal(got, want) {
		t.Errorf("routes of agents %q, tried are %q", got, want)
	}
	for route, try := range routes {
		try()
		if got := whatIsKnown(t, s, victim.id); got != before {
			t.Fatalf("%s changed what is known of another device:\n%s\nbefore:\n%s", route, got, before)
		}
	}
}

func hashesOf(t *testing.T, s *Server, id inventory.DeviceID) map[inventory.SectionName]string {
	t.Helper()
	h, err := s.sectionHashes(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// settle waits until an agent's last message was dealt with: a sign that comes
// after it is acknowledged, or the session has ended and the agent comes again.
func settle(t *testing.T, a *fakeAgent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	const mark = 4711
	err := a.conn.Send(ctx, &protocol.Message{Seen: &protocol.Seen{Mark: mark}})
	for err == nil {
		var m *protocol.Message
		var done func()
		m, done, err = a.conn.Recv(ctx)
		done()
		if err == nil && m.Ack != nil && m.Ack.Mark == mark {
			return
		}
	}
	if ctx.Err() != nil {
		t.Fatal("the server neither answers nor ends the session")
	}
	a.conn.CloseNow()
	a.conn = nil
}
