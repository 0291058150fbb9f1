package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A directory that is none of Picket's is not told to be whole, and nothing is made in it.
func TestAuditVerifyNeedsAStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mistyped")
	var out, errs bytes.Buffer
	if code := run([]string{"audit", "verify", "--data", dir}, &out, &errs); code != exitUsage || out.Len() != 0 || !strings.Contains(errs.String(), "holds no store") {
		t.Fatalf("%d %q %q", code, out.String(), errs.String())
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("the directory was made: %v", err)
	}
}
