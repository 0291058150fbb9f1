package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// maxQueued is the size in bytes of keys and values up to which a change is
// queued as such. A larger one is not worth it: the section goes whole.
const maxQueued = 2 << 20

// keeper holds the last content of every section on disk, and turns new
// content into changes in the spool. State is latest-wins: whatever happens to
// the spool, the kept content is what the server will have in the end.
// Safe for concurrent use.
type keeper struct {
	s     *stateDir
	spool *spool
	log   *slog.Logger
	// differs, when set, is told of every change with the content before and after.
	differs func(old, now *inventory.Section)

	offering sync.Mutex // one offer at a time: content and spool move together

	mu      sync.Mutex // guards the fields below
	hash    map[inventory.SectionName]string
	seen    map[inventory.SectionName]time.Time          // looked at since the last Seen, unchanged
	memory  map[inventory.SectionName]*inventory.Section // what the disk refused
	changed chan struct{}                                // one token: something is there to be sent
}

func openKeeper(ctx context.Context, s *stateDir, sp *spool, log *slog.Logger) *keeper {
	k := &keeper{s: s, spool: sp, log: log, hash: map[inventory.SectionName]string{}, seen: map[inventory.SectionName]time.Time{},
		memory: map[inventory.SectionName]*inventory.Section{}, changed: make(chan struct{}, 1)}
	for _, name := range inventory.SectionNames {
		sec, err := k.load(name)
		if err == nil {
			k.hash[name] = sec.Hash()
		} else if !errors.Is(err, fs.ErrNotExist) {
			log.WarnContext(ctx, "kept section not readable, it will be sent whole", "section", name, "error", err)
		}
	}
	k.heal(ctx)
	return k
}

// heal brings kept content to the end of what is queued: a crash between the
// two writes of offer leaves the content one change behind.
func (k *keeper) heal(ctx context.Context) {
	last := map[inventory.SectionName][]inventory.Delta{}
	for after := uint64(0); ; {
		rec, ok := k.spool.next(after)
		if !ok {
			break
		}
		after = rec.Seq
		deltas, err := unpack(rec.Payload)
		if err != nil {
			continue
		}
		for _, d := range deltas {
			switch {
			case d.Hash == k.hash[d.Name]:
				delete(last, d.Name)
			case len(last[d.Name]) > 0 || d.Base == k.hash[d.Name]:
				last[d.Name] = append(last[d.Name], d)
			}
		}
	}
	for name, deltas := range last {
		sec, err := k.load(name)
		for _, d := range deltas {
			if err == nil {
				sec, err = inventory.Apply(sec, d)
			}
		}
		if err == nil {
			err = k.store(sec)
		}
		if err != nil {
			k.log.WarnContext(ctx, "kept section not brought up to date, it will be sent whole", "section", name, "error", err)
			continue
		}
		k.hash[name] = sec.Hash()
	}
}

// offer takes a section as it was just collected. When it returns, the change
// is as safe as the disk allows; it never fails.
func (k *keeper) offer(ctx context.Context, sec *inventory.Section) {
	k.offering.Lock()
	defer k.offering.Unlock()
	sec.Seal()
	protocol.Clamp(sec)
	hash := sec.Hash()
	k.mu.Lock()
	had, known := k.hash[sec.Name]
	if known && had == hash {
		k.seen[sec.Name] = sec.SeenAt
		k.mu.Unlock()
		return
	}
	k.mu.Unlock()

	if known {
		k.queue(ctx, sec)
	}
	err := k.store(sec)
	k.mu.Lock()
	k.hash[sec.Name] = hash
	delete(k.seen, sec.Name)
	if err != nil {
		k.memory[sec.Name] = sec
	} else {
		delete(k.memory, sec.Name)
	}
	k.mu.Unlock()
	if err != nil {
		k.log.ErrorContext(ctx, "section kept in memory only: the state directory refuses writes", "section", sec.Name, "error", err)
	}
	k.wake()
}

