package server

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// Kinds of events: what changed what the fleet is exposed to.
const (
	NewVulnerability    = "NewVulnerability"           // weaknesses that count on devices because the intelligence says so now
	NewPublicExploit    = "NewPublicExploit"           // an exploit became public
	ExploitVerified     = "ExploitVerified"            // exploited in the wild
	ExploitInKit        = "ExploitInKit"               // part of an exploit kit
	AddedToKEV          = "AddedToKEV"                 // in CISA's catalogue now; says ExploitVerified too
	FixPublished        = "FixPublished"               // was open, a fixed version exists now
	SupportEnded        = "SupportEnded"               // nobody makes fixes in a release line any more
	NewConfiguration    = "NewConfigurationAssessment" // a configuration check that is new in this version of Picket
	ExceptionExpired    = "ExceptionExpired"
	ExceptionResurfaced = "ExceptionResurfaced" // what was excepted became worse and counts again
	FirstAssessment     = "FirstAssessment"     // feeds speak for software for the first time: all that they say at once
)

// eventKinds are all kinds, in the order in which one change tells them.
var eventKinds = []string{NewVulnerability, NewPublicExploit, ExploitVerified, ExploitInKit, AddedToKEV, FixPublished, SupportEnded, NewConfiguration,
	ExceptionExpired, ExceptionResurfaced, FirstAssessment}

// Event is news for the timeline, for whoever publishes it.
type Event struct {
	Kind string
	// Key names the event for good: publishing it again, also after a restart,
	// changes nothing. "" makes an event each time.
	Key        string
	Product    string          // product id, "" when it is about none
	Check      string          // id of a configuration check, "" when it is about none
	Component  string          // what it is about, for people; "": the product's name or the check's title
	Detail     string          // one sentence more, "" for none
	Link       string          // path of the console that leads on, "" for none
	Weaknesses []string        // that it is about
	Devices    *roaring.Bitmap // that it concerns; nil: none. Devices that do not count in scores are left out
}

// publishEvent puts an event into the timeline. When it returns nil the event
// is on disk, once. It must not be called with core.mu held.
func (s *Server) publishEvent(ctx context.Context, e Event) error {
	if !slices.Contains(eventKinds, e.Kind) {
		return Invalidf("kind", "%q is no kind of event", e.Kind)
	}
	c := s.core
	c.mu.RLock()
	counted := c.fleet.Scores().Devices().Clone()
	row := store.Event{Kind: e.Kind, Key: e.Key, Product: e.Product, Component: e.Component, Check: e.Check, Detail: e.Detail, Link: e.Link,
		Weaknesses: e.Weaknesses}
	if info, ok := c.fleet.Product(e.Product, nil); ok {
		row.Vendor = info.Vendor
		if row.Component == "" {
			row.Component = info.Name
		}
	}
	c.mu.RUnlock()
	if k, ok := posture.ByID(e.Check); ok && row.Component == "" {
		row.Component = k.Title
	}
	devs := roaring.New()
	if e.Devices != nil {
		devs = roaring.And(e.Devices, counted)
	}
	var err error
	if row.Devices, err = packDevices(devs); err != nil {
		return err
	}
	news := &store.News{Events: []store.Event{row}}
	if news.Change, err = s.change(counted, s.standing()); err != nil {
		return err
	}
	if err := s.st.AddNews(ctx, news); err != nil {
		return fmt.Errorf("store event: %w", err)
	}
	s.told(news)
	return nil
}

// standing is how the organisation stands: both scores, exact. A score of no
// device is "".
type standing struct {
	version, secureVersion int
	score, secure          string
	stale                  bool // the exposure score is of an earlier moment
}

// standing reads how the organisation stands now.
func (s *Server) standing() standing {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.standing()
}

// standing is for callers that hold mu for reading.
func (c *core) standing() standing {
	t := c.fleet.Scores().Total(nil, c.weights())
	out := standing{version: exposure.ScoreVersion, stale: c.fleet.Scores().Stale()}
	if t.Devices > 0 {
		out.score = fmt.Sprintf("%s/%d", t.Mean.Num.Big(), t.Mean.Den)
	}
	sec := c.secureScore(c.lensOf(exposure.Everywhere()))
	out.secureVersion = sec.Version
	if pc := sec.Total.PerCent(); pc != nil {
		out.secure = pc.RatString()
	}
	return out
}

