package eventlog

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// lively is a batch of events of the kinds that a busy host has.
func lively(rng *rand.Rand, dev int, seq uint64, at time.Time, n int) Batch {
	b := Batch{Device: testBatch(dev, 1, 0).Device, Stream: 1, Seq: seq, Received: at.Add(time.Hour), Count: n}
	programs := []string{"nginx", "postgres", "sshd", "cron", "python3", "java", "node", "systemd"}
	for i := range n {
		e := event.Event{Action: event.ProcessCreated, Seq: (seq-1)*uint64(n) + uint64(i) + 1, Time: at.Add(time.Duration(i) * time.Second)}
		if i%4 == 0 {
			e.Action = event.ConnectionSuccess
			e.Set(event.RemoteIP, fmt.Sprintf("198.51.%d.%d", rng.IntN(256), rng.IntN(256)))
		}
		name, parent, pid := programs[rng.IntN(8)], programs[rng.IntN(8)], int64(rng.IntN(32768))
		e.Set(event.FileName, name)
		e.Set(event.FolderPath, "/usr/bin/"+name)
		e.Set(event.ProcessCommandLine, fmt.Sprintf("%s --config /etc/%s/%d.conf --verbose", name, name, pid))
		e.SetInt(event.ProcessID, pid)
		e.SetTime(event.ProcessCreationTime, e.Time)
		e.Set(event.AccountName, "www-data")
		e.Set(event.SHA256, fmt.Sprintf("%064x", rng.IntN(2000)))
		e.Set(event.InitiatingProcessFileName, parent)
		e.Set(event.InitiatingProcessCommandLine, "/usr/sbin/"+parent+" -D")
		e.SetInt(event.InitiatingProcessID, pid/2)
		b.Records, _ = event.Append(b.Records, &e)
	}
	return b
}

// BenchmarkMerge is the cost of writing segments anew as one, for each event.
func BenchmarkMerge(b *testing.B) {
	e, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	rng := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for n := range mergeAt - 1 {
		for dev := range 300 {
			if _, err := e.Append(b.Context(), lively(rng, dev+1, uint64(n+1), at.Add(time.Duration(n)*time.Hour), 28)); err != nil {
				b.Fatal(err)
			}
		}
		settled(e)
	}
	rows := e.Stats().Rows
	b.ResetTimer()
	for range b.N {
		done := make(chan error)
		e.work <- func() { done <- e.rewrite(slices.Clone(e.segs), nil) }
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	s := e.Stats()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/event")
	b.ReportMetric(float64(s.Bytes)/float64(rows), "B/event")
}
