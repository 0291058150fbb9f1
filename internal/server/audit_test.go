package server

import (
	"context"
	"encoding/json"
	"errors"
	"github.com/picketsec/picket/internal/exposure"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
)

func auditLog(t *testing.T, s *Server, q Query) []AuditRow {
	t.Helper()
	q.Sort = []string{"at"}
	p, err := s.Audit(context.Background(), Caller{Admin: true}, q)
	if err != nil {
		t.Fatal(err)
	}
	return p.Items
}

// What a person does is in the log with what was and is, what is refused is
// there too, and nothing of it can be had without the permission.
func TestAuditTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	admin := Caller{Name: "alice", UserID: 7, Admin: true, Remote: "192.0.2.9"}
	rule := RuleEdit{Name: "web servers"}
	ctx := s.Audited(context.Background(), admin, "create-device-group", "", "REQ1")
	if _, err := s.SaveDeviceGroup(ctx, admin, 0, rule); err != nil {
		t.Fatal(err)
	}
	s.AuditEnd(ctx, http.StatusCreated)
	ctx = s.Audited(context.Background(), Caller{Name: "bob", App: "bob-app"}, "delete-device-group", "1", "REQ2")
	if err := s.DeleteDeviceGroup(ctx, Caller{Name: "bob"}, 1); !errors.Is(err, ErrDenied) {
		t.Fatal(err)
	}
	s.AuditEnd(ctx, http.StatusForbidden)
	rows := auditLog(t, s, Query{})
	if len(rows) != 2 {
		t.Fatalf("%d entries: %+v", len(rows), rows)
	}
	made, refused := rows[0], rows[1]
	if made.Actor != "alice" || made.Kind != audit.Person || made.ActorID != "7" || made.Remote != "192.0.2.9" || made.Outcome != audit.Done || made.Request != "REQ1" ||
		!strings.Contains(string(made.Detail), `"name":"web servers"`) {
		t.Errorf("made: %+v %s", made, made.Detail)
	}
	if refused.Actor != "bob" || refused.Kind != audit.Application || refused.Outcome != audit.Denied || refused.Status != 403 || refused.Object != "1" {
		t.Errorf("refused: %+v", refused)
	}
	if got := auditLog(t, s, Query{Filter: map[string][]string{"outcome": {"denied"}}}); len(got) != 1 || got[0].ID != "2" {
		t.Errorf("denied: %+v", got)
	}
	if got := auditLog(t, s, Query{Filter: map[string][]string{"from": {time.Now().Add(time.Hour).Format(time.RFC3339)}}}); len(got) != 0 {
		t.Errorf("of the future: %+v", got)
	}
	if _, err := s.Audit(context.Background(), Caller{Permissions: AppPermissions}, Query{}); !errors.Is(err, ErrDenied) {
		t.Errorf("an application read the audit log: %v", err)
	}
	if _, err := s.Audit(context.Background(), admin, Query{Filter: map[string][]string{"from": {"yesterday"}}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("yesterday: %v", err)
	}
}

