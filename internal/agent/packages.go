package agent

import (
	"encoding/json"
	"slices"

	"github.com/picketsec/picket/internal/agent/sense"
	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
)

// packageSections are the databases of package managers, whose changes are
// events.
var packageSections = []inventory.SectionName{inventory.DPKG, inventory.RPM, inventory.APK, inventory.Snap, inventory.Flatpak}

// packageEvents says which packages came, went and changed their version
// between two complete readings of a database.
func packageEvents(old, now *inventory.Section) []*event.Event {
	if !slices.Contains(packageSections, now.Name) || old == nil || old.Status != inventory.Complete || now.Status != inventory.Complete {
		return nil
	}
	was, is := installed(old), installed(now)
	var names []string
	for name := range was {
		names = append(names, name)
	}
	for name := range is {
		if was[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var out []*event.Event
	for _, name := range names {
		var gone, came []inventory.Package
		for v, p := range was[name] {
			if _, still := is[name][v]; !still {
				gone = append(gone, p)
			}
		}
		for v, p := range is[name] {
			if _, before := was[name][v]; !before {
				came = append(came, p)
			}
		}
		if len(gone) == 1 && len(came) == 1 {
			out = append(out, packageEvent(event.PackageUpgraded, &came[0], gone[0].Version))
			continue
		}
		for i := range gone {
			out = append(out, packageEvent(event.PackageRemoved, &gone[i], ""))
		}
		for i := range came {
			out = append(out, packageEvent(event.PackageInstalled, &came[i], ""))
		}
	}
	return out
}

// installed returns the packages by name and architecture, then by version.
func installed(s *inventory.Section) map[string]map[string]inventory.Package {
	out := map[string]map[string]inventory.Package{}
	for _, it := range s.Items {
		var p inventory.Package
		if json.Unmarshal(it.Value, &p) != nil || p.Residual || p.Name == "" {
			continue
		}
		name := p.Name + ":" + p.Arch
		if out[name] == nil {
			out[name] = map[string]inventory.Package{}
		}
		out[name][p.Version] = p
	}
	return out
}

func packageEvent(a event.Action, p *inventory.Package, before string) *event.Event {
	e := &event.Event{Action: a}
	e.Set(event.PackageName, p.Name)
	e.Set(event.PackageVersion, p.Version)
	e.Set(event.Source, "inventory")
	more := map[string]string{"ecosystem": p.Ecosystem, "architecture": p.Arch}
	if before != "" {
		more["previousVersion"] = before
	}
	raw, err := json.Marshal(more)
	if err == nil {
		e.Set(event.AdditionalFields, string(raw))
	}
	return e
}

// packagesChanged tells of packages while sources may run.
func (r *recorder) packagesChanged(old, now *inventory.Section) {
	r.mu.Lock()
	on := false
	select {
	case <-r.allowed:
		on = r.started
	default:
	}
	r.mu.Unlock()
	if !on {
		return
	}
	for _, e := range packageEvents(old, now) {
		r.clock.Stamp(e, sense.Now())
		r.Put(e)
	}
}
