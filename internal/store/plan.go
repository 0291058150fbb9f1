package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Plan is a saved patch plan. Body is the server's, JSON.
type Plan struct {
	ID        int64
	Name      string
	Created   time.Time
	CreatedBy string
	Groups    []uint16 // nil: all devices
	Body      []byte
}

// ErrFull says that there are as many rows of a kind as are kept.
var ErrFull = errors.New("full")

// AddPlan saves a plan, durably, and returns its number; ErrFull when there are
// most plans already. ID is ignored.
func (s *Store) AddPlan(ctx context.Context, p Plan, most int) (id int64, err error) {
	var groups any
	if p.Groups != nil {
		text, err := json.Marshal(p.Groups)
		if err != nil {
			return 0, err
		}
		groups = string(text)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM plan`).Scan(&n); err != nil {
			return err
		}
		if n >= most {
			return ErrFull
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO plan (name, created, created_by, grps, body) VALUES ($1, $2, $3, $4, $5)`,
			p.Name, p.Created.UnixMilli(), p.CreatedBy, groups, p.Body)
		if err != nil {
			return fmt.Errorf("store plan: %w", err)
		}
		id, err = res.LastInsertId()
		return err
	})
	return id, err
}

// Plans returns all plans, the newest first.
func (s *Store) Plans(ctx context.Context) ([]Plan, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, name, created, created_by, grps, body FROM plan ORDER BY created DESC, id DESC`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Plan
	for rows.Next() {
		p, err := scanPlan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// Plan returns one plan, or ErrNotFound.
func (s *Store) Plan(ctx context.Context, id int64) (Plan, error) {
	p, err := scanPlan(s.r.QueryRowContext(ctx, `SELECT id, name, created, created_by, grps, body FROM plan WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Plan{}, ErrNotFound
	}
	return p, err
}

func scanPlan(row interface{ Scan(...any) error }) (p Plan, err error) {
	var created int64
	var groups sql.NullString
	if err := row.Scan(&p.ID, &p.Name, &created, &p.CreatedBy, &groups, &p.Body); err != nil {
		return Plan{}, err
	}
	p.Created = fromMilli(created)
	if groups.Valid {
		p.Groups = []uint16{}
		if err := json.Unmarshal([]byte(groups.String), &p.Groups); err != nil {
			return Plan{}, fmt.Errorf("device groups of plan %d: %w", p.ID, err)
		}
	}
	return p, nil
}

// DeletePlan removes a plan, or ErrNotFound.
func (s *Store) DeletePlan(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM plan WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}
