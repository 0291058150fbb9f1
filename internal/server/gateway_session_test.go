package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// fork goes through what a copy has to do and returns it as its new self.
func (a *fakeAgent) fork(m *protocol.Message) *fakeAgent {
	a.s.t.Helper()
	if m.Fork == nil || m.Fork.Reason == "" {
		a.s.t.Fatalf("answer = %+v, want Fork with a reason", m)
	}
	next := &fakeAgent{s: a.s, key: newKey(a.s.t)}
	csr, err := protocol.NewCSR(next.key)
	if err != nil {
		a.s.t.Fatal(err)
	}
	a.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeFork, PEM: csr}})
	got := a.recv()
	if got.Certificate == nil {
		a.s.t.Fatalf("answer to the request = %+v", got)
	}
	next.use(got.Certificate.PEM)
	if next.id, err = protocol.KeyID(next.key); err != nil {
		a.s.t.Fatal(err)
	}
	return next
}

// answer reads in the background, so that the agent answers pings.
func (a *fakeAgent) answer() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			_, done, err := a.conn.Recv(ctx)
			done()
			if err != nil {
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func TestCloneBesideALivingAgentIsForked(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	w := a.connect("", home)
	defer a.answer()()
	copied := *a
	clone := copied.fork(copied.hello(w.Nonce, home)) // the same nonce, the same evidence
	if clone.id == a.id {
		t.Fatal("the clone has the id of the original")
	}
	if !s.g.connected(a.id) {
		t.Error("the original was thrown out")
	}
	d, err := s.g.st.Device(context.Background(), clone.id)
	if err != nil || d.CloneOf != a.id {
		t.Errorf("clone = %+v, %v", d, err)
	}
	if list, err := s.g.st.Clones(context.Background(), a.id); err != nil || !slices.Equal(list, []inventory.DeviceID{clone.id}) {
		t.Errorf("clones = %v, %v", list, err)
	}
	if !slices.Equal(s.b.registered, []inventory.DeviceID{a.id, clone.id}) {
		t.Errorf("registered = %v", s.b.registered)
	}
	clone.connect("", home)
}

func TestForkNeedsANewKeyAndARequest(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	w := a.connect("", home)
	defer a.answer()()
	copied := *a
	if m := copied.hello(w.Nonce, home); m.Fork == nil {
		t.Fatalf("answer = %+v", m)
	}
	csr, err := protocol.NewCSR(a.key)
	if err != nil {
		t.Fatal(err)
	}
	copied.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeFork, PEM: csr}})
	if m := copied.recv(); m.Refusal == nil {
		t.Errorf("a fork with the old key: %+v", m)
	}
	if m := copied.hello(w.Nonce, home); m.Fork == nil {
		t.Fatalf("answer = %+v", m)
	}
	copied.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: []inventory.Delta{inventory.Diff(nil, section(inventory.DPKG, "a"))}}})
	if m := copied.recv(); m.Refusal == nil {
		t.Errorf("a delivery in place of a fork: %+v", m)
	}
	if len(s.b.applied) != 0 {
		t.Error("the delivery of a copy was taken")
	}
	// An agent that was not told to fork cannot make devices.
	csr, err = protocol.NewCSR(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	b := s.enroll(newKey(t))
	b.connect("", home)
	b.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeFork, PEM: csr}})
	if m := b.recv(); m.Refusal == nil {
		t.Errorf("a fork that nobody asked for: %+v", m)
	}
}

func TestHalfOpenSessionIsReplaced(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	w := a.connect("", home) // and reads nothing more: no ping is answered
	again := *a
	again.connect(w.Nonce, home)
	if !s.g.connected(a.id) || s.g.count() != 1 {
		t.Error("not exactly one session")
	}
	if !s.b.isOnline(a.id) {
		t.Error("the device is shown as gone")
	}
}

