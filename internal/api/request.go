package api

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/server"
)

const (
	sessionCookie = "picket_session"
	maxBody       = 1 << 20
	readTime      = 30 * time.Second // to read a body
	writeTime     = 2 * time.Minute  // to write an answer that is not a stream
)

// request is what is known of a request besides HTTP. It travels in the context.
type request struct {
	id     string
	base   string // "https://picket.example": where links start
	tls    bool
	public bool // base is the configured public address
	remote string
	agent  string // what the browser calls itself
	caller server.Caller
	me     server.Me
	secret server.SessionSecret // of the session that authenticated it, else ""
	bearer string               // the token that authenticated it, else ""
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if q, ok := ctx.Value(requestKey{}).(*request); ok {
		return q
	}
	return &request{}
}

// callerOf is who is asking.
func callerOf(ctx context.Context) server.Caller { return requestOf(ctx).caller }

// prepare names the request, bounds it and sets the headers that every answer has.
func (h *handler) prepare(w http.ResponseWriter, r *http.Request) *http.Request {
	q := &request{id: rand.Text(), tls: r.TLS != nil, remote: hostOf(r.RemoteAddr), agent: r.UserAgent(), public: h.opt.PublicURL != ""}
	q.base = h.opt.PublicURL
	if q.base == "" {
		q.base, q.tls = baseOf(r)
	} else if strings.HasPrefix(q.base, "https://") {
		q.tls = true
	}
	hd := w.Header()
	hd.Set("X-Request-Id", q.id)
	hd.Set("X-Content-Type-Options", "nosniff")
	hd.Set("Referrer-Policy", "no-referrer")
	hd.Set("X-Frame-Options", "DENY")
	hd.Set("Cross-Origin-Resource-Policy", "same-origin")
	hd.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.TLS != nil {
		hd.Set("Strict-Transport-Security", "max-age=31536000")
	}
	ctl := http.NewResponseController(w)
	_ = ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		_ = ctl.SetReadDeadline(time.Now().Add(readTime))
	}
	most := int64(maxBody)
	if takesDocument(r) {
		most = maxDocument
		_ = ctl.SetReadDeadline(time.Now().Add(documentTime))
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
}

// baseOf builds the address that the client used from the request itself.
// Only what looks like a host is taken: it ends in links and nowhere else.
func baseOf(r *http.Request) (base string, https bool) {
	host, scheme := r.Host, "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if f := firstOf(r.Header.Get("X-Forwarded-Host")); f != "" {
		host = f
	}
	if f := strings.ToLower(firstOf(r.Header.Get("X-Forwarded-Proto"))); f == "http" || f == "https" {
		scheme = f
	}
	if u, err := url.Parse("//" + host); err != nil || u.Host != host || u.User != nil || strings.ContainsAny(host, "/?#@\\ \"'<>") {
		host = "localhost"
	}
	return scheme + "://" + host, scheme == "https"
}

func firstOf(list string) string {
	first, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(first)
}

func hostOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}

// apiHeaders are the headers of everything that is not the console's pages.
func apiHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
}

// recover turns a panic into a 500 with the id of the request; the stack goes to the log.
func (h *handler) recover(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	h.opt.Log.ErrorContext(r.Context(), "request panicked", "id", requestOf(r.Context()).id, "method", r.Method,
		"path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	h.fail(w, r, errPanic)
}

// serveAPI authenticates, then sends the request to its part.
func (h *handler) serveAPI(w http.ResponseWriter, r *http.Request, a area, path string) {
	if a == areaConsole && isPublic(r.Method, path) {
		if err := h.cross.Check(r); err != nil {
			h.fail(w, r, errCrossOrigin)
			return
		}
		h.console.serve(w, r, path)
		return
	}
	if err := h.authenticate(r); err != nil {
		h.fail(w, r, err)
		return
	}
	if requestOf(r.Context()).secret != "" {
		if err := h.cross.Check(r); err != nil {
			h.fail(w, r, errCrossOrigin)
			return
		}
	}
	q := requestOf(r.Context())
	if err := h.opt.Server.Admit(q.caller, r.Method, countedPath(a, path)); err != nil {
		h.fail(w, r, err)
		return
	}
	if a == areaConsole {
		h.console.serve(w, r, path)
		return
	}
	h.serveDefender(w, r, path)
}

// countedPath is a path as limits know it: what follows "/api/", without a version.
func countedPath(a area, path string) string {
	path = strings.Trim(path, "/")
	if a == areaConsole {
		return "x/" + path
	}
	if first, rest, _ := strings.Cut(path, "/"); strings.EqualFold(first, "v1.0") {
		return rest
	}
	return path
}

var publicPaths = []string{"/session", "/session/redeem", "/session/second", "/session/passkey", "/session/passkey/ask", "/session/sso"}

// isPublic lists the only API routes that need no credentials.
func isPublic(method, path string) bool {
	return method == http.MethodPost && slices.Contains(publicPaths, path) || method == http.MethodGet && path == "/session/ways"
}

// authenticate finds out who calls and notes it in the request. A token in the
// Authorization header goes before a cookie.
func (h *handler) authenticate(r *http.Request) error {
	q := requestOf(r.Context())
	if h.opt.Local {
		q.caller = server.LocalCaller()
		return nil
	}
	if auth := r.Header.Get("Authorization"); auth != "" {
		scheme, token, _ := strings.Cut(auth, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return server.ErrUnauthenticated
		}
		c, err := h.opt.Server.TokenCaller(r.Context(), strings.TrimSpace(token))
		if err != nil {
			return err
		}
		q.caller, q.bearer = c, strings.TrimSpace(token)
	} else {
		cookie, err := r.Cookie(cookieName(q.tls, sessionCookie))
		if err != nil {
			return server.ErrUnauthenticated
		}
		secret := server.SessionSecret(cookie.Value)
		c, me, err := h.opt.Server.SessionCaller(r.Context(), secret)
		if err != nil {
			return err
		}
		q.caller, q.me, q.secret = c, me, secret
	}
	q.caller.Remote = q.remote
	return nil
}
