package rig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/rig"
)

// rounds is how often the crash test kills: 100, fewer with -short, or what
// PICKET_CRASH_ROUNDS says.
func rounds(t *testing.T) int {
	if text := os.Getenv("PICKET_CRASH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("PICKET_CRASH_ROUNDS=%q is no number of rounds", text)
		}
		return n
	}
	if testing.Short() {
		return 5
	}
	return 100
}

// crash is one server and one agent over a tree that changes.
type crash struct {
	t      *testing.T
	ctx    context.Context
	rng    *rand.Rand
	srv    *rig.Server
	agent  *rig.Agent
	tree   *rig.Tree
	client *rig.Client
	device string
}

// TestKill kills the agent or the server at random moments while packages
// change. After that the server's state is the tree's, exactly: nothing that
// was acknowledged is lost, nothing is doubled.
func TestKill(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("PICKET_CRASH_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	t.Logf("PICKET_CRASH_SEED=%d repeats this run", seed)
	bins, err := rig.Build(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{"alpha": "1.0-1"}
	for i := range 300 {
		packages[fmt.Sprintf("pack%03d", i)] = "1.0-1"
	}
	c := &crash{t: t, ctx: ctx, rng: rand.New(rand.NewPCG(seed, 7))}
	if c.tree, err = rig.NewTree(filepath.Join(dir, "root"), packages); err != nil {
		t.Fatal(err)
	}
	if c.srv, err = bins.StartServer(ctx, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.srv.Kill() })
	c.importIntelligence(dir)
	if c.client, err = c.srv.Client(ctx); err != nil {
		t.Fatal(err)
	}
	if c.agent, err = bins.StartAgent(ctx, c.srv, filepath.Join(dir, "state"), rig.AgentOptions{Root: c.tree.Root}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.stop)
	c.converge("enrolment")

	n := rounds(t)
	for i := 1; i <= n; i++ {
		c.round(i)
		if i%10 == 0 || i == n {
			c.converge(fmt.Sprintf("round %d", i))
			c.keeps(i)
		}
	}
	c.closedOnce()
}

// importIntelligence loads one flaw of the package alpha, so that findings come and go.
func (c *crash) importIntelligence(dir string) {
	c.t.Helper()
	file := filepath.Join(dir, "tracker.json")
	raw, err := json.Marshal(map[string]any{"alpha": map[string]any{"CVE-2024-99001": map[string]any{
		"scope": "remote", "description": "flaw of a test", "releases": map[string]any{"bookworm": map[string]any{
			"status": "resolved", "repositories": map[string]string{"bookworm": "2.0-1"}, "fixed_version": "2.0-1", "urgency": "not yet assigned",
		}}}}})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.srv.Admin(c.ctx, "intel import", file); err != nil {
		c.t.Fatal(err)
	}
}

// round changes packages and kills one of the two somewhere in between.
func (c *crash) round(i int) {
	c.t.Helper()
	c.change(i)
	c.pause(400 * time.Millisecond)
	if c.rng.IntN(2) == 0 {
		c.agent.Kill()
		if c.rng.IntN(2) == 0 {
			c.change(i)
		}
		if err := c.agent.Start(); err != nil {
			c.t.Fatalf("round %d: %v", i, err)
		}
	} else {
		c.srv.Kill()
		if c.rng.IntN(2) == 0 {
			c.change(i)
		}
		if err := c.srv.Start(c.ctx); err != nil {
			c.t.Fatalf("round %d: %v", i, err)
		}
	}
	c.pause(400 * time.Millisecond)
}

// pause lets a random time pass: the moment of the kill is what is tested.
func (c *crash) pause(limit time.Duration) {
	select {
	case <-time.After(time.Duration(c.rng.Int64N(int64(limit)))):
	case <-c.ctx.Done():
	}
}

// change installs, removes and upgrades some packages at once.
func (c *crash) change(i int) {
	c.t.Helper()
	p := c.tree.Packages
	for range 1 + c.rng.IntN(5) {
		name := fmt.Sprintf("pack%03d", c.rng.IntN(300))
		if _, there := p[name]; there && c.rng.IntN(3) == 0 {
			delete(p, name)
		} else {
			p[name] = fmt.Sprintf("%d.%d-1", i+1, c.rng.IntN(1000))
		}
	}
	p["alpha"] = []string{"1.0-1", "2.0-1"}[c.rng.IntN(2)]
	if err := c.tree.Write(); err != nil {
		c.t.Fatal(err)
	}
}

// differs compares the server's state with the tree.
func (c *crash) differs(ctx context.Context) (string, error) {
	devices, err := c.client.Devices(ctx)
	if err != nil {
		return "", err
	}
	if len(devices) != 1 {
		return fmt.Sprintf("%d devices, want one: %v", len(devices), devices), nil
	}
	if c.device != "" && devices[0].ID != c.device {
		return fmt.Sprintf("device %s became %s", c.device, devices[0].ID), nil
	}
	got, err := c.client.Software(ctx, devices[0].ID)
	if err != nil {
		return "", err
	}
	want := 0
	if c.tree.Packages["alpha"] == "1.0-1" {
		want = 1
	}
	if diff := cmp.Diff(c.tree.Packages, got); diff != "" {
		return "software (-tree +server):\n" + diff, nil
	}
	if devices[0].Weaknesses != want {
		return fmt.Sprintf("%d weaknesses, want %d", devices[0].Weaknesses, want), nil
	}
	c.device = devices[0].ID
	return "", nil
}

// converge waits until the server's state is the tree's.
func (c *crash) converge(when string) {
	c.t.Helper()
	last := ""
	err := rig.Wait(c.ctx, 40*time.Second, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		diff, err := c.differs(ctx)
		if err == nil {
			last = diff
		}
		return err == nil && diff == "", err
	})
	if err != nil {
		c.t.Fatalf("after %s the server does not agree with the tree: %v\n%s\nagent: %s\nserver: %s", when, err, last, c.agent.Log(), c.srv.Log())
	}
}

