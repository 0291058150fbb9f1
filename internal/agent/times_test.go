package agent

import (
	"testing"
	"time"
)

func TestTimesOfCertificates(t *testing.T) {
	right := time.Date(2026, 11, 26, 17, 0, 0, 0, time.UTC)
	wall, boot := right, time.Hour
	c := &times{wall: func() time.Time { return wall }, since: func() time.Duration { return boot }}
	is := func(what string, want time.Time) {
		t.Helper()
		if got := c.now(); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	is("before the server was heard", right)
	c.heard(time.Time{})
	is("after a server that says nothing", right)
	c.heard(right.Add(time.Minute))
	is("after the server was heard", right.Add(time.Minute))
	wall, boot = right.AddDate(-1, 0, 0), boot+time.Second
	is("after the host's clock was set back", right.Add(time.Minute+time.Second))
	c.doubt()
	is("when a certificate was not valid then", wall)
	c.doubt()
	is("when it was not valid by the host's clock either", right.Add(time.Minute+time.Second))
	c.doubt()
	c.heard(right)
	is("after the server was heard again", right)

	c = &times{wall: func() time.Time { return wall }, since: func() time.Duration { return boot }}
	c.remembered(wall.Add(-time.Hour))
	is("with a session that is long gone", wall)
	c.remembered(right)
	is("with a session that was later than the host's clock", right)
}
