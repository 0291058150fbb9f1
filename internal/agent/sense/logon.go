package sense

import (
	"net/netip"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/event"
)

// logon is what a line of a log says of an account that came or went.
type logon struct {
	action   event.Action
	user     string
	typ      string // LogonType
	protocol string
	remote   netip.Addr
	port     int
	by       string // the account that asked for it
	reason   string // of a failure
	more     map[string]any
}

// The logon types of the hunting tables.
const (
	typeInteractive = "Interactive"
	typeRemote      = "RemoteInteractive"
	typeBatch       = "Batch"
	typeService     = "Service"
)

// What sshd, sudo, su, login and the PAM modules write. A name that a stranger
// chose may hold anything, "from 1.2.3.4" too: what stands last counts.
var (
	sshAccepted = regexp.MustCompile(`^Accepted (\S+) for (.*) from (\S+) port (\d+)(?: ssh2)?(?:: (.*))?$`)
	sshFailed   = regexp.MustCompile(`^Failed (\S+) for (invalid user )?(.*) from (\S+) port (\d+)(?: ssh2)?(?:: .*)?$`)
	sshMax      = regexp.MustCompile(`^error: maximum authentication attempts exceeded for (invalid user )?(.*) from (\S+) port (\d+)(?: ssh2)?(?: \[preauth\])?$`)
	sshRefused  = regexp.MustCompile(`^User (.*) from (\S+) not allowed because (.*)$`)
	suDone      = regexp.MustCompile(`^\(to (\S+)\) (\S+) on (\S+)$`)
	suFailed    = regexp.MustCompile(`^FAILED SU \(to (.*)\) (\S+) on (\S+)$`)
	loginOn     = regexp.MustCompile(`^(?:ROOT LOGIN|LOGIN ON|DIALUP AT) *(?i:ON )?(\S+)(?: BY (\S+))?(?: FROM (\S+))?$`)
	loginFailed = regexp.MustCompile(`^FAILED LOGIN \((\d+)\) on '(.*?)'(?: from '(.*?)')? FOR '(.*)', (.*)$`)
	pamOpened   = regexp.MustCompile(`^pam_unix\((\S+):session\): session opened for user (\S+?)(?:\(uid=(\d+)\))?(?: by (\S*?)\(uid=(\d+)\))?$`)
	pamClosed   = regexp.MustCompile(`^pam_unix\((\S+):session\): session closed for user (\S+)$`)
	pamFailed   = regexp.MustCompile(`^pam_unix\((\S+):auth\): authentication failure; .*?\bruser=(\S*) rhost=(\S*)(?:\s+user=(.*))?$`)
)

// parseLogon reads a line that a program named identifier has written, and says
// whether it tells of a logon, a logoff or an attempt.
func parseLogon(identifier, text string) (logon, bool) {
	text = strings.TrimRight(text, "\n")
	switch identifier {
	case "sshd", "sshd-session", "sshd-auth":
		return parseSSH(text)
	case "sudo":
		return parseSudo(text)
	case "su":
		return parseSu(text)
	case "login":
		return parseLogin(text)
	case "CRON", "cron", "crond", "atd":
		if m := pamOpened.FindStringSubmatch(text); m != nil {
			return logon{action: event.LogonSuccess, user: m[2], typ: typeBatch, protocol: identifierOf(m[1])}, true
		}
		return closed(text, typeBatch)
	}
	return logon{}, false
}

func identifierOf(service string) string { return strings.ToLower(path.Base(service)) }

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
	if m := sshFailed.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.reason = event.LogonFailed, m[3], "wrong "+m[1]
		if m[1] == "none" {
			l.reason = "no method was offered"
		}
		if m[2] != "" {
			l.reason = "unknown account"
		}
		l.more = map[string]any{"method": m[1]}
		return l.from(m[4], m[5]), true
	}
	if m := sshMax.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.reason = event.LogonFailed, m[2], "too many attempts"
		return l.from(m[3], m[4]), true
	}
	if m := sshRefused.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.reason = event.LogonFailed, m[1], "not allowed: "+m[3]
		return l.from(m[2], ""), true
	}
	return closed(text, typeRemote)
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

// closed reads the end of a session.
func closed(text, typ string) (logon, bool) {
	m := pamClosed.FindStringSubmatch(text)
	if m == nil {
		return logon{}, false
	}
	protocol := identifierOf(m[1])
	if protocol == "sshd" {
		protocol = "ssh"
	}
	return logon{action: event.LogoffSuccess, user: m[2], typ: typ, protocol: protocol}, true
}

// parseSudo reads "alice : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ;
// USER=root ; COMMAND=/bin/id": what has no name says what went wrong.
func parseSudo(text string) (logon, bool) {
	l := logon{typ: typeInteractive, protocol: "sudo"}
	if m := pamFailed.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.by, l.reason = event.LogonFailed, m[4], m[2], "wrong password"
		return l, true
	}
	by, rest, ok := strings.Cut(strings.TrimLeft(text, " "), " : ")
	if !ok || by == "" || strings.ContainsAny(by, " ()") {
		return closed(text, typeInteractive)
	}
	names := map[string]string{"TTY": "terminal", "PWD": "directory", "CHROOT": "root", "GROUP": "group", "TSID": "session"}
	l.by, l.action, l.more = by, event.LogonSuccess, map[string]any{}
	for rest != "" {
		if command, ok := strings.CutPrefix(rest, "COMMAND="); ok {
			l.more["command"] = command
			return l, l.user != ""
		}
		var part string
		part, rest, _ = strings.Cut(rest, " ; ")
		key, value, _ := strings.Cut(part, "=")
		switch {
		case key == "USER":
			l.user = value
		case names[key] != "":
			l.more[names[key]] = value
		case l.reason == "" && !strings.HasPrefix(key, "ENV"):
			l.action, l.reason = event.LogonFailed, part
		}
	}
	return l, false
}

func parseSu(text string) (logon, bool) {
	l := logon{typ: typeInteractive, protocol: "su"}
	if m := suDone.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.by = event.LogonSuccess, m[1], m[2]
		l.more = map[string]any{"terminal": m[3]}
		return l, true
	}
	if m := suFailed.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.by, l.reason = event.LogonFailed, m[1], m[2], "refused"
		l.more = map[string]any{"terminal": m[3]}
		return l, true
	}
	return closed(text, typeInteractive)
}

func parseLogin(text string) (logon, bool) {
	l := logon{typ: typeInteractive, protocol: "login"}
	if m := loginFailed.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.reason = event.LogonFailed, m[4], m[5]
		l.more = map[string]any{"terminal": m[2]}
		return l.from(m[3], ""), true
	}
	if m := loginOn.FindStringSubmatch(text); m != nil {
		l.action, l.user = event.LogonSuccess, m[2]
		if strings.HasPrefix(text, "ROOT") {
			l.user = "root"
		}
		l.more = map[string]any{"terminal": strings.Trim(m[1], "'")}
		return l.from(m[3], ""), true
	}
	return closed(text, typeInteractive)
}
