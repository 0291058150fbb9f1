package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// App is a program that may ask for tokens.
type App struct {
	Client      string
	Name        string
	Owner       int64 // the account whose own token it is, 0 for an application
	OwnerName   string
	Permissions []string
	Disabled    bool
	Created     time.Time
	By          string // who made it
	LastUsed    time.Time
	LastRemote  string
	Calls       int64 // ever
	Refused     int64 // of those, because of a limit
	Limits      string
	Public      bool     // keeps no secret
	Redirects   []string // where people may be sent back to
	Delegated   []string // what people may let it do
	DeviceCode  bool     // people may let it in by a code that they type
}

// AppSecret is one secret of an application, known by its digest.
type AppSecret struct {
	ID       string
	App      string
	Hash     []byte
	Hint     string // its first characters
	Note     string
	Created  time.Time
	Expires  time.Time // zero: never
	LastUsed time.Time
}

// AppUse is what an application did since the last time that was written.
type AppUse struct {
	Client  string
	Secret  string // the one it used last; its last use is noted too
	At      time.Time
	Remote  string
	Calls   int64
	Refused int64
}

// RetiredKey is the public part (PKIX, DER) of a key that tokens were signed with.
type RetiredKey struct {
	Kid    string
	Public []byte
	Until  time.Time // the last token that it signed has ended by then
}

const appColumns = `app.client, app.name, coalesce(app.owner, 0), coalesce(account.name, ''), app.permissions, app.disabled, app.created, app.created_by, app.last_used,
	app.last_remote, app.calls, app.refused, app.limits, app.public, app.redirects, app.delegated, app.device_code`

const appTables = `app LEFT JOIN account ON account.id = app.owner`

func scanApp(row interface{ Scan(...any) error }) (a App, err error) {
	var perms, redirects, delegated string
	var created, used int64
	if err = row.Scan(&a.Client, &a.Name, &a.Owner, &a.OwnerName, &perms, &a.Disabled, &created, &a.By, &used, &a.LastRemote, &a.Calls, &a.Refused, &a.Limits,
		&a.Public, &redirects, &delegated, &a.DeviceCode); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return App{}, ErrNotFound
		}
		return App{}, fmt.Errorf("read application: %w", err)
	}
	err = errors.Join(json.Unmarshal([]byte(perms), &a.Permissions), json.Unmarshal([]byte(redirects), &a.Redirects), json.Unmarshal([]byte(delegated), &a.Delegated))
	if err != nil {
		return App{}, fmt.Errorf("read application: %w", err)
	}
	a.Created, a.LastUsed = fromMilli(created), milliOrZero(used)
	return a, nil
}

func milliOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMilli(ms)
}

func zeroOrMilli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// lists are the lists of an application as they are stored.
func (a *App) lists() (perms, redirects, delegated string, err error) {
	perms, e1 := listText(a.Permissions)
	redirects, e2 := listText(a.Redirects)
	delegated, e3 := listText(a.Delegated)
	return perms, redirects, delegated, errors.Join(e1, e2, e3)
}

// AddApp stores an application with its first secret; one without an ID is
// none. With an owner who has most already, or without one when there are most
// without, it is ErrFull.
func (s *Store) AddApp(ctx context.Context, a App, first AppSecret, most int) error {
	perms, redirects, delegated, err := a.lists()
	if err != nil {
		return fmt.Errorf("add application: %w", err)
	}
	if a.Limits == "" {
		a.Limits = "{}"
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM app WHERE coalesce(owner, 0) = $1`, a.Owner).Scan(&n); err != nil {
			return fmt.Errorf("count applications: %w", err)
		}
		if n >= most {
			return ErrFull
		}
		owner := sql.NullInt64{Int64: a.Owner, Valid: a.Owner != 0}
		if _, err := tx.ExecContext(ctx, `INSERT INTO app (client, name, owner, permissions, created, created_by, limits, public, redirects, delegated, device_code)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, a.Client, a.Name, owner, perms, a.Created.UnixMilli(), a.By, a.Limits, a.Public, redirects, delegated, a.DeviceCode); err != nil {
			return fmt.Errorf("add application: %w", err)
		}
		if first.ID == "" {
			return nil
		}
		return addAppSecret(ctx, tx, first)
	})
}

func addAppSecret(ctx context.Context, tx *sql.Tx, n AppSecret) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO app_secret (id, app, hash, hint, note, created, expires, last_used) VALUES ($1,$2,$3,$4,$5,$6,$7,0)`,
		n.ID, n.App, n.Hash, n.Hint, n.Note, n.Created.UnixMilli(), zeroOrMilli(n.Expires)); err != nil {
		return fmt.Errorf("add secret: %w", err)
	}
	return nil
}

// AppByClient returns an application by its client id, or ErrNotFound.
func (s *Store) AppByClient(ctx context.Context, client string) (App, error) {
	return scanApp(s.r.QueryRowContext(ctx, `SELECT `+appColumns+` FROM `+appTables+` WHERE app.client = $1`, client))
}

// Apps lists applications and people's tokens, newest first; with an owner, his alone.
func (s *Store) Apps(ctx context.Context, owner int64) ([]App, error) {
	return s.apps(ctx, `$1 = 0 OR app.owner = $1`, owner)
}

// PublicApps lists the public applications that are not disabled, newest first.
func (s *Store) PublicApps(ctx context.Context) ([]App, error) {
	return s.apps(ctx, `app.public AND NOT app.disabled`)
}

func (s *Store) apps(ctx context.Context, where string, args ...any) ([]App, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+appColumns+` FROM `+appTables+` WHERE `+where+` ORDER BY app.created DESC, app.rowid DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []App
	for rows.Next() {
		a, err := scanApp(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// SetApp replaces what may be changed of an application: all but its id, owner, kind and use.
func (s *Store) SetApp(ctx context.Context, a App) error {
	perms, redirects, delegated, err := a.lists()
	if err != nil {
		return fmt.Errorf("change application: %w", err)
	}
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE app SET name = $2, permissions = $3, limits = $4, disabled = $5, redirects = $6, delegated = $7, device_code = $8 WHERE client = $1`,
			a.Client, a.Name, perms, a.Limits, a.Disabled, redirects, delegated, a.DeviceCode))
	})
}

// DeleteApp removes an application with its secrets: its tokens end with it.
// One that does not exist is ErrNotFound.
func (s *Store) DeleteApp(ctx context.Context, client string) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM app WHERE client = $1`, client))
	})
}

