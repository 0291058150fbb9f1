package exposure

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

// Longest name and version that are taken from a device, in bytes: beyond, an
// item is counted as unreadable.
const (
	maxName    = 1024
	maxVersion = 512
)

// Profile turns the sections of one device into components with their evidence
// and the gaps in what is known. It never fails: items that cannot be read are
// counted in a gap. The result depends neither on the order of items nor on
// the map's, and keeps no reference to the sections' raw bytes.
func Profile(sections map[inventory.SectionName]*inventory.Section) DeviceProfile {
	b := &profiler{sections: sections, at: map[Component]int{}}
	b.gaps()
	if os, ok := first[inventory.OS](b, inventory.OSSection); ok {
		b.distro = distroOf(os)
		b.noKernel = os.Family != "" && os.Family != "linux"
	} else {
		b.distro = distro{vendor: "unknown", problem: "the distribution is not known: the device did not report its operating system"}
	}
	if b.distro.problem != "" {
		b.gap(inventory.OSSection, "distribution packages", b.distro.problem)
	}
	b.kernel.fact, b.kernel.known = first[inventory.KernelFact](b, inventory.Kernel)
	for _, name := range []inventory.SectionName{inventory.DPKG, inventory.RPM, inventory.APK} {
		b.distribution(name)
	}
	b.kernels()
	for _, name := range []inventory.SectionName{inventory.Snap, inventory.Flatpak, inventory.Python, inventory.NPM,
		inventory.Ruby, inventory.GoBinaries, inventory.Java, inventory.SBOM} {
		each(b, name, func(item string, p inventory.Package) bool { return b.language(name, item, &p) })
	}
	b.restarts()
	return b.done()
}

// profiler gathers one device's profile.
type profiler struct {
	sections map[inventory.SectionName]*inventory.Section
	distro   distro
	kernel   kernelState
	uses     []Use
	at       map[Component]int // index in uses
	holes    []Gap
	noKernel bool // the operating system is not Linux
	// sources maps binary packages of the distribution to their component's key
	// name and product, for restart records that name only the binary.
	sources map[string]string
}

// gaps notes the sections that were looked at only in part. Settings find no
// weaknesses: what is not known of them is told by the posture checks.
func (b *profiler) gaps() {
	for _, name := range inventory.SectionNames {
		if slices.Contains(inventory.SettingSections, name) {
			continue
		}
		if s := b.sections[name]; s != nil && s.Status == inventory.Partial {
			why := s.Reason
			if why == "" {
				why = "the agent gave no reason"
			}
			b.gap(name, "section "+string(name)+" is incomplete", why)
		}
	}
	if s := b.sections[inventory.SBOM]; s != nil && s.Status == inventory.Partial {
		b.gap(inventory.SBOM, "the bill of materials is not known in full", s.Reason)
	}
}

func (b *profiler) gap(section inventory.SectionName, what, why string) {
	b.holes = append(b.holes, Gap{Section: section, What: what, Why: why})
}

// use adds a package record to a component.
func (b *profiler) use(c Component, e Evidence) {
	i, ok := b.at[c]
	if !ok {
		i = len(b.uses)
		b.at[c] = i
		b.uses = append(b.uses, Use{Component: c})
	}
	b.uses[i].Evidence = append(b.uses[i].Evidence, e)
}

// first decodes the only item of a section.
func first[T any](b *profiler, name inventory.SectionName) (v T, ok bool) {
	s := b.sections[name]
	if s == nil || len(s.Items) == 0 {
		return v, false
	}
	if err := json.Unmarshal(s.Items[0].Value, &v); err != nil {
		b.gap(name, "section "+string(name)+" is unreadable", "its item is not of the agreed form")
		var zero T
		return zero, false
	}
	return v, true
}

// each decodes the items of a section; fn returns false for those that make no
// sense, which are counted like those that do not decode.
func each[T any](b *profiler, name inventory.SectionName, fn func(item string, v T) bool) {
	s := b.sections[name]
	if s == nil {
		return
	}
	bad := 0
	for _, it := range s.Items {
		var v T
		if err := json.Unmarshal(it.Value, &v); err != nil || !fn(it.Key, v) {
			bad++
		}
	}
	if bad > 0 {
		b.gap(name, fmt.Sprintf("%d items of section %s are unreadable", bad, name), "they are not of the agreed form, have no name, or are too long")
	}
}

// readable reports whether a package's names and versions can be taken.
func readable(p *inventory.Package) bool {
	return p.Name != "" && len(p.Name) <= maxName && len(p.Source) <= maxName &&
		len(p.Version) <= maxVersion && len(p.SourceVersion) <= maxVersion
}

func evidence(section inventory.SectionName, item string, p *inventory.Package) Evidence {
	return Evidence{Section: section, Item: item, Package: p.Name, Version: p.Version, Arch: p.Arch, Paths: p.Paths, Residual: p.Residual}
}

