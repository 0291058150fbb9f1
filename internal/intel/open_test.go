package intel

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// member is a file in an archive of a test.
type member struct{ name, body string }

func tarOf(t testing.TB, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		if err := w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.body)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zipOf(t testing.TB, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(m.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gz(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zst(t testing.TB, body string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.EncodeAll([]byte(body), nil))
}

func xzOf(t testing.TB, body string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bz2Tracker is a tracker with one flaw of the package p2, packed by bzip2:
// the standard library only unpacks.
const bz2Tracker = "QlpoOTFBWSZTWUgWtAQAAEDfgCAAEAd0EAoAAQA6r96qIABgaE0p6TwUeSep6hmmUMYTEyYCYADVLxvnls0E26JwOKGgNdSEaU37VqomabYRiqCFrVyo3sx+MhOUw5AeQ96hCYMDpsLiHEm7DuhaYRsDMqkkmqwXQl0WjGHGD/i7kinChIJAtaAg"

func bz2(t testing.TB) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(bz2Tracker)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Every container, alone and nested, gives what is inside.
func TestContainers(t *testing.T) {
	tracker := trackerOf(3, "1")
	osv := member{"all/GHSA-aaaa-bbbb-cccc.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected)}
	for name, body := range map[string]string{
		"plain":          tracker,
		"gz":             gz(t, tracker),
		"zst":            zst(t, tracker),
		"xz":             xzOf(t, tracker),
		"bz2":            bz2(t),
		"bz2 in tar":     tarOf(t, member{"tracker.json.bz2", bz2(t)}),
		"zip":            zipOf(t, member{"dir/tracker.json", tracker}),
		"tar":            tarOf(t, member{"tracker.json", tracker}),
		"tar.gz":         gz(t, tarOf(t, member{"tracker.json", tracker})),
		"tar.zst.zip":    zst(t, tarOf(t, member{"a/all.zip", zipOf(t, osv, member{"x", tracker})})),
		"zip.zip":        zipOf(t, member{"inner.zip", zipOf(t, member{"t", tracker})}),
		"gz in zip":      zipOf(t, member{"t.gz", gz(t, tracker)}),
		"wrong suffixes": zipOf(t, member{"t.exe", gz(t, tracker)}),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := open(t, Options{})
			give(t, s, "given", body)
			if got := said1(t, s, bookworm("p2")); len(got) != 1 {
				t.Errorf("statements = %v", got)
			}
		})
	}
}

// A file that ends early changes nothing, whatever its format, wherever it ends.
func TestTruncatedChangesNothing(t *testing.T) {
	tracker, osv := trackerOf(40, "2"), osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected)
	cve := cveJSON("CVE-2024-0002", "PUBLISHED", "2024-05-01T00:00:00Z")
	nvd := `{"resultsPerPage":1,"startIndex":0,"totalResults":1,"format":"NVD_CVE","version":"2.0","timestamp":"2026-01-01T00:00:00.000","vulnerabilities":[{"cve":{"id":"CVE-2024-0002","lastModified":"2024-05-01T00:00:00.000","descriptions":[{"lang":"en","value":"D"}]}}]}`
	eol := `{"schema_version":"1.2.0","generated_at":"2026-01-01T00:00:00+00:00","total":1,"result":[{"name":"debian","label":"Debian","identifiers":[],"releases":[{"name":"12","isEol":false,"eolFrom":"2026-06-10"}]}]}`
	list := "[01 Jan 2026] DSA-6000-1 openssl - security update\n\t{CVE-2024-0001}\n\t[bookworm] - openssl 3.0.1-1\n"
	for name, body := range map[string]string{
		"tracker.json": tracker, "osv.json": osv, "cve.json": cve, "nvd.json": nvd, "eol.json": eol,
		"kev.json":   kevJSON("2026-06-29", "CVE-2024-0001", "CVE-2024-0002"),
		"gz":         gz(t, tracker),
		"zst":        zst(t, tracker),
		"xz":         xzOf(t, tracker),
		"bz2":        bz2(t),
		"zip":        zipOf(t, member{"a.json", osv}, member{"b.json", cve}),
		"tar":        tarOf(t, member{"a.json", osv}, member{"b.json", cve}),
		"list.gz":    gz(t, list),
		"epss.gz":    gz(t, epssCSV("2026-01-01", "CVE-2024-0001,0.1,0.2", "CVE-2024-0002,0.1,0.2")),
		"tar.zst":    zst(t, tarOf(t, member{"a.json", osv}, member{"b.json", cve})),
		"zip in tar": tarOf(t, member{"all.zip", zipOf(t, member{"a.json", osv})}),
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := open(t, Options{})
			before := dump(t, s)
			step := max(1, len(body)/40)
			for cut := 1; cut < len(body)-1; cut += step {
				if name == "tar" && len(body)-cut <= 512 {
					break // the end marker is two blocks; one is enough
				}
				res, err := s.ImportBytes(t.Context(), name, []byte(body[:cut]), ImportOptions{})
				if res.Changed {
					t.Fatalf("cut at %d of %d bytes was loaded: %s", cut, len(body), statuses(res))
				}
				if err == nil {
					t.Fatalf("cut at %d of %d bytes: no error", cut, len(body))
				}
			}
			if diff := cmp.Diff(before, dump(t, s)); diff != "" {
				t.Error(diff)
			}
			give(t, s, name, body)
			if s.Generation() == 0 {
				t.Error("the whole file was not loaded")
			}
		})
	}
}

