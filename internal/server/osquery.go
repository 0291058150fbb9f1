package server

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/osquery"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// Bounds of the osquery routes beside those of package osquery.
const (
	maxNodeEnroll = 256 << 10
	maxNodeSmall  = 64 << 10 // of messages that hold a key alone
	maxNodePacked = 16 << 20 // of a message as it travels
	nodeBodyTime  = time.Minute
	askAgain      = time.Hour // a node that did not answer is asked again
)

// nodeDesk is what is remembered of nodes besides the store.
type nodeDesk struct {
	mu    sync.Mutex
	asked map[inventory.DeviceID]time.Time // when all questions were handed out
}

// AgentHandler serves the agents' listener: Picket's own agents by TLS 1.3 and
// their certificates, and osqueryd by its node key.
func (s *Server) AgentHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", modern(s.gate.handler()))
	for pattern, serve := range s.nodeRoutes() {
		mux.HandleFunc(pattern, serve)
	}
	return mux
}

// nodeRoutes are the routes of osquery: what is not in it is not there.
func (s *Server) nodeRoutes() map[string]http.HandlerFunc {
	out := map[string]http.HandlerFunc{}
	for path, serve := range map[string]http.HandlerFunc{
		"enroll": s.nodeEnroll, "config": s.nodeConfig, "log": s.nodeLog, "distributed/read": s.nodeRead, "distributed/write": s.nodeWrite,
	} {
		out["POST /api/osquery/"+path], out["POST /api/v1/osquery/"+path] = serve, serve
	}
	return out
}

// AgentRoutes are the routes of the agents' listener, as patterns of
// http.ServeMux, sorted: those of Picket's agents and those of osquery.
func (s *Server) AgentRoutes() []string {
	out := slices.Concat(slices.Collect(maps.Keys(s.gate.routes())), slices.Collect(maps.Keys(s.nodeRoutes())))
	slices.Sort(out)
	return out
}

// modern lets nobody in who does not speak TLS 1.3: the listener speaks 1.2 for
// osqueryd alone.
func modern(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && r.TLS.Version < tls.VersionTLS13 {
			refuse(w, http.StatusForbidden, protocol.RefusedRequest, "this needs TLS 1.3")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// nodeInvalid tells osqueryd that it is not known: it enrols again by itself.
var nodeInvalid = map[string]any{"node_invalid": true}

func nodeAnswer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a node that is gone asks again
}

// nodeBody reads a message of at most so many bytes, packed or not.
func nodeBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(nodeBodyTime)) // a reader without deadlines has none to set
	var in io.Reader = http.MaxBytesReader(w, r.Body, min(most, maxNodePacked))
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
		in = z
	}
	body, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(body)) > most {
		err = fmt.Errorf("the message is larger than %d bytes", most)
	}
	return body, err
}

// nodeRefused answers what cannot be read: 400, so that osqueryd logs it and
// tries again later.
func (s *Server) nodeRefused(w http.ResponseWriter, r *http.Request, err error) {
	s.gate.limits.blame(remoteKey(r.RemoteAddr), s.gate.now())
	s.log.WarnContext(r.Context(), "message of osquery refused", "path", r.URL.Path, "remote", r.RemoteAddr, "error", err)
	http.Error(w, short(err.Error()), http.StatusBadRequest)
}

