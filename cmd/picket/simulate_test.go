package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/picketsec/picket/internal/demo"
)

// simulated is what "picket simulate" prints.
type simulated struct {
	Devices, Settled, Enrolled, Errors, Rejected int
}

// simulateHere runs simulated devices against a running server to their end.
func simulateHere(t *testing.T, r *rig, args ...string) simulated {
	t.Helper()
	var sum simulated
	out := picket(t, append([]string{"simulate", "--data", r.data, "--rate", "0"}, args...)...)
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return sum
}

// startDemoServer is startServer with demo intelligence: a demo without devices.
func startDemoServer(t *testing.T) *rig {
	t.Helper()
	r := startServer(t)
	feed := filepath.Join(t.TempDir(), "demo.json")
	if err := os.WriteFile(feed, demo.Intelligence(), 0o600); err != nil {
		t.Fatal(err)
	}
	picket(t, "intel", "import", "--data", r.data, feed)
	return r
}

// Fifty devices over sockets, through both programs: all are in the API, from
// clean to terrible; the next run continues with the same ones.
func TestSimulate(t *testing.T) {
	r := startDemoServer(t)
	sum := simulateHere(t, r, "--devices", "50", "--once")
	if sum != (simulated{Devices: 50, Settled: 50, Enrolled: 50}) {
		t.Errorf("summary %+v, want 50 devices without errors", sum)
	}
	var page struct {
		Total int
		Items []struct {
			Tags                []string
			Weaknesses, Fixable int
			KEV                 int
		}
	}
	if code := r.get("/api/x/devices?size=100", &page); code != http.StatusOK || page.Total != 50 || len(page.Items) != 50 {
		t.Fatalf("devices: %d, %d of %d, want all 50", code, len(page.Items), page.Total)
	}
	clean, terrible, kev := 0, 0, 0
	for _, d := range page.Items {
		if !slices.Equal(d.Tags, []string{"simulated"}) {
			t.Errorf("tags %q, want simulated", d.Tags)
		}
		if d.Fixable == 0 {
			clean++
		}
		if d.Weaknesses > 40 {
			terrible++
		}
		if d.KEV > 0 {
			kev++
		}
	}
	if clean < 3 || terrible < 3 || kev < 5 {
		t.Errorf("of 50 devices %d are clean, %d terrible and %d have known exploited weaknesses, want some of each", clean, terrible, kev)
	}
	before := r.ids("/api/machines")
	if sum := simulateHere(t, r, "--devices", "50", "--once"); sum != (simulated{Devices: 50, Settled: 50}) {
		t.Errorf("second run %+v, want 50 devices without enrolment", sum)
	}
	if after := r.ids("/api/machines"); !slices.Equal(before, after) {
		t.Errorf("devices after the second run are others: %d and %d", len(before), len(after))
	}
}

// The demo's devices are the same ones after a restart.
func TestDemoSimulated(t *testing.T) {
	r := &rig{t: t, data: filepath.Join(t.TempDir(), "demo"), console: freePort(t), agent: freePort(t)}
	var ids [2][]string
	for i := range ids {
		r.stderr = &lockedBuffer{}
		r.cmd = exec.Command(filepath.Join(binaries(t), "picket"), "demo", "--no-agent", "--simulated", "3", "--data", r.data, "--listen", r.console, "--agent-listen", r.agent)
		r.cmd.Stderr = r.stderr
		if err := r.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the demo answers", func() bool {
			resp, err := http.Get("http://" + r.console + "/healthz")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
		r.authorise()
		eventually(t, "three devices connected", func() bool {
			var page struct {
				Items []struct {
					ID        string
					Connected bool
					Software  int
				}
			}
			r.get("/api/x/devices?tag=simulated", &page)
			ids[i] = nil
			for _, d := range page.Items {
				if d.Connected && d.Software > 0 {
					ids[i] = append(ids[i], d.ID)
				}
			}
			return len(ids[i]) == 3
		})
		r.stop()
		slices.Sort(ids[i])
	}
	if !slices.Equal(ids[0], ids[1]) {
		t.Errorf("devices %v, after a restart %v", ids[0], ids[1])
	}
	if info, err := os.Stat(simulatedDir(r.data)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of the keys: %v, %v, want mode 0700", info, err)
	}
}

// Ctrl-C ends a simulation in order, with its summary.
func TestSimulateInterrupted(t *testing.T) {
	r := startServer(t)
	cmd := exec.Command(filepath.Join(binaries(t), "picket"), "simulate", "--server", "https://"+r.agent, "--ca", filepath.Join(r.data, "ca.pem"),
		"--token", picket(t, "enroll-token", "create", "--data", r.data, "--uses", "3"), "--state", filepath.Join(t.TempDir(), "state"), "--devices", "3", "--speed", "86400")
	var stdout bytes.Buffer
	var stderr lockedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three devices to settle", func() bool { return strings.Contains(stderr.String(), "all devices have delivered") })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v: %s", err, &stderr)
	}
	var sum simulated
	if err := json.Unmarshal(stdout.Bytes(), &sum); err != nil || sum.Settled != 3 || sum.Errors != 0 {
		t.Errorf("summary %s (%v), want three devices without errors", &stdout, err)
	}
}

// What goes wrong has the exit code that docs/exit-codes.md says.
func TestSimulateCodes(t *testing.T) {
	r := startServer(t)
	ca, state := filepath.Join(r.data, "ca.pem"), filepath.Join(t.TempDir(), "state")
	loose := t.TempDir()
	if err := os.Chmod(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	other := startServer(t)
	for _, tt := range []struct {
		code int
		text string
		args []string
	}{
		{exitUsage, "--server", nil},
		{exitUsage, "--ca", []string{"--server", "https://" + r.agent, "--ca", "/nonexistent"}},
		{exitUsage, "form https", []string{"--server", r.agent, "--ca", ca, "--state", state}},
		{exitUsage, "devices", []string{"--server", "https://" + r.agent, "--ca", ca, "--state", state, "--devices", "0"}},
		{exitUsage, "--start", []string{"--server", "https://" + r.agent, "--ca", ca, "--state", state, "--start", "tomorrow"}},
		{exitFailure, "no server is running", []string{"--data", filepath.Join(t.TempDir(), "none")}},
		{exitState, "only its owner", []string{"--server", "https://" + r.agent, "--ca", ca, "--state", loose}},
		{exitRefused, "token is not known", []string{"--server", "https://" + r.agent, "--ca", ca, "--state", state, "--token", "pkt_no"}},
		{exitRefused, "no enrolment token", []string{"--server", "https://" + r.agent, "--ca", ca, "--state", state}},
		{exitNoServer, "vouches", []string{"--server", "https://" + r.agent, "--ca", filepath.Join(other.data, "ca.pem"), "--state", state}},
	} {
		_, text, code := picketCode(t, append([]string{"simulate"}, tt.args...)...)
		if code != tt.code || !strings.Contains(text, tt.text) {
			t.Errorf("picket simulate %v: exit %d, %q, want %d and %q", tt.args, code, text, tt.code, tt.text)
		}
	}
}
