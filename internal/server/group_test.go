package server

import (
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
)

// on is rules of one condition.
func on(p group.Property, op group.Operator, values ...string) []group.Rule {
	return []group.Rule{{Conditions: []group.Condition{{Property: p, Operator: op, Values: values}}}}
}

func mustGroup(t *testing.T, s *Server, id exposure.Group, name string, rules []group.Rule) exposure.Group {
	t.Helper()
	g, err := s.SaveDeviceGroup(t.Context(), admin, id, RuleEdit{Name: name, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

func mustTag(t *testing.T, s *Server, id inventory.DeviceID, add, remove []string) TagResult {
	t.Helper()
	r, err := s.ChangeTags(t.Context(), admin, TagChange{Devices: []string{string(id)}, Add: add, Remove: remove})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// host reports what rules look at.
func (r *report) host(t *testing.T, name, full, ip string) {
	t.Helper()
	r.sections(t, oneItem(inventory.OSSection, "os", inventory.OS{ID: "debian", VersionID: "12", Codename: "bookworm", PrettyName: "Debian GNU/Linux 12 (bookworm)",
		Family: "linux", Arch: "amd64", Hostname: name, FQDN: full}),
		oneItem(inventory.Interfaces, "eth0", inventory.Interface{Name: "eth0", Up: true, Addresses: []string{ip}}))
}

func groupNow(t *testing.T, s *Server, id inventory.DeviceID) string {
	t.Helper()
	d, err := s.Device(t.Context(), admin, string(id))
	if err != nil {
		t.Fatal(err)
	}
	if num := s.core.byID[id]; s.core.fleet.Scores().DeviceGroup(num) != d.GroupID {
		t.Errorf("%s is in group %d, and in group %d for scores", d.Name, d.GroupID, s.core.fleet.Scores().DeviceGroup(num))
	}
	return d.Group
}

func wantGroup(t *testing.T, s *Server, id inventory.DeviceID, when, want string) {
	t.Helper()
	if got := groupNow(t, s, id); got != want {
		t.Errorf("%s: the device is in %q, want %q", when, got, want)
	}
}

// A device is in the first group by rank whose rules hold, and follows every
// change of what rules look at, of rules and of ranks at once.
func TestDevicesFollowTheRules(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "one"))
	r.host(t, "web1", "web1.example.org", "10.1.0.5")
	wantGroup(t, s, r.id, "without groups", Ungrouped)

	web := mustGroup(t, s, 0, "Web", on(group.Name, group.StartsWith, "WEB"))
	net := mustGroup(t, s, 0, "Net", on(group.IP, group.In, "10.1.0.0/16"))
	high := mustGroup(t, s, 0, "High", on(group.Value, group.Equals, "High"))
	vip := mustGroup(t, s, 0, "Vip", on(group.Tag, group.Equals, "vip"))
	wantGroup(t, s, r.id, "both hold", "Web")

	r.host(t, "db1", "db1.example.org", "10.1.0.5")
	wantGroup(t, s, r.id, "a new name", "Net")
	r.host(t, "db1", "db1.example.org", "192.168.0.5")
	wantGroup(t, s, r.id, "a new address", Ungrouped)
	if err := s.SetDeviceValue(t.Context(), admin, string(r.id), "High"); err != nil {
		t.Fatal(err)
	}
	wantGroup(t, s, r.id, "a new value", "High")
	if err := s.SetDeviceValue(t.Context(), admin, string(r.id), "Normal"); err != nil {
		t.Fatal(err)
	}
	mustTag(t, s, r.id, []string{"vip"}, nil)
	wantGroup(t, s, r.id, "a tag", "Vip")
	mustTag(t, s, r.id, nil, []string{"vip"})
	wantGroup(t, s, r.id, "the tag gone", Ungrouped)
	rule, err := s.SaveTagRule(t.Context(), admin, 0, RuleEdit{Name: "vip", Rules: on(group.Domain, group.Equals, "example.org")})
	if err != nil || rule.Devices != 1 {
		t.Fatalf("tag rule %+v, %v", rule, err)
	}
	wantGroup(t, s, r.id, "a tag by rule", "Vip")
	mustGroup(t, s, web, "Web servers", on(group.Name, group.EndsWith, "1"))
	wantGroup(t, s, r.id, "other rules of a better rank, and another name", "Web servers")
	if err := s.OrderDeviceGroups(t.Context(), admin, []exposure.Group{vip, high, net, web}); err != nil {
		t.Fatal(err)
	}
	wantGroup(t, s, r.id, "other ranks", "Vip")
	if err := s.DeleteDeviceGroup(t.Context(), admin, vip); err != nil {
		t.Fatal(err)
	}
	wantGroup(t, s, r.id, "its group deleted", "Web servers")
	if err := s.DeleteTagRule(t.Context(), admin, rule.ID); err != nil {
		t.Fatal(err)
	}
	if d, _ := s.Device(t.Context(), admin, string(r.id)); len(d.Tags) != 0 || len(d.TagList) != 0 {
		t.Errorf("tags %v after the rule was deleted", d.Tags)
	}
	if again := mustGroup(t, s, 0, "Again", nil); again <= vip {
		t.Errorf("a new group has number %d, and %d was used before", again, vip)
	}
	if p, err := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"device_group": {fmt.Sprint(web)}}}, nil); err != nil || p.Total != 1 || p.Items[0].GroupID != web {
		t.Errorf("devices of the group: %+v, %v", p.Items, err)
	}
}

