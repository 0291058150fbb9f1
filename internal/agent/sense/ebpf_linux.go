package sense

import (
	"bytes"
	"context"
	_ "embed" // the object
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

//go:embed bpf/sense.o
var programs []byte

// kernel reads what bpf/sense.bpf.c tells.
type kernel struct {
	h     *host
	coll  *ebpf.Collection
	links []link.Link // kept: one that is collected as garbage is detached
	ring  *ringbuf.Reader
	lost  [kernelTypes]uint64
	seen  connections
	lack  string // what this kernel does not give, and why
	// recount is when to look next what the ring had no room for; zero: nothing
	// came since the last look.
	recount time.Time
	counted time.Time // when it was looked last, by the clock of events
}

const (
	ringEvery = 400 * time.Millisecond // how long a record waits in the ring at most
	ringMuch  = 1 << 18                // bytes at which they do not wait; sense.bpf.c wakes the reader there
)

func openKernel(_ context.Context, h *host) (running, error) {
	k := &kernel{h: h, seen: newConnections()}
	if err := k.load(); err != nil {
		return nil, errors.Join(err, k.close())
	}
	if err := h.seed(); err != nil {
		return nil, errors.Join(err, k.close())
	}
	k.seedListeners()
	debug.FreeOSMemory() // reading the kernel's types took some
	return k, nil
}

func (k *kernel) load() error {
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(programs))
	if err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	_ = rlimit.RemoveMemlock() // needed before Linux 5.11 only; loading tells
	pidNS, err := namespace("pid")
	if err != nil {
		return err
	}
	netNS, err := namespace("net")
	if err != nil {
		return err
	}
	for name, value := range map[string]uint32{"own_ns": pidNS, "own_net": netNS} {
		if err := spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	if err := k.loadMost(spec); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if k.links, err = tracings(k.coll, []string{"on_fork", "on_exec", "on_exit", "on_state"}); err != nil {
		return err
	}
	for _, o := range []optional{datagrams, moduleNews} {
		if k.coll.Programs[o.programs[0]] == nil {
			continue
		}
		attach := k.attachDatagrams
		if o.what == moduleNews.what {
			attach = k.attachModules
		}
		if err := attach(); err != nil {
			k.lacking(o, err)
		}
	}
	if k.ring, err = ringbuf.NewReader(k.coll.Maps["ring"]); err != nil {
		return fmt.Errorf("open ring: %w", err)
	}
	return nil
}

// optional are programs that not every kernel has what they need for.
type optional struct {
	what     string
	programs []string
}

var (
	datagrams  = optional{"no UDP", []string{"on_send", "on_sendmsg4", "on_sendmsg6", "on_recvmsg4", "on_recvmsg6"}}
	moduleNews = optional{"kernel modules by a look each 10 s", []string{"on_load", "on_unload"}}
)

// lacking notes what there is not, and why.
func (k *kernel) lacking(o optional, err error) { k.lack = join(k.lack, o.what+": "+text(err)) }

// loadMost loads all programs, or all but the fewest of the optional ones.
func (k *kernel) loadMost(spec *ebpf.CollectionSpec) error {
	var first error
	for _, without := range [][]optional{nil, {moduleNews}, {datagrams}, {datagrams, moduleNews}} {
		some := spec.Copy()
		for _, o := range without {
			for _, name := range o.programs {
				delete(some.Programs, name)
			}
		}
		coll, err := ebpf.NewCollection(some)
		if err == nil {
			k.coll = coll
			for _, o := range without {
				k.lacking(o, first)
			}
			return nil
		}
		first = err // the last one names what the next is without
	}
	return first
}

// attachModules attaches the programs that see modules of the kernel, both or none.
func (k *kernel) attachModules() error {
	links, err := tracings(k.coll, moduleNews.programs)
	if err != nil {
		return err
	}
	k.links = append(k.links, links...)
	return nil
}

// tracings attaches some programs, all or none.
func tracings(coll *ebpf.Collection, names []string) ([]link.Link, error) {
	var links []link.Link
	for _, name := range names {
		l, err := link.AttachTracing(link.TracingOptions{Program: coll.Programs[name]})
		if err != nil {
			err = fmt.Errorf("attach %s: %w", name, err)
			for _, l := range links {
				err = errors.Join(err, l.Close())
			}
			return nil, err
		}
		links = append(links, l)
	}
	return links, nil
}

// attachDatagrams attaches the programs that see datagrams, all or none.
func (k *kernel) attachDatagrams() error {
	raw, err := readCapped("/proc/self/mountinfo", 1<<20)
	if err != nil {
		return err
	}
	root := cgroup2(string(raw))
	if root == "" {
		return errors.New("control groups of the second version are not mounted")
	}
	l, err := link.AttachTracing(link.TracingOptions{Program: k.coll.Programs["on_send"]})
	if err != nil {
		return fmt.Errorf("attach on_send: %w", err)
	}
	links := []link.Link{l}
	for name, attach := range map[string]ebpf.AttachType{"on_sendmsg4": ebpf.AttachCGroupUDP4Sendmsg, "on_sendmsg6": ebpf.AttachCGroupUDP6Sendmsg,
		"on_recvmsg4": ebpf.AttachCGroupUDP4Recvmsg, "on_recvmsg6": ebpf.AttachCGroupUDP6Recvmsg} {
		l, err := link.AttachCgroup(link.CgroupOptions{Path: root, Attach: attach, Program: k.coll.Programs[name]})
		if err != nil {
			err = fmt.Errorf("attach %s: %w", name, err)
			for _, l := range links {
				err = errors.Join(err, l.Close())
			}
			return err
		}
		links = append(links, l)
	}
	k.links = append(k.links, links...)
	return nil
}

// lacks implements lacking.
func (k *kernel) lacks() string { return k.lack }

func (k *kernel) close() error {
	var err error
	if k.ring != nil {
		err = k.ring.Close()
	}
	for _, l := range k.links {
		err = errors.Join(err, l.Close())
	}
	if k.coll != nil {
		k.coll.Close()
	}
	return err
}

// namespace is the number of one of this process's namespaces.
func namespace(name string) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/"+name, &st); err != nil {
		return 0, fmt.Errorf("find namespace: %w", err)
	}
	return uint32(st.Ino), nil
}

