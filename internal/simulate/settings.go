package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// topic is settings that one hand sets: all as shipped, all hardened, or all let slip.
type topic struct {
	section  inventory.SectionName
	name     string
	when     []string // conditions, see data/settings.txt
	settings []setting
}

// setting is one setting in the three ways that a device may have it; nil: not set.
type setting struct {
	name string
	as   [3]*inventory.Setting
}

// The three ways.
const (
	shipped = iota
	hardened
	slipped
)

// maxTopics bounds topics: what changed since the start is one bit each.
const maxTopics = 128

// ownFiles is where an administrator writes the settings of a section.
var ownFiles = map[inventory.SectionName]string{
	inventory.Sysctl: "/etc/sysctl.d/90-local.conf", inventory.Boot: "/etc/modprobe.d/local.conf", inventory.Mounts: "/etc/fstab",
	inventory.Accounts: "/etc/passwd", inventory.Auth: "/etc/security", inventory.SSHD: "/etc/ssh/sshd_config.d/50-local.conf",
	inventory.Services: "/etc/systemd/system", inventory.Audit: "/etc/audit/rules.d/local.rules", inventory.Firewall: "/etc/nftables.conf",
	inventory.System: "/etc", inventory.Apps: "/etc",
}

// settingLine reads a line of data/settings.txt.
func (u *universe) settingLine(line string) error {
	if head, ok := strings.CutPrefix(line, "topic "); ok {
		w := strings.Fields(head)
		if len(w) < 2 || !slices.Contains(inventory.SettingSections, inventory.SectionName(w[0])) {
			return fmt.Errorf("%q names no section of settings", head)
		}
		if len(u.topics) == maxTopics {
			return fmt.Errorf("more than %d topics", maxTopics)
		}
		u.topics = append(u.topics, topic{section: inventory.SectionName(w[0]), name: w[1], when: w[2:]})
		return nil
	}
	f := strings.Split(line, "|")
	if len(f) != 4 || len(u.topics) == 0 {
		return fmt.Errorf("%d columns, want 4 below a topic", len(f))
	}
	t := &u.topics[len(u.topics)-1]
	s := setting{name: strings.TrimSpace(f[0])}
	for i, text := range f[1:] {
		text = strings.TrimSpace(text)
		if text == "" && i > 0 {
			s.as[i] = s.as[shipped]
			continue
		}
		source := "default"
		if i > 0 {
			source = ownFiles[t.section]
		}
		if t.section == inventory.Files {
			source = s.name
		}
		s.as[i] = parseSetting(text, source)
	}
	t.settings = append(t.settings, s)
	return nil
}

// parseSetting reads "value [list]"; "-" is not set.
func parseSetting(text, source string) *inventory.Setting {
	if text == "-" {
		return nil
	}
	x := &inventory.Setting{Value: text, Source: source}
	if value, list, ok := strings.Cut(text, "["); ok {
		x.Value = strings.TrimSpace(value)
		list = strings.TrimSuffix(list, "]")
		if strings.Contains(list, ";") {
			for part := range strings.SplitSeq(list, ";") {
				if part = strings.TrimSpace(part); part != "" {
					x.List = append(x.List, part)
				}
			}
		} else {
			x.List = strings.Fields(list)
		}
	}
	return x
}

// care is how likely a role's devices have a topic hardened.
var care = map[string]float64{"bastion": 0.75, "dns": 0.6, "db": 0.5, "mail": 0.5, "web": 0.45, "mon": 0.4, "file": 0.4, "node": 0.35, "ws": 0.35, "app": 0.3, "build": 0.15}

// temper is how likely this device has a topic hardened, and let slip.
func (h *host) temper() (hard, slip float64) {
	hard, slip = care[h.role.name], 0.03
	switch h.policy.name {
	case "current":
		hard += 0.2
	case "slow":
		hard -= 0.05
	case "frozen":
		hard, slip = hard-0.15, slip+0.1
	}
	switch h.role.name {
	case "build":
		slip += 0.1
	case "ws":
		slip += 0.05
	}
	return hard, slip
}

// way is how the device has a topic: drawn once, until somebody changes it.
func (h *host) way(n int) int {
	for way, changed := range h.changed {
		if changed[n/64]>>(n%64)&1 != 0 {
			return way + hardened
		}
	}
	t := &h.u.topics[n]
	x := rand.New(rand.NewPCG(h.seed^hash(string(t.section)+" "+t.name), uint64(h.n))).Float64()
	switch hard, slip := h.temper(); {
	case x < hard:
		return hardened
	case x > 1-slip:
		return slipped
	}
	return shipped
}

// configure is an administrator who hardens a topic, or lets one slip.
func (h *host) configure(r *rand.Rand) {
	n, way := r.IntN(len(h.u.topics)), hardened
	if r.Float64() < 0.3 {
		way = slipped
	}
	for i := range h.changed {
		h.changed[i][n/64] &^= 1 << (n % 64)
	}
	h.changed[way-hardened][n/64] |= 1 << (n % 64)
}

// has reports whether the device meets all conditions of a topic.
func (h *host) has(when []string) bool {
	return !slices.ContainsFunc(when, func(c string) bool {
		c, not := strings.CutPrefix(c, "!")
		return slices.ContainsFunc(strings.Split(c, "/"), h.is) == not
	})
}

func (h *host) is(word string) bool {
	switch word {
	case "deb":
		return h.rel.section == inventory.DPKG
	case "rpm":
		return h.rel.section == inventory.RPM
	case "apk":
		return h.rel.section == inventory.APK
	case "systemd":
		return h.rel.section != inventory.APK
	case "desktop":
		return h.role.desktop
	}
	set, ok := h.u.set(word)
	return ok && h.groups&set != 0
}

// configuration fills the sections of settings.
func (h *host) configuration(all map[inventory.SectionName]*inventory.Section) {
	for n := range h.u.topics {
		t := &h.u.topics[n]
		if !h.has(t.when) {
			continue
		}
		way, section := h.way(n), all[t.section]
		for i := range t.settings {
			s := &t.settings[i]
			x := s.as[way]
			if x == nil {
				continue
			}
			if t.section != inventory.Sysctl {
				section.Put(s.name, *x)
				continue
			}
			section.Put(s.name, inventory.Setting{Value: x.Value, Source: "/proc/sys/" + strings.ReplaceAll(s.name, ".", "/")})
			if way != shipped && x != s.as[shipped] { // a file sets it for the next boot too
				section.Put("file:"+s.name, *x)
			}
		}
	}
}
