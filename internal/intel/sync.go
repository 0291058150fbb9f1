package intel

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/advisory"
)

// SyncOptions say what Sync fetches and how.
type SyncOptions struct {
	// Dir keeps downloads while they run, and the beginning of those that were cut.
	Dir string
	// Feeds are the names of groups or feeds to fetch; none: all.
	Feeds []string
	// Base replaces the base address of a group; see Groups.
	Base map[string]string
	// Ecosystems are those of OSV to fetch; none: all that its bucket lists but
	// Debian (the tracker has it) and those that no collector reports.
	Ecosystems []string
	Client     *http.Client // nil: SyncClient with the proxy of the environment
	Force      bool         // ask again for what has not changed, load what is older
	Progress   func(Progress)
	// Changed is called after each load that changed something; an error ends the sync.
	Changed func(Result) error

	tries int                                              // attempts per file, 0: 5
	pause func(ctx context.Context, d time.Duration) error // nil: wait
}

// SourceResult is what became of one upstream address.
type SourceResult struct {
	Name   string `json:"name"`
	URL    string `json:"url"`
	Status string `json:"status"` // "not modified", "failed", or the status of its loads
	Error  string `json:"error,omitempty"`
	Bytes  int64  `json:"bytes"`
	Loads  []Load `json:"loads,omitempty"`
}

// SyncResult is what a sync did, in the order of the groups.
type SyncResult struct {
	Sources    []SourceResult `json:"sources"`
	Generation uint64         `json:"generation"`
	Changed    bool           `json:"changed"`
}

// Failed joins what went wrong with single sources, nil when nothing did.
func (r *SyncResult) Failed() error {
	var errs []error
	for _, s := range r.Sources {
		if s.Error != "" {
			errs = append(errs, fmt.Errorf("%s: %s", s.Name, s.Error))
		}
	}
	return errors.Join(errs...)
}

// syncing is one run of Sync.
type syncing struct {
	s    *Store
	opt  SyncOptions
	mu   sync.Mutex // guards res and the calls of Progress and Changed
	res  SyncResult
	at   map[string]int // index into res.Sources
	load sync.Mutex     // one download is loaded at a time
}

// Sync fetches the feeds from their official addresses and loads what is new.
// It asks for changes only (ETag, Last-Modified), goes on with downloads that
// were cut, checks sizes and hashes where upstream gives them, and refuses data
// that is older than what is loaded. At most two files are fetched at a time.
// A source that fails does not stop the others; SyncResult.Failed tells. The
// error is that of the context, of Dir, or of Changed.
func (s *Store) Sync(ctx context.Context, opt SyncOptions) (SyncResult, error) {
	if err := CheckFeeds(opt.Feeds, opt.Base); err != nil {
		return SyncResult{}, err
	}
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return SyncResult{}, fmt.Errorf("make directory for downloads: %w", err)
	}
	if opt.Client == nil {
		opt.Client = SyncClient(http.ProxyFromEnvironment)
	}
	if opt.Progress == nil {
		opt.Progress = func(Progress) {}
	}
	if opt.tries == 0 {
		opt.tries = 5
	}
	if opt.pause == nil {
		opt.pause = sleep
	}
	y := &syncing{s: s, opt: opt, at: map[string]int{}}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, grp := range groups() {
		list, err := y.addresses(gctx, &grp)
		if err != nil && gctx.Err() == nil {
			y.record(SourceResult{Name: grp.name, URL: y.base(&grp), Status: string(Failed), Error: err.Error()})
		}
		for _, a := range list {
			y.record(SourceResult{Name: a.name, URL: a.url})
			g.Go(func() error { return y.one(gctx, a) })
		}
	}
	err := g.Wait()
	if err == nil {
		err = ctx.Err()
	}
	y.res.Generation = s.Generation()
	return y.res, err
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (y *syncing) base(g *group) string {
	if b := y.opt.Base[g.name]; b != "" {
		return strings.TrimSuffix(b, "/")
	}
	return g.base
}

// record notes what became of a source.
func (y *syncing) record(r SourceResult) {
	y.mu.Lock()
	defer y.mu.Unlock()
	i, ok := y.at[r.Name]
	if !ok {
		i = len(y.res.Sources)
		y.res.Sources = append(y.res.Sources, r)
		y.at[r.Name] = i
		return
	}
	y.res.Sources[i] = r
}

