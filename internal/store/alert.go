package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Alert is an alert as it is stored, without its evidence and notes.
type Alert struct {
	Seq            int64 // order of creation, set by AddAlert
	ID             string
	Device         uint32 // number
	Title          string
	Description    string
	Recommended    string
	Category       string
	Severity       string
	Status         string
	Classification string
	Determination  string
	Assigned       string
	Techniques     []string
	Source         string
	Maker          string
	UserName       string
	UserDomain     string
	Created        time.Time
	FirstEvent     time.Time
	LastEvent      time.Time
	Updated        time.Time
	Resolved       time.Time // zero: it is not
	Dropped        int       // events beyond what an alert keeps
	Events         []string  // ids of events in the device's timeline, in no order
}

// AlertEvidence is a thing that an alert's events tell of.
type AlertEvidence struct {
	Key      string // tells it from other evidence of the alert
	Body     []byte // JSON, the server's
	Entities []AlertEntity
}

// AlertEntity is what alerts are found by: kind is file, ip, domain or user.
type AlertEntity struct {
	Kind  string
	Value string // lower case
}

// The kinds of notes.
const (
	AlertComment = "comment"
	AlertChange  = "change"
)

// AlertNote is a comment on an alert, or a line of its history.
type AlertNote struct {
	At   time.Time
	By   string
	Kind string
	Text string
}

// AlertEdit is an alert as it is to be, with what is to be noted and added.
type AlertEdit struct {
	Alert    *Alert
	Notes    []AlertNote
	Evidence []AlertEvidence
	Events   []string // further ones
}

// AlertParts are the evidence and the notes of an alert, oldest first.
type AlertParts struct {
	Evidence [][]byte
	Notes    []AlertNote
}

func nano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// AddAlert stores a new alert with its evidence and sets its Seq.
func (s *Store) AddAlert(ctx context.Context, e AlertEdit) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		a := e.Alert
		res, err := tx.ExecContext(ctx, `INSERT INTO alert (id, device, title, description, recommended, category, severity, status, classification, determination, assigned,
			techniques, source, maker, user_name, user_domain, created, first_event, last_event, updated, resolved, dropped)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`,
			a.ID, a.Device, a.Title, a.Description, a.Recommended, a.Category, a.Severity, a.Status, a.Classification, a.Determination, a.Assigned,
			strings.Join(a.Techniques, " "), a.Source, a.Maker, a.UserName, a.UserDomain, nano(a.Created), nano(a.FirstEvent), nano(a.LastEvent), nano(a.Updated), nano(a.Resolved), a.Dropped)
		if err != nil {
			return fmt.Errorf("store alert: %w", err)
		}
		if a.Seq, err = res.LastInsertId(); err != nil {
			return err
		}
		return addAlertParts(ctx, tx, e)
	})
}

