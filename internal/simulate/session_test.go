package simulate

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// script is a server that says what a test tells it to.
type script struct {
	t    *testing.T
	conn *protocol.Conn
	book *book
}

func (s *script) send(m *protocol.Message) {
	if err := s.conn.Send(s.t.Context(), m); err != nil {
		s.t.Error(err)
	}
}

// expect receives until a message is of the wanted kind.
func (s *script) expect(what string, ok func(*protocol.Message) bool) *protocol.Message {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	for {
		m, done, err := s.conn.Recv(ctx)
		done()
		if err != nil {
			s.t.Errorf("waiting for %s: %v", what, err)
			return &protocol.Message{}
		}
		if ok(m) {
			return m
		}
	}
}

// welcome lets the device in and acknowledges its first inventory.
func (s *script) welcome() {
	hello := s.expect("hello", func(m *protocol.Message) bool { return m.Hello != nil })
	if len(hello.Hello.Tags) != 1 || hello.Hello.Tags[0] != Tag || hello.Hello.Evidence.MachineID == "" {
		s.t.Errorf("hello %+v, want the tag and evidence", hello.Hello)
	}
	s.send(&protocol.Message{Welcome: &protocol.Welcome{Nonce: "n1", LastSeq: 41}})
	s.expect("kept", func(m *protocol.Message) bool { return m.Kept != nil && m.Kept.Nonce == "n1" })
	if id, err := s.book.load(0); err != nil || id.nonce != "n1" {
		s.t.Errorf("the nonce is confirmed and not on disk: %+v, %v", id, err)
	}
}

func (s *script) delivery() *protocol.Deliver {
	if m := s.expect("a delivery", func(m *protocol.Message) bool { return m.Deliver != nil }); m.Deliver != nil {
		return m.Deliver
	}
	return &protocol.Deliver{}
}

// talk runs one device against a script until both have ended.
func talk(t *testing.T, play func(*script)) error {
	t.Helper()
	state := fleetState{Seed: 1, Start: start, Tick: time.Minute}
	b, err := openBook(filepath.Join(t.TempDir(), "devices"), &state)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	f := &fleet{book: b, log: slog.New(slog.DiscardHandler), clock: clock{start: start, tick: time.Minute}, tick: time.Hour, began: time.Now()}
	h := newHost(mustUniverse(t), &f.clock, 1, 0)
	id, err := b.load(0)
	if err != nil {
		t.Fatal(err)
	}
	played := make(chan struct{}) // the server does not wait for connections that became WebSockets
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(played)
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		s := &script{t: t, conn: protocol.NewConn(ws, nil), book: b}
		defer s.conn.CloseNow()
		play(s)
	}))
	defer srv.Close()
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(srv.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = f.converse(t.Context(), protocol.NewConn(ws, nil), h, id, true, func() {})
	<-played
	return err
}

// A nudge makes the device look at everything.
func TestNudge(t *testing.T) {
	looked := 0
	_ = talk(t, func(s *script) { // the script's end is the session's
		s.welcome()
		s.send(&protocol.Message{Ack: &protocol.Ack{Seq: s.delivery().Seq}})
		s.send(&protocol.Message{Nudge: &protocol.Nudge{}})
		m := s.expect("seen", func(m *protocol.Message) bool { return m.Seen != nil })
		if m.Seen != nil {
			looked = len(m.Seen.Sections)
		}
	})
	if looked != len(reported) {
		t.Errorf("after a nudge %d sections were looked at, want all %d", looked, len(reported))
	}
}

// Numbers go on where the server is, and what it asks for whole comes whole.
func TestResync(t *testing.T) {
	_ = talk(t, func(s *script) { // the script's end is the session's
		s.welcome()
		first := s.delivery()
		if first.Seq != 42 || len(first.Deltas) != len(reported) {
			t.Errorf("first delivery has number %d and %d sections, want 42 and all", first.Seq, len(first.Deltas))
		}
		s.send(&protocol.Message{Slow: &protocol.Slow{Millis: 1}})
		s.send(&protocol.Message{Resync: &protocol.Resync{Sections: []inventory.SectionName{inventory.Kernel}}})
		s.send(&protocol.Message{Ack: &protocol.Ack{Seq: 42}})
		second := s.delivery()
		if second.Seq != 43 || len(second.Deltas) != 1 || second.Deltas[0].Name != inventory.Kernel || second.Deltas[0].Base != "" {
			t.Errorf("after a resync: %+v, want number 43 with the kernel section whole", second)
		}
		s.send(&protocol.Message{Ack: &protocol.Ack{Seq: 43}})
	})
}

// The server's wish for a new certificate is followed with the same key.
func TestRenew(t *testing.T) {
	err := talk(t, func(s *script) {
		s.welcome()
		seq := s.delivery().Seq
		s.send(&protocol.Message{Renew: &protocol.Renew{}})
		m := s.expect("a certificate request", func(m *protocol.Message) bool { return m.CSR != nil })
		if m.CSR != nil {
			if id, _, err := protocol.ParseCSR(m.CSR.PEM); err != nil || m.CSR.Purpose != protocol.PurposeRenew || !id.Valid() {
				t.Errorf("request of purpose %q for %q: %v", m.CSR.Purpose, id, err)
			}
		}
		s.send(&protocol.Message{Ack: &protocol.Ack{Seq: seq}})
		s.send(&protocol.Message{Certificate: &protocol.Certificate{PEM: "no certificate"}})
	})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that is none: %v, want an error", err)
	}
}

// A refusal ends the device with its reason, and so does being told to fork:
// its key is in use elsewhere.
func TestRefused(t *testing.T) {
	for code, m := range map[string]*protocol.Message{
		protocol.RefusedVersion: {Refusal: &protocol.Refusal{Code: protocol.RefusedVersion, Reason: "too old"}},
		protocol.RefusedClones:  {Fork: &protocol.Fork{Reason: "twice"}},
	} {
		err := talk(t, func(s *script) {
			s.expect("hello", func(m *protocol.Message) bool { return m.Hello != nil })
			s.send(m)
		})
		if r, ok := errors.AsType[*protocol.RefusedError](err); !ok || r.Code != code {
			t.Errorf("%v, want a refusal with code %s", err, code)
		}
	}
}

// What the server says before it answers a heartbeat does not stand in the way
// of the answer.
func TestHeartbeatBehindMessages(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		c := protocol.NewConn(ws, nil)
		defer c.CloseNow()
		for n := range 3 {
			if err := c.Send(t.Context(), &protocol.Message{Ack: &protocol.Ack{Seq: uint64(n + 1)}}); err != nil {
				t.Error(err)
			}
		}
		_, done, _ := c.Recv(t.Context()) // answers pings until the device goes
		done()
	}))
	defer srv.Close()
	ws, _, err := websocket.Dial(t.Context(), strings.Replace(srv.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	l := &link{f: &fleet{log: slog.New(slog.DiscardHandler)}, conn: protocol.NewConn(ws, nil), in: make(chan *protocol.Message)}
	var receiving sync.WaitGroup
	receiving.Go(func() { l.receive(ctx) })
	if err := l.ping(ctx); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	if l.acked != 3 {
		t.Errorf("acknowledged up to %d, want what was said before the answer: 3", l.acked)
	}
	cancel()
	l.conn.CloseNow()
	receiving.Wait()
}
