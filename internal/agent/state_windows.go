package agent

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const (
	noFollow = 0
	dirSync  = false
)

// checkAccess leaves owner and access list to the installer: a directory below
// ProgramData inherits that of the service account.
func checkAccess(string, fs.FileInfo, fs.FileMode) error { return nil }

// lockFile takes an exclusive lock that ends with the process.
func lockFile(root *os.Root, name string) (io.Closer, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
