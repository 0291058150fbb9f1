package posture

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// The content that OpenSCAP judges by, and the host that it knows.
const (
	ssgContent = "/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml"
	ssgPrefix  = "xccdf_org.ssgproject.content_"
	hostName   = "debian11-v1" // a new name makes a new host
)

// hostPackages are installed beside what debootstrap always installs.
var hostPackages = []string{"openssh-server", "sudo", "auditd", "libpam-pwquality", "rsyslog", "chrony", "cron", "logrotate", "systemd-sysv", "systemd-coredump"}

// TestOpenSCAP judges a Debian 11 host that debootstrap made, as it is,
// hardened and loosened, beside OpenSCAP with the SCAP Security Guide.
// testdata/openscap/rules.txt says which of its rules ask for the same as which
// check; they agree one by one, or the file gives the reason.
func TestOpenSCAP(t *testing.T) {
	if testing.Short() {
		t.Skip("long: it judges whole hosts")
	}
	for _, tool := range []string{"oscap", "debootstrap", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip(t, tool+" is not installed")
		}
	}
	if _, err := os.Stat(ssgContent); err != nil {
		skip(t, "the SCAP Security Guide for Debian is not installed (ssg-debian)")
	}
	if os.Geteuid() != 0 {
		skip(t, "not root: debootstrap needs it")
	}
	m := readMapping(t, "testdata/openscap/rules.txt")
	stock := debianHost(t)
	agreed := map[string]map[State]bool{}
	for _, variant := range []string{"stock", "hardened", "loosened"} {
		root := filepath.Join(t.TempDir(), variant)
		run(t, exec.Command("cp", "-a", "--reflink=auto", stock, root))
		applyVariant(t, root, "testdata/openscap/all.txtar")
		if variant != "stock" {
			applyVariant(t, root, "testdata/openscap/"+variant+".txtar")
		}
		theirs := openSCAP(t, root, m)
		ours := map[string]Result{}
		for _, r := range Evaluate(collectRoot(t, root, false)) {
			ours[r.Check] = r
		}
		m.compare(t, variant, ours, theirs, agreed)
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	}
	both := 0
	for _, states := range agreed {
		if states[Pass] && states[Fail] {
			both++
		}
	}
	if len(agreed) < 40 || both < 40 {
		t.Errorf("%d checks agree, %d of them on a host that passes and on one that fails; at least 40 are promised", len(agreed), both)
	}
	t.Logf("%d checks agree with OpenSCAP, %d of them both on a host that passes and on one that fails", len(agreed), both)
}

// mapping is which rules of the SCAP Security Guide ask for the same as a
// check. All rules of a check have to pass for it to pass.
type mapping struct {
	rules  map[string][]string            // by check
	values map[string]string              // of the guide's variables
	more   []string                       // rules that others need to be selected
	differ map[string]map[string][2]State // by check and variant: ours and theirs
}

// readMapping reads lines "scid-NNNN rule…", "value NAME VALUE", "select rule…"
// and, behind a check, "  differs VARIANT OURS THEIRS: reason".
func readMapping(t *testing.T, file string) mapping {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := mapping{rules: map[string][]string{}, values: map[string]string{}, differ: map[string]map[string][2]State{}}
	last := ""
	for s := range strings.Lines(string(text)) {
		w := strings.Fields(s)
		switch {
		case len(w) == 0 || strings.HasPrefix(s, "#"):
		case w[0] == "select":
			m.more = append(m.more, w[1:]...)
		case w[0] == "value" && len(w) == 3:
			m.values[w[1]] = w[2]
		case w[0] == "differs" && len(w) > 4 && last != "" && strings.HasSuffix(w[3], ":"):
			if m.differ[last] == nil {
				m.differ[last] = map[string][2]State{}
			}
			m.differ[last][w[1]] = [2]State{State(w[2]), State(strings.TrimSuffix(w[3], ":"))}
		case len(w) > 1 && strings.HasPrefix(w[0], "scid-"):
			if _, ok := ByID(w[0]); !ok {
				t.Fatalf("%s: %s is no check", file, w[0])
			}
			last = w[0]
			m.rules[last] = w[1:]
		default:
			t.Fatalf("%s: %q", file, s)
		}
	}
	return m
}

// compare reports every disagreement that the mapping does not give a reason
// for, and every reason that is not needed.
func (m mapping) compare(t *testing.T, variant string, ours map[string]Result, theirs map[string]string, agreed map[string]map[State]bool) {
	t.Helper()
	for id, rules := range m.rules {
		their := State("")
		var detail []string
		for _, r := range rules {
			v := theirs[r]
			detail = append(detail, r+" "+v)
			switch {
			case v == "fail":
				their = Fail
			case v == "pass" && their == "":
				their = Pass
			case v != "pass" && their != Fail:
				their = State("neither: " + v)
			}
		}
		our := ours[id]
		want, listed := m.differ[id][variant]
		switch {
		case our.State != Pass && our.State != Fail || their != Pass && their != Fail:
			t.Logf("%s: %s is not compared: ours %s (%s), theirs %v", variant, id, our.State, our.Reason, detail)
			if listed {
				t.Errorf("%s: %s has a reason to differ and is not compared", variant, id)
			}
		case listed && (want[0] != our.State || want[1] != their):
			t.Errorf("%s: %s is said to differ (%s, %s), and is %s, %s", variant, id, want[0], want[1], our.State, their)
		case listed:
			t.Logf("%s: %s differs for a known reason: ours %s, theirs %s", variant, id, our.State, their)
		case our.State != their:
			t.Errorf("%s: %s: ours %s (%s), theirs %v", variant, id, our.State, our.Reason, detail)
		default:
			if agreed[id] == nil {
				agreed[id] = map[State]bool{}
			}
			agreed[id][our.State] = true
		}
	}
}

