package sense

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// mappings reads the kernel's log of files that are mapped to be executed: the
// programs' own, and the libraries that they load, when they do.
type mappings struct {
	h     *host
	epoll int
	rings []*perfRing
	seen  images
	wait  []mapping
}

// perfRing is the log of one processor.
type perfRing struct {
	fd   int
	mem  []byte // the kernel's page, then the data
	data []byte
	id   unix.EpollEvent
}

const (
	// mappingsEvery is how long a record waits at most: looking at a counter now
	// and then costs less than being woken by each program that starts.
	mappingsEvery = 2 * time.Second
	ringPages     = 32 // of data for each processor
	ringPagesMany = 8  // the same on hosts with many of them
	manyCPUs      = 16
	maxCPUs       = 1024
	maxMappings   = 4096 // that wait; those beyond it are told of processes that may not be known
)

func openMappings(_ context.Context, h *host) (running, error) {
	raw, err := readCapped("/sys/devices/system/cpu/online", 4096)
	if err != nil {
		return nil, err
	}
	cpus := parseCPUs(strings.TrimSpace(string(raw)))
	m := &mappings{h: h, seen: newImages()}
	if m.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	pages := ringPages
	if len(cpus) > manyCPUs {
		pages = ringPagesMany
	}
	for _, cpu := range cpus {
		r, err := openPerf(cpu, pages)
		if err == nil {
			m.rings = append(m.rings, r)
			err = unix.EpollCtl(m.epoll, unix.EPOLL_CTL_ADD, r.fd, &r.id)
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("processor %d: %w", cpu, err), m.close())
		}
	}
	if len(m.rings) == 0 {
		return nil, errors.Join(errors.New("no processor is known"), m.close())
	}
	return m, nil
}

// parseCPUs reads a list of processors like 0-3,6.
func parseCPUs(text string) []int {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		from, to, ok := strings.Cut(part, "-")
		if !ok {
			to = from
		}
		a, err := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		for n := a; err == nil && err2 == nil && n <= b && len(out) < maxCPUs; n++ {
			out = append(out, n)
		}
	}
	return out
}

// openPerf begins the log of a processor, of all processes.
func openPerf(cpu, pages int) (*perfRing, error) {
	attr := unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME,
		Bits:        unix.PerfBitMmap | unix.PerfBitMmap2 | unix.PerfBitSampleIDAll | unix.PerfBitUseClockID | unix.PerfBitWatermark,
		Wakeup:      uint32(pages * os.Getpagesize() / 2), // bytes
		Clockid:     unix.CLOCK_BOOTTIME,
	}
	fd, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	size := os.Getpagesize()
	mem, err := unix.Mmap(fd, 0, size*(1+pages), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map: %w", err), unix.Close(fd))
	}
	return &perfRing{fd: fd, mem: mem, data: mem[size:], id: unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}}, nil
}

// place is one of the two counters of bytes in the kernel's page.
func (r *perfRing) place(offset uintptr) *uint64 {
	return (*uint64)(unsafe.Pointer(&r.mem[offset])) //nolint:gosec // the page begins at an address that fits
}

func (r *perfRing) head() *uint64 {
	return r.place(unsafe.Offsetof(unix.PerfEventMmapPage{}.Data_head))
}
func (r *perfRing) tail() *uint64 {
	return r.place(unsafe.Offsetof(unix.PerfEventMmapPage{}.Data_tail))
}

// waiting is how many bytes there are to be read.
func (r *perfRing) waiting() uint64 { return atomic.LoadUint64(r.head()) - atomic.LoadUint64(r.tail()) }

