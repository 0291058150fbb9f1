package agent

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/agent/sense"
	"github.com/picketsec/picket/internal/event"
	machines "github.com/picketsec/picket/internal/rig"
)

// TestStormIsCounted starts 20,000 programs as fast as it goes: each of them is
// an event, or within a range of numbers that is said to be missing.
func TestStormIsCounted(t *testing.T) {
	switch os.Getenv(insideVar) {
	case "":
	case "fast":
		testStorm(t, 20_000, 0)
		return
	default: // the kernel's ring runs full
		testStorm(t, 8000, 2*time.Millisecond)
		return
	}
	if testing.Short() {
		t.Skip("it starts 20,000 programs")
	}
	if what := machines.HostNeeds(); what != "" {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s, and in CI this test may not be skipped", what)
		}
		t.Skip(what)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, reader := range []string{"fast", "slow"} {
		t.Run(reader, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			var out bytes.Buffer
			cmd := exec.CommandContext(ctx, self, "-test.run=^TestStormIsCounted$", "-test.v")
			cmd.Env = append(os.Environ(), insideVar+"="+reader)
			cmd.Stdout, cmd.Stderr = &out, &out
			err := machines.Isolated(cmd)
			if err != nil || !strings.Contains(out.String(), "--- PASS: TestStormIsCounted") {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if full := strings.Contains(out.String(), "the kernel's ring was full"); full != (reader == "slow") {
				t.Errorf("the ring ran full: %v", full)
			}
			t.Log(out.String())
		})
	}
}

// slowSink takes its time for each event.
type slowSink struct {
	*recorder
	each time.Duration
}

func (s slowSink) Put(e *event.Event) {
	time.Sleep(s.each)
	s.recorder.Put(e)
}

func testStorm(t *testing.T, storm int, each time.Duration) {
	const shells = 4
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	s, err := openState(t.TempDir() + "/s")
	if err != nil {
		t.Fatal(err)
	}
	r, err := openRecorder(s, defaultEvent, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.run(ctx) }) // ends with ctx
	wg.Go(func() {
		_ = sense.Run(ctx, sense.Config{Clock: r.clock, Sink: slowSink{r, each}, Memory: stateMemory{s}}) // ends with ctx
	})
	given := func(k event.Kind) uint64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.numbers.next[k] - 1
	}
	// A program that runs is an event: the sources are there.
	warm := 0
	for given(event.Process) == 0 {
		if err := exec.Command("/bin/true").Run(); err != nil {
			t.Fatal(err)
		}
		warm++
		time.Sleep(300 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond)
	before := given(event.Process)
	began := time.Now()
	var shs sync.WaitGroup
	for n := range shells {
		shs.Go(func() {
			script := "i=" + strconv.Itoa(n*storm/shells) + "; end=" + strconv.Itoa((n+1)*storm/shells) + "; while [ $i -lt $end ]; do /bin/true $i; i=$((i+1)); done"
			if out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	shs.Wait()
	took := time.Since(began)
	want := before + uint64(storm) + shells
	for end := time.Now().Add(time.Minute); given(event.Process) < want && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
	}
	cancel()
	wg.Wait()
	r.flush(t.Context())
	if got := given(event.Process); got != want {
		t.Errorf("%d numbers were given to %d programs", got, want)
	}
	there, missing, marked := map[uint64]bool{}, map[uint64]string{}, map[string]bool{}
	for i := range r.spools {
		for after := uint64(0); ; {
			p, ok := r.next(i, after)
			if !ok {
				break
			}
			after = p.seq
			for _, e := range unpackEvents(t, p) {
				if e.Action == event.ProcessCreated {
					there[e.Seq] = true
					marked[e.Text(event.ProcessCommandLine)] = true
				}
				if e.Text(event.LostKind) == event.Process.String() {
					from, _ := e.Get(event.LostFrom)
					to, _ := e.Get(event.LostTo)
					for n := from.Number; n <= to.Number; n++ {
						missing[uint64(n)] = e.Text(event.Reason)
					}
				}
			}
		}
	}
	why := map[string]int{}
	for n := uint64(1); n <= want; n++ {
		if there[n] == (missing[n] != "") {
			t.Fatalf("program %d of %d: there %v, missing %q", n, want, there[n], missing[n])
		}
		why[missing[n]]++
	}
	t.Logf("%d programs in %s, %d a second: %d events, %d of them told apart by their command line; missing %v", storm, took.Round(time.Millisecond),
		int(float64(storm)/took.Seconds()), len(there), len(marked), why)
}
