package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// hunted is one kind of query that the benchmark runs again and again; %s is a
// device, or a hash.
type hunted struct {
	what   string
	query  string
	target float64 // p95 in milliseconds; 0: none
	rounds int
}

// The targets: what an analyst asks of one device or one indicator while working
// answers before attention wanders (2 s); a question about a day of the whole fleet
// may take as long as a sip of coffee (10 s).
var huntQueries = []hunted{
	{"a week of one device by program", `DeviceProcessEvents | where DeviceId == "%s" and Timestamp > ago(7d) | summarize count(), max(Timestamp) by FileName | top 20 by count_`, 2000, 20},
	{"one hash anywhere in 30 days", `DeviceProcessEvents | where SHA256 == "%s" | summarize count(), min(Timestamp), max(Timestamp) by DeviceId`, 10_000, 3},
	{"an hour of the fleet, joined with its connections", `let T = ago(1h); DeviceProcessEvents | where Timestamp > T and FileName == "curl" | project DeviceId, ProcessId, Line = ProcessCommandLine | join kind=leftouter (DeviceNetworkEvents | where Timestamp > T | project DeviceId, InitiatingProcessId, RemoteIP) on $left.DeviceId == $right.DeviceId, $left.ProcessId == $right.InitiatingProcessId | summarize count() by DeviceId`, 10_000, 5},
	{"a day of the fleet, by words of command lines", `DeviceProcessEvents | where Timestamp > ago(1d) and ProcessCommandLine has "curl" | summarize Times = count(), Devices = dcount(DeviceId) by AccountName, bin(Timestamp, 1h)`, 10_000, 5},
	{"30 days of the fleet, every process event", `DeviceProcessEvents | summarize count() by bin(Timestamp, 1d), FileName`, 0, 1},
}

// hunting fills the log of a fleet with events of 30 days and hunts in it.
func hunting(b *bench) ([]figure, error) {
	devices, events := b.number("DEVICES", 1000), b.number("EVENTS", 20_000_000)
	dir := filepath.Join(b.dir, "data")
	srv, all, filled, err := b.busyFleet(dir, devices, events)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	b.say("filled %d events in %s s", events, short(filled.Seconds()))
	if err := srv.Start(b.ctx); err != nil {
		return nil, err
	}
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var out []figure
	for _, h := range huntQueries {
		var times []time.Duration
		rows := 0
		for range h.rounds {
			query := h.query
			switch h.what {
			case huntQueries[0].what:
				query = fmt.Sprintf(query, all[rng.IntN(len(all))].ID)
			case huntQueries[1].what:
				query = fmt.Sprintf(query, fmt.Sprintf("%064x", rng.IntN(2000)))
			}
			var answer struct{ Results []map[string]any }
			began := time.Now()
			if err := c.Post(b.ctx, "/api/advancedqueries/run", map[string]string{"Query": query}, &answer); err != nil {
				return nil, fmt.Errorf("%s: %w", h.what, err)
			}
			times = append(times, time.Since(began))
			rows = len(answer.Results)
		}
		b.say("%s: %s ms, %d rows", h.what, short(ms(median(times))), rows)
		out = append(out, figure{what: fmt.Sprintf("hunt among %d devices and %d million events: %s, p95", devices, events/1_000_000, h.what), value: ms(quantile(times, 0.95)), unit: "ms", target: h.target,
			note: fmt.Sprintf("median %s ms, %d times", short(ms(median(times))), h.rounds)})
	}
	proc, err := readProc(srv.PID())
	if err != nil {
		return nil, err
	}
	return append(out, figure{what: "server while it hunts: resident memory, peak", value: proc.peak, unit: "MB"}), nil
}