// AppSecrets lists the secrets of an application, or of all for "", newest first.
func (s *Store) AppSecrets(ctx context.Context, client string) ([]AppSecret, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, app, hash, hint, note, created, expires, last_used FROM app_secret WHERE $1 = '' OR app = $1 ORDER BY created DESC, rowid DESC`, client)
	if err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []AppSecret
	for rows.Next() {
		var n AppSecret
		var created, expires, used int64
		if err := rows.Scan(&n.ID, &n.App, &n.Hash, &n.Hint, &n.Note, &created, &expires, &used); err != nil {
			return nil, fmt.Errorf("read secret: %w", err)
		}
		n.Created, n.Expires, n.LastUsed = fromMilli(created), milliOrZero(expires), milliOrZero(used)
		out = append(out, n)
	}
	return out, rows.Err()
}

// HasAppSecret reports whether an application has a secret that has not expired.
func (s *Store) HasAppSecret(ctx context.Context, client, id string, now time.Time) (bool, error) {
	var n int
	err := s.r.QueryRowContext(ctx, `SELECT count(*) FROM app_secret WHERE id = $1 AND app = $2 AND (expires = 0 OR expires > $3)`, id, client, now.UnixMilli()).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look for secret: %w", err)
	}
	return n > 0, nil
}

// AddAppSecret adds a secret to an application that has fewer than most; else
// it is ErrFull. Unless others is zero, those that it had expire then at the latest.
func (s *Store) AddAppSecret(ctx context.Context, n AppSecret, others time.Time, most int) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		var apps, have int
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM app WHERE client = $1), (SELECT count(*) FROM app_secret WHERE app = $1)`, n.App).Scan(&apps, &have); err != nil {
			return fmt.Errorf("count secrets: %w", err)
		}
		switch {
		case apps == 0:
			return ErrNotFound
		case have >= most:
			return ErrFull
		}
		if !others.IsZero() {
			if _, err := tx.ExecContext(ctx, `UPDATE app_secret SET expires = $2 WHERE app = $1 AND (expires = 0 OR expires > $2)`, n.App, others.UnixMilli()); err != nil {
				return fmt.Errorf("let secrets expire: %w", err)
			}
		}
		return addAppSecret(ctx, tx, n)
	})
}

// DeleteAppSecret removes one secret; ErrNotFound if the application has no such one.
func (s *Store) DeleteAppSecret(ctx context.Context, client, id string) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM app_secret WHERE app = $1 AND id = $2`, client, id))
	})
}

// UseApps adds to what applications did.
func (s *Store) UseApps(ctx context.Context, uses []AppUse) error {
	if len(uses) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, u := range uses {
			if _, err := tx.ExecContext(ctx, `UPDATE app SET calls = calls + $2, refused = refused + $3, last_remote = CASE WHEN last_used > $4 THEN last_remote ELSE $5 END,
				last_used = max(last_used, $4) WHERE client = $1`, u.Client, u.Calls, u.Refused, u.At.UnixMilli(), u.Remote); err != nil {
				return fmt.Errorf("note use of application: %w", err)
			}
			if _, err := tx.ExecContext(ctx, `UPDATE app_secret SET last_used = max(last_used, $3) WHERE app = $1 AND id = $2`, u.Client, u.Secret, u.At.UnixMilli()); err != nil {
				return fmt.Errorf("note use of secret: %w", err)
			}
		}
		return nil
	})
}

// ReplaceSigningKey stores the key that tokens are signed with from now on and
// the public part of the one before; nil: tokens of that one end now. Keys
// whose last token has ended by now are forgotten.
func (s *Store) ReplaceSigningKey(ctx context.Context, fresh []byte, old *RetiredKey, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE identity SET value = $1 WHERE name = 'signing-key'`, fresh)); err != nil {
			return fmt.Errorf("store signing key: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM retired_key WHERE $2 OR until <= $1`, now.UnixMilli(), old == nil); err != nil {
			return fmt.Errorf("forget old keys: %w", err)
		}
		if old == nil {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO retired_key (kid, public, until) VALUES ($1,$2,$3)`, old.Kid, old.Public, old.Until.UnixMilli()); err != nil {
			return fmt.Errorf("keep old key: %w", err)
		}
		return nil
	})
}

// RetiredKeys lists the keys that tokens were signed with.
func (s *Store) RetiredKeys(ctx context.Context) ([]RetiredKey, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT kid, public, until FROM retired_key ORDER BY until DESC`)
	if err != nil {
		return nil, fmt.Errorf("list old keys: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []RetiredKey
	for rows.Next() {
		var k RetiredKey
		var until int64
		if err := rows.Scan(&k.Kid, &k.Public, &until); err != nil {
			return nil, fmt.Errorf("read old key: %w", err)
		}
		k.Until = fromMilli(until)
		out = append(out, k)
	}
	return out, rows.Err()
}
