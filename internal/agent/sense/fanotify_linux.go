package sense

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// watched is a place in which files are looked after.
type watched struct {
	pattern string   // of directories; ~ stands for every home
	deep    bool     // and everything below
	names   []string // only these, if any
	code    bool     // only what can be executed
	rest    bool     // only what cannot
}

// watchedPlaces are looked after on every host: configuration, programs that
// root runs, keys, what runs at start or at times, and programs in places that
// everybody may write to.
var watchedPlaces = []watched{
	{pattern: "/etc", deep: true},
	{pattern: "/usr/bin"}, {pattern: "/usr/sbin"}, {pattern: "/usr/local", deep: true},
	{pattern: "/usr/lib/systemd", deep: true}, {pattern: "/boot"}, {pattern: "/boot/grub"},
	{pattern: "/var/spool/cron", deep: true},
	{pattern: "~/.ssh"}, {pattern: "~", names: homeNames},
	{pattern: "/tmp", code: true}, {pattern: "/var/tmp", code: true}, {pattern: "/dev/shm", code: true},
}

var homeNames = []string{".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zprofile", ".zshenv", ".xprofile", ".ssh", ".pam_environment"}

const (
	maxMarks    = 8192
	handleFID   = 0x200 // AT_HANDLE_FID, since Linux 6.5
	maxDepth    = 12
	fileDelay   = 500 * time.Millisecond // until the process that did it is known
	placesAgain = time.Minute            // until places that were not there are looked for
	treesAgain  = time.Hour              // until whole trees are looked through
	createdIn   = time.Second            // that a new file has to be written and closed
	dirMask     = unix.FAN_CREATE | unix.FAN_DELETE | unix.FAN_CLOSE_WRITE | unix.FAN_ONDIR | unix.FAN_EVENT_ON_CHILD
)

// fanotify is told by the kernel of what happens in directories: no others, so
// that a busy disk costs nothing.
type fanotify struct {
	h       *host
	file    *os.File
	renames uint64 // how this kernel tells of renames
	places  []watched
	dirs    map[string]*markedDir // by handle
	paths   map[string]string     // path of a directory to its handle
	waiting []waiting
	fresh   map[string]waiting // files that were created and not closed yet
	code    map[string]bool    // files of code places that were told
	looked  time.Time          // when the queue was read last, by the clock of events
	find    func(place) (string, *markedDir)
	may     func() bool // whether the budget allows an event; nil: it does
	acts    *acts       // files elsewhere, of watched processes; nil: not seen
	lack    string
}

type markedDir struct {
	path  string
	place watched
	depth int
}

// waiting is a notice whose process may not be known yet.
type waiting struct {
	n  fileNotice
	at time.Duration
}

func openFanotify(_ context.Context, h *host) (running, error) {
	f, err := openPlaces(h, watchedPlaces)
	if err != nil {
		return nil, err
	}
	if f.acts, err = openActs(h, watchedPlaces); err != nil {
		f.lack = "no files of watched processes: " + text(err)
	}
	return f, nil
}

// lacks implements lacking.
func (f *fanotify) lacks() string { return f.lack }

// openPlaces watches some places; the first must be there.
func openPlaces(h *host, places []watched) (*fanotify, error) {
	const flags = unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_DIR_FID | unix.FAN_REPORT_NAME | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK
	fd, err := unix.FanotifyInit(flags|unix.FAN_UNLIMITED_MARKS, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	f := &fanotify{h: h, file: os.NewFile(uintptr(fd), "fanotify"), renames: unix.FAN_RENAME, places: places,
		dirs: map[string]*markedDir{}, paths: map[string]string{}, fresh: map[string]waiting{}, code: map[string]bool{}}
	f.find = f.path
	if err := f.mark(places[0].pattern, places[0], 0); err != nil {
		f.renames = unix.FAN_MOVED_FROM | unix.FAN_MOVED_TO // before Linux 5.17
		if err := f.mark(places[0].pattern, places[0], 0); err != nil {
			return nil, errors.Join(fmt.Errorf("watch %q: %w", places[0].pattern, err), f.file.Close())
		}
	}
	f.markAll(true)
	return f, nil
}

// markAll watches every place that is there. Trees that are watched already are
// looked through only when again is set: the kernel tells what comes in them.
func (f *fanotify) markAll(again bool) {
	for _, w := range f.places {
		for _, dir := range expand(w.patterns()) {
			if _, known := f.paths[dir]; again || !known {
				f.tree(dir, w, 0)
			}
		}
	}
}

// patterns are those of the directories of a place.
func (w *watched) patterns() []string {
	if below, home := strings.CutPrefix(w.pattern, "~"); home {
		return []string{"/root" + below, "/home/*" + below}
	}
	return []string{w.pattern}
}

// appeared watches a new directory when it is, or lies above, one of a place.
func (f *fanotify) appeared(path string) {
	for _, w := range f.places {
		for _, p := range w.patterns() {
			names := strings.Split(p, "/")
			above := strings.Join(names[:min(len(names), strings.Count(path, "/")+1)], "/")
			if ok, err := filepath.Match(above, path); ok && err == nil {
				for _, dir := range expand([]string{p}) {
					if _, known := f.paths[dir]; !known && (dir == path || strings.HasPrefix(dir, path+"/")) {
						f.tree(dir, w, 0)
					}
				}
			}
		}
	}
}

// tree watches a directory, and those below it when its place is deep.
func (f *fanotify) tree(dir string, w watched, depth int) {
	if _, twice := f.paths[dir]; !twice && f.mark(dir, w, depth) != nil || !w.deep || depth >= maxDepth {
		return // gone, or of a file system that has no handles
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if e.IsDir() {
			f.tree(filepath.Join(dir, e.Name()), w, depth+1)
		}
	}
}

// mark watches one directory.
func (f *fanotify) mark(dir string, w watched, depth int) error {
	if len(f.dirs) >= maxMarks {
		return errors.New("too many directories")
	}
	handle, err := handleOf(dir)
	if err != nil {
		return err
	}
	mask := dirMask | f.renames
	if w.code {
		mask |= unix.FAN_ATTRIB
	}
	conn, err := f.file.SyscallConn()
	if err != nil {
		return err
	}
	err2 := conn.Control(func(fd uintptr) {
		err = unix.FanotifyMark(int(fd), unix.FAN_MARK_ADD|unix.FAN_MARK_ONLYDIR|unix.FAN_MARK_DONT_FOLLOW, mask, unix.AT_FDCWD, dir)
	})
	if err = errors.Join(err, err2); err != nil {
		return err
	}
	f.dirs[handle], f.paths[dir] = &markedDir{dir, w, depth}, handle
	return nil
}

// handleOf is a directory as fanotify names it: the number of its file system,
// then its handle.
func handleOf(dir string) (string, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "", err
	}
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, dir, 0)
	if errors.Is(err, unix.EOPNOTSUPP) { // an overlay: its handles can be compared, not opened
		h, _, err = unix.NameToHandleAt(unix.AT_FDCWD, dir, handleFID)
	}
	if err != nil {
		return "", err
	}
	b := make([]byte, 16, 16+h.Size())
	binary.NativeEndian.PutUint32(b, uint32(st.Fsid.Val[0]))
	binary.NativeEndian.PutUint32(b[4:], uint32(st.Fsid.Val[1]))
	binary.NativeEndian.PutUint32(b[8:], uint32(h.Size()))
	binary.NativeEndian.PutUint32(b[12:], uint32(h.Type()))
	return string(append(b, h.Bytes()...)), nil
}

