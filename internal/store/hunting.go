package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// HuntQuery is a saved query of hunting.
type HuntQuery struct {
	ID          int64
	Owner       int64 // account; 0: it is gone
	Author      string
	Name        string
	Description string
	Query       string
	Shared      bool
	Created     time.Time
	Updated     time.Time
}

const huntQueryColumns = `id, coalesce(owner, 0), author, name, description, query, shared, created, updated`

// HuntQueries returns the queries of an account and those that are shared, by
// name; with id not 0 only that one, or ErrNotFound.
func (s *Store) HuntQueries(ctx context.Context, account, id int64) ([]HuntQuery, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+huntQueryColumns+` FROM hunt_query
		WHERE (shared = 1 OR $1 > 0 AND owner = $1) AND ($2 = 0 OR id = $2) ORDER BY name, id`, account, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []HuntQuery
	for rows.Next() {
		var q HuntQuery
		var created, updated int64
		if err := rows.Scan(&q.ID, &q.Owner, &q.Author, &q.Name, &q.Description, &q.Query, &q.Shared, &created, &updated); err != nil {
			return nil, err
		}
		q.Created, q.Updated = fromMilli(created), fromMilli(updated)
		out = append(out, q)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if id != 0 && len(out) == 0 {
		return nil, ErrNotFound
	}
	return out, nil
}

// SaveHuntQuery stores a query, a new one when its ID is 0, and returns its
// number. ErrTaken when the owner has another one of that name, ErrFull when the
// owner has most of them already. What is nobody's and not shared is removed.
func (s *Store) SaveHuntQuery(ctx context.Context, q HuntQuery, most int) (id int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM hunt_query WHERE owner IS NULL AND shared = 0`); err != nil {
			return err
		}
		var taken, n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE name = $2 AND id <> $3), count(*) FROM hunt_query WHERE owner = $1`, q.Owner, q.Name, q.ID).Scan(&taken, &n); err != nil {
			return err
		}
		switch {
		case taken > 0:
			return ErrTaken
		case q.ID == 0 && n >= most:
			return ErrFull
		case q.ID != 0:
			id = q.ID
			_, err := tx.ExecContext(ctx, `UPDATE hunt_query SET name = $2, description = $3, query = $4, shared = $5, updated = $6 WHERE id = $1`,
				q.ID, q.Name, q.Description, q.Query, q.Shared, q.Updated.UnixMilli())
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO hunt_query (owner, author, name, description, query, shared, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`,
			q.Owner, q.Author, q.Name, q.Description, q.Query, q.Shared, q.Updated.UnixMilli())
		if err != nil {
			return fmt.Errorf("store query: %w", err)
		}
		id, err = res.LastInsertId()
		return err
	})
	return id, err
}

// DeleteHuntQuery removes a query, or ErrNotFound.
func (s *Store) DeleteHuntQuery(ctx context.Context, id int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM hunt_query WHERE id = $1`, id)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}
