package sense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// notices wakes a source when something that it reads has changed, by inotify.
// It says that something has, never what: the source looks for itself.
type notices struct {
	file *os.File
	mask uint32
	wds  map[string]int
}

const (
	// entriesMask is of directories in which files come, go and are written.
	entriesMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CLOSE_WRITE | unix.IN_ATTRIB |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF
	// growsMask is of files, or of directories with files, that are added to
	// while they stay open.
	growsMask = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_MOVE_SELF | unix.IN_DELETE_SELF
	// settleFor is for how long more may come before a source looks.
	settleFor = 500 * time.Millisecond
	// lookAnyway is how often a source looks although nothing was said to have
	// changed: not every file system tells, and a link may lead out of what is watched.
	lookAnyway = time.Minute
)

func newNotices(mask uint32) (*notices, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	return &notices{file: os.NewFile(uintptr(fd), "inotify"), mask: mask, wds: map[string]int{}}, nil
}

// set watches some paths and no others. Of one that is not there, the closest
// directory above it that is.
func (n *notices) set(paths []string) error {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	var bad error
	err = conn.Control(func(fd uintptr) {
		want, watched := map[string]bool{}, map[int]bool{}
		for _, p := range paths {
			// One that was replaced has the same name and another watch: it is set anew each time.
			wd, err := unix.InotifyAddWatch(int(fd), p, n.mask)
			for errors.Is(err, unix.ENOENT) && p != "/" && p != "." {
				p = filepath.Dir(p)
				wd, err = unix.InotifyAddWatch(int(fd), p, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_MASK_ADD)
			}
			if err != nil {
				bad = fmt.Errorf("watch %q: %w", p, err)
				continue
			}
			want[p], watched[wd] = true, true
			n.wds[p] = wd
		}
		for p, wd := range n.wds {
			if want[p] {
				continue
			}
			delete(n.wds, p)
			if !watched[wd] { // under another name
				_, _ = unix.InotifyRmWatch(int(fd), uint32(wd)) // it may be gone already
			}
		}
	})
	return errors.Join(err, bad)
}

// wait returns when something has changed and then been quiet for a moment, at
// a time at the latest, or when ctx ends. at is never zero.
func (n *notices) wait(ctx context.Context, at time.Time) error {
	came, err := n.first(ctx, at)
	if err != nil || !came {
		return err
	}
	pause(ctx, settleFor)
	conn, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Control(func(fd uintptr) { // what came meanwhile is seen with the rest
		var buf [4096]byte
		for size := 1; size > 0; {
			size, _ = unix.Read(int(fd), buf[:]) // nothing more: it does not block
		}
	})
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// first reads what there is; when there is nothing it waits for something.
func (n *notices) first(ctx context.Context, at time.Time) (came bool, err error) {
	if stop, err := deadline(ctx, n.file, at); stop || err != nil {
		return false, err
	}
	var buf [4096]byte
	size, err := n.file.Read(buf[:])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return false, nil
	}
	return size > 0, err
}

func (n *notices) close() { _ = n.file.Close() } // it was only read
