package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// TOTP is the secret of an account's one-time codes.
type TOTP struct {
	Secret  []byte // sealed
	Step    int64  // last 30-second step whose code was accepted; 0: not confirmed yet
	Created time.Time
}

// Passkey is a WebAuthn credential of an account.
type Passkey struct {
	ID         []byte
	Account    int64
	Name       string
	Credential []byte // JSON
	Doubt      bool   // its counter went backwards once
	Created    time.Time
	Used       time.Time // zero: never
}

// TOTPOf returns the secret of an account's codes, or ErrNotFound.
func (s *Store) TOTPOf(ctx context.Context, account int64) (TOTP, error) {
	var t TOTP
	var created int64
	err := s.r.QueryRowContext(ctx, `SELECT secret, step, created FROM totp WHERE account = $1`, account).Scan(&t.Secret, &t.Step, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return TOTP{}, ErrNotFound
	}
	if err != nil {
		return TOTP{}, fmt.Errorf("read secret of codes: %w", err)
	}
	t.Created = fromMilli(created)
	return t, nil
}

// PutTOTP stores a secret that is not confirmed yet, in the place of any that is there.
func (s *Store) PutTOTP(ctx context.Context, account int64, t TOTP) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO totp (account, secret, step, created) VALUES ($1, $2, 0, $3)
			ON CONFLICT (account) DO UPDATE SET secret = $2, step = 0, created = $3`, account, t.Secret, t.Created.UnixMilli())
		if err != nil {
			return fmt.Errorf("store secret of codes: %w", err)
		}
		return nil
	})
}

// UseStep accepts the code of a step once: a step that is not later than the
// last one accepted is ErrNotFound. Of several callers with one code, one wins.
func (s *Store) UseStep(ctx context.Context, account, step int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE totp SET step = $2 WHERE account = $1 AND step < $2`, account, step))
	})
}

// DeleteTOTP removes an account's codes; ErrNotFound when none are in use.
func (s *Store) DeleteTOTP(ctx context.Context, account int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `DELETE FROM totp WHERE account = $1 AND step > 0`, account)); err != nil {
			return err
		}
		return dropIdleCodes(ctx, tx, account)
	})
}

// dropIdleCodes removes recovery codes when no factor is left to recover from.
func dropIdleCodes(ctx context.Context, tx *sql.Tx, account int64) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = $1
		AND NOT EXISTS (SELECT 1 FROM totp WHERE account = $1 AND step > 0) AND NOT EXISTS (SELECT 1 FROM passkey WHERE account = $1)`, account)
	return err
}

// PutRecoveryCodes replaces the recovery codes of an account by these digests.
func (s *Store) PutRecoveryCodes(ctx context.Context, account int64, hashes [][]byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = $1`, account); err != nil {
			return fmt.Errorf("drop recovery codes: %w", err)
		}
		for _, h := range hashes {
			if _, err := tx.ExecContext(ctx, `INSERT INTO recovery_code (account, hash) VALUES ($1, $2)`, account, h); err != nil {
				return fmt.Errorf("store recovery codes: %w", err)
			}
		}
		return nil
	})
}

// UseRecoveryCode consumes a recovery code; ErrNotFound when there is none with this digest.
func (s *Store) UseRecoveryCode(ctx context.Context, account int64, hash []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `DELETE FROM recovery_code WHERE account = $1 AND hash = $2`, account, hash))
	})
}

// RecoveryCodes counts the recovery codes of an account that are left.
func (s *Store) RecoveryCodes(ctx context.Context, account int64) (n int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT count(*) FROM recovery_code WHERE account = $1`, account).Scan(&n)
	return n, err
}

// HasFactor reports whether an account has a second factor that is ready.
func (s *Store) HasFactor(ctx context.Context, account int64) (has bool, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM totp WHERE account = $1 AND step > 0) OR EXISTS (SELECT 1 FROM passkey WHERE account = $1)`, account).Scan(&has)
	return has, err
}

