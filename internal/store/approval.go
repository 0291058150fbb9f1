package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// The states of an approval. The first two and ApprovalRunning are open.
const (
	ApprovalPending   = "pending"   // nobody has decided
	ApprovalApproved  = "approved"  // and not carried out yet
	ApprovalRunning   = "running"   // being carried out
	ApprovalDone      = "done"      // carried out
	ApprovalFailed    = "failed"    // approved, and could not be carried out
	ApprovalRefused   = "refused"   // by whoever decided
	ApprovalWithdrawn = "withdrawn" // by whoever asked
	ApprovalExpired   = "expired"   // nobody decided in time
	ApprovalCancelled = "cancelled" // by a lockdown
)

// ApprovalPolicyKind is the kind of an approval that changes the rules of
// approval, ApprovalLeaveKind of one that takes devices out of their reach; every
// other kind is an action on devices.
const (
	ApprovalPolicyKind = "approval-policy"
	ApprovalLeaveKind  = "leave-approval"
)

// ApprovalDevice is a device that an action was asked for on, as it was called then.
type ApprovalDevice struct {
	ID   inventory.DeviceID `json:"id"`
	Name string             `json:"name"`
}

// Approval is what somebody asked for that somebody else has to approve.
type Approval struct {
	ID        int64
	Kind      string
	Args      json.RawMessage
	Devices   []ApprovalDevice
	Comment   string
	State     string
	Requester string // name
	User      int64  // account of the person who asked, also by a token
	App       string // client id of the program that asked
	Created   time.Time
	Expires   time.Time
	Decider   string // name of the person who decided
	Decided   time.Time
	Note      string // of whoever decided
	Ended     time.Time
	Result    string                        // in a sentence
	Results   map[inventory.DeviceID]string // by device; "" is success
}

// mostApprovals bounds how many approvals are kept; the oldest that ended go first.
const mostApprovals = 10_000

const approvalColumns = `id, kind, args, devices, comment, state, requester, user, app, created, expires, decider, decided, note, ended, result, results`

func scanApproval(row interface{ Scan(...any) error }) (a Approval, err error) {
	var devices, results []byte
	var created, expires, decided, ended int64
	err = row.Scan(&a.ID, &a.Kind, (*[]byte)(&a.Args), &devices, &a.Comment, &a.State, &a.Requester, &a.User, &a.App, &created, &expires, &a.Decider, &decided, &a.Note, &ended, &a.Result, &results)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	if err == nil {
		err = errors.Join(json.Unmarshal(devices, &a.Devices), json.Unmarshal(results, &a.Results))
	}
	a.Created, a.Expires, a.Decided, a.Ended = fromMilli(created), fromMilli(expires), orZero(decided), orZero(ended)
	return a, err
}

// AddApproval stores a pending approval, durably, and returns its number. The
// same kind on a device that waits already is ErrTaken; more than most open
// ones of the same requester are ErrFull.
func (s *Store) AddApproval(ctx context.Context, a Approval, most int) (id int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		id, err = addApproval(ctx, tx, a, most)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store request of %q: %w", a.Kind, err)
	}
	return id, nil
}

func addApproval(ctx context.Context, tx *sql.Tx, a Approval, most int) (id int64, err error) {
	devices, err := json.Marshal(a.Devices)
	if err != nil {
		return 0, fmt.Errorf("encode devices: %w", err)
	}
	var same, open int
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM approval, json_each(approval.devices) d WHERE state IN ('pending', 'approved', 'running') AND kind = $1
			AND json_extract(d.value, '$.id') IN (SELECT json_extract(value, '$.id') FROM json_each($2))),
		(SELECT count(*) FROM approval WHERE state = 'pending' AND user = $3 AND app = $4)`, a.Kind, string(devices), a.User, a.App).Scan(&same, &open)
	switch {
	case err != nil:
		return 0, err
	case same > 0:
		return 0, ErrTaken
	case open >= most:
		return 0, ErrFull
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM approval WHERE id IN (SELECT id FROM approval WHERE state NOT IN ('pending', 'approved', 'running')
		ORDER BY id DESC LIMIT -1 OFFSET $1)`, mostApprovals); err != nil {
		return 0, err
	}
	err = tx.QueryRowContext(ctx, `INSERT INTO approval (kind, args, devices, comment, state, requester, user, app, created, expires)
		VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9) RETURNING id`, a.Kind, []byte(a.Args), devices, a.Comment, a.Requester, a.User, a.App,
		a.Created.UnixMilli(), a.Expires.UnixMilli()).Scan(&id)
	return id, err
}

