package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/store"
)

// sectionHashes says what the server holds of a device, so that an agent sends
// only what changed.
func (s *Server) sectionHashes(ctx context.Context, id inventory.DeviceID) (map[inventory.SectionName]string, error) {
	d, err := s.deviceByID(id)
	if err != nil {
		return nil, err
	}
	infos, err := s.st.SectionInfos(ctx, d.num)
	if err != nil {
		return nil, fmt.Errorf("read sections of %s: %w", id, err)
	}
	out := make(map[inventory.SectionName]string, len(infos))
	for _, i := range infos {
		out[i.Name] = i.Hash
	}
	return out, nil
}

// deviceByID finds a device, also one that was registered a moment ago.
func (s *Server) deviceByID(id inventory.DeviceID) (*device, error) {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	num, ok := s.core.byID[id]
	if !ok {
		return nil, fmt.Errorf("device %s: %w", id, ErrNotFound)
	}
	return s.core.at(num), nil
}

// ingest applies one report of a device: sections change, findings follow, and
// all of it is on disk when it returns nil. A report that was applied before is
// acknowledged and ignored. Sections whose delta does not fit what is held, or
// is not what its hash says, are returned: the agent sends them whole. The
// others go on.
func (s *Server) ingest(ctx context.Context, id inventory.DeviceID, seq uint64, deltas []inventory.Delta) ([]inventory.SectionName, error) {
	d, err := s.deviceByID(id)
	if err != nil {
		return nil, err
	}
	d.report.Lock()
	defer d.report.Unlock()

	sections, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return nil, fmt.Errorf("read sections of %s: %w", id, err)
	}
	rep := store.Ingest{Device: d.num, ID: id, Seq: seq, At: time.Now().UTC()}
	var resync []inventory.SectionName
	before := map[inventory.SectionName]*inventory.Section{} // what this report replaces
	for _, delta := range deltas {
		if !delta.Name.Valid() || !delta.Status.Valid() {
			s.log.WarnContext(ctx, "unknown section skipped", "device", id, "section", delta.Name)
			continue
		}
		next, err := inventory.Apply(sections[delta.Name], delta)
		if err == nil && len(next.Items) > protocol.MaxItems {
			err = fmt.Errorf("%d items, at most %d are kept", len(next.Items), protocol.MaxItems)
		}
		if err != nil {
			s.log.DebugContext(ctx, "section asked for whole", "device", id, "section", delta.Name, "reason", err)
			resync = append(resync, delta.Name)
			continue
		}
		if old := sections[delta.Name]; old != nil && before[delta.Name] == nil {
			before[delta.Name] = old
		}
		sections[delta.Name] = next
		rep.Sections = append(rep.Sections, next)
	}
	if len(rep.Sections) == 0 {
		_, err := s.st.Apply(ctx, []store.Ingest{rep})
		return resync, err
	}
	if err := s.evaluate(ctx, d, before, sections, &rep); err != nil {
		return nil, err
	}
	return resync, nil
}

// evaluate brings the index to the new sections of a device, commits the
// report with everything that follows from it, and puts the index back when
// the commit did not succeed. before holds the sections that were replaced.
func (s *Server) evaluate(ctx context.Context, d *device, before, sections map[inventory.SectionName]*inventory.Section, rep *store.Ingest) error {
	profile := exposure.Profile(sections)
	sum := summarise(sections, &profile)
	judged := newVerdicts(posture.Evaluate(sections))
	sum.Posture = judged.text()

	c := s.core
	c.mu.Lock()
	oldHeld, oldSum, oldVerdicts := d.held, d.sum, d.verdicts
	ids, fresh, err := s.intern(profile.Uses)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	diff := c.fleet.SetDevice(d.num, ids)
	was := oldHeld.List()
	held := store.Hold(c.succeed(was, ids, rep.At.Unix()))
	rep.Closed = c.closures(d, was, diff, rep.At.UnixMilli())
	rep.Components, rep.Woken = c.unsaved(ids, fresh), c.wake(diff.Added)
	rep.Noted, c.noted.unsaved = c.noted.unsaved, nil
	rep.Change = c.noteDevice(d, was, diff, c.movedFiles(before, sections, &profile), judged)
	c.forgetDevice(diff)
	sum.Tags, sum.Paths = oldSum.Tags, c.pathHits(profile.Uses)
	c.setPaths(d, sum.Paths)
	d.held, d.before = held, oldHeld
	c.setSummary(d, sum)
	c.judge(d, judged)
	c.place(d, rep.At)
	c.mu.Unlock()

	raw, err := json.Marshal(sum)
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	rep.State = &store.DeviceState{Device: d.num, Summary: raw, Components: held}
	dup, err := s.st.Apply(ctx, []store.Ingest{*rep})
	d.stored.Add(1)

	c.mu.Lock()
	d.pending, d.before = nil, store.Holding{}
	if err != nil || dup[0] {
		c.forgetDevice(c.fleet.SetDevice(d.num, componentIDs(oldHeld)))
		d.held = oldHeld
		c.setSummary(d, oldSum)
		c.setPaths(d, oldSum.Paths)
		c.judge(d, oldVerdicts)
		c.noted.unsaved = append(c.noted.unsaved, rep.Noted...)
		c.place(d, rep.At)
	} else {
		for _, k := range rep.Components {
			c.saved[exposure.ComponentID(k.ID)] = true
		}
	}
	c.mu.Unlock()
	s.live.publish(LiveEvent{Resource: "device", ID: string(d.id)}) // also after a failure: who looked in between looks again
	if err != nil {
		return fmt.Errorf("store report of %s: %w", d.id, err)
	}
	return nil
}

