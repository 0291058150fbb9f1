package intel

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/picketsec/picket/internal/advisory"
)

// staged is one record on its way into the file.
type staged struct {
	unit  int
	id    string
	value []byte // entry, encoded
	says  []said
}

// said is what a record says of one package.
type said struct {
	key   advisory.Key
	value []byte // statements, encoded one after the other
}

// spool keeps staged records until all that was given is known to be whole: in
// memory while they are few, then in a temporary file. It bounds the memory of
// an import whatever its size.
type spool struct {
	dir, pattern string
	limit        int
	mem          bytes.Buffer
	file         *os.File
	w            *bufio.Writer
	buf          []byte
	count        int
}

func newSpool(dir, pattern string) *spool {
	return &spool{dir: dir, pattern: pattern, limit: 8 << 20}
}

// add appends one record.
func (s *spool) add(r *staged) error {
	b := s.buf[:0]
	b = binary.AppendUvarint(b, uint64(r.unit))
	b = appendString(b, r.id)
	b = binary.AppendUvarint(b, uint64(len(r.value)))
	b = append(b, r.value...)
	b = binary.AppendUvarint(b, uint64(len(r.says)))
	for _, sd := range r.says {
		b = appendString(b, sd.key.Ecosystem)
		b = appendString(b, sd.key.Release)
		b = appendString(b, sd.key.Name)
		b = binary.AppendUvarint(b, uint64(len(sd.value)))
		b = append(b, sd.value...)
	}
	s.buf = b
	s.count++
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(b)))
	if s.file == nil && s.mem.Len()+len(b) > s.limit {
		f, err := os.CreateTemp(s.dir, s.pattern)
		if err != nil {
			return fmt.Errorf("make temporary file: %w", err)
		}
		s.file, s.w = f, bufio.NewWriterSize(f, 1<<20)
		if _, err := s.mem.WriteTo(s.w); err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
	}
	var w io.Writer = &s.mem
	if s.file != nil {
		w = s.w
	}
	if _, err := w.Write(length[:]); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write temporary file: %w", err)
	}
	return nil
}

// each calls fn for every record in the order of adding. The record may be kept.
func (s *spool) each(fn func(*staged) error) error {
	var r io.Reader = bytes.NewReader(s.mem.Bytes())
	if s.file != nil {
		if err := s.w.Flush(); err != nil {
			return fmt.Errorf("write temporary file: %w", err)
		}
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("read temporary file: %w", err)
		}
		r = bufio.NewReaderSize(s.file, 1<<20)
	}
	var length [4]byte
	for {
		if _, err := io.ReadFull(r, length[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read temporary file: %w", err)
		}
		b := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(r, b); err != nil {
			return fmt.Errorf("read temporary file: %w", err)
		}
		p := parser{b: b}
		rec := &staged{unit: int(p.uvarint()), id: p.text(), value: p.bytes(p.uvarint())}
		for range p.uvarint() {
			if p.bad {
				break
			}
			k := advisory.Key{Ecosystem: p.text(), Release: p.text(), Name: p.text()}
			rec.says = append(rec.says, said{key: k, value: p.bytes(p.uvarint())})
		}
		if p.bad {
			return errors.New("read temporary file: it is damaged")
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
}

// close removes the temporary file.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}
