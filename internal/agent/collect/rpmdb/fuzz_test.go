package rpmdb

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// makeHeader builds a header blob with the given string and number tags.
func makeHeader(name string, padding int) []byte {
	var index, data bytes.Buffer
	be := binary.BigEndian
	add := func(tag, kind uint32, b []byte, count uint32) {
		if kind == typeInt32 {
			for data.Len()%4 != 0 {
				data.WriteByte(0)
			}
		}
		_ = binary.Write(&index, be, []uint32{tag, kind, uint32(data.Len()), count})
		data.Write(b)
	}
	str := func(tag uint32, s string) { add(tag, typeString, append([]byte(s), 0), 1) }
	str(tagName, name)
	str(tagVersion, "1.0")
	str(tagRelease, "2.el9")
	str(tagArch, "x86_64")
	str(tagSourceRPM, name+"-1.0-2.el9.src.rpm")
	str(tagModularity, "m:s:1:c")
	add(tagEpoch, typeInt32, []byte{0, 0, 0, 7}, 1)
	add(tagDirIndexes, typeInt32, []byte{0, 0, 0, 0, 0, 0, 0, 1}, 2)
	add(tagDirNames, typeArray, []byte("/usr/\x00/opt/\x00"), 2)
	add(tagBaseNames, typeArray, []byte("a\x00b\x00"), 2)
	str(tagSummary, strings.Repeat("s", padding))
	var b bytes.Buffer
	_ = binary.Write(&b, be, []uint32{uint32(index.Len() / 16), uint32(data.Len())})
	b.Write(index.Bytes())
	b.Write(data.Bytes())
	return b.Bytes()
}

// makeNDB builds an ndb database of the given blobs.
func makeNDB(blobs ...[]byte) []byte {
	le := binary.LittleEndian
	db := make([]byte, ndbPage)
	copy(db, "RpmP")
	le.PutUint32(db[12:], 1)
	for at := 2 * ndbSlot; at < ndbPage; at += ndbSlot {
		copy(db[at:], "Slot")
	}
	for i, blob := range blobs {
		slot := db[(2+i)*ndbSlot:]
		units := (ndbBlobH + len(blob) + 12 + ndbUnit - 1) / ndbUnit
		le.PutUint32(slot[4:], uint32(i+1))
		le.PutUint32(slot[8:], uint32(len(db)/ndbUnit))
		le.PutUint32(slot[12:], uint32(units))
		body := make([]byte, units*ndbUnit)
		copy(body, "BlbS")
		le.PutUint32(body[4:], uint32(i+1))
		le.PutUint32(body[12:], uint32(len(blob)))
		copy(body[ndbBlobH:], blob)
		db = append(db, body...)
	}
	return db
}

// makeBDB builds a hash database: each blob in a chain of overflow pages, in
// the given byte order.
func makeBDB(order binary.ByteOrder, blobs ...[]byte) []byte {
	const size = 512
	meta := make([]byte, size)
	order.PutUint32(meta[12:], bdbHashMagic)
	order.PutUint32(meta[20:], size)
	table := make([]byte, size)
	table[25] = bdbHash
	order.PutUint16(table[20:], uint16(2*len(blobs)))
	pages := [][]byte{meta, table}
	end := size
	for i, blob := range blobs {
		end -= 5
		table[end] = bdbInline
		order.PutUint16(table[bdbHeader+4*i:], uint16(end))
		end -= 12
		table[end] = bdbOffPage
		order.PutUint16(table[bdbHeader+4*i+2:], uint16(end))
		order.PutUint32(table[end+4:], uint32(len(pages)))
		order.PutUint32(table[end+8:], uint32(len(blob)))
		for len(blob) > 0 {
			n := min(len(blob), size-bdbHeader)
			p := make([]byte, size)
			p[25] = bdbOverflow
			order.PutUint16(p[22:], uint16(n))
			copy(p[bdbHeader:], blob[:n])
			if blob = blob[n:]; len(blob) > 0 {
				order.PutUint32(p[16:], uint32(len(pages)+1))
			}
			pages = append(pages, p)
		}
	}
	order.PutUint32(meta[32:], uint32(len(pages)-1))
	return bytes.Join(pages, nil)
}

