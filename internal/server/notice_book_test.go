package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/posture"

	ev "github.com/picketsec/picket/internal/event"
)

// Of many devices lists say what was read in the last hour, of the caller's
// devices alone, and never wait for it; a list of devices reads those of its page.
func TestNoticesOfManyAreKept(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix)
	check := checkAt(t, "scid-4062")
	rec := "sca-_-" + posture.Checks()[check].ID
	var lives []*life
	for _, name := range []string{"one", "two"} {
		l := newLife(t, s, name)
		judged(s, l.id, check, posture.Fail)
		l.daysAgo(40, l.sensor(ev.SourceEBPF, ev.Process, ev.Network), l.runs("ls"))
		l.daysAgo(2, l.runs("ls"))
		lives = append(lives, l)
	}
	mustTag(t, s, lives[0].id, []string{"web"}, nil)
	web := Caller{Permissions: []string{RecommendationRead}, Scope: exposure.Within(mustGroup(t, s, 0, "Web servers", on(group.Tag, group.Equals, "web")))}
	s.noticed.few = 0
	count := func(caller Caller) int {
		t.Helper()
		rows := []RecommendationRow{{ID: rec, Type: RemedyConfigure}}
		if err := s.CountUnnoticed(t.Context(), caller, rows); err != nil {
			t.Fatal(err)
		}
		return rows[0].Unnoticed
	}
	for range 3 {
		if n := count(admin); n != 0 {
			t.Fatalf("%d devices before anything was read", n)
		}
	}
	if n := len(s.noticed.asked); n != 1 {
		t.Fatalf("the check was asked for %d times", n)
	}
	if got := impacts(t, s, admin, rec); len(got) != 2 || got[lives[1].id] != "none" {
		t.Errorf("the devices %v", got)
	}

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.runNotices(ctx) }()
	defer func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}()
	becomes := func(want int) {
		t.Helper()
		for end := time.Now().Add(time.Minute); count(admin) != want; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d devices, want %d", count(admin), want)
			}
		}
	}
	becomes(2)
	if n := count(web); n != 1 {
		t.Errorf("who sees one device is told of %d", n)
	}

	lives[1].daysAgo(1, lives[1].runs("sudo"))
	if n := count(admin); n != 2 {
		t.Errorf("%d devices: what was read is not used", n)
	}
	if got := impacts(t, s, admin, rec); got[lives[1].id] != "expected" {
		t.Errorf("the devices %v", got)
	}
	s.opt.Now = func() time.Time { return time.Now().Add(noticeLife + time.Minute) }
	becomes(1)
}
