package sense

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

func TestWatchedPrograms(t *testing.T) {
	for line, want := range map[string]watching{
		"/usr/sbin/nginx nginx: master process":           watchedBelow,
		"/usr/sbin/php-fpm8.2 php-fpm: master process":    watchedBelow,
		"/usr/bin/python3.11 python3 /usr/bin/gunicorn a": watchedBelow,
		"/usr/lib/postfix/sbin/master master -w":          watchedBelow,
		"/usr/bin/curl curl -O http://x/y":                watchedItself,
		"/usr/bin/nc.openbsd nc -l 1":                     watchedItself,
		"/usr/bin/bash bash -c /usr/sbin/nginx":           notWatched,
		"/usr/bin/cat cat nginx":                          notWatched,
		"/usr/bin/vim vim /usr/sbin/nginx":                notWatched,
		"/usr/sbin/sshd sshd: alice":                      notWatched,
		"/usr/local/go/bin/go go build std":               notWatched,
	} {
		image, args, _ := strings.Cut(line, " ")
		if got := programWatched(&process{path: image, args: args}); got != want {
			t.Errorf("%s: %d, want %d", line, got, want)
		}
	}
	for i := range watchedPrograms {
		for _, pattern := range watchedPrograms[i].names {
			if _, err := filepath.Match(pattern, ""); err != nil || strings.Contains(pattern, "/") {
				t.Errorf("%q is not the pattern of a name", pattern)
			}
		}
	}
}

// What a server starts is watched, by whatever way it came to be, and nothing
// else is.
func TestWatchGoesDown(t *testing.T) {
	tab := newTable()
	put := func(pid, parent uint32, image string) *process {
		p := &process{key: key{pid, uint64(pid)}, parent: key{parent, uint64(parent)}, path: image, execed: true}
		tab.put(p)
		return p
	}
	server := put(10, 1, "/usr/sbin/nginx")
	tab.put(server.forked(key{11, 11}))
	shell := put(11, 10, "/bin/dash")
	tab.put(shell.forked(key{12, 12}))
	tab.end(shell.key)
	orphan := put(12, 1, "/usr/bin/python3") // its parent is gone
	curl := put(20, 2, "/usr/bin/curl")
	tab.put(curl.forked(key{21, 21}))
	after := put(21, 20, "/bin/cat")
	tab.put(server.forked(key{13, 13}))
	put(13, 1, "/bin/dash")
	again := put(13, 1, "/bin/cat")
	for p, want := range map[*process]watching{server: watchedBelow, shell: watchedBelow, orphan: watchedBelow, curl: watchedItself, after: notWatched, again: watchedBelow} {
		if p.watch != want {
			t.Errorf("%s %d: %d, want %d", p.path, p.pid, p.watch, want)
		}
	}
}

