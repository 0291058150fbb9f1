package agent

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// stateDir is the agent's own directory. Everything in it belongs to the
// agent's user and nobody else can look in: else the agent does not start.
// Layout:
//
//	identity.pem   the key, which never leaves the host, and its certificate
//	fork.pem       a key that is about to replace it (see fork)
//	session.json   what the server gave to keep: the nonce
//	sections/      the last content of each section, as sent or to be sent
//	spool/         changes that the server has not acknowledged
//	detections/    events that the server has not acknowledged, of the first stream
//	activity/      and of the second
//	numbers        which numbers were given to events
//	memory/        what sources of events remember
//	tasks/         what the server asked for once, and how it went
//	uploads/       packages that the server does not have yet
//	lock           held while an agent runs
type stateDir struct {
	path string
	root *os.Root
	lock io.Closer
}

// stateDirs are the directories within the state directory.
var stateDirs = []string{"sections", "spool", "detections", "activity", "memory", taskDir, uploadDir}

// ErrState says that the state directory cannot be used as it is.
var ErrState = errors.New("state directory")

func stateErr(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrState, fmt.Errorf(format, args...))
}

// openState opens the state directory, making it (0700) when it does not exist.
func openState(path string) (*stateDir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, stateErr("%q: %w", path, err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, stateErr("create: %w", err)
	}
	root, err := openOwn(abs)
	if err != nil {
		return nil, err
	}
	s := &stateDir{path: abs, root: root}
	if err := s.check(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	if s.lock, err = lockFile(root, "lock"); err != nil {
		return nil, errors.Join(stateErr("%q is in use by another agent, or cannot be locked: %w", abs, err), root.Close())
	}
	for _, dir := range stateDirs {
		if err := root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, errors.Join(stateErr("create %q: %w", filepath.Join(abs, dir), err), s.close())
		}
	}
	s.sweep()
	return s, nil
}

// openOwn opens a directory that is this process's own, and is the one that was
// looked at: whoever may change the directory above can exchange it meanwhile.
// What is in it is reached through the result alone, never by its path.
func openOwn(path string) (*os.Root, error) {
	seen, err := os.Lstat(path)
	if err != nil {
		return nil, stateErr("%w", err)
	}
	if err := checkOwn(path, seen, 0o700, true); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, stateErr("open: %w", err)
	}
	opened, err := root.Stat(".")
	if err == nil && !os.SameFile(seen, opened) {
		err = fmt.Errorf("%q was exchanged while it was opened", path)
	}
	if err != nil {
		return nil, errors.Join(stateErr("open: %w", err), root.Close())
	}
	return root, nil
}

// check looks at everything that an attacker could have put in place.
func (s *stateDir) check() error {
	if err := checkFiles(s.root, s.path, append([]string{"identity.pem", "fork.pem", "session.json", "lock", numbersFile}, responseFiles...), 0o600, false); err != nil {
		return err
	}
	return checkFiles(s.root, s.path, stateDirs, 0o700, true)
}

// checkFiles checks those of some files, or directories, that are there.
func checkFiles(root *os.Root, path string, names []string, want fs.FileMode, dir bool) error {
	for _, name := range names {
		info, err := root.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return stateErr("%w", err)
		}
		if err := checkOwn(filepath.Join(path, name), info, want, dir); err != nil {
			return err
		}
	}
	return nil
}

// checkOwn refuses what is a symbolic link, of the wrong kind, of another owner,
// or open to others.
func checkOwn(path string, info fs.FileInfo, want fs.FileMode, dir bool) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return stateErr("%q is a symbolic link: name the real directory, or remove the link", path)
	case dir && !info.IsDir():
		return stateErr("%q is not a directory", path)
	case !dir && !info.Mode().IsRegular():
		return stateErr("%q is not a regular file", path)
	}
	return checkAccess(path, info, want)
}

// sweep removes what a crash left half-written.
func (s *stateDir) sweep() {
	for _, dir := range append([]string{"."}, stateDirs...) {
		list, err := fs.ReadDir(s.root.FS(), dir)
		if err != nil {
			continue
		}
		for _, e := range list {
			if strings.HasSuffix(e.Name(), ".tmp") {
				_ = s.root.Remove(filepath.Join(dir, e.Name())) // nothing depends on it
			}
		}
	}
}

func (s *stateDir) close() error {
	var err error
	if s.lock != nil {
		err = s.lock.Close()
	}
	return errors.Join(err, s.root.Close())
}

// read returns a file of at most max bytes. It never follows a link.
func (s *stateDir) read(name string, max int64) ([]byte, error) {
	f, err := s.root.OpenFile(name, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > max {
		return nil, fmt.Errorf("%q is larger than %d bytes", name, max)
	}
	return raw, nil
}

// replace puts a file (0600) in place: after a crash at any moment the old or
// the new content is there, and the new one once replace has returned.
func (s *stateDir) replace(name string, data []byte) (err error) {
	tmp := name + ".tmp"
	_ = s.root.Remove(tmp) // of an earlier attempt
	f, err := s.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = s.root.Remove(tmp)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = s.root.Rename(tmp, name); err != nil {
		return err
	}
	return s.sync(filepath.Dir(name))
}

func (s *stateDir) sync(dir string) error {
	if !dirSync {
		return nil
	}
	d, err := s.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// spoolDisk is the disk of a spool: a directory below a state directory.
type spoolDisk struct {
	s   *stateDir
	dir string
}

var _ disk = spoolDisk{}

func (d spoolDisk) at(name string) string { return filepath.Join(d.dir, name) }

// Create implements disk.
func (d spoolDisk) Create(name string) (diskFile, error) {
	f, err := d.s.root.OpenFile(d.at(name), os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Open implements disk.
func (d spoolDisk) Open(name string) (diskFile, error) {
	f, err := d.s.root.OpenFile(d.at(name), os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Remove implements disk.
func (d spoolDisk) Remove(name string) error { return d.s.root.Remove(d.at(name)) }

// Names implements disk.
func (d spoolDisk) Names() ([]string, error) {
	list, err := fs.ReadDir(d.s.root.FS(), d.dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list))
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, nil
}

// Replace implements disk.
func (d spoolDisk) Replace(name string, data []byte) error { return d.s.replace(d.at(name), data) }

// Sync implements disk.
func (d spoolDisk) Sync() error { return d.s.sync(d.dir) }

// ReadFile implements disk.
func (d spoolDisk) ReadFile(name string, max int64) ([]byte, error) { return d.s.read(d.at(name), max) }
