package rig

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Desk is a ticket system over loopback HTTP that answers as the real one's
// public documentation says, as far as Picket uses it. Before is set before
// it is used.
type Desk struct {
	URL string
	// Before may answer a request in place of the desk: a status above 0 is sent with its body.
	Before func(r *http.Request) (status int, header map[string]string, body string)

	srv     *httptest.Server
	mu      sync.Mutex
	made    func()
	tickets []*DeskTicket
	asked   []DeskRequest
}

// DeskTicket is one ticket of a desk.
type DeskTicket struct {
	Key    string // number, key or sys_id
	Mark   string // what it is found again by
	Fields map[string]any
	State  string // in the desk's own words
	At     time.Time
	// Comments are what was written to the ticket since, the oldest first.
	Comments []string
	rev      int
}

// DeskRequest is one request that a desk got.
type DeskRequest struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
	Status int
}

// deskKind is what differs between desks.
type deskKind func(d *Desk, w http.ResponseWriter, r *http.Request, body []byte)

func newDesk(auth string, kind deskKind) *Desk {
	d := &Desk{}
	d.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		rec := &statusOf{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.asked = append(d.asked, DeskRequest{r.Method, r.URL.RequestURI(), r.Header.Clone(), body, rec.status})
		}()
		if d.Before != nil {
			if status, header, text := d.Before(r); status > 0 {
				for k, v := range header {
					rec.Header().Set(k, v)
				}
				rec.WriteHeader(status)
				_, _ = io.WriteString(rec, text) // a client that has gone needs no answer
				return
			}
		}
		if auth != "" && r.Header.Get("Authorization") != auth {
			reply(rec, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
			return
		}
		kind(d, rec, r, body)
	}))
	d.URL = d.srv.URL
	return d
}

type statusOf struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (s *statusOf) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Close ends the desk.
func (d *Desk) Close() { d.srv.Close() }

// Tickets are copies of the tickets that there are.
func (d *Desk) Tickets() []DeskTicket {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []DeskTicket
	for _, t := range d.tickets {
		out = append(out, *t)
	}
	return out
}

// Asked are the requests so far.
func (d *Desk) Asked() []DeskRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.asked)
}

// SetState moves a ticket, as somebody at the desk would.
func (d *Desk) SetState(key, state string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.tickets {
		if t.Key == key {
			t.State = state
			t.rev++
		}
	}
}

func (d *Desk) add(t *DeskTicket) {
	d.mu.Lock()
	t.At = time.Now()
	d.tickets = append(d.tickets, t)
	made := d.made
	d.mu.Unlock()
	if made != nil {
		made()
	}
}

// comment writes to a ticket.
func (d *Desk) comment(key, text string) {
	d.mu.Lock()
	for _, t := range d.tickets {
		if t.Key == key {
			t.Comments = append(slices.Clone(t.Comments), text)
		}
	}
	made := d.made
	d.mu.Unlock()
	if made != nil {
		made()
	}
}

// OnMade sets what is called when a ticket or a comment has been made, before
// that is answered.
func (d *Desk) OnMade(fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made = fn
}

