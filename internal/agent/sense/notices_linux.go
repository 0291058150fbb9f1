package sense

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// settle makes events of what happened before a moment.
func (f *fanotify) settle(before time.Duration) {
	done := 0
	for _, w := range f.waiting {
		if w.at > before {
			break
		}
		f.tell(w)
		done++
	}
	f.waiting = slices.Delete(f.waiting, 0, done)
	for path, w := range f.fresh {
		if w.at < before-createdIn {
			delete(f.fresh, path)
			f.event(event.FileCreated, path, "", w, "")
		}
	}
}

// tell makes events of a notice. The kernel brings several together that
// concern one name.
func (f *fanotify) tell(w waiting) {
	m := w.n.mask
	if m&f.renames != 0 {
		f.renamed(w)
		m &^= f.renames
	}
	path, dir := f.find(w.n.at)
	if path == "" || len(dir.place.names) > 0 && !slices.Contains(dir.place.names, w.n.at.name) {
		return
	}
	if dir.place.code {
		f.program(path, w)
		return
	}
	if dir.place.rest && !f.other(path, m) {
		return
	}
	if m&unix.FAN_CREATE != 0 {
		f.fresh[path] = w
	}
	if m&unix.FAN_CLOSE_WRITE != 0 {
		action := event.FileModified
		if was, ok := f.fresh[path]; ok {
			action, w.at = event.FileCreated, was.at
			delete(f.fresh, path)
		}
		f.event(action, path, "", w, "")
	}
	if m&unix.FAN_DELETE != 0 {
		if was, ok := f.fresh[path]; ok {
			delete(f.fresh, path)
			f.event(event.FileCreated, path, "", was, "")
		}
		f.event(event.FileDeleted, path, "", w, "")
	}
}

// program looks whether a file in a place that everybody may write to can be
// executed; others are nobody's business.
func (f *fanotify) program(path string, w waiting) {
	if w.n.mask&unix.FAN_DELETE != 0 && f.code[path] {
		delete(f.code, path)
		f.event(event.FileDeleted, path, "", w, "")
	}
	if w.n.mask&(unix.FAN_CLOSE_WRITE|unix.FAN_ATTRIB) == 0 || !executable(path) {
		return
	}
	action := event.FileCreated
	if f.code[path] {
		if w.n.mask&unix.FAN_CLOSE_WRITE == 0 {
			return
		}
		action = event.FileModified
	} else if len(f.code) < maxKeys {
		f.code[path] = true
	}
	f.event(action, path, "", w, "")
}

// other reports whether a file in a place whose programs are told is none of them.
func (f *fanotify) other(path string, mask uint64) bool {
	known := f.code[path]
	if mask&unix.FAN_DELETE != 0 {
		delete(f.code, path)
		return known
	}
	if executable(path) {
		return false
	}
	if len(f.code) < maxKeys {
		f.code[path] = true
	}
	return true
}

func executable(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	var head [4]byte
	n, _ := f.ReadAt(head[:], 0) // a short one is none
	return info.Mode()&0o111 != 0 && n > 0 || string(head[:]) == "\x7fELF"
}

func (f *fanotify) renamed(w waiting) {
	if w.n.mask&(unix.FAN_MOVED_FROM|unix.FAN_MOVED_TO) != 0 { // an older kernel tells one end at a time
		if w.n.mask&unix.FAN_MOVED_FROM != 0 {
			w.n.from = w.n.at
		} else {
			w.n.to = w.n.at
		}
	}
	from, fromDir := f.find(w.n.from)
	to, toDir := f.find(w.n.to)
	wantedAt := func(d *markedDir, name, path string) bool {
		return d != nil && (len(d.place.names) == 0 || slices.Contains(d.place.names, name)) && (!d.place.code || f.code[path] || executable(path)) &&
			(!d.place.rest || !executable(path))
	}
	oldWanted, newWanted := wantedAt(fromDir, w.n.from.name, from), wantedAt(toDir, w.n.to.name, to)
	delete(f.fresh, from)
	delete(f.code, from)
	switch {
	case from != "" && to != "" && (oldWanted || newWanted):
		f.event(event.FileRenamed, to, from, w, "")
	case newWanted:
		f.event(event.FileCreated, to, "", w, "moved here from a place that is not watched")
	case oldWanted:
		f.event(event.FileDeleted, from, "", w, "moved to a place that is not watched")
	}
}

// event tells of a file.
func (f *fanotify) event(action event.Action, path, from string, w waiting, why string) {
	if f.may != nil && !f.may() {
		return
	}
	e := &event.Event{Action: action, Fields: make([]event.Field, 0, 24)}
	setPath(e, path)
	if action != event.FileDeleted {
		if file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0); err == nil {
			f.h.setSums(e, f.h.files.file(file))
			_ = file.Close() // it was only read
		}
	}
	if from != "" {
		e.Set(event.PreviousFileName, valid(filepath.Base(from)))
		e.Set(event.PreviousFolderPath, valid(from))
	}
	e.Set(event.Reason, why)
	e.Set(event.Source, SourceFanotify)
	if p := f.h.who(w.n.pid); p != nil {
		e.Set(event.ContainerID, p.container)
		f.h.initiated(e, p, p.key)
	} else {
		e.SetInt(event.InitiatingProcessID, int64(w.n.pid))
	}
	f.h.put(e, w.at)
}