func (y *syncing) progress(p Progress) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.opt.Progress(p)
}

func (y *syncing) transfer(a address) *transfer {
	return &transfer{client: y.opt.Client, dir: y.opt.Dir, tries: y.opt.tries, pause: y.opt.pause, now: y.s.opt.Now,
		progress: func(done, total int64) {
			y.progress(Progress{Phase: "downloading", Source: a.name, Done: done, Total: total})
		}}
}

// one fetches and loads one address. Its own faults are recorded; the error ends the sync.
func (y *syncing) one(ctx context.Context, a address) error {
	res := SourceResult{Name: a.name, URL: a.url}
	fail := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var pe *PathError
		if errors.As(err, &pe) { // the address is said beside it
			err = pe.Err
		}
		res.Status, res.Error = string(Failed), err.Error()
		y.record(res)
		return nil
	}
	m := y.s.recall(a.name)
	a.again = a.again || y.opt.Force
	if a.sha != "" && a.sha == m.SHA && !a.again {
		res.Status = "not modified"
		y.record(res)
		return y.keep(a, m)
	}
	f, err := y.transfer(a).fetch(ctx, a, m)
	if err != nil {
		return fail(err)
	}
	if f.path == "" {
		res.Status = "not modified"
		y.record(res)
		return y.keep(a, f.memory)
	}
	defer func() { _ = os.Remove(f.path) }()
	res.Bytes = f.size
	y.load.Lock()
	defer y.load.Unlock()
	r, err := y.s.load(ctx, []*given{{path: f.path, shown: a.url, dated: f.modified}}, nil,
		ImportOptions{Force: y.opt.Force, Progress: y.progress})
	res.Loads = r.Loads
	for _, l := range r.Loads {
		if l.Feed != "" && (res.Status == "" || l.Status == Loaded) {
			res.Status = string(l.Status)
		}
	}
	if r.Changed {
		y.mu.Lock()
		y.res.Changed = true
		y.mu.Unlock()
		if y.opt.Changed != nil {
			if err := y.opt.Changed(r); err != nil {
				return err
			}
		}
	}
	if err != nil {
		return fail(err)
	}
	for _, l := range r.Loads {
		if l.Status == Small || l.Status == Failed && res.Status != string(Loaded) {
			return fail(fmt.Errorf("%s: %s", l.Status, l.Reason))
		}
	}
	y.record(res)
	f.memory.Loaded = y.s.opt.Now().UTC()
	return y.keep(a, f.memory)
}

// keep remembers an answer.
func (y *syncing) keep(a address, m remembered) error {
	if err := y.s.remember(a.name, m); err != nil {
		return fmt.Errorf("remember %s: %w", a.name, err)
	}
	return nil
}

// addresses lists what to fetch of a group.
func (y *syncing) addresses(ctx context.Context, g *group) ([]address, error) {
	if len(y.opt.Feeds) > 0 {
		any := false
		for _, f := range y.opt.Feeds {
			any = any || g.has(f)
		}
		if !any {
			return nil, nil
		}
	}
	base := y.base(g)
	switch g.name {
	case "osv":
		return y.osv(ctx, g, base)
	case "nvd":
		return y.nvd(ctx, base)
	case "cve5":
		return y.cve5(ctx, base)
	}
	return g.plain(base, y.opt.Feeds), nil
}

