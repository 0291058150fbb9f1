package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Classes of what goes out.
const (
	ClassExposure = "exposure" // Ref is the id of an event
	ClassAudit    = "audit"    // Ref is the number of an entry of the audit log
)

// Forward is a receiver of news.
type Forward struct {
	ID      string
	Kind    string
	Name    string
	Enabled bool
	Classes []string
	Config  []byte // JSON
	Secret  []byte // sealed
	Updated time.Time
	By      string

	Cursor   int64 // last entry of the outbox that is done with
	Sent     int64
	Dropped  int64
	LastSent time.Time
	Attempts int // that failed since the last success
	Next     time.Time
	Error    string
	Mend     string
}

// Outgoing is an entry of the outbox: what it points at is of a class.
type Outgoing struct {
	Seq   int64
	Class string
	Ref   int64
}

// addOutgoing puts an entry into the outbox when somebody wants its class.
func addOutgoing(ctx context.Context, tx *sql.Tx, class string, ref int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO forward_outbox (class, ref) SELECT $1, $2 WHERE EXISTS
		(SELECT 1 FROM forward, json_each(forward.classes) c WHERE forward.enabled = 1 AND c.value = $1)`, class, ref)
	if err != nil {
		return fmt.Errorf("put into outbox: %w", err)
	}
	return nil
}

// takesOutgoing reports whether any receiver takes a class: then addOutgoing has something to do.
func takesOutgoing(ctx context.Context, tx *sql.Tx, class string) (takes bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM forward, json_each(forward.classes) c WHERE forward.enabled = 1 AND c.value = $1)`, class).Scan(&takes)
	if err != nil {
		return false, fmt.Errorf("look for receivers: %w", err)
	}
	return takes, nil
}

const forwardColumns = `id, kind, name, enabled, classes, config, secret, updated, by, cursor, sent, dropped, last_sent, attempts, next, error, mend`

// Forwards lists the receivers by name.
func (s *Store) Forwards(ctx context.Context) ([]Forward, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+forwardColumns+` FROM forward ORDER BY name, id`)
	if err != nil {
		return nil, fmt.Errorf("list receivers: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Forward
	for rows.Next() {
		var f Forward
		var classes string
		var updated, last, next int64
		if err := rows.Scan(&f.ID, &f.Kind, &f.Name, &f.Enabled, &classes, &f.Config, &f.Secret, &updated, &f.By, &f.Cursor, &f.Sent, &f.Dropped, &last, &f.Attempts, &next, &f.Error, &f.Mend); err != nil {
			return nil, fmt.Errorf("read receiver: %w", err)
		}
		if err := json.Unmarshal([]byte(classes), &f.Classes); err != nil {
			return nil, fmt.Errorf("read receiver: %w", err)
		}
		f.Updated, f.LastSent, f.Next = fromMilli(updated), milliOrZero(last), milliOrZero(next)
		out = append(out, f)
	}
	return out, rows.Err()
}

// PutForward stores a receiver. A new one, and one that is turned on, gets what
// happens from now on. There may be most; ErrFull says that there are.
func (s *Store) PutForward(ctx context.Context, f Forward, most int) error {
	classes, err := json.Marshal(append([]string{}, f.Classes...))
	if err != nil {
		return fmt.Errorf("store receiver: %w", err)
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM forward WHERE id <> $1`, f.ID).Scan(&n); err != nil {
			return fmt.Errorf("count receivers: %w", err)
		}
		if n >= most {
			return ErrFull
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO forward (id, kind, name, enabled, classes, config, secret, updated, by, cursor)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'forward_outbox'), 0))
			ON CONFLICT (id) DO UPDATE SET name=$3, enabled=$4, classes=$5, config=$6, secret=$7, updated=$8, by=$9, attempts=0, next=0, error='', mend='',
			cursor = CASE WHEN forward.enabled THEN forward.cursor ELSE excluded.cursor END`,
			f.ID, f.Kind, f.Name, f.Enabled, string(classes), f.Config, nonNil(f.Secret), f.Updated.UnixMilli(), f.By)
		if err != nil {
			return fmt.Errorf("store receiver: %w", err)
		}
		return nil
	})
}

