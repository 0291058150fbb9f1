package posture

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/event"
)

// noticeNow is the moment of the scripts.
var noticeNow = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// TestNotice proves what testdata/notice says, case by case.
func TestNotice(t *testing.T) {
	text, err := os.ReadFile("testdata/notice/notice.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Notice]int{}
	for _, f := range txtar.Parse(text).Files {
		t.Run(f.Name, func(t *testing.T) {
			c, have, want := noticeCase(t, string(f.Data))
			got, why := c.Notice(have, noticeNow)
			if s := string(got) + " " + why; s != want {
				t.Errorf("%s\nwant %s", s, want)
			}
			seen[got]++
		})
	}
	for _, n := range []Notice{Unnoticed, Noticed, NoticeUnknown} {
		if seen[n] == 0 {
			t.Errorf("no case is %q", n)
		}
	}
}

func noticeCase(t *testing.T, text string) (c *Check, have *Telemetry, want string) {
	t.Helper()
	have = &Telemetry{Heard: noticeNow, Logged: true, Kept: []event.Kind{event.Process, event.Logon}}
	for s := range strings.Lines(text) {
		w := strings.Fields(s)
		if len(w) == 0 {
			continue
		}
		switch rest := w[1:]; w[0] {
		case "check":
			c, _ = ByID(rest[0])
		case "heard":
			have.Heard = ago(t, rest[0])
		case "logged":
			have.Logged = false
		case "kept":
			have.Kept = kindsOf(t, rest)
		case "source":
			at := ago(t, rest[0])
			name, kinds := rest[1], rest[2:]
			have.Sources = append(have.Sources, Source{At: at, Name: name, Kinds: kindsOf(t, kinds)})
		case "event":
			c.Saw(have, eventOf(t, rest[1:]), ago(t, rest[0]))
		case "missing":
			n, err := strconv.ParseUint(rest[3], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			have.Missing = append(have.Missing, Missing{Kind: kindsOf(t, rest[:1])[0], After: ago(t, rest[1]), Before: ago(t, rest[2]), Count: n})
		case "pause":
			have.Missing = append(have.Missing, Missing{Kind: kindsOf(t, rest[:1])[0], After: ago(t, rest[1]), Before: ago(t, rest[2])})
		case "->":
			want = strings.Join(rest, " ")
		default:
			t.Fatalf("line %q", s)
		}
	}
	if c == nil || want == "" {
		t.Fatal("no check, or nothing is expected")
	}
	return c, have, want
}

func ago(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "-" {
		return time.Time{}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil {
			t.Fatal(err)
		}
		return noticeNow.AddDate(0, 0, -n)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return noticeNow.Add(-d)
}

func kindsOf(t *testing.T, names []string) []event.Kind {
	t.Helper()
	var out []event.Kind
	for _, n := range names {
		k, ok := event.KindOf(n)
		if !ok {
			t.Fatalf("kind %q", n)
		}
		out = append(out, k)
	}
	return out
}

func eventOf(t *testing.T, w []string) *event.Event {
	t.Helper()
	a, ok := event.ActionOf(w[0])
	if !ok {
		t.Fatalf("action %q", w[0])
	}
	e := &event.Event{Action: a}
	for _, part := range w[1:] {
		name, text, _ := strings.Cut(part, "=")
		c, ok := event.ColumnOf(name)
		if !ok {
			t.Fatalf("column %q", name)
		}
		e.Set(c, text)
	}
	return e
}

// TestUsesAreProof proves of every use that a whole source tells of it: the kind
// has one, the columns are in each such event, and a log that is needed has a
// check. A check that nobody notices needs none.
func TestUsesAreProof(t *testing.T) {
	always := map[event.Kind][]event.Column{event.Process: {event.FileName}, event.Logon: {event.Protocol, event.AccountName}}
	whole := map[event.Kind]string{event.Process: event.SourceEBPF, event.Logon: event.SourceJournal}
	n := 0
	for _, c := range Checks() {
		if len(c.Uses) > 0 {
			n++
		}
		if len(c.Uses) > 0 && !c.Productivity {
			t.Errorf("%s: nobody notices it, and uses are told", c.ID)
		}
		if _, ok := ByID(c.Logged); c.Logged != "" && !ok {
			t.Errorf("%s: logged by %q, which is no check", c.ID, c.Logged)
		}
		for _, u := range c.Uses {
			k := u.Action.Kind()
			if whole[k] == "" || !event.Whole(k, whole[k]) {
				t.Errorf("%s: no source sees all %s events", c.ID, k)
			}
			if k == event.Logon && c.Logged == "" {
				t.Errorf("%s: logons are told by a log, and no check says that it is kept", c.ID)
			}
			exact := false
			for _, m := range u.Where {
				exact = exact || m.Key == "" && m.Exact()
				if m.Key == "" && !slices.Contains(always[k], m.Column) {
					t.Errorf("%s: an event may lack %s", c.ID, m.Column)
				}
			}
			if !exact {
				t.Errorf("%s: no index finds such events", c.ID)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d checks have uses", n)
	}
}

// TestBadUses proves that a mistake in a data file is found.
func TestBadUses(t *testing.T) {
	for _, s := range []string{"", "LogonSuccess", "Nothing FileName=x", "LogonSuccess Nothing=x", "LogonSuccess FileName=", "LogonSuccess LocalPort=22", "LogonSuccess AdditionalFields=x"} {
		if u, err := parseUse(s); err == nil {
			t.Errorf("%q is %+v", s, u)
		}
	}
}
