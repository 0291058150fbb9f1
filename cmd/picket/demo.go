package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/demo"
	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/simulate"
)

// DemoCmd is "picket demo": what "make run" starts.
type DemoCmd struct {
	Data        string `env:"PICKET_DATA" help:"Data directory (default: picket/demo in the user's cache directory)."`
	Listen      string `env:"PICKET_LISTEN" help:"Address of the console (default 127.0.0.1:8680, another port when that one is taken)."`
	AgentListen string `env:"PICKET_AGENT_LISTEN" help:"Address of the agent listener (default 127.0.0.1:8681, another port when that one is taken)."`
	Simulated   int    `default:"30" help:"How many simulated devices to add, tagged \"simulated\"; 0: none."`
	NoAgent     bool   `help:"Do not enrol this machine."`
}

// enrolWait is how long the sign-in link waits for this machine's agent.
const enrolWait = 20 * time.Second

// Run serves until a signal ends it. Its last line on stdout is the sign-in link.
func (c *DemoCmd) Run(e *env) error {
	if c.Simulated < 0 || c.Simulated > maxDemoDevices {
		return server.Invalidf("--simulated", "%d is not between 0 and %d", c.Simulated, maxDemoDevices)
	}
	if c.Data == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("find a place for the data (give --data): %w", err)
		}
		c.Data = filepath.Join(cache, "picket", "demo")
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	logFile, err := os.OpenFile(filepath.Join(c.Data, "picket.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = logFile.Close() }()
	quiet := *e
	quiet.log = slog.New(slog.NewTextHandler(logFile, nil))

	cmd := &ServerCmd{Data: c.Data, Listen: pick(c.Listen, "127.0.0.1:8680"), AgentListen: pick(c.AgentListen, "127.0.0.1:8681")}
	l, err := cmd.bind()
	if err != nil {
		return err
	}
	s, err := server.Open(e.ctx, cmd.options(&quiet, l))
	if err != nil {
		return errors.Join(err, l.close())
	}
	_, _ = fmt.Fprintf(e.err, "Picket %s, demo. Data and log are in %s.\n", version, c.Data)
	err = c.serve(&quiet, s, cmd, l, logFile)
	return errors.Join(err, s.Close())
}

func (c *DemoCmd) serve(e *env, s *server.Server, cmd *ServerCmd, l *listeners, logFile *os.File) error {
	// Where devices will report, an earlier state comes first, so that the rest
	// is an update that the event timeline can tell of.
	intelligence, err := demo.Base()
	if c.NoAgent && c.Simulated == 0 {
		intelligence = demo.Intelligence()
	}
	if err == nil {
		err = s.LoadDemo(e.ctx, intelligence)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("load demo intelligence: %w", err), l.close())
	}
	g, ctx := errgroup.WithContext(e.ctx)
	g.Go(func() error { return cmd.serve(ctx, e, s, l) })
	enrolled := make(chan struct{})
	if c.NoAgent {
		close(enrolled)
	} else {
		g.Go(func() error { return c.agent(ctx, e, s, l, logFile) })
		g.Go(func() error {
			defer close(enrolled)
			return waitForDevice(ctx, e, s)
		})
	}
	g.Go(func() error {
		select {
		case <-ctx.Done():
			return nil
		case <-enrolled:
		}
		if c.Simulated == 0 {
			if err := c.update(ctx, e, s); err != nil {
				return err
			}
		} else {
			g.Go(func() error {
				waitForFleet(ctx, e, s, c.Simulated)
				err := c.update(ctx, e, s)
				raiseDemoAlerts(ctx, e, s)
				return err
			})
		}
		link, err := s.SignInLink(ctx)
		if err != nil {
			return fmt.Errorf("make a sign-in link: %w", err)
		}
		_, _ = fmt.Fprintln(e.err, "Press Ctrl-C to end it. Sign in here (the link works once):")
		if _, err = fmt.Fprintf(e.out, "%s/welcome#%s\n", l.consoleURL(), link); err != nil {
			return err
		}
		return c.fleet(ctx, e, s)
	})
	err = g.Wait()
	if e.ctx.Err() != nil {
		return nil
	}
	return err
}

// update loads the whole demo intelligence over its base.
func (c *DemoCmd) update(ctx context.Context, e *env, s *server.Server) error {
	if ctx.Err() != nil {
		return nil
	}
	if err := s.LoadDemo(ctx, demo.Intelligence()); err != nil && ctx.Err() == nil {
		return fmt.Errorf("load demo intelligence: %w", err)
	}
	e.log.InfoContext(ctx, "the demo intelligence is whole")
	return nil
}

// fleetWait is how long the update of the demo intelligence waits for the
// simulated devices.
const fleetWait = 2 * time.Minute

