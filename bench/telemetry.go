package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/rig"
	"github.com/picketsec/picket/internal/rig/pest"
)

// programs are what the processes of a benchmark's events run.
var programs = []string{"bash", "sshd", "curl", "python3", "systemd", "cron", "node", "java", "git", "make", "apt-get", "dpkg", "sed", "grep", "awk"}

// happening writes an event as an agent of a busy host does: some 300 bytes.
func happening(dst []byte, rng *rand.Rand, seqs *[event.NumKinds]uint64, at time.Time) ([]byte, error) {
	actions := []event.Action{event.ProcessCreated, event.ProcessTerminated, event.ConnectionSuccess, event.FileModified}
	e := event.Event{Action: actions[rng.IntN(len(actions))], Time: at}
	seqs[e.Kind()]++
	e.Seq = seqs[e.Kind()]
	name, parent := programs[rng.IntN(len(programs))], programs[rng.IntN(len(programs))]
	pid := int64(rng.IntN(32768))
	e.Set(event.FileName, name)
	e.Set(event.FolderPath, "/usr/bin/"+name)
	e.Set(event.ProcessCommandLine, fmt.Sprintf("%s --config /etc/%s/%d.conf --verbose", name, name, pid))
	e.SetInt(event.ProcessID, pid)
	e.SetTime(event.ProcessCreationTime, at)
	e.Set(event.AccountName, "www-data")
	e.Set(event.SHA256, fmt.Sprintf("%064x", rng.IntN(2000)))
	e.Set(event.InitiatingProcessFileName, parent)
	e.Set(event.InitiatingProcessCommandLine, "/usr/sbin/"+parent+" -D")
	e.SetInt(event.InitiatingProcessID, pid/2)
	e.SetTime(event.InitiatingProcessCreationTime, at.Add(-time.Hour))
	if e.Kind() == event.Network {
		e.Set(event.RemoteIP, fmt.Sprintf("198.51.%d.%d", rng.IntN(256), rng.IntN(256)))
		e.SetInt(event.RemotePort, 443)
	}
	return event.Append(dst, &e)
}

const perBatch = 2000

// taker starts a server that takes the events of agents which enrol by the token.
func (b *bench) taker() (srv *rig.Server, p *pest.Pest, token string, err error) {
	if srv, err = b.bins.StartServer(b.ctx, filepath.Join(b.dir, "data")); err != nil {
		return nil, nil, "", err
	}
	defer func() {
		if err != nil {
			srv.Kill()
		}
	}()
	raw, err := srv.Admin(b.ctx, "enroll-token create", "--uses", "0")
	if err != nil {
		return nil, nil, "", err
	}
	at, err := url.Parse(srv.AgentURL)
	if err != nil {
		return nil, nil, "", err
	}
	ca, err := os.ReadFile(filepath.Join(srv.Dir, "ca.pem"))
	if err != nil {
		return nil, nil, "", err
	}
	p = &pest.Pest{Addr: at.Host, Roots: x509.NewCertPool()}
	p.Roots.AppendCertsFromPEM(ca)
	return srv, p, strings.TrimSpace(string(raw)), nil
}

// ingest lets sixteen agents send events as fast as the server takes them, with
// a few messages under way each, and counts what was acknowledged: that is on disk.
func ingest(b *bench) ([]figure, error) {
	srv, p, token, err := b.taker()
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	seconds := b.number("SECONDS", 30)
	ctx, cancel := context.WithTimeout(b.ctx, time.Duration(seconds)*time.Second)
	defer cancel()
	var sum tally
	var agents sync.WaitGroup
	errs := make(chan error, 16)
	start, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for n := range 16 {
		agents.Go(func() {
			if _, err := flood(ctx, p, token, uint64(n), &sum, func(uint64) (time.Time, bool) { return began, true }); err != nil && ctx.Err() == nil {
				errs <- err
			}
		})
	}
	agents.Wait()
	took := time.Since(began)
	now, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	cpu := (now.cpu - start.cpu).Seconds()
	time.Sleep(10 * time.Second) // what is in memory is sealed in the meantime
	disk, err := size(filepath.Join(srv.Dir, "events"))
	if err != nil {
		return nil, err
	}
	n := float64(sum.acked.Load())
	note := fmt.Sprintf("%d events of %d bytes in %s s from 16 agents, each acknowledged after its fsync", sum.acked.Load(), sum.bytes.Load()/max(1, sum.acked.Load()), short(took.Seconds()))
	return []figure{
		{what: "events to disk per second of the server's CPU", value: n / cpu, unit: "/s", target: 50_000, floor: 20_000, more: true, note: note},
		{what: "events to disk per second", value: n / took.Seconds(), unit: "/s", more: true, note: "the agents' own work on the same 2 cores included"},
		{what: "server under full load: resident memory, peak", value: now.peak, unit: "MB", note: "all that was ever resident"},
		{what: "bytes on disk per event", value: float64(disk) / n, unit: "B", note: "the log that is not sealed yet included"},
	}, nil
}

