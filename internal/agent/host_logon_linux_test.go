package agent

import (
	"strings"

	"github.com/picketsec/picket/internal/event"
)

// wrongKey logs on over ssh with a key that nobody has allowed.
const wrongKey = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=publickey -o IdentitiesOnly=yes -o BatchMode=yes -i /root/wrong "

// keys proves that a server which takes keys alone tells of those that it
// refused, although sshd does not say at its usual level that a key was wrong.
func (h *recorded) keys() {
	h.sh(`printf 'PasswordAuthentication no\nKbdInteractiveAuthentication no\n' >/etc/ssh/sshd_config.d/00-keys.conf; systemctl restart ssh; ssh-keygen -q -t ed25519 -N '' -f /root/wrong`)
	h.sh("! " + wrongKey + "carol@127.0.0.1 true")
	e := h.action(event.LogonFailed, "AccountName=carol", "Protocol=ssh", "RemoteIP=127.0.0.1", "LogonType=RemoteInteractive", "FailureReason=the client gave up")
	if f, _ := e.Get(event.RemotePort); f.Number == 0 {
		h.Errorf("nothing says from which port: %s", show(&e))
	}
	h.sh("! " + wrongKey + "nobody-else@127.0.0.1 true")
	h.action(event.LogonFailed, "AccountName=nobody-else", "Protocol=ssh", "RemoteIP=127.0.0.1", "FailureReason=unknown account")
	h.sh("! " + wrongKey + "'x from 192.0.2.66 port 1'@127.0.0.1 true")
	h.action(event.LogonFailed, "AccountName=x from 192.0.2.66 port 1", "RemoteIP=127.0.0.1")
	h.sh("install -d -o carol -m 700 /home/carol/.ssh && install -o carol -m 600 /root/wrong.pub /home/carol/.ssh/authorized_keys")
	h.sh(wrongKey + "carol@127.0.0.1 true")
	h.action(event.LogonSuccess, "AccountName=carol", "Protocol=ssh", `"method":"publickey"`)
	h.once("AccountName=carol", "Protocol=ssh", "LogonFailed")
	h.once("AccountName=carol", "Protocol=ssh", "LogonSuccess")
	h.once("AccountName=nobody-else")
}

// loginAs is a program that logs on at a terminal, as a person at the console does.
const loginAs = `import os, pty, sys
name, password, end = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execv('/bin/login', ['login', name])
def until(word):
    got = b''
    while word not in got:
        got += os.read(fd, 1024)
until(b'assword')
os.write(fd, password.encode() + b'\n')
until(end.encode())
os.write(fd, b'exit\n')
try:
    while end == '$' and os.read(fd, 1024): pass
except OSError: pass
os.close(fd)
`

// forger writes as sshd and is su when somebody looks who has written.
const forger = `import os, syslog
syslog.openlog('sshd')
syslog.syslog(syslog.LOG_AUTH | syslog.LOG_INFO, 'Accepted password for forged from 192.0.2.66 port 1 ssh2')
r, w = os.pipe()
os.set_inheritable(w, True)
os.dup2(r, 0)
os.execv('/usr/bin/su', ['su', 'carol'])
`

// console proves that people are seen who become somebody else, and who sit at
// the host itself.
func (h *recorded) console() {
	h.sh("useradd -m -s /bin/bash carol && echo carol:carols | chpasswd")
	h.sh("runuser -u alice -- sh -c 'echo carols | su carol -c /bin/true'")
	h.action(event.LogonSuccess, "AccountName=carol", "Protocol=su", `"by":"alice"`)
	h.action(event.LogoffSuccess, "AccountName=carol", "Protocol=su")
	h.once("AccountName=carol", "Protocol=su", "LogonSuccess")
	h.sh("! runuser -u alice -- sh -c 'echo wrong | su -l carol -c /bin/true'")
	h.action(event.LogonFailed, "AccountName=carol", "Protocol=su", `"by":"alice"`)
	h.sh("runuser -u alice -- sh -c 'echo s3cret | sudo -S -k -i /bin/true as-root'")
	h.action(event.LogonSuccess, "AccountName=root", "Protocol=sudo", `"by":"alice"`, "true as-root")

	h.write([]byte(forger), "usr/local/lib/forger.py", 0o644)
	h.sh("! timeout 3 runuser -u alice -- python3 /usr/local/lib/forger.py")
	h.write([]byte(loginAs), "root/console.py", 0o600)
	h.sh("python3 /root/console.py carol carols '$'")
	in := h.action(event.LogonSuccess, "AccountName=carol", "Protocol=login", "LogonType=Interactive")
	if in.Text(event.RemoteIP) != "" {
		h.Errorf("a logon at the console from afar: %s", show(&in))
	}
	h.action(event.LogoffSuccess, "AccountName=carol", "Protocol=login")
	h.once("AccountName=carol", "Protocol=login", "LogonSuccess")
	h.sh("python3 /root/console.py carol wrong incorrect")
	h.action(event.LogonFailed, "AccountName=carol", "Protocol=login")
	if e := h.find(func(e *event.Event) bool { return e.Text(event.AccountName) == "forged" }); e != nil {
		h.Errorf("who becomes a program of root's can make a logon before: %s", show(e))
	}
}

// withoutJournal proves that logons come from wtmp and btmp where there is no
// journal that can be read.
func (h *recorded) withoutJournal() {
	h.sh(`rm /etc/ssh/sshd_config.d/00-keys.conf; systemctl restart ssh; mkdir -p /etc/systemd/system/picket-agent.service.d
		printf '[Service]\nInaccessiblePaths=-/run/systemd/journal -/var/log/journal -/run/log/journal\n' >/etc/systemd/system/picket-agent.service.d/journal.conf
		systemctl daemon-reload; systemctl restart picket-agent`)
	h.see("logons from wtmp", func(e *event.Event) bool {
		return e.Action == event.SensorStarted && e.Text(event.Source) == event.SourceUtmp && strings.Contains(e.Text(event.Reason), event.SourceJournal)
	})
	const ssh = "ssh -tt -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 carol@127.0.0.1 true"
	h.sh("sshpass -p carols " + ssh)
	h.action(event.LogonSuccess, "AccountName=carol", "Source=wtmp", "Protocol=ssh", "LogonType=RemoteInteractive", "RemoteIP=127.0.0.1", `"terminal":"pts/`)
	h.action(event.LogoffSuccess, "AccountName=carol", "Source=wtmp", "Protocol=ssh")
	h.sh("! sshpass -p wrong " + ssh)
	h.action(event.LogonFailed, "AccountName=carol", "Source=wtmp", "RemoteIP=127.0.0.1")
	h.sh("python3 /root/console.py carol carols '$'")
	h.action(event.LogonSuccess, "AccountName=carol", "Source=wtmp", "Protocol=login", "LogonType=Interactive")
}

// once proves that one event has these words, when one is known to be there.
func (h *recorded) once(words ...string) {
	h.Helper()
	h.f.mu.Lock()
	defer h.f.mu.Unlock()
	var found []string
	for _, all := range h.f.records {
	next:
		for i := range all {
			line := show(&all[i])
			if all[i].Kind() != event.Logon {
				continue
			}
			for _, w := range words {
				if !strings.Contains(line, w) {
					continue next
				}
			}
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		h.Errorf("%q is told %d times: %q", words, len(found), found)
	}
}