// queue puts the change from the kept content into the spool. When that does
// not work, nothing is lost: the section is then sent whole.
func (k *keeper) queue(ctx context.Context, sec *inventory.Section) {
	old, err := k.content(sec.Name)
	if err != nil {
		return
	}
	if k.differs != nil {
		k.differs(old, sec)
	}
	d := inventory.Diff(old, sec)
	if deltaSize(&d) > maxQueued {
		return
	}
	payload, err := protocol.Encode(&protocol.Message{Deliver: &protocol.Deliver{Deltas: []inventory.Delta{d}}})
	if err == nil {
		_, err = k.spool.append(payload)
	}
	if err != nil {
		k.log.ErrorContext(ctx, "change not queued, the section will be sent whole", "section", sec.Name, "error", err)
	}
}

func deltaSize(d *inventory.Delta) int {
	n := 0
	for i := range d.Put {
		n += len(d.Put[i].Key) + len(d.Put[i].Value)
	}
	for _, key := range d.Del {
		n += len(key)
	}
	return n
}

func unpack(payload []byte) ([]inventory.Delta, error) {
	m, err := protocol.Decode(payload)
	if err != nil {
		return nil, err
	}
	if m.Deliver == nil {
		return nil, errors.New("the record holds no changes")
	}
	return m.Deliver.Deltas, nil
}

// wake lets the sender look.
func (k *keeper) wake() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// hashes returns the hash of each kept section.
func (k *keeper) hashes() map[inventory.SectionName]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.hash)
}

// takeSeen returns which unchanged sections were looked at since the last call.
func (k *keeper) takeSeen() map[inventory.SectionName]time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen) == 0 {
		return nil
	}
	seen := k.seen
	k.seen = map[inventory.SectionName]time.Time{}
	return seen
}

// content returns the kept content of a section.
func (k *keeper) content(name inventory.SectionName) (*inventory.Section, error) {
	k.mu.Lock()
	sec := k.memory[name]
	k.mu.Unlock()
	if sec != nil {
		return sec, nil
	}
	return k.load(name)
}

// forget drops the kept content of a section that cannot be read, so that the
// next collection starts anew.
func (k *keeper) forget(name inventory.SectionName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.hash, name)
	delete(k.memory, name)
}

// flushMemory tries again to write what the disk refused.
func (k *keeper) flushMemory() {
	k.offering.Lock()
	defer k.offering.Unlock()
	k.mu.Lock()
	held := maps.Clone(k.memory)
	k.mu.Unlock()
	for name, sec := range held {
		if k.store(sec) == nil {
			k.mu.Lock()
			delete(k.memory, name)
			k.mu.Unlock()
		}
	}
}

func sectionFile(name inventory.SectionName) string {
	return filepath.Join("sections", string(name)+".zst")
}

func (k *keeper) store(sec *inventory.Section) error {
	raw, err := json.Marshal(sec)
	if err != nil {
		return fmt.Errorf("encode section: %w", err)
	}
	packed, err := protocol.Compress(nil, raw)
	if err != nil {
		return err
	}
	return k.s.replace(sectionFile(sec.Name), packed)
}

func (k *keeper) load(name inventory.SectionName) (*inventory.Section, error) {
	packed, err := k.s.read(sectionFile(name), 2*protocol.MaxMessage)
	if err != nil {
		return nil, err
	}
	raw, err := protocol.Decompress(packed, 2*protocol.MaxMessage)
	if err != nil {
		return nil, err
	}
	sec := &inventory.Section{}
	if err := json.Unmarshal(raw, sec); err != nil {
		return nil, err
	}
	if sec.Name != name {
		return nil, fmt.Errorf("the file holds section %.40q", string(sec.Name))
	}
	return sec, nil
}

// restoreSeen puts back what takeSeen returned and the server did not acknowledge.
func (k *keeper) restoreSeen(seen map[inventory.SectionName]time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, at := range seen {
		if _, newer := k.seen[name]; !newer {
			k.seen[name] = at
		}
	}
}