func TestWhichDisks(t *testing.T) {
	const info = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:20 / /proc rw - proc proc rw
24 22 8:1 /var/lib /srv/bound rw - ext4 /dev/root rw
25 22 8:2 /sub /a\040b rw - xfs /dev/b rw
26 22 8:2 / /whole rw - xfs /dev/b rw
27 22 0:30 / /merged rw - overlay overlay rw
28 22 0:31 / /tmp rw shared:7 master:2 - tmpfs tmpfs rw
`
	if got := fmt.Sprint(disks(info)); got != "[/ /whole /tmp]" {
		t.Error(got)
	}
	if got := disks(strings.Repeat("1 1 8:1 / / rw - ext4", 2)); len(got) > 1 {
		t.Error(got)
	}
}

func TestPlacesAndProcesses(t *testing.T) {
	for file, want := range map[string][2]bool{"/etc/a/b": {true, false}, "/usr/bin/x": {true, false}, "/usr/bin/x/y": {}, "/home/u/.bashrc": {true, false},
		"/home/u/other": {}, "/tmp/x": {false, true}, "/tmp/x/y": {}, "/var/www/shell.php": {}} {
		if all, code := inPlaces(watchedPlaces, file); [2]bool{all, code} != want {
			t.Errorf("%s: %t, %t", file, all, code)
		}
	}
}

// watchActs runs a host whose processes are known and whose files are watched
// by what changes them, and returns a program that is taken for a web server.
func watchActs(t *testing.T, change func(*acts)) (k *taker, dir, server string) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "only root may use fanotify")
	}
	dir = t.TempDir()
	server = filepath.Join(t.TempDir(), "nginx")
	raw, err := os.ReadFile("/bin/dash")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(server, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	k = &taker{}
	h := newBareHost(k, newMemory())
	processes, err := openKernel(t.Context(), h)
	if err != nil {
		skip(t, "no eBPF: %v", err)
	}
	start(t, processes)
	a, err := openActs(h, []watched{{pattern: filepath.Join(dir, "etc"), deep: true}, {pattern: filepath.Join(dir, "tmp"), code: true}})
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(a)
	}
	start(t, a)
	return k, dir, server
}

func does(t *testing.T, dir, program, script string) {
	t.Helper()
	cmd := exec.Command(program, "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func TestFilesOfWatchedProcesses(t *testing.T) {
	k, dir, server := watchActs(t, nil)
	see := func(a event.Action, file, from string) event.Event {
		t.Helper()
		return k.find(t, a.String()+" "+file, func(e *event.Event) bool {
			return e.Action == a && e.Text(event.FolderPath) == dir+file && (from == "" || e.Text(event.PreviousFolderPath) == dir+from)
		})
	}
	does(t, dir, "/bin/sh", "mkdir etc tmp www; echo no >www/by-another; touch www/gone; rm www/gone")
	does(t, dir, server, "echo one >www/shell.php; echo two >>www/shell.php")
	e := see(event.FileCreated, "/www/shell.php", "")
	if e.Text(event.InitiatingProcessFileName) != "nginx" {
		t.Errorf("by %q", e.Text(event.InitiatingProcessFileName))
	}
	does(t, dir, server, "cp www/shell.php www/copied; mv www/copied www/moved; rm www/moved; echo x >etc/told-as-a-place; echo x >tmp/data; cp /bin/true tmp/program")
	if e := see(event.FileRenamed, "/www/moved", "/www/copied"); e.Text(event.InitiatingProcessFileName) != "mv" || e.Text(event.InitiatingProcessParentFileName) != "nginx" {
		t.Errorf("by %q of %q", e.Text(event.InitiatingProcessFileName), e.Text(event.InitiatingProcessParentFileName))
	}
	see(event.FileCreated, "/www/copied", "")
	see(event.FileDeleted, "/www/moved", "")
	see(event.FileCreated, "/tmp/data", "")
	does(t, dir, server, "echo last >www/last")
	see(event.FileCreated, "/www/last", "")
	for _, e := range k.all() {
		switch file := strings.TrimPrefix(e.Text(event.FolderPath), dir); {
		case e.Kind() != event.File || !strings.HasPrefix(e.Text(event.FolderPath), dir):
		case file == "/www/by-another" || file == "/www/gone" || file == "/etc/told-as-a-place" || file == "/tmp/program":
			t.Errorf("%s of %s", e.Action, file)
		}
	}
}

// Of a server that changes more files than there is room for each is told or
// counted.
func TestBudgetOfWatchedProcesses(t *testing.T) {
	const n = actsBurst + 500
	k, dir, server := watchActs(t, nil)
	does(t, dir, server, fmt.Sprintf("i=0; while [ $i -lt %d ]; do : >f$i; i=$((i+1)); done", n))
	told := func() (events, lost int) {
		for _, e := range k.all() {
			if e.Action == event.FileCreated && strings.HasPrefix(e.Text(event.FolderPath), dir) {
				events++
			}
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return events, int(k.lost[event.File])
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		events, lost := told()
		if events+lost >= n && lost > 0 {
			if events+lost > n+50 || events > actsBurst+20*actsRate {
				t.Errorf("%d told and %d counted, of %d", events, lost, n)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d told and %d counted, of %d", events, lost, n)
		}
	}
}

// A storm of changes by others ends the watch for a while, and that is told.
func TestStormOfOthers(t *testing.T) {
	k, dir, server := watchActs(t, func(a *acts) { a.most = 200 })
	does(t, dir, "/bin/sh", "i=0; while [ $i -lt 1000 ]; do : >f$i; i=$((i+1)); done")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		does(t, dir, server, "echo x >>again")
		k.mu.Lock()
		lost := k.lost[event.File]
		k.mu.Unlock()
		if lost > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nothing says that the watch was interrupted")
		}
	}
	for i := 0; ; i++ { // others may begin it again at any time
		name := fmt.Sprintf("after%d", i)
		does(t, dir, server, "echo x >"+name)
		time.Sleep(actsDelay)
		for _, e := range k.all() {
			if strings.HasPrefix(e.Text(event.FolderPath), dir+"/after") {
				return
			}
		}
		if i > 40 {
			t.Fatal("nothing is seen after the storm")
		}
	}
}
