package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Account is a person who may sign in.
type Account struct {
	ID       int64
	Name     string // lower case, unique
	Display  string
	Password string // encoded hash with its parameters, "" when none is set
	Created  time.Time
	Disabled time.Time // since when it may not sign in; zero: it may
}

const accountColumns = `account.id, account.name, account.display, account.password, account.created, account.disabled`

func scanAccount(row interface{ Scan(...any) error }, more ...any) (Account, error) {
	var a Account
	var created, disabled int64
	err := row.Scan(append([]any{&a.ID, &a.Name, &a.Display, &a.Password, &created, &disabled}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, ErrNotFound
	}
	a.Created, a.Disabled = fromMilli(created), orZero(disabled)
	return a, err
}

func fromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// KeepIdentity stores a value under a name unless there is one, and returns
// the value that is stored. Of several callers one wins, all get the same.
func (s *Store) KeepIdentity(ctx context.Context, name string, value []byte) ([]byte, error) {
	var kept []byte
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, value); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM identity WHERE name = $1`, name).Scan(&kept)
	})
	if err != nil {
		return nil, fmt.Errorf("keep identity %q: %w", name, err)
	}
	return kept, nil
}

// Identity returns the value stored under a name, or ErrNotFound.
func (s *Store) Identity(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.r.QueryRowContext(ctx, `SELECT value FROM identity WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read identity %q: %w", name, err)
	}
	return value, nil
}

// AccountByName returns the account with a (lower-case) name, or ErrNotFound.
func (s *Store) AccountByName(ctx context.Context, name string) (Account, error) {
	return scanAccount(s.r.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE name = $1`, name))
}

// AccountByID returns an account, or ErrNotFound.
func (s *Store) AccountByID(ctx context.Context, id int64) (Account, error) {
	return scanAccount(s.r.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE id = $1`, id))
}

// SetPassword stores a password hash and ends every session of the account
// but the one with the digest keep, and what it lets applications do.
func (s *Store) SetPassword(ctx context.Context, account int64, hash string, keep []byte) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE account SET password = $2 WHERE id = $1`, account, hash)
		if err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE account = $1 AND hash <> $2`, account, nonNil(keep)); err != nil {
			return fmt.Errorf("end other sessions: %w", err)
		}
		return endGrants(ctx, tx, account)
	})
}

// Prefs returns the preferences of an account as it stored them, or ErrNotFound.
func (s *Store) Prefs(ctx context.Context, account int64) ([]byte, error) {
	var prefs []byte
	err := s.r.QueryRowContext(ctx, `SELECT prefs FROM account WHERE id = $1`, account).Scan(&prefs)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read preferences: %w", err)
	}
	return prefs, nil
}

// SetPrefs replaces the preferences of an account.
func (s *Store) SetPrefs(ctx context.Context, account int64, prefs []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE account SET prefs = $2 WHERE id = $1`, account, nonNil(prefs)); err != nil {
			return fmt.Errorf("write preferences: %w", err)
		}
		return nil
	})
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// AddLink stores the digest of a one-time sign-in link and drops those that
// expired. account 0 is the first administrator, whoever that is then; earlier
// links of another account end.
func (s *Store) AddLink(ctx context.Context, account int64, hash []byte, created, expires time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM signin_link WHERE expires <= $1 OR account = $2`, created.UnixMilli(), account); err != nil {
			return fmt.Errorf("drop old links: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO signin_link (hash, created, expires, account) VALUES ($1, $2, $3, nullif($4, 0))`,
			hash, created.UnixMilli(), expires.UnixMilli(), account); err != nil {
			return fmt.Errorf("add link: %w", err)
		}
		return nil
	})
}

// LinkAccount is the account that a link which has not expired was made for, 0
// for the first administrator; ErrNotFound when there is no such link.
func (s *Store) LinkAccount(ctx context.Context, link []byte, at time.Time) (int64, error) {
	var account sql.NullInt64
	err := s.r.QueryRowContext(ctx, `SELECT account FROM signin_link WHERE hash = $1 AND expires > $2`, link, at.UnixMilli()).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("read link: %w", err)
	}
	return account.Int64, nil
}

// RedeemLink consumes a link that has not expired and opens the session n for
// its account, or none when n has no Hash. A link without one is for the first administrator; when there is
// none, first is created in the group of administrators. A link that is
// unknown, used, expired or of a disabled account is ErrNotFound and changes nothing.
func (s *Store) RedeemLink(ctx context.Context, link []byte, first Account, n Session, oldest, idle time.Time) (Account, error) {
	var who Account
	err := s.write(ctx, func(tx *sql.Tx) error {
		var account sql.NullInt64
		err := tx.QueryRowContext(ctx, `DELETE FROM signin_link WHERE hash = $1 AND expires > $2 RETURNING account`, link, n.Created.UnixMilli()).Scan(&account)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("consume link: %w", err)
		}
		if account.Valid {
			who, err = scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE id = $1 AND disabled = 0`, account.Int64))
		} else {
			who, err = firstAdministrator(ctx, tx, first)
		}
		if errors.Is(err, ErrNotFound) {
			return ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("find account: %w", err)
		}
		if len(n.Hash) == 0 {
			return nil
		}
		n.Account = who.ID
		return addSession(ctx, tx, n, oldest, idle)
	})
	if errors.Is(err, ErrNotFound) {
		return Account{}, ErrNotFound
	}
	if err != nil {
		return Account{}, fmt.Errorf("redeem link: %w", err)
	}
	return who, nil
}

// firstAdministrator is the oldest account that may do everything, made when there is none.
func firstAdministrator(ctx context.Context, tx *sql.Tx, first Account) (Account, error) {
	who, err := scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM account WHERE id = (SELECT min(account) FROM (`+administrators+`))`))
	if !errors.Is(err, ErrNotFound) {
		return who, err
	}
	if who, err = addAccount(ctx, tx, first); err != nil {
		return who, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO user_group_member (account, user_group, source) SELECT $1, id, 'local' FROM user_group WHERE built_in = 'administrators'`, who.ID)
	return who, err
}
