package intel

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/picketsec/picket/internal/rig/names"
)

// TestArchivesLeadNowhere is for the class of CVE-2026-25770: archives of feeds hold
// members with every hostile name, and links, devices and pipes that lead to a
// file outside. Members are read as text and shown by name; nothing is written
// beside the intelligence, and nothing is read but the archive.
func TestArchivesLeadNowhere(t *testing.T) {
	top := t.TempDir()
	secret := put(t, top, "secret.json", kevJSON("2026-06-29", "CVE-2024-9999"))
	before := files(t, top)
	good := kevJSON("2026-06-29", "CVE-2024-0001")
	var list []member
	for _, name := range append(names.Hostile(), secret, "../../secret.json", "..\\..\\secret.json") {
		if name = strings.TrimRight(name, "/"); len(name) < 60_000 && name != "" && !strings.ContainsRune(name, 0) { // what a header of zip holds
			list = append(list, member{strings.ToValidUTF8(name, "?"), "no feed"})
		}
	}
	list = append(list, member{"kev.json", good})
	var linked bytes.Buffer
	w := tar.NewWriter(&linked)
	for i, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeDir} {
		for _, to := range []string{secret, "../secret.json", "/etc/passwd"} {
			h := &tar.Header{Name: "kev-" + string(rune('a'+i)) + ".json", Typeflag: kind, Mode: 0o777, Linkname: to}
			if err := w.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "kev.json", Typeflag: tar.TypeReg, Mode: 0o4777, Size: int64(len(good))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var linkedZip bytes.Buffer
	z := zip.NewWriter(&linkedZip)
	for i, mode := range []fs.FileMode{fs.ModeSymlink | 0o777, fs.ModeDevice | 0o666, fs.ModeNamedPipe | 0o666, fs.ModeDir | 0o777} {
		h := &zip.FileHeader{Name: "kev-" + string(rune('a'+i)) + ".json"}
		h.SetMode(mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if mode.IsDir() {
			continue
		}
		if _, err := f.Write([]byte(kevJSON("2026-06-30", "CVE-2024-8888"))); err != nil { // what it holds is no file's
			t.Fatal(err)
		}
	}
	f, err := z.Create("kev.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	lim := defaultLimits()
	lim.inMemory = 100 // nested archives go through temporary files
	for name, body := range map[string]string{
		"names.tar": tarOf(t, list...), "names.zip": zipOf(t, list...), "names.tar.gz": gz(t, tarOf(t, list...)), "nested.zip": zipOf(t, member{"../x.tar", tarOf(t, list...)}),
		"nested.tar": tarOf(t, member{"/abs/x.zip", zipOf(t, list...)}), "links.tar": linked.String(), "links.zip": linkedZip.String(), "links.tar.zst": zst(t, linked.String()),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openAt(t, filepath.Join(dir, "intel.db"), Options{})
			res, err := s.ImportBytes(t.Context(), name, []byte(body), ImportOptions{lim: &lim})
			if err != nil || !res.Changed {
				t.Fatalf("%v %s", err, statuses(res))
			}
			loaded := 0
			for _, l := range res.Loads {
				if l.Status == Loaded {
					loaded++
					if filepath.Base(strings.ReplaceAll(l.Source, "!", "/")) != "kev.json" {
						t.Errorf("%s was loaded", l.Source)
					}
				}
				if strings.ContainsFunc(l.Source, func(r rune) bool { return unicode.IsControl(r) }) {
					t.Errorf("a member is shown as %.80q", l.Source)
				}
			}
			if loaded != 1 {
				t.Errorf("%d feeds were loaded, want the good one: %s", loaded, statuses(res))
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
				t.Errorf("beside the file: %v %v", entries, err)
			}
		})
	}
	if got := files(t, top); got != before {
		t.Errorf("files before: %s\nafter: %s", before, got)
	}
	if _, err := os.Lstat("/tmp/escape.json"); err == nil {
		t.Error("a member left the archive")
	}
}

// files lists what is below a directory, with sizes.
func files(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(filepath.Base(path), "00") && d.IsDir() && path != dir { // those of the tests below this one
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err == nil {
			b.WriteString(path + " " + info.Mode().String() + "\n")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
