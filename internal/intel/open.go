package intel

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// limits bound what one import reads, however hostile its archives are.
type limits struct {
	expanded int64 // bytes out of all decompressors and members together
	member   int64 // bytes of one member
	members  int   // members and files
	archives int   // archives within archives
	packings int   // compressions within compressions, beside archives
	ratio    int64 // expanded bytes per byte of the file, once past free
	free     int64 // expanded bytes of a file from which on ratio counts
	inMemory int64 // a nested zip up to this size is kept in memory, a larger one in a temporary file
	depth    int   // directories within directories
}

func defaultLimits() limits {
	return limits{expanded: 64 << 30, member: 4 << 30, members: 5_000_000, archives: 4, packings: 4,
		ratio: 500, free: 64 << 20, inMemory: 16 << 20, depth: 32}
}

// headBytes is how much of a file decides what it is.
const headBytes = 64 << 10

// A limitError says that an import stopped reading a file to protect itself.
type limitError struct{ what string }

func (e *limitError) Error() string { return e.what }

// box is a file, an archive or a compression layer that members come out of.
// When it turns out to be broken, nothing that came out of it is kept.
type box struct {
	path    string // for people: "feeds.tar.zst!osv/all.zip"
	parent  *box
	archive bool // holds several members
	err     error
}

// failed returns why the box, or one around it, is broken.
func (b *box) failed() error {
	for ; b != nil; b = b.parent {
		if b.err != nil {
			return fmt.Errorf("%s: %w", b.path, b.err)
		}
	}
	return nil
}

// leaf is a file that is neither archive nor compressed, ready to be read.
type leaf struct {
	path    string // for people, with the archives around it
	name    string // its own path inside the innermost archive, or the file's path; packing suffixes removed
	dated   string // names around it that may carry a date, innermost first
	modTime time.Time
	box     *box
	r       *bufio.Reader
}

// opener walks files and archives and hands out leaves.
type opener struct {
	ctx      context.Context
	lim      limits
	tempDir  string // where nested archives that do not fit into memory go
	tempName string
	visit    func(leaf) error               // an error ends everything
	broken   func(b *box)                   // a box that cannot be read to its end
	progress func(read, total int64)        // of the outermost file
	total    int64                          // expanded so far, all files
	members  int                            // seen so far, all files
	file     struct{ size, expanded int64 } // the outermost file
}

// openFile reads one file of the disk. The error tells why it cannot be read;
// faults of members inside are reported by broken.
func (o *opener) openFile(p string) error {
	f, err := os.OpenFile(p, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer waits for ever else
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", p)
	}
	return o.openReader(f, st.Size(), p, st.ModTime())
}

// openReader reads one file from memory or disk.
func (o *opener) openReader(f io.ReaderAt, size int64, p string, modTime time.Time) error {
	o.file.size, o.file.expanded = size, 0
	at := &countingAt{ReaderAt: f, o: o}
	r := bufio.NewReaderSize(io.NewSectionReader(at, 0, size), headBytes)
	b := &box{path: p}
	base := leaf{path: p, name: p, dated: p, modTime: modTime, box: b, r: r}
	err := o.expand(base, at, size, 0, 0)
	if err != nil && b.err == nil && o.ctx.Err() == nil {
		b.err = err
		o.broken(b)
	}
	return err
}

// countingAt reports how far the outermost file was read.
type countingAt struct {
	io.ReaderAt
	o    *opener
	read int64
}

func (c *countingAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read += int64(n)
	if c.o.progress != nil {
		c.o.progress(min(c.read, c.o.file.size), c.o.file.size)
	}
	return n, err
}

// metered counts expanded bytes against the limits and ends with the context.
type metered struct {
	r    io.Reader
	o    *opener
	left int64 // of this member
}

func (o *opener) meter(r io.Reader) *metered { return &metered{r: r, o: o, left: o.lim.member} }

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	o := m.o
	m.left -= int64(n)
	o.total += int64(n)
	o.file.expanded += int64(n)
	switch {
	case o.ctx.Err() != nil:
		return 0, o.ctx.Err()
	case m.left < 0:
		return 0, &limitError{fmt.Sprintf("one member is larger than %d bytes", o.lim.member)}
	case o.total > o.lim.expanded:
		return 0, &limitError{fmt.Sprintf("more than %d bytes come out of what was given", o.lim.expanded)}
	case o.file.expanded > o.lim.free && o.file.expanded > o.lim.ratio*max(o.file.size, 1):
		return 0, &limitError{fmt.Sprintf("expands to more than %d times its size", o.lim.ratio)}
	}
	return n, err
}

