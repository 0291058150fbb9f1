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
const mostPortraits = 48 << 20

// portraits keeps those that were read last: a page of a device asks for one
// again and again. One is good until anything is stored of its device. It is
// safe for concurrent use.
type portraits struct {
	mu   sync.Mutex // guards what follows
	of   map[*device]keptPortrait
	size int
}

type keptPortrait struct {
	portrait
	stored uint64
	size   int
}

func (b *portraits) get(d *device, stored uint64) (portrait, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, ok := b.of[d]
	return k.portrait, ok && k.stored == stored
}

// put keeps a portrait of a device when so many times something was stored of it.
func (b *portraits) put(p portrait, stored uint64) {
	k := keptPortrait{p, stored, 1000 + 1000*len(p.profile.Uses)}
	for _, sec := range p.sections {
		for i := range sec.Items {
			k.size += len(sec.Items[i].Key) + len(sec.Items[i].Value) + 64
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(p.device)
	if b.size+k.size > mostPortraits || b.of == nil {
		b.of, b.size = map[*device]keptPortrait{}, 0
	}
	if k.size <= mostPortraits {
		b.of[p.device] = k
		b.size += k.size
	}
}

// drop forgets a device. The caller holds mu.
func (b *portraits) drop(d *device) {
	if k, ok := b.of[d]; ok {
		delete(b.of, d)
		b.size -= k.size
	}
}
