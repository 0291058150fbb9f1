package server

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/alert"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
)

// impairedFor is how long a device counts as impaired after reports of it were lost.
const impairedFor = 24 * time.Hour

// inactiveAfter is how long a device may be silent and still be Active.
const inactiveAfter = 7 * 24 * time.Hour

// row is a device as lists show it. The caller holds mu for reading.
func (c *core) row(d *device, now time.Time) DeviceRow {
	n := c.fleet.DeviceCounts(d.num)
	r := DeviceRow{
		ID: d.id, Name: d.sum.Name, Domain: domainOf(d.sum.FQDN), OSPlatform: d.sum.OSPlatform, OSVersion: d.sum.OSVersion, OSName: d.sum.OSName, Arch: d.sum.Arch,
		Health: d.health(now), Connected: d.online, IP: d.sum.IP, FirstSeen: d.agent.FirstSeen, LastSeen: d.lastSeen(now),
		Software: int(n.Products), Weaknesses: int(n.Weaknesses), Severity: severityCount(n), Fixable: int(n.Fixable),
		Exploitable: int(n.Exploitable), KEV: int(n.KEV), Gaps: d.sum.Gaps + d.sum.NotAssessed, Tags: d.tags(), CloneOf: string(d.agent.CloneOf), Isolated: d.response.Isolation.On, MAC: mainMAC(d.sum.Interfaces, d.sum.IP),
		Interfaces: d.sum.Interfaces, DNSName: d.sum.FQDN, External: d.publicIP(), Source: d.source(),
	}
	r.ManagedBy, r.Exclusion = d.managedBy(), d.excluded()
	r.InternetFacing, r.FacingWhy = d.facing(now)
	r.GroupID, r.Group, r.GroupWord = d.group, c.sorting.names[d.group], c.groupWord(d.group)
	active := c.alerts.severities(d.num)
	r.Risk, r.Alerts = alert.Risk(active), len(active)
	r.Value, r.Exposure, r.NoData = valueWords[d.value], c.exposureOf(d), c.noDataReason(d, now)
	if score, _, ok := c.fleet.Scores().DeviceScore(d.num); ok {
		r.Score = score.Float()
	}
	return r
}

// ProcessorWord is a processor as the Defender API names it; "": it is not known.
func ProcessorWord(arch string) string {
	switch arch {
	case "amd64":
		return "x64"
	case "386":
		return "x86"
	}
	return arch
}

// ArchitectureWord is the width of a processor in the words of the Defender API; "": it is not known.
func ArchitectureWord(arch string) string {
	switch arch {
	case "":
		return ""
	case "386", "arm", "mips", "mipsle":
		return "32-bit"
	}
	return "64-bit"
}

// exposureOf is the exposure level of a device in words.
func (c *core) exposureOf(d *device) string {
	score, _, ok := c.fleet.Scores().DeviceScore(d.num)
	if !ok || d.silent() {
		return noData
	}
	return string(exposure.LevelOf(score.Float()))
}

// newFor is how long a device is new.
const newFor = 7 * 24 * time.Hour

// noData is the exposure level of devices of which nothing can be said.
const noData = "NoData"

// tags are those of people, of rules and of the agent, each once. The result is shared.
func (d *device) tags() []string { return d.all }

func (d *device) lastSeen(now time.Time) time.Time {
	if d.online {
		return now
	}
	return d.agent.LastSeen
}

// health is the sensor's state in the Defender API's words: communication is
// impaired when its agent had to drop reports, or some were refused, not long ago.
func (d *device) health(now time.Time) string {
	switch {
	case d.silent():
		return "NoSensorData"
	case now.Sub(d.lastSeen(now)) > inactiveAfter:
		return "Inactive"
	case now.Sub(d.agent.LostAt) <= impairedFor:
		return "ImpairedCommunication"
	}
	return "Active"
}

