package respond

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	walkDepth  = 64
	walkAtOnce = 512
	recently   = 7 * 24 * time.Hour
	maxSeen    = 200_000 // files that are known to have been looked at, in a quick scan
	maxRecent  = 1000    // programs that were written of late: the newest
)

// pseudo are kinds of file systems that hold no files.
var pseudo = map[string]bool{"proc": true, "sysfs": true, "cgroup": true, "cgroup2": true, "devpts": true, "devtmpfs": true, "mqueue": true, "debugfs": true, "tracefs": true, "securityfs": true,
	"pstore": true, "bpf": true, "configfs": true, "fusectl": true, "hugetlbfs": true, "binfmt_misc": true, "nsfs": true, "rpc_pipefs": true, "efivarfs": true, "selinuxfs": true, "nfsd": true, "ramfs": true}

// walk finds the files that a scan looks at. It is used by one goroutine; the
// counts are read when it has ended.
type walk struct {
	ctx     context.Context
	maxFile int64
	without []string        // directories that are left out
	missed  found           // what is not yielded, by reason
	oneLine bool            // names with a line break cannot be yielded
	mounts  map[string]bool // where another walk begins
	mounted bool            // a mount within a place belongs to it, unless it is pseudo or foreign
	kinds   map[string]mount
	seen    map[[2]uint64]bool // by device and inode
	yield   func(*candidate) bool
	stopped bool
	fresh   bool // only programs that were written of late, which are gathered in recent
	recent  []recent
}

// files yields the files of an extent, each open.
func (w *walk) files(extent Extent, p places) func(yield func(*candidate) bool) {
	return func(yield func(*candidate) bool) {
		w.yield = yield
		list, err := readMounts()
		if err != nil {
			w.missed.skip("the list of mounts cannot be read")
		}
		w.kinds = map[string]mount{}
		for _, m := range list {
			w.kinds[m.at] = m // the last one covers the others
		}
		if extent == Full {
			w.full(list)
			return
		}
		w.mounted = true
		w.seen = map[[2]uint64]bool{}
		w.quick(p)
	}
}

// full walks every local file system once, from where most of it is seen.
func (w *walk) full(list []mount) {
	w.mounts = map[string]bool{}
	for _, m := range list {
		w.mounts[m.at] = true
	}
	for _, m := range roots(list) {
		w.dir(m.at, 0)
	}
}

// roots are the mounts that show all of every local file system, each part once.
// What containers see is looked at where it lies.
func roots(list []mount) (out []mount) {
	byAt := map[string]mount{}
	for _, m := range list {
		byAt[m.at] = m
	}
	for at, m := range byAt {
		if pseudo[m.kind] || m.isForeign() || m.kind == "overlay" && at != "/" {
			continue
		}
		covered := false
		for other, o := range byAt {
			if other == at || o.dev != m.dev {
				continue
			}
			if inside(m.root, o.root) && (m.root != o.root || other < at) {
				covered = true
			}
		}
		if !covered {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b mount) int { return strings.Compare(a.at, b.at) })
	return out
}

