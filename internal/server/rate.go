package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/store"
)

// Presets of limits.
const (
	// LimitPlain is one number of calls a minute over all routes.
	LimitPlain = "plain"
	// LimitReference is what the Defender API allows, by class of routes.
	LimitReference = "reference"
)

const (
	defaultPerMinute = 6000
	maxPerMinute     = 10_000_000
	ratesEvery       = 10 * time.Second
	limitSetting     = "api_limits"
)

// appLimits are the limits of one application; the zero value is "as all others".
type appLimits struct {
	Preset    string `json:"preset,omitempty"`     // LimitPlain, LimitReference or ""
	PerMinute int    `json:"per_minute,omitempty"` // with LimitPlain
}

func limitsOf(text string) (l appLimits) {
	if json.Unmarshal([]byte(text), &l) != nil {
		return appLimits{}
	}
	return l
}

// check refuses limits that cannot be; what is stored is returned.
func (l appLimits) check(general bool) (appLimits, error) {
	switch l.Preset {
	case LimitPlain:
		if l.PerMinute < 1 || l.PerMinute > maxPerMinute {
			return l, Invalidf("per_minute", "%d is not between 1 and %d", l.PerMinute, maxPerMinute)
		}
		return l, nil
	case LimitReference:
		return appLimits{Preset: LimitReference}, nil
	case "":
		if !general {
			return appLimits{}, nil
		}
	}
	return l, Invalidf("preset", "%q is not one of plain, reference", l.Preset)
}

// rateClass are routes that are counted together. Zero is no bound.
type rateClass struct {
	name               string
	perMinute, perHour int
	routes             []string // "METHOD path", "*" for one part of a path
}

// referenceLimits are the limits of the Defender API. Routes that it does not
// name have the plain limit.
var referenceLimits = []rateClass{
	{"Export of assessments as files", 5, 20, []string{"GET machines/SoftwareVulnerabilitiesExport", "GET machines/SoftwareInventoryExport",
		"GET machines/SoftwareInventoryNonCpeExport", "GET machines/SecureConfigurationsAssessmentExport"}},
	{"Export of assessments", 30, 1000, []string{"GET machines/SoftwareVulnerabilitiesByMachine", "GET machines/SoftwareVulnerabilityChangesByMachine",
		"GET machines/SoftwareInventoryByMachine", "GET machines/SoftwareInventoryNoProductCodeByMachine", "GET machines/SecureConfigurationsAssessmentByMachine"}},
	{"Live response", 10, 0, []string{"POST machines/*/runliveresponse"}},
	{"Batch update of alerts", 10, 500, []string{"POST alerts/batchUpdate"}},
	{"Alerts by reference", 15, 0, []string{"POST alerts/CreateAlertByReference"}},
	{"Import of indicators", 30, 0, []string{"POST indicators/import"}},
	{"Start of investigations", 0, 50, []string{"POST machines/*/startInvestigation"}},
	{"Incidents", 50, 1500, []string{"* incidents", "* incidents/*"}},
	{"Advanced hunting", 45, 1500, []string{"POST advancedqueries/run", "POST advancedhunting/run"}},
	{"Files, addresses, hosts and users", 100, 1500, []string{"GET files/*", "GET files/*/*", "GET domains/*/*", "GET ips/*/*", "GET users/*/*"}},
	{"Devices, actions, alerts, indicators and library", 100, 1500, []string{"GET machines", "GET machineactions", "GET machineactions/*", "GET machineactions/*/*",
		"GET alerts", "PATCH alerts/*", "POST machines/*/isolate", "POST machines/*/unisolate", "POST machines/*/runAntiVirusScan",
		"POST machines/*/collectInvestigationPackage", "POST machineactions/*/cancel", "POST machines/*/StopAndQuarantineFile", "GET machines/*/logonusers",
		"GET indicators", "GET indicators/*", "POST indicators", "POST indicators/BatchDelete", "DELETE indicators/*", "* libraryfiles", "* libraryfiles/*"}},
	{"Vulnerability management and single devices", 50, 1500, []string{"GET investigations", "GET investigations/*", "GET recommendations", "GET recommendations/*", "GET recommendations/*/*",
		"GET software", "GET software/*", "GET software/*/*", "GET vulnerabilities", "GET vulnerabilities/*", "GET vulnerabilities/*/*",
		"GET exposureScore", "GET exposureScore/*", "GET configurationScore", "GET machines/*", "GET machines/*/software", "GET machines/*/vulnerabilities",
		"GET machines/*/recommendations", "GET machines/*/getmissingkbs"}},
}

