package agent

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeGroups is a tree of control groups of version 2 as the kernel keeps it:
// files come with groups and controllers, and a group that holds processes
// passes no controllers on. Files of version 1 are given.
type fakeGroups struct {
	files map[string]string
}

var _ controlFS = fakeGroups{}

const fakeTop = "/cg"

var fakeFiles = map[string]string{"cpu": "cpu.max", "memory": "memory.max", "pids": "pids.max"}

func (f fakeGroups) ReadFile(name string) ([]byte, error) {
	text, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

func (f fakeGroups) Mkdir(dir string) error {
	switch {
	case f.files[path.Join(path.Dir(dir), "cgroup.procs")] == "" && !f.isGroup(path.Dir(dir)):
		return fs.ErrNotExist
	case f.isGroup(dir):
		return fs.ErrExist
	}
	f.files[dir+"/cgroup.procs"] = ""
	f.files[dir+"/cgroup.subtree_control"] = ""
	for c := range strings.FieldsSeq(f.files[path.Dir(dir)+"/cgroup.subtree_control"]) {
		f.files[dir+"/"+fakeFiles[c]] = "max"
	}
	return nil
}

func (f fakeGroups) isGroup(dir string) bool {
	_, ok := f.files[dir+"/cgroup.procs"]
	return ok
}

// Remove takes a group away, as rmdir does: only without processes and groups.
func (f fakeGroups) Remove(dir string) error {
	for name := range f.files {
		if path.Dir(path.Dir(name)) == dir {
			return syscall.EBUSY
		}
	}
	if f.files[dir+"/cgroup.procs"] != "" {
		return syscall.EBUSY
	}
	maps.DeleteFunc(f.files, func(name, _ string) bool { return path.Dir(name) == dir })
	return nil
}

func (f fakeGroups) WriteFile(name, text string) error {
	if _, ok := f.files[name]; !ok {
		return fs.ErrNotExist
	}
	dir := path.Dir(name)
	switch path.Base(name) {
	case "cgroup.procs":
		if dir != fakeTop && f.files[dir+"/cgroup.subtree_control"] != "" {
			return syscall.EBUSY
		}
		for other, procs := range f.files {
			if path.Base(other) == "cgroup.procs" {
				list := slices.DeleteFunc(strings.Fields(procs), func(p string) bool { return p == text })
				f.files[other] = strings.Join(list, "\n")
			}
		}
		f.files[name] = strings.TrimSpace(f.files[name] + "\n" + text)
	case "cgroup.subtree_control":
		return f.pass(dir, text[1:], text[0] == '+')
	default:
		f.files[name] = text
	}
	return nil
}

// pass lets a group pass a controller on, or ends that.
func (f fakeGroups) pass(dir, controller string, on bool) error {
	have := strings.Fields(f.files[dir+"/cgroup.subtree_control"])
	has := slices.Contains(have, controller)
	switch {
	case on && !slices.Contains(strings.Fields(f.files[dir+"/cgroup.controllers"]), controller):
		return fs.ErrNotExist
	case on && dir != fakeTop && f.files[dir+"/cgroup.procs"] != "":
		return syscall.EBUSY
	case on && !has:
		have = append(have, controller)
	case !on:
		have = slices.DeleteFunc(have, func(c string) bool { return c == controller })
	}
	f.files[dir+"/cgroup.subtree_control"] = strings.Join(have, " ")
	for name := range maps.Clone(f.files) {
		if child := path.Dir(name); path.Base(name) == "cgroup.procs" && path.Dir(child) == dir {
			if on {
				f.files[child+"/"+fakeFiles[controller]] = "max"
			} else {
				delete(f.files, child+"/"+fakeFiles[controller])
			}
		}
	}
	return nil
}

const fakeMounts = "31 22 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /cg rw - cgroup2 cgroup2 rw,nsdelegate\n"

func TestOwnGroup(t *testing.T) {
	const none = "none, the host offers no control group for it"
	const outer = ", by the group that it was started in"
	const svc = "/cg/system.slice/agent.service"
	for _, tt := range []struct {
		name  string
		files map[string]string
		holds []any
		set   map[string]string // files of the own group, and of the group that it is in
	}{
		{"no control groups", nil, []any{"cpu", none, "memory", none, "pids", none}, nil},
		{"a service with limits", map[string]string{
			svc + "/cgroup.procs": "77", svc + "/cgroup.controllers": "cpu memory pids", svc + "/cgroup.subtree_control": "",
			svc + "/cpu.max": "50000 100000", svc + "/memory.max": "max", "/cg/system.slice/memory.max": "1048576", svc + "/pids.max": "5",
		}, []any{"cpu", "at most 50 % of a core" + outer, "memory", "at most 256 MiB" + outer, "pids", "at most 128 threads" + outer}, nil},
		{"a service without limits", map[string]string{
			svc + "/cgroup.procs": "77", svc + "/cgroup.controllers": "cpu memory pids", svc + "/cgroup.subtree_control": "",
			svc + "/cpu.max": "max 100000", svc + "/memory.max": "max", svc + "/pids.max": "9000",
		}, []any{"cpu", "50 % of a core", "memory", "256 MiB", "pids", "128 threads"}, map[string]string{
			svc + "/own/cpu.max": "50000 100000", svc + "/own/memory.max": "268435456", svc + "/own/pids.max": "128",
			svc + "/own/cgroup.procs": "77", svc + "/cgroup.procs": "",
		}},
		{"a service with a wide limit and few controllers", map[string]string{
			svc + "/cgroup.procs": "77", svc + "/cgroup.controllers": "memory", svc + "/cgroup.subtree_control": "",
			svc + "/memory.max": "9999999999",
		}, []any{"cpu", none, "memory", "256 MiB", "pids", none}, map[string]string{
			svc + "/own/memory.max": "268435456", svc + "/own/cgroup.procs": "77",
		}},
		{"a session with other processes", map[string]string{
			svc + "/cgroup.procs": "76\n77", svc + "/cgroup.controllers": "cpu memory pids", svc + "/cgroup.subtree_control": "",
			svc + "/cpu.max": "max 100000", svc + "/memory.max": "max", svc + "/pids.max": "max",
		}, []any{"cpu", none, "memory", none, "pids", none}, map[string]string{svc + "/cgroup.procs": "76\n77"}},
		{"left by an agent that was killed", map[string]string{
			svc + "/cgroup.procs": "77", svc + "/cgroup.controllers": "memory", svc + "/cgroup.subtree_control": "", svc + "/memory.max": "max",
			svc + "/own/cgroup.procs": "", svc + "/own/cgroup.subtree_control": "",
		}, []any{"cpu", none, "memory", "256 MiB", "pids", none}, map[string]string{
			svc + "/own/memory.max": "268435456", svc + "/own/cgroup.procs": "77",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := fakeGroups{map[string]string{"/proc/self/mountinfo": fakeMounts, "/proc/self/cgroup": "0::/system.slice/agent.service\n"}}
			maps.Copy(f.files, tt.files)
			before := maps.Clone(f.files)
			maps.DeleteFunc(before, func(name, _ string) bool { return path.Dir(name) == svc+"/own" })
			c := &confinement{fs: f, name: "own", pid: "77", own: map[string]*ownGroup{}}
			if diff := cmp.Diff(tt.holds, c.enter("/proc/self")); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			for name, want := range tt.set {
				if got := f.files[name]; got != want {
					t.Errorf("%s = %q, want %q", name, got, want)
				}
			}
			c.leave()
			if diff := cmp.Diff(before, f.files); diff != "" {
				t.Errorf("left behind (-before +after):\n%s", diff)
			}
		})
	}
}

// TestOwnGroupAtTheTop proves that the topmost group, whose processes are
// everybody's, is never made to pass controllers on, and is used where it does.
func TestOwnGroupAtTheTop(t *testing.T) {
	for _, passed := range []string{"", "memory"} {
		f := fakeGroups{map[string]string{"/proc/self/mountinfo": fakeMounts, "/proc/self/cgroup": "0::/\n", "/cg/cgroup.procs": "1\n77",
			"/cg/cgroup.controllers": "cpu memory pids", "/cg/cgroup.subtree_control": passed}}
		c := &confinement{fs: f, name: "own", pid: "77", own: map[string]*ownGroup{}}
		c.enter("/proc/self")
		if got := f.files["/cg/cgroup.subtree_control"]; got != passed {
			t.Errorf("the topmost group passes %q on, want %q", got, passed)
		}
		if got := f.files["/cg/own/memory.max"]; (got == "268435456") != (passed != "") {
			t.Errorf("with %q passed on: memory.max = %q", passed, got)
		}
		c.leave()
		if got := f.files["/cg/cgroup.procs"]; got != "1\n77" || f.isGroup("/cg/own") {
			t.Errorf("after leave: %q", got)
		}
	}
}

func TestPresentGroups(t *testing.T) {
	const v1 = `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
32 31 0:29 / /elsewhere/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /box /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 /other /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
broken
`
	for _, tt := range []struct {
		name, mounts, groups string
		want                 map[string]controlGroup
	}{
		{"version 1, a part of it mounted", v1, "8:pids:/\n4:memory:/box/a\n1:cpuacct,cpu:/a/b\n2:name=systemd:/\n0::/\n", map[string]controlGroup{
			"cpu":    {mount: "/elsewhere/cpu,cpuacct", dir: "/elsewhere/cpu,cpuacct/a/b"},
			"memory": {mount: "/sys/fs/cgroup/memory", dir: "/sys/fs/cgroup/memory/a"},
		}},
		{"both versions", v1, "4:memory:/boxes/a\n0::/u\n", map[string]controlGroup{
			"cpu":  {mount: "/sys/fs/cgroup/unified", dir: "/sys/fs/cgroup/unified/u", v2: true},
			"pids": {mount: "/sys/fs/cgroup/unified", dir: "/sys/fs/cgroup/unified/u", v2: true},
		}},
		{"outside of the namespace", v1, "1:cpu:/../x\n4:memory:/../../box\n8:pids:/../other\n", map[string]controlGroup{}},
		{"nothing", "", "", map[string]controlGroup{}},
	} {
		if diff := cmp.Diff(tt.want, presentGroups(tt.mounts, tt.groups), cmp.AllowUnexported(controlGroup{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestLimitInVersion1 proves what a limit of the CPU means as a share.
func TestLimitInVersion1(t *testing.T) {
	for _, tt := range []struct {
		quota, period string
		bounded       bool
	}{{"-1", "100000", false}, {"50000", "100000", true}, {"60000", "100000", false}, {"10000", "10000", false}, {"4000", "10000", true}, {"", "", false}, {"1", "0", false}} {
		f := fakeGroups{map[string]string{"/cg/a/cpu.cfs_quota_us": tt.quota, "/cg/a/cpu.cfs_period_us": tt.period}}
		c := &confinement{fs: f}
		if got := c.bounded(controlGroup{mount: "/cg", dir: "/cg/a"}, hardLimits()[0]); got != tt.bounded {
			t.Errorf("%s of %s: bounded = %v", tt.quota, tt.period, got)
		}
	}
}

// TestWriteMakesNoFiles keeps a wrong path from becoming a file.
func TestWriteMakesNoFiles(t *testing.T) {
	name := path.Join(t.TempDir(), "memory.max")
	if err := (hostFS{}).WriteFile(name, "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("write = %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat = %v", err)
	}
}
