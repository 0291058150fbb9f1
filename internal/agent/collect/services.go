package collect

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// unitDirs are the places of systemd's units, the one that wins first.
func unitDirs() []string {
	return []string{"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"}
}

func servicesWatch() []string {
	w := []string{"etc/systemd/system", "etc/rc2.d", "etc/rc3.d", "etc/rc5.d"}
	for _, t := range []string{"multi-user", "timers", "sockets", "sysinit", "graphical"} {
		w = append(w, "etc/systemd/system/"+t+".target.wants")
	}
	return w
}

// maxUnits bounds the units that are listed.
const maxUnits = 3000

// collectServices reads which units start with the host, from the links that
// enable them: "enabled" or "masked" by unit; and "init", what runs them. Units that only other units start are not listed.
func collectServices(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Services, h, l)
	if no != nil {
		return no
	}
	u := units{settings: s, state: map[string]unitState{}, known: map[string]bool{}}
	if h.exists("usr/lib/systemd/systemd") || h.exists("lib/systemd/systemd") {
		s.set("init", "systemd", "/usr/lib/systemd/systemd")
	}
	for _, dir := range unitDirs() {
		if err := u.dir(dir); err != nil {
			return s.done(ctx)
		}
	}
	if err := u.sysv(); err != nil {
		return s.done(ctx)
	}
	if len(u.state) > maxUnits {
		s.problem("%d units are enabled, more than the %d that are listed", len(u.state), maxUnits)
		return s.done(ctx)
	}
	for name, st := range u.state {
		s.set(name, st.state, st.source)
	}
	return s.done(ctx)
}

type unitState struct{ state, source string }

type units struct {
	*settings
	state map[string]unitState
	known map[string]bool // units that have a file
}

// dir reads one directory of units: links that mask or give another name, and
// the directories of links that enable.
func (u *units) dir(dir string) error {
	at, err := u.h.resolve(dir)
	if isNotExist(err) {
		return nil
	}
	if err == nil && at != dir && slices.Contains(unitDirs(), at) {
		return nil // the same directory under its other name
	}
	list, err := u.h.readDir(dir)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		u.problem("/%s cannot be listed (%s)", dir, short(err))
		return err
	}
	etc := strings.HasPrefix(dir, "etc/")
	for _, e := range list {
		name := e.Name()
		switch {
		case e.IsDir() && (strings.HasSuffix(name, ".wants") || strings.HasSuffix(name, ".requires")):
			if err := u.wants(path.Join(dir, name)); err != nil {
				return err
			}
		case e.Type()&fs.ModeSymlink != 0 && name != "default.target":
			to := u.link(path.Join(dir, name))
			switch {
			case to == "/dev/null":
				u.put(name, "masked", path.Join(dir, name))
			case etc && to != "" && path.Base(to) != name:
				u.put(name, "enabled", path.Join(dir, name)) // an alias is enabled with its unit
			}
		}
		u.known[name] = true
	}
	return nil
}

func (u *units) wants(dir string) error {
	list, err := u.h.readDir(dir)
	if err != nil && !isNotExist(err) {
		u.problem("/%s cannot be listed (%s)", dir, short(err))
		return err
	}
	for _, e := range list {
		u.put(e.Name(), "enabled", path.Join(dir, e.Name()))
	}
	return nil
}

// put notes a state; what was found first stays, as masks in /etc come first.
func (u *units) put(name, state, source string) {
	if _, ok := u.state[name]; !ok && len(u.state) <= maxUnits {
		u.state[name] = unitState{state, "/" + source}
	}
}

// link returns where a link leads, as it is written.
func (u *units) link(name string) string {
	at, err := u.h.resolve(path.Dir(name))
	if err != nil {
		return ""
	}
	to, err := fs.ReadLink(u.h.FS, path.Join(at, path.Base(name)))
	if err != nil {
		return ""
	}
	return to
}

// sysv adds the services that start by a link in rc?.d and have no unit.
func (u *units) sysv() error {
	for _, level := range []string{"2", "3", "5"} {
		dir := "etc/rc" + level + ".d"
		names, err := u.names(dir)
		if err != nil {
			return err
		}
		for _, n := range names {
			if len(n) < 4 || n[0] != 'S' || strings.Trim(n[1:3], "0123456789") != "" {
				continue
			}
			if unit := n[3:] + ".service"; !u.known[unit] {
				u.put(unit, "enabled", path.Join(dir, n))
			}
		}
	}
	return nil
}