// A change that fails after it was stored is told as failed, too.
func TestAuditTellsOfLateFailure(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	admin := Caller{Name: "alice", UserID: 7, Admin: true}
	ctx := s.Audited(context.Background(), admin, "create-device-group", "", "")
	if _, err := s.SaveDeviceGroup(ctx, admin, 0, RuleEdit{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	s.AuditEnd(ctx, http.StatusInternalServerError)
	if rows := auditLog(t, s, Query{}); len(rows) != 2 || rows[0].Outcome != audit.Done || rows[1].Outcome != audit.Failed {
		t.Fatalf("%+v", rows)
	}
}

// Anybody can be refused: that must not fill the disk, and what is not listed is counted.
func TestAuditOfRefusalsIsBounded(t *testing.T) {
	t.Parallel()
	var r refusals
	now := time.Unix(1_000_000, 0)
	listed := 0
	for range mostRefusals + 50 {
		if _, ok := r.take(now); ok {
			listed++
		}
	}
	if listed != mostRefusals {
		t.Fatalf("%d refusals at once are listed", listed)
	}
	if missed, ok := r.take(now.Add(2 * time.Second)); !ok || missed != 50 {
		t.Fatalf("later: %v, %d missed", ok, missed)
	}
}

// A refusal that is only counted is told by the next one that is listed, also of
// somebody who is not known.
func TestAuditTellsWhatIsNotListed(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	refuse := func(left float64) {
		s.refused.left, s.refused.at = left, time.Now()
		s.AuditEnd(s.Audited(context.Background(), Caller{Remote: "192.0.2.1"}, "sign-in", "", ""), http.StatusUnauthorized)
	}
	refuse(-10)
	refuse(-10)
	refuse(1)
	rows := auditLog(t, s, Query{})
	if len(rows) != 1 || rows[0].NotListed != 2 || rows[0].Kind != audit.Nobody || rows[0].ActorID != "" || rows[0].Outcome != audit.Denied {
		t.Fatalf("%+v", rows)
	}
}

// Saving a device group tells who sees it, before and after; and the export has
// every entry once, in either order, with filters, part by part.
func TestAuditOfAccessAndItsExport(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	one, two := team(t, s.Accounts, "one"), team(t, s.Accounts, "two")
	save := func(id exposure.Group, seenBy ...int64) exposure.Group {
		t.Helper()
		ctx := s.Audited(context.Background(), boss, "save-device-group", "", "R")
		g, err := s.SaveDeviceGroup(ctx, boss, id, RuleEdit{Name: "web", UserGroups: seenBy})
		if err != nil {
			t.Fatal(err)
		}
		s.AuditEnd(ctx, http.StatusOK)
		return g.ID
	}
	save(save(0, one), two)
	rows := auditLog(t, s, Query{})
	if d := string(rows[0].Detail); !strings.Contains(d, `"user_groups":["one"]`) {
		t.Errorf("made: %s", d)
	}
	var d struct {
		Before, After struct {
			UserGroups []string `json:"user_groups"`
		}
	}
	if err := json.Unmarshal(rows[1].Detail, &d); err != nil || !slices.Equal(d.Before.UserGroups, []string{"one"}) || !slices.Equal(d.After.UserGroups, []string{"two"}) {
		t.Errorf("changed: %s, %v", rows[1].Detail, err)
	}
	for n := range 2*auditPart + 10 {
		action := "even"
		if n%2 == 1 {
			action = "odd"
		}
		if err := s.st.AppendAudit(t.Context(), audit.Entry{At: time.Now(), Kind: audit.Local, Actor: "x", Action: action, Outcome: audit.Done}); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []Query{{}, {Sort: []string{"at"}}, {Filter: map[string][]string{"action": {"odd"}}}, {Text: "even", Sort: []string{"at"}}} {
		page, err := s.Audit(t.Context(), boss, q)
		if err != nil {
			t.Fatal(err)
		}
		seq, err := s.AuditExport(t.Context(), boss, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for r, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.ID)
		}
		if len(got) != page.Total || !slices.EqualFunc(got, page.Items, func(id string, r AuditRow) bool { return id == r.ID }) {
			t.Errorf("export of %+v: %d rows, the list has %d", q, len(got), page.Total)
		}
	}
	if _, err := s.AuditExport(t.Context(), Caller{Permissions: AppPermissions}, Query{}); !errors.Is(err, ErrDenied) {
		t.Errorf("an application exports the audit log: %v", err)
	}
}

// The log is found by who, what, on which, how it ended, from where and when, in
// the store, and an export of it is what the list shows.
func TestAuditIsFound(t *testing.T) {
	t.Parallel()
	s := testServer(t)
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for n, e := range []audit.Entry{
		{Kind: audit.Person, Actor: "alice", Action: "set-device-value", Object: "dev-a", Remote: "192.0.2.1", Outcome: audit.Done},
		{Kind: audit.Person, Actor: "bob", Action: "set-device-value", Object: "dev-b", Remote: "192.0.2.2", Outcome: audit.Denied},
		{Kind: audit.Application, Actor: "alice", Action: "import-vex", Object: "dev-a", Remote: "2001:db8::1", Outcome: audit.Failed},
		{Kind: audit.Local, Actor: "uid 0", Action: "nudge", Object: "R&D <lab>", Outcome: audit.Done},
	} {
		e.At = noon.Add(time.Duration(n) * time.Hour)
		if err := s.st.AppendAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ name, text, filter, want string }{
		{"all", "", "", "4 3 2 1"},
		{"actor", "", "actor=alice", "3 1"},
		{"two actors", "", "actor=bob|uid 0", "4 2"},
		{"a part of an actor is none", "", "actor=ali", ""},
		{"action", "", "action=set-device-value", "2 1"},
		{"object", "", "object=dev-a", "3 1"},
		{"two objects", "", "object=dev-a|dev-b", "3 2 1"},
		{"outcome", "", "outcome=denied|failed", "3 2"},
		{"address", "", "remote=192.0.2.2|2001:db8::1", "3 2"},
		{"the beginning is in it, the end is not", "", "from=2026-11-20T13:00:00Z to=2026-11-20T15:00:00Z", "3 2"},
		{"in another zone, with a fraction", "", "from=2026-11-20T15:59:59.5+01:00", "4"},
		{"everything at once", "DEV-A", "actor=alice action=import-vex outcome=failed remote=2001:db8::1 from=2026-11-20T14:00:00Z", "3"},
		{"text that JSON writes in another way", "r&d <lab>", "", "4"},
	}
	for _, tt := range tests {
		q := Query{Text: tt.text, Filter: map[string][]string{}}
		for name, values := range filtersOf(tt.filter) {
			q.Filter[name] = values
		}
		page, err := s.Audit(t.Context(), boss, q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var listed, exported []string
		for _, r := range page.Items {
			listed = append(listed, r.ID)
		}
		if got := strings.Join(listed, " "); got != tt.want || page.Total != len(listed) {
			t.Errorf("%s: entries %q of %d, want %q", tt.name, got, page.Total, tt.want)
		}
		rows, err := s.AuditExport(t.Context(), boss, q)
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			exported = append(exported, r.ID)
		}
		if !slices.Equal(exported, listed) {
			t.Errorf("%s: the export has %q, the list %q", tt.name, exported, listed)
		}
	}
	for _, bad := range []string{"from=yesterday", "from=2026-11-20T12:00:00Z|2026-11-20T13:00:00Z", "from=2026-11-20T12:00:00Z to=2026-11-20T12:00:00Z", "outcome=good"} {
		if _, err := s.Audit(t.Context(), boss, Query{Filter: filtersOf(bad)}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	words, err := s.AuditWords(t.Context(), boss)
	if err != nil || !slices.Equal(words.Actors, []string{"alice", "bob", "uid 0"}) || !slices.Equal(words.Actions, []string{"import-vex", "nudge", "set-device-value"}) ||
		!slices.Equal(words.Remotes, []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}) {
		t.Errorf("words: %+v, %v", words, err)
	}
	if _, err := s.AuditWords(t.Context(), Caller{Permissions: AppPermissions}); !errors.Is(err, ErrDenied) {
		t.Errorf("an application reads the words of the audit log: %v", err)
	}
}

// filtersOf reads "name=a|b name=c"; a word without "=" belongs to the value before it.
func filtersOf(text string) map[string][]string {
	out, last := map[string][]string{}, ""
	for _, word := range strings.Fields(text) {
		name, values, ok := strings.Cut(word, "=")
		if !ok {
			list := out[last]
			list[len(list)-1] += " " + word
			continue
		}
		last = name
		out[name] = strings.Split(values, "|")
	}
	return out
}