func size(dir string) (n int64, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if i, ierr := e.Info(); ierr == nil {
			n += i.Size()
		}
	}
	return n, err
}

// tally is what several agents have sent.
type tally struct {
	acked atomic.Int64 // events
	bytes atomic.Int64 // of those that were sent, not compressed
	slow  atomic.Int64 // how often the server asked for less
}

// flood is one agent that sends batches, each when it is due, until there is no
// more and all of them are acknowledged, or ctx ends. As an agent does it keeps a
// few messages under way, and sends nothing for as long as the server asks.
func flood(ctx context.Context, p *pest.Pest, token string, seed uint64, sum *tally, due func(n uint64) (at time.Time, more bool)) (inventory.DeviceID, error) {
	id, c, err := p.Open(ctx, token)
	if err != nil {
		return id, err
	}
	defer c.CloseNow()
	if err := c.Send(ctx, &protocol.Message{Hello: &protocol.Hello{Version: protocol.Version, AgentVersion: "bench", OS: "linux", Arch: "amd64"}}); err != nil {
		return id, err
	}
	// The batches are made before; only their numbers and events' numbers would
	// be new each time, and the server does not look at those of events.
	rng := rand.New(rand.NewPCG(seed, 1))
	var seqs [event.NumKinds]uint64
	var made []*protocol.Events
	var sizes []int
	for range 8 {
		var records []byte
		for range perBatch {
			if records, err = happening(records, rng, &seqs, time.Now()); err != nil {
				return id, err
			}
		}
		e, err := protocol.NewEvents(protocol.StreamActivity, 1, records, perBatch)
		if err != nil {
			return id, err
		}
		made, sizes = append(made, e), append(sizes, len(records))
	}
	const window = 4
	room := make(chan struct{}, window)
	failed := make(chan error, 1)
	var quiet atomic.Int64 // until then the server wants nothing, in ns
	go func() {
		for {
			m, done, err := c.Recv(ctx)
			done()
			switch {
			case err != nil:
				failed <- err
				return
			case m.Refusal != nil:
				failed <- errors.New(m.Refusal.Reason)
				return
			case m.Slow != nil:
				sum.slow.Add(1)
				quiet.Store(time.Now().Add(time.Duration(m.Slow.Millis) * time.Millisecond).UnixNano())
			case m.Ack != nil && len(m.Ack.Events) > 0:
				sum.acked.Add(perBatch)
				<-room
			}
		}
	}()
	enter := func() error {
		select {
		case room <- struct{}{}:
			return nil
		case err := <-failed:
			return err
		}
	}
	for n := uint64(0); ; n++ {
		at, more := due(n)
		if !more {
			break
		}
		if q := time.Unix(0, quiet.Load()); q.After(at) {
			at = q
		}
		if err := pause(ctx, time.Until(at)); err != nil {
			return id, err
		}
		if err := enter(); err != nil {
			return id, err
		}
		i := int(n+1) % len(made)
		e := *made[i]
		e.Seq, e.Sent = n+1, time.Now()
		sum.bytes.Add(int64(sizes[i]))
		if err := c.Send(ctx, &protocol.Message{Events: &e}); err != nil {
			return id, err
		}
	}
	for range window { // the last one is acknowledged when all of the room is free
		if err := enter(); err != nil {
			return id, err
		}
	}
	return id, nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// overload offers ten times the events per second that a core shall take for a
// minute, from agents that keep what the server does not take yet, and then waits
// until they have nothing left. What the server has of each agent is counted
// afterwards.
func overload(b *bench) ([]figure, error) {
	srv, p, token, err := b.taker()
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	const agents = 16
	rate, lasts := b.number("RATE", 500_000), time.Duration(b.number("SECONDS", 60))*time.Second
	between := time.Duration(float64(time.Second) * perBatch * agents / float64(rate))
	perAgent := uint64(lasts / between)
	var sum tally
	var work sync.WaitGroup
	var ids [agents]inventory.DeviceID
	errs := make(chan error, agents)
	began := time.Now()
	due := func(n uint64) (time.Time, bool) { return began.Add(time.Duration(n) * between), n < perAgent }
	for n := range agents {
		work.Go(func() {
			var err error
			if ids[n], err = flood(b.ctx, p, token, uint64(n), &sum, due); err != nil {
				errs <- err
			}
		})
	}
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	var behind int64 // most events that waited on the agents
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case now := <-tick.C:
			offered := int64(min(uint64(now.Sub(began)/between), perAgent)) * perBatch * agents
			behind = max(behind, offered-sum.acked.Load())
		}
	}
	took := time.Since(began)
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	proc, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	offered := int64(perAgent) * perBatch * agents
	var kept int64
	for _, id := range ids {
		var counts struct{ Total int64 }
		if err := c.Get(b.ctx, "/api/x/devices/"+string(id)+"/timeline/counts", &counts); err != nil {
			return nil, err
		}
		kept += counts.Total
	}
	note := fmt.Sprintf("%d offered in %s s, %s a second; the server asked %d times for less", offered, short(lasts.Seconds()), short(float64(offered)/lasts.Seconds()), sum.slow.Load())
	lost := figure{what: "events lost or doubled in an overload", value: math.Abs(float64(offered - kept)), unit: "events", target: 0.5, floor: 0.5, note: note}
	return []figure{
		lost,
		{what: "time behind the overload until all is on disk", value: max(0, (took - lasts).Seconds()), unit: "s", target: 60, note: fmt.Sprintf("at most %d events waited on the agents", behind)},
		{what: "server in the overload: resident memory, peak", value: proc.peak, unit: "MB", target: 2048},
	}, nil
}

