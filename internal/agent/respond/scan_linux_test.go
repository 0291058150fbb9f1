package respond

import (
	"archive/zip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/picketsec/picket/internal/event"
)

// eicar is the harmless file that scanners take for malware, never whole on a disk of sources.
func eicar() string {
	return `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`
}

// virus is a responder beside a ClamAV with signatures of the test's own.
type virus struct {
	*Responder
	dir    string // that is scanned
	mu     sync.Mutex
	events []*event.Event
}

// newVirus makes one. With a daemon, that runs as another user than root, so that
// it could not read the files by itself.
func newVirus(t *testing.T, daemon bool) *virus {
	t.Helper()
	if os.Geteuid() != 0 {
		needs(t, "only root can scan files of all")
	}
	for _, tool := range []string{"clamd", "clamscan"} {
		if _, err := exec.LookPath(tool); err != nil {
			needs(t, tool+" is not installed")
		}
	}
	base := t.TempDir()
	for d := base; d != "/" && d != os.TempDir(); d = filepath.Dir(d) { // the daemon reads its signatures
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	db, files, run := filepath.Join(base, "db"), filepath.Join(base, "files"), filepath.Join(base, "run")
	for d, mode := range map[string]os.FileMode{db: 0o755, files: 0o700, run: 0o777} {
		if err := os.Mkdir(d, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(d, mode); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(db, "test.hdb"), fmt.Sprintf("%x:%d:Eicar-Test\n", md5.Sum([]byte(eicar())), len(eicar())), 0o644)
	conf := filepath.Join(base, "clamd.conf")
	write(t, conf, "DatabaseDirectory "+db+"\nLocalSocket "+run+"/clamd.sock\nLocalSocketMode 666\nForeground yes\nUser nobody\nMaxFileSize 1M\nTemporaryDirectory "+run+"\n", 0o644)
	v := &virus{dir: files}
	v.Responder = New(Config{State: t.TempDir(), Event: func(e *event.Event) {
		v.mu.Lock()
		v.events = append(v.events, e)
		v.mu.Unlock()
	}})
	v.clam = clam{confs: []string{conf}}
	v.places = places{all: []string{files}}
	if !daemon {
		return v
	}
	cmd := exec.Command("clamd", "--config-file="+conf)
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("unix", run+"/clamd.sock")
		if err == nil {
			_ = c.Close()
			return v
		}
		if time.Now().After(end) {
			t.Fatalf("clamd does not listen: %v", err)
		}
	}
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// fill puts files in place: two with the virus, one with a strange name, and
// things that are no files.
func (v *virus) fill(t *testing.T) {
	t.Helper()
	write(t, filepath.Join(v.dir, "clean.txt"), "nothing", 0o644)
	write(t, filepath.Join(v.dir, "deep/er/bad: OK"), eicar(), 0o600)
	write(t, filepath.Join(v.dir, "empty"), "", 0o600)
	z, err := os.Create(filepath.Join(v.dir, "bad.zip"))
	if err != nil {
		t.Fatal(err)
	}
	a := zip.NewWriter(z)
	f, err := a.Create("inner")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(eicar())); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(v.dir, "large"), strings.Repeat("x", 2<<20), 0o600)
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, eicar(), 0o644)
	for _, err := range []error{os.Symlink(outside, filepath.Join(v.dir, "link")), unix.Mkfifo(filepath.Join(v.dir, "fifo"), 0o600), os.Link(filepath.Join(v.dir, "clean.txt"), filepath.Join(v.dir, "again"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// check looks at what a scan of those files must come to.
func (v *virus) check(t *testing.T, s *ScanResult, files uint64, skipped string) {
	t.Helper()
	slices.SortFunc(s.Detections, func(a, b Detection) int { return strings.Compare(a.Path, b.Path) })
	zipped, err := os.ReadFile(filepath.Join(v.dir, "bad.zip"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Detection{{filepath.Join(v.dir, "bad.zip"), "Eicar-Test.UNOFFICIAL", fmt.Sprintf("%x", sha256.Sum256(zipped))},
		{filepath.Join(v.dir, "deep/er/bad: OK"), "Eicar-Test.UNOFFICIAL", fmt.Sprintf("%x", sha256.Sum256([]byte(eicar())))}}
	if !slices.Equal(s.Detections, want) {
		t.Errorf("detections %+v, want %+v", s.Detections, want)
	}
	if s.Files != files || fmt.Sprint(s.Skipped) != skipped || s.Ended != "" || s.More != 0 {
		t.Errorf("%d files looked at, want %d; skipped %v, want %s; ended %q", s.Files, files, s.Skipped, skipped, s.Ended)
	}
	if !strings.HasPrefix(s.Engine, "ClamAV 1") || time.Since(s.Signatures).Abs() > 24*time.Hour {
		t.Errorf("engine %q, signatures of %s", s.Engine, s.Signatures)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	n := 0
	for _, e := range v.events {
		if e.Action == event.AntivirusDetection {
			n++
			if !strings.Contains(e.Text(event.AdditionalFields), `"ThreatName":"Eicar-Test.UNOFFICIAL"`) || !strings.HasPrefix(e.Text(event.FolderPath), v.dir) || len(e.Text(event.SHA256)) != 64 {
				t.Errorf("event %+v", e)
			}
		}
	}
	last := v.events[len(v.events)-1]
	if n != 2 || last.Action != event.AntivirusScanCompleted || !strings.Contains(last.Text(event.AdditionalFields), `"InfectedFiles":2`) {
		t.Errorf("%d events of detections, at the end %s %s", n, last.Action, last.Text(event.AdditionalFields))
	}
	if !v.ScannedLately(time.Hour) {
		t.Error("the scan is not said to have been")
	}
}

func TestScanByDaemon(t *testing.T) {
	v := newVirus(t, true)
	v.fill(t)
	write(t, filepath.Join(v.dir, "line\nbreak"), "nothing bad", 0o600)
	if why := v.Can()[Scan]; why != "" {
		t.Fatal(why)
	}
	s, err := v.Scan(t.Context(), Quick, nil)
	if err != nil {
		t.Fatal(err)
	}
	v.check(t, s, 4, "[{larger than the scanner looks into (1 MB) 1}]")
	if s.Bytes < uint64(2*len(eicar())) {
		t.Errorf("%d bytes", s.Bytes)
	}
}

func TestScanByProgram(t *testing.T) {
	v := newVirus(t, false)
	v.fill(t)
	write(t, filepath.Join(v.dir, "line\nbreak"), "nothing bad", 0o600)
	if why := v.Can()[Scan]; why != "" {
		t.Fatal(why)
	}
	s, err := v.Scan(t.Context(), Quick, nil)
	if err != nil {
		t.Fatal(err)
	}
	v.check(t, s, 4, "[{names with a line break 1}]")
}

// TestScanCancelled proves that a scan which is cancelled ends, tells how far it
// came, and lets the next one begin.
func TestScanCancelled(t *testing.T) {
	for _, daemon := range []bool{true, false} {
		v := newVirus(t, daemon)
		v.progressEvery = 0
		for i := range 20_000 {
			write(t, filepath.Join(v.dir, fmt.Sprint(i%100), fmt.Sprint(i)), fmt.Sprint("file ", i), 0o600)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		said := errors.New("somebody has cancelled it")
		s, err := v.Scan(ctx, Quick, func(p Progress) {
			if p.Files == 0 || !strings.HasPrefix(p.At, v.dir) {
				t.Errorf("progress %+v", p)
			}
			cancel(said)
		})
		if !errors.Is(err, said) || s == nil || s.Files == 0 || s.Files >= 20_000 || s.Ended != said.Error() {
			t.Errorf("daemon %v: %+v, %v", daemon, s, err)
		}
		v.mu.Lock()
		last := v.events[len(v.events)-1]
		v.mu.Unlock()
		if last.Action != event.AntivirusScanCancelled || last.Text(event.Reason) != said.Error() {
			t.Errorf("event %s %q", last.Action, last.Text(event.Reason))
		}
		v.places.all = []string{filepath.Join(v.dir, "1")}
		if s, err := v.Scan(t.Context(), Quick, nil); err != nil || s.Files != 200 {
			t.Errorf("the next scan: %+v, %v", s, err)
		}
	}
}

// TestScanNeeds proves that a host which cannot scan says what to do.
func TestScanNeeds(t *testing.T) {
	v := newVirus(t, false)
	db := v.clam.folder()
	if err := os.Truncate(filepath.Join(db, "test.hdb"), 100<<20); err != nil {
		t.Fatal(err)
	}
	why := v.Can()[Scan]
	if _, err := v.Scan(t.Context(), Quick, nil); err == nil || err.Error() != why || !strings.Contains(why, "clamav-daemon") || !strings.Contains(why, "more memory") {
		t.Errorf("signatures that are too large: %v, %q", err, why)
	}
	if err := os.Remove(filepath.Join(db, "test.hdb")); err != nil {
		t.Fatal(err)
	}
	if why := v.Can()[Scan]; !strings.Contains(why, "freshclam") {
		t.Errorf("without signatures: %q", why)
	}
	if why := New(Config{Root: "/srv/x"}).Can()[Scan]; !strings.Contains(why, "--root") {
		t.Errorf("of another root: %q", why)
	}
	if _, err := v.Scan(t.Context(), "deep", nil); err == nil {
		t.Error("an extent that is not known")
	}
}

// TestScanQuickPlaces proves which files a quick scan of places takes.
func TestScanQuickPlaces(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "usr/bin/new"), "x", 0o755)
	write(t, filepath.Join(dir, "usr/lib/libnew.so.1"), "x", 0o644)
	write(t, filepath.Join(dir, "usr/share/text"), "x", 0o644)
	write(t, filepath.Join(dir, "tmp/text"), "x", 0o644)
	write(t, filepath.Join(dir, "state/secret"), "x", 0o644)
	w := &walk{ctx: t.Context(), maxFile: 1 << 30, without: []string{filepath.Join(dir, "state")}}
	var got []string
	running := false
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w.files(Quick, places{procs: true, all: []string{filepath.Join(dir, "tmp"), filepath.Join(dir, "state"), filepath.Join(dir, "none")}, recent: []string{filepath.Join(dir, "usr")}})(func(c *candidate) bool {
		if rel, err := filepath.Rel(dir, c.path); err == nil && !strings.HasPrefix(rel, "..") {
			got = append(got, rel)
		}
		running = running || c.path == self
		return true
	})
	slices.Sort(got)
	if fmt.Sprint(got) != "[tmp/text usr/bin/new usr/lib/libnew.so.1]" {
		t.Errorf("files %v", got)
	}
	if !running {
		t.Error("this program, which runs, is not looked at")
	}
}

// TestScanNewest proves that of many new programs the newest are looked at, and
// the others counted.
func TestScanNewest(t *testing.T) {
	w := &walk{}
	for i := range 5*maxRecent + 7 {
		w.recent = append(w.recent, recent{fmt.Sprint(i), int64(i)})
		w.newest(maxRecent)
	}
	w.newest(0)
	if n := len(w.recent); n != maxRecent || w.recent[0].at != 5*maxRecent+6 || w.recent[n-1].at != 4*maxRecent+7 || fmt.Sprint(w.missed.result().Skipped) != "[{programs that were written of late, but not among the newest 4007}]" {
		t.Errorf("%d, from %+v, skipped %v", n, w.recent[0], w.missed.result().Skipped)
	}
}

// TestRoots proves which mounts a full scan walks.
func TestRoots(t *testing.T) {
	var list []mount
	for _, line := range strings.Split(`22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw - proc proc rw
24 22 0:6 / /sys rw - sysfs sysfs rw
25 22 8:2 / /home rw - xfs /dev/sda2 rw
26 22 8:1 /srv/data /data rw - ext4 /dev/sda1 rw
27 22 0:40 / /mnt/nfs rw - nfs4 server:/x rw
28 22 0:41 / /mnt/sshfs rw - fuse.sshfs u@h:/ rw
29 22 0:42 / /tmp rw - tmpfs tmpfs rw
30 22 0:43 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
31 22 8:3 /sub /backup rw - btrfs /dev/sda3 rw
32 22 8:3 /sub /backup2 rw - btrfs /dev/sda3 rw
33 22 8:4 / /media/stick rw - fuseblk /dev/sdb1 rw`, "\n") {
		m, ok := parseMount(line)
		if !ok {
			t.Fatal(line)
		}
		list = append(list, m)
	}
	var got []string
	for _, m := range roots(list) {
		got = append(got, m.at)
	}
	if fmt.Sprint(got) != "[/ /backup /home /media/stick /tmp]" {
		t.Errorf("roots %v", got)
	}
}

// TestScanFull walks two file systems of its own, with a third that is a
// network's by its kind.
func TestScanFull(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a/1", "a/sub/2", "b/3", "a/mounted/4", "a/net/5"} {
		write(t, filepath.Join(dir, name), "x", 0o600)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	list := []mount{{root: "/", at: at("a"), kind: "ext4", dev: 1}, {root: "/", at: at("b"), kind: "xfs", dev: 2}, {root: "/", at: at("a/mounted"), kind: "tmpfs", dev: 3}, {root: "/", at: at("a/net"), kind: "nfs", dev: 4}}
	w := &walk{ctx: t.Context(), maxFile: 1 << 30, kinds: map[string]mount{}}
	for _, m := range list {
		w.kinds[m.at] = m
	}
	var got []string
	w.yield = func(c *candidate) bool {
		rel, err := filepath.Rel(dir, c.path)
		if err != nil {
			t.Error(err)
		}
		got = append(got, rel)
		return true
	}
	w.full(list)
	slices.Sort(got)
	if fmt.Sprint(got) != "[a/1 a/mounted/4 a/sub/2 b/3]" {
		t.Errorf("files %v", got)
	}
	if s := w.missed.result().Skipped; len(s) != 1 || !strings.Contains(s[0].Reason, "nfs") {
		t.Errorf("skipped %v", s)
	}
}

func TestParseClam(t *testing.T) {
	for line, want := range map[string]string{
		"fd[10]: OK":                             "fd[10]|||true",
		"/a: b: Eicar.X FOUND":                   "/a: b|Eicar.X||true",
		"/a: Can't open file or directory ERROR": "/a||Can't open file or directory|true",
		"/a: Empty file":                         "/a|||true",
		"/a: OK: X FOUND":                        "/a: OK|X||true",
		"nothing":                                "|||false",
		"/a: \x1b[31mX\x00Y FOUND":               "/a| [31mX Y||true",
	} {
		name, sig, trouble, ok := parseVerdict(line)
		if got := fmt.Sprintf("%s|%s|%s|%v", name, sig, trouble, ok); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	engine, db, made := parseVersion("ClamAV 1.4.6/27500/Fri Nov 14 09:26:40 2025\n")
	if engine != "ClamAV 1.4.6" || db != "27500" || made.Format(time.RFC3339) != "2025-11-14T09:26:40Z" {
		t.Errorf("%q %q %s", engine, db, made)
	}
	c := parseClamConf("# x\nLocalSocket /run/c.ctl\nMaxFileSize 25M\nDatabaseDirectory /v\nLogFile /l\nMaxFileSize xM\n")
	if c != (clamConf{"/run/c.ctl", 25 << 20, "/v"}) {
		t.Errorf("%+v", c)
	}
	for text, want := range map[string]int64{"0": 1 << 40, "5": 5, "2k": 2048, "3G": 3 << 30, "M": -1, "-1": -1, "9999999999999999": -1} {
		n, ok := parseSize(text)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%q: %d, want %d", text, n, want)
		}
	}
}

func FuzzVerdict(f *testing.F) {
	f.Add("/a: X FOUND")
	f.Add(": ERROR")
	f.Fuzz(func(t *testing.T, line string) {
		_, sig, trouble, _ := parseVerdict(line)
		if len(sig) > 303 || len(trouble) > 83 || strings.ContainsAny(sig+trouble, "\n\x00") {
			t.Fatalf("%q %q", sig, trouble)
		}
		parseVersion(line)
		parseClamConf(line)
	})
}
