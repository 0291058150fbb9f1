package server

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// portrait is one device with its evidence, for pages about that device. What
// is in it is shared and must not be changed, seen apart.
type portrait struct {
	device   *device
	sections map[inventory.SectionName]*inventory.Section
	infos    []store.SectionInfo
	profile  exposure.DeviceProfile
	seen     map[inventory.SectionName]time.Time
}

// portrait reads what a device of a scope reported and profiles it again.
func (s *Server) portrait(ctx context.Context, in exposure.Scope, idOrName string) (*portrait, error) {
	s.core.mu.RLock()
	d, err := s.core.named(in, idOrName)
	s.core.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	stored := d.stored.Load() // before anything is read: what is read is at least as new
	p, have := s.portraits.get(d, stored)
	if !have {
		if p.sections, err = s.st.Sections(ctx, d.num); err != nil {
			return nil, fmt.Errorf("read sections of %s: %w", d.id, err)
		}
		if p.infos, err = s.st.SectionInfos(ctx, d.num); err != nil {
			return nil, fmt.Errorf("read sections of %s: %w", d.id, err)
		}
		p.device, p.profile, p.seen = d, exposure.Profile(p.sections), map[inventory.SectionName]time.Time{}
		for name, sec := range p.sections {
			p.seen[name] = sec.SeenAt
		}
		s.portraits.put(p, stored)
	}
	p.seen = maps.Clone(p.seen)
	s.looked.overlay(d.num, p.seen)
	return &p, nil
}

// mostPortraits is how much of portraits is kept, in bytes, roughly.
const mostPortraits = 96 << 20

// portraits keeps those that were read last: a page of a device asks for one
// again and again. One is good until anything is stored of its device. It is
// safe for concurrent use.
type portraits struct {
	mu sync.Mutex // guards of
	of *lru[*device, keptPortrait]
}

type keptPortrait struct {
	portrait
	stored uint64
}

func (b *portraits) get(d *device, stored uint64) (portrait, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		return portrait{}, false
	}
	k, ok := b.of.get(d)
	return k.portrait, ok && k.stored == stored
}

// put keeps a portrait of a device when so many times something was stored of it.
func (b *portraits) put(p portrait, stored uint64) {
	const use, item = 500, 64 // bytes, besides what they hold
	size := use * len(p.profile.Uses)
	for _, sec := range p.sections {
		for i := range sec.Items {
			size += len(sec.Items[i].Key) + len(sec.Items[i].Value) + item
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = newLRU[*device, keptPortrait](mostPortraits)
	}
	b.of.put(p.device, keptPortrait{p, stored}, size)
}
