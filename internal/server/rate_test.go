package server

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// referenceTable is section 1.4 of the reference, by hand: calls a minute, calls an hour, routes.
var referenceTable = []struct {
	minute, hour int
	routes       []string
}{
	{100, 1500, []string{"GET machines", "GET machineactions", "GET alerts", "PATCH alerts/da1", "POST machines/abc/isolate", "POST machines/abc/StopAndQuarantineFile",
		"GET machines/abc/logonusers", "POST indicators", "GET libraryfiles", "POST libraryfiles", "DELETE libraryfiles/x.ps1", "GET machineactions/1/GetLiveResponseResultDownloadLink(index=0)"}},
	{10, 0, []string{"POST machines/abc/runliveresponse"}},
	{10, 500, []string{"POST alerts/batchUpdate"}},
	{15, 0, []string{"POST alerts/CreateAlertByReference"}},
	{30, 0, []string{"POST indicators/import"}},
	{0, 50, []string{"POST machines/abc/startInvestigation"}},
	{50, 1500, []string{"GET incidents", "PATCH incidents/1"}},
	{45, 1500, []string{"POST advancedqueries/run"}},
	{30, 1000, []string{"GET machines/SoftwareVulnerabilitiesByMachine", "GET machines/SoftwareVulnerabilityChangesByMachine", "GET machines/SoftwareInventoryByMachine",
		"GET machines/SoftwareInventoryNoProductCodeByMachine", "GET machines/SecureConfigurationsAssessmentByMachine"}},
	{5, 20, []string{"GET machines/SoftwareVulnerabilitiesExport", "GET machines/SoftwareInventoryExport", "GET machines/SoftwareInventoryNonCpeExport", "GET machines/SecureConfigurationsAssessmentExport"}},
	{50, 1500, []string{"GET investigations", "GET recommendations", "GET Software", "GET software/debian-_-openssl/machineReferences", "GET vulnerabilities", "GET vulnerabilities/machinesVulnerabilities",
		"GET exposureScore", "GET configurationScore", "GET machines/findbyip(ip='10.0.0.5',timestamp=2026-01-01T00:00:00Z)", "GET machines/findbytag", "GET machines/abc", "HEAD machines/abc"}},
}

