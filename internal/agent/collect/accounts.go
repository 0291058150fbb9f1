package collect

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

// collectAccounts reads what local users and groups have wrong or in common.
// Names appear only where they offend; hashes never leave the parser.
func collectAccounts(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Accounts, h, l)
	if no != nil {
		return no
	}
	if !h.exists("etc/passwd") {
		return absent(inventory.Accounts, "there is no /etc/passwd")
	}
	a := accounts{settings: s}
	users, groups, shadow := false, false, false
	a.users, users = entries(&a, "passwd", conf.Users)
	a.groups, groups = entries(&a, "group", conf.Groups)
	a.shadow, shadow = entries(&a, "shadow", conf.Shadows)
	if users {
		a.ids()
		a.homes(ctx)
	}
	if groups {
		a.groupIDs()
	}
	if users && groups {
		a.membership()
	}
	if users && shadow {
		a.passwords()
		a.ages()
	}
	if users && groups && shadow {
		s.offenders("compat", a.compat, "/etc/passwd, /etc/group, /etc/shadow")
	}
	a.shells()
	return s.done(ctx)
}

// entries reads a file of /etc; ok is false when it could not be read.
func entries[T any](a *accounts, file string, parse func([]byte) (list []T, compat []string, bad int)) (list []T, ok bool) {
	b, err := a.config("etc/" + file)
	if err != nil {
		return nil, false
	}
	list, compat, bad := parse(b)
	for _, c := range compat {
		a.compat = append(a.compat, file+": "+c)
	}
	if bad > 0 {
		a.problem("%d lines of /etc/%s are no entries and were left out; pwck and grpck name them", bad, file)
	}
	return list, true
}

type accounts struct {
	*settings
	users  []conf.User
	groups []conf.Group
	shadow []conf.Shadow
	compat []string // lines that take in another directory
}

// ids puts who has the rights of root, what is there twice, and which accounts
// of the system can log in.
func (a *accounts) ids() {
	var root, gid0, plain, system []string
	ids, names := map[int][]string{}, map[string]int{}
	for _, u := range a.users {
		if u.UID == 0 {
			root = append(root, u.Name)
		}
		if u.GID == 0 && u.UID != 0 && !slices.Contains([]string{"sync", "shutdown", "halt", "operator"}, u.Name) {
			gid0 = append(gid0, u.Name)
		}
		if !u.Shadowed && !u.Empty {
			plain = append(plain, u.Name)
		}
		if u.UID != 0 && (u.UID < 1000 || u.UID == 65534) && login(u.Shell) {
			system = append(system, u.Name+": "+u.Shell)
		}
		ids[u.UID] = append(ids[u.UID], u.Name)
		names[u.Name]++
		if u.Name == "root" {
			a.set("root:gid", strconv.Itoa(u.GID), "/etc/passwd")
		}
	}
	a.offenders("uid:0", root, "/etc/passwd")
	a.offenders("gid:0", gid0, "/etc/passwd")
	a.offenders("unshadowed", plain, "/etc/passwd")
	a.offenders("system:shell", system, "/etc/passwd")
	a.offenders("uid:duplicate", doubles(ids), "/etc/passwd")
	a.offenders("name:duplicate", repeated(names), "/etc/passwd")
}

func doubles(ids map[int][]string) []string {
	var out []string
	for id, who := range ids {
		if who = sorted(who); len(who) > 1 {
			out = append(out, fmt.Sprintf("%d: %s", id, strings.Join(who[:min(len(who), 20)], ", ")))
		}
	}
	return out
}

func repeated(names map[string]int) []string {
	var out []string
	for n, count := range names {
		if count > 1 {
			out = append(out, n)
		}
	}
	return out
}

func (a *accounts) groupIDs() {
	ids, names := map[int][]string{}, map[string]int{}
	var zero, shadowed []string
	for _, g := range a.groups {
		ids[g.GID] = append(ids[g.GID], g.Name)
		names[g.Name]++
		if g.GID == 0 && g.Name != "root" {
			zero = append(zero, g.Name)
		}
		if g.Name == "shadow" {
			shadowed = append(shadowed, g.Members...)
		}
	}
	a.offenders("group:gid:duplicate", doubles(ids), "/etc/group")
	a.offenders("group:name:duplicate", repeated(names), "/etc/group")
	a.offenders("group:gid:0", zero, "/etc/group")
	a.offenders("group:shadow", shadowed, "/etc/group")
}

// membership puts the users whose group does not exist.
func (a *accounts) membership() {
	known := map[int]bool{}
	for _, g := range a.groups {
		known[g.GID] = true
	}
	var orphans []string
	for _, u := range a.users {
		if !known[u.GID] {
			orphans = append(orphans, u.Name+": "+strconv.Itoa(u.GID))
		}
	}
	a.offenders("group:missing", orphans, "/etc/passwd")
}

