package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// SCIMUser is an account as the directory knows it that provisions it.
type SCIMUser struct {
	ID         string
	Account    int64
	UserName   string
	External   string // "": none
	Attributes []byte // JSON
	Created    time.Time
	Changed    time.Time
	Disabled   time.Time // of the account; zero: it is active
}

const scimColumns = `u.id, u.account, u.user_name, u.external, u.attributes, u.created, u.changed, account.disabled FROM scim_user u JOIN account ON account.id = u.account`

func scanSCIM(row interface{ Scan(...any) error }) (SCIMUser, error) {
	var u SCIMUser
	var created, changed, disabled int64
	err := row.Scan(&u.ID, &u.Account, &u.UserName, &u.External, &u.Attributes, &created, &changed, &disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return u, ErrNotFound
	}
	u.Created, u.Changed, u.Disabled = fromMilli(created), fromMilli(changed), orZero(disabled)
	return u, err
}

// SCIMUsers returns the provisioned accounts in order of their making. by
// narrows them: "id", "userName" (in any case) or "externalId" is then value; "" is all.
func (s *Store) SCIMUsers(ctx context.Context, by, value string) ([]SCIMUser, error) {
	where, ok := map[string]string{"": `'' = $1`, "id": `u.id = $1`, "userName": `u.user_name = $1`, "externalId": `u.external = $1 AND u.external <> ''`}[by]
	if !ok {
		return nil, fmt.Errorf("read provisioned accounts by %q: no such column", by)
	}
	rows, err := s.r.QueryContext(ctx, `SELECT `+scimColumns+` WHERE `+where+` ORDER BY u.account`, value)
	if err != nil {
		return nil, fmt.Errorf("read provisioned accounts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []SCIMUser
	for rows.Next() {
		u, err := scanSCIM(rows)
		if err != nil {
			return nil, fmt.Errorf("read provisioned accounts: %w", err)
		}
		out = append(out, u)
	}
	return out, rows.Err()
}

// SCIMAccount is the account that a directory calls by this externalId, or ErrNotFound.
func (s *Store) SCIMAccount(ctx context.Context, external string) (account int64, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT account FROM scim_user WHERE external = $1 AND external <> ''`, external).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNotFound
	}
	return account, err
}

// PutSCIMUser stores a provisioned account, durably; Account 0 makes a new one,
// called name, with a number after it when somebody has that. Disabled since a
// time ends its sessions. A user name or externalId that another one has is
// ErrTaken.
func (s *Store) PutSCIMUser(ctx context.Context, u SCIMUser, name, display string) (SCIMUser, error) {
	err := s.writePeople(ctx, func(tx *sql.Tx) error {
		var other int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM scim_user WHERE account <> $1 AND (user_name = $2 OR external = $3 AND external <> '')`, u.Account, u.UserName, u.External).Scan(&other)
		if err != nil {
			return err
		}
		if other > 0 {
			return ErrTaken
		}
		if u.Account == 0 {
			who, err := addNumbered(ctx, tx, Account{Name: name, Display: display, Created: u.Created})
			if err != nil {
				return err
			}
			u.Account = who.ID
		} else if err := renameSCIM(ctx, tx, u, name, display); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO scim_user (account, id, user_name, external, attributes, created, changed) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (account) DO UPDATE SET user_name = $3, external = $4, attributes = $5, changed = $7`,
			u.Account, u.ID, u.UserName, u.External, string(u.Attributes), u.Created.UnixMilli(), u.Changed.UnixMilli())
		if err != nil {
			return err
		}
		return setDisabled(ctx, tx, u.Account, u.Disabled)
	})
	if err != nil {
		return SCIMUser{}, fmt.Errorf("store provisioned account %q: %w", u.UserName, err)
	}
	return u, nil
}

// renameSCIM gives an account another name when the directory renamed it and
// nobody has that name; its old one stays otherwise.
func renameSCIM(ctx context.Context, tx *sql.Tx, u SCIMUser, name, display string) error {
	if err := changed(tx.ExecContext(ctx, `UPDATE account SET display = $2 WHERE id = $1`, u.Account, display)); err != nil {
		return err
	}
	var was string
	if err := tx.QueryRowContext(ctx, `SELECT user_name FROM scim_user WHERE account = $1`, u.Account).Scan(&was); err != nil || was == u.UserName {
		return err
	}
	if err := isFree(ctx, tx, `SELECT id FROM account WHERE name = $1`, name, u.Account); err != nil {
		if errors.Is(err, ErrTaken) {
			return nil
		}
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE account SET name = $2 WHERE id = $1`, u.Account, name)
	return err
}

// SetGroupExternal changes how the source of a user group names it, durably. A
// name that the source gave another group is ErrTaken.
func (s *Store) SetGroupExternal(ctx context.Context, group int64, external string) error {
	return s.writePeople(ctx, func(tx *sql.Tx) error {
		var other int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM user_group g JOIN user_group me ON me.id = $1 AND me.source = g.source WHERE g.id <> $1 AND g.external = $2 AND g.external <> ''`, group, external).Scan(&other); err != nil {
			return err
		}
		if other > 0 {
			return ErrTaken
		}
		return changed(tx.ExecContext(ctx, `UPDATE user_group SET external = $2 WHERE id = $1`, group, external))
	})
}
