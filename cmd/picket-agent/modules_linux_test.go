package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestKernelModules loads and removes a module of a real kernel, in a virtual
// machine: both are in the timeline. That kernel does not tell of datagrams, and
// the agent says so and records the rest.
func TestKernelModules(t *testing.T) {
	if testing.Short() {
		t.Skip("it boots a virtual machine, which takes some seconds")
	}
	if what := rig.VMNeeds(); what != "" {
		skip(t, "%s", what)
	}
	module, err := rig.VMModule("drivers/net/dummy")
	if err != nil {
		t.Fatal(err)
	}
	brief, err := rig.VMModule("drivers/net/nlmon")
	if err != nil {
		t.Fatal(err)
	}
	v := newClock(t, map[string]string{"extra/dummy.ko": module, "extra/brief.ko": brief})
	v.run("insmod /extra/dummy.ko")
	v.action("DriverLoad", "FileName", "dummy")
	v.run("rmmod dummy")
	v.action("DriverUnload", "FileName", "dummy")
	// The kernel tells it at once: what is gone before anybody looks is told, with
	// who did it, and nothing is told twice.
	v.run("insmod /extra/brief.ko && rmmod nlmon")
	for _, action := range []string{"DriverLoad", "DriverUnload"} { // busybox is insmod and rmmod
		if e := v.action(action, "FileName", "nlmon"); e["InitiatingProcessFileName"] != "busybox" || e["Source"] != "ebpf" {
			t.Errorf("%s of %v", action, e)
		}
	}
	time.Sleep(11 * time.Second) // a look at /proc/modules is due each 10
	if n := v.count("DriverLoad") + v.count("DriverUnload"); n != 4 {
		t.Errorf("%d events of modules, want 4", n)
	}
	started := v.action("SensorStarted", "Source", "ebpf")
	if reason, _ := started["Reason"].(string); !strings.Contains(reason, "no UDP") {
		t.Errorf("%v", started)
	}
}

// count is how many events of an action there are.
func (v *clock) count(action string) int {
	v.Helper()
	var line struct{ Items []any }
	if err := v.client.Get(v.Context(), "/api/x/devices/"+v.id+"/timeline?size=100&action="+action, &line); err != nil {
		v.Fatal(err)
	}
	return len(line.Items)
}

// action waits for an event of an action with a text in a column, and returns
// its columns.
func (v *clock) action(action, column, text string) (fields map[string]any) {
	v.Helper()
	v.wait(action+" of "+text, func() error {
		var line struct {
			Items []struct{ Fields map[string]any }
		}
		if err := v.client.Get(v.Context(), "/api/x/devices/"+v.id+"/timeline?size=100&action="+action, &line); err != nil {
			return err
		}
		for _, e := range line.Items {
			if fmt.Sprint(e.Fields[column]) == text {
				fields = e.Fields
				return nil
			}
		}
		return errors.New("it is not in the timeline")
	})
	return fields
}
