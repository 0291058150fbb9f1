// Package eventlog keeps what happened on all devices: written once, never
// changed, found by device and time.
//
// [Log] is what the rest of the server knows of it; [Engine] is the engine that
// comes with Picket, on files of its own directory. The form on disk is in
// docs/eventlog.md. A second engine proves itself with the suite in eventlogtest.
package eventlog

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// Errors of a log. They are wrapped.
var (
	// ErrClosed says that the log was closed.
	ErrClosed = errors.New("the event log is closed")
	// ErrStop ends a Scan without an error.
	ErrStop = errors.New("stop")
)

// Log keeps events. All methods are safe for concurrent use, and reading never
// waits for writing or the other way round.
type Log interface {
	// Append keeps a batch. When it returns without an error the batch is on
	// disk and every later read sees it. A batch whose number is not above
	// the highest of its device and stream is not kept again: fresh is false
	// and there is no error. It waits while the engine is behind; ctx ends the
	// waiting, and then the batch may or may not be kept.
	Append(ctx context.Context, b Batch) (fresh bool, err error)
	// Mark returns the highest number kept of a device and stream; 0: none.
	Mark(d inventory.DeviceID, stream int) uint64
	// Page returns events of one device, newest first, and the cursor of the next
	// page; no cursor: there are no more.
	Page(ctx context.Context, q Query, after Cursor, limit int) ([]Row, Cursor, Cost, error)
	// Scan calls f with every event that the query asks for, in no order. What f
	// is given is good only until it returns. f's error ends the scan and is
	// returned, but for ErrStop.
	Scan(ctx context.Context, q Query, f func(Row) error) (Cost, error)
	// Counts counts the events that the query asks for by steps of time, from
	// q.From on, and by action. A step without events is not listed.
	Counts(ctx context.Context, q Query, step time.Duration) ([]Count, Cost, error)
	// Runs returns the numbers of one device's events that are there, by kind,
	// as runs without a gap, in order.
	Runs(ctx context.Context, d inventory.DeviceID) ([]Run, error)
	// Retain removes what the policy no longer keeps.
	Retain(ctx context.Context, p Policy, now time.Time) error
	// Forget removes a device with all its events: no read finds them when it returns.
	Forget(ctx context.Context, d inventory.DeviceID) error
}

// Batch is what an agent delivered at once.
type Batch struct {
	Device   inventory.DeviceID
	Stream   int    // 0 to 254
	Seq      uint64 // rises within a device and stream
	Received time.Time
	Skew     time.Duration // is added to the times of the events: server's clock − host's
	Records  []byte        // Count records one after the other, checked; kept by the log
	Count    int
	Packed   []byte // the same, compressed with zstd; nil: the log compresses them
}

// Row is one event of a device.
type Row struct {
	Device inventory.DeviceID
	// Time is the event's time with the skew of its batch; at most a minute after
	// Received and 60 days before it, whatever the endpoint says.
	Time     time.Time
	Received time.Time
	Record   event.Record
}

// Cursor is a place in a device's events; the zero Cursor is before the newest.
type Cursor struct {
	Time int64 // nanoseconds since 1970
	Kind event.Kind
	Seq  uint64
}

// IsZero reports whether it is the zero Cursor.
func (c Cursor) IsZero() bool { return c == Cursor{} }

// Cost is what a read looked at.
type Cost struct {
	Segments, Blocks, Rows int
	Bytes                  int64 // of blocks, as they are on disk
	// Damaged are the blocks that could not be read: what they held is missing
	// from the answer.
	Damaged int
}

// Count is how many events of an action there were in a step of time.
type Count struct {
	Start  time.Time
	Action event.Action
	N      int
}

// Run are numbers of a kind that are all there.
type Run struct {
	Kind     event.Kind
	From, To uint64    // first and last
	First    time.Time // when the first of them happened
	Last     time.Time // when the last of them happened
}

// Scope are the devices that an answer may be about. The zero Scope is none.
type Scope struct {
	all bool
	set map[inventory.DeviceID]struct{}
}

// Everything is the scope of every device.
func Everything() Scope { return Scope{all: true} }

// Only is the scope of some devices.
func Only(devices ...inventory.DeviceID) Scope {
	s := Scope{set: make(map[inventory.DeviceID]struct{}, len(devices))}
	for _, d := range devices {
		s.set[d] = struct{}{}
	}
	return s
}

// Has reports whether a device is in the scope.
func (s Scope) Has(d inventory.DeviceID) bool {
	if s.all {
		return true
	}
	_, ok := s.set[d]
	return ok
}

// Union is the scope of the devices of both.
func (s Scope) Union(o Scope) Scope {
	if s.all || o.all {
		return Everything()
	}
	u := Scope{set: make(map[inventory.DeviceID]struct{}, len(s.set)+len(o.set))}
	maps.Copy(u.set, s.set)
	maps.Copy(u.set, o.set)
	return u
}

// Query says which events. Everything that is set must hold.
type Query struct {
	Scope    Scope
	From, To time.Time      // From included, To not; zero: unbounded
	Actions  []event.Action // nil: all
	Equals   []Equal        // texts that columns must have, whatever their case
	Terms    []string       // words that must occur in some text, whole, whatever their case
	Any      [][]string     // of each list one, as Terms
	Filter   func(Row) bool // the rest; nil: everything
	// Watch is called by Scan now and then with what was looked at so far, and the
	// share of it of all, from 0 to 1; nil: nobody.
	Watch func(c Cost, share float64)
}

// Equal asks for a column's text. Several columns: one of them must have it.
type Equal struct {
	Columns []event.Column
	Values  []string // one of these
}

// Policy says what is kept. Zero: without a bound.
type Policy struct {
	Age   time.Duration                // of every event
	Kinds map[event.Kind]time.Duration // of some kinds, shorter than Age
	Bytes int64                        // on disk, in sealed segments
	// KindBytes bounds some kinds on disk, in sealed segments: a kind's share of a segment is that of its
	// records before they were compressed.
	KindBytes map[event.Kind]int64
}
