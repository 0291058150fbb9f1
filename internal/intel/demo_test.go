package intel

import (
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/picketsec/picket/internal/advisory"
)

// newDemo returns a change that puts a record of the demo feed into the file:
// what the feed says of openssl in two releases of Debian.
func newDemo(t *testing.T, s *Store) func(tx *bolt.Tx) error {
	t.Helper()
	st := advisory.Statement{Advisory: "CVE-2024-0001", Weaknesses: []string{"CVE-2024-0001"}, Feed: advisory.FeedDemo, State: advisory.Fixed}
	rec := advisory.Record{ID: "CVE-2024-0001", Statements: []advisory.Placed{
		{Key: bookworm("openssl"), Statement: st},
		{Key: advisory.Key{Ecosystem: "Debian", Release: "11", Name: "openssl"}, Statement: st},
	}}
	return func(tx *bolt.Tx) error {
		a := newApplier(tx, newTouched())
		e := describe(advisory.FeedDemo, &rec)
		says := sayings(&rec)
		for _, sd := range says {
			e.keys = append(e.keys, sd.key)
		}
		rec.Statements = nil
		e.body = advisory.AppendRecord(nil, rec)
		if _, err := a.put(advisory.FeedDemo, &staged{id: rec.ID, value: appendEntry(nil, &e), says: says}, false); err != nil {
			return err
		}
		if err := a.flush(); err != nil {
			return err
		}
		if err := putJSON(tx.Bucket(bucketFeed), []byte(advisory.FeedDemo), FeedState{Name: advisory.FeedDemo, Demo: true}); err != nil {
			return err
		}
		return writeNumber(tx.Bucket(bucketMeta), keyGeneration, s.Generation()+1)
	}
}