func TestNonces(t *testing.T) {
	elsewhere := protocol.Evidence{MachineID: strings.Repeat("b", 64), BootID: "b2", MACs: []string{"02:00:00:00:00:02"}}
	rebooted := home
	rebooted.BootID = "b9"
	newCard := home
	newCard.MACs = []string{"02:00:00:00:00:07"}

	t.Run("restored snapshot", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		n2 := a.connect(n1, home).Nonce
		a.bye()
		a.connect(n2, home)
		a.bye()
		a.connect(n1, rebooted)
		a.bye()
		if d, err := s.g.st.Device(context.Background(), a.id); err != nil || d.Restores != 1 {
			t.Errorf("device = %+v, %v", d, err)
		}
	})
	t.Run("copy on another host", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		a.connect(n1, home)
		a.bye()
		a.fork(a.hello(n1, elsewhere))
	})
	t.Run("copy with the same machine id on another card", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		a.connect(n1, home)
		a.bye()
		a.fork(a.hello(n1, newCard))
	})
	t.Run("copies that take turns on hosts that look the same", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		n2 := a.connect(n1, home).Nonce // the one
		a.bye()
		a.connect(n1, rebooted) // the other: looks like a restored snapshot
		a.bye()
		a.fork(a.hello(n2, home)) // the one again: both are in use
	})
	t.Run("host moved with its state", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		a.connect(n1, elsewhere)
	})
	t.Run("crash before the nonce was on disk", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		if m := a.hello(n1, home); m.Welcome == nil { // no Kept
			t.Fatalf("answer = %+v", m)
		}
		a.bye()
		a.connect(n1, home)
		a.bye()
		if d, err := s.g.st.Device(context.Background(), a.id); err != nil || d.Restores != 0 {
			t.Errorf("counted as a restore: %+v, %v", d, err)
		}
	})
	t.Run("crash after the nonce was on disk, before it was confirmed", func(t *testing.T) {
		s := newSite(t)
		a := s.enroll(newKey(t))
		n1 := a.connect("", home).Nonce
		a.bye()
		n2 := a.hello(n1, home).Welcome.Nonce
		a.bye()
		a.connect(n2, home)
		a.bye()
		if d, err := s.g.st.Device(context.Background(), a.id); err != nil || d.Restores != 0 {
			t.Errorf("counted as a restore: %+v, %v", d, err)
		}
	})
}

func TestNothingInAMessageIsIdentity(t *testing.T) {
	s := newSite(t)
	a, victim := s.enroll(newKey(t)), s.enroll(newKey(t))
	a.connect("", home)
	// The same message with every field that could name a device.
	raw := fmt.Sprintf(`{"device":%q,"id":%q,"deliver":{"device":%q,"id":%q,"seq":1,"deltas":[%s]}}`, victim.id, victim.id, victim.id, victim.id,
		mustJSON(t, inventory.Diff(nil, section(inventory.DPKG, "evil"))))
	if err := a.conn.SendFrame(context.Background(), append([]byte{0}, raw...)); err != nil {
		t.Fatal(err)
	}
	if m := a.recv(); m.Ack == nil {
		t.Fatalf("answer = %+v", m)
	}
	if len(s.b.sections[victim.id]) != 0 || len(s.b.sections[a.id]) != 1 {
		t.Error("the delivery went to the device that the message names")
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestPoisonIsRejectedAndTheRestGoesOn(t *testing.T) {
	good := inventory.Diff(nil, section(inventory.DPKG, "a"))
	with := func(mod func(*inventory.Delta)) inventory.Delta {
		d := inventory.Diff(nil, section(inventory.RPM, "b"))
		mod(&d)
		return d
	}
	items := make([]inventory.Item, protocol.MaxItems+1)
	for i := range items {
		items[i] = inventory.Item{Key: fmt.Sprint(i), Value: json.RawMessage("1")}
	}
	for name, bad := range map[string]inventory.Delta{
		"section":   with(func(d *inventory.Delta) { d.Name = "../../etc" }),
		"status":    with(func(d *inventory.Delta) { d.Status = "fine" }),
		"hash":      with(func(d *inventory.Delta) { d.Hash = "xyz" }),
		"base":      with(func(d *inventory.Delta) { d.Base = strings.Repeat("Z", 64) }),
		"items":     with(func(d *inventory.Delta) { d.Put = items }),
		"key":       with(func(d *inventory.Delta) { d.Put[0].Key = strings.Repeat("k", protocol.MaxKey+1) }),
		"empty key": with(func(d *inventory.Delta) { d.Put[0].Key = "" }),
		"value": with(func(d *inventory.Delta) {
			d.Put[0].Value = json.RawMessage(`"` + strings.Repeat("v", protocol.MaxValue) + `"`)
		}),
		"reason":     with(func(d *inventory.Delta) { d.Reason = strings.Repeat("r", protocol.MaxReason+1) }),
		"removed":    with(func(d *inventory.Delta) { d.Del = []string{strings.Repeat("k", protocol.MaxKey+1)} }),
		"many names": with(func(d *inventory.Delta) { d.Del = make([]string, protocol.MaxItems+1) }),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			a := s.enroll(newKey(t))
			a.connect("", home)
			a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: []inventory.Delta{bad, good}}})
			m := a.recv()
			if m.Ack == nil || m.Ack.Seq != 1 || len(m.Ack.Rejected) != 1 || m.Ack.Rejected[0].Reason == "" || m.Ack.Rejected[0].Name != bad.Name {
				t.Fatalf("answer = %+v", m)
			}
			if len(s.b.sections[a.id]) != 1 {
				t.Error("the good change beside it was not taken")
			}
			s.g.flush(context.Background())
			if d, err := s.g.st.Device(context.Background(), a.id); err != nil || d.Rejected != 1 {
				t.Errorf("counted %d, %v", d.Rejected, err)
			}
		})
	}
}

