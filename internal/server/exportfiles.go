package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The bounds of export files.
const (
	// MaxExportLife is the longest life of the files of one export.
	MaxExportLife = 6 * time.Hour
	maxExports    = 32      // live at once
	maxExportDisk = 4 << 30 // bytes of all of them
	maxExporting  = 2       // written at once
	waitForExport = 30 * time.Second
)

// ExportFiles is one export as files, while it is written. It is not safe for
// concurrent use.
type ExportFiles struct {
	Secret  string // names the export in addresses: whoever has it may read the files until Expires
	Expires time.Time

	owner *Exports
	set   *exportSet
	dir   string
	open  *os.File
}

// exportSet is one export that is kept.
type exportSet struct {
	dir     string
	expires time.Time
	files   map[string]bool
	bytes   int64
	by      Caller
	needs   string // the permission that it takes
}

// Exports keeps exports as files below one directory until their time is over,
// within bounds of number and disk space. The list is in memory alone: what an
// earlier run of the program left is removed at its start. Its methods are safe
// for concurrent use.
type Exports struct {
	dir     string
	log     *slog.Logger
	writing chan struct{}

	mu   sync.Mutex
	sets map[[sha256.Size]byte]*exportSet // by digest of the secret
	disk int64
	most int64 // bytes
}

// OpenExports empties dir and keeps export files there.
func OpenExports(dir string, log *slog.Logger) (*Exports, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove old export files: %w", err)
	}
	return &Exports{dir: dir, log: log, writing: make(chan struct{}, maxExporting), sets: map[[sha256.Size]byte]*exportSet{}, most: maxExportDisk}, nil
}

// expire removes what is over.
func (x *Exports) expire(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key, set := range x.sets {
		if now.After(set.expires) {
			x.remove(key, set)
		}
	}
}

// remove forgets an export; the caller holds mu.
func (x *Exports) remove(key [sha256.Size]byte, set *exportSet) {
	if x.sets[key] != set {
		return
	}
	delete(x.sets, key)
	x.disk -= set.bytes
	_ = os.RemoveAll(set.dir) // what stays is removed at the next start
}

// NewExportFiles begins an export as files that live as long as life says, an
// hour without. The caller may read exports of the permission. It is a
// WaitError while too many are written or kept.
func (x *Exports) NewExportFiles(ctx context.Context, caller Caller, permission string, life time.Duration) (*ExportFiles, error) {
	if !caller.Has(permission) {
		return nil, ErrDenied
	}
	if life <= 0 {
		life = time.Hour
	}
	select {
	case x.writing <- struct{}{}:
	default:
		return nil, &WaitError{After: waitForExport}
	}
	f, err := x.begin(caller, permission, min(life, MaxExportLife))
	if err != nil {
		<-x.writing
		return nil, err
	}
	x.log.InfoContext(ctx, "export as files begun", "by", caller.Name, "expires", f.Expires)
	return f, nil
}

func (x *Exports) begin(caller Caller, permission string, life time.Duration) (*ExportFiles, error) {
	now := time.Now()
	x.expire(now)
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.sets) >= maxExports || x.disk >= x.most {
		first := now.Add(MaxExportLife)
		for _, set := range x.sets {
			if set.expires.Before(first) {
				first = set.expires
			}
		}
		return nil, &WaitError{After: max(waitForExport, first.Sub(now))}
	}
	f := &ExportFiles{Secret: rand.Text() + rand.Text(), Expires: now.Add(life).UTC(), owner: x}
	f.dir = filepath.Join(x.dir, rand.Text())
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder of export: %w", err)
	}
	f.set = &exportSet{dir: f.dir, expires: f.Expires, files: map[string]bool{}, by: caller, needs: permission}
	x.sets[f.key()] = f.set
	return f, nil
}

func (f *ExportFiles) key() [sha256.Size]byte { return sha256.Sum256([]byte(f.Secret)) }

// Create begins the next file and ends the last one. name must be a plain file
// name that the export does not have yet.
func (f *ExportFiles) Create(name string) (io.Writer, error) {
	if err := f.closeFile(); err != nil {
		return nil, err
	}
	if name != fileWord(name) || f.set.files[name] {
		return nil, Invalidf("name", "%q is no new name of a file", name)
	}
	file, err := os.OpenFile(filepath.Join(f.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create export file: %w", err)
	}
	f.owner.mu.Lock()
	f.set.files[name] = true
	f.owner.mu.Unlock()
	f.open = file
	return f, nil
}

// Write writes to the file that Create began. It fails when the disk space of
// all exports is used up, or the export's time is over.
func (f *ExportFiles) Write(p []byte) (int, error) {
	x := f.owner
	x.mu.Lock()
	over := x.sets[f.key()] != f.set // its time ended while it was written: nothing counts for it any more
	full := x.disk+int64(len(p)) > x.most
	if !over && !full {
		x.disk += int64(len(p))
		f.set.bytes += int64(len(p))
	}
	x.mu.Unlock()
	if over {
		return 0, fmt.Errorf("the export ended at %s, before it was written: %w", f.Expires.Format(time.RFC3339), ErrNotFound)
	}
	if full {
		return 0, &WaitError{After: time.Until(f.Expires)}
	}
	return f.open.Write(p)
}

func (f *ExportFiles) closeFile() error {
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	return err
}

// Close ends the export. With an error, its files are removed.
func (f *ExportFiles) Close(err error) error {
	defer func() { <-f.owner.writing }()
	if err2 := f.closeFile(); err == nil {
		err = err2
	}
	if err != nil {
		f.owner.mu.Lock()
		f.owner.remove(f.key(), f.set)
		f.owner.mu.Unlock()
	}
	return err
}

// ExportFile opens a file of an export by its secret: that is all that is
// needed. It is ErrNotFound when there is none, or its time is over, or whoever
// made it may not see any more what it could then.
func (x *Exports) ExportFile(ctx context.Context, secret, name string) (*os.File, error) {
	x.expire(time.Now())
	key := sha256.Sum256([]byte(secret))
	x.mu.Lock()
	set := x.sets[key]
	x.mu.Unlock()
	if set == nil {
		return nil, fmt.Errorf("export file: %w", ErrNotFound)
	}
	err := set.by.holds(ctx, set.needs)
	if err != nil && !errors.Is(err, ErrDenied) {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.remove(key, set)
	}
	if err != nil || !set.files[name] {
		return nil, fmt.Errorf("export file: %w", ErrNotFound)
	}
	return os.Open(filepath.Join(set.dir, name))
}
