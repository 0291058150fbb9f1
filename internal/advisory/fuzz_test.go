package advisory

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// fuzzFormat fuzzes the decoder of one format with the scripts' files as seeds.
// Whatever comes in: no panic, bounded records, valid text, a codec that gives
// back what it got.
func fuzzFormat(f *testing.F, format Format) {
	for name, text := range seeds(f) {
		if got, ok := Sniff(name, []byte(text)); ok && got == format {
			f.Add([]byte(text))
			f.Add([]byte(text[:len(text)/2]))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Sniff("x", data)
		_, _ = Decode(format, "x.json", bytes.NewReader(data), func(h Header, rec Record) error {
			checkFuzzed(t, h, rec)
			return nil
		}, func(id, reason string) {
			if reason == "" || len(reason) > maxNote || !utf8.ValidString(reason) || !utf8.ValidString(id) {
				t.Fatalf("skip %q: %q", id, reason)
			}
		})
	})
}

func checkFuzzed(t *testing.T, h Header, rec Record) {
	t.Helper()
	checkRecord(t, h, rec)
	if !validID(strings.ReplaceAll(rec.ID, "/", "")) && h.Feed != FeedDebianTracker {
		t.Fatalf("id %q", rec.ID)
	}
	if w := rec.Facts; w != nil {
		for _, s := range []string{w.Title, w.Description} {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\x1b\u202e") {
				t.Fatalf("text %q", s)
			}
		}
		for _, r := range w.References {
			if !strings.HasPrefix(strings.ToLower(r.URL), "http") && !strings.HasPrefix(strings.ToLower(r.URL), "ftp") {
				t.Fatalf("reference %q", r.URL)
			}
		}
		for _, s := range w.Scores {
			if !(s.Base >= 0 && s.Base <= 10) {
				t.Fatalf("score %+v", s)
			}
		}
		MergeFacts(w.ID, []FeedFacts{{h.Feed, rec}})
	}
	back, err := DecodeRecord(AppendRecord(nil, rec))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(AppendRecord(nil, rec), AppendRecord(nil, back)); diff != "" {
		t.Fatalf("the codec changes the record:\n%s", diff)
	}
}

func FuzzDebianTracker(f *testing.F) { fuzzFormat(f, FormatDebianTracker) }
func FuzzDebianList(f *testing.F)    { fuzzFormat(f, FormatDSA) }
func FuzzOSV(f *testing.F)           { fuzzFormat(f, FormatOSV) }
func FuzzCVE5(f *testing.F)          { fuzzFormat(f, FormatCVE5) }
func FuzzNVD2(f *testing.F)          { fuzzFormat(f, FormatNVD2) }
func FuzzNVD11(f *testing.F)         { fuzzFormat(f, FormatNVD11) }
func FuzzKEV(f *testing.F)           { fuzzFormat(f, FormatKEV) }
func FuzzKEVTable(f *testing.F)      { fuzzFormat(f, FormatKEVTable) }
func FuzzEPSS(f *testing.F)          { fuzzFormat(f, FormatEPSS) }
func FuzzEndOfLife(f *testing.F)     { fuzzFormat(f, FormatEndOfLife) }
func FuzzDemo(f *testing.F)          { fuzzFormat(f, FormatDemo) }

func FuzzDecodeStatements(f *testing.F) {
	f.Add(kernelStatements()[:2000])
	f.Add([]byte{statementV1, 0xff, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := DecodeStatements(b)
		if err != nil {
			return
		}
		var again []byte
		for _, s := range list {
			again = AppendStatement(again, s)
		}
		back, err := DecodeStatements(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, back); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	for name, text := range seeds(f) {
		if format, ok := Sniff(name, []byte(text)); ok {
			_, _ = Decode(format, name, strings.NewReader(text), func(_ Header, rec Record) error {
				f.Add(AppendRecord(nil, rec))
				return nil
			}, nil)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := DecodeRecord(b)
		if err != nil {
			return
		}
		if _, err := DecodeRecord(AppendRecord(nil, rec)); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadVector(f *testing.F) {
	for _, s := range []string{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:P", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
		"(AV:N/AC:L/Au:N/C:P/I:P/A:P)", "CVSS2#AV:N/AC:L/Au:N/C:C/I:C/A:C", "CVSS:4.0/", "CVSS:3.1/AV:N/AV:N"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		vector, ver, base, ok := ReadVector(s)
		if ok && (base < 0 || base > 10 || ver == "" || len(vector) > 400) {
			t.Errorf("%q is %q %s %g", s, vector, ver, base)
		}
	})
}
