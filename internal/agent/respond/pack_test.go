package respond

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// open reads a package whole.
func open(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r) // checks its sum too
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if _, twice := out[f.Name]; twice {
			t.Errorf("%s is in the package twice", f.Name)
		}
		out[f.Name] = string(b)
	}
	return out
}

// TestPackageKeepsItsCaps proves that an item that is too large, hangs, fails,
// panics or is not there takes nothing from the others, and that the summary
// tells of each.
func TestPackageKeepsItsCaps(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	endless := func(ctx context.Context, w io.Writer) error {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 99)+"\n"); err != nil {
				return err
			}
		}
	}
	say := func(text string, err error) func(context.Context, io.Writer) error {
		return func(_ context.Context, w io.Writer) error {
			_, bad := io.WriteString(w, text)
			return errors.Join(bad, err)
		}
	}
	items := []item{
		{name: "fine.txt", how: "said", max: 1000, wait: time.Minute, run: say("all of it\n", nil)},
		{name: "large.txt", max: 10_000, wait: time.Minute, run: endless},
		{name: "hangs.txt", max: 1000, wait: 10 * time.Millisecond, run: func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, "until then\n")
			<-hang
			return nil
		}},
		{name: "late.txt", max: 1000, wait: 10 * time.Millisecond, run: func(ctx context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, "part\n")
			<-ctx.Done()
			return context.Cause(ctx)
		}},
		{name: "panics.txt", max: 1000, wait: time.Minute, run: func(context.Context, io.Writer) error { panic("=HYPERLINK") }},
		{name: "absent.txt", max: 1000, wait: time.Minute, run: say("", fs.ErrNotExist)},
		{name: "fails.txt", max: 1000, wait: time.Minute, run: say("", errors.New("=cmd --password=hunter2"))},
		{name: "part.txt", max: 1000, wait: time.Minute, run: say("some\n", errors.New("the rest is gone"))},
		{name: "live.txt", max: 1000, wait: time.Minute, run: say("x\n", nil)},
	}
	var b bytes.Buffer
	p := &Package{Host: "h"}
	if err := writePackage(t.Context(), &b, p, items); err != nil {
		t.Fatal(err)
	}
	got := open(t, b.Bytes())
	want := map[string]Status{"fine.txt": Whole, "large.txt": Truncated, "hangs.txt": TimedOut, "late.txt": TimedOut, "panics.txt": Failed, "absent.txt": Absent, "fails.txt": Failed, "part.txt": Part, "live.txt": Whole}
	for _, it := range p.Items {
		if it.Status != want[it.Name] {
			t.Errorf("%s is %s (%s), want %s", it.Name, it.Status, it.Error, want[it.Name])
		}
		if int64(len(got[it.Name])) != it.Bytes {
			t.Errorf("%s has %d bytes, %d are told", it.Name, len(got[it.Name]), it.Bytes)
		}
	}
	if got["fine.txt"] != "all of it\n" || got["hangs.txt"] != "until then\n" || got["late.txt"] != "part\n" || len(got["large.txt"]) != 10_000 {
		t.Errorf("contents %.200q", got)
	}
	if p.Missing != 6 {
		t.Errorf("%d items are missing, want 6", p.Missing)
	}
	rows, err := csv.NewReader(strings.NewReader(got["CollectionSummaryReport.csv"])).ReadAll()
	if err != nil || len(rows) != len(items)+1 {
		t.Errorf("summary of %d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		for _, c := range row {
			if strings.HasPrefix(c, "=") || strings.Contains(c, "hunter2") {
				t.Errorf("the summary holds %q", c)
			}
		}
	}
	var sum Package
	if err := json.Unmarshal([]byte(got["CollectionSummaryReport.json"]), &sum); err != nil || len(sum.Items) != len(items) || sum.Host != "h" {
		t.Errorf("summary %+v, %v", sum, err)
	}
}

// TestPackageHasRoom proves that a package as a whole has a cap, that items which
// hang are not tried for ever, and that what the writer cannot take is an error.
func TestPackageHasRoom(t *testing.T) {
	if testing.Short() {
		t.Skip("packs as much as a package holds: a minute under the race detector")
	}
	var items []item
	for i := range 3 {
		items = append(items, item{name: fmt.Sprint(i), max: packageMax, wait: time.Minute, run: func(ctx context.Context, w io.Writer) error {
			for block := []byte(strings.Repeat(strings.Repeat("z", 1023)+"\n", 64)); ; {
				if _, err := w.Write(block); err != nil {
					return err
				}
			}
		}})
	}
	p := &Package{}
	if err := writePackage(t.Context(), io.Discard, p, items); err != nil {
		t.Fatal(err)
	}
	if p.Bytes != packageMax {
		t.Errorf("the texts have %d bytes, the cap is %d", p.Bytes, packageMax)
	}

	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	var stuck []item
	for i := range maxStuck + 2 {
		stuck = append(stuck, item{name: fmt.Sprint(i), max: 1, wait: time.Millisecond, run: func(context.Context, io.Writer) error { <-hang; return nil }})
	}
	p = &Package{}
	if err := writePackage(t.Context(), io.Discard, p, stuck); err != nil {
		t.Fatal(err)
	}
	if p.Items[maxStuck-1].Status != TimedOut || p.Items[maxStuck].Status != Failed {
		t.Errorf("items that hang: %+v", p.Items)
	}

	full := errors.New("no space")
	if err := writePackage(t.Context(), failing{full}, &Package{}, items); !errors.Is(err, full) {
		t.Errorf("a writer that takes nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := writePackage(ctx, io.Discard, &Package{}, items); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
