package sense

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/event"
)

// mounted returns where a control group file system is mounted: its type and,
// of the first version, a controller.
func mounted(t *testing.T, kind, controller string) string {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		head, tail, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(head), strings.Fields(tail)
		if len(f) > 4 && len(g) > 2 && g[0] == kind && (controller == "" || strings.Contains(","+g[2]+",", ","+controller+",")) {
			return f[4]
		}
	}
	return ""
}

// What runs in a container is told with the container's id, by control groups
// of both versions, also when it has made groups of its own in there and when it
// is gone at once.
func TestContainersByControlGroup(t *testing.T) {
	k, source := startSources(t, event.Process)
	if source != SourceEBPF {
		t.Fatalf("source is %q", source)
	}
	for i, of := range []struct{ version, kind, controller string }{{"first", "cgroup", "memory"}, {"second", "cgroup2", ""}} {
		t.Run(of.version, func(t *testing.T) {
			root := mounted(t, of.kind, of.controller)
			if root == "" {
				t.Skip("control groups of this version are not mounted")
			}
			id := fmt.Sprintf("%064x", os.Getpid()<<4+i)
			for _, below := range []string{"", "/init.scope", "/system.slice/some.service"} {
				top := filepath.Join(root, "docker-"+id+".scope")
				if err := os.MkdirAll(top+below, 0o755); err != nil {
					t.Skipf("no control group can be made: %v", err)
				}
				mark := "in" + strings.ReplaceAll(below, "/", "-") + of.version
				var stderr bytes.Buffer
				cmd := exec.Command("/bin/sh", "-c", "echo $$ >"+top+below+"/cgroup.procs && exec /bin/true "+mark)
				cmd.Stderr = &stderr
				err := cmd.Run()
				for dir := top + below; dir != root; dir = filepath.Dir(dir) {
					_ = os.Remove(dir) // empty again
				}
				if err != nil {
					t.Fatalf("%v: %s", err, stderr.String())
				}
				e := k.find(t, mark, func(e *event.Event) bool {
					return e.Action == event.ProcessCreated && e.Text(event.ProcessCommandLine) == "/bin/true "+mark
				})
				if e.Text(event.ContainerID) != id {
					t.Errorf("%s: container %q, want %q", below, e.Text(event.ContainerID), id)
				}
			}
		})
	}
}