// busyFleet loads a fleet into a data directory and fills its log with events, and
// says how long that took. The server of it is not running.
func (b *bench) busyFleet(dir string, devices, events int) (*rig.Server, []rig.Device, time.Duration, error) {
	if err := b.loadFleet(dir, devices, 20, 2000); err != nil {
		return nil, nil, 0, err
	}
	srv, err := b.bins.StartServer(b.ctx, dir)
	if err != nil {
		return nil, nil, 0, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	all, err := c.Devices(b.ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	srv.Kill()
	began := time.Now()
	err = fill(b, filepath.Join(dir, "events"), all, events)
	return srv, all, time.Since(began), err
}

// timeline fills the log of a fleet with events of 30 days and asks for pages
// and histograms of devices that take turns.
func timeline(b *bench) ([]figure, error) {
	devices, events := b.number("DEVICES", 10_000), b.number("EVENTS", 100_000_000)
	dir := filepath.Join(b.dir, "data")
	srv, all, filled, err := b.busyFleet(dir, devices, events)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	disk, err := size(filepath.Join(dir, "events"))
	if err != nil {
		return nil, err
	}
	b.say("filled %d events in %s s: %s bytes each", events, short(filled.Seconds()), short(float64(disk)/float64(events)))
	began := time.Now()
	if err := srv.Start(b.ctx); err != nil {
		return nil, err
	}
	opened := time.Since(began)
	web, err := srv.Console(b.ctx)
	if err != nil {
		return nil, err
	}
	var pages, counts []time.Duration
	rng := rand.New(rand.NewPCG(1, 2))
	for range b.number("ROUNDS", 300) {
		id := all[rng.IntN(len(all))].ID
		for path, took := range map[string]*[]time.Duration{"/timeline?size=30": &pages, "/timeline/counts": &counts} {
			began := time.Now()
			if err := web.Get(b.ctx, "/api/x/devices/"+id+path, nil); err != nil {
				return nil, err
			}
			*took = append(*took, time.Since(began))
		}
	}
	proc, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("among %d devices and %d million events", devices, events/1_000_000)
	return []figure{
		{what: "page of 30 events of one device " + what + ", p95", value: ms(quantile(pages, 0.95)), unit: "ms", target: 20, note: fmt.Sprintf("median %s ms", short(ms(median(pages))))},
		{what: "histogram of 30 days of one device " + what + ", p95", value: ms(quantile(counts, 0.95)), unit: "ms", target: 20, note: fmt.Sprintf("median %s ms", short(ms(median(counts))))},
		{what: "bytes on disk per event", value: float64(disk) / float64(events), unit: "B"},
		{what: "start of the server with them", value: opened.Seconds(), unit: "s", note: fmt.Sprintf("resident afterwards %s MB", short(proc.rss))},
	}, nil
}

// fill appends events to a log that nobody else has open, day by day.
func fill(b *bench, dir string, devices []rig.Device, events int) error {
	e, err := eventlog.Open(dir, eventlog.Options{MemBytes: 384 << 20})
	if err != nil {
		return err
	}
	const days, writers = 30, 16            // writers share an fsync
	per := max(1, events/days/len(devices)) // of a device in a day
	now := time.Now().UTC()
	var work sync.WaitGroup
	errs := make(chan error, writers)
	for part := range writers {
		work.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(part), 3))
			seqs := make([][event.NumKinds]uint64, len(devices))
			for day := range days {
				from := now.AddDate(0, 0, day-days)
				for i := part; i < len(devices); i += writers {
					var records []byte
					for n := range per {
						var err error
						if records, err = happening(records, rng, &seqs[i], from.Add(time.Duration(n)*24*time.Hour/time.Duration(per))); err != nil {
							errs <- err
							return
						}
					}
					batch := eventlog.Batch{Device: inventory.DeviceID(devices[i].ID), Stream: protocol.StreamActivity, Seq: uint64(day + 1), Received: from.Add(24 * time.Hour), Records: records, Count: per}
					if _, err := e.Append(b.ctx, batch); err != nil {
						errs <- err
						return
					}
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-errs:
		return errors.Join(err, e.Close())
	default:
		return e.Close()
	}
}
