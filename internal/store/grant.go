package store

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrReplayed says that something which works once was shown again.
var ErrReplayed = errors.New("was used before")

// Grant is what a person lets an application do for them.
type Grant struct {
	ID      string
	App     string // client id
	AppName string
	Account int64
	Person  string // user name
	Scopes  []string
	Method  string // how the person had signed in
	Way     string // GrantByCode or GrantByDevice
	Remote  string // where the application asked from
	Created time.Time
	Used    time.Time // when it got its last token
	Expires time.Time
	// Family and Refresh are digests of the parts of the refresh token: one
	// stays, one changes with each use. Nil: there is none.
	Family, Refresh []byte
	Code            []byte // digest of the code that it was got with; nil: none
}

// Ways to a grant.
const (
	GrantByCode   = "code"
	GrantByDevice = "device"
)

// grantsPerAccount bounds how many grants one person gives; the least recently
// used end first.
const grantsPerAccount = 100

// AuthCode is an authorization code that waits to be shown.
type AuthCode struct {
	Hash      []byte
	App       string
	Account   int64
	Scopes    []string
	Offline   bool // a refresh token is asked for
	Method    string
	Redirect  string
	Challenge string // S256
	Expires   time.Time
}

// DeviceCode is a device that waits for a person.
type DeviceCode struct {
	Hash, UserHash []byte
	App            string
	Account        int64 // who decided, 0 while nobody has
	Scopes         []string
	Offline        bool
	Method         string
	Remote         string // where it asked from
	State          string
	Created        time.Time
	Expires        time.Time
}

// States of a DeviceCode.
const (
	DeviceWaiting = "waiting"
	DeviceAllowed = "allowed"
	DeviceDenied  = "denied"
)

const grantColumns = `g.id, g.app, app.name, g.account, account.name, g.scopes, g.method, g.way, g.remote, g.created, g.used, g.expires, g.family, g.refresh`

const grantTables = `app_grant g JOIN app ON app.client = g.app JOIN account ON account.id = g.account`

func scanGrant(row interface{ Scan(...any) error }) (g Grant, err error) {
	var scopes string
	var created, used, expires int64
	err = row.Scan(&g.ID, &g.App, &g.AppName, &g.Account, &g.Person, &scopes, &g.Method, &g.Way, &g.Remote, &created, &used, &expires, &g.Family, &g.Refresh)
	if errors.Is(err, sql.ErrNoRows) {
		return Grant{}, ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal([]byte(scopes), &g.Scopes)
	}
	if err != nil {
		return Grant{}, fmt.Errorf("read grant: %w", err)
	}
	g.Created, g.Used, g.Expires = fromMilli(created), fromMilli(used), fromMilli(expires)
	return g, nil
}

// listText is a list of words as JSON.
func listText(list []string) (string, error) {
	text, err := json.Marshal(append([]string{}, list...))
	return string(text), err
}

// Grant returns a grant that has not expired at a time, or ErrNotFound.
func (s *Store) Grant(ctx context.Context, id string, at time.Time) (Grant, error) {
	return scanGrant(s.r.QueryRowContext(ctx, `SELECT `+grantColumns+` FROM `+grantTables+` WHERE g.id = $1 AND g.expires > $2`, id, at.UnixMilli()))
}

// GrantByFamily returns the grant whose refresh tokens have a part with this
// digest, unless it has expired; else ErrNotFound.
func (s *Store) GrantByFamily(ctx context.Context, family []byte, at time.Time) (Grant, error) {
	return scanGrant(s.r.QueryRowContext(ctx, `SELECT `+grantColumns+` FROM `+grantTables+` WHERE g.family = $1 AND g.expires > $2`, nonNil(family), at.UnixMilli()))
}

