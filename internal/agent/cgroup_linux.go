package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// cpuPeriod is the time in µs of which a group may use its share.
const cpuPeriod = 100_000

// hardLimit is a limit that the kernel holds a control group to.
type hardLimit struct {
	controller string
	what       string    // for the log
	max        int64     // in the unit of bound
	v1, v2     []setting // what says so in the two versions of control groups
}

// setting is the content of a file of a control group.
type setting struct{ file, text string }

func hardLimits() []hardLimit {
	const quota = cpuPeriod * cpuPercent / 100
	pids := []setting{{"pids.max", strconv.Itoa(tasksMax)}}
	return []hardLimit{
		{"cpu", fmt.Sprintf("%d %% of a core", cpuPercent), quota,
			[]setting{{"cpu.cfs_period_us", strconv.Itoa(cpuPeriod)}, {"cpu.cfs_quota_us", strconv.Itoa(quota)}},
			[]setting{{"cpu.max", fmt.Sprintf("%d %d", quota, cpuPeriod)}}},
		{"memory", fmt.Sprintf("%d MiB", memoryMax>>20), memoryMax,
			[]setting{{"memory.limit_in_bytes", strconv.Itoa(memoryMax)}},
			[]setting{{"memory.max", strconv.Itoa(memoryMax)}}},
		{"pids", fmt.Sprintf("%d threads", tasksMax), tasksMax, pids, pids},
	}
}

// controlFS is the file system that control groups are seen and changed through.
type controlFS interface {
	ReadFile(name string) ([]byte, error)
	WriteFile(name, text string) error
	Mkdir(name string) error
	Remove(name string) error
}

// hostFS is the running host's.
type hostFS struct{}

var _ controlFS = hostFS{}

// ReadFile implements controlFS.
func (hostFS) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }

// WriteFile implements controlFS. The file must exist: the kernel makes them.
func (hostFS) WriteFile(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Mkdir implements controlFS.
func (hostFS) Mkdir(name string) error { return os.Mkdir(name, 0o755) }

// Remove implements controlFS.
func (hostFS) Remove(name string) error { return os.Remove(name) }

// confine puts this process, and nobody else, into control groups of its own
// that hold it to those hard limits that do not hold already, as they do under
// a service manager. It logs once which limits hold. leave ends that and removes
// the groups; what a killed agent leaves, the next one of the same state
// directory uses again. Without root it does nothing.
func confine(state string, log *slog.Logger) (leave func()) {
	if os.Geteuid() != 0 {
		return func() {}
	}
	if abs, err := filepath.Abs(state); err == nil {
		state = abs
	}
	sum := sha256.Sum256([]byte(state))
	c := &confinement{fs: hostFS{}, name: "picket-agent-" + hex.EncodeToString(sum[:4]), pid: strconv.Itoa(os.Getpid()), own: map[string]*ownGroup{}}
	log.Info("hard limits", c.enter("/proc/self")...)
	return c.leave
}

// confinement is what there is to be undone.
type confinement struct {
	fs   controlFS
	name string // of the groups that are made
	pid  string // of this process
	own  map[string]*ownGroup
}

// ownGroup is a group that was made for this process below the one that it was in.
type ownGroup struct {
	parent  string
	dir     string
	alone   bool // nobody else was in the parent
	entered bool
	shared  []string // controllers that the parent was made to pass on
	holds   int      // limits
}

// enter makes and enters the groups; self is the folder of /proc that describes
// this process. It returns how each limit holds, as attributes for the log.
func (c *confinement) enter(self string) (holds []any) {
	mounts, _ := c.fs.ReadFile(path.Join(self, "mountinfo")) // without it there is nothing to enter
	groups, _ := c.fs.ReadFile(path.Join(self, "cgroup"))
	present := presentGroups(string(mounts), string(groups))
	for _, l := range hardLimits() {
		how := "none, the host offers no control group for it"
		if g, ok := present[l.controller]; ok && c.bounded(g, l) {
			how = "at most " + l.what + ", by the group that it was started in"
		} else if ok && c.limit(g, l) {
			how = l.what
		}
		holds = append(holds, l.controller, how)
	}
	for dir, o := range c.own {
		if o.holds == 0 {
			c.dissolve(o)
			delete(c.own, dir)
		}
	}
	return holds
}

// bounded reports whether the group or one above it has the limit already.
func (c *confinement) bounded(g controlGroup, l hardLimit) bool {
	for dir := g.dir; ; dir = path.Dir(dir) {
		if c.bound(dir, l.controller, g.v2) <= l.max {
			return true
		}
		if len(dir) <= len(g.mount) {
			return false
		}
	}
}

// bound is the limit of a group: bytes, tasks, or µs per cpuPeriod. Without a
// limit it is math.MaxInt64.
func (c *confinement) bound(dir, controller string, v2 bool) int64 {
	read := func(file string) string {
		b, _ := c.fs.ReadFile(path.Join(dir, file)) // a group without the file has no such limit
		return strings.TrimSpace(string(b))
	}
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 { // "max" and -1 are words for none
			return math.MaxInt64
		}
		return n
	}
	switch {
	case controller == "pids":
		return number(read("pids.max"))
	case controller == "memory" && v2:
		return number(read("memory.max"))
	case controller == "memory":
		return number(read("memory.limit_in_bytes"))
	}
	quota, period := read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")
	if v2 {
		quota, period, _ = strings.Cut(read("cpu.max"), " ")
	}
	q, p := number(quota), number(period)
	if q == math.MaxInt64 || p == math.MaxInt64 || p == 0 {
		return math.MaxInt64
	}
	return int64(float64(q) / float64(p) * cpuPeriod)
}

