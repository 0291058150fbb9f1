package store

import (
	"context"
	"database/sql"
	"time"
)

// Exclusion is that somebody took a device out of scores and lists, and why.
type Exclusion struct {
	Reason, Comment, By string
	At                  time.Time
}

// SetExclusion takes a device out of scores and lists; nil takes it in again.
func (s *Store) SetExclusion(ctx context.Context, device uint32, e *Exclusion) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if e == nil {
			_, err := tx.ExecContext(ctx, `DELETE FROM device_exclusion WHERE device = $1`, device)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO device_exclusion (device, reason, comment, who, at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (device) DO UPDATE SET reason = $2, comment = $3, who = $4, at = $5`, device, e.Reason, e.Comment, e.By, e.At.UnixMilli())
		return err
	})
}

// Exclusions returns the devices that are out of scores and lists, by number.
func (s *Store) Exclusions(ctx context.Context) (map[uint32]Exclusion, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device, reason, comment, who, at FROM device_exclusion`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32]Exclusion{}
	for rows.Next() {
		var num uint32
		var at int64
		var e Exclusion
		if err := rows.Scan(&num, &e.Reason, &e.Comment, &e.By, &at); err != nil {
			return nil, err
		}
		e.At = time.UnixMilli(at).UTC()
		out[num] = e
	}
	return out, rows.Err()
}
