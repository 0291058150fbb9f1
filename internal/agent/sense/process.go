package sense

import (
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// key is a process: its number is used again, its number and start never are.
type key struct {
	pid   uint32
	start uint64 // ticks since boot
}

// process is what is known of a process. It does not change once it is in a
// table: an exec puts another one in its place.
type process struct {
	key
	parent    key
	path      string // of the image
	args      string // joined by blanks
	cut       bool   // args is not all of it
	uid, euid uint32
	login     uint32 // of the account that logged on, unset: none
	session   uint32 // of the kernel's audit, unset: none
	user      string
	container string
	sums      *sums
	execed    bool // it was reported, or there before the agent
	watch     watching
}

const unset = ^uint32(0)

// table holds the processes that there are, and for a while those that ended.
// Safe for concurrent use.
type table struct {
	mu    sync.Mutex // guards the fields below
	live  map[uint32]*process
	ended map[key]*process
	last  map[uint32]key // of ended, by number
	order []key          // of ended, oldest first
}

const (
	maxLive  = 64 << 10
	maxEnded = 2048
)

func newTable() *table {
	return &table{live: map[uint32]*process{}, ended: map[key]*process{}, last: map[uint32]key{}}
}

// put notes a process; a number that was another process's is its now.
func (t *table) put(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.judge(p)
	if old := t.live[p.pid]; old != nil && old.key != p.key {
		t.bury(old)
	} else if old == nil && len(t.live) >= maxLive {
		return
	}
	t.live[p.pid] = p
}

// seed notes a process unless something is known of it.
func (t *table) seed(p *process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[p.pid] == nil && len(t.live) < maxLive {
		t.judge(p)
		t.live[p.pid] = p
	}
}

// judge notes whether what a process does to files is looked after: for its
// program's sake, or for what it was before or comes from.
func (t *table) judge(p *process) {
	if p.execed {
		p.watch = programWatched(p)
	}
	for _, from := range []*process{t.live[p.pid], t.live[p.parent.pid]} {
		if from != nil && from.watch == watchedBelow && (from.key == p.key || from.key == p.parent) {
			p.watch = watchedBelow
		}
	}
}

// end notes that a process ended and returns it, nil when it is not known.
func (t *table) end(k key) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.live[k.pid]
	if p == nil || p.key != k {
		return nil
	}
	delete(t.live, k.pid)
	t.bury(p)
	return p
}

// bury keeps a process that ended for those who ask late.
func (t *table) bury(p *process) {
	for len(t.order) >= maxEnded {
		old := t.order[0]
		delete(t.ended, old)
		if t.last[old.pid] == old {
			delete(t.last, old.pid)
		}
		t.order = t.order[1:]
	}
	t.ended[p.key], t.last[p.pid] = p, p.key
	t.order = append(t.order, p.key)
}

// get returns a process, nil when it is not known.
func (t *table) get(k key) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.live[k.pid]; p != nil && p.key == k {
		return p
	}
	return t.ended[k]
}

// now returns the process that has a number now, nil when none is known.
func (t *table) now(pid uint32) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live[pid]
}

// late returns the process that has a number, or had it last.
func (t *table) late(pid uint32) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.live[pid]; p != nil {
		return p
	}
	return t.ended[t.last[pid]]
}

// pids returns the numbers of the processes that there are.
func (t *table) pids() map[uint32]key {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[uint32]key, len(t.live))
	for pid, p := range t.live {
		out[pid] = p.key
	}
	return out
}

// forked is the copy of a process that it has made of itself.
func (p *process) forked(child key) *process {
	c := *p
	c.parent, c.key, c.execed = p.key, child, false
	return &c
}

// created is the event of a program that was started.
func (h *host) created(p *process, source string) *event.Event {
	e := &event.Event{Action: event.ProcessCreated, Fields: make([]event.Field, 0, 32)}
	setPath(e, p.path)
	h.setSums(e, p.sums)
	e.SetInt(event.ProcessID, int64(p.pid))
	e.Set(event.ProcessCommandLine, p.args)
	e.SetTime(event.ProcessCreationTime, h.clock.Created(p.start))
	h.setAccount(e, p)
	e.Set(event.ContainerID, p.container)
	e.Set(event.Source, source)
	more := map[string]any{}
	if p.cut {
		more["commandLineCut"] = true
	}
	if p.uid != p.euid {
		more["realUser"] = h.userName(p.uid)
	}
	if p.login != unset && p.login != p.euid {
		more["logonUser"] = h.userName(p.login)
	}
	if len(more) > 0 {
		e.Set(event.AdditionalFields, object(more))
	}
	h.initiated(e, h.procs.get(p.parent), p.parent)
	return e
}

