package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/audit"
)

func draft(action string) context.Context {
	return audit.With(context.Background(), audit.NewDraft(audit.Entry{At: time.Now(), Kind: audit.Person, Actor: "alice", Action: action, Outcome: audit.Done}))
}

func entries(t *testing.T, s *Store, q AuditQuery) (out []string) {
	t.Helper()
	if _, err := s.Audit(context.Background(), q, func(e audit.Entry, _ audit.Hash) error {
		out = append(out, e.Action+" "+string(e.Outcome))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// An entry is stored with the change that it is about, or not at all, and once
// however many changes a request makes.
func TestAuditWithTheChange(t *testing.T) {
	t.Parallel()
	s := openTest(t, t.TempDir())
	ctx := draft("first")
	broken := errors.New("broken")
	if err := s.write(ctx, func(*sql.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if got := entries(t, s, AuditQuery{}); len(got) != 0 {
		t.Fatalf("a change that failed is recorded: %q", got)
	}
	nothing := func(*sql.Tx) error { return nil }
	for range 3 {
		if err := s.write(ctx, nothing); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.write(draft("second"), nothing); err != nil {
		t.Fatal(err)
	}
	if err := s.write(context.Background(), nothing); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(entries(t, s, AuditQuery{Oldest: true}), ", "); got != "first done, second done" {
		t.Fatalf("recorded %s", got)
	}
	if got := entries(t, s, AuditQuery{Text: "SECOND"}); len(got) != 1 || got[0] != "second done" {
		t.Fatalf("found %q", got)
	}
	if got := entries(t, s, AuditQuery{Actors: []string{"bob"}}); len(got) != 0 {
		t.Fatalf("bob did %q", got)
	}
}

// The database itself refuses to change the log, and whoever gets round that is found out.
func TestAuditIsTamperEvident(t *testing.T) {
	t.Parallel()
	s := openTest(t, t.TempDir())
	ctx := context.Background()
	for _, a := range []string{"one", "two", "three"} {
		if err := s.AppendAudit(ctx, audit.Entry{At: time.Now(), Actor: "alice", Action: a, Outcome: audit.Denied}); err != nil {
			t.Fatal(err)
		}
	}
	last := int64(0)
	verify := func() error {
		last = 0
		return s.VerifyAudit(ctx, func(seq int64, _ audit.Hash) { last = seq })
	}
	if err := verify(); err != nil || last != 3 {
		t.Fatalf("%v after %d entries", err, last)
	}
	for _, change := range []string{`UPDATE audit SET actor = 'bob' WHERE seq = 2`, `DELETE FROM audit WHERE seq = 2`} {
		if _, err := s.w.ExecContext(ctx, change); err == nil {
			t.Fatalf("%s was taken", change)
		}
	}
	for _, change := range []string{`DROP TRIGGER audit_stays`, `UPDATE audit SET actor = 'bob' WHERE seq = 2`} {
		if _, err := s.w.ExecContext(ctx, change); err != nil {
			t.Fatal(err)
		}
	}
	if err := verify(); !errors.Is(err, audit.ErrBroken) || last != 1 {
		t.Fatalf("a column that was changed: %v after %d entries", err, last)
	}
}
