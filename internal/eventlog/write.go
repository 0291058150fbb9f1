package eventlog

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// mostGroup is how many bytes are written before one fsync.
const mostGroup = 8 << 20

// write is the writer: it puts batches into the log in groups, one fsync for
// each, and only then into the table and before the callers.
func (e *Engine) write() {
	for {
		select {
		case <-e.stop:
			e.drain()
			if e.wal != nil {
				_ = e.wal.Close()
			}
			return
		case r := <-e.reqs:
			e.group(r)
		}
	}
}

// drain answers those who wait when the log is closed.
func (e *Engine) drain() {
	for {
		select {
		case r := <-e.reqs:
			r.done <- result{err: ErrClosed}
		default:
			return
		}
	}
}

// group writes a request and those that wait behind it.
func (e *Engine) group(first *request) {
	if first.rotate != nil {
		e.closeWal()
		close(first.rotate)
		return
	}
	e.waitForRoom()
	e.walBuf = e.walBuf[:0]
	var taken []*request
	for r := first; r != nil; {
		if e.admit(r, taken) {
			taken = append(taken, r)
		}
		if r = nil; len(e.walBuf) < mostGroup {
			select {
			case r = <-e.reqs:
				if r.rotate != nil {
					close(r.rotate)
					r = nil
				}
			default:
			}
		}
	}
	if len(taken) == 0 {
		return
	}
	err := e.commit()
	if err != nil {
		e.opt.Log.Error("events could not be written", "error", err)
		for _, r := range taken {
			r.answer(fmt.Errorf("append events: %w", err))
		}
		e.closeWal()
		return
	}
	e.mu.Lock()
	for _, r := range taken {
		if r.forget {
			e.forgetLocked(r.batch.Device)
		} else {
			e.applyLocked(e.active, &r.batch, r.rows)
		}
	}
	e.mu.Unlock()
	for _, r := range taken {
		r.answer(nil)
	}
	if e.active.size() >= e.opt.MemBytes {
		e.closeWal()
	}
}

// admit puts a request's record into the buffer; false when it was answered,
// or will be together with one that was taken.
func (e *Engine) admit(r *request, taken []*request) bool {
	b := &r.batch
	known := e.Mark(b.Device, b.Stream)
	for _, t := range taken {
		switch {
		case t.batch.Device != b.Device:
		case t.forget:
			known = 0 // a forgotten device begins anew
		case t.batch.Stream == b.Stream && b.Seq <= t.batch.Seq && !r.forget:
			t.also = append(t.also, r) // kept when that one is
			return false
		case t.batch.Stream == b.Stream:
			known = t.batch.Seq
		}
	}
	if !r.forget && b.Seq <= known {
		r.done <- result{}
		return false
	}
	buf, err := appendWal(e.walBuf, b)
	if err != nil {
		r.done <- result{err: fmt.Errorf("append events: %w", err)}
		return false
	}
	e.walBuf = buf
	return true
}

// answer tells a request, and those that had the same number, how it went.
func (r *request) answer(err error) {
	r.done <- result{fresh: err == nil, err: err}
	for _, o := range r.also {
		o.done <- result{err: err}
	}
}

// commit writes the buffer and makes it durable.
func (e *Engine) commit() error {
	if e.wal == nil {
		f, err := e.opt.create(filepath.Join(e.dir, walName(e.active.wal)))
		if err != nil {
			return err
		}
		if err := syncDir(e.dir); err != nil {
			return errors.Join(err, f.Close())
		}
		e.wal = f
	}
	if _, err := e.wal.Write(e.walBuf); err != nil {
		return err
	}
	return e.wal.Sync()
}

// closeWal ends the file of the log. Its table waits to be sealed; a new one is
// active.
func (e *Engine) closeWal() {
	if e.wal != nil {
		if err := e.wal.Close(); err != nil {
			e.opt.Log.Warn("close the log of events", "error", err) // it was synced before
		}
		e.wal = nil
	}
	e.mu.Lock()
	if e.active.rowCount() > 0 || len(e.active.marks) > 0 {
		e.frozen = append(e.frozen, e.active)
	}
	e.active = newMemTable(e.man.Next)
	e.man.Next++
	e.mu.Unlock()
	select {
	case e.work <- e.seal:
	default: // enough work is waiting, and seal takes all tables
	}
}

// leastBehind is what Behind says at least when Append waits.
const leastBehind = 100 * time.Millisecond

// Behind returns for how long Append will wait, as far as the last table that was sealed
// tells; 0: it does not wait.
func (e *Engine) Behind() time.Duration {
	e.mu.RLock()
	n := len(e.frozen) - maxFrozen
	e.mu.RUnlock()
	if n <= 0 {
		return 0
	}
	return max(leastBehind, time.Duration(n)*time.Duration(e.sealTook.Load()))
}

// waitForRoom waits until few enough tables wait to be sealed.
func (e *Engine) waitForRoom() {
	for {
		e.mu.RLock()
		n := len(e.frozen)
		e.mu.RUnlock()
		if n <= maxFrozen {
			return
		}
		select {
		case <-e.room:
		case <-e.stop:
			return
		}
	}
}
