package collect

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var errZip = errors.New("not a readable zip archive")

// zipEntry is one member of a zip archive, as its central directory says.
type zipEntry struct {
	name          string
	method, flags uint16
	packed, plain uint64 // sizes in bytes
	header        int64  // offset of the local header
}

// maxZipEntries bounds the members that are looked at per archive.
const maxZipEntries = 200_000

// eachZipEntry streams the central directory, so that an archive of any number
// of members costs no memory. Only members that keep wants get a name and are
// given to fn. Format: PKWARE's application note, sections 4.3 and 4.5.
func eachZipEntry(at io.ReaderAt, size int64, keep func(name []byte) bool, fn func(zipEntry) error) error {
	off, length, base, err := zipDirectory(at, size)
	if err != nil {
		return err
	}
	br := bufio.NewReaderSize(io.NewSectionReader(at, off, length), 16<<10)
	le := binary.LittleEndian
	var h [46]byte
	var name, extra []byte
	for n := 0; ; n++ {
		if _, err := io.ReadFull(br, h[:]); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		if le.Uint32(h[:]) != 0x02014b50 {
			return fmt.Errorf("%w: damaged directory", errZip)
		}
		if n == maxZipEntries {
			return fmt.Errorf("%w: more than %d members", errZip, maxZipEntries)
		}
		name = sized(name, int(le.Uint16(h[28:])))
		extra = sized(extra, int(le.Uint16(h[30:])))
		if _, err := io.ReadFull(br, name); err != nil {
			return fmt.Errorf("%w: damaged directory", errZip)
		}
		if _, err := io.ReadFull(br, extra); err != nil {
			return fmt.Errorf("%w: damaged directory", errZip)
		}
		if _, err := br.Discard(int(le.Uint16(h[32:]))); err != nil {
			return fmt.Errorf("%w: damaged directory", errZip)
		}
		if !keep(name) {
			continue
		}
		e := zipEntry{name: string(name), flags: le.Uint16(h[8:]), method: le.Uint16(h[10:]), packed: uint64(le.Uint32(h[20:])), plain: uint64(le.Uint32(h[24:]))}
		local := uint64(le.Uint32(h[42:]))
		zip64(extra, &e.plain, &e.packed, &local)
		if local > uint64(size) || e.packed > uint64(size) {
			return fmt.Errorf("%w: member outside of the file", errZip)
		}
		e.header = base + int64(local)
		if err := fn(e); err != nil {
			return err
		}
	}
}

func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// zip64 replaces the values that do not fit 32 bits by those of the extra field.
func zip64(extra []byte, values ...*uint64) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		tag, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if tag == 1 {
			field := extra[:n]
			for _, v := range values {
				if *v == 0xffffffff && len(field) >= 8 {
					*v, field = le.Uint64(field), field[8:]
				}
			}
			return
		}
		extra = extra[n:]
	}
}

// zipDirectory finds the central directory. base is what offsets count from:
// not 0 where a program or script stands before the archive.
func zipDirectory(at io.ReaderAt, size int64) (off, length, base int64, err error) {
	le := binary.LittleEndian
	tail := make([]byte, min(size, 66<<10))
	start := size - int64(len(tail))
	if n, err := at.ReadAt(tail, start); n < len(tail) {
		return 0, 0, 0, fmt.Errorf("%w: %v", errZip, err)
	}
	i := len(tail)
	for {
		if i = bytes.LastIndex(tail[:i], []byte("PK\x05\x06")); i < 0 {
			return 0, 0, 0, fmt.Errorf("%w: no end record", errZip)
		}
		if i+22 <= len(tail) && i+22+int(le.Uint16(tail[i+20:])) <= len(tail) {
			break
		}
	}
	end := start + int64(i)
	length, off = int64(le.Uint32(tail[i+12:])), int64(le.Uint32(tail[i+16:]))
	if length == 0xffffffff || off == 0xffffffff || le.Uint16(tail[i+10:]) == 0xffff {
		var loc [20]byte
		var rec [56]byte
		if end >= 20 && readAll(at, loc[:], end-20) && le.Uint32(loc[:]) == 0x07064b50 {
			where := int64(le.Uint64(loc[8:]))
			if where >= 0 && where <= size-56 && readAll(at, rec[:], where) && le.Uint32(rec[:]) == 0x06064b50 {
				end, length, off = where, int64(le.Uint64(rec[40:])), int64(le.Uint64(rec[48:]))
			}
		}
	}
	if length < 0 || off < 0 || length > end || off > end-length {
		return 0, 0, 0, fmt.Errorf("%w: directory outside of the file", errZip)
	}
	base = end - length - off
	return off + base, length, base, nil
}

func readAll(at io.ReaderAt, b []byte, off int64) bool {
	n, _ := at.ReadAt(b, off)
	return n == len(b)
}

// data returns where the packed bytes of a member are.
func (e *zipEntry) data(at io.ReaderAt, size int64) (*io.SectionReader, error) {
	var h [30]byte
	le := binary.LittleEndian
	if e.flags&1 != 0 {
		return nil, fmt.Errorf("%w: encrypted member", errZip)
	}
	if e.header < 0 || !readAll(at, h[:], e.header) || le.Uint32(h[:]) != 0x04034b50 {
		return nil, fmt.Errorf("%w: damaged member", errZip)
	}
	off := e.header + 30 + int64(le.Uint16(h[26:])) + int64(le.Uint16(h[28:]))
	if off > size || int64(e.packed) > size-off {
		return nil, fmt.Errorf("%w: member outside of the file", errZip)
	}
	return io.NewSectionReader(at, off, int64(e.packed)), nil
}

// open returns the plain bytes of a member as a stream. The caller bounds it.
func (e *zipEntry) open(at io.ReaderAt, size int64) (io.Reader, error) {
	r, err := e.data(at, size)
	if err != nil {
		return nil, err
	}
	switch e.method {
	case 0:
		return r, nil
	case 8:
		return flate.NewReader(bufio.NewReaderSize(r, 16<<10)), nil
	}
	return nil, fmt.Errorf("%w: compression method %d", errZip, e.method)
}
