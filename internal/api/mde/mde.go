// Package mde is the part of the API that programs written for the Defender
// API use: OData lists under /api and /api/v1.0, with paths in any letter case.
//
//	h := mde.New(mde.Options{Server: srv, Fail: writeError})
//	h.Serve(w, r, "/machines", caller, "https://picket.example")
//
// The properties of an entity are a table (entity.go) that writes JSON, answers
// $filter, $orderby and $select, so the four can never disagree.
package mde

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// Options are what a Handler is made of.
type Options struct {
	Server server.API
	// Fail answers an error in the Defender API's shape.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// Broken notes why an answer ended in its middle; nil: nobody.
	Broken func(r *http.Request, err error)
	Now    func() time.Time // wall clock; nil: time.Now
}

// Handler serves the routes below /api. It is safe for concurrent use.
type Handler struct {
	opt    Options
	routes []Route
}

// New returns a handler.
func New(opt Options) *Handler {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Handler{opt: opt, routes: Routes()}
}

// Error is an error that the Defender API has a code for.
type Error struct {
	Status  int
	Code    string
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Serve answers a request of an authenticated caller. path is the escaped path
// below "/api"; base is where links begin ("https://picket.example").
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, path string, c server.Caller, base string) {
	q := &request{w: w, r: r, caller: c, base: base, prefix: "/api"}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	if strings.EqualFold(segments[0], "v1.0") {
		q.prefix += "/" + segments[0]
		segments = segments[1:]
	}
	rt := h.match(r.Method, segments, q)
	if rt == nil {
		h.opt.Fail(w, r, &Error{Status: http.StatusNotFound, Code: "NotFound", Message: "There is no such path or method."})
		return
	}
	if !c.Has(rt.Permission) && !slices.ContainsFunc(rt.Or, c.Has) {
		h.opt.Fail(w, r, &Error{Status: http.StatusForbidden, Code: "Forbidden", Message: "The application lacks the permission " + rt.Permission + "."})
		return
	}
	if err := rt.serve(h, q); err != nil {
		h.opt.Fail(w, r, err)
	}
}

// match finds the route of a path and notes its parameters. The first route of
// the table that fits wins.
func (h *Handler) match(method string, segments []string, q *request) *Route {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range h.routes {
		rt := &h.routes[i]
		want := strings.Split(strings.TrimPrefix(rt.Path, "/"), "/")
		if rt.Method != method || len(want) != len(segments) {
			continue
		}
		fits := true
		for j := range want {
			if fits = fits && q.segment(want[j], segments[j]); !fits {
				break
			}
		}
		if fits {
			return rt
		}
	}
	return nil
}

// segment reports whether a segment of a path fits the one of a route.
func (q *request) segment(want, got string) bool {
	if want == "{id}" {
		id, ok := CanonicalID(got)
		q.id = id
		return ok
	}
	plain := pathArg(got)
	if name, function := strings.CutSuffix(want, "(…)"); function {
		n := len(name)
		if len(plain) < n+2 || !strings.EqualFold(plain[:n], name) || plain[n] != '(' || plain[len(plain)-1] != ')' {
			return false
		}
		q.arg = plain[n+1 : len(plain)-1]
		return true
	}
	return strings.EqualFold(plain, want)
}

// CanonicalID turns one escaped path segment into an id: every byte outside
// A–Z a–z 0–9 . _ + ~ : - is percent-encoded, upper case. An id that holds
// percent-encoded bytes may arrive as it is ("npm-_-%40babel%2Fcore") or
// encoded once more ("npm-_-%2540babel%252Fcore"); a name that holds "%2e" by
// itself has no such form and is left alone. ok is false for empty and dot
// segments and for broken escapes.
func CanonicalID(segment string) (id string, ok bool) {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return "", false
	}
	if strings.Contains(segment, "%25") {
		if again, err := url.PathUnescape(plain); err == nil && escapeID(again) == plain {
			plain = again
		}
	}
	if plain == "" || plain == "." || plain == ".." {
		return "", false
	}
	return escapeID(plain), true
}

func escapeID(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("._+~:-", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
