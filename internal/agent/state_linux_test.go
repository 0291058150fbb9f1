package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unwritten is how many bytes this process wrote to files that were removed
// before they were on the disk (proc_pid_io(5)).
func unwritten(t *testing.T) (n int64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/io")
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if v, ok := strings.CutPrefix(line, "cancelled_write_bytes: "); ok {
			_, err = fmt.Sscan(v, &n)
			must(t, err)
			return n
		}
	}
	t.Skip("the kernel does not count writes")
	return 0
}

// What replace has put in place is on the disk when it returns: a key is there
// after a power cut before anybody hears of it. The kernel's own account tells.
func TestReplaceIsOnTheDisk(t *testing.T) {
	s, err := openState(filepath.Join(t.TempDir(), "s"))
	must(t, err)
	defer func() { must(t, s.close()) }()
	data := bytes.Repeat([]byte("x"), 1<<20)
	before := unwritten(t)
	must(t, os.WriteFile(filepath.Join(s.path, "plain"), data, 0o600))
	must(t, os.Remove(filepath.Join(s.path, "plain")))
	plain := unwritten(t) - before
	if plain < int64(len(data))/2 {
		t.Skip("the file system of the temporary directory has no disk below it")
	}
	before = unwritten(t)
	must(t, s.replace("new.pem", data))
	must(t, os.Remove(filepath.Join(s.path, "new.pem")))
	if left := unwritten(t) - before; left > plain/2 {
		t.Errorf("%d of %d bytes were not on the disk when replace returned", left, len(data))
	}
}
