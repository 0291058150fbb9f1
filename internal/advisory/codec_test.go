package advisory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/version"
)

var (
	someText  = rapid.OneOf(rapid.SampledFrom([]string{"", "CVE-2024-0001", "openssl", "é\x00\xff"}), rapid.String())
	someTimes = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.Unix(rapid.Int64Range(-1e10, 1e11).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	})
	someTexts      = rapid.Custom(func(t *rapid.T) []string { return some(t, someText) })
	someStatements = rapid.Custom(func(t *rapid.T) Statement {
		s := Statement{
			Advisory: someText.Draw(t, "advisory"), Feed: someText.Draw(t, "feed"), Urgency: someText.Draw(t, "urgency"), Note: someText.Draw(t, "note"),
			State:      State(rapid.SampledFrom([]string{"", "fixed", "open", "undetermined", "a state of the future"}).Draw(t, "state")),
			Weaknesses: someTexts.Draw(t, "weaknesses"), Versions: someTexts.Draw(t, "versions"), Announced: someTexts.Draw(t, "announced"),
			Module: someText.Draw(t, "module"), URL: someText.Draw(t, "url"), Date: someTimes.Draw(t, "date"),
			Ranges: some(t, rapid.Custom(func(t *rapid.T) version.Range {
				return version.Range{Introduced: someText.Draw(t, "introduced"), Fixed: someText.Draw(t, "fixed"), LastAffected: someText.Draw(t, "last")}
			})),
		}
		switch rapid.IntRange(0, 2).Draw(t, "form") {
		case 0:
			s.URL = trackerPage + s.Advisory
		case 1:
			s.URL = trackerPage
			s.Weaknesses = []string{s.Advisory}
		}
		return s
	})
)

// some draws up to three elements; none is nil, as the codec gives it back.
func some[T any](t *rapid.T, g *rapid.Generator[T]) []T {
	list := rapid.SliceOfN(g, 0, 3).Draw(t, "list")
	if len(list) == 0 {
		return nil
	}
	return list
}

func TestStatementsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := some(t, someStatements)
		var b []byte
		for _, s := range want {
			b = AppendStatement(b, s)
		}
		got, err := DecodeStatements(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
	})
}

func TestRecordRoundTrip(t *testing.T) {
	number := rapid.Float64Range(0, 10)
	rapid.Check(t, func(t *rapid.T) {
		text := func() string { return someText.Draw(t, "text") }
		want := Record{ID: text(), Modified: someTimes.Draw(t, "modified"), Withdrawn: rapid.Bool().Draw(t, "withdrawn"), Aliases: someTexts.Draw(t, "aliases")}
		for _, s := range some(t, someStatements) {
			want.Statements = append(want.Statements, Placed{Key{text(), text(), text()}, s})
		}
		kev := func() *KEV {
			if rapid.Bool().Draw(t, "kev") {
				return &KEV{text(), text(), text(), text(), rapid.Bool().Draw(t, "ransomware")}
			}
			return nil
		}
		want.KEV = kev()
		if rapid.Bool().Draw(t, "facts") {
			want.Facts = &Weakness{
				ID: text(), Aliases: someTexts.Draw(t, "a"), Title: text(), Description: text(), Published: someTimes.Draw(t, "p"), Modified: someTimes.Draw(t, "m"),
				Rejected: rapid.Bool().Draw(t, "r"), Severity: Severity(text()), SeverityFrom: text(), EPSS: number.Draw(t, "e"), EPSSRank: number.Draw(t, "er"), EPSSDate: text(),
				KEV: kev(), Exploit: Exploit(text()), ExploitTypes: someTexts.Draw(t, "et"), CWEs: someTexts.Draw(t, "c"), Sources: someTexts.Draw(t, "s"),
				Scores: some(t, rapid.Custom(func(t *rapid.T) Score {
					return Score{someText.Draw(t, "v"), someText.Draw(t, "v"), number.Draw(t, "b"), someText.Draw(t, "s")}
				})),
				References: some(t, rapid.Custom(func(t *rapid.T) Reference { return Reference{someText.Draw(t, "u"), someTexts.Draw(t, "t")} })),
			}
			got, err := DecodeWeakness(AppendWeakness(nil, *want.Facts))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(*want.Facts, got); diff != "" {
				t.Fatalf("weakness, round trip (-want +got):\n%s", diff)
			}
		}
		if rapid.Bool().Draw(t, "epss") {
			want.EPSS = &EPSS{number.Draw(t, "s"), number.Draw(t, "p"), text()}
		}
		if rapid.Bool().Draw(t, "product") {
			want.Product = &Product{Name: text(), Label: text(), PURLs: someTexts.Draw(t, "p"), CPEs: someTexts.Draw(t, "c"), Repo: someTexts.Draw(t, "r"),
				Cycles: some(t, rapid.Custom(func(t *rapid.T) Cycle {
					return Cycle{someText.Draw(t, "n"), someText.Draw(t, "c"), rapid.Bool().Draw(t, "e"), someText.Draw(t, "d"), someText.Draw(t, "l"), someText.Draw(t, "v")}
				}))}
		}
		b := AppendRecord(nil, want)
		got, err := DecodeRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round trip (-want +got):\n%s", diff)
		}
		for n := range b { // no beginning of a record is a record
			if _, err := DecodeRecord(b[:n]); err == nil {
				t.Fatalf("the first %d of %d bytes decode", n, len(b))
			}
		}
	})
}

// kernelStatements are as many statements as package linux has in one release.
func kernelStatements() []byte {
	var b []byte
	for i := range 4000 {
		id := fmt.Sprintf("CVE-2024-%04d", 1000+i)
		b = AppendStatement(b, Statement{Advisory: id, Weaknesses: []string{id}, Feed: FeedDebianTracker, State: Fixed, URL: trackerPage + id,
			Ranges: []version.Range{{Fixed: fmt.Sprintf("6.1.%d-1", i%140)}}, Note: strings.Repeat("n", i%20)})
	}
	return b
}

func BenchmarkDecodeStatements(b *testing.B) {
	data := kernelStatements()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if s, err := DecodeStatements(data); err != nil || len(s) != 4000 {
			b.Fatal(len(s), err)
		}
	}
}
