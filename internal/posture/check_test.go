package posture

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestChecksAreWhole proves what a reader of a check may count on.
func TestChecksAreWhole(t *testing.T) {
	id := regexp.MustCompile(`^scid-[1-5][0-9]{3}$`)
	titles := map[string]string{}
	byCategory := map[Category]int{}
	for _, c := range Checks() {
		byCategory[c.Category]++
		bad := func(format string, args ...any) { t.Errorf("%s: %s", c.ID, fmt.Sprintf(format, args...)) }
		if !id.MatchString(c.ID) {
			bad("not of the form scid-NNNN")
		}
		for what, text := range map[string]string{"title": c.Title, "area": c.Subcategory, "why": c.Rationale, "users": c.UserImpact} {
			if strings.TrimSpace(text) == "" {
				bad("%s is empty", what)
			}
		}
		if strings.HasSuffix(c.Title, ".") || !strings.HasSuffix(c.Rationale, ".") {
			bad("a title has no full stop, a rationale has one")
		}
		if other := titles[c.Title]; other != "" {
			t.Logf("%s has the title of %s", c.ID, other)
		}
		titles[c.Title] = c.ID
		if c.Impact < 1 || c.Impact > MaxImpact || len(c.tests) == 0 {
			bad("impact %d, %d tests", c.Impact, len(c.tests))
		}
		if c.Productivity && strings.HasPrefix(c.UserImpact, "None") {
			bad("people notice it, and the text says that they do not")
		}
		helped(t, c)
		for _, n := range c.needs {
			if n.proof == "" {
				bad("a condition without a proof")
			}
		}
		if got, ok := ByID(c.ID); !ok || got != c {
			bad("ByID gives %v", got)
		}
	}
	if n := len(Checks()); n < 120 {
		t.Errorf("%d checks, at least 120 are promised", n)
	}
	for _, c := range Categories {
		if byCategory[c] < 10 {
			t.Errorf("category %s has %d checks", c, byCategory[c])
		}
	}
	t.Logf("%d checks: %v", len(Checks()), byCategory)
}

// helped proves that administrators of every family that a check is for are
// told what to do.
func helped(t *testing.T, c *Check) {
	t.Helper()
	for _, family := range []string{"debian", "rhel"} {
		if len(c.Families) > 0 && !slices.Contains(c.Families, family) {
			continue
		}
		if !slices.ContainsFunc(c.Remediation, func(r Remedy) bool {
			return strings.TrimSpace(r.Steps) != "" && (len(r.Families) == 0 || slices.Contains(r.Families, family))
		}) {
			t.Errorf("%s: no remediation for %s", c.ID, family)
		}
	}
}

// TestFewFileModes proves that at most a fifth of the checks look at nothing
// but modes of files.
func TestFewFileModes(t *testing.T) {
	modes := 0
	for _, c := range Checks() {
		only := true
		for _, l := range c.tests {
			for _, k := range l {
				only = only && k.section == "files"
			}
		}
		if only {
			modes++
		}
	}
	if modes*5 > len(Checks()) {
		t.Errorf("%d of %d checks are about file modes, more than a fifth", modes, len(Checks()))
	}
	t.Logf("%d of %d checks are about files", modes, len(Checks()))
}

// TestFixtures proves that each check passes, fails and does not apply as its
// fixtures say, and that there is a failing one for every one of its lines: no
// line can be taken away unnoticed.
func TestFixtures(t *testing.T) {
	all := readFixtures(t)
	for _, c := range Checks() {
		f := all[c.ID]
		if f == nil || len(f.fail) == 0 {
			t.Errorf("%s has no passing or no failing fixture", c.ID)
			continue
		}
		delete(all, c.ID)
		judge := func(x fixture) Result { return newDevice(x.sections()).evaluate(c) }
		if r := judge(f.pass); r.State != Pass || r.Reason != "" || len(r.Evidence) == 0 {
			t.Errorf("%s: the passing fixture gives %+v", c.ID, r)
		}
		missed := map[int]bool{}
		for i := range c.tests {
			missed[i] = true
		}
		for i, x := range f.fail {
			r := judge(x)
			if r.State != Fail || r.Reason == "" || len(r.Evidence) == 0 || r.Evidence[0].Holds {
				t.Errorf("%s: failing fixture %d gives %+v", c.ID, i+1, r)
			}
			d := newDevice(x.sections())
			for j, l := range c.tests {
				if v, _, _ := d.line(l); v == no {
					delete(missed, j)
				}
			}
		}
		for j := range missed {
			t.Errorf("%s: no failing fixture violates its condition %d", c.ID, j+1)
		}
		for i, x := range f.na {
			if r := judge(x); r.State != NotApplicable || r.Reason == "" {
				t.Errorf("%s: fixture %d that does not apply gives %+v", c.ID, i+1, r)
			}
		}
		if len(f.na) < len(c.needs) {
			t.Errorf("%s: %d fixtures that do not apply for %d conditions", c.ID, len(f.na), len(c.needs))
		}
	}
	for id := range all {
		t.Errorf("fixtures of %s, which is no check", id)
	}
}

