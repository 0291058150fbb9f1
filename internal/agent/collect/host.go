package collect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

var (
	errTooLarge   = errors.New("file is larger than the limit")
	errNotRegular = errors.New("not a regular file")
	errLoop       = errors.New("too many symbolic links")
)

// OpenHost opens dir as the root that is inventoried. No path of the result
// leaves dir, whatever its symbolic links say, and no open blocks on a pipe.
// The closer ends the use of Host.FS. live must be set only for the running
// host's own root.
func OpenHost(dir string, live bool, now time.Time) (Host, io.Closer, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return Host{}, nil, fmt.Errorf("open root %q: %w", dir, err)
	}
	f := rootFS{r: r, dir: dir}
	if f.at, err = r.Open("."); err != nil {
		return Host{}, nil, errors.Join(fmt.Errorf("open root %q: %w", dir, err), r.Close())
	}
	return Host{FS: f, Root: dir, Live: live, Now: now}, f, nil
}

// rootFS is os.Root's file system, with opens that never wait for the other
// end of a pipe, and that take one system call where the system has one.
type rootFS struct {
	r   *os.Root
	dir string   // its path
	at  *os.File // r itself as a directory
}

var _ fs.ReadLinkFS = rootFS{}

// Close implements io.Closer.
func (f rootFS) Close() error { return errors.Join(f.at.Close(), f.r.Close()) }

// Open implements fs.FS.
func (f rootFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	switch file, err := openBeneath(f.at, name, f.path(name)); {
	case err == nil:
		return file, nil
	case isNotExist(err):
		return nil, err
	}
	return f.r.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// openDir opens a directory for listing.
func (f rootFS) openDir(name string) (*os.File, error) {
	d, err := openBeneath(f.at, name, f.path(name))
	if err == nil || isNotExist(err) {
		return d, err
	}
	if d, err = f.r.Open(name); err != nil {
		return nil, err
	}
	plain, err := plainDir(d, f.path(name))
	if err != nil {
		return d, nil
	}
	_ = d.Close() // plain is a second handle of the same directory
	return plain, nil
}

func (f rootFS) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Lstat implements fs.ReadLinkFS.
func (f rootFS) Lstat(name string) (fs.FileInfo, error) { return f.r.Lstat(name) }

// ReadLink implements fs.ReadLinkFS.
func (f rootFS) ReadLink(name string) (string, error) { return f.r.Readlink(name) }

// Stat implements fs.StatFS.
func (f rootFS) Stat(name string) (fs.FileInfo, error) { return f.r.Stat(name) }

// resolve returns the path without symbolic links that name stands for inside
// the root, as a process that is confined to the root would find it: absolute
// links start again at the root and ".." stops there.
func (h Host) resolve(name string) (string, error) {
	rest := strings.Split(name, "/")
	cur := "."
	for hops := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			cur = path.Dir(cur)
			continue
		}
		next := path.Join(cur, part)
		info, err := fs.Lstat(h.FS, next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			cur = next
			continue
		}
		if hops++; hops > 40 {
			return "", &fs.PathError{Op: "resolve", Path: name, Err: errLoop}
		}
		to, err := fs.ReadLink(h.FS, next)
		if err != nil {
			return "", err
		}
		if path.IsAbs(to) {
			cur = "."
		}
		rest = append(strings.Split(to, "/"), rest...)
		if len(rest) > 4096 {
			return "", &fs.PathError{Op: "resolve", Path: name, Err: errLoop}
		}
	}
	return cur, nil
}

// open opens the regular file that name stands for inside the root.
func (h Host) open(name string) (fs.File, fs.FileInfo, error) {
	at, err := h.resolve(name)
	if err != nil {
		return nil, nil, err
	}
	return h.openAt(at)
}

// openAt opens a regular file by a path that is already free of links.
func (h Host) openAt(at string) (fs.File, fs.FileInfo, error) {
	if info, err := fs.Lstat(h.FS, at); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, &fs.PathError{Op: "open", Path: at, Err: errNotRegular}
	}
	f, err := h.FS.Open(at)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: at, Err: errNotRegular}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// read returns the content of a regular file of at most max bytes. The size
// that the file system tells is not trusted (files of /proc have none).
func (h Host) read(name string, max int64) ([]byte, error) {
	f, _, err := h.open(name)
	if err != nil {
		return nil, err
	}
	return readClose(f, name, max)
}

// readAt is read for a path that is already free of links.
func (h Host) readAt(name string, max int64) ([]byte, error) {
	f, _, err := h.openAt(name)
	if err != nil {
		return nil, err
	}
	return readClose(f, name, max)
}

func readClose(f fs.File, name string, max int64) ([]byte, error) {
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > max {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errTooLarge}
	}
	return b, nil
}

// line returns the first line of a small file, trimmed; empty when unreadable.
func (h Host) line(name string) string {
	b, err := h.read(name, 64<<10)
	if err != nil {
		return ""
	}
	s, _, _ := strings.Cut(string(b), "\n")
	return clean(strings.TrimSpace(s), 1024)
}

// maxDirEntries bounds one directory, so that a directory of millions costs no memory.
const maxDirEntries = 100_000

// readDir lists a directory sorted by name. A directory with more than
// maxDirEntries entries gives those first read and errTooLarge.
func (h Host) readDir(name string) ([]fs.DirEntry, error) {
	at, err := h.resolve(name)
	if err != nil {
		return nil, err
	}
	return h.readDirAt(at)
}

// readDirAt is readDir for a path that is already free of links.
func (h Host) readDirAt(at string) ([]fs.DirEntry, error) {
	d, err := h.openDir(at)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var all []fs.DirEntry
	for {
		list, err := d.ReadDir(4096)
		all = append(all, list...)
		switch {
		case len(all) > maxDirEntries:
			all = all[:maxDirEntries]
			sortEntries(all)
			return all, &fs.PathError{Op: "readdir", Path: at, Err: errTooLarge}
		case errors.Is(err, io.EOF) || err == nil && len(list) == 0:
			sortEntries(all)
			return all, nil
		case err != nil:
			sortEntries(all)
			return all, err
		}
	}
}

// exists reports whether name stands for anything inside the root.
func (h Host) exists(name string) bool {
	_, err := h.resolve(name)
	return err == nil
}

func (h Host) openDir(at string) (fs.ReadDirFile, error) {
	if r, ok := h.FS.(rootFS); ok {
		return r.openDir(at)
	}
	f, err := h.FS.Open(at)
	if err != nil {
		return nil, err
	}
	if d, ok := f.(fs.ReadDirFile); ok {
		return d, nil
	}
	return nil, errors.Join(&fs.PathError{Op: "readdir", Path: at, Err: errors.New("not a directory")}, f.Close())
}

// abs is how a path of the root is shown: with the leading slash.
func abs(name string) string {
	if name == "." {
		return "/"
	}
	return "/" + name
}

// nonEmpty reports whether name is a file with content.
func (h Host) nonEmpty(name string) bool {
	at, err := h.resolve(name)
	if err != nil {
		return false
	}
	info, err := fs.Lstat(h.FS, at)
	return err == nil && info.Size() > 0
}

// lstat describes a path that is already free of links.
func lstat(h Host, at string) (fs.FileInfo, error) { return fs.Lstat(h.FS, at) }