// nodeEnroll makes a device of a node. The key that it gets is 256 random bits,
// its digest is stored, and nothing else is ever its identity: whoever knows a
// token can make a new device, and never become one that is there.
func (s *Server) nodeEnroll(w http.ResponseWriter, r *http.Request) {
	ctx, from := r.Context(), remoteKey(r.RemoteAddr)
	if !s.gate.limits.allow(from, s.gate.now()) {
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many enrolments from this address: try again later", http.StatusTooManyRequests)
		return
	}
	body, err := nodeBody(w, r, maxNodeEnroll)
	var in osquery.Enroll
	if err == nil {
		in, err = osquery.DecodeEnroll(body)
	}
	if err != nil {
		s.nodeRefused(w, r, err)
		return
	}
	key := newSecret()
	var raw [20]byte
	rand.Read(raw[:])
	n := store.Node{Device: inventory.DeviceID(hex.EncodeToString(raw[:])), Key: digest(key), Host: in.Host}
	noted, end := s.audited(ctx, agentAct{action: nodeEnrols, from: remoteHost(r.RemoteAddr), device: n.Device})
	audit.Change(noted, "", nil, map[string]any{"device": n.Device, "host_identifier": in.Host})
	err = s.st.RegisterNode(noted, n, in.Secret, s.gate.now())
	end(err)
	switch {
	case errors.Is(err, store.ErrTokenUnknown), errors.Is(err, store.ErrTokenExpired), errors.Is(err, store.ErrTokenRevoked), errors.Is(err, store.ErrTokenUsedUp):
		s.gate.limits.blame(from, s.gate.now())
		s.log.WarnContext(ctx, "enrolment of osquery refused", "remote", from, "reason", tokenReason(err))
		nodeAnswer(w, nodeInvalid)
		return
	case err != nil:
		s.log.ErrorContext(ctx, "enrolment of osquery not stored", "error", err)
		http.Error(w, "the server cannot enrol now", http.StatusServiceUnavailable)
		return
	}
	s.deviceRegistered(ctx, n.Device)
	s.log.InfoContext(ctx, "device enrolled by osquery", "device", n.Device, "remote", from)
	if err := s.nodeReport(ctx, n.Device, in.Answers(), true); err != nil {
		s.log.ErrorContext(ctx, "first report of osquery not stored", "device", n.Device, "error", err)
	}
	nodeAnswer(w, map[string]any{"node_key": key, "node_invalid": false})
}

// node reads a message and finds who sent it. Without one it has answered.
func (s *Server) node(w http.ResponseWriter, r *http.Request, most int64) (id inventory.DeviceID, body []byte, ok bool) {
	if most > maxNodeSmall {
		select {
		case s.gate.large <- struct{}{}:
			defer func() { <-s.gate.large }()
		case <-r.Context().Done():
			return "", nil, false
		}
	}
	body, err := nodeBody(w, r, most)
	var key string
	if err == nil {
		key, err = osquery.DecodeKey(body)
	}
	if err != nil {
		s.nodeRefused(w, r, err)
		return "", nil, false
	}
	n, err := s.st.NodeByKey(r.Context(), digest(key))
	switch {
	case errors.Is(err, store.ErrNotFound):
		// Nodes with a good key behind the same address are not held up by one without.
		from := remoteKey(r.RemoteAddr)
		if !s.gate.limits.allow(from, s.gate.now()) {
			w.Header().Set("Retry-After", "10")
			http.Error(w, "too many messages from this address that were refused: try again later", http.StatusTooManyRequests)
			return "", nil, false
		}
		s.gate.limits.blame(from, s.gate.now())
		nodeAnswer(w, nodeInvalid)
		return "", nil, false
	case err != nil:
		s.log.ErrorContext(r.Context(), "look up node of osquery", "error", err)
		http.Error(w, "the server cannot look up the node now", http.StatusServiceUnavailable)
		return "", nil, false
	}
	s.nodeSeen(n.Device)
	return n.Device, body, true
}

// nodeSeen notes a sign of life.
func (s *Server) nodeSeen(id inventory.DeviceID) {
	s.gate.alive(id, nil, 0)
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if num, ok := s.core.byID[id]; ok {
		s.core.at(num).agent.LastSeen = s.gate.now().UTC()
	}
}

func (s *Server) nodeConfig(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := s.node(w, r, maxNodeSmall); ok {
		nodeAnswer(w, osquery.Config())
	}
}

// nodeRead hands all questions out to a node whose answers are not all here.
func (s *Server) nodeRead(w http.ResponseWriter, r *http.Request) {
	id, _, ok := s.node(w, r, maxNodeSmall)
	if !ok {
		return
	}
	queries := map[string]string{}
	if ask, err := s.nodeAsk(r.Context(), id); err != nil {
		s.log.ErrorContext(r.Context(), "read sections of a node", "device", id, "error", err)
	} else if ask {
		queries = osquery.Queries()
	}
	nodeAnswer(w, map[string]any{"queries": queries, "node_invalid": false})
}