// classOf finds the class of a route under a limit: path is what follows
// "/api/", without a version.
func classOf(l appLimits, method, path string, plain int) rateClass {
	if l.Preset == LimitReference {
		for _, c := range referenceLimits {
			if slices.ContainsFunc(c.routes, func(r string) bool { return routeIs(r, method, path) }) {
				return c
			}
		}
	}
	return rateClass{name: "All calls", perMinute: plain}
}

func routeIs(route, method, path string) bool {
	m, want, _ := strings.Cut(route, " ")
	if method == "HEAD" {
		method = "GET"
	}
	if m != "*" && m != method {
		return false
	}
	a, b := strings.Split(want, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != "*" && !strings.EqualFold(a[i], b[i]) {
			return false
		}
	}
	return true
}

// RateError says that a program made more calls than it may. It is an ErrUnavailable.
type RateError struct {
	Class string        // of routes
	Limit int           // calls
	Per   time.Duration // in this time
	After time.Duration // until the next one is allowed
}

// Error says which limit it is and how long to wait.
func (e *RateError) Error() string {
	per := "minute"
	if e.Per == time.Hour {
		per = "hour"
	}
	return fmt.Sprintf("%s: the limit of %d in a %s is used up; wait %d seconds", e.Class, e.Limit, per, e.Seconds())
}

// Seconds is the wait, in whole seconds from 1 on.
func (e *RateError) Seconds() int { return max(1, int((e.After+time.Second-1)/time.Second)) }

// Is makes every RateError an ErrUnavailable.
func (e *RateError) Is(target error) bool { return target == ErrUnavailable }

// span counts calls from its first one on, for as long as it is.
type span struct {
	begun time.Time
	calls int
}

// left is how long a full window lasts on, 0 when there is room. A clock that
// was put back starts it anew.
func (w *span) left(at time.Time, long time.Duration, most int) time.Duration {
	if age := at.Sub(w.begun); age < 0 || age >= long {
		*w = span{begun: at}
	}
	if most == 0 || w.calls < most {
		return 0
	}
	return w.begun.Add(long).Sub(at)
}

// rateBook counts the calls of every program. There is one entry for each
// program that called within an hour and each class of routes: what it holds is
// bounded by how many applications there may be. Safe for concurrent use.
type rateBook struct {
	mu      sync.Mutex
	general appLimits
	by      map[string]*appRate
}

type appRate struct {
	classes map[string]*classRate
	use     store.AppUse // not written yet
}

type classRate struct {
	class        rateClass
	minute, hour span
}

