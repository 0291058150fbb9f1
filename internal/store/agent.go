package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Why a token does not enrol.
var (
	ErrTokenUnknown = errors.New("this enrolment token is not known")
	ErrTokenExpired = errors.New("this enrolment token has expired")
	ErrTokenRevoked = errors.New("this enrolment token was revoked")
	ErrTokenUsedUp  = errors.New("this enrolment token was used up")
)

// ErrTooManyClones says that one device was forked more often than allowed.
var ErrTooManyClones = errors.New("too many clones of one device")

// maxClones is how often one device may be forked.
const maxClones = 10_000

// Token is an enrolment token as it is kept: without its secret.
type Token struct {
	ID        string
	Note      string
	Uses      int
	MaxUses   int // 0: no limit
	Created   time.Time
	Expires   time.Time
	CreatedBy string
	Revoked   bool
}

// Device is a registered device: what the server knows of its agent.
type Device struct {
	Num          uint32 // dense number of the device
	ID           inventory.DeviceID
	FirstSeen    time.Time
	LastSeen     time.Time
	AgentVersion string
	AgentOS      string
	AgentArch    string
	CloneOf      inventory.DeviceID // "" unless it was forked
	Nonce        string             // last one that the agent confirmed
	NonceOffered string             // offered since, not confirmed
	NonceBranch  string             // was current when a stale one was last accepted
	Restores     int
	MachineID    string
	BootID       string
	MACs         []string
	LastSeq      uint64
	Dropped      uint64
	Queued       int
	Rejected     uint64
	LostAt       time.Time // when Dropped or Rejected grew last; zero: never
	Tags         []string  // as the agent gives them
	Source       string    // where its inventory comes from: "" its agent, SourceSBOM
	Response     []byte    // what its host says that it can do: JSON of the protocol; empty: nothing

	Removed   time.Time // zero: it is there
	RemovedBy string
}

const deviceColumns = `num, id, first_seen, last_seen, agent_version, agent_os, agent_arch, clone_of, nonce, nonce_offered,
  nonce_branch, restores, machine_id, boot_id, macs, last_seq, dropped, queued, rejected, tags, source, removed, removed_by, response, lost_at`

func scanDevice(row interface{ Scan(...any) error }) (Device, error) {
	var a Device
	var first, last, removed, lost int64
	var macs, tags string
	err := row.Scan(&a.Num, &a.ID, &first, &last, &a.AgentVersion, &a.AgentOS, &a.AgentArch, &a.CloneOf, &a.Nonce, &a.NonceOffered,
		&a.NonceBranch, &a.Restores, &a.MachineID, &a.BootID, &macs, &a.LastSeq, &a.Dropped, &a.Queued, &a.Rejected, &tags, &a.Source, &removed, &a.RemovedBy, &a.Response, &lost)
	if err == nil && tags != "[]" {
		err = json.Unmarshal([]byte(tags), &a.Tags)
	}
	if lost > 0 {
		a.LostAt = time.UnixMilli(lost).UTC()
	}
	if removed > 0 {
		a.Removed = time.UnixMilli(removed).UTC()
	}
	a.FirstSeen, a.LastSeen, a.MACs = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC(), strings.Fields(macs)
	return a, err
}

// HashToken returns what is kept of a token's secret.
func HashToken(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// CreateToken makes an enrolment token and returns its secret, which is not kept.
func (s *Store) CreateToken(ctx context.Context, note, by string, maxUses int, now, expires time.Time) (string, Token, error) {
	secret := "pkt_" + rand.Text()
	t := Token{ID: "tok_" + strings.ToLower(rand.Text()[:12]), Note: note, MaxUses: maxUses, CreatedBy: by,
		Created: now.UTC().Truncate(time.Millisecond), Expires: expires.UTC().Truncate(time.Millisecond)}
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO enroll_token (id, hash, note, max_uses, created, expires, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			t.ID, HashToken(secret), t.Note, t.MaxUses, t.Created.UnixMilli(), t.Expires.UnixMilli(), t.CreatedBy)
		return err
	})
	if err != nil {
		return "", Token{}, fmt.Errorf("create enrolment token: %w", err)
	}
	return secret, t, nil
}

// ListTokens returns all enrolment tokens, newest first.
func (s *Store) ListTokens(ctx context.Context) ([]Token, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, note, uses, max_uses, created, expires, created_by, revoked FROM enroll_token ORDER BY created DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("list enrolment tokens: %w", err)
	}
	defer rows.Close()
	out := []Token{}
	for rows.Next() {
		var t Token
		var created, expires int64
		if err := rows.Scan(&t.ID, &t.Note, &t.Uses, &t.MaxUses, &created, &expires, &t.CreatedBy, &t.Revoked); err != nil {
			return nil, fmt.Errorf("list enrolment tokens: %w", err)
		}
		t.Created, t.Expires = time.UnixMilli(created).UTC(), time.UnixMilli(expires).UTC()
		out = append(out, t)
	}
	return out, rows.Err()
}

