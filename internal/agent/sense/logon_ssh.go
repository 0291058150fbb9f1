package sense

import (
	"net/netip"
	"regexp"
	"strconv"

	"github.com/picketsec/picket/internal/event"
)

// What sshd writes. Of keys that it does not take it says nothing at its usual
// level: all that a server of keys alone tells of a stranger is that a connection
// ended before anybody was let in.
var (
	sshAccepted = regexp.MustCompile(`^Accepted (\S+) for (.*?) from (\S+) port (\d+)(?: ssh2)?(?:: (.*))?$`)
	sshFailed   = regexp.MustCompile(`^Failed (\S+) for (invalid user )?(.*) from (\S+) port (\d+)(?: ssh2)?(?:: .*)?$`)
	sshDetail   = regexp.MustCompile(` from \S+ port \d+(?: ssh2)?: `)
	sshMax      = regexp.MustCompile(`^error: maximum authentication attempts exceeded for (invalid user )?(.*) from (\S+) port (\d+)(?: ssh2)?(?: \[preauth\])?$`)
	sshRefused  = regexp.MustCompile(`^User (.*) from (\S+) not allowed because (.*)$`)
	sshUnknown  = regexp.MustCompile(`^Invalid user (.*) from (\S+) port (\d+)$`)
	sshDenied   = regexp.MustCompile(`^fatal: Access denied for user (.*) by PAM account configuration(?: \[preauth\])?$`)
	sshEnded    = regexp.MustCompile(`^(Connection closed by|Connection reset by|Connection from|Disconnected from) (authenticating|invalid) user (.*) (\S+) port (\d+)( timed out)? \[preauth\]$`)
	sshBroken   = regexp.MustCompile(`^(?:Disconnecting|(?:[a-z_]+: )?Connection from) (authenticating|invalid) user (.*) \[preauth\]$`)
	sshBreak    = regexp.MustCompile(`^(.*) (\S+) port (\d+): (.*)$`)
	sshBreaks   = regexp.MustCompile(` port \d+: `)
	sshTimeout  = regexp.MustCompile(`^(?:fatal: )?Timeout before authentication for (?:(\S+) port (\d+)|connection from (\S+) to \S+, pid = (\d+))$`)
)

func parseSSH(text string) (logon, bool) {
	l := logon{typ: typeRemote, protocol: "ssh"}
	if m := sshAccepted.FindStringSubmatch(text); m != nil {
		l.action, l.user = event.LogonSuccess, m[2]
		l.more = map[string]any{"method": m[1]}
		if m[5] != "" {
			l.more["key"] = m[5]
		}
		return l.from(m[3], m[4]), true
	}
	l.action = event.LogonFailed
	if m := sshFailed.FindStringSubmatch(text); m != nil {
		l.user, l.reason = m[3], "wrong "+m[1]
		if m[1] == "none" {
			l.reason = "no method was offered"
		}
		if m[2] != "" {
			l.reason = "unknown account"
		}
		l.more = map[string]any{"method": m[1]}
		if len(sshDetail.FindAllString(text, 2)) > 1 { // of a certificate somebody else has chosen the name
			l.user = ""
			return l, true
		}
		return l.from(m[4], m[5]), true
	}
	if m := sshUnknown.FindStringSubmatch(text); m != nil {
		l.user, l.reason, l.stage = m[1], "unknown account", stageDoomed
		return l.from(m[2], m[3]), true
	}
	if m := sshRefused.FindStringSubmatch(text); m != nil {
		l.user, l.reason, l.stage = m[1], "not allowed: "+m[3], stageDoomed
		return l.from(m[2], ""), true
	}
	if ended, ok := l.ended(text); ok {
		ended.stage = stageEnded
		return ended, true
	}
	return closed(text, typeRemote)
}

// ended reads how a connection ended by which nobody was let in.
func (l logon) ended(text string) (logon, bool) {
	if m := sshMax.FindStringSubmatch(text); m != nil {
		l.user, l.reason = m[2], "too many attempts"
		return l.from(m[3], m[4]), true
	}
	if m := sshDenied.FindStringSubmatch(text); m != nil {
		l.user, l.reason = m[1], "not allowed: refused by PAM"
		return l, true
	}
	if m := sshEnded.FindStringSubmatch(text); m != nil && (m[1] == "Connection from") == (m[6] != "") {
		l.user, l.reason = m[3], "the client gave up"
		if m[6] != "" {
			l.reason = "timed out"
		}
		return l.invalid(m[2]).from(m[4], m[5]), true
	}
	if m := sshBroken.FindStringSubmatch(text); m != nil {
		return l.broken(m[1], m[2])
	}
	if m := sshTimeout.FindStringSubmatch(text); m != nil {
		l.reason = "timed out"
		if n, err := strconv.ParseUint(m[4], 10, 32); err == nil {
			l.process = uint32(n)
		}
		return l.from(m[1]+m[3], m[2]), true
	}
	return logon{}, false
}