// Magic numbers of the containers.
var (
	magicGzip  = []byte{0x1f, 0x8b, 0x08}
	magicBzip  = []byte("BZh")
	magicXz    = []byte{0xfd, '7', 'z', 'X', 'Z', 0x00}
	magicZstd  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicZip   = []byte("PK\x03\x04")
	magicEmpty = []byte("PK\x05\x06") // a zip without members
)

// expand takes one layer off l and goes on with what comes out. at is set when
// l can be read at random.
func (o *opener) expand(l leaf, at io.ReaderAt, size int64, archives, packings int) error {
	head, err := l.r.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return truncated(err)
	}
	err = nil
	has := func(magic []byte) bool { return bytes.HasPrefix(head, magic) }
	isTar := len(head) >= 263 && string(head[257:262]) == "ustar"
	isZip := has(magicZip) || has(magicEmpty)
	if isTar || isZip {
		if archives++; archives > o.lim.archives {
			return &limitError{fmt.Sprintf("more than %d archives within archives", o.lim.archives)}
		}
		if isTar {
			return o.tar(l, archives)
		}
		return o.zip(l, at, size, archives)
	}
	var out io.Reader
	suffix := ""
	switch {
	case has(magicGzip):
		out, err = gzip.NewReader(l.r)
		suffix = ".gz"
	case has(magicBzip) && len(head) > 4 && head[3] >= '1' && head[3] <= '9':
		out = bzip2.NewReader(l.r)
		suffix = ".bz2"
	case has(magicXz):
		if err = xzDictionary(head); err == nil {
			out, err = xz.NewReader(l.r)
		}
		suffix = ".xz"
	case has(magicZstd):
		var d *zstd.Decoder
		d, err = zstd.NewReader(l.r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderMaxMemory(256<<20))
		if err == nil {
			defer d.Close()
			out = d
		}
		suffix = ".zst"
	default:
		return o.visit(l)
	}
	if err != nil {
		return err
	}
	if packings++; packings > o.lim.packings {
		return &limitError{fmt.Sprintf("more than %d compressions within compressions", o.lim.packings)}
	}
	inner := l
	inner.name = strings.TrimSuffix(l.name, suffix)
	inner.r = bufio.NewReaderSize(o.meter(out), headBytes)
	if err := o.expand(inner, nil, 0, archives, packings); err != nil {
		return err
	}
	// What follows the content must be read too: checksums are there.
	if _, err := io.Copy(io.Discard, inner.r); err != nil {
		return err
	}
	return nil
}

// xzDictionary refuses a dictionary that the decoder would allocate at once. It
// reads the first block header: the byte after the LZMA2 filter's id and size.
func xzDictionary(head []byte) error {
	const most = 28 // 64 MiB in the coding of the format
	for i := 12; i+2 < len(head) && i < 64; i++ {
		if head[i] == 0x21 && head[i+1] == 0x01 {
			if head[i+2] > most {
				return &limitError{"its dictionary is larger than 64 MiB"}
			}
			return nil
		}
	}
	return nil
}

// member counts one member of an archive.
func (o *opener) member() error {
	if o.members++; o.members > o.lim.members {
		return &limitError{fmt.Sprintf("more than %d files", o.lim.members)}
	}
	return o.ctx.Err()
}

// inside opens one member. A fault inside it breaks the member alone; only
// limits and the context end the archive.
func (o *opener) inside(outer *box, name string, dated string, modTime time.Time, r io.Reader, archives int) error {
	name = printable(name)
	b := &box{path: outer.path + "!" + name, parent: outer}
	m := o.meter(r)
	l := leaf{path: b.path, name: name, dated: name + "\x00" + dated, modTime: modTime, box: b, r: bufio.NewReaderSize(m, headBytes)}
	err := o.expand(l, nil, 0, archives, 0)
	var lim *limitError
	switch {
	case err == nil:
		return nil
	case o.ctx.Err() != nil, errors.As(err, &lim), errors.Is(err, errStop):
		return err
	}
	if b.err == nil {
		b.err = err
		o.broken(b)
	}
	return nil
}

