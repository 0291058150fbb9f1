package server

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

// excepting is a server with devices and a clock that the test moves, and a script
// that says what it should show.
type excepting struct {
	*testing.T
	s     *Server
	dir   string
	clock time.Time
	boxes map[string]*report
}

func newExcepting(t *testing.T) *excepting {
	b := &excepting{T: t, dir: filepath.Join(t.TempDir(), "data"), clock: time.Now().UTC(), boxes: map[string]*report{}}
	b.open()
	t.Cleanup(func() { _ = b.s.Close() })
	return b
}

func (b *excepting) open() {
	b.Helper()
	s, err := Open(b.Context(), Options{Dir: b.dir, Log: slog.New(slog.DiscardHandler), Version: "test", Now: func() time.Time { return b.clock }})
	if err != nil {
		b.Fatal(err)
	}
	b.s = s
	for _, box := range b.boxes {
		box.s = s
	}
}

// device enrols a device in a group with packages.
func (b *excepting) device(name string, g exposure.Group, packages ...string) {
	b.Helper()
	if b.boxes[name] == nil {
		b.boxes[name] = newReport(b.s, enrol(b.T, b.s, name))
		if g > 0 {
			move(b.T, b.s, b.boxes[name], g)
		}
	}
	b.boxes[name].send(b.T, packages...)
}

func (b *excepting) make(in NewException) string {
	b.Helper()
	if in.Justification == "" {
		in.Justification = AlternateMitigation
	}
	if in.Days == 0 && in.Until.IsZero() {
		in.Days = 30
	}
	e, err := b.s.MakeException(b.Context(), admin, in)
	if err != nil {
		b.Fatalf("%+v: %v", in, err)
	}
	return e.ID
}

