package server

import (
	"slices"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// The tags of weaknesses that are exploited before a fix exists, and of
// recommendations.
const (
	tagZeroDay      = "Zero day"
	tagZeroDayFixed = "New security update for zero day"
)

const (
	notedZeroDay = "zeroday"
	// fixIsNew is how long after its publication the fix of a zero day is new.
	fixIsNew = 30 * 24 * time.Hour
)

// exploited reports whether a weakness was seen to be exploited. The caller
// holds mu.
func (c *core) exploited(weakness string) bool {
	t := c.peek(weakness).Threats
	return t.KEV || exploitRank(t.Exploit) >= exploitRank(advisory.ExploitVerified)
}

// zeroDay reports whether a weakness is exploited and nobody has a fix: none of
// the software here that has it, and its makers have not said that they will
// not make one. The caller holds mu.
func (c *core) zeroDay(weakness string) bool {
	if !c.exploited(weakness) {
		return false
	}
	is := false
	for _, id := range c.fleet.WeaknessComponents(weakness) {
		h, _ := c.fleet.HitOf(id, weakness)
		switch {
		case h.Fixed != "":
			return false
		case h.Exposed && h.Remedy == exposure.Attention && (h.State == exposure.State(advisory.Open) || h.State == exposure.State(advisory.Affected)):
			is = true
		}
	}
	return is
}

// noteZeroDays says which of some weaknesses are zero days that were not noted
// yet: when a fix comes, it is one for a zero day.
func (c *core) noteZeroDays(weaknesses func(yield func(string) bool)) (out []store.Noted) {
	for w := range weaknesses {
		if !c.noted.has[notedZeroDay][w] && c.zeroDay(w) {
			out = append(out, store.Noted{What: notedZeroDay, Name: w, Level: 1})
		}
	}
	return out
}

// newFixes are the zero days for which a fix was published lately. The result
// is shared. The caller holds mu.
func (c *core) newFixes() map[string]bool {
	if len(c.noted.has[notedZeroDay]) == 0 {
		return nil
	}
	return c.events.fixed(c.clock().Add(-fixIsNew), c.noted.has[notedZeroDay])
}

// fixes remembers what fixed answered last.
type fixes struct {
	mu  sync.Mutex
	key fixedKey
	out map[string]bool
}

type fixedKey struct {
	day, of int
	last    int64 // event
}

// fixed are those of some weaknesses for which a fix was published since a time.
// The result is shared, and made anew with every event and every day.
func (b *eventBook) fixed(from time.Time, of map[string]bool) map[string]bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	key := fixedKey{day: dayOf(from), of: len(of)}
	if n := len(b.list); n > 0 {
		key.last = b.list[n-1].ID
	}
	b.fixes.mu.Lock()
	defer b.fixes.mu.Unlock()
	if b.fixes.out != nil && b.fixes.key == key {
		return b.fixes.out
	}
	out := map[string]bool{}
	b.fixes.key, b.fixes.out = key, out
	for _, e := range slices.Backward(b.list) {
		if e.At.Before(from) {
			break
		}
		if e.Kind != FixPublished {
			continue
		}
		for _, w := range e.Weaknesses {
			if of[w] {
				out[w] = true
			}
		}
	}
	return out
}

// forgetZeroDays drops the rows of all software with weaknesses that are
// exploited: whether they are zero days rests on all that has them. The caller
// holds mu for writing.
func (c *core) forgetZeroDays(rows *rowCache, weaknesses []string) {
	if len(rows.weak)+len(rows.products)+len(rows.remedies) == 0 {
		return
	}
	for _, w := range weaknesses {
		if !c.exploited(w) {
			continue
		}
		delete(rows.weak, w)
		for _, id := range c.fleet.WeaknessComponents(w) {
			c.forgetProductsOf(rows, id)
		}
	}
}

// hitTag is what a finding adds to the tags of what is recommended for it.
func (c *core) hitTag(h *exposure.Hit, fixes map[string]bool) string {
	switch {
	case h.Remedy == exposure.Update && fixes[h.Weakness]:
		return tagZeroDayFixed
	case h.Remedy == exposure.Attention && c.zeroDay(h.Weakness):
		return tagZeroDay
	}
	return ""
}
