package ticket

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// follows reports whether a message tells what became of a ticket: trackers
// take it as a comment.
func (m *Message) follows() bool { return m.Event == "completed" || m.Event == "reopened" }

// commentMark is a line of the comment, by which it is found again.
func commentMark(key string) string { return "Reference: picket-" + key }

// lostComment is for a ticket with so many comments that the one of an earlier
// attempt may be among those that were not looked at.
func lostComment() error {
	return &Error{What: fmt.Sprintf("An earlier attempt may have made the comment, and it was not among %d.", findPages*100), Mend: "Look at the ticket: write there that the work is done, and leave this message."}
}

// comment tells an issue what became of the activity, once: before another
// attempt the comments since the first one are looked through for the mark.
func (g *github) comment(ctx context.Context, m *Message) (Ref, error) {
	path := "/issues/" + url.PathEscape(m.Ticket) + "/comments"
	type comment struct {
		URL  string `json:"html_url"`
		Body string `json:"body"`
	}
	if !m.Again.IsZero() {
		q := url.Values{"per_page": {"100"}, "since": {m.Again.Add(-10 * time.Minute).UTC().Format(time.RFC3339)}}
		for page := 1; ; page++ {
			if page > findPages {
				return Ref{}, lostComment()
			}
			q.Set("page", strconv.Itoa(page))
			a, err := g.ask(ctx, "GET", path+"?"+q.Encode(), nil)
			if err != nil {
				return Ref{}, err
			}
			if a.status != http.StatusOK {
				return Ref{}, g.refused(&a)
			}
			var list []comment
			if err := a.decode("GitHub", &list); err != nil {
				return Ref{}, err
			}
			for _, c := range list {
				if strings.Contains(c.Body, githubMark(m.Key)) {
					return Ref{ID: m.Ticket, URL: safeLink(c.URL)}, nil
				}
			}
			if len(list) < 100 {
				break
			}
		}
	}
	a, err := g.ask(ctx, "POST", path, map[string]string{"body": escapeMarkdown(m.text()) + "\n" + githubMark(m.Key) + "\n"})
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusCreated {
		return Ref{}, g.refused(&a)
	}
	var made comment
	if err := a.decode("GitHub", &made); err != nil {
		return Ref{}, err
	}
	return Ref{ID: m.Ticket, URL: safeLink(made.URL)}, nil
}

// comment tells an issue what became of the activity, once: before another
// attempt its comments are looked through for the mark, the latest first.
func (j *jira) comment(ctx context.Context, m *Message) (Ref, error) {
	path := "/issue/" + url.PathEscape(m.Ticket) + "/comment"
	ref := Ref{ID: m.Ticket, URL: j.ref(m.Ticket).URL}
	if !m.Again.IsZero() {
		for page, from := 1, 0; ; page++ {
			if page > findPages {
				return Ref{}, lostComment()
			}
			a, err := j.ask(ctx, "GET", path+"?orderBy=-created&maxResults=100&startAt="+strconv.Itoa(from), nil)
			if err != nil {
				return Ref{}, err
			}
			if a.status != http.StatusOK {
				return Ref{}, j.refused(&a)
			}
			var found struct {
				Total    int
				Comments []struct{ Body json.RawMessage }
			}
			if err := a.decode("Jira", &found); err != nil {
				return Ref{}, err
			}
			for _, c := range found.Comments {
				if bytes.Contains(c.Body, []byte(commentMark(m.Key))) {
					return ref, nil
				}
			}
			if from += len(found.Comments); len(found.Comments) == 0 || from >= found.Total {
				break
			}
		}
	}
	var body any = m.text() + commentMark(m.Key)
	if j.c.API == "3" {
		body = document(m.text() + commentMark(m.Key))
	}
	a, err := j.ask(ctx, "POST", path, map[string]any{"body": body})
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusCreated {
		return Ref{}, j.refused(&a)
	}
	return ref, nil
}

// comment writes a work note, once: before another attempt the notes of the
// record are looked through for the mark.
func (s *serviceNow) comment(ctx context.Context, m *Message) (Ref, error) {
	record := s.table() + "/" + url.PathEscape(m.Ticket)
	ref := Ref{ID: m.Ticket, URL: s.ref(&snRecord{ID: snValue{Value: m.Ticket}}).URL}
	if !m.Again.IsZero() {
		a, err := s.web.do(ctx, "GET", record+"?sysparm_fields=work_notes&sysparm_display_value=true", nil)
		if err != nil {
			return Ref{}, err
		}
		if a.status != http.StatusOK {
			return Ref{}, s.refused(&a)
		}
		var got struct {
			Result struct {
				Notes string `json:"work_notes"`
			}
		}
		if err := a.decode("ServiceNow", &got); err != nil {
			return Ref{}, err
		}
		if strings.Contains(got.Result.Notes, commentMark(m.Key)) {
			return ref, nil
		}
	}
	a, err := s.web.do(ctx, "PATCH", record+"?sysparm_fields=sys_id", map[string]string{"work_notes": m.text() + commentMark(m.Key)})
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusOK {
		return Ref{}, s.refused(&a)
	}
	return ref, nil
}
