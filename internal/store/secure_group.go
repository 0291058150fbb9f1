package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// groupList is a scope as a parameter of a query: NULL for all groups, else a
// JSON array.
func groupList(in exposure.Scope) (any, error) {
	if in.All() {
		return nil, nil
	}
	text, err := json.Marshal(in.Groups())
	return string(text), err
}

// GroupSecure is what the secure score of one device group is made from, from a
// time on. Counts is the server's.
type GroupSecure struct {
	Group   uint16
	At      time.Time
	Devices int
	Counts  []byte
}

// AddGroupSecures appends what changed at one moment, durably. It is always
// after what is there: when the clock jumped back, by a millisecond.
func (s *Store) AddGroupSecures(ctx context.Context, list []GroupSecure) error {
	if len(list) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(at), 0) FROM group_secure_history`).Scan(&last); err != nil {
			return err
		}
		for _, p := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO group_secure_history (grp, at, devices, counts) VALUES ($1, $2, $3, $4)`, p.Group, max(p.At.UnixMilli(), last+1), p.Devices, p.Counts)
			if err != nil {
				return fmt.Errorf("store secure score of device group %d: %w", p.Group, err)
			}
		}
		return nil
	})
}

// GroupSecures returns the history of the groups in a scope since a time, by
// time and group. Each group's history begins with its last point before.
func (s *Store) GroupSecures(ctx context.Context, in exposure.Scope, since time.Time) ([]GroupSecure, error) {
	only, err := groupList(in)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT h.grp, h.at, h.devices, h.counts FROM group_secure_history h
		JOIN (SELECT grp, coalesce(max(CASE WHEN at <= $1 THEN at END), 0) AS start FROM group_secure_history
			WHERE $2 IS NULL OR grp IN (SELECT value FROM json_each($2)) GROUP BY grp) s ON s.grp = h.grp
		WHERE h.at >= s.start ORDER BY h.at, h.grp`, since.UnixMilli(), only)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []GroupSecure
	for rows.Next() {
		var p GroupSecure
		var at int64
		if err := rows.Scan(&p.Group, &at, &p.Devices, &p.Counts); err != nil {
			return nil, err
		}
		p.At = fromMilli(at)
		out = append(out, p)
	}
	return out, rows.Err()
}
