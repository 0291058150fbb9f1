package audit

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

type line struct {
	record []byte
	hash   Hash
}

func chain(t *testing.T, n int) []line {
	t.Helper()
	var out []line
	var head Hash
	for i := range n {
		record, h, err := Seal(&Entry{Seq: int64(i + 1), At: time.Unix(int64(i), 0).UTC(), Kind: Person, Actor: "alice", Action: "tag", Outcome: Done}, head)
		if err != nil {
			t.Fatal(err)
		}
		out, head = append(out, line{record, h}), h
	}
	return out
}

func follow(lines []line) (Checker, error) {
	var c Checker
	for _, l := range lines {
		if _, err := c.Next(l.record, l.hash[:]); err != nil {
			return c, err
		}
	}
	return c, nil
}

func TestChain(t *testing.T) {
	t.Parallel()
	lines := chain(t, 5)
	if c, err := follow(lines); err != nil || c.Seq != 5 || c.Head != lines[4].hash {
		t.Fatalf("whole chain: %v, %d, %s", err, c.Seq, c.Head)
	}
	for name, tamper := range map[string]func([]line) []line{
		"an actor changed": func(l []line) []line {
			l[2].record = []byte(strings.Replace(string(l[2].record), "alice", "mallo", 1))
			return l
		},
		"an entry taken out":    func(l []line) []line { return append(l[:1], l[2:]...) },
		"two entries exchanged": func(l []line) []line { l[1], l[2] = l[2], l[1]; return l },
		"a changed entry with a hash of its own": func(l []line) []line {
			l[2].record = []byte(strings.Replace(string(l[2].record), "alice", "mallo", 1))
			l[2].hash = link(l[1].hash, l[2].record)
			return l
		},
		"the beginning taken out": func(l []line) []line { return l[1:] },
		"a record that is none":   func(l []line) []line { l[0].record = []byte("{"); return l },
	} {
		if _, err := follow(tamper(chain(t, 5))); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealCaps(t *testing.T) {
	t.Parallel()
	e := Entry{Actor: strings.Repeat("ä", 400), Detail: json.RawMessage(`"` + strings.Repeat("x", mostDetail) + `"`)}
	record, _, err := Seal(&e, Hash{})
	if err != nil || len(record) > 2000 || !json.Valid(record) || len(e.Actor) != mostText {
		t.Fatalf("%d bytes, actor of %d, %v: %.100s", len(record), len(e.Actor), err, record)
	}
}

func TestDraftIsTakenOnce(t *testing.T) {
	t.Parallel()
	ctx := With(context.Background(), NewDraft(Entry{Action: "tag"}))
	Change(ctx, "dev1", map[string]int{"n": 1}, map[string]int{"n": 2})
	e, back, ok := From(ctx).Take()
	if !ok || e.Object != "dev1" || string(e.Detail) != `{"after":{"n":2},"before":{"n":1}}` {
		t.Fatalf("%v %+v %s", ok, e, e.Detail)
	}
	if _, _, again := From(ctx).Take(); again {
		t.Fatal("an entry was taken twice")
	}
	back()
	if _, _, again := From(ctx).Take(); !again {
		t.Fatal("an entry that was given back is gone")
	}
}
