package simulate

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// A device's activity goes by slots of ten minutes since 1970. What happens in a
// slot follows from the seed, the device and the slot, and is always as many
// events of each kind: so an event's number follows from its slot, too, and a
// slot is delivered as the message with its number.
const (
	slotTime  = 10 * time.Minute
	firstPast = 24 * time.Hour     // of a device that the server knows no events of
	mostPast  = 7 * 24 * time.Hour // of one that was away

	starts      = 6 // of processes in a slot, and as many ends
	connections = 2
	logons      = 1

	// baseSlot is from when on events are numbered: 2026-01-01.
	baseSlot = 1767225600 / 600
)

func slotOf(t time.Time) uint64 { return uint64(t.Unix() / int64(slotTime.Seconds())) }

// command is something that runs on a device: the program, its arguments, and
// who runs it.
type command struct{ path, args, user, parent string }

var routine = []command{
	{"/usr/sbin/cron", "-f", "root", "systemd"},
	{"/usr/bin/run-parts", "--report /etc/cron.hourly", "root", "cron"},
	{"/usr/sbin/logrotate", "/etc/logrotate.conf", "root", "systemd"},
	{"/usr/lib/apt/apt-helper", "wait-online", "root", "systemd"},
	{"/usr/bin/find", "/var/tmp -mtime +7 -delete", "root", "sh"},
	{"/usr/bin/systemctl", "is-active --quiet app", "monitor", "sh"},
	{"/usr/bin/df", "-P /", "monitor", "sh"},
	{"/usr/bin/curl", "-sf http://127.0.0.1/healthz", "monitor", "sh"},
	{"/usr/sbin/sshd", "-D -R", "root", "sshd"},
}

var hands = []command{
	{"/usr/bin/bash", "-l", "", "sshd"},
	{"/usr/bin/ls", "-la /srv", "", "bash"},
	{"/usr/bin/vim.basic", "/etc/app/app.conf", "", "bash"},
	{"/usr/bin/journalctl", "-u app -n 200", "", "bash"},
	{"/usr/bin/sudo", "systemctl restart app", "", "bash"},
	{"/usr/bin/git", "pull --ff-only", "", "bash"},
	{"/usr/bin/tail", "-f /var/log/app/error.log", "", "bash"},
}

var people = []string{"alice", "bob", "carol", "dmitri", "erika", "farid", "deploy"}

// activity is what happened on the device in a slot.
func (h *host) activity(slot uint64) []event.Event {
	r := rand.New(rand.NewPCG(h.seed^0xac7117e5, uint64(h.n)<<32|slot))
	from := time.Unix(int64(slot)*int64(slotTime.Seconds()), 0).UTC()
	at := func() time.Time { return from.Add(rand64(r, slotTime)) }
	nth := slot - baseSlot
	who := people[(h.n+r.IntN(2))%len(people)]
	work := from.Weekday() != time.Saturday && from.Weekday() != time.Sunday && from.Hour() >= 7 && from.Hour() < 18
	out := make([]event.Event, 0, 2*starts+connections+logons)
	for i := range uint64(starts) {
		c := routine[r.IntN(len(routine))]
		if work && r.IntN(3) == 0 {
			c = hands[r.IntN(len(hands))]
			c.user = who
		}
		began := at()
		pid := int64(1000 + r.IntN(30000))
		e := event.Event{Action: event.ProcessCreated, Seq: nth*starts + i + 1, Time: began}
		h.process(&e, c, pid, began)
		e.SetInt(event.InitiatingProcessID, pid-1)
		e.SetTime(event.InitiatingProcessCreationTime, began.Add(-time.Second))
		e.Set(event.InitiatingProcessFileName, c.parent)
		end := event.Event{Action: event.ProcessTerminated, Seq: nth*starts + i + 1, Time: began.Add(rand64(r, 20*time.Second))}
		h.process(&end, c, pid, began)
		end.SetInt(event.ProcessExitCode, int64(r.IntN(12)/11))
		out = append(out, e, end)
	}
	for i := range uint64(connections) {
		e := event.Event{Action: event.ConnectionSuccess, Seq: nth*connections + i + 1, Time: at()}
		if r.IntN(20) == 0 {
			e.Action = event.ConnectionFailed
		}
		e.Set(event.RemoteIP, fmt.Sprintf("10.20.%d.%d", r.IntN(4), 1+r.IntN(30)))
		e.SetInt(event.RemotePort, []int64{443, 5432, 6379, 53, 8443}[r.IntN(5)])
		e.Set(event.Protocol, "Tcp")
		e.Set(event.RemoteIPType, "Private")
		e.Set(event.InitiatingProcessFileName, h.role.name)
		e.SetInt(event.InitiatingProcessID, int64(800+h.n%100))
		e.SetTime(event.InitiatingProcessCreationTime, from.Truncate(24*time.Hour))
		e.Set(event.InitiatingProcessAccountName, "www-data")
		out = append(out, e)
	}
	return append(out, h.logon(r, at(), nth*logons+1, who, work))
}

