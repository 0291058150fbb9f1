package intel

import (
	"fmt"
	"sort"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// plan says which units are applied.
type plan struct {
	take   []bool // by unit index
	loads  []Load // by unit index
	feeds  map[string]FeedState
	stamps map[string]*unit // replaced feeds with equal content but a newer date
}

// Of two loads of a feed that is replaced whole, one with less than a fifth of
// the other's records is taken for a sample or a damaged download, whatever its
// date. Below smallFloor records the rule says nothing.
const (
	smallPart  = 5
	smallFloor = 100
)

// choose decides what of the staged is taken.
func (s *Store) choose(st *staging, _ []*given, force bool) (*plan, error) {
	p := &plan{take: make([]bool, len(st.units)), loads: make([]Load, len(st.units)), feeds: map[string]FeedState{}, stamps: map[string]*unit{}}
	err := s.View(func(sn *Snapshot) error {
		feeds, err := readFeeds(sn.tx)
		for _, f := range feeds {
			p.feeds[f.Name] = f
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	whole := map[string][]*unit{}
	for i, u := range st.units {
		l := &p.loads[i]
		*l = Load{Feed: u.feed, Source: u.source, Records: u.records, Skipped: u.skipped, Skips: u.skips, Took: u.took}
		l.Date, l.DateFrom = u.dateOf(u.given.dated)
		switch err := u.fault(); {
		case err != nil:
			l.Status, l.Reason = Failed, err.Error()
		case u.records == 0 && u.skipped > 0:
			l.Status, l.Reason = Failed, "no record of it can be read: "+u.skips[0].Reason
		case u.mode == advisory.Replace && u.records == 0:
			l.Status, l.Reason = Small, "it holds no records"
		case u.mode == advisory.Replace:
			whole[u.feed] = append(whole[u.feed], u)
		default:
			p.take[i] = true // record by record; the status follows from what happens
		}
	}
	for feed, list := range whole {
		p.replace(feed, list, force)
	}
	return p, nil
}

// replace chooses among several loads of a feed that is replaced whole.
func (p *plan) replace(feed string, list []*unit, force bool) {
	load := func(u *unit) *Load { return &p.loads[u.index] }
	sort.Slice(list, func(i, j int) bool {
		a, b := load(list[i]), load(list[j])
		return list[i].better(list[j], a.Date, b.Date, a.DateFrom, b.DateFrom)
	})
	have, loaded := p.feeds[feed]
	most := have.Records
	for _, u := range list {
		most = max(most, u.records)
	}
	var best *unit
	for _, u := range list {
		l := load(u)
		switch {
		case best != nil:
			l.Status, l.Reason = Superseded, "by "+load(best).Source
		case !force && most >= smallFloor && u.records*smallPart < most:
			l.Status = Small
			l.Reason = fmt.Sprintf("%d records beside %d: not taken unless forced", u.records, most)
		default:
			best = u
		}
	}
	if best == nil {
		return
	}
	l := load(best)
	digest := fmt.Sprintf("%x", best.digest)
	same := loaded && digest == have.Digest && best.records == have.Records
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	switch {
	case same && !l.Date.After(have.Date):
		l.Status = Unchanged
	case same:
		l.Status, l.Reason = Unchanged, "the same records with a newer date"
		p.stamps[feed] = best
	case !loaded || force || l.Date.After(have.Date):
		p.take[best.index] = true
	case l.Date.Equal(have.Date):
		if best.records < have.Records || best.records == have.Records && digest < have.Digest {
			l.Status, l.Reason = Superseded, fmt.Sprintf("of the date that is loaded (%s), with no more records", day(have.Date))
			return
		}
		p.take[best.index] = true
	case have.DateFrom != "data" && have.Records*smallPart < best.records && best.records >= smallFloor:
		// What is loaded is the sample: its date is only that of a file.
		p.take[best.index] = true
	default:
		l.Status = Older
		l.Reason = fmt.Sprintf("than what is loaded (%s of %s)", day(l.Date), day(have.Date))
	}
}

// finish sets the status of a unit that was applied.
func (p *plan) finish(u *unit) {
	l := &p.loads[u.index]
	l.Added, l.Updated, l.Removed = u.added, u.updated, u.removed
	l.Unchanged = u.same + u.older + u.beaten
	if !p.take[u.index] {
		return
	}
	switch {
	case u.added+u.updated+u.removed > 0, u.mode == advisory.Replace:
		l.Status = Loaded
	case u.beaten > 0:
		l.Status, l.Reason = Superseded, "newer forms of its records came with this call"
	case u.older > 0 && u.same == 0:
		l.Status, l.Reason = Older, "than what is loaded, record by record"
	default:
		l.Status = Unchanged
	}
	if l.Status == Loaded && u.older > 0 {
		l.Reason = fmt.Sprintf("%d records are older than what is loaded", u.older)
	}
}

// state returns the state of a feed after a unit of it was applied.
func (p *plan) state(u *unit, now time.Time) FeedState {
	l := &p.loads[u.index]
	f, ok := p.feeds[u.feed]
	if !ok {
		f = FeedState{Name: u.feed, Demo: u.feed == advisory.FeedDemo}
	}
	f.Title, f.Licence, f.MaxAge, f.Mode = advisory.Title(u.feed), advisory.Licence(u.feed), advisory.MaxAge(u.feed), u.mode
	f.Checked = now
	if l.Status != Loaded && p.stamps[u.feed] != u {
		return f
	}
	if l.Status == Loaded {
		f.LoadedAt = now
		f.Records += u.added - u.removed
		if u.mode == advisory.Merge && f.Skipped > 0 && p.loadedBefore(u) {
			// several sources of one call: their skips add up
			f.Skipped += u.skipped
			f.Skips = append(f.Skips, u.skips...)
		} else {
			f.Skipped, f.Skips = u.skipped, u.skips
		}
		if len(f.Skips) > maxReasons {
			f.Skips = f.Skips[:maxReasons]
		}
	}
	if u.mode == advisory.Replace || l.Date.After(f.Date) {
		f.Date, f.DateFrom, f.Source = l.Date, l.DateFrom, l.Source
		f.Version = u.header.Version
	}
	if u.mode == advisory.Replace {
		f.Digest = fmt.Sprintf("%x", u.digest)
	}
	return f
}

// loadedBefore reports whether an earlier unit of the same feed was loaded in this call.
func (p *plan) loadedBefore(u *unit) bool {
	for i := range p.loads[:u.index] {
		if p.loads[i].Feed == u.feed && p.loads[i].Status == Loaded {
			return true
		}
	}
	return false
}

// writeStates stores the states of all feeds that the call spoke of.
func (p *plan) writeStates(tx *bolt.Tx, units []*unit, now time.Time) error {
	for _, u := range units {
		p.finish(u)
		l := &p.loads[u.index]
		if l.Status == Failed || l.Records == 0 && p.feeds[u.feed].Name == "" {
			continue
		}
		if _, known := p.feeds[u.feed]; !known && l.Status != Loaded {
			continue
		}
		p.feeds[u.feed] = p.state(u, now)
	}
	b := tx.Bucket(bucketFeed)
	for name, f := range p.feeds {
		if err := putJSON(b, []byte(name), f); err != nil {
			return fmt.Errorf("write state of feed %q: %w", name, err)
		}
	}
	return nil
}
