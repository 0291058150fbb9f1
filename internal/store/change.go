package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// Change is what stood where a change was made, so that it can be undone. The
// oldest change after a time says how things were at that time: undoing is the
// same in any order of equal keys as long as the oldest wins.
type Change struct {
	// At is Unix microseconds; over all changes it rises strictly.
	At int64 `json:"-"`
	// Device is the number of a device, AllDevices for the intelligence.
	Device int64 `json:"-"`

	First   bool       `json:"first,omitempty"` // the device had reported nothing yet
	Added   []uint32   `json:"add,omitempty"`   // components that the device did not have
	Removed []Held     `json:"rem,omitempty"`   // components that it had
	Paths   []PathsWas `json:"paths,omitempty"` // where components of the device were

	// Verdicts are the results of the device's configuration checks, the server's
	// text; nil: they did not change.
	Verdicts *string `json:"checks,omitempty"`

	None  []uint32  `json:"none,omitempty"`  // components without any hit
	Hits  []HitWas  `json:"hits,omitempty"`  // one hit of one component
	Facts []FactWas `json:"facts,omitempty"` // one weakness
	// Unsure says that facts may have changed in a way that nobody noted.
	Unsure bool `json:"unsure,omitempty"`
}

// PathsWas are the paths of a component of the device.
type PathsWas struct {
	Component uint32   `json:"c"`
	Paths     []string `json:"p"`
}

// HitWas is what a component was to a weakness: State "" is nothing.
type HitWas struct {
	Component uint32 `json:"c"`
	Weakness  string `json:"w"`
	State     string `json:"s,omitempty"`
	Fixed     string `json:"f,omitempty"`
	FixedBy   string `json:"b,omitempty"`
	Exposed   bool   `json:"e,omitempty"`
}

// FactWas is what exports said of a weakness.
type FactWas struct {
	Weakness string  `json:"w"`
	Severity string  `json:"s"`
	CVSS     float64 `json:"v"`
	Exploit  string  `json:"x"`
}

// maxChanges is how many changes are kept at most, whatever their age.
const maxChanges = 4 << 20

func (s *Store) putChange(ctx context.Context, tx *sql.Tx, c *Change) error {
	if c == nil {
		return nil
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode change: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO change (device, at, body) VALUES ($1,$2,$3)`, c.Device, c.At, s.enc.EncodeAll(raw, nil)); err != nil {
		return fmt.Errorf("store change: %w", err)
	}
	return nil
}

// Changes returns the changes of a device, or with AllDevices of the
// intelligence, from a time on (Unix microseconds), oldest first.
func (s *Store) Changes(ctx context.Context, device, from int64) ([]*Change, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT at, body FROM change WHERE device = $1 AND at >= $2 ORDER BY at`, device, from)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []*Change
	for rows.Next() {
		c := &Change{Device: device}
		var body []byte
		if err := rows.Scan(&c.At, &body); err != nil {
			return nil, err
		}
		raw, err := s.dec.DecodeAll(body, nil)
		if err != nil {
			return nil, fmt.Errorf("unpack change of %d: %w", device, err)
		}
		if err := json.Unmarshal(raw, c); err != nil {
			return nil, fmt.Errorf("decode change of %d: %w", device, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// LastChanges returns when each device (and AllDevices) last changed, for
// those that changed since changes are kept.
func (s *Store) LastChanges(ctx context.Context) (map[int64]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device, max(at) FROM change GROUP BY device`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[int64]int64{}
	for rows.Next() {
		var device, at int64
		if err := rows.Scan(&device, &at); err != nil {
			return nil, err
		}
		out[device] = at
	}
	return out, rows.Err()
}

// ChangesSince is the time (Unix microseconds) from which on all changes are
// kept. It is 0 in a store that has kept them from its first device on. The
// first call on a store that was filled before changes were kept begins at now.
func (s *Store) ChangesSince(ctx context.Context, now time.Time) (since int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var raw []byte
		err := tx.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = 'changes_since'`).Scan(&raw)
		if err == nil {
			since, _ = binary.Varint(raw)
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		var devices int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device_state`).Scan(&devices); err != nil {
			return err
		}
		if devices > 0 {
			since = now.UnixMicro()
		}
		return setChangesSince(ctx, tx, since)
	})
	return since, err
}

func setChangesSince(ctx context.Context, tx *sql.Tx, since int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('changes_since', $1) ON CONFLICT (name) DO UPDATE SET value = $1`, binary.AppendVarint(nil, since))
	return err
}

// DropChanges forgets the changes before a time (Unix microseconds), and the
// oldest beyond a fixed number, and returns from when on all are kept now.
func (s *Store) DropChanges(ctx context.Context, before int64) (since int64, err error) {
	return s.dropChanges(ctx, before, maxChanges)
}

func (s *Store) dropChanges(ctx context.Context, before int64, most int) (since int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var raw []byte
		if err := tx.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = 'changes_since'`).Scan(&raw); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		since, _ = binary.Varint(raw)
		cut := int64(math.MinInt64)
		var oldest sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT max(at) FROM change WHERE at < $1`, before).Scan(&oldest); err != nil {
			return err
		}
		if oldest.Valid {
			cut = before
		}
		err := tx.QueryRowContext(ctx, `SELECT at FROM change ORDER BY at DESC LIMIT 1 OFFSET $1`, most).Scan(&oldest)
		if err == nil {
			cut = max(cut, oldest.Int64+1)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if cut <= since || cut == math.MinInt64 {
			return nil
		}
		since = cut
		if _, err := tx.ExecContext(ctx, `DELETE FROM change WHERE at < $1`, cut); err != nil {
			return err
		}
		return setChangesSince(ctx, tx, since)
	})
	return since, err
}
