package store

import (
	"context"
	"database/sql"
	"time"
)

// Reached is a connection from the internet that a device took.
type Reached struct {
	At     time.Time // when the server learnt it, in milliseconds
	Remote string    // the other side's address
	Port   int64     // the device's
}

// SetReached keeps the last connection from the internet of a device. It is on disk
// when SetReached returns.
func (s *Store) SetReached(ctx context.Context, device uint32, r Reached) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO device_reached (device, at, remote, port) VALUES ($1, $2, $3, $4)
			ON CONFLICT (device) DO UPDATE SET at = $2, remote = $3, port = $4`, device, r.At.UnixMilli(), r.Remote, r.Port)
		return err
	})
}

// ReachedDevices returns the last connection from the internet of each device that
// took one, by number.
func (s *Store) ReachedDevices(ctx context.Context) (map[uint32]Reached, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device, at, remote, port FROM device_reached`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32]Reached{}
	for rows.Next() {
		var num uint32
		var at int64
		var r Reached
		if err := rows.Scan(&num, &at, &r.Remote, &r.Port); err != nil {
			return nil, err
		}
		r.At = time.UnixMilli(at).UTC()
		out[num] = r
	}
	return out, rows.Err()
}