// DeleteForward forgets a receiver; ErrNotFound if there is none.
func (s *Store) DeleteForward(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *sql.Tx) error { return one(tx.ExecContext(ctx, `DELETE FROM forward WHERE id = $1`, id)) })
}

// Outgoing lists what a receiver of classes has still to get after a cursor,
// oldest first, at most limit, and counts all of it.
func (s *Store) Outgoing(ctx context.Context, cursor int64, classes []string, limit int) (list []Outgoing, total int64, err error) {
	where, args := `seq > $1 AND class IN (`+marks(2, len(classes))+`)`, []any{cursor}
	for _, c := range classes {
		args = append(args, c)
	}
	if err := s.r.QueryRowContext(ctx, `SELECT count(*) FROM forward_outbox WHERE `+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("count outbox: %w", err)
	}
	if limit == 0 {
		return nil, total, nil
	}
	rows, err := s.r.QueryContext(ctx, `SELECT seq, class, ref FROM forward_outbox WHERE `+where+fmt.Sprintf(` ORDER BY seq LIMIT %d`, limit), args...)
	if err != nil {
		return nil, 0, fmt.Errorf("read outbox: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var o Outgoing
		if err := rows.Scan(&o.Seq, &o.Class, &o.Ref); err != nil {
			return nil, 0, fmt.Errorf("read outbox: %w", err)
		}
		list = append(list, o)
	}
	return list, total, rows.Err()
}

func marks(from, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(list, ",")
}

// Forwarded notes that a receiver has everything up to a cursor: so many were
// sent, so many left out. One that was removed meanwhile is ErrNotFound.
func (s *Store) Forwarded(ctx context.Context, id string, cursor, sent, dropped int64, at time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE forward SET cursor = max(cursor, $2), sent = sent + $3, dropped = dropped + $4,
			last_sent = CASE WHEN $3 > 0 THEN $5 ELSE last_sent END, attempts = CASE WHEN $3 > 0 THEN 0 ELSE attempts END, next = CASE WHEN $3 > 0 THEN 0 ELSE next END,
			error = CASE WHEN $3 > 0 THEN '' ELSE error END, mend = CASE WHEN $3 > 0 THEN '' ELSE mend END WHERE id = $1`, id, cursor, sent, dropped, at.UnixMilli()))
	})
}

// ForwardFailed notes an attempt that failed, and when the next may be.
func (s *Store) ForwardFailed(ctx context.Context, id string, next time.Time, what, mend string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE forward SET attempts = attempts + 1, next = $2, error = $3, mend = $4 WHERE id = $1`, id, next.UnixMilli(), what, mend))
	})
}

// PruneOutbox takes out what every receiver that is turned on is done with.
func (s *Store) PruneOutbox(ctx context.Context) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM forward_outbox WHERE seq <= coalesce((SELECT min(cursor) FROM forward WHERE enabled = 1),
			(SELECT seq FROM sqlite_sequence WHERE name = 'forward_outbox'))`)
		return err
	})
}

// OutboxCut is the number up to which the outbox has to be given up so that at
// most so many entries of some classes stay after a cursor.
func (s *Store) OutboxCut(ctx context.Context, cursor int64, classes []string, keep int) (cut int64, err error) {
	args := []any{cursor}
	for _, c := range classes {
		args = append(args, c)
	}
	err = s.r.QueryRowContext(ctx, `SELECT seq FROM forward_outbox WHERE seq > $1 AND class IN (`+marks(2, len(classes))+fmt.Sprintf(`) ORDER BY seq DESC LIMIT 1 OFFSET %d`, keep), args...).Scan(&cut)
	if errors.Is(err, sql.ErrNoRows) {
		return cursor, nil
	}
	return cut, err
}

// AuditEntry returns one entry of the audit log as it was recorded, or ErrNotFound.
func (s *Store) AuditEntry(ctx context.Context, seq int64) ([]byte, error) {
	var record []byte
	err := s.r.QueryRowContext(ctx, `SELECT record FROM audit WHERE seq = $1`, seq).Scan(&record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	return record, err
}
