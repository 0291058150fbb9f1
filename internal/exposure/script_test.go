package exposure

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

// Scripts are testdata/*.txt in txtar form: what a device reports, what feeds
// say, and what Picket makes of it. Sections:
//
//	os          os-release(5)
//	dpkg        paragraphs of a status file; "Origin:" is that of the repository
//	rpm, apk    name version source source-version [module=M] [vendor=V] [nosource=yes]
//	python, npm, ruby, golang, java, snap, flatpak
//	            name version [path=P] [owner=distribution package]
//	kernel      release package package-version; "none" for another root
//	restart     package source version-on-disk version-in-memory
//	partial     section reason
//	advisories  feed ecosystem[:release]/package advisory[=weakness,…] state [range …] [module=M] [note=N]
//	            a range is <fixed, from..<fixed, from..=last, from.. or =version
//	covers      feed ecosystem[:release], for feeds without advisories here
//	aliases     id canonical
//	rejected    id
//	ended       ecosystem[:release][/package][@version] upgrade|uninstall product [release]
//	            release lines that have ended; causes are listed then
//	want        one line per match, unassessed component and gap
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := readScript(t, ar)
			got := s.run(t)
			if *update {
				s.rewrite(t, file, ar, got)
				return
			}
			if diff := cmp.Diff(s.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
			s.reverse()
			if diff := cmp.Diff(got, s.run(t)); diff != "" {
				t.Errorf("%s: another order of statements and items gives (-first +reversed):\n%s", file, diff)
			}
		})
	}
}

type script struct {
	sections map[inventory.SectionName]*inventory.Section
	in       *memory
	ended    [][]string
	want     string
}

func readScript(t *testing.T, ar *txtar.Archive) *script {
	t.Helper()
	s := &script{in: newMemory(), sections: map[inventory.SectionName]*inventory.Section{}}
	date := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for _, f := range ar.Files {
		text := string(f.Data)
		name := inventory.SectionName(f.Name)
		section := inventory.NewSection(name, inventory.Complete, "")
		switch f.Name {
		case "want":
			s.want = text
			continue
		case "advisories":
			eachLine(text, func(w []string) { s.advisory(t, w, date) })
			continue
		case "covers":
			eachLine(text, func(w []string) {
				eco, release, _ := strings.Cut(strings.Join(w[1:], " "), ":")
				s.in.cover(eco, release, w[0], date)
			})
			continue
		case "aliases":
			eachLine(text, func(w []string) { s.in.canonical[w[0]] = w[1] })
			continue
		case "ended":
			eachLine(text, func(w []string) { s.ended = append(s.ended, w) })
			continue
		case "rejected":
			eachLine(text, func(w []string) { s.in.rejected[w[0]] = true })
			continue
		case "partial":
			eachLine(text, func(w []string) {
				s.sections[inventory.SectionName(w[0])].MarkPartial(strings.Join(w[1:], " "))
			})
			continue
		case "os":
			section.Put("os", osRelease(text))
		case "dpkg":
			for _, para := range strings.Split(text, "\n\n") {
				if p, ok := dpkgPackage(para); ok {
					section.Put(p.Name+":"+p.Arch, p)
				}
			}
		case "kernel":
			eachLine(text, func(w []string) {
				if w[0] == "none" {
					section.Status, section.Reason = inventory.NotApplicable, "another root file system is inventoried"
					return
				}
				k := inventory.KernelFact{Release: w[0]}
				if len(w) > 2 {
					k.Package, k.PackageVersion = w[1], w[2]
				}
				section.Put("running", k)
			})
		case "restart":
			eachLine(text, func(w []string) {
				section.Put(w[0], inventory.RestartNeed{Package: w[0], Source: w[1], Installed: dash(w[2]), RunningVersion: dash(w[3]),
					Paths: []string{"/usr/lib/" + w[0] + ".so (deleted)"}, Processes: []inventory.Process{{PID: 7, Name: "daemon"}}})
			})
		default:
			if !slices.Contains(inventory.PackageSections, name) {
				t.Fatalf("unknown section %q", f.Name)
			}
			eachLine(text, func(w []string) {
				p := inventory.Package{Name: w[0], Version: dash(w[1])}
				plain := w[2:]
				for len(plain) > 0 && !strings.Contains(plain[0], "=") {
					if p.Source == "" {
						p.Source = plain[0]
					} else {
						p.SourceVersion = plain[0]
					}
					plain = plain[1:]
				}
				o := options(plain)
				p.Module, p.Vendor, p.Origin, p.NoSource = o["module"], o["vendor"], o["origin"], o["nosource"] != ""
				if o["owner"] != "" {
					p.Source = o["owner"]
				}
				if o["path"] != "" {
					p.Paths = []string{o["path"]}
				}
				section.Put(fmt.Sprintf("%s@%s@%s", p.Name, p.Version, o["path"]), p)
			})
		}
		section.Seal()
		s.sections[name] = section
	}
	return s
}

