package sense

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// acts tells what watched processes do to files, wherever these are. The kernel
// can be asked for all changes of a file system or for none: it is asked for all,
// and what others do is left out by the number of the process, before anything of
// it is read. What that may cost is bounded.
type acts struct {
	f      *fanotify
	places []watched         // which tell of their files themselves
	disks  map[string]string // where each file system is, by its number
	young  []byte            // notices whose processes may not be known yet

	window    time.Time // since when notices are counted
	count     int
	most      int       // of them in a window
	paused    time.Time // since when nothing is asked for, by the clock of events; zero: it is
	left      int       // events that may be told until the budget is filled again
	filled    time.Time
	dropped   uint64
	droppedAt time.Time
}

const (
	actsDelay  = 600 * time.Millisecond // until the process that did it is known
	actsWindow = 10 * time.Second
	actsMost   = 50_000  // notices in a window, of all processes
	actsYoung  = 4 << 20 // bytes of notices that wait
	actsRate   = 20      // events a second
	actsBurst  = 1000    // events after a rest
	actsMask   = unix.FAN_CREATE | unix.FAN_DELETE | unix.FAN_CLOSE_WRITE
)

// openActs asks for the changes of every file system that places is not all of.
func openActs(h *host, places []watched) (*acts, error) {
	const flags = unix.FAN_CLASS_NOTIF | unix.FAN_REPORT_DIR_FID | unix.FAN_REPORT_NAME | unix.FAN_CLOEXEC | unix.FAN_NONBLOCK
	fd, err := unix.FanotifyInit(flags, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	a := &acts{places: places, left: actsBurst, most: actsMost, f: &fanotify{h: h, file: os.NewFile(uintptr(fd), "fanotify"), renames: unix.FAN_RENAME,
		fresh: map[string]waiting{}, code: map[string]bool{}}}
	a.f.find, a.f.may = a.find, a.may
	if err := a.mark(); err != nil {
		a.f.renames = unix.FAN_MOVED_FROM | unix.FAN_MOVED_TO // before Linux 5.17
		if err := a.mark(); err != nil {
			return nil, errors.Join(err, a.f.file.Close())
		}
	}
	return a, nil
}

// mark asks for the changes of the file systems that there are now.
func (a *acts) mark() error {
	raw, err := readCapped("/proc/self/mountinfo", 1<<20)
	if err != nil {
		return err
	}
	a.disks = map[string]string{}
	bad := errors.New("no file system here finds its files by their handles")
	for _, dir := range disks(string(raw)) {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			continue // unmounted meanwhile, or under another
		}
		err := a.control(func(fd int) error {
			return unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, actsMask|a.f.renames, unix.AT_FDCWD, dir)
		})
		if err != nil {
			bad = fmt.Errorf("watch %q: %w", dir, err)
			continue
		}
		a.disks[numberOf(&st)] = dir
		if handle, err := handleOf(dir); err != nil || a.open(handle) == "" { // forbidden to this process, perhaps
			bad = fmt.Errorf("watch %q: its directories cannot be opened by their handles", dir)
			delete(a.disks, numberOf(&st))
		}
	}
	if len(a.disks) == 0 {
		return bad
	}
	return nil
}

// numberOf is the number of a file system as it stands in a handle.
func numberOf(st *unix.Statfs_t) string {
	var b [8]byte
	binary.NativeEndian.PutUint32(b[:], uint32(st.Fsid.Val[0]))
	binary.NativeEndian.PutUint32(b[4:], uint32(st.Fsid.Val[1]))
	return string(b[:])
}

func (a *acts) control(do func(fd int) error) error {
	conn, err := a.f.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) { failed = do(int(fd)) })
	return errors.Join(err, failed)
}

// Run implements running.
func (a *acts) Run(ctx context.Context) error {
	defer a.f.file.Close()
	defer interruptible(ctx, a.f.file)()
	buf := make([]byte, 64<<10)
	defer func() {
		a.judge(a.young)
		a.f.settle(Now())
		a.drops()
	}()
	a.window, a.filled, a.f.looked = time.Now(), time.Now(), a.f.h.clock.Now()
	again := time.Now().Add(placesAgain)
	for ctx.Err() == nil {
		until := again
		if len(a.young)+len(a.f.fresh) > 0 || a.dropped > 0 || !a.paused.IsZero() {
			until = time.Now().Add(actsDelay)
		}
		if stop, err := deadline(ctx, a.f.file, until); stop || err != nil {
			return errors.Join(err, ctx.Err())
		}
		n, err := a.f.file.Read(buf)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("read: %w", err)
		}
		a.young = append(a.young, buf[:max(n, 0)]...)
		if len(a.young) > 0 {
			pause(ctx, actsDelay) // more comes, and the kernel's word of the processes
			a.judge(a.young)
			if a.young = a.young[:0]; cap(a.young) > 1<<20 {
				a.young = nil
			}
		}
		if err := a.drain(buf); err != nil {
			return fmt.Errorf("read: %w", err)
		}
		a.f.settle(Now() - actsDelay)
		if err := a.bound(); err != nil {
			return err
		}
		if time.Now().After(again) { // what was mounted since
			again = time.Now().Add(placesAgain)
			if a.paused.IsZero() {
				if err := a.mark(); err != nil {
					return err
				}
			}
		}
	}
	return ctx.Err()
}

// drain reads what is there; it is judged the next time.
func (a *acts) drain(buf []byte) error {
	return a.control(func(fd int) error {
		for range 1000 {
			n, err := unix.Read(fd, buf)
			if errors.Is(err, unix.EAGAIN) || err == nil && n <= 0 {
				return nil
			}
			if err != nil {
				return err
			}
			if len(a.young)+n > actsYoung {
				a.judge(a.young)
				a.young = a.young[:0]
			}
			a.young = append(a.young, buf[:n]...)
		}
		return nil
	})
}

