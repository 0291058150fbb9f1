package respond

import (
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInvestigate examines real files, a real process and a real connection, beside
// ClamAV where the host has it.
func TestInvestigate(t *testing.T) {
	v := newVirus(t, false)
	dpkg, starts := t.TempDir(), t.TempDir()
	own, changed, config := filepath.Join(v.dir, "own"), filepath.Join(v.dir, "changed"), filepath.Join(v.dir, "config")
	bad, link, gone := filepath.Join(v.dir, "bad"), filepath.Join(v.dir, "link"), filepath.Join(v.dir, "gone")
	write(t, own, "of a package", 0o755)
	write(t, changed, "now", 0o755)
	write(t, config, "edited", 0o644)
	write(t, bad, eicar(), 0o755)
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	sum := func(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }
	write(t, filepath.Join(dpkg, "info/tool:amd64.list"), "/.\n"+own+"\n"+changed+"\n"+config+"\n", 0o644)
	write(t, filepath.Join(dpkg, "info/tool:amd64.md5sums"), sum("of a package")+"  "+own[1:]+"\n"+sum("before")+"  "+changed[1:]+"\n", 0o644)
	write(t, filepath.Join(dpkg, "status"), "Package: other\nVersion: 9\n\nPackage: tool\nArchitecture: amd64\nVersion: 1.2-3\nConffiles:\n "+config+" "+sum("before")+"\nDescription: d\n", 0o644)
	place := filepath.Join(starts, "cron")
	write(t, place, "# "+bad+"\n* * * * * root "+bad+" now\n", 0o644)
	write(t, filepath.Join(starts, "not"), bad+"er\n", 0o644)
	v.dpkg, v.starts = dpkg, []string{starts}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// A copy of a program, so that no package has it.
	program := filepath.Join(t.TempDir(), "prog")
	raw, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	write(t, program, string(raw), 0o755)
	cmd := exec.Command(program, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	q := Questions{Files: []string{own, changed, config, bad, link, gone, "/proc/self/environ", v.dir, "relative"}, Addresses: []string{"127.0.0.1"},
		Processes: []ProcessKey{{PID: int64(cmd.Process.Pid), Began: time.Now()}, {PID: int64(cmd.Process.Pid), Began: time.Now().Add(-time.Hour)}, {PID: 1 << 30}}}
	out, err := v.Investigate(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]FileFacts{}
	for i, f := range out.Files {
		by[f.Path] = f
		if i < len(q.Files) && f.Path != q.Files[i] {
			t.Errorf("file %d is %s, want %s", i, f.Path, q.Files[i])
		}
	}
	for _, tt := range []struct {
		path string
		ok   bool
	}{
		{"own", by[own].Integrity == Same && by[own].Package == "tool:amd64 1.2-3" && by[own].Owner == "root" && by[own].Scanned && by[own].Signature == ""},
		{"changed", by[changed].Integrity == Different && !by[changed].Config},
		{"config", by[config].Integrity == Different && by[config].Config},
		{"bad", by[bad].Signature == "Eicar-Test.UNOFFICIAL" && by[bad].Integrity == "" && by[bad].SHA256 != ""},
		{"link", by[link].Target == own && by[link].Integrity == Same && by[link].Scanned},
		{"gone", by[gone].Gone && by[gone].Trouble == ""},
		{"pseudo", strings.Contains(by["/proc/self/environ"].Trouble, "proc") && by["/proc/self/environ"].SHA256 == ""},
		{"directory", by[v.dir].Trouble == "it is no regular file"},
		{"relative", by["relative"].Trouble != ""},
		{"program", by[program].SHA256 != "" && by[program].Integrity == ""},
		{"place", by[place].SHA256 != ""},
	} {
		if !tt.ok {
			t.Errorf("%s: %+v", tt.path, by)
		}
	}
	if len(out.Starts) != 1 || out.Starts[0] != (Start{Place: place, Line: "* * * * * root " + bad + " now", File: bad}) {
		t.Errorf("starts: %+v", out.Starts)
	}
	if p := out.Processes; len(p) != 3 || p[0].Gone || p[0].Program != program || p[0].SHA256 != by[program].SHA256 || p[0].Parent != int64(os.Getpid()) || !p[1].Gone || !p[2].Gone {
		t.Errorf("processes: %+v", p)
	}
	found := false
	for _, c := range out.Connections {
		found = found || c.PID == int64(os.Getpid()) && c.Remote == conn.RemoteAddr().String() && c.State == "ESTABLISHED"
	}
	if !found || out.Ended != "" || out.NoEngine != "" || !strings.HasPrefix(out.Engine, "ClamAV") {
		t.Errorf("connections %+v, ended %q, engine %q %q", out.Connections, out.Ended, out.Engine, out.NoEngine)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	v.clam = clam{}
	out, err = v.Investigate(t.Context(), Questions{Processes: q.Processes[:1]}, nil)
	if err != nil || len(out.Processes) != 1 || !out.Processes[0].Deleted || out.Processes[0].SHA256 != by[program].SHA256 {
		t.Errorf("a deleted program: %+v, %v", out, err)
	}
}

// TestInvestigateRealPackages asks the package database of this host about a program of it.
func TestInvestigateRealPackages(t *testing.T) {
	if _, err := os.Stat(filepath.Join(dpkgDir, "info")); err != nil {
		needs(t, "this host has no dpkg")
	}
	r := New(Config{State: t.TempDir()})
	r.clam = clam{confs: nil, sockets: nil, folders: []string{t.TempDir()}}
	out, err := r.Investigate(t.Context(), Questions{Files: []string{"/bin/sleep", "/usr/bin/dpkg"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range out.Files {
		if f.Integrity != Same || f.Package == "" {
			t.Errorf("%+v", f)
		}
	}
	if out.NoEngine == "" {
		t.Error("no scanner, and nothing is said of it")
	}
}
