package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Idle is a component that no device has.
type Idle struct {
	Component uint32
	Since     time.Time
	Swept     bool // its row is gone; the number is not given to another yet
}

// Sweep is what is known of components that no device has.
type Sweep struct {
	At    time.Time
	Idle  []uint32                    // that no device has, noticed now
	Used  []uint32                    // that a device has again
	Due   []uint32                    // that no device has had for long
	Still func(component uint32) bool // asked of each of Due within the transaction: whether that holds
	Freed time.Time                   // numbers of those removed before may be used again
}

// Swept is what a sweep did.
type Swept struct {
	Gone []uint32 // of Due: their rows are removed
	Kept []uint32 // of Due: closed findings name them; they are idle from now on
	Free []uint32 // removed before Freed by earlier sweeps: the numbers may be used again
}

// Idles calls fn for every component that no device has, as far as it was noticed.
func (s *Store) Idles(ctx context.Context, fn func(Idle)) error {
	rows, err := s.r.QueryContext(ctx, `SELECT id, since, swept FROM component_idle ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var i Idle
		var since, swept int64
		if err := rows.Scan(&i.Component, &since, &swept); err != nil {
			return err
		}
		i.Since, i.Swept = time.UnixMilli(since), swept > 0
		fn(i)
	}
	return rows.Err()
}

// SweepComponents notes which components are idle and removes those of w.Due
// that nothing names, in one transaction.
func (s *Store) SweepComponents(ctx context.Context, w Sweep) (out Swept, err error) {
	at := w.At.UnixMilli()
	err = s.write(ctx, func(tx *sql.Tx) error {
		out = Swept{}
		for _, id := range w.Idle {
			if _, err := tx.ExecContext(ctx, `INSERT INTO component_idle (id, since) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, id, at); err != nil {
				return fmt.Errorf("note idle component %d: %w", id, err)
			}
		}
		if err := wakeComponents(ctx, tx, w.Used); err != nil {
			return err
		}
		for _, id := range w.Due {
			if !w.Still(id) {
				continue
			}
			var named bool
			if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM closed WHERE component = $1)`, id).Scan(&named); err != nil {
				return fmt.Errorf("look for closed findings of component %d: %w", id, err)
			}
			if named {
				if _, err := tx.ExecContext(ctx, `UPDATE component_idle SET since = $2 WHERE id = $1`, id, at); err != nil {
					return fmt.Errorf("keep component %d: %w", id, err)
				}
				out.Kept = append(out.Kept, id)
				continue
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM component WHERE id = $1`, id); err != nil {
				return fmt.Errorf("remove component %d: %w", id, err)
			}
			if _, err := tx.ExecContext(ctx, `UPDATE component_idle SET swept = $2 WHERE id = $1`, id, at); err != nil {
				return fmt.Errorf("remove component %d: %w", id, err)
			}
			out.Gone = append(out.Gone, id)
		}
		rows, err := tx.QueryContext(ctx, `DELETE FROM component_idle WHERE swept > 0 AND swept < $1 RETURNING id`, w.Freed.UnixMilli())
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var id uint32
			if err := rows.Scan(&id); err != nil {
				return err
			}
			out.Free = append(out.Free, id)
		}
		return rows.Err()
	})
	return out, err
}

// wakeComponents forgets that components were idle.
func wakeComponents(ctx context.Context, tx *sql.Tx, ids []uint32) error {
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, `DELETE FROM component_idle WHERE id = $1 AND swept = 0`, id); err != nil {
			return fmt.Errorf("wake component %d: %w", id, err)
		}
	}
	return nil
}
