package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// The agent's side of a session.
const (
	dialLimit    = 30 * time.Second
	welcomeLimit = time.Minute
	ackLimit     = 2 * time.Minute
	pingLimit    = 20 * time.Second
	inFlight     = 4       // Delivers without their Ack, unless the policy says otherwise
	maxInFlight  = 64      //
	batchRecords = 32      // records in one Deliver
	batchBytes   = 1 << 20 // of keys and values in one Deliver, unless one section alone is larger
	maxPause     = time.Minute
)

// errForked says that the agent has become another device: connect again.
var errForked = errors.New("this agent was forked from a copied state directory")

// errDone says that everything was acknowledged, in an agent that runs once.
var errDone = errors.New("everything is acknowledged")

// sessionState is what the agent keeps of a session.
type sessionState struct {
	Device inventory.DeviceID `json:"device"`
	Nonce  string             `json:"nonce"`
	Server int                `json:"server,omitempty"` // protocol of the server, as it said last
	Now    time.Time          `json:"now,omitzero"`     // the server's clock when the session began
}

const sessionFile = "session.json"

// link is one session with the server.
type link struct {
	a    *agent
	conn *protocol.Conn
	in   chan *protocol.Message

	expect  map[inventory.SectionName]string // hash that the server holds once everything sent is applied
	cursor  uint64                           // last record of the spool that was dealt with
	sent    uint64                           // highest number that was sent
	flight  []flight                         // sent, not acknowledged
	max     int                              // length of flight
	mark    uint64                           // of the last Seen
	marked  map[inventory.SectionName]time.Time
	version int                         // protocol of the server
	streams [protocol.NumStreams]stream // of events
	paused  time.Time                   // nothing is sent before (monotonic)
	renewal bool                        // a certificate was asked for
	tasks   taskLink
}

// flight is a Deliver that was sent.
type flight struct {
	seq    uint64 // its number
	upTo   uint64 // records of the spool that are done with it
	deltas map[inventory.SectionName]string
	at     time.Time
}

// session dials, says hello and exchanges messages until something ends it.
// welcomed is called once the server has let the agent in.
func (a *agent) session(ctx context.Context, welcomed func()) error {
	dial, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	client, done := a.client(a.ident)
	defer done()
	ws, resp, err := websocket.Dial(dial, a.url(protocol.SessionPath), &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols && resp.Body != nil {
			return protocol.ReadRefusal(resp)
		}
		return fmt.Errorf("connect: %w", err)
	}
	l := &link{a: a, conn: protocol.NewConn(ws, nil), in: make(chan *protocol.Message, 16), max: inFlight}
	defer l.conn.CloseNow()
	w, err := l.hello(ctx)
	if err != nil {
		return err
	}
	welcomed()
	if err := l.begin(ctx, w); err != nil {
		return err
	}
	return l.run(ctx, w.Policy)
}

// hello opens the session and returns the Welcome.
func (l *link) hello(ctx context.Context) (*protocol.Welcome, error) {
	a := l.a
	ctx, cancel := context.WithTimeout(ctx, welcomeLimit)
	defer cancel()
	kept := a.lastSession()
	hello := &protocol.Hello{
		Version: protocol.Version, AgentVersion: a.cfg.Version, OS: runtime.GOOS, Arch: runtime.GOARCH,
		Evidence: a.evidence(), Nonce: kept.Nonce, Spool: a.spool.stats(),
	}
	if !a.cfg.Once { // one that does not stay takes no tasks
		l.tasks = taskLink{sent: map[string]toldState{}, said: a.tasks.said()}
		hello.Response = &l.tasks.said
	}
	err := l.conn.Send(ctx, &protocol.Message{Hello: hello})
	if err != nil {
		return nil, err
	}
	for {
		m, done, err := l.conn.Recv(ctx)
		done()
		switch {
		case err != nil:
			return nil, err
		case m.Refusal != nil:
			return nil, &RefusedError{Code: m.Refusal.Code, Reason: clip(m.Refusal.Reason)}
		case m.Fork != nil:
			return nil, l.fork(ctx, m.Fork.Reason)
		case m.Welcome != nil:
			return m.Welcome, nil
		}
	}
}

// fork makes this agent a device of its own: its key lives elsewhere too. The
// new key is on disk before the server hears of it, so that a crash does not
// leave a device behind that nobody is.
func (l *link) fork(ctx context.Context, reason string) error {
	a := l.a
	a.log.WarnContext(ctx, "this agent's key is in use elsewhere: it becomes a device of its own", "reason", clip(reason), "was", a.ident.id)
	next, err := loadIdentity(a.state, forkFile)
	if err == nil && next.id == a.ident.id {
		if err = a.state.root.Remove(forkFile); err == nil {
			next, err = newIdentity(a.state, forkFile)
		}
	}
	if err != nil {
		return err
	}
	csr, err := protocol.NewCSR(next.key)
	if err != nil {
		return err
	}
	if err := l.conn.Send(ctx, &protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeFork, PEM: csr}}); err != nil {
		return err
	}
	m, done, err := l.conn.Recv(ctx)
	done()
	switch {
	case err != nil:
		return err
	case m.Refusal != nil:
		return &RefusedError{Code: m.Refusal.Code, Reason: clip(m.Refusal.Reason)}
	case m.Certificate == nil:
		return errors.New("the server answered a fork with something else")
	}
	if err := next.accept(m.Certificate.PEM, a.roots, a.times.now()); err != nil {
		return err
	}
	if err := next.save(a.state, identityFile); err != nil {
		return err
	}
	a.ident = next
	_ = a.state.root.Remove(forkFile) // a leftover is found to be this identity
	a.spool.reset()
	a.events.reset()
	a.tasks.reset()
	return errForked
}

