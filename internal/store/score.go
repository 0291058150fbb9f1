package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// ScorePoint is the exposure score at one time.
type ScorePoint struct {
	At      time.Time
	Version int    // of the formula
	Weights string // of devices by their value; "": those that hold unless somebody sets others
	Num     string // exact: Num units over Den of weight
	Den     uint64
	Score   float64 // in points
	Devices int
	Levels  [4]int // devices by level: none, low, medium, high
}

// SecurePoint is the secure score at one time.
type SecurePoint struct {
	At         time.Time
	Version    int    // of the formula
	Checks     string // digest of the checks that it is of
	Got        string // exact fraction of points
	Max        int64
	PerCent    float64
	Devices    int
	Categories map[string]float64 // per cent
}

// LastScore is the newest entry of both histories; a part that was never
// recorded is zero.
type LastScore struct {
	ScorePoint
	SecureVersion int
	Secure        string // per cent, as an exact fraction
}

// ClockSlack is how far back a clock may be set before its times are believed:
// up to it, a point takes the time of the one before. Points that lie further
// in the future than this are of a clock that was ahead: they stay stored, and
// no trend shows them until then.
const ClockSlack = time.Hour

// pointTime is the time that a new point of a history gets.
func pointTime(ctx context.Context, tx *sql.Tx, table string, at time.Time) (int64, error) {
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce((SELECT at FROM `+table+` ORDER BY id DESC LIMIT 1), 0)`).Scan(&last); err != nil {
		return 0, err
	}
	if ms := at.UnixMilli(); last <= ms || last-ms > ClockSlack.Milliseconds() {
		return ms, nil
	}
	return last, nil
}

// AddScore appends a point to the history, durably.
func (s *Store) AddScore(ctx context.Context, p ScorePoint) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		at, err := pointTime(ctx, tx, "score_history", p.At)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO score_history (at, version, num, den, score, devices, none, low, medium, high, weights)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			at, p.Version, p.Num, int64(p.Den), p.Score, p.Devices, p.Levels[0], p.Levels[1], p.Levels[2], p.Levels[3], p.Weights)
		if err != nil {
			return fmt.Errorf("store score: %w", err)
		}
		return nil
	})
}

// AddSecure appends a point to the history of the secure score, durably.
func (s *Store) AddSecure(ctx context.Context, p SecurePoint) error {
	raw, err := json.Marshal(p.Categories)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		at, err := pointTime(ctx, tx, "secure_history", p.At)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO secure_history (at, version, checks, got, max, per_cent, devices, categories) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
			at, p.Version, p.Checks, p.Got, p.Max, p.PerCent, p.Devices, string(raw))
		if err != nil {
			return fmt.Errorf("store secure score: %w", err)
		}
		return nil
	})
}

// LastScores returns the newest entries of both histories, by when they were
// made and not by what the clock said.
func (s *Store) LastScores(ctx context.Context) (LastScore, error) {
	var out LastScore
	var at, den int64
	err := s.r.QueryRowContext(ctx, `SELECT at, version, num, den, score, devices, weights FROM score_history ORDER BY id DESC LIMIT 1`).
		Scan(&at, &out.Version, &out.Num, &den, &out.Score, &out.Devices, &out.Weights)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, err
	}
	if err == nil {
		out.At, out.Den = time.UnixMilli(at).UTC(), uint64(den)
	}
	var got string
	var most int64
	err = s.r.QueryRowContext(ctx, `SELECT version, got, max FROM secure_history ORDER BY id DESC LIMIT 1`).Scan(&out.SecureVersion, &got, &most)
	if errors.Is(err, sql.ErrNoRows) {
		return out, nil
	}
	if r, ok := new(big.Rat).SetString(got); ok && most > 0 {
		out.Secure = r.Mul(r, big.NewRat(100, most)).RatString()
	}
	return out, err
}

// Scores returns the history from a time until now, oldest first: of every
// stretch of time the last point, so that there are about most of them, and of
// every version of the formula, and of the weights of devices, at least one.
func (s *Store) Scores(ctx context.Context, since, now time.Time, most int) ([]ScorePoint, error) {
	from, to, stretch, err := s.stretch(ctx, "score_history", since, now, most)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT max(id), at, version, num, den, score, devices, none, low, medium, high, weights FROM score_history
		WHERE at >= $1 AND at <= $2 GROUP BY version, weights, at / $3 ORDER BY at, 1`, from, to, stretch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []ScorePoint
	for rows.Next() {
		var p ScorePoint
		var id, at, den int64
		if err := rows.Scan(&id, &at, &p.Version, &p.Num, &den, &p.Score, &p.Devices, &p.Levels[0], &p.Levels[1], &p.Levels[2], &p.Levels[3], &p.Weights); err != nil {
			return nil, err
		}
		p.At, p.Den = time.UnixMilli(at).UTC(), uint64(den)
		out = append(out, p)
	}
	return out, rows.Err()
}

// Secures returns the history of the secure score, as Scores does.
func (s *Store) Secures(ctx context.Context, since, now time.Time, most int) ([]SecurePoint, error) {
	from, to, stretch, err := s.stretch(ctx, "secure_history", since, now, most)
	if err != nil {
		return nil, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT max(id), at, version, checks, got, max, per_cent, devices, categories FROM secure_history
		WHERE at >= $1 AND at <= $2 GROUP BY version, checks, at / $3 ORDER BY at, 1`, from, to, stretch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []SecurePoint
	for rows.Next() {
		var p SecurePoint
		var id, at int64
		var raw string
		if err := rows.Scan(&id, &at, &p.Version, &p.Checks, &p.Got, &p.Max, &p.PerCent, &p.Devices, &raw); err != nil {
			return nil, err
		}
		p.At = time.UnixMilli(at).UTC()
		if err := json.Unmarshal([]byte(raw), &p.Categories); err != nil {
			return nil, fmt.Errorf("categories of the secure score: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// stretch is the range of a history, in milliseconds, and how long each of most
// parts of it is.
func (s *Store) stretch(ctx context.Context, table string, since, now time.Time, most int) (from, to, stretch int64, err error) {
	to = now.Add(ClockSlack).UnixMilli()
	err = s.r.QueryRowContext(ctx, `SELECT coalesce(min(at), $1) FROM `+table+` WHERE at >= $1 AND at <= $2`, since.UnixMilli(), to).Scan(&from)
	return from, to, max(1, (now.UnixMilli()-from)/int64(max(1, most))), err
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
