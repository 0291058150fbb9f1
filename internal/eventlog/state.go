package eventlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/picketsec/picket/internal/inventory"
)

// manifest is the list of what belongs to the log. Its file is replaced as a
// whole; everything that it does not name is removed at the next start.
type manifest struct {
	Next     uint64                  `json:"next"`     // number of the next segment or log file
	WalFrom  uint64                  `json:"wal_from"` // log files below are sealed
	Segments []segmentRef            `json:"segments"`
	Tallies  []tallyRef              `json:"tallies,omitempty"`
	Devices  []inventory.DeviceID    `json:"devices"` // a device's number is its place, from 1; "": forgotten
	Marks    map[string][]streamMark `json:"marks"`   // by device
	Lost     lossCount               `json:"lost"`
}

type segmentRef struct {
	ID      uint64 `json:"id"`
	Day     int64  `json:"day"` // since 1970
	Bytes   int64  `json:"bytes"`
	Rows    int    `json:"rows"`
	Damaged bool   `json:"damaged,omitempty"`
	// Min and Max are the times of its events, First and Last numbers of devices that all of its are
	// between: what is left to say when it cannot be opened any more. All zero: not kept.
	Min   int64  `json:"min,omitempty"`
	Max   int64  `json:"max,omitempty"`
	First uint32 `json:"first,omitempty"`
	Last  uint32 `json:"last,omitempty"`
	// Spoiled are parts of it that were found damaged.
	Spoiled []spoilRef `json:"spoiled,omitempty"`
}

type streamMark struct {
	Stream int    `json:"s"`
	Seq    uint64 `json:"n"`
}

// lossCount is what damage cost, ever.
type lossCount struct {
	WalBytes int64 `json:"wal_bytes"`
	Segments int   `json:"segments"` // that could not be opened
	// Wal are the last of the damaged files of the write-ahead log.
	Wal []walLoss `json:"wal,omitempty"`
}

const manifestName = "MANIFEST"

// loadManifest reads the manifest of a directory; there may be none.
func loadManifest(dir string) (*manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return &manifest{Next: 1, WalFrom: 1}, nil
	}
	if err != nil {
		return nil, err
	}
	var sum uint32
	m := new(manifest)
	head := slices.Index(b, '\n')
	if head < 0 {
		return nil, fmt.Errorf("%s: %w", manifestName, errDamaged)
	}
	if _, err := fmt.Sscanf(string(b[:head]), "picket-events-1 %08x", &sum); err != nil || crc32.Checksum(b[head+1:], castagnoli) != sum {
		return nil, fmt.Errorf("%s: %w", manifestName, errDamaged)
	}
	if err := json.Unmarshal(b[head+1:], m); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	return m, nil
}

// save replaces the manifest durably.
func (m *manifest) save(dir string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, "picket-events-1 %08x\n", crc32.Checksum(body, castagnoli))
	return replaceFile(dir, manifestName, append(text, body...))
}

// replaceFile writes a file beside, makes it durable and puts it in place.
func replaceFile(dir, name string, data []byte) error {
	tmp := filepath.Join(dir, name+".new")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(dir)
}

func segmentName(id uint64) string { return fmt.Sprintf("seg-%016x", id) }
func walName(id uint64) string     { return fmt.Sprintf("wal-%016x", id) }

// walFiles returns the numbers of the log files of a directory from one on, in order.
func walFiles(dir string, from uint64) ([]uint64, error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, n := range names {
		var id uint64
		if _, err := fmt.Sscanf(n.Name(), "wal-%016x", &id); err == nil && n.Name() == walName(id) && id >= from {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// sweepFiles removes segments that the manifest does not name, log files that
// are sealed, and files that were not finished.
func sweepFiles(dir string, m *manifest) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		var id uint64
		name := n.Name()
		stale := filepath.Ext(name) == ".new"
		if _, err := fmt.Sscanf(name, "seg-%016x", &id); err == nil {
			stale = stale || !slices.ContainsFunc(m.Segments, func(s segmentRef) bool { return segmentName(s.ID) == name })
		} else if _, err := fmt.Sscanf(name, "wal-%016x", &id); err == nil {
			stale = stale || id < m.WalFrom
		} else if _, err := fmt.Sscanf(name, "tally-%016x", &id); err == nil {
			stale = stale || !slices.ContainsFunc(m.Tallies, func(t tallyRef) bool { return tallyName(t.ID) == name })
		}
		if stale {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
