package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// Names of what the store has from the beginning.
const (
	RoleAdministrator   = "administrator"
	RoleOperator        = "operator"
	RoleReader          = "reader"
	GroupAdministrators = "administrators"
)

// Where a membership or a user group comes from.
const (
	SourceLocal = "local"
	SourceOIDC  = "oidc"
	SourceSCIM  = "scim"
)

var (
	// ErrLastAdministrator says that a change would leave nobody who may do everything.
	ErrLastAdministrator = errors.New("nobody would be an administrator any more")
	// ErrBuiltIn says that what is there from the beginning stays as it is.
	ErrBuiltIn = errors.New("it is built in")
	// ErrTaken says that a name is in use.
	ErrTaken = errors.New("the name is taken")
	// ErrSees says that a user group is the only one that sees a device group:
	// without it everybody would.
	ErrSees = errors.New("it is the only user group that sees a device group")
)

// Role is a set of permissions with a name.
type Role struct {
	ID          int64
	Name        string // unique, whatever its case
	Description string
	Permissions []string // the server's; empty where BuiltIn says what it holds
	BuiltIn     string   // "": made by people
	Groups      []int64  // user groups that have it, in order
}

// UserGroup is a set of people that roles and device groups are given to.
type UserGroup struct {
	ID           int64
	Name         string // unique, whatever its case
	Description  string
	Source       string // SourceLocal, SourceOIDC or SourceSCIM
	External     string // how the source names it, "" when it does not; unique within the source
	BuiltIn      string
	Roles        []int64
	Members      int      // people, disabled ones included
	DeviceGroups []uint16 // that name it among those that see them
}

// Roles returns the roles, built-in ones first, by name.
func (s *Store) Roles(ctx context.Context) ([]Role, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, name, description, permissions, built_in,
		(SELECT json_group_array(user_group) FROM (SELECT user_group FROM user_group_role WHERE role = role.id ORDER BY user_group))
		FROM role ORDER BY built_in = '', id * (built_in <> ''), name COLLATE NOCASE`)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Role
	for rows.Next() {
		var r Role
		var permissions, groups string
		if err := rows.Scan(&r.ID, &r.Name, &r.Description, &permissions, &r.BuiltIn, &groups); err != nil {
			return nil, fmt.Errorf("read roles: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(permissions), &r.Permissions), json.Unmarshal([]byte(groups), &r.Groups)); err != nil {
			return nil, fmt.Errorf("role %d: %w", r.ID, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// PutRole stores a role that is not built in, durably, and returns its id; id 0
// is a new one. It is ErrNotFound, ErrBuiltIn or ErrTaken when that cannot be.
func (s *Store) PutRole(ctx context.Context, r Role) (id int64, err error) {
	permissions, err := json.Marshal(append([]string{}, r.Permissions...))
	if err != nil {
		return 0, err
	}
	err = s.writePeople(ctx, func(tx *sql.Tx) error {
		if err := isFree(ctx, tx, `SELECT id FROM role WHERE name = $1`, r.Name, r.ID); err != nil {
			return err
		}
		if r.ID == 0 {
			return tx.QueryRowContext(ctx, `INSERT INTO role (name, description, permissions, built_in) VALUES ($1, $2, $3, '') RETURNING id`,
				r.Name, r.Description, string(permissions)).Scan(&id)
		}
		id = r.ID
		if err := madeByPeople(ctx, tx, `SELECT built_in FROM role WHERE id = $1`, id); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE role SET name = $1, description = $2, permissions = $3 WHERE id = $4`, r.Name, r.Description, string(permissions), id)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store role %q: %w", r.Name, err)
	}
	return id, nil
}

