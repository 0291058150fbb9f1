package posture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/inventory"
)

// TestUnknownNeverPasses takes away, in every way, what decides a passing
// check: it never passes any more, and the reason says why.
func TestUnknownNeverPasses(t *testing.T) {
	all := readFixtures(t)
	for _, c := range Checks() {
		f := all[c.ID]
		for _, name := range append([]inventory.SectionName{inventory.DPKG}, inventory.SettingSections...) {
			if !touches(c, name) {
				continue
			}
			for what, spoil := range map[string]func(map[inventory.SectionName]*inventory.Section){
				"not reported": func(m map[inventory.SectionName]*inventory.Section) { delete(m, name) },
				"read in part": func(m map[inventory.SectionName]*inventory.Section) {
					m[name] = inventory.NewSection(name, inventory.Partial, "permission denied")
				},
				"unread": func(m map[inventory.SectionName]*inventory.Section) {
					for i := range m[name].Items {
						m[name].Items[i].Value = json.RawMessage(`{"unread":"permission denied"}`)
					}
					m[name].MarkPartial("permission denied")
				},
				"no JSON": func(m map[inventory.SectionName]*inventory.Section) {
					for i := range m[name].Items {
						m[name].Items[i].Value = json.RawMessage(`[1]`)
					}
					m[name].MarkPartial("permission denied")
				},
			} {
				m := f.pass.sections()
				spoil(m)
				r := newDevice(m).evaluate(c)
				if r.State == Pass && !elsewhere(c, name) || r.State != Pass && r.Reason == "" {
					t.Errorf("%s passes by the section %s, which is %s: %+v", c.ID, name, what, r)
				}
			}
		}
	}
}

// touches reports whether a check looks at a section.
func touches(c *Check, name inventory.SectionName) bool {
	for _, l := range c.tests {
		for _, k := range l {
			if k.section == name || k.section == packages && name == inventory.DPKG {
				return true
			}
		}
	}
	return false
}

// elsewhere reports whether every line of a check that looks at a section can
// hold by another one.
func elsewhere(c *Check, name inventory.SectionName) bool {
	for _, l := range c.tests {
		other := false
		for _, k := range l {
			other = other || k.section != name && (k.section != packages || name != inventory.DPKG)
		}
		if !other {
			return false
		}
	}
	return true
}

// TestEvaluate proves the four states, their order and their words.
func TestEvaluate(t *testing.T) {
	f := parseFixture(t, "sysctl kernel.randomize_va_space 1\nsysctl net.ipv4.tcp_syncookies 1\n")
	m := f.sections()
	m[inventory.SSHD] = inventory.NewSection(inventory.SSHD, inventory.NotApplicable, "there is no SSH server")
	m[inventory.Audit] = inventory.NewSection(inventory.Audit, inventory.Partial, "/etc/audit cannot be read")
	results := Evaluate(m)
	if len(results) != len(Checks()) {
		t.Fatalf("%d results of %d checks", len(results), len(Checks()))
	}
	at := map[string]Result{}
	for i, r := range results {
		if r.Check != Checks()[i].ID {
			t.Fatalf("result %d is of %s", i, r.Check)
		}
		at[r.Check] = r
	}
	for _, want := range []Result{
		{Check: "scid-3013", State: Pass, Evidence: []Evidence{{inventory.Sysctl, "net.ipv4.tcp_syncookies", "1", "at least 1", "test", true}}},
		{Check: "scid-2001", State: Fail, Reason: "kernel.randomize_va_space: found 1, expected: is 2",
			Evidence: []Evidence{{inventory.Sysctl, "kernel.randomize_va_space", "1", "is 2", "test", false}}},
		{Check: "scid-1001", State: NotApplicable, Reason: "there is no SSH server"},
		{Check: "scid-5052", State: NotApplicable, Reason: "the check is for rhel, the device runs debian"},
		{Check: "scid-5036", State: NotAssessed, Reason: "the section audit was read only in part: /etc/audit cannot be read"},
		{Check: "scid-2022", State: NotApplicable, Reason: "no configuration of GRUB is on the host",
			Evidence: []Evidence{{inventory.Boot, "grub:password", "not set", "is set", "", false}}},
		{Check: "scid-3040", State: Pass, Evidence: []Evidence{
			{inventory.DPKG, "package telnetd", "not installed", "is not installed", "", true},
			{inventory.DPKG, "package telnetd-ssl", "not installed", "is not installed", "", true},
			{inventory.DPKG, "package inetutils-telnetd", "not installed", "is not installed", "", true},
			{inventory.DPKG, "package telnet-server", "not installed", "is not installed", "", true}}},
	} {
		if d := cmp.Diff(want, at[want.Check]); d != "" {
			t.Errorf("%s (-want +got):\n%s", want.Check, d)
		}
	}
	if d := cmp.Diff(results, Evaluate(m)); d != "" {
		t.Errorf("two evaluations differ:\n%s", d)
	}
}