// Run implements running.
func (f *fanotify) Run(ctx context.Context) error {
	defer f.file.Close()
	if f.acts != nil {
		ctx, cancel := context.WithCancel(ctx)
		var wg sync.WaitGroup
		wg.Go(func() { f.acts.keep(ctx) })
		defer wg.Wait()
		defer cancel()
	}
	buf := make([]byte, 64<<10)
	defer interruptible(ctx, f.file)()
	places, trees := time.Now().Add(placesAgain), time.Now().Add(treesAgain)
	for ctx.Err() == nil {
		until := places
		if len(f.waiting)+len(f.fresh) > 0 {
			until = time.Now().Add(fileDelay)
		}
		if stop, err := deadline(ctx, f.file, until); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := f.file.Read(buf)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("read: %w", err)
		}
		list, err := parseNotices(buf[:max(n, 0)])
		if err != nil {
			return err
		}
		at := Now()
		for _, n := range list {
			f.take(n, at)
		}
		f.looked = f.h.clock.At(at)
		f.settle(at - fileDelay)
		if now := time.Now(); now.After(places) { // homes of new accounts, places that were not there
			f.markAll(now.After(trees))
			places = now.Add(placesAgain)
			if now.After(trees) {
				trees = now.Add(treesAgain)
			}
		}
	}
	f.settle(Now())
	return ctx.Err()
}

// take notes a notice; directories that came are watched at once.
func (f *fanotify) take(n fileNotice, at time.Duration) {
	if n.mask&unix.FAN_Q_OVERFLOW != 0 {
		f.h.sink.Lost(event.File, 0, f.looked, "the kernel's queue was full")
		f.markAll(true)
		return
	}
	if n.mask&unix.FAN_ONDIR != 0 {
		f.directory(&n)
		return
	}
	if n.pid == 0 {
		return // of another host on this kernel
	}
	f.waiting = append(f.waiting, waiting{n, at})
}

// directory follows directories that come, go and move.
func (f *fanotify) directory(n *fileNotice) {
	moved := n.mask&f.renames != 0
	gone, _ := f.path(n.from)
	if moved && gone != "" {
		f.forget(gone)
	}
	at := n.at
	if moved && n.to.dir != "" {
		at = n.to
	}
	path, dir := f.path(at)
	switch {
	case path == "":
	case n.mask&(unix.FAN_DELETE|unix.FAN_MOVED_FROM) != 0:
		f.forget(path)
	case dir.place.deep:
		f.tree(path, dir.place, dir.depth+1)
		if gone == "" { // else its files were there before
			f.found(path, n.pid)
		}
	default:
		f.appeared(path) // a home of a new account, or keys in one
	}
}

// forget stops watching a directory and those below it.
func (f *fanotify) forget(path string) {
	if _, known := f.paths[path]; !known {
		return
	}
	for p, handle := range f.paths {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(f.paths, p)
			delete(f.dirs, handle) // the kernel's mark goes with the directory
		}
	}
}

// found tells of files that were in a new directory before it was watched.
func (f *fanotify) found(dir string, pid uint32) {
	if pid == 0 {
		return
	}
	n := 0
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if n++; err != nil || n > 1000 {
			return fs.SkipAll
		}
		handle, ok := f.paths[filepath.Dir(path)]
		if ok && d.Type().IsRegular() {
			notice := fileNotice{mask: unix.FAN_CREATE | unix.FAN_CLOSE_WRITE, pid: pid, at: place{handle, filepath.Base(path)}}
			if _, twice := f.fresh[path]; !twice {
				f.waiting = append(f.waiting, waiting{notice, Now()})
			}
		}
		return nil
	})
}

// path is where a place is, "" when its directory is not watched.
func (f *fanotify) path(p place) (string, *markedDir) {
	d := f.dirs[p.dir]
	if d == nil || p.name == "" {
		return "", nil
	}
	return filepath.Join(d.path, p.name), d
}
