package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// Session is one sign-in of a person, known by the digest of its secret.
type Session struct {
	Hash    []byte
	Account int64
	Created time.Time
	Used    time.Time
	Remote  string
	Agent   string // what the browser calls itself
	Method  string // how the person signed in
}

// ID names a session to its owner: the first 64 bits of the digest, in hex. It
// opens nothing.
func (n *Session) ID() string { return hex.EncodeToString(n.Hash[:8]) }

// sessionsPerAccount bounds how many sessions one person may have open; the
// least recently used go first.
const sessionsPerAccount = 50

const sessionColumns = `session.hash, session.account, session.created, session.used, session.remote, session.agent, session.method`

func (n *Session) into(created, used *int64) []any {
	return []any{&n.Hash, &n.Account, created, used, &n.Remote, &n.Agent, &n.Method}
}

// AddSession stores a session and drops those that were created before oldest
// or last used before idle, and the least recently used beyond the limit of the account.
func (s *Store) AddSession(ctx context.Context, n Session, oldest, idle time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error { return addSession(ctx, tx, n, oldest, idle) })
}

func addSession(ctx context.Context, tx *sql.Tx, n Session, oldest, idle time.Time) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE created < $1 OR used < $2`, oldest.UnixMilli(), idle.UnixMilli()); err != nil {
		return fmt.Errorf("drop old sessions: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO session (hash, account, created, used, remote, agent, method) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		n.Hash, n.Account, n.Created.UnixMilli(), n.Used.UnixMilli(), n.Remote, n.Agent, n.Method); err != nil {
		return fmt.Errorf("add session: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE account = $1 AND hash NOT IN
		(SELECT hash FROM session WHERE account = $1 ORDER BY used DESC, hash LIMIT $2)`, n.Account, sessionsPerAccount); err != nil {
		return fmt.Errorf("bound sessions: %w", err)
	}
	return nil
}

// SessionByHash returns a session and its account, or ErrNotFound.
func (s *Store) SessionByHash(ctx context.Context, hash []byte) (Session, Account, error) {
	var n Session
	var created, used int64
	a, err := scanAccount(s.r.QueryRowContext(ctx, `SELECT `+accountColumns+`, `+sessionColumns+`
		FROM session JOIN account ON account.id = session.account WHERE session.hash = $1`, hash), n.into(&created, &used)...)
	if err != nil {
		return Session{}, Account{}, err
	}
	n.Created, n.Used = fromMilli(created), fromMilli(used)
	return n, a, nil
}

// Sessions are the sessions of an account, last used first.
func (s *Store) Sessions(ctx context.Context, account int64) ([]Session, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+sessionColumns+` FROM session WHERE account = $1 ORDER BY used DESC, hash`, account)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Session
	for rows.Next() {
		var n Session
		var created, used int64
		if err := rows.Scan(n.into(&created, &used)...); err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		n.Created, n.Used = fromMilli(created), fromMilli(used)
		out = append(out, n)
	}
	return out, rows.Err()
}

// TouchSession notes that a session was used.
func (s *Store) TouchSession(ctx context.Context, hash []byte, at time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE session SET used = $2 WHERE hash = $1`, hash, at.UnixMilli()); err != nil {
			return fmt.Errorf("touch session: %w", err)
		}
		return nil
	})
}

// DeleteSession ends a session; one that does not exist is no error.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE hash = $1`, hash); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		return nil
	})
}

// EndSession ends the session of an account that has this ID, or is ErrNotFound.
func (s *Store) EndSession(ctx context.Context, account int64, id string) error {
	head, err := hex.DecodeString(id)
	if err != nil || len(head) != 8 {
		return ErrNotFound
	}
	return s.writeAccess(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM session WHERE account = $1 AND substr(hash, 1, 8) = $2`, account, head)
		if err != nil {
			return fmt.Errorf("end session: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}

// EndOtherSessions ends every session of an account but the one with the
// digest keep, and says how many. What the account lets applications do ends too.
func (s *Store) EndOtherSessions(ctx context.Context, account int64, keep []byte) (ended int64, err error) {
	err = s.writeAccess(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM session WHERE account = $1 AND hash <> $2`, account, nonNil(keep))
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		ended, err = res.RowsAffected()
		return errors.Join(err, endGrants(ctx, tx, account))
	})
	return ended, err
}

// RolesOf are the ids of the roles that an account holds by its user groups.
func (s *Store) RolesOf(ctx context.Context, account int64) ([]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT DISTINCT g.role FROM user_group_member m JOIN user_group_role g ON g.user_group = m.user_group WHERE m.account = $1 ORDER BY g.role`, account)
	if err != nil {
		return nil, fmt.Errorf("read roles of account %d: %w", account, err)
	}
	defer func() { _ = rows.Close() }()
	var out []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read roles of account %d: %w", account, err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
