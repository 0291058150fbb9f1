package advisory

import (
	"sort"
	"strings"

	"github.com/picketsec/picket/internal/version"
)

// osvRanges pairs the events of one range: each stretch from an "introduced"
// to the next "fixed" or "last_affected" is one range.
func osvRanges(eco string, events []osvEvent) []version.Range {
	if len(events) > 2*maxRanges {
		events = events[:2*maxRanges]
	}
	events = sortEvents(eco, events)
	p := pairing{}
	for len(events) > 0 { // events at one version are taken together: see pairing.at
		n := 1
		for n < len(events) && events[n].at() == events[0].at() {
			n++
		}
		p.at(events[:n])
		events = events[n:]
	}
	if p.open {
		p.out = append(p.out, p.cur)
	}
	return p.out
}

// pairing builds ranges from events in order.
type pairing struct {
	out  []version.Range
	cur  version.Range
	open bool
}

// at takes the events at one version. While a stretch is open its end comes
// first and a new one may begin there; otherwise the beginning comes first, and
// an end at the same version makes the stretch that version alone, or empty.
func (p *pairing) at(events []osvEvent) {
	if p.open {
		p.end(events)
		p.begin(events)
		return
	}
	p.begin(events)
	p.end(events)
}

func (p *pairing) begin(events []osvEvent) {
	for _, e := range events {
		if e.Introduced != "" && !p.open {
			p.open, p.cur = true, version.Range{Introduced: cutVersion(e.Introduced)}
			if p.cur.Introduced == "0" {
				p.cur.Introduced = ""
			}
		}
	}
}

func (p *pairing) end(events []osvEvent) {
	for _, e := range events {
		if !p.open || e.Introduced != "" {
			continue
		}
		p.open, p.cur.Fixed, p.cur.LastAffected = false, cutVersion(e.Fixed), cutVersion(e.LastAffected)
		if !emptyRange(p.cur) {
			p.out = append(p.out, p.cur)
		}
	}
}

// emptyRange reports whether a range holds nothing for certain: fixed in "0" or where it was introduced.
func emptyRange(r version.Range) bool {
	return r.Fixed != "" && (r.Fixed == "0" || r.Fixed == r.Introduced)
}

func cutVersion(v string) string {
	v = strings.TrimSpace(v)
	if len(v) > maxName {
		v = v[:maxName]
	}
	return strings.ToValidUTF8(v, "?")
}

func (e *osvEvent) at() string {
	switch {
	case e.Introduced != "":
		return e.Introduced
	case e.Fixed != "":
		return e.Fixed
	}
	return e.LastAffected
}

// sortEvents orders events by version where all of them can be ordered: the
// schema does not promise an order.
func sortEvents(eco string, events []osvEvent) []osvEvent {
	for i := range events {
		at := events[i].at()
		if at == "" || at != "0" && version.Valid(eco, at) != nil {
			return events
		}
	}
	if !version.Known(eco) {
		return events
	}
	out := append([]osvEvent(nil), events...)
	sort.SliceStable(out, func(i, j int) bool {
		a, b := out[i].at(), out[j].at()
		if a == "0" || b == "0" {
			return a == "0" && b != "0"
		}
		n, err := version.Compare(eco, a, b)
		return err == nil && n < 0
	})
	return out
}

// outsideRanges returns the listed versions that no range contains: the others
// add nothing, as a version is vulnerable when it is listed or in a range.
func outsideRanges(eco string, ranges []version.Range, versions []string) []string {
	var out []string
	for _, v := range versions {
		v = strings.TrimSpace(v)
		if v == "" || len(v) > maxName {
			continue
		}
		inside := false
		for _, r := range ranges {
			if r == (version.Range{}) {
				inside = true
			} else if in, err := version.Contains(eco, r, v); err == nil && in {
				inside = true
			}
			if inside {
				break
			}
		}
		if !inside {
			out = append(out, strings.ToValidUTF8(v, "?"))
		}
	}
	return out
}
