package server

import (
	"errors"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

func TestRetention(t *testing.T) {
	s := openTest(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	boss := Caller{Name: "boss", Admin: true}
	l := newLife(t, s, "host")
	l.now = l.now.AddDate(0, 0, -10)
	l.send(l.event(ev.ConnectionSuccess, nil), l.start(1, 2, "old"))
	l.now = time.Now().UTC().Add(-time.Hour)
	l.send(l.event(ev.ConnectionSuccess, nil), l.start(1, 3, "new"))
	v, err := s.Retention(t.Context(), boss)
	if err != nil || v.Days != 180 || v.Bytes != 512<<30 || len(v.Kinds) != 0 {
		t.Fatalf("by default %+v, %v", v, err)
	}
	stored := func(kind string) StoredKind {
		for _, k := range v.Stored {
			if k.Kind == kind {
				return k
			}
		}
		return StoredKind{}
	}
	n := stored("network")
	if n.Events != 2 || n.DayBytes == 0 || n.DayBytes >= n.Bytes || time.Since(n.Oldest) < 9*24*time.Hour || n.WillHold != 180 {
		t.Errorf("stored %+v", n)
	}
	for _, bad := range []Retention{{Days: 0, Bytes: 1 << 40}, {Days: 10, Bytes: 1}, {Days: 10, Bytes: 1 << 40, Kinds: []RetentionKind{{Kind: "nothing", Days: 1}}},
		{Days: 10, Bytes: 1 << 40, Kinds: []RetentionKind{{Kind: "dns", Days: 11}}}, {Days: 10, Bytes: 1 << 40, Kinds: []RetentionKind{{Kind: "dns", Days: 1}, {Kind: "dns", Days: 2}}},
		{Days: 10, Bytes: 1 << 40, Kinds: []RetentionKind{{Kind: "dns", Bytes: 5}}}} {
		if _, err := s.SetRetention(t.Context(), boss, bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := s.SetRetention(t.Context(), Caller{Permissions: opsViewing}, Retention{Days: 1, Bytes: 1 << 40}); !errors.Is(err, ErrDenied) {
		t.Errorf("without the right: %v", err)
	}
	want := Retention{Days: 90, Bytes: 1 << 40, Kinds: []RetentionKind{{Kind: "network", Days: 7}, {Kind: "dns"}}}
	ctx := s.Audited(t.Context(), boss, "set-retention", "", "request")
	if v, err = s.SetRetention(ctx, boss, want); err != nil || v.Days != 90 || len(v.Kinds) != 1 || stored("network").WillHold != 7 {
		t.Fatalf("%+v, %v", v, err)
	}
	select {
	case <-s.telemetry.retain:
	default:
		t.Error("nobody is told that it holds from now on")
	}
	s.AuditEnd(ctx, 200)
	page, err := s.Audit(t.Context(), boss, Query{})
	if err != nil || len(page.Items) == 0 || !strings.Contains(string(page.Items[0].Detail), `"days":180`) || !strings.Contains(string(page.Items[0].Detail), `"days":90`) {
		t.Errorf("audit: %+v, %v", page.Items, err)
	}
	p := want.policy()
	if p.Age != 90*24*time.Hour || p.Kinds[ev.Network] != 7*24*time.Hour || len(p.KindBytes) != 0 {
		t.Errorf("policy %+v", p)
	}
}