// distribution reads the packages of one package database.
func (b *profiler) distribution(name inventory.SectionName) {
	d := &b.distro
	var epochs map[string]string
	if name == inventory.RPM && !d.binary {
		epochs = b.sourceEpochs()
	}
	each(b, name, func(item string, p inventory.Package) bool {
		if !readable(&p) {
			return false
		}
		if p.Source == "" {
			p.Source = p.Name
		}
		if p.SourceVersion == "" {
			p.SourceVersion = withoutRebuild(name, p.Version)
		}
		if d.section != name { // another family's database, or an unknown distribution
			c := Component{Key: advisory.Key{Ecosystem: d.ecosystem, Release: d.release, Name: p.Source}, Version: p.SourceVersion,
				Vendor: d.vendor, Product: p.Source, Unassessed: d.problem}
			if c.Unassessed == "" {
				c.Unassessed = "a package of " + string(name) + " on " + d.label + ": no feed speaks for it"
			}
			if p.Residual {
				c.Role, c.Unassessed = Residual, residualOnly
			}
			b.use(c, evidence(name, item, &p))
			return true
		}
		b.packageOf(name, item, &p, epochs)
		return true
	})
}

const residualOnly = "only configuration files remain"

// packageOf adds one package of the device's own distribution.
func (b *profiler) packageOf(section inventory.SectionName, item string, p *inventory.Package, epochs map[string]string) {
	d := &b.distro
	part, source, release := d.kernelOf(p)
	c := Component{
		Key:     advisory.Key{Ecosystem: d.ecosystem, Release: d.release, Name: source},
		Version: p.SourceVersion,
		Vendor:  d.vendor, Product: source, Module: p.Module,
		Unassessed: d.problem,
	}
	switch {
	case d.binary:
		c.Key.Name, c.Version = p.Name, p.Version
	case source != p.Source: // signed kernels have a source version of their own
		c.Version = p.Version
	case epochs != nil:
		c.Version = epochs[item]
	}
	if b.sources == nil {
		b.sources = map[string]string{}
	}
	b.sources[p.Name] = source
	e := evidence(section, item, p)
	if p.Residual {
		c.Role, c.Unassessed = Residual, residualOnly
		b.use(c, e)
		return
	}
	if c.Unassessed == "" {
		c.Unassessed = b.reason(&c, p)
	}
	switch part {
	case kernelTools:
		c.Role = KernelTools
	case kernelImage, kernelOther:
		if part == kernelOther && c.Unassessed == "" {
			c.Unassessed = "a kernel that " + d.ecosystem + " did not build"
		}
		b.kernel.images = append(b.kernel.images, kernelImageRecord{component: c, evidence: e, runs: b.kernel.runs(d, p, release)})
		return
	}
	b.use(c, e)
}

// reason says why a package of the distribution cannot be judged, and places
// backports under the release that they were taken from.
func (b *profiler) reason(c *Component, p *inventory.Package) string {
	d := &b.distro
	if p.Unassessed != "" {
		return clip(p.Unassessed, 300)
	}
	if who := d.thirdParty(p); who != "" {
		return "package of a third party: " + clip(who, 100)
	}
	if p.NoSource && !d.binary {
		return "the source package is not known, which advisories of " + d.ecosystem + " speak of"
	}
	if c.Version == "" {
		return "version is empty"
	}
	if d.section == inventory.DPKG && strings.Contains(c.Version, "~bpo") {
		release, _, ok := backport(c.Version)
		if d.ecosystem != "Debian" || !ok {
			return "a backport of which the original suite is not known: " + clip(c.Version, 100)
		}
		c.Key.Release = release
	}
	if strings.HasPrefix(c.Version, unknownEpoch) {
		c.Version = c.Version[len(unknownEpoch):]
		return "the epoch of the source package is not known"
	}
	return ""
}

// backport reads the suffix "~bpoN+M" of a Debian version: a package of
// release N+1, built for release N. bare is the version without the suffix.
func backport(v string) (release, bare string, ok bool) {
	i := strings.LastIndex(v, "~bpo")
	if i < 0 {
		return "", v, false
	}
	from, build, found := strings.Cut(v[i+len("~bpo"):], "+")
	n := 0
	for _, c := range []byte(from) {
		if !digit(c) || n > 999 {
			return "", v, false
		}
		n = n*10 + int(c-'0')
	}
	if !found || n == 0 || build == "" || strings.Trim(build, "0123456789") != "" {
		return "", v, false
	}
	if n >= 50 { // "bpo70" was how Debian 7 wrote it
		n /= 10
	}
	return fmt.Sprint(n + 1), v[:i], true
}

// withoutRebuild strips what a rebuild of the binary alone adds to a version:
// "+bN" on dpkg systems.
func withoutRebuild(section inventory.SectionName, v string) string {
	if section != inventory.DPKG {
		return v
	}
	i := strings.LastIndex(v, "+b")
	if i < 0 || i+2 == len(v) || strings.Trim(v[i+2:], "0123456789") != "" {
		return v
	}
	return v[:i]
}

