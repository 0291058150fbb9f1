package server

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// The embedded database's driver keeps one goroutine per connection pool until
// the pool is closed; everything else must be gone when the tests are.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(blankDir)
		os.Exit(code)
	}))
}

var blankDir string

// blank is the data directory of a server that was started once and stopped: its
// schema is made and its keys are drawn, which every test would do again otherwise.
var blank = sync.OnceValues(func() (string, error) {
	var err error
	if blankDir, err = os.MkdirTemp("", "picket-server-test"); err != nil {
		return "", err
	}
	dir := filepath.Join(blankDir, "data")
	s, err := Open(context.Background(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		return "", err
	}
	return dir, s.Close()
})

// filled makes dir what blank is, if it is not there.
func filled(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); err == nil {
		return
	}
	from, err := blank()
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		to := filepath.Join(dir, path[len(from):])
		if e.IsDir() {
			return os.MkdirAll(to, info.Mode().Perm())
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, raw, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
