package server

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// A denial says what it takes, in the words of whoever is denied.
func TestADenialSaysWhatItTakes(t *testing.T) {
	s := &Server{}
	for _, c := range []struct {
		who  Caller
		need []string
		want string
	}{
		{Caller{Name: "eva"}, []string{ManageExceptions}, "your roles do not allow this: it takes “Active remediation: exception handling”"},
		{Caller{Name: "eva"}, []string{ManageSettings}, "your roles do not allow this: it takes “Manage portal system settings”"},
		{Caller{Name: "eva"}, []string{MachineRead}, "your roles do not allow this: it takes “View data: security operations” or “View data: vulnerability management”"},
		{Caller{App: "a1"}, []string{RemediationRead, RemediationWrite}, "this takes the permission RemediationTasks.Read.All or RemediationTasks.ReadWrite.All"},
	} {
		if err := s.need(c.who, c.need...); !errors.Is(err, ErrDenied) || err.Error() != c.want {
			t.Errorf("%+v without %v: %v", c.who, c.need, err)
		}
	}
}

func TestWeaknessesByAge(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rows := []*WeaknessRow{{ID: "CVE-1", Published: day}, {ID: "CVE-2"}, {ID: "CVE-3", Published: day.AddDate(-1, 0, 0)}}
	p, err := weaknessList().page(Query{Sort: []string{"-age"}}, rows)
	var got []string
	for _, r := range p.Items {
		got = append(got, r.ID)
	}
	if err != nil || !slices.Equal(got, []string{"CVE-3", "CVE-1", "CVE-2"}) {
		t.Errorf("the oldest first: %v, %v; what has no date is last", got, err)
	}
}

func TestSoftwareByKindOfCode(t *testing.T) {
	rows := []*SoftwareRow{{ID: "a", ProductCode: "cpe:2.3:a:b:c"}, {ID: "b", ProductCode: "pkg:deb/debian/b"}, {ID: "c"}}
	for kind, want := range map[string]string{"cpe": "a", "purl": "b", "none": "c"} {
		p, err := softwareList().page(Query{Filter: map[string][]string{"code": {kind}}}, slices.Clone(rows))
		if err != nil || len(p.Items) != 1 || p.Items[0].ID != want {
			t.Errorf("%s: %+v, %v, want %s", kind, p.Items, err, want)
		}
	}
}
