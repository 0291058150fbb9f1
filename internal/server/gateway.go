package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// gatewayBackend is what the gateway hands to the rest of the server.
type gatewayBackend interface {
	// sectionHashes are those of the sections that are held of a device.
	sectionHashes(ctx context.Context, id inventory.DeviceID) (map[inventory.SectionName]string, error)
	// ingest is durable when it returns nil. A seq that is not above the
	// device's last one changes nothing. An ErrInvalid concerns the content
	// and will be the same next time; every other error is worth another try.
	ingest(ctx context.Context, id inventory.DeviceID, seq uint64, deltas []inventory.Delta) (resync []inventory.SectionName, err error)
	seen(ctx context.Context, id inventory.DeviceID, names map[inventory.SectionName]time.Time, at time.Time) error
	deviceRegistered(ctx context.Context, id inventory.DeviceID)
	// audited begins the audit entry of what an agent asks for; end says how it ended.
	audited(ctx context.Context, a agentAct) (_ context.Context, end func(err error))
	connectionChanged(id inventory.DeviceID, connected bool)
	// reportsLost tells of an agent that had to drop reports, ever, or reports of
	// which were refused since the last sign of it.
	reportsLost(id inventory.DeviceID, v store.Sign)
	// eventsKept are the highest numbers of events that are durable, by stream.
	eventsKept(id inventory.DeviceID) []protocol.Stream
	// keepEvents is durable when it returns nil; what was kept before changes
	// nothing. An ErrInvalid concerns the content, as that of ingest.
	keepEvents(ctx context.Context, id inventory.DeviceID, e *protocol.Events) error
	// eventsBehind is for how long keepEvents will wait; 0: it does not.
	eventsBehind() time.Duration
	taskBackend
}

// taskBackend is what the gateway hands over that concerns tasks.
type taskBackend interface {
	// taskState is durable when it returns nil.
	taskState(ctx context.Context, id inventory.DeviceID, t *protocol.TaskState) error
	responseChanged(ctx context.Context, id inventory.DeviceID, r *protocol.Response) error
	// takePackage is durable when it returns nil. ErrNotFound: no such package is
	// asked for; ErrInvalid: it is not what it should be.
	takePackage(ctx context.Context, id inventory.DeviceID, action, hash string, size int64, body io.Reader) error
}

// The gateway's own limits.
const (
	helloWait   = 15 * time.Second
	forkWait    = time.Minute
	idleLimit   = 3 * time.Minute // nothing heard, not even a ping
	sendLimit   = 30 * time.Second
	signsEvery  = 10 * time.Second
	maxBad      = 10 // unreadable messages per session
	maxCSRs     = 10 // certificate requests per session
	largeAtOnce = 8  // messages above protocol.MaxSmall in memory at once
	slowMillis  = 2000
)

// gateway is where agents arrive: enrolment and sessions. Its work per agent
// does not depend on how many there are.
type gateway struct {
	st      *store.Store
	ca      *authority
	backend gatewayBackend
	log     *slog.Logger
	now     func() time.Time
	limits  *limiter

	pingWait time.Duration // how long a first session has to prove that it lives
	large    chan struct{} // slots for large messages
	work     chan struct{} // slots for ingest
	// slowAfter is how long events wait before their agent is asked to hold what follows.
	slowAfter time.Duration

	mu       sync.Mutex // guards the maps
	sessions map[inventory.DeviceID]*session
	doors    map[inventory.DeviceID]*door
	signs    map[inventory.DeviceID]store.Sign
}

// door serialises the admission of sessions of one device.
type door struct {
	mu   sync.Mutex
	uses int
}

// newGateway makes a gateway. Run must run while it serves.
func newGateway(st *store.Store, ca *authority, backend gatewayBackend, log *slog.Logger) *gateway {
	return &gateway{
		st: st, ca: ca, backend: backend, log: log, now: time.Now, limits: newLimiter(),
		pingWait: 3 * time.Second, slowAfter: slowAfter,
		large: make(chan struct{}, largeAtOnce), work: make(chan struct{}, 2*runtime.GOMAXPROCS(0)),
		sessions: map[inventory.DeviceID]*session{}, doors: map[inventory.DeviceID]*door{}, signs: map[inventory.DeviceID]store.Sign{},
	}
}

// Run writes signs of life in batches and forgets expired certificates, until
// ctx ends; then it writes what is left.
func (g *gateway) Run(ctx context.Context) error {
	tick := time.NewTicker(signsEvery)
	defer tick.Stop()
	clean := time.NewTicker(time.Hour)
	defer clean.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			g.flush(last)
			return ctx.Err()
		case <-tick.C:
			g.flush(ctx)
		case <-clean.C:
			if err := g.st.DropExpiredCerts(ctx, g.now().Add(-agentLife)); err != nil {
				g.log.WarnContext(ctx, "expired certificates not forgotten", "error", err)
			}
		}
	}
}