// deviceList orders and filters devices themselves: their rows are made when a
// page of them is known. The caller of the list holds mu for reading.
func (c *core) deviceList(now time.Time, lives *osLives) *list[device] {
	count := func(f func(n exposure.Counts) uint32) func(a, b *device) int {
		return func(a, b *device) int {
			return cmp.Compare(f(c.fleet.DeviceCounts(a.num)), f(c.fleet.DeviceCounts(b.num)))
		}
	}
	plain := func(f func(*device) string) func(a, b *device) int {
		return func(a, b *device) int { return strings.Compare(f(a), f(b)) }
	}
	return &list[device]{
		text: func(d *device, has func(string) bool) bool {
			return has(d.sum.Name) || has(d.sum.IP) || has(string(d.id)) || has(d.sum.OSName) || has(d.sum.FQDN) || slices.ContainsFunc(d.sum.Interfaces, func(i inventory.Interface) bool {
				return !i.Loopback && (has(i.MAC) || slices.ContainsFunc(i.Addresses, has))
			})
		},
		filters: map[string]func(*device, []string) bool{
			"os":     oneOf(func(d *device) string { return d.sum.OSPlatform }),
			"health": oneOf(func(d *device) string { return d.health(now) }),

			"os_version": oneOf(func(d *device) string { return d.sum.OSVersion }),
			"os_life":    oneOf(lives.word),

			"tag":      anyOf((*device).tags),
			"isolated": truth(func(d *device) bool { return d.response.Isolation.On }),

			"excluded": truth(func(d *device) bool { return d.exclusion != nil }),

			"clone":  truth(func(d *device) bool { return d.agent.CloneOf != "" }),
			"new":    truth(func(d *device) bool { return now.Sub(d.agent.FirstSeen) <= newFor }),
			"source": oneOf((*device).source),

			"managed_by":      oneOf((*device).managedBy),
			"internet_facing": oneOf(func(d *device) string { word, _ := d.facing(now); return word }),

			"exposure": oneOf(c.exposureOf),
			"risk":     oneOf(func(d *device) string { return c.alerts.risk(d.num) }),
			"value":    oneOf(func(d *device) string { return valueWords[d.value] }),

			"device_group": oneOf(func(d *device) string { return strconv.Itoa(int(d.group)) }),
		},
		values: map[string][]string{"health": {"Active", "Inactive", "ImpairedCommunication", "NoSensorData"}, "clone": yesNo, "isolated": yesNo, "excluded": yesNo, "new": yesNo, "os_life": {osSupported, osUpcoming, osEnded, osUnknown}, "source": {"agent", "osquery", "simulated", "sbom"},
			"managed_by": managers, "internet_facing": {facingYes, facingUnknown},
			"exposure": {"None", "Low", "Medium", "High", noData}, "value": {"Low", "Normal", "High"}, "risk": alert.RiskLevels},
		order: map[string]func(a, b *device) int{
			"name":       byText(func(d *device) string { return d.sum.Name }),
			"domain":     byText(func(d *device) string { return domainOf(d.sum.FQDN) }),
			"os":         byText(func(d *device) string { return d.sum.OSName }),
			"ip":         byText(func(d *device) string { return d.sum.IP }),
			"mac":        byText(func(d *device) string { return mainMAC(d.sum.Interfaces, d.sum.IP) }),
			"health":     byText(func(d *device) string { return d.health(now) }),
			"last_seen":  byTime(func(d *device) time.Time { return d.lastSeen(now) }),
			"first_seen": byTime(func(d *device) time.Time { return d.agent.FirstSeen }),
			// As the Defender API orders them.
			"id":          byText(func(d *device) string { return string(d.id) }),
			"dns_name":    byText(func(d *device) string { return cmp.Or(d.sum.FQDN, d.sum.Name) }),
			"platform":    byText(func(d *device) string { return d.sum.OSPlatform }),
			"release":     plain(func(d *device) string { return d.sum.OSVersion }),
			"address":     plain(func(d *device) string { return d.sum.IP }),
			"health_word": byText(func(d *device) string { return d.health(now) }),
			"processor":   byText(func(d *device) string { return ProcessorWord(d.sum.Arch) }),
			"bits":        byText(func(d *device) string { return ArchitectureWord(d.sum.Arch) }),
			"value_word":  byText(func(d *device) string { return valueWords[d.value] }),
			"risk_word":   byText(func(d *device) string { return c.alerts.risk(d.num) }),
			"group_id":    byNumber(func(d *device) exposure.Group { return d.group }),
			"group_word":  plain(func(d *device) string { return c.groupWord(d.group) }),
			"exposure_word": byText(func(d *device) string {
				if word := c.exposureOf(d); word != noData {
					return word
				}
				return "" // null comes first
			}),
			"weaknesses":  count(func(n exposure.Counts) uint32 { return n.Weaknesses }),
			"exploitable": count(func(n exposure.Counts) uint32 { return n.Exploitable }),
			"fixable":     count(func(n exposure.Counts) uint32 { return n.Fixable }),
			"score": func(a, b *device) int {
				x, _, _ := c.fleet.Scores().DeviceScore(a.num)
				y, _, _ := c.fleet.Scores().DeviceScore(b.num)
				return cmp.Compare(x, y)
			},
			"value":    byNumber(func(d *device) int { return slices.Index([]string{"Low", "Normal", "High"}, valueWords[d.value]) }),
			"risk":     byNumber(func(d *device) int { return slices.Index(alert.RiskLevels, c.alerts.risk(d.num)) }),
			"alerts":   byNumber(func(d *device) int { return len(c.alerts.severities(d.num)) }),
			"software": count(func(n exposure.Counts) uint32 { return n.Products }),
			"group":    byText(func(d *device) string { return c.sorting.names[d.group] }),
		},
		tie:     func(a, b *device) int { return strings.Compare(string(a.id), string(b.id)) },
		initial: []string{"-weaknesses", "name"},
	}
}

