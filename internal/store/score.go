package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// ScorePoint is the exposure score at one time.
type ScorePoint struct {
	At      time.Time
	Version int    // of the formula
	Num     string // exact: Num units over Den of weight
	Den     uint64
	Score   float64 // in points
	Devices int
	Levels  [4]int // devices by level: none, low, medium, high
}

// AddScore appends a point to the history, durably. A point is never older
// than the one before: after a jump of the clock it takes that one's time.
func (s *Store) AddScore(ctx context.Context, p ScorePoint) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO score_history (at, version, num, den, score, devices, none, low, medium, high)
			VALUES (max($1, (SELECT coalesce(max(at), 0) FROM score_history)), $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			p.At.UnixMilli(), p.Version, p.Num, int64(p.Den), p.Score, p.Devices, p.Levels[0], p.Levels[1], p.Levels[2], p.Levels[3])
		if err != nil {
			return fmt.Errorf("store score: %w", err)
		}
		return nil
	})
}

// Scores returns the history since a time, oldest first.
func (s *Store) Scores(ctx context.Context, since time.Time) ([]ScorePoint, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT at, version, num, den, score, devices, none, low, medium, high FROM score_history WHERE at >= $1 ORDER BY at, id`, since.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []ScorePoint
	for rows.Next() {
		var p ScorePoint
		var at, den int64
		if err := rows.Scan(&at, &p.Version, &p.Num, &den, &p.Score, &p.Devices, &p.Levels[0], &p.Levels[1], &p.Levels[2], &p.Levels[3]); err != nil {
			return nil, err
		}
		p.At, p.Den = time.UnixMilli(at).UTC(), uint64(den)
		out = append(out, p)
	}
	return out, rows.Err()
}

// SetDeviceValue says what a device is worth; "" makes it normal again.
func (s *Store) SetDeviceValue(ctx context.Context, device uint32, value string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if value == "" {
			_, err := tx.ExecContext(ctx, `DELETE FROM device_value WHERE device = $1`, device)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO device_value (device, value) VALUES ($1, $2) ON CONFLICT (device) DO UPDATE SET value = $2`, device, value)
		return err
	})
}

// DeviceValues returns what devices are worth, those that are not normal.
func (s *Store) DeviceValues(ctx context.Context) (map[uint32]string, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device, value FROM device_value`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32]string{}
	for rows.Next() {
		var num uint32
		var value string
		if err := rows.Scan(&num, &value); err != nil {
			return nil, err
		}
		out[num] = value
	}
	return out, rows.Err()
}
