//go:build unix

package collect

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestPipesDoNotBlock proves that a pipe in the place of a file ends the read.
func TestPipesDoNotBlock(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"etc", "var/lib/dpkg", "usr/lib/python3/dist-packages/x.dist-info"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"etc/os-release", "var/lib/dpkg/status", "usr/lib/python3/dist-packages/x.dist-info/METADATA", "usr/app.jar"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
			t.Skipf("mkfifo: %v", err)
		}
	}
	h := otherRoot(t, dir)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, c := range All() {
			Run(t.Context(), c, h, DefaultLimits())
		}
		// A pipe that takes the place of a file after the look at it.
		f, err := h.FS.Open("var/lib/dpkg/status")
		if err == nil {
			f.Close()
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("a collector waits for a pipe")
	}
}
