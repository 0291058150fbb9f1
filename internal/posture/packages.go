package posture

import (
	"encoding/json"
	"sort"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// installed judges whether a package is installed, by the distribution's own
// package database: one of the three that the device has.
func (d *device) installed(k *cond) (verdict, []Evidence, string) {
	why := "the agent has not reported the installed packages"
	var partial *inventory.Section
	looked := inventory.SectionName("")
	for _, name := range []inventory.SectionName{inventory.DPKG, inventory.RPM, inventory.APK} {
		s := d.sections[name]
		if s == nil || s.Status == inventory.NotApplicable {
			continue
		}
		if p, ok := lookup(s, k.name); ok {
			v, _ := k.holds(inventory.Setting{}, true)
			source := ""
			if len(p.Paths) > 0 {
				source = p.Paths[0]
			}
			return v, []Evidence{{Section: name, Setting: k.label(), Found: "installed: " + clip(p.Version, 200), Expected: k.expected(), Source: clip(source, maxSource), Holds: v == yes}}, ""
		}
		if s.Status == inventory.Partial {
			partial = s
		}
		looked = name
	}
	if partial != nil {
		return unknown, nil, incomplete(partial)
	}
	if looked == "" {
		return unknown, nil, why
	}
	v, _ := k.holds(inventory.Setting{}, false)
	return v, []Evidence{{Section: looked, Setting: k.label(), Found: "not installed", Expected: k.expected(), Holds: v == yes}}, ""
}

// lookup finds an installed package by name. Items are keyed by the name and
// what tells several of a name apart, so only those that begin with the name
// are decoded.
func lookup(s *inventory.Section, name string) (inventory.Package, bool) {
	i := sort.Search(len(s.Items), func(i int) bool { return s.Items[i].Key >= name })
	for ; i < len(s.Items) && strings.HasPrefix(s.Items[i].Key, name); i++ {
		if rest := s.Items[i].Key[len(name):]; rest != "" && rest[0] != ':' && rest[0] != '-' && rest[0] != '@' {
			continue
		}
		var p inventory.Package
		if json.Unmarshal(s.Items[i].Value, &p) == nil && p.Name == name && !p.Residual {
			return p, true
		}
	}
	return inventory.Package{}, false
}
