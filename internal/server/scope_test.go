package server

import (
	"errors"
	"go/token"
	"slices"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
)

// What somebody looks at, and what somebody may see, is read by sees and looks
// alone: by its type, under whatever name, embedded or not, here and in the API.
func TestOneRoadToTheSelection(t *testing.T) {
	if testing.Short() {
		t.Skip("once, without the race detector")
	}
	const here = "github.com/picketsec/picket/internal/server"
	paths := []string{here, "github.com/picketsec/picket/internal/api", "github.com/picketsec/picket/internal/api/mde"}
	roads := map[string][]string{"Groups": {"caller.go", "rights.go"}, "Scope": {"caller.go", "rights.go"}}
	uses := map[string]int{}
	for path, p := range typed(t, paths...) {
		pkg := p.pkg
		for _, in := range p.pkg.Imports() {
			if in.Path() == here {
				pkg = in
			}
		}
		if pkg.Path() != here {
			t.Errorf("%s does not import the server: the test looks at nothing", path)
			continue
		}
		for name, files := range roads {
			uses[name] += p.reads(fieldOf(t, pkg, "Caller", name), func(file string, at token.Position) {
				if path != here || !slices.Contains(files, file) {
					t.Errorf("%s reads Caller.%s: ask sees or looks", at, name)
				}
			})
		}
	}
	for name := range roads {
		if uses[name] < 3 {
			t.Errorf("only %d uses of Caller.%s were found", uses[name], name)
		}
	}
}

func TestScopesOfCallers(t *testing.T) {
	in := exposure.Within
	for _, c := range []struct {
		who         Caller
		sees, looks exposure.Scope
	}{
		{Caller{}, in(), in()},
		{Caller{Groups: []exposure.Group{1}}, in(), in()},
		{Caller{Admin: true, Scope: in(3)}, exposure.Everywhere(), exposure.Everywhere()},
		{Caller{Admin: true, Groups: []exposure.Group{2, 1, 2}}, exposure.Everywhere(), in(1, 2)},
		{Caller{Scope: in(1, 2)}, in(1, 2), in(1, 2)},
		{Caller{Scope: in(1, 2), Groups: []exposure.Group{2, 3}}, in(1, 2), in(2)},
		{Caller{Scope: in(1, 2), Groups: []exposure.Group{}}, in(1, 2), in()},
	} {
		if !c.who.sees().Equal(c.sees) || !c.who.looks().Equal(c.looks) {
			t.Errorf("%+v sees %v and looks at %v", c.who, c.who.sees(), c.who.looks())
		}
	}
	var s Server
	if err := s.needAll(Caller{Permissions: []string{ManageSecurity}, Scope: in(1)}, ManageSecurity); !errors.Is(err, ErrDenied) {
		t.Errorf("what concerns every device, for whoever sees some: %v", err)
	}
	if !in(1, 2).Covers(in(2)) || in(1).Covers(exposure.Everywhere()) || in(1).Covers(in(1, 2)) || !exposure.Everywhere().Covers(in(9)) {
		t.Error("a scope covers what is in it and nothing else")
	}
}