// An agent's own tags count for rules when it connects; a report that could not
// be stored leaves no trace.
func TestAgentTagsAndFailedReports(t *testing.T) {
	s := testServer(t)
	r := newReport(s, enrol(t, s, "one"))
	r.host(t, "web1", "", "10.1.0.5")
	mustGroup(t, s, 0, "Made up", on(group.Source, group.Equals, "simulated"))
	mustGroup(t, s, 0, "Databases", on(group.Name, group.StartsWith, "db"))
	a, err := s.st.Device(t.Context(), r.id)
	if err != nil {
		t.Fatal(err)
	}
	a.Tags = []string{"simulated", "rack-7"}
	if err := s.st.AgentConnected(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	s.connectionChanged(r.id, true)
	wantGroup(t, s, r.id, "an agent's tag", "Made up")
	a.Tags = nil
	if err := s.st.AgentConnected(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	s.connectionChanged(r.id, true)
	wantGroup(t, s, r.id, "without it", Ungrouped)

	r.seq-- // the same report number again: the store takes it for a duplicate
	r.host(t, "db1", "", "10.1.0.5")
	wantGroup(t, s, r.id, "a report that was not taken", Ungrouped)
}

// Tags tell who gives them; only those of people can be taken away.
func TestTagsTellWhoGivesThem(t *testing.T) {
	s := testServer(t)
	one, two := newReport(s, enrol(t, s, "one")), newReport(s, enrol(t, s, "two"))
	one.host(t, "web1", "", "10.1.0.5")
	two.host(t, "db1", "", "10.1.0.6")
	if _, err := s.SaveTagRule(t.Context(), admin, 0, RuleEdit{Name: "web", Rules: on(group.Name, group.StartsWith, "web")}); err != nil {
		t.Fatal(err)
	}
	a, _ := s.st.Device(t.Context(), one.id)
	a.Tags = []string{"rack-7"}
	if err := s.st.AgentConnected(t.Context(), a, false); err != nil {
		t.Fatal(err)
	}
	s.connectionChanged(one.id, true)
	res, err := s.ChangeTags(t.Context(), admin, TagChange{Devices: []string{string(one.id), string(two.id), string(one.id)}, Add: []string{" web ", "prod (eu), b"}})
	if err != nil || res.Changed != 2 {
		t.Fatalf("%+v, %v, want two devices changed", res, err)
	}
	d, _ := s.Device(t.Context(), admin, string(one.id))
	want := "[{prod (eu), b [manual]} {web [manual rule]} {rack-7 [agent]}]"
	if got := fmt.Sprint(d.TagList); got != want || !slices.Equal(d.Tags, []string{"prod (eu), b", "web", "rack-7"}) {
		t.Errorf("tags %s %q, want %s", got, d.Tags, want)
	}
	rows, err := s.Tags(t.Context(), admin)
	if got := fmt.Sprint(rows); err != nil || got != "[{prod (eu), b [manual] 2 2} {rack-7 [agent] 1 0} {web [manual rule] 2 2}]" {
		t.Errorf("all tags %s, %v", got, err)
	}
	res, err = s.ChangeTags(t.Context(), admin, TagChange{Devices: []string{string(one.id), string(two.id)}, Remove: []string{"web", "rack-7"}})
	if err != nil || res.Changed != 2 || res.Kept != 1 {
		t.Errorf("%+v, %v, want two changed, and one that keeps what its rule and agent give", res, err)
	}
	if p, _ := s.Devices(t.Context(), admin, Query{Filter: map[string][]string{"tag": {"web"}}}, nil); p.Total != 1 || p.Items[0].ID != one.id {
		t.Errorf("devices with the tag: %+v", p.Items)
	}
	for what, ch := range map[string]TagChange{
		"add[0]":  {Devices: []string{string(one.id)}, Add: []string{" "}},
		"remove":  {Devices: []string{string(one.id)}, Add: []string{"a"}, Remove: []string{"a"}},
		"devices": {Add: []string{"a"}},
		"add":     {Devices: []string{string(one.id)}},
	} {
		var bad *InputError
		if _, err := s.ChangeTags(t.Context(), admin, ch); !errors.As(err, &bad) || bad.Field != what {
			t.Errorf("%+v: %v, want an error in %q", ch, err, what)
		}
	}
	if _, err := s.ChangeTags(t.Context(), admin, TagChange{Devices: []string{string(two.id), "nobody"}, Add: []string{"half"}}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown device: %v", err)
	}
	if d, _ := s.Device(t.Context(), admin, string(two.id)); slices.Contains(d.Tags, "half") {
		t.Error("the tag was given to one device though another is unknown")
	}
}

func TestGroupsRefuse(t *testing.T) {
	s := testServer(t)
	web := mustGroup(t, s, 0, "Web", on(group.Name, group.StartsWith, "web"))
	db := mustGroup(t, s, 0, "Db", nil)
	for what, e := range map[string]RuleEdit{
		"is taken by another group": {Name: "wEB"},
		"is the name of the dev":    {Name: "ungrouped Devices"},
		"is empty":                  {Name: " "},
		"rules[0].conditions[0].values[0]: \"10.0.0\" is no address": {Name: "x", Rules: on(group.IP, group.In, "10.0.0")},
	} {
		if _, err := s.SaveDeviceGroup(t.Context(), admin, 0, e); err == nil || !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), what) {
			t.Errorf("%+v: %v, want %q", e, err, what)
		}
	}
	for _, ids := range [][]exposure.Group{{web}, {web, web}, {web, 99}, {web, db, 0}} {
		if err := s.OrderDeviceGroups(t.Context(), admin, ids); !errors.Is(err, ErrInvalid) {
			t.Errorf("order %v: %v, want a refusal", ids, err)
		}
	}
	if _, err := s.SaveDeviceGroup(t.Context(), admin, 99, RuleEdit{Name: "x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a group that does not exist: %v", err)
	}
	if _, err := s.SaveTagRule(t.Context(), admin, 0, RuleEdit{Name: "a", Rules: on(group.Tag, group.Equals, "a")}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a tag by itself: %v", err)
	}
	reader := Caller{Permissions: []string{MachineRead, MachineReadWrite, ScoreRead}, Scope: exposure.Everywhere()}
	if _, err := s.SaveDeviceGroup(t.Context(), reader, 0, RuleEdit{Name: "x"}); !errors.Is(err, ErrDenied) {
		t.Errorf("who may not manage settings made a group: %v", err)
	}
}

