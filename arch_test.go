package picket_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/picketsec/picket"

// may is the floors table of ARCHITECTURE.md: which rooms a room may import.
// Names are paths below internal/, or "web". Mains are in mains.
var may = map[string][]string{
	// floor 0: words
	"version":   {},
	"inventory": {"version"},
	"advisory":  {"version"},
	"event":     {},
	// floor 1: reasoning
	"exposure": {"version", "inventory", "advisory"},
	"posture":  {"version", "inventory", "event"},
	"sbom":     {"inventory", "advisory"},
	"osquery":  {"inventory"},
	"vex":      {},
	"group":    {},
	"alert":    {"event"},
	"audit":    {},
	"scim":     {},
	"kql":      {},
	// floor 2: the outside world
	"intel":                 {"version", "inventory", "advisory", "exposure"},
	"protocol":              {"inventory", "version", "event"},
	"eventlog":              {"event", "inventory"},
	"eventlog/eventlogtest": {"event", "eventlog", "inventory"},
	"store":                 {"version", "inventory", "advisory", "exposure", "audit"},
	"ticket":                {},
	"syslog":                {},
	// floor 3: programs
	"agent":               {"inventory", "protocol", "version", "event", "agent/collect", "agent/respond", "agent/sense"},
	"agent/respond":       {"event"},
	"agent/sense":         {"event"},
	"agent/collect":       {"inventory", "version", "agent/collect/rpmdb", "agent/collect/conf"},
	"agent/collect/rpmdb": {},
	"agent/collect/conf":  {},
	"server":              {"version", "inventory", "advisory", "exposure", "posture", "group", "alert", "audit", "sbom", "osquery", "vex", "scim", "kql", "event", "protocol", "store", "eventlog", "intel", "ticket", "syslog"},
	"api":                 {"server", "inventory", "advisory", "exposure", "ticket", "api/mde", "web"},
	"api/mde":             {"server", "inventory", "advisory", "exposure"},
	"simulate":            {"version", "event", "inventory", "protocol"},
	"web":                 {},
	// beside the floors: data for the first run, and proof
	"demo":          {},
	"rig":           {},
	"client":        {},
	"rig/clientgen": {},
	"rig/names":     {},
	"rig/pest":      {"event", "inventory", "posture", "protocol"},
}

// mains may import every room; nothing imports them.
var mains = []string{"cmd/picket", "cmd/picket-agent", "bench", "rig/pest/send"}

// pure rooms decide without I/O, clock, goroutines or logs.
var pure = []string{"version", "inventory", "advisory", "exposure", "posture", "group", "alert", "audit", "sbom", "osquery", "vex", "scim", "kql", "event"}

// impure are the packages that a pure room may not import.
var impure = []string{"os", "os/exec", "io/ioutil", "net", "net/http", "database/sql", "log", "log/slog", "path/filepath", "math/rand", "math/rand/v2", "crypto/rand"}

// clock are the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// budgets of the tree. Raising one needs an ADR.
const (
	goLines       = 500 // non-test Go file
	tsLines       = 300 // TypeScript file
	methods       = 8   // exported interface
	directModules = 30
)

// documentation are interfaces that list what a struct offers and are not
// implemented a second time: the budget of methods does not concern them.
var documentation = []string{"server.API"}

type listed struct {
	ImportPath string
	Imports    []string
}

// packages lists the module's packages as the go command sees them.
func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			t.Fatalf("read go list: %v", err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no packages")
	}
	return all
}

// room turns an import path into a key of may or mains; ok is false for
// packages outside this module.
func room(importPath string) (name string, ok bool) {
	if importPath == module {
		return "", true
	}
	rest, ok := strings.CutPrefix(importPath, module+"/")
	return strings.TrimPrefix(rest, "internal/"), ok
}

// report fails the test with every violation at once.
func report(t *testing.T, violations []string) {
	t.Helper()
	slices.Sort(violations)
	for _, v := range slices.Compact(violations) {
		t.Error(v)
	}
}

func TestFloors(t *testing.T) {
	var bad []string
	for _, p := range packages(t) {
		if strings.Contains(p.ImportPath, "/node_modules/") {
			bad = append(bad, `go list walks into node_modules: go.mod needs the line "ignore ./web/node_modules"`)
			continue
		}
		bad = append(bad, floorViolations(p)...)
	}
	report(t, bad)
}

func floorViolations(p listed) (bad []string) {
	from, _ := room(p.ImportPath)
	if from == "" {
		return nil
	}
	allowed, known := may[from]
	isMain := slices.Contains(mains, from)
	if !known && !isMain {
		return []string{fmt.Sprintf("unknown package %s: add it to ARCHITECTURE.md and here", p.ImportPath)}
	}
	for _, imp := range p.Imports {
		to, ours := room(imp)
		switch {
		case ours && (slices.Contains(mains, to) || to == ""):
			bad = append(bad, fmt.Sprintf("%s imports %s: nothing imports a main", from, imp))
		case ours && !isMain && !slices.Contains(allowed, to):
			bad = append(bad, fmt.Sprintf("%s may not import %s", from, to))
		case slices.Contains(pure, from) && slices.Contains(impure, imp):
			bad = append(bad, fmt.Sprintf("%s is pure; it may not import %s", from, imp))
		case imp == "testing" && !strings.HasSuffix(from, "test"): // suites of conformance are proof, not product
			bad = append(bad, fmt.Sprintf("%s imports testing outside a test", from))
		}
	}
	return bad
}

