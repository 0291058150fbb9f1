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

// What rates or describes speaks of no package: beside it the demo is still all
// there is. A feed that speaks ends that.
func TestDemoIsAllThatSpeaks(t *testing.T) {
	s := open(t, Options{})
	want := func(what string, demo bool) {
		t.Helper()
		view(t, s, func(sn *Snapshot) {
			if sn.Demo() != demo {
				t.Errorf("%s: Demo = %v, want %v", what, sn.Demo(), demo)
			}
		})
	}
	want("nothing is loaded", false)
	give(t, s, "demo.json", `{"picket_demo": 1, "date": "2026-06-30", "weaknesses": [{"id": "CVE-2024-0001", "cvss": [],
		"affected": [{"ecosystem": "Debian", "release": "12", "name": "openssl", "state": "fixed", "fixed": "2"}]}]}`)
	want("the demo", true)
	give(t, s, "kev.json", kevJSON("2026-06-30", "CVE-2024-0001"))
	want("the demo and KEV", true)
	give(t, s, "t-2026-01-01.json", trackerJSON(trackerRow("openssl", "CVE-2024-0001", "resolved", "2")))
	want("the demo and a tracker", false)
}
