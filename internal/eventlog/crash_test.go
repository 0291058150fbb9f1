package eventlog_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/eventlog/eventlogtest"
)

// TestMain is also the process that TestKill kills: with a directory in the
// environment it appends to the log there and prints what was acknowledged.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PICKET_EVENTLOG_CHILD"); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

func child(dir string) {
	e, err := eventlog.Open(dir, eventlog.Options{MemBytes: 32 << 10})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	for n := range 3 {
		go func() {
			d := eventlogtest.Device(n)
			for seq := e.Mark(d, 1) + 1; ; seq++ {
				if _, err := e.Append(context.Background(), killBatch(n, seq)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(4)
				}
				fmt.Printf("%d %d\n", n, seq)
			}
		}()
	}
	select {}
}

// killBatch is the batch with a number: ten events.
func killBatch(n int, seq uint64) eventlog.Batch {
	var events []event.Event
	for i := range uint64(10) {
		at := eventlogtest.Base.Add(time.Duration(seq*10+i) * time.Second)
		events = append(events, eventlogtest.Event(event.ProcessCreated, (seq-1)*10+i+1, at, fmt.Sprintf("run %d", seq)))
	}
	return eventlogtest.Batch(eventlogtest.Device(n), 1, seq, events...)
}

// A process that is killed at any moment loses nothing that it acknowledged and
// doubles nothing.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := [3]uint64{}
	rounds := 25
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "PICKET_EVENTLOG_CHILD="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			dev, seq, _ := strings.Cut(scan.Text(), " ")
			n, _ := strconv.Atoi(dev)
			s, err := strconv.ParseUint(seq, 10, 64)
			if err != nil {
				t.Fatalf("the child says %q", scan.Text())
			}
			acked[n] = s
			if lines++; lines == 20+round*7 {
				_ = cmd.Process.Kill() // what is still in the pipe was acknowledged too
			}
		}
		_ = cmd.Wait()
		if stderr.Len() > 0 {
			t.Fatalf("the child: %s", stderr.String())
		}
		checkKilled(t, dir, &acked)
	}
}

func checkKilled(t *testing.T, dir string, acked *[3]uint64) {
	t.Helper()
	e, err := eventlog.Open(dir, eventlog.Options{MemBytes: 32 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	for n, want := range acked {
		d := eventlogtest.Device(n)
		mark := e.Mark(d, 1)
		if mark < want || mark > want+1 {
			t.Fatalf("device %d: number %d is there, %d was acknowledged", n, mark, want)
		}
		acked[n] = mark // kept, though the child did not live to say so
		runs, err := e.Runs(t.Context(), d)
		if err != nil || len(runs) != 1 || runs[0].From != 1 || runs[0].To != mark*10 {
			t.Fatalf("device %d: runs %v, want 1 to %d: %v", n, runs, mark*10, err)
		}
		if got := rows(t, e, eventlog.Query{Scope: eventlog.Only(d)}); got != int(mark)*10 {
			t.Fatalf("device %d: %d events, want %d", n, got, mark*10)
		}
	}
	if s := e.Stats(); s.LostBytes != 0 || s.LostSegments != 0 {
		t.Fatalf("a kill is counted as damage: %+v", s)
	}
}

func rows(t *testing.T, l eventlog.Log, q eventlog.Query) int {
	t.Helper()
	n := 0
	if _, err := l.Scan(t.Context(), q, func(eventlog.Row) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}
