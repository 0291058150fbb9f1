package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// SourceOsquery is the Source of devices that osqueryd reports.
const SourceOsquery = "osquery"

// Node is a device that osqueryd reports.
type Node struct {
	Device inventory.DeviceID
	Key    []byte // digest of the node key
	Host   string // as it calls itself
}

// RegisterNode makes a device of a node, against an enrolment token. Errors are
// those of tokens.
func (s *Store) RegisterNode(ctx context.Context, n Node, secret string, now time.Time) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		token, err := useToken(ctx, tx, secret, now)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO device (id, key_hash, first_seen, last_seen, source) VALUES ($1, '', $2, $2, $3)`, n.Device, now.UnixMilli(), SourceOsquery); err != nil {
			return fmt.Errorf("register device %s: %w", n.Device, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO osquery_node (device, key, host, token, enrolled) VALUES ($1,$2,$3,$4,$5)`, n.Device, n.Key, n.Host, token, now.UnixMilli()); err != nil {
			return fmt.Errorf("register node %s: %w", n.Device, err)
		}
		return nil
	})
}

// NodeByKey finds a node by the digest of its key, or is ErrNotFound.
func (s *Store) NodeByKey(ctx context.Context, key []byte) (Node, error) {
	n := Node{Key: key}
	err := s.r.QueryRowContext(ctx, `SELECT device, host FROM osquery_node WHERE key = $1`, key).Scan(&n.Device, &n.Host)
	if errors.Is(err, sql.ErrNoRows) {
		return Node{}, ErrNotFound
	}
	if err != nil {
		return Node{}, fmt.Errorf("look up node: %w", err)
	}
	return n, nil
}
