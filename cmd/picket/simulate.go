package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/simulate"
)

// SimulateCmd is "picket simulate".
type SimulateCmd struct {
	Server      string        `env:"PICKET_SERVER" help:"URL of the server's agent listener, https://HOST:PORT."`
	CA          string        `name:"ca" env:"PICKET_CA" help:"The server's ca.pem."`
	Token       string        `env:"PICKET_TOKEN" help:"Enrolment token with a use for each device; not needed once they are enrolled."`
	Data        string        `env:"PICKET_DATA" help:"Data directory of a server on this machine, in place of --server, --ca and --token."`
	State       string        `help:"Directory of the devices' keys: the same one continues with the same devices (default: in --data, else in the user's cache directory)."`
	Devices     int           `default:"100" help:"How many devices."`
	Seed        uint64        `default:"1" help:"What the devices are follows from it."`
	Start       string        `placeholder:"DATE" help:"First day of the devices, as 2026-11-02, for the same bytes in every run (default: today's time)."`
	Connections int           `default:"15000" help:"How many are connected at a time; the rest checks in by turns."`
	Rate        float64       `default:"100" help:"New connections per second; 0: no limit."`
	Speed       float64       `default:"60" help:"How many times faster than the clock the devices' days pass."`
	Duration    time.Duration `help:"End after this time (default: when a signal comes)."`
	Once        bool          `help:"End when every device has delivered its inventory."`
}

// Run simulates until a signal ends it, or until what the flags ask for is
// done, and prints what was done as JSON.
func (c *SimulateCmd) Run(e *env) error {
	opt, err := c.options(e)
	if err != nil {
		return err
	}
	debug.SetGCPercent(50) // many devices, few changes: memory matters more than time
	bar := newBar(e.err)
	opt.Progress = func(s simulate.Summary) {
		text := fmt.Sprintf("%d %% of %d devices have delivered", 10*(10*s.Settled/s.Devices), s.Devices)
		if s.Settled == s.Devices {
			text = "all devices have delivered, time passes"
		}
		bar.show(server.Progress{Text: text, Done: int64(s.Settled), Of: int64(s.Devices)})
	}
	sum, err := simulate.Run(e.ctx, opt)
	bar.end()
	if errors.Is(err, simulate.ErrOptions) {
		return server.Invalidf("simulate", "%v", err)
	}
	return errors.Join(err, printJSON(e.out, sum))
}

// options turns flags into what package simulate takes.
func (c *SimulateCmd) options(e *env) (simulate.Options, error) {
	opt := simulate.Options{Devices: c.Devices, Seed: c.Seed, Connections: c.Connections, Rate: c.Rate, Speed: c.Speed, Duration: c.Duration,
		Once: c.Once, Version: version, Log: e.log}
	var err error
	if c.Start != "" {
		if opt.Start, err = time.Parse(time.DateOnly, c.Start); err != nil {
			return opt, server.Invalidf("--start", "%q is not a date like 2026-11-02", c.Start)
		}
	}
	if opt.Local, err = simulate.ReadLocal(os.DirFS("/")); err != nil {
		e.log.WarnContext(e.ctx, "devices are simulated without this machine's packages", "error", err)
	}
	switch {
	case c.Data != "":
		err = c.local(e, &opt)
	case c.Server == "" || c.CA == "":
		err = server.Invalidf("--server", "give it with --ca and --token, or give --data of a server on this machine")
	default:
		err = c.remote(&opt)
	}
	return opt, err
}

// remote takes the server from flags.
func (c *SimulateCmd) remote(opt *simulate.Options) (err error) {
	opt.Server = c.Server
	if opt.CA, err = os.ReadFile(c.CA); err != nil {
		return server.Invalidf("--ca", "%v", err)
	}
	opt.Token = func(context.Context) (string, error) { return c.Token, nil }
	if opt.Dir = c.State; opt.Dir != "" {
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find a place for the devices' keys (give --state): %w", err)
	}
	u, err := url.Parse(c.Server)
	if err != nil {
		return server.Invalidf("--server", "%v", err)
	}
	opt.Dir = filepath.Join(cache, "picket", "simulated", fmt.Sprintf("%s-%s-seed-%d", u.Hostname(), u.Port(), c.Seed))
	return nil
}

// local takes everything from the server that has c.Data open.
func (c *SimulateCmd) local(e *env, opt *simulate.Options) error {
	raw, err := server.Ask(e.ctx, c.Data, "onboarding", struct{}{}, nil)
	if err != nil {
		return fmt.Errorf("ask the server of %q where agents connect: %w", c.Data, err)
	}
	var on server.Onboarding
	if err := json.Unmarshal(raw, &on); err != nil {
		return fmt.Errorf("ask the server of %q where agents connect: %w", c.Data, err)
	}
	opt.Server, opt.CA, opt.Dir = on.ServerURL, []byte(on.CAPEM), c.State
	if opt.Dir == "" {
		opt.Dir = simulatedDir(c.Data)
	}
	opt.Token = func(ctx context.Context) (string, error) {
		var secret string
		raw, err := server.Ask(ctx, c.Data, "enroll-token create", server.EnrollTokenArgs{Note: "simulated devices", MaxUses: c.Devices, Hours: 24}, nil)
		if err == nil {
			err = json.Unmarshal(raw, &secret)
		}
		return secret, err
	}
	return nil
}

// simulatedDir is where the simulated devices of a server keep their keys.
func simulatedDir(data string) string { return filepath.Join(data, "simulated") }

// The exit codes of "picket simulate", and of commands that ask a server, beside
// the common ones; they mean what they mean in picket-agent.
const (
	exitState    = 3
	exitRefused  = 4
	exitNoServer = 5
)

// simulateCode is the exit code of an error of package simulate, 0 for others.
func simulateCode(err error) int {
	_, refused := errors.AsType[*protocol.RefusedError](err)
	switch {
	case errors.Is(err, simulate.ErrState):
		return exitState
	case refused:
		return exitRefused
	case errors.Is(err, simulate.ErrUnreached):
		return exitNoServer
	}
	return 0
}