// errStop wraps what ends the whole import.
var errStop = errors.New("import stopped")

// truncated puts the end of a stream in words.
func truncated(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file is truncated: %w", err)
	}
	return err
}

func (o *opener) tar(l leaf, archives int) error {
	l.box = &box{path: l.path, parent: l.box, archive: true}
	tail := &zeroTail{r: l.r}
	t := tar.NewReader(tail)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			if tail.zeros < 512 { // the block of zeros that ends every tar is missing
				return truncated(io.ErrUnexpectedEOF)
			}
			return nil
		}
		if err != nil {
			return truncated(err)
		}
		if err := o.member(); err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if err := o.inside(l.box, h.Name, l.dated, h.ModTime, t, archives); err != nil {
			return err
		}
	}
}

// zeroTail counts the zero bytes that end what was read so far.
type zeroTail struct {
	r     io.Reader
	zeros int
}

func (z *zeroTail) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	rest := len(bytes.TrimRight(p[:n], "\x00"))
	if rest > 0 {
		z.zeros = 0
	}
	z.zeros += n - rest
	return n, err
}

func (o *opener) zip(l leaf, at io.ReaderAt, size int64, archives int) error {
	l.box = &box{path: l.path, parent: l.box, archive: true}
	if at == nil {
		var done func()
		var err error
		if at, size, done, err = o.keep(l.r); err != nil {
			return err
		}
		defer done()
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) {
			return fmt.Errorf("the file is truncated or no zip: %w", err)
		}
		return err
	}
	for _, f := range z.File {
		if err := o.member(); err != nil {
			return err
		}
		if f.FileInfo().IsDir() || !f.Mode().IsRegular() {
			continue
		}
		if err := o.zipMember(l, f, archives); err != nil {
			return err
		}
	}
	return nil
}

func (o *opener) zipMember(l leaf, f *zip.File, archives int) error {
	r, err := f.Open()
	if err != nil {
		b := &box{path: l.box.path + "!" + printable(f.Name), parent: l.box, err: err}
		o.broken(b)
		return nil
	}
	defer func() { _ = r.Close() }()
	return o.inside(l.box, f.Name, l.dated, f.Modified, r, archives)
}

// keep holds a nested zip, which must be read at random, in memory or in a
// temporary file.
func (o *opener) keep(r io.Reader) (io.ReaderAt, int64, func(), error) {
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(r, o.lim.inMemory))
	if err != nil {
		return nil, 0, nil, truncated(err)
	}
	if n < o.lim.inMemory {
		return bytes.NewReader(buf.Bytes()), n, func() {}, nil
	}
	f, err := os.CreateTemp(o.tempDir, o.tempName)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("%w: make temporary file: %w", errStop, err)
	}
	done := func() { _ = f.Close(); _ = os.Remove(f.Name()) }
	n, err = io.Copy(f, io.MultiReader(&buf, r))
	if err != nil {
		done()
		return nil, 0, nil, truncated(err)
	}
	return f, n, done, nil
}

// printable makes a member's name safe to show. Names are never paths here.
func printable(name string) string {
	const most = 300
	if len(name) > most {
		name = "…" + name[len(name)-most:]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, name)
}

// walk calls file for each regular file at or below root in lexical order, and
// skip for what is left out. Directories that are symbolic links are not followed.
func (o *opener) walk(root string, file func(p string) error, skip func(p, why string)) error {
	clean := filepath.Clean(root)
	return filepath.WalkDir(clean, func(p string, d os.DirEntry, err error) error {
		switch {
		case o.ctx.Err() != nil:
			return o.ctx.Err()
		case err != nil && p == clean:
			return err
		case err != nil:
			skip(p, "cannot be read: "+err.Error())
			return nil
		case d.IsDir() && strings.Count(p[len(clean):], string(filepath.Separator)) > o.lim.depth:
			skip(p, fmt.Sprintf("more than %d directories deep", o.lim.depth))
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		if err := o.member(); err != nil {
			return err
		}
		if d.Type()&os.ModeSymlink != 0 {
			if st, err := os.Stat(p); err != nil || !st.Mode().IsRegular() {
				skip(p, "symbolic link that does not lead to a file")
				return nil
			}
		} else if !d.Type().IsRegular() {
			skip(p, "no regular file")
			return nil
		}
		return file(p)
	})
}
