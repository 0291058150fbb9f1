// Package rpmdb reads the package databases of rpm: SQLite (Fedora, RHEL 9 and
// later), ndb (SUSE) and Berkeley DB hash (RHEL 8 and earlier). It reads, never
// writes, takes no locks and needs no database engine:
//
//	st, err := rpmdb.Each(rpmdb.Source{DB: f, Size: size}, func(blob []byte) error {
//		p, err := rpmdb.Parse(blob)
//		…
//	})
//
// The bytes are those of a host and hostile: every offset is checked, every
// chain is bounded by the size of the file, and a damaged record is counted
// while the others are read.
package rpmdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxBlob is the largest package header that is read, in bytes. The largest
// honest ones (kernel debug information) have some 5 MiB.
const MaxBlob = 32 << 20

// ErrFormat says that a file is no database of a known kind, or is damaged so
// far that nothing of it can be trusted.
var ErrFormat = errors.New("not a readable rpm database")

// errRecord is a damaged record: it is counted and the next one is read.
var errRecord = errors.New("damaged record")

// Source is an open database.
type Source struct {
	DB   io.ReaderAt
	Size int64
	// WAL is SQLite's write-ahead log beside the database, nil when there is none.
	WAL     io.ReaderAt
	WALSize int64
}

// Stats counts what Each saw.
type Stats struct {
	Kind    string // "sqlite", "ndb", "bdb"
	Headers int    // header blobs given to fn
	Damaged int    // records that could not be read
}

// Each calls fn with the header blob of every installed package. The blob is
// valid during the call only. An error of fn ends the reading and is returned.
func Each(s Source, fn func(blob []byte) error) (Stats, error) {
	head := make([]byte, 512)
	n, err := s.DB.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Stats{}, err
	}
	head = head[:n]
	var st Stats
	emit := func(blob []byte) error {
		st.Headers++
		return fn(blob)
	}
	switch {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		st.Kind = "sqlite"
		err = eachSQLite(s, &st, emit)
	case bytes.HasPrefix(head, []byte("RpmP")):
		st.Kind = "ndb"
		err = eachNDB(s, &st, emit)
	case len(head) >= 72 && (binary.LittleEndian.Uint32(head[12:]) == bdbHashMagic || binary.BigEndian.Uint32(head[12:]) == bdbHashMagic):
		st.Kind = "bdb"
		err = eachBDB(s, &st, emit)
	default:
		return st, fmt.Errorf("%w: unknown kind", ErrFormat)
	}
	return st, err
}

// buffer returns b with length n, growing it as needed.
func buffer(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// readFull reads exactly len(b) bytes at off.
func readFull(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
