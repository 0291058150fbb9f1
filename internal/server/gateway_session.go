package server

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// session is one connection of one agent.
type session struct {
	g       *gateway
	id      inventory.DeviceID
	from    string // address of the agent
	cert    *x509.Certificate
	conn    *protocol.Conn
	log     *slog.Logger
	ctx     context.Context // ends with the session
	idle    *time.Timer
	nudging atomic.Bool
	sends   sync.WaitGroup // sends that others started
	// welcomed is closed behind the Welcome: nothing but it is sent before.
	welcomed chan struct{}

	nonce   string
	lastSeq uint64
	bad     int
	csrs    int
	wrong   map[inventory.SectionName]bool // came whole and were not what their hash said
}

// heard notes a sign of life.
func (s *session) heard(spool *protocol.SpoolStats) {
	s.idle.Reset(idleLimit)
	s.g.alive(s.id, spool, 0)
}

// send sends what is the connection's own business, and nothing that makes the
// agent do anything: that takes an order.
func (s *session) send(ctx context.Context, m *protocol.Message) error {
	if effect := effectOf(m); effect != EffectProtocol {
		return fmt.Errorf("a message with the effect %q needs an order", effect)
	}
	return s.write(ctx, m)
}

// carry sends the message of an order that still stands.
func (s *session) carry(ctx context.Context, o order, m *protocol.Message) error {
	if err := s.begun(ctx); err != nil {
		return err
	}
	if err := o.stands(); err != nil {
		return err
	}
	return s.write(ctx, m)
}

