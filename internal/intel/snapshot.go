package intel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
)

var _ exposure.Intelligence = (*Snapshot)(nil)

// FeedState is what is known of a loaded feed.
type FeedState struct {
	Name     string        `json:"name"`
	Title    string        `json:"title"`
	Licence  string        `json:"licence"`
	Mode     advisory.Mode `json:"mode"`
	Source   string        `json:"source"`              // file or address that it came from, the last one
	Date     time.Time     `json:"data_date,omitzero"`  // of the data
	DateFrom string        `json:"data_date_from"`      // "data", "name", "download", "file time", "" when unknown
	Version  string        `json:"version,omitempty"`   // of the catalogue, model or schema
	LoadedAt time.Time     `json:"loaded_at"`           // last change of content
	Checked  time.Time     `json:"checked_at,omitzero"` // last time that it was offered or asked for
	Records  int           `json:"records"`             //
	Skipped  int           `json:"skipped"`             // records left out by the last load that was taken
	Skips    []Skip        `json:"skips"`               // their reasons
	MaxAge   time.Duration `json:"max_age,omitzero"`    // of the data, in nanoseconds; 0: never stale
	Demo     bool          `json:"demo"`                // written for demonstration, not by an upstream
	Digest   string        `json:"digest,omitempty"`    // of the records, for feeds that are replaced whole
	Asked    time.Time     `json:"-"`                   // last time that upstream had nothing newer, zero when it was never asked
}

// Stale reports whether the feed's data is older than it should be. Data of
// unknown date counts from when it was loaded. A feed that may rest for longer
// than its age allows (a small ecosystem, a list of advisories) is as fresh as
// the last answer of its upstream; one that changes every day is not, so that
// an upstream which has stopped is noticed.
func (f *FeedState) Stale(now time.Time) bool {
	if f.MaxAge == 0 {
		return false
	}
	at := f.Date
	if at.IsZero() {
		at = f.LoadedAt
	}
	if advisory.Rests(f.Name) && f.Asked.After(at) {
		at = f.Asked
	}
	return now.Sub(at) > f.MaxAge
}

// Snapshot is a consistent view of the intelligence. It is safe for concurrent
// readers; Close must not run beside them. What its methods return stays valid
// after Close.
type Snapshot struct {
	tx    *bolt.Tx
	r     reading
	gen   uint64
	cache *cache
}

// cache holds what snapshots of one generation share.
type cache struct {
	gen  uint64
	once sync.Once
	// set once:
	feeds    []FeedState
	coverage map[[2]string][]advisory.Coverage // by ecosystem and release
	err      error

	mu    sync.Mutex
	weak  map[string]*advisory.Weakness // at most maxCached, dropped at random
	canon map[string]string             // at most 20 × maxCached
}

const maxCached = 2048

// snapshot wraps a read transaction.
func (s *Store) snapshot(tx *bolt.Tx) *Snapshot {
	gen := readNumber(tx.Bucket(bucketMeta), keyGeneration)
	s.cacheM.Lock()
	defer s.cacheM.Unlock()
	c := s.cache
	if c == nil || c.gen != gen {
		c = &cache{gen: gen, weak: map[string]*advisory.Weakness{}, canon: map[string]string{}}
		if s.cache == nil || s.cache.gen < gen {
			s.cache = c
		}
	}
	return &Snapshot{tx: tx, r: newReading(tx), gen: gen, cache: c}
}

