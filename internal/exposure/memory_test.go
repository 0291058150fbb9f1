package exposure

import (
	"compress/gzip"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

var update = flag.Bool("update", false, "rewrite the wanted results in testdata")

// memory is an Intelligence in maps.
type memory struct {
	statements map[advisory.Key][]advisory.Statement
	coverage   map[[2]string][]advisory.Coverage
	canonical  map[string]string
	rejected   map[string]bool
}

var _ Intelligence = (*memory)(nil)

func newMemory() *memory {
	return &memory{statements: map[advisory.Key][]advisory.Statement{}, coverage: map[[2]string][]advisory.Coverage{},
		canonical: map[string]string{}, rejected: map[string]bool{}}
}

func (m *memory) Statements(k advisory.Key) ([]advisory.Statement, error) {
	return m.statements[k], nil
}

func (m *memory) Coverage(ecosystem, release string) []advisory.Coverage {
	return m.coverage[[2]string{ecosystem, release}]
}

func (m *memory) Canonical(id string) string {
	if c, ok := m.canonical[id]; ok {
		return c
	}
	return id
}

func (m *memory) Rejected(id string) bool { return m.rejected[id] }

// add places one statement and the coverage that follows from it.
func (m *memory) add(k advisory.Key, s advisory.Statement, date time.Time) {
	m.statements[k] = append(m.statements[k], s)
	m.cover(k.Ecosystem, k.Release, s.Feed, date)
}

func (m *memory) cover(ecosystem, release, feed string, date time.Time) {
	at := [2]string{ecosystem, release}
	for _, c := range m.coverage[at] {
		if c.Feed == feed {
			return
		}
	}
	m.coverage[at] = append(m.coverage[at], advisory.Coverage{Feed: feed, Date: date})
}

// load decodes one feed file of the given format.
func (m *memory) load(t testing.TB, f advisory.Format, name string, r io.Reader) {
	t.Helper()
	_, err := advisory.Decode(f, name, r, func(h advisory.Header, rec advisory.Record) error {
		if rec.Withdrawn {
			return nil
		}
		for _, p := range rec.Statements {
			m.add(p.Key, p.Statement, h.Date)
		}
		for _, a := range rec.Aliases {
			if strings.HasPrefix(a, "CVE-") {
				m.canonical[rec.ID] = a
			}
		}
		return nil
	}, func(id, reason string) { t.Logf("%s: skipped %q: %s", name, id, reason) })
	if err != nil {
		t.Fatalf("decode %s: %v", name, err)
	}
}

// feeds returns a path in the shared feeds, which are beside the repository.
// Without them the test is skipped, but never in CI.
func feeds(t testing.TB, name string) string {
	t.Helper()
	p := filepath.Join("..", "..", "..", "shared", "feeds", filepath.FromSlash(name))
	if _, err := os.Stat(p); err != nil {
		missing(t, "the shared feeds are not beside the repository: "+err.Error())
	}
	return p
}

// missing skips a test that lacks what it needs, and fails it in CI.
func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// tracker loads the shared Debian tracker data.
func tracker(t testing.TB) *memory {
	t.Helper()
	f, err := os.Open(feeds(t, "debian-security/security-tracker.derived-2026-06-30.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	m.load(t, advisory.FormatDebianTracker, "security-tracker.json", z)
	return m
}

// sections builds a device from an os-release and a dpkg status text.
func sections(osRelease inventory.OS, status string) map[inventory.SectionName]*inventory.Section {
	os := inventory.NewSection(inventory.OSSection, inventory.Complete, "")
	os.Put("os", osRelease)
	dpkg := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	for _, para := range strings.Split(status, "\n\n") {
		p, ok := dpkgPackage(para)
		if ok {
			dpkg.Put(p.Name+":"+p.Arch, p)
		}
	}
	dpkg.Seal()
	return map[inventory.SectionName]*inventory.Section{
		inventory.OSSection: os,
		inventory.DPKG:      dpkg,
		inventory.Kernel:    inventory.NewSection(inventory.Kernel, inventory.NotApplicable, "another root is inventoried"),
	}
}

var debian12 = inventory.OS{ID: "debian", VersionID: "12", Codename: "bookworm", Family: "linux", PrettyName: "Debian GNU/Linux 12 (bookworm)"}

// dpkgPackage reads one paragraph of a status file.
func dpkgPackage(para string) (p inventory.Package, ok bool) {
	f := map[string]string{}
	for _, line := range strings.Split(para, "\n") {
		if k, v, ok := strings.Cut(line, ": "); ok && !strings.HasPrefix(line, " ") {
			f[k] = v
		}
	}
	words := strings.Fields(f["Status"])
	if f["Package"] == "" || len(words) != 3 || words[2] == "not-installed" {
		return p, false
	}
	p = inventory.Package{Ecosystem: inventory.EcoDebian, Name: f["Package"], Version: f["Version"], Arch: f["Architecture"],
		Source: f["Package"], SourceVersion: f["Version"], Residual: words[2] == "config-files", Origin: f["Origin"], Module: f["Module"]}
	if src, rest, found := strings.Cut(f["Source"], " "); src != "" {
		p.Source = src
		if found {
			p.SourceVersion = strings.Trim(rest, "()")
		}
	}
	return p, true
}

// assessAll is the full evaluation of one device: component → assessment.
func assessAll(t testing.TB, p DeviceProfile, in Intelligence) []Assessment {
	t.Helper()
	out := make([]Assessment, len(p.Uses))
	for i, u := range p.Uses {
		a, err := Assess(u.Component, in)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = a
	}
	return out
}
