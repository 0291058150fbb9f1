package eventlog

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/event"
)

const hour = int64(time.Hour)

// facts are what a segment knows of one device without reading its events:
// how many there were by hour and action, and which numbers are there.
type facts struct {
	counts map[hourAction]int
	runs   map[event.Kind][]run
}

type hourAction struct {
	hour   int64 // since 1970
	action event.Action
}

// run are numbers from a to b, that happened from first to last.
type run struct {
	from, to    uint64
	first, last int64
}

func newFacts() *facts {
	return &facts{counts: map[hourAction]int{}, runs: map[event.Kind][]run{}}
}

func (f *facts) reset() {
	clear(f.counts)
	clear(f.runs)
}

// add notes one event.
func (f *facts) add(at int64, h event.Head) {
	f.counts[hourAction{floorDiv(at, hour), h.Action}]++
	addRun(f.runs, at, h)
}

// addRun notes the number of one event.
func addRun(to map[event.Kind][]run, at int64, h event.Head) {
	k := h.Action.Kind()
	runs := to[k]
	if n := len(runs); n > 0 && runs[n-1].to+1 == h.Seq {
		r := &runs[n-1]
		r.to, r.first, r.last = h.Seq, min(r.first, at), max(r.last, at)
		return
	}
	to[k] = append(runs, run{from: h.Seq, to: h.Seq, first: at, last: at})
}

// tidy sorts runs and joins those that touch or overlap.
func tidy(runs []run) []run {
	slices.SortFunc(runs, func(a, b run) int {
		switch {
		case a.from < b.from:
			return -1
		case a.from > b.from:
			return 1
		}
		return 0
	})
	out := runs[:0]
	for _, r := range runs {
		if n := len(out); n > 0 && r.from <= out[n-1].to+1 {
			o := &out[n-1]
			if r.to > o.to {
				o.to = r.to
			}
			o.first, o.last = min(o.first, r.first), max(o.last, r.last)
			continue
		}
		out = append(out, r)
	}
	return out
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// append writes the facts: the number of counts, each (hour − hour before,
// action, count); then per kind the kind, the number of runs, each (from − to
// before, to − from, first, last − first); ended by kind 0.
func (f *facts) append(dst []byte) []byte {
	keys := make([]hourAction, 0, len(f.counts))
	for k := range f.counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b hourAction) int {
		if a.hour != b.hour {
			return int(a.hour - b.hour)
		}
		return int(a.action) - int(b.action)
	})
	dst = binary.AppendUvarint(dst, uint64(len(keys)))
	last := int64(0)
	for _, k := range keys {
		dst = binary.AppendVarint(dst, k.hour-last)
		last = k.hour
		dst = binary.AppendUvarint(dst, uint64(k.action))
		dst = binary.AppendUvarint(dst, uint64(f.counts[k]))
	}
	return f.appendRuns(dst)
}

// appendRuns writes the second part alone.
func (f *facts) appendRuns(dst []byte) []byte {
	for k := range event.Kinds {
		runs := tidy(f.runs[k])
		if len(runs) == 0 {
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(k))
		dst = binary.AppendUvarint(dst, uint64(len(runs)))
		to := uint64(0)
		for _, r := range runs {
			dst = binary.AppendUvarint(dst, r.from-to)
			dst = binary.AppendUvarint(dst, r.to-r.from)
			dst = binary.AppendVarint(dst, r.first)
			dst = binary.AppendVarint(dst, r.last-r.first)
			to = r.to
		}
	}
	return append(dst, 0)
}

var errFacts = errors.New("facts of a device cannot be read")

// merge adds facts in their written form.
func (f *facts) merge(b []byte) error {
	d := cursor{b: b}
	if err := f.mergeCounts(&d); err != nil {
		return err
	}
	return f.mergeRuns(&d)
}

func (f *facts) mergeCounts(d *cursor) error {
	return eachCount(d, func(k hourAction, n int) error {
		f.counts[k] += n
		return nil
	})
}

// eachCount reads counts of facts; f's error ends that.
func eachCount(d *cursor, f func(k hourAction, n int) error) error {
	b := d.b
	n := d.uvarint()
	if n > uint64(len(b)) {
		return errFacts
	}
	var k hourAction
	for range n {
		k.hour += d.varint()
		k.action = event.Action(d.uvarint())
		n := int(d.uvarint())
		if d.bad {
			return errFacts
		}
		if err := f(k, n); err != nil {
			return err
		}
	}
	return nil
}

func (f *facts) mergeRuns(d *cursor) error {
	b := d.b
	for {
		k := event.Kind(d.uvarint())
		if k == 0 || d.bad {
			break
		}
		m := d.uvarint()
		if m > uint64(len(b)) {
			return errFacts
		}
		to := uint64(0)
		for range m {
			var r run
			r.from = to + d.uvarint()
			r.to = r.from + d.uvarint()
			r.first = d.varint()
			r.last = r.first + d.varint()
			to = r.to
			f.runs[k] = append(f.runs[k], r)
		}
	}
	if d.bad {
		return errFacts
	}
	return nil
}

// cursor reads numbers; bad stays set after the first failure.
type cursor struct {
	b   []byte
	bad bool
}

func (d *cursor) uvarint() uint64 {
	n, w := binary.Uvarint(d.b)
	if w <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *cursor) varint() int64 {
	n, w := binary.Varint(d.b)
	if w <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[w:]
	return n
}
