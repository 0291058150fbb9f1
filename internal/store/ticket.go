package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Destination is where tickets go.
type Destination struct {
	ID      string
	Kind    string
	Name    string
	Config  []byte // JSON, nothing secret
	Secret  []byte // sealed
	Enabled bool
	Removed bool
	Created time.Time
	Updated time.Time
	By      string
}

// Delivery is one message of the outbox, before and after it was sent.
type Delivery struct {
	ID          int64
	Key         string
	Remediation string
	Destination string
	Event       string
	Body        []byte // JSON of the message
	State       string // pending, sent, dead
	Created     time.Time
	Attempts    int
	Begun       time.Time // first attempt; zero: none yet
	Next        time.Time
	Until       time.Time
	Sent        time.Time
	Error       string
	Mend        string
	TicketState
}

// TicketState is what is known of a ticket at its receiver.
type TicketState struct {
	Ref       string
	URL       string
	Phase     string
	Word      string
	ETag      string
	Polled    time.Time
	PollNext  time.Time // zero: not asked again
	PollError string
}

// Destinations returns all of them by name, removed ones included.
func (s *Store) Destinations(ctx context.Context) ([]Destination, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, kind, name, config, secret, enabled, removed, created, updated, by FROM ticket_destination ORDER BY name, id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Destination
	for rows.Next() {
		var d Destination
		var created, updated int64
		if err := rows.Scan(&d.ID, &d.Kind, &d.Name, &d.Config, &d.Secret, &d.Enabled, &d.Removed, &created, &updated, &d.By); err != nil {
			return nil, err
		}
		d.Created, d.Updated = fromMilli(created), fromMilli(updated)
		out = append(out, d)
	}
	return out, rows.Err()
}

// PutDestination adds or replaces a destination. What waits for it is tried
// again at once: whoever changes the settings wants to see whether they are right.
func (s *Store) PutDestination(ctx context.Context, d Destination) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ticket_destination (id, kind, name, config, secret, enabled, created, updated, by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET name = $3, config = $4, secret = $5, enabled = $6, updated = $8, by = $9`,
			d.ID, d.Kind, d.Name, d.Config, nonNil(d.Secret), d.Enabled, milli(d.Created), milli(d.Updated), d.By)
		if err != nil {
			return fmt.Errorf("store destination: %w", err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE ticket_delivery SET next = min(next, $2) WHERE destination = $1 AND state = 'pending'`, d.ID, milli(d.Updated))
		return err
	})
}

