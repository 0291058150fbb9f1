package collect

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/inventory"
)

// platformMachine is what uname -m prints.
func platformMachine() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Machine[:])
}

func platformHostname() string {
	name, _ := os.Hostname()
	return name
}

// platformOS has nothing to add on Linux: os-release says it all.
func platformOS(Host, *result, *inventory.OS) {}

// openBeneath opens what name stands for below the directory root, in one
// system call in which no link leads out of it and no open waits (openat2(2),
// Linux 5.6). path names the file. Where it fails for any reason but that there
// is no such file, an open through os.Root decides.
func openBeneath(root *os.File, name, path string) (*os.File, error) {
	fd, err := unix.Openat2(int(root.Fd()), name, &unix.OpenHow{
		Flags: unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// plainDir returns the directory f in a form whose entries are not looked up
// one by one: files opened through an os.Root stat each entry as it is listed.
// path names it for the entries' Info. The caller closes both.
func plainDir(f *os.File, path string) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// fileOwner returns the numbers of a file's owner and group.
func fileOwner(info fs.FileInfo) (uid, gid uint32, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}