// limit sets one limit in a group of the agent's own and enters that.
func (c *confinement) limit(g controlGroup, l hardLimit) bool {
	o := c.own[g.dir]
	if o == nil {
		procs, err := c.fs.ReadFile(path.Join(g.dir, "cgroup.procs"))
		o = &ownGroup{parent: g.dir, dir: path.Join(g.dir, c.name), alone: err == nil && strings.TrimSpace(string(procs)) == c.pid}
		_ = c.fs.Mkdir(o.dir) // it may be there; else what follows fails
		c.own[g.dir] = o
	}
	settings := l.v1
	if g.v2 {
		settings = l.v2
		c.share(o, l)
	}
	for _, s := range settings {
		if c.fs.WriteFile(path.Join(o.dir, s.file), s.text) != nil {
			return false
		}
	}
	if !c.move(o) {
		return false
	}
	o.holds++
	return true
}

// share makes the parent pass a controller on. In version 2 only a group without
// processes can, so it works in a group that the agent has for itself.
func (c *confinement) share(o *ownGroup, l hardLimit) {
	if _, err := c.fs.ReadFile(path.Join(o.dir, l.v2[0].file)); err == nil {
		return // it is passed on already
	}
	if !o.alone || !c.move(o) {
		return
	}
	if c.fs.WriteFile(path.Join(o.parent, "cgroup.subtree_control"), "+"+l.controller) == nil {
		o.shared = append(o.shared, l.controller)
	}
}

func (c *confinement) move(o *ownGroup) bool {
	o.entered = o.entered || c.fs.WriteFile(path.Join(o.dir, "cgroup.procs"), c.pid) == nil
	return o.entered
}

// leave goes back to where the process was and removes the groups.
func (c *confinement) leave() {
	for _, o := range c.own {
		c.dissolve(o)
	}
}

// dissolve undoes an own group. What fails leaves an empty group behind.
func (c *confinement) dissolve(o *ownGroup) {
	for _, name := range o.shared {
		_ = c.fs.WriteFile(path.Join(o.parent, "cgroup.subtree_control"), "-"+name)
	}
	if o.entered {
		_ = c.fs.WriteFile(path.Join(o.parent, "cgroup.procs"), c.pid)
	}
	_ = c.fs.Remove(o.dir)
}

// controlGroup is a group that this process is in.
type controlGroup struct {
	mount string // where its hierarchy is mounted
	dir   string // the group's folder, at or below mount
	v2    bool
}

// presentGroups returns the group of each controller in hardLimits, by
// /proc/self/mountinfo and /proc/self/cgroup (cgroups(7)).
func presentGroups(mountinfo, cgroup string) map[string]controlGroup {
	paths := map[string]string{} // group by controller; "" is version 2
	for line := range strings.Lines(cgroup) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		for name := range strings.SplitSeq(f[1], ",") {
			paths[name] = f[2]
		}
	}
	found := map[string]controlGroup{}
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if len(f) < 5 || len(g) < 3 || g[0] != "cgroup" && g[0] != "cgroup2" {
			continue
		}
		root, mount, v2 := f[3], f[4], g[0] == "cgroup2"
		for _, l := range hardLimits() {
			at, ok := paths[l.controller]
			if v2 {
				_, old := paths[l.controller] // it is bound to a hierarchy of version 1
				at, ok = paths[""]
				ok = ok && !old
			} else {
				ok = ok && slices.Contains(strings.Split(g[2], ","), l.controller)
			}
			dir, inside := below(at, root)
			if _, twice := found[l.controller]; ok && inside && !twice {
				found[l.controller] = controlGroup{mount: mount, dir: path.Join(mount, dir), v2: v2}
			}
		}
	}
	return found
}

// below returns what of a path is below root.
func below(at, root string) (string, bool) {
	rest, ok := strings.CutPrefix(at, strings.TrimSuffix(root, "/"))
	return rest, ok && (rest == "" || rest[0] == '/') && !strings.Contains(at, "..")
}
