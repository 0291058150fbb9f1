package sense

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

// eicar is the file that every scanner calls a virus and that is none. It is
// put together here, so that this source is not called one.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD` + `-ANTIVIRUS-TEST-FILE!$H+H*`

// clamHost has the real ClamAV with a signature of our own.
type clamHost struct {
	t   *testing.T
	dir string
	k   *taker
	m   memory
}

func newClamHost(t *testing.T) *clamHost {
	for _, tool := range []string{"clamd", "clamscan"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, "%s is not installed", tool)
		}
	}
	c := &clamHost{t: t, dir: t.TempDir(), k: &taker{}, m: newMemory()}
	for name, text := range map[string]string{
		"db/own.ndb": "Rig.Eicar:0:*:" + hex.EncodeToString([]byte(eicar)) + "\n", "files/bad": eicar, "files/good": "good", "log/other.log": "old: Rig.Old FOUND\n",
		"etc/clamd.conf": fmt.Sprintf("DatabaseDirectory %[1]s/db\nLocalSocket %[1]s/s\nForeground yes\nUser root\nLogFile %[1]s/own/clamd-log\nLogTime yes\nExtendedDetectionInfo yes\n", c.dir),
		"own/clamd-log":  "",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(c.dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// read reads the logs until the function that it returns is called.
func (c *clamHost) read() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	r := newClam(newBareHost(c.k, c.m), []string{c.dir + "/etc/*.conf"}, []string{c.dir + "/log/*.log"})
	go func() {
		defer close(done)
		_ = r.Run(ctx) // ends with ctx
	}()
	for end := time.Now().Add(10 * time.Second); c.m.Get(clamName) == nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatal("the logs are not read")
		}
	}
	return func() {
		cancel()
		<-done
	}
}

// ask sends clamd a command.
func (c *clamHost) ask(command string) {
	c.t.Helper()
	var conn net.Conn
	var err error
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var d net.Dialer
		if conn, err = d.DialContext(c.t.Context(), "unix", c.dir+"/s"); err == nil {
			break
		}
		if time.Now().After(end) {
			c.t.Fatal(err)
		}
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("z" + command + "\x00")); err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clamHost) see(a event.Action, path, words string) event.Event {
	c.t.Helper()
	return c.k.find(c.t, a.String()+" "+path+" "+words, func(e *event.Event) bool {
		return e.Action == a && e.Text(event.FolderPath) == path && strings.Contains(e.Text(event.AdditionalFields), words)
	})
}

// What the real ClamAV finds is told: what its daemon finds, what a scan of its
// own sums up, and what was found while the agent was away; never what was in the
// logs before the agent came.
func TestClamAV(t *testing.T) {
	c := newClamHost(t)
	stop := c.read()
	cmd := exec.Command("clamd", "-c", c.dir+"/etc/clamd.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	c.ask("SCAN " + c.dir + "/files/bad")
	e := c.see(event.AntivirusDetection, c.dir+"/files/bad", `"ThreatName":"Rig.Eicar.UNOFFICIAL"`)
	if e.Text(event.MD5) != "44d88612fea8a8f36de82e1278abb02f" || len(e.Text(event.SHA256)) != 64 || number64(&e, event.FileSize) != 68 {
		t.Error(texts(&e))
	}
	c.see(event.AntivirusReport, "", `"Signatures":1`)
	scan := exec.Command("clamscan", "-d", c.dir+"/db", "--log="+c.dir+"/log/scan.log", c.dir+"/files")
	if out, err := scan.CombinedOutput(); err == nil || scan.ProcessState.ExitCode() != 1 { // 1: something was found
		t.Fatalf("%v: %s", err, out)
	}
	c.see(event.AntivirusScanCompleted, "", `"InfectedFiles":1,"ReportSource":"ClamAV","ScannedFiles":2`)
	stop()
	if err := os.WriteFile(c.dir+"/files/worse", []byte(eicar), 0o644); err != nil {
		t.Fatal(err)
	}
	c.ask("SCAN " + c.dir + "/files/worse")
	defer c.read()()
	if e := c.see(event.AntivirusDetection, c.dir+"/files/worse", ""); e.Text(event.Reason) != "found when the agent was there again" {
		t.Error(texts(&e))
	}
	n := map[string]int{}
	for _, e := range c.k.all() {
		if e.Action == event.AntivirusDetection {
			n[filepath.Base(e.Text(event.FolderPath))]++
		}
	}
	if n["bad"] != 1 || n["worse"] != 1 || n["old"] != 0 {
		t.Errorf("detections: %v", n)
	}
}

// What the agent itself has had scanned is not told a second time from the log of
// the daemon, which has no name for files that it was passed open.
func TestOwnScanIsToldOnce(t *testing.T) {
	k := &taker{}
	h := newBareHost(k, newMemory())
	lately := false
	h.cfg.ScannedLately = func(time.Duration) bool { return lately }
	tell := func(n int) {
		h.antivirus(&clamWord{action: event.AntivirusDetection, path: fmt.Sprintf("fd[%d]", n), threat: "X", size: -1}, 0, SourceFiles, "")
	}
	tell(1)
	lately = true
	tell(2)
	h.antivirus(&clamWord{action: event.AntivirusDetection, path: "/tmp/other", threat: "X", size: -1}, 0, SourceFiles, "")
	var got []string
	for _, e := range k.all() {
		got = append(got, e.Text(event.FolderPath))
	}
	if fmt.Sprint(got) != "[fd[1] /tmp/other]" {
		t.Errorf("told %v", got)
	}
}
