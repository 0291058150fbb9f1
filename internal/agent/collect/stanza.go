package collect

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// stanzas reads control files of Debian's form (RFC 822 style paragraphs):
// dpkg's status, apt's Packages and Release. It keeps the first line of the
// wanted fields only, in buffers that are reused, so that a file of any size is
// read with little memory.
type stanzas struct {
	br   *bufio.Reader
	keys [][]byte
	// val holds the value of keys[i] in the current paragraph; nil when absent.
	// It is overwritten by next: copy what is kept.
	val  [][]byte
	bufs [][]byte
	// long counts lines that were longer than the buffer and were cut.
	long int
}

// maxLine is the longest line of a database that is kept, in bytes.
const maxLine = 64 << 10

func newStanzas(r io.Reader, keys ...string) *stanzas { return newStanzasSize(r, maxLine, keys...) }

// newStanzasSize keeps lines up to size bytes.
func newStanzasSize(r io.Reader, size int, keys ...string) *stanzas {
	s := &stanzas{br: bufio.NewReaderSize(r, size), val: make([][]byte, len(keys)), bufs: make([][]byte, len(keys))}
	for _, k := range keys {
		s.keys = append(s.keys, []byte(k))
	}
	return s
}

// next moves to the next paragraph. It returns false at the end or at an
// error, which is nil at the plain end.
func (s *stanzas) next() (bool, error) {
	for i := range s.val {
		s.val[i] = nil
	}
	some := false
	for {
		line, err := s.br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			s.long++
			s.field(line)
			some = true
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = s.br.ReadSlice('\n')
			}
			line = nil
			if err == nil {
				continue
			}
		}
		if len(line) > 0 && err == nil || len(bytes.TrimSpace(line)) > 0 {
			if len(bytes.TrimSpace(line)) == 0 {
				if some {
					return true, nil
				}
				continue
			}
			some = true
			s.field(line)
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return some, nil
			}
			return false, err
		}
	}
}

// field keeps the line if it starts a wanted field.
func (s *stanzas) field(line []byte) {
	if line[0] == ' ' || line[0] == '\t' || line[0] == '#' {
		return
	}
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return
	}
	name := line[:colon]
	for i, k := range s.keys {
		if len(k) == len(name) && (name[0]|0x20) == (k[0]|0x20) && bytes.EqualFold(k, name) {
			if s.val[i] == nil {
				v := bytes.TrimSpace(line[colon+1:])
				s.bufs[i] = append(s.bufs[i][:0], v...)
				s.val[i] = s.bufs[i]
			}
			return
		}
	}
}

// get returns the value of keys[i] as a string of its own; empty when absent.
func (s *stanzas) get(i int) string { return string(s.val[i]) }
