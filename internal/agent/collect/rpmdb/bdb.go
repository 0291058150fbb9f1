package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Berkeley DB, hash access method: pages of one size; a page of pairs holds
// offsets of (key, value) items, large values are chains of overflow pages.
const (
	bdbHashMagic = 0x061561
	bdbHeader    = 26 // of every page but the first

	bdbUnsorted = 2  // page types
	bdbOverflow = 7  //
	bdbHash     = 13 //

	bdbInline  = 1 // item types
	bdbOffPage = 3 //
)

type bdbFile struct {
	s     Source
	order binary.ByteOrder
	page  int
	last  uint32 // highest page number
	read  int    // overflow pages read, to end loops
	blob  []byte
	over  []byte
}

func eachBDB(s Source, st *Stats, fn func([]byte) error) error {
	var meta [72]byte
	if err := readFull(s.DB, meta[:], 0); err != nil {
		return fmt.Errorf("%w: bdb header: %v", ErrFormat, err)
	}
	d := &bdbFile{s: s, order: binary.LittleEndian}
	if binary.BigEndian.Uint32(meta[12:]) == bdbHashMagic {
		d.order = binary.BigEndian
	}
	size := d.order.Uint32(meta[20:])
	if size < 512 || size > 65536 || size&(size-1) != 0 {
		return fmt.Errorf("%w: bdb page size %d", ErrFormat, size)
	}
	if meta[24] != 0 {
		return fmt.Errorf("%w: the bdb database is encrypted", ErrFormat)
	}
	d.page = int(size)
	d.last = d.order.Uint32(meta[32:])
	if held := s.Size / int64(size); int64(d.last) >= held {
		if held < 1 {
			return fmt.Errorf("%w: bdb file shorter than a page", ErrFormat)
		}
		st.Damaged++ // the file is shorter than it says
		d.last = uint32(held - 1)
	}
	buf := make([]byte, d.page)
	d.over = make([]byte, d.page)
	for n := uint32(1); n <= d.last; n++ {
		if err := readFull(s.DB, buf, int64(n)*int64(d.page)); err != nil {
			return err
		}
		if t := buf[25]; t != bdbUnsorted && t != bdbHash {
			continue
		}
		if err := d.pairs(buf, st, fn); err != nil {
			return err
		}
	}
	return nil
}

// pairs reads the values of one page.
func (d *bdbFile) pairs(buf []byte, st *Stats, fn func([]byte) error) error {
	entries := int(d.order.Uint16(buf[20:]))
	if bdbHeader+2*entries > len(buf) {
		st.Damaged++
		return nil
	}
	end := len(buf)
	for i := range entries {
		off := int(d.order.Uint16(buf[bdbHeader+2*i:]))
		if off < bdbHeader+2*entries || off >= end {
			st.Damaged++
			return nil
		}
		item := buf[off:end]
		end = off
		if i%2 == 0 {
			continue // a key: the package's number
		}
		var blob []byte
		var err error
		switch item[0] {
		case bdbInline:
			blob = item[1:]
		case bdbOffPage:
			if len(item) < 12 {
				err = errRecord
				break
			}
			blob, err = d.chain(d.order.Uint32(item[4:]), d.order.Uint32(item[8:]))
		default:
			err = errRecord
		}
		switch {
		case err == nil && len(blob) <= 16:
			continue // record 0 holds the next package number
		case err == nil:
			err = fn(blob)
		}
		if errors.Is(err, errRecord) {
			st.Damaged++
		} else if err != nil {
			return err
		}
	}
	return nil
}

// chain joins the overflow pages of one value.
func (d *bdbFile) chain(n, size uint32) ([]byte, error) {
	if size > MaxBlob || int64(size) > d.s.Size {
		return nil, errRecord
	}
	d.blob = d.blob[:0]
	for n != 0 {
		if d.read++; n > d.last || d.read > 2*int(d.last)+64 {
			return nil, errRecord
		}
		err := readFull(d.s.DB, d.over, int64(n)*int64(d.page))
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errRecord
		} else if err != nil {
			return nil, err
		}
		held := int(d.order.Uint16(d.over[22:])) // bytes of the value on this page
		if d.over[25] != bdbOverflow || held == 0 || bdbHeader+held > len(d.over) || len(d.blob)+held > int(size) {
			return nil, errRecord
		}
		d.blob = append(d.blob, d.over[bdbHeader:bdbHeader+held]...)
		n = d.order.Uint32(d.over[16:])
	}
	if len(d.blob) != int(size) {
		return nil, errRecord
	}
	return d.blob, nil
}