// admit counts a call, or refuses it with a *RateError, which counts against nothing.
func (b *rateBook) admit(client, secret, remote string, l appLimits, method, path string, at time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.Preset == "" {
		l = b.general
	}
	plain := b.plain()
	if l.Preset == LimitPlain {
		plain = l.PerMinute
	}
	if b.by == nil {
		b.by = map[string]*appRate{}
	}
	a := b.by[client]
	if a == nil {
		a = &appRate{classes: map[string]*classRate{}}
		b.by[client] = a
	}
	class := classOf(l, method, path, plain)
	r := a.classes[class.name]
	if r == nil {
		r = &classRate{}
		a.classes[class.name] = r
	}
	r.class = class
	a.use.Client, a.use.Secret, a.use.At = client, secret, at
	if remote != "" {
		a.use.Remote = remote
	}
	a.use.Calls++
	minute, hour := r.minute.left(at, time.Minute, class.perMinute), r.hour.left(at, time.Hour, class.perHour)
	switch {
	case hour > 0 && hour >= minute:
		a.use.Refused++
		return &RateError{Class: class.name, Limit: class.perHour, Per: time.Hour, After: hour}
	case minute > 0:
		a.use.Refused++
		return &RateError{Class: class.name, Limit: class.perMinute, Per: time.Minute, After: minute}
	}
	r.minute.calls++
	r.hour.calls++
	return nil
}

// plain is the limit of routes that have no other. The caller holds mu.
func (b *rateBook) plain() int {
	if b.general.Preset == LimitPlain {
		return b.general.PerMinute
	}
	return defaultPerMinute
}

// take hands out what is to be written and forgets who did not call for an hour.
func (b *rateBook) take(at time.Time) []store.AppUse {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []store.AppUse
	for client, a := range b.by {
		if a.use.Calls > 0 {
			out = append(out, a.use)
			a.use = store.AppUse{}
		}
		for name, r := range a.classes {
			if age := at.Sub(r.hour.begun); age < 0 || age >= time.Hour {
				delete(a.classes, name)
			}
		}
		if len(a.classes) == 0 {
			delete(b.by, client)
		}
	}
	return out
}

// RateUse is how much of a limit is used now.
type RateUse struct {
	Class     string `json:"class"`
	Minute    int    `json:"minute"`     // calls in the minute that is under way
	PerMinute int    `json:"per_minute"` // 0: no bound
	Hour      int    `json:"hour"`
	PerHour   int    `json:"per_hour"`
}

// now is what an application uses of its limits, and what is not written yet.
func (b *rateBook) now(client string, at time.Time) ([]RateUse, store.AppUse) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []RateUse{}
	a := b.by[client]
	if a == nil {
		return out, store.AppUse{}
	}
	for _, name := range slices.Sorted(maps.Keys(a.classes)) {
		r := a.classes[name]
		u := RateUse{Class: name, PerMinute: r.class.perMinute, PerHour: r.class.perHour}
		if at.Sub(r.minute.begun) < time.Minute {
			u.Minute = r.minute.calls
		}
		if at.Sub(r.hour.begun) < time.Hour {
			u.Hour = r.hour.calls
		}
		out = append(out, u)
	}
	return out, a.use
}

// Admit counts a call of a program; people are not counted. path is what
// follows "/api/", without a version. Too many are a *RateError.
func (a *Accounts) Admit(c Caller, method, path string) error {
	if c.App == "" {
		return nil
	}
	return a.rates.admit(c.App, c.tokenSecret, c.Remote, c.limits, method, path, a.now())
}

func (a *Accounts) loadRates(ctx context.Context) error {
	l := appLimits{Preset: LimitPlain, PerMinute: defaultPerMinute}
	text, err := a.st.Setting(ctx, limitSetting)
	if err == nil {
		l, err = limitsOf(string(text)).check(true)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read limits: %w", err)
	}
	a.rates.mu.Lock()
	defer a.rates.mu.Unlock()
	a.rates.general = l
	return nil
}

// flushRates writes what programs did.
func (a *Accounts) flushRates(ctx context.Context) {
	if err := a.st.UseApps(ctx, a.rates.take(a.now())); err != nil {
		a.log.ErrorContext(ctx, "write use of applications", "error", err)
	}
}

// runRates writes now and then until ctx ends, and once more then.
func (a *Accounts) runRates(ctx context.Context) error {
	tick := time.NewTicker(ratesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.flushRates(context.WithoutCancel(ctx))
			return ctx.Err()
		case <-tick.C:
			a.flushRates(ctx)
		}
	}
}
