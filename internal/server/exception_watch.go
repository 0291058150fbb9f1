package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

const (
	// exceptionsEvery is how often exceptions are looked at: whether they are
	// over, or what they are about got worse.
	exceptionsEvery = 15 * time.Second
	// An exception resurfaces when the devices with what it is about are at
	// least growthFactor times as many as when it was made, and growthLeast more.
	growthFactor = 2
	growthLeast  = 10
	// mostMatchedNow is how many devices are looked at for a path before a new
	// exception is answered; the rest follow in the background.
	mostMatchedNow = 300
	// tellAgain is how far back a start looks for ends that were not told.
	tellAgain = 24 * time.Hour
)

// baseline is how bad it was when an exception was made.
type baseline struct {
	Exploited []string `json:"exploited,omitempty"` // weaknesses with a public exploit, or worse
	Critical  []string `json:"critical,omitempty"`
	About     []string `json:"about,omitempty"`   // weaknesses, where it is about a recommendation
	Exposed   int      `json:"exposed"`           // devices
	Matched   bool     `json:"matched,omitempty"` // for a path: every device was looked at
}

// baselineOf is how bad it is now. The caller holds mu.
func (c *core) baselineOf(id int64, e *exceptionSpec) baseline {
	var b baseline
	x, ok := c.inForce(id, e)
	if !ok {
		return b
	}
	if x.What.Check >= 0 {
		b.Exposed = int(c.devicesOf(&x).GetCardinality())
		return b
	}
	weaknesses, devs := c.fleet.Scores().Selected(&x)
	b.Exposed = int(devs.GetCardinality())
	for _, w := range weaknesses {
		f := c.peek(w)
		if exploitRank(f.Threats.Exploit) > 0 || f.Threats.KEV {
			b.Exploited = append(b.Exploited, w)
		}
		if f.Severity == advisory.Critical {
			b.Critical = append(b.Critical, w)
		}
	}
	slices.Sort(b.Exploited)
	slices.Sort(b.Critical)
	if e.Remedy != "" {
		slices.Sort(weaknesses)
		b.About = weaknesses[:min(len(weaknesses), mostRemembered)]
	}
	return b
}

// worse says how it got worse than it was, "" when it did not.
func (b *baseline) worse(now *baseline) string {
	news := func(was, is []string) []string {
		return slices.DeleteFunc(slices.Clone(is), func(w string) bool {
			_, old := slices.BinarySearch(was, w)
			return old
		})
	}
	var why []string
	if list := news(b.Exploited, now.Exploited); len(list) > 0 {
		why = append(why, "exploited or with a public exploit now: "+someOf(list))
	}
	if list := news(b.Critical, now.Critical); len(list) > 0 {
		why = append(why, "new and critical: "+someOf(list))
	}
	if now.Exposed >= growthFactor*b.Exposed && now.Exposed >= b.Exposed+growthLeast {
		why = append(why, fmt.Sprintf("exposed devices rose from %d to %d", b.Exposed, now.Exposed))
	}
	return strings.Join(why, "; ")
}

// someOf names at most three of a list.
func someOf(list []string) string {
	if len(list) <= 3 {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:3], ", "), len(list)-3)
}

func (s *Server) askExceptions() {
	select {
	case s.exceptionsSoon <- struct{}{}:
	default:
	}
}

// runExceptions ends exceptions in time and brings back what got worse, until ctx ends.
func (s *Server) runExceptions(ctx context.Context) error {
	tick := time.NewTicker(exceptionsEvery)
	defer tick.Stop()
	for {
		if err := s.tendExceptions(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "tend exceptions", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.exceptionsSoon:
		case <-tick.C:
		}
	}
}

// tendExceptions ends what is over or got worse by now, and looks for the paths
// of exceptions on devices that were not looked at yet.
func (s *Server) tendExceptions(ctx context.Context) error {
	s.excepting.Lock()
	err := s.endExceptions(ctx, s.now())
	s.excepting.Unlock()
	if err != nil {
		return err
	}
	s.core.mu.RLock()
	var todo []*exception
	for _, e := range s.core.exceptions {
		if e.spec.open() && e.spec.Path != "" && !e.spec.Was.Matched {
			todo = append(todo, &exception{id: e.id, spec: e.spec, row: e.row})
		}
	}
	s.core.mu.RUnlock()
	for _, e := range todo {
		if err := s.matchPaths(ctx, e, 0); err != nil {
			return err
		}
	}
	return nil
}

