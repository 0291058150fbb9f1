package server

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// typedPackage is a package of the repository, read from source with its types.
type typedPackage struct {
	set   *token.FileSet
	files []*ast.File
	pkg   *types.Package
	info  *types.Info
}

// typed reads packages with their types; what they import comes from the build.
func typed(t *testing.T, paths ...string) map[string]*typedPackage {
	t.Helper()
	format := "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{join .GoFiles \" \"}}"
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-f", format}, paths...)...).Output()
	if err != nil {
		if bad, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v %s", err, bad.Stderr)
		}
		t.Fatal(err)
	}
	built, sources := map[string]string{}, map[string][]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			continue // unsafe has no files
		}
		built[f[0]] = f[1]
		for _, name := range strings.Fields(f[3]) {
			sources[f[0]] = append(sources[f[0]], filepath.Join(f[2], name))
		}
	}
	set := token.NewFileSet()
	from := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(built[path]) })
	read := map[string]*typedPackage{}
	for _, path := range paths {
		p := &typedPackage{set: set, info: &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}, Uses: map[*ast.Ident]types.Object{}}}
		for _, name := range sources[path] {
			f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, f)
		}
		if p.pkg, err = (&types.Config{Importer: from}).Check(path, set, p.files, p.info); err != nil {
			t.Fatal(err)
		}
		read[path] = p
	}
	return read
}

// fieldOf finds a field of a struct type of a package.
func fieldOf(t *testing.T, pkg *types.Package, typ, name string) types.Object {
	t.Helper()
	if pkg.Scope().Lookup(typ) == nil {
		t.Fatalf("%s has no %s", pkg.Path(), typ)
	}
	s := pkg.Scope().Lookup(typ).Type().Underlying().(*types.Struct)
	for i := range s.NumFields() {
		if s.Field(i).Name() == name {
			return s.Field(i)
		}
	}
	t.Fatalf("%s.%s has no field %s", pkg.Path(), typ, name)
	return nil
}

// reads calls found for every use of a field that is not the setting of it whole.
func (p *typedPackage) reads(of types.Object, found func(file string, at token.Position)) (uses int) {
	for _, f := range p.files {
		set := map[ast.Expr]bool{}
		ast.Inspect(f, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
				for _, left := range a.Lhs {
					set[ast.Unparen(left)] = true
				}
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || p.info.Selections[sel] == nil || p.info.Selections[sel].Obj() != of {
				return true
			}
			uses++
			if at := p.set.Position(sel.Pos()); !set[sel] {
				found(filepath.Base(at.Filename), at)
			}
			return true
		})
	}
	return uses
}