// unknownEpoch marks a source version whose epoch nothing tells.
const unknownEpoch = "?:"

// sourceEpochs gives every rpm item its source version with its epoch. Source
// rpm names carry none: it is that of the binary with the source's own name and
// version; without one, the lowest of the binaries with its version, because
// subpackages raise theirs (mod_ssl is 1:, httpd has none).
func (b *profiler) sourceEpochs() map[string]string {
	type build struct{ source, version string }
	out := map[string]string{}
	epoch := map[build]string{}
	own := map[build]bool{}       // epoch is from the binary of the source's name
	missing := map[string]build{} // by item: an epoch is to be found
	s := b.sections[inventory.RPM]
	if s == nil {
		return out
	}
	for _, it := range s.Items {
		var p inventory.Package
		if json.Unmarshal(it.Value, &p) != nil {
			continue // counted by distribution
		}
		switch {
		case p.Source == "" || p.SourceVersion == "":
			out[it.Key] = p.Version
			continue
		case strings.Contains(p.SourceVersion, ":"):
			out[it.Key] = p.SourceVersion
			continue
		}
		k := build{p.Source, p.SourceVersion}
		missing[it.Key] = k
		e, rest, ok := strings.Cut(p.Version, ":")
		if !ok {
			e, rest = "", p.Version
		}
		if rest != p.SourceVersion {
			continue
		}
		if old, seen := epoch[k]; !seen || !own[k] && cmp.Or(cmp.Compare(len(e), len(old)), cmp.Compare(e, old)) < 0 || p.Name == p.Source {
			epoch[k], own[k] = e, own[k] || p.Name == p.Source
		}
	}
	for item, k := range missing {
		switch e, ok := epoch[k]; {
		case !ok:
			out[item] = unknownEpoch + k.version
		case e == "":
			out[item] = k.version
		default:
			out[item] = e + ":" + k.version
		}
	}
	return out
}

// restarts adds what is replaced on disk and still runs from memory.
func (b *profiler) restarts() {
	d := &b.distro
	each(b, inventory.Restart, func(item string, r inventory.RestartNeed) bool {
		if r.Package == "" || len(r.Package) > maxName || len(r.Source) > maxName || len(r.RunningVersion) > maxVersion || len(r.Installed) > maxVersion {
			return false
		}
		if r.RunningVersion == "" {
			b.gap(inventory.Restart, "old files of "+clip(r.Package, 100)+" are still in memory", "the version that they came with is not known")
			return true
		}
		if r.RunningVersion == r.Installed {
			return true
		}
		source := r.Source
		if source == "" {
			source = b.sources[r.Package]
		}
		if source == "" {
			source = r.Package
		}
		c := Component{Key: advisory.Key{Ecosystem: d.ecosystem, Release: d.release, Name: source}, Version: r.RunningVersion, Disk: r.Installed,
			Role: InMemory, Vendor: d.vendor, Product: source, Unassessed: d.problem}
		if d.binary {
			c.Key.Name = r.Package
		}
		if c.Unassessed == "" {
			c.Unassessed = b.reason(&c, &inventory.Package{Name: r.Package})
		}
		b.use(c, Evidence{Section: inventory.Restart, Item: item, Package: r.Package, Version: r.RunningVersion, Paths: r.Paths, Processes: r.Processes})
		return true
	})
}

// done orders everything.
func (b *profiler) done() DeviceProfile {
	slices.SortFunc(b.uses, func(x, y Use) int { return compareComponents(x.Component, y.Component) })
	for i := range b.uses {
		slices.SortStableFunc(b.uses[i].Evidence, func(x, y Evidence) int {
			return cmp.Or(cmp.Compare(x.Section, y.Section), cmp.Compare(x.Item, y.Item), cmp.Compare(x.Package, y.Package), cmp.Compare(x.Version, y.Version))
		})
	}
	slices.SortStableFunc(b.holes, func(x, y Gap) int {
		return cmp.Or(cmp.Compare(x.Section, y.Section), cmp.Compare(x.What, y.What), cmp.Compare(x.Why, y.Why))
	})
	b.holes = slices.Compact(b.holes)
	return DeviceProfile{Uses: b.uses, Gaps: b.holes}
}

// compareComponents orders components by vendor, product, version, role, then the rest.
func compareComponents(a, b Component) int {
	return cmp.Or(
		cmp.Compare(a.Vendor, b.Vendor), cmp.Compare(a.Product, b.Product), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Role, b.Role),
		cmp.Compare(a.Key.Ecosystem, b.Key.Ecosystem), cmp.Compare(a.Key.Release, b.Key.Release), cmp.Compare(a.Key.Name, b.Key.Name),
		cmp.Compare(a.Disk, b.Disk), cmp.Compare(a.Module, b.Module), cmp.Compare(a.Unassessed, b.Unassessed))
}

// clip cuts a text to a readable length.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