func (d *Desk) get(key string) (DeskTicket, bool) {
	for _, t := range d.Tickets() {
		if t.Key == key {
			return t, true
		}
	}
	return DeskTicket{}, false
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

// NewGitHub is the issues API of one repository.
func NewGitHub(token, repo string) *Desk {
	base := "/repos/" + repo
	issue := func(d *Desk, t DeskTicket) map[string]any {
		state, reason, _ := strings.Cut(t.State, "/")
		v := map[string]any{"number": json.Number(t.Key), "title": t.Fields["title"], "body": t.Fields["body"], "state": state, "state_reason": nil,
			"html_url": d.URL + "/" + repo + "/issues/" + t.Key}
		if reason != "" {
			v["state_reason"] = reason
		}
		return v
	}
	return newDesk("Bearer "+token, func(d *Desk, w http.ResponseWriter, r *http.Request, body []byte) {
		number, one := strings.CutPrefix(r.URL.Path, base+"/issues/")
		number, talk := strings.CutSuffix(number, "/comments")
		t, known := d.get(number)
		switch {
		case one && talk && !known:
			reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
		case r.Method == "POST" && one && talk:
			var in struct{ Body string }
			if json.Unmarshal(body, &in) != nil || in.Body == "" {
				reply(w, http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed"})
				return
			}
			d.comment(number, in.Body)
			reply(w, http.StatusCreated, map[string]any{"html_url": d.URL + "/" + repo + "/issues/" + number + "#issuecomment-1", "body": in.Body})
		case r.Method == "GET" && one && talk:
			size, page := atoi(r.URL.Query().Get("per_page"), 30), atoi(r.URL.Query().Get("page"), 1)
			list := []any{}
			for _, text := range t.Comments {
				list = append(list, map[string]any{"html_url": d.URL + "/" + repo + "/issues/" + number + "#issuecomment-1", "body": text})
			}
			from := min((page-1)*size, len(list))
			reply(w, http.StatusOK, list[from:min(from+size, len(list))])
		case r.Method == "GET" && r.URL.Path == base:
			reply(w, http.StatusOK, map[string]any{"full_name": repo, "has_issues": true})
		case r.Method == "POST" && r.URL.Path == base+"/issues":
			var in map[string]any
			if json.Unmarshal(body, &in) != nil || in["title"] == nil {
				reply(w, http.StatusUnprocessableEntity, map[string]any{"message": "Validation Failed"})
				return
			}
			t := &DeskTicket{Key: strconv.Itoa(len(d.Tickets()) + 1), Fields: in, State: "open"}
			d.add(t)
			reply(w, http.StatusCreated, issue(d, *t))
		case r.Method == "GET" && r.URL.Path == base+"/issues":
			q := r.URL.Query()
			since, err := time.Parse(time.RFC3339, q.Get("since"))
			if err != nil {
				since = time.Time{}
			}
			size, page := atoi(q.Get("per_page"), 30), atoi(q.Get("page"), 1)
			all := d.Tickets()
			slices.Reverse(all)
			list := []any{}
			for _, t := range all {
				if t.At.Before(since) || q.Get("state") != "all" && t.State != "open" {
					continue
				}
				list = append(list, issue(d, t))
			}
			from := min((page-1)*size, len(list))
			reply(w, http.StatusOK, list[from:min(from+size, len(list))])
		case r.Method == "GET" && one:
			if !known {
				reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
				return
			}
			etag := fmt.Sprintf(`W/"%s-%d"`, t.Key, t.rev)
			w.Header().Set("ETag", etag)
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			reply(w, http.StatusOK, issue(d, t))
		default:
			reply(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
		}
	})
}

func atoi(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return otherwise
}

// NewJira is the issue API of version 2 or 3, with one project SEC whose create
// screen lacks the given fields.
func NewJira(version, auth string, lacks ...string) *Desk {
	base := "/rest/api/" + version
	search := base + "/search"
	if version == "3" {
		search += "/jql"
	}
	categories := map[string]string{"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
	return newDesk(auth, func(d *Desk, w http.ResponseWriter, r *http.Request, body []byte) {
		key, one := strings.CutPrefix(r.URL.Path, base+"/issue/")
		key, talk := strings.CutSuffix(key, "/comment")
		t, known := d.get(key)
		switch {
		case one && talk && !known:
			reply(w, http.StatusNotFound, map[string]any{"errorMessages": []string{"Issue does not exist or you do not have permission to see it."}})
		case r.Method == "POST" && one && talk:
			var in struct{ Body json.RawMessage }
			if err := json.Unmarshal(body, &in); err != nil || strings.HasPrefix(string(in.Body), "{") != (version == "3") {
				reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": map[string]string{"comment": "Comment body is not valid!"}})
				return
			}
			d.comment(key, string(in.Body))
			reply(w, http.StatusCreated, map[string]any{"id": "1", "body": in.Body})
		case r.Method == "GET" && one && talk:
			size, from := min(atoi(r.URL.Query().Get("maxResults"), 50), 100), atoi(r.URL.Query().Get("startAt"), 0)
			list := []any{}
			for _, text := range slices.Backward(t.Comments) {
				list = append(list, map[string]any{"id": "1", "body": json.RawMessage(text)})
			}
			from = min(from, len(list))
			reply(w, http.StatusOK, map[string]any{"startAt": from, "total": len(list), "comments": list[from:min(from+size, len(list))]})
		case r.Method == "GET" && r.URL.Path == base+"/project/SEC":
			reply(w, http.StatusOK, map[string]any{"key": "SEC", "issueTypes": []any{map[string]any{"name": "Task"}, map[string]any{"name": "Bug"}}})
		case r.Method == "POST" && r.URL.Path == base+"/issue":
			var in struct{ Fields map[string]any }
			if err := json.Unmarshal(body, &in); err != nil {
				reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{err.Error()}})
				return
			}
			wrong := map[string]string{}
			for _, f := range lacks {
				if _, ok := in.Fields[f]; ok {
					wrong[f] = "Field '" + f + "' cannot be set. It is not on the appropriate screen, or unknown."
				}
			}
			if _, text := in.Fields["description"].(string); text != (version == "2") {
				wrong["description"] = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
			}
			if len(wrong) > 0 {
				reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{}, "errors": wrong})
				return
			}
			var mark string
			for _, l := range in.Fields["labels"].([]any) {
				if s, _ := l.(string); strings.HasPrefix(s, "picket-") {
					mark = s
				}
			}
			t := &DeskTicket{Key: "SEC-" + strconv.Itoa(len(d.Tickets())+1), Mark: mark, Fields: in.Fields, State: "To Do"}
			d.add(t)
			reply(w, http.StatusCreated, map[string]any{"id": "1", "key": t.Key, "self": d.URL + base + "/issue/1"})
		case r.Method == "POST" && r.URL.Path == search:
			var in struct{ JQL string }
			if err := json.Unmarshal(body, &in); err != nil {
				reply(w, http.StatusBadRequest, map[string]any{"errorMessages": []string{err.Error()}})
				return
			}
			list := []any{}
			for _, t := range d.Tickets() {
				if in.JQL == `labels = "`+t.Mark+`"` {
					list = append(list, map[string]any{"id": "1", "key": t.Key})
				}
			}
			reply(w, http.StatusOK, map[string]any{"issues": list, "isLast": true})
		case r.Method == "GET" && one:
			if !known {
				reply(w, http.StatusNotFound, map[string]any{"errorMessages": []string{"Issue does not exist or you do not have permission to see it."}})
				return
			}
			reply(w, http.StatusOK, map[string]any{"key": t.Key, "fields": map[string]any{"status": map[string]any{"name": t.State, "statusCategory": map[string]any{"key": categories[t.State]}}}})
		default:
			reply(w, http.StatusNotFound, map[string]any{"errorMessages": []string{"null for uri"}})
		}
	})
}

