package picket_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// gate finds one kind of mistake that other systems made in the source of a program.
type gate struct {
	what  string
	finds func(f *ast.File) []ast.Node
	holds string // a file in which it finds something
}

var gates = []gate{
	{
		what: "decodes data into types that the data chooses",
		finds: func(f *ast.File) []ast.Node {
			return imports(f, "encoding/gob", "plugin", "gopkg.in/yaml", "sigs.k8s.io/yaml")
		},
		holds: "package x\nimport \"encoding/gob\"\nvar _ gob.Decoder",
	},
	{
		what: "lets a shell read text; start the program itself, with its arguments",
		finds: func(f *ast.File) []ast.Node {
			return calls(f, func(c *ast.CallExpr) bool {
				words := literals(c)
				for i := 1; i < len(words); i++ {
					if shells[path.Base(words[i-1])] && slices.Contains([]string{"-c", "-ec", "-lc", "/c", "-Command"}, words[i]) {
						return true
					}
				}
				return false
			})
		},
		holds: "package x\nimport \"os/exec\"\nfunc f(s string) { exec.Command(\"/bin/sh\", \"-c\", s) }",
	},
	{
		what: "takes the time between two readings of the wall clock, which is set now and then; subtract times that time.Now gave",
		finds: func(f *ast.File) []ast.Node {
			var out []ast.Node
			ast.Inspect(f, func(n ast.Node) bool {
				b, ok := n.(*ast.BinaryExpr)
				if ok && b.Op == token.SUB && (readsNow(b.X) || readsNow(b.Y)) {
					out = append(out, b)
				}
				return true
			})
			return out
		},
		holds: "package x\nimport \"time\"\nfunc f(began int64) int64 { return time.Now().Unix() - began }",
	},
}

var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "cmd": true, "cmd.exe": true, "powershell": true, "powershell.exe": true, "pwsh": true}

// readsNow reports whether an expression is time.Now() as a number.
func readsNow(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	s, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if name, ok := s.X.(*ast.Ident); ok && name.Name == "time" && s.Sel.Name == "Now" {
		return false // a time, which knows its monotonic reading
	}
	number := strings.HasPrefix(s.Sel.Name, "Unix")
	for inner := s.X; number; {
		c, ok := inner.(*ast.CallExpr)
		if !ok {
			return false
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		if name, ok := s.X.(*ast.Ident); ok && name.Name == "time" && s.Sel.Name == "Now" {
			return true
		}
		inner = s.X
	}
	return false
}

func imports(f *ast.File, prefixes ...string) []ast.Node {
	var out []ast.Node
	for _, i := range f.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		if slices.ContainsFunc(prefixes, func(p string) bool {
			return name == p || strings.HasPrefix(name, p+"/") || strings.HasPrefix(name, p+".")
		}) {
			out = append(out, i)
		}
	}
	return out
}

func calls(f *ast.File, bad func(*ast.CallExpr) bool) []ast.Node {
	var out []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok && bad(c) {
			out = append(out, c)
		}
		return true
	})
	return out
}

// literals are the string literals among the arguments of a call, "" for
// other arguments, those of slices that stand there included.
func literals(c *ast.CallExpr) []string {
	var out []string
	add := func(list []ast.Expr) {
		for _, e := range list {
			text := ""
			if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, _ = strconv.Unquote(l.Value)
			}
			out = append(out, text)
		}
	}
	add(c.Args)
	for _, a := range c.Args {
		if l, ok := a.(*ast.CompositeLit); ok {
			add(l.Elts)
		}
	}
	return out
}

// No program decodes what data says it is, starts a shell with text, or
// measures time by the wall clock. Tests and what drives them may.
func TestGates(t *testing.T) {
	var bad []string
	sources(t, func(name string, content []byte) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "internal/rig/") || strings.HasPrefix(name, "bench/") {
			return
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, content, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gates {
			for _, n := range g.finds(f) {
				bad = append(bad, fmt.Sprintf("%s: it %s", set.Position(n.Pos()), g.what))
			}
		}
	})
	report(t, bad)
}

// Each gate finds what it is for.
func TestGatesHold(t *testing.T) {
	for _, g := range gates {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", g.holds, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.finds(f)) == 0 {
			t.Errorf("nothing is found in a file that %s", g.what)
		}
	}
}
