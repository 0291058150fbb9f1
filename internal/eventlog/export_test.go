package eventlog

import (
	"slices"
	"sync"
	"time"
)

// SealNow makes a full table of the active one.
func (e *Engine) SealNow() {
	done := make(chan struct{})
	e.reqs <- &request{rotate: done}
	<-done
}

// Summarised waits until the engine holds the numbers of all its segments.
func (e *Engine) Summarised() {
	for {
		e.mu.RLock()
		there := e.sum != nil
		e.mu.RUnlock()
		if there {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// SpoilIndex makes the index of devices of the oldest segment unreadable.
func (e *Engine) SpoilIndex() {
	e.mu.RLock()
	defer e.mu.RUnlock()
	old := slices.MinFunc(e.segs, func(a, b *segment) int { return cmpInt(a.foot.Max, b.foot.Max) })
	clear(old.foot.Devices.Sums)
}

// SealWhileSummarising seals what is in memory while the numbers of the segments
// are being read.
func (e *Engine) SealWhileSummarising() {
	done := make(chan struct{})
	e.work <- func() {
		defer close(done)
		e.mu.Lock()
		e.sum = nil
		e.mu.Unlock()
		e.summing = summing{running: true, since: newSummary()}
		v := e.view()
		defer v.release()
		e.SealNow()
		e.seal()
		sum := newSummary()
		e.summarised(sum, sum.read(v, e.closing))
	}
	<-done
}

// quiet waits until maintenance has done what there is to do.
func (e *Engine) quiet() {
	for range 2 { // what the first call is followed by is done when the second runs
		done := make(chan struct{})
		e.work <- func() { close(done) }
		<-done
	}
}

// reads returns how many parts of files were read since they were opened.
func (e *Engine) reads() int64 {
	v := e.view()
	defer v.release()
	n := int64(0)
	for _, s := range v.segs {
		n += s.reads.Load()
	}
	for _, t := range v.tallies {
		n += t.reads.Load()
	}
	return n
}

// HoldMaintenance lets nothing be sealed until the function that it returns is called.
func (e *Engine) HoldMaintenance() (goOn func()) {
	held, hold := make(chan struct{}), make(chan struct{})
	e.work <- func() {
		close(held)
		<-hold
	}
	<-held
	return sync.OnceFunc(func() { close(hold) })
}