// change begins a change that is told now; its scores afterwards are filled in
// when they have settled.
func (s *Server) change(counted *roaring.Bitmap, before standing) (store.EventChange, error) {
	packed, err := packDevices(counted)
	return store.EventChange{At: time.Now().UTC(), Counted: packed, ScoreVersion: before.version, ScoreBefore: before.score,
		SecureVersion: before.secureVersion, SecureBefore: before.secure}, err
}

// told takes committed news into memory and tells consoles.
func (s *Server) told(news *store.News) {
	c := s.core
	c.mu.Lock()
	c.noted.take(news.Noted)
	for rows := range c.caches { // what is tagged as a new fix follows from events
		rows.mu.Lock()
		for i := range news.Events {
			if e := &news.Events[i]; e.Kind == FixPublished {
				rows.forgetProduct(e.Product)
			}
		}
		rows.mu.Unlock()
	}
	c.mu.Unlock()
	if len(news.Events) == 0 {
		return
	}
	if err := c.events.add(news.Change, news.Events); err != nil {
		s.log.Error("read back events", "error", err) // they are on disk: the next start tries again
	}
	s.live.publish(LiveEvent{Resource: "events"})
}

// scoreChanges fills in the scores after changes that were told before the
// scores had settled.
func (s *Server) scoreChanges(ctx context.Context) error {
	pending := s.core.events.pending()
	if len(pending) == 0 {
		return nil
	}
	now := s.standing()
	if now.stale {
		return nil
	}
	for _, ch := range pending {
		if err := s.st.ScoreChange(ctx, ch.id, now.score, now.secure); err != nil {
			return fmt.Errorf("store scores after a change: %w", err)
		}
	}
	s.core.events.score(pending, now)
	s.live.publish(LiveEvent{Resource: "events"})
	return nil
}

// event is one event in memory. It never changes.
type event struct {
	store.Event
	change  *eventChange
	devices *roaring.Bitmap
}

// eventChange is what events of one change have in common. Its scores are
// guarded by the book's mu.
type eventChange struct {
	id                     int64
	counted                *roaring.Bitmap
	version, secureVersion int
	score, secure          [2]string // before and after
}

// eventBookSize is how many events are kept in memory; older ones are read from the store.
const eventBookSize = 20_000

// eventBook keeps the newest events in memory, oldest first.
type eventBook struct {
	mu      sync.RWMutex
	list    []*event
	changes map[int64]*eventChange
	whole   bool // there are no older ones
	fixes   fixes
}

func newEventBook() *eventBook {
	return &eventBook{changes: map[int64]*eventChange{}, whole: true}
}