// judge tells what watched processes did; of the others nothing but that they
// did something is read.
func (a *acts) judge(b []byte) {
	at := Now()
	for len(b) >= noticeHead {
		size := int(binary.NativeEndian.Uint32(b))
		if size < noticeHead || size > len(b) {
			return
		}
		one := b[:size]
		b = b[size:]
		a.count++
		if binary.NativeEndian.Uint64(one[8:])&unix.FAN_Q_OVERFLOW != 0 {
			a.f.h.sink.Lost(event.File, 0, a.f.looked, "the kernel's queue was full")
			continue
		}
		pid := int32(binary.NativeEndian.Uint32(one[20:]))
		if pid <= 0 {
			continue // of another host on this kernel
		}
		if p := a.f.h.procs.late(uint32(pid)); p == nil || p.watch == notWatched {
			continue
		}
		list, err := parseNotices(one)
		if err != nil {
			continue
		}
		for _, n := range list {
			if n.mask&unix.FAN_ONDIR == 0 {
				a.f.tell(waiting{n, at})
			}
		}
	}
	a.f.looked = a.f.h.clock.At(at)
}

// bound keeps what it costs within limits: the notices of all processes, and
// the events of those that are watched.
func (a *acts) bound() error {
	now := time.Now()
	if now.Sub(a.filled) >= time.Second {
		a.drops()
	}
	if s := int(now.Sub(a.filled) / time.Second); s > 0 {
		a.left, a.filled = min(a.left+actsRate*s, actsBurst), now
	}
	switch {
	case a.count > a.most && a.paused.IsZero():
		a.paused = a.f.h.clock.Now()
		return a.control(func(fd int) error {
			return unix.FanotifyMark(fd, unix.FAN_MARK_FLUSH|unix.FAN_MARK_FILESYSTEM, 0, unix.AT_FDCWD, "/")
		})
	case now.Sub(a.window) > actsWindow:
		a.window, a.count = now, 0
		if !a.paused.IsZero() {
			err := a.mark()
			a.f.h.sink.Lost(event.File, 0, a.paused, "too many files changed to look for those of watched processes")
			a.paused = time.Time{}
			return err
		}
	}
	return nil
}

// drops tells what the budget did not allow.
func (a *acts) drops() {
	if a.dropped > 0 {
		a.f.h.sink.Lost(event.File, a.dropped, a.droppedAt, "watched processes changed more files than the budget allows")
		a.dropped = 0
	}
}

// may takes an event off the budget.
func (a *acts) may() bool {
	if a.left > 0 {
		a.left--
		return true
	}
	if a.dropped == 0 {
		a.droppedAt = a.f.h.clock.Now()
	}
	a.dropped++
	return false
}

// find is where a place is, and as what it is told: nothing of places that tell
// of themselves, of others everything, or what these leave out.
func (a *acts) find(p place) (string, *markedDir) {
	dir := a.open(p.dir)
	if dir == "" || p.name == "" {
		return "", nil
	}
	file := strings.TrimSuffix(dir, "/") + "/" + p.name
	all, code := inPlaces(a.places, file)
	switch {
	case all:
		return "", nil
	case code:
		return file, &markedDir{place: watched{rest: true}}
	}
	return file, &markedDir{place: watched{code: daily(file)}}
}

// inPlaces says what the watch over places tells of a file: everything, only
// programs, or nothing.
func inPlaces(places []watched, file string) (all, code bool) {
	dir, name := filepath.Dir(file), filepath.Base(file)
	for i := range places {
		w := &places[i]
		for _, p := range w.patterns() {
			ok, err := filepath.Match(p, dir)
			if err != nil || !ok && (!w.deep || !strings.HasPrefix(dir, p+"/")) {
				continue
			}
			switch {
			case w.code:
				code = true
			case len(w.names) == 0:
				return true, false
			case slices.Contains(w.names, name):
				return true, false
			}
		}
	}
	return false, code
}

// open is the path of a directory that a handle names, "" when it is gone or
// cannot be found.
func (a *acts) open(handle string) string {
	if len(handle) < 16 {
		return ""
	}
	at, ok := a.disks[handle[:8]]
	if !ok {
		return ""
	}
	disk, err := unix.Open(at, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0) // not kept: it would hold the disk
	if err != nil {
		return ""
	}
	defer unix.Close(disk)
	typ := int32(binary.NativeEndian.Uint32([]byte(handle[12:16])))
	fd, err := unix.OpenByHandleAt(disk, unix.NewFileHandle(typ, []byte(handle[16:])), unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	dir, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil || !strings.HasPrefix(dir, "/") || strings.HasSuffix(dir, " (deleted)") {
		return ""
	}
	return dir
}

// keep runs it until ctx ends, again after a while when it failed.
func (a *acts) keep(ctx context.Context) {
	for ctx.Err() == nil {
		ended := a.f.h.clock.Now()
		err := guarded(func() error { return a.Run(ctx) })
		if ctx.Err() != nil {
			return
		}
		a.f.h.log.WarnContext(ctx, "files of watched processes are not seen", "error", err)
		pause(ctx, retryEvery)
		b, err := openActs(a.f.h, a.places)
		for err != nil && ctx.Err() == nil {
			pause(ctx, retryEvery)
			b, err = openActs(a.f.h, a.places)
		}
		if ctx.Err() != nil {
			if err == nil {
				_ = b.f.file.Close() // it was not read
			}
			return
		}
		a = b
		a.f.h.sink.Lost(event.File, 0, ended, "the watch over processes failed")
	}
}