func TestReportsThatTheServerCannotTake(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	a.connect("", home)
	s.b.fail = func(seq uint64) error {
		switch seq {
		case 1:
			panic("poison")
		case 2:
			return Invalidf("dpkg", "no good")
		}
		return errors.New("disk full")
	}
	d := inventory.Diff(nil, section(inventory.DPKG, "a"))
	for seq := uint64(1); seq <= 2; seq++ {
		a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: seq, Deltas: []inventory.Delta{d}}})
		if m := a.recv(); m.Ack == nil || m.Ack.Seq != seq || len(m.Ack.Rejected) != 1 || m.Ack.Rejected[0].Name != inventory.DPKG {
			t.Fatalf("answer to %d = %+v", seq, m)
		}
	}
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 3, Deltas: []inventory.Delta{d}}})
	if m := a.recv(); m.Refusal == nil || m.Refusal.Code != protocol.RefusedBusy {
		t.Fatalf("answer while the store fails = %+v: it must not be acknowledged", m)
	}
	if slices.Contains(s.b.applied, 3) {
		t.Error("3 was applied")
	}
}

func TestUnreadableMessages(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	a.connect("", home)
	ctx := context.Background()
	put := func(frame string) {
		t.Helper()
		if err := a.conn.SendFrame(ctx, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	put("\x00{")
	put("\x07{}")
	put("\x01not zstd")
	// The number of a delivery that cannot be decoded is acknowledged as rejected, or it would come for ever.
	put(`` + "\x00" + `{"deliver":{"seq":5,"deltas":[{"name":7}]}}`)
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 5 || len(m.Ack.Rejected) != 1 {
		t.Fatalf("answer = %+v", m)
	}
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 6, Deltas: []inventory.Delta{inventory.Diff(nil, section(inventory.DPKG, "a"))}}})
	if m := a.recv(); m.Ack == nil || m.Ack.Seq != 6 {
		t.Fatalf("the session did not go on: %+v", m)
	}
	for range maxBad {
		_ = a.conn.SendFrame(ctx, []byte("\x00{")) // the session ends in between
	}
	waitFor(t, "the session to end", func() bool { return !s.g.connected(a.id) })
}