// load reads the newest events.
func (b *eventBook) load(ctx context.Context, st *store.Store) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list, b.whole = nil, true
	var rows []store.Event
	err := st.Events(ctx, eventBookSize+1, func(e store.Event) error {
		rows = append(rows, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load events: %w", err)
	}
	if len(rows) > eventBookSize {
		rows, b.whole = rows[:eventBookSize], false
	}
	slices.Reverse(rows)
	b.list, err = b.unpack(ctx, st, rows)
	return err
}

// unpack makes events of rows. The caller holds mu for writing.
func (b *eventBook) unpack(ctx context.Context, st *store.Store, rows []store.Event) ([]*event, error) {
	out := make([]*event, 0, len(rows))
	for i := range rows {
		ch := b.changes[rows[i].Change]
		if ch == nil {
			row, err := st.Change(ctx, rows[i].Change)
			if err != nil {
				return nil, err
			}
			if ch, err = newEventChange(&row); err != nil {
				return nil, err
			}
			b.changes[ch.id] = ch
		}
		e, err := newEvent(&rows[i], ch)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func newEventChange(row *store.EventChange) (*eventChange, error) {
	devs, err := unpackDevices(row.Counted)
	if err != nil {
		return nil, fmt.Errorf("devices of change %d: %w", row.ID, err)
	}
	return &eventChange{id: row.ID, counted: devs, version: row.ScoreVersion, secureVersion: row.SecureVersion,
		score: [2]string{row.ScoreBefore, row.ScoreAfter}, secure: [2]string{row.SecureBefore, row.SecureAfter}}, nil
}

func newEvent(row *store.Event, ch *eventChange) (*event, error) {
	devs, err := unpackDevices(row.Devices)
	if err != nil {
		return nil, fmt.Errorf("devices of event %d: %w", row.ID, err)
	}
	e := &event{Event: *row, change: ch, devices: devs}
	e.Event.Devices = nil
	return e, nil
}

// add takes in committed events.
func (b *eventBook) add(change store.EventChange, rows []store.Event) error {
	ch, err := newEventChange(&change)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes[ch.id] = ch
	for i := range rows {
		e, err := newEvent(&rows[i], ch)
		if err != nil {
			return err
		}
		b.list = append(b.list, e)
	}
	if n := len(b.list) - eventBookSize; n > eventBookSize/10 {
		b.list, b.whole = slices.Clone(b.list[n:]), false
		oldest := b.list[0].Change
		for id := range b.changes {
			if id < oldest {
				delete(b.changes, id)
			}
		}
	}
	return nil
}

// pending are the changes without scores afterwards.
func (b *eventBook) pending() []*eventChange {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*eventChange
	for _, ch := range b.changes {
		if ch.score[1] == "" && ch.secure[1] == "" {
			out = append(out, ch)
		}
	}
	return out
}

// score fills in how the organisation stands after changes.
func (b *eventBook) score(changes []*eventChange, now standing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range changes {
		ch.score[1], ch.secure[1] = now.score, now.secure
	}
}

// between returns the events of from to before to (zero: without end), newest first.
func (b *eventBook) between(ctx context.Context, st *store.Store, from, to time.Time) ([]*event, error) {
	if to.IsZero() {
		to = time.UnixMilli(1 << 53)
	}
	b.mu.RLock()
	inside := b.whole || len(b.list) > 0 && from.After(b.list[0].At)
	var out []*event
	if inside {
		for _, e := range slices.Backward(b.list) {
			if !e.At.Before(from) && e.At.Before(to) {
				out = append(out, e)
			}
		}
	}
	b.mu.RUnlock()
	if inside {
		return out, nil
	}
	var rows []store.Event
	if err := st.EventsBetween(ctx, from, to, func(e store.Event) error { rows = append(rows, e); return nil }); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unpack(ctx, st, rows)
}

// one returns one event, nil when there is none.
func (b *eventBook) one(ctx context.Context, st *store.Store, id int64) (*event, error) {
	var rows []store.Event
	if err := st.Event(ctx, id, func(e store.Event) error { rows = append(rows, e); return nil }); err != nil {
		return nil, fmt.Errorf("read event: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := b.unpack(ctx, st, rows)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// step is how a score went with a change.
func (b *eventBook) step(ch *eventChange, secure bool) ScoreStep {
	b.mu.RLock()
	defer b.mu.RUnlock()
	at, out, unit := ch.score, ScoreStep{Score: "exposure", Version: ch.version, Trend: "unknown"}, big.NewRat(1, exposure.ScoreUnit)
	if secure {
		at, out.Score, out.Version, unit = ch.secure, "secure", ch.secureVersion, big.NewRat(1, 1)
	}
	before, ok1 := new(big.Rat).SetString(at[0])
	after, ok2 := new(big.Rat).SetString(at[1])
	if !ok1 || !ok2 {
		return out
	}
	out.Trend = [3]string{"down", "same", "up"}[after.Cmp(before)+1]
	out.Before, _ = before.Mul(before, unit).Float64()
	out.After, _ = after.Mul(after, unit).Float64()
	return out
}

func packDevices(devs *roaring.Bitmap) ([]byte, error) {
	devs = devs.Clone()
	devs.RunOptimize()
	raw, err := devs.ToBytes()
	if err != nil {
		return nil, fmt.Errorf("pack devices: %w", err)
	}
	return raw, nil
}

func unpackDevices(raw []byte) (*roaring.Bitmap, error) {
	devs := roaring.New()
	_, err := devs.FromBuffer(raw) // which nobody changes any more
	return devs, err
}