// DeleteRole takes a role away from everybody, durably.
func (s *Store) DeleteRole(ctx context.Context, id int64) error {
	return s.writePeople(ctx, func(tx *sql.Tx) error {
		if err := madeByPeople(ctx, tx, `SELECT built_in FROM role WHERE id = $1`, id); err != nil {
			return fmt.Errorf("delete role %d: %w", id, err)
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM role WHERE id = $1`, id)
		return err
	})
}

// UserGroups returns the user groups by name.
func (s *Store) UserGroups(ctx context.Context) ([]UserGroup, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, name, description, source, external, built_in,
		(SELECT json_group_array(role) FROM (SELECT role FROM user_group_role WHERE user_group = user_group.id ORDER BY role)),
		(SELECT count(DISTINCT account) FROM user_group_member m WHERE m.user_group = user_group.id),
		(SELECT json_group_array(device_group) FROM (SELECT device_group FROM device_group_access a WHERE a.user_group = user_group.id ORDER BY device_group))
		FROM user_group ORDER BY built_in = '', name COLLATE NOCASE`)
	if err != nil {
		return nil, fmt.Errorf("read user groups: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []UserGroup
	for rows.Next() {
		var g UserGroup
		var roles, seen string
		if err := rows.Scan(&g.ID, &g.Name, &g.Description, &g.Source, &g.External, &g.BuiltIn, &roles, &g.Members, &seen); err != nil {
			return nil, fmt.Errorf("read user groups: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(roles), &g.Roles), json.Unmarshal([]byte(seen), &g.DeviceGroups)); err != nil {
			return nil, fmt.Errorf("user group %d: %w", g.ID, err)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// PutUserGroup stores a user group with its roles, durably, and returns its id;
// id 0 is a new one. Source and External of one that is there stay. Roles and
// members that are nil stay as they are; members are those of SourceLocal.
// The built-in group keeps its name and roles: changing them is ErrBuiltIn.
func (s *Store) PutUserGroup(ctx context.Context, g UserGroup, members []int64) (id int64, err error) {
	err = s.writePeople(ctx, func(tx *sql.Tx) error {
		if id, err = putUserGroup(ctx, tx, g); err != nil || members == nil {
			return err
		}
		return setMembers(ctx, tx, id, SourceLocal, members)
	})
	if err != nil {
		return 0, fmt.Errorf("store user group %q: %w", g.Name, err)
	}
	return id, nil
}

func putUserGroup(ctx context.Context, tx *sql.Tx, g UserGroup) (int64, error) {
	if err := isFree(ctx, tx, `SELECT id FROM user_group WHERE name = $1`, g.Name, g.ID); err != nil {
		return 0, err
	}
	if g.ID == 0 {
		err := tx.QueryRowContext(ctx, `INSERT INTO user_group (name, description, source, external, built_in) VALUES ($1, $2, $3, $4, '') RETURNING id`,
			g.Name, g.Description, g.Source, g.External).Scan(&g.ID)
		if err != nil {
			return 0, err
		}
	} else {
		var name, builtIn string
		err := tx.QueryRowContext(ctx, `SELECT name, built_in FROM user_group WHERE id = $1`, g.ID).Scan(&name, &builtIn)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return 0, ErrNotFound
		case err != nil:
			return 0, err
		case builtIn != "" && (name != g.Name || g.Roles != nil):
			return 0, ErrBuiltIn
		}
		if _, err := tx.ExecContext(ctx, `UPDATE user_group SET name = $1, description = $2 WHERE id = $3`, g.Name, g.Description, g.ID); err != nil {
			return 0, err
		}
	}
	if g.Roles == nil {
		return g.ID, nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM user_group_role WHERE user_group = $1`, g.ID); err != nil {
		return 0, err
	}
	for _, role := range g.Roles {
		res, err := tx.ExecContext(ctx, `INSERT INTO user_group_role (user_group, role) SELECT $1, id FROM role WHERE id = $2 ON CONFLICT DO NOTHING`, g.ID, role)
		if err != nil {
			return 0, err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return 0, errors.Join(err, fmt.Errorf("role %d: %w", role, ErrNotFound))
		}
	}
	return g.ID, nil
}

// DeleteUserGroup deletes a user group, durably. One that alone sees a device
// group is ErrSees: deleting it would show those devices to everybody.
func (s *Store) DeleteUserGroup(ctx context.Context, id int64) error {
	err := s.writePeople(ctx, func(tx *sql.Tx) error {
		if err := madeByPeople(ctx, tx, `SELECT built_in FROM user_group WHERE id = $1`, id); err != nil {
			return err
		}
		var alone int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device_group_access a WHERE a.user_group = $1
			AND NOT EXISTS (SELECT 1 FROM device_group_access b WHERE b.device_group = a.device_group AND b.user_group <> $1)`, id).Scan(&alone)
		if err != nil {
			return err
		}
		if alone > 0 {
			return ErrSees
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM device_group_access WHERE user_group = $1`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM user_group WHERE id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete user group %d: %w", id, err)
	}
	return nil
}

// isFree is ErrTaken when another row has a name.
func isFree(ctx context.Context, tx *sql.Tx, query, name string, id int64) error {
	var other int64
	err := tx.QueryRowContext(ctx, query, name).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) || err == nil && other == id {
		return nil
	}
	return errors.Join(err, ErrTaken)
}

// madeByPeople is ErrNotFound for a row that is not there, ErrBuiltIn for one that is built in.
func madeByPeople(ctx context.Context, tx *sql.Tx, query string, id int64) error {
	var builtIn string
	err := tx.QueryRowContext(ctx, query, id).Scan(&builtIn)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case err == nil && builtIn != "":
		return ErrBuiltIn
	}
	return err
}
