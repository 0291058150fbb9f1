package server

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// stored lists "number name version" of the components in the store.
func stored(t *testing.T, s *Server) (out []string) {
	t.Helper()
	err := s.st.Components(t.Context(), func(c store.Component) error {
		s.core.mu.RLock()
		k := s.core.fleet.Component(exposure.ComponentID(c.ID))
		s.core.mu.RUnlock()
		out = append(out, fmt.Sprintf("%d %s %s", c.ID, k.Product, k.Version))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A component that no device has goes after the records of changes that name
// it. One that a closed finding or a device's past names stays; a number is
// given to another component later still. All of it holds over restarts.
func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 open")
	r := newReport(s, enrol(t, s, "a"))
	r.send(t, "bash 5.2-1", "curl 7.1-1", "libssl3 3.0.1-1 openssl", "zlib 1-1")
	r.send(t, "bash 5.2-2", "zlib 1-1") // bash has a past, openssl a closed finding, curl nothing
	all := []string{"0 bash 5.2-1", "1 curl 7.1-1", "2 openssl 3.0.1-1", "3 zlib 1-1", "4 bash 5.2-2"}
	at := time.Now()
	sweep := func(after time.Duration) {
		t.Helper()
		if err := s.sweep(t.Context(), at.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	restart := func() {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, dir)
		r.s = s
	}
	sweep(0)
	sweep(changesKept)
	equal(t, "while changes name them", stored(t, s), all...)
	restart()
	sweep(sweepAfter + time.Hour)
	left := []string{"0 bash 5.2-1", "2 openssl 3.0.1-1", "3 zlib 1-1", "4 bash 5.2-2"}
	equal(t, "swept", stored(t, s), left...)
	restart()
	equal(t, "after a restart", stored(t, s), left...)
	closed, err := s.DeviceClosed(t.Context(), admin, string(r.id), Query{})
	if err != nil || closed.Total != 1 || closed.Items[0].Software == "" {
		t.Errorf("closed findings: %+v, %v", closed, err)
	}
	r.send(t, "bash 5.2-2", "dash 1-1", "zlib 1-1")
	left = append(left, "5 dash 1-1")
	equal(t, "a number is not given again at once", stored(t, s), left...)
	sweep(2*sweepAfter + 2*time.Hour)
	restart()
	r.send(t, "bash 5.2-2", "curl 7.1-1", "dash 1-1", "zlib 1-1")
	left = slices.Insert(left, 1, "1 curl 7.1-1")
	equal(t, "and is later", stored(t, s), left...)
	restart()
	equal(t, "for good", stored(t, s), left...)

	// Had again and gone again: it waits anew, whatever was noticed before.
	r.send(t, "bash 5.2-2", "zlib 1-1")
	sweep(3 * sweepAfter)
	r.send(t, "bash 5.2-2", "dash 1-1", "zlib 1-1")
	r.send(t, "bash 5.2-2", "zlib 1-1")
	restart()
	sweep(4*sweepAfter + time.Hour)
	if got := stored(t, s); !slices.Contains(got, "5 dash 1-1") || slices.Contains(got, "1 curl 7.1-1") {
		t.Errorf("curl was not had for long, dash was a moment ago: %v", got)
	}

	// The highest number is no other than the rest.
	sweep(5*sweepAfter + 2*time.Hour)
	restart()
	r.send(t, "bash 5.2-2", "etcd 1-1", "fish 1-1", "zlib 1-1")
	equal(t, "number 1 is free again, 5 is not yet", stored(t, s), "0 bash 5.2-1", "1 etcd 1-1", "2 openssl 3.0.1-1", "3 zlib 1-1", "4 bash 5.2-2", "6 fish 1-1")
}

// A report that takes up a component whose row is going stores it again.
func TestSweepLosesAgainstAReport(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "a"))
	r.send(t, "bash 5.2-1", "curl 7.1-1")
	r.send(t, "bash 5.2-1")
	s.core.going[1] = true // as in the middle of a sweep
	done, err := s.st.SweepComponents(t.Context(), store.Sweep{At: time.Now(), Idle: []uint32{1}, Due: []uint32{1}, Still: func(uint32) bool { return true }})
	if err != nil || !slices.Equal(done.Gone, []uint32{1}) {
		t.Fatalf("%+v, %v", done, err)
	}
	r.send(t, "bash 5.2-1", "curl 7.1-1")
	equal(t, "stored", stored(t, s), "0 bash 5.2-1", "1 curl 7.1-1")
	if s.core.going[1] {
		t.Error("it still goes")
	}
}

// Sweeps and reports at the same time: whatever a report takes up is stored
// when it is acknowledged.
func TestSweepBesideReports(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	var reports []*report
	for _, name := range []string{"a", "b"} {
		reports = append(reports, newReport(s, enrol(t, s, name)))
	}
	var wg sync.WaitGroup
	for n, r := range reports {
		wg.Go(func() {
			for i := range 60 {
				packages := []string{"zlib 1-1"}
				for k := range 6 {
					if (i>>(k%3)+n)&1 == 0 {
						packages = append(packages, fmt.Sprintf("p%d 1-1", k))
					}
				}
				r.send(t, packages...)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	gone := 0
	for i, at := 0, time.Now(); ; i++ {
		select {
		case <-done:
		default:
			at = at.Add(sweepAfter + time.Hour)
			before := len(stored(t, s))
			if err := s.sweep(t.Context(), at); err != nil {
				t.Fatal(err)
			}
			gone += max(0, before-len(stored(t, s)))
			continue
		}
		break
	}
	software := func() (out []string) {
		for _, r := range reports {
			p, err := s.DeviceSoftware(t.Context(), admin, string(r.id), Query{})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range p.Items {
				out = append(out, row.ID+" "+row.Version)
			}
		}
		return out
	}
	want := software()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	if got := software(); !slices.Equal(got, want) || len(got) < 2 {
		t.Errorf("after a restart %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	t.Logf("%d components went", gone)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
