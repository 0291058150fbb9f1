package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestClockJumps sets the clock of a real kernel, in a virtual machine, while its
// agent runs: an hour on, more than a day back, right again. What happens on the
// machine is in the timeline once and in order, at the time at which it happened
// and with what the machine's clock said, and the timeline tells how far off the
// clock is. A server that comes back finds the agent again, whatever its clock.
func TestClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("it boots a virtual machine, which takes some seconds")
	}
	if what := rig.VMNeeds(); what != "" {
		skip(t, "%s", what)
	}
	v := newClock(t, nil)
	type stretch struct {
		off      time.Duration // how far the machine's clock is off, as we set it
		from, to int           // programs that ran then
		began    time.Time
		ended    time.Time
	}
	var all []stretch
	n := 0
	for i, off := range []time.Duration{0, time.Hour, -25 * time.Hour, 0} {
		if i > 0 {
			v.set(off)
		}
		if off < 0 { // the certificates of today are not valid yet, by this clock
			v.srv.Kill()
			if err := v.srv.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			v.listens()
		}
		s := stretch{off: off, from: n, began: time.Now()}
		n += 20
		v.run(fmt.Sprintf("for i in $(seq %d %d); do /bin/true probe-$i-; done", s.from, n-1))
		s.to, s.ended = n, time.Now()
		all = append(all, s)
		v.seen(n)
		if skew := v.skew(); math.Abs(skew+off.Seconds()) > 6 {
			t.Errorf("a clock that is %s off is said to be put right by %.1f s", off, skew)
		}
	}
	rows := v.seen(n)
	const slack = 4 * time.Second // the emulated clock is not this machine's
	for i := 1; i < n; i++ {
		if !rows[i].Time.After(rows[i-1].Time) {
			t.Errorf("program %d is at %s, the one before it at %s", i, rows[i].Time, rows[i-1].Time)
		}
	}
	for _, s := range all {
		for i := s.from; i < s.to; i++ {
			if at := rows[i].Time; at.Before(s.began.Add(-slack)) || at.After(s.ended.Add(slack)) {
				t.Errorf("program %d ran between %s and %s and is at %s", i, s.began, s.ended, at)
			}
			if off := rows[i].HostTime.Sub(rows[i].Time) - s.off; off.Abs() > slack {
				t.Errorf("program %d: the host's own clock is %s from what was set", i, off)
			}
		}
	}
	var line struct {
		Complete bool
		Missing  []any
	}
	if err := v.client.Get(t.Context(), "/api/x/devices/"+v.id+"/timeline", &line); err != nil || !line.Complete {
		t.Errorf("missing %v, %v", line.Missing, err)
	}
	t.Log(v.run("cat /run/agent.log"))
}

// clock is a virtual machine with an agent.
type clock struct {
	*testing.T
	vm     *rig.VM
	srv    *rig.Server
	client *rig.Client
	id     string
}

// newClock boots one, with more files on its disk.
func newClock(t *testing.T, files map[string]string) *clock {
	t.Helper()
	dir := t.TempDir()
	bins, err := rig.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	v := &clock{T: t}
	if v.srv, err = bins.StartServer(t.Context(), filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.srv.Stop() }) // the one that runs by then
	if v.client, err = v.srv.Client(t.Context()); err != nil {
		t.Fatal(err)
	}
	token, err := v.srv.Admin(t.Context(), "enroll-token create")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	disk := map[string]string{"usr/bin/picket-agent": bins.Agent, "etc/ca.pem": filepath.Join(v.srv.Dir, "ca.pem")}
	maps.Copy(disk, files)
	if v.vm, err = rig.BootVM(t.Context(), dir, disk); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.vm.Kill)
	t.Logf("%s: booted Linux %s", time.Since(began).Round(time.Millisecond), v.run("uname -r"))
	v.set(0)
	v.run("picket-agent run --server " + v.srv.AgentURL + " --ca /etc/ca.pem --state /var/lib/picket-agent --token " + strings.TrimSpace(string(token)) + " >/run/agent.log 2>&1 &")
	v.wait("the device", func() error {
		devices, err := v.client.Devices(t.Context())
		if err == nil && (len(devices) != 1 || !devices[0].Connected) {
			err = fmt.Errorf("devices %+v", devices)
		}
		if err == nil {
			v.id = devices[0].ID
		}
		return err
	})
	v.listens()
	return v
}

// run runs a line of shell on the machine, which must succeed, and returns its output.
func (v *clock) run(line string) string {
	v.Helper()
	out, err := v.vm.Run(v.Context(), line)
	if err != nil {
		v.Fatalf("%v\n%s", err, v.vm.Log())
	}
	return out
}

func (v *clock) wait(what string, ok func() error) {
	v.Helper()
	var last error
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if last = ok(); last == nil {
			return
		}
	}
	v.Fatalf("waited for %s: %v\n%s", what, last, v.run("cat /run/agent.log"))
}

// set sets the machine's clock to a time that is so far from the right one.
func (v *clock) set(off time.Duration) {
	v.Helper()
	v.run(fmt.Sprintf("date -s @%d", time.Now().Add(off).Unix()))
}

// listens waits until what happens on the machine gets to the server.
func (v *clock) listens() {
	v.Helper()
	probe := fmt.Sprintf("listens-%d-", time.Now().UnixNano())
	v.wait("the agent", func() error {
		v.run("/bin/true " + probe)
		var line struct{ Items []struct{} }
		err := v.client.Get(v.Context(), "/api/x/devices/"+v.id+"/timeline?action=ProcessCreated&q="+probe, &line)
		if err == nil && len(line.Items) == 0 {
			err = errors.New("no program of it is in the timeline")
		}
		return err
	})
}

// skew is what is added to the times of the machine's clock, in seconds.
func (v *clock) skew() float64 {
	v.Helper()
	var line struct {
		Skew float64 `json:"skew_seconds"`
	}
	if err := v.client.Get(v.Context(), "/api/x/devices/"+v.id+"/timeline", &line); err != nil {
		v.Fatal(err)
	}
	return line.Skew
}

type happened struct {
	Time     time.Time
	HostTime time.Time `json:"host_time"`
}

// seen waits until the first n programs are in the timeline, each once.
func (v *clock) seen(n int) []happened {
	v.Helper()
	rows := make([]happened, n)
	v.wait("the programs", func() error {
		res, err := v.client.Stream(v.Context(), "/api/x/devices/"+v.id+"/timeline/export?format=jsonl&action=ProcessCreated&q="+url.QueryEscape("/bin/true probe-"))
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		times := map[int]int{}
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			var e struct {
				happened
				Fields map[string]any
			}
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				return err
			}
			var i int
			text, _ := e.Fields["ProcessCommandLine"].(string)
			if _, err := fmt.Sscanf(text, "/bin/true probe-%d-", &i); err == nil && i < n {
				times[i]++
				rows[i] = e.happened
			}
		}
		for i := range n {
			if times[i] != 1 {
				return fmt.Errorf("program %d is there %d times", i, times[i])
			}
		}
		return nil
	})
	return rows
}