// debianHost returns the root of a Debian 11 that debootstrap made, from the
// cache of an earlier run if there is one.
func debianHost(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "picket-test", hostName)
	if _, err := os.Stat(filepath.Join(dir, "etc/debian_version")); err == nil {
		return dir
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), "making-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(made)
	t.Logf("making a Debian 11 host in %s; later runs take it from there", dir)
	root := filepath.Join(made, "root")
	run(t, exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(hostPackages, ","), "bullseye", root))
	for _, waste := range []string{"usr/share/doc/*", "usr/share/locale/*", "usr/share/man/*", "var/cache/apt/archives/*.deb", "var/lib/apt/lists/*_*"} {
		found, err := filepath.Glob(filepath.Join(root, waste))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if err := os.RemoveAll(f); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Rename(root, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out[max(0, len(out)-4000):])
	}
}

// changed is how a file of a variant is changed.
var changed = regexp.MustCompile(`^(\S+)( append| remove| keep)?( mode=([0-7]+))?( owner=([0-9]+):([0-9]+))?$`)

// applyVariant changes a host: files are written, with "append" at their end;
// "remove" takes them away, "keep" leaves their text. mode and owner follow.
func applyVariant(t *testing.T, root, file string) {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range a.Files {
		w := changed.FindStringSubmatch(f.Name)
		if w == nil {
			t.Fatalf("%s: %q", file, f.Name)
		}
		p := filepath.Join(root, w[1])
		if err := changeFile(p, strings.TrimSpace(w[2]), f.Data); err != nil {
			t.Fatal(err)
		}
		if mode, err := strconv.ParseUint(w[4], 8, 32); err == nil {
			if err := os.Chmod(p, fs.FileMode(mode)); err != nil {
				t.Fatal(err)
			}
		}
		if uid, err := strconv.Atoi(w[6]); err == nil {
			gid, _ := strconv.Atoi(w[7])
			if err := os.Chown(p, uid, gid); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func changeFile(name, how string, text []byte) error {
	switch how {
	case "remove":
		return os.RemoveAll(name)
	case "keep":
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return os.MkdirAll(name, 0o755)
	}
	if how == "append" {
		old, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text = slices.Concat(old, text)
	}
	return os.WriteFile(name, text, 0o644)
}

// openSCAP returns the results of the mapped rules on a root, by rule.
func openSCAP(t *testing.T, root string, m mapping) map[string]string {
	t.Helper()
	dir := t.TempDir()
	tailoring, results := filepath.Join(dir, "tailoring.xml"), filepath.Join(dir, "results.xml")
	var b strings.Builder
	fmt.Fprintf(&b, `<Tailoring xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_picket_tailoring_test"><benchmark href="%s"/><version time="2026-01-01T00:00:00">1</version><Profile id="xccdf_picket_profile_test"><title>test</title>
`, ssgContent)
	for _, rules := range append(slices.Collect(maps.Values(m.rules)), m.more) {
		for _, r := range rules {
			fmt.Fprintf(&b, `<select idref="%srule_%s" selected="true"/>
`, ssgPrefix, r)
		}
	}
	for k, v := range m.values {
		fmt.Fprintf(&b, `<set-value idref="%svalue_%s">%s</set-value>
`, ssgPrefix, k, v)
	}
	b.WriteString(`</Profile></Tailoring>`)
	if err := os.WriteFile(tailoring, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for try := 1; ; try++ {
		out, err := oscap(t.Context(), root, tailoring, results)
		if bytes.Contains(out, []byte("E: oscap:")) {
			t.Fatalf("oscap did not see everything:\n%s", out[max(0, len(out)-4000):])
		}
		if err == nil {
			return ruleResults(t, results)
		}
		if try == 3 || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("oscap: %v\n%s", err, out[max(0, len(out)-4000):])
		}
		t.Logf("oscap hangs, try %d", try)
	}
}

// oscap runs OpenSCAP once. Its probes are threads that now and then wait for
// each other without end: the caller tries again when time is up.
func oscap(ctx context.Context, root, tailoring, results string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "oscap", "xccdf", "eval", "--tailoring-file", tailoring, "--profile", "xccdf_picket_profile_test", "--results", results, ssgContent)
	// The configuration of this machine's apt is none of the root's.
	apt := filepath.Join(filepath.Dir(results), "apt.conf")
	if err := os.WriteFile(apt, []byte("Dir::Etc::parts \"/nonexistent\";\nDir::Etc::main \"/nonexistent\";\n"), 0o644); err != nil {
		return nil, err
	}
	cmd.Env = append(os.Environ(), "OSCAP_PROBE_ROOT="+root, "APT_CONFIG="+apt, "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return out, ctx.Err()
	case errors.As(err, &failed) && failed.ExitCode() == 2: // a rule failed
		return out, nil
	}
	return out, err
}

// ruleResults reads the results of rules from an XCCDF result file.
func ruleResults(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for dec := xml.NewDecoder(f); ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "rule-result" {
			continue
		}
		var r struct {
			Rule   string `xml:"idref,attr"`
			Result string `xml:"result"`
		}
		if err := dec.DecodeElement(&r, &start); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(r.Rule, ssgPrefix+"rule_")] = r.Result
	}
}
