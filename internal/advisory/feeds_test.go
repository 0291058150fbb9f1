package advisory

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// feeds returns a path of the shared test data. Where there is none the test is
// skipped, or fails when CI is set.
func feeds(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "feeds"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no shared test data: %v", err)
		}
		t.Skipf("no shared test data: %v", err)
	}
	return path
}

// eachFile calls fn for every file in a file, archive or directory, unpacked.
func eachFile(t testing.TB, path string, fn func(name string, r io.Reader)) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err := filepath.WalkDir(path, func(p string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				eachFile(t, p, fn)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpack(t, filepath.Base(path), f, fn)
}

func unpack(t testing.TB, name string, r io.Reader, fn func(name string, r io.Reader)) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	ext := filepath.Ext(name)
	inner := strings.TrimSuffix(name, ext)
	switch ext {
	case ".gz":
		z, err := gzip.NewReader(r)
		if err != nil {
			fn(name, strings.NewReader("")) // broken on purpose in the samples
			return
		}
		unpack(t, inner, z, fn)
	case ".bz2":
		unpack(t, inner, bzip2.NewReader(r), fn)
	case ".xz":
		z, err := xz.NewReader(r)
		check(err)
		unpack(t, inner, z, fn)
	case ".zst":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		check(err)
		defer z.Close()
		unpack(t, inner, z, fn)
	case ".tar":
		tr := tar.NewReader(r)
		for {
			h, err := tr.Next()
			if err == io.EOF {
				return
			}
			check(err)
			if h.Typeflag == tar.TypeReg {
				unpack(t, h.Name, tr, fn)
			}
		}
	case ".zip":
		raw, err := io.ReadAll(r)
		check(err)
		z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		check(err)
		for _, e := range z.File {
			if e.FileInfo().IsDir() {
				continue
			}
			in, err := e.Open()
			check(err)
			unpack(t, e.Name, in, fn)
			in.Close()
		}
	default:
		fn(name, r)
	}
}

// tally is what decoding some files gave.
type tally struct {
	files, records, statements, skips int
	withdrawn                         int
	feeds                             map[string]int
	reasons                           map[string]int
	date                              time.Time
	in                                *bufio.Reader
}

func newTally() *tally { return &tally{feeds: map[string]int{}, reasons: map[string]int{}} }

// add decodes one file after recognising it.
func (y *tally) add(t testing.TB, name string, r io.Reader, want Format, see func(Header, Record)) {
	t.Helper()
	if y.in == nil {
		y.in = bufio.NewReaderSize(nil, maxHead)
	}
	y.in.Reset(r)
	head, err := y.in.Peek(maxHead)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		t.Fatalf("%s: %v", name, err)
	}
	f, ok := Sniff(name, head)
	if !ok || f != want {
		t.Fatalf("Sniff(%s) = %q, %v, want %q", name, f, ok, want)
	}
	y.files++
	h, err := Decode(f, name, y.in, func(h Header, rec Record) error {
		y.records++
		y.statements += len(rec.Statements)
		y.feeds[h.Feed]++
		if rec.Withdrawn {
			y.withdrawn++
		}
		checkRecord(t, h, rec)
		if see != nil {
			see(h, rec)
		}
		return nil
	}, func(id, reason string) {
		y.skips++
		y.reasons[reason]++
		if y.skips <= 20 {
			t.Logf("%s: skipped %s: %s", name, id, reason)
		}
	})
	if err != nil {
		t.Fatalf("Decode(%s): %v", name, err)
	}
	if h.Date.After(y.date) {
		y.date = h.Date
	}
}

// checkRecord fails when a record breaks a promise of the package.
func checkRecord(t testing.TB, h Header, rec Record) {
	t.Helper()
	if h.Feed == "" || h.Mode == "" {
		t.Fatalf("%s: header without feed or mode: %+v", rec.ID, h)
	}
	if rec.ID == "" {
		t.Fatal("record without id")
	}
	if rec.Modified.Location() != time.UTC {
		t.Fatalf("%s: time is not UTC", rec.ID)
	}
	for _, p := range rec.Statements {
		st := p.Statement
		if len(st.Weaknesses) == 0 || st.Advisory == "" || st.Feed != h.Feed || st.State == "" || p.Key.Ecosystem == "" || p.Key.Name == "" {
			t.Fatalf("%s: incomplete statement %+v", rec.ID, p)
		}
		if st.State == Fixed {
			some := false
			for _, r := range st.Ranges {
				some = some || r.Fixed != ""
			}
			if !some {
				t.Fatalf("%s: fixed without a fixed version: %+v", rec.ID, p)
			}
		}
	}
	if f := rec.Facts; f != nil {
		if f.ID == "" || len(f.Description) > maxDescription || len(f.Title) > maxTitle || len(f.References) > maxReferences {
			t.Fatalf("%s: facts out of bounds: %+v", rec.ID, f)
		}
	}
}