// Run implements running.
func (k *kernel) Run(ctx context.Context) error {
	defer k.close()
	wait, err := newWaiter(k.coll.Maps["ring"].FD(), "ring")
	if err != nil {
		return err
	}
	defer wait.file.Close()
	defer interruptible(ctx, wait.file)()
	for ctx.Err() == nil {
		if err := wait.until(ctx, sooner(k.recount, at(k.seen.next())), func() bool { return k.ring.AvailableBytes() > 0 }); err != nil {
			return fmt.Errorf("wait for ring: %w", err)
		}
		if k.ring.AvailableBytes() > 0 { // what comes soon is read together with it
			err := wait.until(ctx, time.Now().Add(ringEvery), func() bool { return k.ring.AvailableBytes() > ringMuch })
			if err == nil {
				err = k.drain()
			}
			if err != nil {
				return fmt.Errorf("read ring: %w", err)
			}
		}
		if err := k.round(); err != nil {
			return err
		}
	}
	k.flushConnections(true)
	return errors.Join(ctx.Err(), k.count())
}

// drain reads what the ring holds.
func (k *kernel) drain() error {
	k.ring.SetDeadline(time.Unix(1, 0))
	var rec ringbuf.Record
	for {
		for range 256 {
			err := k.ring.ReadInto(&rec)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			if err != nil {
				return err
			}
			if k.recount.IsZero() { // only what is full loses
				k.recount = time.Now().Add(time.Second)
			}
			k.take(rec.RawSample)
		}
		if err := k.round(); err != nil { // it may go on for long
			return err
		}
	}
}

// round does what is due.
func (k *kernel) round() error {
	if now := time.Now(); !k.recount.IsZero() && now.After(k.recount) {
		k.recount = time.Time{}
		if err := k.count(); err != nil {
			return err
		}
	}
	k.flushConnections(false)
	return nil
}

// kinds are the kinds of events that records of each type become.
var kinds = [kernelTypes]event.Kind{kernelExec: event.Process, kernelExit: event.ProcessEnd, kernelConnect: event.Network, kernelFailed: event.Network,
	kernelAccept: event.Network, kernelListen: event.Network, kernelSent: event.Network, kernelReceived: event.Network,
	kernelLoaded: event.Kernel, kernelUnloaded: event.Kernel}

