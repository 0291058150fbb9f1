package server

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// Progress is how far long work is. Of 0 means that the whole is not known.
type Progress struct {
	Text string `json:"text"`
	Done int64  `json:"done"`
	Of   int64  `json:"of"`
}

// AdminVerb is one administrative command. It runs in the process that has the
// data directory open: the running server, asked over its admin socket, or the
// command itself when no server runs. args is the caller's JSON; the result is
// encoded as JSON.
type AdminVerb func(ctx context.Context, s *Server, args json.RawMessage, progress func(Progress)) (any, error)

// adminVerbs is the whole table: what the admin socket can do and no more.
func adminVerbs() map[string]AdminVerb {
	verbs := map[string]AdminVerb{
		"ping":                func(context.Context, *Server, json.RawMessage, func(Progress)) (any, error) { return "ok", nil },
		"explain":             explainVerb,
		"nudge":               nudgeVerb,
		"enroll-token create": enrollTokenVerb,
		"onboarding":          onboardingVerb,
		"sign-in-link":        signInLinkVerb,
		"reset-factors":       resetFactorsVerb,
		"intel import":        intelImportVerb,
		"intel sync":          intelSyncVerb,
		"intel status":        intelStatusVerb,
		"sbom import":         sbomImportVerb,
		"vex import":          vexImportVerb,
		"vex list":            vexListVerb,
		"vex remove":          vexRemoveVerb,
		"audit verify":        auditVerifyVerb,
		"bench load":          benchLoadVerb,
		"bench match":         benchMatchVerb,
	}
	maps.Copy(verbs, appVerbs())
	maps.Copy(verbs, lockdownVerbs())
	return verbs
}

// AdminVerbs lists the names of the verbs, sorted.
func AdminVerbs() []string {
	var names []string
	for n := range adminVerbs() {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// adminLine is one line of an answer: progress, or the end with a result or an error.
type adminLine struct {
	Progress *Progress       `json:"progress,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    string          `json:"error,omitempty"`
	Kind     string          `json:"kind,omitempty"` // of the error: "invalid", "not found" …
	End      bool            `json:"end,omitempty"`
}

// Admin runs a verb in this process.
func (s *Server) Admin(ctx context.Context, verb string, args json.RawMessage, progress func(Progress)) (json.RawMessage, error) {
	fn, ok := adminVerbs()[verb]
	if !ok {
		return nil, Invalidf("verb", "%q is not an admin command", verb)
	}
	ctx, end := s.auditVerb(ctx, verb)
	out, err := fn(ctx, s, args, progress)
	end(err)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// SocketPath is where the admin socket of a data directory is.
func SocketPath(dir string) string { return filepath.Join(dir, "admin.sock") }

// serveAdmin listens on the admin socket, which only the owner of the data
// directory can reach (0600 in a 0700 directory), until ctx ends.
func (s *Server) serveAdmin(ctx context.Context) error {
	path := SocketPath(s.opt.Dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replace admin socket %q: %w", path, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("listen on admin socket %q: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(err, ln.Close())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /verb", s.handleVerb)
	debugRoutes(mux)
	if s.localAPI != nil {
		mux.Handle("/api/", s.localAPI)
	}
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin socket: %w", err)
	}
	return nil
}

// ServeLocal serves the API at the admin socket, for commands on this machine.
// h must take whoever asks for LocalCaller. It is called before Run.
func (s *Server) ServeLocal(h http.Handler) { s.localAPI = h }

func (s *Server) handleVerb(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Verb string          `json:"verb"`
		Args json.RawMessage `json:"args"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 16<<20)).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl")
	enc := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	line := func(l adminLine) { _ = enc.Encode(l); _ = flush.Flush() }
	var last time.Time
	out, err := s.Admin(r.Context(), req.Verb, req.Args, func(p Progress) {
		if at := time.Now(); at.Sub(last) >= 50*time.Millisecond {
			last = at
			line(adminLine{Progress: &p})
		}
	})
	if err != nil {
		line(adminLine{Error: err.Error(), Kind: errorKind(err), End: true})
		return
	}
	line(adminLine{Result: out, End: true})
}

// errorKind and kindError carry the five sentinels over the socket.
func errorKind(err error) string {
	for _, k := range []error{ErrNotFound, ErrConflict, ErrInvalid, ErrDenied, ErrUnavailable} {
		if errors.Is(err, k) {
			return k.Error()
		}
	}
	return ""
}

type kindError struct {
	text string
	kind error
}

func (e *kindError) Error() string        { return e.text }
func (e *kindError) Is(target error) bool { return target == e.kind }

func kindOf(text, kind string) error {
	for _, k := range []error{ErrNotFound, ErrConflict, ErrInvalid, ErrDenied, ErrUnavailable} {
		if k.Error() == kind {
			return &kindError{text: text, kind: k}
		}
	}
	return errors.New(text)
}

// ErrNoServer says that no server has the data directory open.
var ErrNoServer = errors.New("no server is running on this data directory")

// Ask runs a verb in the server that has dir open. It is ErrNoServer when none does.
func Ask(ctx context.Context, dir, verb string, args any, progress func(Progress)) (json.RawMessage, error) {
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", SocketPath(dir))
	}}}
	defer client.CloseIdleConnections()
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("encode arguments: %w", err)
	}
	pr, pw := io.Pipe()
	go func() {
		_ = pw.CloseWithError(json.NewEncoder(pw).Encode(map[string]any{"verb": verb, "args": json.RawMessage(raw)}))
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://admin/verb", pr)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			return nil, ErrNoServer
		}
		return nil, ctx.Err()
	}
	defer func() { _ = resp.Body.Close() }()
	sc := bufio.NewScanner(resp.Body)
	sc.Buffer(make([]byte, 64<<10), 256<<20)
	for sc.Scan() {
		var l adminLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read answer of the server: %w", err)
		}
		switch {
		case l.End && l.Error != "":
			return nil, kindOf(l.Error, l.Kind)
		case l.End:
			return l.Result, nil
		case l.Progress != nil && progress != nil:
			progress(*l.Progress)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read answer of the server: %w", err)
	}
	return nil, fmt.Errorf("the server ended before it answered: %w", ErrUnavailable)
}
