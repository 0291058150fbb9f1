package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// recording is a recorder in a state directory that outlives it.
type recording struct {
	*testing.T
	path string
	s    *stateDir
	*recorder
	sent []event.Event // what was read from the spools, and forgotten there
	last [protocol.NumStreams]uint64
	runs int
}

func newRecording(t *testing.T) *recording {
	r := &recording{T: t, path: filepath.Join(t.TempDir(), "s")}
	r.start(defaultEvent)
	t.Cleanup(func() {
		r.close()
		_ = r.s.close() // the test is over
	})
	return r
}

func (r *recording) start(limit int64) {
	r.Helper()
	var err error
	if r.s, err = openState(r.path); err != nil {
		r.Fatal(err)
	}
	if r.recorder, err = openRecorder(r.s, limit, slog.New(slog.DiscardHandler)); err != nil {
		r.Fatal(err)
	}
	r.resume()
	r.runs++
}

// stop ends the run in order.
func (r *recording) stop() {
	r.close()
	_ = r.s.close() // to be opened again
}

// kill ends the run as SIGKILL does: nothing is written any more.
func (r *recording) kill() {
	_ = r.numbers.f.Close() // as the kernel does it
	r.numbers = nil
	r.stop()
}

func (r *recording) events(a event.Action, n int) {
	for i := range n {
		e := &event.Event{Action: a, Time: time.Now()}
		e.Set(event.FileName, fmt.Sprint("file ", i))
		r.Put(e)
	}
}

// drain reads what the spools hold, as the server would get it.
func (r *recording) drain() {
	r.Helper()
	for i := range r.spools {
		for after := r.known(i, []protocol.Stream{{Stream: i, Seq: r.last[i]}}); ; {
			p, ok := r.next(i, after)
			if !ok {
				break
			}
			after, r.last[i] = p.seq, p.seq
			r.sent = append(r.sent, unpackEvents(r.T, p)...)
			r.acked(i, after)
		}
	}
}

// account says of the numbers of a kind how many are there and how many are
// said to be missing, by the reason; every one is one of the two.
func (r *recording) account(k event.Kind) (there int, missing map[string]int) {
	r.Helper()
	have, missing := map[uint64]bool{}, map[string]int{}
	last := r.numbers.next[k] - 1
	for _, e := range r.sent {
		if e.Kind() == k {
			if have[e.Seq] {
				r.Errorf("%s %d is there twice", k, e.Seq)
			}
			have[e.Seq] = true
		}
	}
	there = len(have)
	for _, e := range r.sent {
		if e.Text(event.LostKind) != k.String() {
			continue
		}
		from, _ := e.Get(event.LostFrom)
		to, _ := e.Get(event.LostTo)
		for n := uint64(from.Number); n <= uint64(to.Number); n++ {
			if !have[n] {
				missing[e.Text(event.Reason)]++
			}
			have[n] = true
		}
	}
	for n := uint64(1); n <= last; n++ {
		if !have[n] {
			r.Errorf("%s %d of %d is neither there nor said to be missing", k, n, last)
		}
	}
	return there, missing
}

func (r *recording) want(k event.Kind, there, missing int, reason string) {
	r.Helper()
	got, why := r.account(k)
	pauses := 0
	for text, n := range why {
		if strings.HasPrefix(text, notRunning) {
			pauses += n
			delete(why, text)
		}
	}
	if slices.Contains(passing, k) && pauses != r.runs-1 {
		r.Errorf("%s: %d pauses of %d are told", k, pauses, r.runs-1)
	}
	if got != there || why[reason] != missing || len(why) > 1 || missing == 0 && len(why) > 0 {
		r.Errorf("%s: %d there, missing %v; want %d and %d for %q", k, got, why, there, missing, reason)
	}
}

func TestNumbersGoOnAfterAStop(t *testing.T) {
	r := newRecording(t)
	r.events(event.ProcessCreated, 7)
	r.stop()
	r.start(defaultEvent)
	r.events(event.ProcessCreated, 3)
	r.flush(t.Context())
	r.drain()
	r.stop()
	r.start(defaultEvent) // everything was acknowledged
	r.events(event.ProcessCreated, 1)
	r.flush(t.Context())
	r.drain()
	r.want(event.Process, 11, 0, "")
}

