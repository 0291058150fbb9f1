package agent

import (
	"time"

	"github.com/picketsec/picket/internal/event"
)

// budgets keep each kind of event to a number a second, and all together to a
// number of bytes. What a kind does not use it may use later, up to a burst.
// They are filled at the turn of a second, so that what one drops within a
// second is one range of numbers.
type budgets struct {
	kinds  [event.NumKinds]budget
	bytes  float64
	second int64
}

type budget struct {
	rate, burst float64 // events a second, events after a rest
	left        float64
}

const (
	byteRate  = 512 << 10
	byteBurst = 16 << 20
)

func newBudgets() budgets {
	b := budgets{bytes: byteBurst}
	for k := range event.Kinds {
		b.kinds[k] = budget{rate: 50, burst: 2000}
	}
	b.kinds[event.Process] = budget{rate: 300, burst: 10_000}
	b.kinds[event.ProcessEnd] = b.kinds[event.Process]
	b.kinds[event.Network] = budget{rate: 200, burst: 5000}
	b.kinds[event.File] = budget{rate: 200, burst: 5000}
	b.kinds[event.Sensor] = budget{rate: 1000, burst: 10_000}
	for k := range b.kinds {
		b.kinds[k].left = b.kinds[k].burst
	}
	return b
}

// spend takes an event off the budgets and says why it is not to be kept, ""
// when it is.
func (b *budgets) spend(k event.Kind, now time.Time, e *event.Event) string {
	if s := now.Unix(); s != b.second {
		passed := float64(min(max(s-b.second, 0), 3600))
		if b.second == 0 {
			passed = 0
		}
		b.second = s
		for i := range b.kinds {
			f := &b.kinds[i]
			f.left = min(max(f.left, 0)+f.rate*passed, f.burst)
		}
		b.bytes = min(max(b.bytes, 0)+byteRate*passed, byteBurst)
	}
	f := &b.kinds[k]
	if f.left < 1 {
		f.left = 0
		return "more of its kind than the budget allows"
	}
	if k != event.Sensor && b.bytes <= 0 {
		return "more bytes than the budget allows"
	}
	f.left--
	for i := range e.Fields {
		b.bytes -= float64(len(e.Fields[i].Text) + 10)
	}
	return ""
}
