package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The SQLite part follows the published file format ("Database File Format",
// sections 1 and 4): enough of it to read one table of two columns.

type sqliteFile struct {
	s      Source
	page   int              // page size in bytes
	usable int              // page size without the reserved tail
	pages  uint32           // pages in the database, the log's included
	log    map[uint32]int64 // page → offset of its newest committed image in the log
	seen   int              // pages read, to end loops
	blob   []byte
}

func eachSQLite(s Source, st *Stats, fn func([]byte) error) error {
	var head [100]byte
	if err := readFull(s.DB, head[:], 0); err != nil {
		return fmt.Errorf("%w: sqlite header: %v", ErrFormat, err)
	}
	d := &sqliteFile{s: s, page: int(binary.BigEndian.Uint16(head[16:]))}
	if d.page == 1 {
		d.page = 65536
	}
	if d.page < 512 || d.page&(d.page-1) != 0 {
		return fmt.Errorf("%w: sqlite page size %d", ErrFormat, d.page)
	}
	d.usable = d.page - int(head[20])
	if d.usable < 480 {
		return fmt.Errorf("%w: sqlite page of %d usable bytes", ErrFormat, d.usable)
	}
	d.pages = uint32(s.Size / int64(d.page))
	if s.WAL != nil && s.WALSize >= walHeader {
		if err := d.readLog(); err != nil {
			return err
		}
	}
	var root uint32
	err := d.table(1, 0, st, func(rec []byte) error {
		cols, err := columns(rec, 5)
		if err != nil {
			return err
		}
		if string(cols[0].data) == "table" && string(cols[1].data) == "Packages" {
			root = uint32(cols[3].integer())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if root == 0 {
		return fmt.Errorf("%w: sqlite file without a table named Packages", ErrFormat)
	}
	return d.table(root, 0, st, func(rec []byte) error {
		cols, err := columns(rec, 2)
		if err != nil {
			return err
		}
		if !cols[1].blob {
			return errRecord
		}
		return fn(cols[1].data)
	})
}

// readPage returns the newest committed image of a page in buf.
func (d *sqliteFile) readPage(n uint32, buf []byte) error {
	if n == 0 || n > d.pages {
		return errRecord
	}
	// A page may be read once as a node and once as part of a chain.
	if d.seen++; d.seen > 2*int(d.pages)+64 {
		return fmt.Errorf("%w: sqlite pages form a loop", ErrFormat)
	}
	if off, ok := d.log[n]; ok {
		return readFull(d.s.WAL, buf, off)
	}
	return readFull(d.s.DB, buf, int64(n-1)*int64(d.page))
}

// table walks a table b-tree and calls fn with the payload of every row.
func (d *sqliteFile) table(n uint32, depth int, st *Stats, fn func([]byte) error) error {
	if depth > 20 {
		return fmt.Errorf("%w: sqlite tree deeper than 20", ErrFormat)
	}
	buf := make([]byte, d.page)
	if err := d.readPage(n, buf); err != nil {
		return d.damaged(err, st)
	}
	at := 0
	if n == 1 {
		at = 100
	}
	kind, cells, first := buf[at], int(binary.BigEndian.Uint16(buf[at+3:])), at+8
	if kind == 5 {
		first = at + 12
	}
	if kind != 5 && kind != 13 || first+2*cells > len(buf) {
		return d.damaged(errRecord, st)
	}
	for i := range cells {
		off := int(binary.BigEndian.Uint16(buf[first+2*i:]))
		if off+4 > d.usable {
			st.Damaged++
			continue
		}
		if kind == 5 {
			if err := d.table(binary.BigEndian.Uint32(buf[off:]), depth+1, st, fn); err != nil {
				return err
			}
			continue
		}
		rec, err := d.payload(buf, off)
		if err == nil {
			err = fn(rec)
		}
		if err = d.damaged(err, st); err != nil {
			return err
		}
	}
	if kind == 5 {
		return d.table(binary.BigEndian.Uint32(buf[at+8:]), depth+1, st, fn)
	}
	return nil
}

// damaged counts a damaged record and goes on; other errors end the reading.
func (d *sqliteFile) damaged(err error, st *Stats) error {
	if errors.Is(err, errRecord) || errors.Is(err, io.ErrUnexpectedEOF) {
		st.Damaged++
		return nil
	}
	return err
}

// payload returns the record of a leaf cell, overflow pages included. It is
// valid until the next call.
func (d *sqliteFile) payload(buf []byte, off int) ([]byte, error) {
	size, n := varint(buf[off:d.usable])
	if n == 0 || size > MaxBlob {
		return nil, errRecord
	}
	off += n
	if _, n = varint(buf[off:d.usable]); n == 0 {
		return nil, errRecord
	}
	off += n
	total, local := int(size), int(size)
	if limit := d.usable - 35; total > limit {
		least := (d.usable-12)*32/255 - 23
		if local = least + (total-least)%(d.usable-4); local > limit {
			local = least
		}
	}
	if off+local > d.usable {
		return nil, errRecord
	}
	if local == total {
		return buf[off : off+local], nil
	}
	if off+local+4 > d.usable {
		return nil, errRecord
	}
	if int64(total) > int64(d.pages)*int64(d.page) {
		return nil, errRecord
	}
	next := binary.BigEndian.Uint32(buf[off+local:])
	d.blob = buffer(d.blob, total)
	at := copy(d.blob, buf[off:off+local])
	over := make([]byte, d.page)
	for at < total {
		if err := d.readPage(next, over); err != nil {
			return nil, err
		}
		next = binary.BigEndian.Uint32(over)
		at += copy(d.blob[at:], over[4:d.usable])
	}
	return d.blob, nil
}

// varint reads SQLite's big-endian variable-length integer; n is 0 when b is too short.
func varint(b []byte) (v uint64, n int) {
	for n < 8 {
		if n >= len(b) {
			return 0, 0
		}
		c := b[n]
		n++
		v = v<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return v, n
		}
	}
	if n >= len(b) {
		return 0, 0
	}
	return v<<8 | uint64(b[n]), n + 1
}

// column is one value of a record.
type column struct {
	data []byte
	blob bool
}

// integer reads a big-endian two's complement integer column.
func (c column) integer() int64 {
	var v int64
	for i, b := range c.data {
		if i == 0 {
			v = int64(int8(b))
			continue
		}
		v = v<<8 | int64(b)
	}
	return v
}

// columns splits a record into its first n columns.
func columns(rec []byte, n int) ([]column, error) {
	head, at := varint(rec)
	if at == 0 || head > uint64(len(rec)) {
		return nil, errRecord
	}
	body := int(head)
	cols := make([]column, 0, n)
	for len(cols) < n {
		if at >= int(head) {
			return nil, errRecord
		}
		kind, w := varint(rec[at:head])
		if w == 0 {
			return nil, errRecord
		}
		at += w
		var size uint64
		c := column{}
		switch {
		case kind >= 12:
			size, c.blob = (kind-12)/2, kind%2 == 0
		case kind >= 1 && kind <= 4:
			size = kind
		case kind == 5:
			size = 6
		case kind == 6 || kind == 7:
			size = 8
		case kind == 9:
			c.data = []byte{1}
		case kind == 10 || kind == 11:
			return nil, errRecord
		}
		if size > uint64(len(rec)-body) {
			return nil, errRecord
		}
		if size > 0 {
			c.data = rec[body : body+int(size)]
			body += int(size)
		}
		cols = append(cols, c)
	}
	return cols, nil
}

const (
	walHeader = 32
	walFrame  = 24
)

// readLog indexes the committed frames of the write-ahead log. Frames after the
// first that does not carry the log's salts and running checksum are remains.
func (d *sqliteFile) readLog() error {
	var h [walHeader]byte
	if err := readFull(d.s.WAL, h[:], 0); err != nil {
		return fmt.Errorf("%w: sqlite log: %v", ErrFormat, err)
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch binary.BigEndian.Uint32(h[:]) {
	case 0x377f0682:
	case 0x377f0683:
		order = binary.BigEndian
	default:
		return nil // an empty or foreign log holds nothing
	}
	if int(binary.BigEndian.Uint32(h[8:])) != d.page {
		return nil
	}
	s1, s2 := walSum(order, 0, 0, h[:24])
	if s1 != binary.BigEndian.Uint32(h[24:]) || s2 != binary.BigEndian.Uint32(h[28:]) {
		return nil
	}
	frame := make([]byte, walFrame+d.page)
	log, pending := map[uint32]int64{}, map[uint32]int64{}
	for off := int64(walHeader); off+int64(len(frame)) <= d.s.WALSize; off += int64(len(frame)) {
		if err := readFull(d.s.WAL, frame, off); err != nil {
			break
		}
		if string(frame[8:16]) != string(h[16:24]) {
			break
		}
		s1, s2 = walSum(order, s1, s2, frame[:8])
		s1, s2 = walSum(order, s1, s2, frame[walFrame:])
		if s1 != binary.BigEndian.Uint32(frame[16:]) || s2 != binary.BigEndian.Uint32(frame[20:]) {
			break
		}
		pending[binary.BigEndian.Uint32(frame)] = off + walFrame
		if size := binary.BigEndian.Uint32(frame[4:]); size != 0 {
			for n, at := range pending {
				log[n] = at
			}
			clear(pending)
			d.pages = size
		}
	}
	d.log = log
	return nil
}

// walSum is the running checksum of the log ("4.2 Checksum Algorithm").
func walSum(order binary.ByteOrder, s1, s2 uint32, b []byte) (uint32, uint32) {
	for i := 0; i+8 <= len(b); i += 8 {
		s1 += order.Uint32(b[i:]) + s2
		s2 += order.Uint32(b[i+4:]) + s1
	}
	return s1, s2
}
