package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

const (
	// trendEvery is how often the scores are looked at for their history, and
	// trendHold how long a score that does not change may go unrecorded.
	trendEvery = time.Minute
	trendHold  = time.Hour
	// trendShown is how far back the dashboard's trends go, and trendPoints
	// about how many points they have.
	trendShown  = 30 * 24 * time.Hour
	trendPoints = 240
	// countEvery is how often exposed devices are counted for their trend.
	countEvery = 10 * time.Minute
	// trendDays is how many days a trend of exposed devices has, today included.
	trendDays = 30
)

// runScores keeps scores up to date, takes silent devices out of them and
// writes their history, until ctx ends.
func (s *Server) runScores(ctx context.Context) error {
	if err := s.recheck(ctx); err != nil {
		return err
	}
	if err := s.core.settle(ctx); err != nil {
		return err
	}
	if err := s.tellChecks(ctx); err != nil {
		s.log.ErrorContext(ctx, "tell of new configuration checks", "error", err)
	}
	tick := time.NewTicker(trendEvery)
	defer tick.Stop()
	h := &historian{}
	var err error
	if h.groups, err = s.lastGroupScores(ctx); err != nil {
		return err
	}
	if h.secures, err = s.lastGroupSecures(ctx); err != nil {
		return err
	}
	if last, err := s.st.LastScores(ctx); err == nil {
		h.score = last.ScorePoint
	}
	for {
		if err := s.followSupport(ctx, s.now()); err != nil && !errors.Is(err, context.Canceled) {
			s.log.ErrorContext(ctx, "follow ends of support", "error", err)
		}
		if err := s.core.settle(ctx); err != nil {
			return err
		}
		if err := s.record(ctx, h, time.Now().UTC()); err != nil && !errors.Is(err, context.Canceled) {
			s.log.ErrorContext(ctx, "record scores", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.settleSoon:
		case <-tick.C:
			s.retire(time.Now())
		}
	}
}

// historian remembers what the histories have last.
type historian struct {
	score   store.ScorePoint
	groups  groupScores
	secures groupSecures
	secure  store.SecurePoint
	counted time.Time // when exposed devices were last counted
	day     int       // and for which day
}

// record brings every history up to now.
func (s *Server) record(ctx context.Context, h *historian, now time.Time) error {
	var errs []error
	var err error
	errs = append(errs, s.scoreChanges(ctx), s.core.past.renew(ctx, s.st, now))
	if h.score, err = s.recordScore(ctx, h.score, now); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, s.recordGroups(ctx, h.groups, now), s.recordGroupSecures(ctx, h.secures, now))
	if h.secure, err = s.recordSecure(ctx, h.secure, now); err != nil {
		errs = append(errs, err)
	}
	if since := now.Sub(h.counted); dayOf(now) != h.day || since < 0 || since >= countEvery {
		if err = s.recordTrends(ctx, now); err != nil {
			errs = append(errs, err)
		} else {
			h.counted, h.day = now, dayOf(now)
		}
	}
	return errors.Join(errs...)
}

// due says whether a point is to be recorded: one that changed, once a minute,
// and one that did not, once an hour. A clock that was set back makes every
// point due that changed.
func due(changed bool, since time.Duration) bool {
	if since < 0 {
		return true
	}
	return since >= trendHold || changed && since >= trendEvery
}

// recordScore appends the score to the history when it changed or the last one
// is old, and returns the last point.
func (s *Server) recordScore(ctx context.Context, last store.ScorePoint, now time.Time) (store.ScorePoint, error) {
	s.core.mu.RLock()
	v, stamp := s.core.scoreView(s.core.lensOf(exposure.Everywhere())), weightsStamp(s.core.weighting)
	s.core.mu.RUnlock()
	changed := v.Num != last.Num || v.Den != last.Den || v.Version != last.Version || stamp != last.Weights
	if v.Devices == 0 || !due(changed, now.Sub(last.At)) {
		return last, nil
	}
	p := store.ScorePoint{At: now, Version: v.Version, Weights: stamp, Num: v.Num, Den: v.Den, Score: v.Score, Devices: v.Devices,
		Levels: [4]int{v.Levels.None, v.Levels.Low, v.Levels.Medium, v.Levels.High}}
	if err := s.st.AddScore(ctx, p); err != nil {
		return last, err
	}
	s.core.past.add(&p, nil)
	s.live.publish(LiveEvent{Resource: "score"})
	return p, nil
}

