package sense

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"testing"

	"github.com/picketsec/picket/internal/event"
)

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
}

// library is a shared library that every dynamic program of this host loads.
func library(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/lib/*-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Skip("this host has no library to copy")
	return ""
}

// A program that loads a library, of its own or of the host, makes one event,
// however often it does.
func TestLibrariesAreSeen(t *testing.T) {
	k, source := startSources(t, event.Image)
	if source != SourceMaps {
		t.Fatalf("source is %q", source)
	}
	k.find(t, "a source of processes", func(e *event.Event) bool {
		return e.Action == event.SensorStarted && e.Text(event.Source) == SourceEBPF
	})
	dir := t.TempDir()
	program, own := filepath.Join(dir, "program"), filepath.Join(dir, "own.so")
	copyFile(t, "/bin/true", program)
	copyFile(t, library(t), own)
	raw, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	for range 5 {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "LD_PRELOAD="+own)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	by := func(path string) func(e *event.Event) bool {
		return func(e *event.Event) bool {
			return e.Action == event.ImageLoaded && e.Text(event.InitiatingProcessFolderPath) == program && (path == "" || e.Text(event.FolderPath) == path)
		}
	}
	e := k.find(t, "own.so", by(own))
	if e.Text(event.SHA256) != hex.EncodeToString(sum[:]) || e.Text(event.FileName) != "own.so" || number64(&e, event.FileSize) != int64(len(raw)) {
		t.Error(texts(&e))
	}
	k.find(t, "libc", func(e *event.Event) bool { return by("")(e) && e.Text(event.FileName) == "libc.so.6" })
	// One that is started later is told later: what of the first was to be told has been.
	last := filepath.Join(dir, "last")
	copyFile(t, "/bin/true", last)
	if err := exec.Command(last).Run(); err != nil {
		t.Fatal(err)
	}
	k.find(t, "the last one", func(e *event.Event) bool {
		return e.Action == event.ImageLoaded && e.Text(event.InitiatingProcessFolderPath) == last && e.Text(event.FileName) == "libc.so.6"
	})
	seen := map[string]int{}
	for _, e := range k.all() {
		if by("")(&e) {
			seen[e.Text(event.FolderPath)]++
		}
	}
	for path, n := range seen {
		if n != 1 || path == program {
			t.Errorf("%d events of %s", n, path)
		}
	}
	t.Log(seen)
}