// Grants lists the grants that have not expired: of an account, unless it is 0,
// and to an application, unless that is "". The last used are first.
func (s *Store) Grants(ctx context.Context, account int64, client string, at time.Time) ([]Grant, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+grantColumns+` FROM `+grantTables+`
		WHERE ($1 = 0 OR g.account = $1) AND ($2 = '' OR g.app = $2) AND g.expires > $3 ORDER BY g.used DESC, g.id LIMIT 1000`, account, client, at.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("list grants: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Grant
	for rows.Next() {
		g, err := scanGrant(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// RotateGrant replaces the changing part of a refresh token. When it is not the
// one that was shown, nothing changes and the answer is ErrReplayed; a grant that
// is not there is ErrNotFound.
func (s *Store) RotateGrant(ctx context.Context, id string, shown, fresh []byte, used, expires time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		var now []byte
		err := tx.QueryRowContext(ctx, `SELECT refresh FROM app_grant WHERE id = $1`, id).Scan(&now)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return ErrNotFound
		case err != nil:
			return fmt.Errorf("read refresh token: %w", err)
		case subtle.ConstantTimeCompare(now, shown) != 1:
			return ErrReplayed
		}
		if _, err := tx.ExecContext(ctx, `UPDATE app_grant SET refresh = $2, used = $3, expires = $4 WHERE id = $1`, id, fresh, used.UnixMilli(), expires.UnixMilli()); err != nil {
			return fmt.Errorf("replace refresh token: %w", err)
		}
		return nil
	})
}

// EndGrant ends a grant: of an account unless that is 0, to an application
// unless that is "". One that is not there is ErrNotFound.
func (s *Store) EndGrant(ctx context.Context, id string, account int64, client string) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM app_grant WHERE id = $1 AND ($2 = 0 OR account = $2) AND ($3 = '' OR app = $3)`, id, account, client))
	})
}

// endGrants ends all that an account let applications do, and what it has begun.
func endGrants(ctx context.Context, tx *sql.Tx, account int64) error {
	for _, query := range []string{`DELETE FROM app_grant WHERE account = $1`, `DELETE FROM auth_code WHERE account = $1`, `DELETE FROM device_code WHERE account = $1`} {
		if _, err := tx.ExecContext(ctx, query, account); err != nil {
			return fmt.Errorf("end grants of account %d: %w", account, err)
		}
	}
	return nil
}

// addGrant stores a grant, forgets those that have expired, and ends the least
// recently used beyond the limit of the account.
func addGrant(ctx context.Context, tx *sql.Tx, g Grant) error {
	scopes, err := listText(g.Scopes)
	if err != nil {
		return fmt.Errorf("add grant: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM app_grant WHERE expires <= $1`, g.Created.UnixMilli()); err != nil {
		return fmt.Errorf("forget grants: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO app_grant (id, app, account, scopes, method, way, remote, created, used, expires, family, refresh, code)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)`, g.ID, g.App, g.Account, scopes, g.Method, g.Way, g.Remote, g.Created.UnixMilli(), g.Used.UnixMilli(), g.Expires.UnixMilli(),
		g.Family, g.Refresh, g.Code); err != nil {
		return fmt.Errorf("add grant: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM app_grant WHERE account = $1 AND id NOT IN (SELECT id FROM app_grant WHERE account = $1 ORDER BY used DESC, id LIMIT $2)`,
		g.Account, grantsPerAccount); err != nil {
		return fmt.Errorf("bound grants: %w", err)
	}
	return nil
}

// AddAuthCode stores a code and forgets those that expired by a time.
func (s *Store) AddAuthCode(ctx context.Context, c AuthCode, at time.Time) error {
	scopes, err := listText(c.Scopes)
	if err != nil {
		return fmt.Errorf("add code: %w", err)
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM auth_code WHERE expires <= $1`, at.UnixMilli()); err != nil {
			return fmt.Errorf("forget codes: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM auth_code WHERE account = $1 AND hash NOT IN (SELECT hash FROM auth_code WHERE account = $1 ORDER BY expires DESC LIMIT 20)`, c.Account); err != nil {
			return fmt.Errorf("bound codes: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO auth_code (hash, app, account, scopes, offline, method, redirect, challenge, expires) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			c.Hash, c.App, c.Account, scopes, c.Offline, c.Method, c.Redirect, c.Challenge, c.Expires.UnixMilli()); err != nil {
			return fmt.Errorf("add code: %w", err)
		}
		return nil
	})
}

// RedeemAuthCode takes a code away and stores the grant that grant makes of it.
// When that refuses, nothing changes and its error is returned. A code that is
// unknown, used or expired is ErrNotFound.
func (s *Store) RedeemAuthCode(ctx context.Context, hash []byte, at time.Time, grant func(AuthCode) (Grant, error)) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		c := AuthCode{Hash: hash}
		var scopes string
		var expires int64
		err := tx.QueryRowContext(ctx, `DELETE FROM auth_code WHERE hash = $1 AND expires > $2 RETURNING app, account, scopes, offline, method, redirect, challenge, expires`, hash, at.UnixMilli()).
			Scan(&c.App, &c.Account, &scopes, &c.Offline, &c.Method, &c.Redirect, &c.Challenge, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err == nil {
			err = json.Unmarshal([]byte(scopes), &c.Scopes)
		}
		if err != nil {
			return fmt.Errorf("read code: %w", err)
		}
		c.Expires = fromMilli(expires)
		g, err := grant(c)
		if err != nil {
			return err
		}
		g.Code = hash
		return addGrant(ctx, tx, g)
	})
}

// DropAuthCode takes a code away that must not be shown again, and ends the
// grant that was made with it, if there is one: then ended is true.
func (s *Store) DropAuthCode(ctx context.Context, hash []byte) (ended bool, err error) {
	err = s.writeAccess(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM auth_code WHERE hash = $1`, hash); err != nil {
			return fmt.Errorf("drop code: %w", err)
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM app_grant WHERE code = $1`, hash)
		if err != nil {
			return fmt.Errorf("end grant of a code: %w", err)
		}
		n, err := res.RowsAffected()
		ended = n > 0
		return err
	})
	return ended, err
}