// advisory reads one line of the advisories section.
func (s *script) advisory(t *testing.T, w []string, date time.Time) {
	t.Helper()
	if len(w) < 4 {
		t.Fatalf("advisory line %q is too short", w)
	}
	key := strings.ReplaceAll(w[1], "_", " ") // "Rocky_Linux:9/kernel"
	place, name, _ := strings.Cut(key, "/")
	eco, release, _ := strings.Cut(place, ":")
	st := advisory.Statement{Feed: w[0], State: advisory.State(w[3])}
	id, list, ok := strings.Cut(w[2], "=")
	st.Advisory, st.Weaknesses = id, []string{id}
	if ok {
		st.Weaknesses = strings.Split(list, ",")
	}
	var opts []string
	for _, word := range w[4:] {
		switch from, to, isRange := strings.Cut(word, ".."); {
		case strings.HasPrefix(word, "<"):
			st.Ranges = append(st.Ranges, version.Range{Fixed: word[1:]})
		case strings.HasPrefix(word, "="):
			st.Versions = append(st.Versions, word[1:])
		case isRange && strings.HasPrefix(to, "<"):
			st.Ranges = append(st.Ranges, version.Range{Introduced: from, Fixed: to[1:]})
		case isRange && strings.HasPrefix(to, "="):
			st.Ranges = append(st.Ranges, version.Range{Introduced: from, LastAffected: to[1:]})
		case isRange:
			st.Ranges = append(st.Ranges, version.Range{Introduced: from})
		default:
			opts = append(opts, word)
		}
	}
	o := options(opts)
	st.Module, st.Note, st.Urgency = o["module"], strings.ReplaceAll(o["note"], "_", " "), o["urgency"]
	s.in.add(advisory.Key{Ecosystem: eco, Release: release, Name: name}, st, date)
}

// run evaluates the script's device in full, as text.
func (s *script) run(t *testing.T) string {
	t.Helper()
	p := Profile(s.sections)
	var b strings.Builder
	for i, a := range assessAll(t, p, s.in) {
		c := p.Uses[i].Component
		name := c.Product + " " + c.Version
		if c.Version == "" {
			name = c.Product
		}
		if c.Role != Plain {
			name += " [" + string(c.Role) + "]"
		}
		if a.Unassessed != "" {
			fmt.Fprintf(&b, "? %s: %s\n", name, a.Unassessed)
		}
		for _, m := range a.Matches {
			mark := "-"
			if m.Exposed {
				mark = "+"
			}
			fmt.Fprintf(&b, "%s %s %s: %s", mark, m.Weakness, name, m.State)
			if m.Fixed != "" {
				fmt.Fprintf(&b, " in %s", m.Fixed)
			}
			fmt.Fprintf(&b, " via %s %s; %s", m.Statement.Feed, m.Statement.Advisory, m.Rule)
			if len(m.Statement.Announced) > 0 {
				fmt.Fprintf(&b, "; announced %s", strings.Join(m.Statement.Announced, " "))
			}
			b.WriteByte('\n')
		}
		for _, n := range a.Notes {
			fmt.Fprintf(&b, "# %s: %s\n", name, n)
		}
	}
	for _, g := range p.Gaps {
		fmt.Fprintf(&b, "! %s: %s\n", g.What, g.Why)
	}
	if s.ended != nil {
		s.causes(t, &b, p)
	}
	return b.String()
}

