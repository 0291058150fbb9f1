package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// liveRoot is the root of the running host.
const liveRoot = "/"

const watchMask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CLOSE_WRITE |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_DONT_FOLLOW | unix.IN_EXCL_UNLINK

// maxWatches bounds how many directories are watched.
const maxWatches = 2000

// inotify is the kernel's word on changes of directories.
type inotify struct {
	file   *os.File
	events chan point
	done   chan struct{}
	ended  sync.WaitGroup

	mu   sync.Mutex // guards the maps
	dirs map[string]int
	wds  map[int]string
}

func newNotifier() (notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	n := &inotify{file: os.NewFile(uintptr(fd), "inotify"), events: make(chan point, 256), done: make(chan struct{}),
		dirs: map[string]int{}, wds: map[int]string{}}
	n.ended.Go(n.read)
	return n, nil
}

// Events implements notifier.
func (n *inotify) Events() <-chan point { return n.events }

// Close implements notifier.
func (n *inotify) Close() error {
	close(n.done)
	err := n.file.Close()
	n.ended.Wait()
	return err
}

// Watch implements notifier.
func (n *inotify) Watch(dirs []string) error {
	conn, err := n.file.SyscallConn()
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var bad error
	err = conn.Control(func(fd uintptr) {
		want := map[string]bool{}
		for _, dir := range dirs {
			want[dir] = true
			if len(want) > maxWatches {
				bad = errors.Join(bad, fmt.Errorf("more than %d directories", maxWatches))
				break
			}
			// A directory that was replaced has the same name and another watch.
			wd, err := unix.InotifyAddWatch(int(fd), dir, watchMask)
			if err != nil {
				if bad == nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
					bad = fmt.Errorf("watch %q: %w", dir, err)
				}
				continue
			}
			if old, ok := n.dirs[dir]; ok && old != wd {
				delete(n.wds, old)
			}
			n.dirs[dir], n.wds[wd] = wd, dir
		}
		for dir, wd := range n.dirs {
			if !want[dir] {
				_, _ = unix.InotifyRmWatch(int(fd), uint32(wd)) // it may be gone already
				delete(n.dirs, dir)
				delete(n.wds, wd)
			}
		}
	})
	return errors.Join(err, bad)
}

// read passes events on until the file is closed.
func (n *inotify) read() {
	defer close(n.events)
	buf := make([]byte, 16<<10)
	for {
		size, err := n.file.Read(buf)
		if err != nil {
			return
		}
		for _, p := range n.decode(buf[:size]) {
			select {
			case n.events <- p:
			case <-n.done:
				return
			}
		}
	}
}

// decode reads the kernel's records. Repeated points are given once.
func (n *inotify) decode(buf []byte) []point {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []point
	for len(buf) >= unix.SizeofInotifyEvent {
		wd := int(int32(binary.NativeEndian.Uint32(buf)))
		mask := binary.NativeEndian.Uint32(buf[4:])
		size := int(binary.NativeEndian.Uint32(buf[12:]))
		if size > len(buf)-unix.SizeofInotifyEvent {
			break
		}
		name := strings.TrimRight(string(buf[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size]), "\x00")
		buf = buf[unix.SizeofInotifyEvent+size:]
		p := point{}
		if mask&unix.IN_Q_OVERFLOW == 0 {
			dir, ok := n.wds[wd]
			if !ok {
				continue
			}
			if mask&unix.IN_IGNORED != 0 {
				delete(n.wds, wd)
				if n.dirs[dir] == wd {
					delete(n.dirs, dir)
				}
			}
			p = point{dir, name}
		}
		if len(out) == 0 || out[len(out)-1] != p {
			out = append(out, p)
		}
	}
	return out
}

// tellsChanges reports whether the file system of a directory is one whose
// changes the kernel sees all of: not one that others write to over a network.
func tellsChanges(dir string) bool {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC,
		unix.F2FS_SUPER_MAGIC, unix.RAMFS_MAGIC, 0x2fc12fc1 /* zfs */, 0xca451a4e /* bcachefs */ :
		return true
	}
	return false
}