// ChangeAlerts stores alerts as they are now, with what is added to them: all
// of them or none. One that is not there any more is ErrNotFound.
func (s *Store) ChangeAlerts(ctx context.Context, list []AlertEdit) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, e := range list {
			a := e.Alert
			res, err := tx.ExecContext(ctx, `UPDATE alert SET description = $2, recommended = $3, severity = $4, status = $5, classification = $6, determination = $7, assigned = $8,
				techniques = $9, user_name = $10, user_domain = $11, first_event = $12, last_event = $13, updated = $14, resolved = $15, dropped = $16 WHERE seq = $1`,
				a.Seq, a.Description, a.Recommended, a.Severity, a.Status, a.Classification, a.Determination, a.Assigned, strings.Join(a.Techniques, " "),
				a.UserName, a.UserDomain, nano(a.FirstEvent), nano(a.LastEvent), nano(a.Updated), nano(a.Resolved), a.Dropped)
			if err != nil {
				return fmt.Errorf("change alert: %w", err)
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, ErrNotFound)
			}
			if err := addAlertParts(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func addAlertParts(ctx context.Context, tx *sql.Tx, e AlertEdit) error {
	seq := e.Alert.Seq
	run := func(query string, args ...any) error {
		if _, err := tx.ExecContext(ctx, query, append([]any{seq}, args...)...); err != nil {
			return fmt.Errorf("store what belongs to an alert: %w", err)
		}
		return nil
	}
	for _, id := range e.Events {
		if err := run(`INSERT INTO alert_event (alert, event) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id); err != nil {
			return err
		}
	}
	for _, v := range e.Evidence {
		if err := run(`INSERT INTO alert_evidence (alert, key, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, v.Key, v.Body); err != nil {
			return err
		}
		for _, x := range v.Entities {
			if err := run(`INSERT INTO alert_entity (alert, kind, value) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, x.Kind, x.Value); err != nil {
				return err
			}
		}
	}
	for _, n := range e.Notes {
		if err := run(`INSERT INTO alert_note (alert, at, by, kind, text) VALUES ($1, $2, $3, $4, $5)`, nano(n.At), n.By, n.Kind, n.Text); err != nil {
			return err
		}
	}
	return nil
}

// Alerts reads every alert with its events, in the order of creation.
func (s *Store) Alerts(ctx context.Context) ([]*Alert, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT seq, id, device, title, description, recommended, category, severity, status, classification, determination, assigned,
		techniques, source, maker, user_name, user_domain, created, first_event, last_event, updated, resolved, dropped FROM alert ORDER BY seq`)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var out []*Alert
	bySeq := map[int64]*Alert{}
	for rows.Next() {
		var a Alert
		var techniques string
		var created, first, last, updated, resolved int64
		if err := rows.Scan(&a.Seq, &a.ID, &a.Device, &a.Title, &a.Description, &a.Recommended, &a.Category, &a.Severity, &a.Status, &a.Classification, &a.Determination, &a.Assigned,
			&techniques, &a.Source, &a.Maker, &a.UserName, &a.UserDomain, &created, &first, &last, &updated, &resolved, &a.Dropped); err != nil {
			return nil, fmt.Errorf("read alerts: %w", err)
		}
		a.Techniques = strings.Fields(techniques)
		a.Created, a.FirstEvent, a.LastEvent, a.Updated, a.Resolved = fromNano(created), fromNano(first), fromNano(last), fromNano(updated), fromNano(resolved)
		bySeq[a.Seq] = &a
		out = append(out, &a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return out, s.alertEvents(ctx, bySeq)
}

func (s *Store) alertEvents(ctx context.Context, bySeq map[int64]*Alert) error {
	rows, err := s.r.QueryContext(ctx, `SELECT alert, event FROM alert_event`)
	if err != nil {
		return fmt.Errorf("read events of alerts: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var seq int64
		var event string
		if err := rows.Scan(&seq, &event); err != nil {
			return fmt.Errorf("read events of alerts: %w", err)
		}
		if a := bySeq[seq]; a != nil {
			a.Events = append(a.Events, event)
		}
	}
	return rows.Err()
}

// alertsAtOnce is how many alerts one statement asks for.
const alertsAtOnce = 500

// AlertParts reads the notes of alerts and, when it is asked for, their evidence.
func (s *Store) AlertParts(ctx context.Context, seqs []int64, evidence bool) (map[int64]*AlertParts, error) {
	out := make(map[int64]*AlertParts, len(seqs))
	for _, seq := range seqs {
		out[seq] = &AlertParts{}
	}
	for len(seqs) > 0 {
		some := seqs[:min(len(seqs), alertsAtOnce)]
		seqs = seqs[len(some):]
		in, args := placesOf(some)
		if err := s.eachRow(ctx, `SELECT alert, at, by, kind, text FROM alert_note WHERE alert IN (`+in+`) ORDER BY n`, args, func(r *sql.Rows) error {
			var seq, at int64
			var n AlertNote
			if err := r.Scan(&seq, &at, &n.By, &n.Kind, &n.Text); err != nil {
				return err
			}
			n.At = fromNano(at)
			out[seq].Notes = append(out[seq].Notes, n)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read notes of alerts: %w", err)
		}
		if !evidence {
			continue
		}
		if err := s.eachRow(ctx, `SELECT alert, body FROM alert_evidence WHERE alert IN (`+in+`) ORDER BY n`, args, func(r *sql.Rows) error {
			var seq int64
			var body []byte
			if err := r.Scan(&seq, &body); err != nil {
				return err
			}
			out[seq].Evidence = append(out[seq].Evidence, body)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("read evidence of alerts: %w", err)
		}
	}
	return out, nil
}

func placesOf(seqs []int64) (in string, args []any) {
	var b strings.Builder
	for i, seq := range seqs {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", i+1)
		args = append(args, seq)
	}
	return b.String(), args
}

func (s *Store) eachRow(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	rows, err := s.r.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// AlertsOf returns the alerts whose evidence names an entity, by Seq.
func (s *Store) AlertsOf(ctx context.Context, e AlertEntity) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := s.eachRow(ctx, `SELECT alert FROM alert_entity WHERE kind = $1 AND value = $2`, []any{e.Kind, e.Value}, func(r *sql.Rows) error {
		var seq int64
		if err := r.Scan(&seq); err != nil {
			return err
		}
		out[seq] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read alerts of %s %q: %w", e.Kind, e.Value, err)
	}
	return out, nil
}

// RemoveAlerts removes alerts with all that belongs to them.
func (s *Store) RemoveAlerts(ctx context.Context, seqs []int64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		for len(seqs) > 0 {
			some := seqs[:min(len(seqs), alertsAtOnce)]
			seqs = seqs[len(some):]
			in, args := placesOf(some)
			if _, err := tx.ExecContext(ctx, `DELETE FROM alert WHERE seq IN (`+in+`)`, args...); err != nil {
				return fmt.Errorf("remove alerts: %w", err)
			}
		}
		return nil
	})
}