// Devices lists devices. where, when given, keeps only the rows for which it is true.
func (s *Server) Devices(_ context.Context, c Caller, q Query, where func(*DeviceRow) bool) (Page[DeviceRow], error) {
	if err := s.need(c, MachineRead); err != nil {
		return Page[DeviceRow]{}, err
	}
	return s.core.deviceRows(c.sees(), q, where, func() *roaring.Bitmap { return s.core.lens(c).devs }, scopeKey(c.looks()), s.now())
}

// beyondIndex are filters and columns of devices that look at the time of day or
// at alerts, which the index does not count as changes of itself.
var beyondIndex = []string{"isolated", "health", "health_word", "new", "os_life", "risk", "risk_word", "alerts"}

// indexed reports whether which devices a query finds, and their order, follows
// from the index alone.
func indexed(q *Query) bool {
	for _, name := range beyondIndex {
		if len(q.Filter[name]) > 0 || slices.Contains(q.Sort, name) || slices.Contains(q.Sort, "-"+name) {
			return false
		}
	}
	return true
}

// deviceRows makes a page of the devices in a scope, some of them: only is called
// while mu is held for reading, and nil is all. of names which they are, for what
// is kept; "": nothing is.
func (c *core) deviceRows(in exposure.Scope, q Query, where func(*DeviceRow) bool, only func() *roaring.Bitmap, of string, now time.Time) (Page[DeviceRow], error) {
	lives := c.osLives(now)
	defer lives.close()
	c.mu.RLock()
	defer c.mu.RUnlock()
	rows := func() []*device {
		some := only()
		list := make([]*device, 0, len(c.devices))
		for num, d := range c.devices {
			if d == nil || !in.Has(d.group) || some != nil && !some.Contains(uint32(num)) {
				continue
			}
			if where != nil {
				if r := c.row(d, now); !where(&r) {
					continue
				}
			}
			list = append(list, d)
		}
		return list
	}
	l := c.deviceList(now, lives)
	var cut []*device
	var total int
	var err error
	if of == "" || where != nil || !indexed(&q) {
		cut, total, err = l.cut(q, rows())
	} else {
		cut, total, err = keptCut(c, "devices "+of+" "+scopeKey(in)+" ", l, q, rows)
	}
	if err != nil {
		return Page[DeviceRow]{}, err
	}
	p := Page[DeviceRow]{Total: total, AsOf: now, Items: make([]DeviceRow, len(cut))}
	for i, d := range cut {
		p.Items[i] = c.row(d, now)
		p.Items[i].CloneOf = c.cloneOf(in, d)
		p.Items[i].setLife(lives, d)
	}
	return p, nil
}

