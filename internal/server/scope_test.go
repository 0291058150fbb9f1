package server

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
)

// What somebody looks at is only ever read narrowed to what it may see.
func TestOneRoadToTheSelection(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reads := regexp.MustCompile(`\b(caller|c|scoped|mine)\.Groups\b`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || f == "caller.go" || f == "rights.go" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if reads.MatchString(line) && !strings.Contains(line, ".Groups = ") {
				t.Errorf("%s:%d reads the groups that were asked for: ask looks or sees", f, i+1)
			}
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