// spend calls until it is refused, at most n+1 times, and returns how often it was let in.
func spend(t *testing.T, b *rateBook, l appLimits, route string, n int, at time.Time) (let int, refusal *RateError) {
	t.Helper()
	var method, path string
	if _, err := fmt.Sscan(route, &method, &path); err != nil {
		t.Fatal(err)
	}
	for let = 0; let <= n; let++ {
		err := b.admit("app", "s", "", l, method, path, at)
		if errors.As(err, &refusal) {
			return let, refusal
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return let, nil
}

func TestReferenceLimits(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	reference := appLimits{Preset: LimitReference}
	for _, row := range referenceTable {
		for _, route := range row.routes {
			t.Run(route, func(t *testing.T) {
				b := &rateBook{}
				first, long := row.minute, time.Minute
				if row.minute == 0 {
					first, long = row.hour, time.Hour
				}
				let, refusal := spend(t, b, reference, route, first, start)
				if let != first || refusal == nil || refusal.Limit != first || refusal.Per != long || refusal.After != long || refusal.Seconds() != int(long/time.Second) {
					t.Fatalf("%d were let in, then %+v; want %d in a %v", let, refusal, first, long)
				}
				if row.minute == 0 || row.hour == 0 {
					return
				}
				at, sum := start, let
				for sum < row.hour {
					at = at.Add(time.Minute)
					let, _ := spend(t, b, reference, route, min(first, row.hour-sum), at)
					sum += let
					if let == 0 {
						break
					}
				}
				_, refusal = spend(t, b, reference, route, 0, at)
				if sum != row.hour || refusal == nil || refusal.Limit != row.hour || refusal.Per != time.Hour {
					t.Fatalf("%d were let in within the hour, then %+v; want %d", sum, refusal, row.hour)
				}
				if let, _ := spend(t, b, reference, route, 0, start.Add(time.Hour)); let != 1 {
					t.Error("nothing is let in when the hour is over")
				}
			})
		}
	}
}

func TestRoutesOfAClassAreCountedTogetherAndClassesApart(t *testing.T) {
	b, at, l := &rateBook{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), appLimits{Preset: LimitReference}
	spend(t, b, l, "GET machines", 100, at)
	if let, _ := spend(t, b, l, "GET alerts", 0, at); let != 0 {
		t.Error("a route of the same class is let in")
	}
	if let, _ := spend(t, b, l, "GET software", 0, at); let != 1 {
		t.Error("a route of another class is refused")
	}
	if let, _ := spend(t, b, l, "GET x/devices", 0, at); let != 1 {
		t.Error("a route that the reference does not name has its limits")
	}
	if err := b.admit("other", "s", "", l, "GET", "machines", at); err != nil {
		t.Errorf("another application is refused: %v", err)
	}
}

func TestLimitsByDefaultAndOverridden(t *testing.T) {
	w, made := newAppWorld(t, MachineRead)
	ctx := t.Context()
	admit := func(n int) (let int, last error) {
		t.Helper()
		c, err := w.a.TokenCaller(ctx, w.token(made))
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			if last = w.a.Admit(c, "GET", "machines"); last != nil {
				return let, last
			}
			let++
		}
		return let, nil
	}
	if let, err := admit(6001); let != 5999 || err == nil { // the token itself was a call
		t.Errorf("by default %d were let in, then %v", let, err)
	}
	if row := w.row(); row.Refused != 1 || len(row.Uses) != 1 || row.Uses[0].Minute != 6000 || row.Uses[0].PerMinute != 6000 {
		t.Errorf("shown are %d refused, %+v", row.Refused, row.Uses)
	}
	*w.at = w.at.Add(time.Minute)
	if err := w.a.SetAPILimits(ctx, w.admin, LimitPlain, 10); err != nil {
		t.Fatal(err)
	}
	if let, _ := admit(11); let != 9 {
		t.Errorf("with a general limit of 10, %d were let in", let)
	}
	*w.at = w.at.Add(time.Minute)
	if _, err := w.a.EditApp(ctx, w.admin, w.client, AppEdit{Name: "siem", Permissions: []string{MachineRead}, Preset: LimitPlain, PerMinute: 20}); err != nil {
		t.Fatal(err)
	}
	if let, _ := admit(21); let != 19 {
		t.Errorf("with its own limit of 20, %d were let in", let)
	}
	again, err := OpenAccounts(ctx, w.st, w.a.log)
	if err != nil || again.rates.general.PerMinute != 10 {
		t.Errorf("after a restart the general limit is %+v, %v", again.rates.general, err)
	}
	for _, bad := range []struct {
		preset string
		n      int
	}{{"", 5}, {"none", 5}, {LimitPlain, 0}, {LimitPlain, maxPerMinute + 1}} {
		if err := w.a.SetAPILimits(ctx, w.admin, bad.preset, bad.n); !errors.Is(err, ErrInvalid) {
			t.Errorf("SetAPILimits(%q, %d) = %v", bad.preset, bad.n, err)
		}
	}
}

func TestCountsOfCallsAreForgotten(t *testing.T) {
	b, at := &rateBook{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for n := range 1000 {
		if err := b.admit(fmt.Sprint(n), "s", "", appLimits{}, "GET", "machines", at); err != nil {
			t.Fatal(err)
		}
	}
	if uses := b.take(at); len(uses) != 1000 {
		t.Errorf("%d uses are handed out", len(uses))
	}
	if uses := b.take(at.Add(time.Hour)); len(uses) != 0 || len(b.by) != 0 {
		t.Errorf("an hour later %d entries are held and %d uses handed out", len(b.by), len(uses))
	}
}

func TestAClockPutBackLetsNobodyWaitForEver(t *testing.T) {
	b, at := &rateBook{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := appLimits{Preset: LimitPlain, PerMinute: 1}
	spend(t, b, l, "GET machines", 1, at)
	if let, _ := spend(t, b, l, "GET machines", 0, at.Add(-24*time.Hour)); let != 1 {
		t.Error("a day must pass until the next call")
	}
}

// What holds for all applications holds for those without limits of their own, in
// each preset; people are not counted.
func TestLimitsForAll(t *testing.T) {
	a, _, _ := testAccounts(t)
	_, c := administrator(t, a, "")
	program := Caller{App: "x", tokenSecret: "s"}
	calls := func(who Caller, most int) (n int) {
		for n < most && a.Admit(who, "POST", "alerts/batchUpdate") == nil {
			n++
		}
		return n
	}
	if err := a.SetAPILimits(t.Context(), c, LimitReference, 0); err != nil {
		t.Fatal(err)
	}
	if n := calls(program, 100); n != 10 {
		t.Errorf("%d batch updates in a minute, want those of the reference, 10", n)
	}
	if err := a.SetAPILimits(t.Context(), c, LimitPlain, 1); err != nil {
		t.Fatal(err)
	}
	if n := calls(Caller{UserID: 1}, 100); n != 100 {
		t.Errorf("a person may call %d times", n)
	}
}
