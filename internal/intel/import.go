package intel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
)

// Status says what became of a load.
type Status string

// The statuses of a load.
const (
	Loaded     Status = "loaded"
	Unchanged  Status = "unchanged"  // what is loaded is the same
	Older      Status = "older"      // than what is loaded
	Superseded Status = "superseded" // by a newer load of the same call
	Small      Status = "suspiciously small"
	Unknown    Status = "skipped" // of no known format
	Failed     Status = "failed"  // truncated, damaged or not of its format
)

// Load is one feed out of one file or archive, and what became of it.
type Load struct {
	Feed      string        `json:"feed"` // "" when the file is of no known format
	Source    string        `json:"source"`
	Status    Status        `json:"status"`
	Reason    string        `json:"reason,omitempty"`
	Date      time.Time     `json:"data_date,omitzero"`
	DateFrom  string        `json:"data_date_from,omitempty"`
	Records   int           `json:"records"` // read
	Added     int           `json:"added"`
	Updated   int           `json:"updated"`
	Removed   int           `json:"removed"`
	Unchanged int           `json:"unchanged"` // as loaded, or newer there
	Skipped   int           `json:"skipped"`
	Skips     []Skip        `json:"skips,omitempty"`
	Took      time.Duration `json:"took_ns"` // reading and staging
}

// Result is what an import did.
type Result struct {
	Loads      []Load `json:"loads"`
	Generation uint64 `json:"generation"` // after it
	Changed    bool   `json:"changed"`
	InPlace    bool   `json:"in_place"` // one transaction, no copy of the file
	// Keys are the packages whose statements changed, Weaknesses the canonical
	// ids whose facts changed, both sorted. All and AllWeaknesses say that there
	// are too many to list, or that what is covered changed: look at everything.
	Keys          []advisory.Key `json:"-"`
	Weaknesses    []string       `json:"-"`
	All           bool           `json:"-"`
	AllWeaknesses bool           `json:"-"`
	Took          time.Duration  `json:"took_ns"`
}

// Progress is how far an import or a sync is.
type Progress struct {
	Phase   string // "reading", "compiling", "downloading"
	Source  string
	Feed    string
	Done    int64 // bytes of Source, or records when compiling
	Total   int64 // 0: unknown
	Records int   // of Feed, so far
}

// ImportOptions are what may differ between imports.
type ImportOptions struct {
	Progress func(Progress) // may be nil; called often, from one goroutine
	// Force loads what would be refused as older or suspiciously small.
	Force bool

	lim *limits // tests
}

// PathError says that a path named directly could not be used. The rest of the
// call went on.
type PathError struct {
	Path string
	Err  error
}

// Error is "path: why".
func (e *PathError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *PathError) Unwrap() error { return e.Err }

// errUnknown says that nothing in a path is of a known format.
var errUnknown = errors.New("holds no known feed: give a file of one of the supported formats, or an archive or directory with such files")

// Import loads feeds from files, directories and archives in any nesting; what
// a file is follows from its content. Everything that is taken becomes visible
// at once, or, after an error or a crash, nothing does.
//
// A feed that is replaced whole (KEV, EPSS, the Debian tracker and lists,
// endoflife.date, the demo) is taken from the newest of the given sources, if
// that is not older than what is loaded and has no less than a fifth of its
// records. Of feeds that are merged (CVE, NVD, OSV) the newest form of each
// record is kept. A truncated or damaged file changes nothing; other files of
// the call still count.
//
// The error joins a *PathError for each path named directly that is unreadable,
// damaged or of no known format; the result is valid beside those. Any other
// error means that nothing changed.
func (s *Store) Import(ctx context.Context, paths []string, opt ImportOptions) (Result, error) {
	var list []*given
	for _, p := range paths {
		list = append(list, &given{path: p, shown: p})
	}
	return s.load(ctx, list, nil, opt)
}

// ImportBytes loads one file from memory, as Import would from disk. name
// stands for its path.
func (s *Store) ImportBytes(ctx context.Context, name string, data []byte, opt ImportOptions) (Result, error) {
	return s.load(ctx, []*given{{path: name, shown: name}}, data, opt)
}

func (s *Store) load(ctx context.Context, list []*given, data []byte, opt ImportOptions) (Result, error) {
	s.write.Lock()
	defer s.write.Unlock()
	began := s.opt.Now()
	if opt.Progress == nil {
		opt.Progress = func(Progress) {}
	}
	st, err := s.stage(ctx, list, data, opt)
	if st != nil {
		defer st.spool.close()
	}
	if err != nil {
		return Result{Generation: s.Generation()}, err
	}
	plan, err := s.choose(st, list, opt.Force)
	if err != nil {
		return Result{Generation: s.Generation()}, err
	}
	res, err := s.apply(ctx, st, plan, opt)
	if err != nil {
		return Result{Generation: s.Generation()}, fmt.Errorf("apply import: %w", err)
	}
	res.Loads = append(res.Loads, st.leftovers()...)
	sort.SliceStable(res.Loads, func(i, j int) bool {
		a, b := &res.Loads[i], &res.Loads[j]
		if (a.Status == Unknown) != (b.Status == Unknown) {
			return b.Status == Unknown
		}
		if a.Feed != b.Feed {
			return a.Feed < b.Feed
		}
		return a.Source < b.Source
	})
	res.Took = s.opt.Now().Sub(began)
	return res, pathErrors(list, st)
}

