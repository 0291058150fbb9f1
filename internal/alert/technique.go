package alert

import (
	"cmp"
	_ "embed" // the table of techniques
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/picketsec/picket/internal/event"
)

//go:embed techniques.txt
var techniqueText string

// Technique is an ATT&CK technique that Picket knows.
type Technique struct {
	ID      string
	Name    string
	Tactics []string
}

// Tag says that an event may be part of a technique, and why.
type Tag struct {
	Technique
	Reason string
}

// rule gives an event a tag.
type rule struct {
	tag     Tag
	actions []event.Action
	where   []condition
}

// condition is what a column's text must be.
type condition struct {
	column event.Column
	kind   byte // '=', '^', '$', '!'
	values []string
}

// table is the parsed file.
type table struct {
	byID     map[string]Technique
	byAction map[event.Action][]*rule
	rules    []*rule
	ids      []string // of rules, ascending
}

var techniques = sync.OnceValue(func() *table {
	t, err := parseTechniques(techniqueText)
	if err != nil {
		return &table{byID: map[string]Technique{}, byAction: map[event.Action][]*rule{}} // a test keeps the file good
	}
	return t
})

// TechniqueOf is what Picket knows of a technique.
func TechniqueOf(id string) (Technique, bool) {
	t, ok := techniques().byID[id]
	return t, ok
}

// EventTechniques are the techniques that events can have, by id. The result is a copy.
func EventTechniques() []Technique {
	t := techniques()
	out := make([]Technique, len(t.ids))
	for i, id := range t.ids {
		out[i] = t.byID[id]
	}
	return out
}

// Tags are the techniques that an event may be part of, by id, each once. text
// gives the text of a column, "" when it is absent.
func Tags(a event.Action, text func(event.Column) string) []Tag {
	var out []Tag
	for _, r := range techniques().byAction[a] {
		if r.holds(text) && !slices.ContainsFunc(out, func(t Tag) bool { return t.ID == r.tag.ID }) {
			out = append(out, r.tag)
		}
	}
	return out
}

// TechniqueActions are the actions of events that may be part of techniques, or
// of those under them: what a search has to look at.
func TechniqueActions(ids []string) []event.Action {
	out := []event.Action{}
	for _, r := range techniques().rules {
		if slices.ContainsFunc(ids, func(id string) bool { return Under(r.tag.ID, id) }) {
			out = append(out, r.actions...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *rule) holds(text func(event.Column) string) bool {
	for _, c := range r.where {
		if !c.holds(text(c.column)) {
			return false
		}
	}
	return true
}

func (c *condition) holds(text string) bool {
	if c.kind == '!' {
		return !slices.ContainsFunc(c.values, func(v string) bool { return strings.HasPrefix(text, v) })
	}
	return slices.ContainsFunc(c.values, func(v string) bool {
		switch c.kind {
		case '^':
			return strings.HasPrefix(text, v)
		case '$':
			return strings.HasSuffix(text, v)
		}
		return text == v
	})
}

// parseTechniques reads the file of techniques.
func parseTechniques(text string) (*table, error) {
	t := &table{byID: map[string]Technique{}, byAction: map[event.Action][]*rule{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if err := t.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	for _, r := range t.rules {
		t.ids = append(t.ids, r.tag.ID)
		for _, a := range r.actions {
			t.byAction[a] = append(t.byAction[a], r)
		}
	}
	for _, list := range t.byAction {
		slices.SortStableFunc(list, func(a, b *rule) int { return cmp.Compare(a.tag.ID, b.tag.ID) })
	}
	slices.Sort(t.ids)
	t.ids = slices.Compact(t.ids)
	return t, nil
}

func (t *table) line(line string) error {
	part := strings.Split(line, "|")
	if len(part) != 6 {
		return fmt.Errorf("%d parts instead of 6", len(part))
	}
	for i := range part {
		part[i] = strings.TrimSpace(part[i])
	}
	tech := Technique{ID: part[0], Name: part[1], Tactics: listOf(part[2])}
	if was, ok := t.byID[tech.ID]; ok && (was.Name != tech.Name || !slices.Equal(was.Tactics, tech.Tactics)) {
		return fmt.Errorf("%s was named otherwise before", tech.ID)
	}
	if !IsTechnique(tech.ID) || tech.Name == "" || len(tech.Tactics) == 0 {
		return fmt.Errorf("%q is no technique with a name and tactics", tech.ID)
	}
	t.byID[tech.ID] = tech
	if part[3] == "" {
		return nil
	}
	r := &rule{tag: Tag{Technique: tech, Reason: part[5]}}
	if r.tag.Reason == "" {
		return fmt.Errorf("%s has no reason", tech.ID)
	}
	for _, name := range listOf(part[3]) {
		a, ok := event.ActionOf(name)
		if !ok {
			return fmt.Errorf("%q is no action type", name)
		}
		r.actions = append(r.actions, a)
	}
	for _, text := range strings.Split(part[4], ";") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		i := strings.IndexAny(text, "=^$!")
		if i < 0 {
			return fmt.Errorf("%q is no condition", text)
		}
		column, ok := event.ColumnOf(text[:i])
		if !ok {
			return fmt.Errorf("%q is no column", text[:i])
		}
		r.where = append(r.where, condition{column: column, kind: text[i], values: listOf(text[i+1:])})
	}
	t.rules = append(t.rules, r)
	return nil
}

// listOf are the parts of a text between commas.
func listOf(text string) []string {
	out := []string{}
	for _, v := range strings.Split(text, ",") {
		if v = strings.TrimSpace(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}
