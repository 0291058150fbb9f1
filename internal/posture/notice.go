package posture

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// Notice says whether anybody on a device would notice a remediation.
type Notice string

// What is known of it.
const (
	Unnoticed     Notice = "none"         // nobody would: the check says so of every device, or nothing of it was used
	Noticed       Notice = "expected"     // it was used, or the check says so and no event could tell otherwise
	NoticeUnknown Notice = "not_assessed" // what happened on the device is not known well enough
)

const (
	// NoticeDays is for how many days nothing may have been used.
	NoticeDays = 30
	noticeTime = NoticeDays * 24 * time.Hour
	// mostPause is how long nothing may have been recorded meanwhile, as of a host
	// that was restarted: a hundredth of the days.
	mostPause = noticeTime / 100
	// mostSilent is how long ago the device may have delivered last.
	mostSilent = 24 * time.Hour
)

// Use is an event that shows that somebody used what a remediation takes away.
type Use struct {
	Action event.Action
	Where  []Match // all of them
}

// Match asks for the text of a column that every such event of a whole source
// has, or of a key of AdditionalFields, which it may lack.
type Match struct {
	Column event.Column
	Key    string   // of AdditionalFields, else ""
	Values []string // one of these; "*" in one stands for any text
}

// Exact reports whether each value stands for itself alone.
func (m *Match) Exact() bool {
	return !slices.ContainsFunc(m.Values, func(v string) bool { return strings.Contains(v, "*") })
}

// parseUse reads "ACTION COLUMN=value|value …".
func parseUse(s string) (Use, error) {
	w := strings.Fields(s)
	if len(w) < 2 {
		return Use{}, errors.New("a use is: action column=value…")
	}
	a, ok := event.ActionOf(w[0])
	if !ok {
		return Use{}, fmt.Errorf("unknown action %q", w[0])
	}
	u := Use{Action: a}
	for _, part := range w[1:] {
		name, values, _ := strings.Cut(part, "=")
		name, key, _ := strings.Cut(name, ".")
		c, ok := event.ColumnOf(name)
		if !ok || c.Type() != event.String && (c != event.AdditionalFields || key == "") || values == "" {
			return Use{}, fmt.Errorf("%q asks for no text of a column", part)
		}
		u.Where = append(u.Where, Match{Column: c, Key: key, Values: strings.Split(values, "|")})
	}
	return u, nil
}

// shows says whether an event is such a use; unknown when it does not have what
// would decide.
func (u *Use) shows(e *event.Event) verdict {
	if e.Action != u.Action {
		return no
	}
	v := yes
	for i := range u.Where {
		m := &u.Where[i]
		text := e.Text(m.Column)
		if m.Key != "" {
			var all map[string]any
			_ = json.Unmarshal([]byte(text), &all) // what cannot be read does not say it
			text, _ = all[m.Key].(string)
		}
		switch {
		case text == "":
			v = unknown
		case !slices.ContainsFunc(m.Values, func(p string) bool { return like(p, text) }):
			return no
		}
	}
	return v
}

// Telemetry is what is known of what happened on a device.
type Telemetry struct {
	Heard   time.Time    // until when it delivered what it recorded
	Logged  bool         // the check that Check.Logged names passes
	Kept    []event.Kind // of which events are there
	Sources []Source     // what its agent said of its sources, in any order
	Missing []Missing    // events that are not there
	used    time.Time    // the last use
	unclear time.Time    // the last event that may have been one
}

// Source says that events of some kinds come from a source from a time on.
type Source struct {
	At    time.Time
	Name  string
	Kinds []event.Kind
}

// Missing is a part of the events of a kind that is not there.
type Missing struct {
	Kind          event.Kind
	After, Before time.Time // when they happened; zero: no bound
	Count         uint64    // 0: nothing was recorded, so nobody knows whether anything happened
}