// A preview tells what saving would do.
func TestPreviewTellsWhatSavingDoes(t *testing.T) {
	s := testServer(t)
	var ids []inventory.DeviceID
	for i := range 40 {
		r := newReport(s, enrol(t, s, fmt.Sprint("host", i)))
		r.host(t, fmt.Sprintf("h%02d", i), "", fmt.Sprintf("10.0.%d.1", i))
		ids = append(ids, r.id)
	}
	first := mustGroup(t, s, 0, "First", on(group.Name, group.StartsWith, "h0"))  // 10
	second := mustGroup(t, s, 0, "Second", on(group.Name, group.StartsWith, "h")) // 30
	rules := on(group.IP, group.In, "10.0.0.0/20", "10.0.16.0/24")                // h00 to h16
	p, err := s.PreviewDeviceGroup(t.Context(), admin, second, rules)
	if err != nil || p.Matched != 17 || p.Members != 7 || p.Leaving != 23 || len(p.Devices) != 17 {
		t.Errorf("preview %+v, %v", p, err)
	}
	if fmt.Sprint(p.From) != "[{2 Second 7}]" || p.Devices[0].Name != "h00" || p.Devices[0].Member || p.Devices[0].Group != "First" || !p.Devices[16].Member {
		t.Errorf("preview from %v, first %+v", p.From, p.Devices[0])
	}
	mustGroup(t, s, second, "Second", rules)
	if list, _ := s.DeviceGroups(t.Context(), admin); list[1].Devices != p.Members || list[2].Devices != p.Leaving {
		t.Errorf("groups %+v, want what the preview told", list)
	}
	p, err = s.PreviewDeviceGroup(t.Context(), admin, 0, on(group.Name, group.StartsWith, "h"))
	if err != nil || p.Matched != 40 || p.Members != 23 || p.Leaving != 0 || len(p.Devices) != 30 || fmt.Sprint(p.From) != "[{0 Ungrouped devices 23}]" {
		t.Errorf("preview of a new group: %d of %d, %d rows, from %v, %v", p.Members, p.Matched, len(p.Devices), p.From, err)
	}
	if _, err := s.PreviewDeviceGroup(t.Context(), admin, first, on(group.IP, group.Equals, "x")); !errors.Is(err, ErrInvalid) {
		t.Errorf("wrong rules: %v", err)
	}
	mustTag(t, s, ids[0], []string{"vip"}, nil)
	if p, err = s.PreviewTagRule(t.Context(), admin, 0, on(group.Tag, group.Equals, "VIP")); err != nil || p.Matched != 1 || p.Members != 1 {
		t.Errorf("preview of a tag: %+v, %v", p, err)
	}
}