// read gives what there is, record by record; they are only good until the next.
func (r *perfRing) read(each func(raw []byte)) error {
	size := uint64(len(r.data))
	head, tail := atomic.LoadUint64(r.head()), atomic.LoadUint64(r.tail())
	var joined []byte
	for tail != head {
		at := tail % size // records begin at multiples of 8, and so does the end
		length := uint64(binary.NativeEndian.Uint16(r.data[at+6:]))
		if length < perfHead || length > head-tail {
			return errors.New("the kernel's log is not in its form")
		}
		raw := r.data[at:min(at+length, size)]
		if at+length > size { // goes on at the beginning
			joined = append(append(joined[:0], raw...), r.data[:at+length-size]...)
			raw = joined
		}
		each(raw)
		tail += length
		atomic.StoreUint64(r.tail(), tail)
	}
	return nil
}

func (m *mappings) close() error {
	err := unix.Close(m.epoll)
	for _, r := range m.rings {
		err = errors.Join(err, unix.Munmap(r.mem), unix.Close(r.fd))
	}
	return err
}

// much reports whether a log is half full: then it is read at once.
func (m *mappings) much() bool {
	return slices.ContainsFunc(m.rings, func(r *perfRing) bool { return r.waiting() > uint64(len(r.data)/2) })
}

// Run implements running.
func (m *mappings) Run(ctx context.Context) error {
	defer m.close()
	wait, err := newWaiter(m.epoll, "log of mappings")
	if err != nil {
		return err
	}
	defer wait.file.Close()
	defer interruptible(ctx, wait.file)()
	for ctx.Err() == nil {
		due := time.Now().Add(mappingsEvery)
		if len(m.wait) > 0 {
			due = sooner(due, at(m.wait[0].at+imageDelay))
		}
		if err := wait.until(ctx, due, m.much); err != nil {
			return fmt.Errorf("wait: %w", err)
		}
		if err := m.drain(); err != nil {
			return err
		}
		m.settle(Now() - imageDelay)
		m.together(false)
	}
	m.settle(Now())
	m.together(true)
	return ctx.Err()
}

// drain reads what there is.
func (m *mappings) drain() error {
	for _, r := range m.rings {
		if err := r.read(m.take); err != nil {
			return err
		}
	}
	slices.SortStableFunc(m.wait, func(a, b mapping) int { return cmp.Compare(a.at, b.at) }) // those of several processors
	return nil
}

// take notes a record.
func (m *mappings) take(raw []byte) {
	switch binary.NativeEndian.Uint32(raw) {
	case perfLost:
		m.h.sink.Lost(event.Image, parseLost(raw), time.Time{}, "the kernel's buffer was full")
	case perfMmap2:
		r, err := parseMapping(raw)
		if err != nil || r.pid == 0 || !r.file() {
			return
		}
		if len(m.wait) >= maxMappings {
			m.settle(m.wait[len(m.wait)/2].at)
		}
		m.wait = append(m.wait, r)
	}
}

// settle tells what was mapped before a moment.
func (m *mappings) settle(before time.Duration) {
	done := 0
	for i := range m.wait {
		r := &m.wait[i]
		if r.at > before {
			break
		}
		done++
		p := m.h.who(r.pid)
		if p == nil || p.path == strings.TrimSuffix(r.path, " (deleted)") { // the program itself was told when it was started
			continue
		}
		if m.seen.add(r, p) {
			m.h.put(m.h.loaded(r, p, m.sums(r, p), 1), r.at)
		}
	}
	m.wait = slices.Delete(m.wait, 0, done)
}

// together tells what was brought together.
func (m *mappings) together(end bool) {
	m.seen.over(Now(), end, func(g *imageGroup) { m.h.put(m.h.loaded(&g.last, g.by, m.sums(&g.last, g.by), g.more), g.last.at) })
}

// sums takes the digests of a mapped file, if it still has its name.
func (m *mappings) sums(r *mapping, p *process) *sums {
	name := r.path
	if p.container != "" { // with files of its own
		name = fmt.Sprintf("/proc/%d/root%s", p.pid, r.path)
	}
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if id, ok := identify(f); !ok || id.ino != r.inode {
		return nil
	}
	return m.h.files.file(f)
}
