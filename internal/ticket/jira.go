package ticket

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// jira makes issues of a project: version 3 of the API on Jira Cloud, version 2
// on Jira Server and Data Center.
type jira struct {
	base string
	c    Config
	web  *web
}

func (j *jira) ask(ctx context.Context, method, path string, body any, header ...string) (answer, error) {
	return j.web.do(ctx, method, j.base+"/rest/api/"+j.c.API+path, body, header...)
}

// jiraLabel marks the issue of a message; it is found again by it.
func jiraLabel(key string) string { return "picket-" + key }

// Send makes an issue, once: before another attempt the label is looked for.
func (j *jira) Send(ctx context.Context, m *Message) (Ref, error) {
	if m.follows() {
		return j.comment(ctx, m)
	}
	if !m.Again.IsZero() {
		have, err := j.find(ctx, m.Key)
		if err != nil || have.ID != "" {
			return have, err
		}
	}
	fields := map[string]any{
		"project": map[string]string{"key": j.c.Project}, "issuetype": map[string]string{"name": j.c.Issue}, "summary": cut(m.fullTitle(), 250),
		"labels": append([]string{jiraLabel(m.Key)}, j.c.Labels...), "description": m.text(), "priority": map[string]string{"name": m.Priority},
	}
	if j.c.API == "3" {
		fields["description"] = document(m.text())
	}
	if !m.Due.IsZero() {
		fields["duedate"] = m.Due.UTC().Format("2006-01-02")
	}
	a, err := j.ask(ctx, "POST", "/issue", map[string]any{"fields": fields})
	if err == nil && a.status == http.StatusBadRequest && j.spare(&a, fields) {
		a, err = j.ask(ctx, "POST", "/issue", map[string]any{"fields": fields})
	}
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusCreated {
		return Ref{}, j.refused(&a)
	}
	var made struct{ Key string }
	if err := a.decode("Jira", &made); err != nil {
		return Ref{}, err
	}
	return j.ref(made.Key), nil
}

// spare takes out the fields that the project does not have and that the issue
// can do without: an answer of 400 means that nothing was made.
func (j *jira) spare(a *answer, fields map[string]any) bool {
	var e jiraErrors
	if json.Unmarshal(a.body, &e) != nil {
		return false
	}
	changed := false
	for _, name := range []string{"priority", "duedate"} {
		if _, refused := e.Errors[name]; refused {
			delete(fields, name)
			changed = true
		}
	}
	return changed
}

type jiraErrors struct {
	Messages []string          `json:"errorMessages"`
	Errors   map[string]string `json:"errors"`
}

func (j *jira) refused(a *answer) error {
	var e jiraErrors
	_ = json.Unmarshal(a.body, &e) // an answer without words is refused too
	words := e.Messages
	for _, name := range slices.Sorted(maps.Keys(e.Errors)) {
		words = append(words, name+": "+e.Errors[name])
	}
	err := a.refused("Jira", strings.Join(words, " "))
	if _, ok := e.Errors["labels"]; ok {
		err.(*Error).Mend = "Put the field Labels on the create screen of the issue type: Picket finds its issues by a label."
	}
	return err
}

func (j *jira) ref(key string) Ref {
	return Ref{ID: cut(key, 100), URL: safeLink(j.base + "/browse/" + url.PathEscape(key)), Phase: Open}
}

func (j *jira) find(ctx context.Context, key string) (Ref, error) {
	path := "/search"
	if j.c.API == "3" {
		path = "/search/jql"
	}
	in := map[string]any{"jql": `labels = "` + jiraLabel(key) + `"`, "fields": []string{"status"}, "maxResults": 2}
	a, err := j.ask(ctx, "POST", path, in)
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusOK {
		return Ref{}, j.refused(&a)
	}
	var found struct {
		Issues []struct{ Key string }
	}
	if err := a.decode("Jira", &found); err != nil {
		return Ref{}, err
	}
	if len(found.Issues) == 0 {
		return Ref{}, nil
	}
	return j.ref(found.Issues[0].Key), nil
}

// State asks for the status of an issue; its category says how far it is.
func (j *jira) State(ctx context.Context, id, etag string) (State, error) {
	a, err := j.ask(ctx, "GET", "/issue/"+url.PathEscape(id)+"?fields=status", nil, ifNoneMatch(etag)...)
	if err != nil {
		return State{}, err
	}
	if a.status == http.StatusNotModified {
		return State{Same: true}, nil
	}
	if a.status != http.StatusOK {
		return State{}, j.refused(&a)
	}
	var is struct {
		Fields struct {
			Status struct {
				Name     string
				Category struct{ Key string } `json:"statusCategory"`
			}
		}
	}
	if err := a.decode("Jira", &is); err != nil {
		return State{}, err
	}
	st := State{Word: cut(is.Fields.Status.Name, 60), ETag: tagOf(&a)}
	switch is.Fields.Status.Category.Key {
	case "done":
		st.Phase = Closed
	case "indeterminate":
		st.Phase = InProgress
	case "new":
		st.Phase = Open
	}
	return st, nil
}

// Test asks for the project and whether it has the issue type.
func (j *jira) Test(ctx context.Context, _ *Message) error {
	a, err := j.ask(ctx, "GET", "/project/"+url.PathEscape(j.c.Project), nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return j.refused(&a)
	}
	var p struct {
		Types []struct{ Name string } `json:"issueTypes"`
	}
	if err := a.decode("Jira", &p); err != nil {
		return err
	}
	var names []string
	for _, t := range p.Types {
		names = append(names, t.Name)
	}
	if len(names) > 0 && !slices.Contains(names, j.c.Issue) {
		return &Error{What: "The project has no issue type " + j.c.Issue + ".", Mend: cut("It has "+strings.Join(names, ", ")+".", 300)}
	}
	return nil
}

// document is text in the Atlassian Document Format, a paragraph a line.
func document(text string) map[string]any {
	type node = map[string]any
	var content []node
	for line := range strings.Lines(strings.TrimSpace(text)) {
		p := node{"type": "paragraph"}
		if line = strings.TrimSpace(line); line != "" {
			p["content"] = []node{{"type": "text", "text": line}}
		}
		content = append(content, p)
	}
	return node{"type": "doc", "version": 1, "content": content}
}
