package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/store"
)

// sortStep is how many devices one step of sorting takes under the lock: a
// device that changes its group is counted out of one and into another.
const sortStep = 250

// sorting says by rules which tags devices get and which group they are in. It
// never changes; a change of rules makes another.
type sorting struct {
	tags   []ruleSet // by tag
	groups []ruleSet // by rank
	names  map[exposure.Group]string
}

// ruleSet is a device group or the rules of a tag, ready to be asked.
type ruleSet struct {
	id          int64
	name        string
	description string
	rules       []group.Rule
	match       *group.Matcher
}

func (r *ruleSet) group() exposure.Group { return exposure.Group(r.id) }

func newSorting(tags, groups []ruleSet) *sorting {
	s := &sorting{tags: tags, groups: groups, names: map[exposure.Group]string{0: Ungrouped}}
	for i := range groups {
		s.names[groups[i].group()] = groups[i].name
	}
	return s
}

// readSorting reads the rules from the store.
func readSorting(ctx context.Context, st *store.Store) (*sorting, error) {
	tags, err := st.TagRules(ctx)
	if err != nil {
		return nil, fmt.Errorf("read rules of tags: %w", err)
	}
	groups, err := st.DeviceGroups(ctx)
	if err != nil {
		return nil, fmt.Errorf("read device groups: %w", err)
	}
	var out [2][]ruleSet
	for i, list := range [][]store.RuleSet{tags, groups} {
		for _, r := range list {
			one := ruleSet{id: r.ID, name: r.Name, description: r.Description}
			if err := json.Unmarshal(r.Rules, &one.rules); err != nil {
				return nil, fmt.Errorf("rules of %q: %w", r.Name, err)
			}
			if one.match, err = group.Compile(one.rules); err != nil {
				return nil, fmt.Errorf("rules of %q: %w", r.Name, err)
			}
			out[i] = append(out[i], one)
		}
	}
	return newSorting(out[0], out[1]), nil
}

// groupOf is the first group by rank whose rules hold, 0 when none does.
func (s *sorting) groupOf(f *group.Facts) exposure.Group {
	for i := range s.groups {
		if s.groups[i].match.Match(f) {
			return s.groups[i].group()
		}
	}
	return 0
}

// classify brings a device's tags by rules up to date and returns the group
// that it belongs to. Rules for tags see the tags that people and agents give;
// rules for groups see all. The caller holds mu for writing.
func (c *core) classify(d *device) exposure.Group {
	f := d.facts()
	var ruled []string
	for i := range c.sorting.tags {
		if t := &c.sorting.tags[i]; t.match.Match(&f) {
			ruled = append(ruled, t.name)
		}
	}
	if !slices.Equal(ruled, d.ruled) {
		d.ruled = ruled
	}
	all := d.joinTags()
	if d.all == nil || !slices.Equal(all, d.all) {
		d.all = all // readers may hold the old one
	}
	f.Tags = d.all
	return c.sorting.groupOf(&f)
}

// facts are what rules look at; the tags are those that no rule gives.
func (d *device) facts() group.Facts {
	f := group.Facts{Name: d.sum.Name, FullName: d.sum.FQDN, OSPlatform: d.sum.OSPlatform, OSVersion: d.sum.OSVersion,
		Value: valueWords[d.value], Arch: d.sum.Arch, Source: d.source(), Tags: slices.Concat(d.tagged, d.ownTags())}
	for _, i := range d.sum.Interfaces {
		if !i.Loopback {
			f.IPs = append(f.IPs, i.Addresses...)
		}
	}
	if len(f.IPs) == 0 && d.sum.IP != "" {
		f.IPs = []string{d.sum.IP}
	}
	return f
}

// simulatedTag is what simulated agents say of their device.
const simulatedTag = "simulated"

// source says where a device's inventory comes from.
func (d *device) source() string {
	switch {
	case d.agent.Source == store.SourceSBOM:
		return "sbom"
	case d.agent.Source == store.SourceOsquery:
		return "osquery"
	case slices.Contains(d.agent.Tags, simulatedTag):
		return "simulated"
	}
	return "agent"
}

// ownTags are those that the device came with.
func (d *device) ownTags() []string {
	if len(d.sum.Tags) == 0 {
		return d.agent.Tags
	}
	return slices.Concat(d.sum.Tags, d.agent.Tags)
}

// joinTags joins the tags that people, rules and the agent give, each once.
func (d *device) joinTags() []string {
	own := d.ownTags()
	out := make([]string, 0, len(d.tagged)+len(d.ruled)+len(own))
	for _, list := range [][]string{d.tagged, d.ruled, own} {
		for _, t := range list {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// resort takes new rules and sorts all devices by them, a step at a time:
// others read and change the fleet in between. It ends when all is done.
func (s *Server) resort(next *sorting) {
	c := s.core
	c.mu.Lock()
	c.sorting = next
	all := slices.Clone(c.devices)
	c.mu.Unlock()
	s.place(all)
}

// place sorts devices, some of which may be nil, a step at a time.
func (s *Server) place(list []*device) {
	for step := range slices.Chunk(list, sortStep) {
		s.core.mu.Lock()
		now := time.Now()
		for _, d := range step {
			if d != nil {
				s.core.place(d, now)
			}
		}
		s.core.mu.Unlock()
	}
	s.live.publish(LiveEvent{Resource: "all"})
}