// TestFloorsHold proves that the rules above can fail.
func TestFloorsHold(t *testing.T) {
	for _, tt := range []struct {
		from, imports, want string
	}{
		{"internal/exposure", module + "/internal/store", "exposure may not import store"},
		{"internal/exposure", "os", "exposure is pure; it may not import os"},
		{"internal/agent", module + "/internal/exposure", "agent may not import exposure"},
		{"internal/api", module + "/internal/store", "api may not import store"},
		{"internal/server", module + "/internal/demo", "server may not import demo"},
		{"internal/util", "fmt", "unknown package " + module + "/internal/util: add it to ARCHITECTURE.md and here"},
		{"internal/api", module + "/cmd/picket", "api imports " + module + "/cmd/picket: nothing imports a main"},
	} {
		got := floorViolations(listed{ImportPath: module + "/" + tt.from, Imports: []string{tt.imports}})
		if len(got) != 1 || got[0] != tt.want {
			t.Errorf("%s importing %s: %q, want %q", tt.from, tt.imports, got, tt.want)
		}
	}
}

// TestArchitectureTells proves that every room is in ARCHITECTURE.md.
func TestArchitectureTells(t *testing.T) {
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var bad []string
	for name := range may {
		if !bytes.Contains(text, []byte("`"+name+"`")) {
			bad = append(bad, fmt.Sprintf("ARCHITECTURE.md does not tell of `%s`", name))
		}
	}
	if n := bytes.Count(text, []byte("\n")); n > 250 {
		bad = append(bad, fmt.Sprintf("ARCHITECTURE.md has %d lines, more than 250", n))
	}
	report(t, bad)
}

func TestPure(t *testing.T) {
	var bad []string
	for _, name := range pure {
		dir := filepath.Join("internal", name)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			src, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			bad = append(bad, purityViolations(t, filepath.Join(dir, e.Name()), src)...)
		}
	}
	report(t, bad)
}

func purityViolations(t *testing.T, name string, src []byte) (bad []string) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, 0)
	if err != nil {
		return []string{err.Error()}
	}
	timeName := ""
	for _, imp := range file.Imports {
		if p, _ := strconv.Unquote(imp.Path.Value); p == "time" {
			timeName = "time"
			if imp.Name != nil {
				timeName = imp.Name.Name
			}
		}
	}
	say := func(n ast.Node, what string) {
		bad = append(bad, fmt.Sprintf("%s: pure code %s", fset.Position(n.Pos()), what))
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say(n, "starts a goroutine")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && slices.Contains(clock, n.Sel.Name) {
				say(n, "calls time."+n.Sel.Name)
			}
		}
		return true
	})
	return bad
}

func TestPureHolds(t *testing.T) {
	src := []byte("package p\nimport clock \"time\"\nfunc f() { go f(); _ = clock.Now() }\n")
	if got := purityViolations(t, "p.go", src); len(got) != 2 {
		t.Errorf("violations = %q, want a goroutine and time.Now", got)
	}
}

// ignored reports whether a file is one of the programs and profiles that git
// ignores wherever `go build` and `go test` leave them.
func ignored(name string) bool {
	ext := path.Ext(name)
	return name == "picket" || name == "picket-agent" || ext == ".test" || ext == ".prof"
}

// sources walks the files that people write: no dependencies, no build results.
func sources(t *testing.T, each func(name string, content []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(p)
		if d.IsDir() {
			switch {
			case d.Name() == ".git" || d.Name() == "node_modules",
				name == "bin", name == ".picket", name == "web/dist", name == "web/e2e/out", name == "web/coverage":
				return filepath.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || name == ".git" { // a file in a work tree of git
			return nil
		}
		info, err := d.Info()
		if err != nil || ignored(name) {
			return err
		}
		if info.Size() > 8<<20 {
			t.Errorf("%s has %d bytes: take it out of the tree and of the commit", name, info.Size())
			return nil
		}
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		each(name, content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestBudgets(t *testing.T) {
	var bad []string
	sources(t, func(name string, content []byte) {
		base, lines := path.Base(name), bytes.Count(content, []byte("\n"))
		if strings.Contains(base, ".gen.") || strings.Contains(name, "/testdata/") {
			return
		}
		switch path.Ext(base) {
		case ".go":
			if strings.HasSuffix(base, "_test.go") {
				return
			}
			if lines > goLines {
				bad = append(bad, fmt.Sprintf("%s has %d lines, more than %d", name, lines, goLines))
			}
			bad = append(bad, wideInterfaces(name, content)...)
		case ".ts", ".tsx":
			if lines > tsLines {
				bad = append(bad, fmt.Sprintf("%s has %d lines, more than %d", name, lines, tsLines))
			}
		}
	})
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatalf("go mod edit: %v", err)
	}
	var mod struct{ Require []struct{ Indirect bool } }
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatalf("read go mod edit: %v", err)
	}
	direct := 0
	for _, r := range mod.Require {
		if !r.Indirect {
			direct++
		}
	}
	if direct > directModules {
		bad = append(bad, fmt.Sprintf("go.mod has %d direct modules, more than %d", direct, directModules))
	}
	report(t, bad)
}

func wideInterfaces(name string, src []byte) (bad []string) {
	file, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	if err != nil {
		return []string{err.Error()}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !spec.Name.IsExported() || slices.Contains(documentation, file.Name.Name+"."+spec.Name.Name) {
			return true
		}
		if it, ok := spec.Type.(*ast.InterfaceType); ok {
			n := 0
			for _, f := range it.Methods.List {
				n += max(1, len(f.Names))
			}
			if n > methods {
				bad = append(bad, fmt.Sprintf("%s: interface %s has %d methods, more than %d", name, spec.Name.Name, n, methods))
			}
		}
		return true
	})
	return bad
}
