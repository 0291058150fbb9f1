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
	holds string   // a file in which it finds something
	but   []string // files that are the one place for it
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
	{
		what: "reads XML, which is for bills of materials alone: no SAML, no entities, no property lists",
		finds: func(f *ast.File) []ast.Node {
			return imports(f, "encoding/xml", "github.com/crewjam/saml", "github.com/russellhaering", "github.com/beevik/etree", "github.com/antchfx", "howett.net/plist",
				"github.com/micromdm", "github.com/groob/plist")
		},
		holds: "package x\nimport \"encoding/xml\"\nvar _ xml.Decoder",
		but:   []string{"internal/sbom/cyclonedx.go"},
	},
	{
		what: "runs code or expressions that data brings",
		finds: func(f *ast.File) []ast.Node {
			return imports(f, "github.com/dop251/goja", "github.com/robertkrimen/otto", "github.com/expr-lang/expr", "github.com/antonmedv/expr", "github.com/google/cel-go", "github.com/yuin/gopher-lua",
				"go.starlark.net", "github.com/traefik/yaegi", "github.com/tetratelabs/wazero", "github.com/Intevation/gval", "github.com/open-policy-agent/opa")
		},
		holds: "package x\nimport \"github.com/dop251/goja\"\nvar _ goja.Value",
	},
	{
		what:  "puts text together by a template: programs get arguments, pages are made in the browser",
		finds: func(f *ast.File) []ast.Node { return imports(f, "text/template", "html/template") },
		holds: "package x\nimport \"text/template\"\nvar _ template.Template",
	},
	{
		what: "lets servers call each other: there is one server, and no second door into it",
		finds: func(f *ast.File) []ast.Node {
			return imports(f, "net/rpc", "google.golang.org/grpc", "github.com/hashicorp", "go.etcd.io/etcd", "go.etcd.io/raft", "github.com/nats-io")
		},
		holds: "package x\nimport \"net/rpc\"\nvar _ rpc.Client",
	},
	{
		what: "takes whatever certificate the other side shows",
		finds: func(f *ast.File) []ast.Node {
			return named(f, "InsecureSkipVerify", "VerifyPeerCertificate", "VerifyConnection", "InsecureIgnoreHostKey")
		},
		holds: "package x\nimport \"crypto/tls\"\nvar _ = tls.Config{InsecureSkipVerify: true}",
	},
	{
		what: "configures TLS; the places for it are listed here, the agent's is one",
		finds: func(f *ast.File) (out []ast.Node) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CompositeLit:
					if isSelector(n.Type, "tls", "Config") {
						out = append(out, n)
					}
				case *ast.CallExpr:
					if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 && isSelector(n.Args[0], "tls", "Config") {
						out = append(out, n)
					}
				}
				return true
			})
			return out
		},
		holds: "package x\nimport \"crypto/tls\"\nvar _ = &tls.Config{}",
		but: []string{"internal/agent/identity.go", "internal/server/ca.go", "internal/server/forward_out.go", "internal/ticket/mail.go", "internal/ticket/web.go",
			"internal/simulate/enroll.go", "cmd/picket/server.go", "cmd/picket/remote.go"},
	},
	{
		what: "starts a program by a name that is looked for, instead of its absolute path",
		finds: func(f *ast.File) []ast.Node {
			return calls(f, func(c *ast.CallExpr) bool {
				switch {
				case isSelector(c.Fun, "exec", "LookPath"):
					return true
				case isSelector(c.Fun, "exec", "Command"):
					return relative(c.Args, 0)
				case isSelector(c.Fun, "exec", "CommandContext"):
					return relative(c.Args, 1)
				}
				return false
			})
		},
		holds: "package x\nimport \"os/exec\"\nfunc f() { exec.CommandContext(nil, \"nft\", \"list\") }",
	},
	{
		what: "starts programs; the places for it are listed here, each with paths that nobody chooses",
		finds: func(f *ast.File) []ast.Node {
			return append(calls(f, func(c *ast.CallExpr) bool {
				return isSelector(c.Fun, "exec", "Command") || isSelector(c.Fun, "exec", "CommandContext") || isSelector(c.Fun, "os", "StartProcess") ||
					isSelector(c.Fun, "syscall", "Exec") || isSelector(c.Fun, "syscall", "ForkExec") || isSelector(c.Fun, "unix", "Exec")
			}), composites(f, "exec", "Cmd")...)
		},
		holds: "package x\nimport \"os/exec\"\nfunc f(name string) { exec.Command(name) }",
		but: []string{
			"internal/agent/install_linux.go", // systemctl, at one of two paths
			"internal/agent/respond/run.go",   // a list of programs and where they may be: TestPrograms
			"cmd/picket/demo.go",              // the agent beside this very program
		},
	},
}

var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "cmd": true, "cmd.exe": true, "powershell": true, "powershell.exe": true, "pwsh": true}

// isSelector reports whether an expression is package.name.
func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// composites are the literals of a type.
func composites(f *ast.File, pkg, name string) (out []ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok && isSelector(c.Type, pkg, name) {
			out = append(out, c)
		}
		return true
	})
	return out
}

// named are the mentions of some names.
func named(f *ast.File, names ...string) (out []ast.Node) {
	ast.Inspect(f, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(names, id.Name) {
			out = append(out, id)
		}
		return true
	})
	return out
}

// relative reports whether an argument is a literal that is no absolute path.
func relative(args []ast.Expr, n int) bool {
	if len(args) <= n {
		return false
	}
	l, ok := args[n].(*ast.BasicLit)
	if !ok {
		return false
	}
	text, _ := strconv.Unquote(l.Value)
	return !strings.HasPrefix(text, "/")
}

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

// No program decodes what data says it is, starts a shell with text, measures
// time by the wall clock, or does anything else that the gates find. Tests and
// what drives them may.
func TestGates(t *testing.T) {
	var bad []string
	used := map[string]bool{} // exceptions
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
			found := g.finds(f)
			if slices.Contains(g.but, name) {
				if used[name+g.what] = true; len(found) == 0 {
					bad = append(bad, fmt.Sprintf("%s is listed as a place that %s, and is none", name, g.what))
				}
				continue
			}
			for _, n := range found {
				bad = append(bad, fmt.Sprintf("%s: it %s", set.Position(n.Pos()), g.what))
			}
		}
	})
	for _, g := range gates {
		for _, name := range g.but {
			if !used[name+g.what] {
				bad = append(bad, fmt.Sprintf("%s is listed as a place that %s, and is gone", name, g.what))
			}
		}
	}
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
