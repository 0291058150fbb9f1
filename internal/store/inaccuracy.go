package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Inaccuracy is something that a person reported as wrong.
type Inaccuracy struct {
	ID        int64
	At        time.Time
	By        string
	Kind      string // software, weakness, recommendation
	Subject   string // id of that kind
	Title     string
	Category  string
	Details   string
	Evidence  []byte // JSON; empty in lists
	Status    string // open, resolved
	Changed   time.Time
	ChangedBy string
}

// AddInaccuracy stores a report, durably, and returns its number. It returns
// ok false, and stores nothing, when there are most of them already.
func (s *Store) AddInaccuracy(ctx context.Context, x Inaccuracy, most int) (id int64, ok bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		n := 0
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM inaccuracy`).Scan(&n); err != nil {
			return fmt.Errorf("count reports: %w", err)
		}
		if ok = n < most; !ok {
			return nil
		}
		return tx.QueryRowContext(ctx, `INSERT INTO inaccuracy (at, by_name, kind, subject, title, category, details, evidence, status, changed, changed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $1, $2) RETURNING id`,
			x.At.UnixMilli(), x.By, x.Kind, x.Subject, x.Title, x.Category, x.Details, x.Evidence, x.Status).Scan(&id)
	})
	return id, ok, err
}

// Inaccuracies returns all reports without their evidence, newest first.
func (s *Store) Inaccuracies(ctx context.Context) ([]Inaccuracy, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, at, by_name, kind, subject, title, category, details, status, changed, changed_by FROM inaccuracy ORDER BY id DESC`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Inaccuracy
	for rows.Next() {
		var x Inaccuracy
		var at, changed int64
		if err := rows.Scan(&x.ID, &at, &x.By, &x.Kind, &x.Subject, &x.Title, &x.Category, &x.Details, &x.Status, &changed, &x.ChangedBy); err != nil {
			return nil, err
		}
		x.At, x.Changed = time.UnixMilli(at).UTC(), time.UnixMilli(changed).UTC()
		out = append(out, x)
	}
	return out, rows.Err()
}

// Inaccuracy returns one report with its evidence, ok false when there is none.
func (s *Store) Inaccuracy(ctx context.Context, id int64) (x Inaccuracy, ok bool, err error) {
	var at, changed int64
	err = s.r.QueryRowContext(ctx, `SELECT id, at, by_name, kind, subject, title, category, details, evidence, status, changed, changed_by FROM inaccuracy WHERE id = $1`, id).
		Scan(&x.ID, &at, &x.By, &x.Kind, &x.Subject, &x.Title, &x.Category, &x.Details, &x.Evidence, &x.Status, &changed, &x.ChangedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return Inaccuracy{}, false, nil
	}
	x.At, x.Changed = time.UnixMilli(at).UTC(), time.UnixMilli(changed).UTC()
	return x, err == nil, err
}

// SetInaccuracyStatus changes the status of a report, durably; ok is false when there is none.
func (s *Store) SetInaccuracyStatus(ctx context.Context, id int64, status, by string, at time.Time) (ok bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE inaccuracy SET status = $2, changed = $3, changed_by = $4 WHERE id = $1`, id, status, at.UnixMilli(), by)
		if err != nil {
			return fmt.Errorf("store status of report %d: %w", id, err)
		}
		n, err := res.RowsAffected()
		ok = n > 0
		return err
	})
	return ok, err
}
