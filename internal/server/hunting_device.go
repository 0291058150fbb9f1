package server

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/kql"
	"github.com/picketsec/picket/internal/posture"
)

func readDeviceInfo(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	c := h.s.core
	var on map[inventory.DeviceID][]loggedOn
	if newHuntRow(s).wanted("LoggedOnUsers") {
		var err error
		if on, err = h.loggedOn(f); err != nil {
			return err
		}
	}
	return h.eachDevice(s, f, func(r *huntRow, d *device, now time.Time) int {
		r.device(d, now)
		platform, release := huntSystem(d.sum.OSID, d.sum.OSVersion)
		r.text("OSPlatform", platform)
		r.text("OSVersion", d.sum.OSVersion)
		r.text("OSVersionInfo", release)
		r.text("OSDistribution", d.sum.OSPlatform)
		r.text("OSArchitecture", d.sum.Arch)
		r.text("ClientVersion", d.agent.AgentVersion)
		r.text("PublicIP", d.publicIP())
		r.text("Model", d.sum.Model)
		r.text("Vendor", d.sum.Vendor)
		if users, ok := on[d.id]; ok {
			r.set("LoggedOnUsers", usersOn(users))
		}
		r.text("MachineGroup", c.groupWord(d.group))
		r.text("OnboardingStatus", "Onboarded")
		r.text("DeviceCategory", "Endpoint")
		r.text("SensorHealthState", d.health(now))
		if word, _ := d.facing(now); word == facingYes {
			r.set("IsInternetFacing", kql.BoolValue(true)) // null: not assessed
		}
		r.set("IsExcluded", kql.BoolValue(d.exclusion != nil))
		if d.exclusion != nil {
			r.text("ExclusionReason", d.exclusion.Reason)
		}
		r.text("ExposureLevel", map[bool]string{false: c.exposureOf(d)}[c.exposureOf(d) == noData])
		r.text("AssetValue", valueWords[d.value])
		r.set("DeviceManualTags", texts(d.tagged))
		r.set("DeviceDynamicTags", texts(d.ruled))
		return 1
	}, yield)
}

// publicIP is the address that the device's last session came from, when the internet
// routes it; "" else.
func (d *device) publicIP() string {
	if ip := d.from.Unmap(); ip.IsValid() && (publicIPv4(ip) || ip.Is6() && ip.IsGlobalUnicast() && !ip.IsPrivate() && !documentation.Contains(ip)) {
		return ip.String()
	}
	return ""
}

// documentation are the addresses of IPv6 that are for examples.
var documentation = netip.MustParsePrefix("2001:db8::/32")

// loggedOn is a user with a session of a device.
type loggedOn struct {
	account
	sid string
}

// mostLoggedOn bounds the sessions that are told apart, of all devices.
const mostLoggedOn = 1_000_000

// session is what logons and logoffs have in common.
type loggedSession struct {
	device inventory.DeviceID
	account
	typ string
}

// loggedOn reads who is logged on to devices: whose interactive logons since the last start of
// the system, of 30 days at most, are more than their logoffs.
func (h *huntReader) loggedOn(f *huntFilter) (map[inventory.DeviceID][]loggedOn, error) {
	c := h.s.core
	since := map[inventory.DeviceID]time.Time{}
	c.mu.RLock()
	for id := range h.devices() {
		if n, ok := c.byID[id]; ok && f.has(id) {
			since[id] = c.at(n).sum.Booted
		}
	}
	c.mu.RUnlock()
	open, sids := map[loggedSession]int{}, map[account]string{}
	q := eventlog.Query{Scope: onlyThese(since), From: h.now.AddDate(0, 0, -logonDays), To: h.now.Add(time.Minute), Actions: []ev.Action{ev.LogonSuccess, ev.LogoffSuccess}}
	cost, err := h.s.telemetry.log.Scan(h.ctx, q, func(r eventlog.Row) error {
		e := r.Record.Event()
		typ := e.Text(ev.LogonType)
		if r.Time.Before(since[r.Device]) || typ != "Interactive" && typ != "RemoteInteractive" {
			return nil
		}
		k := loggedSession{r.Device, account{e.Text(ev.AccountDomain), e.Text(ev.AccountName)}, typ}
		if k.name == "" {
			return nil
		}
		if _, known := open[k]; !known && len(open) >= mostLoggedOn {
			return nil
		}
		if e.Action == ev.LogonSuccess {
			open[k]++
		} else {
			open[k]--
		}
		if sid := e.Text(ev.AccountSID); sid != "" {
			sids[k.account] = sid
		}
		return nil
	})
	if h.damaged += cost.Damaged; err != nil {
		return nil, fmt.Errorf("read who is logged on: %w", err)
	}
	out := map[inventory.DeviceID][]loggedOn{}
	for id := range since {
		out[id] = nil
	}
	for k, n := range open {
		u := loggedOn{k.account, sids[k.account]}
		if n > 0 && !slices.Contains(out[k.device], u) {
			out[k.device] = append(out[k.device], u)
		}
	}
	return out, nil
}