// DeleteFactors removes every second factor of an account with its recovery codes.
func (s *Store) DeleteFactors(ctx context.Context, account int64) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"totp", "passkey", "recovery_code"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE account = $1`, account); err != nil {
				return fmt.Errorf("remove second factors: %w", err)
			}
		}
		return nil
	})
}

const passkeyColumns = `id, account, name, credential, doubt, created, used`

func scanPasskey(row interface{ Scan(...any) error }) (Passkey, error) {
	var p Passkey
	var created, used int64
	err := row.Scan(&p.ID, &p.Account, &p.Name, &p.Credential, &p.Doubt, &created, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return Passkey{}, ErrNotFound
	}
	p.Created = fromMilli(created)
	if used > 0 {
		p.Used = fromMilli(used)
	}
	return p, err
}

// Passkeys are those of an account, oldest first.
func (s *Store) Passkeys(ctx context.Context, account int64) ([]Passkey, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+passkeyColumns+` FROM passkey WHERE account = $1 ORDER BY created, id`, account)
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Passkey
	for rows.Next() {
		p, err := scanPasskey(rows)
		if err != nil {
			return nil, fmt.Errorf("list passkeys: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// PasskeyByID returns a passkey, or ErrNotFound.
func (s *Store) PasskeyByID(ctx context.Context, id []byte) (Passkey, error) {
	return scanPasskey(s.r.QueryRowContext(ctx, `SELECT `+passkeyColumns+` FROM passkey WHERE id = $1`, id))
}

// AddPasskey stores a passkey. One that is there already, with any account, is ErrNotFound.
func (s *Store) AddPasskey(ctx context.Context, p Passkey) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `INSERT INTO passkey (id, account, name, credential, doubt, created, used) VALUES ($1, $2, $3, $4, 0, $5, 0) ON CONFLICT DO NOTHING`,
			p.ID, p.Account, p.Name, p.Credential, p.Created.UnixMilli()))
	})
}

// UsePasskey notes a use of a passkey, with its counters. A doubt stays.
func (s *Store) UsePasskey(ctx context.Context, p Passkey) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE passkey SET credential = $3, doubt = max(doubt, $4), used = $5 WHERE id = $1 AND account = $2`,
			p.ID, p.Account, p.Credential, p.Doubt, p.Used.UnixMilli()))
	})
}

// RenamePasskey names a passkey of an account, or is ErrNotFound.
func (s *Store) RenamePasskey(ctx context.Context, account int64, id []byte, name string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE passkey SET name = $3 WHERE id = $1 AND account = $2`, id, account, name))
	})
}

// DeletePasskey removes a passkey of an account, or is ErrNotFound.
func (s *Store) DeletePasskey(ctx context.Context, account int64, id []byte) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		if err := changed(tx.ExecContext(ctx, `DELETE FROM passkey WHERE id = $1 AND account = $2`, id, account)); err != nil {
			return err
		}
		return dropIdleCodes(ctx, tx, account)
	})
}

// Attempt is how often a key failed and when last.
type Attempt struct {
	Kind, Key string
	N         int
	Last      time.Time
}

// PutAttempt keeps a count of failed attempts; with N 0 it forgets it. Counts
// whose last attempt was before old are dropped.
func (s *Store) PutAttempt(ctx context.Context, a Attempt, old time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM attempt WHERE last < $1 OR kind = $2 AND key = $3`, old.UnixMilli(), a.Kind, a.Key); err != nil {
			return fmt.Errorf("forget attempts: %w", err)
		}
		if a.N == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO attempt (kind, key, n, last) VALUES ($1, $2, $3, $4)`, a.Kind, a.Key, a.N, a.Last.UnixMilli()); err != nil {
			return fmt.Errorf("keep attempts: %w", err)
		}
		return nil
	})
}

// Attempts are the counts that are kept, at most most of them, latest first.
func (s *Store) Attempts(ctx context.Context, most int) ([]Attempt, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT kind, key, n, last FROM attempt ORDER BY last DESC LIMIT $1`, most)
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Attempt
	for rows.Next() {
		var a Attempt
		var last int64
		if err := rows.Scan(&a.Kind, &a.Key, &a.N, &last); err != nil {
			return nil, fmt.Errorf("read attempts: %w", err)
		}
		a.Last = fromMilli(last)
		out = append(out, a)
	}
	return out, rows.Err()
}
