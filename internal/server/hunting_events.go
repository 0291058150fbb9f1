package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/kql"
)

// huntReader reads tables for one run of a query, for one caller.
type huntReader struct {
	ctx      context.Context // of the run
	s        *Server
	c        Caller
	now      time.Time
	from, to time.Time // of events
	earlier  bool      // the query asked for events before from
	stats    HuntStatistics
	watch    func(HuntStatistics)
	done     eventlog.Cost // of scans that ended
	damaged  int
	unlisted bool                          // a file was told of that the index may not have everywhere
	names    map[inventory.DeviceID]string // of the devices that the caller sees
	all      bool                          // the caller sees all devices
}

// huntFilter are the conditions of a scan that stores use.
type huntFilter struct {
	devices map[inventory.DeviceID]bool // nil: all that the caller sees
	equal   []kql.Condition             // on other columns
}

// devices looks up the devices that the caller sees, once.
func (h *huntReader) devices() map[inventory.DeviceID]string {
	if h.names != nil {
		return h.names
	}
	c := h.s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	in := h.c.looks()
	h.all = in.All()
	h.names = make(map[inventory.DeviceID]string, len(c.byID))
	for _, d := range c.devices {
		if d != nil && in.Has(d.group) {
			h.names[d.id] = cmp.Or(d.sum.FQDN, d.sum.Name)
		}
	}
	return h.names
}

// filterOf takes the devices out of a scan's conditions.
func (h *huntReader) filterOf(s kql.Scan) *huntFilter {
	f := &huntFilter{}
	narrow := func(keep func(id inventory.DeviceID, name string) bool) {
		kept := map[inventory.DeviceID]bool{}
		for id, name := range h.devices() {
			if (f.devices == nil || f.devices[id]) && keep(id, name) {
				kept[id] = true
			}
		}
		f.devices = kept
	}
	for _, c := range s.Where {
		has := func(text string) bool {
			return slices.ContainsFunc(c.Values, func(v string) bool { return v == text || c.Op == kql.EqualsFold && strings.EqualFold(v, text) })
		}
		switch {
		case c.Op == kql.Has && (c.Column == "DeviceId" || c.Column == "DeviceName"):
		case c.Column == "DeviceId":
			narrow(func(id inventory.DeviceID, _ string) bool { return has(string(id)) })
		case c.Column == "DeviceName":
			narrow(func(_ inventory.DeviceID, name string) bool { return has(name) })
		default:
			f.equal = append(f.equal, c)
		}
	}
	return f
}

// Read reads a table.
func (h *huntReader) Read(ctx context.Context, s kql.Scan, yield func(row []kql.Value) error) error {
	return h.ReadMany(ctx, []kql.Scan{s}, func(_ int, row []kql.Value) error { return yield(row) })
}

