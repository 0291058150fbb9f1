package ticket

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// serviceNow makes records of a task table through the Table API.
type serviceNow struct {
	base string
	c    Config
	web  *web
}

func (s *serviceNow) table() string { return s.base + "/api/now/table/" + s.c.Project }

// urgency is ServiceNow's number of a priority.
var urgency = map[string]string{"High": "1", "Medium": "2", "Low": "3"}

// snValue is a field with both of its forms, as sysparm_display_value=all gives it.
type snValue struct {
	Display string `json:"display_value"`
	Value   string `json:"value"`
}

type snRecord struct {
	ID     snValue `json:"sys_id"`
	Number snValue `json:"number"`
	State  snValue `json:"state"`
	Active snValue `json:"active"`
}

const snFields = "sysparm_fields=sys_id,number,state,active&sysparm_display_value=all"

// Send makes a record, once: the key is its correlation_id, which is looked for
// before another attempt.
func (s *serviceNow) Send(ctx context.Context, m *Message) (Ref, error) {
	if m.follows() {
		return s.comment(ctx, m)
	}
	if !m.Again.IsZero() {
		have, err := s.find(ctx, m.Key)
		if err != nil || have.ID != "" {
			return have, err
		}
	}
	in := map[string]string{
		"short_description": cut(m.fullTitle(), 155), "description": m.text(), "correlation_id": m.Key, "correlation_display": "Picket",
		"urgency": urgency[m.Priority], "impact": urgency[m.Priority],
	}
	if !m.Due.IsZero() {
		in["due_date"] = m.Due.UTC().Format("2006-01-02 15:04:05")
	}
	a, err := s.web.do(ctx, "POST", s.table()+"?"+snFields, in)
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusCreated {
		return Ref{}, s.refused(&a)
	}
	var made struct{ Result snRecord }
	if err := a.decode("ServiceNow", &made); err != nil {
		return Ref{}, err
	}
	return s.ref(&made.Result), nil
}

func (s *serviceNow) ref(r *snRecord) Ref {
	link := s.base + "/nav_to.do?uri=" + url.QueryEscape(s.c.Project+".do?sys_id="+r.ID.Value)
	return Ref{ID: cut(r.ID.Value, 100), URL: safeLink(link), Phase: r.phase(), Word: cut(r.Number.Value+" "+r.State.Display, 80)}
}

// phase of a task: what is not active any more is closed; 1 is new in the
// tables that ServiceNow brings, and pending (-5) waits too.
func (r *snRecord) phase() Phase {
	switch {
	case r.Active.Value == "false", r.State.Value == "6", r.State.Value == "7", r.State.Value == "8":
		return Closed
	case r.State.Value == "1" || r.State.Value == "-5" || r.State.Value == "":
		return Open
	}
	return InProgress
}

func (s *serviceNow) refused(a *answer) error {
	var e struct {
		Error struct{ Message, Detail string }
	}
	_ = json.Unmarshal(a.body, &e) // an answer without words is refused too
	return a.refused("ServiceNow", e.Error.Message+" "+e.Error.Detail)
}

func (s *serviceNow) find(ctx context.Context, key string) (Ref, error) {
	a, err := s.web.do(ctx, "GET", s.table()+"?sysparm_limit=1&sysparm_query="+url.QueryEscape("correlation_id="+key)+"&"+snFields, nil)
	if err != nil {
		return Ref{}, err
	}
	if a.status != http.StatusOK {
		return Ref{}, s.refused(&a)
	}
	var found struct{ Result []snRecord }
	if err := a.decode("ServiceNow", &found); err != nil {
		return Ref{}, err
	}
	if len(found.Result) == 0 {
		return Ref{}, nil
	}
	return s.ref(&found.Result[0]), nil
}

// State asks for the state of a record.
func (s *serviceNow) State(ctx context.Context, id, etag string) (State, error) {
	a, err := s.web.do(ctx, "GET", s.table()+"/"+url.PathEscape(id)+"?"+snFields, nil, ifNoneMatch(etag)...)
	if err != nil {
		return State{}, err
	}
	if a.status == http.StatusNotModified {
		return State{Same: true}, nil
	}
	if a.status != http.StatusOK {
		return State{}, s.refused(&a)
	}
	var got struct{ Result snRecord }
	if err := a.decode("ServiceNow", &got); err != nil {
		return State{}, err
	}
	return State{Phase: got.Result.phase(), Word: cut(got.Result.Number.Value+" "+got.Result.State.Display, 80), ETag: tagOf(&a)}, nil
}

// Test asks for one record of the table.
func (s *serviceNow) Test(ctx context.Context, _ *Message) error {
	a, err := s.web.do(ctx, "GET", s.table()+"?sysparm_limit=1&sysparm_fields=sys_id", nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return s.refused(&a)
	}
	var got struct{ Result []json.RawMessage }
	return a.decode("ServiceNow", &got)
}