// NewServiceNow is the Table API with the table incident.
func NewServiceNow(auth string) *Desk {
	const base = "/api/now/table/incident"
	words := map[string]string{"1": "New", "2": "In Progress", "6": "Resolved", "7": "Closed"}
	record := func(t DeskTicket) map[string]any {
		both := func(display, value string) map[string]any {
			return map[string]any{"display_value": display, "value": value}
		}
		active := strconv.FormatBool(t.State != "7")
		return map[string]any{"sys_id": both(t.Key, t.Key), "number": both("INC00"+t.Key, "INC00"+t.Key), "state": both(words[t.State], t.State), "active": both(active, active)}
	}
	return newDesk(auth, func(d *Desk, w http.ResponseWriter, r *http.Request, body []byte) {
		id, one := strings.CutPrefix(r.URL.Path, base+"/")
		t, known := d.get(id)
		switch {
		case r.Method == "POST" && r.URL.Path == base:
			var in map[string]any
			if json.Unmarshal(body, &in) != nil {
				reply(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "Exception while reading request", "detail": "no JSON"}, "status": "failure"})
				return
			}
			mark, _ := in["correlation_id"].(string)
			t := &DeskTicket{Key: strconv.Itoa(100 + len(d.Tickets())), Mark: mark, Fields: in, State: "1"}
			d.add(t)
			w.Header().Set("Location", d.URL+base+"/"+t.Key)
			reply(w, http.StatusCreated, map[string]any{"result": record(*t)})
		case r.Method == "GET" && r.URL.Path == base:
			list := []any{}
			for _, t := range d.Tickets() {
				if q := r.URL.Query().Get("sysparm_query"); q == "" || q == "correlation_id="+t.Mark {
					list = append(list, record(t))
				}
			}
			reply(w, http.StatusOK, map[string]any{"result": list})
		case r.Method == "PATCH" && one && known:
			var in struct {
				Notes string `json:"work_notes"`
			}
			if json.Unmarshal(body, &in) != nil || in.Notes == "" {
				reply(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "Exception while reading request", "detail": "no note"}, "status": "failure"})
				return
			}
			d.comment(id, in.Notes)
			reply(w, http.StatusOK, map[string]any{"result": map[string]any{"sys_id": id}})
		case r.Method == "GET" && one && known && r.URL.Query().Get("sysparm_fields") == "work_notes":
			var notes []string
			for _, text := range slices.Backward(t.Comments) {
				notes = append(notes, "2026-01-02 03:04:05 - Picket (Work notes)\n"+text+"\n\n")
			}
			reply(w, http.StatusOK, map[string]any{"result": map[string]any{"work_notes": strings.Join(notes, "")}})
		case (r.Method == "GET" || r.Method == "PATCH") && one:
			if !known {
				reply(w, http.StatusNotFound, map[string]any{"error": map[string]any{"message": "No Record found", "detail": "Record doesn't exist or ACL restricts the record retrieval"}, "status": "failure"})
				return
			}
			reply(w, http.StatusOK, map[string]any{"result": record(t)})
		default:
			reply(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"message": "Invalid table", "detail": nil}, "status": "failure"})
		}
	})
}

// NewHook takes webhooks: one ticket for each idempotency key, as a receiver should.
func NewHook() *Desk {
	return newDesk("", func(d *Desk, w http.ResponseWriter, r *http.Request, body []byte) {
		key := r.Header.Get("Idempotency-Key")
		for _, t := range d.Tickets() {
			if t.Mark == key {
				reply(w, http.StatusOK, map[string]any{"ticket": map[string]any{"id": t.Key}})
				return
			}
		}
		var in map[string]any
		if json.Unmarshal(body, &in) != nil {
			reply(w, http.StatusBadRequest, nil)
			return
		}
		t := &DeskTicket{Key: "T" + strconv.Itoa(len(d.Tickets())+1), Mark: key, Fields: in}
		d.add(t)
		reply(w, http.StatusAccepted, map[string]any{"ticket": map[string]any{"id": t.Key, "url": "https://tickets.example.org/" + t.Key}})
	})
}