// usedGroups are the groups with devices that count.
func (c *core) usedGroups() []exposure.Group {
	seen := map[exposure.Group]bool{}
	for it := c.fleet.Scores().Devices().Iterator(); it.HasNext(); {
		seen[c.fleet.Scores().DeviceGroup(it.Next())] = true
	}
	out := make([]exposure.Group, 0, len(seen))
	for g := range seen {
		out = append(out, g)
	}
	slices.Sort(out)
	return out
}

// recordSecure does for the secure score what recordScore does.
func (s *Server) recordSecure(ctx context.Context, last store.SecurePoint, now time.Time) (store.SecurePoint, error) {
	s.core.mu.RLock()
	score := s.core.secureScore(s.core.lensOf(exposure.Everywhere()))
	devices := int(s.core.fleet.Scores().Devices().GetCardinality())
	s.core.mu.RUnlock()
	if score.Total.Max == 0 {
		return last, nil
	}
	v := secureView(score, now)
	p := store.SecurePoint{At: now, Version: score.Version, Checks: posture.Digest(), Got: score.Total.Got.RatString(), Max: score.Total.Max, PerCent: v.PerCent,
		Devices: devices, Categories: map[string]float64{}}
	for _, k := range v.Categories {
		if k.Max > 0 {
			p.Categories[k.Category] = k.PerCent
		}
	}
	changed := p.Got != last.Got || p.Max != last.Max || p.Version != last.Version || p.Checks != last.Checks
	if !due(changed, now.Sub(last.At)) {
		return last, nil
	}
	if err := s.st.AddSecure(ctx, p); err != nil {
		return last, err
	}
	s.core.past.add(nil, &p)
	s.live.publish(LiveEvent{Resource: "score"})
	return p, nil
}

// pastBook keeps the histories of both scores as trends show them: a month of
// points takes the store longer to read than a dashboard may take. New points
// are put behind what was read; once an hour it is read, and thinned, again.
type pastBook struct {
	mu     sync.Mutex
	read   time.Time // zero: not yet
	score  []store.ScorePoint
	secure []store.SecurePoint
}

// pastEvery is how often histories are read again.
const pastEvery = time.Hour

// since returns the points of a time on, up to now.
func (b *pastBook) since(ctx context.Context, st *store.Store, from, now time.Time) ([]store.ScorePoint, []store.SecurePoint, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.read.IsZero() {
		if err := b.load(ctx, st, now); err != nil {
			return nil, nil, err
		}
	}
	shown := func(at time.Time) bool { return !at.Before(from) && !at.After(now.Add(store.ClockSlack)) }
	var score []store.ScorePoint
	for _, p := range b.score {
		if shown(p.At) {
			score = append(score, p)
		}
	}
	var secure []store.SecurePoint
	for _, p := range b.secure {
		if shown(p.At) {
			secure = append(secure, p)
		}
	}
	return score, secure, nil
}

// renew reads the histories again when that was long ago, or by another clock.
func (b *pastBook) renew(ctx context.Context, st *store.Store, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if age := now.Sub(b.read); b.read.IsZero() || age >= 0 && age < pastEvery {
		return nil
	}
	return b.load(ctx, st, now)
}

// load reads the histories. The caller holds mu.
func (b *pastBook) load(ctx context.Context, st *store.Store, now time.Time) error {
	score, err := st.Scores(ctx, now.Add(-trendShown), now, trendPoints)
	if err != nil {
		return err
	}
	secure, err := st.Secures(ctx, now.Add(-trendShown), now, trendPoints)
	if err != nil {
		return err
	}
	b.read, b.score, b.secure = now, score, secure
	return nil
}

