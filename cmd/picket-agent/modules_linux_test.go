package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

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
	v := newClock(t, map[string]string{"extra/dummy.ko": module})
	v.run("insmod /extra/dummy.ko")
	v.action("DriverLoad", "FileName", "dummy")
	v.run("rmmod dummy")
	v.action("DriverUnload", "FileName", "dummy")
	started := v.action("SensorStarted", "Source", "ebpf")
	if reason, _ := started["Reason"].(string); !strings.Contains(reason, "no UDP") {
		t.Errorf("%v", started)
	}
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
