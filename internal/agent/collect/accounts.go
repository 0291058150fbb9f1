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
	passwd, err := s.config("etc/passwd")
	if passwd == nil && err == nil {
		return absent(inventory.Accounts, "there is no /etc/passwd")
	}
	a := accounts{settings: s}
	var compat []string
	if err == nil {
		var c []string
		var bad int
		a.users, c, bad = conf.Users(passwd)
		compat = append(compat, tagged(c, "passwd")...)
		a.bad("/etc/passwd", bad)
	}
	group, groupErr := s.config("etc/group")
	if groupErr == nil {
		var c []string
		var bad int
		a.groups, c, bad = conf.Groups(group)
		compat = append(compat, tagged(c, "group")...)
		a.bad("/etc/group", bad)
	}
	shadow, shadowErr := s.config("etc/shadow")
	if shadowErr == nil && shadow != nil {
		var c []string
		var bad int
		a.shadow, c, bad = conf.Shadows(shadow)
		compat = append(compat, tagged(c, "shadow")...)
		a.bad("/etc/shadow", bad)
	}
	if err == nil {
		a.ids()
		a.homes(ctx)
	}
	if groupErr == nil {
		a.groupIDs()
	}
	if err == nil && groupErr == nil {
		a.membership()
	}
	if err == nil && shadowErr == nil {
		a.passwords()
		a.ages()
	}
	if err == nil && groupErr == nil && shadowErr == nil {
		s.offenders("compat", compat, "/etc/passwd, /etc/group, /etc/shadow")
	}
	a.shells()
	return s.done(ctx)
}

func tagged(list []string, file string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = file + ": " + s
	}
	return out
}

type accounts struct {
	*settings
	users  []conf.User
	groups []conf.Group
	shadow []conf.Shadow
}

func (a *accounts) bad(file string, n int) {
	if n > 0 {
		a.problem("%d lines of %s are no entries and were left out; pwck and grpck name them", n, file)
	}
}

// ids puts who has the rights of root, and what is there twice.
func (a *accounts) ids() {
	var root, gid0, plain []string
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
		ids[u.UID] = append(ids[u.UID], u.Name)
		names[u.Name]++
		if u.Name == "root" {
			a.set("root:gid", strconv.Itoa(u.GID), "/etc/passwd")
		}
	}
	a.offenders("uid:0", root, "/etc/passwd")
	a.offenders("gid:0", gid0, "/etc/passwd")
	a.offenders("unshadowed", plain, "/etc/passwd")
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

// homes puts what is wrong with home directories, and which system accounts
// can log in.
func (a *accounts) homes(ctx context.Context) {
	var system, missing, foreign, wide, trust, secrets []string
	seen := 0
	for _, u := range a.users {
		if u.UID != 0 && (u.UID < 1000 || u.UID == 65534) && login(u.Shell) {
			system = append(system, u.Name+": "+u.Shell)
		}
		if u.UID != 0 && !person(u) {
			continue
		}
		if seen++; seen > maxHomes || ctx.Err() != nil {
			break
		}
		at, err := a.h.resolve(strings.TrimPrefix(path.Clean("/"+u.Home), "/"))
		info, statErr := fs.FileInfo(nil), err
		if err == nil {
			info, statErr = lstat(a.h, at)
		}
		if statErr != nil || !info.IsDir() {
			if statErr == nil || isNotExist(statErr) {
				missing = append(missing, u.Name+": "+u.Home)
			}
			continue
		}
		if uid, _, ok := fileOwner(info); ok && int(uid) != u.UID {
			foreign = append(foreign, fmt.Sprintf("%s: owned by %d", u.Name, uid))
		}
		if info.Mode().Perm()&0o027 != 0 {
			wide = append(wide, fmt.Sprintf("%s: %04o", u.Name, info.Mode().Perm()))
		}
		for _, dot := range []string{".rhosts", ".shosts"} {
			if a.h.exists(path.Join(at, dot)) {
				trust = append(trust, u.Name+": "+dot)
			}
		}
		for _, dot := range []string{".netrc", ".forward"} {
			if a.h.exists(path.Join(at, dot)) {
				secrets = append(secrets, u.Name+": "+dot)
			}
		}
	}
	a.offenders("system:shell", system, "/etc/passwd")
	if seen > maxHomes {
		a.problem("more than %d accounts have home directories: these were not looked at", maxHomes)
		return
	}
	a.offenders("home:missing", missing, "/etc/passwd")
	a.offenders("home:foreign", foreign, "home directories")
	a.offenders("home:wide", wide, "home directories")
	a.offenders("home:trust", trust, "home directories")
	a.offenders("home:secrets", secrets, "home directories")
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