// add puts a point that is stored behind the others; nil is none. The store may
// have given it the time of the one before.
func (b *pastBook) add(score *store.ScorePoint, secure *store.SecurePoint) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.read.IsZero() {
		return
	}
	later := func(at, before time.Time) time.Time {
		if before.After(at) {
			return before
		}
		return at
	}
	if score != nil {
		p := *score
		if n := len(b.score); n > 0 {
			p.At = later(p.At, b.score[n-1].At)
		}
		b.score = append(b.score, p)
	}
	if secure != nil {
		p := *secure
		if n := len(b.secure); n > 0 {
			p.At = later(p.At, b.secure[n-1].At)
		}
		b.secure = append(b.secure, p)
	}
}

// dayOf is a time's day in UTC, from 1970 on.
func dayOf(t time.Time) int { return int(t.Unix() / 86400) }

// trendStep is a count that holds from a day on.
type trendStep struct{ day, devices int }

// trendBook is how many devices each cause had on each of the last days: what
// the store has, by cause and group, changes only.
type trendBook struct {
	mu    sync.RWMutex
	day   int // that it was read for
	first int // earliest day with a count
	steps map[string]groupSteps
}

// groupSteps are the counts of one cause by device group, each ordered by day.
type groupSteps map[exposure.Group][]trendStep

// softwareCause is the cause that stands for all findings of a product.
func softwareCause(product string) string { return "software-_-" + product }

// load reads the book for a day.
func (b *trendBook) load(ctx context.Context, st *store.Store, day int) error {
	steps := map[string]groupSteps{}
	first, err := st.Trends(ctx, day-trendDays+1, day, func(p store.TrendPoint) error {
		if steps[p.Cause] == nil {
			steps[p.Cause] = groupSteps{}
		}
		g := exposure.Group(p.Group)
		steps[p.Cause][g] = append(steps[p.Cause][g], trendStep{p.Day, p.Devices})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read trends of exposed devices: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.day, b.first, b.steps = day, first, steps
	return nil
}

// recordTrends counts the devices of every cause in every group and stores what
// changed since the count that holds today. Counts are kept by the day that the
// clock says: after a jump back they replace that day's, and days that are yet
// to come are not looked at.
func (s *Server) recordTrends(ctx context.Context, now time.Time) error {
	c, day := s.core, dayOf(now)
	b := c.trends
	if b.day != day {
		if err := b.load(ctx, s.st, day); err != nil {
			return err
		}
	}
	counts := map[string]map[exposure.Group]int{}
	c.mu.RLock()
	w := c.weights()
	for _, g := range c.usedGroups() {
		for _, r := range c.fleet.Scores().Reliefs([]exposure.Group{g}, w) {
			cause := causeOf(&r)
			if counts[cause] == nil {
				counts[cause] = map[exposure.Group]int{}
			}
			counts[cause][g] = r.Devices
		}
	}
	c.mu.RUnlock()
	out := b.changes(counts, day)
	if err := s.st.AddTrend(ctx, out); err != nil {
		return err
	}
	b.put(out, day)
	return nil
}

// changes are the counts that differ from those that hold.
func (b *trendBook) changes(counts map[string]map[exposure.Group]int, day int) []store.TrendPoint {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []store.TrendPoint
	for cause, by := range counts {
		for g, n := range by {
			if last(b.steps[cause][g]) != n {
				out = append(out, store.TrendPoint{Cause: cause, Group: uint16(g), Day: day, Devices: n})
			}
		}
	}
	for cause, by := range b.steps {
		for g, list := range by {
			if counts[cause][g] == 0 && last(list) != 0 {
				out = append(out, store.TrendPoint{Cause: cause, Group: uint16(g), Day: day})
			}
		}
	}
	return out
}

// put takes in counts that are stored.
func (b *trendBook) put(points []store.TrendPoint, day int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(points) > 0 {
		b.first = min(b.first, day)
	}
	for _, p := range points {
		by := b.steps[p.Cause]
		if by == nil {
			by = groupSteps{}
			b.steps[p.Cause] = by
		}
		list := by[exposure.Group(p.Group)]
		if n := len(list); n > 0 && list[n-1].day == day {
			list = list[:n-1]
		}
		by[exposure.Group(p.Group)] = append(list, trendStep{day, p.Devices})
	}
}

func last(list []trendStep) int {
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].devices
}

// causeOf names what a relief is about.
func causeOf(r *exposure.Relief) string {
	switch {
	case r.Check >= 0:
		return "sca-_-" + posture.Checks()[r.Check].ID
	case r.Remedy == exposure.Gone:
		return softwareCause(r.Product)
	}
	return recommendationID(r.Product, r.Remedy)
}

// of is how many devices of groups (nil: all) a cause had on each of the last
// days that were counted, oldest first; today's count is now's.
func (b *trendBook) of(cause string, groups []exposure.Group, now int) []int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	from := max(b.first, b.day-trendDays+1)
	if from > b.day {
		return []int{now}
	}
	out := make([]int, b.day-from+1)
	for g, list := range b.steps[cause] {
		if groups != nil && !slices.Contains(groups, g) {
			continue
		}
		n := 0
		for i := range out {
			for len(list) > 0 && list[0].day <= from+i {
				n, list = list[0].devices, list[1:]
			}
			out[i] += n
		}
	}
	out[len(out)-1] = now
	return out
}

