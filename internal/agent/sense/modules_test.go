package sense

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

func moduleRecord(kind uint32, name string) []byte {
	b := make([]byte, headSize+64)
	binary.NativeEndian.PutUint64(b, uint64(Now()))
	binary.NativeEndian.PutUint32(b[40:], kind)
	binary.NativeEndian.PutUint16(b[82:], uint16(len(name)+1))
	copy(b[headSize:], name)
	return b
}

func TestParseModule(t *testing.T) {
	r, err := parseModule(moduleRecord(kernelLoaded, "dummy"))
	if err != nil || !r.loaded || r.name != "dummy" || r.pid != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	long := moduleRecord(kernelUnloaded, "dummy")
	binary.NativeEndian.PutUint16(long[82:], 65)
	for name, b := range map[string][]byte{"short": long[:headSize-1], "name beyond the end": long, "no name": moduleRecord(kernelLoaded, ""), "another type": moduleRecord(kernelSent, "x")} {
		if r, err := parseModule(b); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A module is told once for each time that it comes or goes, whoever is first to
// say so: the kernel's program or a look at /proc/modules.
func TestModulesAreToldOnce(t *testing.T) {
	dir := t.TempDir()
	sink := &taker{}
	h := &host{clock: NewClock(time.Time{}), sink: sink, procs: newTable(), users: newUsers("/")}
	look := &snapshotReader{snapshot: modules(dir, &h.modules), h: h}
	list := func(names ...string) {
		var b bytes.Buffer
		for _, n := range names {
			fmt.Fprintf(&b, "%s 16384 0 - Live 0x0\n", n)
		}
		if err := os.WriteFile(filepath.Join(dir, "modules"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		look.look("")
	}
	say := func(kind uint32, name string) {
		r, err := parseModule(moduleRecord(kind, name))
		if err != nil {
			t.Fatal(err)
		}
		h.moduleNews(&r)
	}
	list("old")
	say(kernelLoaded, "first") // told, then seen
	list("old", "first")
	list("old", "first", "late") // seen, then told
	say(kernelLoaded, "late")
	say(kernelLoaded, "brief") // never seen
	say(kernelUnloaded, "brief")
	say(kernelUnloaded, "old") // gone and there again between two looks
	say(kernelLoaded, "old")
	list("old", "first", "late")
	list("first", "late") // only seen
	say(kernelUnloaded, "old")
	say(kernelUnloaded, "first")
	list("late")
	list("late", "first") // told too late: it came again, as seen
	var got []string
	for _, e := range sink.all() {
		got = append(got, e.Action.String()+" "+e.Text(event.FileName)+" "+e.Text(event.Source))
	}
	equalLines(t, got, "DriverLoad first ebpf", "DriverLoad late files", "DriverLoad brief ebpf", "DriverUnload brief ebpf",
		"DriverUnload old ebpf", "DriverLoad old ebpf", "DriverUnload old files", "DriverUnload first ebpf", "DriverLoad first files")
}

// What the look tells is held back while the kernel's word is dealt with.
func TestModulesOfTwoSpeakers(t *testing.T) {
	dir := t.TempDir()
	sink := &taker{}
	h := &host{clock: NewClock(time.Time{}), sink: sink, procs: newTable(), users: newUsers("/")}
	look := &snapshotReader{snapshot: modules(dir, &h.modules), h: h}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			look.look("")
		}
	}()
	const n = 300
	for i := range n {
		name := fmt.Sprint("m", i)
		file := filepath.Join(dir, "modules")
		if err := os.WriteFile(file+".new", []byte(name+" 1 0 - Live 0x0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
		r, _ := parseModule(moduleRecord(kernelLoaded, name))
		h.moduleNews(&r)
	}
	stop()
	<-done
	loads := map[string]int{}
	for _, e := range sink.all() {
		if e.Action == event.KernelModuleLoaded {
			loads[e.Text(event.FileName)]++
		}
	}
	for i := range n {
		if c := loads[fmt.Sprint("m", i)]; c != 1 && i > 0 {
			t.Errorf("m%d is told %d times", i, c)
		}
	}
}

func equalLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("line %d is %q, want %q", i, got[i], want[i])
		}
	}
}