// RevokeToken ends a token; ErrNotFound if there is none with this id.
func (s *Store) RevokeToken(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE enroll_token SET revoked = 1 WHERE id = $1`, id))
	})
}

// UseToken counts one use of the token with this secret and returns its id, in
// one step: of two enrolments that race for the last use one gets an ErrToken… error.
func (s *Store) UseToken(ctx context.Context, secret string, now time.Time) (id string, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		id, err = useToken(ctx, tx, secret, now)
		return err
	})
	return id, err
}

func useToken(ctx context.Context, tx *sql.Tx, secret string, now time.Time) (string, error) {
	var t Token
	var expires int64
	err := tx.QueryRowContext(ctx, `SELECT id, uses, max_uses, expires, revoked FROM enroll_token WHERE hash = $1`, HashToken(secret)).
		Scan(&t.ID, &t.Uses, &t.MaxUses, &expires, &t.Revoked)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", ErrTokenUnknown
	case err != nil:
		return "", fmt.Errorf("use enrolment token: %w", err)
	case t.Revoked:
		return "", ErrTokenRevoked
	case now.UnixMilli() >= expires:
		return "", ErrTokenExpired
	case t.MaxUses > 0 && t.Uses >= t.MaxUses:
		return "", ErrTokenUsedUp
	}
	if err := one(tx.ExecContext(ctx, `UPDATE enroll_token SET uses = uses + 1 WHERE id = $1`, t.ID)); err != nil {
		return "", fmt.Errorf("use enrolment token: %w", err)
	}
	return t.ID, nil
}

// Registration is a key that asks to be a device.
type Registration struct {
	ID      inventory.DeviceID
	KeyHash string             // SHA-256 of the public key, hexadecimal
	Secret  string             // of an enrolment token; not looked at when the key is known or CloneOf is set
	CloneOf inventory.DeviceID // the device that it is a fork of; proof is the caller's business
	Serial  string             // of the certificate that is about to be issued
	Now     time.Time
	Expires time.Time // of that certificate
}

// Register makes a device of a key, or finds the one that it is, and records
// the certificate; all of it or nothing. known says that the device was there:
// it keeps its history, and no use of a token was counted.
func (s *Store) Register(ctx context.Context, r Registration) (a Device, known bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		var hash, clone string
		err := tx.QueryRowContext(ctx, `SELECT key_hash, clone_of FROM device WHERE id = $1`, r.ID).Scan(&hash, &clone)
		token := ""
		switch {
		case err == nil && hash != r.KeyHash:
			return fmt.Errorf("register device %s: another key has this id", r.ID)
		case err == nil && r.CloneOf != "" && clone != string(r.CloneOf):
			return fmt.Errorf("register device %s: it is no fork of %s", r.ID, r.CloneOf)
		case err == nil:
			known = true
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("register device %s: %w", r.ID, err)
		case r.CloneOf != "":
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM device WHERE clone_of = $1 AND clone_of <> ''`, r.CloneOf).Scan(&n); err != nil {
				return fmt.Errorf("register device %s: %w", r.ID, err)
			}
			if n >= maxClones {
				return ErrTooManyClones
			}
		default:
			if token, err = useToken(ctx, tx, r.Secret, r.Now); err != nil {
				return err
			}
		}
		ms := r.Now.UnixMilli()
		if !known {
			_, err := tx.ExecContext(ctx, `INSERT INTO device (id, key_hash, first_seen, last_seen, clone_of) VALUES ($1, $2, $3, $3, $4)`, r.ID, r.KeyHash, ms, string(r.CloneOf))
			if err != nil {
				return fmt.Errorf("register device %s: %w", r.ID, err)
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO agent_cert (serial, device, token, issued, expires) VALUES ($1, $2, $3, $4, $5)`, r.Serial, r.ID, token, ms, r.Expires.UnixMilli())
		if err != nil {
			return fmt.Errorf("register device %s: %w", r.ID, err)
		}
		a, err = scanDevice(tx.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM device WHERE id = $1`, r.ID))
		return err
	})
	return a, known, err
}