// begun waits until the agent is let in.
func (s *session) begun(ctx context.Context) error {
	select {
	case <-s.welcomed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) write(ctx context.Context, m *protocol.Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	return s.conn.Send(ctx, m)
}

// run is the whole life of a session.
func (s *session) run(ctx context.Context) error {
	hello, err := s.hello(ctx)
	if err != nil {
		return err
	}
	v, err := s.admit(ctx, hello)
	if err != nil {
		return err
	}
	if v.fork != "" {
		s.log.WarnContext(ctx, "copied state directory: agent is told to fork", "reason", v.fork)
		return s.fork(ctx, v.fork)
	}
	defer s.leave()
	if v.stale {
		s.log.InfoContext(ctx, "agent came back from an older snapshot", "boot_id", hello.Evidence.BootID)
	}
	if v.moved {
		s.log.InfoContext(ctx, "agent runs on a host that looks different")
	}
	hashes, err := s.g.backend.sectionHashes(ctx, s.id)
	if err != nil {
		return fmt.Errorf("read section hashes: %w", err)
	}
	err = s.send(ctx, &protocol.Message{Welcome: &protocol.Welcome{
		Version: protocol.Version, Nonce: s.nonce, Hashes: hashes, LastSeq: s.lastSeq, Now: s.g.now().UTC(), Events: s.g.backend.eventsKept(s.id),
	}})
	if err != nil {
		return err
	}
	close(s.welcomed)
	if protocol.RenewDue(s.cert, s.g.now()) {
		if err := s.send(ctx, &protocol.Message{Renew: &protocol.Renew{}}); err != nil {
			return err
		}
	}
	for {
		m, done, err := s.conn.Recv(ctx)
		if err == nil {
			s.heard(nil)
			err = s.handle(ctx, m)
		} else {
			err = s.unreadable(ctx, err)
		}
		done()
		if err != nil {
			return err
		}
	}
}

// hello waits for the first message and checks it.
func (s *session) hello(ctx context.Context) (*protocol.Hello, error) {
	wait, cancel := context.WithTimeout(ctx, helloWait)
	defer cancel()
	m, done, err := s.conn.Recv(wait)
	done()
	if err != nil {
		return nil, err
	}
	h := m.Hello
	if h == nil {
		return nil, s.refuse(ctx, protocol.RefusedRequest, "the first message is not a Hello")
	}
	if h.Version < protocol.MinVersion {
		return nil, s.refuse(ctx, protocol.RefusedVersion, fmt.Sprintf("protocol %d is too old, %d is the oldest that this server speaks: upgrade the agent", h.Version, protocol.MinVersion))
	}
	for _, t := range append([]string{h.AgentVersion, h.OS, h.Arch, h.Nonce, h.Evidence.BootID, h.Evidence.MachineID}, h.Evidence.MACs...) {
		if len(t) > protocol.MaxText {
			return nil, s.refuse(ctx, protocol.RefusedRequest, "over-long text in Hello")
		}
	}
	if len(h.Evidence.MACs) > protocol.MaxMACs {
		return nil, s.refuse(ctx, protocol.RefusedRequest, "too many hardware addresses in Hello")
	}
	if len(h.Tags) > protocol.MaxTags {
		return nil, s.refuse(ctx, protocol.RefusedRequest, fmt.Sprintf("%d tags in Hello, at most %d", len(h.Tags), protocol.MaxTags))
	}
	for _, t := range h.Tags {
		if len(t) > protocol.MaxTag {
			return nil, s.refuse(ctx, protocol.RefusedRequest, fmt.Sprintf("tag of %d bytes in Hello, at most %d", len(t), protocol.MaxTag))
		}
	}
	if h.Response != nil {
		if err := protocol.CheckResponse(h.Response); err != nil {
			return nil, s.refuse(ctx, protocol.RefusedRequest, err.Error()+" in Hello")
		}
	}
	return h, nil
}

// refuse tells the agent why the session ends.
func (s *session) refuse(ctx context.Context, code, reason string) error {
	err := s.send(ctx, &protocol.Message{Refusal: &protocol.Refusal{Code: code, Reason: reason}})
	s.conn.Close(reason)
	return errors.Join(errors.New(reason), err)
}

// admit decides on the newcomer and, unless it has to fork, makes it the
// session of its device. One newcomer of a device at a time.
func (s *session) admit(ctx context.Context, h *protocol.Hello) (verdict, error) {
	g := s.g
	leave := g.enter(s.id)
	defer leave()
	g.mu.Lock()
	old := g.sessions[s.id]
	g.mu.Unlock()
	alive := old != nil && old.answers(ctx)
	d, err := g.st.Device(ctx, s.id)
	if err != nil {
		return verdict{}, fmt.Errorf("read device: %w", err)
	}
	v := judge(d, h, alive)
	if v.fork != "" {
		return v, nil
	}
	s.nonce, s.lastSeq = rand.Text(), d.LastSeq
	d.Nonce, d.NonceOffered = h.Nonce, s.nonce
	d.LastSeen, d.AgentVersion, d.AgentOS, d.AgentArch = g.now(), h.AgentVersion, h.OS, h.Arch
	d.MachineID, d.BootID, d.MACs = keepEvidence(d.MachineID, h.Evidence.MachineID), h.Evidence.BootID, h.Evidence.MACs
	d.Dropped, d.Queued = max(d.Dropped, min(h.Spool.Dropped, 1<<62)), max(h.Spool.Queued, 0)
	d.Tags = readableTags(h.Tags)
	if d.Response, err = responseOf(h); err != nil {
		return verdict{}, err
	}
	if err := g.st.AgentConnected(ctx, d, v.stale); err != nil {
		return verdict{}, fmt.Errorf("record session: %w", err)
	}
	g.mu.Lock()
	g.sessions[s.id] = s
	g.mu.Unlock()
	if old != nil {
		old.conn.CloseNow()
	}
	g.backend.connectionChanged(s.id, true)
	return v, nil
}

// readableTags keeps of an agent's tags what can be shown: words without
// control or format characters, each once.
func readableTags(tags []string) (kept []string) {
	for _, t := range tags {
		t = strings.TrimSpace(t)
		if t != "" && strings.IndexFunc(t, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 && !slices.Contains(kept, t) {
			kept = append(kept, t)
		}
	}
	return kept
}

func keepEvidence(old, now string) string {
	if now == "" {
		return old
	}
	return now
}

// answers reports whether the agent of this session proves that it lives.
func (s *session) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, s.g.pingWait)
	defer cancel()
	return s.conn.Ping(ctx) == nil
}

// leave ends the session's place in the registry, if it still has it. It takes
// the device's door, so that a newcomer is never told of before this one's end.
func (s *session) leave() {
	g := s.g
	defer g.enter(s.id)()
	g.mu.Lock()
	mine := g.sessions[s.id] == s
	if mine {
		delete(g.sessions, s.id)
	}
	g.mu.Unlock()
	if mine {
		g.backend.connectionChanged(s.id, false)
	}
}

