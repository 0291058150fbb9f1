package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/picketsec/picket/internal/exposure"
)

// Move is a device that went from one device group to another.
type Move struct {
	At       int64 // Unix microseconds, a stamp of the record of changes
	Device   uint32
	Was, Now exposure.Group
}

// Moved is what is stored of moves.
type Moved struct {
	Moves  []Move                    // oldest first
	Groups map[uint32]exposure.Group // where each device was last noted to be
	Since  int64                     // from when on all moves are noted, Unix microseconds
	Known  bool                      // Since was ever set
}

// Moved returns all moves that are kept.
func (s *Store) Moved(ctx context.Context) (Moved, error) {
	m := Moved{Groups: map[uint32]exposure.Group{}}
	var raw []byte
	switch err := s.r.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = 'moves_since'`).Scan(&raw); {
	case err == nil:
		m.Since, _ = binary.Varint(raw)
		m.Known = true
	case !errors.Is(err, sql.ErrNoRows):
		return m, err
	}
	rows, err := s.r.QueryContext(ctx, `SELECT device, grp FROM device_group_of`)
	if err != nil {
		return m, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var num uint32
		var g exposure.Group
		if err := rows.Scan(&num, &g); err != nil {
			return m, err
		}
		m.Groups[num] = g
	}
	if err := rows.Err(); err != nil {
		return m, err
	}
	moves, err := s.r.QueryContext(ctx, `SELECT at, device, was, grp FROM device_move ORDER BY at`)
	if err != nil {
		return m, err
	}
	defer func() { _ = moves.Close() }()
	for moves.Next() {
		var v Move
		if err := moves.Scan(&v.At, &v.Device, &v.Was, &v.Now); err != nil {
			return m, err
		}
		m.Moves = append(m.Moves, v)
	}
	return m, moves.Err()
}

// SaveMoves adds moves and notes where devices are now, which may be more.
func (s *Store) SaveMoves(ctx context.Context, moves []Move, groups map[uint32]exposure.Group) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, m := range moves {
			if _, err := tx.ExecContext(ctx, `INSERT INTO device_move (at, device, was, grp) VALUES ($1,$2,$3,$4) ON CONFLICT DO NOTHING`, m.At, m.Device, m.Was, m.Now); err != nil {
				return fmt.Errorf("store move of device %d: %w", m.Device, err)
			}
		}
		for num, g := range groups {
			if _, err := tx.ExecContext(ctx, `INSERT INTO device_group_of (device, grp) VALUES ($1,$2) ON CONFLICT (device) DO UPDATE SET grp = $2`, num, g); err != nil {
				return fmt.Errorf("store group of device %d: %w", num, err)
			}
		}
		return nil
	})
}

// DropMoves forgets the moves before a time (Unix microseconds), from which on
// all are kept.
func (s *Store) DropMoves(ctx context.Context, since int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM device_move WHERE at < $1`, since); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('moves_since', $1) ON CONFLICT (name) DO UPDATE SET value = $1`, binary.AppendVarint(nil, since))
		return err
	})
}