// One broken file in a call does not stop the others.
func TestBrokenMemberAlone(t *testing.T) {
	s := open(t, Options{})
	body := gz(t, trackerOf(5, "1"))
	res := give(t, s, "mixed.zip", zipOf(t,
		member{"kev.json", kevJSON("2026-06-29", "CVE-2024-0001")},
		member{"tracker.gz", body[:len(body)-9]},
		member{"GHSA-1.json", `{"id":"GHSA-1","modified":`},
		member{"GHSA-2.json", osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected)}))
	got := statuses(res)
	for _, want := range []string{"kev loaded +1", "- failed", "osv/PyPI loaded +1"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
	if list := said1(t, s, bookworm("p0")); len(list) > 0 {
		t.Errorf("statements of the broken member: %v", list)
	}
}

// A member whose checksum is wrong is not taken.
func TestChecksums(t *testing.T) {
	s := open(t, Options{})
	body := []byte(gz(t, trackerOf(5, "1")))
	body[len(body)-6] ^= 1
	res, err := s.ImportBytes(t.Context(), "t.gz", body, ImportOptions{})
	if err == nil || res.Changed {
		t.Errorf("gzip: %v %s", err, statuses(res))
	}
	z := []byte(zipOf(t, member{"t.json", trackerOf(5, "1")}))
	i := bytes.LastIndex(z, []byte("PK\x01\x02"))
	z[i+16] ^= 1 // CRC-32 in the central directory
	if res, err = s.ImportBytes(t.Context(), "t.zip", z, ImportOptions{}); err == nil || res.Changed {
		t.Errorf("zip: %v %s", err, statuses(res))
	}
}

func TestHostileArchives(t *testing.T) {
	tracker := trackerOf(3, "1")
	padded := tracker + strings.Repeat(" ", 1<<20)
	lim := defaultLimits()
	lim.expanded, lim.member, lim.members, lim.free, lim.ratio, lim.archives, lim.packings = 8<<20, 4<<20, 50, 1<<16, 100, 3, 3
	nest := tracker
	for range 5 {
		nest = zipOf(t, member{"x", nest})
	}
	pack := tracker
	for range 5 {
		pack = gz(t, pack)
	}
	var many []member
	for i := range 60 {
		many = append(many, member{fmt.Sprint("n", i), "text"})
	}
	for name, tt := range map[string]struct{ body, want string }{
		"ratio":         {gz(t, padded), "times its size"},
		"ratio in zip":  {zipOf(t, member{"z", padded}, member{"t.json", tracker}), "times its size"},
		"large member":  {tarOf(t, member{"z", padded + strings.Repeat(padded[len(tracker):], 4)}), "larger than"},
		"nested zips":   {nest, "archives within archives"},
		"nested gzips":  {pack, "compressions within compressions"},
		"many members":  {zipOf(t, append(many, member{"t.json", tracker})...), "more than 50 files"},
		"xz dictionary": {"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28" + strings.Repeat("\x00", 50), "dictionary"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s := open(t, Options{})
			res, err := s.ImportBytes(t.Context(), "given", []byte(tt.body), ImportOptions{lim: &lim})
			var lim *limitError
			if !errors.As(err, &lim) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one about %q", err, tt.want)
			}
			if res.Changed {
				t.Errorf("something was loaded: %s", statuses(res))
			}
		})
	}
}

