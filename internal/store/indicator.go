package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Indicator is an indicator as it is stored.
type Indicator struct {
	ID          int64 // set by SaveIndicators
	Type        string
	Value       string // as it was written
	Key         string // as it is compared; unique within a type
	Action      string
	Application string
	External    string
	SourceType  string
	Owner       string
	CreatedBy   string
	SourceName  string
	UpdatedBy   string
	Created     time.Time
	Updated     time.Time
	Expires     time.Time // zero: never
	Severity    string
	Title       string
	Description string
	Recommended string
	Groups      []uint32 // empty: all devices
	Generate    bool
	Educate     string
	Matched     int64 // events
	LastMatched time.Time
	Look        string
	LookDevices int
	LookEvents  int
}

// Indicators reads all indicators, oldest first.
func (s *Store) Indicators(ctx context.Context) ([]*Indicator, error) {
	var out []*Indicator
	err := s.eachRow(ctx, `SELECT id, type, value, key, action, application, external, source_type, owner, created_by, source_name, updated_by, created, updated, expires,
		severity, title, description, recommended, groups, generate, educate, matched, last_matched, look, look_devices, look_events FROM indicator ORDER BY id`, nil, func(r *sql.Rows) error {
		var x Indicator
		var created, updated, expires, last int64
		var groups string
		if err := r.Scan(&x.ID, &x.Type, &x.Value, &x.Key, &x.Action, &x.Application, &x.External, &x.SourceType, &x.Owner, &x.CreatedBy, &x.SourceName, &x.UpdatedBy, &created, &updated, &expires,
			&x.Severity, &x.Title, &x.Description, &x.Recommended, &groups, &x.Generate, &x.Educate, &x.Matched, &last, &x.Look, &x.LookDevices, &x.LookEvents); err != nil {
			return err
		}
		x.Created, x.Updated, x.Expires, x.LastMatched = fromNano(created), fromNano(updated), fromNano(expires), fromNano(last)
		for _, g := range strings.Fields(groups) {
			n, err := strconv.ParseUint(g, 10, 32)
			if err != nil {
				return fmt.Errorf("group %q of indicator %d: %w", g, x.ID, err)
			}
			x.Groups = append(x.Groups, uint32(n))
		}
		out = append(out, &x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read indicators: %w", err)
	}
	return out, nil
}

// SaveIndicators stores indicators, all of them or none: new ones, whose ID is 0 and is
// set, and others as they are now, but for what NoteIndicators counts. One that is not there any more is ErrNotFound.
func (s *Store) SaveIndicators(ctx context.Context, list []*Indicator) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, x := range list {
			groups := make([]string, len(x.Groups))
			for i, g := range x.Groups {
				groups[i] = strconv.FormatUint(uint64(g), 10)
			}
			args := []any{x.Value, x.Action, x.Application, x.External, x.UpdatedBy, nano(x.Updated), nano(x.Expires), x.Severity, x.Title, x.Description, x.Recommended,
				strings.Join(groups, " "), x.Generate, x.Educate, x.Look}
			if x.ID != 0 {
				res, err := tx.ExecContext(ctx, `UPDATE indicator SET value = $1, action = $2, application = $3, external = $4, updated_by = $5, updated = $6, expires = $7, severity = $8,
					title = $9, description = $10, recommended = $11, groups = $12, generate = $13, educate = $14, look = $15 WHERE id = $16`, append(args, x.ID)...)
				if err != nil {
					return fmt.Errorf("change indicator %d: %w", x.ID, err)
				}
				if n, err := res.RowsAffected(); err != nil || n == 0 {
					return errors.Join(err, ErrNotFound)
				}
				continue
			}
			res, err := tx.ExecContext(ctx, `INSERT INTO indicator (value, action, application, external, updated_by, updated, expires, severity, title, description, recommended, groups, generate,
				educate, look, type, key, source_type, owner, created_by, source_name, created)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
				append(args, x.Type, x.Key, x.SourceType, x.Owner, x.CreatedBy, x.SourceName, nano(x.Created))...)
			if err != nil {
				return fmt.Errorf("store indicator: %w", err)
			}
			if x.ID, err = res.LastInsertId(); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteIndicators removes indicators: all of them, or none when one is not there (ErrNotFound).
func (s *Store) DeleteIndicators(ctx context.Context, ids []int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			res, err := tx.ExecContext(ctx, `DELETE FROM indicator WHERE id = $1`, id)
			if err != nil {
				return fmt.Errorf("delete indicator %d: %w", id, err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, ErrNotFound)
			}
		}
		return nil
	})
}

// NoteIndicators stores what was counted of indicators, and how far the look at
// stored events is. Those that are gone are left out.
func (s *Store) NoteIndicators(ctx context.Context, list []*Indicator) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, x := range list {
			if _, err := tx.ExecContext(ctx, `UPDATE indicator SET matched = $2, last_matched = $3, look = $4, look_devices = $5, look_events = $6 WHERE id = $1`,
				x.ID, x.Matched, nano(x.LastMatched), x.Look, x.LookDevices, x.LookEvents); err != nil {
				return fmt.Errorf("note matches of indicator %d: %w", x.ID, err)
			}
		}
		return nil
	})
}