func (g *gateway) flush(ctx context.Context) {
	g.mu.Lock()
	signs := g.signs
	g.signs = map[inventory.DeviceID]store.Sign{}
	g.mu.Unlock()
	if err := g.st.AgentsAlive(ctx, signs); err != nil {
		g.log.WarnContext(ctx, "signs of life not stored", "devices", len(signs), "error", err)
	}
	for id, v := range signs {
		if v.Dropped > 0 || v.Rejected > 0 {
			g.backend.reportsLost(id, v)
		}
	}
}

// handler serves the agent listener: enrolment, sessions and nothing else.
func (g *gateway) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, serve := range g.routes() {
		mux.HandleFunc(pattern, serve)
	}
	return mux
}

func (g *gateway) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"POST " + protocol.EnrollPath: g.handleEnroll, "GET " + protocol.SessionPath: g.handleSession,
		"PUT " + protocol.PackagePath + "{id}": g.handlePackage}
}

// connected reports whether a session of the device is open.
func (g *gateway) connected(id inventory.DeviceID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[id] != nil
}

// count is the number of open sessions.
func (g *gateway) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions)
}

// carry hands a message with an effect to a connected agent. It does not wait;
// it reports whether a session is open. An order that stands no more, or is for
// another effect than the message has, is an error and nothing is sent.
func (g *gateway) carry(o order, id inventory.DeviceID, m *protocol.Message) (sent bool, err error) {
	if effect := effectOf(m); effect == "" || effect == EffectProtocol || effect != o.effect {
		return false, fmt.Errorf("an order of %q cannot carry a message with the effect %q", o.action, effect)
	}
	if err := o.stands(); err != nil {
		return false, err
	}
	s := g.session(id)
	if s == nil {
		return false, nil
	}
	if m.Nudge == nil || s.nudging.CompareAndSwap(false, true) { // one nudge at a time is enough
		s.sends.Go(func() {
			if m.Nudge != nil {
				defer s.nudging.Store(false)
			}
			if err := s.carry(s.ctx, o, m); err != nil {
				g.log.DebugContext(s.ctx, "message of an action not sent", "action", o.action, "device", id, "error", err)
			}
		})
	}
	return true, nil
}

// addressOf is where the open session of a device came from; zero: there is none.
func (g *gateway) addressOf(id inventory.DeviceID) netip.Addr {
	if s := g.session(id); s != nil {
		from, _ := netip.ParseAddr(s.from)
		return from
	}
	return netip.Addr{}
}

// session is the open session of a device, nil when there is none.
func (g *gateway) session(id inventory.DeviceID) *session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[id]
}

// tell hands a message of the connection's own business to a session. It does not wait.
func (g *gateway) tell(s *session, m *protocol.Message) {
	s.sends.Go(func() {
		err := s.begun(s.ctx)
		if err == nil {
			err = s.send(s.ctx, m)
		}
		if err != nil {
			g.log.DebugContext(s.ctx, "message not sent", "device", s.id, "error", err)
		}
	})
}

// alive merges a sign of life into the next batch.
func (g *gateway) alive(id inventory.DeviceID, spool *protocol.SpoolStats, rejected int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.signs[id]
	v.At = g.now()
	v.Rejected += uint64(rejected)
	if spool != nil {
		v.Dropped, v.Queued = min(spool.Dropped, 1<<62), max(spool.Queued, 0)
	}
	g.signs[id] = v
}

// enter waits for the door of a device; the result must be called to leave it.
func (g *gateway) enter(id inventory.DeviceID) (leave func()) {
	g.mu.Lock()
	d := g.doors[id]
	if d == nil {
		d = &door{}
		g.doors[id] = d
	}
	d.uses++
	g.mu.Unlock()
	d.mu.Lock()
	return func() {
		d.mu.Unlock()
		g.mu.Lock()
		defer g.mu.Unlock()
		if d.uses--; d.uses == 0 {
			delete(g.doors, id)
		}
	}
}

