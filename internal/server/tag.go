package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/store"
)

// mostTags caps the manual tags of one device.
const mostTags = 100

// TagRules lists the rules that give tags, by tag, and counts the devices of
// the caller that have it.
func (s *Server) TagRules(_ context.Context, caller Caller) ([]TagRule, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	return s.core.tagRules(caller.sees()), nil
}

// tagRules counts the devices of a scope. The caller holds mu for reading.
func (c *core) tagRules(in exposure.Scope) []TagRule {
	n := map[string]int{}
	for _, d := range c.devices {
		if d != nil && in.Has(d.group) {
			for _, t := range d.ruled {
				n[t]++
			}
		}
	}
	out := make([]TagRule, 0, len(c.sorting.tags))
	for _, t := range c.sorting.tags {
		out = append(out, TagRule{ID: t.id, Tag: t.name, Description: t.description, Rules: t.rules, Devices: n[t.name]})
	}
	return out
}

// SaveTagRule stores the rules of a tag; devices have it, or have it no more,
// when it returns. id 0 makes a new one.
func (s *Server) SaveTagRule(ctx context.Context, caller Caller, id int64, e RuleEdit) (TagRule, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return TagRule{}, err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	now := s.rules()
	r, err := prepare(now.tags, id, e, mostTagRules, "tag rule")
	if err != nil {
		return TagRule{}, err
	}
	tags := with(now.tags, r)
	byTag := map[string][]group.Rule{}
	for _, t := range tags {
		byTag[t.name] = t.rules
	}
	if err := group.CheckTagRules(byTag); err != nil {
		return TagRule{}, invalidRules(err)
	}
	was := map[string]any(nil)
	if i := slices.IndexFunc(now.tags, func(t ruleSet) bool { return t.id == id }); i >= 0 {
		was = now.tags[i].noted()
	}
	if err := s.keepProtected(ctx, caller, edited(doSaveTagRule, id, e, fmt.Sprintf("Save rules of tag %q", r.name), was, r.noted()), nil, byRules(newSorting(tags, now.groups))); err != nil {
		return TagRule{}, err
	}
	row, err := r.stored()
	if err == nil {
		noteRules(ctx, now.tags, r)
		r.id, err = s.st.PutTagRule(ctx, row)
	}
	if err != nil {
		return TagRule{}, fmt.Errorf("store tag rule: %w", err)
	}
	tags = with(now.tags, r)
	slices.SortFunc(tags, func(a, b ruleSet) int { return cmpFold(a.name, b.name) })
	s.resort(newSorting(tags, now.groups))
	s.log.InfoContext(ctx, "tag rule saved", "tag", r.name, "by", caller.Name)
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, t := range s.core.tagRules(exposure.Everywhere()) {
		if t.ID == r.id {
			return t, nil
		}
	}
	return TagRule{}, fmt.Errorf("tag rule %d: %w", r.id, ErrNotFound)
}

// DeleteTagRule deletes the rules of a tag: devices have it no more.
func (s *Server) DeleteTagRule(ctx context.Context, caller Caller, id int64) error {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return err
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	now := s.rules()
	rest := slices.DeleteFunc(slices.Clone(now.tags), func(r ruleSet) bool { return r.id == id })
	if len(rest) == len(now.tags) {
		return fmt.Errorf("tag rule %d: %w", id, ErrNotFound)
	}
	gone := now.tags[slices.IndexFunc(now.tags, func(r ruleSet) bool { return r.id == id })]
	ch := leaving{Do: doDeleteTagRule, ID: id, Subject: fmt.Sprintf("Delete rules of tag %q", gone.name), Before: gone.noted()}
	if err := s.keepProtected(ctx, caller, ch, nil, byRules(newSorting(rest, now.groups))); err != nil {
		return err
	}
	audit.Change(ctx, strconv.FormatInt(id, 10), gone.noted(), nil)
	if err := s.st.DeleteTagRule(ctx, id); err != nil {
		return fmt.Errorf("delete tag rule %d: %w", id, err)
	}
	s.resort(newSorting(rest, now.groups))
	s.log.InfoContext(ctx, "tag rule deleted", "id", id, "by", caller.Name)
	return nil
}

// PreviewTagRule says which devices would have a tag; id 0 is one that does not exist yet.
func (s *Server) PreviewTagRule(ctx context.Context, caller Caller, id int64, rules []group.Rule) (RulePreview, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return RulePreview{}, err
	}
	now := s.rules()
	i := slices.IndexFunc(now.tags, func(r ruleSet) bool { return r.id == id })
	if id != 0 && i < 0 {
		return RulePreview{}, fmt.Errorf("tag rule %d: %w", id, ErrNotFound)
	}
	own := func(d *device) []string { return slices.Concat(d.tagged, d.ownTags()) }
	return s.preview(ctx, rules, own, func(d *device) (has, may bool) {
		return id != 0 && slices.Contains(d.ruled, now.tags[i].name), true
	})
}

// Tags lists every tag that some device of the caller's groups has, or that rules give.
func (s *Server) Tags(_ context.Context, caller Caller) ([]TagRow, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	rows := map[string]*TagRow{}
	at := func(tag string) *TagRow {
		if rows[tag] == nil {
			rows[tag] = &TagRow{Tag: tag, Kinds: []string{}}
		}
		return rows[tag]
	}
	for _, t := range c.sorting.tags {
		if l.sees.All() { // elsewhere a tag is told of when a device has it
			at(t.name).Kinds = []string{TagByRule}
		}
	}
	for _, d := range c.devices {
		if d == nil || l.devs != nil && !l.devs.Contains(d.num) {
			continue
		}
		for _, t := range d.all {
			at(t).Devices++
		}
		for kind, t := range d.eachTag {
			r := at(t)
			if !slices.Contains(r.Kinds, kind) {
				r.Kinds = append(r.Kinds, kind)
			}
			if kind == TagManual {
				r.Manual++
			}
		}
	}
	out := make([]TagRow, 0, len(rows))
	for _, t := range slices.SortedFunc(maps.Keys(rows), cmpFold) {
		slices.Sort(rows[t].Kinds)
		out = append(out, *rows[t])
	}
	return out, nil
}