// TestEvaluateSystems proves what is said of devices that are not Linux, or
// not known.
func TestEvaluateSystems(t *testing.T) {
	windows := fixture{os: "windows"}.sections()
	odd := fixture{os: "debian"}.sections()
	odd[inventory.OSSection].Items[0].Value = json.RawMessage(`7`)
	for _, tt := range []struct {
		name   string
		device map[inventory.SectionName]*inventory.Section
		state  State
		reason string
	}{
		{"nothing", nil, NotAssessed, "has not reported the operating system"},
		{"windows", windows, NotApplicable, "for Linux"},
		{"odd", odd, NotAssessed, "not of the agreed form"},
		{"only the system", map[inventory.SectionName]*inventory.Section{inventory.OSSection: fixture{os: "debian"}.sections()[inventory.OSSection]}, NotAssessed, "has not reported"},
	} {
		for _, r := range Evaluate(tt.device) {
			if r.State == NotApplicable && strings.HasPrefix(r.Reason, "the check is for rhel") {
				continue
			}
			if r.State != tt.state || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("%s: %s is %s: %s", tt.name, r.Check, r.State, r.Reason)
				break
			}
		}
	}
	for _, tt := range []struct {
		id   string
		like []string
		want string
	}{
		{"debian", nil, "debian"}, {"ubuntu", []string{"debian"}, "debian ubuntu"}, {"rocky", []string{"rhel", "centos", "fedora"}, "rhel"},
		{"unheardof", []string{"debian"}, "debian"}, {"opensuse-leap", []string{"suse", "opensuse"}, "suse"}, {"arch", nil, ""},
	} {
		d := &device{os: inventory.OS{ID: tt.id, IDLike: tt.like}}
		var got []string
		for _, f := range []string{"debian", "ubuntu", "rhel", "suse", "alpine"} {
			if d.is([]string{f}) {
				got = append(got, f)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s belongs to %q, want %q", tt.id, got, tt.want)
		}
	}
}

// TestConditions proves each comparison on a value that is set, on one that is
// not and on one that makes no sense.
func TestConditions(t *testing.T) {
	for _, tt := range []struct{ setting, cond, want string }{
		{"7", "is 7", "yes"}, {"7", "is 8", "no"}, {"-", "is 7", "no"},
		{"7", "not 7", "no"}, {"7", "not 8", "yes"}, {"-", "not 7", "yes"},
		{"b", "in a b", "yes"}, {"c", "in a b", "no"}, {"-", "in a b", "no"},
		{"7", ">= 7", "yes"}, {"6", ">= 7", "no"}, {"x", ">= 7", "unknown"}, {"-", ">= 7", "no"}, {"99999999999999999999", ">= 7", "unknown"},
		{"7", "<= 7", "yes"}, {"8", "<= 7", "no"}, {"-1", "<= 7", "yes"},
		{"smb3_11", "like smb2* smb3*", "yes"}, {"nt1", "like smb2* smb3*", "no"}, {"-", "like a*", "no"}, {"abcd", "like a*c*d", "yes"}, {"ab", "like a*b*b", "no"},
		{"vulnerable: x", "unlike vulnerable*", "no"}, {"-", "unlike vulnerable*", "yes"},
		{"0640 root shadow", "within 0640 root root,shadow", "yes"}, {"0641 root root", "within 0640 root root", "no"}, {"4640 root root", "within 0640 root root", "no"},
		{"0600 ann root", "within 0640 root root", "no"}, {"0600 ann ann", "within 0640", "yes"}, {"0600 root", "within 0640 root", "unknown"}, {"rwx root root", "within 0640", "unknown"},
		{"027", "masks 027", "yes"}, {"077", "masks 027", "yes"}, {"022", "masks 027", "no"}, {"[077, 022]", "masks 027", "no"}, {"[]", "masks 027", "no"}, {"x", "masks 027", "unknown"},
		{"[a, b, c]", "has a c", "yes"}, {"[a, b]", "has a c", "no"}, {"[audit=1]", "has audit=*", "yes"}, {"-", "has a", "no"},
		{"[a, aes128-cbc]", "lacks *-cbc", "no"}, {"[a]", "lacks *-cbc", "yes"}, {"-", "lacks a", "yes"},
		{"[a, b]", "only a b c", "yes"}, {"[a, d]", "only a b c", "no"}, {"-", "only a", "no"}, {"[]", "only a", "yes"},
		{"[]", "empty", "yes"}, {"[a]", "empty", "no"}, {"-", "empty", "yes"},
		{"x", "present", "yes"}, {"-", "present", "no"}, {"x", "absent", "no"}, {"-", "absent", "yes"},
	} {
		k, err := parseCond(append([]string{"sysctl", "n"}, strings.Fields(tt.cond)...))
		if err != nil {
			t.Fatalf("%q: %v", tt.cond, err)
		}
		v, why := k.holds(parseSetting(strings.TrimPrefix(tt.setting, "-1x")), tt.setting != "-")
		got := map[verdict]string{yes: "yes", no: "no", unknown: "unknown"}[v]
		if got != tt.want || (v == unknown) != (why != "") {
			t.Errorf("%s %s: %s (%s), want %s", tt.setting, tt.cond, got, why, tt.want)
		}
		if k.expected() == "" {
			t.Errorf("%s has no words", tt.cond)
		}
	}
}

