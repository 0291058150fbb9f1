package intel

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// staging reads what was given and keeps what is new, without changing the file.
type staging struct {
	ctx     context.Context
	store   *Store
	tx      *bolt.Tx // read; the staging holds the write lock, so nothing changes beneath it
	spool   *spool
	units   []*unit
	byKey   map[string]*unit
	boxes   map[string]*unknown
	seed    maphash.Seed
	given   *given
	broken  []*box
	left    []Load
	tell    func(feed string, records int)
	buf     []byte
	pending []pendingRecord
}

// given is a path as the caller named it.
type given struct {
	path    string // as it is opened
	shown   string // as it is listed; the same unless a sync gave it
	dir     bool
	dated   time.Time // the date that the source told (Last-Modified), zero otherwise
	known   int       // leaves of a known format
	unknown int
	err     error
}

// unknown counts the members of an archive that are of no known format.
type unknown struct {
	count   int
	samples []string
	box     *box
	source  string
}

type pendingRecord struct {
	h   advisory.Header
	rec advisory.Record
}

// single reports whether a format holds one record per file.
func single(f advisory.Format) bool { return f == advisory.FormatOSV || f == advisory.FormatCVE5 }

// leaf decodes one file of a known format, or counts it as unknown.
func (st *staging) leaf(l leaf) error {
	head, err := l.r.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(head) < 4 { // too short for any format
		st.unknownLeaf(l)
		return nil
	}
	format, ok := advisory.Sniff(l.name, head)
	if !ok {
		st.unknownLeaf(l)
		return nil
	}
	st.given.known++
	// The name is passed without a date, so that a date in the header is one of the data.
	name := nameDate.ReplaceAllString(path.Base(l.name), "")
	if format == advisory.FormatOSV { // the folder or archive that it came in names the feed
		name = strings.ReplaceAll(l.path, "!", "/")
	}
	if single(format) {
		return st.lone(l, format, name)
	}
	return st.bulk(l, format, name)
}

// bulk decodes a file that holds a whole feed, or a large part of one.
func (st *staging) bulk(l leaf, format advisory.Format, name string) error {
	var u *unit
	var early []Skip
	emit := func(h advisory.Header, rec advisory.Record) error {
		if u == nil || u.feed != h.Feed {
			u = st.unit(h, l, l.path, false)
		}
		return st.add(u, l.path, rec)
	}
	skip := func(id, reason string) {
		if u != nil {
			u.skip(l.path+": "+id, reason)
		} else if len(early) < maxReasons {
			early = append(early, Skip{Sample: l.path + ": " + id, Reason: reason})
		}
	}
	h, err := advisory.Decode(format, name, l.r, emit, skip)
	if err == nil {
		_, err = io.Copy(io.Discard, l.r) // to the end, for the checksum
	}
	if errors.Is(err, errStop) || st.ended() != nil {
		return err
	}
	if u == nil { // nothing in it
		if h.Feed == "" {
			h.Feed = string(format)
		}
		u = st.unit(h, l, l.path, false)
	}
	for _, s := range early {
		u.skip(s.Sample, s.Reason)
	}
	u.header, u.took = h, st.store.opt.Now().Sub(u.started)
	u.err = truncated(err)
	var lim *limitError
	if errors.As(err, &lim) {
		return err
	}
	return nil
}

// lone decodes a file that holds a single record. Such files come by the
// thousand: they share one unit per feed and archive, or per directory given,
// and a bad one is skipped alone.
func (st *staging) lone(l leaf, format advisory.Format, name string) error {
	st.pending = st.pending[:0]
	type drop struct{ id, reason string }
	var drops []drop
	_, err := advisory.Decode(format, name, l.r,
		func(h advisory.Header, rec advisory.Record) error {
			st.pending = append(st.pending, pendingRecord{h, rec})
			return nil
		},
		func(id, reason string) { drops = append(drops, drop{id, reason}) })
	if err == nil {
		_, err = io.Copy(io.Discard, l.r)
	}
	if st.ended() != nil {
		return st.ended()
	}
	var lim *limitError
	if errors.As(err, &lim) {
		return err
	}
	inside := l.box
	for inside != nil && !inside.archive {
		inside = inside.parent
	}
	alone := inside == nil && !st.given.dir
	unitOf := func(h advisory.Header) *unit {
		switch {
		case inside != nil:
			l.box = inside
			return st.unit(h, l, inside.path, true)
		case st.given.dir:
			l.box = nil
			return st.unit(h, l, st.given.shown, true)
		}
		return st.unit(h, l, l.path, false)
	}
	if err != nil {
		h := advisory.Header{Feed: string(format), Mode: advisory.Merge}
		if len(st.pending) > 0 {
			h = st.pending[0].h
		}
		u := unitOf(h)
		u.skip(l.path, truncated(err).Error())
		if alone {
			u.err = truncated(err)
		}
		return nil
	}
	for _, p := range st.pending {
		u := unitOf(p.h)
		if err := st.add(u, l.path, p.rec); err != nil {
			return err
		}
		for _, d := range drops {
			u.skip(l.path+": "+d.id, d.reason)
		}
		drops = nil
		u.took = st.store.opt.Now().Sub(u.started)
	}
	if len(drops) > 0 {
		u := unitOf(advisory.Header{Feed: string(format), Mode: advisory.Merge})
		for _, d := range drops {
			u.skip(l.path+": "+d.id, d.reason)
		}
	}
	return nil
}

