package server

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/exposure"
)

// A page is what the whole list, filtered and ordered, has there, equal rows in
// the list's own order; it is read no further than it must be.
func TestRowQuery(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type row struct{ key, at int }
		var rows []row
		for i, k := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 3000).Draw(t, "keys") {
			rows = append(rows, row{k, i})
		}
		q := RowQuery[row]{Skip: rapid.IntRange(0, 60).Draw(t, "skip"), Limit: rapid.IntRange(-1, 60).Draw(t, "limit"), Count: rapid.Bool().Draw(t, "count")}
		want := slices.Clone(rows)
		if rapid.Bool().Draw(t, "where") {
			q.Where = func(r *row) bool { return r.key != 3 }
			want = slices.DeleteFunc(want, func(r row) bool { return r.key == 3 })
		}
		total := 0
		if q.Count {
			total = len(want)
		}
		if rapid.Bool().Draw(t, "order") {
			q.Order = func(a, b *row) int { return cmp.Compare(b.key, a.key) }
			slices.SortStableFunc(want, func(a, b row) int { return cmp.Compare(b.key, a.key) })
		}
		want = want[min(q.Skip, len(want)):]
		more := q.Limit > 0 && len(want) > q.Limit
		if q.Limit >= 0 {
			want = want[:min(q.Limit, len(want))]
		}
		read := 0
		page := q.Of(func(yield func(*row) bool) {
			for r := range Each(rows) {
				if read++; !yield(r) {
					return
				}
			}
		})
		if !slices.Equal(page.Rows, want) || page.More != more || page.Total != total {
			t.Fatalf("%+v: %v, more %v, total %d; want %v, %v, %d", q, page.Rows, page.More, page.Total, want, more, total)
		}
		if most := q.Skip + q.Limit + 1; q.Where == nil && q.Order == nil && !q.Count && q.Limit >= 0 && read > most {
			t.Fatalf("%d rows were read, %d are needed", read, most)
		}
		if cap(page.Rows) > 3*(q.Skip+q.Limit+1)+3000 && q.Limit >= 0 {
			t.Fatalf("%d rows were held", cap(page.Rows))
		}
	})
}

// A page in another order holds little more than itself of a long list.
func TestRowQueryHoldsLittle(t *testing.T) {
	q := RowQuery[int]{Skip: 1, Limit: 2, Count: true, Order: func(a, b *int) int { return *b - *a }}
	n := 0
	page := q.Of(func(yield func(*int) bool) {
		for ; n < 100_000 && yield(&n); n++ {
		}
	})
	if !slices.Equal(page.Rows, []int{99_998, 99_997}) || !page.More || page.Total != 100_000 || cap(page.Rows) > 3000 {
		t.Errorf("%v of %d, %v, %d", page.Rows, cap(page.Rows), page.More, page.Total)
	}
}

