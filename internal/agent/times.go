package agent

import (
	"sync"
	"time"

	"github.com/picketsec/picket/internal/agent/sense"
)

// times is the clock by which certificates are judged. The host's own may be
// wrong by years and is set while the agent runs; what the server said, moved on
// by the time since boot, is not. Safe for concurrent use.
type times struct {
	wall  func() time.Time
	since func() time.Duration // since boot

	mu     sync.Mutex // guards the fields below
	told   time.Time  // the server's clock, zero: not heard yet
	at     time.Duration
	doubts bool // told made no sense lately, or the host's clock did
}

func newTimes() *times { return &times{wall: time.Now, since: sense.Now} }

// now is the server's time as it was heard last and moved on, or the host's clock.
func (t *times) now() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told.IsZero() || t.doubts {
		return t.wall()
	}
	return t.told.Add(t.since() - t.at)
}

// heard takes the server's clock as it is now.
func (t *times) heard(now time.Time) {
	if now.IsZero() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told, t.at, t.doubts = now, t.since(), false
}

// remembered takes what the server said before the agent was started: it is that
// late at least.
func (t *times) remembered(then time.Time) {
	if then.After(t.wall()) {
		t.heard(then)
	}
}

// doubt changes to the other of the two clocks, because a certificate was not
// valid by the one: the server's may have been wrong when it was heard.
func (t *times) doubt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doubts = !t.doubts
}
