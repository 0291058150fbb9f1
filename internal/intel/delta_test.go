package intel

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
)

// A record that changes takes its former statements with it.
func TestUpdateReplacesStatements(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "t-2026-01-01.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "2"), trackerRow("zlib", "CVE-2024-0002", "open", "")))
	res := give(t, s, "t-2026-01-02.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "3"), trackerRow("xz", "CVE-2024-0003", "open", "")))
	if diff := cmp.Diff("debian-tracker loaded +1 ~1 -1 =0\n", statuses(res)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"debian-tracker CVE-2024-0001 CVE-2024-0001 fixed 3"}, said1(t, s, bookworm("openssl"))); diff != "" {
		t.Error(diff)
	}
	if got := said1(t, s, bookworm("zlib")); len(got) > 0 {
		t.Errorf("statements of a removed record: %v", got)
	}
	if diff := cmp.Diff([]advisory.Key{bookworm("openssl"), bookworm("xz"), bookworm("zlib")}, res.Keys); diff != "" || res.All {
		t.Error(res.All, diff)
	}
	if diff := cmp.Diff([]string{"CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0003"}, res.Weaknesses); diff != "" {
		t.Error(diff)
	}
}

// An alias that becomes known renames findings: the packages are touched.
func TestNewAliasTouchesPackages(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "p.json", osvJSON("PYSEC-2024-1", "2024-05-01T00:00:00Z", `,"aliases":["GHSA-aaaa-bbbb-cccc"]`+djangoAffected))
	res := give(t, s, "g.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z",
		`,"aliases":["CVE-2024-0002"],"affected":[{"package":{"ecosystem":"PyPI","name":"other"},"versions":["1"]}]`))
	if diff := cmp.Diff([]advisory.Key{django(), {Ecosystem: "PyPI", Name: "other"}}, res.Keys); diff != "" || res.All {
		t.Error(res.All, diff)
	}
	if diff := cmp.Diff([]string{"CVE-2024-0002"}, res.Weaknesses); diff != "" {
		t.Error(diff)
	}
}

// The first feed that speaks for a release makes everything of it assessable.
func TestNewCoverageTouchesAll(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "kev.json", kevJSON("2026-06-29", "CVE-2024-0001"))
	if res := give(t, s, "t-2026-01-01.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "2"))); !res.All {
		t.Error("a feed that speaks for a release anew must touch all")
	}
	if res := give(t, s, "t-2026-01-02.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "3"))); res.All {
		t.Error("a change within what is covered must not touch all")
	}
}

func TestDemoGivesWay(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "t-2026-01-01.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "2")))
	// the same statements once more under the demo's name
	err := s.update(newDemo(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"debian-tracker CVE-2024-0001 CVE-2024-0001 fixed 2"}, said1(t, s, bookworm("openssl"))); diff != "" {
		t.Error(diff)
	}
	view(t, s, func(sn *Snapshot) {
		if cov := sn.Coverage("Debian", "12"); len(cov) != 1 || cov[0].Feed != advisory.FeedDebianTracker {
			t.Errorf("coverage where the demo and a real feed speak: %v", cov)
		}
		if cov := sn.Coverage("Debian", "11"); len(cov) != 1 || cov[0].Feed != advisory.FeedDemo {
			t.Errorf("coverage where only the demo speaks: %v", cov)
		}
	})
	if got := said1(t, s, advisory.Key{Ecosystem: "Debian", Release: "11", Name: "openssl"}); len(got) != 1 {
		t.Errorf("where only the demo speaks: %v", got)
	}
}

// Whatever the path to a content, the file is the same as when built at once.
func TestIncrementalEqualsFull(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := open(t, Options{inPlace: 40})
	state := map[string]string{}
	ids := []string{"GHSA-aaaa-bbbb-cccc", "PYSEC-2024-1", "PYSEC-2024-2", "GO-2024-1", "CVE-2024-0001", "CVE-2024-0002"}
	for step := range 60 {
		id := ids[rng.IntN(len(ids))]
		modified := fixed().Add(time.Duration(step) * time.Hour).Format(time.RFC3339)
		var text string
		if advisory.IsCVE(id) {
			text = cveJSON(id, []string{"PUBLISHED", "REJECTED"}[rng.IntN(2)], modified)
		} else {
			more := fmt.Sprintf(`,"aliases":[%q]`, ids[rng.IntN(len(ids))])
			if rng.IntN(4) == 0 {
				more += `,"withdrawn":"2024-01-01T00:00:00Z"`
			}
			text = osvJSON(id, modified, more+fmt.Sprintf(`,"affected":[{"package":{"ecosystem":"PyPI","name":"n%d"},"versions":["1"]}]`, rng.IntN(3)))
		}
		state[id] = text
		give(t, s, "r.json", text)
		if step%20 != 19 {
			continue
		}
		n := rng.IntN(80)
		tracker := trackerOf(n+1, fmt.Sprint(step))
		name := fixed().AddDate(0, 0, step).Format("t-2006-01-02.json")
		give(t, s, name, tracker)
		fresh := open(t, Options{})
		for _, id := range sortedKeys(state) {
			give(t, fresh, "r.json", state[id])
		}
		give(t, fresh, name, tracker)
		if diff := cmp.Diff(dump(t, fresh), dump(t, s)); diff != "" {
			t.Fatalf("step %d:\n%s", step, diff)
		}
	}
}

