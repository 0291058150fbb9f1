package server

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// investigationBook holds all investigations in memory, without what was asked and
// found. One in it is never changed: a change puts another one in its place. Its lock
// is taken inside core.mu, never around it.
type investigationBook struct {
	mu       sync.RWMutex
	byN      map[int64]*store.Investigation
	byAction map[string]*store.Investigation
	byAlert  map[string]*store.Investigation             // the latest
	open     map[inventory.DeviceID]*store.Investigation // that have not ended
	byDevice map[inventory.DeviceID][]*store.Investigation
	status   map[int64]store.MachineAction // of open ones: their action as it was told last
}

func newInvestigationBook() *investigationBook {
	return &investigationBook{byN: map[int64]*store.Investigation{}, byAction: map[string]*store.Investigation{}, byAlert: map[string]*store.Investigation{},
		open: map[inventory.DeviceID]*store.Investigation{}, byDevice: map[inventory.DeviceID][]*store.Investigation{}, status: map[int64]store.MachineAction{}}
}

// put adds an investigation or replaces what is there of it.
func (b *investigationBook) put(i *store.Investigation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(b.byDevice[i.Device]), func(o *store.Investigation) bool { return o.N == i.N })
	b.byDevice[i.Device] = append(list, i)
	b.byN[i.N], b.byAction[i.Action] = i, i
	for _, id := range i.Alerts {
		if was := b.byAlert[id]; was == nil || was.N <= i.N {
			b.byAlert[id] = i
		}
	}
	switch was := b.open[i.Device]; {
	case i.Ended.IsZero():
		b.open[i.Device] = i
	case was != nil && was.N == i.N:
		delete(b.open, i.Device)
	}
	if !i.Ended.IsZero() {
		delete(b.status, i.N)
	}
}

// trim forgets what the store has dropped: of more than most, the oldest that have ended.
func (b *investigationBook) trim(most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.byN) <= most {
		return
	}
	ns := slices.Sorted(maps.Keys(b.byN))
	for _, n := range ns[:len(ns)-most] {
		i := b.byN[n]
		if i.Ended.IsZero() {
			continue
		}
		delete(b.byN, n)
		delete(b.byAction, i.Action)
		for _, id := range i.Alerts {
			if b.byAlert[id] == i {
				delete(b.byAlert, id)
			}
		}
		b.byDevice[i.Device] = slices.DeleteFunc(slices.Clone(b.byDevice[i.Device]), func(o *store.Investigation) bool { return o == i })
	}
}

// told notes the action of an investigation.
func (b *investigationBook) told(n int64, t *store.MachineAction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := b.byN[n]; i != nil && i.Ended.IsZero() {
		kept := *t
		kept.Result, kept.Ask = nil, nil
		b.status[n] = kept
	}
}

func (b *investigationBook) get(n int64) *store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byN[n]
}

func (b *investigationBook) ofAction(id string) *store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byAction[id]
}

// running is the investigation of a device that has not ended, nil: there is none.
func (b *investigationBook) running(id inventory.DeviceID) *store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.open[id]
}

func (b *investigationBook) ofDevice(id inventory.DeviceID) []*store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.byDevice[id]
}

func (b *investigationBook) unfinished() []*store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Collect(maps.Values(b.open))
}

func (b *investigationBook) all() []*store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Collect(maps.Values(b.byN))
}

// ofAlert is the investigation that an alert belongs to: the one that goes on on its
// device when the alert came after that began, else the latest that had it.
func (b *investigationBook) ofAlert(id inventory.DeviceID, a *store.Alert) *store.Investigation {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if i := b.open[id]; i != nil && !a.Created.Before(i.Started) {
		return i
	}
	return b.byAlert[a.ID]
}

// state is the state of an investigation now.
func (b *investigationBook) state(i *store.Investigation, online bool) alert.InvestigationState {
	if !i.Ended.IsZero() {
		return alert.InvestigationState(i.State)
	}
	b.mu.RLock()
	t := b.status[i.N]
	b.mu.RUnlock()
	switch {
	case t.Waits:
		return alert.InvestigationPendingApproval
	case t.Status == store.ActionRunning || !t.Started.IsZero():
		return alert.InvestigationRunning
	case !online:
		return alert.InvestigationPendingResource
	}
	return alert.InvestigationQueued
}

// loadInvestigations fills the book when the program starts.
func (s *Server) loadInvestigations(ctx context.Context) error {
	list, err := s.st.Investigations(ctx)
	if err != nil {
		return err
	}
	for _, i := range slices.Backward(list) {
		s.core.investigations.put(i)
	}
	return s.st.MachineActions(ctx, store.ActionFilter{Active: true}, func(t *store.MachineAction) bool {
		if i := s.core.investigations.ofAction(t.ID); i != nil {
			s.core.investigations.told(i.N, t)
		}
		return true
	})
}

// investigationMarks are a device's investigations that began in a time, oldest first;
// none for those who may not read alerts.
func (s *Server) investigationMarks(c Caller, d *device, from, to time.Time) []InvestigationMark {
	out := []InvestigationMark{}
	if !readsAlerts(c) {
		return out
	}
	s.core.mu.RLock()
	online := d.online
	s.core.mu.RUnlock()
	for _, i := range s.core.investigations.ofDevice(d.id) {
		if !i.Started.Before(from) && i.Started.Before(to) {
			out = append(out, InvestigationMark{ID: strconv.FormatInt(i.N, 10), State: string(s.core.investigations.state(i, online)), Started: i.Started, Ended: i.Ended})
		}
	}
	slices.SortFunc(out, func(a, b InvestigationMark) int { return a.Started.Compare(b.Started) })
	return out[max(0, len(out)-mostAlertMarks):]
}