// The tables of one device say of it what the console's lists say, and of other
// devices what the caller sees; a filter or an order asks for finished rows.
func TestTablesOfADevice(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker-2026-01-01.json", "openssl CVE-2024-0001 resolved 3.0.2-1", "openssl CVE-2024-0002 resolved 3.0.2-1", "curl CVE-2024-0003 resolved 7.88-2", "bash CVE-2024-0005 resolved 5.2-9")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.1-1", "curl 7.88-1", "zlib 1.2-1")
	two.send(t, "openssl 3.0.1-1", "bash 5.2-1")
	if err := s.SetDeviceValue(t.Context(), admin, string(two.id), "High"); err != nil {
		t.Fatal(err)
	}
	id := string(one.id)
	only := Caller{Name: "only", Permissions: []string{SoftwareRead, VulnerabilityRead, RecommendationRead, AccountRead}, Scope: exposure.Within(7)}

	software := func(q RowQuery[SoftwareRow]) string {
		t.Helper()
		p, err := s.DeviceSoftwareTable(t.Context(), admin, id, q)
		var out []string
		for _, r := range p.Rows {
			out = append(out, fmt.Sprintf("%s %d weak, %d exposed of %d", r.Name, r.Weaknesses, r.Exposed, r.Installed))
		}
		return fmt.Sprintf("%s, more %v, %d, %v", strings.Join(out, "; "), p.More, p.Total, err)
	}
	weak := func(q RowQuery[WeaknessColumns]) string {
		t.Helper()
		p, err := s.DeviceWeaknessTable(t.Context(), admin, id, WeaknessTableQuery{RowQuery: q})
		var out []string
		for _, r := range p.Rows {
			out = append(out, fmt.Sprintf("%s on %d", r.ID, r.Exposed))
		}
		return fmt.Sprintf("%s, more %v, %d, %v", strings.Join(out, "; "), p.More, p.Total, err)
	}
	advice := func(q RowQuery[RecommendationRow]) string {
		t.Helper()
		software := q
		software.Where = func(r *RecommendationRow) bool {
			return r.Type == RemedyUpdate && (q.Where == nil || q.Where(r))
		}
		p, err := s.DeviceRecommendationTable(t.Context(), admin, id, software)
		var out []string
		for _, r := range p.Rows {
			out = append(out, fmt.Sprintf("%s on %d of %d, %d critical", r.Component, r.Exposed, r.Installed, r.Critical))
		}
		return fmt.Sprintf("%s, more %v, %d, %v", strings.Join(out, "; "), p.More, p.Total, err)
	}
	for what, is := range map[string][2]string{
		"software":                          {software(RowQuery[SoftwareRow]{Limit: -1, Count: true}), "curl 1 weak, 1 exposed of 1; openssl 2 weak, 2 exposed of 2; zlib 0 weak, 0 exposed of 1, more false, 3, <nil>"},
		"software that is filtered":         {software(RowQuery[SoftwareRow]{Limit: 5, Where: func(r *SoftwareRow) bool { return r.Installed == 2 }}), "openssl 2 weak, 2 exposed of 2, more false, 0, <nil>"},
		"a page of software":                {software(RowQuery[SoftwareRow]{Skip: 1, Limit: 1}), "openssl 2 weak, 2 exposed of 2, more true, 0, <nil>"},
		"weaknesses":                        {weak(RowQuery[WeaknessColumns]{Limit: -1, Count: true}), "CVE-2024-0001 on 2; CVE-2024-0002 on 2; CVE-2024-0003 on 1, more false, 3, <nil>"},
		"the last weakness":                 {weak(RowQuery[WeaknessColumns]{Limit: 1, Order: func(a, b *WeaknessColumns) int { return strings.Compare(b.ID, a.ID) }}), "CVE-2024-0003 on 1, more true, 0, <nil>"},
		"recommendations":                   {advice(RowQuery[RecommendationRow]{Limit: -1, Count: true}), "curl on 1 of 1, 0 critical; openssl on 2 of 2, 1 critical, more false, 2, <nil>"},
		"recommendations that are filtered": {advice(RowQuery[RecommendationRow]{Limit: -1, Where: func(r *RecommendationRow) bool { return r.Critical > 0 }}), "openssl on 2 of 2, 1 critical, more false, 0, <nil>"},
	} {
		if is[0] != is[1] {
			t.Errorf("%s:\n got %s\nwant %s", what, is[0], is[1])
		}
	}
	versions, err := s.SoftwareVersionTable(t.Context(), admin, "debian-_-openssl", RowQuery[VersionRow]{Limit: -1})
	if err != nil || len(versions.Rows) != 1 || versions.Rows[0].Installed != 2 || versions.Rows[0].Weaknesses != 2 {
		t.Errorf("versions: %+v, %v", versions, err)
	}

	// Another's devices are not there, and no table opens without its permission.
	few := Caller{Name: "few", Permissions: []string{MachineRead}, Scope: exposure.Everywhere()}
	for what, call := range map[string]func(c Caller) error{
		"software": func(c Caller) error {
			_, err := s.DeviceSoftwareTable(t.Context(), c, id, RowQuery[SoftwareRow]{})
			return err
		},
		"weaknesses": func(c Caller) error {
			_, err := s.DeviceWeaknessTable(t.Context(), c, id, WeaknessTableQuery{})
			return err
		},
		"recommendations": func(c Caller) error {
			_, err := s.DeviceRecommendationTable(t.Context(), c, id, RowQuery[RecommendationRow]{})
			return err
		},
		"updates": func(c Caller) error {
			_, err := s.DeviceUpdateTable(t.Context(), c, id, RowQuery[MissingUpdate]{})
			return err
		},
		"users": func(c Caller) error { _, err := s.DeviceUsers(t.Context(), c, id, RowQuery[LogonUser]{}); return err },
		"updates of software": func(c Caller) error {
			_, err := s.SoftwareUpdateTable(t.Context(), c, "debian-_-openssl", RowQuery[MissingUpdate]{})
			return err
		},
		"versions": func(c Caller) error {
			_, err := s.SoftwareVersionTable(t.Context(), c, "debian-_-openssl", RowQuery[VersionRow]{})
			return err
		},
	} {
		if err := call(only); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of another's device: %v", what, err)
		}
		if err := call(few); !errors.Is(err, ErrDenied) {
			t.Errorf("%s without the permission: %v", what, err)
		}
	}
}

// The weaknesses of a device are those that count on it, also while it is at rest,
// with the devices that the caller sees, and no others are looked at.
func TestTableOfADevice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := tableCore(t)
		s := &Server{core: c}
		caller := admin
		if rapid.Bool().Draw(t, "scope") {
			caller.Groups = []exposure.Group{0, 2}
		}
		counts := map[string]WeaknessColumns{}
		for _, w := range walked(c, caller) {
			counts[w.ID] = w
		}
		d := rapid.SampledFrom(c.devices).Draw(t, "device")
		q := drawTableQuery(t)
		got, err := s.DeviceWeaknessTable(t.Context(), caller, string(d.id), *q)
		if !caller.sees().Has(d.group) {
			if !errors.Is(err, ErrNotFound) {
				t.Fatalf("a hidden device: %v", err)
			}
			return
		}
		var all []WeaknessColumns
		for _, r := range c.vulnRows(d) {
			if !r.Exposed {
				continue
			}
			w, counted := counts[r.ID]
			if !counted {
				f := c.peek(r.ID)
				w = WeaknessColumns{ID: r.ID, Title: r.Title, Severity: r.Severity, CVSS: r.CVSS, CVSSVer: r.CVSSVer, CVSS3: f.CVSS3, EPSS: r.EPSS,
					Exploit: f.Threats.Exploit, Published: r.Published, Updated: r.Updated, Exposed: 1}
			}
			all = append(all, w)
		}
		slices.SortFunc(all, func(a, b WeaknessColumns) int { return compareIDs(a.ID, b.ID) })
		if want := plainTable(all, q); err != nil || !slices.Equal(got.Rows, want.Rows) || got.More != want.More || got.Total != want.Total || got.looked > len(all) {
			t.Fatalf("%+v:\n got %v, %v, %d, looked at %d, %v\nwant %v", q, got.Rows, got.More, got.Total, got.looked, err, want.Rows)
		}
	})
}
