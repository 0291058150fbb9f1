package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Person is an account with what lists show of it.
type Person struct {
	Account
	HasPassword bool
	Groups      []int64 // user groups that the person is in, by any source
	Local       []int64 // of them: by SourceLocal
	Sessions    int
	Used        time.Time // last use of a session that is there; zero: none
	Link        time.Time // when the last sign-in link ends; zero: there is none
}

// Rights are what an account may do, as the store has it.
type Rights struct {
	BuiltIn     []string // built-in roles
	Permissions []string // of the other roles, a permission as often as it is given
	// Hidden says that there are device groups which the account may not see;
	// Groups are then those that it may, 0 for the devices in none.
	Hidden bool
	Groups []uint16
}

// administrators selects the accounts that can sign in and hold the built-in role Administrator.
const administrators = `SELECT DISTINCT m.account FROM user_group_member m
	JOIN user_group_role g ON g.user_group = m.user_group JOIN role ON role.id = g.role
	JOIN account ON account.id = m.account WHERE role.built_in = 'administrator' AND account.disabled = 0`

// writePeople is write for what can take rights away: it is ErrLastAdministrator
// and changes nothing when there was an administrator before and is none after.
func (s *Store) writePeople(ctx context.Context, fn func(tx *sql.Tx) error) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		var before, after int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (`+administrators+`)`).Scan(&before); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (`+administrators+`)`).Scan(&after); err != nil {
			return err
		}
		if before > 0 && after == 0 {
			return ErrLastAdministrator
		}
		return nil
	})
}

// Rights returns what an account may do now. One that is disabled or not there is ErrNotFound.
func (s *Store) Rights(ctx context.Context, account int64) (Rights, error) {
	var builtIn, permissions, shown string
	var hidden int
	err := s.r.QueryRowContext(ctx, `WITH mine AS (SELECT DISTINCT user_group FROM user_group_member WHERE account = $1),
		held AS (SELECT DISTINCT role.id, role.built_in, role.permissions FROM mine JOIN user_group_role g ON g.user_group = mine.user_group JOIN role ON role.id = g.role),
		hidden AS (SELECT device_group FROM device_group_access GROUP BY device_group
			HAVING sum(user_group IN (SELECT user_group FROM mine)) = 0)
		SELECT (SELECT json_group_array(built_in) FROM held WHERE built_in <> ''),
			(SELECT json_group_array(value) FROM held, json_each(held.permissions)),
			(SELECT count(*) FROM hidden),
			(SELECT json_group_array(id) FROM (SELECT 0 AS id UNION ALL SELECT id FROM device_group) WHERE id NOT IN (SELECT device_group FROM hidden))
		FROM account WHERE id = $1 AND disabled = 0`, account).Scan(&builtIn, &permissions, &hidden, &shown)
	if errors.Is(err, sql.ErrNoRows) {
		return Rights{}, ErrNotFound
	}
	if err != nil {
		return Rights{}, fmt.Errorf("read rights of account %d: %w", account, err)
	}
	r := Rights{Hidden: hidden > 0}
	err = errors.Join(json.Unmarshal([]byte(builtIn), &r.BuiltIn), json.Unmarshal([]byte(permissions), &r.Permissions))
	if r.Hidden && err == nil {
		err = json.Unmarshal([]byte(shown), &r.Groups)
	}
	if err != nil {
		return Rights{}, fmt.Errorf("read rights of account %d: %w", account, err)
	}
	return r, nil
}

// People returns the accounts by name.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+accountColumns+`,
		(SELECT json_group_array(user_group) FROM (SELECT DISTINCT user_group FROM user_group_member WHERE account = account.id ORDER BY user_group)),
		(SELECT json_group_array(user_group) FROM (SELECT user_group FROM user_group_member WHERE account = account.id AND source = 'local' ORDER BY user_group)),
		(SELECT count(*) FROM session WHERE account = account.id), (SELECT coalesce(max(used), 0) FROM session WHERE account = account.id),
		(SELECT coalesce(max(expires), 0) FROM signin_link l WHERE l.account = account.id)
		FROM account ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Person
	for rows.Next() {
		var p Person
		var groups, local string
		var used, link int64
		if p.Account, err = scanAccount(rows, &groups, &local, &p.Sessions, &used, &link); err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		if err := errors.Join(json.Unmarshal([]byte(groups), &p.Groups), json.Unmarshal([]byte(local), &p.Local)); err != nil {
			return nil, fmt.Errorf("account %d: %w", p.ID, err)
		}
		p.HasPassword, p.Used, p.Link = p.Password != "", orZero(used), orZero(link)
		out = append(out, p)
	}
	return out, rows.Err()
}

// orZero is a time in Unix milliseconds, the zero time for 0.
func orZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMilli(ms)
}

// AddAccount stores a new account with its user groups, durably. A name that
// somebody has is ErrTaken, a group that is not there ErrNotFound.
func (s *Store) AddAccount(ctx context.Context, a Account, groups []int64) (out Account, err error) {
	err = s.writePeople(ctx, func(tx *sql.Tx) error {
		if err := isFree(ctx, tx, `SELECT id FROM account WHERE name = $1`, a.Name, 0); err != nil {
			return err
		}
		if out, err = addAccount(ctx, tx, a); err != nil {
			return err
		}
		return setGroups(ctx, tx, out.ID, SourceLocal, groups)
	})
	if err != nil {
		return Account{}, fmt.Errorf("add account %q: %w", a.Name, err)
	}
	return out, nil
}

