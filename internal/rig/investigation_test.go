package rig_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestInvestigationByARealAgent has a real agent see a program of no package run on
// this host, raises an alert about it, and has it investigated: while it runs, and
// when it is gone.
func TestInvestigationByARealAgent(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs once, without the race detector, which does not see programs of their own")
	}
	if os.Geteuid() != 0 { // as who starts it sees the programs of all
		if os.Getenv("CI") == "true" {
			t.Fatal("only root sees the programs of all, and in CI this test may not be skipped")
		}
		t.Skip("only root sees the programs of all")
	}
	ctx, dir := t.Context(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bins, err := rig.Build(ctx, dir)
	must(err)
	srv, err := bins.StartServer(ctx, filepath.Join(dir, "data"))
	must(err)
	t.Cleanup(func() { srv.Kill() })
	ann, err := srv.Console(ctx)
	must(err)
	agent, err := bins.StartAgent(ctx, srv, filepath.Join(dir, "state"), rig.AgentOptions{})
	must(err)
	t.Cleanup(func() { agent.Kill() })
	wait := func(what string, ok func(ctx context.Context) (bool, error)) {
		t.Helper()
		if err := rig.Wait(ctx, 2*time.Minute, 200*time.Millisecond, ok); err != nil {
			t.Fatalf("%s: %v\nagent: %s\nserver: %s", what, err, agent.Log(), srv.Log())
		}
	}
	device := ""
	wait("the agent can investigate", func(ctx context.Context) (bool, error) {
		devices, err := ann.Devices(ctx)
		if err != nil || len(devices) != 1 {
			return false, err
		}
		device = devices[0].ID
		var kinds []struct {
			ID  string `json:"id"`
			Can bool   `json:"can"`
		}
		if err := ann.Get(ctx, "/api/x/devices/"+device+"/action-kinds", &kinds); err != nil {
			return false, err
		}
		for _, k := range kinds {
			if k.ID == "investigate" && k.Can {
				return true, nil
			}
		}
		return false, nil
	})
	raw, err := os.ReadFile("/bin/sleep")
	must(err)
	program := filepath.Join(dir, "picket-odd")
	must(os.WriteFile(program, raw, 0o755))
	var cmd *exec.Cmd
	stop := func() {
		if cmd != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	defer func() { stop() }()
	type event struct {
		ID   string    `json:"id"`
		Time time.Time `json:"time"`
	}
	var seen event
	wait("the agent tells of the program", func(ctx context.Context) (bool, error) {
		stop()
		cmd = exec.Command(program, "300")
		if err := cmd.Start(); err != nil {
			return false, err
		}
		for range 20 {
			var page struct {
				Items []event `json:"items"`
			}
			if err := ann.Get(ctx, "/api/x/devices/"+device+"/timeline?q=picket-odd", &page); err != nil {
				return false, err
			}
			if len(page.Items) > 0 {
				seen = page.Items[0]
				return true, nil
			}
			time.Sleep(200 * time.Millisecond) // between two looks: the event comes with the next batch
		}
		return false, nil
	})
	var raised struct {
		ID string `json:"id"`
	}
	must(ann.Send(ctx, http.MethodPost, "/api/x/alerts", map[string]any{"device_id": device, "event_id": seen.ID, "severity": "High", "title": "An odd program", "description": "d", "recommended_action": "r", "category": "Malware"}, &raised))
	type investigation struct {
		ID       string `json:"id"`
		State    string `json:"state"`
		Details  string `json:"details"`
		Active   bool   `json:"active"`
		Evidence []struct {
			Kind    string `json:"kind"`
			Name    string `json:"name"`
			Verdict string `json:"verdict"`
			Status  string `json:"status"`
			Reason  string `json:"reason"`
		} `json:"evidence"`
	}
	ends := func() (i investigation) {
		t.Helper()
		must(ann.Send(ctx, http.MethodPost, "/api/x/devices/"+device+"/investigations", map[string]any{"comment": "case 7", "alert": raised.ID}, &i))
		wait("the investigation ends", func(ctx context.Context) (bool, error) {
			err := ann.Get(ctx, "/api/x/investigations/"+i.ID, &i)
			return !i.Active, err
		})
		return i
	}
	is := func(i investigation, kind, want string) {
		t.Helper()
		for _, e := range i.Evidence {
			if e.Kind == kind && e.Name == program {
				if got := e.Verdict + " " + e.Status; got != want {
					t.Errorf("%s is %s, want %s: %s", kind, got, want, e.Reason)
				}
				return
			}
		}
		t.Errorf("no %s among %+v", kind, i)
	}
	one := ends()
	is(one, "File", "Suspicious Active")
	is(one, "Process", "Suspicious Active")
	if one.State != "PartiallyInvestigated" {
		t.Errorf("%+v", one)
	}
	stop()
	cmd = nil
	must(os.Remove(program))
	two := ends()
	is(two, "File", "Unknown NotFound")
	is(two, "Process", "Unknown NotFound")
}
