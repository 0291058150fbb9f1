package server

import (
	"testing"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// What the store has dropped is in no list: the oldest that have ended.
func TestInvestigationBookIsTrimmed(t *testing.T) {
	b := newInvestigationBook()
	for n := range int64(5) {
		i := &store.Investigation{N: n + 1, Action: string(rune('a' + n)), Device: "d", Alerts: []string{"x"}, Ended: time.Unix(1, 0)}
		if n == 1 {
			i.Ended = time.Time{}
		}
		b.put(i)
	}
	b.trim(5)
	if len(b.all()) != 5 {
		t.Fatal("trimmed too early")
	}
	b.trim(2)
	if b.get(1) != nil || b.get(2) == nil || b.get(3) != nil || b.get(5) == nil || b.ofAction("a") != nil || len(b.ofDevice("d")) != 3 || b.byAlert["x"] != b.get(5) {
		t.Errorf("%v, %v", b.byN, b.byDevice)
	}
}