// count tells what the ring had no room for.
func (k *kernel) count() error {
	var each [][kernelTypes]uint64
	if err := k.coll.Maps["lost"].Lookup(uint32(0), &each); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	for t := uint32(1); t < kernelTypes; t++ {
		sum := uint64(0)
		for i := range each {
			sum += each[i][t]
		}
		if n := sum - k.lost[t]; n > 0 && kinds[t] != 0 {
			k.h.sink.Lost(kinds[t], n, k.counted, "the kernel's ring was full")
		}
		k.lost[t] = sum
	}
	k.counted = k.h.clock.Now()
	return nil
}

// take deals with one record.
func (k *kernel) take(raw []byte) {
	switch t := recordType(raw); t {
	case kernelExec, kernelFork, kernelExit:
		r, err := parseProcess(raw)
		if err != nil {
			k.h.log.Error("record of the kernel not readable", "error", err)
			return
		}
		switch t {
		case kernelExec:
			k.exec(&r)
		case kernelFork:
			k.fork(&r)
		default:
			k.h.sawEnd(key{r.pid, ticks(r.start)}, r.code, time.Duration(r.time), SourceEBPF)
		}
	case kernelConnect, kernelFailed, kernelAccept, kernelListen, kernelSent, kernelReceived:
		r, err := parseConnection(raw)
		if err == nil {
			k.connection(&r)
		}
	case kernelLoaded, kernelUnloaded:
		r, err := parseModule(raw)
		if err == nil {
			k.h.moduleNews(&r)
		}
	}
}

func (k *kernel) fork(r *kernelProcess) {
	child, parent := key{r.pid, ticks(r.start)}, key{r.parent, ticks(r.parentStart)}
	if up := k.h.procs.get(parent); up != nil {
		k.h.procs.put(up.forked(child))
	}
}

func (k *kernel) exec(r *kernelProcess) {
	p := &process{key: key{r.pid, ticks(r.start)}, parent: key{r.parent, ticks(r.parentStart)}, path: r.path, args: joined(r.args), cut: r.code != 0,
		uid: r.uid, euid: r.euid, login: r.login, session: r.session, container: containerOf(string(r.group)), execed: true}
	if r.nested != 0 && p.container == "" {
		if raw, err := readCapped(fmt.Sprintf("/proc/%d/cgroup", r.pid), 8<<10); err == nil {
			p.container = containerOf(string(raw))
		}
	}
	foreign := r.nested != 0 || p.container != "" // with files and accounts of its own
	if !foreign {
		p.user = k.h.users.name(r.euid)
	}
	p.sums = k.sums(r, foreign)
	k.h.procs.put(p)
	k.h.put(k.h.created(p, SourceEBPF), time.Duration(r.time))
	if r.script != "" {
		k.h.script(p, r.script, time.Duration(r.time))
	}
}

// sums takes the digests of the image that was started: of the very file, not
// of what has its name now.
func (k *kernel) sums(r *kernelProcess, foreign bool) *sums {
	names := []string{r.path, fmt.Sprintf("/proc/%d/exe", r.pid)}
	if foreign || r.path == "" {
		names = names[1:]
	}
	dev := unix.Mkdev(r.device>>20, r.device&(1<<20-1))
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		id, ok := identify(f)
		var s *sums
		// A file of an overlay has another number than the kernel's own.
		same := id.ino == r.inode && id.dev == dev || id.size == int64(r.size) && id.status < k.h.clock.wallAt(time.Duration(r.time)).UnixNano()
		if ok && same {
			s = k.h.files.file(f)
		}
		_ = f.Close() // it was only read
		if s != nil {
			return s
		}
	}
	return &sums{size: int64(r.size)}
}

// script tells which script an interpreter was started for.
func (h *host) script(p *process, file string, at time.Duration) {
	e := &event.Event{Action: event.ScriptLoaded, Fields: make([]event.Field, 0, 28)}
	setPath(e, file)
	e.Set(event.Interpreter, valid(p.path))
	if f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK|syscall.O_NOCTTY, 0); err == nil {
		h.setSums(e, h.files.file(f))
		_ = f.Close() // it was only read
	}
	e.Set(event.ContainerID, p.container)
	e.Set(event.Source, SourceEBPF)
	h.initiated(e, p, p.key)
	h.put(e, at)
}