// broken reads "alice 192.0.2.9 port 4: why": both the name and the reason can
// hold what the other end chose, so it is believed only when it can be read in
// one way; in any other, nothing but that there was an attempt.
func (l logon) broken(kind, text string) (logon, bool) {
	l.reason = "the connection was broken off"
	if len(sshBreaks.FindAllString(text, 2)) == 1 {
		if m := sshBreak.FindStringSubmatch(text); m != nil {
			l.user = m[1]
			if m[4] == "Too many authentication failures" {
				l.reason = "too many attempts"
			}
			l = l.from(m[2], m[3])
		}
	}
	return l.invalid(kind), true
}

// invalid is the failure of an account that there is not.
func (l logon) invalid(kind string) logon {
	if kind == "invalid" {
		l.reason = "unknown account"
	}
	return l
}

func (l logon) from(addr, port string) logon {
	if a, err := netip.ParseAddr(addr); err == nil {
		l.remote = a.Unmap()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		l.port = int(n)
	}
	return l
}

// maxDoors is how many processes that let people in are remembered.
const maxDoors = 1024

// door is what a process that lets people in has told so far of a connection.
type door struct {
	user   string
	remote netip.Addr
	port   int
	told   bool   // an attempt
	owed   bool   // the next failure was told already
	number uint64 // when it was seen first
}

// doors bring the lines together that speak of the same attempt.
type doors struct {
	open  map[uint32]*door // by process
	count uint64
	pam   bool // login tells of its sessions by PAM
}

func newDoors() *doors { return &doors{open: map[uint32]*door{}} }

// read is parseLogon for a line of a process, 0 when that is not known: of several
// lines about one attempt one is told.
func (d *doors) read(identifier, text string, pid uint32) (logon, bool) {
	l, ok := parseLogon(identifier, text)
	if !ok {
		return l, false
	}
	switch l.stage {
	case stageSession:
		d.pam = true
		return l, true
	case stageGreeting: // it comes after the session, of another process on some systems
		return l, !d.pam
	}
	if l.protocol != "ssh" || l.action == event.LogoffSuccess {
		return l, true
	}
	if l.process != 0 { // what the listener says of another process
		pid = l.process
	}
	if pid == 0 {
		return l.whole(&door{}), true
	}
	c := d.of(pid, &l)
	switch {
	case l.action == event.LogonSuccess:
		delete(d.open, pid)
		return l, true
	case l.stage == stageEnded: // of which more may be said
		told := c.told
		c.told = true
		return l.whole(c), !told
	case l.stage == stageDoomed:
		told := c.told
		c.told, c.owed = true, !told
		return l, !told
	case c.told && l.more["method"] == "none":
		return l, false // how a client asks what there is
	}
	owed := c.owed
	c.told, c.owed = true, false
	return l, !owed
}

// of is what is known of a process. One that speaks of another connection is
// another process with its number.
func (d *doors) of(pid uint32, l *logon) *door {
	c := d.open[pid]
	if c == nil || c.remote.IsValid() && l.remote.IsValid() && c.remote != l.remote || c.port != 0 && l.port != 0 && c.port != l.port {
		if c == nil && len(d.open) >= maxDoors {
			d.forget()
		}
		d.count++
		c = &door{number: d.count}
		d.open[pid] = c
	}
	if l.remote.IsValid() {
		c.remote = l.remote
	}
	if l.port != 0 {
		c.port = l.port
	}
	if l.user != "" {
		c.user = l.user
	}
	return c
}

// forget forgets what was seen first.
func (d *doors) forget() {
	oldest, first := uint32(0), d.count+1
	for pid, c := range d.open {
		if c.number < first {
			oldest, first = pid, c.number
		}
	}
	delete(d.open, oldest)
}

// whole adds to the end of a connection what was said before it. Of one whose
// account nobody has named nothing but the attempt is known.
func (l logon) whole(c *door) logon {
	if l.stage != stageEnded {
		return l
	}
	if l.user == "" {
		l.user = c.user
	}
	if !l.remote.IsValid() {
		l.remote = c.remote
	}
	if l.port == 0 {
		l.port = c.port
	}
	if l.user == "" {
		l.action = event.LogonAttempted
	}
	return l
}
