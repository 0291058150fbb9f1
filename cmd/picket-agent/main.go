// Command picket-agent is the endpoint's side of Picket: it reports what is
// installed on a host, and every change of it, to one server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/picketsec/picket/internal/agent"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

const usage = `picket-agent reports this host's inventory to a Picket server.

  picket-agent run        --server URL --ca FILE --token T --state DIR [--root DIR] [--once]
  picket-agent install    --server URL --ca FILE --token T --state DIR   (a systemd service)
  picket-agent uninstall  [--state DIR: remove it too]
  picket-agent release    --state DIR     end the isolation of this host, as root
  picket-agent restore    --state DIR     isolate this host again as it was when it
                                          went down; its service does so at boot
  picket-agent version

  --server URL   the server's agent listener, https://HOST:PORT     (PICKET_SERVER)
  --ca FILE      the server's ca.pem                                (PICKET_CA)
  --token T      enrolment token; not needed once enrolled          (PICKET_TOKEN)
  --state DIR    the agent's own directory, made with mode 0700     (PICKET_STATE)
  --root DIR     inventory another root file system, nothing of
                 the running host                                   (PICKET_ROOT)
  --once         report, wait until the server has acknowledged
                 everything, exit                                   (PICKET_ONCE)
  --no-events    report the inventory alone, record nothing that
                 happens on the host                                (PICKET_NO_EVENTS)
  --event-disk N MiB of disk for events that wait for the server;
                 256 if not given                                   (PICKET_EVENT_DISK)
  --verbose      log what is done, not only what is wrong           (PICKET_VERBOSE)

Exit codes: 0 stopped, or with --once everything acknowledged; 1 failure; 2 wrong
use; 3 state directory unsafe, in use or not writable; 4 refused by the server;
5 with --once: server not reached, or not the one that --ca vouches for.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr, agent.Restrain)
	stop()
	os.Exit(code)
}

// Main is the program: it returns the exit code. restrain limits the process
// that an agent runs in.
func Main(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer,
	restrain func(state string, log *slog.Logger) (release func())) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return agent.ExitUsage
	}
	switch args[0] {
	case "version", "--version":
		without := ""
		if !agent.Responds {
			without = ", without response actions"
		}
		fmt.Fprintf(stdout, "picket-agent %s (%s/%s, %s%s)\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version(), without)
		return agent.ExitOK
	case "help", "--help", "-h":
		fmt.Fprint(stdout, usage)
		return agent.ExitOK
	case "run", "install", "uninstall", "release", "restore":
	default:
		fmt.Fprintf(stderr, "picket-agent: %q is not a command\n\n%s", args[0], usage)
		return agent.ExitUsage
	}
	cfg, verbose, err := parse(args, env)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return agent.ExitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "picket-agent: %v\n", err)
		return agent.ExitUsage
	}
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	cfg.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	switch args[0] {
	case "install":
		err = agent.Install(ctx, cfg)
	case "uninstall":
		err = agent.Uninstall(ctx, cfg)
	case "release":
		var was bool
		if was, err = agent.ReleaseHost(ctx, cfg.State); err == nil {
			fmt.Fprintln(stdout, map[bool]string{true: "The host is released from isolation.", false: "The host was not isolated."}[was])
		}
	case "restore":
		err = agent.RestoreHost(ctx, cfg.State, cfg.Log)
	default:
		if err = cfg.Validate(); err == nil {
			release := restrain(cfg.State, cfg.Log)
			err = agent.Run(ctx, cfg)
			release()
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "picket-agent: %v\n", err)
	}
	return agent.ExitCode(err)
}

// parse reads flags; what is not given comes from the environment.
func parse(args []string, env func(string) string) (cfg agent.Config, verbose bool, err error) {
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&cfg.Server, "server", env("PICKET_SERVER"), "")
	f.StringVar(&cfg.CA, "ca", env("PICKET_CA"), "")
	f.StringVar(&cfg.Token, "token", env("PICKET_TOKEN"), "")
	f.StringVar(&cfg.State, "state", env("PICKET_STATE"), "")
	f.StringVar(&cfg.Root, "root", env("PICKET_ROOT"), "")
	f.BoolVar(&cfg.Once, "once", truth(env("PICKET_ONCE")), "")
	f.BoolVar(&cfg.NoEvents, "no-events", truth(env("PICKET_NO_EVENTS")), "")
	f.BoolVar(&verbose, "verbose", truth(env("PICKET_VERBOSE")), "")
	disk := f.String("event-disk", env("PICKET_EVENT_DISK"), "")
	if err := f.Parse(args[1:]); err != nil {
		return cfg, verbose, err
	}
	if *disk != "" {
		n, err := strconv.ParseInt(*disk, 10, 32)
		if err != nil || n < 1 {
			return cfg, verbose, fmt.Errorf("--event-disk %q is not a number of MiB", *disk)
		}
		cfg.EventMax = n << 20
	}
	if f.NArg() > 0 {
		return cfg, verbose, fmt.Errorf("%q is not expected: see picket-agent help", f.Arg(0))
	}
	cfg.Version = version
	return cfg, verbose, nil
}

func truth(s string) bool {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on":
		return true
	}
	return false
}
