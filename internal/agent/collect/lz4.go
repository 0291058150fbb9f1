package collect

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

var errLZ4 = errors.New("lz4: damaged or unknown frame")

const lz4Window = 64 << 10

// lz4Reader unpacks LZ4 frames (the form in which apt keeps its lists) as a
// stream: it holds 64 KiB of history and 64 KiB of output whatever the block
// size is. Checksums are skipped: apt checked the list when it fetched it.
// Format: the LZ4 frame format description 1.6 and block format description.
type lz4Reader struct {
	br   *bufio.Reader
	buf  []byte
	r, w int // unread output is buf[r:w]; what is before r is history

	lit, match, off int // what is left of the current sequence
	left            int // bytes left of the current block
	raw             bool
	inFrame         bool
	blockSum, sum   bool // checksums follow blocks, the frame
	err             error
}

func newLZ4(r io.Reader) *lz4Reader {
	return &lz4Reader{br: bufio.NewReaderSize(r, 32<<10), buf: make([]byte, 2*lz4Window)}
}

// Read implements io.Reader.
func (z *lz4Reader) Read(p []byte) (int, error) {
	for z.r == z.w {
		if z.err != nil {
			return 0, z.err
		}
		z.err = z.fill()
	}
	n := copy(p, z.buf[z.r:z.w])
	z.r += n
	return n, nil
}

// fill decodes until the buffer is full or the data ends.
func (z *lz4Reader) fill() error {
	if z.w == len(z.buf) {
		copy(z.buf, z.buf[lz4Window:])
		z.w = lz4Window
		z.r = z.w
	}
	for z.w < len(z.buf) {
		switch {
		case z.lit > 0:
			n := min(z.lit, len(z.buf)-z.w)
			if n > z.left {
				return errLZ4
			}
			if _, err := io.ReadFull(z.br, z.buf[z.w:z.w+n]); err != nil {
				return unexpected(err)
			}
			z.w += n
			z.lit -= n
			z.left -= n
			if z.lit == 0 {
				if err := z.afterLiterals(); err != nil {
					return err
				}
			}
		case z.match > 0:
			n := min(z.match, len(z.buf)-z.w)
			if z.off >= n {
				copy(z.buf[z.w:z.w+n], z.buf[z.w-z.off:])
			} else {
				for i := range n {
					z.buf[z.w+i] = z.buf[z.w+i-z.off]
				}
			}
			z.w += n
			z.match -= n
		case z.left > 0:
			if err := z.token(); err != nil {
				return err
			}
		default:
			if err := z.block(); err != nil {
				return err
			}
		}
	}
	return nil
}

// token starts the next sequence of a block.
func (z *lz4Reader) token() error {
	t, err := z.byte()
	if err != nil {
		return err
	}
	z.match = int(t & 15) // completed by afterLiterals
	if z.lit, err = z.length(int(t >> 4)); err != nil {
		return err
	}
	if z.lit == 0 {
		return z.afterLiterals()
	}
	return nil
}

// afterLiterals reads the match of a sequence; the last sequence of a block has none.
func (z *lz4Reader) afterLiterals() error {
	if z.raw || z.left == 0 {
		z.match = 0
		return z.endBlock()
	}
	lo, err := z.byte()
	if err != nil {
		return err
	}
	hi, err := z.byte()
	if err != nil {
		return err
	}
	z.off = int(lo) | int(hi)<<8
	if z.match, err = z.length(z.match); err != nil {
		return err
	}
	z.match += 4
	if z.off == 0 || z.off > z.w {
		return errLZ4
	}
	if z.left == 0 {
		return errLZ4 // a block ends with literals
	}
	return nil
}

func (z *lz4Reader) length(n int) (int, error) {
	if n < 15 {
		return n, nil
	}
	for {
		b, err := z.byte()
		if err != nil {
			return 0, err
		}
		if n += int(b); n > 1<<30 {
			return 0, errLZ4
		}
		if b != 255 {
			return n, nil
		}
	}
}

func (z *lz4Reader) byte() (byte, error) {
	if z.left <= 0 {
		return 0, errLZ4
	}
	z.left--
	b, err := z.br.ReadByte()
	return b, unexpected(err)
}

func (z *lz4Reader) endBlock() error {
	if z.blockSum {
		_, err := z.br.Discard(4)
		return unexpected(err)
	}
	return nil
}

// block reads the header of the next block, and of frames before it.
func (z *lz4Reader) block() error {
	if !z.inFrame {
		if err := z.frame(); err != nil {
			return err
		}
	}
	n, err := z.uint32()
	if err != nil {
		return unexpected(err)
	}
	if n == 0 {
		z.inFrame = false
		if z.sum {
			_, err := z.br.Discard(4)
			return unexpected(err)
		}
		return nil
	}
	z.raw = n>>31 == 1
	z.left = int(n & (1<<31 - 1))
	if z.left == 0 || z.left > 8<<20 {
		return errLZ4
	}
	if z.raw {
		z.lit = z.left
	}
	return nil
}

// frame reads a frame header; io.EOF when there is no further frame.
func (z *lz4Reader) frame() error {
	for {
		magic, err := z.uint32()
		if err != nil {
			return err
		}
		if magic&^15 == 0x184D2A50 { // a frame to be skipped
			n, err := z.uint32()
			if err != nil {
				return unexpected(err)
			}
			if _, err := io.CopyN(io.Discard, z.br, int64(n)); err != nil {
				return unexpected(err)
			}
			continue
		}
		if magic != 0x184D2204 {
			return errLZ4
		}
		flg, err := z.br.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		if flg>>6 != 1 || flg&1 != 0 { // version 1, no dictionary
			return errLZ4
		}
		z.blockSum, z.sum, z.inFrame = flg&16 != 0, flg&4 != 0, true
		skip := 2 // BD and the header's checksum
		if flg&8 != 0 {
			skip += 8
		}
		_, err = z.br.Discard(skip)
		return unexpected(err)
	}
}

func (z *lz4Reader) uint32() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(z.br, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