// Names of members are shown, never used as paths.
func TestMemberNamesAreNotPaths(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "intel.db"), Options{})
	lim := defaultLimits()
	lim.inMemory = 100 // the nested zip goes through a temporary file
	inner := zipOf(t, member{"../../../escape.json", kevJSON("2026-06-29", "CVE-2024-0001")})
	res, err := s.ImportBytes(t.Context(), "outer.tar", []byte(tarOf(t, member{"../../evil\x1b[31m.zip", inner})), ImportOptions{lim: &lim})
	if err != nil || !res.Changed {
		t.Fatalf("%v %s", err, statuses(res))
	}
	if strings.ContainsRune(res.Loads[0].Source, 0x1b) {
		t.Errorf("control character in %q", res.Loads[0].Source)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the file: %v %v", entries, err)
	}
}

func TestDirectories(t *testing.T) {
	dir := t.TempDir()
	real := put(t, dir, "a/kev.json", kevJSON("2026-06-29", "CVE-2024-0001"))
	put(t, dir, "deep/"+strings.Repeat("d/", 40)+"t.json", trackerOf(3, "1"))
	for from, to := range map[string]string{"loop": dir, "link.json": real, "dangling": filepath.Join(dir, "no")} {
		if err := os.Symlink(to, filepath.Join(dir, from)); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Options{})
	res, err := s.Import(t.Context(), []string{dir}, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range res.Loads {
		rel, _ := filepath.Rel(dir, l.Source)
		got = append(got, fmt.Sprintf("%s %s %.30s", strings.TrimSuffix(strings.ReplaceAll(rel, "/d", ""), "/"), l.Status, l.Reason))
	}
	want := []string{"a/kev.json loaded", "link.json superseded by", "dangling skipped symbolic link", "deep skipped more than 32", "loop skipped symbolic link"}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
}

// FuzzImport feeds arbitrary bytes through containers and decoders. Whatever
// comes, the import ends, and a second import of the same bytes changes nothing.
func FuzzImport(f *testing.F) {
	tracker := trackerOf(2, "1")
	for _, seed := range []string{tracker, gz(f, tracker), zst(f, tracker), xzOf(f, tracker), bz2(f), zipOf(f, member{"a", tracker}), tarOf(f, member{"a", tracker}),
		kevJSON("2026-06-29", "CVE-2024-0001"), epssCSV("2026-06-30", "CVE-2024-0002,0.5,0.9"), "[]", "{", "BZh9", "PK\x05\x06",
		osvJSON("GHSA-aaaa-bbbb-cccc", "2024-05-01T00:00:00Z", djangoAffected), cveJSON("CVE-2024-0008", "REJECTED", "2024-05-02T00:00:00Z")} {
		f.Add([]byte(seed))
	}
	lim := defaultLimits()
	lim.expanded, lim.member, lim.members = 16<<20, 8<<20, 1000
	f.Fuzz(func(t *testing.T, body []byte) {
		s := open(t, Options{noSync: true})
		opt := ImportOptions{lim: &lim}
		if _, err := s.ImportBytes(t.Context(), "given", body, opt); err != nil {
			if s.Generation() != 0 && !errorsAsPath(err) {
				t.Fatalf("an error, but something changed: %v", err)
			}
		}
		gen := s.Generation()
		if res, _ := s.ImportBytes(t.Context(), "given", body, opt); res.Changed || s.Generation() != gen {
			t.Fatalf("the second import changed something: %s", statuses(res))
		}
		dump(t, s)
	})
}

func errorsAsPath(err error) bool {
	var pe *PathError
	return errors.As(err, &pe)
}

// FuzzEntry reads arbitrary bytes as a stored entry.
func FuzzEntry(f *testing.F) {
	f.Add(appendEntry(nil, &entry{group: []string{"CVE-2024-0001"}, said: []string{"x"}, body: []byte("body")}))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := parseEntry(raw)
		if err != nil {
			return
		}
		if _, err := e.record(); err != nil && !errors.Is(err, errCorrupt) {
			t.Fatal(err)
		}
		again, err := parseEntry(appendEntry(nil, &e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fmt.Sprint(e), fmt.Sprint(again)); diff != "" {
			t.Error(diff)
		}
	})
}
