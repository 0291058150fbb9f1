package rig_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// action is a machine action as the console's API has it.
type action struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Error    string `json:"error"`
	Waits    bool   `json:"waits"`
	Approval string `json:"approval"`
	Package  *struct {
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"package"`
}

// actions is a server with a real agent, and two administrators of it.
type actions struct {
	t        *testing.T
	srv      *rig.Server
	agent    *rig.Agent
	ann, ben *rig.Client
	browser  *http.Client // ben's
	device   string
}

func openActions(t *testing.T) *actions {
	ctx, dir := t.Context(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bins, err := rig.Build(ctx, dir)
	must(err)
	a := &actions{t: t}
	a.srv, err = bins.StartServer(ctx, filepath.Join(dir, "data"))
	must(err)
	t.Cleanup(func() { a.srv.Kill() })
	a.ann, err = a.srv.Console(ctx)
	must(err)
	var list []struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	must(a.ann.Get(ctx, "/api/x/user-groups", &list))
	admins := int64(0)
	for _, g := range list {
		if strings.HasPrefix(g.Name, "Administrator") {
			admins = g.ID
		}
	}
	if admins == 0 {
		t.Fatalf("no group of administrators: %+v", list)
	}
	var person struct {
		Secret string `json:"secret"`
	}
	must(a.ann.Send(ctx, http.MethodPost, "/api/x/people", map[string]any{"name": "ben", "user_groups": []int64{admins}}, &person))
	jar, err := cookiejar.New(nil)
	must(err)
	a.browser = &http.Client{Timeout: time.Minute, Jar: jar}
	a.ben = rig.With(a.srv.URL, a.browser)
	must(a.ben.Send(ctx, http.MethodPost, "/api/x/session/redeem", map[string]string{"token": person.Secret}, nil))
	tree, err := rig.NewTree(filepath.Join(dir, "root"), map[string]string{"alpha": "1.0-1"})
	must(err)
	a.agent, err = bins.StartAgent(ctx, a.srv, filepath.Join(dir, "state"), rig.AgentOptions{Root: tree.Root})
	must(err)
	t.Cleanup(func() { a.agent.Kill() })
	must(rig.Wait(ctx, 2*time.Minute, 50*time.Millisecond, func(ctx context.Context) (bool, error) {
		devices, err := a.ann.Devices(ctx)
		if err != nil || len(devices) != 1 {
			return false, err
		}
		a.device = devices[0].ID
		var kinds []struct {
			ID  string `json:"id"`
			Can bool   `json:"can"`
		}
		if err := a.ann.Get(ctx, "/api/x/devices/"+a.device+"/action-kinds", &kinds); err != nil {
			return false, err
		}
		for _, k := range kinds {
			if k.ID == "collect" && k.Can {
				return true, nil
			}
		}
		return false, nil
	}))
	return a
}

func (a *actions) ask(kind string) (out action, err error) {
	err = a.ann.Send(a.t.Context(), http.MethodPost, "/api/x/devices/"+a.device+"/actions", map[string]any{"kind": kind, "comment": "case 7"}, &out)
	return out, err
}

// becomes waits until an action has a status.
func (a *actions) becomes(id, status string) (out action) {
	a.t.Helper()
	err := rig.Wait(a.t.Context(), 3*time.Minute, 100*time.Millisecond, func(ctx context.Context) (bool, error) {
		err := a.ann.Get(ctx, "/api/x/machine-actions/"+id, &out)
		return out.Status == status, err
	})
	if err != nil {
		a.t.Fatalf("action %+v never was %s: %v\nagent: %s\nserver: %s", out, status, err, a.agent.Log(), a.srv.Log())
	}
	return out
}

// TestActionsOnARealAgent asks a real agent over the socket for what needs no
// change of this host: four eyes, lockdown, packages, and what survives when the
// agent or the server is killed.
func TestActionsOnARealAgent(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs once, without the race detector, which does not see programs of their own")
	}
	a := openActions(t)
	ctx := t.Context()
	refused := func(err error, status, words string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), status) || !strings.Contains(err.Error(), words) {
			t.Errorf("error %v, want %s and %q", err, status, words)
		}
	}
	// The agent says itself that it changes nothing of a host of which it inventories another root.
	_, err := a.ask("isolate")
	refused(err, "409", "--root")

	// Two administrators: the one who asks does not decide.
	if err := a.ann.Send(ctx, http.MethodPut, "/api/x/approval-policy", map[string]any{"rules": []any{map[string]any{"all_actions": true, "actions": []string{}, "all_devices": true, "groups": []int{}, "hours": 2}}}, nil); err != nil {
		t.Fatal(err)
	}
	one, err := a.ask("collect")
	if err != nil || one.Status != "Pending" || !one.Waits || one.Approval == "" {
		t.Fatalf("%+v, %v", one, err)
	}
	refused(a.ann.Send(ctx, http.MethodPost, "/api/x/approvals/"+one.Approval+"/approve", map[string]string{}, nil), "403", "")
	if err := a.ben.Send(ctx, http.MethodPost, "/api/x/approvals/"+one.Approval+"/approve", map[string]string{"note": "go on"}, nil); err != nil {
		t.Fatal(err)
	}
	one = a.becomes(one.ID, "Succeeded")
	a.checkPackage(one)

	// What waits outlives the server, and is cancelled by a lockdown, which denies more of it.
	two, err := a.ask("collect")
	if err != nil {
		t.Fatal(err)
	}
	a.srv.Kill()
	if err := a.srv.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if now := a.becomes(two.ID, "Pending"); !now.Waits {
		t.Errorf("after a restart: %+v", now)
	}
	if err := a.ann.Send(ctx, http.MethodPost, "/api/x/lockdown", map[string]string{"reason": "attack"}, nil); err != nil {
		t.Fatal(err)
	}
	a.becomes(two.ID, "Cancelled")
	_, err = a.ask("collect")
	refused(err, "403", "Lockdown")
	refused(a.ben.Send(ctx, http.MethodPost, "/api/x/approvals/"+two.Approval+"/approve", map[string]string{}, nil), "403", "Lockdown")
	for _, c := range []*rig.Client{a.ann, a.ben} {
		if err := c.Send(ctx, http.MethodPost, "/api/x/lockdown/lift", map[string]string{}, nil); err != nil {
			t.Fatal(err)
		}
	}

	// An agent that is away gets it when it comes.
	a.agent.Kill()
	three, err := a.ask("collect")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ben.Send(ctx, http.MethodPost, "/api/x/approvals/"+three.Approval+"/approve", map[string]string{}, nil); err != nil {
		t.Fatal(err)
	}
	a.becomes(three.ID, "Pending")
	if err := a.agent.Start(); err != nil {
		t.Fatal(err)
	}
	a.checkPackage(a.becomes(three.ID, "Succeeded"))
}

// checkPackage downloads a package and looks at it.
func (a *actions) checkPackage(of action) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, a.srv.URL+"/api/x/machine-actions/"+of.ID+"/package", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := a.browser.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		a.t.Fatal(resp, err)
	}
	raw, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close() // it was read to its end
	if err != nil {
		a.t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if of.Package == nil || of.Package.Bytes != int64(len(raw)) || of.Package.SHA256 != hex.EncodeToString(sum[:]) || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") {
		a.t.Errorf("%d bytes, %s, %+v", len(raw), resp.Header.Get("Content-Disposition"), of.Package)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || len(z.File) < 3 {
		a.t.Errorf("the package: %v", err)
	}
}