// What was on the disk is there after a kill; what was not is said to be missing.
func TestKillIsTold(t *testing.T) {
	r := newRecording(t)
	r.events(event.ProcessCreated, 7)
	r.events(event.LogonFailed, 2)
	r.flush(t.Context())
	r.events(event.ProcessCreated, 5)
	r.kill()
	r.start(defaultEvent)
	r.events(event.ProcessCreated, 4)
	r.flush(t.Context())
	r.drain()
	r.want(event.Process, 11, 5, "the agent ended before they were on its disk")
	r.want(event.Logon, 2, 0, "")
	found := false
	for _, e := range r.sent {
		found = found || e.Action == event.SensorChanged && e.Text(event.Reason) == "the agent was killed" && strings.Contains(e.Text(event.AdditionalFields), "nothingRecordedSince")
	}
	if !found {
		t.Error("nothing says since when nothing was recorded")
	}
}

// A file of numbers that is older than the spools, as after a loss of power,
// gives no number twice.
func TestNumbersAreReadFromTheSpools(t *testing.T) {
	r := newRecording(t)
	r.events(event.ProcessCreated, 3)
	r.flush(t.Context())
	old, err := os.ReadFile(filepath.Join(r.path, numbersFile))
	if err != nil {
		t.Fatal(err)
	}
	r.events(event.ProcessCreated, 4)
	r.flush(t.Context())
	r.stop()
	copy(old[32:72], "another boot\x00")
	if err := os.WriteFile(filepath.Join(r.path, numbersFile), old, 0o600); err != nil {
		t.Fatal(err)
	}
	r.start(defaultEvent)
	r.events(event.ProcessCreated, 2)
	r.flush(t.Context())
	r.drain()
	r.want(event.Process, 9, 0, "")
}

func TestBudgetIsOneRangeASecond(t *testing.T) {
	r := newRecording(t)
	r.budgets.kinds[event.DNS] = budget{rate: 10, burst: 10, left: 10}
	for range 10 {
		r.events(event.DNSQueryResponse, 10)
		time.Sleep(2 * time.Millisecond)
	}
	r.flush(t.Context())
	r.drain()
	there, missing := r.account(event.DNS)
	ranges := 0
	for _, e := range r.sent {
		if e.Text(event.LostKind) == event.DNS.String() {
			ranges++
		}
	}
	if there < 10 || there > 20 || there+missing["more of its kind than the budget allows"] != 100 || ranges > 2 {
		t.Errorf("%d there, missing %v in %d ranges", there, missing, ranges)
	}
}

func TestLostHasNumbers(t *testing.T) {
	r := newRecording(t)
	r.events(event.FileCreated, 1)
	r.Lost(event.File, 4, time.Time{}, "the kernel's queue was full")
	r.events(event.FileCreated, 1)
	r.flush(t.Context())
	r.drain()
	r.want(event.File, 2, 4, "the kernel's queue was full")
}

// A spool that is full gives up the oldest, and says what.
func TestFullSpoolIsTold(t *testing.T) {
	r := newRecording(t)
	r.stop()
	r.start(minSpool)
	r.budgets.kinds[event.ProcessEnd] = budget{rate: 1e6, burst: 1e6, left: 1e6}
	noise, random := make([]byte, 512), rand.New(rand.NewPCG(1, 2))
	for i := range 6000 {
		e := &event.Event{Action: event.ProcessTerminated, Time: time.Now()}
		for j := range noise { // hardly anything that compresses
			noise[j] = byte(' ' + random.IntN(90))
		}
		e.Set(event.ProcessCommandLine, string(noise))
		r.Put(e)
		if i%64 == 0 {
			r.flush(t.Context())
		}
	}
	r.flush(t.Context())
	r.flush(t.Context()) // what the first had to drop
	r.drain()
	there, missing := r.account(event.ProcessEnd)
	if there == 0 || missing["the agent's spool was full"] == 0 || there+missing["the agent's spool was full"] != 6000 {
		t.Errorf("%d there, missing %v", there, missing)
	}
}