func rand64(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// process sets the columns of a process.
func (h *host) process(e *event.Event, c command, pid int64, began time.Time) {
	name := c.path[lastSlash(c.path):]
	e.Set(event.FileName, name)
	e.Set(event.FolderPath, c.path)
	e.Set(event.ProcessCommandLine, name+" "+c.args)
	e.SetInt(event.ProcessID, pid)
	e.SetTime(event.ProcessCreationTime, began)
	e.Set(event.AccountName, c.user)
	sha1, sha256 := h.sums(c.path)
	e.Set(event.SHA1, sha1)
	e.Set(event.SHA256, sha256)
}

// sums are the made-up hashes of a program: the same on all devices of a release.
func (h *host) sums(path string) (string, string) {
	text := []byte(h.rel.id + h.rel.version + path)
	a, b := sha1.Sum(text), sha256.Sum256(text)
	return hex.EncodeToString(a[:]), hex.EncodeToString(b[:])
}

func lastSlash(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return i + 1
		}
	}
	return 0
}

// logon is the one logon of a slot: at work a person's, else that of a
// program, and now and then somebody's who fails.
func (h *host) logon(r *rand.Rand, at time.Time, seq uint64, who string, work bool) event.Event {
	e := event.Event{Action: event.LogonSuccess, Seq: seq, Time: at}
	e.Set(event.Protocol, "ssh")
	e.Set(event.LogonType, "RemoteInteractive")
	e.Set(event.AccountName, who)
	e.Set(event.RemoteIP, fmt.Sprintf("10.20.8.%d", 10+r.IntN(20)))
	switch x := r.IntN(40); {
	case x == 0:
		e.Action = event.LogonFailed
		e.Set(event.FailureReason, "InvalidPassword")
	case x == 1 && !h.role.desktop:
		e.Action = event.LogonFailed
		e.Set(event.AccountName, "admin")
		e.Set(event.FailureReason, "UnknownUser")
		e.Set(event.RemoteIP, fmt.Sprintf("203.0.113.%d", 1+r.IntN(250)))
	case !work:
		e.Set(event.AccountName, "backup")
		e.Set(event.LogonType, "Network")
	}
	return e
}

// act delivers what happened since the last slot that the server has, up to the
// last whole one. It does not wait: what is not acknowledged is made and sent
// again in the next session.
func (l *link) act(ctx context.Context) error {
	if !l.events {
		return nil // a server that does not take events
	}
	now := time.Now()
	to := slotOf(now) // the slot that is under way is not whole
	from := max(l.slot+1, slotOf(now.Add(-mostPast)))
	if l.slot == 0 {
		from = slotOf(now.Add(-firstPast))
	}
	for from < to {
		var records []byte
		n, last := 0, from
		for ; last < to && n+2*starts+connections+logons <= protocol.MaxEvents; last++ {
			for _, e := range l.h.activity(last) {
				var err error
				if records, err = event.Append(records, &e); err != nil {
					return err
				}
				n++
			}
		}
		m, err := protocol.NewEvents(protocol.StreamActivity, last-1, records, n)
		if err != nil {
			return err
		}
		m.Sent = time.Now()
		if err := l.conn.Send(ctx, &protocol.Message{Events: m}); err != nil {
			return err
		}
		l.slot, from = last-1, last
	}
	return nil
}
