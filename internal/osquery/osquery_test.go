package osquery

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// answer makes an answer of rows "key=value key=value".
func answer(rows ...string) Answer {
	a := Answer{}
	for _, line := range rows {
		r := Row{}
		for _, pair := range strings.Split(line, "|") {
			k, v, _ := strings.Cut(pair, "=")
			r[k] = v
		}
		a.Rows = append(a.Rows, r)
	}
	return a
}

// made are the sections of answers, by name.
func made(t *testing.T, answers map[string]Answer, have ...*inventory.Section) map[inventory.SectionName]*inventory.Section {
	t.Helper()
	old := map[inventory.SectionName]*inventory.Section{}
	for _, s := range have {
		old[s.Name] = s
	}
	out := map[inventory.SectionName]*inventory.Section{}
	for _, s := range Sections(answers, old, now) {
		out[s.Name] = s
	}
	return out
}

func item[T any](t *testing.T, s *inventory.Section, key string) (v T) {
	t.Helper()
	for _, it := range s.Items {
		if it.Key == key {
			if err := json.Unmarshal(it.Value, &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("%s has no item %q: %v", s.Name, key, s.Items)
	return v
}

func TestSystems(t *testing.T) {
	for _, tt := range []struct{ row, id, version, arch, point string }{
		{"os_name=Debian GNU/Linux|version=12 (bookworm)|major=12|minor=0|codename=bookworm|platform=debian|arch=x86_64", "debian", "12", "amd64", ""},
		{"os_name=Debian GNU/Linux|version=12.11 (bookworm)|major=12|minor=11|codename=bookworm|platform=debian|arch=x86_64", "debian", "12", "amd64", "12.11"},
		{"os_name=Ubuntu|version=22.04.3 LTS (Jammy Jellyfish)|major=22|minor=4|platform=ubuntu|platform_like=debian|arch=aarch64", "ubuntu", "22.04", "arm64", ""},
		{"os_name=Red Hat Enterprise Linux|version=9.4 (Plow)|major=9|minor=4|platform=rhel|platform_like=fedora|arch=x86_64", "rhel", "9.4", "amd64", ""},
		{"os_name=Alpine Linux|version=3.19.1|major=3|minor=19|platform=alpine|arch=x86_64", "alpine", "3.19.1", "amd64", ""},
		{"os_name=Arch Linux|version=|major=0|minor=0|platform=arch|arch=i686", "arch", "0", "386", ""},
	} {
		s := made(t, map[string]Answer{"os": answer(tt.row + "|hostname=h.example.org|physical_memory=1024|cpu_logical_cores=2")})
		os := item[inventory.OS](t, s[inventory.OSSection], "os")
		if os.ID != tt.id || os.VersionID != tt.version || os.Arch != tt.arch || os.PointRel != tt.point || os.Hostname != "h.example.org" || os.FQDN != "h.example.org" || os.Family != "linux" {
			t.Errorf("%s\n is %+v", tt.row, os)
		}
		if hw := item[inventory.HardwareFact](t, s[inventory.Hardware], "hardware"); hw.MemoryBytes != 1024 || hw.CPUCores != 2 {
			t.Errorf("hardware = %+v", hw)
		}
	}
}

func TestPackages(t *testing.T) {
	s := made(t, map[string]Answer{
		"deb": answer("name=bsdutils|version=1:2.38.1-5+deb12u3|source=util-linux (2.38.1-5+deb12u3)|arch=amd64|status=install ok installed",
			"name=libssl3|version=3.0.11-1|source=openssl|arch=amd64|status=install ok installed",
			"name=adduser|version=3.134|source=|arch=all|status=install ok installed",
			"name=gone|version=1|source=|arch=all|status=deinstall ok config-files",
			"name=|version=1"),
		"rpm":    answer("name=openssl-libs|version=3.0.7|release=24.el9|epoch=1|source=openssl-3.0.7-24.el9.src.rpm|arch=x86_64|install_time=1700000000", "name=gpg-pubkey|version=1|release=2", "name=odd|version=1|release=2|epoch=0|source=|arch=noarch"),
		"python": answer("name=Zope_Interface.x|version=1|path=/opt/venv/lib/python3/site-packages/x.dist-info", "name=apt|version=2|path=/usr/lib/python3/dist-packages/apt.egg-info"),
		"npm":    answer("name=@scope/left-pad|version=1|path=|directory=/srv/app/"),
	})
	for key, want := range map[string][2]string{"bsdutils:amd64": {"util-linux", "2.38.1-5+deb12u3"}, "libssl3:amd64": {"openssl", "3.0.11-1"}, "adduser:all": {"adduser", "3.134"}} {
		if p := item[inventory.Package](t, s[inventory.DPKG], key); p.Source != want[0] || p.SourceVersion != want[1] || p.Residual {
			t.Errorf("%s = %+v", key, p)
		}
	}
	if p := item[inventory.Package](t, s[inventory.DPKG], "gone:all"); !p.Residual {
		t.Error("configuration files are a package")
	}
	if n := len(s[inventory.DPKG].Items); n != 4 {
		t.Errorf("%d packages", n)
	}
	p := item[inventory.Package](t, s[inventory.RPM], "openssl-libs-x86_64@1:3.0.7-24.el9")
	if p.Source != "openssl" || p.SourceVersion != "1:3.0.7-24.el9" || p.InstalledAt.IsZero() {
		t.Errorf("rpm = %+v", p)
	}
	if p := item[inventory.Package](t, s[inventory.RPM], "odd-noarch@1-2"); !p.NoSource || len(s[inventory.RPM].Items) != 2 {
		t.Errorf("without a source = %+v", p)
	}
	if p := item[inventory.Package](t, s[inventory.Python], "zope-interface-x@/opt/venv/lib/python3/site-packages/x.dist-info"); p.Unassessed != "" {
		t.Errorf("a package of a virtual environment = %+v", p)
	}
	if p := item[inventory.Package](t, s[inventory.Python], "apt@/usr/lib/python3/dist-packages/apt.egg-info"); p.Unassessed == "" {
		t.Error("a package of the distribution is judged as one of PyPI")
	}
	if s[inventory.Python].Status != inventory.Partial || s[inventory.Python].Reason == "" {
		t.Error("osquery looks everywhere")
	}
	item[inventory.Package](t, s[inventory.NPM], "@scope/left-pad@/srv/app/node_modules/@scope/left-pad")
}

func TestNothingThereAndNotAnsweredAreNotAlike(t *testing.T) {
	none := made(t, map[string]Answer{"deb": {Rows: []Row{}}, "users": {Rows: []Row{}}})
	if s := none[inventory.DPKG]; s.Status != inventory.NotApplicable || s.Reason == "" {
		t.Errorf("no package = %v %q", s.Status, s.Reason)
	}
	if s := none[inventory.Users]; s.Status != inventory.Complete || len(s.Items) != 0 {
		t.Errorf("no user = %v %q", s.Status, s.Reason)
	}
	before := made(t, map[string]Answer{"deb": answer("name=a|version=1|arch=all")})[inventory.DPKG]
	failed := made(t, map[string]Answer{"deb": {Failed: true, Reason: "no such table"}}, before)
	if s := failed[inventory.DPKG]; s.Status != inventory.Partial || !strings.Contains(s.Reason, "no such table") || len(s.Items) != 1 {
		t.Errorf("failed = %v %q with %d items", s.Status, s.Reason, len(s.Items))
	}
	told := map[inventory.SectionName]bool{inventory.Users: true, inventory.Logons: true}
	for _, name := range Told {
		told[name] = true
	}
	for _, s := range Silent(now) {
		if s.Status != inventory.Partial || s.Reason == "" || told[s.Name] {
			t.Errorf("%s = %v %q", s.Name, s.Status, s.Reason)
		}
		told[s.Name] = true
	}
	for _, name := range inventory.SectionNames {
		if !told[name] {
			t.Errorf("%s is neither told nor said not to be", name)
		}
	}
}

func TestKernels(t *testing.T) {
	kernel := map[string]Answer{"kernel": answer("version=6.1.0-31-amd64")}
	alone := made(t, kernel)[inventory.Kernel]
	if k := item[inventory.KernelFact](t, alone, "running"); k.Release != "6.1.0-31-amd64" || k.Package != "" {
		t.Errorf("alone = %+v", k)
	}
	debs := map[string]Answer{"deb": answer("name=linux-image-6.1.0-30-amd64|version=6.1.124-1|source=linux-signed-amd64 (6.1.124+1)|arch=amd64", "name=linux-image-6.1.0-31-amd64|version=6.1.128-1|source=linux-signed-amd64 (6.1.128+1)|arch=amd64")}
	later := made(t, debs, alone)
	if k := item[inventory.KernelFact](t, later[inventory.Kernel], "running"); k.Package != "linux-image-6.1.0-31-amd64" || k.PackageVersion != "6.1.128-1" {
		t.Errorf("with packages that come later = %+v", k)
	}
	first := made(t, debs)[inventory.DPKG]
	if k := item[inventory.KernelFact](t, made(t, kernel, first)[inventory.Kernel], "running"); k.Package != "linux-image-6.1.0-31-amd64" {
		t.Errorf("with packages that came before = %+v", k)
	}
	rpms := map[string]Answer{"kernel": answer("version=5.14.0-427.42.1.el9_4.x86_64"), "rpm": answer("name=kernel|version=5.14.0|release=427.42.1.el9_4|epoch=0|arch=x86_64|source=kernel-5.14.0-427.42.1.el9_4.src.rpm",
		"name=kernel-core|version=5.14.0|release=427.42.1.el9_4|epoch=0|arch=x86_64|source=kernel-5.14.0-427.42.1.el9_4.src.rpm", "name=kernel-modules-core|version=5.14.0|release=427.42.1.el9_4|epoch=0|arch=x86_64")}
	if k := item[inventory.KernelFact](t, made(t, rpms)[inventory.Kernel], "running"); k.Package != "kernel-core" || k.PackageVersion != "5.14.0-427.42.1.el9_4" {
		t.Errorf("rpm = %+v", k)
	}
}

func TestInterfacesUsersAndLogons(t *testing.T) {
	s := made(t, map[string]Answer{
		"interfaces": answer("interface=lo|mac=00:00:00:00:00:00|flags=73|address=127.0.0.1", "interface=eth0|mac=AA:BB:CC:00:11:22|flags=4163|address=192.0.2.7", "interface=eth0|mac=AA:BB:CC:00:11:22|flags=4163|address=fe80::1%eth0", "interface=ifb0|mac=|flags=130|address="),
		"users":      answer("username=root|uid=0|gid=0|directory=/root|shell=/bin/bash", "username=|uid=1"),
		"logons":     answer("user=ada|tty=pts/0|host=192.0.2.9|time=1700000000", "user=|tty=x"),
	})
	if i := item[inventory.Interface](t, s[inventory.Interfaces], "eth0"); i.MAC != "aa:bb:cc:00:11:22" || !i.Up || i.Loopback || fmt.Sprint(i.Addresses) != "[192.0.2.7 fe80::1]" {
		t.Errorf("eth0 = %+v", i)
	}
	if i := item[inventory.Interface](t, s[inventory.Interfaces], "lo"); !i.Loopback || i.MAC != "" {
		t.Errorf("lo = %+v", i)
	}
	if i := item[inventory.Interface](t, s[inventory.Interfaces], "ifb0"); i.Up {
		t.Errorf("ifb0 = %+v", i)
	}
	if u := item[inventory.User](t, s[inventory.Users], "root"); u.Shell != "/bin/bash" || len(s[inventory.Users].Items) != 1 {
		t.Errorf("root = %+v", u)
	}
	if l := item[inventory.Logon](t, s[inventory.Logons], "ada@pts/0"); l.Host != "192.0.2.9" || l.Since.IsZero() || len(s[inventory.Logons].Items) != 1 {
		t.Errorf("ada = %+v", l)
	}
}

func TestMessages(t *testing.T) {
	log, err := DecodeLog([]byte(`{"node_key":"k","log_type":"result","data":[{"name":"picket_kernel","action":"snapshot","snapshot":[{"version":"1"}]},
		{"name":"picket_kernel","action":"snapshot","snapshot":[{"version":"2"}]},{"name":"pack_other","action":"added","columns":{"a":"b"}},{"name":"picket_nonsense","action":"snapshot","snapshot":[]}]}`))
	if err != nil || len(log) != 1 || log["kernel"].Rows[0]["version"] != "2" {
		t.Errorf("log = %v, %v", log, err)
	}
	if log, err := DecodeLog([]byte(`{"log_type":"status","data":[{"line":"1","message":"x"}]}`)); err != nil || len(log) != 0 {
		t.Errorf("status = %v, %v", log, err)
	}
	wrote, err := DecodeWrite([]byte(`{"queries":{"picket_deb":[{"name":"a","version":1}],"picket_rpm":"","picket_npm":[]},"statuses":{"picket_deb":0,"picket_rpm":"1","picket_users":1},"messages":{"picket_users":"no such table: users"}}`))
	if err != nil || wrote["deb"].Rows[0]["version"] != "1" || !wrote["rpm"].Failed || wrote["npm"].Failed || !wrote["users"].Failed || wrote["users"].Reason != "no such table: users" {
		t.Errorf("write = %+v, %v", wrote, err)
	}
	for _, bad := range []string{``, `[]`, `{"log_type":"result","data":{}}`, `{"log_type":"result","data":[{"name":"picket_os","action":"snapshot","snapshot":[{"a":{"b":1}}]}]}`} {
		if out, err := DecodeLog([]byte(bad)); err == nil {
			t.Errorf("DecodeLog(%s) = %v", bad, out)
		}
	}
	many := `{"log_type":"result","data":[` + strings.Repeat(`{},`, maxLines) + `{}]}`
	if _, err := DecodeLog([]byte(many)); err == nil {
		t.Error("any number of results is taken")
	}
	rows := Answer{}
	for range MaxRows + 5 {
		rows.Rows = append(rows.Rows, Row{})
	}
	raw := make([]map[string]text, MaxRows+5)
	if a := answerOf(raw); len(a.Rows) != MaxRows || a.Cut != 5 {
		t.Errorf("%d rows and %d cut", len(a.Rows), a.Cut)
	}
	e, err := DecodeEnroll([]byte(`{"enroll_secret":"s","host_identifier":"h","platform_type":9,"host_details":{"os_version":{"name":"Debian GNU/Linux","platform":"debian","major":"12","version":"12 (bookworm)","arch":"x86_64"},"system_info":{"hostname":"web"}}}`))
	if err != nil || e.Secret != "s" || e.Host != "h" {
		t.Fatal(e, err)
	}
	if os := item[inventory.OS](t, made(t, e.Answers())[inventory.OSSection], "os"); os.Hostname != "web" || os.Name != "Debian GNU/Linux" || os.VersionID != "12" {
		t.Errorf("enrolment says %+v", os)
	}
}

// Real answers of osqueryd 5.20.0 on Debian 12.
func TestCaptured(t *testing.T) {
	body, err := os.ReadFile("testdata/write.json")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := DecodeWrite(body)
	if err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers, %v", len(answers), err)
	}
	s := made(t, answers)
	for _, name := range Told {
		if s[name] == nil {
			t.Errorf("%s is missing", name)
		}
	}
	if p := item[inventory.Package](t, s[inventory.DPKG], "bash:amd64"); p.Source != "bash" || p.SourceVersion != "5.2.15-2" || p.Version != "5.2.15-2+b8" {
		t.Errorf("bash = %+v", p)
	}
	if os := item[inventory.OS](t, s[inventory.OSSection], "os"); os.ID != "debian" || os.VersionID != "12" || os.Codename != "bookworm" {
		t.Errorf("os = %+v", os)
	}
}

func FuzzDecode(f *testing.F) {
	if body, err := os.ReadFile("testdata/write.json"); err == nil {
		f.Add(body)
	}
	f.Add([]byte(`{"log_type":"result","data":[{"name":"picket_deb","action":"snapshot","snapshot":[{"name":"a","source":"b (c"}]}]}`))
	f.Add([]byte(`{"enroll_secret":"s","host_details":{"os_version":{"platform":"debian","version":"12."}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, decode := range []func([]byte) (map[string]Answer, error){DecodeLog, DecodeWrite, func(b []byte) (map[string]Answer, error) {
			e, err := DecodeEnroll(b)
			return e.Answers(), err
		}} {
			answers, err := decode(body)
			if err != nil {
				continue
			}
			for _, s := range Sections(answers, nil, now) {
				for i, it := range s.Items {
					if !json.Valid(it.Value) || i > 0 && it.Key <= s.Items[i-1].Key {
						t.Fatalf("section %s is not sealed: %q", s.Name, it.Key)
					}
				}
			}
		}
	})
}
