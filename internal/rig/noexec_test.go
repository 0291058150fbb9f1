package rig_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestAgentWithoutActionsRefuses builds the agent with the tag noexec and asks a
// real server for every action on its device: none is asked of it, and whoever
// asks is told why.
func TestAgentWithoutActionsRefuses(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bins, err := rig.Build(ctx, dir)
	must(err)
	root, err := rig.Module()
	must(err)
	bins.Agent = filepath.Join(dir, "picket-agent-noexec")
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "noexec", "-o", bins.Agent, "./cmd/picket-agent")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	version, err := rig.Run(ctx, bins.Agent, "version")
	must(err)
	if !strings.Contains(string(version), "without response actions") {
		t.Errorf("it calls itself %s", version)
	}
	srv, err := bins.StartServer(ctx, filepath.Join(dir, "data"))
	must(err)
	t.Cleanup(func() { srv.Kill() })
	console, err := srv.Console(ctx)
	must(err)
	tree, err := rig.NewTree(filepath.Join(dir, "root"), map[string]string{"alpha": "1.0-1"})
	must(err)
	agent, err := bins.StartAgent(ctx, srv, filepath.Join(dir, "state"), rig.AgentOptions{Root: tree.Root})
	must(err)
	t.Cleanup(func() { agent.Kill() })
	type kind struct {
		ID     string `json:"id"`
		Can    bool   `json:"can"`
		Reason string `json:"why_not"`
	}
	var device string
	var kinds []kind
	const why = "built without response actions"
	must(rig.Wait(ctx, 2*time.Minute, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		devices, err := console.Devices(ctx)
		if err != nil || len(devices) != 1 || !devices[0].Connected {
			return false, err
		}
		device = devices[0].ID
		kinds = nil
		if err := console.Get(ctx, "/api/x/devices/"+device+"/action-kinds", &kinds); err != nil {
			return false, err
		}
		for _, k := range kinds {
			if strings.Contains(k.Reason, why) {
				return true, nil
			}
		}
		return false, nil
	}))
	for _, k := range kinds {
		if k.ID == "check-in" { // which makes it look again at what it reports anyway
			continue
		}
		if k.Can || !strings.Contains(k.Reason, why) {
			t.Errorf("%+v", k)
		}
		err := console.Send(ctx, http.MethodPost, "/api/x/devices/"+device+"/actions", map[string]any{"kind": k.ID, "comment": "case 7", "scope": map[string]string{"scan": "Quick"}[k.ID]}, nil)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s is taken: %v", k.ID, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "state", "isolation.json")); !os.IsNotExist(err) {
		t.Errorf("the agent keeps something of an isolation: %v", err)
	}
	if out, err := rig.Run(ctx, bins.Agent, "release", "--state", filepath.Join(dir, "state")); err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("release: %s, %v", out, err)
	}
}