// terminated is the event of a process that ended. code is what wait says of it.
func (h *host) terminated(p *process, code uint32, source string) *event.Event {
	e := &event.Event{Action: event.ProcessTerminated, Fields: make([]event.Field, 0, 24)}
	setPath(e, p.path)
	h.setSums(e, p.sums)
	e.SetInt(event.ProcessID, int64(p.pid))
	e.Set(event.ProcessCommandLine, p.args)
	e.SetTime(event.ProcessCreationTime, h.clock.Created(p.start))
	h.setAccount(e, p)
	e.Set(event.ContainerID, p.container)
	e.Set(event.Source, source)
	exit := int64(code >> 8 & 0xff)
	if sig := code & 0x7f; sig != 0 {
		exit = 128 + int64(sig)
		e.Set(event.Reason, "signal "+strconv.Itoa(int(sig)))
	}
	e.SetInt(event.ProcessExitCode, exit)
	h.initiated(e, h.procs.get(p.parent), p.parent)
	return e
}

func setPath(e *event.Event, file string) {
	if file == "" {
		return
	}
	e.Set(event.FileName, valid(path.Base(file)))
	e.Set(event.FolderPath, valid(file))
}

func (h *host) setSums(e *event.Event, s *sums) {
	if s == nil {
		return
	}
	e.Set(event.SHA256, s.sha256)
	e.Set(event.SHA1, s.sha1)
	e.Set(event.MD5, s.md5)
	e.SetInt(event.FileSize, s.size)
}

func (h *host) setAccount(e *event.Event, p *process) {
	e.Set(event.AccountName, p.user)
	e.Set(event.AccountDomain, h.users.host)
	e.Set(event.AccountSID, strconv.FormatUint(uint64(p.euid), 10))
	if p.session != unset {
		e.SetInt(event.LogonID, int64(p.session))
	}
}

// initiated says which process did it. Of one that is not known only its
// identity is told; of none, nothing.
func (h *host) initiated(e *event.Event, p *process, k key) {
	if k.pid == 0 {
		return
	}
	e.SetInt(event.InitiatingProcessID, int64(k.pid))
	if k.start != 0 || k.pid == 1 {
		e.SetTime(event.InitiatingProcessCreationTime, h.clock.Created(k.start))
	}
	if p == nil {
		return
	}
	if p.path != "" {
		e.Set(event.InitiatingProcessFileName, valid(path.Base(p.path)))
		e.Set(event.InitiatingProcessFolderPath, valid(p.path))
	}
	e.Set(event.InitiatingProcessCommandLine, p.args)
	e.Set(event.InitiatingProcessAccountName, p.user)
	e.Set(event.InitiatingProcessAccountDomain, h.users.host)
	e.Set(event.InitiatingProcessAccountSID, strconv.FormatUint(uint64(p.euid), 10))
	if p.session != unset {
		e.SetInt(event.InitiatingProcessLogonID, int64(p.session))
	}
	if s := p.sums; s != nil {
		e.Set(event.InitiatingProcessSHA256, s.sha256)
		e.Set(event.InitiatingProcessSHA1, s.sha1)
		e.Set(event.InitiatingProcessMD5, s.md5)
		e.SetInt(event.InitiatingProcessFileSize, s.size)
	}
	if p.parent.pid == 0 {
		return
	}
	e.SetInt(event.InitiatingProcessParentID, int64(p.parent.pid))
	e.SetTime(event.InitiatingProcessParentCreationTime, h.clock.Created(p.parent.start))
	if up := h.procs.get(p.parent); up != nil && up.path != "" {
		e.Set(event.InitiatingProcessParentFileName, valid(path.Base(up.path)))
	}
}

// userName is the name of an account, or its number when it has none.
func (h *host) userName(uid uint32) string {
	if n := h.users.name(uid); n != "" {
		return n
	}
	return strconv.FormatUint(uint64(uid), 10)
}

// valid makes text that is no UTF-8 into some that is.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// joined is a command line as the kernel keeps it, closed by zeros, with blanks.
func joined(raw []byte) string {
	for len(raw) > 0 && raw[len(raw)-1] == 0 {
		raw = raw[:len(raw)-1]
	}
	return valid(strings.ReplaceAll(string(raw), "\x00", " "))
}

// ticks turns a time since boot into ticks.
func ticks(ns uint64) uint64 { return ns / uint64(tick/time.Nanosecond) }
