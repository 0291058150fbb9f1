// Package store keeps relational state: devices and their inventory, matches,
// accounts, tokens, settings. It is a struct over embedded SQLite; SQL lives
// here and nowhere else.
//
//	st, err := store.Open(ctx, dir, store.Options{})
//	err = st.write(ctx, func(tx *sql.Tx) error { … })
//
// Every exported method is one transaction. A method that returns nil has its
// change on disk (WAL with synchronous=FULL): that is what an acknowledgement
// to an agent rests on. All methods are safe for concurrent use; writes are
// serialised.
package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrNotFound says that a row does not exist.
var ErrNotFound = errors.New("not found")

// Options are what may differ between stores.
type Options struct {
	// Memory keeps the database in memory, for tests.
	Memory bool
}

// Store is an open database.
type Store struct {
	w   *sql.DB // one connection: writes
	r   *sql.DB // several connections: reads
	mu  sync.Mutex
	dir string

	access  atomic.Uint64 // counts changes of who may do what
	changed atomic.Pointer[func()]
	enc     *zstd.Encoder // EncodeAll and DecodeAll are safe for concurrent use
	dec     *zstd.Decoder
}

// Open opens or creates the database picket.db in dir and brings its schema up
// to date. dir must exist.
func Open(ctx context.Context, dir string, opt Options) (*Store, error) {
	const pragmas = "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)" +
		"&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-65536)&_txlock=immediate"
	dsn := "file:" + filepath.Join(dir, "picket.db") + "?" + pragmas
	if opt.Memory {
		dsn = "file:mem" + fmt.Sprint(time.Now().UnixNano()) + "?mode=memory&cache=shared&" + pragmas
	}
	if !opt.Memory {
		if err := ownFile(filepath.Join(dir, "picket.db")); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	w, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), w.Close())
	}
	r.SetMaxOpenConns(8)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(512<<20))
	if err != nil {
		return nil, err
	}
	s := &Store{w: w, r: r, dir: dir, enc: enc, dec: dec}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %q: %w", filepath.Join(dir, "picket.db"), err), s.Close())
	}
	return s, nil
}

// ownFile makes the database one that its user alone can read, whatever the umask:
// the files that SQLite puts beside it get its mode.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600)
	}
	return errors.Join(err, f.Close())
}

// Dir is where the database is.
func (s *Store) Dir() string { return s.dir }

// Close frees the connections. Committed changes are already on disk.
func (s *Store) Close() error {
	s.dec.Close()
	return errors.Join(s.enc.Close(), s.r.Close(), s.w.Close())
}

// Access counts the changes of who may do and see what: of people, roles, user
// groups, sessions, and what user groups see. It rises after a change is on disk.
func (s *Store) Access() uint64 { return s.access.Load() }

// OnAccess calls fn after every such change. Set it before the store is shared.
func (s *Store) OnAccess(fn func()) { s.changed.Store(&fn) }

// writeAccess is write for such a change.
func (s *Store) writeAccess(ctx context.Context, fn func(tx *sql.Tx) error) error {
	if err := s.write(ctx, fn); err != nil {
		return err
	}
	s.accessChanged()
	return nil
}

// accessChanged tells of such a change, when it is on disk.
func (s *Store) accessChanged() {
	s.access.Add(1)
	if fn := s.changed.Load(); fn != nil {
		(*fn)()
	}
}

// write runs fn in one serialised write transaction and commits it durably,
// with the audit entry that travels with ctx.
func (s *Store) write(ctx context.Context, fn func(tx *sql.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	undo, err := s.record(ctx, tx)
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		undo()
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// migrate applies the embedded migrations in order of their names, each in one
// transaction, and refuses a database whose applied migrations differ.
func (s *Store) migrate(ctx context.Context) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, sum TEXT NOT NULL, applied INTEGER NOT NULL)`)
		return err
	})
	if err != nil {
		return err
	}
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return err
	}
	sort.Strings(names)
	for _, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return err
		}
		digest := sha256.Sum256(text)
		sum := hex.EncodeToString(digest[:])
		err = s.write(ctx, func(tx *sql.Tx) error {
			var have string
			err := tx.QueryRowContext(ctx, `SELECT sum FROM migration WHERE name = $1`, filepath.Base(name)).Scan(&have)
			switch {
			case err == nil && have == sum:
				return nil
			case err == nil:
				return fmt.Errorf("migration %s was applied in another form: this database belongs to another version", filepath.Base(name))
			case !errors.Is(err, sql.ErrNoRows):
				return err
			}
			if _, err := tx.ExecContext(ctx, string(text)); err != nil {
				return fmt.Errorf("migration %s: %w", filepath.Base(name), err)
			}
			_, err = tx.ExecContext(ctx, `INSERT INTO migration (name, sum, applied) VALUES ($1, $2, $3)`, filepath.Base(name), sum, time.Now().Unix())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
