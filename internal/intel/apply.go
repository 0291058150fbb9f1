package intel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sort"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// maxTouched bounds the lists of what an import touched; beyond it the flags
// All and AllWeaknesses say that it was too much to list.
const maxTouched = 20_000

// touched collects what a change has an effect on.
type touched struct {
	keys       map[advisory.Key]struct{}
	weaknesses map[string]struct{}
	regroup    map[string]struct{} // flaws whose group or rejection changed
	all        bool
	allWeak    bool
}

func newTouched() *touched {
	return &touched{keys: map[advisory.Key]struct{}{}, weaknesses: map[string]struct{}{}, regroup: map[string]struct{}{}}
}

func (t *touched) key(k advisory.Key) {
	if t.all {
		return
	}
	t.keys[k] = struct{}{}
	if len(t.keys) > maxTouched {
		t.all, t.keys = true, map[advisory.Key]struct{}{}
	}
}

func (t *touched) weakness(ids ...string) {
	if t.allWeak {
		return
	}
	for _, id := range ids {
		t.weaknesses[id] = struct{}{}
	}
	if len(t.weaknesses) > maxTouched {
		t.allWeak, t.weaknesses = true, map[string]struct{}{}
	}
}

func (t *touched) group(ids ...string) {
	if t.all {
		return
	}
	for _, id := range ids {
		t.regroup[id] = struct{}{}
	}
	if len(t.regroup) > maxTouched {
		t.all, t.regroup = true, map[string]struct{}{}
	}
}

// applier puts records into one transaction and keeps every index in step.
type applier struct {
	tx       *bolt.Tx
	touched  *touched
	bytes    int // put so far
	records  map[string]*overlay
	coverage map[string]int // changes not yet written
	weak     map[string]int

	statement *overlay
	indexes   [4]*overlay // by index
}

// overlay holds back the changes of a bucket so that they are made in the order
// of their keys. bbolt splits a page only at commit: keys put at random into a
// page that grows to a hundred thousand of them would move half of it each time.
type overlay struct {
	b       *bolt.Bucket
	pending map[string][]byte // nil: delete
}

func newOverlay(b *bolt.Bucket) *overlay { return &overlay{b: b, pending: map[string][]byte{}} }

func (o *overlay) get(key string) []byte {
	if v, ok := o.pending[key]; ok {
		return v
	}
	return o.b.Get([]byte(key))
}

func (o *overlay) put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	o.pending[key] = value
}

func (o *overlay) remove(key string) { o.pending[key] = nil }

func (o *overlay) flush() error {
	for _, k := range sortedKeys(o.pending) {
		var err error
		if v := o.pending[k]; v == nil {
			err = o.b.Delete([]byte(k))
		} else {
			err = o.b.Put([]byte(k), v)
		}
		if err != nil {
			return fmt.Errorf("write %.200q: %w", k, err)
		}
	}
	clear(o.pending)
	return nil
}

// index numbers the simple indexes: those whose keys follow from an entry alone.
type index int

const (
	indexAbout index = iota
	indexAlias
	indexGone
	indexProduct
)

func newApplier(tx *bolt.Tx, t *touched) *applier {
	a := &applier{tx: tx, touched: t, records: map[string]*overlay{}, coverage: map[string]int{}, weak: map[string]int{}}
	a.statement = newOverlay(tx.Bucket(bucketStatement))
	for i, name := range [][]byte{bucketAbout, bucketAlias, bucketGone, bucketProduct} {
		a.indexes[i] = newOverlay(tx.Bucket(name))
	}
	return a
}

// feed returns a feed's records, nil when there are none and make is false.
func (a *applier) feed(feed string, make bool) (*overlay, error) {
	if b := a.records[feed]; b != nil {
		return b, nil
	}
	root := a.tx.Bucket(bucketRecord)
	b := root.Bucket([]byte(feed))
	if b == nil && make {
		var err error
		if b, err = root.CreateBucket([]byte(feed)); err != nil {
			return nil, fmt.Errorf("make bucket of feed %q: %w", feed, err)
		}
	}
	if b == nil {
		return nil, nil
	}
	o := newOverlay(b)
	a.records[feed] = o
	return o, nil
}

// indexKey is one key of one of the simple indexes.
type indexKey struct {
	index index
	key   string
}

// indexKeys lists the keys of the simple indexes for an entry.
func indexKeys(feed, id string, e *entry) []indexKey {
	var list []indexKey
	add := func(i index, parts ...string) {
		list = append(list, indexKey{i, strings.Join(parts, "\x00")})
	}
	for _, f := range e.group {
		if f != id {
			add(indexAbout, f, feed, id)
		}
		if e.withdrawn {
			add(indexGone, f, feed, id)
		}
	}
	for _, f := range e.said {
		if f != id {
			add(indexAbout, f, feed, id)
		}
	}
	for i := 1; i < len(e.group); i++ {
		if x, y := e.group[0], e.group[i]; !advisory.IsCVE(x) || !advisory.IsCVE(y) {
			add(indexAlias, x, y, feed, id)
			add(indexAlias, y, x, feed, id)
		}
	}
	for _, ident := range e.ids {
		add(indexProduct, ident, feed, id)
	}
	return list
}

// outcome says what put did.
type outcome int

const (
	added outcome = iota
	updated
	kept // what is there is as new
)

