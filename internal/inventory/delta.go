package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Delta is what changed in one section since the content whose hash is Base.
// With Base empty it is the whole section.
type Delta struct {
	Name   SectionName `json:"name"`
	Status Status      `json:"status"`
	Reason string      `json:"reason,omitempty"`
	SeenAt time.Time   `json:"seen_at"`
	Base   string      `json:"base,omitempty"` // hash of the section that the delta starts from; empty: from nothing
	Hash   string      `json:"hash"`           // hash after the delta is applied
	Put    []Item      `json:"put,omitempty"`
	Del    []string    `json:"del,omitempty"`
}

// ErrBase says that a delta does not start from the section that is held: the
// sender must send the whole section.
var ErrBase = errors.New("delta starts from other content")

// Diff returns the delta from old to now; both are sealed. A nil old gives the
// whole section. An empty delta (same hash) has neither Put nor Del.
func Diff(old, now *Section) Delta {
	d := Delta{Name: now.Name, Status: now.Status, Reason: now.Reason, SeenAt: now.SeenAt, Hash: now.Hash()}
	if old == nil {
		d.Put = now.Items
		return d
	}
	d.Base = old.Hash()
	i, j := 0, 0
	for i < len(old.Items) || j < len(now.Items) {
		switch {
		case j == len(now.Items) || i < len(old.Items) && old.Items[i].Key < now.Items[j].Key:
			d.Del = append(d.Del, old.Items[i].Key)
			i++
		case i == len(old.Items) || now.Items[j].Key < old.Items[i].Key:
			d.Put = append(d.Put, now.Items[j])
			j++
		default:
			if !bytes.Equal(old.Items[i].Value, now.Items[j].Value) {
				d.Put = append(d.Put, now.Items[j])
			}
			i++
			j++
		}
	}
	return d
}

// Apply returns the section that results from applying d to old (nil: nothing
// held). It checks the base before and the hash after, so a damaged or
// misplaced delta never changes what is held. old is not changed.
func Apply(old *Section, d Delta) (*Section, error) {
	s := &Section{Name: d.Name, Status: d.Status, Reason: d.Reason, SeenAt: d.SeenAt}
	if d.Base != "" {
		if old == nil || old.Hash() != d.Base {
			return nil, ErrBase
		}
		del := make(map[string]bool, len(d.Del)+len(d.Put))
		for _, k := range d.Del {
			del[k] = true
		}
		for _, it := range d.Put {
			del[it.Key] = true
		}
		for _, it := range old.Items {
			if !del[it.Key] {
				s.Items = append(s.Items, it)
			}
		}
	}
	s.Items = append(s.Items, d.Put...)
	s.Seal()
	if h := s.Hash(); h != d.Hash {
		return nil, fmt.Errorf("section %q: hash %.12s after the delta, %.12s announced", d.Name, h, d.Hash)
	}
	return s, nil
}

// Decode reads the items of a section as values of type T, in key order. Items
// that do not decode are returned by key in bad; they never stop the others.
func Decode[T any](s *Section) (values []T, bad []string) {
	values = make([]T, 0, len(s.Items))
	for _, it := range s.Items {
		var v T
		if err := json.Unmarshal(it.Value, &v); err != nil {
			bad = append(bad, it.Key)
			continue
		}
		values = append(values, v)
	}
	return values, bad
}