// TestLines proves how conditions combine: one that holds is enough for a
// line, one line that does not hold is enough to fail.
func TestLines(t *testing.T) {
	for _, tt := range []struct {
		pass, want string
	}{
		{"sysctl yes is 1 || sysctl lost is 1", "pass"}, {"sysctl lost is 1 || sysctl yes is 1", "pass"},
		{"sysctl no is 1 || sysctl lost is 1", "not_assessed"}, {"sysctl no is 1 || sshd x is 1", "fail"}, {"sshd x is 1", "not_applicable"},
		{"sshd x is 1 || sysctl yes is 1", "pass"}, {"sshd x is 1 || sysctl lost is 1", "not_assessed"},
		{"sysctl no is 1\npass: sysctl lost is 1", "fail"}, {"sysctl yes is 1\npass: sysctl lost is 1", "not_assessed"}, {"sysctl yes is 1\npass: sshd x is 1", "not_applicable"},
		{"sysctl each:* is 1", "pass"}, {"sysctl some:* is 1", "fail"}, {"sysctl blind:* is 1", "not_assessed"}, {"sysctl none:* is 1", "pass"},
		{"sysctl none:* present", "fail"}, {"sysctl each:* present", "pass"},
		{"boot part is 1", "not_assessed"}, {"boot there is 1", "pass"}, {"boot th* is 1", "not_assessed"}, {"boot th* is 2", "fail"}, {"boot none:* present", "not_assessed"},
		{"packages bash present", "pass"}, {"packages zsh present", "fail"}, {"packages zsh absent", "pass"}, {"packages ba absent", "pass"}, {"packages old absent", "pass"},
	} {
		list, err := parseChecks("scid-1 T\npass: " + tt.pass + "\n")
		if err != nil {
			t.Fatal(err)
		}
		m := parseFixture(t, "sysctl yes 1\nsysctl no 0\nsysctl each:a 1\nsysctl each:b 1\nsysctl some:a 1\nsysctl some:b 0\nboot there 1\npackages bash 5\npackages base 1\n").sections()
		m[inventory.Sysctl].Put("lost", inventory.Setting{Unread: "permission denied"})
		m[inventory.Sysctl].Put("blind:a", inventory.Setting{Unread: "permission denied"})
		m[inventory.Sysctl].Seal()
		m[inventory.DPKG].Put("old:all", inventory.Package{Name: "old", Residual: true})
		m[inventory.DPKG].Seal()
		m[inventory.Boot].MarkPartial("a file cannot be read")
		m[inventory.SSHD] = inventory.NewSection(inventory.SSHD, inventory.NotApplicable, "no server")
		if r := newDevice(m).evaluate(list[0]); string(r.State) != tt.want {
			t.Errorf("%s: %+v, want %s", tt.pass, r, tt.want)
		}
	}
}

