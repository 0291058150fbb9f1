package kql

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Enrichment is what invoke adds to rows of what is known of a key in each of
// them, such as FileProfile of the hash of a file.
type Enrichment struct {
	Name        string
	Arguments   string // as people read them
	Description string
	Keys        []string // the columns that the key may be in; the first of them where the query names none
	Columns     []Column // that are added, but for those that rows have already
	// Usual and Most are of how many different keys is told: where nothing is said, and at most.
	Usual, Most int
}

// Enricher is a Reader that knows enrichments.
type Enricher interface {
	Reader
	// Enrich calls yield with the columns of every key that something is known of.
	// Keys are in lower case, none is empty and none is there twice. yield's error
	// ends it and is returned.
	Enrich(ctx context.Context, e *Enrichment, keys []string, yield func(key string, row []Value) error) error
}

// Availability is the column that every enrichment adds: Available, Missing where nothing
// is known of a key, or "" where a row has none or one that was not asked for.
const Availability = "ProfileAvailability"

// enrichNode adds the columns of an enrichment. Rows are read first, then what is known of their keys.
type enrichNode struct {
	in   plan
	of   *Enrichment
	key  *expr
	most int
	cols []Column
	from []int // of each column behind those of the rows: of the enrichment; −1: Availability
	used []bool
}

func (n *enrichNode) input() plan       { return n.in }
func (n *enrichNode) columns() []Column { return n.cols }
func (n *enrichNode) use(i int) {
	if i < len(n.used) {
		n.used[i] = true
		n.in.use(i)
	}
}

// push offers nothing: with fewer rows other keys would be the first.
func (n *enrichNode) push(*expr) {}

func (n *enrichNode) run(x *execution, out sink) error {
	reader, ok := x.reader.(Enricher)
	if !ok {
		return &LimitError{fmt.Sprintf("%s is not known here", n.of.Name)}
	}
	kept := newStored(n.used)
	var rows [][]Value
	var keys []string
	var of []string // of each row
	known := map[string][]Value{}
	err := n.in.run(x, func(row []Value) error {
		key := strings.ToLower(n.key.eval(row).Text())
		size := 48
		if _, ok := known[key]; !ok && key != "" {
			if len(keys) < n.most {
				known[key] = nil
				keys = append(keys, key)
				size += 2*len(key) + 96
			} else {
				key = ""
				x.note(fmt.Sprintf("%s tells of the first %d different keys; rows behind them have none of its columns.", n.of.Name, n.most))
			}
		}
		packed, bytes := kept.pack(row)
		rows, of = append(rows, packed), append(of, key)
		return x.keep(size + bytes)
	})
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		if err := reader.Enrich(x.ctx, n.of, keys, func(key string, row []Value) error {
			known[key] = slices.Clone(row)
			return x.keep(sizeOf(row))
		}); err != nil {
			return err
		}
	}
	buf := make([]Value, len(n.cols))
	for i, r := range rows {
		if err := x.tick(); err != nil {
			return err
		}
		kept.unpack(r, buf)
		n.fill(buf[len(n.used):], of[i], known[of[i]])
		if err := out(buf); err != nil {
			return err
		}
	}
	return nil
}

// fill writes the columns of an enrichment.
func (n *enrichNode) fill(buf []Value, key string, row []Value) {
	for i, f := range n.from {
		switch {
		case f < 0 && key == "":
			buf[i] = StringValue("")
		case f < 0 && row == nil:
			buf[i] = StringValue("Missing")
		case f < 0:
			buf[i] = StringValue("Available")
		case row == nil:
			buf[i] = convert(Value{}, n.of.Columns[f].Type)
		default:
			buf[i] = row[f]
		}
	}
}

// enrich binds invoke of an enrichment: its arguments are a column, or the name of
// one, and of how many keys is told.
func (b *binder) enrich(in plan, o *op, e *env) plan {
	c := o.list[0].expr
	at := slices.IndexFunc(b.enrichments, func(x *Enrichment) bool { return x.Name == c.text })
	if c.kind != nodeCall || at < 0 {
		var names []string
		for _, x := range b.enrichments {
			names = append(names, x.Name)
		}
		for x := e; x != nil; x = x.up {
			if x.def.fn != nil {
				names = append(names, x.name)
			}
		}
		panic(fail(c.at, "there is no function %q to invoke", c.text).with(didYouMean(c.text, names)))
	}
	n := &enrichNode{in: in, of: b.enrichments[at], used: make([]bool, len(in.columns()))}
	if len(c.kids) > 2 {
		panic(fail(c.at, "%s takes %s, not %d", c.text, arity(0, 2), len(c.kids)).with(n.of.Name + "(" + n.of.Arguments + ")"))
	}
	key := &node{kind: nodeName, at: c.at, text: n.of.Keys[0]}
	if len(c.kids) > 0 {
		if key = c.kids[0]; key.kind == nodeLiteral && key.typ == String { // "SHA1"
			key = &node{kind: nodeName, at: key.at, text: key.val.text}
		}
	}
	n.key = b.expr(key, &rowScope{cols: in.columns(), use: in.use, env: e})
	if n.key.col < 0 || n.key.typ != String {
		panic(fail(key.at, "%s goes by a column with texts", c.text).with("one such as " + strings.Join(n.of.Keys, ", ")))
	}
	n.most = n.of.Usual
	if len(c.kids) > 1 {
		if n.most = int(min(b.rowsOf(c.kids[1], e), 1<<31)); n.most < 1 || n.most > n.of.Most {
			panic(fail(c.kids[1].at, "%s tells of 1 to %d", c.text, n.of.Most))
		}
	}
	n.cols = slices.Clone(in.columns())
	names := namerOf(n.cols)
	for i, col := range append(slices.Clone(n.of.Columns), Column{Availability, String}) {
		if names.taken[col.Name] {
			continue
		}
		if n.cols = append(n.cols, col); col.Name == Availability {
			i = -1
		}
		n.from = append(n.from, i)
	}
	return n
}
