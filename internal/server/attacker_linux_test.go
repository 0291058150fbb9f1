package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/picketsec/picket/internal/protocol"
)

// attackerVar holds, in a process of somebody else on the host, what it tries.
const attackerVar = "PICKET_TEST_ATTACKER"

// nobodysID is a user without rights.
const nobodysID = 65534

// TestAttacker is not a test: it is a process of somebody else on the host, which
// tells what of some paths it can read or change.
func TestAttacker(*testing.T) {
	for _, path := range strings.Split(os.Getenv(attackerVar), "\n") {
		if path == "" {
			continue
		}
		note := func(what string, err error) {
			if err == nil {
				fmt.Println(what, path)
			}
		}
		f, err := os.Open(path)
		note("opened", err)
		if err == nil {
			_ = f.Close()
		}
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			note("wrote", f.Close())
		}
		if c, err := net.Dial("unix", path); err == nil {
			note("connected to", c.Close())
		}
		note("made a file in", os.WriteFile(filepath.Join(path, "evil"), nil, 0o600))
		note("renamed", os.Rename(path, path+".evil"))
		note("opened to all", os.Chmod(path, 0o777))
		note("removed", os.Remove(path))
	}
}

func asNobody(t *testing.T, paths ...string) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestAttacker$")
	cmd.Dir = "/"
	cmd.Env = []string{attackerVar + "=" + strings.Join(paths, "\n"), "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobodysID, Gid: nobodysID}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(string(out)), "PASS"))
}

// TestDataDirectoryIsClosedToAttackers is for the class of CVE-2022-35631,
// CVE-2025-37735 and CVE-2024-10526: somebody without rights on the server's host
// neither reads nor changes anything of the data directory nor asks at the admin
// socket, whatever the umask of who started the server.
func TestDataDirectoryIsClosedToAttackers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of somebody else")
	}
	defer syscall.Umask(syscall.Umask(0))
	top := t.TempDir()
	for at := top; strings.HasPrefix(at, os.TempDir()) && at != os.TempDir(); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(top, "data")
	s := openTest(t, dir)
	defer func() { _ = s.Close() }()
	ctx := t.Context()
	serving := make(chan error, 1)
	go func() { serving <- s.serveAdmin(ctx) }()
	waitFor(t, "the admin socket", func() bool {
		c, err := net.Dial("unix", SocketPath(dir))
		return err == nil && c.Close() == nil
	})
	// Each kind of file that the server makes.
	if _, err := s.tickets.vault.seal("x", "y"); err != nil {
		t.Fatal(err)
	}
	f, err := s.Exports.NewExportFiles(ctx, boss, SoftwareRead, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Create("part-0"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(nil); err != nil {
		t.Fatal(err)
	}
	if err := s.writePackage("0123abcd-4567-89ef-0123-456789abcdef", "", 0, bytes.NewReader(nil)); err == nil {
		t.Fatal("a package without its hash was kept")
	}
	var paths []string
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		paths = append(paths, path)
		if info.Mode().Perm()&0o077 != 0 && path != filepath.Join(dir, "ca.pem") { // to be copied to agents
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(paths) < 8 {
		t.Fatalf("%q: the test looks at nothing", paths)
	}
	if got := asNobody(t, paths...); got != "" {
		t.Errorf("somebody else\n%s", got)
	}
	open := filepath.Join(top, "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if got := asNobody(t, open); !strings.Contains(got, "made a file in") {
		t.Errorf("somebody else cannot do anything anywhere: the test proves nothing: %q", got)
	}
	if !protocol.ValidTask("0123abcd-4567-89ef-0123-456789abcdef") {
		t.Error("the package has no valid id")
	}
}

// TestDataDirectoryOfAnotherIsRefused is for the same class: a directory that
// belongs to another user, who could exchange the authority's key in it, is not
// started with; nor is a link in it followed that somebody has put there before.
func TestDataDirectoryOfAnotherIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a directory away")
	}
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, nobodysID, nobodysID)); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "another user") {
		if err == nil {
			_ = s.Close()
		}
		t.Errorf("a directory of another user: %v", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 0 {
		t.Errorf("in it: %v, %v", list, err)
	}
	dir, trap := filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "trap")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Symlink(trap, filepath.Join(dir, "lock"))); err != nil {
		t.Fatal(err)
	}
	if s, err := Open(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}); err == nil {
		_ = s.Close()
		t.Error("a lock that is a link is taken")
	}
	if _, err := os.Lstat(trap); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the link names was made: %v", err)
	}
}