// TestPackages proves that the database of the distribution decides, whichever
// it is.
func TestPackages(t *testing.T) {
	for _, tt := range []struct {
		name    inventory.SectionName
		key     string
		partial bool
		want    State
	}{
		{inventory.RPM, "telnet-server-x86_64@1:0.17-85.el9", false, Fail}, {inventory.RPM, "telnet-x86_64@1:0.17-85.el9", false, Pass},
		{inventory.DPKG, "telnetd:amd64", false, Fail}, {inventory.APK, "bash:x86_64", true, NotAssessed},
	} {
		m := fixture{os: "debian"}.sections()
		delete(m, inventory.DPKG)
		s := inventory.NewSection(tt.name, inventory.Complete, "")
		name := strings.TrimSuffix(strings.Split(tt.key, ":")[0], "-x86_64@1")
		s.Put(tt.key, inventory.Package{Name: name, Version: "1"})
		s.Seal()
		if tt.partial {
			s.MarkPartial("the database is damaged")
		}
		m[tt.name] = s
		c, _ := ByID("scid-3040")
		if r := newDevice(m).evaluate(c); r.State != tt.want {
			t.Errorf("%s: %+v, want %s", tt.key, r, tt.want)
		}
	}
	m := fixture{os: "debian"}.sections()
	m[inventory.DPKG] = inventory.NewSection(inventory.DPKG, inventory.NotApplicable, "no dpkg")
	c, _ := ByID("scid-3040")
	if r := newDevice(m).evaluate(c); r.State != NotAssessed {
		t.Errorf("a device without a package database: %+v", r)
	}
}

// TestHostile proves that what a device says of itself is bounded in a result.
func TestHostile(t *testing.T) {
	long := strings.Repeat("\u20ac", 20_000)
	m := parseFixture(t, "").sections()
	for i := range 100 {
		m[inventory.Mounts].Put(fmt.Sprintf("network:/%d%s", i, long), inventory.Setting{Value: "nfs", List: []string{long, long}, Source: long})
	}
	m[inventory.Sysctl].Put("kernel.randomize_va_space", inventory.Setting{Value: long, Source: long})
	m[inventory.Sysctl].Put("net.ipv4.tcp_syncookies", inventory.Setting{Unread: long})
	m[inventory.Audit].MarkPartial(long)
	for _, s := range m {
		s.Seal()
	}
	for _, r := range Evaluate(m) {
		if len(r.Reason) > maxReason || len(r.Evidence) > MaxEvidence || !utf8.ValidString(r.Reason) {
			t.Errorf("%s: a reason of %d bytes, %d pieces of evidence", r.Check, len(r.Reason), len(r.Evidence))
		}
		for _, e := range r.Evidence {
			if len(e.Setting) > 200 || len(e.Found) > maxFound || len(e.Source) > maxSource || !utf8.ValidString(e.Found) || !utf8.ValidString(e.Source) {
				t.Errorf("%s: evidence of %d, %d and %d bytes", r.Check, len(e.Setting), len(e.Found), len(e.Source))
			}
		}
	}
}

// FuzzEvaluate feeds a device's own words into every comparison.
func FuzzEvaluate(f *testing.F) {
	f.Add("0640 root shadow", `["a","b"]`)
	f.Add("-9223372036854775809", `null`)
	f.Add("\xff\x00*", `[7]`)
	f.Fuzz(func(t *testing.T, value, list string) {
		raw := json.RawMessage(fmt.Sprintf(`{"value":%q,"list":%s}`, value, list))
		m := parseFixture(t, "").sections()
		for _, c := range Checks() {
			for _, l := range c.tests {
				for _, k := range l {
					if k.section != packages {
						m[k.section].Items = append(m[k.section].Items, inventory.Item{Key: strings.ReplaceAll(k.name, "*", "x"), Value: raw})
					}
				}
			}
		}
		for _, s := range m {
			s.Seal()
		}
		for _, r := range Evaluate(m) {
			if r.State != Pass && r.Reason == "" {
				t.Errorf("%s is %s without a reason", r.Check, r.State)
			}
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	m := parseFixture(b, "").sections()
	for _, f := range readFixtures(b) {
		for n, s := range f.pass.sections() {
			m[n].Items = append(m[n].Items, s.Items...)
		}
	}
	for _, s := range m {
		s.Seal()
	}
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(m)
	}
}