// text fetches a small file whole.
func (y *syncing) text(ctx context.Context, name, url string) ([]byte, error) {
	a := address{name: "small " + name, feed: name, url: url, again: true}
	f, err := y.transfer(a).fetch(ctx, a, remembered{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(f.path) }()
	r, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(io.LimitReader(r, 16<<20))
}

// osv lists the exports of the ecosystems, in the words of the bucket's own list.
func (y *syncing) osv(ctx context.Context, g *group, base string) ([]address, error) {
	names := y.opt.Ecosystems
	for _, f := range y.opt.Feeds {
		if eco, ok := strings.CutPrefix(f, "osv/"); ok {
			names = append(names[:len(names):len(names)], eco)
		}
	}
	if len(names) == 0 {
		raw, err := y.text(ctx, "osv ecosystems", base+"/ecosystems.txt")
		if err != nil {
			return nil, fmt.Errorf("list ecosystems: %w", err)
		}
		sc := bufio.NewScanner(strings.NewReader(string(raw)))
		for sc.Scan() && len(names) < 500 {
			if eco := strings.TrimSpace(sc.Text()); !notByDefault(eco) && len(eco) < 100 {
				names = append(names, eco)
			}
		}
	}
	var list []address
	for _, eco := range names {
		list = append(list, ecosystemAddress(base, eco))
	}
	return list, nil
}

// nvd lists the yearly files whose hash changed; when all years were loaded
// within the last week, the file of modified records is enough.
func (y *syncing) nvd(ctx context.Context, base string) ([]address, error) {
	at := func(part string) address {
		return address{name: "nvd-" + part, feed: advisory.FeedNVD, url: base + "/nvdcve-2.0-" + part + ".json.gz"}
	}
	now := y.s.opt.Now().UTC()
	parts := []string{"modified"}
	fresh := now.Sub(y.s.recall("nvd-modified").Loaded) < 7*24*time.Hour && !y.opt.Force
	var years []string
	for year := 2002; year <= now.Year(); year++ {
		years = append(years, fmt.Sprint(year))
		fresh = fresh && !y.s.recall("nvd-"+fmt.Sprint(year)).Loaded.IsZero()
	}
	if !fresh {
		parts = append(parts, years...)
	}
	var list []address
	var errs []error
	for _, part := range parts {
		a := at(part)
		raw, err := y.text(ctx, a.name+" meta", strings.TrimSuffix(a.url, ".json.gz")+".meta")
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if part == fmt.Sprint(now.Year()) && now.Month() == time.January {
				continue // the new year's file is not there yet
			}
			errs = append(errs, fmt.Errorf("%s: read its .meta file: %w", a.name, err))
			continue
		}
		if a.sha, a.size = readMeta(raw); a.sha == "" {
			errs = append(errs, fmt.Errorf("%s: its .meta file has no sha256", a.name))
			continue
		}
		list = append(list, a)
	}
	return list, errors.Join(errs...)
}

// readMeta reads the lines "sha256:HEX" and "size:N" of a .meta file.
func readMeta(raw []byte) (sha string, size int64) {
	for _, line := range strings.Split(string(raw), "\n") {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case ok && key == "sha256":
			sha = sha256Hex(value)
		case ok && key == "size":
			_, _ = fmt.Sscan(value, &size) // without a size the hash alone decides
		}
	}
	return sha, size
}

// sha256Hex is a SHA-256 in lower-case hex, "" for anything else.
func sha256Hex(s string) string {
	if raw, err := hex.DecodeString(s); err != nil || len(raw) != sha256.Size {
		return ""
	}
	return strings.ToLower(s)
}

// cve5 lists files of the newest release of cvelistV5: the whole list as of
// midnight ("…_all_CVEs_at_midnight.zip.zip") when that of an earlier day or
// none is loaded, and the changes since midnight ("…_delta_CVEs_at_HHMMZ.zip").
func (y *syncing) cve5(ctx context.Context, base string) ([]address, error) {
	raw, err := y.text(ctx, "cve5 release", base+"/releases/latest")
	if err != nil {
		return nil, fmt.Errorf("read newest release: %w", err)
	}
	var rel struct {
		Assets []struct {
			Name   string `json:"name"`
			URL    string `json:"browser_download_url"`
			Size   int64  `json:"size"`
			Digest string `json:"digest"` // "sha256:…"
		} `json:"assets"`
	}
	if err := json.Unmarshal(raw, &rel); err != nil {
		return nil, fmt.Errorf("read newest release: %w", err)
	}
	var whole, delta *address
	for _, f := range rel.Assets {
		a := &address{feed: advisory.FeedCVE5, url: f.URL, size: f.Size}
		if sha, ok := strings.CutPrefix(f.Digest, "sha256:"); ok {
			a.sha = sha256Hex(sha)
		}
		switch {
		case strings.Contains(f.Name, "_all_CVEs_at_midnight"):
			a.name, whole = "cve5-all", a
		case strings.Contains(f.Name, "_delta_CVEs_at_"):
			a.name, delta = "cve5-delta", a
		}
	}
	var list []address
	if whole != nil {
		if m := y.s.recall(whole.name); y.opt.Force || path.Base(m.URL) != path.Base(whole.url) || m.Loaded.IsZero() {
			list = append(list, *whole)
		}
	}
	if delta != nil {
		list = append(list, *delta)
	}
	if whole == nil && delta == nil {
		return nil, errors.New("the newest release holds neither the whole list nor a delta")
	}
	return list, nil
}