// waitForFleet waits until n simulated devices have reported their software.
func waitForFleet(ctx context.Context, e *env, s *server.Server, n int) {
	ctx, cancel := context.WithTimeout(ctx, fleetWait)
	defer cancel()
	have, err := waitForDevices(ctx, s, n, func(r *server.DeviceRow) bool { return r.Software > 0 && slices.Contains(r.Tags, simulate.Tag) })
	if err != nil || have < n {
		e.log.WarnContext(ctx, "not all simulated devices have reported", "reported", have, "error", err)
	}
}

// waitForDevices waits until n devices are as asked, or ctx ends; it returns how many are.
func waitForDevices(ctx context.Context, s *server.Server, n int, as func(*server.DeviceRow) bool) (int, error) {
	admin := server.Caller{Name: "demo", Admin: true}
	events, err := s.Subscribe(ctx, admin)
	if err != nil {
		return 0, err
	}
	for {
		p, err := s.Devices(ctx, admin, server.Query{Limit: 1}, as)
		if err != nil || p.Total >= n {
			return p.Total, err
		}
		if _, ok := <-events; !ok {
			return p.Total, nil
		}
	}
}

// agent runs this machine's agent as a process of its own until ctx ends.
func (c *DemoCmd) agent(ctx context.Context, e *env, s *server.Server, l *listeners, logFile *os.File) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find picket-agent: %w", err)
	}
	bin := filepath.Join(filepath.Dir(self), "picket-agent")
	if _, err := os.Stat(bin); err != nil {
		return fmt.Errorf("find picket-agent beside picket: %w (run \"make build\")", err)
	}
	token, _, err := s.CreateToken(ctx, server.Caller{Name: "demo", Admin: true}, "this machine", 1, 1)
	if err != nil {
		return fmt.Errorf("make an enrolment token: %w", err)
	}
	_, port, err := net.SplitHostPort(l.agents.Addr().String())
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, bin, "run", "--server", "https://localhost:"+port, "--ca", filepath.Join(c.Data, "ca.pem"),
		"--state", filepath.Join(c.Data, "agent"))
	cmd.Env = append(os.Environ(), "PICKET_TOKEN="+token)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("this machine's agent ended (its log is in %s): %w", logFile.Name(), orEnded(err))
}

// demoSpeed is how many times faster than the clock the simulated devices'
// days pass: a day takes a minute, so that something changes every few seconds.
const demoSpeed = 1440

// maxDemoDevices is how many simulated devices the demo takes: both ends of
// their connections are in this process.
const maxDemoDevices = 5000

// fleet runs the simulated devices until ctx ends. The demo goes on without
// them when they cannot be had.
func (c *DemoCmd) fleet(ctx context.Context, e *env, s *server.Server) error {
	if c.Simulated == 0 {
		return nil
	}
	admin := server.Caller{Name: "demo", Admin: true}
	on, err := s.Onboarding(ctx, admin)
	if err != nil {
		return err
	}
	local, err := simulate.ReadLocal(os.DirFS("/"))
	if err != nil {
		e.log.WarnContext(ctx, "devices are simulated without this machine's packages", "error", err)
	}
	sum, err := simulate.Run(ctx, simulate.Options{Server: on.ServerURL, CA: []byte(on.CAPEM), Dir: simulatedDir(c.Data), Devices: c.Simulated,
		Seed: 1, Connections: c.Simulated, Rate: 20, Speed: demoSpeed, Local: local, Version: version, Log: e.log,
		Token: func(ctx context.Context) (string, error) {
			token, _, err := s.CreateToken(ctx, admin, "simulated devices", c.Simulated, 1)
			return token, err
		}})
	if err != nil {
		e.log.ErrorContext(ctx, "the simulated devices have ended", "error", err, "settled", sum.Settled)
		_, _ = fmt.Fprintln(e.err, "There are no simulated devices: the log says why.")
	}
	return nil
}

func orEnded(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// waitForDevice waits until a device has reported its software.
func waitForDevice(ctx context.Context, e *env, s *server.Server) error {
	ctx, cancel := context.WithTimeout(ctx, enrolWait)
	defer cancel()
	have, err := waitForDevices(ctx, s, 1, func(r *server.DeviceRow) bool { return r.Software > 0 && !slices.Contains(r.Tags, simulate.Tag) })
	if err == nil && have == 0 {
		e.log.WarnContext(ctx, "this machine has not reported yet")
	}
	return err
}

// pick returns addr when it was given, else the usual address or, when that
// is taken, any free port of the same host.
func pick(addr, usual string) string {
	if addr != "" {
		return addr
	}
	ln, err := net.Listen("tcp", usual)
	if err != nil {
		host, _, _ := net.SplitHostPort(usual)
		return net.JoinHostPort(host, strconv.Itoa(0))
	}
	_ = ln.Close()
	return usual
}