// Device returns a registered device; ErrNotFound if there is none.
func (s *Store) Device(ctx context.Context, id inventory.DeviceID) (Device, error) {
	a, err := scanDevice(s.r.QueryRowContext(ctx, `SELECT `+deviceColumns+` FROM device WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Device{}, ErrNotFound
	}
	if err != nil {
		return Device{}, fmt.Errorf("read device %s: %w", id, err)
	}
	return a, nil
}

// Devices returns all registered devices, removed ones too, by rising number: for start-up, not for requests.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+deviceColumns+` FROM device ORDER BY num`)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	defer rows.Close()
	out := []Device{}
	for rows.Next() {
		a, err := scanDevice(rows)
		if err != nil {
			return nil, fmt.Errorf("list devices: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Clones returns the devices that were forked from one, oldest first.
func (s *Store) Clones(ctx context.Context, id inventory.DeviceID) ([]inventory.DeviceID, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id FROM device WHERE clone_of = $1 AND clone_of <> '' ORDER BY num`, id)
	if err != nil {
		return nil, fmt.Errorf("list clones of %s: %w", id, err)
	}
	defer rows.Close()
	out := []inventory.DeviceID{}
	for rows.Next() {
		var c inventory.DeviceID
		if err := rows.Scan(&c); err != nil {
			return nil, fmt.Errorf("list clones of %s: %w", id, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// HasCert reports whether a certificate was issued to this device and not withdrawn since.
func (s *Store) HasCert(ctx context.Context, id inventory.DeviceID, serial string) (bool, error) {
	var n int
	err := s.r.QueryRowContext(ctx, `SELECT count(*) FROM agent_cert WHERE serial = $1 AND device = $2`, serial, id).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up certificate of %s: %w", id, err)
	}
	return n > 0, nil
}

// DropExpiredCerts forgets certificates that expired before t.
func (s *Store) DropExpiredCerts(ctx context.Context, t time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM agent_cert WHERE expires < $1`, t.UnixMilli())
		return err
	})
}

// AgentConnected records an accepted session: the agent's words of itself, the
// nonce that it is offered, and the evidence. stale says that the nonce which
// it showed was an old one.
func (s *Store) AgentConnected(ctx context.Context, a Device, stale bool) error {
	tags, err := json.Marshal(append([]string{}, a.Tags...))
	if err != nil {
		return fmt.Errorf("encode tags of %s: %w", a.ID, err)
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE device SET
  nonce_branch = CASE WHEN $1 AND nonce <> '' THEN nonce ELSE nonce_branch END,
  restores = restores + CASE WHEN $1 THEN 1 ELSE 0 END,
  nonce = $2, nonce_offered = $3, last_seen = max(last_seen, $4), agent_version = $5, agent_os = $6, agent_arch = $7,
  machine_id = $8, boot_id = $9, macs = $10, lost_at = CASE WHEN $11 > dropped THEN $4 ELSE lost_at END, dropped = $11, queued = $12, tags = $13, response = $14 WHERE id = $15`,
			stale, a.Nonce, a.NonceOffered, a.LastSeen.UnixMilli(), a.AgentVersion, a.AgentOS, a.AgentArch,
			a.MachineID, a.BootID, strings.Join(a.MACs, " "), int64(a.Dropped), a.Queued, string(tags), append([]byte{}, a.Response...), a.ID)
		return err
	})
}

// AgentKept records that the agent has an offered nonce on its disk.
func (s *Store) AgentKept(ctx context.Context, id inventory.DeviceID, nonce string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE device SET nonce = $1, nonce_offered = '' WHERE id = $2 AND nonce_offered = $1`, nonce, id)
		return err
	})
}

// Sign is a sign of life of one agent.
type Sign struct {
	At       time.Time
	Dropped  uint64
	Queued   int
	Rejected uint64 // since the last Sign
}

// AgentsAlive records signs of life of many agents in one transaction.
func (s *Store) AgentsAlive(ctx context.Context, signs map[inventory.DeviceID]Sign) error {
	if len(signs) == 0 {
		return nil
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		st, err := tx.PrepareContext(ctx, `UPDATE device SET last_seen = max(last_seen, $1),
  lost_at = CASE WHEN $2 > dropped OR $4 > 0 THEN $1 ELSE lost_at END, dropped = max(dropped, $2), queued = $3, rejected = rejected + $4 WHERE id = $5`)
		if err != nil {
			return err
		}
		defer st.Close()
		for id, v := range signs {
			if _, err := st.ExecContext(ctx, v.At.UnixMilli(), int64(v.Dropped), v.Queued, int64(v.Rejected), id); err != nil {
				return fmt.Errorf("record life of %s: %w", id, err)
			}
		}
		return nil
	})
}

// one turns "no row was changed" into ErrNotFound.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}
