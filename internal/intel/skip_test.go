package intel

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A bad record is left out, counted and listed with its reason and place, in
// the result and in the state of the feed; the others are taken.
func TestSkippedRecordsAreListed(t *testing.T) {
	good := func(i int) member {
		return member{fmt.Sprintf("ok-%d.json", i), osvJSON(fmt.Sprintf("GHSA-aaaa-bbbb-%04d", i), "2024-05-01T00:00:00Z", djangoAffected)}
	}
	bad := func(i int) member {
		m := good(100 + i)
		return member{fmt.Sprintf("bad-%d.json", i), m.body[:len(m.body)-30]}
	}
	s := open(t, Options{})
	res := give(t, s, "all.zip", zipOf(t, good(1), bad(1), good(2), bad(2), bad(3)))
	var told []string
	for _, l := range res.Loads {
		told = append(told, fmt.Sprintf("%s %s +%d, %d skipped", l.Feed, l.Status, l.Added, l.Skipped))
		n := 0
		for _, k := range l.Skips {
			if n += k.Count; k.Reason == "" || !strings.Contains(k.Sample, ".json") {
				t.Errorf("%s: %+v names no reason or no place", l.Feed, k)
			}
		}
		if n != l.Skipped {
			t.Errorf("%s: reasons for %d of %d records", l.Feed, n, l.Skipped)
		}
	}
	if !slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, "+2, ") }) {
		t.Errorf("loads: %v, want one with the two good records", told)
	}
	total := 0
	for _, l := range res.Loads {
		total += l.Skipped
	}
	if total != 3 {
		t.Errorf("%d records skipped, want the three broken ones: %v", total, told)
	}
}

// The state of a feed keeps how many records its last load left out, and why.
func TestFeedTellsWhatItLeftOut(t *testing.T) {
	s := open(t, Options{})
	list := "[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.1-1\n"
	for i := range 3 {
		list += fmt.Sprintf("[02 Jan 2026] DSA-600%d-1 odd - security update\n\t{CVE-2024-0002}\n\t[bookworm] - odd not_a_version\n", i+1)
	}
	res := give(t, s, "DSA/list", list)
	if len(res.Loads) != 1 || res.Loads[0].Skipped != 3 || res.Loads[0].Status != Loaded {
		t.Fatalf("%s skipped %d", statuses(res), res.Loads[0].Skipped)
	}
	view(t, s, func(sn *Snapshot) {
		feeds, err := sn.Feeds()
		if err != nil || len(feeds) != 1 {
			t.Fatalf("%v %v", feeds, err)
		}
		n := 0
		for _, k := range feeds[0].Skips {
			n += k.Count
		}
		if f := feeds[0]; f.Skipped != 3 || n != 3 || !strings.Contains(f.Skips[0].Sample, "DSA/list") || f.Source == "" || f.Licence == "" || f.Records == 0 {
			t.Errorf("state of the feed: %+v", f)
		}
	})
	if got := said1(t, s, bookworm("openssl")); len(got) != 1 {
		t.Errorf("the good record: %v", got)
	}
}

// Reasons are bounded: what is beyond is counted together.
func TestReasonsAreBounded(t *testing.T) {
	u := &unit{}
	for i := range 10 * maxReasons {
		u.skip("file", fmt.Sprint("reason ", i%(2*maxReasons)))
	}
	n := 0
	for _, k := range u.skips {
		n += k.Count
	}
	if len(u.skips) != maxReasons || u.skipped != 10*maxReasons || n != u.skipped || u.skips[maxReasons-1].Reason != "further reasons" {
		t.Errorf("%d reasons, %d counted of %d", len(u.skips), n, u.skipped)
	}
}

// Of two records with one id in a file the first counts, and that is told.
func TestIDTwiceInAFile(t *testing.T) {
	s := open(t, Options{})
	res := give(t, s, "kev.json", kevJSON("2026-06-29", "CVE-2024-0001", "CVE-2024-0002", "CVE-2024-0001"))
	l := res.Loads[0]
	if l.Records != 2 || l.Added != 2 || l.Skipped != 1 || !strings.Contains(l.Skips[0].Reason, "twice") || !strings.Contains(l.Skips[0].Sample, "CVE-2024-0001") {
		t.Errorf("%+v", l)
	}
	// The same file without the second one is the same feed.
	if res := give(t, s, "kev.json", kevJSON("2026-06-29", "CVE-2024-0001", "CVE-2024-0002")); res.Loads[0].Status != Unchanged {
		t.Errorf("without the second record: %s", statuses(res))
	}
}

// A new score of a weakness is a change that the server hears of.
func TestNewScoreTouchesItsWeakness(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "kev.json", kevJSON("2026-06-29", "CVE-2024-0001", "CVE-2024-0002"))
	give(t, s, "epss.csv", epssCSV("2026-06-29", "CVE-2024-0001,0.1,0.2", "CVE-2024-0002,0.3,0.4"))
	res := give(t, s, "epss.csv", epssCSV("2026-06-30", "CVE-2024-0001,0.9,0.99", "CVE-2024-0002,0.3,0.4"))
	if !slices.Contains(res.Weaknesses, "CVE-2024-0001") || res.AllWeaknesses {
		t.Errorf("touched (all %v): %v", res.AllWeaknesses, res.Weaknesses)
	}
	view(t, s, func(sn *Snapshot) {
		if w, ok := sn.Weakness("CVE-2024-0001"); !ok || w.EPSS != 0.9 {
			t.Errorf("%v %+v", ok, w)
		}
	})
}

// The checksum behind an archive is read although the archive ends before it.
func TestChecksumBehindAnArchive(t *testing.T) {
	padding := strings.Repeat("\x00", 200<<10) // as tar writes it, if less
	body := []byte(gz(t, tarOf(t, member{"t.json", trackerOf(5, "1")})+padding))
	give(t, open(t, Options{}), "t.tar.gz", string(body))
	body[len(body)-6] ^= 1
	res, err := open(t, Options{}).ImportBytes(t.Context(), "t.tar.gz", body, ImportOptions{})
	if err == nil || res.Changed {
		t.Errorf("%v %s", err, statuses(res))
	}
}

// Two more bounds of what one import may read: of all members together, and of
// the memory that a compressed file asks for.
func TestHostileSizes(t *testing.T) {
	lim := defaultLimits()
	large := trackerOf(3000, "1")
	lim.expanded, lim.member = int64(5*len(large)/2), int64(2*len(large))
	for _, tt := range []struct{ name, body, want string }{
		{"together", tarOf(t, member{"a", large}, member{"b", large}, member{"c", large}), "bytes come out of what was given"},
		// A frame whose window is 144 MiB, with one empty block.
		{"zstd window", "\x28\xb5\x2f\xfd\x00\x89\x01\x00\x00" + strings.Repeat(" ", 100), "window"},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			began := time.Now()
			res, err := open(t, Options{}).ImportBytes(t.Context(), "given", []byte(tt.body), ImportOptions{lim: &lim})
			if err == nil || !strings.Contains(err.Error(), tt.want) || res.Changed {
				t.Errorf("after %v: %v, want an error about %q", time.Since(began), err, tt.want)
			}
		})
	}
}