// TestParseChecksRefuses proves that a mistake in a data file is found.
func TestParseChecksRefuses(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"area: x\n", "before the first check"},
		{"scid-1 A\nimpact: 11\n", "not 1 to 10"},
		{"scid-1 A\nnoticed: perhaps\n", "neither yes nor no"},
		{"scid-1 A\nfor: beos\n", "unknown family"},
		{"scid-1 A\nproduct: php[0-9\n", "syntax error in pattern"},
		{"scid-1 A\ncolour: red\n", "unknown field"},
		{"scid-1 A\npass: sysctl x\n", "a condition is"},
		{"scid-1 A\npass: sysctls x is 1\n", "unknown section"},
		{"scid-1 A\npass: sysctl x equals 1\n", "unknown comparison"},
		{"scid-1 A\npass: sysctl x is\n", "takes 1"},
		{"scid-1 A\npass: sysctl x >= one\n", "invalid syntax"},
		{"scid-1 A\npass: files x within 0999\n", "invalid syntax"},
		{"scid-1 A\nonly-if: sysctl x is 1\n", "no proof"},
		{"scid-1 A\nref: cis: 1\n", "unknown benchmark"},
		{"scid-1 A\nref: cis-debian12 1\n", "no benchmark"},
		{"scid-1 A\nkernel: x\n", "a condition is"},
		{"scid-1 A\nwords\n", "no field"},
	} {
		if _, err := parseChecks(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
	twice := fstest.MapFS{"checks/os.txt": {Data: []byte("scid-2001 A\n\nscid-2001 B\n")}}
	if _, err := readChecks(twice); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("an id that is there twice: %v", err)
	}
	if _, err := readChecks(fstest.MapFS{"checks/other.txt": {Data: []byte("scid-2001 A\n")}}); err == nil {
		t.Error("a file of no category is taken")
	}
}

// TestParseChecks proves the form of the data files.
func TestParseChecks(t *testing.T) {
	list, err := parseChecks(strings.Join([]string{
		"# comment", "scid-1 The title", "area: Area", "impact: 3", "why: One", "  two.", "users: None.", "noticed: no", "for: debian rhel",
		"only-if: boot firmware is efi -- no EFI", "pass: sysctl a.b >= 1 || sysctl c in 2 3", "kernel: k.l is 0",
		"fix: Do:", "  one", "  two", "fix rhel: three", "ref: cis-debian12: 1.2, 1.3", "",
	}, "\n"))
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %d checks", err, len(list))
	}
	c := list[0]
	if c.Rationale != "One two." || c.Remediation[0].Steps != "Do:\none\ntwo" || c.Remediation[1].Families[0] != "rhel" || len(c.References) != 2 {
		t.Errorf("check: %+v", c)
	}
	var got []string
	for _, e := range c.Expectations() {
		got = append(got, fmt.Sprintf("%d %s %s %s", e.Line, e.Section, e.Setting, e.Expected))
	}
	want := []string{"0 sysctl a.b at least 1", "0 sysctl c is one of 2, 3", "1 sysctl k.l is 0", "2 sysctl file:k.l is 0"}
	if !slices.Equal(got, want) {
		t.Errorf("expectations %q, want %q", got, want)
	}
}

// TestConcerns holds which products a check is a misconfiguration of: those
// that its data file names, not those that have a similar name.
func TestConcerns(t *testing.T) {
	for _, tt := range []struct {
		check, product string
		want           bool
	}{
		{"scid-1001", "openssh", true},
		{"scid-1001", "openssh-server", true},
		{"scid-1001", "openssl", false},
		{"scid-1100", "php8.2", true},
		{"scid-1100", "phpmyadmin", false},
		{"scid-4060", "sudo", true},
		{"scid-2001", "linux", false},
	} {
		c, ok := ByID(tt.check)
		if !ok || c.Concerns(tt.product) != tt.want {
			t.Errorf("%s concerns %s: %v, want %v", tt.check, tt.product, !tt.want, tt.want)
		}
	}
}
