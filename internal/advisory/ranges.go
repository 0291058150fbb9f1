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
	var out []version.Range
	open := false
	var cur version.Range
	for _, e := range events {
		switch {
		case e.Introduced != "":
			if !open {
				open, cur = true, version.Range{Introduced: cutVersion(e.Introduced)}
				if cur.Introduced == "0" {
					cur.Introduced = ""
				}
			}
		case e.Fixed != "":
			if open {
				open, cur.Fixed = false, cutVersion(e.Fixed)
				if !emptyRange(cur) {
					out = append(out, cur)
				}
			}
		case e.LastAffected != "":
			if open {
				open, cur.LastAffected = false, cutVersion(e.LastAffected)
				out = append(out, cur)
			}
		}
	}
	if open {
		out = append(out, cur)
	}
	return out
}

// emptyRange reports whether a range holds nothing for certain: fixed in "0" or where it was introduced.
func emptyRange(r version.Range) bool {
	return r.Fixed == "0" || r.Fixed == r.Introduced
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
// schema does not promise an order. An end sorts before a beginning at the same version.
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
		if a == b {
			return out[i].Introduced == "" && out[j].Introduced != "" && a != "0"
		}
		if a == "0" || b == "0" {
			return a == "0"
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
