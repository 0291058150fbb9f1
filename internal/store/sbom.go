package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// SourceSBOM is the Source of devices that bills of materials describe.
const SourceSBOM = "sbom"

// SBOM is the bill of materials that a device was made from last.
type SBOM struct {
	Subject  string
	Format   string
	Spec     string
	Serial   string
	Tools    []string
	Digest   string
	Made     time.Time
	Loaded   time.Time
	LoadedBy string
	Packages int
	Unread   int
}

// RegisterSBOM makes a device of a bill of materials, or finds the one that it
// is; one that was removed is there again, as a new one with its old number. A device with an agent is never one: that is ErrAgent.
func (s *Store) RegisterSBOM(ctx context.Context, id inventory.DeviceID, now time.Time) (a Device, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO device (id, key_hash, first_seen, last_seen, source) VALUES ($1, '', $2, $2, $3) ON CONFLICT (id) DO NOTHING`,
			id, now.UnixMilli(), SourceSBOM)
		if err != nil {
			return fmt.Errorf("register device %s: %w", id, err)
		}
		if a, err = scanDevice(tx.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM device WHERE id = $1`, id)); err != nil {
			return fmt.Errorf("register device %s: %w", id, err)
		}
		if a.Source != SourceSBOM {
			return ErrAgent
		}
		if a.Removed.IsZero() {
			return nil
		}
		a.Removed, a.RemovedBy, a.FirstSeen, a.LastSeen = time.Time{}, "", now.UTC(), now.UTC()
		if _, err := tx.ExecContext(ctx, `UPDATE device SET removed = 0, removed_by = '', first_seen = $2, last_seen = $2 WHERE num = $1`, a.Num, now.UnixMilli()); err != nil {
			return fmt.Errorf("register device %s: %w", id, err)
		}
		return nil
	})
	return a, err
}

// ErrAgent says that a device reports through an agent.
var ErrAgent = errors.New("this device reports through an agent")

// applySBOM records the document of a report.
func applySBOM(ctx context.Context, tx *sql.Tx, device uint32, b *SBOM) error {
	tools, err := json.Marshal(append([]string{}, b.Tools...))
	if err != nil {
		return fmt.Errorf("encode tools: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO sbom (device, subject, format, spec, serial, tools, digest, made, loaded, loaded_by, packages, unread)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
		ON CONFLICT (device) DO UPDATE SET subject=$2, format=$3, spec=$4, serial=$5, tools=$6, digest=$7, made=$8, loaded=$9, loaded_by=$10, packages=$11, unread=$12`,
		device, b.Subject, b.Format, b.Spec, b.Serial, string(tools), b.Digest, b.Made.UnixMilli(), b.Loaded.UnixMilli(), b.LoadedBy, b.Packages, b.Unread)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE device SET last_seen = max(last_seen, $1) WHERE num = $2`, b.Loaded.UnixMilli(), device)
	}
	if err != nil {
		return fmt.Errorf("store bill of materials of device %d: %w", device, err)
	}
	return nil
}

// SBOM returns the last document of a device; ErrNotFound if there is none.
func (s *Store) SBOM(ctx context.Context, device uint32) (SBOM, error) {
	var b SBOM
	var tools string
	var made, loaded int64
	err := s.r.QueryRowContext(ctx, `SELECT subject, format, spec, serial, tools, digest, made, loaded, loaded_by, packages, unread FROM sbom WHERE device = $1`, device).
		Scan(&b.Subject, &b.Format, &b.Spec, &b.Serial, &tools, &b.Digest, &made, &loaded, &b.LoadedBy, &b.Packages, &b.Unread)
	if errors.Is(err, sql.ErrNoRows) {
		return SBOM{}, ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal([]byte(tools), &b.Tools)
	}
	if err != nil {
		return SBOM{}, fmt.Errorf("read bill of materials of device %d: %w", device, err)
	}
	b.Made, b.Loaded = time.UnixMilli(made).UTC(), time.UnixMilli(loaded).UTC()
	return b, nil
}

// Removal is the end of a device without an agent.
type Removal struct {
	Device uint32
	At     time.Time
	By     string
	Closed []Closed // its findings
	Change *Change  // what stood before
}

// RemoveSBOM takes away everything that is known of a device without an agent
// but its number, its summary, and what it had: closed findings and records of
// changes. ErrNotFound if there is no such device, or it was removed before.
func (s *Store) RemoveSBOM(ctx context.Context, r Removal) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE device SET removed = $2, removed_by = $3, tags = '[]' WHERE num = $1 AND source IN ($4, $5) AND removed = 0`,
			r.Device, r.At.UnixMilli(), r.By, SourceSBOM, SourceOsquery)); err != nil {
			return err
		}
		for _, q := range []string{`DELETE FROM section WHERE device = $1`, `DELETE FROM sbom WHERE device = $1`, `DELETE FROM device_value WHERE device = $1`, `DELETE FROM device_exclusion WHERE device = $1`, `DELETE FROM device_reached WHERE device = $1`,
			`DELETE FROM device_tag WHERE device = $1`, `DELETE FROM osquery_node WHERE device = (SELECT id FROM device WHERE num = $1)`} {
			if _, err := tx.ExecContext(ctx, q, r.Device); err != nil {
				return fmt.Errorf("remove device %d: %w", r.Device, err)
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE device_state SET components = $2 WHERE device = $1`, r.Device, packHeld(nil)); err != nil {
			return fmt.Errorf("remove device %d: %w", r.Device, err)
		}
		if err := putClosed(ctx, tx, r.Closed); err != nil {
			return err
		}
		return s.putChange(ctx, tx, r.Change)
	})
}
