package exposure

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixablePairs returns the findings with a fix, as "CVE source" pairs. Debsecan
// knows no running kernel: headers and latent kernels are in it too.
func fixablePairs(t testing.TB, status string, in Intelligence) []string {
	t.Helper()
	p := Profile(sections(debian12, status))
	var out []string
	for i, a := range assessAll(t, p, in) {
		for _, m := range a.Matches {
			if m.Fixed != "" {
				out = append(out, m.Weakness+" "+p.Uses[i].Component.Key.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// debsecan returns what Debian's own analyzer says of a status file.
func debsecan(t testing.TB, status string) []string {
	t.Helper()
	bin, err := exec.LookPath("debsecan")
	if err != nil {
		missing(t, "debsecan is not installed (Debian package debsecan)")
	}
	dir, err := filepath.Abs(feeds(t, "debian-security/debsecan-release-1.derived"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--source", "file://"+dir, "--status", status, "--suite", "bookworm", "--only-fixed", "--format", "detail")
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("debsecan: %v", err)
	}
	var out []string
	cve, source := "", ""
	flush := func() {
		if cve != "" && source != "" {
			out = append(out, cve+" "+source)
		}
		source = ""
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		switch {
		case len(words) > 0 && !strings.HasPrefix(line, " "):
			flush()
			cve = words[0]
		case len(words) >= 2 && words[0] == "installed:":
			flush()
			source = words[1]
		case len(words) >= 3 && words[0] == "(built":
			source = words[2]
		}
	}
	flush()
	slices.Sort(out)
	return slices.Compact(out)
}

// The findings with a fix are exactly Debian's own, on the package list of a
// new machine and on this machine as it is.
func TestDebsecanAgrees(t *testing.T) {
	t.Parallel()
	in := tracker(t)
	fixture := filepath.Join("testdata", "debian12-new-machine.status")
	for _, tt := range []struct {
		name, status string
		pairs        int
	}{
		{"new-machine", fixture, 51},
		{"this-machine", "/var/lib/dpkg/status", -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := os.ReadFile(tt.status)
			if err != nil {
				missing(t, fmt.Sprintf("no dpkg status here: %v", err))
			}
			if release, _ := os.ReadFile("/etc/os-release"); tt.pairs < 0 && !strings.Contains(string(release), "bookworm") {
				missing(t, "this machine is not Debian 12")
			}
			got := fixablePairs(t, string(text), in)
			if tt.pairs >= 0 && len(got) != tt.pairs {
				t.Errorf("%d pairs of CVE and source package with a fix, want %d", len(got), tt.pairs)
			}
			abs, err := filepath.Abs(tt.status)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(debsecan(t, abs), got); diff != "" {
				t.Errorf("findings with a fix differ from debsecan's (-debsecan +picket):\n%s", diff)
			}
		})
	}
}
