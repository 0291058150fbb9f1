package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// unnoted are methods that change what is stored and note no before and after,
// with why.
var unnoted = map[string]string{
	"SetPrefs":       "how a person's own console looks; it is in no audit log",
	"BeginCode":      "nothing holds before the first code confirms it",
	"PutExceptions":  "of a VEX document, whose import and removal are noted",
	"NewExportFiles": "files of an export that end by themselves",
	"EntityEvents":   reads, "ScoresByGroup": reads, "Timeline": reads, "TimelineExport": reads, "TimelineEvent": reads,
	"VEXDocuments": reads, "VEXDocument": reads, "VEXStatements": reads, "VEXFile": reads, "VEXRemoval": reads,
}

const reads = "it reads; a helper of it has the name of one that writes"

// calls are the functions of a package by name: what each calls, and whether
// something directly in it holds.
func callsOf(t *testing.T, dir string, direct func(*ast.CallExpr) bool) (calls map[string][]string, holds map[string]bool, withCaller []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	calls, holds = map[string][]string{}, map[string]bool{}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if fn.Name.IsExported() && fn.Recv != nil {
				for _, p := range fn.Type.Params.List {
					if id, ok := p.Type.(*ast.Ident); ok && id.Name == "Caller" {
						withCaller = append(withCaller, fn.Name.Name)
					}
				}
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					holds[fn.Name.Name] = holds[fn.Name.Name] || direct(call)
					switch to := call.Fun.(type) {
					case *ast.Ident:
						calls[fn.Name.Name] = append(calls[fn.Name.Name], to.Name)
					case *ast.SelectorExpr: // of its own receiver; names of others' methods say nothing
						if x, ok := to.X.(*ast.Ident); ok && fn.Recv != nil && len(fn.Recv.List[0].Names) == 1 && x.Name == fn.Recv.List[0].Names[0].Name {
							calls[fn.Name.Name] = append(calls[fn.Name.Name], to.Sel.Name)
						}
					}
				}
				return true
			})
		}
	}
	return calls, holds, withCaller
}

// reaches reports whether a function, or one that it calls, holds.
func reaches(name string, calls map[string][]string, holds map[string]bool, seen map[string]bool) bool {
	if holds[name] {
		return true
	}
	if seen[name] {
		return false
	}
	seen[name] = true
	return slices.ContainsFunc(calls[name], func(to string) bool { return reaches(to, calls, holds, seen) })
}

// Every method that takes a Caller and changes what is stored notes for the
// audit log what was and what is: read from the source, through all that it calls.
func TestChangesAreNoted(t *testing.T) {
	storeCalls, writes, _ := callsOf(t, "../store", func(c *ast.CallExpr) bool {
		sel, ok := c.Fun.(*ast.SelectorExpr)
		return ok && slices.Contains([]string{"write", "writeAccess", "writePeople"}, sel.Sel.Name)
	})
	changes := func(c *ast.CallExpr) bool {
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		st, ok := sel.X.(*ast.SelectorExpr)
		return ok && st.Sel.Name == "st" && reaches(sel.Sel.Name, storeCalls, writes, map[string]bool{})
	}
	calls, changing, methods := callsOf(t, ".", changes)
	_, noting, _ := callsOf(t, ".", func(c *ast.CallExpr) bool {
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		return ok && id.Name == "audit" && sel.Sel.Name == "Change"
	})
	for _, m := range methods {
		if !reaches(m, calls, changing, map[string]bool{}) {
			continue
		}
		if _, listed := unnoted[m]; !listed && !reaches(m, calls, noting, map[string]bool{}) {
			t.Errorf("%s changes what is stored and notes nothing for the audit log: call audit.Change before it does", m)
		}
	}
}
