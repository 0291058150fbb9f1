package server

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// The histories of both scores survive a restart, and no jump of the clock
// spoils a trend: not one to another year and back, and not a small step back.
func TestHistoriesSurviveRestartsAndClocks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1")
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	scoreNow(t, s)
	now := time.Now().UTC().Truncate(time.Millisecond)
	h := &historian{groups: groupScores{}, secures: groupSecures{}}
	times := []time.Time{
		now.Add(-3 * time.Hour), now.Add(-2 * time.Hour),
		now.AddDate(14, 0, 0), now.AddDate(14, 0, 0).Add(time.Hour), // the clock is far ahead
		now.Add(-time.Hour),
		now.AddDate(-30, 0, 0), // and far behind
		now,
		now.Add(-10 * time.Second), // a small step back
	}
	for i, at := range times {
		if i%2 == 1 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openTest(t, dir)
			scoreNow(t, s)
			last, err := s.st.LastScores(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			h = &historian{score: last.ScorePoint, groups: groupScores{}, secures: groupSecures{}}
		}
		h.score.Num = "" // as if it had changed
		h.secure.Got = ""
		if err := s.record(t.Context(), h, at); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { _ = s.Close() }()
	want := []time.Time{now.Add(-3 * time.Hour), now.Add(-2 * time.Hour), now.Add(-time.Hour), now}
	points, err := s.st.Scores(t.Context(), now.Add(-24*time.Hour), now, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Time
	for _, p := range points {
		if len(got) == 0 || !got[len(got)-1].Equal(p.At) {
			got = append(got, p.At)
		}
		if p.Version != exposure.ScoreVersion || p.Score <= 0 {
			t.Errorf("point %+v", p)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history of the exposure score (-want +got):\n%s", diff)
	}
	secure, err := s.st.Secures(t.Context(), now.Add(-24*time.Hour), now, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, p := range secure {
		if len(got) == 0 || !got[len(got)-1].Equal(p.At) {
			got = append(got, p.At)
		}
		if p.Version != posture.ScoreVersion || p.Checks != posture.Digest() || p.Max == 0 || len(p.Categories) == 0 {
			t.Errorf("point %+v", p)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("history of the secure score (-want +got):\n%s", diff)
	}
}

// A long history is read in about as many points as a picture has, and a change
// of the formula is never lost between them.
func TestHistoryIsThinned(t *testing.T) {
	s := testServer(t)
	now := time.Now().UTC()
	for i := range 500 {
		p := store.ScorePoint{At: now.Add(time.Duration(i-500) * time.Minute), Version: 1, Num: "1", Den: 1, Score: float64(i), Devices: 1}
		if i == 499 {
			p.Version = 2
		}
		if err := s.st.AddScore(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	points, err := s.st.Scores(t.Context(), now.AddDate(0, 0, -30), now, 50)
	if err != nil || len(points) < 50 || len(points) > 53 {
		t.Fatalf("%d points, %v, want about 50", len(points), err)
	}
	if last := points[len(points)-1]; last.Version != 2 || points[len(points)-2].Score != 498 {
		t.Errorf("the last points are %+v", points[len(points)-2:])
	}
	if !slices.IsSortedFunc(points, func(a, b store.ScorePoint) int { return a.At.Compare(b.At) }) {
		t.Error("points are out of order")
	}
}

// The dashboard's trend has the points of before and those that were recorded
// since it was first read, and costs no reading of the history.
func TestTrendsOfTheDashboard(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", opensslFix) // a device of which nothing can be judged is in no score
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	now := time.Now().UTC()
	for i := range 3 {
		p := store.ScorePoint{At: now.Add(time.Duration(i-5) * time.Hour), Version: 1, Num: "1", Den: 1, Score: float64(i), Devices: 1}
		if err := s.st.AddScore(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	h := &historian{groups: groupScores{}, secures: groupSecures{}}
	trends := func() (score []float64, secure int) {
		t.Helper()
		d, err := s.Dashboard(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Trend[:len(d.Trend)-1] {
			score = append(score, p.Score)
		}
		return score, len(d.SecureTrend) - 1
	}
	if got, secure := trends(); !slices.Equal(got, []float64{0, 1, 2}) || secure != 0 {
		t.Errorf("trends %v, %d", got, secure)
	}
	if err := s.record(t.Context(), h, now); err != nil {
		t.Fatal(err)
	}
	current := scoreNow(t, s).Score
	if got, secure := trends(); !slices.Equal(got, []float64{0, 1, 2, current}) || secure != 1 {
		t.Errorf("trends after a point was recorded %v, %d", got, secure)
	}
	if err := s.record(t.Context(), h, now.Add(2*time.Hour)); err != nil { // read again
		t.Fatal(err)
	}
	if got, _ := trends(); len(got) != 4 {
		t.Errorf("trends with a point that is yet to come %v", got)
	}
	group := admin
	group.Groups = []exposure.Group{0}
	if d, err := s.Dashboard(t.Context(), group); err != nil || len(d.SecureTrend) != 2 || d.SecureTrend[0].PerCent != d.SecureTrend[1].PerCent || len(d.SecureTrend[0].Categories) == 0 {
		t.Errorf("the secure score of a group has the trend %+v, %v, want the point that was recorded and that of now", d.SecureTrend, err)
	}
}

// Counts of exposed devices are kept by day, changes only, and by device group.
func TestTrendsOfExposedDevices(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2024-0002 open")
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.send(t, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10")
	move(t, s, two, 7)
	day := time.Now().UTC()
	count := func(at time.Time) {
		t.Helper()
		if err := s.core.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.recordTrends(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	trend := func(c Caller, id string) []int {
		t.Helper()
		p, err := s.Recommendations(t.Context(), c, Query{}, func(r *RecommendationRow) bool { return r.ID == id })
		if err != nil || p.Total != 1 {
			t.Fatalf("%s: %d rows, %v", id, p.Total, err)
		}
		return p.Items[0].Trend
	}
	const openssl = "va-_-debian-_-openssl"
	count(day.AddDate(0, 0, -4))
	count(day.AddDate(1, 0, 0)) // the clock was ahead for a moment
	two.send(t, "openssl 3.0.11-1~deb12u1")
	count(day.AddDate(0, 0, -2))
	count(day.AddDate(0, 0, -2))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	one.s, two.s = s, s
	move(t, s, two, 7)
	one.send(t, "openssl 3.0.15-1~deb12u1", "curl 7.88.1-10")
	count(day)
	group := admin
	group.Groups = []exposure.Group{7}
	for _, c := range []struct {
		who  Caller
		id   string
		want []int
	}{
		{admin, openssl, []int{1, 1, 2, 2, 1}},
		{group, openssl, []int{0, 0, 1, 1, 1}},
		{admin, "va-_-debian-_-curl-_-attentionrequired", []int{1, 1, 1, 1, 1}},
	} {
		if diff := cmp.Diff(c.want, trend(c.who, c.id)); diff != "" {
			t.Errorf("trend of %s for groups %v (-want +got):\n%s", c.id, c.who.Groups, diff)
		}
	}
	soft, err := s.Software(t.Context(), admin, "debian-_-openssl")
	if err != nil || !slices.Equal(soft.Trend, []int{1, 1, 2, 2, 1}) {
		t.Errorf("trend of the product is %v, %v", soft.Trend, err)
	}
	rows := 0
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "picket.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.QueryRowContext(t.Context(), `SELECT count(*) FROM trend JOIN trend_cause ON id = cause WHERE name = $1 AND grp = 0`, openssl).Scan(&rows)
	if err := errors.Join(err, db.Close()); err != nil || rows != 2 {
		t.Errorf("%d rows for one cause that changed twice, %v", rows, err)
	}
}

// What others publish is stored once by its key, for the devices that count,
// and is seen by who looks at one of them.
func TestPublishEvent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 open")
	r, other := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	other.send(t, "curl 7.88.1-10+deb12u5")
	move(t, s, other, 7)
	e := Event{Kind: ExceptionExpired, Key: "exception 1 expired", Product: "debian-_-openssl", Detail: "It held for 30 days.", Link: "/recommendations",
		Weaknesses: []string{"CVE-2024-0001"}, Devices: roaring.BitmapOf(s.core.matches(string(r.id))[0].num, 999)}
	for range 2 {
		if err := s.publishEvent(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	move(t, s, &report{id: other.id}, 7)
	if err := s.publishEvent(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := s.publishEvent(t.Context(), Event{Kind: "Nonsense"}); !errors.Is(err, ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
	list := func(c Caller, q Query) []EventRow {
		t.Helper()
		p, err := s.Events(t.Context(), c, q)
		if err != nil {
			t.Fatal(err)
		}
		return p.Items
	}
	got := list(admin, Query{Filter: map[string][]string{"type": {ExceptionExpired}, "days": {"1"}}})
	if len(got) != 1 || got[0].Component != "openssl" || got[0].Impacted != 1 || got[0].Counted != 2 || got[0].Current != 1 || got[0].Detail != e.Detail || got[0].Share != 50 {
		t.Fatalf("events %+v", got)
	}
	group := admin
	if group.Groups = []exposure.Group{0}; len(list(group, Query{})) != 1 || list(group, Query{})[0].Counted != 1 {
		t.Errorf("the group of the device sees %+v", list(group, Query{}))
	}
	if group.Groups = []exposure.Group{7}; len(list(group, Query{})) != 0 {
		t.Error("another group sees the event")
	}
	if _, err := s.Event(t.Context(), group, got[0].ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("another group opens the event: %v", err)
	}
	if _, err := s.Events(t.Context(), Caller{Permissions: []string{ScoreRead}, Scope: exposure.Everywhere()}, Query{}); !errors.Is(err, ErrDenied) {
		t.Errorf("without the permission: %v", err)
	}
	tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	today := time.Now().UTC().Format(time.DateOnly)
	for name, c := range map[string]struct {
		filter map[string][]string
		want   int
	}{
		"today":      {map[string][]string{"from": {today}, "to": {today}}, 1},
		"tomorrow":   {map[string][]string{"from": {tomorrow}}, 0},
		"share":      {map[string][]string{"share": {"50"}}, 1},
		"more":       {map[string][]string{"share": {"75"}}, 0},
		"product":    {map[string][]string{"product": {"debian-_-openssl"}}, 1},
		"no product": {map[string][]string{"product": {"debian-_-curl"}}, 0},
		"weakness":   {map[string][]string{"weakness": {"CVE-2024-0001"}}, 1},
	} {
		if got := list(admin, Query{Filter: c.filter}); len(got) != c.want {
			t.Errorf("%s: %d events, want %d", name, len(got), c.want)
		}
	}
	for _, bad := range []map[string][]string{{"days": {"x"}}, {"days": {"0"}}, {"from": {"yesterday"}}} {
		if _, err := s.Events(t.Context(), admin, Query{Filter: bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Checks that an earlier version did not have are told once; the first version
// that runs has no news.
func TestNewChecksAreTold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	r := newReport(s, enrol(t, s, "one"))
	r.send(t, "openssl 3.0.11-1~deb12u1")
	kinds := func() (out []string) {
		t.Helper()
		p, err := s.Events(t.Context(), admin, Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range p.Items {
			out = append(out, e.Kind+" "+e.Check)
		}
		return out
	}
	if err := s.tellChecks(t.Context()); err != nil || len(kinds()) > 0 {
		t.Fatalf("the first version told %v, %v", kinds(), err)
	}
	fresh := posture.Checks()[3].ID
	if err := s.st.AddNews(t.Context(), &store.News{Noted: []store.Noted{{What: notedCheck, Name: fresh}, {What: notedCheck, Name: "gone", Level: 1}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openTest(t, dir)
		if err := s.tellChecks(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{NewConfiguration + " " + fresh}, kinds()); diff != "" {
			t.Errorf("new checks (-want +got):\n%s", diff)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// The dashboard has the three most impactful events of a week, the days on
// which something happened, and how the score went with a change.
func TestDashboardEvents(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "a CVE-2024-0001 open")
	for _, name := range []string{"one", "two", "three"} {
		packages := []string{"a 1-1", "b 1-1"}
		if name != "one" {
			packages = append(packages, "c 1-1", "d 1-1")
		}
		newReport(s, enrol(t, s, name)).send(t, packages...)
	}
	before := scoreNow(t, s)
	load(t, s, "later.json", "a CVE-2024-0001 open", "a CVE-2024-0002 resolved 2-1", "b CVE-2024-0003 open", "c CVE-2024-0004 resolved 2-1", "d CVE-2024-0005 open")
	after := scoreNow(t, s)
	if err := s.scoreChanges(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := s.Dashboard(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	var top []string
	for _, e := range d.TopEvents {
		top = append(top, e.Component)
		if e.Score.Trend != "up" || e.Score.Before != before.Score || e.Score.After != after.Score || e.Score.Version != exposure.ScoreVersion {
			t.Errorf("score of the change is %+v, want %v to %v", e.Score, before.Score, after.Score)
		}
	}
	// all four weaknesses weigh the same: devices decide, then which came first
	if len(top) != 3 || !slices.Contains(top, "a") || !slices.Contains(top, "b") {
		t.Errorf("top events %v, want a and b, which three devices have, and one more", top)
	}
	if len(d.EventDays) != 1 || d.EventDays[0].Total != 4 || len(d.EventDays[0].Events) != 3 || d.EventDays[0].Day != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("days %+v", d.EventDays)
	}
	if len(d.CheckDays) != 0 {
		t.Errorf("days of checks %+v", d.CheckDays)
	}
	// A product's page has the days of its own events.
	if one, err := s.Software(t.Context(), admin, "debian-_-c"); err != nil || len(one.EventDays) != 1 || one.EventDays[0].Total != 1 || one.EventDays[0].Events[0].Component != "c" {
		t.Errorf("days of a product %+v, %v", one.EventDays, err)
	}
	if one, err := s.Software(t.Context(), Caller{Permissions: []string{SoftwareRead}, Scope: exposure.Everywhere()}, "debian-_-c"); err != nil || one.EventDays == nil || len(one.EventDays) != 0 {
		t.Errorf("who may read software sees events: %+v, %v", one.EventDays, err)
	}
	counts, err := s.EventCounts(t.Context(), admin, Query{Filter: map[string][]string{"days": {"1"}}})
	if err != nil || counts.Vulnerabilities != 4 || counts.Exploitable != 0 || counts.Events != 4 {
		t.Errorf("counts %+v, %v", counts, err)
	}
	list, err := s.core.events.between(t.Context(), s.st, time.Now().Add(-trendShown), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]int{6: 3, 8: 0} { // later: the top events are those of the last seven days
		var later Dashboard
		s.core.mu.RLock()
		s.core.dashboardEvents(&later, list, s.core.lens(admin), time.Now().UTC().AddDate(0, 0, days))
		s.core.mu.RUnlock()
		if len(later.TopEvents) != want {
			t.Errorf("%d days later %d top events, want %d", days, len(later.TopEvents), want)
		}
	}
	if d, err = s.Dashboard(t.Context(), Caller{Permissions: []string{ScoreRead}, Scope: exposure.Everywhere()}); err != nil || len(d.TopEvents)+len(d.EventDays) != 0 {
		t.Errorf("who may read scores sees events: %+v, %v", d.TopEvents, err)
	}
}