func TestHelloIsChecked(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	for name, m := range map[string]*protocol.Message{
		"not first":   {Seen: &protocol.Seen{}},
		"old version": {Hello: &protocol.Hello{Version: protocol.MinVersion - 1}},
		"long text":   {Hello: &protocol.Hello{Version: 1, AgentVersion: strings.Repeat("v", protocol.MaxText+1)}},
		"many cards":  {Hello: &protocol.Hello{Version: 1, Evidence: protocol.Evidence{MACs: make([]string, protocol.MaxMACs+1)}}},
		"many tags":   {Hello: &protocol.Hello{Version: 1, Tags: make([]string, protocol.MaxTags+1)}},
		"long tag":    {Hello: &protocol.Hello{Version: 1, Tags: []string{strings.Repeat("t", protocol.MaxTag+1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, err := s.dial(a.cert, 0)
			if err != nil {
				t.Fatal(err)
			}
			b := *a
			b.conn = conn
			b.send(m)
			if got := b.recv(); got.Refusal == nil {
				t.Errorf("answer = %+v", got)
			}
		})
	}
}

// Tags are kept as the agent last gave them, without what cannot be shown.
func TestTagsOfAnAgent(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	longest := strings.Repeat("t", protocol.MaxTag)
	for _, tt := range []struct{ give, want []string }{
		{[]string{"<b>lab</b>", " web ", "web", "", "a\x1b[2Jb", "\u202egpj", longest}, []string{"<b>lab</b>", "web", longest}},
		{nil, nil},
	} {
		conn, _, err := s.dial(a.cert, 0)
		if err != nil {
			t.Fatal(err)
		}
		a.conn = conn
		a.send(&protocol.Message{Hello: &protocol.Hello{Version: protocol.Version, Evidence: home, Tags: tt.give}})
		if m := a.recv(); m.Welcome == nil {
			t.Fatalf("answer to Hello: %+v", m)
		}
		d, err := s.g.st.Device(t.Context(), a.id)
		if err != nil || !slices.Equal(d.Tags, tt.want) {
			t.Errorf("tags %q are kept as %q (%v), want %q", tt.give, d.Tags, err, tt.want)
		}
		a.bye()
	}
}

func TestRenewal(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	a.connect("", home)
	csr, err := protocol.NewCSR(a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr}})
	m := a.recv()
	if m.Certificate == nil {
		t.Fatalf("answer = %+v", m)
	}
	n := a.last.Nonce
	a.bye()
	old := a.cert.Certificate[0]
	a.use(m.Certificate.PEM)
	if string(old) == string(a.cert.Certificate[0]) {
		t.Error("the same certificate came back")
	}
	a.connect(n, home)
	other, err := protocol.NewCSR(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	a.send(&protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: other}})
	if m := a.recv(); m.Refusal == nil {
		t.Errorf("renewal for another key: %+v", m)
	}
	// Near its end the server asks for the renewal itself.
	a.bye()
	s.g.now = func() time.Time { return time.Now().Add(agentLife * 3 / 4) }
	n2 := a.hello(n, home)
	if n2.Welcome == nil {
		t.Fatalf("answer = %+v", n2)
	}
	if m := a.recv(); m.Renew == nil {
		t.Errorf("next = %+v, want Renew", m)
	}
}

func TestBusyServerSlowsAgents(t *testing.T) {
	s := newSite(t)
	s.g.work = make(chan struct{}, 1)
	hold := make(chan struct{})
	s.b.hold = hold
	d := []inventory.Delta{inventory.Diff(nil, section(inventory.DPKG, "a"))}
	a, b := s.enroll(newKey(t)), s.enroll(newKey(t))
	a.connect("", home)
	b.connect("", home)
	a.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: d}})
	waitFor(t, "the slot to be taken", func() bool { return len(s.g.work) == 1 })
	b.send(&protocol.Message{Deliver: &protocol.Deliver{Seq: 1, Deltas: d}})
	if m := b.recv(); m.Slow == nil || m.Slow.Millis <= 0 {
		t.Fatalf("answer = %+v, want Slow", m)
	}
	close(hold)
	for _, x := range []*fakeAgent{a, b} {
		if m := x.recv(); m.Ack == nil {
			t.Errorf("answer = %+v, want Ack", m)
		}
	}
}

func TestOversizedMessageEndsTheSession(t *testing.T) {
	s := newSite(t)
	a := s.enroll(newKey(t))
	a.connect("", home)
	_ = a.conn.SendFrame(context.Background(), make([]byte, protocol.MaxFrame+1)) // refused while it is written
	waitFor(t, "the session to end", func() bool { return !s.g.connected(a.id) })
	if len(s.g.large) != 0 {
		t.Error("a slot for large messages was not given back")
	}
}

