package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// TestNothingIsLost lets programs run on a host with systemd while the server is
// killed, a fifth of the packets is lost, the host reboots, its power is cut and
// the disk of the agent is full. Each of them is in the timeline once, or the
// timeline says that events are missing and why.
func TestNothingIsLost(t *testing.T) {
	const inside = "PICKET_TEST_LOST"
	if dir := os.Getenv(inside); dir != "" {
		testNothingIsLost(t, dir)
		return
	}
	if testing.Short() {
		t.Skip("it boots a host three times")
	}
	if what := rig.HostNeeds(); what != "" {
		skip(t, "%s", what)
	}
	if _, err := exec.LookPath("nft"); err != nil {
		skip(t, "nft is not installed")
	}
	onHost(t, inside)
}

// storm runs programs on the host, each with a number in its command line that
// no other has.
type storm struct {
	*service
	srv *rig.Server
	id  string
	n   int // how many have run
}

func testNothingIsLost(t *testing.T, bin string) {
	s, srv := newService(t, bin)
	c := &storm{service: s, srv: srv, id: s.install(srv)}
	began := time.Now()
	said := func(what string) {
		t.Logf("%s: %s, %d programs so far", time.Since(began).Round(time.Millisecond), what, c.n)
	}

	c.listens(c.id)
	c.programs(200)
	c.whole()
	said("with all in order")

	// The server is killed among them, and stays away for a while.
	for range 3 {
		c.programs(50)
		srv.Kill()
		c.programs(100)
		c.started()
		c.programs(50)
	}
	c.whole()
	said("with a server that was killed three times")

	// How many packets the programs travel in is the connection's to say: while it
	// waits to send again what was lost, they gather.
	c.losePackets(20)
	for range 20 {
		for range 20 {
			c.programs(20)
			time.Sleep(100 * time.Millisecond) // so that they travel in many messages
		}
		c.everyOne()
		if c.lost() >= 5 {
			break
		}
	}
	c.whole()
	if n := c.lost(); n < 5 {
		t.Errorf("%d packets were lost: too few to say anything", n)
	} else {
		said(fmt.Sprintf("with %d packets lost", n))
	}
	c.losePackets(0)

	// What is in the spool survives a reboot.
	srv.Kill()
	c.programs(300)
	if err := s.host.Reboot(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.started()
	c.everyOne()
	c.listens(c.id)
	c.programs(100)
	c.everyOne()
	said("with a reboot")

	// What the server has acknowledged survives a cut of the host's power. What
	// was under way may be gone, but not without a word.
	seen := c.seen()
	before := c.n
	c.programs(400)
	if err := s.host.Cut(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := c.n
	c.listens(c.id)
	c.programs(100)
	s.wait("the programs after the cut", func() error { return c.lack(c.seen(), after, c.n) })
	again := c.seen()
	if err := c.lack(again, 0, before); err != nil {
		t.Errorf("after a cut of the power: %v; before: %d", err, len(seen))
	}
	if c.lack(again, before, after) != nil {
		c.tellsWhy()
	}
	said("with a cut of the power")

	// A full disk: what found no room is counted.
	line := c.fullDisk(6000)
	said(fmt.Sprintf("with a full disk: %d missing", line.Missing))
	twice := 0
	for _, n := range c.seen() {
		if n > 1 {
			twice++
		}
	}
	if twice > 0 {
		t.Errorf("%d programs are there more than once", twice)
	}
}

// programs runs so many programs on the host and returns when they have ended.
func (c *storm) programs(n int) {
	c.Helper()
	c.longPrograms(n, 0)
}

// longPrograms runs programs with so much more in their command lines.
func (c *storm) longPrograms(n, more int) {
	c.Helper()
	c.run("/bin/sh", "-c", fmt.Sprintf("i=%d; while [ $i -lt %d ]; do /bin/true probe-$i- %s; i=$((i+1)); done", c.n, c.n+n, strings.Repeat("x", more)))
	c.n += n
}

// started starts the server again and waits until it answers.
func (c *storm) started() {
	c.Helper()
	if err := c.srv.Start(c.Context()); err != nil {
		c.Fatal(err)
	}
}

// seen is how often each program is in the device's timeline.
func (c *storm) seen() map[int]int {
	c.Helper()
	got := map[int]int{}
	res, err := c.client.Stream(c.Context(), "/api/x/devices/"+c.id+"/timeline/export?format=jsonl&action=ProcessCreated&q="+url.QueryEscape("/bin/true probe-"))
	if err != nil {
		return got // the server is not there; who waits asks again
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ Fields map[string]any }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			c.Fatalf("%v in %.200s", err, lines.Bytes())
		}
		text, _ := e.Fields["ProcessCommandLine"].(string)
		var n int
		if _, err := fmt.Sscanf(text, "/bin/true probe-%d-", &n); err == nil {
			got[n]++
		}
	}
	if err := lines.Err(); err != nil {
		return map[int]int{}
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return got
}

// lack says which of the programs are not there exactly once.
func (c *storm) lack(seen map[int]int, from, to int) error {
	var none, more []int
	for n := from; n < to; n++ {
		switch seen[n] {
		case 0:
			none = append(none, n)
		case 1:
		default:
			more = append(more, n)
		}
	}
	if len(none)+len(more) == 0 {
		return nil
	}
	return fmt.Errorf("of %d programs %d are not there (first %v), %d are there more than once (first %v)",
		to-from, len(none), none[:min(5, len(none))], len(more), more[:min(5, len(more))])
}

// everyOne waits until each program is there, exactly once.
func (c *storm) everyOne() {
	c.Helper()
	c.wait("the programs", func() error { return c.lack(c.seen(), 0, c.n) })
}

type completeness struct {
	Complete bool
	Missing  []struct {
		Kind, Reason string
		From, To     uint64
	}
	Total uint64 `json:"missing_total"`
}

func (c *storm) completeness() (line completeness) {
	c.Helper()
	if err := c.client.Get(c.Context(), "/api/x/devices/"+c.id+"/timeline", &line); err != nil {
		c.Fatal(err)
	}
	return line
}

// whole waits until each program is there, exactly once, and the timeline is complete.
func (c *storm) whole() {
	c.Helper()
	c.everyOne()
	c.wait("a timeline that is complete", func() error {
		if line := c.completeness(); !line.Complete {
			return fmt.Errorf("missing %+v", line.Missing)
		}
		return nil
	})
}

// tellsWhy checks that the timeline says that something is missing, and why.
func (c *storm) tellsWhy() {
	c.Helper()
	line := c.completeness()
	if line.Complete {
		c.Error("events are missing, and the timeline is said to be complete")
	}
	for _, m := range line.Missing {
		if m.Reason == "" {
			c.Errorf("%s %d to %d are missing, and nothing says why", m.Kind, m.From, m.To)
		}
	}
}

// losePackets lets so many of a hundred packets between agent and server be lost,
// each way. The table is in the namespace of the test.
func (c *storm) losePackets(percent int) {
	c.Helper()
	at, err := url.Parse(c.srv.AgentURL)
	if err != nil {
		c.Fatal(err)
	}
	rules := "table inet loss {}\ndelete table inet loss\n"
	if percent > 0 {
		rules += fmt.Sprintf(`table inet loss {
	chain in {
		type filter hook input priority 0; policy accept;
		tcp dport %[1]s numgen random mod 100 < %[2]d counter drop
		tcp sport %[1]s numgen random mod 100 < %[2]d counter drop
	}
}`, at.Port(), percent)
	}
	cmd := exec.CommandContext(c.Context(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("nft: %v\n%s", err, out)
	}
}

// lost is how many packets were lost.
func (c *storm) lost() (n int) {
	c.Helper()
	out, err := rig.Run(c.Context(), "nft", "list", "table", "inet", "loss")
	if err != nil {
		c.Fatal(err)
	}
	for _, part := range bytes.Split(out, []byte("counter packets "))[1:] {
		var some int
		if _, err := fmt.Sscan(string(part), &some); err != nil {
			c.Fatal(err)
		}
		n += some
	}
	return n
}

// fullDisk moves the state of the agent to a disk that is too small for what
// happens while the server is away, and gives it room again.
func (c *storm) fullDisk(n int) (told struct{ Missing uint64 }) {
	c.Helper()
	const state = "/var/lib/picket-agent"
	c.run("systemctl", "stop", agentUnit)
	// The unit may see the mount only if it is there before the unit starts.
	c.run("/bin/sh", "-c", "cp -a "+state+" /run/kept && mount -t tmpfs -o size=6m,mode=0700 tmpfs "+state+" && cp -a /run/kept/. "+state+"/")
	c.run("systemctl", "start", agentUnit)
	c.listens(c.id)
	from := c.n
	c.programs(50)
	c.wait("the programs before the disk is full", func() error { return c.lack(c.seen(), from, c.n) })
	before := c.completeness().Total
	c.srv.Kill()
	if _, err := c.host.Run(c.Context(), "/bin/sh", "-c", "cat /dev/zero > "+state+"/ballast"); err == nil {
		c.Error("the disk did not get full")
	}
	from = c.n
	c.longPrograms(n, 3000) // more than the agent keeps in memory
	c.run("rm", state+"/ballast")
	c.started()
	c.listens(c.id)
	mark := c.n
	c.programs(50)
	c.wait("the programs after the disk was full", func() error { return c.lack(c.seen(), mark, c.n) })
	seen := c.seen()
	unseen := 0
	for i := from; i < c.n; i++ {
		if seen[i] == 0 {
			unseen++
		}
	}
	if unseen == 0 {
		c.Error("no program is missing: the disk was not too small")
	}
	c.tellsWhy()
	line := c.completeness()
	told.Missing = line.Total - before
	if told.Missing < uint64(unseen) {
		c.Errorf("%d programs are not there, and %d events are said to be missing", unseen, told.Missing)
	}
	why := slices.Collect(maps.Values(reasons(line)))
	if !strings.Contains(fmt.Sprint(why), "the agent's disk takes nothing") {
		c.Error("nothing says that the disk was full")
	}
	if log := c.run("journalctl", "--no-pager", "--output=cat", "--unit="+agentUnit); strings.Count(log, "refuses writes") != 1 || strings.Count(log, "takes writes again") != 1 {
		c.Error("the agent's log does not say once that its disk was full, and once that it is no more")
	}
	c.Logf("of %d programs %d are not there; said to be missing: %q", n, unseen, why)
	return told
}

// reasons are the reasons for what is missing, each with how often it is given.
func reasons(line completeness) map[string]string {
	all := map[string]string{}
	for _, m := range line.Missing {
		all[m.Kind+m.Reason] = fmt.Sprintf("%s %d to %d: %s", m.Kind, m.From, m.To, m.Reason)
	}
	return all
}

// onHost builds the programs and runs the test again in namespaces of its own,
// where the variable names the folder of what was built.
func onHost(t *testing.T, variable string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "host"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := rig.Build(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), variable+"="+dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := rig.Isolated(cmd); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "--- PASS: "+t.Name()) {
		t.Errorf("the test did not run inside:\n%s", out.String())
	}
	t.Log(out.String())
}