func (y *tally) String() string {
	return fmt.Sprintf("%d files, %d records, %d statements, %d skips, %d withdrawn, date %s, feeds %v", y.files, y.records, y.statements, y.skips, y.withdrawn, y.date.Format(time.DateOnly), y.feeds)
}

func TestRealFeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("reads whole feeds: minutes under the race detector")
	}
	// Figures are those of the folders' README files.
	tests := []struct {
		path    []string
		format  Format
		records int
		skips   int
		date    string
	}{
		{[]string{"debian-security", "security-tracker.derived-2026-06-30.json.gz"}, FormatDebianTracker, 14846, 0, "2026-06-30"},
		// One line of DSA-423 has a package name where the version should be.
		{[]string{"debian-security", "verbatim-2025-02-13", "DSA.list.gz"}, FormatDSA, 5909, 1, "2025-02-12"},
		{[]string{"debian-security", "verbatim-2025-02-13", "DLA.list.gz"}, FormatDSA, 4224, 0, ""},
		{[]string{"debian-security", "to-2026-06-30.reconstructed", "DSA.list.gz"}, FormatDSA, 5909 + 501, 1, "2026-06-30"},
		{[]string{"debian-security", "to-2026-06-30.reconstructed", "DLA.list.gz"}, FormatDSA, 4224 + 580, 0, ""},
		{[]string{"kev", "2025-08-25", "known_exploited_vulnerabilities.json"}, FormatKEV, 1404, 0, "2025-08-25"},
		{[]string{"kev", "2025-08-25", "known_exploited_vulnerabilities.csv"}, FormatKEVTable, 1404, 0, "2025-08-25"},
		{[]string{"kev", "2026-06-30", "known_exploited_vulnerabilities.json"}, FormatKEV, 1630, 0, ""},
		{[]string{"epss", "epss_scores-2025-12-15.kev-subset.csv.gz"}, FormatEPSS, 1475, 0, "2025-12-15"},
		{[]string{"epss", "epss_scores-2026-06-30.kev-subset.csv.gz"}, FormatEPSS, 1551, 0, "2026-06-30"},
		{[]string{"endoflife", "products-full.api-v1.derived-2026-06-30.json.gz"}, FormatEndOfLife, 459, 0, "2026-06-30"},
		{[]string{"nvd", "nvdcve-1.1-2018.json.gz"}, FormatNVD11, 16591, 0, ""},
		{[]string{"nvd", "nvdcve-1.1-2021.json.gz"}, FormatNVD11, 10660, 0, ""},
		{[]string{"nvd", "nvdcve-1.1-2025.json.gz"}, FormatNVD11, 12137, 0, ""},
		{[]string{"nvd", "nvdcve-1.1-recent.json.gz"}, FormatNVD11, 1182, 0, ""},
		{[]string{"nvd", "nvdcve-2.0-2021.derived.json.gz"}, FormatNVD2, 10660, 0, ""},
		{[]string{"nvd", "nvdcve-2.0-2025.derived.json.gz"}, FormatNVD2, 12137, 0, ""},
		{[]string{"nvd", "nvdcve-2.0-2024.composed.json.gz"}, FormatNVD2, 6349, 0, ""},
		{[]string{"nvd", "nvdcve-2.0-2025-2026.composed.json.gz"}, FormatNVD2, 20581, 0, ""},
		{[]string{"cve5", "cve-records-2024-10-17.tar.zst"}, FormatCVE5, 42191, 0, ""},
		{[]string{"osv", "Go", "all.zip"}, FormatOSV, 3786, 0, ""},
		{[]string{"osv", "crates.io", "all.zip"}, FormatOSV, 1127, 0, ""},
		{[]string{"osv", "AlmaLinux", "all.zip"}, FormatOSV, 5166, 0, ""},
		{[]string{"osv", "Bitnami", "all.zip"}, FormatOSV, 7444, 0, ""},
		{[]string{"osv", "PyPI", "all.zip"}, FormatOSV, 2661, 0, ""},
		{[]string{"osv", "npm", "all.zip"}, FormatOSV, 996, 0, ""},
		{[]string{"osv", "Maven", "all.zip"}, FormatOSV, 163, 0, ""},
		{[]string{"osv", "NuGet", "all.zip"}, FormatOSV, 180, 0, ""},
		{[]string{"osv", "RubyGems", "all.zip"}, FormatOSV, 154, 0, ""},
		{[]string{"osv", "Packagist", "all.zip"}, FormatOSV, 151, 0, ""},
		{[]string{"osv", "Hex", "all.zip"}, FormatOSV, 45, 0, ""},
		{[]string{"osv", "Pub", "all.zip"}, FormatOSV, 12, 0, ""},
		{[]string{"osv", "Debian", "all.zip"}, FormatOSV, 120, 0, ""},
		{[]string{"osv", "Ubuntu", "all.zip"}, FormatOSV, 124, 0, ""},
		{[]string{"osv", "Alpine", "all.zip"}, FormatOSV, 204, 0, ""},
		{[]string{"osv", "Rocky Linux", "all.zip"}, FormatOSV, 116, 0, ""},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.path, "/"), func(t *testing.T) {
			if testing.Short() && tt.format == FormatCVE5 {
				t.Skip("short")
			}
			path := feeds(t, tt.path...)
			y := newTally()
			start := time.Now()
			eachFile(t, path, func(name string, r io.Reader) { y.add(t, strings.Join(tt.path, "/")+"/"+name, r, tt.format, nil) })
			took := time.Since(start)
			t.Logf("%v, %.0f records/s", y, float64(y.records)/took.Seconds())
			if y.records != tt.records || y.skips != tt.skips {
				t.Errorf("%d records, %d skips %v, want %d and %d", y.records, y.skips, y.reasons, tt.records, tt.skips)
			}
			if tt.date != "" && y.date.Format(time.DateOnly) != tt.date {
				t.Errorf("date %s, want %s", y.date.Format(time.DateOnly), tt.date)
			}
		})
	}
}

