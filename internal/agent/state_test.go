//go:build unix

package agent

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestStateDirectoryIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, dir string) string // returns the path to be opened
		text string
	}{
		{"open to the group", func(t *testing.T, dir string) string { return chmod(t, dir, 0o750) }, "chmod 0700"},
		{"open to all", func(t *testing.T, dir string) string { return chmod(t, dir, 0o777) }, "chmod 0700"},
		{"sticky", func(t *testing.T, dir string) string { return chmod(t, dir, 0o700|os.ModeSticky) }, "mode"},
		{"a link", func(t *testing.T, dir string) string {
			l := filepath.Join(t.TempDir(), "l")
			must(t, os.Symlink(dir, l))
			return l
		}, "symbolic link"},
		{"a file", func(t *testing.T, dir string) string {
			f := filepath.Join(dir, "f")
			must(t, os.WriteFile(f, nil, 0o600))
			return f
		}, "f"},
		{"of another owner", func(t *testing.T, dir string) string {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			must(t, os.Chown(dir, 12345, 12345))
			return dir
		}, "belongs to user 12345"},
		{"open key", func(t *testing.T, dir string) string {
			must(t, os.WriteFile(filepath.Join(dir, identityFile), nil, 0o644))
			chmod(t, filepath.Join(dir, identityFile), 0o644)
			return dir
		}, "identity.pem"},
		{"key is a link", func(t *testing.T, dir string) string {
			must(t, os.Symlink("/etc/hostname", filepath.Join(dir, identityFile)))
			return dir
		}, "symbolic link"},
		{"key is a pipe", func(t *testing.T, dir string) string {
			must(t, syscall.Mkfifo(filepath.Join(dir, identityFile), 0o600))
			return dir
		}, "not a regular file"},
		{"spool is a link", func(t *testing.T, dir string) string {
			must(t, os.Symlink("/tmp", filepath.Join(dir, "spool")))
			return dir
		}, "symbolic link"},
		{"sections are open", func(t *testing.T, dir string) string {
			must(t, os.Mkdir(filepath.Join(dir, "sections"), 0o755))
			chmod(t, filepath.Join(dir, "sections"), 0o755)
			return dir
		}, "sections"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			must(t, os.Mkdir(dir, 0o700))
			s, err := openState(tt.make(t, dir))
			if err == nil {
				must(t, s.close())
				t.Fatal("opened")
			}
			if !errors.Is(err, ErrState) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q, want an ErrState with %q", err, tt.text)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	must(t, os.Chmod(path, mode))
	return path
}

func TestStateFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s, err := openState(dir)
	if err != nil {
		t.Fatal(err)
	}
	must(t, s.replace("session.json", []byte("one")))
	must(t, s.replace("session.json", []byte("two")))
	if raw, err := s.read("session.json", 10); err != nil || string(raw) != "two" {
		t.Errorf("read = %q, %v", raw, err)
	}
	if _, err := s.read("session.json", 2); err == nil {
		t.Error("a file above the limit is read")
	}
	// A link that was put in place of the half-written file is not followed.
	target := filepath.Join(t.TempDir(), "target")
	must(t, os.WriteFile(target, []byte("precious"), 0o600))
	must(t, os.Symlink(target, filepath.Join(dir, "session.json.tmp")))
	must(t, s.replace("session.json", []byte("three")))
	if raw, err := os.ReadFile(target); err != nil || string(raw) != "precious" {
		t.Errorf("the target of the link is %q, %v", raw, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "spool", "x.tmp"), nil, 0o600))
	if _, err := openState(dir); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	must(t, s.close())
	if s, err = openState(dir); err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, s.close()) }()
	if _, err := os.Stat(filepath.Join(dir, "spool", "x.tmp")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a half-written file was left")
	}
}

func TestKeyIsOfThisHost(t *testing.T) {
	s, err := openState(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { must(t, s.close()) }()
	one, err := loadIdentity(s, identityFile)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loadIdentity(s, identityFile)
	if err != nil || again.id != one.id || again.cert != nil {
		t.Errorf("again = %+v, %v", again, err)
	}
	for _, bad := range []string{"", "junk", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		must(t, s.replace(identityFile, []byte(bad)))
		if _, err := loadIdentity(s, identityFile); !errors.Is(err, ErrState) {
			t.Errorf("identity %.10q: %v", bad, err)
		}
	}
}
