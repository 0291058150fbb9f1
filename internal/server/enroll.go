package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// handleEnroll answers POST EnrollPath. What an enrolment yields is one
// certificate for one key; the key that is already a device stays that device
// and needs no token, because the request is signed by it.
func (g *gateway) handleEnroll(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	from := remoteKey(r.RemoteAddr)
	if !g.limits.allow(from, g.now()) {
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusTooManyRequests, protocol.RefusedBusy, "too many enrolments from this address: try again later")
		return
	}
	var req protocol.EnrollRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, protocol.MaxEnroll)).Decode(&req); err != nil {
		g.limits.blame(from, g.now())
		refuse(w, http.StatusBadRequest, protocol.RefusedRequest, "the request is not readable: "+short(err.Error()))
		return
	}
	if req.Version < protocol.MinVersion {
		refuse(w, http.StatusBadRequest, protocol.RefusedVersion, fmt.Sprintf("protocol %d is too old, %d is the oldest that this server speaks: upgrade the agent", req.Version, protocol.MinVersion))
		return
	}
	id, cert, err := g.register(ctx, agentAct{action: agentEnrols, from: remoteHost(r.RemoteAddr)}, req.CSR, req.Token, "", "")
	switch {
	case errors.Is(err, ErrInvalid):
		g.limits.blame(from, g.now())
		refuse(w, http.StatusBadRequest, protocol.RefusedRequest, err.Error())
	case errors.Is(err, store.ErrTokenUnknown) && req.Token == "":
		refuse(w, http.StatusForbidden, protocol.RefusedToken, "this key is not enrolled and no enrolment token was given")
	case errors.Is(err, store.ErrTokenUnknown), errors.Is(err, store.ErrTokenExpired), errors.Is(err, store.ErrTokenRevoked), errors.Is(err, store.ErrTokenUsedUp):
		g.limits.blame(from, g.now())
		g.log.WarnContext(ctx, "enrolment refused", "remote", from, "reason", err)
		refuse(w, http.StatusForbidden, protocol.RefusedToken, tokenReason(err))
	case err != nil:
		g.log.ErrorContext(ctx, "enrolment not stored", "error", err)
		refuse(w, http.StatusServiceUnavailable, protocol.RefusedBusy, "the server cannot enrol now")
	default:
		g.log.InfoContext(ctx, "device enrolled", "device", id, "remote", from)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(protocol.EnrollResponse{Device: id, Certificate: cert.pem}) // a client that is gone asks again
	}
}

// tokenReason is the sentence for people of an ErrToken… error.
func tokenReason(err error) string {
	for _, e := range []error{store.ErrTokenExpired, store.ErrTokenRevoked, store.ErrTokenUsedUp} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return store.ErrTokenUnknown.Error()
}

func keyHash(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// remoteKey is what the limits count by: an IPv4 address or an IPv6 /64.
func remoteKey(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		p, err := ip.WithZone("").Prefix(64)
		if err == nil {
			return p.String()
		}
	}
	return ip.String()
}

// limiter bounds enrolments by address: generous to those that succeed (a
// whole fleet may arrive from behind one address), strict to those that do not.
type limiter struct {
	mu sync.Mutex // guards by
	by map[string]*bucket
}

// bucket counts what an address has left; both refill with time.
type bucket struct {
	calls, faults float64
	at            time.Time
}

const (
	callBurst, callRate   = 400, 100.0 // enrolments, per second
	faultBurst, faultRate = 20, 0.5    // refused enrolments, per second
	maxBuckets            = 20_000
)

func newLimiter() *limiter { return &limiter{by: map[string]*bucket{}} }

// allow takes one call and reports whether the address has calls and faults left.
func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.get(key, now)
	if b.calls < 1 || b.faults < 1 {
		return false
	}
	b.calls--
	return true
}

// blame takes one fault.
func (l *limiter) blame(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.get(key, now).faults--
}

func (l *limiter) get(key string, now time.Time) *bucket {
	b := l.by[key]
	if b == nil {
		if len(l.by) >= maxBuckets {
			l.shrink(now)
		}
		b = &bucket{calls: callBurst, faults: faultBurst, at: now}
		l.by[key] = b
	}
	if d := now.Sub(b.at).Seconds(); d > 0 {
		b.calls = min(callBurst, b.calls+d*callRate)
		b.faults = min(faultBurst, b.faults+d*faultRate)
	}
	b.at = now
	return b
}

