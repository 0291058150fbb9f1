package sense

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// users knows the names of accounts. Safe for concurrent use.
type users struct {
	file string
	host string

	mu      sync.Mutex // guards the fields below
	names   map[uint32]string
	uids    map[string]uint32
	admins  map[string]bool // of groups that may become root
	changed time.Time       // of the file
	looked  time.Time
}

const maxPasswd = 4 << 20

func newUsers(root string) *users {
	name, _ := os.Hostname() // a host without a name has no domain of accounts
	return &users{file: filepath.Join(root, "etc/passwd"), host: name}
}

// name returns the name of an account, and "" when it has none.
func (u *users) name(uid uint32) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	return u.names[uid]
}

// uid returns the number of an account.
func (u *users) uid(name string) (uint32, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	n, ok := u.uids[name]
	return n, ok
}

// admin reports whether an account is root or in a group that may become it.
func (u *users) admin(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.refresh()
	n, ok := u.uids[name]
	return ok && n == 0 || u.admins[name]
}

// adminGroups are those that distributions let become root.
var adminGroups = []string{"sudo", "wheel", "admin"}

func (u *users) refresh() {
	if now := time.Now(); now.Sub(u.looked) > 2*time.Second {
		u.looked = now
		if changed := newest(u.file, filepath.Join(filepath.Dir(u.file), "group")); !changed.Equal(u.changed) {
			u.changed = changed
			u.names, u.uids, u.admins = map[uint32]string{}, map[string]uint32{}, map[string]bool{}
			raw, _ := readCapped(u.file, maxPasswd) // what cannot be read names nobody
			for _, a := range parsePasswd(string(raw)) {
				if _, twice := u.names[a.uid]; !twice {
					u.names[a.uid] = a.name
				}
				u.uids[a.name] = a.uid
			}
			groups, _ := readCapped(filepath.Join(filepath.Dir(u.file), "group"), maxPasswd)
			for line := range strings.Lines(string(groups)) {
				f := strings.Split(strings.TrimRight(line, "\n"), ":")
				if len(f) < 4 || !slices.Contains(adminGroups, f[0]) {
					continue
				}
				for m := range strings.SplitSeq(f[3], ",") {
					u.admins[m] = true
				}
			}
		}
	}
}

// newest is when the last of some files was changed.
func newest(files ...string) (at time.Time) {
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at
}

// account is a line of passwd.
type account struct {
	name               string
	uid, gid           uint32
	gecos, home, shell string
}

// parsePasswd reads a file in the form of /etc/passwd; lines of another form are left out.
func parsePasswd(text string) []account {
	var out []account
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) < 7 || f[0] == "" || f[0][0] == '#' || f[0][0] == '+' || f[0][0] == '-' {
			continue
		}
		uid, err := strconv.ParseUint(f[2], 10, 32)
		gid, err2 := strconv.ParseUint(f[3], 10, 32)
		if err != nil || err2 != nil {
			continue
		}
		out = append(out, account{name: f[0], uid: uint32(uid), gid: uint32(gid), gecos: f[4], home: f[5], shell: f[6]})
	}
	return out
}
