package sense

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// journalFile reads a file of systemd's journal as it grows: objects one after
// the other, in the order in which they were written. The form is that of
// https://systemd.io/JOURNAL_FILE_FORMAT/.
type journalFile struct {
	r       io.ReaderAt
	compact bool
	id      [16]byte // of the file
	origin  [16]byte // what its entries are counted from
	at      uint64   // next object
	tail    uint64   // last object
	zstd    *zstd.Decoder
}

// journalEntry is an entry with the fields that were asked for.
type journalEntry struct {
	seq      uint64
	realtime uint64 // µs since 1970
	mono     uint64 // µs since boot, without sleep
	fields   map[string]string
}

const (
	journalMagic    = "LPKSHHRH"
	journalHeader   = 208
	journalZstd     = 8
	journalCompact  = 16
	journalKnown    = 1 | 2 | 4 | journalZstd | journalCompact
	objectData      = 1
	objectEntry     = 3
	objectZstd      = 4 // a flag
	objectMax       = 7
	maxJournalItems = 256
	maxJournalField = 16 << 10
	maxJournalSize  = 1 << 40
)

var errJournal = errors.New("not a journal that can be read")

// newJournalFile begins at the first object of a file.
func newJournalFile(r io.ReaderAt) (*journalFile, error) {
	j := &journalFile{r: r}
	var head [journalHeader]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("%w: %w", errJournal, err)
	}
	flags := binary.LittleEndian.Uint32(head[12:])
	if string(head[:8]) != journalMagic || flags&^journalKnown != 0 {
		return nil, fmt.Errorf("%w: flags %x", errJournal, flags)
	}
	j.compact = flags&journalCompact != 0
	copy(j.id[:], head[24:])
	copy(j.origin[:], head[72:])
	j.at = binary.LittleEndian.Uint64(head[88:])
	if j.at < journalHeader || j.at > 64<<10 {
		return nil, fmt.Errorf("%w: header of %d bytes", errJournal, j.at)
	}
	return j, j.refresh()
}

// refresh looks how far the file has grown.
func (j *journalFile) refresh() error {
	var b [8]byte
	if _, err := j.r.ReadAt(b[:], 136); err != nil {
		return fmt.Errorf("%w: %w", errJournal, err)
	}
	j.tail = binary.LittleEndian.Uint64(b[:])
	if j.tail > maxJournalSize {
		return fmt.Errorf("%w: tail", errJournal)
	}
	return nil
}

// skip goes behind everything that is there.
func (j *journalFile) skip() error {
	if j.tail == 0 {
		return nil
	}
	_, size, err := j.object(j.tail)
	if err != nil {
		return err
	}
	j.at = j.tail + align(size)
	return nil
}

func align(n uint64) uint64 { return (n + 7) &^ 7 }

// object reads the header of an object.
func (j *journalFile) object(at uint64) (kind byte, size uint64, err error) {
	var b [16]byte
	if _, err := j.r.ReadAt(b[:], int64(at)); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errJournal, err)
	}
	kind, size = b[0], binary.LittleEndian.Uint64(b[8:])
	if kind > objectMax || size < 16 || size > maxJournalSize {
		return 0, 0, fmt.Errorf("%w: object at %d", errJournal, at)
	}
	return kind, size, nil
}

// next returns the next entry, or false when there is none yet.
func (j *journalFile) next(want func(name string) bool) (journalEntry, bool, error) {
	for j.at <= j.tail && j.tail > 0 {
		kind, size, err := j.object(j.at)
		if err != nil {
			return journalEntry{}, false, err
		}
		at := j.at
		j.at += align(size)
		if kind != objectEntry {
			continue
		}
		e, err := j.entry(at, size, want)
		if err != nil {
			return journalEntry{}, false, err
		}
		return e, true, nil
	}
	return journalEntry{}, false, nil
}

func (j *journalFile) entry(at, size uint64, want func(string) bool) (journalEntry, error) {
	var e journalEntry
	if size < 64 {
		return e, fmt.Errorf("%w: entry of %d bytes", errJournal, size)
	}
	raw := make([]byte, min(size, 64+16*maxJournalItems))
	if _, err := j.r.ReadAt(raw, int64(at)); err != nil {
		return e, fmt.Errorf("%w: %w", errJournal, err)
	}
	e.seq, e.realtime, e.mono = binary.LittleEndian.Uint64(raw[16:]), binary.LittleEndian.Uint64(raw[24:]), binary.LittleEndian.Uint64(raw[32:])
	e.fields = map[string]string{}
	step := 16
	if j.compact {
		step = 4
	}
	for items := raw[64:]; len(items) >= step; items = items[step:] {
		var off uint64
		if j.compact {
			off = uint64(binary.LittleEndian.Uint32(items))
		} else {
			off = binary.LittleEndian.Uint64(items)
		}
		if off == 0 || off > maxJournalSize {
			continue
		}
		name, value, err := j.field(off, want)
		if err != nil {
			return e, err
		}
		if name != "" {
			e.fields[name] = value
		}
	}
	return e, nil
}

// field reads a field when it is one that is wanted; of a long one as much as
// is allowed.
func (j *journalFile) field(at uint64, want func(string) bool) (name, value string, err error) {
	head := uint64(64)
	if j.compact {
		head = 72
	}
	raw := make([]byte, head+96)
	n, err := j.r.ReadAt(raw, int64(at))
	if err != nil && !errors.Is(err, io.EOF) || uint64(n) < head {
		return "", "", fmt.Errorf("%w: field at %d", errJournal, at)
	}
	size := binary.LittleEndian.Uint64(raw[8:])
	if raw[0] != objectData || size < head || size > maxJournalSize {
		return "", "", fmt.Errorf("%w: field at %d", errJournal, at)
	}
	length := size - head
	packed := raw[1]&objectZstd != 0
	if raw[1]&^objectZstd != 0 {
		return "", "", nil // packed in a way of old: fields that long are not of interest
	}
	payload := raw[head:min(uint64(n), head+length)]
	if !packed {
		key, _, ok := bytes.Cut(payload, []byte("="))
		if !ok || !want(string(key)) {
			return "", "", nil
		}
	}
	if length > uint64(len(payload)) {
		payload = make([]byte, min(length, maxJournalField))
		if _, err := j.r.ReadAt(payload, int64(at+head)); err != nil {
			return "", "", fmt.Errorf("%w: %w", errJournal, err)
		}
	}
	if packed {
		if payload, err = j.unpack(payload); err != nil {
			return "", "", nil //nolint:nilerr // a field that cannot be unpacked is as one that is too long
		}
	}
	key, text, ok := bytes.Cut(payload, []byte("="))
	if !ok || !want(string(key)) {
		return "", "", nil
	}
	return string(key), valid(strings.TrimRight(string(text), "\x00")), nil
}

func (j *journalFile) unpack(b []byte) ([]byte, error) {
	if j.zstd == nil {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(1<<20))
		if err != nil {
			return nil, err
		}
		j.zstd = d
	}
	return j.zstd.DecodeAll(b, nil)
}

func (j *journalFile) close() {
	if j.zstd != nil {
		j.zstd.Close()
	}
}

// wanted are the fields of an entry that are of interest.
func wanted(name string) bool {
	switch name {
	case "MESSAGE", "MESSAGE_ID", "SYSLOG_IDENTIFIER", "_UID", "_PID", "UNIT", "JOB_RESULT":
		return true
	}
	return false
}
