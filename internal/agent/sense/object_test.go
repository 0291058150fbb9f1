package sense

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The object that is committed is the one that its source gives: scripts/bpf.sh
// notes the digests of both when it makes it.
func TestObjectBelongsToItsSource(t *testing.T) {
	raw, err := os.ReadFile("bpf/sense.sums")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[3], "# ") {
		t.Fatalf("%d lines, want the digests of two sources and the object, and the compiler", len(lines))
	}
	for _, line := range lines[:3] {
		want, name, _ := strings.Cut(line, "  ")
		content, err := os.ReadFile(filepath.Join("bpf", name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s was changed after scripts/bpf.sh ran: run it", name)
		}
	}
}
