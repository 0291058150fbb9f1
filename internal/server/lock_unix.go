//go:build unix

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir makes sure that one process has a data directory open, and that
// nobody else can read it: it is this user's own. The lock goes with the process.
func lockDir(dir string) (*os.File, error) {
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("data directory %q is not a directory", dir)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("data directory %q belongs to another user than the one that this runs as (%d): run it as its owner, or chown it if nobody else had it", dir, os.Geteuid())
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := closeDir(dir); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data directory %q: %w", dir, ErrInUse)
	}
	return f, nil
}

// closeDir takes a data directory away from other users. It touches only
// directories that are plainly ours to close: empty, or with our database.
func closeDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("open data directory: %w", err)
	}
	_, err = os.Stat(filepath.Join(dir, "picket.db"))
	if len(entries) > 0 && err != nil {
		return fmt.Errorf("data directory %q can be entered by others and holds files that are not Picket's: give another, or run chmod 700 on it", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close data directory to others: %w", err)
	}
	return nil
}
