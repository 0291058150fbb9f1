package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Exception is an exception as it is kept: Spec is the server's.
type Exception struct {
	ID     int64  // 0: not stored yet
	Source string // the document that it came from, "" when a person made it
	Spec   []byte // JSON
	Ended  time.Time
}

// ExceptionEvent is something that became of an exception.
type ExceptionEvent struct {
	At     time.Time
	Type   string
	Detail string
	Who    string // "" when it was the server itself
}

// ExceptionChange is an exception as it is from now on, and what happened to it.
type ExceptionChange struct {
	Exception *Exception     // gets its ID when it is new
	Event     ExceptionEvent // without a type: nothing to tell
}

// SaveExceptions stores changes of exceptions, all or none, durably.
func (s *Store) SaveExceptions(ctx context.Context, changes []ExceptionChange) error {
	ids := make([]int64, len(changes))
	err := s.write(ctx, func(tx *sql.Tx) error {
		for i, c := range changes {
			e, ended := c.Exception, int64(0)
			if !e.Ended.IsZero() {
				ended = e.Ended.UnixMilli()
			}
			ids[i] = e.ID
			if e.ID == 0 {
				res, err := tx.ExecContext(ctx, `INSERT INTO exception (source, spec, ended) VALUES ($1, $2, $3)`, e.Source, string(e.Spec), ended)
				if err != nil {
					return fmt.Errorf("store exception: %w", err)
				}
				if ids[i], err = res.LastInsertId(); err != nil {
					return err
				}
			} else if _, err := tx.ExecContext(ctx, `UPDATE exception SET spec = $1, ended = $2 WHERE id = $3`, string(e.Spec), ended, e.ID); err != nil {
				return fmt.Errorf("store exception %d: %w", e.ID, err)
			}
			if c.Event.Type == "" {
				continue
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO exception_event (exception, at, type, detail, who) VALUES ($1, $2, $3, $4, $5)`,
				ids[i], c.Event.At.UnixMilli(), c.Event.Type, c.Event.Detail, c.Event.Who)
			if err != nil {
				return fmt.Errorf("store what became of exception %d: %w", ids[i], err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range changes {
		c.Exception.ID = ids[i]
	}
	return nil
}

// OpenExceptions returns the exceptions that are not over, oldest first, and
// those that ended at or after a time.
func (s *Store) OpenExceptions(ctx context.Context, ended time.Time) ([]Exception, error) {
	return s.exceptions(ctx, `SELECT id, source, spec, ended FROM exception WHERE ended = 0 OR ended >= $1 ORDER BY id`, ended.UnixMilli())
}

// EndedExceptions returns at most limit exceptions that are over and have a
// lower id than one, newest first.
func (s *Store) EndedExceptions(ctx context.Context, below int64, limit int) ([]Exception, error) {
	return s.exceptions(ctx, `SELECT id, source, spec, ended FROM exception WHERE ended <> 0 AND id < $1 ORDER BY id DESC LIMIT $2`, below, limit)
}

// CountEnded counts the exceptions that are over.
func (s *Store) CountEnded(ctx context.Context) (n int, err error) {
	if err := s.r.QueryRowContext(ctx, `SELECT count(*) FROM exception WHERE ended <> 0`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count exceptions: %w", err)
	}
	return n, nil
}

// Exception returns an exception; ErrNotFound if there is none with this id.
func (s *Store) Exception(ctx context.Context, id int64) (Exception, error) {
	list, err := s.exceptions(ctx, `SELECT id, source, spec, ended FROM exception WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Exception{}, err
	}
	return list[0], nil
}

func (s *Store) exceptions(ctx context.Context, query string, args ...any) ([]Exception, error) {
	rows, err := s.r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Exception
	for rows.Next() {
		var e Exception
		var ended int64
		if err := rows.Scan(&e.ID, &e.Source, &e.Spec, &ended); err != nil {
			return nil, fmt.Errorf("read exceptions: %w", err)
		}
		if ended > 0 {
			e.Ended = time.UnixMilli(ended).UTC()
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// ExceptionEvents returns what became of an exception, oldest first.
func (s *Store) ExceptionEvents(ctx context.Context, id int64) ([]ExceptionEvent, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT at, type, detail, who FROM exception_event WHERE exception = $1 ORDER BY at, id`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []ExceptionEvent
	for rows.Next() {
		var e ExceptionEvent
		var at int64
		if err := rows.Scan(&at, &e.Type, &e.Detail, &e.Who); err != nil {
			return nil, err
		}
		e.At = time.UnixMilli(at).UTC()
		out = append(out, e)
	}
	return out, rows.Err()
}
