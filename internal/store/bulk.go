package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"

	"github.com/picketsec/picket/internal/inventory"
)

// Bulk is one device that enters without an agent: made for benchmarks.
type Bulk struct {
	ID       inventory.DeviceID
	Sections []*inventory.Section
	State    DeviceState                      // Device is filled in
	Packed   map[inventory.SectionName][]byte // by Pack
	Hashes   map[inventory.SectionName]string
}

// Pack compresses the items of a section as the store keeps them, so that many
// devices with equal sections pay once.
func (s *Store) Pack(items []inventory.Item) ([]byte, error) { return s.packItems(items) }

// AddBulk registers devices with their sections and states in one transaction,
// and returns their numbers. It is for benchmarks: no agent stands behind them.
func (s *Store) AddBulk(ctx context.Context, devices []Bulk, components []Component) ([]uint32, error) {
	nums := make([]uint32, 0, len(devices))
	err := s.write(ctx, func(tx *sql.Tx) error {
		nums = nums[:0]
		if err := putComponents(ctx, tx, components); err != nil {
			return err
		}
		sec, err := tx.PrepareContext(ctx, `INSERT INTO section (device, name, status, reason, hash, seen, changed, items, body) VALUES ($1,$2,$3,$4,$5,$6,$6,$7,$8)`)
		if err != nil {
			return err
		}
		defer func() { _ = sec.Close() }()
		for _, d := range devices {
			hash := sha256.Sum256([]byte(d.ID))
			at := d.Sections[0].SeenAt.UnixMilli()
			var num uint32
			err := tx.QueryRowContext(ctx, `INSERT INTO device (id, key_hash, first_seen, last_seen, agent_version) VALUES ($1,$2,$3,$3,'bulk') RETURNING num`,
				string(d.ID), hex.EncodeToString(hash[:]), at).Scan(&num)
			if err != nil {
				return fmt.Errorf("register %s: %w", d.ID, err)
			}
			nums = append(nums, num)
			for _, c := range d.Sections {
				if _, err := sec.ExecContext(ctx, num, string(c.Name), string(c.Status), c.Reason, d.Hashes[c.Name], at, len(c.Items), d.Packed[c.Name]); err != nil {
					return fmt.Errorf("store section %q of %s: %w", c.Name, d.ID, err)
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO device_state (device, summary, components) VALUES ($1,$2,$3)`,
				num, d.State.Summary, d.State.Components.column()); err != nil {
				return fmt.Errorf("store state of %s: %w", d.ID, err)
			}
		}
		return nil
	})
	return nums, err
}

// ForgetAssessments empties what is known of every component, for benchmarks
// that measure a first match.
func (s *Store) ForgetAssessments(ctx context.Context) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE component SET known = $1`, packKnown(nil)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM known_log`)
		return err
	})
}