// pathErrors joins what is wrong with the paths themselves.
func pathErrors(list []*given, st *staging) error {
	var errs []error
	for _, g := range list {
		switch {
		case g.err != nil:
			errs = append(errs, &PathError{g.shown, g.err})
		case !g.dir && g.known == 0:
			errs = append(errs, &PathError{g.shown, errUnknown})
		case !g.dir:
			if err := st.wholly(g); err != nil {
				errs = append(errs, &PathError{g.shown, err})
			}
		}
	}
	return errors.Join(errs...)
}

// wholly returns why nothing at all of a path could be used, nil when something could.
func (st *staging) wholly(g *given) error {
	var first error
	for _, u := range st.units {
		if u.given != g {
			continue
		}
		err := u.fault()
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// fault returns why a unit cannot be used.
func (u *unit) fault() error {
	if u.err != nil {
		return u.err
	}
	return u.box.failed()
}

// stage reads everything that was given.
func (s *Store) stage(ctx context.Context, list []*given, data []byte, opt ImportOptions) (*staging, error) {
	sn, err := s.Snapshot()
	if err != nil {
		return nil, err
	}
	defer func() { _ = sn.Close() }()
	dir, base := filepath.Split(s.path)
	st := &staging{ctx: ctx, store: s, tx: sn.tx, spool: newSpool(dir, base+".spool-*"), byKey: map[string]*unit{},
		boxes: map[string]*unknown{}, seed: maphash.MakeSeed()}
	lim := defaultLimits()
	if opt.lim != nil {
		lim = *opt.lim
	}
	at := Progress{Phase: "reading"}
	o := &opener{ctx: ctx, lim: lim, tempDir: dir, tempName: base + ".spool-*", visit: st.leaf, broken: func(*box) {},
		progress: func(read, total int64) {
			at.Done, at.Total = read, total
			opt.Progress(at)
		}}
	st.tell = func(feed string, records int) {
		at.Feed, at.Records = feed, records
		opt.Progress(at)
	}
	o.broken = func(b *box) { st.broken = append(st.broken, b) }
	for _, g := range list {
		st.given = g
		st.byKey = map[string]*unit{}
		at.Source = g.shown
		if err := s.stageOne(o, st, g, data, &at); err != nil {
			return st, err
		}
	}
	st.tx = nil
	return st, nil
}

// stageOne reads one path. Its own faults go into g; the error ends the import.
func (s *Store) stageOne(o *opener, st *staging, g *given, data []byte, at *Progress) error {
	fatal := func(err error) error {
		if o.ctx.Err() != nil {
			return o.ctx.Err()
		}
		if errors.Is(err, errStop) || errors.Is(err, errCorrupt) {
			return err
		}
		return nil
	}
	if data != nil {
		g.err = o.openReader(bytes.NewReader(data), int64(len(data)), g.path, time.Time{})
		return fatal(g.err)
	}
	info, err := os.Stat(g.path)
	switch {
	case err != nil:
		g.err = plain(err)
		return nil
	case !info.IsDir():
		g.err = plain(o.openFile(g.path))
		return fatal(g.err)
	}
	g.dir = true
	err = o.walk(g.path, func(p string) error {
		at.Source, at.Feed, at.Records = p, "", 0
		err := o.openFile(p)
		if err != nil && fatal(err) == nil {
			st.noteBroken(p, err)
			return nil
		}
		return err
	}, func(p, why string) {
		st.left = append(st.left, Load{Source: p, Status: Unknown, Reason: why})
	})
	g.err = plain(err)
	return fatal(err)
}

// plain takes the operation and the path out of an error of package os, for
// they are said beside it.
func plain(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return truncated(err)
	}
	return err
}

// noteBroken lists a file of a directory that could not be read, unless a feed
// of it is listed as failed anyway.
func (st *staging) noteBroken(p string, err error) {
	for _, u := range st.units {
		if u.source == p || strings.HasPrefix(u.source, p+"!") {
			return
		}
	}
	st.left = append(st.left, Load{Source: p, Status: Failed, Reason: plain(err).Error()})
}

// leftovers lists what is of no known format, and members that could not be read.
func (st *staging) leftovers() []Load {
	list := st.left
	for _, e := range st.boxes {
		l := Load{Source: e.source, Status: Unknown, Reason: "of no known format"}
		if e.box != nil {
			l.Skipped = e.count
			l.Reason = fmt.Sprintf("%d members of no known format: %s", e.count, strings.Join(e.samples, ", "))
			if e.count > len(e.samples) {
				l.Reason += ", …"
			}
			if err := e.box.failed(); err != nil {
				l.Status, l.Reason = Failed, err.Error()
			}
		}
		list = append(list, l)
	}
	for _, b := range st.broken {
		told := false
		for _, u := range st.units {
			told = told || u.source == b.path || strings.HasPrefix(u.source, b.path+"!")
		}
		for _, l := range list {
			told = told || l.Source == b.path
		}
		if !told {
			list = append(list, Load{Source: b.path, Status: Failed, Reason: b.err.Error()})
		}
	}
	return list
}
