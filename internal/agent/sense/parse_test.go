package sense

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/event"
)

func (l *logon) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s user=%s", l.action, l.user)
	if l.by != "" {
		fmt.Fprintf(&b, " by=%s", l.by)
	}
	fmt.Fprintf(&b, " %s %s", l.protocol, l.typ)
	if l.remote.IsValid() {
		fmt.Fprintf(&b, " from %s", l.remote)
		if l.port > 0 {
			fmt.Fprintf(&b, ":%d", l.port)
		}
	}
	if l.reason != "" {
		fmt.Fprintf(&b, " reason=%s", l.reason)
	}
	if len(l.more) > 0 {
		b.WriteString(" " + object(l.more))
	}
	return b.String()
}

// Each line is that of a process of its own, unless its name has a number.
func TestLogons(t *testing.T) {
	raw, err := os.ReadFile("testdata/logons.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(raw), "\n"), "\n")[1:]
	d := newDoors()
	for i := 0; i+1 < len(lines)+1; i += 2 {
		identifier, text, _ := strings.Cut(lines[i], "\t")
		identifier, number, _ := strings.Cut(identifier, "/")
		pid, _ := strconv.ParseUint(number, 10, 32)
		want := ""
		if i+1 < len(lines) {
			want = strings.TrimPrefix(lines[i+1], "\t")
		}
		if number == "" { // a host of its own
			pid, d = uint64(i+1), newDoors()
		}
		got := ""
		if l, ok := d.read(identifier, text, uint32(pid)); ok {
			got = l.String()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", lines[i], got, want)
		}
	}
}

// What is remembered of connections does not grow with strangers.
func TestManyDoors(t *testing.T) {
	d := newDoors()
	const n = 3 * maxDoors
	for i := range uint32(n) {
		if _, ok := d.read("sshd", fmt.Sprintf("Invalid user u%d from 192.0.2.9 port %d", i, 1+i%60000), i+1); !ok {
			t.Fatalf("attempt %d is not told", i)
		}
	}
	if len(d.open) != maxDoors {
		t.Errorf("%d are remembered", len(d.open))
	}
	if _, ok := d.read("sshd", fmt.Sprintf("Connection closed by invalid user u 192.0.2.9 port %d [preauth]", n), n); ok {
		t.Error("the latest is told twice")
	}
}

func journalOf(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	raw, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestJournal(t *testing.T) {
	for _, name := range []string{"regular.journal.zst", "compact.journal.zst"} {
		raw := journalOf(t, name)
		j, err := newJournalFile(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for {
			e, ok, err := j.next(func(n string) bool { return n == "MESSAGE" || n == "_PID" })
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !ok {
				break
			}
			got = append(got, fmt.Sprintf("%d %d %s %.40s %d %d", e.realtime, e.mono, e.fields["_PID"], e.fields["MESSAGE"], len(e.fields["MESSAGE"]), len(e.fields)))
		}
		want := []string{"1795702091000001 100000001 173 Failed password for alice from 192.0.2.9 56 2", "1795702092000001 101000001 174 Accepted password for mallory from 192.0 60 2",
			"1795702093000001 102000001 1 Started ssh.service - OpenBSD Secure She 50 2", "1795702094000001 103000001 9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx 3000 2"}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if err := j.skip(); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := j.next(wanted); ok {
			t.Errorf("%s: an entry after the last", name)
		}
	}
}

func FuzzJournal(f *testing.F) {
	seed := func(head int, item []byte) (objects []byte, tail uint16) {
		data := make([]byte, head)
		data[0] = objectData
		data = append(data, "MESSAGE=hello"...)
		binary.LittleEndian.PutUint64(data[8:], uint64(len(data)))
		data = append(data, make([]byte, align(uint64(len(data)))-uint64(len(data)))...)
		entry := append(make([]byte, 64), item...)
		entry[0] = objectEntry
		binary.LittleEndian.PutUint64(entry[8:], uint64(len(entry)))
		return append(data, entry...), uint16(journalHeader + len(data))
	}
	objects, tail := seed(64, binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, journalHeader), 0))
	f.Add(objects, tail, false)
	objects, tail = seed(72, binary.LittleEndian.AppendUint32(nil, journalHeader))
	f.Add(objects, tail, true)
	f.Fuzz(func(t *testing.T, objects []byte, tail uint16, compact bool) {
		raw := make([]byte, journalHeader, journalHeader+len(objects))
		copy(raw, journalMagic)
		if compact {
			raw[12] = journalCompact
		}
		binary.LittleEndian.PutUint64(raw[88:], journalHeader)
		binary.LittleEndian.PutUint64(raw[136:], uint64(tail))
		j, err := newJournalFile(bytes.NewReader(append(raw, objects...)))
		if err != nil {
			return
		}
		defer j.close()
		for n := 0; ; n++ {
			e, ok, err := j.next(wanted)
			if err != nil || !ok {
				return
			}
			if len(e.fields) > 7 || n > len(objects) {
				t.Fatal("more than there is")
			}
		}
	})
}

func FuzzRecords(f *testing.F) {
	f.Add(make([]byte, headSize))
	f.Add(make([]byte, connectionSize))
	rec := make([]byte, headSize+12)
	binary.NativeEndian.PutUint32(rec[40:], kernelExec)
	binary.NativeEndian.PutUint32(rec[44:], 1)
	binary.NativeEndian.PutUint16(rec[80:], 4)
	binary.NativeEndian.PutUint16(rec[82:], 8)
	copy(rec[headSize:], "a\x00b\x00sh\x00bin\x00\x00")
	f.Add(rec)
	f.Add(socketWord(7, "192.0.2.1:40000", "[2001:db8::1]:443", 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := parseProcess(b); err == nil && len(p.args)+len(p.script) > len(b) {
			t.Fatal("more than there is")
		}
		_, _ = parseConnection(b)
		if m, err := parseMapping(b); err == nil && len(m.path) > len(b) {
			t.Fatal("more than there is")
		}
		_ = parseLost(b)
		if list, _, _ := parseSockets(b); len(list)*diagMessage > len(b) {
			t.Fatal("more than there is")
		}
		_ = cgroup2(string(b))
		var l clamLog
		for line := range strings.Lines(string(b)) {
			if w, ok := l.line(line); ok && !w.action.Valid() {
				t.Fatal("a word that says nothing")
			}
		}
		_ = clamFiles(string(b))
		_, _ = parseNotices(b)
		_, _ = parsePacket(b)
		_, _ = parseStat(b)
		parseUnit(string(b), map[string][]string{})
		_ = readAccounts(string(b), string(b), string(b))
		_ = parseListeners(string(b))
		d := newDoors()
		for line := range strings.Lines(string(b)) {
			for pid, name := range []string{"sshd", "sudo", "su", "login"} {
				if l, ok := d.read(name, line, uint32(pid)); ok && !l.action.Valid() {
					t.Fatal("a logon that says nothing")
				}
			}
		}
		_ = containerOf(string(b))
		if len(b) >= utmpSize {
			_ = parseUtmp(b[:utmpSize])
		}
	})
}

func TestClamLines(t *testing.T) {
	at := time.Date(2026, 11, 26, 17, 54, 43, 0, time.Local)
	const sum = "44d88612fea8a8f36de82e1278abb02f"
	var l clamLog
	for _, c := range []struct {
		line string
		want clamWord
	}{
		{"Thu Nov 26 17:54:43 2026 -> /srv/a: b.exe: Win.Test.UNOFFICIAL(" + sum + ":68) FOUND", clamWord{action: event.AntivirusDetection, at: at, path: "/srv/a: b.exe", threat: "Win.Test.UNOFFICIAL", md5: sum, size: 68}},
		{"/srv/x: Win.Test(2) FOUND", clamWord{action: event.AntivirusDetection, path: "/srv/x", threat: "Win.Test(2)", size: -1}},
		{"ScanOnAccess: /srv/x: Win.Test FOUND", clamWord{action: event.AntivirusDetection, path: "/srv/x", threat: "Win.Test", size: -1}},
		{"Thu Nov 26 17:54:43 2026 -> Database correctly reloaded (8700000 signatures)", clamWord{action: event.AntivirusReport, at: at, size: -1, text: "Database correctly reloaded (8700000 signatures)", signatures: 8700000}},
		{"----------- SCAN SUMMARY -----------", clamWord{}},
		{"Known viruses: 1", clamWord{}},
		{"Scanned files: 20", clamWord{}},
		{"Infected files: 3", clamWord{action: event.AntivirusScanCompleted, size: -1, scanned: 20, infected: 3}},
		{"Infected files: 3", clamWord{}},
		{"/srv/x: OK", clamWord{}},
		{"/srv/x: not a threat FOUND", clamWord{}},
		{" FOUND", clamWord{}},
	} {
		w, ok := l.line(c.line)
		if !ok {
			w = clamWord{}
		}
		if w != c.want {
			t.Errorf("%q: %+v, want %+v", c.line, w, c.want)
		}
	}
}

func TestParseMapping(t *testing.T) {
	rec := make([]byte, perfFixed)
	for at, n := range map[int]uint32{0: perfMmap2, 8: 42, 12: 43, 40: 254, 44: 1} {
		binary.NativeEndian.PutUint32(rec[at:], n)
	}
	binary.NativeEndian.PutUint64(rec[48:], 77)
	rec = append(rec, "/lib/own.so\x00\x00\x00\x00\x00"...)
	rec = binary.NativeEndian.AppendUint64(rec, 0)
	rec = binary.NativeEndian.AppendUint64(rec, 5e9)
	want := mapping{at: 5 * time.Second, pid: 42, major: 254, minor: 1, inode: 77, path: "/lib/own.so"}
	if m, err := parseMapping(rec); err != nil || m != want || !m.file() {
		t.Errorf("%+v, %v", m, err)
	}
	copy(rec[perfFixed:], "//anon\x00")
	if m, err := parseMapping(rec); err != nil || m.file() {
		t.Errorf("memory without a name is taken for a file: %+v, %v", m, err)
	}
	for n := range perfFixed + perfSample {
		if _, err := parseMapping(rec[:n]); err == nil {
			t.Errorf("a record cut to %d of %d bytes is taken", n, len(rec))
		}
	}
}

func TestMountOfControlGroups(t *testing.T) {
	const first = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	for text, want := range map[string]string{
		first: "",
		first + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 - cgroup2 cgroup2 rw\n": "/sys/fs/cgroup/unified",
		"41 31 0:38 / /a\\040b rw - cgroup2 x rw\n":                                               "/a b",
		"41 31 0:38 / /cgroup2 rw - tmpfs cgroup2 rw\n":                                           "",
	} {
		if got := cgroup2(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseProcess(t *testing.T) {
	rec := make([]byte, headSize)
	for at, n := range map[int]uint64{0: 5e9, 8: 4e9, 16: 3e9, 24: 77, 32: 123} {
		binary.NativeEndian.PutUint64(rec[at:], n)
	}
	for at, n := range map[int]uint32{40: kernelExec, 44: 42, 48: 1, 52: 1000, 56: 0, 60: 1000, 64: 3, 68: 0xfe00001, 72: 1, 76: 1} {
		binary.NativeEndian.PutUint32(rec[at:], n)
	}
	args, names, script, group := "sh\x00-c\x00true\x00", "dash\x00bin\x00usr\x00\x00", "/tmp/x.sh\x00", "docker-"+strings.Repeat("ab", 32)+".scope\x00"
	for i, s := range []string{args, names, script, group} {
		binary.NativeEndian.PutUint16(rec[80+2*i:], uint16(len(s)))
		rec = append(rec, s...)
	}
	r, err := parseProcess(rec)
	if err != nil {
		t.Fatal(err)
	}
	if r.path != "/usr/bin/dash" || joined(r.args) != "sh -c true" || r.script != "/tmp/x.sh" || containerOf(string(r.group)) != strings.Repeat("ab", 32) ||
		r.pid != 42 || r.parent != 1 || r.uid != 1000 || r.euid != 0 || r.login != 1000 || r.session != 3 || r.inode != 77 || r.size != 123 || r.code != 1 || r.nested != 1 {
		t.Errorf("%+v", r)
	}
	for n := range rec {
		if _, err := parseProcess(rec[:n]); err == nil {
			t.Errorf("a record cut to %d of %d bytes is taken", n, len(rec))
		}
	}
}

func TestDNS(t *testing.T) {
	question := "12348180000100020000000003777777076578616d706c6504746573740000010001"
	cname := "c00c0005000100000e100006036c6e78c010"
	a := "c02e000100010000003c0004c0000207"
	payload, err := hex.DecodeString(question + cname + a)
	if err != nil {
		t.Fatal(err)
	}
	udp := append([]byte{0, 53, 0x9c, 0x40, 0, 0, 0, 0}, payload...)
	v4 := append([]byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 53, 192, 0, 2, 1}, udp...)
	v6 := append(append([]byte{0x60, 0, 0, 0, 0, 0, 17, 64}, make([]byte, 32)...), udp...)
	v6[23] = 1
	for name, p := range map[string][]byte{"192.0.2.53": v4, "::1": v6} {
		got, err := parsePacket(p)
		if err != nil {
			t.Fatal(err)
		}
		want := answer{server: netip.MustParseAddr(name), localPort: 40000, name: "www.example.test", typ: 1, results: []string{"lnx.example.test", "192.0.2.7"}}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(answer{}, key{}), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Error(d)
		}
	}
	loop := append([]byte(nil), v4...)
	loop[28+12], loop[28+13] = 0xc0, 12 // a name that is itself
	if _, err := parsePacket(loop); err == nil {
		t.Error("a name without an end is taken")
	}
	s := answers{open: map[string]*answerGroup{}}
	x, _ := parsePacket(v4)
	if !s.add(&x, 0) || s.add(&x, time.Second) || s.add(&x, 2*time.Second) {
		t.Error("the first is told, the same again is not")
	}
	more := int64(0)
	s.over(connWindow, false, func(g *answerGroup) { more = g.more })
	if more != 2 {
		t.Errorf("%d more", more)
	}
}

// told are the events of a difference, one line each.
func told(old, now map[string]string, tell func(key, old, now string) []*event.Event) []string {
	var out []string
	for _, k := range slices.Sorted(union(old, now)) {
		if old[k] == now[k] {
			continue
		}
		for _, e := range tell(k, old[k], now[k]) {
			line := e.Action.String()
			for _, c := range []event.Column{event.AccountName, event.GroupName, event.TaskName, event.ServiceName, event.FolderPath, event.FileName, event.AdditionalFields} {
				if v := e.Text(c); v != "" {
					line += " " + v
				}
			}
			out = append(out, line)
		}
	}
	return out
}

func TestAccounts(t *testing.T) {
	was := readAccounts("root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\ngone:x:1001:1001::/x:/bin/sh\n+::::::\nbad\n",
		"root:*:1::::::\nbob:$6$secret:19000::::::\n", "sudo:x:27:\nold:x:9:a\n")
	is := readAccounts("root:x:0:0:root:/root:/bin/sh\nbob:x:0:1000::/home/bob:/bin/bash\nnew:x:1002:1002:New:/home/new:/bin/sh\n",
		"root:*:1::::::\nbob:!$6$other:19001::::::\n", "sudo:x:27:bob,new\n")
	for _, v := range was {
		if strings.Contains(v, "$6$") {
			t.Errorf("%s holds the hash of a password", v)
		}
	}
	want := []string{
		`UserAccountRemovedFromLocalGroup a old {"gid":"9"}`, `SecurityGroupDeleted old {"gid":"9"}`,
		`UserAccountAddedToLocalGroup bob sudo {"gid":"27"}`, `UserAccountAddedToLocalGroup new sudo {"gid":"27"}`,
		`UserAccountModified bob {"changed":["uid","shell","password","locked"],"gid":1000,"home":"/home/bob","shell":"/bin/bash","uid":0}`,
		`UserAccountDeleted gone {"gid":1001,"home":"/x","shell":"/bin/sh","uid":1001}`,
		`UserAccountCreated new {"gid":1002,"home":"/home/new","shell":"/bin/sh","uid":1002}`,
	}
	if d := cmp.Diff(want, told(was, is, tellAccount)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// tree writes files below a new folder.
func tree(t *testing.T, files map[string]string) string {
	root := t.TempDir()
	for name, text := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if to, link := strings.CutPrefix(text, "-> "); link {
			if err := os.Symlink(to, p); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestTasksAndServices(t *testing.T) {
	files := map[string]string{
		"etc/crontab":                          "SHELL=/bin/sh\n# no\n17 * * * * root run-parts /etc/cron.hourly\n",
		"etc/cron.daily/tidy":                  "#!/bin/sh\n",
		"etc/cron.d/.placeholder":              "",
		"var/spool/cron/crontabs/alice":        "@reboot /home/alice/x\n",
		"usr/lib/systemd/system/a.timer":       "[Timer]\nOnCalendar=daily\nOnBootSec=5min\nUnit=b.service\n",
		"usr/lib/systemd/system/a.service":     "[Service]\nExecStart=/bin/one \\\n  two\nUser=alice\n",
		"usr/lib/systemd/system/m.service":     "[Service]\nExecStart=/bin/m\n",
		"etc/systemd/system/m.service":         "-> /dev/null",
		"etc/systemd/system/x.wants/a.timer":   "-> /usr/lib/systemd/system/a.timer",
		"etc/systemd/system/x.wants/a.service": "-> /usr/lib/systemd/system/a.service",
		"etc/init.d/old":                       "#!/bin/sh\n",
	}
	root := tree(t, files)
	ts, ss := tasks(root), services(root)
	tasksWere, servicesWere := ts.read(expand(ts.files)), ss.read(expand(ss.files))
	want := []string{
		`ScheduledTaskCreated /etc/cron.daily/tidy /etc/cron.daily/tidy tidy {"entries":["daily"]}`,
		`ScheduledTaskCreated /etc/crontab /etc/crontab crontab {"entries":["17 * * * * root run-parts /etc/cron.hourly"]}`,
		`ScheduledTaskCreated /var/spool/cron/crontabs/alice /var/spool/cron/crontabs/alice alice {"entries":["@reboot /home/alice/x"]}`,
		`ScheduledTaskCreated a.timer /usr/lib/systemd/system/a.timer a.timer {"enabled":true,"entries":["OnBootSec=5min","OnCalendar=daily"],"unit":"b.service"}`,
	}
	if d := cmp.Diff(want, told(nil, tasksWere, tellTask)); d != "" {
		t.Errorf("tasks (-want +got):\n%s", d)
	}
	want = []string{
		`ServiceInstalled /etc/init.d/old /etc/init.d/old old {"enabled":false}`,
		`ServiceInstalled a /usr/lib/systemd/system/a.service a.service {"enabled":true,"execStart":["/bin/one  two"],"user":"alice"}`,
		`ServiceInstalled m /etc/systemd/system/m.service m.service {"enabled":false,"masked":true}`,
	}
	if d := cmp.Diff(want, told(nil, servicesWere, tellService)); d != "" {
		t.Errorf("services (-want +got):\n%s", d)
	}
	dropIn := filepath.Join(root, "etc/systemd/system/a.service.d/evil.conf")
	if err := os.MkdirAll(filepath.Dir(dropIn), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dropIn, []byte("[Service]\nExecStart=\nExecStart=/tmp/evil\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want = []string{`ServiceChanged a /usr/lib/systemd/system/a.service a.service {"enabled":true,"execStart":["/tmp/evil"],"user":"alice"}`}
	if d := cmp.Diff(want, told(servicesWere, ss.read(expand(ss.files)), tellService)); d != "" {
		t.Errorf("after a drop-in (-want +got):\n%s", d)
	}
}

// A snapshot tells what was changed while the agent was away, and nothing at
// its first reading.
func TestSnapshotRemembers(t *testing.T) {
	root := tree(t, map[string]string{"passwd": "root:x:0:0::/root:/bin/sh\n", "group": "", "shadow": ""})
	m, k := newMemory(), &taker{}
	h := newBareHost(k, m)
	look := func() {
		s := &snapshotReader{snapshot: accounts(root), h: h}
		if raw := m.Get("accounts"); raw != nil {
			if err := json.Unmarshal(raw, &s.known); err != nil {
				t.Fatal(err)
			}
		}
		s.look("away")
	}
	look()
	if n := len(k.all()); n != 0 {
		t.Fatalf("%d events of the first reading", n)
	}
	if err := os.WriteFile(filepath.Join(root, "passwd"), []byte("root:x:0:0::/root:/bin/sh\nnew:x:5:5::/:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	look()
	if all := k.all(); len(all) != 1 || all[0].Action != event.UserAccountCreated || all[0].Text(event.Reason) != "away" {
		t.Errorf("%v", all)
	}
	look()
	if n := len(k.all()); n != 1 {
		t.Errorf("told again: %d", n)
	}
}

// A number that is used again is another process, and its parent stays its own.
func TestNumbersOfProcessesAreUsedAgain(t *testing.T) {
	tab := newTable()
	first := &process{key: key{100, 5}, path: "/bin/first"}
	tab.put(first)
	tab.put(&process{key: key{101, 6}, parent: first.key, path: "/bin/child"})
	if tab.end(key{100, 4}) != nil {
		t.Error("a process with another start was ended")
	}
	tab.end(first.key)
	tab.put(&process{key: key{100, 50}, path: "/bin/second"})
	child := tab.get(key{101, 6})
	if up := tab.get(child.parent); up == nil || up.path != "/bin/first" {
		t.Errorf("the parent is %+v", up)
	}
	if now := tab.now(100); now.path != "/bin/second" {
		t.Errorf("number 100 is %s", now.path)
	}
	for i := range uint32(3 * maxEnded) {
		tab.put(&process{key: key{1000 + i, 7}})
		tab.end(key{1000 + i, 7})
	}
	if len(tab.ended) > maxEnded || len(tab.last) > maxEnded || len(tab.order) > maxEnded {
		t.Errorf("%d ended processes are kept", len(tab.ended))
	}
}

func TestHasher(t *testing.T) {
	h := newHasher()
	h.left = 10
	name := filepath.Join(t.TempDir(), "f")
	sum := func(text string) *sums {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		return h.file(f)
	}
	s := sum("abc")
	if s.md5 != "900150983cd24fb0d6963f7d28e17f72" || s.sha1 != "a9993e364706816aba3e25717850c26c9cd0d89d" || s.sha256 != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" || s.size != 3 {
		t.Errorf("%+v", s)
	}
	h.left, h.at = 3, time.Now().Add(time.Hour) // no rest that earns something
	if s := sum("too much"); s.sha256 != "" || s.size != 8 {
		t.Errorf("beyond the budget: %+v", s)
	}
}

func TestUtmp(t *testing.T) {
	rec := func(typ uint16, user, host string) []byte {
		b := make([]byte, utmpSize)
		binary.LittleEndian.PutUint16(b, typ)
		binary.LittleEndian.PutUint32(b[4:], 99)
		copy(b[8:], "pts/0")
		copy(b[44:], user)
		copy(b[76:], host)
		binary.LittleEndian.PutUint32(b[340:], 1_700_000_000)
		return b
	}
	open := map[string]logon{}
	var got []string
	for _, x := range []struct {
		raw    []byte
		failed bool
	}{{rec(utmpUser, "alice", "192.0.2.9"), false}, {rec(utmpDead, "", ""), false}, {rec(utmpDead, "", ""), false}, {rec(utmpLogin, "eve", "192.0.2.10"), true}, {rec(utmpUser, "bob", ""), false}} {
		r := parseUtmp(x.raw)
		if l, ok := r.logon(x.failed, open); ok {
			got = append(got, l.String())
		}
	}
	want := []string{`LogonSuccess user=alice ssh RemoteInteractive from 192.0.2.9 {"terminal":"pts/0"}`, `LogoffSuccess user=alice ssh RemoteInteractive from 192.0.2.9 {"terminal":"pts/0"}`,
		`LogonFailed user=eve ssh RemoteInteractive from 192.0.2.10 reason=refused {"terminal":"pts/0"}`, `LogonSuccess user=bob login Interactive {"terminal":"pts/0"}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestAddressTypes(t *testing.T) {
	for addr, want := range map[string]string{"127.0.0.1": "Loopback", "::1": "Loopback", "10.1.2.3": "Private", "fe80::1": "Private", "192.0.2.1": "Public", "0.0.0.0": "Reserved",
		"255.255.255.255": "Broadcast", "224.0.0.1": "Multicast", "2001::1": "Teredo", "2001:db8::1": "Public", "250.0.0.1": "Reserved"} {
		if got := addrType(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}

func TestContainerIDs(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for text, want := range map[string]string{"/docker/" + id: id, "0::/system.slice/docker-" + id + ".scope\n": id, "crio-" + id + ".scope": id, id: id, "/" + id + "0": "", "/user.slice": "", id[1:]: ""} {
		if got := containerOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestClockThatIsSet(t *testing.T) {
	var s skew
	for i, step := range []struct{ is, by time.Duration }{{0, 0}, {300 * time.Millisecond, 0}, {600 * time.Millisecond, 0}, {time.Hour, time.Hour - 375*time.Millisecond},
		{time.Hour, 0}, {-time.Minute, -time.Hour - time.Minute}} {
		if by := s.look(step.is); by != step.by {
			t.Errorf("step %d: set by %s, want %s", i, by, step.by)
		}
	}
}