// RemoveDestination forgets a destination's secret and settings and gives up
// what waits for it. Activities keep their history.
func (s *Store) RemoveDestination(ctx context.Context, id, by string, at time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE ticket_destination SET removed = 1, enabled = 0, secret = x'', config = x'7b7d', updated = $2, by = $3 WHERE id = $1 AND removed = 0`, id, milli(at), by)
		if err != nil {
			return fmt.Errorf("remove destination: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE ticket_delivery SET poll_next = 0 WHERE destination = $1`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE ticket_delivery SET state = 'dead', error = 'The destination was removed.', mend = '' WHERE destination = $1 AND state = 'pending'`, id)
		return err
	})
}

const deliveryColumns = `id, key, remediation, destination, event, body, state, created, attempts, begun, next, until, sent, error, mend, ref, url, phase, word, etag, polled, poll_next, poll_error`

func (s *Store) deliveries(ctx context.Context, where string, args ...any) ([]Delivery, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM ticket_delivery d WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		var created, begun, next, until, sent, polled, pollNext int64
		if err := rows.Scan(&d.ID, &d.Key, &d.Remediation, &d.Destination, &d.Event, &d.Body, &d.State, &created, &d.Attempts, &begun, &next, &until, &sent, &d.Error, &d.Mend,
			&d.Ref, &d.URL, &d.Phase, &d.Word, &d.ETag, &polled, &pollNext, &d.PollError); err != nil {
			return nil, err
		}
		d.Created, d.Begun, d.Next, d.Until, d.Sent, d.Polled, d.PollNext = fromMilli(created), maybe(begun), maybe(next), maybe(until), maybe(sent), maybe(polled), maybe(pollNext)
		out = append(out, d)
	}
	return out, rows.Err()
}

// Deliveries returns what went or goes out for an activity, oldest first.
func (s *Store) Deliveries(ctx context.Context, remediation string) ([]Delivery, error) {
	return s.deliveries(ctx, `remediation = $1 ORDER BY id`, remediation)
}

// Tickets returns the first delivery to each destination of every activity:
// the one that makes the ticket. They are ordered by id.
func (s *Store) Tickets(ctx context.Context) ([]Delivery, error) {
	return s.deliveries(ctx, `event = 'created' ORDER BY id`)
}

// DueDeliveries returns at most limit messages to try now, oldest first. One
// that follows another for the same activity and destination waits for it.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, limit int) ([]Delivery, error) {
	return s.deliveries(ctx, `state = 'pending' AND next <= $1
		AND EXISTS (SELECT 1 FROM ticket_destination t WHERE t.id = d.destination AND t.enabled = 1)
		AND NOT EXISTS (SELECT 1 FROM ticket_delivery e WHERE e.remediation = d.remediation AND e.destination = d.destination AND e.id < d.id AND e.state = 'pending')
		ORDER BY next, id LIMIT $2`, milli(now), limit)
}

// DuePolls returns at most limit tickets whose state is to be asked for.
func (s *Store) DuePolls(ctx context.Context, now time.Time, limit int) ([]Delivery, error) {
	return s.deliveries(ctx, `poll_next > 0 AND poll_next <= $1
		AND EXISTS (SELECT 1 FROM ticket_destination t WHERE t.id = d.destination AND t.enabled = 1)
		ORDER BY poll_next, id LIMIT $2`, milli(now), limit)
}

// NextDelivery is when there is something to send or ask next, zero for nothing.
func (s *Store) NextDelivery(ctx context.Context) (time.Time, error) {
	var at sql.NullInt64
	err := s.r.QueryRowContext(ctx, `SELECT min(t) FROM (
		SELECT min(next) t FROM ticket_delivery d WHERE state = 'pending' AND EXISTS (SELECT 1 FROM ticket_destination t WHERE t.id = d.destination AND t.enabled = 1)
			AND NOT EXISTS (SELECT 1 FROM ticket_delivery e WHERE e.remediation = d.remediation AND e.destination = d.destination AND e.id < d.id AND e.state = 'pending')
		UNION ALL SELECT min(poll_next) FROM ticket_delivery d WHERE poll_next > 0 AND EXISTS (SELECT 1 FROM ticket_destination t WHERE t.id = d.destination AND t.enabled = 1))`).Scan(&at)
	return maybe(at.Int64), err
}

// BeginDelivery notes, durably, that an attempt begins; until the lease is over
// nobody else tries.
func (s *Store) BeginDelivery(ctx context.Context, id int64, now time.Time, lease time.Duration) error {
	return s.one(ctx, `UPDATE ticket_delivery SET attempts = attempts + 1, begun = CASE begun WHEN 0 THEN $2 ELSE begun END, next = $3 WHERE id = $1 AND state = 'pending'`,
		id, milli(now), milli(now.Add(lease)))
}

// EndDelivery stores how an attempt ended: sent, pending again at d.Next, or
// dead; with a line of the activity's history when there is one.
func (s *Store) EndDelivery(ctx context.Context, d *Delivery, ev *RemediationEvent) error {
	return s.oneWith(ctx, d.Remediation, ev, `UPDATE ticket_delivery SET state = $2, next = $3, sent = $4, error = $5, mend = $6, ref = $7, url = $8, phase = $9, word = $10, poll_next = $11
		WHERE id = $1 AND state = 'pending'`, d.ID, d.State, milli(d.Next), milli(d.Sent), d.Error, d.Mend, d.Ref, d.URL, d.Phase, d.Word, milli(d.PollNext))
}

// SetTicket stores what a receiver says of a ticket, with a line of the
// activity's history when there is one.
func (s *Store) SetTicket(ctx context.Context, id int64, t TicketState, remediation string, ev *RemediationEvent) error {
	return s.oneWith(ctx, remediation, ev, `UPDATE ticket_delivery SET phase = $2, word = $3, etag = $4, polled = $5, poll_next = $6, poll_error = $7, url = $8 WHERE id = $1`,
		id, t.Phase, t.Word, t.ETag, milli(t.Polled), milli(t.PollNext), t.PollError, t.URL)
}

// RetryDelivery lets a message be tried at once, also one that was given up.
// One that was
// sent, or whose destination was removed, is ErrNotFound.
func (s *Store) RetryDelivery(ctx context.Context, remediation string, id int64, now, until time.Time) error {
	return s.one(ctx, `UPDATE ticket_delivery SET state = 'pending', next = $3, until = max(until, $4) WHERE id = $1 AND remediation = $2 AND state <> 'sent'
		AND EXISTS (SELECT 1 FROM ticket_destination t WHERE t.id = destination AND t.removed = 0)`,
		id, remediation, milli(now), milli(until))
}

// one runs an update that must change exactly one row.
func (s *Store) one(ctx context.Context, query string, args ...any) error {
	return s.oneWith(ctx, "", nil, query, args...)
}

// oneWith is one with a line of the history of an activity.
func (s *Store) oneWith(ctx context.Context, remediation string, ev *RemediationEvent, query string, args ...any) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		if ev == nil {
			return nil
		}
		return addEvent(ctx, tx, remediation, *ev, nil)
	})
}

// DeliveryCount counts messages of one destination by state.
type DeliveryCount struct{ Pending, Failing, Sent, Dead int }

// DeliveryCounts counts messages by destination. Failing are those of Pending
// whose last attempt did not succeed.
func (s *Store) DeliveryCounts(ctx context.Context) (map[string]DeliveryCount, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT destination, sum(state = 'pending'), sum(state = 'pending' AND error <> ''), sum(state = 'sent'), sum(state = 'dead') FROM ticket_delivery GROUP BY destination`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]DeliveryCount{}
	for rows.Next() {
		var id string
		var n DeliveryCount
		if err := rows.Scan(&id, &n.Pending, &n.Failing, &n.Sent, &n.Dead); err != nil {
			return nil, err
		}
		out[id] = n
	}
	return out, rows.Err()
}
