package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// attackerVar holds, in a process of somebody else on the host, what it does and where.
const attackerVar = "PICKET_TEST_ATTACKER"

// nobody is a user without rights.
const nobody = 65534

// attacker is this test's program as nobody. What it gets it says on stdout; it
// ends when its stdin does.
func attacker(t *testing.T, what string, paths ...string) (end func() string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of somebody else")
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestAttacker$")
	cmd.Dir = "/"
	cmd.Env = []string{attackerVar + "=" + what + "\n" + strings.Join(paths, "\n"), "TMPDIR=/tmp"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	return func() string {
		t.Helper()
		must(t, in.Close())
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		return out.String()
	}
}

// TestAttacker is not a test: it is the process that attacker starts.
func TestAttacker(t *testing.T) {
	what, list, ok := strings.Cut(os.Getenv(attackerVar), "\n")
	if !ok {
		return
	}
	if os.Geteuid() == 0 {
		t.Fatal("it is still root")
	}
	paths := strings.Split(list, "\n")
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	over := func() bool {
		select {
		case <-ended:
			return true
		default:
			return false
		}
	}
	switch what {
	case "look":
		for _, p := range paths {
			fmt.Print(gets(p))
		}
		<-ended
	case "exchange": // a directory below one of its own by a link, and back
		dir, trap := paths[0], paths[1]
		for n := 0; !over(); n++ {
			hidden := fmt.Sprintf("%s-%d", dir, n)
			_ = os.Rename(dir, hidden)
			_ = os.Symlink(trap, dir)
			_ = os.Remove(dir)
			_ = os.Rename(hidden, dir)
		}
		fmt.Println("exchanged")
	case "forestall": // what somebody else is about to make, in a directory for all
		dir, trap := paths[0], paths[1]
		for !over() {
			_ = os.Symlink(trap, dir)
			_ = os.Remove(dir)
			_ = os.Mkdir(dir, 0o700)
			_ = os.Remove(dir)
		}
		fmt.Println("forestalled")
	default:
		t.Fatalf("it cannot %q", what)
	}
}

// gets tries all that can be done to a path and tells what was possible.
func gets(path string) (out string) {
	note := func(what string, err error) {
		if err == nil {
			out += what + " " + path + "\n"
		}
	}
	f, err := os.Open(path)
	note("opened", err)
	if err == nil {
		_ = f.Close()
	}
	f, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	note("wrote", err)
	if err == nil {
		_ = f.Close()
	}
	_, err = os.Lstat(filepath.Join(path, "lock"))
	note("looked into", err)
	note("made a file in", os.WriteFile(filepath.Join(path, "evil"), nil, 0o600))
	note("made a link in", os.Symlink("/etc/passwd", filepath.Join(path, "evil.tmp")))
	note("linked", os.Link(path, filepath.Join("/tmp", fmt.Sprintf("picket-evil-%d", os.Getpid()))))
	note("renamed", os.Rename(path, path+".evil"))
	note("opened to all", os.Chmod(path, 0o777))
	note("removed", os.Remove(path))
	return out
}

// open to all is a directory that everybody can reach, so that only what is made
// below it protects itself.
func openToAll(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for at := dir; strings.HasPrefix(at, os.TempDir()) && at != os.TempDir(); at = filepath.Dir(at) {
		must(t, os.Chmod(at, 0o755))
	}
	return dir
}

// TestStateDirectoryIsClosedToAttackers is for the class of CVE-2022-35631,
// CVE-2019-3567, CVE-2025-37735 and CVE-2024-10526: somebody without rights on the
// host neither reads nor changes anything of the state directory, whatever the
// umask of who started the agent.
func TestStateDirectoryIsClosedToAttackers(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(openToAll(t), "state")
	s, err := openState(dir)
	must(t, err)
	defer func() { must(t, s.close()) }()
	_, err = loadIdentity(s, identityFile)
	must(t, err)
	for _, d := range append([]string{"."}, stateDirs...) {
		must(t, s.replace(filepath.Join(d, "x"), []byte("secret")))
	}
	f, err := spoolDisk{s, "spool"}.Create("00")
	must(t, err)
	must(t, f.Close())
	var paths []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		must(t, err)
		paths = append(paths, path)
		info, err := d.Info()
		must(t, err)
		if got := info.Mode().Perm(); got != map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()] {
			t.Errorf("%s has mode %04o", path, got)
		}
		return nil
	}))
	if len(paths) < 2*len(stateDirs) {
		t.Fatalf("%q: the test looks at nothing", paths)
	}
	if got := attacker(t, "look", paths...)(); strings.TrimSpace(strings.TrimSuffix(got, "PASS\n")) != "" {
		t.Errorf("somebody else\n%s", got)
	}
	// Where nothing protects the directory, the very same process gets at it all.
	must(t, os.Chmod(dir, 0o777))
	must(t, os.Chmod(filepath.Join(dir, "x"), 0o666))
	if got := attacker(t, "look", filepath.Join(dir, "x"), dir)(); !strings.Contains(got, "opened ") || !strings.Contains(got, "made a link in ") {
		t.Errorf("somebody else cannot do anything anywhere: the test proves nothing: %q", got)
	}
}

