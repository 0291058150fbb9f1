package collect

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/picketsec/picket/internal/inventory"
)

var update = flag.Bool("update", false, "rewrite the want files of testdata/*.txtar")

// testNow is the clock of scripts and of every file in their trees.
var testNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// attributes are mode and owner behind a name in an archive.
var attributes = regexp.MustCompile(`^(.*?)( mode=([0-7]+))?( owner=([0-9]+):([0-9]+))?$`)

// tree turns the files below "root/" of an archive into a file system. A file
// named "a -> b" is a symbolic link from a to b, "a/" is a directory, and
// "mode=0640 owner=0:42" may follow a name; without, files are 0644 and root's.
func tree(a *txtar.Archive) fstest.MapFS {
	m := fstest.MapFS{}
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, "root/")
		if !ok {
			continue
		}
		at := attributes.FindStringSubmatch(name)
		name = at[1]
		if from, to, ok := strings.Cut(name, " -> "); ok {
			m[from] = &fstest.MapFile{Data: []byte(to), Mode: fs.ModeSymlink | 0o777, ModTime: testNow}
			continue
		}
		mode := fs.FileMode(0o644)
		if n, err := strconv.ParseUint(at[3], 8, 32); err == nil {
			mode = fs.FileMode(n & 0o777)
			for i, bit := range []fs.FileMode{fs.ModeSticky, fs.ModeSetgid, fs.ModeSetuid} {
				if n&(0o1000<<i) != 0 {
					mode |= bit
				}
			}
		}
		uid, _ := strconv.ParseUint(at[5], 10, 32)
		gid, _ := strconv.ParseUint(at[6], 10, 32)
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			name, mode = dir, mode|fs.ModeDir
		}
		m[name] = &fstest.MapFile{Data: f.Data, Mode: mode, ModTime: testNow, Sys: owned(uint32(uid), uint32(gid))}
	}
	return m
}

// TestScripts runs the collectors named in the comment ("sections: dpkg os") of
// each archive in testdata on its tree and compares with its file "want".
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h := Host{FS: tree(a), Now: testNow}
			var names []string
			for line := range strings.Lines(string(a.Comment)) {
				switch k, v, _ := strings.Cut(strings.TrimSpace(line), ": "); k {
				case "live":
					h.Live = v == "true"
				case "sections":
					names = strings.Fields(v)
				}
			}
			all := All()
			var got strings.Builder
			for _, n := range names {
				s := Run(t.Context(), collector(t, all, inventory.SectionName(n)), h, DefaultLimits())
				fmt.Fprintf(&got, "%s %s", s.Name, s.Status)
				if s.Reason != "" {
					fmt.Fprintf(&got, ": %s", s.Reason)
				}
				got.WriteByte('\n')
				for _, it := range s.Items {
					fmt.Fprintf(&got, "\t%s %s\n", it.Key, it.Value)
				}
				again := Run(t.Context(), collector(t, All(), inventory.SectionName(n)), h, DefaultLimits())
				if again.Hash() != s.Hash() {
					t.Errorf("two runs of %s differ", n)
				}
			}
			for i := range a.Files {
				if a.Files[i].Name != "want" {
					continue
				}
				if *update {
					a.Files[i].Data = []byte(got.String())
					if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if d := cmp.Diff(string(a.Files[i].Data), got.String()); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				return
			}
			t.Error("the script has no file named want")
		})
	}
}
