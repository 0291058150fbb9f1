package exposure

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

// offered is what the archive offers for a binary package.
type offered struct{ version, source string }

// archive reads Packages indices as apt does: the newest version of each binary.
func archive(t *testing.T, names ...string) map[string]offered {
	t.Helper()
	out := map[string]offered{}
	for _, name := range names {
		f, err := os.Open(feeds(t, name))
		if err != nil {
			t.Fatal(err)
		}
		z, err := xz.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, para := range strings.Split(string(text), "\n\n") {
			var pkg, arch string
			var o offered
			for line := range strings.Lines(para) {
				k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
				switch k {
				case "Package":
					pkg = v
				case "Version":
					o.version = v
				case "Source":
					o.source = v
				case "Architecture":
					arch = v
				}
			}
			if pkg == "" || arch != "amd64" && arch != "all" {
				continue
			}
			if n, err := version.Compare("Debian", o.version, out[pkg].version); err != nil || n > 0 {
				out[pkg] = o
			}
		}
	}
	return out
}

// upgrade returns the status of the machine after "apt full-upgrade".
func upgrade(status string, offers map[string]offered) (out string, upgraded int) {
	var b strings.Builder
	for _, para := range strings.Split(strings.TrimSpace(status), "\n\n") {
		p, _ := dpkgPackage(para)
		if o, ok := offers[p.Name]; ok {
			if n, err := version.Compare("Debian", o.version, p.Version); err == nil && n > 0 {
				upgraded++
				para = "Package: " + p.Name + "\nStatus: install ok installed\nVersion: " + o.version + "\nArchitecture: " + p.Arch
				if o.source != "" {
					para += "\nSource: " + o.source
				}
			}
		}
		b.WriteString(para + "\n\n")
	}
	return b.String(), upgraded
}

// A machine on which every update of the archive is installed has no finding with a fix.
func TestUpgradedImageHasNoFixable(t *testing.T) {
	t.Parallel()
	in := tracker(t)
	status, err := os.ReadFile(filepath.Join("testdata", "debian12-new-machine.status"))
	if err != nil {
		t.Fatal(err)
	}
	if before := fixablePairs(t, string(status), in); len(before) == 0 {
		t.Fatal("nothing to fix before the upgrade: the test would prove nothing")
	}
	offers := archive(t, "debian-security/archive-2026-11-20/bookworm-security_main_binary-amd64_Packages.xz",
		"debian-security/archive-2026-11-20/bookworm-updates_main_binary-amd64_Packages.xz")
	after, n := upgrade(string(status), offers)
	if n == 0 {
		t.Fatal("no package was upgraded")
	}
	if left := fixablePairs(t, after, in); len(left) != 0 {
		t.Errorf("%d packages upgraded, %d findings with a fix remain: %v", n, len(left), left)
	}
}

// The same inventory on many devices gives the same findings, byte for byte,
// in whatever order its items arrive.
func TestSameInventorySameFindings(t *testing.T) {
	t.Parallel()
	in := tracker(t)
	status, err := os.ReadFile(filepath.Join("testdata", "debian12-new-machine.status"))
	if err != nil {
		t.Fatal(err)
	}
	evaluate := func(reverse bool) []byte {
		s := sections(debian12, string(status))
		if reverse {
			for _, sec := range s {
				for i, j := 0, len(sec.Items)-1; i < j; i, j = i+1, j-1 {
					sec.Items[i], sec.Items[j] = sec.Items[j], sec.Items[i]
				}
			}
		}
		p := Profile(s)
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		for i, a := range assessAll(t, p, in) {
			if err := e.Encode(struct {
				U Use
				A Assessment
			}{p.Uses[i], a}); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Encode(p.Gaps); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first := evaluate(false)
	for range 3 {
		if !bytes.Equal(first, evaluate(false)) {
			t.Fatal("a second device with the same inventory has other findings")
		}
	}
	if diff := cmp.Diff(string(first), string(evaluate(true))); diff != "" {
		t.Errorf("another order of items gives other findings:\n%s", diff)
	}
}

// The fixture is what the brief of the oracle says: 703 packages.
func TestFixture(t *testing.T) {
	t.Parallel()
	status, err := os.ReadFile(filepath.Join("testdata", "debian12-new-machine.status"))
	if err != nil {
		t.Fatal(err)
	}
	s := sections(debian12, string(status))
	if n := len(s[inventory.DPKG].Items); n != 703 {
		t.Errorf("%d packages, want 703", n)
	}
}

// FuzzProfile feeds foreign bytes as the items of every section: no panic,
// every use has evidence, every id is of the form that paths take.
func FuzzProfile(f *testing.F) {
	f.Add([]byte(`{"id":"debian","version_id":"12"}`), []byte(`{"eco":"deb","name":"openssl","version":"1~bpo12+1","source":"openssl","source_version":"1~bpo12+1"}`),
		[]byte(`{"release":"6.1.0-31-amd64","package":"linux-image-6.1.0-31-amd64","package_version":"6.1.128-1"}`), []byte(`{"package":"libssl3","running_version":"1"}`))
	f.Add([]byte(`{"id":"rocky","version_id":"9"}`), []byte(`{"name":"linux-image-6.1.0-31-amd64","version":"1:","source":"linux-signed-amd64"}`), []byte(`[]`), []byte(`{"package":"<script>"}`))
	f.Add([]byte(`{"id":"alpine","version_id":"3.19.1"}`), []byte(`{"name":"\u0000%/..","version":"\u202e","residual":true}`), []byte(`null`), []byte(``))
	f.Fuzz(func(t *testing.T, os, pkg, kernel, restart []byte) {
		s := map[inventory.SectionName]*inventory.Section{}
		put := func(name inventory.SectionName, raw []byte) {
			sec := inventory.NewSection(name, inventory.Complete, "")
			sec.Items = append(sec.Items, inventory.Item{Key: "k", Value: raw})
			s[name] = sec
		}
		put(inventory.OSSection, os)
		put(inventory.Kernel, kernel)
		put(inventory.Restart, restart)
		for _, name := range inventory.PackageSections {
			put(name, pkg)
		}
		p := Profile(s)
		in := newMemory()
		for _, u := range p.Uses {
			if len(u.Evidence) == 0 {
				t.Errorf("%+v has no evidence", u.Component)
			}
			for _, c := range []byte(u.Component.ID()) {
				if !idByte(c) && c != '%' {
					t.Errorf("id %q has byte %q", u.Component.ID(), c)
				}
			}
			if _, err := Assess(u.Component, in); err != nil {
				t.Errorf("Assess(%+v): %v", u.Component, err)
			}
		}
	})
}
