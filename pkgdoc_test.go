package picket_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestPackageDocs holds that exactly one file of each package has the package
// comment, and that every exported name outside main packages has a comment.
func TestPackageDocs(t *testing.T) {
	type pkg struct{ files, commented []string }
	pkgs := map[string]*pkg{}
	var bad []string
	fset := token.NewFileSet()
	sources(t, func(name string, content []byte) {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/") {
			return
		}
		file, err := parser.ParseFile(fset, name, content, parser.ParseComments)
		if err != nil {
			bad = append(bad, err.Error())
			return
		}
		p := pkgs[path.Dir(name)]
		if p == nil {
			p = &pkg{}
			pkgs[path.Dir(name)] = p
		}
		p.files = append(p.files, name)
		if file.Doc != nil {
			p.commented = append(p.commented, name)
		}
		if file.Name.Name != "main" {
			for _, n := range undocumented(file) {
				bad = append(bad, fmt.Sprintf("%s: %s has no comment that says what is promised", fset.Position(n.Pos()), n.Name))
			}
		}
	})
	for dir, p := range pkgs {
		if len(p.commented) != 1 {
			bad = append(bad, fmt.Sprintf("package %s: %d files have the package comment %v, want exactly one of %d", dir, len(p.commented), p.commented, len(p.files)))
		}
	}
	report(t, bad)
}

// undocumented lists the exported top-level names and methods without a comment.
// A comment on a group of constants or variables serves the whole group.
func undocumented(file *ast.File) (missing []*ast.Ident) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				missing = append(missing, d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && s.Doc == nil && s.Comment == nil && (d.Doc == nil || len(d.Specs) > 1) {
						missing = append(missing, s.Name)
					}
				case *ast.ValueSpec:
					for _, n := range s.Names {
						if n.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
							missing = append(missing, n)
						}
					}
				}
			}
		}
	}
	return missing
}

// exportedReceiver reports whether d is a function or a method of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return true
		}
	}
}

func TestUndocumentedHolds(t *testing.T) {
	src := "package p\nfunc F() {}\ntype T struct{}\nfunc (t *T) M() {}\nfunc (u u) N() {}\nconst C = 1\n// Known.\nvar V, W int\nconst (\n\tD = 1 // said\n)\n"
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range undocumented(file) {
		got = append(got, n.Name)
	}
	if want := []string{"F", "T", "M", "C"}; !slices.Equal(got, want) {
		t.Errorf("undocumented = %v, want %v", got, want)
	}
}

// strangers are what belongs to one machine or one workplace and not into the
// project. The patterns are put together here so that they do not find themselves.
var strangers = []struct {
	pattern *regexp.Regexp
	what    string
}{
	{regexp.MustCompile(`/` + `work/(main|shared|\.library)`), "path of one machine"},
	{regexp.MustCompile(`/` + `root/(brief|pristine|go/|\.)`), "path of one machine"},
	{regexp.MustCompile(`/` + `farm/|farm` + `-(studio|bench)`), "path or tool of a workplace"},
	{regexp.MustCompile(`(?i)\b(clau` + `de|anthro` + `pic)\b`), "tool of a workplace"},
	{regexp.MustCompile(`registry\.` + `npmjs|registry\.` + `yarnpkg|proxy\.` + `golang\.org|sum\.` + `golang\.org|files\.` + `pythonhosted`), "host of a package registry"},
}

func TestNoStrangers(t *testing.T) {
	var bad []string
	sources(t, func(name string, content []byte) {
		base := path.Base(name)
		if program(content) {
			bad = append(bad, name+" is a built program: take it out of the tree and of the commit")
		}
		if bytes.IndexByte(content[:min(len(content), 8000)], 0) >= 0 {
			return
		}
		if base == "package-lock.json" {
			if bytes.Contains(content, []byte(`"resolved": "http`)) {
				bad = append(bad, name+` holds "resolved" addresses: set omit-lockfile-registry-resolved=true for npm and write it again`)
			}
		}
		for _, s := range strangers {
			if at := s.pattern.FindIndex(content); at != nil {
				line := 1 + bytes.Count(content[:at[0]], []byte("\n"))
				bad = append(bad, fmt.Sprintf("%s:%d: %q is a %s", name, line, content[at[0]:at[1]], s.what))
			}
		}
	})
	report(t, bad)
}

// program reports whether a file is a program for a processor: an ELF file whose
// machine is not the kernel's own (EM_BPF, 247).
func program(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\x7fELF")) && len(content) > 19 && content[18] != 247
}

func TestStrangersHold(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if built, err := os.ReadFile(self); err != nil || runtime.GOOS == "linux" && !program(built) {
		t.Errorf("a built program is not found: %v", err)
	}
	for _, text := range []string{"/" + "work/shared/x", "/" + "root/pristine", "registry." + "npmjs.org"} {
		found := false
		for _, s := range strangers {
			found = found || s.pattern.MatchString(text)
		}
		if !found {
			t.Errorf("%q is not found", text)
		}
	}
}
