package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// poisons are texts that a hostile host may put wherever a text is collected.
func poisons() []string {
	return []string{
		"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; DROP TABLE device; --", "=cmd|' /C calc'!A0",
		"../../../../etc/passwd", "a/../../b", "..", ".", "\x00nul\x01\x1b[31mred\x1b[0m", "line\u2028separator", "\u202ertl\u202c", "\ufeffbom",
		"\xff\xfe not utf8 \xc3(", strings.Repeat("n", 64<<10), strings.Repeat("\u00e9", 40_000), "CON", "C:\\Windows\\x", "%s%n%d", "${jndi:ldap://x}", "{{7*7}}",
	}
}

// poisonTree puts every poison into every kind of source.
func poisonTree(t testing.TB) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	file := func(name, data string) {
		if fs.ValidPath(name) {
			m[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o755, ModTime: testNow}
		}
	}
	var status, apk, release, packages strings.Builder
	release.WriteString("Origin: <b>Evil</b>\nLabel: security\nSuite: \u202ex\nCodename: c\n")
	flat := func(s string) string { return strings.NewReplacer("\n", " ", "\u2028", "\u2028").Replace(s) }
	for i, p := range poisons() {
		p = flat(p)
		fmt.Fprintf(&status, "Package: p%d%s\nStatus: install ok installed\nVersion: 1%s\nArchitecture: %s\nSource: %s (%s)\nMaintainer: %s\nDescription: %s\n\n", i, p, p, p, p, p, p, p)
		fmt.Fprintf(&status, "Package: ok%d\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n", i)
		fmt.Fprintf(&packages, "Package: ok%d\nVersion: 2%s\nArchitecture: amd64\nSource: %s\n\n", i, p, p)
		fmt.Fprintf(&apk, "P:a%d%s\nV:%s\nA:%s\no:%s\nm:%s\nT:%s\n\n", i, p, p, p, p, p, p)
		quoted, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		file(fmt.Sprintf("srv/app/node_modules/n%d/package.json", i), fmt.Sprintf(`{"name":%s,"version":%s}`, quoted, quoted))
		file(fmt.Sprintf("usr/lib/python3/dist-packages/d%d.dist-info/METADATA", i), "Name: "+p+"\nVersion: "+p+"\nSummary: "+p+"\n")
		file(fmt.Sprintf("opt/gems/specifications/g%d-1.gemspec", i), "s.name = \""+p+"\"\ns.version = '"+p+"'\n")
		file(fmt.Sprintf("opt/jars/j%d.jar", i), string(jar(t, pom("g", p[:min(len(p), 30_000)], p), member{p[:min(len(p), 60_000)] + "/../../x.jar", []byte("no zip"), false})))
		file(fmt.Sprintf("snap/s%d/1/meta/snap.yaml", i), "version: \""+p+"\"\nsummary: "+p+"\n")
		file(fmt.Sprintf("var/lib/snapd/snaps/s%d_1.snap", i), "")
		if name := "srv/odd/" + p + "/node_modules/x/package.json"; len(name) < 5000 {
			file(name, `{"name":"x","version":"1"}`)
		}
	}
	file("var/lib/dpkg/status", status.String())
	file("lib/apk/db/installed", apk.String())
	file("var/lib/apt/lists/evil_Release", release.String())
	file("var/lib/apt/lists/evil_Packages", packages.String())
	file("var/lib/apt/lists/broken_Packages.lz4", "\x04\x22\x4d\x18\x40\x40\xc0\xff\xff\xff\x7f")
	file("var/lib/apt/lists/broken_Packages.gz", "no gzip")
	file("etc/os-release", "ID=\u202edebian\nNAME=\"<script>\"\nVERSION_ID=\x00\x01\nPRETTY_NAME="+strings.Repeat("x", 60<<10)+"\n")
	file("etc/hostname", strings.Repeat("h", 64<<10))
	file("etc/hosts", "127.0.0.1 <script>alert(1)</script>\n")
	file("etc/timezone", "<b>\x1b")
	file("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\x00"+strings.Repeat("\xff", 9000))
	file("var/lib/snapd/state.json", strings.Repeat(`{"data":`, 20_000))
	file("var/lib/flatpak/app/<script>/x86_64/..x/active/deploy", "appdata-version\x00\x00\x00<script>\x00s")
	m["usr/lib/loop"] = &fstest.MapFile{Data: []byte("."), Mode: fs.ModeSymlink}
	m["usr/lib/out.jar"] = &fstest.MapFile{Data: []byte("../../../../etc/passwd"), Mode: fs.ModeSymlink}
	file("usr/bin/elf", "\x7fELF\x02\x01\x01"+strings.Repeat("\xff", 300<<10))
	file("usr/bin/pe.exe", "MZ"+strings.Repeat("\xff", 300<<10))
	file("usr/bin/macho", "\xcf\xfa\xed\xfe"+strings.Repeat("\xff", 300<<10))
	return m
}

