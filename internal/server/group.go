package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/store"
)

const (
	// mostGroups and mostTagRules cap how many there are at a time.
	mostGroups   = 500
	mostTagRules = 500
	// lastGroup is the highest number of a group.
	lastGroup = 65000
	// previewRows is how many devices a preview shows, previewStep how many it
	// looks at under the lock.
	previewRows = 30
	previewStep = 5000
)

// DeviceGroups lists the device groups that the caller may see by rank; group 0
// comes last. The list is the same whichever of them the caller looks at.
func (s *Server) DeviceGroups(ctx context.Context, caller Caller) ([]DeviceGroup, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	if err := s.core.settle(ctx); err != nil {
		return nil, err
	}
	var access map[uint16][]int64
	if caller.Has(ManageSettings) {
		var err error
		if access, err = s.st.DeviceAccess(ctx); err != nil {
			return nil, fmt.Errorf("read who sees device groups: %w", err)
		}
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.deviceGroups(caller.sees(), access), nil
}

// deviceGroups are the groups of a scope with what they hold. The caller holds mu for reading.
func (c *core) deviceGroups(in exposure.Scope, access map[uint16][]int64) []DeviceGroup {
	n := map[exposure.Group]int{}
	for _, d := range c.devices {
		if d != nil {
			n[d.group]++
		}
	}
	out := make([]DeviceGroup, 0, len(c.sorting.groups)+1)
	add := func(g DeviceGroup) {
		if in.Has(g.ID) {
			g.Devices, g.Score, g.UserGroups = n[g.ID], c.groupScore(g.ID), append([]int64{}, access[uint16(g.ID)]...)
			out = append(out, g)
		}
	}
	for i := range c.sorting.groups {
		g := &c.sorting.groups[i]
		add(DeviceGroup{ID: g.group(), Name: g.name, Description: g.description, Rank: i + 1, Rules: g.rules})
	}
	add(DeviceGroup{Name: Ungrouped, Description: "Devices that no rule takes.", Rank: len(c.sorting.groups) + 1, Rules: []group.Rule{}})
	return out
}

// SetGroupAccess says which user groups see the devices of a device group; 0
// is the devices in none. It holds from the next request on, and for what is
// being streamed and exported.
func (s *Server) SetGroupAccess(ctx context.Context, caller Caller, id exposure.Group, a GroupAccess) (DeviceGroup, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return DeviceGroup{}, err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	name, ok := s.rules().names[id]
	if !ok {
		return DeviceGroup{}, fmt.Errorf("group %d: %w", id, ErrNotFound)
	}
	access, err := s.st.DeviceAccess(ctx)
	if err != nil {
		return DeviceGroup{}, fmt.Errorf("read who sees device groups: %w", err)
	}
	audit.Change(ctx, name, map[string]any{"user_groups": s.groupNames(ctx, access[uint16(id)])}, map[string]any{"user_groups": s.groupNames(ctx, a.UserGroups)})
	if err := s.st.SetAccess(ctx, int64(id), a.UserGroups); err != nil {
		return DeviceGroup{}, peopleErr("user_groups", err)
	}
	s.log.InfoContext(ctx, "access to device group changed", "group", id, "by", caller.Name)
	return s.deviceGroup(context.WithoutCancel(ctx), id)
}

// groupScore is the score of one group. The caller holds mu for reading.
func (c *core) groupScore(g exposure.Group) ScoreView {
	return c.scoreView(lens{groups: []exposure.Group{g}})
}

// ScoresByGroup is the exposure score of each device group that the caller
// looks at, by rank. With the weights of the whole organisation, so that their
// nums and dens add up to those of all of them together.
func (s *Server) ScoresByGroup(ctx context.Context, caller Caller) ([]GroupScore, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return nil, err
	}
	if err := s.core.settle(ctx); err != nil {
		return nil, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []GroupScore
	add := func(id exposure.Group) {
		if caller.looks().Has(id) {
			out = append(out, GroupScore{ID: id, Name: c.sorting.names[id], Word: c.groupWord(id), ScoreView: c.groupScore(id)})
		}
	}
	for i := range c.sorting.groups {
		add(c.sorting.groups[i].group())
	}
	add(0)
	return out, nil
}

// invalidRules turns what is wrong with rules into an error for the caller.
func invalidRules(err error) error {
	var wrong *group.Error
	if errors.As(err, &wrong) {
		return Invalidf(wrong.Path, "%s", wrong.Message)
	}
	return err
}

// checkName checks a name that people gave, without blanks around it.
func checkName(field, name string) error {
	switch {
	case name == "":
		return Invalidf(field, "is empty")
	case len([]rune(name)) > 100:
		return Invalidf(field, "has more than 100 characters")
	case strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0:
		return Invalidf(field, "holds a character that cannot be shown")
	}
	return nil
}

// prepare checks an edit and makes it ready. kind is "group" or "tag".
func prepare(list []ruleSet, id int64, e RuleEdit, most int, kind string) (ruleSet, error) {
	r := ruleSet{id: id, name: strings.TrimSpace(e.Name), description: strings.TrimSpace(e.Description), rules: e.Rules}
	if err := checkName("name", r.name); err != nil {
		return r, err
	}
	if len([]rune(r.description)) > 1000 {
		return r, Invalidf("description", "has more than 1000 characters")
	}
	found := id == 0
	for i := range list {
		found = found || list[i].id == id
		if list[i].id != id && strings.EqualFold(list[i].name, r.name) {
			return r, Invalidf("name", "%q is taken by another %s", list[i].name, kind)
		}
	}
	if !found {
		return r, fmt.Errorf("%s %d: %w", kind, id, ErrNotFound)
	}
	if id == 0 && len(list) >= most {
		return r, Invalidf("name", "there are %d already, the most that there may be: delete one first", most)
	}
	if r.rules == nil {
		r.rules = []group.Rule{}
	}
	var err error
	r.match, err = group.Compile(r.rules)
	return r, invalidRules(err)
}

// stored is a rule set as the store keeps it.
func (r *ruleSet) stored() (store.RuleSet, error) {
	raw, err := json.Marshal(r.rules)
	return store.RuleSet{ID: r.id, Name: r.name, Description: r.description, Rules: raw}, err
}

// noted is what the audit log keeps of a rule set.
func (r *ruleSet) noted() map[string]any {
	return map[string]any{"name": r.name, "description": r.description, "rules": r.rules}
}

// noteRules tells the audit log what becomes of one of list.
func noteRules(ctx context.Context, list []ruleSet, r ruleSet) {
	if i := slices.IndexFunc(list, func(o ruleSet) bool { return o.id == r.id }); i >= 0 {
		audit.Change(ctx, strconv.FormatInt(r.id, 10), list[i].noted(), r.noted())
		return
	}
	audit.Change(ctx, r.name, nil, r.noted())
}

// noteGroup tells the audit log what becomes of a device group, and of who sees it.
func (s *Server) noteGroup(ctx context.Context, list []ruleSet, r ruleSet, seenBy []int64) error {
	after := r.noted()
	i := slices.IndexFunc(list, func(o ruleSet) bool { return o.id == r.id })
	if seenBy == nil && i >= 0 { // who sees it stays
		noteRules(ctx, list, r)
		return nil
	}
	after["user_groups"] = s.groupNames(ctx, seenBy)
	if i < 0 {
		audit.Change(ctx, r.name, nil, after)
		return nil
	}
	access, err := s.st.DeviceAccess(ctx)
	if err != nil {
		return fmt.Errorf("read who sees device groups: %w", err)
	}
	before := list[i].noted()
	before["user_groups"] = s.groupNames(ctx, access[uint16(r.id)])
	audit.Change(ctx, strconv.FormatInt(r.id, 10), before, after)
	return nil
}

// with puts a rule set in the place of the one with its id, or at the end.
func with(list []ruleSet, r ruleSet) []ruleSet {
	out := slices.Clone(list)
	if i := slices.IndexFunc(out, func(o ruleSet) bool { return o.id == r.id }); i >= 0 {
		out[i] = r
		return out
	}
	return append(out, r)
}

// rules is the sorting that holds. Whoever changes it holds s.sorting.
func (s *Server) rules() *sorting {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.sorting
}

// SaveDeviceGroup stores a device group and moves the devices that it concerns
// before it returns. id 0 makes a new one, which comes last.
func (s *Server) SaveDeviceGroup(ctx context.Context, caller Caller, id exposure.Group, e RuleEdit) (DeviceGroup, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return DeviceGroup{}, err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	now := s.rules()
	if strings.EqualFold(strings.TrimSpace(e.Name), Ungrouped) {
		return DeviceGroup{}, Invalidf("name", "%q is the name of the devices that no rule takes", Ungrouped)
	}
	r, err := prepare(now.groups, int64(id), e, mostGroups, "group")
	if err != nil {
		return DeviceGroup{}, err
	}
	ahead := r
	if id == 0 {
		ahead.id = lastGroup + 1 // no rule of approval names it
	}
	was := map[string]any(nil)
	if i := slices.IndexFunc(now.groups, func(g ruleSet) bool { return g.id == r.id }); i >= 0 {
		was = now.groups[i].noted()
	}
	ch := edited(doSaveGroup, int64(id), e, fmt.Sprintf("Save device group %q", r.name), was, r.noted())
	if err := s.keepProtected(ctx, caller, ch, nil, byRules(newSorting(now.tags, with(now.groups, ahead)))); err != nil {
		return DeviceGroup{}, err
	}
	row, err := r.stored()
	if err == nil {
		if err := s.noteGroup(ctx, now.groups, r, e.UserGroups); err != nil {
			return DeviceGroup{}, err
		}
		row.UserGroups = e.UserGroups
		r.id, err = s.st.PutDeviceGroup(ctx, row)
	}
	if errors.Is(err, store.ErrNotFound) {
		return DeviceGroup{}, Invalidf("user_groups", "names a user group that does not exist: read the lists again")
	}
	if err != nil {
		return DeviceGroup{}, fmt.Errorf("store group: %w", err)
	}
	if r.id > lastGroup {
		err := s.st.DeleteDeviceGroup(ctx, r.id)
		return DeviceGroup{}, errors.Join(Invalidf("name", "all %d numbers of groups were used: change a group in place of making one", lastGroup), err)
	}
	s.resort(newSorting(now.tags, with(now.groups, r)))
	s.log.InfoContext(ctx, "device group saved", "group", r.id, "name", r.name, "by", caller.Name)
	return s.deviceGroup(context.WithoutCancel(ctx), r.group())
}

func (s *Server) deviceGroup(ctx context.Context, id exposure.Group) (DeviceGroup, error) {
	if err := s.core.settle(ctx); err != nil {
		return DeviceGroup{}, err
	}
	access, err := s.st.DeviceAccess(ctx)
	if err != nil {
		return DeviceGroup{}, fmt.Errorf("read who sees device groups: %w", err)
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, g := range s.core.deviceGroups(exposure.Within(id), access) {
		if g.ID == id {
			return g, nil
		}
	}
	return DeviceGroup{}, fmt.Errorf("group %d: %w", id, ErrNotFound)
}

// DeleteDeviceGroup deletes a device group; its devices go to the next group
// whose rules hold.
func (s *Server) DeleteDeviceGroup(ctx context.Context, caller Caller, id exposure.Group) error {
	if err := s.need(caller, ManageSettings); err != nil {
		return err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	now := s.rules()
	rest := slices.DeleteFunc(slices.Clone(now.groups), func(r ruleSet) bool { return r.group() == id })
	if len(rest) == len(now.groups) {
		return fmt.Errorf("group %d: %w", id, ErrNotFound)
	}
	if err := s.protected(id); err != nil {
		return err
	}
	gone := now.groups[slices.IndexFunc(now.groups, func(r ruleSet) bool { return r.group() == id })]
	audit.Change(ctx, strconv.Itoa(int(id)), gone.noted(), nil)
	if err := s.st.DeleteDeviceGroup(ctx, int64(id)); err != nil {
		return fmt.Errorf("delete group %d: %w", id, err)
	}
	s.resort(newSorting(now.tags, rest))
	s.log.InfoContext(ctx, "device group deleted", "group", id, "by", caller.Name)
	return nil
}

// OrderDeviceGroups gives the groups the ranks of their places in ids, which
// names every group but 0 once.
func (s *Server) OrderDeviceGroups(ctx context.Context, caller Caller, ids []exposure.Group) error {
	if err := s.need(caller, ManageSettings); err != nil {
		return err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	now := s.rules()
	next := make([]ruleSet, 0, len(ids))
	order := make([]int64, 0, len(ids))
	for _, id := range ids {
		i := slices.IndexFunc(now.groups, func(r ruleSet) bool { return r.group() == id })
		if i < 0 || slices.Contains(order, int64(id)) {
			return Invalidf("order", "group %d does not exist or is named twice: read the groups again", id)
		}
		next, order = append(next, now.groups[i]), append(order, int64(id))
	}
	if len(next) != len(now.groups) {
		return Invalidf("order", "names %d of %d groups: read the groups again", len(next), len(now.groups))
	}
	was := make([]string, 0, len(now.groups))
	is := make([]string, 0, len(next))
	for i := range next {
		was, is = append(was, now.groups[i].name), append(is, next[i].name)
	}
	ch := leaving{Do: doOrderGroups, Order: ids, Subject: "Rank device groups", Before: map[string]any{"order": was}, After: map[string]any{"order": is}}
	if err := s.keepProtected(ctx, caller, ch, nil, byRules(newSorting(now.tags, next))); err != nil {
		return err
	}
	audit.Change(ctx, "device groups", ch.Before, ch.After)
	if err := s.st.OrderDeviceGroups(ctx, order); err != nil {
		return fmt.Errorf("rank groups: %w", err)
	}
	s.resort(newSorting(now.tags, next))
	s.log.InfoContext(ctx, "device groups ranked", "order", order, "by", caller.Name)
	return nil
}

// PreviewDeviceGroup says what a group would hold with other rules; id 0 is a
// group that does not exist yet and would come last.
func (s *Server) PreviewDeviceGroup(ctx context.Context, caller Caller, id exposure.Group, rules []group.Rule) (RulePreview, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return RulePreview{}, err
	}
	now := s.rules()
	rank := slices.IndexFunc(now.groups, func(r ruleSet) bool { return r.group() == id })
	if id != 0 && rank < 0 {
		return RulePreview{}, fmt.Errorf("group %d: %w", id, ErrNotFound)
	}
	better := map[exposure.Group]bool{} // groups that keep their devices
	for i := range now.groups {
		if id == 0 || i < rank {
			better[now.groups[i].group()] = true
		}
	}
	return s.preview(ctx, rules, (*device).tags, func(d *device) (has, may bool) {
		return id != 0 && d.group == id, !better[d.group]
	})
}

// preview walks over the devices. tags are those that the rules see; standing
// says whether a device has the group or tag now, and whether it may have it.
func (s *Server) preview(ctx context.Context, rules []group.Rule, tags func(*device) []string, standing func(*device) (has, may bool)) (RulePreview, error) {
	m, err := group.Compile(rules)
	if err != nil {
		return RulePreview{}, invalidRules(err)
	}
	out := RulePreview{From: []PreviewGroup{}, Devices: []PreviewRow{}}
	from := map[exposure.Group]int{}
	var hits []PreviewRow
	c := s.core
	for begin, more := 0, true; more; begin += previewStep {
		if err := ctx.Err(); err != nil {
			return RulePreview{}, err
		}
		c.mu.RLock()
		for i := begin; i < min(begin+previewStep, len(c.devices)); i++ {
			d := c.devices[i]
			if d == nil {
				continue
			}
			f := d.facts()
			f.Tags = tags(d)
			has, may := standing(d)
			if !m.Match(&f) {
				if has {
					out.Leaving++
				}
				continue
			}
			out.Matched++
			if may {
				out.Members++
				from[d.group]++
			}
			hits = append(hits, PreviewRow{ID: d.id, Name: d.sum.Name, OSName: d.sum.OSName, Group: c.sorting.names[d.group], Member: may})
		}
		more = begin+previewStep < len(c.devices)
		names := c.sorting.names
		c.mu.RUnlock()
		hits = append([]PreviewRow(nil), window(hits, func(a, b PreviewRow) int {
			return cmp.Or(cmpFold(a.Name, b.Name), strings.Compare(string(a.ID), string(b.ID)))
		}, 0, previewRows)...)
		out.From = out.From[:0]
		for id, n := range from {
			out.From = append(out.From, PreviewGroup{ID: id, Name: names[id], Devices: n})
		}
	}
	slices.SortFunc(out.From, func(a, b PreviewGroup) int { return cmp.Or(b.Devices-a.Devices, int(a.ID)-int(b.ID)) })
	out.Devices = append(out.Devices, hits...)
	return out, nil
}
