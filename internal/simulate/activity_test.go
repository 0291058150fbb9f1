package simulate

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// What happens on a device follows from its seed, number and time, and has
// numbers without a gap.
func TestActivity(t *testing.T) {
	u, err := loadUniverse()
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{start: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), tick: time.Hour}
	h, again, other := newHost(u, c, 7, 3), newHost(u, c, 7, 3), newHost(u, c, 7, 4)
	first := slotOf(time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC))
	numbers := map[event.Kind][]uint64{}
	logons := map[event.Action]int{}
	for slot := first; slot < first+288; slot++ {
		events := h.activity(slot)
		if !reflect.DeepEqual(events, again.activity(slot)) {
			t.Fatal("the same device does something else")
		}
		if reflect.DeepEqual(events, other.activity(slot)) {
			t.Fatal("two devices do the same")
		}
		for i := range events {
			e := &events[i]
			if _, err := event.Append(nil, e); err != nil {
				t.Fatal(err)
			}
			if e.Kind() == event.Logon {
				logons[e.Action]++
			}
			numbers[e.Kind()] = append(numbers[e.Kind()], e.Seq)
			if slotOf(e.Time) != slot && e.Action != event.ProcessTerminated {
				t.Errorf("%s happens in another slot", e.Action)
			}
		}
	}
	for k, list := range numbers {
		slices.Sort(list)
		if n := uint64(len(list)); list[n-1]-list[0] != n-1 || len(slices.Compact(list)) != int(n) {
			t.Errorf("%s: %d numbers from %d to %d", k, n, list[0], list[n-1])
		}
	}
	if logons[event.LogonSuccess] == 0 || logons[event.LogonFailed] == 0 {
		t.Errorf("logons %v in two days", logons)
	}
}
