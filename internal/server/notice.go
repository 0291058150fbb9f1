package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
)

// noticeWords are what is known of whether people notice a change.
var noticeWords = []string{string(posture.Unnoticed), string(posture.Noticed), string(posture.NoticeUnknown)}

// notice is what is known of one device.
type notice struct {
	word posture.Notice
	why  string
}

// notices are what is known of some devices.
type notices struct {
	devs *roaring.Bitmap
	all  *notice // of all of them alike; nil: by
	by   map[uint32]notice
}

func (n *notices) of(num uint32) notice {
	if n.all != nil {
		return *n.all
	}
	return n.by[num]
}

// with are the devices of which one of some words is known. The result may be shared.
func (n *notices) with(words ...string) *roaring.Bitmap {
	out := roaring.New()
	if n.all != nil {
		if slices.Contains(words, string(n.all.word)) {
			return n.devs
		}
		return out
	}
	for num, one := range n.by {
		if slices.Contains(words, string(one.word)) {
			out.Add(num)
		}
	}
	return out
}

// within is what is known of those of some devices that it is known of.
func (n *notices) within(devs *roaring.Bitmap) *notices {
	out := &notices{devs: roaring.And(n.devs, devs), all: n.all, by: map[uint32]notice{}}
	for it := out.devs.Iterator(); n.all == nil && it.HasNext(); {
		if num := it.Next(); n.by[num].word != "" {
			out.by[num] = n.by[num]
		}
	}
	return out
}

// unnoticed are those on which nobody would notice a change. The result may be shared.
func (n *notices) unnoticed() *roaring.Bitmap { return n.with(string(posture.Unnoticed)) }

// notices says of some devices whether people would notice that a check is made
// to pass there. What is read of events is about these devices and no others;
// whoever calls it has seen to it that the caller may see them.
func (s *Server) notices(ctx context.Context, k *posture.Check, devs *roaring.Bitmap) (*notices, error) {
	now := s.now()
	out := &notices{devs: devs, by: map[uint32]notice{}}
	if !k.Productivity || len(k.Uses) == 0 {
		word, why := k.Notice(&posture.Telemetry{}, now)
		out.all = &notice{word, why}
		return out, nil
	}
	t := s.telemetries(k, devs, now)
	if err := s.readUses(ctx, k, t, now); err != nil {
		return nil, err
	}
	said, err := s.readSensors(ctx, t)
	if err != nil {
		return nil, err
	}
	for id, d := range t {
		if err := s.readGaps(ctx, id, d.is, said[id]); err != nil {
			return nil, err
		}
		word, why := k.Notice(d.is, now)
		out.by[d.num] = notice{word, why}
	}
	return out, nil
}

// telemetryOf is a device with what is known of what happened on it.
type telemetryOf struct {
	num uint32
	is  *posture.Telemetry
}

func (s *Server) telemetries(k *posture.Check, devs *roaring.Bitmap, now time.Time) map[inventory.DeviceID]telemetryOf {
	logged, hasLog := checkNumber(k.Logged)
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make(map[inventory.DeviceID]telemetryOf, devs.GetCardinality())
	for it := devs.Iterator(); it.HasNext(); {
		d := c.at(it.Next())
		if d == nil {
			continue
		}
		out[d.id] = telemetryOf{d.num, &posture.Telemetry{Heard: d.lastSeen(now), Logged: hasLog && c.checks.devices(logged, posture.Pass).Contains(d.num)}}
	}
	return out
}

// onlyThese is the scope of the devices of a map.
func onlyThese[T any](devices map[inventory.DeviceID]T) eventlog.Scope {
	ids := make([]inventory.DeviceID, 0, len(devices))
	for id := range devices {
		ids = append(ids, id)
	}
	return eventlog.Only(ids...)
}