// TestStateDirectoryIsNotExchanged is for the same class: an attacker who may
// change the directory above puts links in place of the state directory all the
// time. The agent writes into its own directory, or it does not start.
func TestStateDirectoryIsNotExchanged(t *testing.T) {
	for what, owner := range map[string]int{"exchange": nobody, "forestall": 0} {
		t.Run(what, func(t *testing.T) {
			top := openToAll(t)
			arena, trap := filepath.Join(top, "arena"), filepath.Join(top, "trap")
			must(t, os.Mkdir(arena, 0o755))
			must(t, os.Mkdir(trap, 0o700))
			mode := fs.FileMode(0o755)
			if owner == 0 {
				mode = 0o777 | fs.ModeSticky
			}
			must(t, os.Chmod(arena, mode))
			must(t, os.Chown(arena, owner, owner))
			dir := filepath.Join(arena, "s")
			if what == "exchange" {
				must(t, os.Mkdir(dir, 0o700))
			}
			end := attacker(t, what, dir, trap)
			opened, refused := 0, 0
			for began := time.Now(); time.Since(began) < 3*time.Second; {
				s, err := openState(dir)
				if err != nil {
					refused++
					if !errors.Is(err, ErrState) {
						t.Fatal(err)
					}
					continue
				}
				opened++
				must(t, s.replace("session.json", []byte("{}")))
				must(t, s.close())
				if what == "forestall" {
					must(t, os.RemoveAll(dir))
				}
			}
			if got := end(); !strings.Contains(got, "ed\n") {
				t.Fatalf("the attacker did nothing: %q", got)
			}
			list, err := os.ReadDir(trap)
			if err != nil || len(list) > 0 {
				t.Errorf("%d times opened, %d refused; in the directory that the links name: %v, %v", opened, refused, list, err)
			}
			if opened == 0 || refused == 0 {
				t.Logf("%d times opened, %d refused", opened, refused)
			}
		})
	}
}

// TestLinksInTheStateDirectoryLeadNowhere is for the same class: a link that comes
// into the directory, as with a backup, is not followed out of it by any file
// that the agent reads or writes.
func TestLinksInTheStateDirectoryLeadNowhere(t *testing.T) {
	for _, name := range stateDirs {
		s, err := openState(filepath.Join(t.TempDir(), "s"))
		must(t, err)
		trap := t.TempDir()
		must(t, os.WriteFile(filepath.Join(trap, "x"), []byte("precious"), 0o600))
		must(t, os.RemoveAll(filepath.Join(s.path, name)))
		must(t, os.Symlink(trap, filepath.Join(s.path, name)))
		x := filepath.Join(name, "x")
		if raw, err := s.read(x, 100); err == nil {
			t.Errorf("%s is a link, and %q was read behind it", name, raw)
		}
		if err := s.replace(x, []byte("evil")); err == nil {
			t.Errorf("%s is a link, and was written through", name)
		}
		d := spoolDisk{s, name}
		if _, err := d.Create("y"); err == nil {
			t.Errorf("%s is a link, and a file was made behind it", name)
		}
		if err := d.Remove("x"); err == nil {
			t.Errorf("%s is a link, and a file was removed behind it", name)
		}
		if list, err := d.Names(); err == nil {
			t.Errorf("%s is a link, and %q was listed behind it", name, list)
		}
		s.sweep()
		list, err := os.ReadDir(trap)
		if raw, _ := os.ReadFile(filepath.Join(trap, "x")); err != nil || len(list) != 1 || string(raw) != "precious" {
			t.Errorf("%s: behind the link are %v, %q, %v", name, list, raw, err)
		}
		must(t, s.close())
	}
}