// A crash at any record or at the end leaves the old content, whole.
func TestCrashLeavesOldContent(t *testing.T) {
	errCrash := errors.New("crash")
	for _, inPlace := range []int{1, 1000} {
		t.Run(fmt.Sprintf("in_place_%d", inPlace), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "intel.db")
			s := openAt(t, path, Options{inPlace: inPlace, chunk: 2000})
			give(t, s, "t-2026-01-01.json", trackerOf(30, "1"))
			before := dump(t, s)
			points := 0
			s.fail = func(string) error { points++; return nil }
			copyTo := filepath.Join(t.TempDir(), "copy.db")
			crashes := 0
			for at := 1; ; at++ {
				n := 0
				s.fail = func(point string) error {
					if n++; n == at {
						copyFile(t, path, copyTo) // what a machine that loses power now would find
						return errCrash
					}
					return nil
				}
				_, err := s.ImportBytes(t.Context(), "t-2026-01-02.json", []byte(trackerOf(35, "2")), ImportOptions{})
				if err == nil {
					break
				}
				if !errors.Is(err, errCrash) {
					t.Fatal(err)
				}
				crashes++
				if diff := cmp.Diff(before, dump(t, s)); diff != "" {
					t.Fatalf("after a crash at point %d:\n%s", at, diff)
				}
				other := openAt(t, copyTo, Options{})
				if diff := cmp.Diff(before, dump(t, other)); diff != "" {
					t.Fatalf("in the file of a crash at point %d:\n%s", at, diff)
				}
				if err := other.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if crashes < 30 {
				t.Errorf("only %d crashes were tried", crashes)
			}
			s.fail = nil
			if got := said1(t, s, bookworm("p34")); len(got) != 1 {
				t.Errorf("the import that went through is not there: %v", got)
			}
		})
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// What an import that was killed left behind is gone after the next start.
func TestLeftoversAreRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "intel.db")
	for _, name := range []string{".new", ".spool-123"} {
		if err := os.WriteFile(path+name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openAt(t, path, Options{})
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// A snapshot keeps its content while imports replace the file beneath it.
func TestSnapshotIsStable(t *testing.T) {
	s := open(t, Options{inPlace: 1})
	give(t, s, "t-2026-01-01.json", trackerOf(50, "1"))
	sn, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	give(t, s, "t-2026-01-02.json", trackerOf(60, "2"))
	list, err := sn.Statements(bookworm("p1"))
	if err != nil || len(list) != 1 || list[0].Ranges[0].Fixed != "1" {
		t.Errorf("old snapshot: %v %v", list, err)
	}
	if diff := cmp.Diff([]string{"debian-tracker CVE-2024-00001 CVE-2024-00001 fixed 2"}, said1(t, s, bookworm("p1"))); diff != "" {
		t.Error(diff)
	}
	if err := sn.Close(); err != nil {
		t.Error(err)
	}
}

// Readers and imports at the same time: run with -race.
func TestConcurrentReaders(t *testing.T) {
	s := open(t, Options{inPlace: 100})
	give(t, s, "t-2026-01-01.json", trackerOf(50, "1"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := s.View(func(sn *Snapshot) error {
					var inner sync.WaitGroup
					for range 2 { // two readers of one snapshot
						inner.Go(func() {
							if list, err := sn.Statements(bookworm("p1")); err != nil || len(list) != 1 {
								t.Errorf("Statements: %v %v", list, err)
							}
							sn.Weakness("CVE-2024-00001")
							sn.Canonical("GHSA-aaaa-bbbb-cccc")
							sn.Rejected("CVE-2024-00001")
						})
					}
					inner.Wait()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 10 {
		give(t, s, fmt.Sprintf("t-2026-02-%02d.json", i+1), trackerOf(50+i*20, fmt.Sprint(i+2)))
	}
	close(stop)
	wg.Wait()
}
