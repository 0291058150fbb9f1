package store

import (
	"context"
	"database/sql"
	"fmt"
)

// TrendPoint is how many devices have a cause from a day on (UTC, days since
// 1970), until the next point of the cause and group.
type TrendPoint struct {
	Cause   string
	Group   uint16
	Day     int
	Devices int
}

// AddTrend stores points, all or none, each in place of one of the same cause,
// group and day.
func (s *Store) AddTrend(ctx context.Context, points []TrendPoint) error {
	if len(points) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		name, err := tx.PrepareContext(ctx, `INSERT INTO trend_cause (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = $1 RETURNING id`)
		if err != nil {
			return err
		}
		defer func() { _ = name.Close() }()
		put, err := tx.PrepareContext(ctx, `INSERT INTO trend (cause, grp, day, devices) VALUES ($1,$2,$3,$4) ON CONFLICT (cause, grp, day) DO UPDATE SET devices = $4`)
		if err != nil {
			return err
		}
		defer func() { _ = put.Close() }()
		for _, p := range points {
			var id int64
			if err := name.QueryRowContext(ctx, p.Cause).Scan(&id); err != nil {
				return fmt.Errorf("name cause %q: %w", p.Cause, err)
			}
			if _, err := put.ExecContext(ctx, id, p.Group, p.Day, p.Devices); err != nil {
				return fmt.Errorf("store trend of %q: %w", p.Cause, err)
			}
		}
		return nil
	})
}

// Trends calls fn for the points that say how days from to to went, ordered by
// day: of each cause and group the last one up to the first day and those after
// it. first is the earliest day up to the last one that there is a point of, or
// to+1 when there is none.
func (s *Store) Trends(ctx context.Context, from, to int, fn func(TrendPoint) error) (first int, err error) {
	if err := s.r.QueryRowContext(ctx, `SELECT coalesce(min(day), $1 + 1) FROM trend WHERE day <= $1`, to).Scan(&first); err != nil {
		return 0, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT name, grp, day, devices FROM trend JOIN trend_cause ON id = cause
		WHERE day <= $2 AND (day > $1 OR day = (SELECT max(day) FROM trend AS o WHERE o.cause = trend.cause AND o.grp = trend.grp AND o.day <= $1))
		ORDER BY day`, from, to)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var p TrendPoint
		if err := rows.Scan(&p.Cause, &p.Group, &p.Day, &p.Devices); err != nil {
			return 0, err
		}
		if err := fn(p); err != nil {
			return 0, err
		}
	}
	return first, rows.Err()
}
