// Package rig runs the built binaries as a user would, for tests and
// benchmarks that need the real thing: it starts servers and agents on loopback,
// kills them, writes file system trees for agents to inventory, boots a host with
// systemd for a service to run on (BootHost), and asks the API.
//
//	bins, err := rig.Build(ctx, dir)
//	srv, err := bins.StartServer(ctx, dataDir)
//	defer srv.Stop()
//	agent, err := bins.StartAgent(ctx, srv, stateDir, rig.AgentOptions{Root: root})
//	c, err := srv.Client(ctx)
//	devices, err := c.Devices(ctx)
//
// It knows only what the contract promises: commands, files and addresses, no
// internals. Nothing here is linked into the product.
package rig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Bins are paths of the two binaries.
type Bins struct {
	Picket string
	Agent  string
}

// Module returns the folder of the module, found upwards from the working directory.
func Module() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod in or above %q", dir)
		}
	}
}

// Built returns the binaries that "make build" left in the folder dir.
func Built(dir string) (Bins, error) {
	b := Bins{Picket: filepath.Join(dir, "picket"), Agent: filepath.Join(dir, "picket-agent")}
	for _, p := range []string{b.Picket, b.Agent} {
		if _, err := os.Stat(p); err != nil {
			return Bins{}, fmt.Errorf("%w (run \"make build\")", err)
		}
	}
	return b, nil
}

// Build builds both binaries from the working tree into dir.
func Build(ctx context.Context, dir string) (Bins, error) {
	root, err := Module()
	if err != nil {
		return Bins{}, err
	}
	if err := look(root, "cmd", "internal", "web"); err != nil {
		return Bins{}, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/picket", "./cmd/picket-agent")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Bins{}, fmt.Errorf("build binaries: %w\n%s", err, out)
	}
	return Bins{Picket: filepath.Join(dir, "picket"), Agent: filepath.Join(dir, "picket-agent")}, nil
}

// look reads the folders of the sources. The go command remembers results of tests by
// the files that they looked at; what is built in another process it cannot see.
func look(root string, folders ...string) error {
	for _, f := range folders {
		err := filepath.WalkDir(filepath.Join(root, f), func(_ string, d fs.DirEntry, err error) error {
			if d != nil && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read sources: %w", err)
		}
	}
	return nil
}

// Run runs a binary to its end and returns what it wrote to stdout. The error
// holds the end of stderr.
func Run(ctx context.Context, name string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, tail(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

func tail(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return string(b)
}

// Process is a running program. Its methods are safe for concurrent use.
type Process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
	mu   sync.Mutex // guards err
	err  error
}

// start runs a program whose stdout and stderr are appended to the file log.
func start(log, name string, args []string, env ...string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(name, args...), log: f, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", filepath.Base(name), err), f.Close())
	}
	go func() {
		err := p.cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		_ = f.Close()
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the program ended: nil while it runs and when it exited with 0.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Kill ends the program as kill -9 does and waits for its end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the program to end, kills it after ten seconds, and waits for its end.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		p.Kill()
	}
}

// Log returns the end of what the program wrote.
func (p *Process) Log() string {
	f, err := os.Open(p.log.Name())
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > 4000 {
		_, _ = f.Seek(-4000, io.SeekEnd)
	}
	b, _ := io.ReadAll(f)
	return string(b)
}

// FreeAddr returns a loopback address that nobody listens on, and that no
// connection takes for its own end meanwhile: its port is below those that the
// kernel gives away.
func FreeAddr() (string, error) {
	var last error
	for range 100 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10000+rand.N(22000)))
		if err == nil {
			return ln.Addr().String(), ln.Close()
		}
		last = err
	}
	return "", fmt.Errorf("no port is free: %w", last)
}

// Wait asks ok every step until it reports true; it gives up when limit has passed
// or ctx ends, with what ok last said.
func Wait(ctx context.Context, limit, step time.Duration, ok func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(step)
	defer tick.Stop()
	var last error
	for {
		done, err := ok(ctx)
		if done && err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not so after %s", limit), last)
		case <-tick.C:
		}
	}
}