// shrink forgets addresses that are full again; when none is, any tenth.
func (l *limiter) shrink(now time.Time) {
	for k, b := range l.by {
		if now.Sub(b.at).Seconds()*faultRate >= faultBurst {
			delete(l.by, k)
		}
	}
	for k := range l.by {
		if len(l.by) < maxBuckets*9/10 {
			return
		}
		delete(l.by, k)
	}
}

// maxTokenHours is the longest life of an enrolment token: a year.
const maxTokenHours = 366 * 24

// tokens lists all enrolment tokens, newest first.
func (g *gateway) tokens(ctx context.Context) ([]TokenRow, error) {
	list, err := g.st.ListTokens(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]TokenRow, 0, len(list))
	for _, t := range list {
		rows = append(rows, tokenRow(t))
	}
	return rows, nil
}

func tokenRow(t store.Token) TokenRow {
	return TokenRow{ID: t.ID, Note: t.Note, Uses: t.Uses, MaxUses: t.MaxUses, Created: t.Created, Expires: t.Expires, CreatedBy: t.CreatedBy, Revoked: t.Revoked}
}

// createToken makes an enrolment token; maxUses 0 is unlimited.
func (g *gateway) createToken(ctx context.Context, by, note string, maxUses, hours int) (string, TokenRow, error) {
	switch {
	case maxUses < 0 || maxUses > 1_000_000:
		return "", TokenRow{}, Invalidf("max_uses", "%d is not between 0 (no limit) and 1000000", maxUses)
	case hours < 1 || hours > maxTokenHours:
		return "", TokenRow{}, Invalidf("hours", "%d is not between 1 and %d", hours, maxTokenHours)
	case len(note) > 200:
		return "", TokenRow{}, Invalidf("note", "%d bytes, at most 200", len(note))
	}
	at := g.now()
	secret, t, err := g.st.CreateToken(ctx, note, by, maxUses, at, at.Add(time.Duration(hours)*time.Hour))
	if err != nil {
		return "", TokenRow{}, err
	}
	g.log.InfoContext(ctx, "enrolment token created", "token", t.ID, "by", by, "max_uses", maxUses, "expires", t.Expires)
	return secret, tokenRow(t), nil
}

// revokeToken ends a token; ErrNotFound if there is none with this id.
func (g *gateway) revokeToken(ctx context.Context, by, id string) error {
	err := g.st.RevokeToken(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNotFound
	}
	if err == nil {
		g.log.InfoContext(ctx, "enrolment token revoked", "token", id, "by", by)
	}
	return err
}

// onboarding is what an administrator needs to bring a host in. url is that of
// the agent listener; an address that stands for all of this machine's is
// replaced by one that others can reach.
func (g *gateway) onboarding(url string) Onboarding {
	url = reachable(url)
	return Onboarding{ServerURL: url, CAPEM: string(g.ca.pem), CAHash: g.ca.fingerprint(), Command: onboardCommand(url, string(g.ca.pem))}
}

// reachable replaces a wildcard host in a URL by the machine's own name or address.
func reachable(url string) string {
	scheme, addr, ok := strings.Cut(url, "://")
	host, port, err := net.SplitHostPort(addr)
	if !ok || err != nil {
		return url
	}
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return url
	}
	addrs, _ := net.InterfaceAddrs() // without them the name has to do
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return scheme + "://" + net.JoinHostPort(n.IP.String(), port)
		}
	}
	if name, err := os.Hostname(); err == nil && validName(name) {
		return scheme + "://" + net.JoinHostPort(name, port)
	}
	return scheme + "://" + net.JoinHostPort("localhost", port)
}

// onboardCommand is the text to paste into a root shell of the new host, with
// TOKEN in place of the token. The authority travels inside it, so that the
// very first connection is already verified.
func onboardCommand(url, ca string) string {
	return strings.Join([]string{
		"install -d -m 0755 /etc/picket && cat > /etc/picket/ca.pem <<'EOF'",
		strings.TrimSpace(ca),
		"EOF",
		"picket-agent install --server '" + strings.ReplaceAll(url, "'", "") + "' --ca /etc/picket/ca.pem --token TOKEN --state /var/lib/picket-agent",
	}, "\n")
}
