package ticket

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// github makes issues of a repository.
type github struct {
	base string
	c    Config
	web  *web
}

type githubIssue struct {
	Number  int    `json:"number"`
	URL     string `json:"html_url"`
	Body    string `json:"body"`
	State   string `json:"state"`
	Reason  string `json:"state_reason"`
	Message string `json:"message"` // of an error
}

func (g *github) ask(ctx context.Context, method, path string, body any, header ...string) (answer, error) {
	return g.web.do(ctx, method, g.base+"/repos/"+g.c.Project+path, body,
		append([]string{"Accept", "application/vnd.github+json", "X-GitHub-Api-Version", "2022-11-28"}, header...)...)
}

// githubMark is in the body of the issue and found again there.
func githubMark(key string) string { return "<!-- picket:" + key + " -->" }

// Send makes an issue, once: before another attempt the issues that changed
// since the first one are looked through for the mark. A listing is as fresh as
// the repository, which GitHub's search is not.
func (g *github) Send(ctx context.Context, m *Message) (Ref, error) {
	if m.follows() {
		return g.comment(ctx, m)
	}
	if !m.Again.IsZero() {
		have, err := g.find(ctx, m)
		if err != nil || have.ID != "" {
			return have, err
		}
	}
	in := map[string]any{"title": cut(m.fullTitle(), 250), "body": escapeMarkdown(m.text()) + "\n" + githubMark(m.Key) + "\n"}
	if len(g.c.Labels) > 0 {
		in["labels"] = g.c.Labels
	}
	a, err := g.ask(ctx, "POST", "/issues", in)
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusCreated {
		return Ref{}, g.refused(&a)
	}
	var is githubIssue
	if err := a.decode("GitHub", &is); err != nil {
		return Ref{}, err
	}
	return is.ref(), nil
}

// escapeMarkdown keeps text from mentioning people or showing pictures.
func escapeMarkdown(s string) string {
	return strings.NewReplacer("@", "@\u200b", "![", "!\\[", "<", "&lt;").Replace(s)
}

func (i *githubIssue) ref() Ref {
	return Ref{ID: strconv.Itoa(i.Number), URL: safeLink(i.URL), Phase: i.phase(), Word: i.word()}
}

func (i *githubIssue) phase() Phase {
	if i.State == "closed" {
		return Closed
	}
	return Open
}

func (i *githubIssue) word() string {
	if i.Reason != "" && i.State == "closed" {
		return cut(i.State+" ("+strings.ReplaceAll(i.Reason, "_", " ")+")", 60)
	}
	return cut(i.State, 60)
}

func (g *github) refused(a *answer) error {
	var is githubIssue
	_ = json.Unmarshal(a.body, &is) // an answer without words is refused too
	return a.refused("GitHub", is.Message)
}

// findPages is how many pages of 100 issues are looked through.
const findPages = 30

func (g *github) find(ctx context.Context, m *Message) (Ref, error) {
	q := url.Values{"state": {"all"}, "sort": {"created"}, "direction": {"desc"}, "per_page": {"100"}, "since": {m.Again.Add(-10 * time.Minute).UTC().Format(time.RFC3339)}}
	for page := 1; page <= findPages; page++ {
		q.Set("page", strconv.Itoa(page))
		a, err := g.ask(ctx, "GET", "/issues?"+q.Encode(), nil)
		if err != nil {
			return Ref{}, err
		}
		if a.status != http.StatusOK {
			return Ref{}, g.refused(&a)
		}
		var list []githubIssue
		if err := a.decode("GitHub", &list); err != nil {
			return Ref{}, err
		}
		for i := range list {
			if strings.Contains(list[i].Body, githubMark(m.Key)) {
				return list[i].ref(), nil
			}
		}
		if len(list) < 100 {
			return Ref{}, nil
		}
	}
	return Ref{}, &Error{What: fmt.Sprintf("An earlier attempt may have made the issue, and it was not among the last %d.", findPages*100), Mend: "Look for the activity's title in the repository."}
}

// State asks for the state of an issue.
func (g *github) State(ctx context.Context, id, etag string) (State, error) {
	a, err := g.ask(ctx, "GET", "/issues/"+url.PathEscape(id), nil, ifNoneMatch(etag)...)
	if err != nil {
		return State{}, err
	}
	if a.status == http.StatusNotModified {
		return State{Same: true}, nil
	}
	if a.status != http.StatusOK {
		return State{}, g.refused(&a)
	}
	var is githubIssue
	if err := a.decode("GitHub", &is); err != nil {
		return State{}, err
	}
	return State{Phase: is.phase(), Word: is.word(), ETag: tagOf(&a)}, nil
}

// ifNoneMatch makes a question conditional.
func ifNoneMatch(etag string) []string {
	if etag == "" {
		return nil
	}
	return []string{"If-None-Match", etag}
}

// tagOf is the ETag of an answer, "" for one that is too long to keep.
func tagOf(a *answer) string {
	if t := a.header.Get("ETag"); len(t) <= 200 {
		return t
	}
	return ""
}

// Test asks for the repository and whether it has issues.
func (g *github) Test(ctx context.Context, _ *Message) error {
	a, err := g.ask(ctx, "GET", "", nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return g.refused(&a)
	}
	var repo struct {
		Issues *bool `json:"has_issues"`
	}
	if err := a.decode("GitHub", &repo); err != nil {
		return err
	}
	if repo.Issues != nil && !*repo.Issues {
		return &Error{What: "The repository has issues turned off.", Mend: "Turn them on in the settings of the repository, or choose another one."}
	}
	return nil
}