// put stores a staged record of a feed in place of the one with its id. With
// merge it keeps the newer of the two.
func (a *applier) put(feed string, r *staged, merge bool) (outcome, error) {
	b, err := a.feed(feed, true)
	if err != nil {
		return kept, err
	}
	now, err := parseEntry(r.value)
	if err != nil {
		return kept, err
	}
	var was entry
	raw := b.get(r.id)
	if raw != nil {
		if was, err = parseEntry(raw); err != nil {
			return kept, err
		}
		if was.sum == now.sum || merge && !now.newer(&was) {
			return kept, nil
		}
	}
	a.reindex(feed, r.id, &was, &now)
	a.restate(feed, r, &was)
	b.put(r.id, r.value)
	a.bytes += len(r.id) + len(r.value) + 64
	if raw != nil {
		return updated, nil
	}
	return added, nil
}

// remove takes a record out, with everything that rests on it.
func (a *applier) remove(feed, id string) error {
	b, err := a.feed(feed, false)
	if err != nil || b == nil {
		return err
	}
	raw := b.get(id)
	if raw == nil {
		return nil
	}
	was, err := parseEntry(raw)
	if err != nil {
		return err
	}
	var none entry
	a.reindex(feed, id, &was, &none)
	a.restate(feed, &staged{id: id}, &was)
	a.bytes += len(id) + 64
	b.remove(id)
	return nil
}

// reindex changes the simple indexes from one entry to another.
func (a *applier) reindex(feed, id string, was, now *entry) {
	old, fresh := indexKeys(feed, id, was), indexKeys(feed, id, now)
	gone := make(map[indexKey]bool, len(old))
	for _, k := range old {
		gone[k] = true
	}
	changed := was.withdrawn != now.withdrawn
	for _, k := range fresh {
		if gone[k] {
			delete(gone, k)
			continue
		}
		a.indexes[k.index].put(k.key, nil)
		a.bytes += len(k.key) + 64
		changed = changed || k.index == indexAlias
	}
	for k := range gone {
		a.indexes[k.index].remove(k.key)
		changed = changed || k.index == indexAlias
	}
	for _, list := range [][]string{was.group, was.said} {
		for _, w := range list {
			a.weak[w]--
		}
		a.touched.weakness(list...)
	}
	for _, list := range [][]string{now.group, now.said} {
		for _, w := range list {
			a.weak[w]++
		}
		a.touched.weakness(list...)
	}
	if feed == advisory.FeedEPSS {
		a.touched.weakness(id)
	}
	if changed {
		a.touched.group(was.group...)
		a.touched.group(now.group...)
	}
}

// restate changes the statements of a record from those of an entry to those of r.
func (a *applier) restate(feed string, r *staged, was *entry) {
	gone := make(map[advisory.Key]bool, len(was.keys))
	for _, k := range was.keys {
		gone[k] = true
		a.coverage[string(join(k.Ecosystem, k.Release, feed))]--
	}
	for _, s := range r.says {
		k := s.key
		a.coverage[string(join(k.Ecosystem, k.Release, feed))]++
		at := string(join(k.Ecosystem, k.Release, k.Name, feed, r.id))
		if gone[k] {
			delete(gone, k)
			if bytes.Equal(a.statement.get(at), s.value) {
				continue
			}
		}
		a.statement.put(at, s.value)
		a.bytes += len(at) + len(s.value) + 64
		a.touched.key(k)
	}
	for k := range gone {
		a.statement.remove(string(join(k.Ecosystem, k.Release, k.Name, feed, r.id)))
		a.touched.key(k)
	}
}

// prune removes the records of a feed that a whole load lacks.
func (a *applier) prune(feed string, seen map[uint64]struct{}, seed maphash.Seed) (int, error) {
	b, err := a.feed(feed, false)
	if err != nil || b == nil {
		return 0, err
	}
	if err := a.write(); err != nil {
		return 0, err
	}
	var lost []string
	err = b.b.ForEach(func(id, _ []byte) error {
		if _, ok := seen[maphash.Bytes(seed, id)]; !ok {
			lost = append(lost, string(id))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, id := range lost {
		if err := a.remove(feed, id); err != nil {
			return 0, err
		}
	}
	return len(lost), nil
}

// write makes the changes that were held back.
func (a *applier) write() error {
	for _, feed := range sortedKeys(a.records) {
		if err := a.records[feed].flush(); err != nil {
			return err
		}
	}
	for _, o := range append([]*overlay{a.statement}, a.indexes[:]...) {
		if err := o.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush writes everything that was held back, and the counters.
func (a *applier) flush() error {
	if err := a.write(); err != nil {
		return err
	}
	cov := a.tx.Bucket(bucketCoverage)
	for _, k := range sortedKeys(a.coverage) {
		if a.coverage[k] == 0 {
			continue
		}
		was := number(cov.Get([]byte(k)))
		now := was + int64(a.coverage[k])
		if was <= 0 != (now <= 0) {
			a.touched.all = true // what was not assessed is, or the other way round
		}
		if err := count(cov, k, now, ""); err != nil {
			return err
		}
	}
	weak := a.tx.Bucket(bucketWeak)
	for _, id := range sortedKeys(a.weak) {
		if a.weak[id] == 0 {
			continue
		}
		k := strings.ToUpper(id)
		if err := count(weak, k, number(weak.Get([]byte(k)))+int64(a.weak[id]), id); err != nil {
			return err
		}
	}
	clear(a.coverage)
	clear(a.weak)
	return nil
}

// number reads a counter: a varint, with text behind it.
func number(v []byte) int64 {
	n, w := binary.Varint(v)
	if w <= 0 {
		return 0
	}
	return n
}

func count(b *bolt.Bucket, key string, n int64, text string) error {
	if n <= 0 {
		return b.Delete([]byte(key))
	}
	return b.Put([]byte(key), append(binary.AppendVarint(nil, n), text...))
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
