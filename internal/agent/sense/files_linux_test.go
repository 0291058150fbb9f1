package sense

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

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
