package agent

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// asked empties both lanes and returns what they were asked to look at.
func (g *gatherer) asked() (names []inventory.SectionName) {
	for _, l := range g.lanes {
		for n := range l.take() {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// A full pass is the safety net below file notices: it comes at its time, over
// every section. What cannot be watched is looked at more often.
func TestPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGatherer(Config{FullPass: 4 * time.Hour}, nil, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = g.passes(ctx) }() // ends with ctx
		defer func() { cancel(); <-done }()
		begin := time.Now()
		last, longest, full := map[inventory.SectionName]time.Time{}, map[inventory.SectionName]time.Duration{}, []time.Duration{}
		for range 3 * 60 * 9 { // 9 hours, in steps of 20 seconds
			time.Sleep(20 * time.Second)
			synctest.Wait()
			names := g.asked()
			for _, n := range names {
				from, ok := last[n]
				if !ok {
					from = begin
				}
				longest[n] = max(longest[n], time.Since(from))
				last[n] = time.Now()
			}
			if len(names) == len(g.collectors) {
				full = append(full, time.Since(begin))
			}
		}
		if len(full) != 2 || full[0] < 3*time.Hour+30*time.Minute || full[0] > 4*time.Hour+30*time.Minute {
			t.Errorf("full passes after %v, want two, every four hours or so", full)
		}
		for _, tt := range []struct {
			name inventory.SectionName
			most time.Duration
		}{
			{inventory.Interfaces, 2 * time.Minute}, {inventory.Restart, 6 * time.Minute}, {inventory.Sysctl, 11 * time.Minute}, {inventory.Mounts, 11 * time.Minute},
			{inventory.Java, 5 * time.Hour},
		} {
			if got := longest[tt.name]; got == 0 || got > tt.most {
				t.Errorf("%s was not looked at for %v, want %v at most", tt.name, got, tt.most)
			}
		}
		if longest[inventory.Java] < 3*time.Hour {
			t.Errorf("the disk is walked every %v: a full pass is not that often", longest[inventory.Java])
		}
		g.mu.Lock()
		g.restarts = true // something waits for a restart: its end is noticed soon
		g.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Contains(g.asked(), inventory.Restart) {
			t.Error("processes that need a restart are not looked at again within a minute")
		}
	})
}

// The server's wish for the time between full passes is followed, but not to
// where the host would do nothing else.
func TestPolicy(t *testing.T) {
	g := newGatherer(Config{FullPass: 4 * time.Hour}, nil, slog.New(slog.DiscardHandler))
	for _, tt := range []struct {
		seconds int
		want    time.Duration
	}{{0, 4 * time.Hour}, {3600, time.Hour}, {1, 10 * time.Minute}, {-5, 10 * time.Minute}} {
		if g.policy(protocol.Policy{FullPassSeconds: tt.seconds}); g.fullPass != tt.want {
			t.Errorf("after a wish for %d seconds: %v, want %v", tt.seconds, g.fullPass, tt.want)
		}
	}
}

// A nudge makes the agent look at every section.
func TestNudge(t *testing.T) {
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	f.answer = func(d *protocol.Deliver) []*protocol.Message {
		return append([]*protocol.Message{{Nudge: &protocol.Nudge{}}}, f.apply(r.a.ident.id, d)...)
	}
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	if got := r.a.gather.asked(); len(got) != len(r.a.gather.collectors) {
		t.Errorf("a nudge asks for %v", got)
	}
}

// A server that is loaded is given time: nothing is sent before it is over.
func TestSlow(t *testing.T) {
	const pause = 600 * time.Millisecond
	f := newFakeServer(t)
	r := newRig(t, f, filepath.Join(t.TempDir(), "s"))
	var at []time.Time
	f.answer = func(d *protocol.Deliver) []*protocol.Message {
		at = append(at, time.Now())
		if len(at) > 1 {
			return nil
		}
		// The section is asked for once more, so that there is something to send.
		f.lastSeq[r.a.ident.id] = d.Seq
		return []*protocol.Message{{Slow: &protocol.Slow{Millis: int(pause / time.Millisecond)}},
			{Resync: &protocol.Resync{Sections: []inventory.SectionName{inventory.DPKG}}}, {Ack: &protocol.Ack{Seq: d.Seq}}}
	}
	r.offer(inventory.DPKG, "a")
	r.mustSync()
	if len(at) != 2 || at[1].Sub(at[0]) < pause || r.keys(inventory.DPKG) != "a" {
		t.Errorf("deliveries at %v, want two that are %v apart", at, pause)
	}
}
