package eventlog

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// memTable holds the rows of one write-ahead log file until they are sealed.
// Rows are added by one goroutine and read by many.
type memTable struct {
	wal   uint64 // number of the file
	mu    sync.RWMutex
	devs  map[uint32]*memDevice
	rows  int
	bytes int64                               // of records and what is kept beside them
	marks map[inventory.DeviceID][]streamMark // of what is in the table; of the writer, until the table is full
}

type memDevice struct {
	rows   []row // in order when sorted
	sorted bool
	runs   map[event.Kind][]run // numbers, as they came
}

// rowCost is the memory of a row beside its record.
const rowCost = 56

func newMemTable(wal uint64) *memTable {
	return &memTable{wal: wal, devs: map[uint32]*memDevice{}, marks: map[inventory.DeviceID][]streamMark{}}
}

// mark notes the number of a batch that is in the table.
func (m *memTable) mark(d inventory.DeviceID, stream int, seq uint64) {
	marks := m.marks[d]
	setMark(&marks, stream, seq)
	m.marks[d] = marks
}

func (m *memTable) rowCount() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.rows
}

// add adds rows of one device.
func (m *memTable) add(dev uint32, rows []row) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.devs[dev]
	if d == nil {
		d = &memDevice{sorted: true, runs: map[event.Kind][]run{}}
		m.devs[dev] = d
	}
	for i := range rows {
		r := rows[i]
		if n := len(d.rows); d.sorted && n > 0 && r.key().before(d.rows[n-1].key()) {
			d.sorted = false
		}
		d.rows = append(d.rows, r)
		addRun(d.runs, r.time, r.rec.Head())
		m.bytes += int64(len(r.rec)) + rowCost
	}
	m.rows += len(rows)
}

// device returns the rows of a device in order. They are shared: nobody changes them.
func (m *memTable) device(dev uint32) []row {
	m.mu.RLock()
	d := m.devs[dev]
	if d == nil {
		m.mu.RUnlock()
		return nil
	}
	if d.sorted {
		rows := d.rows[:len(d.rows):len(d.rows)]
		m.mu.RUnlock()
		return rows
	}
	m.mu.RUnlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !d.sorted {
		rows := slices.Clone(d.rows) // who reads the old ones goes on reading them
		slices.SortFunc(rows, compareRows)
		d.rows, d.sorted = rows, true
	}
	return d.rows[:len(d.rows):len(d.rows)]
}

// runsInto adds the numbers of a device's rows.
func (m *memTable) runsInto(f *facts, dev uint32) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if d := m.devs[dev]; d != nil {
		for k, runs := range d.runs {
			f.runs[k] = append(f.runs[k], runs...)
		}
	}
}

func compareRows(a, b row) int {
	ka, kb := a.key(), b.key()
	switch {
	case ka.before(kb):
		return -1
	case kb.before(ka):
		return 1
	}
	return 0
}

// devices returns the numbers of the devices that have rows, in order.
func (m *memTable) devices() []uint32 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]uint32, 0, len(m.devs))
	for d := range m.devs {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}

func (m *memTable) size() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.bytes
}

// window returns the part of sorted rows from a time on and before another.
func window(rows []row, from, to int64) []row {
	lo, _ := slices.BinarySearchFunc(rows, from, func(r row, t int64) int { return cmpInt(r.time, t) })
	hi, _ := slices.BinarySearchFunc(rows, to, func(r row, t int64) int { return cmpInt(r.time, t) })
	if lo > hi {
		return nil
	}
	return rows[lo:hi]
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// refCount closes something when its last user is done.
type refCount struct {
	n     atomic.Int64
	close func()
}

func (r *refCount) init(f func()) {
	r.close = f
	r.n.Store(1)
}

// acquire adds a user; the caller knows that there is one.
func (r *refCount) acquire() { r.n.Add(1) }

func (r *refCount) release() {
	if r.n.Add(-1) == 0 {
		r.close()
	}
}

// The times of events come from endpoints: those beyond these bounds are moved
// to them, so that no clock puts an event where nobody looks or nothing expires.
const (
	mostAhead  = time.Minute
	mostBehind = 60 * 24 * time.Hour
)

// At is when an event of the batch was, as the log places it.
func (b *Batch) At(h event.Head) time.Time { return time.Unix(0, b.at(h)).UTC() }

func (b *Batch) at(h event.Head) int64 {
	recv := b.Received.UnixNano()
	return min(max(h.Time+int64(b.Skew), recv-int64(mostBehind)), recv+int64(mostAhead))
}

// split cuts checked records apart and gives them their times.
func split(dev uint32, b *Batch) ([]row, error) {
	rows := make([]row, 0, b.Count)
	recv := b.Received.UnixNano()
	for rest := b.Records; len(rest) > 0; {
		rec, after, err := event.Split(rest)
		if err != nil {
			return nil, err
		}
		rest = after
		rows = append(rows, row{dev: dev, time: b.at(rec.Head()), recv: recv, rec: rec})
	}
	return rows, nil
}
