package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// EventChange is one change of what the fleet is exposed to. Scores are exact
// fractions "num/den", "" where nothing was scored.
type EventChange struct {
	ID            int64
	At            time.Time
	Counted       []byte // devices that counted in scores then
	ScoreVersion  int
	ScoreBefore   string
	ScoreAfter    string
	SecureVersion int
	SecureBefore  string
	SecureAfter   string
}

// Event is news of one change. A Key that is not "" is stored once, ever.
type Event struct {
	ID         int64
	Change     int64
	At         time.Time
	Kind       string
	Key        string
	Product    string
	Vendor     string
	Component  string
	Check      string
	Detail     string
	Link       string
	Weaknesses []string
	Devices    []byte // originally impacted
}

// Noted is one thing that was told: What is "cover", "threat" or "check". At
// Level 0 it is forgotten.
type Noted struct {
	What, Name string
	Level      uint8
}

// News is what one change has to tell. The store gives Change and Events their ids.
type News struct {
	Change EventChange
	Events []Event
	Noted  []Noted
}

// AddNews commits news, all or nothing. Events whose key is stored already are
// left out of news.Events when it returns.
func (s *Store) AddNews(ctx context.Context, news *News) error {
	return s.write(ctx, func(tx *sql.Tx) error { return s.putNews(ctx, tx, news) })
}

// putNews is AddNews within a transaction. A change without events leaves no row.
func (s *Store) putNews(ctx context.Context, tx *sql.Tx, news *News) error {
	if news == nil {
		return nil
	}
	if err := putNoted(ctx, tx, news.Noted); err != nil {
		return err
	}
	fresh := news.Events[:0:0]
	for _, e := range news.Events {
		if e.Key != "" {
			var n int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM event WHERE key = $1`, e.Key).Scan(&n); err != nil {
				return fmt.Errorf("look for event %q: %w", e.Key, err)
			}
			if n > 0 {
				continue
			}
		}
		fresh = append(fresh, e)
	}
	news.Events = fresh
	if len(fresh) == 0 {
		return nil
	}
	c := &news.Change
	err := tx.QueryRowContext(ctx, `INSERT INTO event_change (at, counted, score_version, score_before, score_after, secure_version, secure_before, secure_after)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8) RETURNING id`, c.At.UnixMilli(), c.Counted, c.ScoreVersion, c.ScoreBefore, c.ScoreAfter,
		c.SecureVersion, c.SecureBefore, c.SecureAfter).Scan(&c.ID)
	if err != nil {
		return fmt.Errorf("store change: %w", err)
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO event (change, at, kind, key, product, vendor, component, check_id, detail, link, weaknesses, devices)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)`)
	if err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	defer func() { _ = st.Close() }()
	outgoing, err := takesOutgoing(ctx, tx, ClassExposure)
	if err != nil {
		return err
	}
	for i := range news.Events {
		e := &news.Events[i]
		raw, err := json.Marshal(e.Weaknesses)
		if err != nil {
			return fmt.Errorf("encode weaknesses of an event: %w", err)
		}
		e.Change, e.At = c.ID, c.At
		done, err := st.ExecContext(ctx, e.Change, e.At.UnixMilli(), e.Kind, e.Key, e.Product, e.Vendor, e.Component,
			e.Check, e.Detail, e.Link, s.enc.EncodeAll(raw, nil), e.Devices)
		if err != nil {
			return fmt.Errorf("store event: %w", err)
		}
		if e.ID, err = done.LastInsertId(); err != nil {
			return fmt.Errorf("store event: %w", err)
		}
		if outgoing {
			if err := addOutgoing(ctx, tx, ClassExposure, e.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func putNoted(ctx context.Context, tx *sql.Tx, list []Noted) error {
	for _, n := range list {
		var err error
		if n.Level == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM noted WHERE what = $1 AND name = $2`, n.What, n.Name)
		} else {
			_, err = tx.ExecContext(ctx, `INSERT INTO noted (what, name, level) VALUES ($1,$2,$3) ON CONFLICT (what, name) DO UPDATE SET level = $3`, n.What, n.Name, n.Level)
		}
		if err != nil {
			return fmt.Errorf("note %s %q: %w", n.What, n.Name, err)
		}
	}
	return nil
}

// Noted returns what was told.
func (s *Store) Noted(ctx context.Context) ([]Noted, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT what, name, level FROM noted`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []Noted
	for rows.Next() {
		var n Noted
		if err := rows.Scan(&n.What, &n.Name, &n.Level); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// Events calls fn for the newest events, newest first, at most limit.
func (s *Store) Events(ctx context.Context, limit int, fn func(Event) error) error {
	return s.events(ctx, fn, `ORDER BY at DESC, id DESC LIMIT $1`, limit)
}

// EventsBetween calls fn for the events of from to before to, newest first.
func (s *Store) EventsBetween(ctx context.Context, from, to time.Time, fn func(Event) error) error {
	return s.events(ctx, fn, `WHERE at >= $1 AND at < $2 ORDER BY at DESC, id DESC`, from.UnixMilli(), to.UnixMilli())
}

// Event calls fn for one event, if there is one.
func (s *Store) Event(ctx context.Context, id int64, fn func(Event) error) error {
	return s.events(ctx, fn, `WHERE id = $1`, id)
}

func (s *Store) events(ctx context.Context, fn func(Event) error, where string, args ...any) error {
	rows, err := s.r.QueryContext(ctx, `SELECT id, change, at, kind, key, product, vendor, component, check_id, detail, link, weaknesses, devices FROM event `+where, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e Event
		var at int64
		var packed []byte
		if err := rows.Scan(&e.ID, &e.Change, &at, &e.Kind, &e.Key, &e.Product, &e.Vendor, &e.Component, &e.Check, &e.Detail, &e.Link, &packed, &e.Devices); err != nil {
			return err
		}
		e.At = time.UnixMilli(at).UTC()
		raw, err := s.dec.DecodeAll(packed, nil)
		if err == nil {
			err = json.Unmarshal(raw, &e.Weaknesses)
		}
		if err != nil {
			return fmt.Errorf("weaknesses of event %d: %w", e.ID, err)
		}
		if err := fn(e); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Change returns one change.
func (s *Store) Change(ctx context.Context, id int64) (EventChange, error) {
	c := EventChange{ID: id}
	var at int64
	err := s.r.QueryRowContext(ctx, `SELECT at, counted, score_version, score_before, score_after, secure_version, secure_before, secure_after FROM event_change WHERE id = $1`, id).
		Scan(&at, &c.Counted, &c.ScoreVersion, &c.ScoreBefore, &c.ScoreAfter, &c.SecureVersion, &c.SecureBefore, &c.SecureAfter)
	if err != nil {
		return c, fmt.Errorf("change %d: %w", id, err)
	}
	c.At = time.UnixMilli(at).UTC()
	return c, nil
}

// ScoreChange fills in the scores after a change.
func (s *Store) ScoreChange(ctx context.Context, id int64, score, secure string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE event_change SET score_after = $2, secure_after = $3 WHERE id = $1`, id, score, secure)
		return err
	})
}
