package picket_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/deps again from what the binaries link")

// forbidden says what a binary must not link, and why.
var forbidden = map[string]map[string]string{
	"picket-agent": {
		"database/sql":                "the agent keeps no database",
		"net/http/pprof":              "an endpoint does not offer profiles of itself",
		"testing":                     "no test code in production",
		module + "/internal/server":   "the agent reports facts, it does not judge",
		module + "/internal/api":      "the agent serves nothing",
		module + "/web":               "the agent has no console",
		module + "/internal/store":    "the agent keeps no database",
		module + "/internal/intel":    "the agent knows no intelligence",
		module + "/internal/advisory": "the agent reports facts, it does not judge",
		module + "/internal/exposure": "the agent reports facts, it does not judge",
		module + "/internal/demo":     "demo intelligence is the server's",
	},
	"picket": {
		"testing": "no test code in production",
	},
}

// linked lists what ./cmd/NAME links on linux/amd64, by a template of go list.
func linked(t *testing.T, name, template string, flags ...string) []string {
	t.Helper()
	cmd := exec.Command("go", slices.Concat([]string{"list"}, flags, []string{"-deps", "-f", template, "./cmd/" + name})...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps ./cmd/%s: %v\n%s", name, err, stderr.String())
	}
	lines := strings.Fields(string(out))
	slices.Sort(lines)
	return slices.Compact(lines)
}

func TestForbiddenDeps(t *testing.T) {
	for name, rules := range forbidden {
		t.Run(name, func(t *testing.T) {
			for _, p := range linked(t, name, "{{.ImportPath}}") {
				if why, bad := rules[p]; bad {
					t.Errorf("%s links %s: %s", name, p, why)
				}
			}
		})
	}
}

// TestResponseActionsCanBeLeftOut holds that the agent of the build tag noexec has
// nothing in it that carries out an action, and that the usual one has.
func TestResponseActionsCanBeLeftOut(t *testing.T) {
	const actions = module + "/internal/agent/respond"
	if !slices.Contains(linked(t, "picket-agent", "{{.ImportPath}}"), actions) {
		t.Errorf("picket-agent does not link %s: this test looks for the wrong package", actions)
	}
	if slices.Contains(linked(t, "picket-agent", "{{.ImportPath}}", "-tags", "noexec"), actions) {
		t.Errorf("picket-agent with the tag noexec links %s", actions)
	}
}

// TestDeps keeps the list of modules that each binary links in docs/deps, so
// that a new one shows in the diff. `go test . -run Deps -update` writes it.
func TestDeps(t *testing.T) {
	for name := range forbidden {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(linked(t, name, "{{with .Module}}{{.Path}}{{end}}"), "\n") + "\n"
			file := filepath.Join("docs", "deps", name+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test . -run Deps -update writes it)", err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Errorf("modules linked into %s changed (-%s +now); if that is wanted, say why in docs/adr and run go test . -run Deps -update\n%s", name, file, d)
			}
		})
	}
}
