package sense

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// mapping is a file that a process has mapped to be executed.
type mapping struct {
	at           time.Duration // since boot
	pid          uint32        // 0: of another host on this kernel
	major, minor uint32        // of the device
	inode        uint64
	path         string // as the process sees it
}

// The records of the kernel's log of mappings that are read; their form is that
// of perf_event_open(2).
const (
	perfLost   = 2
	perfMmap2  = 10
	perfHead   = 8
	perfFixed  = 72 // of a mapping, with the head
	perfSample = 16 // process, thread and time at the end of each
)

var errMapping = errors.New("not a record of a mapping")

// parseMapping reads a record of a mapping.
func parseMapping(b []byte) (mapping, error) {
	var m mapping
	if len(b) < perfFixed+perfSample || binary.NativeEndian.Uint32(b) != perfMmap2 {
		return m, errMapping
	}
	end := len(b) - perfSample
	m.pid = uint32(max(int32(binary.NativeEndian.Uint32(b[8:])), 0))
	m.major, m.minor, m.inode = binary.NativeEndian.Uint32(b[40:]), binary.NativeEndian.Uint32(b[44:]), binary.NativeEndian.Uint64(b[48:])
	m.at = time.Duration(binary.NativeEndian.Uint64(b[end+8:]))
	path, _, ok := bytes.Cut(b[perfFixed:end], []byte{0})
	if !ok {
		return m, errMapping
	}
	m.path = string(path)
	return m, nil
}

// parseLost reads how many records there was no room for.
func parseLost(b []byte) uint64 {
	if len(b) < perfHead+16 {
		return 0
	}
	return binary.NativeEndian.Uint64(b[16:])
}

// file says whether a mapping is one of a file, and not of the kernel's own or
// of memory that has no name.
func (m *mapping) file() bool {
	return strings.HasPrefix(m.path, "/") && !strings.HasPrefix(m.path, "//")
}

// images brings together what programs load: the same file into the same
// program is told once, and once more with its number when a window has passed.
type images struct {
	windows[imageKey]
	open map[imageKey]*imageGroup
}

type imageKey struct {
	program      string // path of the process' image
	container    string
	path         string
	major, minor uint32
	inode        uint64
}

type imageGroup struct {
	last mapping
	by   *process
	more int64
}

const (
	imageWindow = 10 * time.Minute
	// imageDelay is how long a mapping waits until its process is known.
	imageDelay = 500 * time.Millisecond
)

func newImages() images {
	return images{windows[imageKey]{length: imageWindow}, map[imageKey]*imageGroup{}}
}

// add takes a mapping by a process and says whether to tell it now.
func (i *images) add(m *mapping, p *process) bool {
	k := imageKey{p.path, p.container, m.path, m.major, m.minor, m.inode}
	if g := i.open[k]; g != nil {
		g.last, g.by = *m, p
		g.more++
		return false
	}
	if len(i.open) < maxGroups {
		i.open[k] = &imageGroup{}
		i.begin(k, m.at)
	}
	return true
}

// over takes out what is older than the window, everything when end is set.
func (i *images) over(now time.Duration, end bool, each func(*imageGroup)) {
	for k := range i.ended(now, end) {
		g := i.open[k]
		delete(i.open, k)
		if g.more > 0 {
			each(g)
		}
	}
}

// loaded is the event of a file that a process has loaded; of count, if more than one.
func (h *host) loaded(m *mapping, p *process, s *sums, count int64) *event.Event {
	e := &event.Event{Action: event.ImageLoaded, Fields: make([]event.Field, 0, 28)}
	path, gone := strings.CutSuffix(m.path, " (deleted)")
	setPath(e, path)
	h.setSums(e, s)
	e.Set(event.ContainerID, p.container)
	e.Set(event.Source, SourceMaps)
	if gone {
		e.Set(event.Reason, "the file had no name any more")
	}
	if count > 1 {
		e.SetInt(event.EventCount, count)
	}
	h.initiated(e, p, p.key)
	return e
}
