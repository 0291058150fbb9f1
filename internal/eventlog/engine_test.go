package eventlog_test

import (
	"testing"
	"time"

	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/eventlog/eventlogtest"
)

func open(mem int64) eventlogtest.Open {
	return func(t *testing.T, dir string) eventlogtest.Closer {
		t.Helper()
		e, err := eventlog.Open(dir, eventlog.Options{MemBytes: mem})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
}

// settle waits until everything that was appended is sealed.
func settle(c eventlogtest.Closer) {
	e := c.(*eventlog.Engine)
	e.SealNow()
	for e.Stats().MemRows > 0 {
		time.Sleep(time.Millisecond)
	}
}

func TestEngineInMemory(t *testing.T) { eventlogtest.Run(t, open(64<<20), settle) }

// With tables of a few batches nearly everything is sealed and merged while it
// is asked for.
func TestEngineInSegments(t *testing.T) { eventlogtest.Run(t, open(24<<10), settle) }

func TestEntitiesInMemory(t *testing.T) { eventlogtest.RunEntities(t, open(64<<20), settle) }

func TestEntitiesInSegments(t *testing.T) { eventlogtest.RunEntities(t, open(24<<10), settle) }