// unwillingDisk is a disk that takes nothing while it is full.
type unwillingDisk struct {
	disk
	full bool
}

var errFull = errors.New("disk is full")

func (d *unwillingDisk) Create(name string) (diskFile, error) {
	if d.full {
		return nil, errFull
	}
	return d.disk.Create(name)
}

// Events wait in memory while the disk refuses them; what does not fit is told.
func TestDiskRefuses(t *testing.T) {
	r := newRecording(t)
	for _, sp := range r.spools {
		sp.d = &unwillingDisk{disk: sp.d, full: true}
	}
	r.budgets.kinds[event.FileCreated.Kind()] = budget{rate: 1e6, burst: 1e6, left: 1e6}
	const n = 3000
	for range n {
		e := &event.Event{Action: event.FileCreated, Time: time.Now()}
		e.Set(event.FolderPath, strings.Repeat("x", 4<<10))
		r.Put(e)
	}
	r.flush(t.Context())
	if r.pending < pendingMax/2 || r.pending > pendingMax+2*protocol.MaxEventBytes {
		t.Errorf("%d bytes wait in memory", r.pending)
	}
	for _, sp := range r.spools {
		sp.d.(*unwillingDisk).full = false
	}
	r.flush(t.Context())
	r.flush(t.Context())
	r.drain()
	there, missing := r.account(event.File)
	if there < 500 || missing["the agent's disk takes nothing"] == 0 || there+missing["the agent's disk takes nothing"] != n {
		t.Errorf("%d there, missing %v", there, missing)
	}
}

// A batch that is damaged on the disk costs that batch, and is told.
func TestDamagedBatchIsTold(t *testing.T) {
	r := newRecording(t)
	for range 3 {
		r.events(event.ConnectionSuccess, 10)
		r.flush(t.Context())
	}
	sp := r.spools[protocol.StreamActivity]
	g := sp.last()
	name := filepath.Join(r.path, "activity", g.name)
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[int(g.entries[1].off)+recordHeader+3] ^= 0xff
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r.drain()
	r.flush(context.Background())
	r.drain()
	r.want(event.Network, 20, 10, "damaged on the agent's disk")
}

func TestForkStartsAtOne(t *testing.T) {
	r := newRecording(t)
	r.events(event.ProcessCreated, 9)
	r.flush(t.Context())
	r.reset()
	r.events(event.ProcessCreated, 1)
	r.flush(t.Context())
	r.drain()
	if r.sent[len(r.sent)-1].Seq != 1 {
		t.Errorf("the first number of a new device is %d", r.sent[len(r.sent)-1].Seq)
	}
	r.want(event.Process, 1, 0, "")
}

func TestPackagesAreEvents(t *testing.T) {
	section := func(status inventory.Status, list ...inventory.Package) *inventory.Section {
		s := inventory.NewSection(inventory.DPKG, status, "")
		for _, p := range list {
			s.Put(p.Name+p.Arch+p.Version, p)
		}
		s.Seal()
		return s
	}
	p := func(name, version string) inventory.Package {
		return inventory.Package{Ecosystem: "deb", Name: name, Version: version, Arch: "amd64"}
	}
	rest := p("rest", "1")
	rest.Residual = true
	old := section(inventory.Complete, p("same", "1"), p("up", "1"), p("gone", "1"), p("rest", "1"), p("two", "1"), p("two", "2"))
	now := section(inventory.Complete, p("same", "1"), p("up", "2"), p("new", "1"), rest, p("two", "2"), p("two", "3"))
	var got []string
	for _, e := range packageEvents(old, now) {
		got = append(got, fmt.Sprint(e.Action, " ", e.Text(event.PackageName), " ", e.Text(event.PackageVersion)))
	}
	want := []string{"SoftwareRemoved gone 1", "SoftwareInstalled new 1", "SoftwareRemoved rest 1", "SoftwareUpgraded two 3", "SoftwareUpgraded up 2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := len(packageEvents(old, section(inventory.Partial, p("same", "1")))); n != 0 {
		t.Errorf("%d events of a reading that is not complete", n)
	}
}
