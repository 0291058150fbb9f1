package client

import (
	"mime"
	"testing"

	"github.com/picketsec/picket/internal/rig/names"
)

// TestNamesOfFilesAreNoPaths is for the class of CVE-2023-0290: what a server calls
// a file is a plain name, or none.
func TestNamesOfFilesAreNoPaths(t *testing.T) {
	for _, name := range names.Hostile() {
		for _, header := range []string{`attachment; filename="` + name + `"`, mime.FormatMediaType("attachment", map[string]string{"filename": name})} {
			if got := fileName(header); got != "" && !names.Plain(got) {
				t.Errorf("%.60q is called %.60q", header, got)
			}
		}
	}
	if got := fileName(`attachment; filename="devices-2026-01-31.csv"`); got != "devices-2026-01-31.csv" {
		t.Errorf("a good name is %q", got)
	}
	if got := fileName(`attachment; filename="C:\\x\\report.csv"`); got != "report.csv" {
		t.Errorf("the name in a path is %q", got)
	}
}
