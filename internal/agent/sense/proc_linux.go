package sense

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// maxArgs is how much of a command line is kept.
const maxArgs = 8 << 10

// look reads what /proc says of a process, nil when it is gone.
func (h *host) look(pid uint32) *process {
	dir := fmt.Sprintf("/proc/%d/", pid)
	raw, err := readCapped(dir+"stat", 4<<10)
	if err != nil {
		return nil
	}
	st, err := parseStat(raw)
	if err != nil {
		return nil
	}
	p := &process{key: key{pid, st.start}, parent: key{pid: st.parent}, login: unset, session: unset}
	if raw, err := readCapped(fmt.Sprintf("/proc/%d/stat", st.parent), 4<<10); err == nil {
		if up, err := parseStat(raw); err == nil {
			p.parent.start = up.start
		}
	}
	if text, err := readCapped(dir+"status", 8<<10); err == nil {
		p.uid, p.euid, _ = parseStatus(string(text))
	}
	p.login, p.session = number(dir+"loginuid"), number(dir+"sessionid")
	p.user = h.users.name(p.euid)
	p.path, _ = os.Readlink(dir + "exe") // the kernel's own threads have none
	p.path = strings.TrimSuffix(p.path, " (deleted)")
	if args, err := readCapped(dir+"cmdline", maxArgs+1); err == nil {
		p.cut = len(args) > maxArgs
		p.args = joined(args[:min(len(args), maxArgs)])
	}
	if group, err := readCapped(dir+"cgroup", 8<<10); err == nil {
		p.container = containerOf(string(group))
	}
	return p
}

func number(file string) uint32 {
	raw, err := readCapped(file, 32)
	if err != nil {
		return unset
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(raw)), 10, 32)
	if err != nil {
		return unset
	}
	return uint32(n)
}

// sumsOf takes the digests of a process' image, if it is a running one.
func (h *host) sumsOf(p *process) *sums {
	f, err := os.Open(fmt.Sprintf("/proc/%d/exe", p.pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	return h.files.file(f)
}

// seed notes the processes that were there before the agent: they are parents,
// and their start is not told.
func (h *host) seed() error {
	pids, err := listPids()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if p := h.look(pid); p != nil {
			p.execed = true
			h.procs.seed(p)
		}
	}
	return nil
}

func listPids() ([]uint32, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, n := range names {
		if pid, err := strconv.ParseUint(n, 10, 32); err == nil {
			out = append(out, uint32(pid))
		}
	}
	return out, nil
}

// who returns the process that has a number, or had it a moment ago, from the
// table or from /proc.
func (h *host) who(pid uint32) *process {
	if pid == 0 {
		return nil
	}
	if p := h.procs.late(pid); p != nil {
		return p
	}
	p := h.look(pid)
	if p != nil {
		p.execed = true
		h.procs.seed(p)
	}
	return p
}

// poller looks at /proc again and again: the last way to see processes. What
// lives shorter than a round is not seen.
type poller struct {
	h *host
}

const pollEvery = time.Second

func openPoller(_ context.Context, h *host) (running, error) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		return nil, err
	}
	if err := h.seed(); err != nil {
		return nil, err
	}
	return &poller{h}, nil
}

// Run implements running.
func (p *poller) Run(ctx context.Context) error {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		if err := p.round(); err != nil {
			return err
		}
	}
}

func (p *poller) round() error {
	pids, err := listPids()
	if err != nil {
		return err
	}
	known := p.h.procs.pids()
	there := map[uint32]bool{}
	for _, pid := range pids {
		there[pid] = true
		raw, err := readCapped(fmt.Sprintf("/proc/%d/stat", pid), 4<<10)
		if err != nil {
			continue
		}
		st, err := parseStat(raw)
		if err != nil || st.kernel {
			continue
		}
		if k, ok := known[pid]; ok && k == (key{pid, st.start}) {
			continue
		}
		p.h.sawStart(pid, SourceProc)
	}
	for pid, k := range known {
		if !there[pid] {
			p.h.sawEnd(k, 0, Now(), SourceProc)
		}
	}
	return nil
}

// sawStart tells of a process that /proc shows.
func (h *host) sawStart(pid uint32, source string) {
	p := h.look(pid)
	if p == nil {
		h.sink.Lost(event.Process, 1, time.Time{}, "ended before it could be looked at")
		return
	}
	p.execed = true
	p.sums = h.sumsOf(p)
	h.procs.put(p)
	h.put(h.created(p, source), Now())
}

// sawEnd tells of the end of a process that is known.
func (h *host) sawEnd(k key, code uint32, at time.Duration, source string) {
	if p := h.procs.end(k); p != nil && p.execed {
		h.put(h.terminated(p, code, source), at)
	}
}
