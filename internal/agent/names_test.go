package agent

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/rig/names"
)

// TestNamesFromTheServerAreNoPaths is for the class of CVE-2023-0290: the agent
// runs as root and does not trust its server with names. Every message of the
// protocol that carries an id, and what sources of events call their memory, is
// tried with the corpus of hostile names.
func TestNamesFromTheServerAreNoPaths(t *testing.T) {
	h := newTaskHost(t)
	top := filepath.Dir(h.dir)
	const good = "0123abcd-4567-89ef-0123-456789abcdef"
	if err := os.WriteFile(filepath.Join(top, "precious.json"), []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	of := reflect.TypeFor[protocol.Message]()
	asked := 0
	for _, name := range append(names.Hostile(), "../../precious", good+"/../x", good+".json", good+"\x00", strings.ToUpper(good)) {
		for i := range of.NumField() {
			f := of.Field(i)
			v := reflect.New(f.Type.Elem())
			id := v.Elem().FieldByName("ID")
			if !id.IsValid() || f.Name == "TaskState" { // which is the agent's to send
				continue
			}
			id.SetString(name)
			m := &protocol.Message{}
			reflect.ValueOf(m).Elem().Field(i).Set(v)
			if m.Scan != nil {
				m.Scan.Extent = protocol.ScanQuick
			}
			asked++
			if m.CancelTask != nil {
				h.b.cancel(t.Context(), name)
				continue
			}
			if _, _, ok := m.Task(); !ok {
				t.Errorf("%s has an id and is no task: say in this test what becomes of it", f.Name)
			}
			h.b.take(t.Context(), m)
		}
		h.b.acked([]protocol.TaskAck{{ID: name, State: protocol.TaskSucceeded}})
		stateMemory{h.s}.Set(name, []byte("x"))
	}
	if asked == 0 || len(h.b.states()) != 0 || len(h.hand.done()) != 0 {
		t.Errorf("%d messages; tasks %+v, done %q", asked, h.b.states(), h.hand.done())
	}
	ours := regexp.MustCompile(`^(state|[a-z]+|[a-z]+\.(json|pem)|[a-z-]+)$`)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != top && d.Name() != "precious.json" && !ours.MatchString(d.Name()) {
			t.Errorf("there is a file %q", path)
		}
		if dir := filepath.Dir(path); dir == filepath.Join(h.dir, taskDir) || dir == filepath.Join(h.dir, uploadDir) || dir == filepath.Join(h.dir, "sections") {
			t.Errorf("there is a file %q", path)
		}
		return nil
	})
	if raw, _ := os.ReadFile(filepath.Join(top, "precious.json")); err != nil || string(raw) != "precious" {
		t.Errorf("a file beside the state directory: %q, %v", raw, err)
	}
	h.b.take(context.WithoutCancel(t.Context()), &protocol.Message{Collect: &protocol.Collect{ID: good}})
	for end := time.Now().Add(10 * time.Second); len(h.hand.done()) == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a task with a good id is not taken: the test proves nothing")
		}
	}
}
