//go:build unix

package agent

import (
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	noFollow = syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	dirSync  = true
)

// checkAccess refuses a path that has another owner than this process or
// another mode than want.
func checkAccess(path string, info fs.FileInfo, want fs.FileMode) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stateErr("%q: the system does not tell its owner", path)
	}
	if int(st.Uid) != os.Geteuid() {
		return stateErr("%q belongs to user %d, the agent runs as user %d: chown it, or use another directory", path, st.Uid, os.Geteuid())
	}
	if got := info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky); got != want {
		return stateErr("%q has mode %04o, %04o is needed: others may have read or changed it. Run chmod %04o if you are sure that nobody did, or use a new directory", path, got.Perm(), want, want)
	}
	return nil
}

// lockFile takes an exclusive lock that ends with the process.
func lockFile(root *os.Root, name string) (io.Closer, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
