package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// The statuses of a machine action, as the Defender API spells them. The first
// two are active: a device has at most one active action of a kind.
const (
	ActionPending   = "Pending"
	ActionRunning   = "InProgress"
	ActionSucceeded = "Succeeded"
	ActionFailed    = "Failed"
	ActionTimeOut   = "TimeOut"
	ActionCancelled = "Cancelled"
)

// MachineAction is what was asked to be done on one device, and what became of it.
type MachineAction struct {
	N         int64 // order of creation, set by AddMachineActions
	ID        string
	Kind      string
	Scope     string
	Device    inventory.DeviceID
	Name      string // of the device then
	Requester string
	User      int64  // account of the person who asked, also by a token
	App       string // client id of the program that asked
	Comment   string
	External  string
	Status    string
	Approval  int64 // 0: none was needed
	Waits     bool  // for that approval
	Until     time.Time
	Created   time.Time
	Updated   time.Time
	Expires   time.Time
	Sent      time.Time
	Started   time.Time
	Ended     time.Time
	Error     string
	Result    json.RawMessage

	Canceller  string
	CancelNote string
	Cancelled  time.Time

	Package     int64 // bytes; 0: there is none, or none any more
	PackageHash string
	PackageGone string

	// Of a new action that investigates: the alert that it is started from, and those
	// of the device. They are stored with its investigation.
	Trigger       string
	Alerts        []string
	Investigation int64  // its number, set by AddMachineActions
	Ask           []byte // what the message to the agent says, when it is sent; never stored here
}

// investigates is the kind of actions that have an Investigation.
const investigates = "investigate"

// Active reports whether an action has not ended.
func (a *MachineAction) Active() bool { return a.Status == ActionPending || a.Status == ActionRunning }

// mostMachineActions bounds how many actions are kept; of those that ended and
// have no package, the oldest go first.
const mostMachineActions = 50_000

const machineActionColumns = `n, id, kind, scope, device, name, requester, user, app, comment, external, status, approval, waits, until, created, updated, expires,
  sent, started, ended, error, result, canceller, cancel_note, cancelled, package, package_hash, package_gone`

func scanMachineAction(row interface{ Scan(...any) error }) (a MachineAction, err error) {
	var until, created, updated, expires, sent, started, ended, cancelled int64
	err = row.Scan(&a.N, &a.ID, &a.Kind, &a.Scope, &a.Device, &a.Name, &a.Requester, &a.User, &a.App, &a.Comment, &a.External, &a.Status, &a.Approval, &a.Waits, &until,
		&created, &updated, &expires, &sent, &started, &ended, &a.Error, (*[]byte)(&a.Result), &a.Canceller, &a.CancelNote, &cancelled, &a.Package, &a.PackageHash, &a.PackageGone)
	if errors.Is(err, sql.ErrNoRows) {
		return a, ErrNotFound
	}
	a.Until, a.Created, a.Updated, a.Expires = orZero(until), fromMilli(created), fromMilli(updated), fromMilli(expires)
	a.Sent, a.Started, a.Ended, a.Cancelled = orZero(sent), orZero(started), orZero(ended), orZero(cancelled)
	return a, err
}