// fork lets a copy become a device of its own: it proves the old key by this
// session and the new one by its request.
func (s *session) fork(ctx context.Context, reason string) error {
	if err := s.send(ctx, &protocol.Message{Fork: &protocol.Fork{Reason: reason}}); err != nil {
		return err
	}
	wait, cancel := context.WithTimeout(ctx, forkWait)
	defer cancel()
	m, done, err := s.conn.Recv(wait)
	done()
	if err != nil {
		return err
	}
	if m.CSR == nil || m.CSR.Purpose != protocol.PurposeFork {
		return s.refuse(ctx, protocol.RefusedRequest, "a fork needs a certificate request")
	}
	id, cert, err := s.g.register(ctx, agentAct{action: agentForks, from: s.from}, m.CSR.PEM, "", s.id, "")
	switch {
	case errors.Is(err, store.ErrTooManyClones):
		return s.refuse(ctx, protocol.RefusedClones, "this device was forked too often: enrol with a token and an empty state directory")
	case errors.Is(err, ErrInvalid):
		return s.refuse(ctx, protocol.RefusedRequest, err.Error())
	case err != nil:
		return err
	}
	s.log.WarnContext(ctx, "device forked", "clone", id, "reason", reason)
	if err := s.send(ctx, &protocol.Message{Certificate: &protocol.Certificate{PEM: cert.pem}}); err != nil {
		return err
	}
	s.conn.Close("forked")
	return nil
}

// unreadable deals with an error of Recv: nil when the session goes on.
func (s *session) unreadable(ctx context.Context, err error) error {
	bad, ok := errors.AsType[*protocol.BadMessage](err)
	if !ok {
		return err
	}
	s.heard(nil)
	s.bad++
	s.g.alive(s.id, nil, 1)
	s.log.WarnContext(ctx, "unreadable message from agent", "error", bad.Err, "count", s.bad)
	if s.bad >= maxBad {
		return s.refuse(ctx, protocol.RefusedRequest, "too many unreadable messages")
	}
	if d, ok := errors.AsType[*protocol.DamagedError](err); ok && d.Seq > s.lastSeq && d.Seq <= maxSeq {
		if _, err := s.ingest(ctx, d.Seq, nil); err != nil {
			return err
		}
		return s.ack(ctx, d.Seq, nil, []protocol.Rejected{{Reason: "the delivery cannot be decoded: " + short(d.Err.Error())}})
	}
	return nil
}

func short(s string) string {
	if len(s) > 300 {
		s = s[:300]
	}
	return s
}

// maxSeq is the highest number of a delivery: what a signed column holds, with room.
const maxSeq = 1 << 62

func (s *session) handle(ctx context.Context, m *protocol.Message) error {
	switch {
	case m.Deliver != nil:
		return s.deliver(ctx, m.Deliver)
	case m.Seen != nil:
		return s.seen(ctx, m.Seen)
	case m.Kept != nil:
		if m.Kept.Nonce == s.nonce {
			if err := s.g.st.AgentKept(ctx, s.id, s.nonce); err != nil {
				return fmt.Errorf("record nonce: %w", err)
			}
		}
		return nil
	case m.CSR != nil:
		return s.renew(ctx, m.CSR)
	case m.Events != nil:
		return s.events(ctx, m.Events)
	case m.TaskState != nil:
		return s.taskState(ctx, m.TaskState)
	case m.Response != nil:
		return s.response(ctx, m.Response)
	}
	s.log.DebugContext(ctx, "message of an unknown kind ignored")
	return nil
}

// deliver checks, stores and acknowledges one delivery.
func (s *session) deliver(ctx context.Context, d *protocol.Deliver) error {
	s.g.alive(s.id, &d.Spool, 0)
	switch {
	case d.Seq == 0 || d.Seq > maxSeq:
		return s.refuse(ctx, protocol.RefusedRequest, fmt.Sprintf("delivery number %d is not possible", d.Seq))
	case d.Seq <= s.lastSeq:
		return s.ack(ctx, s.lastSeq, nil, nil)
	}
	var rejected []protocol.Rejected
	good := d.Deltas
	if len(good) > protocol.MaxDeltas {
		rejected = append(rejected, protocol.Rejected{Reason: fmt.Sprintf("%d changes in one delivery, at most %d", len(good), protocol.MaxDeltas)})
		good = nil
	}
	good = slices.DeleteFunc(good, func(x inventory.Delta) bool {
		err := protocol.CheckDelta(&x)
		if err != nil {
			rejected = append(rejected, protocol.Rejected{Name: x.Name, Hash: x.Hash, Reason: err.Error()})
		}
		return err != nil
	})
	resync, err := s.ingest(ctx, d.Seq, good)
	if errors.Is(err, ErrInvalid) {
		for _, x := range good {
			rejected = append(rejected, protocol.Rejected{Name: x.Name, Hash: x.Hash, Reason: short(err.Error())})
		}
		_, err = s.ingest(ctx, d.Seq, nil)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "report not stored, the agent will try again", "seq", d.Seq, "error", err)
		return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store reports now")
	}
	resync, wrong := s.again(ctx, good, resync)
	return s.ack(ctx, d.Seq, resync, append(rejected, wrong...))
}