// causes writes what there is to do on the script's device, each weakness
// weighing 1,000 points.
func (s *script) causes(t *testing.T, b *strings.Builder, p DeviceProfile) {
	t.Helper()
	f := NewFleet(func(string) Rating { return Rating{Points: 1000} })
	var ids []ComponentID
	for i, a := range assessAll(t, p, s.in) {
		c := p.Uses[i].Component
		id, _ := f.Intern(c)
		ids = append(ids, id)
		f.SetAssessment(id, &a)
		for _, w := range s.ended {
			place, version, hasVersion := strings.Cut(w[0], "@")
			place, name, hasName := strings.Cut(place, "/")
			eco, release, _ := strings.Cut(strings.ReplaceAll(place, "_", " "), ":")
			if c.Key.Ecosystem != eco || c.Key.Release != release || hasName && c.Key.Name != name || hasVersion && !strings.HasPrefix(c.Version, version) {
				continue
			}
			l := Line{Product: w[2], Remedy: map[string]Remedy{"upgrade": Upgrade, "uninstall": Uninstall}[w[1]]}
			if len(w) > 3 {
				l.Release = w[3]
			}
			f.SetLine(id, l)
		}
	}
	f.SetDevice(0, ids)
	f.Scores().Put(0, 0, ValueNormal)
	for !f.Scores().Settle(1) {
	}
	words := map[Remedy]string{Update: "update", Attention: "attention", Restart: "restart", Upgrade: "upgrade", Uninstall: "uninstall"}
	points := map[string]int{}
	for _, term := range f.Scores().Terms(0) {
		product := f.Component(term.Component).ID()
		if term.Remedy.OfLine() {
			product = f.LineOf(term.Component).Product
		}
		points[words[term.Remedy]+" "+product] += int(term.Points)
	}
	var lines []string
	for _, r := range f.Scores().Reliefs(nil, DefaultWeights(1)) {
		if r.Remedy != Gone {
			what := words[r.Remedy] + " " + r.Product
			lines = append(lines, fmt.Sprintf("= %s: %d points\n", what, points[what]))
			delete(points, what)
		}
	}
	if len(points) > 0 {
		t.Errorf("no cause has the points of %v", points)
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, ""))
}

// reverse turns every order around that must not matter.
func (s *script) reverse() {
	for _, sec := range s.sections {
		slices.Reverse(sec.Items)
	}
	for k := range s.in.statements {
		slices.Reverse(s.in.statements[k])
	}
}

func (s *script) rewrite(t *testing.T, file string, ar *txtar.Archive, got string) {
	t.Helper()
	for i := range ar.Files {
		if ar.Files[i].Name == "want" {
			ar.Files[i].Data = []byte(got)
		}
	}
	if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
		t.Fatal(err)
	}
}

func eachLine(text string, fn func(words []string)) {
	for line := range strings.Lines(text) {
		if w := strings.Fields(line); len(w) > 0 && !strings.HasPrefix(w[0], "#") {
			fn(w)
		}
	}
}

func options(words []string) map[string]string {
	o := map[string]string{}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		o[k] = strings.ReplaceAll(v, "_", " ")
	}
	return o
}

// dash reads "-" as empty.
func dash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

func osRelease(text string) inventory.OS {
	o := inventory.OS{Family: "linux"}
	for line := range strings.Lines(text) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		v = strings.Trim(v, `"`)
		switch k {
		case "ID":
			o.ID = v
		case "ID_LIKE":
			o.IDLike = strings.Fields(v)
		case "VERSION_ID":
			o.VersionID = v
		case "VERSION_CODENAME":
			o.Codename = v
		case "PRETTY_NAME":
			o.PrettyName = v
		}
	}
	return o
}