// ReadMany reads tables: those of events in one pass over the log.
func (h *huntReader) ReadMany(ctx context.Context, scans []kql.Scan, yield func(scan int, row []kql.Value) error) error {
	var events []huntEvents
	for i, s := range scans {
		t, ok := huntTables()[s.Table.Name]
		if !ok || !t.readableBy(h.c) {
			return fmt.Errorf("table %s: %w", s.Table.Name, ErrDenied)
		}
		if err := h.c.Still(ctx); err != nil {
			return err
		}
		f := h.filterOf(s)
		if t.events != 0 {
			events = append(events, huntEvents{i, t, h.eventQuery(t, s, f), newHuntEventRow(t, s, h.devices())})
			continue
		}
		err := t.read(h, s, f, func(row []kql.Value) error {
			h.stats.RowsRead++
			if h.stats.RowsRead&0x3ff == 0 {
				h.tell(0)
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return yield(i, row)
		})
		if h.done.Rows = h.stats.RowsRead; err != nil {
			return err
		}
	}
	return h.readEvents(ctx, events, yield)
}

// huntEvents is one table of a pass over the log.
type huntEvents struct {
	scan  int
	table *huntTable
	query eventlog.Query
	row   *huntEventRow
}

// tell tells how far the run is.
func (h *huntReader) tell(share float64) {
	if h.watch != nil {
		h.stats.Share = share
		h.watch(h.stats)
	}
}

// eventQuery is what the log is asked for.
func (h *huntReader) eventQuery(t *huntTable, s kql.Scan, f *huntFilter) eventlog.Query {
	q := eventlog.Query{From: h.from, To: h.to, Actions: []ev.Action{}}
	if s.From.After(q.From) {
		q.From = s.From
	} else if !s.From.IsZero() && s.From.Before(h.from) {
		h.earlier = true
	}
	if !s.To.IsZero() && s.To.Before(q.To) {
		q.To = s.To
	}
	for a := range ev.Actions {
		if a.Table() == t.events && f.wants(a) {
			q.Actions = append(q.Actions, a)
		}
	}
	devices := h.devices()
	switch {
	case f.devices != nil:
		var ids []inventory.DeviceID
		for id := range f.devices {
			ids = append(ids, id)
		}
		q.Scope = eventlog.Only(ids...)
	case h.all:
		q.Scope = eventlog.Everything()
	default:
		ids := make([]inventory.DeviceID, 0, len(devices))
		for id := range devices {
			ids = append(ids, id)
		}
		q.Scope = eventlog.Only(ids...)
	}
	for _, c := range f.equal {
		if c.Column == "" {
			if h.inTexts(t, c.Values) {
				q.Any = append(q.Any, c.Values)
			}
			continue
		}
		column, ok := ev.ColumnOf(c.Column)
		switch {
		case !ok || column.Own() || column.Type() != ev.String:
		case c.Op == kql.Has:
			q.Terms = append(q.Terms, c.Values[0])
		default:
			q.Equals = append(q.Equals, eventlog.Equal{Columns: []ev.Column{column}, Values: c.Values})
		}
	}
	return q
}

// mostWords is how many words the log is asked for at once.
const mostWords = 100

// inTexts reports whether words can be in the texts of events only: not in what
// hunting adds to them, which is names and ids of devices, actions, and the names
// and numbers of Picket's own columns.
func (h *huntReader) inTexts(t *huntTable, words []string) bool {
	if len(words) > mostWords {
		return false
	}
	for _, w := range words {
		if strings.ContainsAny(w, `"\:,{}[]`) || strings.IndexFunc(w, unicode.IsLetter) < 0 {
			return false
		}
		in := func(text string) bool { return kql.HasWord(text, w) }
		for id, name := range h.devices() {
			if in(string(id)) || in(name) {
				return false
			}
		}
		for a := range ev.Actions {
			if a.Table() == t.events && in(a.String()) {
				return false
			}
		}
		for c := range ev.Columns {
			if c.Own() && in(c.String()) {
				return false
			}
		}
	}
	return true
}

// wants reports whether an action fits conditions on ActionType.
func (f *huntFilter) wants(a ev.Action) bool {
	for _, c := range f.equal {
		if c.Column == "ActionType" && c.Op != kql.Has && !slices.ContainsFunc(c.Values, func(v string) bool { return strings.EqualFold(v, a.String()) }) {
			return false
		}
	}
	return true
}

func (h *huntReader) readEvents(ctx context.Context, events []huntEvents, yield func(scan int, row []kql.Value) error) error {
	events = slices.DeleteFunc(events, func(e huntEvents) bool { return len(e.query.Actions) == 0 || !e.query.From.Before(e.query.To) })
	if len(events) == 0 {
		return nil
	}
	q := onePass(events)
	q.Watch = func(c eventlog.Cost, share float64) {
		h.account(c)
		h.tell(share)
	}
	cost, err := h.s.telemetry.log.Scan(ctx, q, func(r eventlog.Row) error {
		table := r.Record.Head().Action.Table()
		for i := range events {
			if e := &events[i]; e.table.events == table {
				if err := yield(e.scan, e.row.of(&r)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	h.account(cost)
	h.done.Rows, h.done.Blocks, h.done.Bytes = h.stats.RowsRead, h.stats.BlocksRead, h.stats.BytesRead
	h.damaged += cost.Damaged
	return err
}

// onePass is a query of the log that gives what every table asks for, and may give
// more: what they do not have in common is left to the query.
func onePass(events []huntEvents) eventlog.Query {
	q := events[0].query
	q.Actions = slices.Clone(q.Actions)
	for _, e := range events[1:] {
		o := e.query
		if o.From.Before(q.From) {
			q.From = o.From
		}
		if o.To.After(q.To) {
			q.To = o.To
		}
		for _, a := range o.Actions {
			if !slices.Contains(q.Actions, a) {
				q.Actions = append(q.Actions, a)
			}
		}
		q.Scope = q.Scope.Union(o.Scope)
		if !slices.Equal(q.Terms, o.Terms) {
			q.Terms = nil
		}
		if !slices.EqualFunc(q.Any, o.Any, slices.Equal) {
			q.Any = nil
		}
		if !slices.EqualFunc(q.Equals, o.Equals, func(a, b eventlog.Equal) bool {
			return slices.Equal(a.Columns, b.Columns) && slices.Equal(a.Values, b.Values)
		}) {
			q.Equals = nil
		}
	}
	return q
}

// account adds the cost of the scan under way to that of those before it.
func (h *huntReader) account(c eventlog.Cost) {
	h.stats.RowsRead, h.stats.BlocksRead, h.stats.BytesRead = h.done.Rows+c.Rows, h.done.Blocks+c.Blocks, h.done.Bytes+c.Bytes
}

// huntEventRow makes rows of events.
type huntEventRow struct {
	names  map[inventory.DeviceID]string
	row    []kql.Value
	at     []int // by event column: place in the row, −1: not wanted
	own    int   // place of AdditionalFields, −1
	base   [6]int
	blank  []int // places of texts
	ids    map[inventory.DeviceID]kql.Value
	labels map[inventory.DeviceID]kql.Value
	texts  [textSlots]kql.Value
	raw    [textSlots]string
}

// textSlots is how many texts are remembered, so that the same text is not made again.
const textSlots = 4096

func newHuntEventRow(t *huntTable, s kql.Scan, names map[inventory.DeviceID]string) *huntEventRow {
	e := &huntEventRow{names: names, row: make([]kql.Value, len(t.Columns)), own: -1, ids: map[inventory.DeviceID]kql.Value{}, labels: map[inventory.DeviceID]kql.Value{}}
	for c := range ev.Columns {
		for len(e.at) <= int(c) {
			e.at = append(e.at, -1)
		}
	}
	for i := range e.base {
		e.base[i] = -1
	}
	for i, c := range t.Columns {
		if !s.Use[i] {
			continue
		}
		if c.Type == kql.String {
			e.blank = append(e.blank, i)
		}
		if k := slices.Index([]string{"Timestamp", "DeviceId", "DeviceName", "ActionType", "ReportId"}, c.Name); k >= 0 {
			e.base[k] = i
			continue
		}
		if c.Name == "AdditionalFields" {
			e.own = i
			continue
		}
		if column, ok := ev.ColumnOf(c.Name); ok && !column.Own() {
			e.at[column] = i
		}
	}
	return e
}

// of is the row of an event; it is good until the next one.
func (e *huntEventRow) of(r *eventlog.Row) []kql.Value {
	clear(e.row)
	for _, i := range e.blank {
		e.row[i] = kql.StringValue("")
	}
	head := r.Record.Head()
	if i := e.base[0]; i >= 0 {
		e.row[i] = kql.TimeValue(r.Time)
	}
	if i := e.base[1]; i >= 0 {
		e.row[i] = e.device(e.ids, r.Device, string(r.Device))
	}
	if i := e.base[2]; i >= 0 {
		e.row[i] = e.device(e.labels, r.Device, e.names[r.Device])
	}
	if i := e.base[3]; i >= 0 {
		e.row[i] = kql.StringValue(head.Action.String())
	}
	if i := e.base[4]; i >= 0 {
		e.row[i] = kql.LongValue(int64(head.Seq))
	}
	var keys []string
	var items []kql.Value
	for f, text := range r.Record.Each {
		c, n := f.Column, f.Number
		i := e.at[c]
		if i < 0 && e.own < 0 {
			continue
		}
		switch {
		case i >= 0:
			e.row[i] = e.value(c, text, n)
		case c == ev.AdditionalFields:
			if v := kql.ParseJSON(string(text)); !v.IsNull() {
				k, it := v.Members()
				keys, items = append(keys, k...), append(items, it...)
			}
		case c.Own():
			keys, items = append(keys, c.String()), append(items, e.value(c, text, n))
		}
	}
	if e.own >= 0 && len(keys) > 0 {
		e.row[e.own] = kql.BagValue(keys, items)
	}
	return e.row
}

func (e *huntEventRow) device(known map[inventory.DeviceID]kql.Value, id inventory.DeviceID, text string) kql.Value {
	v, ok := known[id]
	if !ok {
		v = kql.StringValue(text)
		known[id] = v
	}
	return v
}

// value is the value of a column. Texts that came before are shared.
func (e *huntEventRow) value(c ev.Column, text []byte, n int64) kql.Value {
	switch c.Type() {
	case ev.String, ev.Dynamic:
		h := uint32(2166136261)
		for _, b := range text[:min(len(text), 64)] {
			h = (h ^ uint32(b)) * 16777619
		}
		i := (h ^ uint32(len(text))) % textSlots
		if e.raw[i] != string(text) {
			e.raw[i] = string(text)
			e.texts[i] = kql.StringValue(e.raw[i])
		}
		return e.texts[i]
	case ev.Bool:
		return kql.BoolValue(n != 0)
	case ev.Time:
		return kql.TimeValue(time.Unix(0, n))
	}
	return kql.LongValue(n)
}
