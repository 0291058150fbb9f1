package intel

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/advisory"
)

func TestAliases(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "g.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", `,"aliases":["CVE-2024-0002"]`+djangoAffected))
	give(t, s, "p.json", osvJSON("PYSEC-2024-1", "2024-05-01T00:00:00Z", `,"aliases":["GHSA-aaaa-bbbb-cccc"]`+djangoAffected))
	give(t, s, "q.json", osvJSON("PYSEC-2024-2", "2024-05-01T00:00:00Z", `,"aliases":["GHSA-zzzz-zzzz-zzzz","GO-2024-1"]`+djangoAffected))
	view(t, s, func(sn *Snapshot) {
		for id, want := range map[string]string{
			"CVE-2024-0002": "CVE-2024-0002", "GHSA-aaaa-bbbb-cccc": "CVE-2024-0002", "PYSEC-2024-1": "CVE-2024-0002",
			"PYSEC-2024-2": "GHSA-zzzz-zzzz-zzzz", "GO-2024-1": "GHSA-zzzz-zzzz-zzzz", "never-heard": "never-heard",
		} {
			if got := sn.Canonical(id); got != want {
				t.Errorf("Canonical(%s) = %s, want %s", id, got, want)
			}
		}
		if got := sn.Weaknesses(); got != 2 {
			t.Errorf("Weaknesses() = %d, want 2", got)
		}
		list, err := sn.Statements(django())
		if err != nil || len(list) != 3 {
			t.Fatalf("Statements: %d, %v", len(list), err)
		}
		for _, st := range list[:2] {
			if diff := cmp.Diff([]string{"CVE-2024-0002"}, st.Weaknesses); diff != "" {
				t.Errorf("%s: %s", st.Advisory, diff)
			}
		}
	})
}

// Two CVEs that one advisory names stay two: an id that leads to both belongs to each.
func TestSeveralCVEsNeverMerge(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "a.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", `,"aliases":["CVE-2024-0010"]`+djangoAffected))
	give(t, s, "b.json", osvJSON("GO-2024-7", "2024-05-01T00:00:00Z", `,"aliases":["GHSA-aaaa-bbbb-cccc","CVE-2024-9"]`))
	give(t, s, "b.json", osvJSON("PYSEC-2024-7", "2024-05-01T00:00:00Z", `,"aliases":["GHSA-aaaa-bbbb-cccc","CVE-2024-0009"]`+djangoAffected))
	give(t, s, "d.json", osvJSON("GHSA-dddd-dddd-dddd", "2024-05-01T00:00:00Z", `,"aliases":["CVE-2024-0010"]`+djangoAffected))
	give(t, s, "c1.json", cveJSON("CVE-2024-0010", "PUBLISHED", "2024-05-01T00:00:00Z"))
	give(t, s, "c2.json", cveJSON("CVE-2024-0009", "PUBLISHED", "2024-05-01T00:00:00Z"))
	view(t, s, func(sn *Snapshot) {
		if got := sn.Canonical("GHSA-aaaa-bbbb-cccc"); got != "CVE-2024-0009" {
			t.Errorf("Canonical = %s, want the lowest", got)
		}
		if got := sn.Canonical("GHSA-dddd-dddd-dddd"); got != "CVE-2024-0010" {
			t.Errorf("Canonical of an id with one CVE = %s: the way must not lead through that CVE to another", got)
		}
		if w, _ := sn.Weakness("CVE-2024-0009"); slices.Contains(w.Aliases, "GHSA-dddd-dddd-dddd") {
			t.Errorf("aliases of another CVE: %v", w.Aliases)
		}
		for _, id := range []string{"CVE-2024-0009", "CVE-2024-0010"} {
			if got := sn.Canonical(id); got != id {
				t.Errorf("Canonical(%s) = %s", id, got)
			}
			w, ok := sn.Weakness(id)
			if !ok || w.ID != id || w.Title != "Title of "+id || !slices.Contains(w.Aliases, "GHSA-aaaa-bbbb-cccc") {
				t.Errorf("Weakness(%s) = %v %+v", id, ok, w)
			}
		}
	})
}

func TestRejected(t *testing.T) {
	s := open(t, Options{})
	give(t, s, "t-2026-01-01.json", trackerJSON(trackerRow("openssl", "CVE-2024-0008", "resolved", "2")))
	give(t, s, "c.json", cveJSON("CVE-2024-0008", "PUBLISHED", "2024-05-01T00:00:00Z"))
	rejected := func(id string) (is bool) {
		view(t, s, func(sn *Snapshot) { is = sn.Rejected(id) })
		return is
	}
	if rejected("CVE-2024-0008") {
		t.Error("rejected before it was")
	}
	res := give(t, s, "c.json", cveJSON("CVE-2024-0008", "REJECTED", "2024-05-02T00:00:00Z"))
	if !rejected("CVE-2024-0008") {
		t.Error("not rejected")
	}
	if diff := cmp.Diff([]advisory.Key{bookworm("openssl")}, res.Keys); diff != "" || res.All {
		t.Errorf("the packages that the tracker names with it are touched: %v %s", res.All, diff)
	}
	view(t, s, func(sn *Snapshot) {
		if w, ok := sn.Weakness("CVE-2024-0008"); !ok || !w.Rejected {
			t.Errorf("Weakness = %v %+v", ok, w)
		}
	})
	// An older record does not bring it back.
	res = give(t, s, "c.json", cveJSON("CVE-2024-0008", "PUBLISHED", "2024-05-01T00:00:00Z"))
	if res.Changed || res.Loads[0].Status != Older {
		t.Errorf("an older record: %s", statuses(res))
	}
	if !rejected("CVE-2024-0008") {
		t.Error("an older record undid the rejection")
	}
}

func TestWithdrawn(t *testing.T) {
	s := open(t, Options{})
	ghsa := func(modified, more string) string {
		return osvJSON("GHSA-aaaa-bbbb-cccc", modified, `,"aliases":["CVE-2024-0002"]`+more+djangoAffected)
	}
	give(t, s, "g.json", ghsa("2024-05-01T00:00:00Z", ""))
	if n := len(said1(t, s, django())); n != 1 {
		t.Fatalf("%d statements", n)
	}
	res := give(t, s, "g.json", ghsa("2024-05-02T00:00:00Z", `,"withdrawn":"2024-05-02T00:00:00Z"`))
	if n := len(said1(t, s, django())); n != 0 {
		t.Errorf("%d statements after withdrawal", n)
	}
	if !slices.Contains(res.Keys, django()) && !res.All {
		t.Errorf("keys = %v", res.Keys)
	}
	if diff := cmp.Diff([]string{"CVE-2024-0002"}, res.Weaknesses); diff != "" {
		t.Error(diff)
	}
	view(t, s, func(sn *Snapshot) {
		if !sn.Rejected("CVE-2024-0002") {
			t.Error("withdrawn by its only database, but not rejected")
		}
	})
	// A CVE record that stands says that the flaw exists all the same.
	give(t, s, "c.json", cveJSON("CVE-2024-0002", "PUBLISHED", "2024-05-01T00:00:00Z"))
	view(t, s, func(sn *Snapshot) {
		if sn.Rejected("CVE-2024-0002") {
			t.Error("rejected although its CVE record stands")
		}
	})
}
