package collect

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func firewallWatch() []string {
	return []string{"etc/nftables.conf", "etc/nftables", "etc/sysconfig", "etc/iptables", "etc/ufw", "etc/default/ufw", "etc/firewalld", "etc/firewalld/zones",
		"etc/systemd/system/multi-user.target.wants", "etc/systemd/system/sysinit.target.wants"}
}

// collectFirewall reads the packet filters that start with the host: which of
// them, and what they do with packets that no rule decides. "policy:HOOK" and
// "policy6:HOOK" are "drop", "reject" or "accept".
func collectFirewall(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Firewall, h, l)
	if no != nil {
		return no
	}
	f := filters{settings: s}
	for _, read := range []func() error{f.ufw, f.firewalld, f.nftables, f.iptables} {
		if err := read(); err != nil {
			return s.done(ctx)
		}
	}
	s.both("filters", strconv.Itoa(len(f.active)), f.active, strings.Join(f.sources, ", "))
	for _, hook := range []string{"input", "forward"} {
		for i, key := range []string{"policy:", "policy6:"} {
			if p := f.policy[i][hook]; p.Value != "" {
				s.set(key+hook, p.Value, p.Source)
			}
		}
	}
	return s.done(ctx)
}

// filters gathers the packet filters of a host.
type filters struct {
	*settings
	active, sources []string
	policy          [2]map[string]inventory.Setting // of IPv4 and IPv6, by hook
}

func (f *filters) add(name, source string) {
	if !slices.Contains(f.active, name) {
		f.active = append(f.active, name)
		f.sources = append(f.sources, source)
	}
}

// note notes a policy; a stricter one of another filter stays, as a packet has
// to pass all of them.
func (f *filters) note(v6 int, hook, policy, source string) {
	if f.policy[v6] == nil {
		f.policy[v6] = map[string]inventory.Setting{}
	}
	if old := f.policy[v6][hook]; old.Value == "" || old.Value == "accept" {
		f.policy[v6][hook] = inventory.Setting{Value: policy, Source: source}
	}
}

func (f *filters) chains(list []conf.Chain, file string) {
	for _, c := range list {
		p := c.Policy
		if p == "accept" && c.Final {
			p = "drop"
		}
		if c.Family == "ip" || c.Family == "inet" {
			f.note(0, c.Hook, p, at(file, c.Line))
		}
		if c.Family == "ip6" || c.Family == "inet" {
			f.note(1, c.Hook, p, at(file, c.Line))
		}
	}
}

// enabled reports whether a unit starts with the host.
func (s *settings) enabled(unit string) (string, bool) {
	for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"} {
		for _, t := range []string{"multi-user.target", "sysinit.target", "network-pre.target", "basic.target"} {
			for _, kind := range []string{".wants/", ".requires/"} {
				if p := dir + "/" + t + kind + unit; s.linked(p) {
					return "/" + p, true
				}
			}
		}
	}
	return "", false
}

// linked reports whether there is an entry of that name, also a link that
// leads nowhere.
func (s *settings) linked(name string) bool {
	i := strings.LastIndexByte(name, '/')
	dir, err := s.h.resolve(name[:i])
	if err != nil {
		return false
	}
	_, err = lstat(s.h, dir+name[i:])
	return err == nil
}

func (f *filters) ufw() error {
	b, err := f.config("etc/ufw/ufw.conf")
	if err != nil || b == nil {
		return err
	}
	e, ok := conf.Last(conf.Shell(b), "", "ENABLED")
	if !ok || !strings.EqualFold(e.Value, "yes") {
		return nil
	}
	f.add("ufw", at("etc/ufw/ufw.conf", e.Line))
	d, err := f.config("etc/default/ufw")
	if err != nil {
		return err
	}
	list := conf.Shell(d)
	ipv6, _ := conf.Last(list, "", "IPV6")
	for _, hook := range []string{"input", "forward"} {
		e, ok := conf.Last(list, "", "DEFAULT_"+hook+"_POLICY")
		if !ok {
			continue
		}
		f.note(0, hook, strings.ToLower(e.Value), at("etc/default/ufw", e.Line))
		if !strings.EqualFold(ipv6.Value, "no") {
			f.note(1, hook, strings.ToLower(e.Value), at("etc/default/ufw", e.Line))
		}
	}
	return nil
}

func (f *filters) firewalld() error {
	unit, ok := f.enabled("firewalld.service")
	if !ok {
		return nil
	}
	f.add("firewalld", unit)
	b, err := f.config("etc/firewalld/firewalld.conf")
	if err != nil {
		return err
	}
	zone := "public"
	if e, ok := conf.Last(conf.Shell(b), "", "DefaultZone"); ok && e.Value != "" {
		zone = e.Value
	}
	if strings.ContainsAny(zone, "/\x00") {
		return nil
	}
	// A zone without a target rejects what no rule accepts.
	policy, from := "reject", "zone "+zone
	for _, dir := range []string{"etc/firewalld/zones/", "usr/lib/firewalld/zones/"} {
		x, err := f.config(dir + zone + ".xml")
		if err != nil {
			return err
		}
		if x == nil {
			continue
		}
		from = "/" + dir + zone + ".xml"
		switch target := conf.ZoneTarget(x); target {
		case "ACCEPT", "DROP":
			policy = strings.ToLower(target)
		}
		break
	}
	for _, hook := range []string{"input", "forward"} {
		f.note(0, hook, policy, from)
		f.note(1, hook, policy, from)
	}
	return nil
}

func (f *filters) nftables() error {
	unit, ok := f.enabled("nftables.service")
	if !ok {
		return nil
	}
	queue := []string{"etc/nftables.conf", "etc/sysconfig/nftables.conf"}
	any := false
	for n := 0; n < len(queue) && n < 50; n++ {
		b, err := f.config(queue[n])
		if err != nil {
			return err
		}
		chains, includes := conf.NFT(b)
		f.chains(chains, queue[n])
		any = any || len(chains) > 0
		for _, inc := range includes {
			files, err := f.glob(inc)
			if err != nil {
				return err
			}
			queue = append(queue, files...)
		}
	}
	if any {
		f.add("nftables", unit)
	}
	return nil
}

func (f *filters) iptables() error {
	for _, c := range []struct{ file, family, unit string }{
		{"etc/iptables/rules.v4", "ip", "netfilter-persistent.service"}, {"etc/iptables/rules.v6", "ip6", "netfilter-persistent.service"},
		{"etc/sysconfig/iptables", "ip", "iptables.service"}, {"etc/sysconfig/ip6tables", "ip6", "ip6tables.service"},
	} {
		unit, ok := f.enabled(c.unit)
		if !ok {
			continue
		}
		b, err := f.config(c.file)
		if err != nil {
			return err
		}
		if chains := conf.IPTables(b, c.family); len(chains) > 0 {
			f.add("iptables", unit)
			f.chains(chains, c.file)
		}
	}
	return nil
}
