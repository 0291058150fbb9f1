package agent

import (
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/protocol"
)

// TestAgentWithoutResponseActions is for the class of the entries of KEV for
// management servers: actions can be compiled out. Whatever a server sends to such
// an agent, it does nothing and says why, in words for who asked.
func TestAgentWithoutResponseActions(t *testing.T) {
	h := newTaskHost(t)
	h.stop()
	h.b.hand = noHand{}
	said := map[string]string{}
	for kind, why := range (noHand{}).can() {
		said[kind] = why
	}
	for _, kind := range protocol.TaskKinds {
		if said[kind] == "" {
			t.Errorf("it is not said of %s that it cannot", kind)
		}
	}
	var err error
	if h.s, err = openState(h.dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.s.close() }()
	b, err := openTasks(h.s, noHand{}, h.b.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range b.said().Can {
		if a.Reason == "" {
			t.Errorf("the server is told that %s can be done", a.Kind)
		}
	}
	for i, m := range []*protocol.Message{
		{Collect: &protocol.Collect{ID: taskNo(1)}}, {Scan: &protocol.Scan{ID: taskNo(2), Extent: protocol.ScanQuick}}, {Isolate: &protocol.Isolate{ID: taskNo(3)}},
		{Release: &protocol.Release{ID: taskNo(4)}}, {Investigate: &protocol.Investigate{ID: taskNo(5), Files: []string{"/etc/passwd"}}},
	} {
		b.take(t.Context(), m)
		kind, id, _ := m.Task()
		r := b.next(lanes[kind])
		if r == nil {
			t.Fatalf("message %d was not understood", i)
		}
		b.run(t.Context(), r)
		for _, s := range b.states() {
			if s.ID == id && (s.State != protocol.TaskFailed || !strings.Contains(s.Detail, "built without response actions") || s.Ended.After(time.Now())) {
				t.Errorf("%s ended as %+v", kind, s.TaskState)
			}
		}
	}
	if n := len(b.states()); n != len(protocol.TaskKinds) {
		t.Errorf("%d of %d tasks are told of", n, len(protocol.TaskKinds))
	}
}