// AddMachineActions stores pending actions, durably, and returns those that are
// stored: a device that has an active one of the kind gets no other. approval,
// when not nil, is stored with them and what they wait for; its errors are those
// of AddApproval, and then nothing is stored. It is not stored without an action.
func (s *Store) AddMachineActions(ctx context.Context, list []MachineAction, approval *Approval, most int) (added []MachineAction, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		added = nil
		if err := pruneMachineActions(ctx, tx); err != nil {
			return err
		}
		for _, a := range list {
			err := tx.QueryRowContext(ctx, `INSERT INTO machine_action (id, kind, scope, device, name, requester, user, app, comment, external, status, approval, waits, until, created, updated, expires)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'Pending', 0, $11, $12, $13, $13, $14) ON CONFLICT DO NOTHING RETURNING n`,
				a.ID, a.Kind, a.Scope, a.Device, a.Name, a.Requester, a.User, a.App, a.Comment, a.External, approval != nil, milli(a.Until), a.Created.UnixMilli(), a.Expires.UnixMilli()).Scan(&a.N)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if a.Kind == investigates {
				if err := addInvestigation(ctx, tx, &a); err != nil {
					return err
				}
			}
			a.Status, a.Waits, a.Updated = ActionPending, approval != nil, a.Created
			added = append(added, a)
		}
		if approval == nil || len(added) == 0 {
			return nil
		}
		approval.Devices = approval.Devices[:0]
		for _, a := range added {
			approval.Devices = append(approval.Devices, ApprovalDevice{ID: a.Device, Name: a.Name})
		}
		if approval.ID, err = addApproval(ctx, tx, *approval, most); err != nil {
			return err
		}
		for i := range added {
			added[i].Approval = approval.ID
			if _, err := tx.ExecContext(ctx, `UPDATE machine_action SET approval = $2 WHERE n = $1`, added[i].N, approval.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store actions: %w", err)
	}
	return added, nil
}

func pruneMachineActions(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM machine_action WHERE n <= coalesce((SELECT n FROM machine_action ORDER BY n DESC LIMIT 1 OFFSET $1), 0)
		AND status NOT IN ('Pending', 'InProgress') AND package = 0`, mostMachineActions-1)
	return err
}

// ActionFilter narrows what MachineActions reads; empty fields do not.
type ActionFilter struct {
	Device   inventory.DeviceID
	Approval int64
	Active   bool // pending and in progress alone
	Packages bool // with a package on disk alone
}

// MachineActions yields actions, the newest first, until fn returns false.
func (s *Store) MachineActions(ctx context.Context, f ActionFilter, fn func(*MachineAction) bool) error {
	where, args := []string{"true"}, []any{}
	if f.Device != "" {
		args = append(args, f.Device)
		where = append(where, fmt.Sprintf("device = $%d", len(args)))
	}
	if f.Approval != 0 {
		args = append(args, f.Approval)
		where = append(where, fmt.Sprintf("approval = $%d AND approval <> 0", len(args)))
	}
	if f.Active {
		where = append(where, "status IN ('Pending', 'InProgress')")
	}
	if f.Packages {
		where = append(where, "package > 0")
	}
	rows, err := s.r.QueryContext(ctx, `SELECT `+machineActionColumns+` FROM machine_action WHERE `+strings.Join(where, " AND ")+` ORDER BY n DESC`, args...)
	if err != nil {
		return fmt.Errorf("read actions: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		a, err := scanMachineAction(rows)
		if err != nil {
			return fmt.Errorf("read actions: %w", err)
		}
		if !fn(&a) {
			return nil
		}
	}
	return rows.Err()
}

// MachineAction returns one action, or ErrNotFound.
func (s *Store) MachineAction(ctx context.Context, id string) (MachineAction, error) {
	return scanMachineAction(s.r.QueryRowContext(ctx, `SELECT `+machineActionColumns+` FROM machine_action WHERE id = $1`, id))
}

// ChangeMachineAction reads an action, lets fn change it and stores it, durably
// and in one transaction. fn returning false leaves it as it is. It returns the
// action as it is then; ErrNotFound if there is none.
func (s *Store) ChangeMachineAction(ctx context.Context, id string, fn func(*MachineAction) bool) (a MachineAction, changed bool, err error) {
	err = s.write(ctx, func(tx *sql.Tx) error {
		if a, err = scanMachineAction(tx.QueryRowContext(ctx, `SELECT `+machineActionColumns+` FROM machine_action WHERE id = $1`, id)); err != nil {
			return err
		}
		if changed = fn(&a); !changed {
			return errUnchanged
		}
		if a.Result == nil {
			a.Result = json.RawMessage("null")
		}
		_, err = tx.ExecContext(ctx, `UPDATE machine_action SET status = $2, waits = $3, updated = $4, sent = $5, started = $6, ended = $7, error = $8, result = $9, canceller = $10, cancel_note = $11,
			cancelled = $12, package = $13, package_hash = $14, package_gone = $15 WHERE n = $1`, a.N, a.Status, a.Waits, a.Updated.UnixMilli(), milli(a.Sent), milli(a.Started), milli(a.Ended),
			a.Error, []byte(a.Result), a.Canceller, a.CancelNote, milli(a.Cancelled), a.Package, a.PackageHash, a.PackageGone)
		return err
	})
	if errors.Is(err, errUnchanged) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("change action %s: %w", id, err)
	}
	return a, true, nil
}

// errUnchanged takes a transaction back that has nothing to store.
var errUnchanged = errors.New("unchanged")

// settleActions carries the state of an approval over to the actions that wait
// for it: what will never be approved is cancelled, in the same transaction.
func settleActions(ctx context.Context, tx *sql.Tx, approval int64, state, why string, at time.Time) error {
	switch state {
	case ApprovalRefused, ApprovalWithdrawn, ApprovalExpired, ApprovalCancelled, ApprovalFailed:
	default:
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE machine_action SET status = 'Cancelled', waits = 0, updated = $2, ended = $2, error = $3 WHERE approval = $1 AND approval <> 0 AND waits = 1
		AND status = 'Pending'`, approval, at.UnixMilli(), why)
	if err != nil {
		return fmt.Errorf("cancel what waited for approval %d: %w", approval, err)
	}
	return nil
}

// lockActions takes back what agents were not sent: on a lockdown, nothing that
// waits is carried out. What agents may have is marked to be taken back.
func lockActions(ctx context.Context, tx *sql.Tx, at time.Time, by, why string) (cancelled int64, err error) {
	res, err := tx.ExecContext(ctx, `UPDATE machine_action SET status = 'Cancelled', waits = 0, updated = $1, ended = $1, error = $2 WHERE status = 'Pending' AND sent = 0`, at.UnixMilli(), why)
	if err != nil {
		return 0, err
	}
	if cancelled, err = res.RowsAffected(); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE machine_action SET cancelled = $1, canceller = $2, cancel_note = $3, updated = $1 WHERE status = 'Pending' AND sent <> 0 AND cancelled = 0`, at.UnixMilli(), by, why)
	return cancelled, err
}

// SetResponse records what the host of a device says that it can do.
func (s *Store) SetResponse(ctx context.Context, id inventory.DeviceID, response []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE device SET response = $2 WHERE id = $1`, id, response)
		return err
	})
}