// intern gives components their numbers and assesses those that are new in the
// fleet. The caller holds core.mu for writing.
func (s *Server) intern(uses []exposure.Use) (ids, fresh []exposure.ComponentID, err error) {
	c := s.core
	for _, u := range uses {
		id, isNew := c.fleet.Intern(u.Component)
		ids = append(ids, id)
		if c.going[id] { // it stays, and is stored with the report in case its row goes before
			delete(c.going, id)
			delete(c.saved, id)
		}
		if done, _ := c.fleet.Assessed(id); isNew || !done {
			fresh = append(fresh, id)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(fresh) == 0 {
		return ids, nil, nil
	}
	view, release, err := s.snapshot()
	if err != nil {
		return nil, nil, err
	}
	defer release()
	old := c.view
	c.view = view
	defer func() { c.view = old }()
	at := time.Now().Unix()
	for _, id := range fresh {
		a, err := exposure.Assess(c.fleet.Component(id), view)
		if err != nil {
			return nil, nil, fmt.Errorf("assess %s: %w", c.fleet.Component(id).Key, err)
		}
		c.learn(id, &a, at)
		c.note(id, &a)
		c.lookUp(c.fleet.Component(id))
		c.forgetComponent(id, c.fleet.SetAssessment(id, &a))
		c.setLine(id, s.now())
		c.noteLine(id)
		zero := c.noteZeroDays(func(yield func(string) bool) {
			for i := range a.Matches {
				if !yield(a.Matches[i].Weakness) {
					return
				}
			}
		})
		c.noted.take(zero)
		c.noted.unsaved = append(c.noted.unsaved, zero...)
	}
	return ids, fresh, nil
}

// learn keeps since when each weakness of a component is known.
func (c *core) learn(id exposure.ComponentID, a *exposure.Assessment, at int64) {
	list, was := make([]store.Known, 0, len(a.Matches)), c.known[id]
	for i := range a.Matches { // in the order of was
		m := &a.Matches[i]
		k := store.Known{Weakness: m.Weakness, State: string(m.State), Since: at}
		for len(was) > 0 && was[0].Weakness < m.Weakness {
			was = was[1:]
		}
		if len(was) > 0 && was[0].Weakness == m.Weakness && was[0].Since != 0 {
			k.Since = was[0].Since
		}
		list = append(list, k)
	}
	c.known[id] = list
}

// unsaved lists the components that the store has to learn with this report.
func (c *core) unsaved(ids, fresh []exposure.ComponentID) []store.Component {
	var out []store.Component
	add := func(id exposure.ComponentID) {
		spec, err := json.Marshal(c.fleet.Component(id))
		if err == nil {
			out = append(out, store.Component{ID: uint32(id), Spec: spec, Known: c.known[id]})
		}
	}
	for _, id := range fresh {
		add(id)
	}
	for _, id := range ids {
		if !c.saved[id] && !slices.Contains(fresh, id) {
			add(id)
		}
	}
	return out
}

// succeed works out since when the device has each component, and which
// component of the same product each new one replaced.
func (c *core) succeed(old []store.Held, ids []exposure.ComponentID, at int64) []store.Held {
	was := make(map[uint32]store.Held, len(old))
	for _, h := range old {
		was[h.Component] = h
	}
	gone := map[string][]store.Held{}
	for _, h := range old {
		if _, still := slices.BinarySearch(ids, exposure.ComponentID(h.Component)); !still {
			p := succession(c.fleet.Component(exposure.ComponentID(h.Component)))
			gone[p] = append(gone[p], h)
		}
	}
	out := make([]store.Held, 0, len(ids))
	for _, id := range ids {
		if h, ok := was[uint32(id)]; ok {
			out = append(out, h)
			continue
		}
		h := store.Held{Component: uint32(id), Since: at}
		if before := gone[succession(c.fleet.Component(id))]; len(before) == 1 {
			h.Past = append([]store.Past{{Component: before[0].Component, Since: before[0].Since}}, before[0].Past...)
			if len(h.Past) > store.MaxPast {
				h.Past = h.Past[:store.MaxPast]
			}
		}
		out = append(out, h)
	}
	return out
}

// succession names what a component replaces and is replaced by.
func succession(k exposure.Component) string {
	return k.ID() + "\x00" + k.Key.Name + "\x00" + string(k.Role)
}

// closures says why each weakness that left the device left it, or no longer
// counts because another kernel runs.
func (c *core) closures(d *device, old []store.Held, diff exposure.DeviceDiff, at int64) []store.Closed {
	if len(diff.Removed) == 0 {
		return nil
	}
	was := make(map[uint32]store.Held, len(old))
	for _, h := range old {
		was[h.Component] = h
	}
	added := map[string][]exposure.Component{}
	for _, id := range diff.Added {
		k := c.fleet.Component(id)
		added[k.ID()] = append(added[k.ID()], k)
	}
	var out []store.Closed
	for _, ch := range diff.Changes {
		latent := ch.Was >= exposure.Exposed && ch.Now == exposure.Hidden
		if ch.Now != exposure.Clear && !latent {
			continue
		}
		for _, id := range diff.Removed {
			if c.knownSince(id, ch.Weakness) == 0 {
				continue
			}
			k := c.fleet.Component(id)
			reason, detail := whyGone(k, added[k.ID()])
			if latent && reason != kernelChanged {
				continue
			}
			out = append(out, store.Closed{Device: int64(d.num), Component: uint32(id), Weakness: ch.Weakness, Reason: reason,
				Detail: detail, First: c.firstSeen(was[uint32(id)], ch.Weakness).Unix(), At: at})
			break
		}
	}
	return out
}

// kernelChanged is why a finding of the kernel that ran before closed.
const kernelChanged = "kernel-changed"

// whyGone explains a component that a device has no more by what came instead.
func whyGone(gone exposure.Component, came []exposure.Component) (reason, detail string) {
	if gone.Role == exposure.InMemory {
		return "restarted", "the processes that used " + gone.Version + " ended"
	}
	for _, k := range came {
		if gone.Role == exposure.KernelRunning && k.Role == exposure.KernelRunning && k.Key.Name == gone.Key.Name {
			return kernelChanged, gone.Version + " → " + k.Version
		}
	}
	for _, k := range came {
		if k.Key.Name == gone.Key.Name && k.Version != gone.Version {
			return "upgraded", gone.Version + " → " + k.Version
		}
	}
	return "removed", gone.Product + " " + gone.Version + " is no longer installed"
}

// deviceRegistered makes an enrolled device known to lists.
func (s *Server) deviceRegistered(ctx context.Context, id inventory.DeviceID) {
	a, err := s.st.Device(ctx, id)
	if err != nil {
		s.log.ErrorContext(ctx, "read enrolled device", "device", id, "error", err)
		return
	}
	s.core.mu.Lock()
	s.core.add(a)
	if a.CloneOf != "" {
		if num, ok := s.core.byID[a.CloneOf]; ok {
			s.log.WarnContext(ctx, "cloned state directory forked", "device", id, "clone_of", s.core.at(num).id)
		}
	}
	s.core.mu.Unlock()
	s.live.publish(LiveEvent{Resource: "devices"})
}

// connectionChanged notes that an agent came or went.
func (s *Server) connectionChanged(id inventory.DeviceID, connected bool) {
	a, err := s.st.Device(context.Background(), id)
	var before, after protocol.Isolation
	from := s.gate.addressOf(id)
	s.core.mu.Lock()
	if num, ok := s.core.byID[id]; ok {
		d := s.core.at(num)
		before = d.response.Isolation
		if d.online = connected; from.IsValid() {
			d.from = from
		}
		if err == nil {
			d.setAgent(a)
		}
		after = d.response.Isolation
		s.core.place(d, time.Now())
	}
	s.core.mu.Unlock()
	s.isolationChanged(context.Background(), id, &before, &after)
	s.live.publish(LiveEvent{Resource: "device", ID: string(id)})
	if connected {
		s.tasks.wake()
	}
}

// reportsLost notes that the agent of a device had to drop reports, or that some
// were refused. The device's facts do not change by that.
func (s *Server) reportsLost(id inventory.DeviceID, v store.Sign) {
	lost := func() *device {
		num, ok := s.core.byID[id]
		if !ok {
			return nil
		}
		if d := s.core.at(num); v.Rejected > 0 || v.Dropped > d.agent.Dropped {
			return d
		}
		return nil
	}
	s.core.mu.RLock()
	news := lost() != nil // a device that dropped some once says so with every sign
	s.core.mu.RUnlock()
	if !news {
		return
	}
	s.core.mu.Lock()
	if d := lost(); d != nil {
		d.agent.Dropped, d.agent.LostAt = max(d.agent.Dropped, v.Dropped), v.At.UTC()
	}
	s.core.mu.Unlock()
	s.live.publish(LiveEvent{Resource: "device", ID: string(id)})
}

func foldEqual(a, b string) bool { return strings.EqualFold(a, b) }