// TestPoison runs everything on a hostile root: it ends, it is bounded, what it
// gives is safe to carry, and what was left out is told.
func TestPoison(t *testing.T) {
	h := Host{FS: poisonTree(t), Now: testNow}
	l := DefaultLimits()
	start := time.Now()
	partial := map[inventory.SectionName]bool{}
	for _, c := range All() {
		s := Run(t.Context(), c, h, l)
		if strings.Contains(s.Reason, "internal error") {
			t.Errorf("%s: %s", s.Name, s.Reason)
		}
		if len(s.Reason) > 2000 {
			t.Errorf("%s: a reason of %d bytes", s.Name, len(s.Reason))
		}
		partial[s.Name] = s.Status == inventory.Partial
		safe(t, s.Name, s.Reason, 2000)
		for _, it := range s.Items {
			if len(it.Value) > 32<<10 {
				t.Errorf("%s: an item of %d bytes", s.Name, len(it.Value))
			}
			safe(t, s.Name, it.Key, maxName+maxPath)
			var v any
			if err := json.Unmarshal(it.Value, &v); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
			safeValue(t, s.Name, v)
		}
		again := Run(t.Context(), collector(t, All(), c.Name), h, l)
		if again.Hash() != s.Hash() {
			t.Errorf("%s: two runs differ", c.Name)
		}
		t.Logf("%s %s %d items: %.200s", s.Name, s.Status, len(s.Items), s.Reason)
	}
	for _, n := range []inventory.SectionName{inventory.DPKG, inventory.RPM, inventory.APK, inventory.NPM, inventory.Python, inventory.Java, inventory.Updates, inventory.Snap} {
		if !partial[n] {
			t.Errorf("section %s of a poisoned root is not partial", n)
		}
	}
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("it took %s", took)
	}
}

func safeValue(t *testing.T, n inventory.SectionName, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		safe(t, n, v, maxPath)
	case []any:
		for _, e := range v {
			safeValue(t, n, e)
		}
	case map[string]any:
		for _, e := range v {
			safeValue(t, n, e)
		}
	}
}

func safe(t *testing.T, n inventory.SectionName, s string, max int) {
	t.Helper()
	if len(s) > max {
		t.Errorf("%s: a text of %d bytes: %.40q…", n, len(s), s)
	}
	for _, c := range s {
		if forbidden(c) {
			t.Errorf("%s: character %U in %.80q", n, c, s)
			return
		}
	}
}

// TestCaps proves that each cap of a section is kept and told.
func TestCaps(t *testing.T) {
	var status bytes.Buffer
	for i := range 300 {
		fmt.Fprintf(&status, "Package: p%d\nStatus: install ok installed\nVersion: 1\n\n", i)
	}
	h := Host{FS: fstest.MapFS{"var/lib/dpkg/status": &fstest.MapFile{Data: status.Bytes()}}, Now: testNow}
	l := DefaultLimits()
	l.MaxItems = 100
	s := Run(t.Context(), collector(t, All(), inventory.DPKG), h, l)
	if len(s.Items) != 100 || !strings.Contains(s.Reason, "200 items beyond the limit of 100") {
		t.Errorf("items: %d, %q", len(s.Items), s.Reason)
	}
	l = DefaultLimits()
	l.MaxFileBytes = 1000
	s = Run(t.Context(), collector(t, All(), inventory.DPKG), h, l)
	if s.Status != inventory.Partial || len(s.Items) == 0 || !strings.Contains(s.Reason, errTooLarge.Error()) {
		t.Errorf("bytes: %d items, %s %q", len(s.Items), s.Status, s.Reason)
	}
}
