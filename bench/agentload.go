package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/rig"
)

// watchedAgent is a server with one agent that reports this machine and has
// come to rest.
type watchedAgent struct {
	srv   *rig.Server
	agent *rig.Agent
	web   *rig.Client
	id    string
}

func startWatched(b *bench) (*watchedAgent, error) {
	srv, err := b.bins.StartServer(b.ctx, filepath.Join(b.dir, "data"))
	if err != nil {
		return nil, err
	}
	w := &watchedAgent{srv: srv}
	if err := w.settle(b); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

func (w *watchedAgent) settle(b *bench) (err error) {
	if w.agent, err = b.bins.StartAgent(b.ctx, w.srv, filepath.Join(b.dir, "state"), rig.AgentOptions{}); err != nil {
		return err
	}
	c, err := w.srv.Client(b.ctx)
	if err != nil {
		return err
	}
	if err := waitSoftware(b.ctx, c); err != nil {
		return fmt.Errorf("%w\n%s", err, w.agent.Log())
	}
	devices, err := c.Devices(b.ctx)
	if err != nil {
		return err
	}
	w.id = devices[0].ID
	if w.web, err = w.srv.Console(b.ctx); err != nil {
		return err
	}
	return quiet(b.ctx, w.agent.PID())
}

func (w *watchedAgent) stop() {
	if w.agent != nil {
		w.agent.Stop()
	}
	w.srv.Kill()
}

// cost is what an agent has taken: its own CPU time, that of its programs in the
// kernel, and how often these ran.
type cost struct {
	proc
	kernel time.Duration
	runs   uint64
}

// costOf reads the cost of a process so far. The kernel counts the time of
// programs only while somebody wants it: see ebpf.EnableStats.
func costOf(pid int) (cost, error) {
	p, err := readProc(pid)
	if err != nil {
		return cost{}, err
	}
	c := cost{proc: p}
	dir := fmt.Sprintf("/proc/%d/fdinfo", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		return c, err
	}
	for _, e := range list {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed meanwhile
		}
		if err != nil {
			return c, err
		}
		for line := range strings.Lines(string(raw)) {
			name, value, _ := strings.Cut(line, ":")
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			switch {
			case err != nil:
			case name == "run_time_ns":
				c.kernel += time.Duration(n)
			case name == "run_cnt":
				c.runs += n
			}
		}
	}
	return c, nil
}

// agentLoad watches the agent of this very machine, all sources on, while the
// standard library of Go is built from nothing.
func agentLoad(b *bench) ([]figure, error) {
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return nil, fmt.Errorf("count the time of programs in the kernel: %w", err)
	}
	defer stats.Close()
	w, err := startWatched(b)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	before, lost, err := w.counts(b.ctx)
	if err != nil {
		return nil, err
	}
	start, err := costOf(w.agent.PID())
	if err != nil {
		return nil, err
	}
	began := time.Now()
	var rss []float64
	built := make(chan error, 1)
	go func() { built <- buildStd(b.ctx, filepath.Join(b.dir, "gocache")) }()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for building := true; building; {
		select {
		case err := <-built:
			if err != nil {
				return nil, err
			}
			building = false
		case <-tick.C:
			p, err := readProc(w.agent.PID())
			if err != nil {
				return nil, err
			}
			rss = append(rss, p.rss)
		}
	}
	now, err := costOf(w.agent.PID())
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	kept, missing, err := w.counts(b.ctx)
	if err != nil {
		return nil, err
	}
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	own, kernel := share(now.cpu-start.cpu), share(now.kernel-start.kernel)
	runs := now.runs - start.runs
	note := fmt.Sprintf("%s s; %s %% of its own, %s %% in the kernel: %d runs of %d ns", short(took.Seconds()), short(own), short(kernel), runs,
		int64(now.kernel-start.kernel)/int64(max(runs, 1)))
	return []figure{
		{what: "agent under a build of Go's std: resident memory, median", value: median(rss), unit: "MB", target: 25, floor: 40, note: fmt.Sprintf("highest %s MB", short(quantile(rss, 1)))},
		{what: "agent under a build of Go's std: CPU, share of a core", value: own + kernel, unit: "%", target: 1, floor: 3, note: note},
		{what: "events kept meanwhile", value: float64(kept - before), note: fmt.Sprintf("%d told as missing", missing-lost)},
	}, nil
}

// buildStd builds the standard library from nothing with the go command that is found.
func buildStd(ctx context.Context, cache string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-a", "std")
	cmd.Env = append(os.Environ(), "GOCACHE="+cache, "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build std: %w\n%s", err, out)
	}
	return nil
}

// counts are the events of the device's timeline in all, and those that it says
// are missing.
func (w *watchedAgent) counts(ctx context.Context) (kept, missing int, err error) {
	var all struct {
		Total int `json:"total"`
	}
	var page struct {
		Missing int `json:"missing_total"`
	}
	path := "/api/x/devices/" + w.id + "/timeline"
	if err := w.web.Get(ctx, path+"/counts", &all); err != nil {
		return 0, 0, err
	}
	err = w.web.Get(ctx, path+"?size=1", &page)
	return all.Total, page.Missing, err
}

// agentDelay starts programs and takes the time from just before each until the
// device's timeline, as the console asks for it, has it.
func agentDelay(b *bench) ([]figure, error) {
	rounds := b.number("ROUNDS", 60)
	w, err := startWatched(b)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	var took []time.Duration
	for i := range rounds {
		time.Sleep(time.Duration(i*37%400) * time.Millisecond) // at any moment of what the agent does at intervals
		mark := fmt.Sprintf("picket-bench-delay-%d", i)
		path := "/api/x/devices/" + w.id + "/timeline?size=5&action=" + event.ProcessCreated.String() + "&q=" + url.QueryEscape(mark)
		began := time.Now()
		if err := exec.CommandContext(b.ctx, "/bin/true", mark).Run(); err != nil {
			return nil, err
		}
		err := rig.Wait(b.ctx, 30*time.Second, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
			var page rig.Page[struct {
				Title string `json:"title"`
			}]
			err := w.web.Get(ctx, path, &page)
			return err == nil && len(page.Items) == 1, err
		})
		if err != nil {
			return nil, fmt.Errorf("program %d: %w\n%s", i, err, w.agent.Log())
		}
		took = append(took, time.Since(began))
	}
	note := fmt.Sprintf("%d programs, median %s s, slowest %s s", rounds, short(median(took).Seconds()), short(quantile(took, 1).Seconds()))
	return []figure{{what: "start of a program to the device's timeline, p95", value: quantile(took, 0.95).Seconds(), unit: "s", target: 2, note: note}}, nil
}