// TestSamples recognises the samples of upstream formats, and nothing else, and
// decodes what is recognised. The figures were counted in the samples: each
// skip is a file that its collection made bad on purpose, a record without any
// package version (commits only), or a catalogue that was cut to a few entries.
func TestSamples(t *testing.T) {
	path := feeds(t, "upstream-format-samples", "vuls-data-update-fetch-fixtures-2026-08-07.tar.zst")
	type figures struct{ Files, Records, Skips int }
	got := map[Format]figures{}
	eachFile(t, path, func(name string, r io.Reader) {
		raw, err := io.ReadAll(r)
		if err != nil {
			return // an archive that its collection broke on purpose
		}
		f, ok := Sniff(name, raw)
		if !ok {
			return
		}
		y := got[f]
		y.Files++
		_, err = Decode(f, name, bytes.NewReader(raw), func(h Header, rec Record) error {
			y.Records++
			checkRecord(t, h, rec)
			return nil
		}, func(id, reason string) {
			y.Skips++
			t.Logf("%s: %s: %s", name, id, reason)
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got[f] = y
	})
	want := map[Format]figures{
		FormatCVE5: {10, 8, 2}, FormatDSA: {2, 5, 0}, FormatDebianTracker: {1, 4, 0}, FormatEndOfLife: {1, 2, 0}, FormatEPSS: {4, 8, 0},
		FormatKEV: {1, 1, 1}, FormatNVD11: {4, 9, 0}, FormatNVD2: {21, 53, 0}, FormatOSV: {214, 213, 6},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("figures (-want +got):\n%s", diff)
	}
}

// BenchmarkFeeds prints how many records per second each feed's decoder gives,
// without unpacking.
func BenchmarkFeeds(b *testing.B) {
	for _, path := range [][]string{
		{"debian-security", "security-tracker.derived-2026-06-30.json.gz"}, {"debian-security", "verbatim-2025-02-13", "DSA.list.gz"},
		{"kev", "2026-06-30", "known_exploited_vulnerabilities.json"}, {"epss", "epss_scores-2026-06-30.kev-subset.csv.gz"},
		{"endoflife", "products-full.api-v1.derived-2026-06-30.json.gz"}, {"nvd", "nvdcve-1.1-2025.json.gz"}, {"nvd", "nvdcve-2.0-2025.derived.json.gz"},
		{"cve5", "cve-records-2024-10-17.tar.zst"}, {"osv", "Go", "all.zip"}, {"osv", "PyPI", "all.zip"}, {"osv", "AlmaLinux", "all.zip"}, {"osv", "Alpine", "all.zip"},
	} {
		b.Run(strings.Join(path, "/"), func(b *testing.B) {
			type file struct {
				name string
				raw  []byte
			}
			var files []file
			size := 0
			eachFile(b, feeds(b, path...), func(name string, r io.Reader) {
				if len(files) >= 5000 {
					return
				}
				raw, err := io.ReadAll(r)
				if err != nil {
					b.Fatal(err)
				}
				files = append(files, file{name, raw})
				size += len(raw)
			})
			b.SetBytes(int64(size))
			records := 0
			for b.Loop() {
				for _, f := range files {
					format, _ := Sniff(f.name, f.raw)
					if _, err := Decode(format, f.name, bytes.NewReader(f.raw), func(Header, Record) error { records++; return nil }, nil); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