// handleSession checks the certificate and turns the request into a session.
func (g *gateway) handleSession(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	id, cert, err := protocol.PeerID(r.TLS)
	if err != nil {
		refuse(w, http.StatusForbidden, protocol.RefusedCertificate, err.Error())
		return
	}
	known, err := g.st.HasCert(ctx, id, cert.SerialNumber.Text(16))
	if err != nil {
		g.log.ErrorContext(ctx, "look up agent certificate", "device", id, "error", err)
		refuse(w, http.StatusServiceUnavailable, protocol.RefusedBusy, "the server cannot look up the certificate now")
		return
	}
	if !known {
		refuse(w, http.StatusForbidden, protocol.RefusedUnknown, "this certificate is not known to the server: enrol again")
		return
	}
	s := &session{g: g, id: id, from: remoteHost(r.RemoteAddr), cert: cert, log: g.log.With("device", id), welcomed: make(chan struct{})}
	left := cert.NotAfter.Sub(g.now())
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	s.ctx = ctx
	s.idle = time.AfterFunc(idleLimit, cancel)
	defer s.idle.Stop()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
		s.heard(nil)
		return true
	}})
	if err != nil {
		s.log.DebugContext(ctx, "session not opened", "error", err)
		return
	}
	s.conn = protocol.NewConn(ws, g.large)
	defer s.sends.Wait()
	defer s.conn.CloseNow()
	if err := s.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.DebugContext(ctx, "session ended", "error", err)
	}
}

// refuse answers a request with a Refusal.
func refuse(w http.ResponseWriter, status int, code, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(protocol.Refusal{Code: code, Reason: reason}) // the client is gone or reads it
}

// verdict is what becomes of a newcomer.
type verdict struct {
	fork  string // why it has to fork; "" when it is admitted
	stale bool   // it showed an old nonce and was admitted: a restored snapshot
	moved bool   // its evidence is another than before
}

// judge decides on a newcomer. alive says that another session of the same key answers.
//
// The nonce tells copies from the original: it changes with every session and
// the agent keeps it on disk, so a copy of the state directory falls behind as
// soon as the other one connects. An old nonce on a host that looks different
// is a copy. An old nonce on the same host is a restored snapshot, unless the
// branch that was current at an earlier restore is still in use as well: then
// two copies take turns. The boot id cannot decide here (both a snapshot and a
// copy miss later boots) and is only noted.
func judge(d store.Device, h *protocol.Hello, alive bool) verdict {
	differs := evidenceDiffers(d, h.Evidence)
	fresh := h.Nonce == d.Nonce || h.Nonce != "" && h.Nonce == d.NonceOffered
	switch {
	case alive:
		return verdict{fork: "the same key is in use by another agent that answers"}
	case fresh:
		return verdict{moved: differs}
	case differs:
		return verdict{fork: "the state directory is an old copy and the host is another one"}
	case h.Nonce != "" && h.Nonce == d.NonceBranch:
		return verdict{fork: "two copies of one state directory take turns"}
	}
	return verdict{stale: true}
}

// evidenceDiffers reports whether a host looks like another one than before.
// Missing evidence says nothing.
func evidenceDiffers(d store.Device, e protocol.Evidence) bool {
	if d.MachineID != "" && e.MachineID != "" && d.MachineID != e.MachineID {
		return true
	}
	if len(d.MACs) == 0 || len(e.MACs) == 0 {
		return false
	}
	had := map[string]bool{}
	for _, m := range d.MACs {
		had[m] = true
	}
	for _, m := range e.MACs {
		if had[m] {
			return false
		}
	}
	return true
}

// register records a certificate for a key and tells the rest of the server.
func (g *gateway) register(ctx context.Context, act agentAct, csr, secret string, cloneOf inventory.DeviceID, want inventory.DeviceID) (inventory.DeviceID, issued, error) {
	id, req, err := protocol.ParseCSR(csr)
	if err != nil {
		return "", issued{}, Invalidf("csr", "%v", err)
	}
	if want != "" && id != want {
		return "", issued{}, Invalidf("csr", "it is for another key")
	}
	if cloneOf != "" && id == cloneOf {
		return "", issued{}, Invalidf("csr", "a fork needs a new key")
	}
	_, cert, err := g.ca.issue(req.PublicKey)
	if err != nil {
		return "", issued{}, err
	}
	_, there := g.st.Device(ctx, id)
	act.device, act.again = id, there == nil
	noted, end := g.backend.audited(ctx, act)
	after := map[string]any{"device": id, "certificate": cert.serial, "expires": cert.expires}
	if cloneOf != "" {
		after["fork_of"] = cloneOf
	}
	audit.Change(noted, "", nil, after)
	_, known, err := g.st.Register(noted, store.Registration{ID: id, KeyHash: keyHash(req.RawSubjectPublicKeyInfo), Secret: secret,
		CloneOf: cloneOf, Serial: cert.serial, Now: g.now(), Expires: cert.expires})
	end(err)
	if err != nil {
		return "", issued{}, fmt.Errorf("register device: %w", err)
	}
	if !known {
		g.backend.deviceRegistered(ctx, id)
	}
	return id, cert, nil
}
