package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHostileHomesAreReadSafely is for the class of CVE-2018-6336 and CVE-2017-15026
// to -15028: files that people own are read by root. In a home directory there is
// in the place of each kind of file that the agent reads a link to a secret of
// root, absolute, relative and through a directory; a pipe; a device; a file of 8
// GiB; a directory; a link to itself. Every collector ends in its time and its
// memory, and tells nothing of the secret.
func TestHostileHomesAreReadSafely(t *testing.T) {
	root := t.TempDir()
	mkdir := func(dir string) string {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	put := func(name, text string, mode os.FileMode) {
		mkdir(filepath.Dir(name))
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	// What root alone may read. It is well-formed as each kind of file that is collected.
	const canary = "canary-of-root"
	put("root/json.secret", `{"name":"`+canary+`","version":"1.0.0","description":"`+canary+`"}`, 0o600)
	put("root/meta.secret", "Metadata-Version: 2.1\nName: "+canary+"\nVersion: 1.0\nSummary: "+canary+"\n", 0o600)
	put("root/spec.secret", "Gem::Specification.new do |s|\n s.name = \""+canary+"\"\n s.version = \"1.0\"\nend\n", 0o600)
	put("root/jar.secret", string(jar(t, pom("g", canary, "1.0"))), 0o600)
	put("root/ini.secret", "[Application]\nname="+canary+"\nversion="+canary+"\n", 0o600)
	put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\neve:x:1000:1000:Eve:/home/eve:/bin/bash\n", 0o644)
	put("etc/os-release", "ID=debian\nVERSION_ID=12\n", 0o644)
	put("home/eve/good/node_modules/good/package.json", `{"name":"good","version":"1.0.0"}`, 0o644)

	kinds := []struct{ dir, file, secret string }{
		{"%s/node_modules/x", "package.json", "json.secret"},
		{"%s/lib/python3/site-packages/x-1.dist-info", "METADATA", "meta.secret"},
		{"%s/lib/python3/site-packages/y.egg-info", "PKG-INFO", "meta.secret"},
		{"%s/gems/specifications", "x-1.gemspec", "spec.secret"},
		{"%s/jars", "x.jar", "jar.secret"},
		{"%s/bin", "tool", "jar.secret"},
		{"%s/.local/share/flatpak/app/org.x/x86_64/stable/active", "metadata", "ini.secret"},
		{"%s/.local/share/flatpak/app/org.x/x86_64/stable/active", "deploy", "ini.secret"},
		{"%s", ".rhosts", "meta.secret"},
		{"%s/.ssh", "authorized_keys", "meta.secret"},
		{"%s", ".netrc", "meta.secret"},
		{"%s", ".bashrc", "meta.secret"},
	}
	made := 0
	tricks := map[string]func(path, secret string) error{
		"absolute": func(p, s string) error { return os.Symlink("/root/"+s, p) },
		"outside":  func(p, s string) error { return os.Symlink(filepath.Join(root, "root", s), p) },
		"relative": func(p, s string) error { return os.Symlink(strings.Repeat("../", 24)+"root/"+s, p) },
		"inside": func(p, s string) error {
			to, err := filepath.Rel(filepath.Dir(p), filepath.Join(root, "root", s))
			if err != nil {
				return err
			}
			return os.Symlink(to, p)
		},
		"pipe":      func(p, _ string) error { return syscall.Mkfifo(p, 0o666) },
		"sparse":    func(p, _ string) error { return sparse(p) },
		"directory": func(p, _ string) error { return os.Mkdir(p, 0o755) },
		"itself":    func(p, _ string) error { return os.Symlink(filepath.Base(p), p) },
		"socket": func(p, _ string) error {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer func() { _ = unix.Close(fd) }()
			if err := unix.Bind(fd, &unix.SockaddrUnix{Name: p}); err != nil && len(p) < 100 {
				return err
			}
			return nil
		},
		"zeros":  func(p, _ string) error { return device(p, 1, 5) },
		"memory": func(p, _ string) error { return device(p, 1, 1) },
	}
	for trick, put := range tricks {
		for i, k := range kinds {
			dir := mkdir(fmt.Sprintf(k.dir, fmt.Sprintf("home/eve/%s%d", trick, i)))
			if err := put(filepath.Join(root, dir, k.file), k.secret); err != nil {
				t.Fatalf("%s: %v", trick, err)
			}
			made++
		}
	}
	for i, k := range kinds { // the directory is a link
		if k.secret == "jar.secret" { // which is an archive of root's own then
			continue
		}
		dir := fmt.Sprintf(k.dir, fmt.Sprintf("home/eve/through%d", i))
		mkdir(filepath.Dir(dir))
		put(filepath.Join("root", fmt.Sprint("dir", i), k.file), readFile(t, filepath.Join(root, "root", k.secret)), 0o600)
		if err := os.Symlink(fmt.Sprintf("/root/dir%d", i), filepath.Join(root, dir)); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	h := otherRoot(t, root)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	done := make(chan string, 1)
	go func() {
		var all strings.Builder
		for _, c := range All() {
			raw, err := json.Marshal(Run(t.Context(), c, h, DefaultLimits()))
			if err != nil {
				t.Error(err)
			}
			all.Write(raw)
		}
		done <- all.String()
	}()
	select {
	case all := <-done:
		runtime.ReadMemStats(&after)
		for _, part := range strings.Split(all, canary)[1:] {
			t.Logf("told: …%s%.120s", canary, part)
		}
		if strings.Contains(all, canary) {
			t.Error("a secret of root is told")
		}
		if !strings.Contains(all, `"good"`) {
			t.Error("the good package beside it all is not told: the test looks at nothing")
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<30 {
			t.Errorf("%d MiB were allocated", grown>>20)
		}
		t.Logf("%d files in %s", made, time.Since(began).Round(time.Millisecond))
	case <-time.After(60 * time.Second):
		t.Fatal("a collector does not end")
	}
}

// sparse makes a file of 8 GiB that takes no room.
func sparse(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(`{"name":"huge","version":"`); err != nil {
		return err
	}
	if err := f.Truncate(8 << 30); err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o755), f.Close())
}

// device makes a character device, or a pipe where that is not allowed.
func device(path string, major, minor uint32) error {
	if err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(major, minor))); err == nil {
		return nil
	}
	return syscall.Mkfifo(path, 0o666)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
