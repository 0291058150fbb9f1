package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
)

// The packed forms of the columns that hold many small things. Each is a
// sequence of varints and length-prefixed strings; they are read only by this
// version of the schema, and damage is an error, never a partial answer.

var errPacked = errors.New("packed column is damaged")

func packHeld(list []Held) []byte {
	b := make([]byte, 0, 4*len(list)+8)
	b = binary.AppendUvarint(b, uint64(len(list)))
	var id uint32
	var at int64
	for _, h := range list {
		b = binary.AppendUvarint(b, uint64(h.Component-id))
		b = binary.AppendVarint(b, h.Since-at)
		b = binary.AppendUvarint(b, uint64(len(h.Past)))
		for _, p := range h.Past {
			b = binary.AppendUvarint(b, uint64(p.Component))
			b = binary.AppendVarint(b, p.Since)
		}
		id, at = h.Component, h.Since
	}
	return b
}

// Holding is what a device holds, ascending by component, in the form that is
// stored: four bytes or so for a component that takes forty as a Held, and every
// device has hundreds. The zero value holds nothing. It never changes and is
// safe for concurrent use.
type Holding struct{ packed []byte }

// Hold packs a list, which is ascending by component and stays the caller's.
func Hold(list []Held) Holding {
	if len(list) == 0 {
		return Holding{}
	}
	return Holding{slices.Clip(packHeld(list))}
}

// holdingOf takes a stored column, which must not be written to any more.
func holdingOf(column []byte) (Holding, error) {
	r := varints{b: column}
	n := 0
	for range r.held {
		n++
	}
	if r.bad {
		return Holding{}, errPacked
	}
	if n == 0 {
		return Holding{}, nil
	}
	return Holding{column}, nil
}

// Len is how many components are held.
func (h Holding) Len() int {
	if len(h.packed) == 0 {
		return 0
	}
	r := varints{b: h.packed}
	return int(r.count())
}

// All yields what is held.
func (h Holding) All() iter.Seq[Held] {
	return func(yield func(Held) bool) {
		if len(h.packed) > 0 {
			(&varints{b: h.packed}).held(yield)
		}
	}
}

// List is what is held, in a slice of the caller's.
func (h Holding) List() []Held {
	return slices.AppendSeq(make([]Held, 0, h.Len()), h.All())
}

// column is the stored form.
func (h Holding) column() []byte {
	if len(h.packed) == 0 {
		return packHeld(nil)
	}
	return h.packed
}

// held yields the components of a packed list.
func (r *varints) held(yield func(Held) bool) {
	var id uint32
	var at int64
	for range r.count() {
		id, at = id+uint32(r.unsigned()), at+r.signed()
		h := Held{Component: id, Since: at}
		if n := r.count(); n > 0 {
			h.Past = make([]Past, n)
			for j := range h.Past {
				h.Past[j] = Past{Component: uint32(r.unsigned()), Since: r.signed()}
			}
		}
		if r.bad || !yield(h) {
			return
		}
	}
}

// varints reads a packed column; after damage it yields zeros and bad is true.
type varints struct {
	b   []byte
	bad bool
}

func (r *varints) unsigned() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[k:]
	return n
}

func (r *varints) signed() int64 {
	n, k := binary.Varint(r.b)
	if k <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[k:]
	return n
}

// count reads a number of things that follow, each at least one byte long.
func (r *varints) count() uint64 {
	n := r.unsigned()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return 0
	}
	return n
}

func (r *varints) text() string {
	n := r.count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func packKnown(list []Known) []byte {
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, k := range list {
		b = appendString(b, k.Weakness)
		b = appendString(b, k.State)
		b = binary.AppendVarint(b, k.Since)
	}
	return b
}

func unpackKnown(b []byte) ([]Known, error) {
	r := varints{b: b}
	out := make([]Known, r.count())
	for i := range out {
		out[i] = Known{Weakness: r.text(), State: r.text(), Since: r.signed()}
	}
	if r.bad {
		return nil, errPacked
	}
	return out, nil
}

// packLearned joins entries about one weakness in one state since one time.
func packLearned(list []Learned) []byte {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Learned) int {
		return cmp.Or(cmp.Compare(a.Weakness, b.Weakness), cmp.Compare(a.State, b.State), cmp.Compare(a.Since, b.Since), cmp.Compare(a.Component, b.Component))
	})
	var b []byte
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Known == list[0].Known && list[n].Gone == list[0].Gone {
			n++
		}
		b = appendString(b, list[0].Weakness)
		b = appendString(b, list[0].State)
		b = binary.AppendVarint(b, list[0].Since)
		gone := uint64(0)
		if list[0].Gone {
			gone = 1
		}
		b = binary.AppendUvarint(b, gone)
		b = binary.AppendUvarint(b, uint64(n))
		for _, l := range list[:n] {
			b = binary.AppendUvarint(b, uint64(l.Component))
		}
		list = list[n:]
	}
	return b
}

func unpackLearned(b []byte) ([]Learned, error) {
	r := varints{b: b}
	var out []Learned
	for len(r.b) > 0 && !r.bad {
		l := Learned{Known: Known{Weakness: r.text(), State: r.text(), Since: r.signed()}, Gone: r.unsigned() == 1}
		for range r.count() {
			l.Component = uint32(r.unsigned())
			out = append(out, l)
		}
	}
	if r.bad {
		return nil, errPacked
	}
	return out, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