// inside reports whether a path is another one or below it.
func inside(path, dir string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

func (w *walk) quick(p places) {
	if p.procs {
		w.programs()
	}
	all := slices.Clone(p.all)
	if p.homes {
		all = append(all, homes()...)
	}
	for _, at := range all {
		w.place(at)
	}
	w.fresh = true
	for _, at := range p.recent {
		w.place(at)
	}
	w.fresh = false
	w.newest(0)
	for _, r := range w.recent {
		w.place(r.name)
	}
}

// recent is a program that was written of late.
type recent struct {
	name string
	at   int64 // ns of Unix time
}

// newest keeps the newest of them, when there are so many more.
func (w *walk) newest(more int) {
	if len(w.recent) <= maxRecent+more {
		return
	}
	slices.SortFunc(w.recent, func(a, b recent) int { return cmp.Compare(b.at, a.at) })
	w.missed.skipped("programs that were written of late, but not among the newest", uint64(len(w.recent)-maxRecent))
	w.recent = slices.Delete(w.recent, maxRecent, len(w.recent))
}

// place walks a file or a directory.
func (w *walk) place(at string) {
	info, err := os.Lstat(at)
	if err != nil || w.done() {
		return
	}
	if info.IsDir() {
		w.dir(at, 0)
		return
	}
	w.file(at, info)
}

// programs yields what runs, also when it is deleted.
func (w *walk) programs() {
	p := &procs{}
	err := p.each(w.ctx, func(pid int) error {
		link := fmt.Sprintf("/proc/%d/exe", pid)
		f, err := os.OpenFile(link, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil // a thread of the kernel, or it has ended
		}
		defer f.Close()
		name, err := os.Readlink(link)
		if err != nil {
			return nil
		}
		if rest, deleted := strings.CutSuffix(name, " (deleted)"); deleted {
			if _, err := os.Lstat(rest); err != nil {
				name = "/proc/" + strconv.Itoa(pid) + "/exe" // the only name that it has
			}
		}
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		w.offer(name, f, info)
		if w.done() {
			return context.Canceled
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		w.missed.skip("programs that run cannot be listed")
	}
}

func (w *walk) done() bool { return w.stopped || w.ctx.Err() != nil }

// excluded reports whether a directory is left out, and counts why.
func (w *walk) excluded(at string) bool {
	for _, dir := range w.without {
		if dir != "" && inside(at, dir) {
			return true
		}
	}
	if at == "/proc" || at == "/sys" {
		return true
	}
	m, mounted := w.kinds[at]
	switch {
	case !mounted:
		return false
	case pseudo[m.kind]:
		return true
	case m.isForeign():
		w.missed.skip("file systems of the network, or of a program: " + clip(m.kind, 20))
		return true
	}
	return !w.mounted && w.mounts[at]
}

// dir walks a directory.
func (w *walk) dir(at string, depth int) {
	if w.done() {
		return
	}
	if depth > 0 && w.excluded(at) || depth == 0 && w.mounted && w.excluded(at) {
		return
	}
	if depth > walkDepth {
		w.missed.skip("directories that are too deep")
		return
	}
	d, err := os.OpenFile(at, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			w.missed.skip("directories that cannot be read")
		}
		return
	}
	defer d.Close()
	for !w.done() {
		list, err := d.ReadDir(walkAtOnce)
		for _, e := range list {
			if w.done() {
				return
			}
			name := filepath.Join(at, e.Name())
			if e.IsDir() {
				w.dir(name, depth+1)
				continue
			}
			if !e.Type().IsRegular() {
				continue
			}
			if info, err := e.Info(); err == nil {
				w.file(name, info)
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				w.missed.skip("directories that cannot be read to their end")
			}
			return
		}
	}
}

// file looks whether a file is to be looked at.
func (w *walk) file(name string, info fs.FileInfo) {
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	if w.fresh {
		if at, ok := isFresh(name, info); ok {
			w.recent = append(w.recent, recent{name, at})
			w.newest(maxRecent)
		}
		return
	}
	f, err := openFile(name)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			w.missed.skip("files that cannot be opened")
		}
		return
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	w.offer(name, f, info)
}

// isFresh reports whether a file is a program or a library that was written, or
// put there, of late, and when. That is the time that its owner cannot set.
func isFresh(name string, info fs.FileInfo) (at int64, fresh bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || time.Since(time.Unix(st.Ctim.Unix())) > recently {
		return 0, false
	}
	base := filepath.Base(name)
	return st.Ctim.Nano(), info.Mode().Perm()&0o111 != 0 || strings.HasSuffix(base, ".so") || strings.Contains(base, ".so.") || strings.HasSuffix(base, ".ko")
}

// offer yields an open file, once.
func (w *walk) offer(name string, f *os.File, info fs.FileInfo) {
	if info.Size() > w.maxFile {
		w.missed.skip(fmt.Sprintf("larger than the scanner looks into (%d MB)", w.maxFile>>20))
		return
	}
	if w.oneLine && strings.ContainsAny(name, "\n\r") {
		w.missed.skip("names with a line break")
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && w.seen != nil {
		key := [2]uint64{uint64(st.Dev), st.Ino}
		if w.seen[key] {
			return
		}
		if len(w.seen) < maxSeen {
			w.seen[key] = true
		}
	}
	if !w.yield(&candidate{path: name, f: f, size: info.Size()}) {
		w.stopped = true
	}
}