// Approvals returns the approvals in some states, all of them when none is
// named, the newest first.
func (s *Store) Approvals(ctx context.Context, states ...string) ([]Approval, error) {
	raw, err := json.Marshal(states)
	if err != nil {
		return nil, fmt.Errorf("encode states: %w", err)
	}
	rows, err := s.r.QueryContext(ctx, `SELECT `+approvalColumns+` FROM approval WHERE $1 OR state IN (SELECT value FROM json_each($2)) ORDER BY id DESC`, len(states) == 0, string(raw))
	if err != nil {
		return nil, fmt.Errorf("read approvals: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Approval
	for rows.Next() {
		a, err := scanApproval(rows)
		if err != nil {
			return nil, fmt.Errorf("read approvals: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Approval returns one approval, or ErrNotFound.
func (s *Store) Approval(ctx context.Context, id int64) (Approval, error) {
	return scanApproval(s.r.QueryRowContext(ctx, `SELECT `+approvalColumns+` FROM approval WHERE id = $1`, id))
}

// MoveApproval stores the state of an approval with what goes with it, durably,
// if it is in state from at this moment; else it is ErrNotFound and nothing changes.
func (s *Store) MoveApproval(ctx context.Context, from string, a Approval) error {
	return s.write(ctx, func(tx *sql.Tx) error { return moveApproval(ctx, tx, from, a) })
}

func moveApproval(ctx context.Context, tx *sql.Tx, from string, a Approval) error {
	if a.Results == nil {
		a.Results = map[inventory.DeviceID]string{}
	}
	results, err := json.Marshal(a.Results)
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	res, err := tx.ExecContext(ctx, `UPDATE approval SET state = $3, decider = $4, decided = $5, note = $6, ended = $7, result = $8, results = $9 WHERE id = $1 AND state = $2`,
		a.ID, from, a.State, a.Decider, milli(a.Decided), a.Note, milli(a.Ended), a.Result, results)
	if err := changed(res, err); err != nil {
		return fmt.Errorf("approval %d in state %s: %w", a.ID, from, err)
	}
	return settleActions(ctx, tx, a.ID, a.State, whyUnapproved(&a), a.Ended)
}

// whyUnapproved says in a sentence why what waited for an approval is not done.
func whyUnapproved(a *Approval) string {
	switch a.State {
	case ApprovalRefused:
		if a.Note != "" {
			return a.Decider + " refused it: " + a.Note
		}
		return a.Decider + " refused it."
	case ApprovalWithdrawn:
		return "The request for approval was withdrawn."
	}
	return a.Result
}

// MoveApprovalWith does what MoveApproval does and writes a named setting in the same transaction.
func (s *Store) MoveApprovalWith(ctx context.Context, from string, a Approval, setting string, value []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := moveApproval(ctx, tx, from, a); err != nil {
			return err
		}
		return putSetting(ctx, tx, setting, value)
	})
}

// Lockdown writes the setting that says so and cancels every action that is
// not carried out yet, in one transaction. What an agent may have already is to be
// taken back in the name of by. It returns how many requests and actions it cancelled.
func (s *Store) Lockdown(ctx context.Context, setting string, value []byte, at time.Time, by, why string) (cancelled int64, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := putSetting(ctx, tx, setting, value); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE approval SET state = 'cancelled', ended = $1, result = $2 WHERE state IN ('pending', 'approved') AND kind <> $3`,
			at.UnixMilli(), why, ApprovalPolicyKind)
		if err != nil {
			return err
		}
		if cancelled, err = res.RowsAffected(); err != nil {
			return err
		}
		actions, err := lockActions(ctx, tx, at, by, why)
		cancelled += actions
		return err
	})
	return cancelled, err
}

// ExpireApprovals ends what nobody decided in time, durably, and returns it.
func (s *Store) ExpireApprovals(ctx context.Context, at time.Time) (out []Approval, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE approval SET state = 'expired', ended = expires, result = 'Nobody decided in time.'
			WHERE state = 'pending' AND expires <= $1 RETURNING `+approvalColumns, at.UnixMilli())
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			a, err := scanApproval(rows)
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for i := range out {
			if err := settleActions(ctx, tx, out[i].ID, out[i].State, whyUnapproved(&out[i]), out[i].Ended); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("expire approvals: %w", err)
	}
	return out, nil
}
