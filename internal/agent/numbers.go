package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// numbers are those that events get. The file is written at every number, not
// synced: it outlives the process, however that ends, but not a crash of the
// host. The spools, which are synced, tell the rest: no number leaves the host
// but through them, and nothing goes from them before the file is synced.
//
//	magic (8) · ended in order (8) · last sign of life (8) · time of the boot (8) · boot (40) · from 128: next number of each kind, 64 of 8
//	· up to where each kind is on the disk, 64 of 8; all in big-endian order, times in ns since 1970
type numbers struct {
	f        numbersStore
	next     [event.NumKinds]uint64
	onDisk   [event.NumKinds]uint64
	sameBoot bool      // the last run was since this boot
	found    bool      // there was a last run
	clean    bool      // and it ended in order
	alive    time.Time // its last sign of life
	origin   time.Time // of this boot, zero: not known yet
	boot     string    // names this boot
}

// numbersStore is the file of numbers; tests see what of it outlives a crash.
type numbersStore interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
}

const (
	numbersFile  = "numbers"
	numbersMagic = "PkNumb01"
	numbersNext  = 128
	numbersDisk  = numbersNext + 64*8
	numbersSize  = numbersDisk + 64*8
)

func openNumbers(s *stateDir) (*numbers, error) {
	n := &numbers{}
	for k := range n.next {
		n.next[k] = 1
	}
	f, err := s.root.OpenFile(numbersFile, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open numbers: %w", err)
	}
	n.f = f
	if err := s.sync("."); err != nil { // the file is found again after a crash
		return nil, errors.Join(fmt.Errorf("keep numbers: %w", err), f.Close())
	}
	raw := make([]byte, numbersSize)
	_, err = f.ReadAt(raw, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("read numbers: %w", err), f.Close())
	}
	n.boot = bootID()
	if err == nil && string(raw[:8]) == numbersMagic {
		n.found = true
		n.clean = binary.BigEndian.Uint64(raw[8:]) == 1
		n.alive = time.Unix(0, int64(binary.BigEndian.Uint64(raw[16:]))).UTC()
		n.sameBoot = n.boot != "" && strings.TrimRight(string(raw[32:72]), "\x00") == n.boot
		if n.sameBoot {
			n.origin = time.Unix(0, int64(binary.BigEndian.Uint64(raw[24:]))).UTC()
		}
		for k := range n.next {
			n.next[k] = max(binary.BigEndian.Uint64(raw[numbersNext+8*k:]), 1)
			n.onDisk[k] = min(binary.BigEndian.Uint64(raw[numbersDisk+8*k:]), n.next[k]-1)
		}
	}
	return n, nil
}

// bootID names the running kernel; empty where none does.
func bootID() string {
	raw, err := fs.ReadFile(os.DirFS("/proc/sys/kernel/random"), "boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// write is best effort: a disk that refuses costs the exact count after a crash.
func (n *numbers) write(at int64, values ...uint64) {
	buf := make([]byte, 0, 8*len(values))
	for _, v := range values {
		buf = binary.BigEndian.AppendUint64(buf, v)
	}
	_, _ = n.f.WriteAt(buf, at)
}

// take gives out count numbers of a kind and returns the first.
func (n *numbers) take(k event.Kind, count uint64) uint64 {
	from := n.next[k]
	n.next[k] += count
	n.write(numbersNext+8*int64(k), n.next[k])
	return from
}

// saved notes that numbers are on the disk.
func (n *numbers) saved(s *spans) {
	for k, sp := range s.each {
		n.onDisk[k] = max(n.onDisk[k], sp.to)
		n.write(numbersDisk+8*int64(k), n.onDisk[k])
	}
}

// reached notes numbers that a spool holds.
func (n *numbers) reached(s *spans) {
	for k, sp := range s.each {
		n.next[k] = max(n.next[k], sp.to+1)
		n.onDisk[k] = max(n.onDisk[k], sp.to)
	}
}

// unsaved are the numbers of a kind that were given out in an earlier run and
// are not on the disk; from > to when there are none.
func (n *numbers) unsaved(k event.Kind) (from, to uint64) { return n.onDisk[k] + 1, n.next[k] - 1 }

// resumed is the event that says for which time nothing was recorded, and
// begins a run. nil: nothing ever was.
func (n *numbers) resumed() *event.Event {
	if !n.found {
		return nil
	}
	e := &event.Event{Action: event.SensorChanged}
	e.Set(event.Source, "agent")
	why := "the agent was stopped"
	switch {
	case !n.sameBoot && n.clean:
		why = "the host was restarted"
	case !n.sameBoot:
		why = "the host was restarted or lost power"
	case !n.clean:
		why = "the agent was killed"
	}
	e.Set(event.Reason, why)
	e.Set(event.AdditionalFields, fmt.Sprintf(`{"nothingRecordedSince":%q,"endedInOrder":%t}`, n.alive.Format(time.RFC3339Nano), n.clean))
	return e
}

// live notes a sign of life.
func (n *numbers) live(now time.Time) { n.write(16, uint64(now.UnixNano())) }

// mark notes a sign of life, or an end in order.
func (n *numbers) mark(now time.Time, clean bool) {
	c := uint64(0)
	if clean {
		c = 1
	}
	head := make([]byte, numbersNext)
	copy(head, numbersMagic)
	binary.BigEndian.PutUint64(head[8:], c)
	binary.BigEndian.PutUint64(head[16:], uint64(now.UnixNano()))
	binary.BigEndian.PutUint64(head[24:], uint64(n.origin.UnixNano()))
	copy(head[32:72], n.boot)
	_, _ = n.f.WriteAt(head, 0)
	n.write(numbersNext, n.next[:]...)
	n.write(numbersDisk, n.onDisk[:]...)
	n.write(numbersSize-8, 0) // the file has its whole length
}

// sync makes the numbers outlive a crash of the host.
func (n *numbers) sync() error {
	if err := n.f.Sync(); err != nil {
		return fmt.Errorf("sync numbers of events: %w", err)
	}
	return nil
}

func (n *numbers) reset() {
	for k := range n.next {
		n.next[k], n.onDisk[k] = 1, 0
	}
	n.write(numbersNext, n.next[:]...)
	n.write(numbersDisk, n.onDisk[:]...)
}

func (n *numbers) close() {
	_ = errors.Join(n.sync(), n.f.Close()) // the spools tell what it lacks
}
