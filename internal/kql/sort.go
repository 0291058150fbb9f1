package kql

import (
	"container/heap"
	"slices"
)

// sortKey is what rows are ordered by.
type sortKey struct {
	expr      *expr
	asc       bool
	nullsLast bool
}

func (k *sortKey) compare(a, b Value) int {
	an, bn := a.IsNull(), b.IsNull()
	switch {
	case an && bn:
		return 0
	case an || bn:
		if an == k.nullsLast {
			return 1
		}
		return -1
	}
	c := compare(a, b)
	if !k.asc {
		return -c
	}
	return c
}

// sortNode orders rows, and keeps the first of them (most below 0: all).
type sortNode struct {
	in   plan
	keys []sortKey
	most int
	used []bool
}

func (s *sortNode) input() plan       { return s.in }
func (s *sortNode) columns() []Column { return s.in.columns() }
func (s *sortNode) use(i int) {
	s.used[i] = true
	s.in.use(i)
}
func (s *sortNode) push(c *expr) {
	if s.most < 0 {
		s.in.push(c)
	}
}

type sortedRow struct {
	keys []Value
	row  []Value
	n    int // order of arrival
	size int
}

func (s *sortNode) compare(a, b *sortedRow) int {
	for i := range s.keys {
		if c := s.keys[i].compare(a.keys[i], b.keys[i]); c != 0 {
			return c
		}
	}
	return a.n - b.n
}

// worst is a heap with the last row on top.
type worst struct {
	s    *sortNode
	rows []*sortedRow
}

func (h *worst) Len() int           { return len(h.rows) }
func (h *worst) Less(i, j int) bool { return h.s.compare(h.rows[i], h.rows[j]) > 0 }
func (h *worst) Swap(i, j int)      { h.rows[i], h.rows[j] = h.rows[j], h.rows[i] }
func (h *worst) Push(v any)         { h.rows = append(h.rows, v.(*sortedRow)) }
func (h *worst) Pop() any {
	n := len(h.rows) - 1
	v := h.rows[n]
	h.rows = h.rows[:n]
	return v
}

func (s *sortNode) run(x *execution, out sink) error {
	if s.most == 0 {
		return nil
	}
	kept := newStored(s.used)
	h := &worst{s: s}
	n := 0
	probe := &sortedRow{keys: make([]Value, len(s.keys))}
	err := s.in.run(x, func(row []Value) error {
		n++
		for i := range s.keys {
			probe.keys[i] = s.keys[i].expr.eval(row)
		}
		probe.n = n
		full := s.most > 0 && len(h.rows) == s.most
		if full && s.compare(probe, h.rows[0]) >= 0 {
			return nil
		}
		packed, size := kept.pack(row)
		r := &sortedRow{keys: slices.Clone(probe.keys), row: packed, n: n, size: size + 64 + 40*len(s.keys)}
		for i := range s.keys {
			if c := s.keys[i].expr.col; c < 0 || !s.used[c] { // its text is kept for nothing else
				r.size += len(r.keys[i].text)
			}
		}
		if err := x.keep(r.size); err != nil {
			return err
		}
		switch {
		case full:
			x.free(h.rows[0].size)
			h.rows[0] = r
			heap.Fix(h, 0)
		case s.most > 0:
			heap.Push(h, r)
		default:
			h.rows = append(h.rows, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(h.rows, s.compare)
	buf := make([]Value, kept.width)
	for _, r := range h.rows {
		if err := x.tick(); err != nil {
			return err
		}
		kept.unpack(r.row, buf)
		if err := out(buf); err != nil {
			return err
		}
	}
	return nil
}