// Close ends the view.
func (sn *Snapshot) Close() error {
	if err := sn.tx.Rollback(); err != nil && !errors.Is(err, bolterrors.ErrTxClosed) {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}

// Generation is that of the content which this snapshot sees.
func (sn *Snapshot) Generation() uint64 { return sn.gen }

// speaksFor reports whether a feed is about an ecosystem as a whole. A record
// of another ecosystem may name one of its packages too: that is a statement,
// and no word on the packages that it does not name.
func speaksFor(feed, ecosystem string) bool {
	eco, osv := strings.CutPrefix(feed, "osv/")
	return !osv || eco == ecosystem
}

// shared reads what every caller needs: the feeds and what they speak for.
func (sn *Snapshot) shared() *cache {
	c := sn.cache
	c.once.Do(func() {
		c.feeds, c.err = readFeeds(sn.tx)
		dates := map[string]time.Time{}
		for _, f := range c.feeds {
			dates[f.Name] = f.Date
		}
		all := map[[2]string][]advisory.Coverage{}
		_ = sn.tx.Bucket(bucketCoverage).ForEach(func(k, _ []byte) error { // fn returns no error
			if p, err := split(k, 3); err == nil && speaksFor(p[2], p[0]) {
				at := [2]string{p[0], p[1]}
				all[at] = append(all[at], advisory.Coverage{Feed: p[2], Date: dates[p[2]]})
			}
			return nil
		})
		// The demo speaks only where no real feed does.
		for at, list := range all {
			var genuine []advisory.Coverage
			for _, cov := range list {
				if cov.Feed != advisory.FeedDemo {
					genuine = append(genuine, cov)
				}
			}
			if len(genuine) > 0 {
				all[at] = genuine
			}
		}
		c.coverage = all
	})
	return c
}

func readFeeds(tx *bolt.Tx) ([]FeedState, error) {
	feeds := []FeedState{}
	err := tx.Bucket(bucketFeed).ForEach(func(name, v []byte) error {
		var f FeedState
		if err := json.Unmarshal(v, &f); err != nil {
			return fmt.Errorf("read state of feed %q: %w", name, err)
		}
		feeds = append(feeds, f)
		return nil
	})
	return feeds, err
}

// Feeds returns the loaded feeds in order of their names.
func (sn *Snapshot) Feeds() ([]FeedState, error) {
	c := sn.shared()
	feeds := append([]FeedState(nil), c.feeds...)
	for i := range feeds { // upstream may have been asked since, without a new generation
		feeds[i].Asked = recalled(sn.tx, feeds[i].Name).At
	}
	return feeds, c.err
}

// Demo reports whether demonstration intelligence is all that speaks of
// packages. Feeds that rate or describe only (KEV, EPSS, NVD, endoflife.date)
// do not change that.
func (sn *Snapshot) Demo() bool {
	demo := false
	for _, list := range sn.shared().coverage {
		for _, cov := range list {
			if cov.Feed != advisory.FeedDemo {
				return false
			}
			demo = true
		}
	}
	return demo
}

// Coverage returns the feeds that speak for an ecosystem and release. The
// result is shared: it must not be changed.
func (sn *Snapshot) Coverage(ecosystem, release string) []advisory.Coverage {
	return sn.shared().coverage[[2]string{ecosystem, release}]
}

// Statements returns what the feeds say of a package, ordered by feed, then
// record, then as the record has it. Ids of flaws that lead to CVEs are replaced
// by those. Statements of the demo are left out where a real feed speaks for the
// ecosystem and release. The result is the caller's own.
func (sn *Snapshot) Statements(k advisory.Key) ([]advisory.Statement, error) {
	real := false
	for _, c := range sn.Coverage(k.Ecosystem, k.Release) {
		real = real || c.Feed != advisory.FeedDemo
	}
	var raw []byte // statements stand alone, so they are decoded in one go
	demo := []byte(advisory.FeedDemo + "\x00")
	scan(sn.r.statement, join(k.Ecosystem, k.Release, k.Name, ""), func(rest, v []byte) bool {
		if !real || !bytes.HasPrefix(rest, demo) {
			raw = append(raw, v...)
		}
		return true
	})
	if len(raw) == 0 {
		return nil, nil
	}
	list, err := advisory.DecodeStatements(raw)
	if err != nil {
		return nil, fmt.Errorf("read statements about %s: %w (%v)", k, errCorrupt, err)
	}
	for i := range list {
		list[i].Weaknesses = sn.lift(list[i].Weaknesses)
	}
	return list, nil
}

// lift replaces ids by the canonical ids that they stand for.
func (sn *Snapshot) lift(ids []string) []string {
	plain := true
	for _, id := range ids {
		plain = plain && advisory.IsCVE(id)
	}
	if plain {
		return ids
	}
	var out []string
	for _, id := range ids {
		for _, f := range sn.r.flaws(id) {
			if !contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// Canonical returns the CVE id that an id is another name of, the lowest when
// there are several, and the id itself when there is none.
func (sn *Snapshot) Canonical(id string) string {
	if advisory.IsCVE(id) {
		return id
	}
	c := sn.cache
	c.mu.Lock()
	have, ok := c.canon[id]
	c.mu.Unlock()
	if ok {
		return have
	}
	have = sn.r.canonical(id)
	c.mu.Lock()
	if len(c.canon) >= 20*maxCached {
		clear(c.canon)
	}
	c.canon[id] = have
	c.mu.Unlock()
	return have
}

// Rejected reports whether a weakness was rejected by its CNA or withdrawn by
// the only databases that had it.
func (sn *Snapshot) Rejected(id string) bool { return sn.r.rejected(sn.Canonical(id)) }

// Weakness returns all that the feeds say of a weakness, by any of its ids,
// merged. ok is false when nothing loaded speaks of it. The result is shared
// below its first level: slices and pointers in it must not be changed.
func (sn *Snapshot) Weakness(id string) (w advisory.Weakness, ok bool) {
	id = sn.spelled(id)
	canon := sn.Canonical(id)
	c := sn.cache
	c.mu.Lock()
	have := c.weak[canon]
	c.mu.Unlock()
	if have != nil {
		return *have, true
	}
	if !sn.r.known(canon) {
		return w, false
	}
	w = sn.merge(canon)
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.weak {
		if len(c.weak) < maxCached {
			break
		}
		delete(c.weak, k)
	}
	c.weak[canon] = &w
	return w, true
}

// spelled returns an id as the feeds write it.
func (sn *Snapshot) spelled(id string) string {
	if v := sn.r.weak.Get([]byte(strings.ToUpper(id))); v != nil {
		if as := written(v); as != "" {
			return as
		}
	}
	return id
}

// merge gathers the records that describe a weakness.
func (sn *Snapshot) merge(canon string) advisory.Weakness {
	family := sn.r.family(canon)
	var parts []advisory.FeedFacts
	for _, p := range sn.r.speaking(family) {
		e, err := sn.r.entry(p)
		if err != nil {
			continue
		}
		// A bundle speaks of the weakness but does not describe it.
		if !contains(family, p.id) && !strings.Contains(p.id, "/") && len(e.group) == 0 {
			continue
		}
		rec, err := e.record()
		if err != nil {
			continue
		}
		parts = append(parts, advisory.FeedFacts{Feed: p.feed, Record: rec})
	}
	w := advisory.MergeFacts(canon, parts)
	for _, id := range family[1:] {
		if !contains(w.Aliases, id) {
			w.Aliases = append(w.Aliases, id)
		}
	}
	w.Rejected = sn.r.rejected(canon)
	return w
}

// Weaknesses counts the weaknesses that the feeds speak of, aliases joined.
func (sn *Snapshot) Weaknesses() int {
	return int(readNumber(sn.tx.Bucket(bucketMeta), keyWeaknesses))
}

// Search returns at most limit ids of weaknesses, or other names of them, that
// begin with prefix in any case, in order.
func (sn *Snapshot) Search(prefix string, limit int) []string {
	ids := []string{}
	if limit <= 0 {
		return ids
	}
	scan(sn.r.weak, []byte(strings.ToUpper(prefix)), func(_, v []byte) bool {
		ids = append(ids, written(v))
		return len(ids) < limit
	})
	return ids
}
