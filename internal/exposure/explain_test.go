package exposure

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	in := newMemory()
	day := time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)
	key := advisory.Key{Ecosystem: "Debian", Release: "12", Name: "openssl"}
	in.add(key, advisory.Statement{Advisory: "CVE-2026-1234", Weaknesses: []string{"CVE-2026-1234"}, Feed: "debian-tracker", State: advisory.Fixed,
		Ranges: []version.Range{{Fixed: "3.0.17-1"}}, URL: "https://example.org/CVE-2026-1234", Note: "Minor", Urgency: "low", Date: day}, day)
	in.add(key, advisory.Statement{Advisory: "DSA-6000-1", Weaknesses: []string{"CVE-2026-1234"}, Feed: "debian-dsa", State: advisory.Fixed,
		Ranges: []version.Range{{Fixed: "3.0.17-1"}}}, day)
	c := Component{Key: key, Version: "3.0.15-1", Vendor: "debian", Product: "openssl", Role: InMemory, Disk: "3.0.17-1"}
	a, err := Assess(c, in)
	if err != nil || len(a.Matches) != 1 {
		t.Fatalf("Assess = %+v, %v", a, err)
	}
	got := Explain(Finding{Device: "abc", Component: c, Match: a.Matches[0], FirstSeen: day,
		Evidence: []Evidence{{Section: inventory.Restart, Item: "libssl3", Package: "libssl3", Version: "3.0.15-1", Arch: "amd64",
			Paths: []string{"/usr/lib/libssl.so.3\x1b[31m (deleted)"}, Processes: []inventory.Process{{PID: 42, Name: "evil\u202ename"}}}}}, a.Coverage)
	want := []string{
		"CVE-2026-1234 on abc",
		"  state      restart-needed, counts in exposure: fixed on disk, the old version is still in memory",
		"  software   openssl 3.0.15-1 (debian-_-openssl)",
		"  role       replaced on disk, still in memory",
		"  fixed in   3.0.17-1",
		"  rule       3.0.15-1 < 3.0.17-1 by dpkg order (source openssl, Debian 12); processes still use the old files, 3.0.17-1 on disk does not have it: restart them",
		"  looked up  Debian:12/openssl",
		"  advisory   CVE-2026-1234 of 2026-06-30",
		"             https://example.org/CVE-2026-1234",
		"  announced  DSA-6000-1",
		"  urgency    low",
		"  note       Minor",
		"  feed       debian-tracker of 2026-06-30, decided",
		"  feed       debian-dsa of 2026-06-30",
		"  first seen 2026-06-30T00:00:00Z",
		`  evidence   restart record "libssl3": libssl3 3.0.15-1 amd64`,
		`             /usr/lib/libssl.so.3\u001b[31m (deleted)`,
		`             process 42 (evil\u202ename)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Explain (-want +got):\n%s", diff)
	}
}

// Every state has words of its own.
func TestExplainEveryState(t *testing.T) {
	t.Parallel()
	seen := map[string]State{}
	for _, s := range []State{LatentKernel, KernelToolOnly, RestartNeeded, "fixed", "open", "no-dsa", "postponed", "ignored", "end-of-life", "affected", "unimportant", "undetermined"} {
		text := meaning(s)
		if other, ok := seen[text]; ok || strings.Contains(text, "own word") {
			t.Errorf("state %s is explained as %q, like %q", s, text, other)
		}
		seen[text] = s
	}
}
