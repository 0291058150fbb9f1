package rpmdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ndb, rpm's own format (lib/backend/ndb/rpmpkg.c): a header, pages of slots,
// blobs in units of 16 bytes. All integers are little-endian.
const (
	ndbPage  = 4096
	ndbSlot  = 16
	ndbUnit  = 16
	ndbBlobH = 16
)

func eachNDB(s Source, st *Stats, fn func([]byte) error) error {
	var head [32]byte
	if err := readFull(s.DB, head[:], 0); err != nil {
		return fmt.Errorf("%w: ndb header: %v", ErrFormat, err)
	}
	le := binary.LittleEndian
	if v := le.Uint32(head[4:]); v != 0 {
		return fmt.Errorf("%w: ndb version %d", ErrFormat, v)
	}
	slots := int64(le.Uint32(head[12:]))
	if slots < 1 || slots > 2048 || slots*ndbPage > s.Size {
		return fmt.Errorf("%w: ndb with %d slot pages in %d bytes", ErrFormat, slots, s.Size)
	}
	buf := make([]byte, ndbPage)
	var blob []byte
	for p := range slots {
		if err := readFull(s.DB, buf, p*ndbPage); err != nil {
			return err
		}
		for at := 0; at < ndbPage; at += ndbSlot {
			if p == 0 && at < 2*ndbSlot {
				continue // the header
			}
			slot := buf[at : at+ndbSlot]
			if string(slot[:4]) != "Slot" {
				st.Damaged++
				continue
			}
			if le.Uint32(slot[8:]) == 0 {
				continue // free
			}
			var err error
			if blob, err = ndbBlob(s, slot, blob); err == nil {
				err = fn(blob)
			}
			if errors.Is(err, errRecord) || errors.Is(err, io.ErrUnexpectedEOF) {
				st.Damaged++
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// ndbBlob reads the blob of a slot into buf.
func ndbBlob(s Source, slot, buf []byte) ([]byte, error) {
	le := binary.LittleEndian
	off := int64(le.Uint32(slot[8:])) * ndbUnit
	held := int64(le.Uint32(slot[12:])) * ndbUnit
	var h [ndbBlobH]byte
	if err := readFull(s.DB, h[:], off); err != nil {
		return buf, err
	}
	size := int64(le.Uint32(h[12:]))
	if string(h[:4]) != "BlbS" || string(h[4:8]) != string(slot[4:8]) || size > MaxBlob || size > held || off+ndbBlobH+size > s.Size {
		return buf, errRecord
	}
	buf = buffer(buf, int(size))
	return buf, readFull(s.DB, buf, off+ndbBlobH)
}
