package event

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "rewrite golden files")

func sample() Event {
	at := time.Date(2026, 11, 26, 13, 0, 0, 123456789, time.UTC)
	e := Event{Action: ProcessCreated, Seq: 42, Time: at, Wall: at.Add(-3 * time.Second)}
	e.Set(ProcessCommandLine, "/bin/sh -c 'true'")
	e.SetInt(ProcessID, 4711)
	e.SetTime(ProcessCreationTime, at)
	e.SetBool(IsLocalAdmin, true)
	e.Set(FileName, "sh")
	e.Set(AdditionalFields, `{"a":1}`)
	return e
}

func TestRecordIsTheEvent(t *testing.T) {
	e := sample()
	b, err := Append([]byte("before"), &e)
	if err != nil {
		t.Fatal(err)
	}
	rec, rest, err := Next(append(b[len("before"):], "after"...))
	if err != nil || string(rest) != "after" {
		t.Fatalf("Next: rest %q, %v", rest, err)
	}
	if got := rec.Event(); !reflect.DeepEqual(got, e) {
		t.Errorf("read back\n%+v, want\n%+v", got, e)
	}
	if got := string(rec.Text(ProcessCommandLine)); got != e.Text(ProcessCommandLine) {
		t.Errorf("Text = %q", got)
	}
	if n, ok := rec.Number(ProcessID); !ok || n != 4711 {
		t.Errorf("Number = %d, %v", n, ok)
	}
	if rec.Text(SHA1) != nil {
		t.Error("an absent column has a text")
	}
	if h := rec.Head(); h.Action != ProcessCreated || h.Seq != 42 || h.Time != e.Time.UnixNano() || h.Wall != e.Wall.UnixNano() {
		t.Errorf("Head = %+v", h)
	}
}

// Every byte of a record that is cut off or changed gives an error or another
// event, and never reads beyond the record.
func TestNextRefuses(t *testing.T) {
	e := sample()
	good, err := Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if _, _, err := Next(good[:n]); err == nil {
			t.Errorf("a record cut to %d of %d bytes is taken", n, len(good))
		}
	}
	raw := func(change func(*Event)) []byte {
		e := sample()
		change(&e)
		b, err := Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"bad text":   raw(func(e *Event) { e.Fields[0].Text = "\xff\xfe" }),
		"number 0":   raw(func(e *Event) { e.Seq = 0 }),
		"before":     raw(func(e *Event) { e.Time = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"far future": raw(func(e *Event) { e.Time = time.Date(2250, 1, 1, 0, 0, 0, 0, time.UTC) }),
		"bool 2":     raw(func(e *Event) { e.SetInt(IsLocalAdmin, 2) }),
		"left over":  append([]byte{good[0] + 1, good[1], good[2]}, append(bytes.Clone(good[3:]), 0)...),
	} {
		if _, _, err := Next(b); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for name, change := range map[string]func(*Event){
		"unknown action": func(e *Event) { e.Action = actionEnd },
		"unknown column": func(e *Event) { e.Fields = append(e.Fields, Field{Column: columnEnd}) },
		"order":          func(e *Event) { e.Fields[0], e.Fields[1] = e.Fields[1], e.Fields[0] },
		"long value":     func(e *Event) { e.Fields[0].Text = strings.Repeat("x", MaxValue+1) },
	} {
		e := sample()
		change(&e)
		if b, err := Append([]byte("kept"), &e); err == nil || string(b) != "kept" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

func TestSetCutsAtACharacter(t *testing.T) {
	var e Event
	e.Set(FileName, strings.Repeat("x", MaxValue-1)+"€€")
	if got := e.Text(FileName); !utf8.ValidString(got) || len(got) != MaxValue-1 {
		t.Errorf("cut to %d bytes", len(got))
	}
}

// The numbers of actions, kinds and columns are on disk: they never change.
func TestCatalogueOnlyGrows(t *testing.T) {
	var b strings.Builder
	for k := range Kinds {
		fmt.Fprintf(&b, "kind %d %s\n", k, k)
	}
	for a := range Actions {
		fmt.Fprintf(&b, "action %d %s %s %s\n", a, a, a.Kind(), a.Table())
		if again, ok := ActionOf(a.String()); !ok || again != a {
			t.Errorf("ActionOf(%q) = %d", a.String(), again)
		}
	}
	for c := range Columns {
		fmt.Fprintf(&b, "column %d %s %d\n", c, c, c.Type())
		if again, ok := ColumnOf(c.String()); !ok || again != c || c.Type() == 0 {
			t.Errorf("ColumnOf(%q) = %d", c.String(), again)
		}
	}
	const file = "testdata/catalogue.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for line := range strings.Lines(b.String()) {
		have[line] = true
	}
	lines := 0
	for line := range strings.Lines(string(want)) {
		if lines++; !have[line] {
			t.Errorf("no more there, or with another number: %s", line)
		}
	}
	if lines != len(have) {
		t.Errorf("%d lines in %s, %d in the catalogue: add what is new with -update", lines, file, len(have))
	}
}

func FuzzNext(f *testing.F) {
	e := sample()
	b, _ := Append(nil, &e)
	f.Add(b)
	f.Add([]byte{0x80, 0x80, 0x04})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, rest, err := Next(b)
		if err != nil {
			return
		}
		if len(rec)+len(rest) > len(b) {
			t.Fatal("more than there was")
		}
		e := rec.Event()
		again, err := Append(nil, &e)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		rec2, _, err := Next(again)
		if err != nil || !reflect.DeepEqual(rec2.Event(), e) {
			t.Fatalf("not the same again: %v", err)
		}
	})
}
