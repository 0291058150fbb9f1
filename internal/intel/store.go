// Package intel keeps the compiled intelligence: what the feeds say of the
// world, in one file that opens at once and is read in place.
//
//	st, err := intel.Open(filepath.Join(dir, "intel.db"), intel.Options{})
//	res, err := st.Import(ctx, []string{"feeds/"}, intel.ImportOptions{})
//	err = st.View(func(sn *intel.Snapshot) error {
//		statements, err := sn.Statements(advisory.Key{Ecosystem: "Debian", Release: "12", Name: "openssl"})
//		…
//	})
//
// The file is a bbolt database. Readers take a Snapshot (one MVCC read
// transaction) and never wait for a writer. A small import is one transaction
// in place; a large one is built in a copy that replaces the file by rename, so
// that memory stays bounded and a crash at any moment leaves the old file whole.
//
// Two rules keep readers and writers out of each other's way. A snapshot must
// be short-lived: pages that it can see are not reused while it is open, so the
// file grows. And the goroutine that holds a snapshot must not call Import: a
// write that has to enlarge the memory map waits for all snapshots. The map is
// opened larger than the file, so that this is rare, but it is allowed to happen.
package intel

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// layoutVersion names the form of the file. A file of another form is set aside
// by Open and its feeds are loaded again.
const layoutVersion = "picket-intel-1"

// ErrLocked says that another process has the file open.
var ErrLocked = errors.New("the intelligence file is in use by another process")

// ErrLayout says that the file was written in another form: import the feeds again.
var ErrLayout = errors.New("the intelligence file has the form of another version")

// Options are what may differ between stores.
type Options struct {
	Now func() time.Time // wall clock; nil: time.Now

	inPlace int  // most changed records that are applied in place; 0: the default
	chunk   int  // bytes put per transaction in a copy; 0: the default
	noSync  bool // fuzz tests: nothing has to survive
}

// Store is an open intelligence file. All methods are safe for concurrent use;
// imports are serialised.
type Store struct {
	path string
	opt  Options

	mu  sync.RWMutex // guards db: a large import puts another in its place
	db  *bolt.DB
	old sync.WaitGroup // closings of replaced databases

	write  sync.Mutex // held by the one import that runs
	gen    atomic.Uint64
	cacheM sync.Mutex
	cache  *cache
	fail   func(point string) error // test hook: a crash at a named point
}

// Open opens the file at path and creates it when it does not exist. It is
// ErrLocked when another process has it, ErrLayout when it is of another form.
func Open(path string, opt Options) (*Store, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.inPlace == 0 {
		opt.inPlace = 25_000
	}
	if opt.chunk == 0 {
		opt.chunk = 48 << 20
	}
	s := &Store{path: path, opt: opt}
	s.removeLeftovers()
	db, err := openBolt(path, opt.noSync)
	if err != nil {
		return nil, fmt.Errorf("open intelligence file %q: %w", path, err)
	}
	if err := s.adopt(db); err != nil {
		return nil, errors.Join(fmt.Errorf("open intelligence file %q: %w", path, err), db.Close())
	}
	s.db = db
	return s, nil
}

// openBolt opens a database with room in its memory map, so that growth seldom
// has to wait for readers.
func openBolt(path string, noSync bool) (*bolt.DB, error) {
	o := bolt.Options{Timeout: 2 * time.Second, FreelistType: bolt.FreelistMapType, NoSync: noSync}
	if bits.UintSize == 64 {
		o.InitialMmapSize = 8 << 30 // address space only
	}
	db, err := bolt.Open(path, 0o600, &o)
	if err != nil && o.InitialMmapSize > 0 && !errors.Is(err, bolterrors.ErrTimeout) {
		o.InitialMmapSize = 0 // address space is limited here
		db, err = bolt.Open(path, 0o600, &o)
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrLocked
	}
	return db, err
}

// adopt checks the form of a database, makes its buckets and reads its generation.
func (s *Store) adopt(db *bolt.DB) error {
	var gen uint64
	fresh := false
	err := db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			fresh = true
			return nil
		}
		if have := string(meta.Get(keyLayout)); have != layoutVersion {
			return fmt.Errorf("%w: it is %q, this version writes %q; move it away and import the feeds again", ErrLayout, have, layoutVersion)
		}
		gen = readNumber(meta, keyGeneration)
		return nil
	})
	if err != nil {
		return err
	}
	if fresh {
		err = db.Update(func(tx *bolt.Tx) error {
			for _, name := range fixedBuckets() {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return tx.Bucket(bucketMeta).Put(keyLayout, []byte(layoutVersion))
		})
		if err != nil {
			return err
		}
	}
	s.gen.Store(gen)
	return nil
}

// removeLeftovers removes what an import that was cut short left beside the file.
func (s *Store) removeLeftovers() {
	dir, base := filepath.Split(s.path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), base+"."); ok && (rest == "new" || strings.HasPrefix(rest, "spool-")) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// Close waits for open snapshots and frees the file.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	db := s.db
	s.db = nil
	s.mu.Unlock()
	s.old.Wait()
	if db == nil {
		return nil
	}
	return db.Close()
}

// Path is where the file is.
func (s *Store) Path() string { return s.path }

// Generation rises with every change of content; 0 is an empty store.
func (s *Store) Generation() uint64 { return s.gen.Load() }

// errClosed says that the store was closed.
var errClosed = errors.New("the intelligence file is closed")

// Snapshot returns a consistent view of the current content. It must be closed
// soon; see the package comment.
func (s *Store) Snapshot() (*Snapshot, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.db == nil {
		return nil, errClosed
	}
	tx, err := s.db.Begin(false)
	if err != nil {
		return nil, fmt.Errorf("read intelligence: %w", err)
	}
	return s.snapshot(tx), nil
}

// View calls fn with a snapshot that is closed when fn returns.
func (s *Store) View(fn func(*Snapshot) error) error {
	sn, err := s.Snapshot()
	if err != nil {
		return err
	}
	return errors.Join(fn(sn), sn.Close())
}

// swap puts a finished database in the place of the open one. The old one is
// closed when its last snapshot is.
func (s *Store) swap(db *bolt.DB, gen uint64) {
	s.mu.Lock()
	old := s.db
	s.db = db
	s.gen.Store(gen)
	s.mu.Unlock()
	s.old.Add(1)
	go func() {
		defer s.old.Done()
		_ = old.Close() // its file has no name any more; nothing can be lost
	}()
}

// crash is where tests cut an import short.
func (s *Store) crash(point string) error {
	if s.fail == nil {
		return nil
	}
	return s.fail(point)
}
