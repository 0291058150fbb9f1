package exposure

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// gained is a standing in a weakness that components have got and that their
// devices have not yet: settle gives it to them.
type gained struct {
	weak uint32
	bit  uint8
}

// held is what setAssessment holds back: device sets that are to be joined
// before they count. Between calls it is empty.
type held struct {
	gains   map[gained][]ComponentID
	rising  map[uint32][]ComponentID // by product: components that count now
	columns map[columnKey]*columns   // kept for the next settle, with nothing in them
}

// settle gives devices what their components have got. Until then sets and
// counts agree with each other, not yet with the members.
func (f *Fleet) settle() {
	if len(f.held.gains)+len(f.held.rising) == 0 {
		return
	}
	// Weaknesses of one package often have the same components, or one more: in
	// this order the devices of one are grown from those of the one before.
	order := slices.SortedFunc(maps.Keys(f.held.gains), func(a, b gained) int {
		return cmp.Or(slices.Compare(f.held.gains[a], f.held.gains[b]), cmp.Compare(a.weak, b.weak), cmp.Compare(a.bit, b.bit))
	})
	g := newGather(len(f.devices))
	grown := grown{words: newGather(len(f.devices))}
	for _, k := range order {
		if ids := f.held.gains[k]; f.fresh(k) && f.many(ids, len(g.words)) {
			f.start(k, grown.to(f, ids))
			f.rise(f.comps[ids[0]].product, ids, f.weak[k.weak].sets[bitIndex(k.bit)])
		} else {
			all, own := g.union(f.sets(ids), nil)
			f.gain(k.weak, all, own, k.bit)
		}
	}
	f.countAll()
	for p, ids := range f.held.rising {
		all, _ := g.union(f.sets(ids), nil)
		f.products[p].exposed.Or(all)
	}
	clear(f.held.gains)
	clear(f.held.rising)
}

// rise gives a product the devices of some components, when these are the ones
// of it that count from now on: a product whose first weakness comes has them
// in hand already.
func (f *Fleet) rise(p uint32, ids []ComponentID, devs *roaring.Bitmap) {
	if len(f.held.rising) > 0 && slices.Equal(f.held.rising[p], ids) {
		f.products[p].exposed.Or(devs)
		delete(f.held.rising, p)
	}
}

// fresh reports whether no device has a weakness in any standing that a gain
// would have to be compared with.
func (f *Fleet) fresh(k gained) bool {
	sets := &f.weak[k.weak].sets
	none := func(i int) bool { return sets[i] == nil || sets[i].IsEmpty() }
	if k.bit == bitHidden {
		return none(bitIndex(bitHidden))
	}
	return none(bitIndex(bitExposed)) && none(bitIndex(bitFixable))
}

// many reports whether components have so many devices that a set over the
// whole fleet, of so many words, is the cheaper way to join them.
func (f *Fleet) many(ids []ComponentID, words int) bool {
	n := uint64(0)
	for _, id := range ids {
		n += f.comps[id].devices.GetCardinality()
	}
	return n >= uint64(words/8)
}

func (f *Fleet) sets(ids []ComponentID) []*roaring.Bitmap {
	out := make([]*roaring.Bitmap, len(ids))
	for i, id := range ids {
		out[i] = f.comps[id].devices
	}
	return out
}

// grown is the devices of some components, grown from one list of components
// to the next.
type grown struct {
	words *gather
	ids   []ComponentID
}

// to returns the devices of components, valid until the next call.
func (g *grown) to(f *Fleet, ids []ComponentID) []uint64 {
	if !isPrefix(g.ids, ids) {
		clear(g.words.words)
		g.ids = g.ids[:0]
	}
	for _, id := range ids[len(g.ids):] {
		g.words.join(f.comps[id].devices)
	}
	g.ids = append(g.ids[:0], ids...)
	return g.words.words
}

// start gives a standing in a weakness that no device has to devices.
func (f *Fleet) start(k gained, words []uint64) {
	devs := roaring.New()
	devs.FromDense(words, true)
	weak := &f.weak[k.weak]
	weak.sets[bitIndex(k.bit)] = devs
	if k.bit == bitHidden {
		return
	}
	weak.exposed += uint32(devs.GetCardinality())
	at := columnKey{f.classes[k.weak], k.bit}
	col := f.held.columns[at]
	if col == nil || len(col.words) < len(words) {
		f.countColumns(at, col)
		col = &columns{words: make([][planes]uint64, len(words))}
		f.held.columns[at] = col
	}
	col.add(words)
	if col.n == 1<<planes-1 {
		f.countColumns(at, col)
	}
}

// gain adds devices to one standing of a weakness: the common case of a new
// match. With own, the set of devices may be kept.
func (f *Fleet) gain(w uint32, devs *roaring.Bitmap, own bool, bit uint8) {
	weak := &f.weak[w]
	set := f.set(weak, bitIndex(bit))
	add := func() {
		if own && set.IsEmpty() {
			weak.sets[bitIndex(bit)] = devs
			return
		}
		set.Or(devs)
	}
	if bit == bitHidden {
		add()
		return
	}
	fresh := devs
	if !set.IsEmpty() && set.Intersects(devs) {
		if fresh = roaring.AndNot(devs, set); fresh.IsEmpty() {
			return
		}
	}
	other := weak.sets[bitIndex(bitsCount&^bit)]
	if other != nil && !other.Intersects(fresh) {
		other = nil
	}
	one, fixOnly := f.adds.of(f.classes[w], bit), tally{}
	if bit == bitFixable {
		fixOnly = one
		fixOnly.sub(f.adds.of(f.classes[w], bitExposed))
	}
	var buf [512]uint32
	for it := fresh.ManyIterator(); ; {
		n := it.NextMany(buf[:])
		if n == 0 {
			break
		}
		for _, dev := range buf[:n] {
			if other != nil && other.Contains(dev) {
				f.tally[dev].add(fixOnly)
				continue
			}
			f.tally[dev].add(one)
			weak.exposed++
		}
	}
	add()
}

// columnKey says what weaknesses add to the tally of a device.
type columnKey struct {
	class class
	bit   uint8
}

// planes is how many binary digits columns have.
const planes = 8

// columns counts, for each device, how many of some sets it is in: digit by
// digit, the digits of 64 devices side by side in one word. A set is added in
// two operations per word, on average, however many devices it has.
type columns struct {
	words [][planes]uint64
	n     int // sets since the columns were empty
}

// add counts a set; at most 1<<planes-1 times in a row.
func (c *columns) add(set []uint64) {
	c.n++
	for i, carry := range set {
		w := &c.words[i]
		for p := 0; carry != 0; p++ {
			w[p], carry = w[p]^carry, w[p]&carry
		}
	}
}

// countAll takes all columns into the tallies.
func (f *Fleet) countAll() {
	for at, col := range f.held.columns {
		f.countColumns(at, col)
	}
}

func (f *Fleet) countColumns(at columnKey, col *columns) {
	if col == nil || col.n == 0 {
		return
	}
	each := f.adds.of(at.class, at.bit)
	for i := range col.words {
		one := each
		for _, w := range col.words[i] {
			for ; w != 0; w &= w - 1 {
				f.tally[i*64+bits.TrailingZeros64(w)].add(one)
			}
			one.add(one) // the next digit
		}
	}
	clear(col.words)
	col.n = 0
}
