package posture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/inventory"
)

// collected returns the settings that the agent's collectors make of the trees
// in their own tests, by section.
func collected(t *testing.T) map[inventory.SectionName][]string {
	t.Helper()
	files, err := filepath.Glob("../agent/collect/testdata/posture-*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts of the collectors: %v", err)
	}
	all := map[inventory.SectionName][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range txtar.Parse(text).Files {
			if f.Name != "want" {
				continue
			}
			section := inventory.SectionName("")
			for line := range strings.Lines(string(f.Data)) {
				name, _, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
				if key, ok := strings.CutPrefix(line, "\t"); ok {
					key, _, _ = strings.Cut(key, " {")
					all[section] = append(all[section], key)
				} else {
					section = inventory.SectionName(name)
				}
			}
		}
	}
	return all
}

// TestNamesAreCollected proves that every setting that a check looks at is one
// that a collector makes: a name that is written wrong would never fail. The
// names of units, files and audit rules are the host's own.
func TestNamesAreCollected(t *testing.T) {
	all := collected(t)
	looked := map[inventory.SectionName][]string{}
	for _, c := range Checks() {
		lines := slices.Clone(c.tests)
		for _, n := range c.needs {
			lines = append(lines, n.line)
		}
		for _, l := range lines {
			for _, k := range l {
				looked[k.section] = append(looked[k.section], k.name)
				switch k.section {
				case packages, inventory.Services, inventory.Files, inventory.Audit:
					continue
				}
				name := strings.TrimPrefix(k.name, "file:")
				if !slices.ContainsFunc(all[k.section], func(n string) bool { return like(name, n) }) {
					t.Errorf("%s looks at %s %s, which no collector makes", c.ID, k.section, k.name)
				}
			}
		}
	}
	for s, names := range all {
		for _, n := range names {
			switch s {
			case inventory.Services, inventory.Files, inventory.Audit:
				continue
			}
			if !slices.ContainsFunc(looked[s], func(l string) bool { return like(l, n) }) {
				t.Errorf("%s %s is collected and no check looks at it", s, n)
			}
		}
	}
}