// usersOn is the value of the column LoggedOnUsers.
func usersOn(users []loggedOn) kql.Value {
	slices.SortFunc(users, func(a, b loggedOn) int {
		return cmp.Or(cmp.Compare(a.domain, b.domain), cmp.Compare(a.name, b.name))
	})
	items := make([]kql.Value, len(users))
	for i, u := range users {
		items[i] = kql.BagValue([]string{"UserName", "DomainName", "Sid"}, []kql.Value{kql.StringValue(u.name), kql.StringValue(u.domain), kql.StringValue(u.sid)})
	}
	return kql.ArrayValue(items...)
}

// gathered is a fact of a device in DeviceTvmInfoGathering.
type gathered struct {
	name, about, category, typ string
	of                         func(c *core, d *device) kql.Value // null: not known
}

// gatheredFacts are the facts, in their order.
func gatheredFacts() []gathered {
	text := func(s string) kql.Value {
		if s == "" {
			return kql.Value{}
		}
		return kql.StringValue(s)
	}
	number := func(of func(d *device) int) func(*core, *device) kql.Value {
		return func(_ *core, d *device) kql.Value { return kql.LongValue(int64(of(d))) }
	}
	out := []gathered{
		{"KernelRelease", "Release of the running kernel.", "system", "string", func(_ *core, d *device) kql.Value { return text(d.sum.Kernel) }},
		{"LastBootTime", "When the system was started.", "system", "datetime", func(_ *core, d *device) kql.Value {
			if d.sum.Booted.IsZero() {
				return kql.Value{}
			}
			return kql.TimeValue(d.sum.Booted)
		}},
		{"Virtualization", "What the system runs on when it is virtual, such as kvm.", "system", "string", func(_ *core, d *device) kql.Value { return text(d.sum.Virtual) }},
		{"RestartRequired", "Whether something that runs was replaced on disk and has to be restarted.", "updates", "bool", func(_ *core, d *device) kql.Value { return kql.BoolValue(d.sum.Restart > 0) }},
		{"MissingUpdates", "Updates that the package manager offers.", "updates", "long", number(func(d *device) int { return d.sum.Updates })},
		{"MissingSecurityUpdates", "Those of them that are for security.", "updates", "long", number(func(d *device) int { return d.sum.SecUpdates })},
	}
	for _, s := range []struct {
		name, about string
		is          posture.State
	}{{"ChecksPassed", "Configuration checks that the device passes.", posture.Pass}, {"ChecksFailed", "Configuration checks that it fails.", posture.Fail}} {
		out = append(out, gathered{s.name, s.about, "configuration", "long", func(c *core, d *device) kql.Value {
			n := 0
			for k := range posture.Checks() {
				if c.checks.devices(k, s.is).Contains(d.num) {
					n++
				}
			}
			return kql.LongValue(int64(n))
		}})
	}
	return out
}

// readGathered gives a row of facts of each device.
func readGathered(h *huntReader, s kql.Scan, f *huntFilter, yield func(row []kql.Value) error) error {
	facts := gatheredFacts()
	return h.eachDevice(s, f, func(r *huntRow, d *device, now time.Time) int {
		r.device(d, now)
		r.set("LastSeenTime", kql.TimeValue(d.lastSeen(now)))
		platform, _ := huntSystem(d.sum.OSID, d.sum.OSVersion)
		r.text("OSPlatform", platform)
		var keys []string
		var items []kql.Value
		for i := range facts {
			if v := facts[i].of(h.s.core, d); !v.IsNull() {
				keys, items = append(keys, facts[i].name), append(items, v)
			}
		}
		r.set("AdditionalFields", kql.BagValue(keys, items))
		return 1
	}, yield)
}

// readGatheredKB describes the facts.
func readGatheredKB(_ *huntReader, s kql.Scan, _ *huntFilter, yield func(row []kql.Value) error) error {
	r := newHuntRow(s)
	for i, g := range gatheredFacts() {
		r.clear(s)
		r.text("IgId", "ig-"+strconv.Itoa(i+1))
		r.text("FieldName", g.name)
		r.text("Description", g.about)
		r.set("Categories", texts([]string{g.category}))
		r.text("DataStructure", g.typ)
		if err := yield(r.row); err != nil {
			return err
		}
	}
	return nil
}
