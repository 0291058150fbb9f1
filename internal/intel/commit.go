package intel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

func putJSON(b *bolt.Bucket, key []byte, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, raw)
}

// run is one application of a plan.
type run struct {
	s       *Store
	ctx     context.Context
	st      *staging
	plan    *plan
	opt     ImportOptions
	touched *touched
	done    int
	before  int                 // weaknesses among ids, before
	ids     map[string]struct{} // flaws that the change may make or end; nil: count anew
}

// apply carries out a plan: in one transaction when it is small, else in a copy
// that then replaces the file.
func (s *Store) apply(ctx context.Context, st *staging, p *plan, opt ImportOptions) (Result, error) {
	r := &run{s: s, ctx: ctx, st: st, plan: p, opt: opt, touched: newTouched()}
	changes := 0
	for i, u := range st.units {
		if p.take[i] {
			changes += u.staged
			if u.mode == advisory.Replace {
				changes += max(0, p.feeds[u.feed].Records-len(u.seen)) // removed, at least
			}
		}
	}
	var err error
	res := Result{}
	if changes == 0 && !p.replaces(st) {
		err = r.stamp()
		res.InPlace = true
	} else if changes <= s.opt.inPlace && s.Generation() > 0 {
		err = r.inPlace()
		res.InPlace = true
	} else {
		err = r.copied()
	}
	if err != nil {
		return res, err
	}
	res.Loads = p.loads
	for _, l := range p.loads {
		res.Changed = res.Changed || l.Status == Loaded
	}
	res.Generation = s.Generation()
	return r.report(res)
}

// replaces reports whether a feed that is replaced whole is taken: it may have
// nothing but removals.
func (p *plan) replaces(st *staging) bool {
	for i, u := range st.units {
		if p.take[i] && u.mode == advisory.Replace {
			return true
		}
	}
	return false
}

// report lists what the change has an effect on, in the new content.
func (r *run) report(res Result) (Result, error) {
	t := r.touched
	if !res.Changed {
		return res, nil
	}
	err := r.s.View(func(sn *Snapshot) error {
		r.spread(sn)
		if !t.allWeak {
			canon := map[string]struct{}{}
			for id := range t.weaknesses {
				for _, f := range sn.r.flaws(id) {
					canon[f] = struct{}{}
				}
			}
			res.Weaknesses = sortedKeys(canon)
		}
		return nil
	})
	if err != nil {
		return res, err
	}
	res.All, res.AllWeaknesses = t.all, t.allWeak
	if !t.all {
		res.Keys = make([]advisory.Key, 0, len(t.keys))
		for k := range t.keys {
			res.Keys = append(res.Keys, k)
		}
		sort.Slice(res.Keys, func(i, j int) bool {
			a, b := res.Keys[i], res.Keys[j]
			if a.Ecosystem != b.Ecosystem {
				return a.Ecosystem < b.Ecosystem
			}
			if a.Release != b.Release {
				return a.Release < b.Release
			}
			return a.Name < b.Name
		})
	}
	return res, nil
}

// spread adds the packages of every record that speaks of a flaw whose group or
// rejection changed: their findings have another name now, or close.
func (r *run) spread(sn *Snapshot) {
	t := r.touched
	if t.all {
		return
	}
	seen := map[place]bool{}
	for id := range t.regroup {
		others, cves := sn.r.walk(id)
		for _, p := range sn.r.speaking(append(others, cves...)) {
			if seen[p] {
				continue
			}
			seen[p] = true
			if e, err := sn.r.entry(p); err == nil {
				for _, k := range e.keys {
					t.key(k)
				}
			}
		}
		t.weakness(others...)
		t.weakness(cves...)
		if t.all {
			return
		}
	}
}

// stamp notes that feeds were offered and have not changed.
func (r *run) stamp() error {
	for _, u := range r.st.units {
		r.plan.finish(u)
	}
	if len(r.st.units) == 0 {
		return nil
	}
	return r.s.update(func(tx *bolt.Tx) error { return r.plan.writeStates(tx, r.st.units, r.s.opt.Now().UTC()) })
}

// update runs one write transaction on the open database.
func (s *Store) update(fn func(tx *bolt.Tx) error) error {
	s.mu.RLock()
	db := s.db
	s.mu.RUnlock()
	if db == nil {
		return errClosed
	}
	return db.Update(fn)
}

// inPlace applies everything in one transaction.
func (r *run) inPlace() error {
	gen := r.s.Generation() + 1
	err := r.s.update(func(tx *bolt.Tx) error {
		if err := r.census(tx); err != nil {
			return err
		}
		a := newApplier(tx, r.touched)
		if err := r.all(func() (*applier, error) { return a, nil }); err != nil {
			return err
		}
		if err := a.flush(); err != nil {
			return err
		}
		if err := r.s.crash("before commit"); err != nil {
			return err
		}
		return r.seal(tx, gen)
	})
	if err != nil {
		return err
	}
	r.s.gen.Store(gen)
	return nil
}

