package collect

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// meteredFS counts the bytes that are read of its files.
type meteredFS struct {
	fs.FS
	n *atomic.Int64
}

// Open implements fs.FS.
func (m meteredFS) Open(name string) (fs.File, error) {
	f, err := m.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return meteredFile{f, m.n}, nil
}

type meteredFile struct {
	fs.File
	n *atomic.Int64
}

// ReadAt implements io.ReaderAt.
func (m meteredFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := m.File.(io.ReaderAt).ReadAt(p, off)
	m.n.Add(int64(n))
	return n, err
}

// A file that claims a table of names as large as itself costs no more reading
// than a program is allowed.
func TestExecutableIsReadWithinBounds(t *testing.T) {
	dir := t.TempDir()
	const size = 256 << 20
	var h [64 + 2*64]byte
	le := binary.LittleEndian
	copy(h[:], elf.ELFMAG)
	h[elf.EI_CLASS], h[elf.EI_DATA], h[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)
	le.PutUint16(h[16:], uint16(elf.ET_EXEC))
	le.PutUint16(h[18:], uint16(elf.EM_X86_64))
	le.PutUint32(h[20:], uint32(elf.EV_CURRENT))
	le.PutUint64(h[40:], 64) // section headers
	le.PutUint16(h[52:], 64) // size of this header
	le.PutUint16(h[58:], 64) // size of a section header
	le.PutUint16(h[60:], 2)  // section headers: none, and the table of names
	le.PutUint16(h[62:], 1)  // which is the table of names
	le.PutUint32(h[128+4:], uint32(elf.SHT_STRTAB))
	le.PutUint64(h[128+24:], 192)      // its place
	le.PutUint64(h[128+32:], size-192) // its size
	f, err := os.Create(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(h[:]); err == nil {
		err = f.Truncate(size) // a hole: it takes no room on the disk
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	host := otherRoot(t, dir)
	host.FS = meteredFS{host.FS, &n}
	if _, err := readBuildInfo(t.Context(), host, DefaultLimits(), "program"); err == nil {
		t.Error("it was taken for a Go program")
	}
	if got := n.Load(); got < 64 || got > maxBuildInfoRead {
		t.Errorf("%d bytes were read, want %d at most", got, maxBuildInfoRead)
	}
}