// trends are the histories of a dashboard.
type trends struct {
	score  []TrendPoint
	secure []store.SecurePoint // of all devices
	groups []SecureTrendPoint  // of those that were asked for
}

// trends reads the histories for a caller's device groups.
func (s *Server) trends(ctx context.Context, caller Caller, now time.Time) (t trends, err error) {
	if t.score, err = s.trend(ctx, caller.looks(), now.Add(-trendShown)); err != nil {
		return t, fmt.Errorf("read history of the score: %w", err)
	}
	if !caller.looks().All() {
		t.groups, err = s.groupSecureTrend(ctx, caller.looks(), now.Add(-trendShown))
		return t, err
	}
	if _, t.secure, err = s.core.past.since(ctx, s.st, now.Add(-trendShown), now); err != nil {
		return t, fmt.Errorf("read history of the secure score: %w", err)
	}
	return t, nil
}

// end writes the trends into a dashboard, the scores of now at their ends.
func (t *trends) end(d *Dashboard) {
	d.SecureTrend = make([]SecureTrendPoint, 0, len(t.secure)+1)
	d.Trend = append(t.score, TrendPoint{At: d.Score.AsOf, Score: d.Score.Score, Version: d.Score.Version, Weights: d.Score.Weights, Devices: d.Score.Devices})
	for _, p := range t.secure {
		q := SecureTrendPoint{At: p.At, PerCent: p.PerCent, Version: p.Version, Devices: p.Devices, Categories: []SecureTrendCategory{}}
		for _, k := range posture.Categories {
			if pc, ok := p.Categories[string(k)]; ok {
				q.Categories = append(q.Categories, SecureTrendCategory{string(k), pc})
			}
		}
		d.SecureTrend = append(d.SecureTrend, q)
	}
	d.SecureTrend = append(d.SecureTrend, t.groups...)
	if d.Secure.Max == 0 {
		return
	}
	q := SecureTrendPoint{At: d.Secure.AsOf, PerCent: d.Secure.PerCent, Version: d.Secure.Version, Devices: d.Score.Devices, Categories: []SecureTrendCategory{}}
	for _, k := range d.Secure.Categories {
		if k.Max > 0 {
			q.Categories = append(q.Categories, SecureTrendCategory{k.Category, k.PerCent})
		}
	}
	d.SecureTrend = append(d.SecureTrend, q)
}

// softwareTrends fills in how many devices were exposed through products. The
// caller holds core.mu for reading.
func (c *core) softwareTrends(rows []SoftwareRow, l lens) {
	for i := range rows {
		now, _ := c.fleet.Scores().ReliefOf(rows[i].ID, exposure.Gone, l.groups, exposure.DefaultWeights(0))
		rows[i].Trend = c.trends.of(softwareCause(rows[i].ID), l.groups, now.Devices)
	}
}

// recommendationTrends does so for what recommendations close.
func (c *core) recommendationTrends(rows []RecommendationRow, l lens) {
	for i := range rows {
		rows[i].Trend = c.trends.of(rows[i].ID, l.groups, rows[i].Exposed)
	}
}