// cloneOf is the device that one is a copy of, when it is not hidden. The caller
// holds mu for reading.
func (c *core) cloneOf(in exposure.Scope, d *device) string {
	if num, ok := c.byID[d.agent.CloneOf]; ok && !in.Has(c.at(num).group) || !ok && !in.All() {
		return ""
	}
	return string(d.agent.CloneOf)
}

// setLife fills in how long the release of the operating system is supported.
func (r *DeviceRow) setLife(lives *osLives, d *device) {
	r.OSLife = lives.word(d)
	if life := lives.of(d); life != nil {
		r.OSUntil = life.Date
	}
}

// Device is one device, by id or by name.
func (s *Server) Device(ctx context.Context, caller Caller, idOrName string) (Device, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return Device{}, err
	}
	p, err := s.portrait(ctx, caller.sees(), idOrName)
	if err != nil {
		return Device{}, err
	}
	c := s.core
	c.mu.RLock()
	d := p.device
	out := Device{
		DeviceRow: c.row(d, s.now()), FQDN: d.sum.FQDN, Interfaces: d.sum.Interfaces,
		AgentVersion: d.agent.AgentVersion, States: map[string]int{}, Clones: []string{}, Dropped: d.agent.Dropped,
		Updates: d.sum.Updates, SecUpdates: d.sum.SecUpdates, NotAssessed: c.fleet.DeviceNotAssessed(d.num),
		GapList: p.profile.Gaps, Sections: []SectionRow{}, Restart: []inventory.RestartNeed{},
	}
	out.CloneOf = c.cloneOf(caller.sees(), d)
	for _, h := range c.fleet.DeviceHits(d.num) {
		out.States[string(h.State)]++
	}
	for _, num := range c.clones[d.id] {
		if o := c.at(num); o != nil && caller.sees().Has(o.group) {
			out.Clones = append(out.Clones, string(o.id))
		}
	}
	out.TagList, out.Isolation = d.tagList(), d.isolationView()
	c.mu.RUnlock()
	out.Interfaces = append([]inventory.Interface{}, out.Interfaces...)
	for i := range out.Interfaces { // an agent may leave out what is a list to everybody else
		out.Interfaces[i].Addresses = append([]string{}, out.Interfaces[i].Addresses...)
	}
	if out.GapList == nil {
		out.GapList = []exposure.Gap{}
	}
	out.Kernel = first[inventory.KernelFact](p.sections[inventory.Kernel])
	out.Hardware = first[inventory.HardwareFact](p.sections[inventory.Hardware])
	if sec := p.sections[inventory.Restart]; sec != nil {
		needs, _ := inventory.Decode[inventory.RestartNeed](sec)
		for _, n := range needs {
			n.Paths, n.Processes = append([]string{}, n.Paths...), append([]inventory.Process{}, n.Processes...)
			out.Restart = append(out.Restart, n)
		}
	}
	out.Users, out.Logons = people(caller, p)
	for _, i := range p.infos {
		out.Sections = append(out.Sections, SectionRow{Name: i.Name, Status: i.Status, Reason: i.Reason, Items: i.Items, SeenAt: p.seen[i.Name], Changed: i.Changed})
	}
	out.OSSupport = s.osSupport(p.os())
	if out.OSLife = lifeWord(out.OSSupport); out.OSSupport != nil {
		out.OSUntil = out.OSSupport.Date
	}
	if out.SBOM, err = s.sbomOf(ctx, d); err != nil {
		return Device{}, err
	}
	top, err := s.deviceVulns(p, Query{Sort: []string{"-severity", "-cvss", "-epss"}, Limit: 5, Filter: map[string][]string{"exposed": {"true"}}})
	if err != nil {
		return Device{}, err
	}
	out.TopWeak = top.Items
	return out, nil
}

func first[T any](sec *inventory.Section) T {
	var zero T
	if sec == nil {
		return zero
	}
	vals, _ := inventory.Decode[T](sec)
	if len(vals) == 0 {
		return zero
	}
	return vals[0]
}

func domainOf(fqdn string) string {
	_, domain, _ := strings.Cut(fqdn, ".")
	return domain
}
