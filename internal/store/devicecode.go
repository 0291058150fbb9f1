package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// deviceKept is how long a code is remembered after it has expired, to say so.
const deviceKept = time.Hour

const deviceCodeColumns = `hash, user_hash, app, coalesce(account, 0), scopes, offline, method, remote, state, created, expires`

func scanDeviceCode(row interface{ Scan(...any) error }) (d DeviceCode, err error) {
	var scopes string
	var created, expires int64
	err = row.Scan(&d.Hash, &d.UserHash, &d.App, &d.Account, &scopes, &d.Offline, &d.Method, &d.Remote, &d.State, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return DeviceCode{}, ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal([]byte(scopes), &d.Scopes)
	}
	if err != nil {
		return DeviceCode{}, fmt.Errorf("read device code: %w", err)
	}
	d.Created, d.Expires = fromMilli(created), fromMilli(expires)
	return d, nil
}

// AddDeviceCode stores a device that waits and forgets those that expired an
// hour ago. With most in all, or mostOf from its address, it is ErrFull.
func (s *Store) AddDeviceCode(ctx context.Context, d DeviceCode, most, mostOf int) error {
	scopes, err := listText(d.Scopes)
	if err != nil {
		return fmt.Errorf("add device code: %w", err)
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM device_code WHERE expires <= $1`, d.Created.Add(-deviceKept).UnixMilli()); err != nil {
			return fmt.Errorf("forget device codes: %w", err)
		}
		var all, of int
		if err := tx.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(remote = $2), 0) FROM device_code WHERE expires > $1`, d.Created.UnixMilli(), d.Remote).Scan(&all, &of); err != nil {
			return fmt.Errorf("count device codes: %w", err)
		}
		if all >= most || of >= mostOf {
			return ErrFull
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO device_code (hash, user_hash, app, scopes, offline, method, remote, state, created, expires) VALUES ($1,$2,$3,$4,$5,'',$6,$7,$8,$9)`,
			d.Hash, d.UserHash, d.App, scopes, d.Offline, d.Remote, DeviceWaiting, d.Created.UnixMilli(), d.Expires.UnixMilli()); err != nil {
			return fmt.Errorf("add device code: %w", err)
		}
		return nil
	})
}

// DeviceCode returns what is known of a device's code, for an hour after it has
// expired too, or ErrNotFound.
func (s *Store) DeviceCode(ctx context.Context, hash []byte) (DeviceCode, error) {
	return scanDeviceCode(s.r.QueryRowContext(ctx, `SELECT `+deviceCodeColumns+` FROM device_code WHERE hash = $1`, hash))
}

// WaitingDevice returns the device that waits for the person who knows a code,
// unless it has expired or somebody has decided; then it is ErrNotFound.
func (s *Store) WaitingDevice(ctx context.Context, userHash []byte, at time.Time) (DeviceCode, error) {
	return scanDeviceCode(s.r.QueryRowContext(ctx, `SELECT `+deviceCodeColumns+` FROM device_code WHERE user_hash = $1 AND state = $2 AND expires > $3`, userHash, DeviceWaiting, at.UnixMilli()))
}

// DecideDevice stores what a person, who had signed in by method, decided on a
// device that waits; one that does not is ErrNotFound.
func (s *Store) DecideDevice(ctx context.Context, userHash []byte, state string, account int64, method string, at time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE device_code SET state = $2, account = $3, method = $4 WHERE user_hash = $1 AND state = $5 AND expires > $6`,
			userHash, state, account, method, DeviceWaiting, at.UnixMilli()))
	})
}

// TakeDeviceCode takes a code away that somebody decided on, and stores the
// grant; the zero Grant is for one that was denied. One that is gone is ErrNotFound.
func (s *Store) TakeDeviceCode(ctx context.Context, hash []byte, g Grant) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `DELETE FROM device_code WHERE hash = $1 AND state <> $2`, hash, DeviceWaiting)); err != nil || g.ID == "" {
			return err
		}
		return addGrant(ctx, tx, g)
	})
}
