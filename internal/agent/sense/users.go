package sense

import (
	"os"
	"path/filepath"
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
	changed time.Time // of the file
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
	if now := time.Now(); now.Sub(u.looked) > 2*time.Second {
		u.looked = now
		if info, err := os.Stat(u.file); err == nil && !info.ModTime().Equal(u.changed) {
			u.changed = info.ModTime()
			u.names = map[uint32]string{}
			raw, _ := readCapped(u.file, maxPasswd) // what cannot be read names nobody
			for _, a := range parsePasswd(string(raw)) {
				if _, twice := u.names[a.uid]; !twice {
					u.names[a.uid] = a.name
				}
			}
		}
	}
	return u.names[uid]
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
