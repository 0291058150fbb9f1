package collect

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Caps of one RestartNeed, as its type promises.
const (
	maxRestartPaths     = 20
	maxRestartProcesses = 20
)

// staleProcess is a process with the deleted files that it still maps.
type staleProcess struct {
	inventory.Process
	files []string // relative to the root
}

// collectRestart lists the packages whose old files, replaced on disk, are
// still mapped as program code by processes that this agent can see.
func collectRestart(ctx context.Context, h Host, l Limits) *inventory.Section {
	if !h.Live {
		return absent(inventory.Restart, "another root file system is inventoried: no processes of it are running")
	}
	if !h.exists("proc/self/maps") && !h.exists("proc/stat") {
		return absent(inventory.Restart, "/proc cannot be read: this is not Linux, or it is not mounted")
	}
	r := begin(inventory.Restart, l)
	stale := staleProcesses(ctx, h, r)
	var paths []string
	for _, p := range stale {
		paths = append(paths, p.files...)
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	owner := libraryOwners(ctx, h, l, paths)

	needs := map[string]*inventory.RestartNeed{}
	oldest := map[string]time.Time{}
	for _, p := range stale {
		for _, f := range p.files {
			pkg := owner[f]
			if pkg == "" {
				continue
			}
			n := needs[pkg]
			if n == nil {
				n = &inventory.RestartNeed{Package: pkg}
				needs[pkg] = n
			}
			if f = r.text(abs(f), maxPath); !slices.Contains(n.Paths, f) && len(n.Paths) < maxRestartPaths {
				n.Paths = append(n.Paths, f)
			}
			if len(n.Processes) < maxRestartProcesses && (len(n.Processes) == 0 || n.Processes[len(n.Processes)-1].PID != p.PID) {
				n.Processes = append(n.Processes, p.Process)
			}
			if t := oldest[pkg]; t.IsZero() || p.Start.Before(t) {
				oldest[pkg] = p.Start
			}
		}
	}
	describeNeeds(ctx, h, r, needs, oldest)
	for pkg, n := range needs {
		slices.Sort(n.Paths)
		r.put(pkg, n)
	}
	return r.done(ctx)
}

// describeNeeds adds source and versions, on disk and in memory.
func describeNeeds(ctx context.Context, h Host, r *result, needs map[string]*inventory.RestartNeed, oldest map[string]time.Time) {
	if len(needs) == 0 {
		return
	}
	names := map[string]bool{}
	for pkg := range needs {
		names[pkg] = true
	}
	now, err := installedVersions(ctx, h, r.l, names)
	if err != nil && !isNotExist(err) {
		r.problem("the installed versions are not known: %s", short(err))
	}
	old := replacedVersions(h, r, oldest)
	for pkg, n := range needs {
		p, ok := now[pkg]
		if !ok {
			continue
		}
		n.Source, n.Installed = r.text(p.Source, maxName), r.text(p.SourceVersion, maxVersion)
		// The log names binary versions. They are the source's too where the
		// installed ones are, apart from the suffix of a rebuild.
		if v := old[pkg]; v != "" && withoutRebuild(p.Version) == p.SourceVersion {
			n.RunningVersion = r.text(withoutRebuild(v), maxVersion)
		}
	}
}

// withoutRebuild cuts the "+b2" of a binary rebuild.
func withoutRebuild(v string) string {
	if i := strings.LastIndex(v, "+b"); i > 0 && i+2 < len(v) && strings.Trim(v[i+2:], "0123456789") == "" {
		return v[:i]
	}
	return v
}

// staleProcesses returns the processes of this root that map deleted code, by pid.
func staleProcesses(ctx context.Context, h Host, r *result) []staleProcess {
	entries, err := h.readDirAt("proc")
	if err != nil {
		r.problem("/proc cannot be listed: %s", short(err))
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	boot := bootTime(h)
	own := rootMount(h, "self")
	var out []staleProcess
	closed := 0
	for _, pid := range pids {
		r.l.yield()
		if ctx.Err() != nil {
			break
		}
		dir := "proc/" + strconv.Itoa(pid)
		f, err := h.FS.Open(dir + "/maps")
		if err != nil {
			if !isNotExist(err) {
				closed++
			}
			continue
		}
		files := deletedCode(&capped{f, 32 << 20})
		f.Close()
		if len(files) == 0 || rootMount(h, strconv.Itoa(pid)) != own {
			continue // another root: a container's files are not this host's packages
		}
		name, start := processStat(h, dir, boot)
		out = append(out, staleProcess{inventory.Process{PID: pid, Name: r.text(name, 64), Start: start}, files})
	}
	if closed > 0 {
		what := "processes"
		if closed == 1 {
			what = "process"
		}
		r.problem("the memory maps of %d %s cannot be read: run the agent as root (a process that refuses even root stays unseen)", closed, what)
	}
	return out
}

// rootMount identifies the file system that a process has as its root: device
// and directory of its mount at "/".
func rootMount(h Host, pid string) string {
	b, err := h.read("proc/"+pid+"/mountinfo", 4<<20)
	if err != nil {
		return ""
	}
	at := ""
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == "/" {
			at = f[2] + " " + f[3] // the last one covers the others
		}
	}
	return at
}

// deletedCode returns the deleted files that a maps file shows as executable
// mappings, relative to the root, sorted. Lines: proc_pid_maps(5).
func deletedCode(maps io.Reader) []string {
	var out []string
	eachLine(bufio.NewReaderSize(nil, 8<<10), maps, func(line []byte) {
		s, ok := strings.CutSuffix(string(line), " (deleted)")
		if !ok {
			return
		}
		f := strings.Fields(s)
		if len(f) < 6 || len(f[1]) < 3 || f[1][2] != 'x' || f[4] == "0" {
			return
		}
		slash := strings.IndexByte(s, '/')
		if slash < 0 {
			return
		}
		p := oldName(s[slash+1:])
		if !fs.ValidPath(p) || p == "." || strings.HasPrefix(p, "memfd:") || strings.HasPrefix(p, "dev/") || strings.HasPrefix(p, "tmp/") || strings.HasPrefix(p, "SYSV") {
			return
		}
		out = append(out, p)
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// oldName undoes the names that dpkg and rpm give to files on their way out.
func oldName(p string) string {
	for _, suffix := range []string{".dpkg-tmp", ".dpkg-new"} {
		p = strings.TrimSuffix(p, suffix)
	}
	if i := strings.LastIndexByte(p, ';'); i > 0 && len(p)-i == 9 && strings.Trim(p[i+1:], "0123456789abcdef") == "" {
		p = p[:i]
	}
	return p
}

// processStat reads name and start time (field 22, in ticks of 1/100 s since boot).
func processStat(h Host, dir string, boot time.Time) (string, time.Time) {
	b, _ := h.readAt(dir+"/stat", 4096)
	s := string(b)
	open, end := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if open < 0 || end < open {
		return "", time.Time{}
	}
	name := s[open+1 : end]
	f := strings.Fields(s[end+1:])
	if len(f) < 20 || boot.IsZero() {
		return name, time.Time{}
	}
	ticks, err := strconv.ParseInt(f[19], 10, 64)
	if err != nil || ticks < 0 || ticks > 1<<40 {
		return name, time.Time{}
	}
	return name, boot.Add(time.Duration(ticks/100) * time.Second)
}

// libraryOwners finds the owners of deleted files. A library whose file name
// carries the full version ("libexpat.so.1.8.10") is owned by no package once
// it was replaced: then the package that owns its shorter names
// ("libexpat.so.1") is taken, which the new version owns too.
func libraryOwners(ctx context.Context, h Host, l Limits, paths []string) map[string]string {
	if len(paths) == 0 {
		return nil
	}
	shorter := map[string][]string{}
	ask := slices.Clone(paths)
	for _, p := range paths {
		dir, base := path.Split(p)
		i := strings.Index(base, ".so.")
		if i < 0 {
			continue
		}
		for {
			dot := strings.LastIndexByte(base, '.')
			if dot <= i+3 {
				break
			}
			base = base[:dot]
			shorter[p] = append(shorter[p], dir+base)
			ask = append(ask, dir+base)
		}
	}
	found := owners(ctx, h, l, ask)
	out := map[string]string{}
	for _, p := range paths {
		for _, q := range append([]string{p}, shorter[p]...) {
			if pkg := found[q]; pkg != "" {
				out[p] = pkg
				break
			}
		}
	}
	return out
}

// replacedVersions reads dpkg's logs, oldest first: per package the version
// that the first upgrade after its oldest process' start replaced.
func replacedVersions(h Host, r *result, oldest map[string]time.Time) map[string]string {
	zone := hostZone(h)
	out := map[string]string{}
	for _, name := range []string{"dpkg.log.2.gz", "dpkg.log.1", "dpkg.log"} {
		f, _, err := h.open("var/log/" + name)
		if err != nil {
			if !isNotExist(err) {
				r.problem("/var/log/%s cannot be read: %s", name, short(err))
			}
			continue
		}
		var src io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if src, err = gzip.NewReader(f); err != nil {
				src = strings.NewReader("")
			}
		}
		eachLine(bufio.NewReaderSize(nil, 8<<10), &capped{src, r.l.MaxFileBytes}, func(line []byte) {
			pkg, old, at, err := parseUpgrade(string(line), zone)
			if err != nil || out[pkg] != "" {
				return
			}
			if start, ok := oldest[pkg]; ok && !start.IsZero() && !at.Before(start) {
				out[pkg] = old
			}
		})
		f.Close()
	}
	return out
}

var errNoUpgrade = errors.New("no upgrade")

// parseUpgrade reads a line of dpkg.log: "2026-11-21 22:10:01 upgrade
// libssl3:amd64 3.0.11-1 3.0.15-1". Its clock is the host's local time.
func parseUpgrade(line string, zone *time.Location) (pkg, old string, at time.Time, err error) {
	f := strings.Fields(line)
	if len(f) != 6 || f[2] != "upgrade" {
		return "", "", time.Time{}, errNoUpgrade
	}
	if at, err = time.ParseInLocation(time.DateTime, f[0]+" "+f[1], zone); err != nil {
		return "", "", time.Time{}, err
	}
	pkg, _, _ = strings.Cut(f[3], ":")
	return pkg, f[4], at.UTC(), nil
}

// hostZone is the host's time zone; UTC when it has none.
func hostZone(h Host) *time.Location {
	b, err := h.read("etc/localtime", 1<<20)
	if err != nil {
		return time.UTC
	}
	zone, err := time.LoadLocationFromTZData("host", b)
	if err != nil {
		return time.UTC
	}
	return zone
}
