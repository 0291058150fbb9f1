package collect

import (
	"context"
	"path"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

// aptCandidate is the best version that the lists offer above the installed one.
type aptCandidate struct {
	version, source string
	suite, origin   string
	security        bool
}

// upgradable is one installed package with what the lists offer for it.
type upgradable struct {
	installed, arch string
	normal          aptCandidate // from repositories that upgrade by themselves
	backports       aptCandidate // from repositories that upgrade only what came from them
	atNormal        bool         // a normal repository offers the installed version itself
	security        bool         // a security archive offers something newer than installed
}

// collectUpdates lists the packages that apt would upgrade: per package the
// highest newer version that its lists offer for the architecture. Of apt's
// policy (apt_preferences(5)) the defaults are followed: NotAutomatic
// repositories count only for what came from them, holds are kept. Pins of the
// administrator are not read, which the reason says.
func (a *aptIndex) collectUpdates(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.Updates, l)
	installed := map[string][]*upgradable{}
	err := eachDPKG(ctx, h, l, func(p dpkgPackage) {
		if p.state == "installed" && p.want != "hold" && p.want != "deinstall" && p.Version != "" {
			installed[p.Name] = append(installed[p.Name], &upgradable{installed: p.Version, arch: p.Arch})
		}
	}, nil)
	if isNotExist(err) {
		return absent(inventory.Updates, "available updates are read from apt's lists, and this system has no dpkg database")
	}
	if err != nil {
		r.problem("the dpkg database was not read in full: %s", err)
	}
	lists, err := findAptLists(h)
	switch {
	case isNotExist(err) || err == nil && len(lists) == 0:
		r.problem("apt's lists are missing in /%s: run apt-get update", aptLists)
	case err != nil:
		r.problem("/%s cannot be read: %s", aptLists, short(err))
	}
	names := make(map[string]bool, len(installed))
	for name := range installed {
		names[name] = true
	}
	offers, err := a.offered(ctx, h, l, lists, names)
	if err != nil && ctx.Err() == nil {
		r.problem("not every list of apt was read in full: %s; run apt-get update", err)
	}
	native := h.line("var/lib/dpkg/arch")
	pins, err := readPins(h)
	if err != nil {
		r.problem("the pins in /etc/apt/preferences.d cannot be read: %s", short(err))
	}
	for name, all := range installed {
		newer := false
		for _, u := range all {
			for _, o := range offers[name] {
				if sameArch(u.arch, o.arch, native) {
					u.offer(r, name, o)
				}
			}
			newer = newer || u.normal.version != "" || u.backports.version != ""
		}
		if newer && (pins[name] || pins["*"]) {
			r.skip("package that is pinned in /etc/apt/preferences or preferences.d: pins are not followed, apt may choose another version")
		}
	}
	for name, all := range installed {
		for _, u := range all {
			c := u.normal
			if c.version == "" && !u.atNormal {
				c = u.backports
			}
			if c.version == "" {
				continue
			}
			out := inventory.Update{
				Name: r.text(name, maxName), Arch: r.text(u.arch, 32), Source: r.text(c.source, maxName),
				Installed: r.text(u.installed, maxVersion), Candidate: r.text(c.version, maxVersion),
				Suite: c.suite, Origin: c.origin, Security: c.security || u.security,
			}
			r.put(out.Name+":"+out.Arch, out)
		}
	}
	return r.done(ctx)
}

// sameArch reports whether apt takes a package of the list's architecture as
// the next version of the installed one.
func sameArch(installed, list, native string) bool {
	return installed == list || list == "all" && (native == "" || installed == native) || installed == "all" && list == native
}

// offer takes one version of a list into account.
func (u *upgradable) offer(r *result, name string, o aptOffer) {
	rel := o.release
	if o.version == u.installed {
		u.atNormal = u.atNormal || !rel.NotAutomatic
		return
	}
	if rel.NotAutomatic && !rel.ButAutomatic {
		return
	}
	n, err := version.Compare("Debian", o.version, u.installed)
	if err != nil {
		r.skip("version in apt's lists or the dpkg database that cannot be read")
		return
	}
	if n <= 0 {
		return
	}
	sec := rel.security()
	best := &u.normal
	if rel.NotAutomatic {
		best = &u.backports
	} else {
		u.security = u.security || sec
	}
	if best.version != "" {
		n, err := version.Compare("Debian", o.version, best.version)
		if err != nil || n < 0 || n == 0 && !sec {
			return
		}
	}
	*best = aptCandidate{version: o.version, suite: rel.suite(), origin: rel.Origin, security: sec}
	best.source, _ = debianSource(o.source, name, "")
}

// readPins returns the package names that the administrator's pins speak of;
// "*" stands for every pin that is not a plain name.
func readPins(h Host) (map[string]bool, error) {
	files := []string{"etc/apt/preferences"}
	for _, f := range listFiles(h, "etc/apt/preferences.d") {
		if ext := path.Ext(f); ext == "" || ext == ".pref" {
			files = append(files, f)
		}
	}
	pins := map[string]bool{}
	for _, name := range files {
		f, _, err := h.open(name)
		if isNotExist(err) {
			continue
		}
		if err != nil {
			return pins, err
		}
		s := newStanzasSize(&capped{f, 1 << 20}, 8<<10, "Package")
		for more := true; more && err == nil; {
			more, err = s.next()
			for _, w := range strings.Fields(s.get(0)) {
				if strings.ContainsAny(w, "*?[/") || strings.HasPrefix(w, "src:") {
					w = "*"
				}
				w, _, _ = strings.Cut(w, ":")
				pins[w] = true
			}
		}
		f.Close()
		if err != nil {
			return pins, err
		}
	}
	return pins, nil
}