// begin takes over what the Welcome says.
func (l *link) begin(ctx context.Context, w *protocol.Welcome) error {
	a := l.a
	l.expect = w.Hashes
	if l.expect == nil {
		l.expect = map[inventory.SectionName]string{}
	}
	if w.Policy.MaxInFlight > 0 {
		l.max = min(w.Policy.MaxInFlight, maxInFlight)
	}
	a.gather.policy(w.Policy)
	a.spool.welcomed(w.LastSeq)
	l.cursor, l.sent = w.LastSeq, w.LastSeq
	l.version = w.Version
	a.tasks.ident.Store(a.ident)
	for i := range l.streams {
		l.streams[i].at = a.events.known(i, w.Events)
	}
	a.events.allow(w.Version >= eventsVersion)
	a.times.heard(w.Now)
	if skew := time.Since(w.Now).Abs(); !w.Now.IsZero() && skew > time.Minute {
		a.log.WarnContext(ctx, "this host's clock and the server's differ", "seconds", int(skew.Seconds()))
	}
	raw, err := json.Marshal(sessionState{Device: a.ident.id, Nonce: w.Nonce, Server: w.Version, Now: w.Now})
	if err != nil {
		return fmt.Errorf("encode session: %w", err)
	}
	if err := a.state.replace(sessionFile, raw); err != nil {
		a.log.ErrorContext(ctx, "session not noted: the state directory refuses writes", "error", err)
		return nil
	}
	return l.conn.Send(ctx, &protocol.Message{Kept: &protocol.Kept{Nonce: w.Nonce}})
}

// run is the session after its beginning.
func (l *link) run(ctx context.Context, p protocol.Policy) error {
	a := l.a
	g := newGroup(ctx, a.log)
	g.add("receive", func(ctx context.Context) error {
		for {
			m, done, err := l.conn.Recv(ctx)
			done()
			if err != nil {
				return err
			}
			select {
			case l.in <- m:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	g.add("heartbeat", func(ctx context.Context) error {
		every := 45 * time.Second
		if p.HeartbeatSeconds > 0 {
			every = min(max(time.Duration(p.HeartbeatSeconds)*time.Second, 5*time.Second), 80*time.Second)
		}
		for {
			if !sleep(ctx, every*2/3+rand.N(every*2/3)) {
				return ctx.Err()
			}
			if err := ping(ctx, l.conn); err != nil {
				return fmt.Errorf("heartbeat: %w", err)
			}
		}
	})
	g.add("send", l.loop)
	err := g.wait()
	if l.marked != nil {
		a.keep.restoreSeen(l.marked)
	}
	if errors.Is(err, errDone) {
		l.conn.Close("done")
	}
	return err
}

func ping(ctx context.Context, c *protocol.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	return c.Ping(ctx)
}

// loop sends what there is to send and takes what comes.
func (l *link) loop(ctx context.Context) error {
	a := l.a
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	first := a.gather.first // closed once everything was looked at; nil once that is known
	if err := l.check(ctx); err != nil {
		return err
	}
	for {
		idle, err := l.fill(ctx)
		if err == nil {
			err = l.fillEvents(ctx, &idle)
		}
		if err == nil {
			err = l.fillTasks(ctx)
		}
		if err != nil {
			return err
		}
		if idle && a.cfg.Once && first == nil {
			return errDone
		}
		resume := time.NewTimer(max(time.Until(l.paused), time.Millisecond))
		if time.Until(l.paused) <= 0 {
			resume.Stop()
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case m := <-l.in:
			err = l.handle(ctx, m)
		case <-a.keep.changed:
		case <-a.events.changed:
		case <-a.tasks.changed:
		case <-first:
			first = nil
		case <-resume.C:
		case <-tick.C:
			err = l.check(ctx)
		}
		resume.Stop()
		if err != nil {
			return err
		}
	}
}

// check looks at what time alone changes.
func (l *link) check(ctx context.Context) error {
	l.a.keep.flushMemory()
	if len(l.flight) > 0 && time.Since(l.flight[0].at) > ackLimit {
		return errors.New("the server does not acknowledge")
	}
	for _, s := range l.streams {
		if len(s.flight) > 0 && time.Since(s.flight[0].at) > ackLimit {
			return errors.New("the server does not acknowledge events")
		}
	}
	if protocol.RenewDue(l.a.ident.cert, l.a.times.now()) {
		return l.renew(ctx)
	}
	return nil
}

// lastSession is what is kept of the last session, zero when none was.
func (a *agent) lastSession() sessionState {
	var kept sessionState
	raw, err := a.state.read(sessionFile, maxPEM)
	if err != nil || json.Unmarshal(raw, &kept) != nil || kept.Device != a.ident.id {
		return sessionState{}
	}
	return kept
}