func (s *Server) nodeAsk(ctx context.Context, id inventory.DeviceID) (bool, error) {
	now := s.gate.now()
	s.nodes.mu.Lock()
	defer s.nodes.mu.Unlock()
	if at, ok := s.nodes.asked[id]; ok && now.Sub(at) < askAgain && !now.Before(at) {
		return false, nil
	}
	have, err := s.sectionHashes(ctx, id)
	if err != nil {
		return false, err
	}
	if s.nodes.asked == nil {
		s.nodes.asked = map[inventory.DeviceID]time.Time{}
	}
	s.nodes.asked[id] = now
	for _, name := range osquery.Told {
		if _, there := have[name]; !there {
			return true, nil
		}
	}
	return false, nil
}

func (s *Server) nodeLog(w http.ResponseWriter, r *http.Request) {
	s.nodeAnswers(w, r, osquery.DecodeLog)
}

func (s *Server) nodeWrite(w http.ResponseWriter, r *http.Request) {
	s.nodeAnswers(w, r, osquery.DecodeWrite)
}

// nodeAnswers takes answers: they are on disk when it says so.
func (s *Server) nodeAnswers(w http.ResponseWriter, r *http.Request, decode func([]byte) (map[string]osquery.Answer, error)) {
	id, body, ok := s.node(w, r, osquery.MaxBody)
	if !ok {
		return
	}
	answers, err := decode(body)
	if err != nil {
		s.nodeRefused(w, r, err)
		return
	}
	if err := s.nodeReport(r.Context(), id, answers, false); err != nil {
		s.log.ErrorContext(r.Context(), "report of osquery not stored", "device", id, "error", err)
		http.Error(w, "the server cannot store the report now", http.StatusServiceUnavailable)
		return
	}
	nodeAnswer(w, map[string]any{"node_invalid": false})
}

// nodeReport applies answers of a node: sections change, findings follow, and
// all of it is on disk when it returns nil.
func (s *Server) nodeReport(ctx context.Context, id inventory.DeviceID, answers map[string]osquery.Answer, first bool) error {
	if len(answers) == 0 && !first {
		return nil
	}
	select {
	case s.gate.work <- struct{}{}:
		defer func() { <-s.gate.work }()
	case <-ctx.Done():
		return ctx.Err()
	}
	d, err := s.deviceByID(id)
	if err != nil {
		return err
	}
	d.report.Lock()
	defer d.report.Unlock()
	have, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return fmt.Errorf("read sections of %s: %w", id, err)
	}
	now := time.Now().UTC()
	fresh := osquery.Sections(answers, have, now)
	if first {
		fresh = append(fresh, osquery.Silent(now)...)
	}
	rep := store.Ingest{Device: d.num, ID: id, At: now}
	before, all := map[inventory.SectionName]*inventory.Section{}, maps.Clone(have)
	same := map[inventory.SectionName]time.Time{}
	for _, sec := range fresh {
		old := have[sec.Name]
		if old != nil && old.Hash() == sec.Hash() {
			same[sec.Name] = now
			continue
		}
		if old != nil {
			before[sec.Name] = old
		}
		all[sec.Name] = sec
		rep.Sections = append(rep.Sections, sec)
	}
	if len(same) > 0 {
		s.looked.note(d.num, same)
	}
	if len(rep.Sections) == 0 {
		return nil
	}
	return s.evaluate(ctx, d, before, all, &rep)
}

// UserRead lets an application see who uses a device; people see it with the device.
const UserRead = "User.Read.All"

// mostUsers is how many local users a device's page has.
const mostUsers = 500

// people are the local users of a device and who is logged on, where it told.
func people(c Caller, p *portrait) ([]inventory.User, []inventory.Logon) {
	users, logons := []inventory.User{}, []inventory.Logon{}
	if c.App != "" && !c.Has(UserRead) {
		return users, logons
	}
	if sec := p.sections[inventory.Users]; sec != nil {
		list, _ := inventory.Decode[inventory.User](sec) // what cannot be read is left out
		users = append(users, list[:min(len(list), mostUsers)]...)
	}
	if sec := p.sections[inventory.Logons]; sec != nil {
		list, _ := inventory.Decode[inventory.Logon](sec)
		logons = append(logons, list[:min(len(list), mostUsers)]...)
	}
	return users, logons
}
