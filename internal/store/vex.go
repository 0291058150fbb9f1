package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// VEX is a loaded document about exploitability.
type VEX struct {
	ID       string
	Format   string
	Author   string
	Document string // id that its author gave it
	Version  string
	Title    string
	Digest   string // SHA-256
	Made     time.Time
	Loaded   time.Time
	LoadedBy string
	Body     []byte // as it came; only PutVEX takes it, see VEXBody
}

// PutVEX keeps a document in place of the one with its id.
func (s *Store) PutVEX(ctx context.Context, v VEX) error {
	body := s.enc.EncodeAll(v.Body, nil)
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO vex (id, format, author, document, version, title, digest, made, loaded, loaded_by, body)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)
			ON CONFLICT (id) DO UPDATE SET format=$2, author=$3, document=$4, version=$5, title=$6, digest=$7, made=$8, loaded=$9, loaded_by=$10, body=$11`,
			v.ID, v.Format, v.Author, v.Document, v.Version, v.Title, v.Digest, v.Made.UnixMilli(), v.Loaded.UnixMilli(), v.LoadedBy, body)
		if err != nil {
			return fmt.Errorf("store document %s: %w", v.Document, err)
		}
		return nil
	})
}

// VEX returns all documents without their bodies, oldest first.
func (s *Store) VEX(ctx context.Context) ([]VEX, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, format, author, document, version, title, digest, made, loaded, loaded_by FROM vex ORDER BY made, loaded, id`)
	if err != nil {
		return nil, fmt.Errorf("list VEX documents: %w", err)
	}
	defer func() { _ = rows.Close() }()
	out := []VEX{}
	for rows.Next() {
		var v VEX
		var made, loaded int64
		if err := rows.Scan(&v.ID, &v.Format, &v.Author, &v.Document, &v.Version, &v.Title, &v.Digest, &made, &loaded, &v.LoadedBy); err != nil {
			return nil, fmt.Errorf("list VEX documents: %w", err)
		}
		v.Made, v.Loaded = time.UnixMilli(made).UTC(), time.UnixMilli(loaded).UTC()
		out = append(out, v)
	}
	return out, rows.Err()
}

// VEXBody returns a document as it came; ErrNotFound if there is none with this id.
func (s *Store) VEXBody(ctx context.Context, id string) ([]byte, error) {
	var packed []byte
	switch err := s.r.QueryRowContext(ctx, `SELECT body FROM vex WHERE id = $1`, id).Scan(&packed); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("read VEX document: %w", err)
	}
	body, err := s.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack VEX document: %w", err)
	}
	return body, nil
}

// RemoveVEX forgets a document; ErrNotFound if there is none with this id.
func (s *Store) RemoveVEX(ctx context.Context, id string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM vex WHERE id = $1`, id))
	})
}