// again decides on sections that did not hold. One that came whole is counted
// and asked for once more in a session; then it is rejected, or it would come
// for ever.
func (s *session) again(ctx context.Context, sent []inventory.Delta, resync []inventory.SectionName) (ask []inventory.SectionName, rejected []protocol.Rejected) {
	for _, name := range resync {
		i := slices.IndexFunc(sent, func(x inventory.Delta) bool { return x.Name == name && x.Base == "" })
		switch {
		case i < 0:
			ask = append(ask, name)
		case s.wrong[name]:
			rejected = append(rejected, protocol.Rejected{Name: name, Hash: sent[i].Hash, Reason: "its content is not what its hash says, twice"})
		default:
			if s.wrong == nil {
				s.wrong = map[inventory.SectionName]bool{}
			}
			s.wrong[name] = true
			s.g.alive(s.id, nil, 1)
			s.log.WarnContext(ctx, "section is not what its hash says: asked for again", "section", name)
			ask = append(ask, name)
		}
	}
	return ask, rejected
}

// ingest waits for a slot, asking the agent to slow down when there is none,
// and hands a delivery over. A panic below becomes an ErrInvalid: it would come
// again with the same content.
func (s *session) ingest(ctx context.Context, seq uint64, deltas []inventory.Delta) (resync []inventory.SectionName, err error) {
	select {
	case s.g.work <- struct{}{}:
	default:
		if err := s.send(ctx, &protocol.Message{Slow: &protocol.Slow{Millis: slowMillis}}); err != nil {
			return nil, err
		}
		select {
		case s.g.work <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer func() { <-s.g.work }()
	defer func() {
		if p := recover(); p != nil {
			s.log.ErrorContext(ctx, "report quarantined: it makes the server panic", "seq", seq, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = Invalidf("delivery", "it makes the server panic: please report this")
		}
	}()
	return s.g.backend.ingest(ctx, s.id, seq, deltas)
}

// ack tells the agent what is durable. What it has to send whole goes first, so
// that an agent which waits for its acknowledgement knows that it is not done.
func (s *session) ack(ctx context.Context, seq uint64, resync []inventory.SectionName, rejected []protocol.Rejected) error {
	s.lastSeq = max(s.lastSeq, seq)
	if len(rejected) > 0 {
		s.g.alive(s.id, nil, len(rejected))
		for _, r := range rejected {
			s.log.WarnContext(ctx, "report rejected", "seq", seq, "section", r.Name, "reason", r.Reason)
		}
	}
	if len(resync) > 0 {
		if err := s.send(ctx, &protocol.Message{Resync: &protocol.Resync{Sections: resync}}); err != nil {
			return err
		}
	}
	return s.send(ctx, &protocol.Message{Ack: &protocol.Ack{Seq: seq, Rejected: rejected}})
}

// seen records which unchanged sections were looked at.
func (s *session) seen(ctx context.Context, m *protocol.Seen) error {
	s.g.alive(s.id, &m.Spool, 0)
	names := make(map[inventory.SectionName]time.Time, len(m.Sections))
	for n, at := range m.Sections {
		if n.Valid() {
			names[n] = at.UTC()
		}
	}
	if len(names) > 0 {
		if err := s.g.backend.seen(ctx, s.id, names, s.g.now().UTC()); err != nil {
			s.log.ErrorContext(ctx, "sign of unchanged sections not stored", "error", err)
			return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store reports now")
		}
	}
	return s.send(ctx, &protocol.Message{Ack: &protocol.Ack{Mark: m.Mark}})
}

// renew issues a new certificate for the session's own key.
func (s *session) renew(ctx context.Context, c *protocol.CSR) error {
	if s.csrs++; s.csrs > maxCSRs || c.Purpose != protocol.PurposeRenew {
		return s.refuse(ctx, protocol.RefusedRequest, "certificate request not expected")
	}
	_, cert, err := s.g.register(ctx, agentAct{action: agentRenews, from: s.from}, c.PEM, "", "", s.id)
	if errors.Is(err, ErrInvalid) {
		return s.refuse(ctx, protocol.RefusedRequest, err.Error())
	}
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "agent certificate renewed", "expires", cert.expires)
	return s.send(ctx, &protocol.Message{Certificate: &protocol.Certificate{PEM: cert.pem}})
}