// readUses reads the events that may be uses.
func (s *Server) readUses(ctx context.Context, k *posture.Check, t map[inventory.DeviceID]telemetryOf, now time.Time) error {
	for i := range k.Uses {
		u := &k.Uses[i]
		q := eventlog.Query{Scope: onlyThese(t), From: now.AddDate(0, 0, -posture.NoticeDays), To: now.Add(time.Minute), Actions: []ev.Action{u.Action}}
		for j := range u.Where {
			if m := &u.Where[j]; m.Key == "" && m.Exact() {
				q.Equals = append(q.Equals, eventlog.Equal{Columns: []ev.Column{m.Column}, Values: m.Values})
			}
		}
		_, err := s.telemetry.log.Scan(ctx, q, func(r eventlog.Row) error {
			e := r.Record.Event()
			k.Saw(t[r.Device].is, &e, r.Time)
			return nil
		})
		if err != nil {
			return fmt.Errorf("read uses of %s: %w", k.ID, err)
		}
	}
	return nil
}

// readSensors reads what agents said of their sources and of what they lost, of
// each device mostLost words at most.
func (s *Server) readSensors(ctx context.Context, t map[inventory.DeviceID]telemetryOf) (map[inventory.DeviceID]map[string][]lost, error) {
	said, words := map[inventory.DeviceID]map[string][]lost{}, map[inventory.DeviceID]int{}
	q := eventlog.Query{Scope: onlyThese(t), Actions: []ev.Action{ev.SensorStarted, ev.SensorChanged, ev.SensorEventsLost}}
	_, err := s.telemetry.log.Scan(ctx, q, func(r eventlog.Row) error {
		is := t[r.Device].is
		if words[r.Device]++; words[r.Device] > mostLost {
			if words[r.Device] == mostLost+1 { // more than is read of one device: nothing is known whole
				for k := range ev.Kinds {
					is.Missing = append(is.Missing, posture.Missing{Kind: k, Count: 1})
				}
			}
			return nil
		}
		if r.Record.Head().Action != ev.SensorEventsLost {
			if src, ok := sourceSaid(&r); ok {
				is.Sources = append(is.Sources, src)
			}
			return nil
		}
		if kind, l, ok := lostSaid(&r); ok {
			if said[r.Device] == nil {
				said[r.Device] = map[string][]lost{}
			}
			said[r.Device][kind] = append(said[r.Device][kind], l)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what agents said of their sources: %w", err)
	}
	for _, kinds := range said {
		sortLost(kinds)
	}
	return said, nil
}

// sourceSaid is what an event says of the source of some kinds.
func sourceSaid(r *eventlog.Row) (posture.Source, bool) {
	var more struct{ Kinds []string }
	if json.Unmarshal(r.Record.Text(ev.AdditionalFields), &more) != nil {
		return posture.Source{}, false // an endpoint may say anything
	}
	out := posture.Source{At: r.Time, Name: string(r.Record.Text(ev.Source))}
	for _, name := range more.Kinds {
		if k, ok := ev.KindOf(name); ok && !slices.Contains(out.Kinds, k) {
			out.Kinds = append(out.Kinds, k)
		}
	}
	return out, len(out.Kinds) > 0
}

// readGaps finds what is missing of a device's events.
func (s *Server) readGaps(ctx context.Context, id inventory.DeviceID, is *posture.Telemetry, said map[string][]lost) error {
	for _, d := range s.telemetry.log.Damage(id, time.Time{}, time.Time{}) {
		for k := range ev.Kinds { // of which they were is not known
			is.Missing = append(is.Missing, posture.Missing{Kind: k, After: d.From, Before: d.To, Count: 1})
		}
	}
	runs, err := s.telemetry.log.Runs(ctx, id)
	if errors.Is(err, eventlog.ErrDamaged) {
		for k := range ev.Kinds {
			is.Missing = append(is.Missing, posture.Missing{Kind: k, Count: 1})
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read numbers of events of %s: %w", id, err)
	}
	for k := range ev.Kinds {
		n := 0
		for n < len(runs) && runs[n].Kind == k {
			n++
		}
		if n > 0 {
			is.Kept = append(is.Kept, k)
			if first := runs[0]; first.From > 1 { // those before it are not kept any more
				is.Missing = append(is.Missing, posture.Missing{Kind: k, Before: first.First, Count: first.From - 1})
			}
		}
		for _, p := range partsOf(k, runs[:n], said[k.String()]) {
			is.Missing = append(is.Missing, posture.Missing{Kind: k, After: p.After, Before: p.Before, Count: p.Count})
		}
		runs = runs[n:]
	}
	return nil
}

// checkOf is the configuration check that a recommendation is about, nil for software.
func checkOf(recommendation string) *posture.Check {
	id, ok := strings.CutPrefix(recommendation, "sca-_-")
	if k, known := posture.ByID(id); ok && known {
		return k
	}
	return nil
}

// noticeCount counts devices by what is known.
func noticeCount(k *posture.Check, known *notices) *NoticeCount {
	count := func(n posture.Notice) int { return int(known.with(string(n)).GetCardinality()) }
	return &NoticeCount{Days: posture.NoticeDays, Evidence: len(k.Uses) > 0 || !k.Productivity,
		None: count(posture.Unnoticed), Expected: count(posture.Noticed), NotAssessed: count(posture.NoticeUnknown)}
}

// CountUnnoticed fills in on how many of the exposed devices of some
// recommendations nobody would notice the change. Of more than 1,000 devices it
// is what was known within the last hour or so, and 0 before anything was read:
// then it is read in the background.
func (s *Server) CountUnnoticed(ctx context.Context, caller Caller, rows []RecommendationRow) error {
	if err := s.need(caller, RecommendationRead); err != nil {
		return err
	}
	for i := range rows {
		if err := s.countUnnoticed(ctx, caller, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) countUnnoticed(ctx context.Context, caller Caller, row *RecommendationRow) error {
	k := checkOf(row.ID)
	if k == nil {
		return nil
	}
	c := s.core
	c.mu.RLock()
	devs := c.affected(c.lens(caller), row, exposure.Gone)
	c.mu.RUnlock()
	known, err := s.noticesSoon(ctx, k, devs)
	if err != nil || known == nil {
		return err
	}
	row.Unnoticed = int(known.unnoticed().GetCardinality())
	return nil
}

// byNotice takes the filter user_impact out of a query and returns the devices
// that it leaves.
func byNotice(q *Query, known *notices) (*roaring.Bitmap, error) {
	words := q.Filter["user_impact"]
	if len(words) == 0 {
		return known.devs, nil
	}
	for _, w := range words {
		if !slices.Contains(noticeWords, w) {
			return nil, Invalidf("user_impact", "%q is not one of %s", w, strings.Join(noticeWords, ", "))
		}
	}
	q.Filter = maps.Clone(q.Filter)
	delete(q.Filter, "user_impact")
	return known.with(words...), nil
}

// numbersOf are the numbers of devices that are listed.
func (c *core) numbersOf(rows []DeviceRow) *roaring.Bitmap {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := roaring.New()
	for i := range rows {
		if num, ok := c.byID[rows[i].ID]; ok {
			out.Add(num)
		}
	}
	return out
}

// sayNotice fills in what is known of devices. When something happened is told to
// those who may read a device's events.
func (c *core) sayNotice(caller Caller, rows []DeviceRow, known *notices) {
	without := map[posture.Notice]string{posture.Noticed: fmt.Sprintf("used in the last %d days", posture.NoticeDays), posture.NoticeUnknown: "not all that happened there is known"}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range rows {
		if num, ok := c.byID[rows[i].ID]; ok {
			n := known.of(num)
			rows[i].Notice, rows[i].NoticeWhy = string(n.word), n.why
			if why := without[n.word]; why != "" && known.all == nil && !caller.Has(MachineRead) {
				rows[i].NoticeWhy = why
			}
		}
	}
}