func addAccount(ctx context.Context, tx *sql.Tx, a Account) (Account, error) {
	return scanAccount(tx.QueryRowContext(ctx, `INSERT INTO account (name, display, password, prefs, created)
		VALUES ($1, $2, $3, $4, $5) RETURNING `+accountColumns, a.Name, a.Display, a.Password, []byte("{}"), a.Created.UnixMilli()))
}

// EditAccount changes what an account shows as, its user groups of SourceLocal
// (nil: they stay), and since when it is disabled (zero: it is not), durably.
// Disabling ends its sessions and links.
func (s *Store) EditAccount(ctx context.Context, id int64, display string, groups []int64, disabled time.Time) error {
	err := s.writePeople(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account SET display = $2 WHERE id = $1`, id, display)
		if err := changed(res, err); err != nil {
			return err
		}
		if groups != nil {
			if err := setGroups(ctx, tx, id, SourceLocal, groups); err != nil {
				return err
			}
		}
		return setDisabled(ctx, tx, id, disabled)
	})
	if err != nil {
		return fmt.Errorf("edit account %d: %w", id, err)
	}
	return nil
}

// SetDisabled disables an account from a time on, which ends its sessions and
// links, or, with the zero time, lets it sign in again. Durably.
func (s *Store) SetDisabled(ctx context.Context, id int64, at time.Time) error {
	err := s.writePeople(ctx, func(tx *sql.Tx) error { return setDisabled(ctx, tx, id, at) })
	if err != nil {
		return fmt.Errorf("disable account %d: %w", id, err)
	}
	return nil
}

func setDisabled(ctx context.Context, tx *sql.Tx, id int64, at time.Time) error {
	var ms int64
	if !at.IsZero() {
		ms = at.UnixMilli()
		if err := endSessions(ctx, tx, id); err != nil {
			return err
		}
	}
	res, err := tx.ExecContext(ctx, `UPDATE account SET disabled = $2 WHERE id = $1`, id, ms)
	return changed(res, err)
}

// EndSessions ends every session and sign-in link of an account, and what it
// lets applications do, durably.
func (s *Store) EndSessions(ctx context.Context, id int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error { return endSessions(ctx, tx, id) })
}

func endSessions(ctx context.Context, tx *sql.Tx, id int64) error {
	for _, query := range []string{`DELETE FROM session WHERE account = $1`, `DELETE FROM signin_link WHERE account = $1`} {
		if _, err := tx.ExecContext(ctx, query, id); err != nil {
			return fmt.Errorf("end sessions of account %d: %w", id, err)
		}
	}
	return endGrants(ctx, tx, id)
}

// DeleteAccount deletes an account with its sessions and memberships, durably.
func (s *Store) DeleteAccount(ctx context.Context, id int64) error {
	err := s.writePeople(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM account WHERE id = $1`, id)
		return changed(res, err)
	})
	if err != nil {
		return fmt.Errorf("delete account %d: %w", id, err)
	}
	return nil
}

// SetGroups makes an account a member, by one source, of exactly these user
// groups, durably; memberships by other sources stay. Doing it again changes
// nothing. A group that is not there is ErrNotFound.
func (s *Store) SetGroups(ctx context.Context, account int64, source string, groups []int64) error {
	return s.writePeople(ctx, func(tx *sql.Tx) error { return setGroups(ctx, tx, account, source, groups) })
}

// SetMembers makes exactly these accounts members of a user group by one
// source, durably; memberships by other sources stay. Doing it again changes
// nothing. An account or group that is not there is ErrNotFound.
func (s *Store) SetMembers(ctx context.Context, group int64, source string, accounts []int64) error {
	return s.writePeople(ctx, func(tx *sql.Tx) error { return setMembers(ctx, tx, group, source, accounts) })
}

// Members returns the accounts that are in a user group by one source, "" for
// any, in order of their ids.
func (s *Store) Members(ctx context.Context, group int64, source string) ([]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT DISTINCT account FROM user_group_member WHERE user_group = $1 AND ($2 = '' OR source = $2) ORDER BY account`, group, source)
	if err != nil {
		return nil, fmt.Errorf("read members of user group %d: %w", group, err)
	}
	defer func() { _ = rows.Close() }()
	out := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read members of user group %d: %w", group, err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func setGroups(ctx context.Context, tx *sql.Tx, account int64, source string, groups []int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM user_group_member WHERE account = $1 AND source = $2`, account, source); err != nil {
		return err
	}
	for _, g := range groups {
		if err := join(ctx, tx, account, g, source); err != nil {
			return err
		}
	}
	return nil
}

func setMembers(ctx context.Context, tx *sql.Tx, group int64, source string, accounts []int64) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM user_group_member WHERE user_group = $1 AND source = $2`, group, source); err != nil {
		return err
	}
	for _, a := range accounts {
		if err := join(ctx, tx, a, group, source); err != nil {
			return err
		}
	}
	return nil
}

func join(ctx context.Context, tx *sql.Tx, account, group int64, source string) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO user_group_member (account, user_group, source)
		SELECT account.id, user_group.id, $3 FROM account, user_group WHERE account.id = $1 AND user_group.id = $2 ON CONFLICT DO UPDATE SET source = excluded.source`, account, group, source)
	if err := changed(res, err); err != nil {
		return fmt.Errorf("make account %d a member of user group %d: %w", account, group, err)
	}
	return nil
}

// changed is ErrNotFound when a statement found no row.
func changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}