// eachTag yields a device's tags with who gives them.
func (d *device) eachTag(yield func(kind, tag string) bool) {
	for i, list := range [][]string{d.tagged, d.ruled, d.ownTags()} {
		for _, t := range list {
			if !yield([]string{TagManual, TagByRule, TagAgent}[i], t) {
				return
			}
		}
	}
}

// tagList is a device's tags, each once, with who gives them.
func (d *device) tagList() []DeviceTag {
	out := make([]DeviceTag, len(d.all))
	for i, t := range d.all {
		out[i] = DeviceTag{Tag: t, Kinds: []string{}}
	}
	for kind, t := range d.eachTag {
		if i := slices.Index(d.all, t); i >= 0 && !slices.Contains(out[i].Kinds, kind) {
			out[i].Kinds = append(out[i].Kinds, kind)
		}
	}
	return out
}

// ChangeTags gives manual tags to devices and takes them away: on all of the
// devices or, when one of them or a tag is wrong, on none.
func (s *Server) ChangeTags(ctx context.Context, caller Caller, ch TagChange) (TagResult, error) {
	if err := s.need(caller, MachineReadWrite, ManageDevices); err != nil {
		return TagResult{}, err
	}
	add, err := readTags("add", ch.Add)
	if err != nil {
		return TagResult{}, err
	}
	remove, err := readTags("remove", ch.Remove)
	if err != nil {
		return TagResult{}, err
	}
	if len(add)+len(remove) == 0 {
		return TagResult{}, Invalidf("add", "names no tag, and neither does remove")
	}
	if len(ch.Devices) == 0 || len(ch.Devices) > 1000 {
		return TagResult{}, Invalidf("devices", "are %d: name 1 to 1000", len(ch.Devices))
	}
	for _, t := range add {
		if slices.Contains(remove, t) {
			return TagResult{}, Invalidf("remove", "names %q, which is to be added too", t)
		}
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	list, nums, err := s.core.taggable(caller.sees(), ch.Devices, add, remove)
	if err != nil {
		return TagResult{}, err
	}
	c := s.core
	change := func(tags []string) []string { return retag(tags, add, remove) }
	c.mu.RLock()
	was, is := tagsOf(list, slices.Clone[[]string]), tagsOf(list, change)
	c.mu.RUnlock()
	ask := leaving{Do: doChangeTags, Tags: ch, Subject: "Change tags", Before: was, After: is}
	if err := s.keepProtected(ctx, caller, ask, list, func(d *device, f *group.Facts) exposure.Group {
		f.Tags = slices.Concat(change(d.tagged), d.ownTags())
		return c.sorting.under(f)
	}); err != nil {
		return TagResult{}, err
	}
	audit.Change(ctx, strings.Join(ch.Devices, " "), map[string]any{"tags": was}, map[string]any{"tags": is, "added": add, "removed": remove})
	if err := s.st.ChangeTags(ctx, nums, add, remove); err != nil {
		return TagResult{}, fmt.Errorf("store tags: %w", err)
	}
	var out TagResult
	c.mu.Lock()
	for _, d := range list {
		next := retag(d.tagged, add, remove)
		if !slices.Equal(next, d.tagged) {
			out.Changed++
			d.tagged = next
		}
	}
	c.mu.Unlock()
	s.place(list)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range list {
		if slices.ContainsFunc(remove, func(t string) bool { return slices.Contains(d.all, t) }) {
			out.Kept++
		}
	}
	s.log.InfoContext(ctx, "tags changed", "devices", len(list), "add", add, "remove", remove, "by", caller.Name)
	return out, nil
}

// taggable finds devices of a scope, each once, and checks that they have room for the tags.
func (c *core) taggable(in exposure.Scope, ids, add, remove []string) (list []*device, nums []uint32, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, id := range ids {
		d, err := c.named(in, id)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(nums, d.num) {
			continue
		}
		if len(retag(d.tagged, add, remove)) > mostTags {
			return nil, nil, Invalidf("add", "%s would have more than %d tags", d.sum.Name, mostTags)
		}
		list, nums = append(list, d), append(nums, d.num)
	}
	return list, nums, nil
}

// retag is a list of tags after a change, in order.
func retag(tags, add, remove []string) []string {
	out := slices.Concat(tags, add)
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(t string) bool { return slices.Contains(remove, t) })
}

// readTags checks tags that people gave, without blanks around them.
func readTags(field string, tags []string) ([]string, error) {
	if len(tags) > 20 {
		return nil, Invalidf(field, "names %d tags, at most 20 are taken at a time", len(tags))
	}
	out := make([]string, 0, len(tags))
	for i, t := range tags {
		t = strings.TrimSpace(t)
		if err := checkName(fmt.Sprintf("%s[%d]", field, i), t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// loadTags gives devices their manual tags. The caller holds mu for writing.
func (c *core) loadTags(ctx context.Context, st *store.Store) error {
	byNum, err := st.DeviceTags(ctx)
	if err != nil {
		return fmt.Errorf("load tags of devices: %w", err)
	}
	for num, tags := range byNum {
		if d := c.at(num); d != nil {
			d.tagged = tags
		}
	}
	return nil
}