// ended returns why the import was stopped, if it was.
func (st *staging) ended() error { return st.ctx.Err() }

// unit finds or makes the unit of a feed out of a source.
func (st *staging) unit(h advisory.Header, l leaf, source string, lone bool) *unit {
	key := h.Feed + "\x00" + source
	if u := st.byKey[key]; u != nil && u.lone == lone {
		return u
	}
	u := &unit{index: len(st.units), feed: h.Feed, mode: h.Mode, source: source, dated: l.dated, modTime: l.modTime,
		box: l.box, given: st.given, lone: lone, header: h, started: st.store.opt.Now()}
	if l.path == st.given.path {
		u.source = st.given.shown
	}
	if h.Mode == advisory.Replace {
		u.seen = map[uint64]struct{}{}
	}
	st.units = append(st.units, u)
	st.byKey[key] = u
	return u
}

func (st *staging) unknownLeaf(l leaf) {
	st.given.unknown++
	b := l.box
	for b != nil && !b.archive {
		b = b.parent
	}
	source := l.path
	if b != nil {
		source = b.path
	}
	e := st.boxes[source]
	if e == nil {
		e = &unknown{box: b, source: source}
		st.boxes[source] = e
	}
	e.count++
	if b != nil && len(e.samples) < 3 {
		e.samples = append(e.samples, l.name)
	}
}

// add stages one record unless what is loaded is as new.
func (st *staging) add(u *unit, from string, rec advisory.Record) error {
	if err := st.ended(); err != nil {
		return err
	}
	u.records++
	if u.records%1000 == 0 {
		st.tell(u.feed, u.records)
	}
	if why := unfit(&rec); why != "" {
		u.records--
		u.skip(from+": "+printable(rec.ID), why)
		return nil
	}
	if rec.Modified.After(u.newest) {
		u.newest = rec.Modified
	}
	if rec.Withdrawn {
		rec.Statements = nil
	}
	e := describe(u.feed, &rec)
	if e.modified == 0 && u.mode == advisory.Merge && !u.header.Date.IsZero() {
		e.modified = u.header.Date.UnixMilli() // the record has no date: the feed's decides
	}
	st.buf = advisory.AppendRecord(st.buf[:0], rec)
	e.sum, e.size = sumOf(st.buf), len(st.buf)
	for i := range u.digest {
		u.digest[i] ^= e.sum[i]
	}
	var have entry
	var loaded []byte
	if b := st.tx.Bucket(bucketRecord).Bucket([]byte(u.feed)); b != nil {
		loaded = b.Get([]byte(rec.ID))
	}
	if loaded != nil {
		var err error
		if have, err = parseHead(loaded); err != nil {
			return err
		}
	}
	if u.mode == advisory.Replace {
		h := maphash.String(st.seed, rec.ID)
		if _, twice := u.seen[h]; twice {
			u.skip(from+": "+rec.ID, "the id occurs twice in the file; the first one counts")
			u.records--
			for i := range u.digest {
				u.digest[i] ^= e.sum[i]
			}
			return nil
		}
		u.seen[h] = struct{}{}
	}
	switch {
	case loaded != nil && have.sum == e.sum:
		u.same++
		return nil
	case loaded != nil && u.mode == advisory.Merge && !e.newer(&have):
		u.older++
		return nil
	}
	says := sayings(&rec)
	for i := range says {
		e.keys = append(e.keys, says[i].key)
	}
	rec.Statements = nil
	e.body = advisory.AppendRecord(nil, rec)
	if len(e.body) >= 200 {
		if p := pack(e.body); len(p) < len(e.body) {
			e.body, e.packed = p, true
		}
	}
	u.staged++
	if err := st.spool.add(&staged{unit: u.index, id: rec.ID, value: appendEntry(nil, &e), says: says}); err != nil {
		return fmt.Errorf("%w: %w", errStop, err)
	}
	return nil
}
