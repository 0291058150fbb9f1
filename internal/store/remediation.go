package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Remediation is an activity as it is stored: what was asked for, and how it stands.
type Remediation struct {
	Seq            int64 // order of creation, set by AddRemediation
	ID             string
	Recommendation string
	Type           string
	Title          string
	Spec           []byte // JSON, the server's
	Priority       string
	Due            time.Time // zero: none
	Notes          string
	Targets        []byte // a roaring bitmap of device numbers
	Created        time.Time
	CreatedBy      string
	CreatedByID    string
	RemediationStatus
}

// RemediationStatus is how an activity stands, and since when.
type RemediationStatus struct {
	Status        string
	At            time.Time
	Method        string // of completion
	CompletedBy   string
	CompletedByID string
}

// RemediationEvent is one line of the history of an activity.
type RemediationEvent struct {
	At     time.Time
	Who    string
	What   string
	Detail string
}

// NewRemediation is an activity with the beginning of its history and what has
// to go out for it.
type NewRemediation struct {
	*Remediation
	Event RemediationEvent
	Out   []Delivery
}

// AddRemediations stores activities, all of them or none, in one transaction.
func (s *Store) AddRemediations(ctx context.Context, list []NewRemediation) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, r := range list {
			if err := addRemediation(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func addRemediation(ctx context.Context, tx *sql.Tx, r NewRemediation) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO remediation (id, recommendation, type, title, spec, priority, due, notes, targets, created, created_by, created_by_id, status, status_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ID, r.Recommendation, r.Type, r.Title, r.Spec, r.Priority, milli(r.Due), r.Notes, nonNil(r.Targets), milli(r.Created), r.CreatedBy, r.CreatedByID, r.Status, milli(r.At))
	if err != nil {
		return fmt.Errorf("store remediation: %w", err)
	}
	if r.Seq, err = res.LastInsertId(); err != nil {
		return err
	}
	return addEvent(ctx, tx, r.ID, r.Event, r.Out)
}

// addEvent appends to the history of an activity and to the outbox.
func addEvent(ctx context.Context, tx *sql.Tx, id string, ev RemediationEvent, out []Delivery) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO remediation_history (remediation, at, who, what, detail) VALUES ($1, $2, $3, $4, $5)`,
		id, milli(ev.At), ev.Who, ev.What, ev.Detail); err != nil {
		return fmt.Errorf("store history of remediation: %w", err)
	}
	for i := range out {
		d := &out[i]
		if _, err := tx.ExecContext(ctx, `INSERT INTO ticket_delivery (key, remediation, destination, event, body, state, created, next, until) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8)`,
			d.Key, id, d.Destination, d.Event, d.Body, milli(d.Created), milli(d.Next), milli(d.Until)); err != nil {
			return fmt.Errorf("store delivery: %w", err)
		}
	}
	return nil
}

// ChangeRemediation moves an activity from one status to another, with its line
// of the history and what has to go out, in one transaction. An activity that
// is not in the status from (any more) stays as it is and is ErrNotFound.
func (s *Store) ChangeRemediation(ctx context.Context, id, from string, to RemediationStatus, ev RemediationEvent, out []Delivery) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE remediation SET status = $3, status_at = $4, method = $5, completed_by = $6, completed_by_id = $7 WHERE id = $1 AND status = $2`,
			id, from, to.Status, milli(to.At), to.Method, to.CompletedBy, to.CompletedByID)
		if err != nil {
			return fmt.Errorf("change remediation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return addEvent(ctx, tx, id, ev, out)
	})
}

// EditRemediation changes priority, due date and notes, with a line of the history.
func (s *Store) EditRemediation(ctx context.Context, id, priority string, due time.Time, notes string, ev RemediationEvent) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE remediation SET priority = $2, due = $3, notes = $4 WHERE id = $1`, id, priority, milli(due), notes)
		if err != nil {
			return fmt.Errorf("edit remediation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return addEvent(ctx, tx, id, ev, nil)
	})
}

// TurnRemediation makes an activity one for another recommendation, with a line
// of the history. It is ErrNotFound when it is no longer for the one that it was
// for, or no longer in its status.
func (s *Store) TurnRemediation(ctx context.Context, was, to Remediation, ev RemediationEvent) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE remediation SET recommendation = $4, type = $5, title = $6, spec = $7 WHERE id = $1 AND recommendation = $2 AND status = $3`,
			was.ID, was.Recommendation, was.Status, to.Recommendation, to.Type, to.Title, to.Spec)
		if err != nil {
			return fmt.Errorf("turn remediation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return addEvent(ctx, tx, was.ID, ev, nil)
	})
}

// Remediations calls fn with every activity, oldest first.
func (s *Store) Remediations(ctx context.Context, fn func(Remediation) error) error {
	rows, err := s.r.QueryContext(ctx, `SELECT seq, id, recommendation, type, title, spec, priority, due, notes, targets, created, created_by, created_by_id,
		status, status_at, method, completed_by, completed_by_id FROM remediation ORDER BY seq`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r Remediation
		var due, created, at int64
		if err := rows.Scan(&r.Seq, &r.ID, &r.Recommendation, &r.Type, &r.Title, &r.Spec, &r.Priority, &due, &r.Notes, &r.Targets, &created, &r.CreatedBy, &r.CreatedByID,
			&r.Status, &at, &r.Method, &r.CompletedBy, &r.CompletedByID); err != nil {
			return err
		}
		r.Due, r.Created, r.At = maybe(due), fromMilli(created), fromMilli(at)
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// RemediationHistory returns the history of an activity, oldest first.
func (s *Store) RemediationHistory(ctx context.Context, id string) ([]RemediationEvent, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT at, who, what, detail FROM remediation_history WHERE remediation = $1 ORDER BY id`, id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []RemediationEvent
	for rows.Next() {
		var e RemediationEvent
		var at int64
		if err := rows.Scan(&at, &e.Who, &e.What, &e.Detail); err != nil {
			return nil, err
		}
		e.At = fromMilli(at)
		out = append(out, e)
	}
	return out, rows.Err()
}

// milli is a time in Unix milliseconds, 0 for none.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// maybe is the inverse of milli.
func maybe(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return fromMilli(ms)
}