// passwords puts what is wrong with passwords, never a password.
func (a *accounts) passwords() {
	var empty, weak, open []string
	by := map[string]conf.Shadow{}
	for _, e := range a.shadow {
		by[e.Name] = e
		if e.Empty {
			empty = append(empty, e.Name)
		}
		switch e.Scheme {
		case "", "yescrypt", "gost-yescrypt", "scrypt", "bcrypt", "sha512":
		default:
			weak = append(weak, e.Name+": "+e.Scheme)
		}
	}
	for _, u := range a.users {
		if u.Empty {
			empty = append(empty, u.Name)
		}
		e, ok := by[u.Name]
		if ok && !e.Locked && !e.Empty && !login(u.Shell) && u.Name != "root" {
			open = append(open, u.Name)
		}
		if u.Name == "root" && ok {
			state := "password"
			switch {
			case e.Empty:
				state = "open"
			case e.Locked:
				state = "locked"
			}
			a.set("root:password", state, "/etc/shadow")
		}
	}
	a.offenders("password:empty", sorted(empty), "/etc/shadow")
	a.offenders("password:weak-hash", weak, "/etc/shadow")
	a.offenders("password:without-shell", open, "/etc/shadow")
}

// ages puts the people whose passwords never age, by what is missing.
func (a *accounts) ages() {
	var max, min, warn, inactive, future []string
	today := int(a.h.Now.Sub(time.Unix(0, 0)) / (24 * time.Hour))
	for _, e := range a.shadow {
		if e.Empty || e.Locked {
			continue
		}
		if e.Max < 0 || e.Max > 365 {
			max = append(max, e.Name)
		}
		if e.Min < 1 {
			min = append(min, e.Name)
		}
		if e.Warn < 7 {
			warn = append(warn, e.Name)
		}
		if e.Inactive < 0 || e.Inactive > 45 {
			inactive = append(inactive, e.Name)
		}
		if e.Changed > today+1 {
			future = append(future, e.Name)
		}
	}
	a.offenders("age:max", max, "/etc/shadow")
	a.offenders("age:min", min, "/etc/shadow")
	a.offenders("age:warn", warn, "/etc/shadow")
	a.offenders("age:inactive", inactive, "/etc/shadow")
	a.offenders("age:future", future, "/etc/shadow")
}

// login reports whether a shell lets its user in.
func login(shell string) bool {
	switch path.Base(shell) {
	case "nologin", "false", "true", "sync", "shutdown", "halt":
		return false
	}
	return true // an empty field stands for /bin/sh
}

// person reports whether an account is somebody's, by the ids that
// distributions give to people.
func person(u conf.User) bool { return u.UID >= 1000 && u.UID != 65534 && login(u.Shell) }

// homes puts what is wrong with the home directories of root and of people.
func (a *accounts) homes(ctx context.Context) {
	var h homeFaults
	seen := 0
	for _, u := range a.users {
		if u.UID != 0 && !person(u) {
			continue
		}
		if seen++; seen > maxHomes {
			a.problem("more than %d accounts have home directories: these were not looked at", maxHomes)
			return
		}
		if ctx.Err() != nil {
			return
		}
		h.look(a.h, u)
	}
	a.offenders("home:missing", h.missing, "/etc/passwd")
	a.offenders("home:foreign", h.foreign, "home directories")
	a.offenders("home:wide", h.wide, "home directories")
	a.offenders("home:trust", h.trust, "home directories")
	a.offenders("home:secrets", h.secrets, "home directories")
}

// homeFaults are what is wrong with home directories, by kind.
type homeFaults struct{ missing, foreign, wide, trust, secrets []string }

func (f *homeFaults) look(h Host, u conf.User) {
	at, err := h.resolve(strings.TrimPrefix(path.Clean("/"+u.Home), "/"))
	var info fs.FileInfo
	if err == nil {
		info, err = lstat(h, at)
	}
	switch {
	case isNotExist(err) || err == nil && !info.IsDir():
		f.missing = append(f.missing, u.Name+": "+u.Home)
		return
	case err != nil:
		return
	}
	if uid, _, ok := fileOwner(info); ok && int(uid) != u.UID {
		f.foreign = append(f.foreign, fmt.Sprintf("%s: owned by %d", u.Name, uid))
	}
	if info.Mode().Perm()&0o027 != 0 {
		f.wide = append(f.wide, fmt.Sprintf("%s: %04o", u.Name, info.Mode().Perm()))
	}
	for _, dot := range []string{".rhosts", ".shosts"} {
		if h.exists(path.Join(at, dot)) {
			f.trust = append(f.trust, u.Name+": "+dot)
		}
	}
	for _, dot := range []string{".netrc", ".forward"} {
		if h.exists(path.Join(at, dot)) {
			f.secrets = append(f.secrets, u.Name+": "+dot)
		}
	}
}

const maxHomes = 2000

// shells puts entries of /etc/shells that are no shells.
func (a *accounts) shells() {
	b, err := a.config("etc/shells")
	if err != nil {
		return
	}
	var odd []string
	for _, e := range conf.Words(b) {
		if !login(e.Key) {
			odd = append(odd, e.Key)
		}
	}
	a.offenders("shells:nologin", odd, "/etc/shells")
}