// keeps kills the server while the agent is away: what it had acknowledged must
// be there when it comes back, without the agent's help.
func (c *crash) keeps(i int) {
	c.t.Helper()
	c.agent.Kill()
	c.srv.Kill()
	if err := c.srv.Start(c.ctx); err != nil {
		c.t.Fatalf("round %d: %v", i, err)
	}
	diff, err := c.differs(c.ctx)
	if err != nil || diff != "" {
		c.t.Fatalf("round %d: acknowledged state is lost: %v\n%s", i, err, diff)
	}
	if err := c.agent.Start(); err != nil {
		c.t.Fatalf("round %d: %v", i, err)
	}
}

// stop ends the agent once it is up: the control group that a killed one has
// left goes with the next that ends by itself.
func (c *crash) stop() {
	err := rig.Wait(context.WithoutCancel(c.ctx), 30*time.Second, 20*time.Millisecond, func(ctx context.Context) (bool, error) {
		devices, err := c.client.Devices(ctx)
		return len(devices) == 1 && devices[0].Connected, err
	})
	if err != nil {
		c.t.Errorf("the agent does not come back: %v", err)
	}
	c.agent.Stop()
}

// closedOnce holds that no finding was closed twice.
func (c *crash) closedOnce() {
	c.t.Helper()
	rows, err := rig.All[map[string]any](c.ctx, c.client, "/api/x/devices/"+c.device+"/closed")
	if err != nil {
		c.t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		text := fmt.Sprint(r["id"], r["software"], r["version"], r["first_seen"], r["closed_at"])
		if seen[text] {
			c.t.Errorf("closed twice: %v of %v", text, slices.Sorted(maps.Keys(r)))
		}
		seen[text] = true
	}
	c.t.Logf("%d findings closed on the way", len(rows))
}
