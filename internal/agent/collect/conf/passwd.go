package conf

import (
	"strconv"
	"strings"
)

// User is one line of /etc/passwd.
type User struct {
	Name, Home, Shell string
	UID, GID          int
	// Shadowed says that the password is in /etc/shadow or barred; Empty that
	// the field is empty, which lets anybody in.
	Shadowed, Empty bool
}

// Users reads passwd(5). Bad counts lines that are no entry; compat lists the
// lines that take in another directory ("+…"), which no program should follow
// any more.
func Users(b []byte) (users []User, compat []string, bad int) {
	for _, s := range lines(b, "#", false) {
		f := strings.Split(s, ":")
		if s[0] == '+' || s[0] == '-' {
			compat = append(compat, f[0])
			continue
		}
		if len(f) != 7 || f[0] == "" {
			bad++
			continue
		}
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err1 != nil || err2 != nil {
			bad++
			continue
		}
		users = append(users, User{Name: f[0], UID: uid, GID: gid, Home: f[5], Shell: f[6],
			Shadowed: f[1] != "" && strings.Trim(f[1], "x*!") == "", Empty: f[1] == ""})
	}
	return users, compat, bad
}

// Group is one line of /etc/group.
type Group struct {
	Name    string
	GID     int
	Members []string
}

// Groups reads group(5).
func Groups(b []byte) (groups []Group, compat []string, bad int) {
	for _, s := range lines(b, "#", false) {
		f := strings.Split(s, ":")
		if s[0] == '+' || s[0] == '-' {
			compat = append(compat, f[0])
			continue
		}
		if len(f) != 4 || f[0] == "" {
			bad++
			continue
		}
		gid, err := strconv.Atoi(f[2])
		if err != nil {
			bad++
			continue
		}
		g := Group{Name: f[0], GID: gid}
		for _, m := range strings.SplitN(f[3], ",", maxWords) {
			if m = strings.TrimSpace(m); m != "" {
				g.Members = append(g.Members, m)
			}
		}
		groups = append(groups, g)
	}
	return groups, compat, bad
}

// Shadow is what one line of /etc/shadow says of a password, without the
// password's hash: that is never kept.
type Shadow struct {
	Name   string
	Scheme string // "yescrypt", "sha512", "md5", …; empty without a password
	Empty  bool   // no password is asked for
	Locked bool   // no password is accepted
	// The rest are days as the file has them; -1 where it has none.
	Changed, Min, Max, Warn, Inactive, Expire int
}

// Shadows reads shadow(5).
func Shadows(b []byte) (list []Shadow, compat []string, bad int) {
	for _, s := range lines(b, "#", false) {
		f := strings.Split(s, ":")
		if s[0] == '+' || s[0] == '-' {
			compat = append(compat, f[0])
			continue
		}
		if len(f) < 8 || f[0] == "" {
			bad++
			continue
		}
		e := Shadow{Name: f[0], Empty: f[1] == "", Locked: strings.HasPrefix(f[1], "!") || strings.HasPrefix(f[1], "*")}
		if !e.Empty && !e.Locked {
			e.Scheme = scheme(f[1])
		}
		for i, d := range []*int{&e.Changed, &e.Min, &e.Max, &e.Warn, &e.Inactive, &e.Expire} {
			*d = -1
			if n, err := strconv.Atoi(f[2+i]); err == nil && n >= 0 {
				*d = n
			}
		}
		list = append(list, e)
	}
	return list, compat, bad
}

// scheme names the method of a hash by its prefix (crypt(5)).
func scheme(hash string) string {
	if !strings.HasPrefix(hash, "$") {
		switch {
		case strings.HasPrefix(hash, "_"):
			return "bsdicrypt"
		case len(hash) == 13:
			return "descrypt"
		}
		return "unknown"
	}
	id, _, _ := strings.Cut(hash[1:], "$")
	switch id {
	case "y":
		return "yescrypt"
	case "gy":
		return "gost-yescrypt"
	case "7":
		return "scrypt"
	case "2a", "2b", "2x", "2y":
		return "bcrypt"
	case "6":
		return "sha512"
	case "5":
		return "sha256"
	case "sha1":
		return "sha1"
	case "md5", "1":
		return "md5"
	case "3":
		return "nt"
	}
	return "unknown"
}
