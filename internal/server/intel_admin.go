package server

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/intel"
)

// IntelImportArgs are the arguments of the verb "intel import". Paths are those
// of the machine that the data directory is on, absolute.
type IntelImportArgs struct {
	Paths []string `json:"paths"`
	Force bool     `json:"force"`
}

// PathProblem is a path named directly that could not be used.
type PathProblem struct {
	Path  string `json:"path"`
	Error string `json:"error"`
}

// IntelImported is the answer of the verb "intel import".
type IntelImported struct {
	intel.Result
	Weaknesses int           `json:"weaknesses"` // in the intelligence now
	Problems   []PathProblem `json:"problems"`
}

// IntelSyncArgs are the arguments of the verb "intel sync".
type IntelSyncArgs struct {
	Feeds      []string          `json:"feeds"`      // names or groups ("osv"); none: all
	Base       map[string]string `json:"base"`       // base address by group, see intel.Groups
	Ecosystems []string          `json:"ecosystems"` // of OSV; none: all that its bucket lists
	Proxy      string            `json:"proxy"`      // "": from the environment
	Force      bool              `json:"force"`
}

// intelImportVerb loads feeds from paths.
func intelImportVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var args IntelImportArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	if len(args.Paths) == 0 {
		return nil, Invalidf("path", "name at least one file, directory or archive")
	}
	if err := absolute(args.Paths); err != nil {
		return nil, err
	}
	was, names := s.desk.noted(), []string{}
	for _, p := range args.Paths[:min(len(args.Paths), 50)] {
		names = append(names, filepath.Base(p))
	}
	// The entry waits until it can say what came of it: the intelligence is a
	// file of its own, and no transaction holds both.
	res, err := s.desk.load(audit.With(ctx, nil), args.Paths, args.Force, progress)
	audit.Change(ctx, "intelligence", was, s.desk.noted(map[string]any{"import": names}))
	problems, err := pathProblems(err)
	if err != nil {
		return nil, err
	}
	return IntelImported{Result: res, Weaknesses: s.desk.intel().Weaknesses, Problems: problems}, nil
}

// pathProblems takes the faults of paths out of an import's error; what is left
// is a fault of the import itself.
func pathProblems(err error) ([]PathProblem, error) {
	problems := []PathProblem{}
	var rest []error
	var visit func(error)
	visit = func(err error) {
		if err == nil {
			return
		}
		if p, ok := err.(*intel.PathError); ok {
			problems = append(problems, PathProblem{Path: p.Path, Error: p.Err.Error()})
			return
		}
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				visit(e)
			}
			return
		}
		rest = append(rest, err)
	}
	visit(err)
	return problems, errors.Join(rest...)
}

// intelSyncVerb fetches feeds.
func intelSyncVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var args IntelSyncArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	opt, err := args.options(filepath.Join(s.opt.Dir, "intel-sync"))
	if err != nil {
		return nil, err
	}
	was := s.desk.noted()
	res, err := s.desk.runSync(audit.With(ctx, nil), opt, progress)
	audit.Change(ctx, "intelligence", was, s.desk.noted(map[string]any{"sync": args.Feeds}))
	return res, err
}

// noted is what the audit log keeps of the intelligence as it is, with more.
func (d *intelDesk) noted(more ...map[string]any) map[string]any {
	in := d.intel()
	out := map[string]any{"generation": in.Generation, "weaknesses": in.Weaknesses, "feeds": len(in.Feeds)}
	for _, m := range more {
		maps.Copy(out, m)
	}
	return out
}

// options checks the arguments.
func (a IntelSyncArgs) options(dir string) (intel.SyncOptions, error) {
	opt := intel.SyncOptions{Dir: dir, Feeds: a.Feeds, Base: a.Base, Ecosystems: a.Ecosystems, Force: a.Force}
	for group, base := range a.Base {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return opt, Invalidf("base", "%s=%s is no http or https address", group, base)
		}
	}
	if err := intel.CheckFeeds(a.Feeds, a.Base); err != nil {
		return opt, Invalidf("feed", "%v", err)
	}
	proxy := http.ProxyFromEnvironment
	if a.Proxy != "" {
		u, err := url.Parse(a.Proxy)
		if err != nil || u.Host == "" {
			return opt, Invalidf("proxy", "%q is no address of a proxy (want http://host:port)", a.Proxy)
		}
		proxy = http.ProxyURL(u)
	}
	opt.Client = intel.SyncClient(proxy)
	return opt, nil
}

// intelStatusVerb says how the intelligence stands.
func intelStatusVerb(_ context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	return s.desk.intel(), nil
}
