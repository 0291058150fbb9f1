package store

import (
	"context"
	"database/sql"
	"fmt"
)

// RuleSet is a device group or the rules of a tag.
type RuleSet struct {
	ID          int64
	Name        string // of the group, or the tag
	Description string
	Rules       []byte // JSON, the server's
	// UserGroups are to see a device group; none: everybody. Only PutDeviceGroup
	// looks at it, nil leaves it as it is; DeviceAccess tells what is.
	UserGroups []int64
}

// DeviceGroups returns the device groups by rank, the first one first.
func (s *Store) DeviceGroups(ctx context.Context) ([]RuleSet, error) {
	return s.ruleSets(ctx, `SELECT id, name, description, rules FROM device_group ORDER BY rank, id`)
}

// DeviceAccess returns the user groups that see each device group (0: the
// devices in none), in order. A device group that is not named is seen by everybody.
func (s *Store) DeviceAccess(ctx context.Context) (map[uint16][]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device_group, user_group FROM device_group_access ORDER BY device_group, user_group`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint16][]int64{}
	for rows.Next() {
		var d uint16
		var g int64
		if err := rows.Scan(&d, &g); err != nil {
			return nil, err
		}
		out[d] = append(out[d], g)
	}
	return out, rows.Err()
}

// SetAccess says which user groups see a device group (0: the devices in
// none), durably; none: everybody does. One that is not there is ErrNotFound.
func (s *Store) SetAccess(ctx context.Context, deviceGroup int64, userGroups []int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error { return setAccess(ctx, tx, deviceGroup, userGroups) })
}

func setAccess(ctx context.Context, tx *sql.Tx, deviceGroup int64, userGroups []int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM device_group_access WHERE device_group = $1`, deviceGroup); err != nil {
		return err
	}
	for _, g := range userGroups {
		res, err := tx.ExecContext(ctx, `INSERT INTO device_group_access (device_group, user_group) SELECT $1, id FROM user_group WHERE id = $2`, deviceGroup, g)
		if err := changed(res, err); err != nil {
			return fmt.Errorf("user group %d: %w", g, err)
		}
	}
	return nil
}

// TagRules returns the rules of tags, by tag.
func (s *Store) TagRules(ctx context.Context) ([]RuleSet, error) {
	return s.ruleSets(ctx, `SELECT id, tag, description, rules FROM tag_rule ORDER BY tag, id`)
}

func (s *Store) ruleSets(ctx context.Context, query string) ([]RuleSet, error) {
	rows, err := s.r.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []RuleSet
	for rows.Next() {
		var r RuleSet
		if err := rows.Scan(&r.ID, &r.Name, &r.Description, &r.Rules); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// PutDeviceGroup stores a group, durably, and returns its id. A group without
// an id is new, comes last and gets one that no group ever had. UserGroups that
// are nil stay as they are.
func (s *Store) PutDeviceGroup(ctx context.Context, g RuleSet) (int64, error) {
	return s.putRuleSet(ctx, g,
		`INSERT INTO device_group (name, description, rules, rank) VALUES ($1, $2, $3, (SELECT coalesce(max(rank), 0) + 1 FROM device_group)) RETURNING id`,
		`UPDATE device_group SET name = $1, description = $2, rules = $3 WHERE id = $4 RETURNING id`)
}

// PutTagRule stores the rules of a tag, durably, and returns their id; without an id they are new.
func (s *Store) PutTagRule(ctx context.Context, r RuleSet) (int64, error) {
	return s.putRuleSet(ctx, r,
		`INSERT INTO tag_rule (tag, description, rules) VALUES ($1, $2, $3) RETURNING id`,
		`UPDATE tag_rule SET tag = $1, description = $2, rules = $3 WHERE id = $4 RETURNING id`)
}

func (s *Store) putRuleSet(ctx context.Context, r RuleSet, insert, update string) (id int64, err error) {
	err = s.writeAccess(ctx, func(tx *sql.Tx) error {
		query, args := insert, []any{r.Name, r.Description, r.Rules}
		if r.ID != 0 {
			query, args = update, append(args, r.ID)
		}
		if err := tx.QueryRowContext(ctx, query, args...).Scan(&id); err != nil || r.UserGroups == nil {
			return err
		}
		return setAccess(ctx, tx, id, r.UserGroups)
	})
	if err != nil {
		return 0, fmt.Errorf("store rules of %q: %w", r.Name, err)
	}
	return id, nil
}

// OrderDeviceGroups gives groups the ranks of their places in ids, durably.
func (s *Store) OrderDeviceGroups(ctx context.Context, ids []int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for i, id := range ids {
			if _, err := tx.ExecContext(ctx, `UPDATE device_group SET rank = $1 WHERE id = $2`, i+1, id); err != nil {
				return fmt.Errorf("rank group %d: %w", id, err)
			}
		}
		return nil
	})
}

// DeleteDeviceGroup deletes a group, durably.
func (s *Store) DeleteDeviceGroup(ctx context.Context, id int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		if err := setAccess(ctx, tx, id, nil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM device_group WHERE id = $1`, id)
		return err
	})
}

// DeleteTagRule deletes the rules of a tag, durably.
func (s *Store) DeleteTagRule(ctx context.Context, id int64) error {
	return s.deleteOne(ctx, `DELETE FROM tag_rule WHERE id = $1`, id)
}

func (s *Store) deleteOne(ctx context.Context, query string, id int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, id)
		return err
	})
}

// DeviceTags returns the tags that people and programs gave, by device, in order.
func (s *Store) DeviceTags(ctx context.Context) (map[uint32][]string, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT device, tag FROM device_tag ORDER BY device, tag`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32][]string{}
	for rows.Next() {
		var num uint32
		var tag string
		if err := rows.Scan(&num, &tag); err != nil {
			return nil, err
		}
		out[num] = append(out[num], tag)
	}
	return out, rows.Err()
}

// ChangeTags gives each of the devices the tags in add and takes those in
// remove from it: all or nothing, durably.
func (s *Store) ChangeTags(ctx context.Context, devices []uint32, add, remove []string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, step := range []struct {
			query string
			tags  []string
		}{
			{`INSERT INTO device_tag (device, tag) VALUES ($1, $2) ON CONFLICT DO NOTHING`, add},
			{`DELETE FROM device_tag WHERE device = $1 AND tag = $2`, remove},
		} {
			if len(step.tags) == 0 {
				continue
			}
			st, err := tx.PrepareContext(ctx, step.query)
			if err != nil {
				return err
			}
			for _, num := range devices {
				for _, tag := range step.tags {
					if _, err := st.ExecContext(ctx, num, tag); err != nil {
						_ = st.Close()
						return fmt.Errorf("change tags of device %d: %w", num, err)
					}
				}
			}
			if err := st.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}
