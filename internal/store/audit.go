package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
)

// record stores the entry that travels with ctx in the transaction of a change,
// unless an earlier one of the same request has it. undo takes that back.
func (s *Store) record(ctx context.Context, tx *sql.Tx) (undo func(), err error) {
	d := audit.From(ctx)
	if d == nil {
		return func() {}, nil
	}
	e, back, ok := d.Take()
	if !ok {
		return func() {}, nil
	}
	if err := appendAudit(ctx, tx, e); err != nil {
		back()
		return func() {}, err
	}
	return back, nil
}

func appendAudit(ctx context.Context, tx *sql.Tx, e audit.Entry) error {
	var head audit.Hash
	var hash []byte
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&e.Seq, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read head of audit log: %w", err)
	}
	copy(head[:], hash)
	e.Seq++
	e.At = e.At.UTC().Truncate(time.Microsecond)
	record, next, err := audit.Seal(&e, head)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit (seq, at, kind, actor, action, object, outcome, record, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.Seq, e.At.UnixMicro(), e.Kind, e.Actor, e.Action, e.Object, e.Outcome, record, next[:]); err != nil {
		return fmt.Errorf("append to audit log: %w", err)
	}
	return addOutgoing(ctx, tx, ClassAudit, e.Seq)
}

// AppendAudit stores an entry by itself, durably: of a request that changed
// nothing, or failed after it did. Its Seq is given out here.
func (s *Store) AppendAudit(ctx context.Context, e audit.Entry) error {
	return s.write(audit.With(ctx, nil), func(tx *sql.Tx) error { return appendAudit(ctx, tx, e) })
}

// AuditQuery narrows the audit log; zero values narrow nothing.
type AuditQuery struct {
	Text     string // part of actor, action, object or detail, without regard to case
	Actors   []string
	Actions  []string
	Objects  []string
	Outcomes []string
	Remotes  []string  // addresses
	From, To time.Time // From is included, To is not
	Oldest   bool      // first; else newest
	Skip     int
	Most     int   // 0: all
	Beyond   int64 // number of an entry: only those after it in the order that is asked for
	NoTotal  bool  // leaves counting out: the total is 0
}

// Audit calls yield with the entries of a query and returns how many there are
// without Skip and Most. yield may be nil.
func (s *Store) Audit(ctx context.Context, q AuditQuery, yield func(audit.Entry, audit.Hash) error) (total int, err error) {
	where, args := []string{"1"}, []any{}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	for column, values := range map[string][]string{"actor": q.Actors, "action": q.Actions, "object": q.Objects, "outcome": q.Outcomes, "remote": q.Remotes} {
		var marks []string
		for _, v := range values {
			marks = append(marks, arg(v))
		}
		if len(marks) > 0 {
			where = append(where, column+" IN ("+strings.Join(marks, ", ")+")")
		}
	}
	if q.Text != "" {
		text, err := json.Marshal(q.Text) // the record is JSON: what is looked for is written as it is there
		if err != nil {
			return 0, fmt.Errorf("look for %q in the audit log: %w", q.Text, err)
		}
		where = append(where, "instr(lower(CAST(record AS TEXT)), lower("+arg(string(text[1:len(text)-1]))+")) > 0")
	}
	if !q.From.IsZero() {
		where = append(where, "at >= "+arg(q.From.UnixMicro()))
	}
	if !q.To.IsZero() {
		where = append(where, "at < "+arg(q.To.UnixMicro()))
	}
	if q.Beyond != 0 && q.Oldest {
		where = append(where, "seq > "+arg(q.Beyond))
	} else if q.Beyond != 0 {
		where = append(where, "seq < "+arg(q.Beyond))
	}
	from := " FROM audit WHERE " + strings.Join(where, " AND ")
	if !q.NoTotal {
		if err := s.r.QueryRowContext(ctx, "SELECT count(*)"+from, args...).Scan(&total); err != nil {
			return 0, fmt.Errorf("count audit log: %w", err)
		}
	}
	if yield == nil {
		return total, nil
	}
	order, most := " ORDER BY seq DESC", q.Most
	if q.Oldest {
		order = " ORDER BY seq"
	}
	if most <= 0 {
		most = -1
	}
	rows, err := s.r.QueryContext(ctx, "SELECT record, hash"+from+order+" LIMIT "+arg(most)+" OFFSET "+arg(q.Skip), args...)
	if err != nil {
		return 0, fmt.Errorf("read audit log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e, h, err := scanAudit(rows)
		if err != nil {
			return 0, err
		}
		if err := yield(e, h); err != nil {
			return 0, err
		}
	}
	return total, rows.Err()
}

// AuditWords are the actors, actions and addresses that the log has, each in
// order and at most so many. They are read from the ends of indexes: the cost is
// that of the words, not of the entries.
func (s *Store) AuditWords(ctx context.Context, most int) (actors, actions, remotes []string, err error) {
	for column, into := range map[string]*[]string{"actor": &actors, "action": &actions, "remote": &remotes} {
		rows, err := s.r.QueryContext(ctx, `WITH RECURSIVE words(w) AS (SELECT min(`+column+`) FROM audit UNION ALL
			SELECT (SELECT min(`+column+`) FROM audit WHERE `+column+` > w) FROM words WHERE w IS NOT NULL)
			SELECT w FROM words WHERE w IS NOT NULL AND w <> '' LIMIT $1`, most)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("read words of audit log: %w", err)
		}
		for rows.Next() {
			var word string
			if err := rows.Scan(&word); err != nil {
				return nil, nil, nil, errors.Join(fmt.Errorf("read words of audit log: %w", err), rows.Close())
			}
			*into = append(*into, word)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return nil, nil, nil, fmt.Errorf("read words of audit log: %w", err)
		}
	}
	return actors, actions, remotes, nil
}

func scanAudit(rows *sql.Rows) (e audit.Entry, h audit.Hash, err error) {
	var record, hash []byte
	if err := rows.Scan(&record, &hash); err != nil {
		return audit.Entry{}, audit.Hash{}, fmt.Errorf("read audit log: %w", err)
	}
	if err := json.Unmarshal(record, &e); err != nil {
		return audit.Entry{}, audit.Hash{}, fmt.Errorf("read audit log: %w", err)
	}
	copy(h[:], hash)
	return e, h, nil
}

// VerifyAudit follows the chain of the whole log and calls seen after each
// entry that holds. An error that is audit.ErrBroken says where it does not.
func (s *Store) VerifyAudit(ctx context.Context, seen func(seq int64, head audit.Hash)) error {
	rows, err := s.r.QueryContext(ctx, `SELECT at, kind, actor, action, object, outcome, record, hash FROM audit ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var c audit.Checker
	for rows.Next() {
		var at int64
		var kind, actor, action, object, outcome string
		var record, hash []byte
		if err := rows.Scan(&at, &kind, &actor, &action, &object, &outcome, &record, &hash); err != nil {
			return fmt.Errorf("read audit log: %w", err)
		}
		e, err := c.Next(record, hash)
		if err != nil {
			return err
		}
		if e.At.UnixMicro() != at || string(e.Kind) != kind || e.Actor != actor || e.Action != action || e.Object != object || string(e.Outcome) != outcome {
			return fmt.Errorf("entry %d is filed as something else than it says: %w", e.Seq, audit.ErrBroken)
		}
		seen(c.Seq, c.Head)
	}
	return rows.Err()
}
