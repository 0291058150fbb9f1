package version

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// vectorFamilies are the files of conformance vectors and the ecosystem of each.
var vectorFamilies = map[string]string{
	"apk-version.txt": "Alpine", "debian-archive-real.txt": "Debian", "dpkg-version.txt": "Debian",
	"maven-comparableversion.txt": "Maven", "osv-cran.txt": "CRAN", "osv-hackage.txt": "Hackage",
	"osv-nuget.txt": "NuGet", "osv-packagist.txt": "Packagist", "osv-pub.txt": "Pub", "osv-rubygems.txt": "RubyGems",
	"pep440-order.txt": "PyPI", "rpm-rpmvercmp.txt": "AlmaLinux", "semver-node-comparisons.txt": "npm",
}

// feeds returns a folder of shared test data. Where there is none the test is
// skipped, or fails when CI is set.
func feeds(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "feeds", name)
	if _, err := os.Stat(dir); err != nil {
		missing(t, "no shared test data: "+err.Error())
	}
	return dir
}

// missing skips the test with the reason, or fails it when CI is set.
func missing(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// checkLines checks a file of "a < b" lines and the same lines turned round; it returns their number.
func checkLines(t *testing.T, ecosystem, path string) int {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	n := 0
	for sc.Scan() {
		text := strings.TrimSpace(sc.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		parts := strings.Fields(text)
		if len(parts) != 3 {
			t.Fatalf("%s: %q has no three fields", path, text)
		}
		n++
		want, ok := map[string]int{"<": -1, "=": 0, ">": 1}[parts[1]]
		if !ok {
			t.Fatalf("%s: %q has no order", path, text)
		}
		if got, err := Compare(ecosystem, parts[0], parts[2]); err != nil || sign(got) != want {
			t.Errorf("Compare(%s, %q, %q) = %d, %v, want %s", ecosystem, parts[0], parts[2], sign(got), err, parts[1])
		}
		if got, err := Compare(ecosystem, parts[2], parts[0]); err != nil || sign(got) != -want {
			t.Errorf("Compare(%s, %q, %q) = %d, %v, want the opposite of %q", ecosystem, parts[2], parts[0], sign(got), err, text)
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestVectors(t *testing.T) {
	dir := feeds(t, "version-vectors")
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", dir, err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			ecosystem, ok := vectorFamilies[name]
			if !ok {
				t.Fatalf("no ecosystem is set for %s", name)
			}
			t.Logf("%d lines", checkLines(t, ecosystem, path))
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNodeRanges takes those lines of node-semver's range tests that say what a
// Range can say: comparators with full versions, without its shorthands.
func TestNodeRanges(t *testing.T) {
	full := regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+$`)
	for file, want := range map[string]bool{"semver-node-range-include.tsv": true, "semver-node-range-exclude.tsv": false} {
		raw, err := os.ReadFile(filepath.Join(feeds(t, "version-vectors"), file))
		if err != nil {
			t.Fatal(err)
		}
		taken := 0
	lines:
		for _, text := range strings.Split(string(raw), "\n") {
			set, v, ok := strings.Cut(text, "\t")
			if !ok || !full.MatchString(v) {
				continue
			}
			var ranges []Range
			for _, part := range strings.Split(set, "||") {
				var r Range
				for _, c := range strings.Fields(part) {
					var at *string
					switch {
					case strings.HasPrefix(c, ">="):
						at, c = &r.Introduced, c[2:]
					case strings.HasPrefix(c, "<="):
						at, c = &r.LastAffected, c[2:]
					case strings.HasPrefix(c, "<"):
						at, c = &r.Fixed, c[1:]
					}
					if at == nil || *at != "" || !full.MatchString(c) {
						continue lines
					}
					*at = c
				}
				ranges = append(ranges, r)
			}
			taken++
			got := false
			for _, r := range ranges {
				in, err := Contains("npm", r, v)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				got = got || in
			}
			if got != want {
				t.Errorf("%s: %q holds %q: %v, want %v", file, set, v, got, want)
			}
		}
		if taken < 4 {
			t.Errorf("%s: only %d lines were usable", file, taken)
		}
		t.Logf("%s: %d lines", file, taken)
	}
}
