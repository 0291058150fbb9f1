package sense

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// find waits for an event.
func (k *taker) find(t *testing.T, what string, ok func(*event.Event) bool) event.Event {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		all := k.all()
		for i := range all {
			if ok(&all[i]) {
				return all[i]
			}
		}
		if time.Now().After(end) {
			for i := range all {
				t.Logf("%s %s", all[i].Action, texts(&all[i]))
			}
			t.Fatalf("no event: %s", what)
		}
	}
}

func texts(e *event.Event) string {
	var s string
	for _, f := range e.Fields {
		s += f.Column.String() + "=" + f.Text + " "
	}
	return s
}

// skip skips a test for want of something, and fails it in CI, where it must be there.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+", and in CI this test may not be skipped", args...)
	}
	t.Skipf(format, args...)
}

// running starts all sources and waits until one for a kind is there.
func startSources(t *testing.T, kind event.Kind, without ...string) (*taker, string) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "only root has sources of events")
	}
	k := &taker{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = Run(ctx, Config{Clock: NewClock(time.Time{}), Sink: k, Memory: newMemory(), Without: without})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	e := k.find(t, "a source of "+kind.String(), func(e *event.Event) bool {
		return e.Action == event.SensorStarted && slices.Contains(kindsOf(t, e), kind.String())
	})
	return k, e.Text(event.Source)
}

func TestProcessesFromEverySource(t *testing.T) {
	for name, without := range map[string][]string{SourceEBPF: nil, SourceConn: {SourceEBPF}, SourceProc: {SourceEBPF, SourceConn}} {
		t.Run(name, func(t *testing.T) {
			if name == SourceConn {
				if ns, err := namespace("pid"); err != nil || ns != firstPidNS {
					t.Skip("the proc connector works in the first process namespace only")
				}
			}
			k, source := startSources(t, event.Process, without...)
			if source != name {
				t.Fatalf("source is %q", source)
			}
			cmd := exec.Command("/bin/sh", "-c", "sleep 1.7; exit 3")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // exits with 3
			sh := k.find(t, "sh", func(e *event.Event) bool {
				return e.Action == event.ProcessCreated && e.Text(event.ProcessCommandLine) == "/bin/sh -c sleep 1.7; exit 3"
			})
			sleep := k.find(t, "sleep", func(e *event.Event) bool {
				f, _ := e.Get(event.InitiatingProcessID)
				return e.Action == event.ProcessCreated && e.Text(event.ProcessCommandLine) == "sleep 1.7" && f.Number == int64(cmd.Process.Pid)
			})
			t.Log(texts(&sh))
			t.Log(texts(&sleep))
			end := k.find(t, "end of sh", func(e *event.Event) bool {
				f, _ := e.Get(event.ProcessID)
				return e.Action == event.ProcessTerminated && f.Number == int64(cmd.Process.Pid)
			})
			created, _ := sh.Get(event.ProcessCreationTime)
			parent, _ := sleep.Get(event.InitiatingProcessCreationTime)
			ended, _ := end.Get(event.ProcessCreationTime)
			if created.Number == 0 || created.Number != parent.Number || created.Number != ended.Number {
				t.Errorf("sh was created at %d, as a parent at %d, as one that ended at %d", created.Number, parent.Number, ended.Number)
			}
			if sh.Text(event.InitiatingProcessFileName) == "" {
				t.Error("the parent, which was there before, is not known: its start differs between sources")
			}
			code, _ := end.Get(event.ProcessExitCode)
			if name != SourceProc && code.Number != 3 {
				t.Errorf("exit code %d", code.Number)
			}
			if len(sh.Text(event.SHA256)) != 64 || sh.Text(event.AccountName) != "root" {
				t.Errorf("digest %q, account %q", sh.Text(event.SHA256), sh.Text(event.AccountName))
			}
		})
	}
}
