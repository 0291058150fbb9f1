package sense

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// start runs a source until the test ends.
func start(t *testing.T, r running) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx) // ends with ctx
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestFilesInWatchedPlaces(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "only root may use fanotify")
	}
	dir := t.TempDir()
	etc, tmp := filepath.Join(dir, "etc"), filepath.Join(dir, "tmp")
	for _, d := range []string{etc, etc + "/deep", tmp} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	k := &taker{}
	f, err := openPlaces(newBareHost(k, newMemory()), []watched{{pattern: etc, deep: true}, {pattern: tmp, code: true}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, f)
	sh := func(script string) {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-ec", script)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	see := func(a event.Action, path, from string) event.Event {
		t.Helper()
		return k.find(t, a.String()+" "+path, func(e *event.Event) bool {
			return e.Action == a && e.Text(event.FolderPath) == path && e.Text(event.PreviousFolderPath) == from
		})
	}
	sh("echo one >etc/a")
	a := see(event.FileCreated, etc+"/a", "")
	if got := a.Text(event.SHA256); got != "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806" {
		t.Errorf("digest %q", got)
	}
	if f, _ := a.Get(event.InitiatingProcessID); f.Number == 0 {
		t.Error("no process")
	}
	sh("echo two >>etc/a")
	see(event.FileModified, etc+"/a", "")
	sh("mv etc/a etc/deep/b")
	see(event.FileRenamed, etc+"/deep/b", etc+"/a")
	sh("rm etc/deep/b")
	see(event.FileDeleted, etc+"/deep/b", "")
	sh("mkdir -p etc/new/newer; echo x >etc/new/newer/c")
	see(event.FileCreated, etc+"/new/newer/c", "")
	sh("echo y >other; mv other etc/moved-in; mv etc/moved-in other")
	see(event.FileCreated, etc+"/moved-in", "")
	see(event.FileDeleted, etc+"/moved-in", "")
	sh("mkdir -p ready/made; echo w >ready/made/e; mv ready etc/")
	see(event.FileCreated, etc+"/ready/made/e", "")
	sh("mv etc/new etc/renamed; echo z >etc/renamed/newer/d")
	see(event.FileCreated, etc+"/renamed/newer/d", "")
	sh("echo data >tmp/plain; cp /bin/true tmp/program; echo '#!/bin/sh' >tmp/script; chmod +x tmp/script")
	see(event.FileCreated, tmp+"/program", "")
	see(event.FileCreated, tmp+"/script", "")
	for _, e := range k.all() {
		if e.Text(event.FolderPath) == tmp+"/plain" {
			t.Errorf("%s of a file that is no program", e.Action)
		}
	}
}

// A directory that a place waits for is watched when it comes, not at the next
// look at all places, and others that come beside it are not.
func TestPlacesThatAppear(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "only root may use fanotify")
	}
	dir := t.TempDir()
	for _, d := range []string{"etc", "home/u"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	k := &taker{}
	f, err := openPlaces(newBareHost(k, newMemory()), []watched{{pattern: dir + "/etc", deep: true}, {pattern: dir + "/home/*", names: []string{".profile"}},
		{pattern: dir + "/home/*/.ssh"}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, f)
	for _, d := range []string{"/home/u/.ssh", "/home/u/other"} {
		if err := os.Mkdir(dir+d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	seen := false
	for n := 0; !seen && n < 200; n++ { // until it is watched
		for _, d := range []string{"other", ".ssh"} {
			if err := os.WriteFile(fmt.Sprintf("%s/home/u/%s/key%d", dir, d, n), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(50 * time.Millisecond)
		for _, e := range k.all() {
			switch filepath.Dir(e.Text(event.FolderPath)) {
			case dir + "/home/u/.ssh":
				seen = true
			case dir + "/home/u/other":
				t.Fatalf("%s of %q", e.Action, e.Text(event.FolderPath))
			}
		}
	}
	if !seen {
		t.Error("files in a directory that came later are not seen")
	}
}

// Changes of files are noticed when they happen, in directories that were not
// there as well: the look that needs no notice comes much later.
func TestSnapshotNotices(t *testing.T) {
	dir := t.TempDir()
	s := snapshot{kind: event.Schedule, every: 10 * time.Millisecond, files: []string{dir + "/a/b/*", dir + "/c*/d"},
		read: func(files []string) map[string]string {
			out := map[string]string{}
			for _, f := range files {
				raw, _ := content(f)
				out[f] = string(raw)
			}
			return out
		},
		tell: func(key, _, now string) []*event.Event {
			e := &event.Event{Action: event.ScheduledTaskCreated}
			e.Set(event.TaskName, key)
			e.Set(event.Reason, now)
			return []*event.Event{e}
		}}
	k := &taker{}
	looked := make(chan bool, 1)
	read := s.read
	s.read = func(files []string) map[string]string {
		select {
		case looked <- true:
		default:
		}
		return read(files)
	}
	r, err := openSnapshot(s)(t.Context(), newBareHost(k, newMemory()))
	if err != nil {
		t.Fatal(err)
	}
	start(t, r)
	<-looked
	for n, name := range []string{"/a/b/one", "/a/b/two", "/c1/d", "/a/b/one"} {
		if err := os.MkdirAll(filepath.Dir(dir+name), 0o755); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("content %d", n)
		if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		k.find(t, name, func(e *event.Event) bool { return e.Text(event.TaskName) == dir+name && e.Text(event.Reason) == text })
	}
}
