package sense

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// snapshot is a source that reads something whole, again when a file of it has
// changed, and tells what differs. What it read last outlives the agent, so that
// a change made while that was away is told too.
type snapshot struct {
	name  string // in memory; empty: it is not remembered
	kind  event.Kind
	every time.Duration // the least time between two readings
	// files are the files that it is read from, by patterns of filepath.Match; what
	// changes in their directories is noticed. None: it is read every time.
	files []string
	// read returns what there is, by key; values are compared as they are.
	read func(files []string) map[string]string
	// tell makes the events of a difference; old or now is empty for what is new
	// or gone.
	tell func(key, old, now string) []*event.Event
	lock sync.Locker // held while it is read and told; nil: none
}

const (
	maxFiles    = 8192 // of one snapshot
	maxFileRead = 1 << 20
	maxKeys     = 20_000
)

// snapshotReader is a running snapshot.
type snapshotReader struct {
	snapshot
	h     *host
	dirs  []string // that the patterns look into
	then  []byte   // their state when files was made
	list  []string // what the patterns stand for
	moved bool     // dirs are others than those that are watched
	seen  []byte   // state of the files at the last reading
	known map[string]string
}

// expand brings the list of files up to date; directories that have not changed
// have the same files.
func (s *snapshotReader) expand() []string {
	if state := stateOf(s.dirs); s.then == nil || !slices.Equal(state, s.then) {
		var parents []string
		for _, p := range s.files {
			parents = append(parents, filepath.Dir(p))
		}
		s.dirs = expand(parents)
		for _, p := range parents {
			for hasMeta(p) {
				p = filepath.Dir(p) // where more may come
			}
			s.dirs = append(s.dirs, p) // there or not: that it comes is a change
		}
		slices.Sort(s.dirs)
		s.dirs = slices.Compact(s.dirs)
		s.then = stateOf(s.dirs) // before they are read: what comes meanwhile is a change
		s.list = expand(s.files)
		s.moved = true
	}
	return s.list
}

// look reads again what has changed and tells the differences. The first
// reading ever is only remembered.
func (s *snapshotReader) look(why string) {
	files := s.expand()
	state := stateOf(files)
	if len(s.files) > 0 && s.seen != nil && slices.Equal(state, s.seen) {
		return
	}
	s.seen = state
	if s.lock != nil {
		s.lock.Lock()
		defer s.lock.Unlock()
	}
	now := s.read(files)
	if len(now) > maxKeys {
		return
	}
	first := s.known == nil
	at := Now()
	changed := first
	for _, key := range slices.Sorted(union(s.known, now)) {
		if s.known[key] == now[key] {
			continue
		}
		changed = true
		if first {
			continue
		}
		for _, e := range s.tell(key, s.known[key], now[key]) {
			e.Set(event.Source, SourceFiles)
			e.Set(event.Reason, why)
			s.h.put(e, at)
		}
	}
	s.known = now
	if !changed || s.name == "" {
		return
	}
	if raw, err := json.Marshal(now); err == nil {
		s.h.cfg.Memory.Set(s.name, raw)
	}
}

// hasMeta reports whether a pattern stands for more than one name.
func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

func union(a, b map[string]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range a {
			if !yield(k) {
				return
			}
		}
		for k := range b {
			if _, twice := a[k]; !twice && !yield(k) {
				return
			}
		}
	}
}

// expand returns the files that some patterns stand for, in their order.
func expand(patterns []string) []string {
	var out []string
	for _, p := range patterns {
		list, err := filepath.Glob(p)
		if err == nil {
			out = append(out, list...)
		}
		if len(out) > maxFiles {
			return out[:maxFiles]
		}
	}
	return out
}

// stateOf is equal for files that are the same and have not changed.
func stateOf(files []string) []byte {
	var out []byte
	for _, f := range files {
		out = append(append(out, f...), 0)
		info, err := os.Lstat(f)
		if err != nil {
			continue
		}
		out = binary.LittleEndian.AppendUint64(out, uint64(info.ModTime().UnixNano()))
		out = binary.LittleEndian.AppendUint32(out, uint32(info.Mode()))
		if id, ok := fileIDOf(info); ok {
			out = binary.LittleEndian.AppendUint64(out, id.ino)
			out = binary.LittleEndian.AppendUint64(out, uint64(id.size))
			out = binary.LittleEndian.AppendUint64(out, uint64(id.status))
		}
	}
	return out
}

// parts is a value of several fields, as a snapshot keeps it.
func parts(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// part reads back what parts wrote.
func part[T any](text string) (v T) {
	_ = json.Unmarshal([]byte(text), &v) // empty: nothing was there
	return v
}
