package simulate

import (
	"bufio"
	"embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

//go:embed data/*.txt
var data embed.FS

// universe is what simulated devices can consist of. It does not change once it is loaded.
type universe struct {
	named    map[string]groups // by name
	releases []release
	apps     []app
	topics   []topic
	roles    []role
	policies []policy
	sites    []site
	machines []machine

	base, optional, local, extra groups // sets that decide what is installed
}

// groups is a set of words that say what a device is for: "base", "nginx",
// "desktop". A package belongs to some, a device has some.
type groups uint64

// release is one release of a distribution with its packages.
type release struct {
	distribution
	kernel  int    // index in sources
	have    groups // for which it has packages or applications
	sources []source
}

// source is a source package with its binary packages and versions.
type source struct {
	name     string
	groups   groups
	binaries []binary
	versions []rung // oldest first, never empty
}

// binary is a binary package of a source. A "%" in its name stands for the
// release of a kernel.
type binary struct {
	name   string
	groups groups // 0: wherever the source is
}

// rung is one version of a source: a step of its ladder. label is the kernel's release, "" for
// everything that is no kernel.
type rung struct{ version, label string }

// app is an application that brings packages of its own.
type app struct {
	ecosystem string
	groups    groups
	share     int // of a hundred devices with one of groups
	place     string
	packages  []source // without groups and binaries
	depth     int      // most versions of any package
}

// maxLevels bounds the versions of one package: a level is one byte and its
// highest values have a meaning of their own.
const maxLevels = 32

// loadUniverse reads the embedded lists.
func loadUniverse() (*universe, error) {
	u := &universe{named: map[string]groups{}, roles: roles(), policies: policies(), sites: sites(), machines: machines()}
	boot := u.define("boot")
	u.base, u.local, u.extra = u.define("base")|boot, u.define("local"), u.define("extra")
	u.optional = u.local | u.extra
	for _, d := range distributions() {
		r := release{distribution: d, kernel: -1}
		err := u.lines(d.file, func(line string) error {
			s, err := u.source(line)
			if err != nil {
				return err
			}
			for i := range s.versions {
				s.versions[i].version = strings.ReplaceAll(s.versions[i].version, ".alma", d.rebuild)
			}
			if s.groups&boot != 0 {
				r.kernel = len(r.sources)
			}
			r.have |= s.groups
			r.sources = append(r.sources, s)
			return nil
		})
		if err == nil && r.kernel < 0 {
			err = fmt.Errorf("%s has no kernel", d.file)
		}
		if err != nil {
			return nil, err
		}
		u.releases = append(u.releases, r)
	}
	if err := u.lines("apps", u.appLine); err != nil {
		return nil, err
	}
	if err := u.lines("settings", u.settingLine); err != nil {
		return nil, err
	}
	for i := range u.apps {
		if a := &u.apps[i]; a.ecosystem == "golang" || a.ecosystem == "maven" { // they bring all that they need
			for j := range u.releases {
				u.releases[j].have |= a.groups
			}
		}
	}
	return u, nil
}

// lines calls fn with each line of a list that says something.
func (u *universe) lines(file string, fn func(string) error) error {
	f, err := data.Open("data/" + file + ".txt")
	if err != nil {
		return fmt.Errorf("read packages to simulate: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("%s, line %d: %w", file, n, err)
		}
	}
	return sc.Err()
}

// source reads "name | groups | binaries | versions".
func (u *universe) source(line string) (source, error) {
	f := strings.Split(line, " | ")
	if len(f) != 4 {
		return source{}, fmt.Errorf("%d columns, want 4", len(f))
	}
	s := source{name: f[0], groups: u.define(f[1])}
	for _, b := range strings.Fields(f[2]) {
		name, group, _ := strings.Cut(b, "@")
		s.binaries = append(s.binaries, binary{name, u.define(group)})
	}
	var err error
	s.versions, err = versions(strings.Fields(f[3]))
	if err == nil && len(s.binaries) == 0 {
		err = fmt.Errorf("%s has no binary package", s.name)
	}
	return s, err
}

// appLine reads "app ecosystem | groups | share | place", or a package of the
// last one: "name versions".
func (u *universe) appLine(line string) error {
	if head, ok := strings.CutPrefix(line, "app "); ok {
		f := strings.Split(head, " | ")
		if len(f) != 4 {
			return fmt.Errorf("%d columns, want 4", len(f))
		}
		share, err := strconv.Atoi(f[2])
		u.apps = append(u.apps, app{ecosystem: f[0], groups: u.define(f[1]), share: share, place: f[3]})
		return err
	}
	f := strings.Fields(line)
	v, err := versions(f[1:])
	if err != nil || len(u.apps) == 0 {
		return fmt.Errorf("package %s: %w", f[0], err)
	}
	a := &u.apps[len(u.apps)-1]
	a.packages = append(a.packages, source{name: f[0], versions: v})
	a.depth = max(a.depth, len(v))
	return nil
}

// define returns the set of the named groups, making those that are new; names
// are parted by commas.
func (u *universe) define(names string) (set groups) {
	for name := range strings.SplitSeq(names, ",") {
		if name != "" && u.named[name] == 0 {
			u.named[name] = 1 << len(u.named)
		}
		set |= u.named[name]
	}
	return set
}

// set returns the set of the named groups; ok is false when one is not known.
func (u *universe) set(names string) (set groups, ok bool) {
	ok = true
	for name := range strings.SplitSeq(names, ",") {
		g := u.named[name]
		set, ok = set|g, ok && g != 0
	}
	return set, ok
}

// versions expands "a{1,2}" and takes "version=label" apart.
func versions(words []string) (out []rung, err error) {
	for _, w := range words {
		head, rest, brace := strings.Cut(w, "{")
		choices, tail := []string{""}, ""
		if brace {
			inner, after, ok := strings.Cut(rest, "}")
			if !ok {
				return nil, fmt.Errorf("version %q: the brace is not closed", w)
			}
			choices, tail = strings.Split(inner, ","), after
		}
		for _, c := range choices {
			v, label, _ := strings.Cut(head+c+tail, "=")
			out = append(out, rung{v, label})
		}
	}
	if len(out) == 0 || len(out) > maxLevels {
		return nil, fmt.Errorf("%d versions, 1 to %d are allowed", len(out), maxLevels)
	}
	return out, nil
}

// addLocal gives the release of the simulating machine its packages that the
// lists do not have, each in the one version that is installed.
func (u *universe) addLocal(os inventory.OS, pkgs []inventory.Package) {
	for i := range u.releases {
		r := &u.releases[i]
		if r.id != os.ID || r.versionID != os.VersionID {
			continue
		}
		at := map[string]int{}
		for j := range r.sources {
			at[r.sources[j].name] = -1
		}
		for _, p := range pkgs {
			j, known := at[p.Source]
			switch {
			case known && j < 0, strings.HasPrefix(p.Source, "linux"), p.SourceVersion != p.Version:
				continue
			case !known:
				j = len(r.sources)
				at[p.Source] = j
				r.sources = append(r.sources, source{name: p.Source, groups: u.local, versions: []rung{{version: p.SourceVersion}}})
			}
			if s := &r.sources[j]; s.versions[0].version == p.SourceVersion {
				s.binaries = append(s.binaries, binary{name: p.Name})
			}
		}
	}
}