// endExceptions ends exceptions whose time is over, and those that resurface.
// The caller holds excepting.
func (s *Server) endExceptions(ctx context.Context, now time.Time) error {
	c := s.core
	c.mu.RLock()
	open := make([]*exception, 0, len(c.exceptions))
	for _, e := range c.exceptions {
		if e.spec.open() {
			open = append(open, &exception{id: e.id, spec: e.spec, row: e.row})
		}
	}
	c.mu.RUnlock()
	var changes []*exception
	var events []store.ExceptionEvent
	end := func(e *exception, as, event, why string) {
		spec := *e.spec
		spec.Ended, spec.EndedAs, spec.Why = now, as, why
		changes = append(changes, &exception{id: e.id, spec: &spec, row: e.row})
		events = append(events, store.ExceptionEvent{At: now, Type: event, Detail: why})
	}
	for _, e := range open {
		if x := e.spec.Expires; !x.IsZero() && !now.Before(x) {
			end(e, StandsExpired, exceptionExpired, "its time was over on "+x.Format("2006-01-02 15:04")+" UTC")
			continue
		}
		if e.spec.Keep || e.spec.Path != "" && !e.spec.Was.Matched {
			continue
		}
		c.mu.RLock()
		is := c.baselineOf(e.id, e.spec)
		why := cmp.Or(e.spec.Was.worse(&is), c.excusedBefore(e.id, e.spec))
		c.mu.RUnlock()
		if why != "" {
			end(e, StandsResurfaced, exceptionResurfaced, why)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := s.saveExceptions(ctx, changes, events); err != nil {
		return err
	}
	for i, e := range changes {
		s.log.InfoContext(ctx, "exception ended", "exception", e.id, "as", events[i].Type, "why", events[i].Detail)
		if err := s.tellEnd(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// tellEnd puts the end of an exception into the timeline, once however often
// it is called.
func (s *Server) tellEnd(ctx context.Context, e *exception) error {
	c := s.core
	ev := Event{Kind: ExceptionExpired, Key: fmt.Sprintf("exception/%d/%s", e.id, e.spec.EndedAs), Product: e.spec.Product, Check: e.spec.Check, Detail: e.spec.Why,
		Link: fmt.Sprintf("/remediation/exceptions?open=%d", e.id)}
	if e.spec.EndedAs == StandsResurfaced {
		ev.Kind = ExceptionResurfaced
	}
	c.mu.RLock()
	if ev.Product == "" && ev.Check == "" {
		ev.Component = c.exceptionName(e.spec)
	}
	if x, ok := c.inForce(e.id, e.spec); ok {
		ev.Devices = c.devicesOf(&x)
		ev.Weaknesses, _ = c.fleet.Scores().Selected(&x)
		slices.Sort(ev.Weaknesses)
	}
	c.mu.RUnlock()
	if err := s.publishEvent(ctx, ev); err != nil {
		return fmt.Errorf("tell the end of exception %d: %w", e.id, err)
	}
	return nil
}

// loadExceptions reads exceptions and ends those whose time was over while the
// server was down.
func (s *Server) loadExceptions(ctx context.Context) error {
	rows, err := s.st.OpenExceptions(ctx, s.now().Add(-tellAgain))
	if err != nil {
		return err
	}
	list := make([]*exception, 0, len(rows))
	for _, row := range rows {
		e, err := parseException(row)
		if err != nil {
			return err
		}
		e.row.Spec = nil
		list = append(list, e)
	}
	s.core.mu.Lock()
	s.core.takeExceptions(list)
	s.core.mu.Unlock()
	for _, e := range list { // the server may have stopped between the end and its telling
		if x := e.spec; (x.EndedAs == StandsExpired || x.EndedAs == StandsResurfaced) && s.now().Sub(x.Ended) < tellAgain {
			if err := s.tellEnd(ctx, e); err != nil {
				return err
			}
		}
	}
	return s.endExceptions(ctx, s.now())
}

// pathHits says which components of a device are selected by the paths of
// exceptions that are not over. The caller holds mu.
func (c *core) pathHits(uses []exposure.Use) []exposure.PathHit {
	var out []exposure.PathHit
	for _, e := range c.exceptions {
		if !e.spec.open() || e.spec.Path == "" {
			continue
		}
		for _, i := range exposure.PathHits(e.spec.Path, uses) {
			if id, ok := c.fleet.Lookup(uses[i].Component); ok && len(out) < mostPathHits {
				out = append(out, exposure.PathHit{Exception: e.id, Component: id})
			}
		}
	}
	return out
}

// mostPathHits caps what is kept of one device.
const mostPathHits = 10_000

// setPaths takes in which components of a device paths select. The caller
// holds mu for writing.
func (c *core) setPaths(d *device, hits []exposure.PathHit) {
	if slices.Equal(c.fleet.Scores().PathsOf(d.num), hits) {
		return
	}
	c.fleet.Scores().SetPaths(d.num, hits)
	for rows := range c.caches {
		rows.forgetWeak()
	}
}

// matchPaths looks for the path of an exception on every device that has its
// product, or on every device, and notes that it was done. With more devices
// than most (0: no limit) it does nothing but ask for it in the background. It
// may read every device, so that the caller must not hold excepting: exceptions
// change meanwhile.
func (s *Server) matchPaths(ctx context.Context, e *exception, most int) error {
	c := s.core
	c.mu.RLock()
	devs := c.fleet.Devices()
	if e.spec.Product != "" {
		devs = c.fleet.InstalledDevices(e.spec.Product)
	}
	todo := devs.ToArray()
	c.mu.RUnlock()
	if most > 0 && len(todo) > most {
		s.askExceptions()
		return nil
	}
	for _, num := range todo {
		if err := s.matchDevice(ctx, num); err != nil {
			return err
		}
	}
	s.excepting.Lock()
	defer s.excepting.Unlock()
	c.mu.RLock()
	now := c.exceptionByID(e.id)
	if now == nil || !now.spec.open() || now.spec.Was.Matched { // it ended, or another one looked too
		c.mu.RUnlock()
		return nil
	}
	spec, row := *now.spec, now.row
	spec.Was = c.baselineOf(e.id, &spec)
	spec.Was.Matched = true
	c.mu.RUnlock()
	return s.saveExceptions(ctx, []*exception{{id: e.id, spec: &spec, row: row}}, []store.ExceptionEvent{{}})
}

func (s *Server) matchDevice(ctx context.Context, num uint32) error {
	c := s.core
	c.mu.RLock()
	d := c.at(num)
	c.mu.RUnlock()
	if d == nil {
		return nil
	}
	d.report.Lock()
	defer d.report.Unlock()
	sections, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return fmt.Errorf("read sections of %s: %w", d.id, err)
	}
	profile := exposure.Profile(sections)
	c.mu.Lock()
	hits := c.pathHits(profile.Uses)
	same := slices.Equal(hits, d.sum.Paths)
	c.setPaths(d, hits)
	d.sum.Paths = hits
	sum, held := d.sum, d.held
	c.mu.Unlock()
	if same {
		return nil
	}
	return s.storeSummary(ctx, d.num, d.id, sum, held)
}

// storeSummary keeps a summary of a device that follows from what is stored of it.
func (s *Server) storeSummary(ctx context.Context, num uint32, id inventory.DeviceID, sum summary, held store.Holding) error {
	raw, err := json.Marshal(sum)
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	rep := store.Ingest{Device: num, ID: id, At: time.Now().UTC(), State: &store.DeviceState{Device: num, Summary: raw, Components: held}}
	if _, err := s.st.Apply(ctx, []store.Ingest{rep}); err != nil {
		return fmt.Errorf("store summary of %s: %w", id, err)
	}
	return nil
}
