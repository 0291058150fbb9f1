// Command picket is the server of Picket and its administration.
//
//	picket demo                     # server, this machine's agent, demo intelligence
//	picket server --data /var/lib/picket --listen :8443 --agent-listen :8444
//	picket intel import --data /var/lib/picket feeds/
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/picketsec/picket/internal/server"
)

// version is set by the build.
var version = "dev"

// Exit codes, documented in docs/exit-codes.md.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// env is what commands get from main: where to print and how to log.
type env struct {
	ctx context.Context
	out io.Writer // results
	err io.Writer // everything else
	log *slog.Logger
}

// quiet is the log of commands that open the data directory themselves.
func (e *env) quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// cli is the whole command line.
type cli struct {
	Server       ServerCmd       `cmd:"" help:"Run the server on embedded storage."`
	Demo         DemoCmd         `cmd:"" help:"Run the server, this machine's agent, simulated devices and demo intelligence."`
	App          AppCmd          `cmd:"" help:"Applications that use the API."`
	EnrollToken  EnrollTokenCmd  `cmd:"" name:"enroll-token" help:"Tokens that agents enrol with."`
	ResetFactors ResetFactorsCmd `cmd:"" name:"reset-factors" help:"Remove the second factors of an account whose person lost them."`
	SignInLink   SignInLinkCmd   `cmd:"" name:"sign-in-link" help:"Print a one-time link that signs the administrator in."`
	Intel        IntelCmd        `cmd:"" help:"Vulnerability intelligence: import, sync, status."`
	SBOM         SBOMCmd         `cmd:"" name:"sbom" help:"Bills of materials: devices without an agent."`
	VEX          VEXCmd          `cmd:"" name:"vex" help:"Statements about exploitability, as exceptions: import, list, remove."`
	Audit        AuditCmd        `cmd:"" help:"The log of decisions and changes."`
	Login        LoginCmd        `cmd:"" help:"Sign in at a server by a code that you type on its console; other commands then ask it as you."`
	Logout       LogoutCmd       `cmd:"" help:"End that sign-in."`
	Devices      DevicesCmd      `cmd:"" help:"List devices."`
	CVE          CVECmd          `cmd:"" name:"cve" help:"Print a weakness and the devices that have it."`
	Recommend    RecommendCmd    `cmd:"" help:"List recommendations, those that lower exposure most first."`
	Hunt         HuntCmd         `cmd:"" help:"Ask a question in the Kusto Query Language about events, devices, software and alerts."`
	Entity       EntityCmd       `cmd:"" help:"Print what devices say of a file, domain, address or user, and which devices."`
	Retention    RetentionCmd    `cmd:"" help:"How long events are kept: show, set."`
	Export       ExportCmd       `cmd:"" help:"Write a whole list as CSV or JSON lines."`
	Explain      ExplainCmd      `cmd:"" help:"Print why a device has a weakness."`
	Nudge        NudgeCmd        `cmd:"" help:"Ask a device's agent to look at everything now."`
	Lockdown     LockdownCmd     `cmd:"" help:"Deny every action on devices to everybody."`
	Simulate     SimulateCmd     `cmd:"" help:"Run simulated devices against a server, for work and load."`
	Bench        BenchCmd        `cmd:"" hidden:"" help:"What benchmarks need."`
	Version      VersionCmd      `cmd:"" help:"Print the version."`

	LogLevel string `enum:"debug,info,warn,error" default:"info" env:"PICKET_LOG_LEVEL" help:"Least level that is logged (${enum})."`
}

// VersionCmd prints the version.
type VersionCmd struct{}

// Run prints the version.
func (VersionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.out, version)
	return err
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("picket"), kong.Description("Self-hosted endpoint security and exposure management."),
		kong.UsageOnError(), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }))
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "picket:", err)
		return exitUsage
	}
	kctx, err := parser.Parse(args)
	if code >= 0 {
		return code
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "picket: %v\nRun \"picket --help\" for the commands.\n", err)
		return exitUsage
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel))
	e := &env{ctx: ctx, out: stdout, err: stderr, log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))}
	if err := kctx.Run(e); err != nil && !errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(stderr, "picket:", err)
		if errors.Is(err, server.ErrInvalid) {
			return exitUsage
		}
		if code := remoteCode(err); code != 0 {
			return code
		}
		if code := simulateCode(err); code != 0 {
			return code
		}
		return exitFailure
	} else if err != nil {
		return exitFailure
	}
	return exitOK
}

// runVerb runs an administrative verb in the server that has dir open, or here
// when none has. The result is decoded into result unless it is nil.
func runVerb(e *env, dir, verb string, args, result any, progress func(server.Progress)) error {
	if progress == nil {
		progress = func(server.Progress) {}
	}
	raw, err := ask(e, dir, verb, args, progress)
	if err != nil {
		return err
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(raw, result)
}

// startWait is how long a command waits for a server that has the data
// directory, but does not answer yet because it starts.
const startWait = time.Minute

// ask runs a verb in the server, or here when there is none. A server that is
// about to answer is waited for.
func ask(e *env, dir, verb string, args any, progress func(server.Progress)) (json.RawMessage, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for begun := time.Now(); ; {
		raw, err := server.Ask(e.ctx, dir, verb, args, progress)
		if !errors.Is(err, server.ErrNoServer) {
			return raw, err
		}
		raw, err = runHere(e, dir, verb, args, progress)
		if !errors.Is(err, server.ErrInUse) || time.Since(begun) > startWait {
			return raw, err
		}
		select {
		case <-e.ctx.Done():
			return nil, e.ctx.Err()
		case <-tick.C:
		}
	}
}

// runHere opens the data directory itself: no server runs.
func runHere(e *env, dir, verb string, args any, progress func(server.Progress)) (json.RawMessage, error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	s, err := server.Open(e.ctx, server.Options{Dir: dir, Log: e.quiet(), Version: version})
	if err != nil {
		return nil, err
	}
	out, err := s.Admin(e.ctx, verb, raw, progress)
	return out, errors.Join(err, s.Close())
}
