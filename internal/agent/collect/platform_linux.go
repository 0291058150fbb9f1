package collect

import (
	"os"

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
