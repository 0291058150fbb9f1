// Command bench measures Picket through its built binaries and prints each
// figure beside its target and its floor.
//
//	make bench            # all, one after the other
//	make bench ONLY=page  # one; each ends within eight minutes
//	make bench ONLY=lists ARGS=FLEET=DIR  # keep the loaded fleet for the next run
//
// Figures go to stdout, progress to stderr. The exit code is 1 when a floor is
// missed or a benchmark fails. What is measured and why is in docs/perf.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// limit is how long one benchmark may take, on a machine that has other work too.
const limit = 25 * time.Minute

// bench is what a benchmark works with.
type bench struct {
	ctx  context.Context
	bins rig.Bins
	dir  string // scratch of its own, removed afterwards
	feed string // folder of feed samples
	opt  map[string]string
	err  io.Writer
}

// say prints progress.
func (b *bench) say(format string, args ...any) { _, _ = fmt.Fprintf(b.err, "  "+format+"\n", args...) }

// number returns an option given as NAME=N, else def.
func (b *bench) number(name string, def int) int {
	if n, err := strconv.Atoi(b.opt[name]); err == nil && n > 0 {
		return n
	}
	return def
}

// benchmarks is the list, in the order in which they run.
var benchmarks = []struct {
	name string
	what string
	run  func(*bench) ([]figure, error)
}{
	{"agent-size", "size of the agent binary", agentSize},
	{"agent-idle", "memory and CPU of an idle agent (SECONDS=300)", agentIdle},
	{"agent-load", "memory and CPU of an agent, in-kernel time included, while Go's standard library is built", agentLoad},
	{"agent-spool", "how long an agent's spool holds what happens while the server is away (SECONDS=300)", agentSpool},
	{"agent-delay", "start of a program to the device's timeline (ROUNDS=60)", agentDelay},
	{"first", "enrolment to the whole first report (ROUNDS=5)", firstReport},
	{"page", "package change to device page (ROUNDS=40)", pageLatency},
	{"import", "import rate of each feed", importRate},
	{"open", "compiled intelligence: open", openIntel},
	{"match", "full match, cold, persisted (DEVICES=45000)", fullMatch},
	{"debsecan", "CPU per host beside debsecan (DEVICES=45000)", besideDebsecan},
	{"delta", "100 advisories at a fleet (DEVICES=100000)", delta},
	{"change", "one device's change to new scores at a fleet (DEVICES=100000)", change},
	{"export", "1 million rows by machine (DEVICES=10000)", export},
	{"plan", "what-if and patch plan at a fleet (DEVICES=100000)", plan},
	{"groups", "dashboard and lists filtered by device group (DEVICES=100000)", groups},
	{"users", "1,000 people at the console of a fleet (DEVICES=100000, USERS=1000, SECONDS=60, THINK=10)", users},
	{"ingest", "events of agents to disk, over the socket (SECONDS=30)", ingest},
	{"overload", "ten times too many events for a minute (RATE=500000, SECONDS=60)", overload},
	{"timeline", "pages and histograms among 100 million events (DEVICES=10000, EVENTS=100000000)", timeline},
	{"hunting", "queries among 20 million events (DEVICES=1000, EVENTS=20000000)", hunting},
	{"lists", "lists and device page at a fleet (DEVICES=100000)", lists},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: arguments are NAME=VALUE, ONLY names one benchmark.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	opt := map[string]string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			_, _ = fmt.Fprintf(stderr, "bench: %q is not NAME=VALUE; names are ONLY, BIN, FEEDS, FLEET, SECONDS, ROUNDS, DEVICES, RUNS\n", a)
			return 2
		}
		opt[k] = v
	}
	found, failed := false, false
	for _, bm := range benchmarks {
		if only := opt["ONLY"]; only != "" && only != bm.name {
			continue
		}
		found = true
		if ctx.Err() != nil {
			return 1
		}
		_, _ = fmt.Fprintf(stderr, "bench: %s: %s\n", bm.name, bm.what)
		figures, err := one(ctx, bm.run, opt, stderr)
		for _, f := range figures {
			_, _ = fmt.Fprintln(stdout, f.line(bm.name))
			failed = failed || f.missed()
		}
		if err != nil {
			_, _ = fmt.Fprintf(stderr, "bench: %s: %v\n", bm.name, err)
			failed = true
		}
	}
	if !found {
		_, _ = fmt.Fprintf(stderr, "bench: there is no benchmark %q; there are:\n", opt["ONLY"])
		for _, bm := range benchmarks {
			_, _ = fmt.Fprintf(stderr, "  %-12s %s\n", bm.name, bm.what)
		}
		return 2
	}
	if failed {
		return 1
	}
	return 0
}

// one runs a benchmark in a folder and with a time limit of its own.
func one(ctx context.Context, fn func(*bench) ([]figure, error), opt map[string]string, stderr io.Writer) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	root, err := rig.Module()
	if err != nil {
		return nil, err
	}
	bin := opt["BIN"]
	if bin == "" {
		bin = filepath.Join(root, "bin")
	}
	bins, err := rig.Built(bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "picket-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	feed := opt["FEEDS"]
	if feed == "" {
		feed = filepath.Join(root, "..", "shared", "feeds")
	}
	return fn(&bench{ctx: ctx, bins: bins, dir: dir, feed: feed, opt: opt, err: stderr})
}
