package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/rig"
)

// agentSize is the size of the binary as built for release.
func agentSize(b *bench) ([]figure, error) {
	info, err := os.Stat(b.bins.Agent)
	if err != nil {
		return nil, err
	}
	return []figure{{what: "agent binary", value: float64(info.Size()) / (1 << 20), unit: "MB", target: 20}}, nil
}

// agentIdle watches the agent of this very machine while nothing changes: its
// resident memory, and the CPU time that it takes.
func agentIdle(b *bench) ([]figure, error) {
	seconds := b.number("SECONDS", 300)
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("count the time of programs in the kernel: %w", err)
	}
	defer stats.Close()
	srv, err := b.bins.StartServer(b.ctx, filepath.Join(b.dir, "data"))
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	agent, err := b.bins.StartAgent(b.ctx, srv, filepath.Join(b.dir, "state"), rig.AgentOptions{})
	if err != nil {
		return nil, err
	}
	defer agent.Stop()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := waitSoftware(b.ctx, c); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, agent.Log())
	}
	if err := quiet(b.ctx, agent.PID()); err != nil {
		return nil, err
	}
	b.say("the agent is idle; watching it for %d s", seconds)
	start, err := costOf(agent.PID())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var rss []float64
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	end := time.After(time.Duration(seconds) * time.Second)
	for watching := true; watching; {
		select {
		case <-b.ctx.Done():
			return nil, b.ctx.Err()
		case <-agent.Done():
			return nil, fmt.Errorf("the agent ended: %w\n%s", agent.Err(), agent.Log())
		case <-tick.C:
			now, err := readProc(agent.PID())
			if err != nil {
				return nil, err
			}
			rss = append(rss, now.rss)
		case <-end:
			watching = false
		}
	}
	now, err := costOf(agent.PID())
	if err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	share, kernel := 100*(now.cpu-start.cpu).Seconds()/took, 100*(now.kernel-start.kernel).Seconds()/took
	note := fmt.Sprintf("%d s; peak since start %s MB", seconds, short(now.peak))
	return []figure{
		{what: "agent, idle: resident memory, median", value: median(rss), unit: "MB", target: 25, floor: 40, note: note},
		{what: "agent, idle: CPU, share of a core", value: share, unit: "%", target: 0.3,
			note: fmt.Sprintf("and %s %% in the kernel, by what all processes of this machine do", short(kernel))},
	}, nil
}

// waitSoftware waits until one device has reported software.
func waitSoftware(ctx context.Context, c *rig.Client) error {
	return rig.Wait(ctx, 2*time.Minute, 200*time.Millisecond, func(ctx context.Context) (bool, error) {
		devices, err := c.Devices(ctx)
		return err == nil && len(devices) == 1 && devices[0].Software > 0, err
	})
}

// quiet waits until a process has used less than 1 % of a core for ten seconds.
func quiet(ctx context.Context, pid int) error {
	last := time.Duration(-1)
	return rig.Wait(ctx, 3*time.Minute, 10*time.Second, func(context.Context) (bool, error) {
		p, err := readProc(pid)
		used := p.cpu - last
		idle := last >= 0 && used < 100*time.Millisecond
		last = p.cpu
		return idle, err
	})
}

// proc is what /proc says of a process: MB and CPU time.
type proc struct {
	rss, peak float64
	cpu       time.Duration
}

func readProc(pid int) (proc, error) {
	var p proc
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return p, err
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			p.rss = kb / 1024
		case "VmHWM:":
			p.peak = kb / 1024
		}
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return p, err
	}
	// The name in parentheses may hold anything; utime and stime are the 12th and 13th fields behind it, in ticks of 10 ms.
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return p, fmt.Errorf("read %s/stat: %q", dir, stat)
	}
	for _, s := range f[11:13] {
		ticks, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return p, fmt.Errorf("read %s/stat: %w", dir, err)
		}
		p.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	return p, nil
}
