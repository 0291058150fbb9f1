package kql

import (
	"net/netip"
	"slices"
)

// addressNode is ipv4_lookup: it joins rows with the ranges of another table that
// their addresses are in. The table is in memory.
type addressNode struct {
	in, table plan
	address   *expr
	network   *expr
	cols      []Column
	width     int    // of the rows
	used      []bool // columns of the table
	others    bool   // rows whose address is in no range are there too
}

func (a *addressNode) columns() []Column { return a.cols }
func (a *addressNode) push(*expr)        {}
func (a *addressNode) use(i int) {
	if i < a.width {
		a.in.use(i)
		return
	}
	a.used[i-a.width] = true
	a.table.use(i - a.width)
}

func (a *addressNode) run(x *execution, out sink) error {
	kept := newStored(a.used)
	ranges := map[netip.Prefix][][]Value{}
	var bits []int // that ranges have
	err := a.table.run(x, func(row []Value) error {
		p, ok := prefix(a.network.eval(row).Text())
		if !ok || !p.Addr().Is4() {
			return nil
		}
		p = p.Masked()
		packed, n := kept.pack(row)
		ranges[p] = append(ranges[p], packed)
		if !slices.Contains(bits, p.Bits()) {
			bits = append(bits, p.Bits())
		}
		return x.keep(n + 96)
	})
	if err != nil {
		return err
	}
	slices.Sort(bits)
	buf, other := make([]Value, len(a.cols)), make([]Value, len(a.cols)-a.width)
	for i := range other {
		other[i] = convert(Value{}, a.cols[a.width+i].Type)
	}
	return a.in.run(x, func(row []Value) error {
		copy(buf, row[:a.width])
		found := false
		p, ok := prefix(a.address.eval(row).Text())
		for _, n := range bits {
			if !ok || !p.Addr().Is4() || n > p.Bits() {
				continue
			}
			of, _ := p.Addr().Prefix(n) // 0 to 32 bits
			for _, r := range ranges[of] {
				found = true
				kept.unpack(r, buf[a.width:])
				if err := x.tick(); err != nil {
					return err
				}
				if err := out(buf); err != nil {
					return err
				}
			}
		}
		if found || !a.others {
			return nil
		}
		copy(buf[a.width:], other)
		return out(buf)
	})
}

// addressLookup binds ipv4_lookup.
func (b *binder) addressLookup(in plan, c *node, e *env) plan {
	usage := "ipv4_lookup(Networks, RemoteIP, Network, return_unmatched = true)"
	a := &addressNode{in: in, width: len(in.columns())}
	var kids []*node
	for _, k := range c.kids {
		switch {
		case k.label == "return_unmatched" && k.kind == nodeLiteral && k.typ == Bool:
			a.others = k.val.truth()
		case k.label != "":
			panic(fail(k.at, "ipv4_lookup has no argument %q like this", k.label).with(usage))
		default:
			kids = append(kids, k)
		}
	}
	if len(kids) == 4 && kids[3].kind == nodeLiteral && kids[3].typ == Bool {
		a.others, kids = kids[3].val.truth(), kids[:3]
	}
	if len(kids) != 3 {
		panic(fail(c.at, "ipv4_lookup takes a table, a column with addresses and a column of the table with ranges").with(usage))
	}
	if b.joins++; b.joins > MaxJoins {
		panic(fail(c.at, "the query has more than %d joins", MaxJoins))
	}
	a.table = b.table(kids[0], e)
	a.address = b.expr(kids[1], &rowScope{cols: in.columns(), use: in.use, env: e})
	a.network = b.expr(kids[2], &rowScope{cols: a.table.columns(), use: a.table.use, env: e})
	for i, x := range []*expr{a.address, a.network} {
		if x.typ != String {
			panic(fail(kids[i+1].at, "ipv4_lookup goes by texts, not values of type %s", x.typ))
		}
	}
	a.cols = slices.Clone(in.columns())
	names := namerOf(a.cols)
	for _, col := range a.table.columns() {
		a.cols = append(a.cols, Column{names.plain(col.Name), col.Type})
	}
	a.used = make([]bool, len(a.table.columns()))
	return a
}
