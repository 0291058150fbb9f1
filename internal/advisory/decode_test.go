package advisory

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted parts of the scripts in testdata")

// TestScripts decodes each file of the scripts in testdata/decode and compares
// what comes out with the script's last file, "want". Files named "truncated/…"
// and "wrong/…" are decoded as the format that the first file has.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "decode", "*.txt"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			script, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			var want []byte
			wantAt := -1
			for i, f := range script.Files {
				if f.Name == "want" {
					want, wantAt = f.Data, i
					continue
				}
				fmt.Fprintf(&got, "file %s\n", f.Name)
				dump(&got, f.Name, string(f.Data))
			}
			if wantAt < 0 {
				t.Fatal("the script has no want")
			}
			if *update {
				script.Files[wantAt].Data = []byte(got.String())
				if err := os.WriteFile(path, txtar.Format(script), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("decoding gave something else (-want +got):\n%s", diff)
			}
		})
	}
}

// dump decodes a text and writes what came out, one fact per line.
func dump(b *strings.Builder, name, text string) {
	if rest, ok := strings.CutPrefix(name, "cut/"); ok { // without its last bytes
		name, text = rest, text[:len(text)*2/3]
	}
	f, ok := Sniff(name, []byte(text))
	if !ok {
		b.WriteString("  not recognised\n")
		return
	}
	h, err := Decode(f, name, strings.NewReader(text), func(h Header, rec Record) error {
		dumpRecord(b, rec)
		return nil
	}, func(id, reason string) { fmt.Fprintf(b, "  skip %s: %s\n", id, reason) })
	if err != nil {
		fmt.Fprintf(b, "  error %v\n", err)
		return
	}
	fmt.Fprintf(b, "  header %s %s %s %q\n", h.Feed, h.Mode, stamp(h.Date), h.Version)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05")
}

func dumpRecord(b *strings.Builder, rec Record) {
	fmt.Fprintf(b, "  record %s %s", rec.ID, stamp(rec.Modified))
	if rec.Withdrawn {
		b.WriteString(" withdrawn")
	}
	if len(rec.Aliases) > 0 {
		fmt.Fprintf(b, " aliases=%s", strings.Join(rec.Aliases, ","))
	}
	b.WriteByte('\n')
	if w := rec.Facts; w != nil {
		fmt.Fprintf(b, "    flaw %s %q published=%s severity=%s exploit=%s cwes=%s\n", w.ID, w.Title, stamp(w.Published), w.Severity, w.Exploit, strings.Join(w.CWEs, ","))
		if w.Description != "" {
			fmt.Fprintf(b, "      text %q\n", w.Description)
		}
		for _, s := range w.Scores {
			fmt.Fprintf(b, "      score %s %.1f %s %s\n", s.Version, s.Base, s.Source, s.Vector)
		}
		for _, r := range w.References {
			fmt.Fprintf(b, "      link %s %v\n", r.URL, r.Tags)
		}
	}
	for _, p := range rec.Statements {
		s := p.Statement
		fmt.Fprintf(b, "    %s %s of %s", p.Key, s.State, strings.Join(s.Weaknesses, ","))
		for _, r := range s.Ranges {
			switch {
			case r.LastAffected != "":
				fmt.Fprintf(b, " [%s, %s]", r.Introduced, r.LastAffected)
			default:
				fmt.Fprintf(b, " [%s, %s)", r.Introduced, r.Fixed)
			}
		}
		if len(s.Versions) > 0 {
			fmt.Fprintf(b, " versions=%s", strings.Join(s.Versions, ","))
		}
		for _, kv := range [][2]string{{"urgency", s.Urgency}, {"note", s.Note}, {"module", s.Module}, {"announced", strings.Join(s.Announced, ",")}} {
			if kv[1] != "" {
				fmt.Fprintf(b, " %s=%q", kv[0], kv[1])
			}
		}
		fmt.Fprintf(b, " %s %s\n", s.Date.Format(time.DateOnly), s.URL)
	}
	if rec.KEV != nil {
		fmt.Fprintf(b, "    kev %+v\n", *rec.KEV)
	}
	if rec.EPSS != nil {
		fmt.Fprintf(b, "    epss %+v\n", *rec.EPSS)
	}
	if p := rec.Product; p != nil {
		fmt.Fprintf(b, "    product %s %q purls=%v cpes=%v repology=%v\n", p.Name, p.Label, p.PURLs, p.CPEs, p.Repo)
		for _, c := range p.Cycles {
			fmt.Fprintf(b, "      cycle %+v\n", c)
		}
	}
}