func TestAuthority(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	clock := func() time.Time { return now }
	ca, err := openAuthority(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "ca.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("ca.key: %v, %v", info.Mode(), err)
	}
	info, err = os.Stat(filepath.Join(dir, "ca.pem"))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("ca.pem: %v, %v", info.Mode(), err)
	}
	first, err := ca.serverCert("0.0.0.0:8681", []string{"picket.example"})
	if err != nil {
		t.Fatal(err)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"localhost", "127.0.0.1", "::1", "picket.example"}
	for _, a := range addrs {
		names = append(names, a.(*net.IPNet).IP.String())
	}
	if h, err := os.Hostname(); err == nil {
		names = append(names, h)
	}
	for _, n := range names {
		_, err := first.Leaf.Verify(x509.VerifyOptions{DNSName: n, Roots: ca.pool, CurrentTime: now})
		if err != nil {
			t.Errorf("name %q: %v", n, err)
		}
	}
	if again, err := ca.serverCert("0.0.0.0:8681", []string{"picket.example"}); err != nil || again != first {
		t.Error("the certificate changes for no reason")
	}
	now = now.Add(2 * nameCheck)
	if again, err := ca.serverCert("0.0.0.0:8681", []string{"other.example"}); err != nil || again == first || !slices.Contains(again.Leaf.DNSNames, "other.example") {
		t.Error("new names do not give a new certificate")
	}
	before, err := ca.serverCert("0.0.0.0:8681", []string{"other.example"})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(serverLife * 3 / 4)
	if after, err := ca.serverCert("0.0.0.0:8681", []string{"other.example"}); err != nil || after == before {
		t.Error("the certificate is not replaced before it ends")
	}

	// The same authority after a restart, and after its certificate was lost.
	if again, err := openAuthority(dir, clock); err != nil || !again.cert.Equal(ca.cert) {
		t.Errorf("reopened: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	again, err := openAuthority(dir, clock)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Leaf.Verify(x509.VerifyOptions{Roots: again.pool, CurrentTime: now}); err != nil {
		t.Errorf("a certificate of before the loss: %v", err)
	}
	if err := os.Chmod(filepath.Join(dir, "ca.key"), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := openAuthority(dir, clock); err == nil || !strings.Contains(err.Error(), "ca.key") {
		t.Errorf("a key that others can read: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := openAuthority(dir, clock); err == nil {
		t.Error("a lost key is replaced silently")
	}
}

func TestWrongServerNameIsRefused(t *testing.T) {
	s := newSite(t)
	cfg := &tls.Config{RootCAs: s.ca.pool, ServerName: "elsewhere.example"}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), cfg)
	if err == nil {
		_ = conn.Close()
		t.Error("a certificate for other names was accepted")
	}
}

func TestReachable(t *testing.T) {
	for _, u := range []string{"https://10.0.0.1:8681", "https://picket.example:8681"} {
		if got := reachable(u); got != u {
			t.Errorf("reachable(%q) = %q", u, got)
		}
	}
	for _, u := range []string{"https://0.0.0.0:8681", "https://[::]:8681", "https://:8681"} {
		if got := reachable(u); strings.Contains(got, "0.0.0.0") || strings.Contains(got, "::]") || !strings.HasSuffix(got, ":8681") || strings.Contains(got, "//:") {
			t.Errorf("reachable(%q) = %q", u, got)
		}
	}
}

func TestSignsAreKept(t *testing.T) {
	s := newSite(t)
	ctx := context.Background()
	a := s.enroll(newKey(t))
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	for _, dropped := range []uint64{3, 1} { // an agent that lost its count does not lower ours
		if err := s.g.st.AgentsAlive(ctx, map[inventory.DeviceID]store.Sign{a.id: {At: at, Dropped: dropped, Rejected: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := s.g.st.Device(ctx, a.id); err != nil || d.Dropped != 3 || d.Rejected != 4 || !d.LastSeen.Equal(at) {
		t.Errorf("device = %+v, %v", d, err)
	}
}
