package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Learned is one thing that a change of the intelligence taught of a component.
type Learned struct {
	Component uint32
	Known
	Gone bool // the component does not have the weakness any more
}

// foldAfter is how many changes of the intelligence are kept beside the rows
// of components before they are folded into them.
const foldAfter = 64

// Reassessed commits what a change of the intelligence did, with the
// generation of the intelligence that it was computed from: whole rows of
// components, what was learned of components that are stored already, the news
// of the change, which may be nil, and what stood there before.
func (s *Store) Reassessed(ctx context.Context, generation uint64, changed []Component, learned []Learned, closed []Closed, news *News, before ...*Change) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		if err := s.putNews(ctx, tx, news); err != nil {
			return err
		}
		if err := putComponents(ctx, tx, changed); err != nil {
			return err
		}
		if err := putLearned(ctx, tx, learned); err != nil {
			return err
		}
		if err := putClosed(ctx, tx, closed); err != nil {
			return err
		}
		for _, c := range before {
			if err := s.putChange(ctx, tx, c); err != nil {
				return err
			}
		}
		raw := binary.AppendUvarint(nil, generation)
		_, err := tx.ExecContext(ctx, `INSERT INTO setting (name, value) VALUES ('assessed', $1) ON CONFLICT (name) DO UPDATE SET value = $1`, raw)
		return err
	})
}

// AssessedGeneration is the generation of the intelligence that the stored
// components were last assessed with; 0 when never.
func (s *Store) AssessedGeneration(ctx context.Context) (uint64, error) {
	var raw []byte
	err := s.r.QueryRowContext(ctx, `SELECT value FROM setting WHERE name = 'assessed'`).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	n, _ := binary.Uvarint(raw)
	return n, err
}

// Components calls fn for every component in order of id.
func (s *Store) Components(ctx context.Context, fn func(Component) error) error {
	tx, err := s.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing to commit
	log, err := readLog(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, spec, known, log FROM component ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c Component
		var known []byte
		var upTo int64
		if err := rows.Scan(&c.ID, &c.Spec, &known, &upTo); err != nil {
			return err
		}
		if c.Known, err = unpackKnown(known); err != nil {
			return fmt.Errorf("component %d: %w", c.ID, err)
		}
		c.Known = learn(c.Known, log[c.ID], upTo)
		if err := fn(c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// logged is an entry of the log about one component.
type logged struct {
	id int64
	Learned
}

// readLog returns the entries of the log by component, oldest first.
func readLog(ctx context.Context, tx *sql.Tx) (map[uint32][]logged, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, body FROM known_log ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[uint32][]logged{}
	for rows.Next() {
		var id int64
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		list, err := unpackLearned(body)
		if err != nil {
			return nil, fmt.Errorf("entry %d of the log of weaknesses: %w", id, err)
		}
		for _, l := range list {
			out[l.Component] = append(out[l.Component], logged{id, l})
		}
	}
	return out, rows.Err()
}

// learn carries entries after upTo into what is known of their component,
// which is ordered by weakness and stays so.
func learn(known []Known, log []logged, upTo int64) []Known {
	for _, l := range log {
		if l.id <= upTo {
			continue
		}
		at, have := slices.BinarySearchFunc(known, l.Weakness, func(k Known, w string) int { return cmp.Compare(k.Weakness, w) })
		switch {
		case have && l.Gone:
			known = slices.Delete(known, at, at+1)
		case have:
			known[at] = l.Known
		case !l.Gone:
			known = slices.Insert(known, at, l.Known)
		}
	}
	return known
}

// putLearned adds an entry to the log, and folds the log when it has become long.
func putLearned(ctx context.Context, tx *sql.Tx, learned []Learned) error {
	if len(learned) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO known_log (body) VALUES ($1)`, packLearned(learned)); err != nil {
		return fmt.Errorf("log what was learned of components: %w", err)
	}
	var entries int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM known_log`).Scan(&entries); err != nil {
		return err
	}
	if entries < foldAfter {
		return nil
	}
	return foldLog(ctx, tx)
}

// foldLog carries the log into the rows of its components and empties it.
func foldLog(ctx context.Context, tx *sql.Tx) error {
	log, err := readLog(ctx, tx)
	if err != nil {
		return err
	}
	for id, entries := range log {
		var known []byte
		var upTo int64
		err := tx.QueryRowContext(ctx, `SELECT known, log FROM component WHERE id = $1`, id).Scan(&known, &upTo)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		list, err := unpackKnown(known)
		if err != nil {
			return fmt.Errorf("component %d: %w", id, err)
		}
		_, err = tx.ExecContext(ctx, `UPDATE component SET known = $2, log = $3 WHERE id = $1`, id, packKnown(learn(list, entries, upTo)), entries[len(entries)-1].id)
		if err != nil {
			return fmt.Errorf("store component %d: %w", id, err)
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM known_log`)
	return err
}

// putComponents writes whole rows: what the log says of their components is in them.
func putComponents(ctx context.Context, tx *sql.Tx, list []Component) error {
	if len(list) == 0 {
		return nil
	}
	var upTo int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM known_log`).Scan(&upTo); err != nil {
		return err
	}
	st, err := tx.PrepareContext(ctx, `INSERT INTO component (id, spec, known, log) VALUES ($1,$2,$3,$4) ON CONFLICT (id) DO UPDATE SET spec=$2, known=$3, log=$4`)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	for _, c := range list {
		if _, err := st.ExecContext(ctx, c.ID, c.Spec, packKnown(c.Known), upTo); err != nil {
			return fmt.Errorf("store component %d: %w", c.ID, err)
		}
	}
	return nil
}
