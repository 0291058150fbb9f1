package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/exposure"
)

// GroupScore is the exposure score of one device group from a time on.
type GroupScore struct {
	Group   uint16
	At      time.Time
	Version int    // of the formula
	Weights string // as those of ScorePoint
	Num     string // exact: Num units over Den of weight
	Den     uint64
	Devices int
}

// AddGroupScores appends what changed at one moment to the history of groups,
// durably. It is always after what is there: when the clock jumped back, by a
// millisecond.
func (s *Store) AddGroupScores(ctx context.Context, list []GroupScore) error {
	if len(list) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(at), 0) FROM group_score_history`).Scan(&last); err != nil {
			return err
		}
		for _, p := range list {
			_, err := tx.ExecContext(ctx, `INSERT INTO group_score_history (grp, at, version, num, den, devices, weights) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				p.Group, max(p.At.UnixMilli(), last+1), p.Version, p.Num, int64(p.Den), p.Devices, p.Weights)
			if err != nil {
				return fmt.Errorf("store score of device group %d: %w", p.Group, err)
			}
		}
		return nil
	})
}

// GroupScores returns the history of the groups in a scope since a time, by
// time, group and order of entry. Each group's history begins with its last point before.
func (s *Store) GroupScores(ctx context.Context, in exposure.Scope, since time.Time) ([]GroupScore, error) {
	only, err := groupList(in)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT h.grp, h.at, h.version, h.num, h.den, h.devices, h.weights FROM group_score_history h
		JOIN (SELECT grp, coalesce(max(CASE WHEN at <= $1 THEN at END), 0) AS start FROM group_score_history
			WHERE $2 IS NULL OR grp IN (SELECT value FROM json_each($2)) GROUP BY grp) s ON s.grp = h.grp
		WHERE h.at >= s.start ORDER BY h.at, h.grp, h.rowid`, since.UnixMilli(), only)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []GroupScore
	for rows.Next() {
		var p GroupScore
		var at, den int64
		if err := rows.Scan(&p.Group, &at, &p.Version, &p.Num, &den, &p.Devices, &p.Weights); err != nil {
			return nil, err
		}
		p.At, p.Den = time.UnixMilli(at).UTC(), uint64(den)
		out = append(out, p)
	}
	return out, rows.Err()
}
