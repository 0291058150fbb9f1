package api

import (
	"testing"
	"time"

	"github.com/picketsec/picket/internal/rig/names"
)

// TestFileNamesAreWords is for the class of CVE-2023-0290: whatever a device is
// called, the name of a download is one word that ends no header early.
func TestFileNamesAreWords(t *testing.T) {
	for _, name := range names.Hostile() {
		for _, got := range []string{fileName("devices", name, time.Now()), fileName("package-"+name, "0123", time.Now())} {
			if !names.Plain(got + ".zip") {
				t.Errorf("%.60q is called %.80q", name, got)
			}
		}
	}
}
