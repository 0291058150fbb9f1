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

// Investigation is what is kept of an investigation beside its machine action.
type Investigation struct {
	N         int64 // its id
	Action    string
	Device    inventory.DeviceID
	Name      string // of the device then
	Requester string
	Comment   string
	Trigger   string // id of the alert that began it
	Started   time.Time
	Ended     time.Time // zero: it has not
	State     string    // "" until it has ended
	Details   string
	Canceller string
	Alerts    []string        // ids
	Asked     json.RawMessage // of one investigation alone, as Evidence
	Evidence  json.RawMessage
}

// InvestigationLine is a line of the log of an investigation.
type InvestigationLine struct {
	At   time.Time
	Text string
}

const (
	// MostInvestigations are kept; of those that ended, the oldest go first.
	MostInvestigations = 10_000
	// mostInvestigationLines are in the log of one.
	mostInvestigationLines = 500
	// mostInvestigationAlerts are of one.
	mostInvestigationAlerts = 1000
)

// addInvestigation stores what belongs to a new action that investigates.
func addInvestigation(ctx context.Context, tx *sql.Tx, a *MachineAction) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM investigation WHERE ended <> 0 AND n <= coalesce((SELECT n FROM investigation ORDER BY n DESC LIMIT 1 OFFSET $1), 0)`, MostInvestigations-1)
	if err != nil {
		return err
	}
	n := int64(0)
	err = tx.QueryRowContext(ctx, `INSERT INTO investigation (action, device, name, requester, comment, trigger, started) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING n`,
		a.ID, a.Device, a.Name, a.Requester, a.Comment, a.Trigger, a.Created.UnixMilli()).Scan(&n)
	if err != nil {
		return err
	}
	a.Investigation = n
	if err := addInvestigationAlerts(ctx, tx, n, a.Alerts); err != nil {
		return err
	}
	return addInvestigationLines(ctx, tx, n, []InvestigationLine{{At: a.Created, Text: "Started by " + a.Requester + ": " + a.Comment}})
}

func addInvestigationAlerts(ctx context.Context, tx *sql.Tx, n int64, alerts []string) error {
	for _, id := range alerts[:min(len(alerts), mostInvestigationAlerts)] {
		if _, err := tx.ExecContext(ctx, `INSERT INTO investigation_alert (investigation, alert) VALUES ($1, $2) ON CONFLICT DO NOTHING`, n, id); err != nil {
			return err
		}
	}
	return nil
}

func addInvestigationLines(ctx context.Context, tx *sql.Tx, n int64, lines []InvestigationLine) error {
	var had int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM investigation_log WHERE investigation = $1`, n).Scan(&had); err != nil {
		return err
	}
	for _, l := range lines[:max(0, min(len(lines), mostInvestigationLines-had))] {
		if _, err := tx.ExecContext(ctx, `INSERT INTO investigation_log (investigation, at, text) VALUES ($1, $2, $3)`, n, l.At.UnixMilli(), l.Text); err != nil {
			return err
		}
	}
	return nil
}

// Investigations are all of them, the newest first, with their alerts and without
// what was asked and found.
func (s *Store) Investigations(ctx context.Context) ([]*Investigation, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT n, action, device, name, requester, comment, trigger, started, ended, state, details, canceller FROM investigation ORDER BY n DESC`)
	if err != nil {
		return nil, fmt.Errorf("read investigations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*Investigation
	byN := map[int64]*Investigation{}
	for rows.Next() {
		var i Investigation
		var started, ended int64
		if err := rows.Scan(&i.N, &i.Action, &i.Device, &i.Name, &i.Requester, &i.Comment, &i.Trigger, &started, &ended, &i.State, &i.Details, &i.Canceller); err != nil {
			return nil, fmt.Errorf("read investigations: %w", err)
		}
		i.Started, i.Ended = fromMilli(started), orZero(ended)
		out, byN[i.N] = append(out, &i), &i
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read investigations: %w", err)
	}
	alerts, err := s.r.QueryContext(ctx, `SELECT investigation, alert FROM investigation_alert ORDER BY investigation, alert`)
	if err != nil {
		return nil, fmt.Errorf("read alerts of investigations: %w", err)
	}
	defer func() { _ = alerts.Close() }()
	for alerts.Next() {
		var n int64
		var id string
		if err := alerts.Scan(&n, &id); err != nil {
			return nil, fmt.Errorf("read alerts of investigations: %w", err)
		}
		if i := byN[n]; i != nil {
			i.Alerts = append(i.Alerts, id)
		}
	}
	return out, alerts.Err()
}

// InvestigationParts are what was asked and found, and the log, of an investigation.
// It is ErrNotFound if there is none.
func (s *Store) InvestigationParts(ctx context.Context, n int64) (asked, evidence json.RawMessage, log []InvestigationLine, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT asked, evidence FROM investigation WHERE n = $1`, n).Scan((*[]byte)(&asked), (*[]byte)(&evidence))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil, ErrNotFound
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read investigation %d: %w", n, err)
	}
	rows, err := s.r.QueryContext(ctx, `SELECT at, text FROM investigation_log WHERE investigation = $1 ORDER BY n`, n)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read log of investigation %d: %w", n, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l InvestigationLine
		var at int64
		if err := rows.Scan(&at, &l.Text); err != nil {
			return nil, nil, nil, fmt.Errorf("read log of investigation %d: %w", n, err)
		}
		l.At = fromMilli(at)
		log = append(log, l)
	}
	return asked, evidence, log, rows.Err()
}

// ChangeInvestigation stores an investigation as it is now, with further alerts and
// lines of its log, durably. What was asked and found stays where it is nil.
func (s *Store) ChangeInvestigation(ctx context.Context, i *Investigation, lines []InvestigationLine) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE investigation SET ended = $2, state = $3, details = $4, canceller = $5, asked = coalesce($6, asked), evidence = coalesce($7, evidence) WHERE n = $1`,
			i.N, milli(i.Ended), i.State, i.Details, i.Canceller, orNull(i.Asked), orNull(i.Evidence))
		if err != nil {
			return fmt.Errorf("change investigation %d: %w", i.N, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return errors.Join(addInvestigationAlerts(ctx, tx, i.N, i.Alerts), addInvestigationLines(ctx, tx, i.N, lines))
	})
}

func orNull(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return []byte(raw)
}