// makeSQLite builds a database with SQLite itself. With wal the rows are in the
// write-ahead log only.
func makeSQLite(t testing.TB, wal bool, blobs ...[]byte) (db, log []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	c, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetMaxOpenConns(1)
	do := func(q string, args ...any) {
		if _, err := c.ExecContext(t.Context(), q, args...); err != nil {
			t.Fatal(err)
		}
	}
	do("PRAGMA page_size=1024")
	if wal {
		do("PRAGMA journal_mode=WAL")
		do("PRAGMA wal_autocheckpoint=0")
	}
	do("CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
	do("CREATE TABLE 'Other' (key TEXT, hnum INTEGER)")
	for _, b := range blobs {
		do("INSERT INTO Packages(blob) VALUES (?)", b)
	}
	if db, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	if wal {
		if log, err = os.ReadFile(path + "-wal"); err != nil {
			t.Fatal(err)
		}
	}
	return db, log
}

func namesOf(t testing.TB, db, wal []byte) ([]string, Stats, error) {
	t.Helper()
	s := Source{DB: bytes.NewReader(db), Size: int64(len(db))}
	if wal != nil {
		s.WAL, s.WALSize = bytes.NewReader(wal), int64(len(wal))
	}
	var got []string
	st, err := Each(s, func(blob []byte) error {
		p, err := Parse(blob)
		if err != nil {
			return err
		}
		files := 0
		if err := Files(blob, func([]byte) bool { files++; return true }); err != nil || files != 2 {
			return fmt.Errorf("%d files: %w", files, err)
		}
		got = append(got, p.Name+" "+p.EVR()+" "+p.Module())
		return nil
	})
	return got, st, err
}

// TestMade reads databases of each kind with small and chained blobs.
func TestMade(t *testing.T) {
	blobs := [][]byte{makeHeader("small", 10), makeHeader("chained", 5000), makeHeader("last", 200)}
	want := "small 7:1.0-2.el9 m:s,chained 7:1.0-2.el9 m:s,last 7:1.0-2.el9 m:s"
	plain, _ := makeSQLite(t, false, blobs...)
	logged, wal := makeSQLite(t, true, blobs...)
	for _, tt := range []struct {
		name    string
		db, wal []byte
	}{
		{"sqlite", plain, nil}, {"sqlite with log", logged, wal},
		{"ndb", makeNDB(blobs...), nil},
		{"bdb little", makeBDB(binary.LittleEndian, blobs...), nil}, {"bdb big", makeBDB(binary.BigEndian, blobs...), nil},
	} {
		got, st, err := namesOf(t, tt.db, tt.wal)
		if err != nil || strings.Join(got, ",") != want || st.Damaged != 0 {
			t.Errorf("%s: %v %+v %v", tt.name, got, st, err)
		}
	}
	if got, _, _ := namesOf(t, logged, nil); len(got) != 0 {
		t.Errorf("without its log the database holds %v", got)
	}
}

// TestTornLog proves that a log that ends in the middle of a transaction gives
// the state of the last committed one.
func TestTornLog(t *testing.T) {
	db, wal := makeSQLite(t, true, makeHeader("one", 10), makeHeader("two", 10))
	frame := walFrame + 1024
	seen := map[int]bool{}
	for n := walHeader; n <= len(wal); n += frame / 2 {
		got, _, err := namesOf(t, db, wal[:n])
		if err != nil && !errors.Is(err, ErrFormat) {
			t.Fatal(err)
		}
		seen[len(got)] = true
	}
	damaged := bytes.Clone(wal)
	damaged[len(damaged)-10] ^= 1
	if got, _, err := namesOf(t, db, damaged); err != nil || len(got) != 1 {
		t.Errorf("with a damaged last frame: %v, %v; want the first package alone", got, err)
	}
	if !seen[0] || !seen[1] || !seen[2] {
		t.Errorf("counts seen while the log grows: %v, want 0, 1 and 2", seen)
	}
}

// TestDamage proves that one damaged record costs that record alone.
func TestDamage(t *testing.T) {
	blobs := [][]byte{makeHeader("first", 2000), makeHeader("second", 2000), makeHeader("third", 2000)}
	for _, tt := range []struct {
		name string
		db   []byte
		mark string // the text at the start of what is damaged
	}{
		{"ndb", makeNDB(blobs...), "BlbS"},
	} {
		i := bytes.Index(tt.db, []byte(tt.mark))
		tt.db[i] = 'X'
		got, st, err := namesOf(t, tt.db, nil)
		if err != nil || len(got) != 2 || st.Damaged != 1 {
			t.Errorf("%s: %v %+v %v", tt.name, got, st, err)
		}
	}
	db := makeBDB(binary.LittleEndian, blobs...)
	binary.LittleEndian.PutUint32(db[2*512+16:], 2) // the first chain bites its tail
	if got, st, err := namesOf(t, db, nil); err != nil || len(got) != 2 || st.Damaged != 1 {
		t.Errorf("bdb: %v %+v %v", got, st, err)
	}
	binary.LittleEndian.PutUint16(db[2*512+22:], 0) // and holds nothing
	if got, st, err := namesOf(t, db, nil); err != nil || len(got) != 2 || st.Damaged != 1 {
		t.Errorf("bdb with an empty loop: %v %+v %v", got, st, err)
	}
}

func FuzzEach(f *testing.F) {
	blobs := [][]byte{makeHeader("small", 10), makeHeader("chained", 3000)}
	plain, _ := makeSQLite(f, false, blobs...)
	logged, wal := makeSQLite(f, true, blobs...)
	f.Add(plain, []byte{})
	f.Add(logged, wal)
	f.Add(makeNDB(blobs...), []byte{})
	f.Add(makeBDB(binary.LittleEndian, blobs...), []byte{})
	f.Add(makeBDB(binary.BigEndian, blobs...), []byte{})
	f.Fuzz(func(t *testing.T, db, wal []byte) {
		s := Source{DB: bytes.NewReader(db), Size: int64(len(db)), WAL: bytes.NewReader(wal), WALSize: int64(len(wal))}
		n := 0
		_, _ = Each(s, func(blob []byte) error {
			if n++; n > len(db)+len(wal)+1000 {
				t.Fatal("more headers than bytes")
			}
			_, _ = Parse(blob)
			return nil
		})
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(makeHeader("seed", 10))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, blob []byte) {
		if p, err := Parse(blob); err == nil {
			if p.Name == "" {
				t.Error("a header without a name was taken")
			}
			p.Source()
			p.Module()
		}
		files := 0
		_ = Files(blob, func(path []byte) bool { files++; return files < 1<<20 })
	})
}
