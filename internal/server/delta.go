package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// What a delta says of a row.
const (
	RowNew     = "New"
	RowFixed   = "Fixed"
	RowUpdated = "Updated"
)

// installed reports whether a component is software that is on disk.
func (p *part) installed() bool { return p.Role != exposure.Residual && p.Role != exposure.InMemory }

// vulnChanges are the rows of a device that differ between the two moments of the era.
func (e *era) vulnChanges(ctx context.Context, d *deviceAt, out []VulnExport) ([]VulnExport, error) {
	if len(d.changes) == 0 && d.movedAt == 0 && !slices.ContainsFunc(d.now, func(h store.Held) bool { return e.parts[h.Component].differs }) {
		return out, nil
	}
	now, then := e.vulnsOf(d.now, false, nil), e.vulnsOf(d.then, true, nil)
	var err error
	add := func(r *VulnExport, status string) {
		if r.Paths == nil && err == nil {
			r.Paths, err = e.paths(ctx, d, r.part, status == RowFixed)
		}
		r.Status, r.ChangedAt = status, e.changedAt(d, r)
		out = append(out, *r)
	}
	for (len(now) > 0 || len(then) > 0) && err == nil {
		order := 0
		switch {
		case len(then) == 0:
			order = -1
		case len(now) == 0:
			order = 1
		default:
			if order = now[0].part.compare(then[0].part); order == 0 {
				order = strings.Compare(now[0].Weakness, then[0].Weakness)
			}
		}
		switch {
		case order < 0:
			add(&now[0], RowNew)
			now = now[1:]
		case order > 0:
			add(&then[0], RowFixed)
			then = then[1:]
		default:
			var other bool
			if other, err = e.updated(ctx, d, &now[0], &then[0]); other && err == nil {
				add(&now[0], RowUpdated)
			}
			now, then = now[1:], then[1:]
		}
	}
	return out, err
}

// updated reports whether a row that was there before says something else now.
func (e *era) updated(ctx context.Context, d *deviceAt, now, then *VulnExport) (bool, error) {
	if e.then.unsure || now.Severity != then.Severity || now.CVSS != then.CVSS || now.Exploit != then.Exploit || now.Fixed != then.Fixed || now.FixedBy != then.FixedBy {
		return true, nil
	}
	if !slices.ContainsFunc(d.changes, func(c *store.Change) bool { return len(c.Paths) > 0 || len(c.Added)+len(c.Removed) > 0 }) {
		return false, nil
	}
	was, err := e.paths(ctx, d, then.part, true)
	if err != nil {
		return false, err
	}
	now.Paths, err = e.paths(ctx, d, now.part, false)
	return !slices.Equal(was, now.Paths), err
}

// changedAt is when a row last changed in the span of the era: with its device
// or with the intelligence.
func (e *era) changedAt(d *deviceAt, r *VulnExport) time.Time {
	at := max(r.part.last, e.since, e.then.facts[r.Weakness].last, d.movedAt)
	for _, ch := range d.changes {
		if ch.At <= e.at && ch.At >= e.since && (ch.First || slices.Contains(ch.Added, r.part.id) ||
			slices.ContainsFunc(ch.Removed, func(h store.Held) bool { return h.Component == r.part.id }) ||
			slices.ContainsFunc(ch.Paths, func(p store.PathsWas) bool { return p.Component == r.part.id })) {
			at = max(at, ch.At)
		}
	}
	return time.UnixMicro(min(at, e.at)).UTC()
}
