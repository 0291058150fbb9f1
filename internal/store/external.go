package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// AccountByIdentity returns the account that an identity of a provider belongs to, or ErrNotFound.
func (s *Store) AccountByIdentity(ctx context.Context, issuer, subject string) (Account, error) {
	return scanAccount(s.r.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM external_identity e JOIN account ON account.id = e.account WHERE e.issuer = $1 AND e.subject = $2`, issuer, subject))
}

// AddIdentity ties an identity of a provider to an account, durably: to one
// that is there when a.ID says so, else to a new one. A new account's name is
// a.Name, with a number after it when somebody has it. Of several callers with
// one identity one wins, and all get its account.
func (s *Store) AddIdentity(ctx context.Context, issuer, subject string, a Account, at time.Time) (out Account, err error) {
	err = s.writePeople(ctx, func(tx *sql.Tx) error {
		out, err = scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM external_identity e JOIN account ON account.id = e.account WHERE e.issuer = $1 AND e.subject = $2`, issuer, subject))
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if a.ID != 0 {
			out, err = scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE id = $1`, a.ID))
		} else {
			out, err = addNumbered(ctx, tx, a)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO external_identity (issuer, subject, account, created) VALUES ($1, $2, $3, $4)`, issuer, subject, out.ID, at.UnixMilli())
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("add identity: %w", err)
	}
	return out, nil
}

// addNumbered adds an account under its name, or the name with a number.
func addNumbered(ctx context.Context, tx *sql.Tx, a Account) (Account, error) {
	name := a.Name
	for n := 2; ; n++ {
		err := isFree(ctx, tx, `SELECT id FROM account WHERE name = $1`, a.Name, 0)
		if err == nil {
			return addAccount(ctx, tx, a)
		}
		if !errors.Is(err, ErrTaken) || n > 10000 {
			return Account{}, err
		}
		a.Name = fmt.Sprintf("%s-%d", name, n)
	}
}

// IsExternal reports whether an account belongs to an identity provider or a directory.
func (s *Store) IsExternal(ctx context.Context, account int64) (is bool, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM external_identity WHERE account = $1) OR EXISTS (SELECT 1 FROM scim_user WHERE account = $1)`, account).Scan(&is)
	return is, err
}

// HasIdentity reports whether an account is tied to an identity of an issuer.
func (s *Store) HasIdentity(ctx context.Context, issuer string, account int64) (has bool, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM external_identity WHERE issuer = $1 AND account = $2)`, issuer, account).Scan(&has)
	return has, err
}

// SetDisplay changes what an account shows as, durably.
func (s *Store) SetDisplay(ctx context.Context, account int64, display string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE account SET display = $2 WHERE id = $1`, account, display))
	})
}