// TestLimits checks that what exceeds a limit is skipped or cut, and that the rest goes on.
func TestLimits(t *testing.T) {
	kev := func(entries ...string) string {
		return `{"catalogVersion":"1","vulnerabilities":[` + strings.Join(entries, ",") + `]}`
	}
	entry := func(id, text string) string {
		return `{"cveID":"` + id + `","dateAdded":"2024-01-02","shortDescription":` + text + `}`
	}
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	tests := []struct {
		name, text string
		want       []string // ids of records
		skips      int
	}{
		{"too large", kev(entry("CVE-2024-0001", `"`+strings.Repeat("x", maxRecord)+`"`), entry("CVE-2024-0002", `"b"`)), []string{"CVE-2024-0002"}, 1},
		{"too deep", kev(`{"cveID":"CVE-2024-0001","dateAdded":"2024-01-02","ignored":`+deep+`}`, entry("CVE-2024-0002", `"b"`)), []string{"CVE-2024-0002"}, 1},
		{"wrong type", kev(`7`, entry("CVE-2024-0002", `"b"`), `[]`, `"x"`), []string{"CVE-2024-0002"}, 3},
		{"bad syntax inside", kev(`{"cveID": nonsense}`, entry("CVE-2024-0002", `"b"`)), []string{"CVE-2024-0002"}, 1},
		{"bad id", kev(entry("../etc/passwd", `"b"`), entry("CVE-2024-0002", `"b"`)), []string{"CVE-2024-0002"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			skips := 0
			_, err := Decode(FormatKEV, "k", strings.NewReader(tt.text), func(_ Header, rec Record) error {
				got = append(got, rec.ID)
				return nil
			}, func(id, reason string) {
				skips++
				if len(reason) > maxNote {
					t.Errorf("reason of %d bytes", len(reason))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || skips != tt.skips {
				t.Errorf("%d skips, want %d; records (-want +got):\n%s", skips, tt.skips, diff)
			}
		})
	}
	t.Run("long text is cut at a rune border", func(t *testing.T) {
		text := kev(entry("CVE-2024-0002", `"`+strings.Repeat("é", 3000)+`x\u202e\u0000<script>"`))
		_, err := Decode(FormatKEV, "k", strings.NewReader(text), func(_ Header, rec Record) error {
			if d := rec.Facts.Description; d != strings.Repeat("é", maxDescription/2) {
				t.Errorf("description has %d bytes and ends in %q", len(d), d[len(d)-4:])
			}
			return nil
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestTruncated cuts a good file of each format at every place: no cut may pass
// as a whole file.
func TestTruncated(t *testing.T) {
	for name, text := range seeds(t) {
		f, ok := Sniff(name, []byte(text))
		if !ok {
			continue
		}
		text = strings.TrimRight(text, " \n") + "\n"
		step := max(1, len(text)/400)
		for n := 1; n < len(text)-1; n += step {
			_, err := Decode(f, name, strings.NewReader(text[:n]), func(Header, Record) error { return nil }, nil)
			atLine := (f == FormatDSA || f == FormatEPSS || f == FormatKEVTable) && text[n-1] == '\n' // a cut between lines cannot be seen
			if err == nil && !atLine {
				t.Errorf("%s cut at byte %d of %d decodes without an error", name, n, len(text))
				break
			}
		}
	}
}

func TestEmitStops(t *testing.T) {
	stop := errors.New("stop")
	n := 0
	_, err := Decode(FormatEPSS, "e.csv", strings.NewReader("cve,epss,percentile\nCVE-2024-0001,0.1,0.2\nCVE-2024-0002,0.1,0.2\n"), func(Header, Record) error {
		n++
		return stop
	}, nil)
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("Decode called emit %d times and returned %v, want 1 and the error of emit", n, err)
	}
}

// seeds are the files of the scripts.
func seeds(t testing.TB) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "decode", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, path := range paths {
		script, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range script.Files {
			if f.Name != "want" && !strings.HasPrefix(f.Name, "cut/") && !strings.HasPrefix(f.Name, "wrong/") {
				out[f.Name] = string(f.Data)
			}
		}
	}
	return out
}