// Saw notes an event of the device that happened at a time. Events that are not
// like the check's Uses change nothing.
func (c *Check) Saw(t *Telemetry, e *event.Event, at time.Time) {
	for i := range c.Uses {
		switch c.Uses[i].shows(e) {
		case yes:
			t.used = later(t.used, at)
		case unknown:
			t.unclear = later(t.unclear, at)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Notice says whether anybody on a device would notice that the check is made to
// pass, and why that is said. That nobody would is only said of a device whose
// events of NoticeDays are known whole; of the last use one event is enough.
func (c *Check) Notice(t *Telemetry, now time.Time) (Notice, string) {
	from := now.Add(-noticeTime)
	switch {
	case !c.Productivity:
		return Unnoticed, "people are not expected to notice the change on any device"
	case len(c.Uses) == 0:
		return Noticed, "people are expected to notice the change, and no event could tell that they do not"
	case !t.used.Before(from):
		return Noticed, "last used " + t.used.UTC().Format(time.DateOnly)
	case now.Sub(t.Heard) > mostSilent:
		return NoticeUnknown, "the device has not reported for a day"
	case c.Logged != "" && !t.Logged:
		return NoticeUnknown, fmt.Sprintf("what would tell of a use is not logged (%s)", c.Logged)
	}
	for _, k := range c.kinds() {
		if why := t.gap(k, from, now); why != "" {
			return NoticeUnknown, why
		}
	}
	if !t.unclear.Before(from) {
		return NoticeUnknown, "an event may have been a use and does not say enough: " + t.unclear.UTC().Format(time.DateOnly)
	}
	return Unnoticed, fmt.Sprintf("not used in %d days", NoticeDays)
}

// kinds are the kinds of events that tell of uses, each once.
func (c *Check) kinds() []event.Kind {
	var out []event.Kind
	for i := range c.Uses {
		out = append(out, c.Uses[i].Action.Kind())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gap says why a use may have happened that no event of a kind tells of, "" when
// none can have.
func (t *Telemetry) gap(k event.Kind, from, to time.Time) string {
	if !slices.Contains(t.Kept, k) {
		return fmt.Sprintf("no %s events of the device are kept", k)
	}
	if why := t.blind(k, from, to); why != "" {
		return why
	}
	var pauses [][2]time.Time
	for _, m := range t.Missing {
		a, b := m.After, m.Before
		if a.Before(from) {
			a = from
		}
		if b.IsZero() || b.After(to) {
			b = to
		}
		switch {
		case m.Kind != k || b.Before(a):
		case m.Count > 0:
			return fmt.Sprintf("%s events of these %d days are missing", k, NoticeDays)
		default:
			pauses = append(pauses, [2]time.Time{a, b})
		}
	}
	if sum := together(pauses); sum > mostPause {
		return fmt.Sprintf("%s events were not recorded for %s of these %d days", k, sum.Round(time.Minute), NoticeDays)
	}
	return ""
}

// blind says at which time the source of a kind did not see all of it.
func (t *Telemetry) blind(k event.Kind, from, to time.Time) string {
	var said []Source
	for _, s := range t.Sources {
		if slices.Contains(s.Kinds, k) && s.At.Before(to) {
			said = append(said, s)
		}
	}
	slices.SortStableFunc(said, func(a, b Source) int { return a.At.Compare(b.At) })
	first := len(said)
	for first > 0 && said[first-1].At.After(from) {
		first--
	}
	if first == 0 {
		return fmt.Sprintf("%s events have not been recorded for %d days, as far as is known", k, NoticeDays)
	}
	for _, s := range said[first-1:] {
		if !event.Whole(k, s.Name) {
			return fmt.Sprintf("the source of %s events (%s) does not see all of them", k, cmp.Or(s.Name, "none"))
		}
	}
	return ""
}

// together is how long some times are, where they overlap counted once.
func together(spans [][2]time.Time) (sum time.Duration) {
	slices.SortFunc(spans, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	var end time.Time
	for _, s := range spans {
		if s[0].Before(end) {
			s[0] = end
		}
		if s[1].After(s[0]) {
			sum, end = sum+s[1].Sub(s[0]), s[1]
		}
	}
	return sum
}
