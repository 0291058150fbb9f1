package sense

import (
	"net/netip"
	"path"
	"regexp"
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
	stage    stage
	process  uint32 // whose attempt it is, 0: that of the one that tells
}

// stage is what a line is among those about the same attempt.
type stage int

const (
	stageTry      stage = iota // an attempt of its own
	stageDoomed                // whatever is tried next cannot succeed
	stageEnded                 // nobody was let in before the connection ended
	stageSession               // PAM opened a session of login
	stageGreeting              // login says so itself
)

// The logon types of the hunting tables.
const (
	typeInteractive = "Interactive"
	typeRemote      = "RemoteInteractive"
	typeBatch       = "Batch"
	typeService     = "Service"
)

// What sudo, su, login and the PAM modules write. A name that a stranger chose
// may hold anything, "from 1.2.3.4" too: what stands last counts.
var (
	suDone      = regexp.MustCompile(`^\(to (\S+)\) (\S+) on (\S+)$`)
	suFailed    = regexp.MustCompile(`^FAILED SU \(to (.*)\) (\S+) on (\S+)$`)
	suWord      = regexp.MustCompile(`^(Successful|FAILED) su for (.*) by (\S+)$`)
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
			return logon{action: event.LogonSuccess, user: m[2], typ: typeBatch, protocol: protocolOf(m[1])}, true
		}
		return closed(text, typeBatch)
	}
	return logon{}, false
}

// protocolOf is what a service of PAM is for.
func protocolOf(service string) string {
	switch name := strings.ToLower(path.Base(service)); name {
	case "sshd":
		return "ssh"
	case "su-l":
		return "su"
	case "sudo-i":
		return "sudo"
	case "remote":
		return "login"
	default:
		return name
	}
}

// closed reads the end of a session.
func closed(text, typ string) (logon, bool) {
	m := pamClosed.FindStringSubmatch(text)
	if m == nil {
		return logon{}, false
	}
	return logon{action: event.LogoffSuccess, user: m[2], typ: typ, protocol: protocolOf(m[1])}, true
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
	if m := suWord.FindStringSubmatch(text); m != nil {
		l.action, l.user, l.by = event.LogonSuccess, m[2], m[3]
		if m[1] == "FAILED" {
			l.action, l.reason = event.LogonFailed, "refused"
		}
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
		l.more, l.stage = map[string]any{"terminal": strings.Trim(m[1], "'")}, stageGreeting
		return l.from(m[3], ""), true
	}
	if m := pamOpened.FindStringSubmatch(text); m != nil && protocolOf(m[1]) == "login" {
		l.action, l.user, l.stage = event.LogonSuccess, m[2], stageSession
		return l, true
	}
	return closed(text, typeInteractive)
}
