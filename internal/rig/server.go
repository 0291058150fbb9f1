package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Server is a server on loopback that can be killed and started again on the
// same addresses and data.
type Server struct {
	*Process
	Dir       string // data directory
	URL       string // of the console's listener
	AgentURL  string // of the agent listener
	bins      Bins
	listen    string
	agentAddr string
}

// StartServer starts "picket server" on free loopback ports and waits until it answers.
func (b Bins) StartServer(ctx context.Context, dir string) (*Server, error) {
	return b.StartServerAt(ctx, dir, "")
}

// StartServerAt is StartServer with the agent listener on a port of another
// address of this host, by which agents know it.
func (b Bins) StartServerAt(ctx context.Context, dir, addr string) (*Server, error) {
	listen, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	agents, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(agents)
	if err != nil {
		return nil, err
	}
	name := "localhost"
	if addr != "" {
		agents, name = net.JoinHostPort(addr, port), addr
	}
	s := &Server{Dir: dir, URL: "http://" + listen, AgentURL: "https://" + net.JoinHostPort(name, port), bins: b, listen: listen, agentAddr: agents}
	return s, s.Start(ctx)
}

// Start starts the server again after Kill or Stop and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	p, err := start(filepath.Join(filepath.Dir(s.Dir), filepath.Base(s.Dir)+".log"), s.bins.Picket,
		[]string{"server", "--data", s.Dir, "--listen", s.listen, "--agent-listen", s.agentAddr})
	if err != nil {
		return err
	}
	s.Process = p
	up, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // one that ended will not answer
		select {
		case <-p.Done():
			cancel()
		case <-up.Done():
		}
	}()
	err = Wait(up, 2*time.Minute, 20*time.Millisecond, func(ctx context.Context) (bool, error) {
		select {
		case <-p.Done():
			return false, fmt.Errorf("the server ended: %w", p.Err())
		default:
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
		if err != nil {
			return false, err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err
		}
		return res.StatusCode == http.StatusOK, res.Body.Close()
	})
	if err != nil {
		text := p.Log()
		p.Kill()
		return fmt.Errorf("start server: %w\n%s", err, text)
	}
	return nil
}

// Admin runs "picket VERB… --data DIR ARGS…" and returns its stdout.
func (s *Server) Admin(ctx context.Context, verb string, args ...string) ([]byte, error) {
	return s.bins.Admin(ctx, s.Dir, verb, args...)
}

// Admin runs "picket VERB… --data DIR ARGS…" and returns its stdout. The server may run or not.
func (b Bins) Admin(ctx context.Context, dir, verb string, args ...string) ([]byte, error) {
	return Run(ctx, b.Picket, append(append(strings.Fields(verb), "--data", dir), args...)...)
}

// AgentOptions are what may differ between agents.
type AgentOptions struct {
	Root string // another file system to inventory; empty: this host
}

// Agent is an agent that can be killed and started again on the same state.
type Agent struct {
	*Process
	State string
	bins  Bins
	args  []string
}

// StartAgent enrols a new agent at a server with a fresh token and starts it. It
// does not wait for the enrolment.
func (b Bins) StartAgent(ctx context.Context, s *Server, state string, opt AgentOptions) (*Agent, error) {
	token, err := s.Admin(ctx, "enroll-token create")
	if err != nil {
		return nil, err
	}
	args := []string{"run", "--server", s.AgentURL, "--ca", filepath.Join(s.Dir, "ca.pem"), "--state", state}
	if opt.Root != "" {
		args = append(args, "--root", opt.Root)
	}
	a := &Agent{State: state, bins: b, args: args}
	return a, a.start("--token", strings.TrimSpace(string(token)))
}

// Start starts the agent again after Kill or Stop; its state holds its identity.
func (a *Agent) Start() error { return a.start() }

func (a *Agent) start(more ...string) error {
	log := filepath.Join(filepath.Dir(a.State), filepath.Base(a.State)+".log")
	p, err := start(log, a.bins.Agent, append(append([]string{}, a.args...), more...))
	if err != nil {
		return err
	}
	a.Process = p
	return nil
}
