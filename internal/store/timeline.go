package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// mostFlags is how many events of a device can be flagged.
const mostFlags = 10_000

// ErrTooManyFlags says that a device has as many flagged events as it may.
var ErrTooManyFlags = errors.New("10,000 events of this device are flagged: take flags away first")

// TimelineFlags returns the ids of a device's flagged events.
func (s *Store) TimelineFlags(ctx context.Context, d inventory.DeviceID) (map[string]bool, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT event FROM timeline_flag WHERE device = $1`, d)
	if err != nil {
		return nil, fmt.Errorf("read flags of %s: %w", d, err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read flags of %s: %w", d, err)
		}
		out[id] = true
	}
	return out, rows.Err()
}

// FlagTimeline flags an event or takes its flag away; what is so already stays.
func (s *Store) FlagTimeline(ctx context.Context, d inventory.DeviceID, event, by string, flagged bool, at time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if !flagged {
			_, err := tx.ExecContext(ctx, `DELETE FROM timeline_flag WHERE device = $1 AND event = $2`, d, event)
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM timeline_flag WHERE device = $1`, d).Scan(&n); err != nil {
			return err
		}
		if n >= mostFlags {
			return ErrTooManyFlags
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO timeline_flag (device, event, by, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, d, event, by, at.UnixMilli())
		return err
	})
}