func (b *excepting) tend() {
	b.Helper()
	if err := b.s.tendExceptions(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// shows is what a recommendation and the list of exceptions say, in words.
func (b *excepting) shows(caller Caller, id string) string {
	b.Helper()
	page, err := b.s.Recommendations(b.Context(), caller, Query{}, func(r *RecommendationRow) bool { return r.ID == id })
	if err != nil || page.Total > 1 {
		b.Fatalf("%d recommendations %s: %v", page.Total, id, err)
	}
	out := "none"
	for _, r := range page.Items {
		out = fmt.Sprintf("%s %d→%d", r.Status, r.Exposed, r.ExposedAfter)
		if r.Impact > 0 {
			out += " impact"
		}
		if r.ImpactAfter > 0 {
			out += " after"
		}
	}
	list, err := b.s.Exceptions(b.Context(), caller, Query{})
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range slices.Backward(list.Items) {
		out += fmt.Sprintf(" | %s:%d", e.Status, e.Exposed)
	}
	return out
}

func (b *excepting) want(when, id, want string) {
	b.Helper()
	if got := b.shows(admin, id); got != want {
		b.Errorf("%s:\n got %s\nwant %s", when, got, want)
	}
}

func (b *excepting) score() *big.Int {
	b.Helper()
	return number(b.T, scoreNow(b.T, b.s).Num)
}

const openssl = "va-_-debian-_-openssl"

// twoGroups are a device in each of two groups and one in none, with one
// recommendation for all three.
func twoGroups(t *testing.T) *excepting {
	b := newExcepting(t)
	load(t, b.s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "openssl CVE-2024-0002 resolved 3.0.14-1~deb12u1", "curl CVE-2024-0003 resolved 7.88.1-10+deb12u8")
	b.device("one", 1, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5")
	b.device("two", 2, "openssl 3.0.11-1~deb12u1")
	b.device("three", 0, "openssl 3.0.14-1~deb12u1")
	return b
}

// writeKEV makes a catalogue of weaknesses that are exploited.
func writeKEV(t *testing.T, ids ...string) string {
	t.Helper()
	var rows []string
	for _, id := range ids {
		rows = append(rows, fmt.Sprintf(`{"cveID":%q,"vendorProject":"V","product":"P","vulnerabilityName":"N","dateAdded":"2024-05-01","shortDescription":"S","requiredAction":"A","dueDate":"2024-06-01","knownRansomwareCampaignUse":"Unknown","notes":""}`, id))
	}
	path := filepath.Join(t.TempDir(), "kev.json")
	text := fmt.Sprintf(`{"title":"T","catalogVersion":"2026.06.29","dateReleased":"2026-06-29T00:00:00.0000Z","count":%d,"vulnerabilities":[%s]}`, len(ids), strings.Join(rows, ","))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What an exception makes of a recommendation and of the score, and that all
// is as before when it is over.
func TestExceptions(t *testing.T) {
	b := twoGroups(t)
	b.want("at first", openssl, "Active 3→3 impact after")
	whole := b.score()

	accepted := b.make(NewException{Recommendation: openssl, Scope: ScopeGroups, Groups: []exposure.Group{1}, Justification: RiskAccepted})
	b.want("risk accepted in a group", openssl, "PartialException 3→2 impact after | InEffect:1")
	if b.score().Cmp(whole) != 0 {
		t.Error("accepting a risk changed the score")
	}
	in1 := admin
	in1.Groups = []exposure.Group{1}
	if got, want := b.shows(in1, openssl), "FullException 1→0 impact | InEffect:1"; got != want {
		t.Errorf("in the group: got %s, want %s", got, want)
	}

	global := b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal, Justification: ThirdPartyControl})
	b.want("mitigated everywhere", openssl, "FullException 3→0 | Suspended:1 | InEffect:3")
	low := b.score()
	if low.Cmp(whole) >= 0 {
		t.Errorf("a mitigation did not lower the score: %v, before %v", low, whole)
	}
	d, err := b.s.DeviceScore(t.Context(), admin, string(b.boxes["two"].id))
	points, mitigated := uint64(0), 0
	for _, term := range d.Terms {
		points += term.Points
		if term.Exception == "Mitigated" && term.Points == 0 && term.Weakness != "" {
			mitigated++
		}
	}
	if err != nil || d.Points != points || mitigated != 2 {
		t.Errorf("the device has %d points, its terms %d, %d of them mitigated: %+v, %v", d.Points, points, mitigated, d.Terms, err)
	}
	if _, err := b.s.CancelException(t.Context(), admin, global, nil); err != nil {
		t.Fatal(err)
	}
	b.want("the global one canceled", openssl, "PartialException 3→2 impact after | InEffect:1 | Canceled:3")
	if _, err := b.s.CancelException(t.Context(), admin, accepted, nil); err != nil {
		t.Fatal(err)
	}
	b.want("both canceled", openssl, "Active 3→3 impact after | Canceled:1 | Canceled:3")
	if b.score().Cmp(whole) != 0 {
		t.Error("the score is not what it was before the exceptions")
	}
}

// What each key of an exception selects, on the device that has openssl and curl.
func TestWhatExceptionsSelect(t *testing.T) {
	b := twoGroups(t)
	vulns := func(name string) string {
		page, err := b.s.DeviceVulns(t.Context(), admin, string(b.boxes[name].id), Query{Sort: []string{"id"}, Filter: map[string][]string{"exception": {"true"}}})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, v := range page.Items {
			ids = append(ids, strings.TrimPrefix(v.ID, "CVE-2024-000"))
		}
		return strings.Join(ids, " ")
	}
	after := func() string {
		page, err := b.s.Weaknesses(t.Context(), admin, Query{Sort: []string{"id"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, w := range page.Items {
			out = append(out, fmt.Sprintf("%d/%d", w.After, w.Exposed))
		}
		return strings.Join(out, " ")
	}
	one := b.boxes["one"].id
	for _, tt := range []struct {
		name             string
		in               NewException
		one, three, rest string
	}{
		{"nothing", NewException{}, "", "", "3/3 2/2 1/1"},
		{"weakness", NewException{Weakness: "CVE-2024-0001", Scope: ScopeGlobal}, "1", "1", "0/3 2/2 1/1"},
		{"recommendation", NewException{Recommendation: openssl, Scope: ScopeGlobal}, "1 2", "1", "0/3 0/2 1/1"},
		{"other remedy", NewException{Recommendation: openssl + "-_-attentionrequired", Scope: ScopeGlobal}, "", "", "3/3 2/2 1/1"},
		{"versions", NewException{Product: "debian-_-openssl", VersionTo: "3.0.12-1", Scope: ScopeGlobal}, "1 2", "", "1/3 0/2 1/1"},
		{"one version", NewException{Product: "debian-_-openssl", VersionFrom: "3.0.14-1~deb12u1", VersionTo: "3.0.14-1~deb12u1", Scope: ScopeGlobal}, "", "1", "2/3 2/2 1/1"},
		{"weakness in a product", NewException{Product: "debian-_-curl", Weakness: "CVE-2024-0001", Scope: ScopeGlobal}, "", "", "3/3 2/2 1/1"},
		{"path", NewException{Path: "var/lib/**", Scope: ScopeGlobal}, "1 2 3", "1", "0/3 0/2 0/1"},
		{"another path", NewException{Path: "opt/**", Scope: ScopeGlobal}, "", "", "3/3 2/2 1/1"},
		{"path and product", NewException{Path: "**/status", Product: "debian-_-curl", Scope: ScopeGlobal}, "3", "", "3/3 2/2 0/1"},
		{"device", NewException{Product: "debian-_-openssl", Scope: ScopeDevices, Devices: []inventory.DeviceID{one}}, "1 2", "", "2/3 1/2 1/1"},
	} {
		id := ""
		if tt.in.Scope != "" {
			id = b.make(tt.in)
		}
		if x, y, z := vulns("one"), vulns("three"), after(); x != tt.one || y != tt.three || z != tt.rest {
			t.Errorf("%s: excepted %q on one, %q on three, open %q; want %q, %q, %q", tt.name, x, y, z, tt.one, tt.three, tt.rest)
		}
		if id != "" {
			if _, err := b.s.CancelException(t.Context(), admin, id, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Exceptions are ordered by the devices that have what they are about, those that
// ended too, and by what they are about.
func TestExceptionsInOrder(t *testing.T) {
	b := twoGroups(t)
	two := b.make(NewException{Weakness: "CVE-2024-0002", Scope: ScopeGlobal})
	three := b.make(NewException{Weakness: "CVE-2024-0001", Scope: ScopeGlobal})
	one := b.make(NewException{Product: "debian-_-curl", Scope: ScopeGlobal})
	if _, err := b.s.CancelException(t.Context(), admin, two, nil); err != nil {
		t.Fatal(err)
	}
	for sort, want := range map[string][]string{"-exposed": {three, two, one}, "exposed": {one, two, three}, "kind": {one, three, two}} {
		p, err := b.s.Exceptions(t.Context(), admin, Query{Sort: []string{sort}, Limit: 30})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, r := range p.Items {
			got = append(got, r.ID)
		}
		equal(t, sort, got, want...)
	}
}

// A path holds for what a device reports later, and is known after a restart.
func TestAPathIsFollowed(t *testing.T) {
	b := twoGroups(t)
	b.make(NewException{Path: "**/dpkg/*", Product: "debian-_-curl", Scope: ScopeGlobal})
	curl := "va-_-debian-_-curl"
	b.want("made", curl, "FullException 1→0 | InEffect:1")
	b.device("two", 2, "openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u6")
	b.want("another device has it", curl, "FullException 2→0 | InEffect:2")
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.want("after a restart", curl, "FullException 2→0 | InEffect:2")
}

// An exception ends in time, also while the server is down, and comes back
// when what it is about gets worse.
func TestExceptionsEnd(t *testing.T) {
	b := twoGroups(t)
	b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal, Days: 30})
	b.clock = b.clock.Add(30*24*time.Hour - time.Minute)
	b.tend()
	b.want("before its end", openssl, "FullException 3→0 | InEffect:3")
	b.clock = b.clock.Add(time.Minute)
	b.tend()
	b.want("at its end", openssl, "Active 3→3 impact after | Expired:3")

	b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal, Until: b.clock.Add(time.Hour)})
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(2 * time.Hour)
	b.open()
	b.want("while the server was down", openssl, "Active 3→3 impact after | Expired:3 | Expired:3")

	last := b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal, Justification: RiskAccepted})
	kept := b.make(NewException{Recommendation: "va-_-debian-_-curl", Scope: ScopeGlobal, Keep: true})
	importFile(t, b.s, writeKEV(t, "CVE-2024-0002", "CVE-2024-0003"))
	b.tend()
	b.want("exploited in the wild", openssl, "Active 3→3 impact after | Expired:3 | Expired:3 | Resurfaced:3 | InEffect:1")
	e, err := b.s.Exception(t.Context(), admin, last)
	if err != nil || !strings.Contains(e.Why, "CVE-2024-0002") || len(e.History) != 2 || e.History[1].Type != "resurfaced" || e.History[1].Detail != e.Why || e.EndedBy != "" {
		t.Errorf("the exception that came back: %+v, %v", e, err)
	}
	if e, err := b.s.Exception(t.Context(), admin, kept); err != nil || e.Status != StandsInEffect {
		t.Errorf("an exception that is to be kept: %+v, %v", e, err)
	}
	again := b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal})
	b.tend()
	for i := range 10 {
		b.device(fmt.Sprint("more", i), 3, "openssl 3.0.11-1~deb12u1")
	}
	b.tend()
	if e, err := b.s.Exception(t.Context(), admin, again); err != nil || e.Status != StandsResurfaced || !strings.Contains(e.Why, "from 3 to 13") {
		t.Errorf("after the fleet grew: %s %q, %v", e.Status, e.Why, err)
	}
}

// What was over, or got worse, when the server stopped has ended and is told
// as soon as it is there again, before anybody tends exceptions.
func TestExceptionsEndAtTheStart(t *testing.T) {
	b := twoGroups(t)
	short := b.make(NewException{Recommendation: openssl, Scope: ScopeGlobal, Until: b.clock.Add(time.Hour)})
	worse := b.make(NewException{Recommendation: "va-_-debian-_-curl", Scope: ScopeGlobal})
	importFile(t, b.s, writeKEV(t, "CVE-2024-0003"))
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.clock = b.clock.Add(2 * time.Hour)
	b.open()
	for id, want := range map[string]string{short: "expired", worse: "resurfaced"} {
		e, err := b.s.Exception(t.Context(), admin, id)
		if err != nil || len(e.History) != 2 || e.History[1].Type != want || e.History[1].At.Sub(b.clock).Abs() > time.Second {
			t.Errorf("history of the one that %s: %+v, %v", want, e.History, err)
		}
	}
	told, err := b.s.Events(t.Context(), admin, Query{Filter: map[string][]string{"type": {ExceptionExpired, ExceptionResurfaced}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range told.Items {
		got = append(got, fmt.Sprint(e.Kind, " ", e.ProductID))
	}
	slices.Sort(got)
	equal(t, "events", got, "ExceptionExpired debian-_-openssl", "ExceptionResurfaced debian-_-curl")
}

// An exception for groups is canceled for one of them, and there is one of a kind in each place.
func TestExceptionsByGroup(t *testing.T) {
	b := twoGroups(t)
	id := b.make(NewException{Recommendation: openssl, Scope: ScopeGroups, Groups: []exposure.Group{0, 1, 2}})
	b.want("in every group", openssl, "FullException 3→0 | InEffect:3")
	for _, in := range []NewException{
		{Recommendation: openssl, Scope: ScopeGroups, Groups: []exposure.Group{2}, Justification: RiskAccepted, Days: 30},
		{Recommendation: openssl, Scope: ScopeGroups, Groups: []exposure.Group{0}, Justification: RiskAccepted, Days: 30},
	} {
		if _, err := b.s.MakeException(t.Context(), admin, in); !errors.Is(err, ErrConflict) {
			t.Errorf("a second one in groups %v: %v", in.Groups, err)
		}
	}
	held := func(want ...uint32) {
		t.Helper()
		p, err := b.s.Exceptions(t.Context(), admin, Query{Filter: map[string][]string{"recommendation": {openssl}}})
		if err != nil || len(p.Items) != 1 || !slices.Equal(p.Items[0].GroupIDs, want) {
			t.Errorf("it holds in groups %+v, want %v, %v", p.Items, want, err)
		}
	}
	held(0, 1, 2)
	e, err := b.s.CancelException(t.Context(), admin, id, []exposure.Group{2})
	held(0, 1)
	if err != nil || e.Groups != 2 || e.Status != StandsInEffect || e.In[2].Status != StandsCanceled {
		t.Errorf("canceled in one group: %+v, %v", e, err)
	}
	for filter, want := range map[string][]exposure.Group{"": {0, 1, 2}, StandsCanceled: {2}, StandsInEffect: {0, 1}} {
		q := Query{Filter: map[string][]string{}}
		if filter != "" {
			q.Filter["status"] = []string{filter}
		}
		p, err := b.s.ExceptionTargets(t.Context(), admin, id, q)
		var got []exposure.Group
		for _, r := range p.Items {
			got = append(got, *r.Group)
		}
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("targets with status %q are groups %v, want %v, %v", filter, got, want, err)
		}
	}
	b.want("canceled in one group", openssl, "PartialException 3→1 impact after | InEffect:2")
	move(t, b.s, b.boxes["two"], 1)
	b.want("its device moved to another", openssl, "FullException 3→0 | InEffect:3")
	if e, err = b.s.CancelException(t.Context(), admin, id, []exposure.Group{0, 1}); err != nil || e.Status != StandsCanceled {
		t.Errorf("canceled in the last groups: %+v, %v", e, err)
	}
	b.want("canceled in the last groups", openssl, "Active 3→3 impact after | Canceled:0")
	if _, err := b.s.CancelException(t.Context(), admin, id, nil); !errors.Is(err, ErrConflict) {
		t.Errorf("canceled twice: %v", err)
	}
}

// A document's exceptions follow the document.
func TestExceptionsOfADocument(t *testing.T) {
	b := twoGroups(t)
	doc := ExceptionSource{Kind: "OpenVEX", ID: "https://example.com/vex/1", Author: "Example", Hash: "00"}
	put := func(list ...NewException) string {
		added, removed, err := b.s.PutExceptions(t.Context(), admin, doc, list)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(added, removed)
	}
	one := NewException{Product: "debian-_-openssl", Weakness: "CVE-2024-0001", Scope: ScopeGlobal, Justification: AlternateMitigation, Context: "code not in execute path"}
	two := NewException{Product: "debian-_-nowhere", Weakness: "CVE-2024-0002", Scope: ScopeGlobal, Justification: AlternateMitigation}
	if got := put(one, two); got != "2 0" {
		t.Errorf("first: %s", got)
	}
	b.want("imported", openssl, "PartialException 3→2 impact after | InEffect:3 | InEffect:0")
	if got := put(one, two); got != "0 0" {
		t.Errorf("again: %s", got)
	}
	if got := put(one); got != "0 1" {
		t.Errorf("one less: %s", got)
	}
	if got := put(); got != "0 1" {
		t.Errorf("gone: %s", got)
	}
	b.want("gone", openssl, "Active 3→3 impact after | Canceled:3 | Canceled:0")
}

func TestExceptionsAreChecked(t *testing.T) {
	b := twoGroups(t)
	ok := NewException{Recommendation: openssl, Scope: ScopeGlobal, Justification: RiskAccepted, Days: 30}
	for name, tt := range map[string]struct {
		change func(*NewException)
		caller Caller
		want   error
	}{
		"who may not":        {func(*NewException) {}, Caller{Permissions: AppPermissions, Scope: exposure.Everywhere()}, ErrDenied},
		"global by a person": {func(*NewException) {}, Caller{Permissions: []string{ManageExceptions}, Scope: exposure.Everywhere()}, ErrDenied},
		"no justification":   {func(e *NewException) { e.Justification = "x" }, admin, ErrInvalid},
		"no end":             {func(e *NewException) { e.Days = 0 }, admin, ErrInvalid},
		"two ends":           {func(e *NewException) { e.Until = b.clock.Add(time.Hour) }, admin, ErrInvalid},
		"in the past":        {func(e *NewException) { e.Days, e.Until = 0, b.clock.Add(-time.Hour) }, admin, ErrInvalid},
		"too long":           {func(e *NewException) { e.Days, e.Until = 0, b.clock.Add(367*24*time.Hour) }, admin, ErrInvalid},
		"about nothing":      {func(e *NewException) { e.Recommendation = "" }, admin, ErrInvalid},
		"about everything":   {func(e *NewException) { e.Recommendation, e.Path = "", "**" }, admin, ErrInvalid},
		"about two things":   {func(e *NewException) { e.Weakness = "CVE-2024-0001" }, admin, ErrInvalid},
		"unknown":            {func(e *NewException) { e.Recommendation = "va-_-debian-_-none" }, admin, ErrNotFound},
		"unknown check":      {func(e *NewException) { e.Recommendation = "sca-_-scid-0" }, admin, ErrNotFound},
		"unknown weakness":   {func(e *NewException) { e.Recommendation, e.Weakness = "", "CVE-1999-1" }, admin, ErrNotFound},
		"versions of what":   {func(e *NewException) { e.Recommendation, e.Weakness, e.VersionTo = "", "CVE-2024-0001", "1" }, admin, ErrInvalid},
		"versions backwards": {func(e *NewException) {
			e.Recommendation, e.Product, e.VersionFrom, e.VersionTo = "", "debian-_-curl", "2", "1"
		}, admin, ErrInvalid},
		"no groups":      {func(e *NewException) { e.Scope = ScopeGroups }, admin, ErrInvalid},
		"unknown device": {func(e *NewException) { e.Scope, e.Devices = ScopeDevices, []inventory.DeviceID{"nobody"} }, admin, ErrNotFound},
		"long context":   {func(e *NewException) { e.Context = strings.Repeat("x", 2001) }, admin, ErrInvalid},
	} {
		in := ok
		tt.change(&in)
		if _, err := b.s.MakeException(t.Context(), tt.caller, in); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	b.make(ok)
	if _, err := b.s.MakeException(t.Context(), admin, ok); !errors.Is(err, ErrConflict) {
		t.Errorf("a second global one: %v", err)
	}
}

// Looking for a path on every device keeps no change of exceptions waiting, and
// one that was canceled meanwhile stays canceled.
func TestPathsAreLookedForWithoutTheLock(t *testing.T) {
	t.Parallel()
	b := twoGroups(t)
	ctx := t.Context()
	slow := b.s.core.matches(string(b.boxes["two"].id))[0]
	slow.report.Lock() // a device whose sections take their time
	var made ExceptionDetail
	done := make(chan error, 1)
	go func() {
		var err error
		made, err = b.s.MakeException(ctx, admin, NewException{Path: "/opt/**", Scope: ScopeGlobal, Justification: RiskAccepted, Days: 30})
		done <- err
	}()
	var id string
	for deadline := time.Now().Add(20 * time.Second); id == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the exception is not there while its path is looked for")
		}
		list, err := b.s.Exceptions(ctx, admin, Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Items {
			id = e.ID
		}
	}
	other := make(chan error, 1)
	go func() {
		_, err := b.s.CancelException(ctx, admin, id, nil)
		other <- err
	}()
	select {
	case err := <-other:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("a change of exceptions waits for the devices")
	}
	slow.report.Unlock()
	if err := <-done; err != nil || made.Status != StandsCanceled {
		t.Errorf("the exception that was canceled meanwhile: %s, %v", made.Status, err)
	}
}

// What is over is in no memory; lists page it from the store, in any order and
// with any filter, and one of it can be opened, also after a restart.
func TestEndedExceptionsArePagedFromTheStore(t *testing.T) {
	t.Parallel()
	b := twoGroups(t)
	ctx := t.Context()
	source := ExceptionSource{Kind: "OpenVEX", ID: "doc", Author: "X"}
	const many = 2*endedAtOnce + 100
	var list []NewException
	for i := range many {
		list = append(list, NewException{Weakness: fmt.Sprintf("CVE-2020-%04d", (i*7919)%10000), Scope: ScopeGlobal, Justification: AlternateMitigation})
	}
	for _, l := range [][]NewException{list, list[:3]} {
		if _, _, err := b.s.PutExceptions(ctx, admin, source, l); err != nil {
			t.Fatal(err)
		}
	}
	b.make(NewException{Weakness: "CVE-2024-0001", Scope: ScopeGroups, Groups: []exposure.Group{1}})
	check := func(when string) {
		t.Helper()
		if n := len(b.s.core.exceptions); n != 4 {
			t.Errorf("%s: %d exceptions in memory", when, n)
		}
		for _, q := range []Query{{}, {Sort: []string{"-created_at"}}, {Sort: []string{"created_at"}}, {Sort: []string{"name"}}, {Sort: []string{"-status", "name"}}, {Text: "CVE-2020-00"}, {Filter: map[string][]string{"status": {StandsCanceled}}},
			{Filter: map[string][]string{"status": {StandsInEffect}}}} {
			all, err := b.s.Exceptions(ctx, admin, q)
			if err != nil || len(all.Items) != all.Total {
				t.Fatalf("%s: %+v: %d items of %d, %v", when, q, len(all.Items), all.Total, err)
			}
			seen := map[string]bool{}
			for q.Limit = 30; q.Offset < all.Total; q.Offset += q.Limit {
				p, err := b.s.Exceptions(ctx, admin, q)
				if err != nil || p.Total != all.Total {
					t.Fatalf("%s: %+v: total %d, want %d, %v", when, q, p.Total, all.Total, err)
				}
				for i, r := range p.Items {
					if seen[r.ID] || r.ID != all.Items[q.Offset+i].ID {
						t.Fatalf("%s: %+v: row %d is %s, want %s", when, q, i, r.ID, all.Items[q.Offset+i].ID)
					}
					seen[r.ID] = true
				}
			}
			if len(seen) != all.Total {
				t.Errorf("%s: %+v: %d rows on pages of %d", when, q, len(seen), all.Total)
			}
		}
		if p, err := b.s.Exceptions(ctx, admin, Query{}); err != nil || p.Total != many+1 {
			t.Errorf("%s: %d exceptions, %v", when, p.Total, err)
		}
		grouped := admin
		grouped.Groups = []exposure.Group{2}
		if p, err := b.s.Exceptions(ctx, grouped, Query{}); err != nil || p.Total != many {
			t.Errorf("%s: %d exceptions of a group that one is not for, %v", when, p.Total, err)
		}
		old, err := b.s.Exception(ctx, admin, "10")
		if err != nil || old.Status != StandsCanceled || len(old.History) != 2 {
			t.Errorf("%s: one that is over: %+v, %v", when, old, err)
		}
		if _, err := b.s.CancelException(ctx, admin, "10", nil); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: canceled again: %v", when, err)
		}
	}
	check("as they ended")
	if err := b.s.Close(); err != nil {
		t.Fatal(err)
	}
	b.open()
	check("after a restart")
}

// Of the four justifications two say that something else protects: those lower
// the exposure score and raise the secure score. The other two leave both alone.
func TestJustificationsThatChangeScores(t *testing.T) {
	b := twoGroups(t)
	const check = 3
	judged(b.s, b.boxes["one"].id, check, posture.Fail)
	for _, about := range []string{openssl, "sca-_-" + posture.Checks()[check].ID} {
		for justification, lowers := range map[string]bool{ThirdPartyControl: true, AlternateMitigation: true, RiskAccepted: false, PlannedRemediation: false} {
			t.Run(about+"/"+justification, func(t *testing.T) {
				secure := func() float64 {
					t.Helper()
					v, err := b.s.SecureScore(t.Context(), admin)
					if err != nil {
						t.Fatal(err)
					}
					return v.Got
				}
				exposed, points := b.score(), secure()
				id := b.make(NewException{Recommendation: about, Scope: ScopeGlobal, Justification: justification})
				if got := b.score().Cmp(exposed) < 0; got != lowers {
					t.Errorf("the exposure score went from %v to %v", exposed, b.score())
				}
				if got := secure() > points; got != (lowers && about != openssl) {
					t.Errorf("the secure score went from %v to %v", points, secure())
				}
				list, err := b.s.Exceptions(t.Context(), admin, Query{Filter: map[string][]string{"status": {StandsInEffect}}})
				if err != nil || list.Total != 1 || list.Items[0].LowersScore != lowers || list.Items[0].Justification != justification {
					t.Errorf("the list has %+v, %v", list.Items, err)
				}
				if _, err := b.s.CancelException(t.Context(), admin, id, nil); err != nil {
					t.Fatal(err)
				}
				if b.score().Cmp(exposed) != 0 || secure() != points {
					t.Error("the scores are not what they were before")
				}
			})
		}
	}
}