// The scores of all groups add up to that of the organisation, to the unit,
// whatever devices are worth and however they move.
func TestScoresOfGroupsAddUp(t *testing.T) {
	s := testServer(t)
	load(t, s, "tracker.json", "openssl CVE-2024-0001 resolved 3.0.15-1~deb12u1", "curl CVE-2024-0004 resolved 7.88.1-10+deb12u8")
	var all []*report
	for i := range 9 {
		r := newReport(s, enrol(t, s, fmt.Sprint("host", i)))
		pkgs := []string{"openssl 3.0.11-1~deb12u1", "curl 7.88.1-10+deb12u5"}
		r.send(t, pkgs[:1+i%2]...)
		mustTag(t, s, r.id, []string{fmt.Sprint("t", i%4)}, nil)
		if err := s.SetDeviceValue(t.Context(), admin, string(r.id), []string{"Low", "Normal", "High"}[i%3]); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	check := func(when string) {
		t.Helper()
		whole := scoreNow(t, s)
		parts, err := s.ScoresByGroup(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		num, den, devices := new(big.Int), uint64(0), 0
		for _, p := range parts {
			num.Add(num, number(t, p.Num))
			den += p.Den
			devices += p.Devices
		}
		if num.String() != whole.Num || den != whole.Den || devices != whole.Devices || devices != 9 || whole.Score == 0 {
			t.Errorf("%s: groups add up to %v / %d of %d devices, want %s / %d of %d", when, num, den, devices, whole.Num, whole.Den, whole.Devices)
		}
	}
	check("without groups")
	a := mustGroup(t, s, 0, "A", on(group.Tag, group.Equals, "t0"))
	b := mustGroup(t, s, 0, "B", on(group.Tag, group.In, "t0", "t1"))
	check("two groups")
	before, _ := s.ScoresByGroup(t.Context(), admin)
	if err := s.OrderDeviceGroups(t.Context(), admin, []exposure.Group{b, a}); err != nil {
		t.Fatal(err)
	}
	after, _ := s.ScoresByGroup(t.Context(), admin)
	if before[0].Devices != 3 || after[0].Devices != 5 || after[0].ID != b || after[1].Devices != 0 {
		t.Errorf("ranks turned round: %+v became %+v", before, after)
	}
	check("ranks turned round")
	all[3].send(t, "openssl 3.0.15-1~deb12u1")
	mustTag(t, s, all[8].id, []string{"t1"}, nil)
	check("devices changed")
	if err := s.DeleteDeviceGroup(t.Context(), admin, b); err != nil {
		t.Fatal(err)
	}
	check("a group deleted")
	only, err := s.ScoresByGroup(t.Context(), Caller{Admin: true, Groups: []exposure.Group{a}})
	if err != nil || len(only) != 1 || only[0].ID != a || only[0].Devices != 3 {
		t.Errorf("scores of a selection: %+v, %v", only, err)
	}
}

// Groups, ranks, rules, tags and where devices are survive a restart.
func TestGroupsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openTest(t, dir)
	r := newReport(s, enrol(t, s, "one"))
	r.host(t, "web1", "", "10.1.0.5")
	two := newReport(s, enrol(t, s, "two"))
	two.host(t, "db1", "", "10.1.0.6")
	a := mustGroup(t, s, 0, "A", on(group.Name, group.StartsWith, "web"))
	b := mustGroup(t, s, 0, "B", on(group.Tag, group.Equals, "by-rule"))
	if err := s.OrderDeviceGroups(t.Context(), admin, []exposure.Group{b, a}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveTagRule(t.Context(), admin, 0, RuleEdit{Name: "by-rule", Description: "d", Rules: on(group.Tag, group.Equals, "by-hand")}); err != nil {
		t.Fatal(err)
	}
	mustTag(t, s, r.id, []string{"by-hand"}, nil)
	wantGroup(t, s, r.id, "before", "B")
	groups, _ := s.DeviceGroups(t.Context(), admin)
	rules, _ := s.TagRules(t.Context(), admin)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = openTest(t, dir)
	defer func() { _ = s.Close() }()
	wantGroup(t, s, r.id, "after", "B")
	wantGroup(t, s, two.id, "after", Ungrouped)
	again, _ := s.DeviceGroups(t.Context(), admin)
	for _, list := range [][]DeviceGroup{groups, again} {
		for i := range list {
			list[i].Score.AsOf = time.Time{}
		}
	}
	if fmt.Sprint(again) != fmt.Sprint(groups) {
		t.Errorf("groups %+v, want %+v", again, groups)
	}
	if list, _ := s.TagRules(t.Context(), admin); fmt.Sprint(list) != fmt.Sprint(rules) || list[0].Devices != 1 {
		t.Errorf("tag rules %+v, want %+v", list, rules)
	}
}