// census notes the flaws that a small change may make or end, and how many of
// them count now.
func (r *run) census(tx *bolt.Tx) error {
	rd := newReading(tx)
	r.ids = map[string]struct{}{}
	note := func(e *entry) {
		for _, list := range [][]string{e.group, e.said} {
			for _, id := range list {
				others, cves := rd.walk(id)
				for _, x := range others {
					r.ids[x] = struct{}{}
				}
				for _, x := range cves {
					r.ids[x] = struct{}{}
				}
			}
		}
	}
	err := r.st.spool.each(func(rec *staged) error {
		if !r.plan.take[rec.unit] {
			return nil
		}
		e, err := parseEntry(rec.value)
		if err != nil {
			return err
		}
		note(&e)
		if b := rd.record.Bucket([]byte(r.st.units[rec.unit].feed)); b != nil {
			if raw := b.Get([]byte(rec.id)); raw != nil {
				was, err := parseEntry(raw)
				if err != nil {
					return err
				}
				note(&was)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, u := range r.st.units {
		if r.plan.take[i] && u.mode == advisory.Replace {
			r.ids = nil // what is removed is not known yet
			return nil
		}
	}
	r.before = rd.distinct(r.ids)
	return nil
}

// all applies every record that is taken, then removes what whole loads lack.
// next gives the applier to use; a copy changes it between chunks.
func (r *run) all(next func() (*applier, error)) error {
	err := r.st.spool.each(func(rec *staged) error {
		if !r.plan.take[rec.unit] {
			return nil
		}
		if r.done++; r.done%500 == 0 {
			if err := r.ctx.Err(); err != nil {
				return err
			}
			r.opt.Progress(Progress{Phase: "compiling", Done: int64(r.done), Total: int64(r.st.spool.count)})
		}
		a, err := next()
		if err != nil {
			return err
		}
		u := r.st.units[rec.unit]
		did, err := a.put(u.feed, rec, u.mode == advisory.Merge)
		if err != nil {
			return err
		}
		switch did {
		case added:
			u.added++
		case updated:
			u.updated++
		case kept:
			u.beaten++
		}
		return r.s.crash("record")
	})
	if err != nil {
		return err
	}
	for i, u := range r.st.units {
		if !r.plan.take[i] || u.mode != advisory.Replace {
			continue
		}
		a, err := next()
		if err != nil {
			return err
		}
		if u.removed, err = a.prune(u.feed, u.seen, r.st.seed); err != nil {
			return err
		}
	}
	return nil
}

// seal writes what a finished change ends with.
func (r *run) seal(tx *bolt.Tx, gen uint64) error {
	if err := r.plan.writeStates(tx, r.st.units, r.s.opt.Now().UTC()); err != nil {
		return err
	}
	meta := tx.Bucket(bucketMeta)
	rd := newReading(tx)
	n := 0
	if r.ids != nil {
		n = int(readNumber(meta, keyWeaknesses)) - r.before + rd.distinct(r.ids)
	} else {
		n = rd.count()
	}
	if err := writeNumber(meta, keyWeaknesses, uint64(max(0, n))); err != nil {
		return err
	}
	return writeNumber(meta, keyGeneration, gen)
}

// copied applies everything to a copy of the file, in transactions of bounded
// size, and puts the copy in the place of the file.
func (r *run) copied() (err error) {
	path := r.s.path + ".new"
	_ = os.Remove(path)
	if r.s.Generation() > 0 {
		if err := r.s.View(func(sn *Snapshot) error { return sn.tx.CopyFile(path, 0o600) }); err != nil {
			return fmt.Errorf("copy intelligence file: %w", err)
		}
	}
	db, err := openBolt(path, true) // nothing of the copy counts before the one Sync below
	if err != nil {
		return fmt.Errorf("open copy of intelligence file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close(), os.Remove(path))
		}
	}()
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range fixedBuckets() {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyLayout, []byte(layoutVersion))
	})
	if err != nil {
		return err
	}
	gen := r.s.Generation() + 1
	if err := r.chunks(db, gen); err != nil {
		return err
	}
	if !r.s.opt.noSync {
		if err := db.Sync(); err != nil {
			return fmt.Errorf("write intelligence file: %w", err)
		}
	}
	db.NoSync = r.s.opt.noSync
	if err := r.s.crash("before rename"); err != nil {
		return err
	}
	if err := os.Rename(path, r.s.path); err != nil {
		return fmt.Errorf("replace intelligence file: %w", err)
	}
	r.s.swap(db, gen)
	if r.s.opt.noSync {
		return nil
	}
	return syncDir(filepath.Dir(r.s.path))
}

// chunks applies everything in transactions of bounded size.
func (r *run) chunks(db *bolt.DB, gen uint64) error {
	var tx *bolt.Tx
	var a *applier
	commit := func() error {
		if tx == nil {
			return nil
		}
		if err := a.flush(); err != nil {
			return err
		}
		err := tx.Commit()
		tx, a = nil, nil
		return err
	}
	next := func() (*applier, error) {
		if a != nil && a.bytes > r.s.opt.chunk {
			if err := commit(); err != nil {
				return nil, err
			}
		}
		if tx == nil {
			var err error
			if tx, err = db.Begin(true); err != nil {
				return nil, err
			}
			a = newApplier(tx, r.touched)
		}
		return a, nil
	}
	err := r.all(next)
	if err == nil {
		err = commit()
	}
	if err != nil {
		if tx != nil {
			_ = tx.Rollback()
		}
		return err
	}
	return db.Update(func(tx *bolt.Tx) error { return r.seal(tx, gen) })
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
