package sense

import (
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// moduleState brings together what the kernel's program and a look at
// /proc/modules say of the kernel's modules, so that nothing is told twice. Safe
// for concurrent use.
type moduleState struct {
	mu    sync.Mutex
	there map[string]bool // what was told last of a module
}

// mostModules is how many modules are remembered.
const mostModules = 4096

// change notes that a module is there or not, and says whether that is news; was is
// what the one who says so took for true. The caller holds mu.
func (m *moduleState) change(name string, was, is bool) bool {
	if told, ok := m.there[name]; ok {
		was = told
	}
	if m.there == nil || len(m.there) >= mostModules {
		m.there = map[string]bool{}
	}
	m.there[name] = is
	return was != is
}

// modules is the look at the kernel's modules.
func modules(proc string, m *moduleState) snapshot {
	return snapshot{kind: event.Kernel, every: 10 * time.Second, lock: &m.mu, read: func([]string) map[string]string {
		raw, _ := readCapped(proc+"/modules", maxFileRead) // a kernel without modules has no such file
		return readModules(string(raw))
	}, tell: func(key, old, now string) []*event.Event {
		if !m.change(key, old != "", now != "") {
			return nil
		}
		return []*event.Event{moduleEvent(key, now != "")}
	}}
}

func moduleEvent(name string, loaded bool) *event.Event {
	e := &event.Event{Action: event.KernelModuleUnloaded}
	if loaded {
		e.Action = event.KernelModuleLoaded
	}
	e.Set(event.FileName, valid(name))
	return e
}

// moduleNews tells what the kernel says of a module.
func (h *host) moduleNews(r *kernelModule) {
	h.modules.mu.Lock()
	news := h.modules.change(r.name, !r.loaded, r.loaded)
	h.modules.mu.Unlock()
	if !news {
		return // a look was before it
	}
	e := moduleEvent(r.name, r.loaded)
	e.Set(event.Source, SourceEBPF)
	if r.pid != 0 {
		owner := key{r.pid, ticks(r.start)}
		h.initiated(e, h.procs.get(owner), owner)
	}
	h.put(e, time.Duration(r.time))
}

// readModules reads /proc/modules.
func readModules(text string) map[string]string {
	out := map[string]string{}
	for _, f := range fieldsOf(text) {
		if len(f) >= 2 {
			out[f[0]] = "loaded"
		}
	}
	return out
}
