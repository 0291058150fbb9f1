package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawSection draws a small sealed section, so that two of them share keys.
func drawSection(t *rapid.T, label string) *Section {
	s := NewSection(DPKG, Complete, "")
	for range rapid.IntRange(0, 8).Draw(t, label+" items") {
		key := fmt.Sprintf("p%d:amd64", rapid.IntRange(0, 5).Draw(t, label+" key"))
		s.Put(key, Package{Name: key, Version: rapid.SampledFrom([]string{"1", "2", "3:1<&>"}).Draw(t, label+" version")})
	}
	if rapid.Bool().Draw(t, label+" partial") {
		s.MarkPartial("a file could not be read")
	}
	s.Seal()
	return s
}

// Whatever two states a section goes through, the delta takes one to the other,
// and no delta applies to anything but its base.
func TestDeltaTakesOneStateToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, other := drawSection(t, "a"), drawSection(t, "b"), drawSection(t, "other")
		d := Diff(a, b)
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var wire Delta
		if err := json.Unmarshal(raw, &wire); err != nil {
			t.Fatal(err)
		}
		got, err := Apply(a, wire)
		if err != nil || got.Hash() != b.Hash() {
			t.Fatalf("apply: %v, %s", err, cmp.Diff(b, got))
		}
		if whole, err := Apply(other, Diff(nil, b)); err != nil || whole.Hash() != b.Hash() {
			t.Fatalf("whole section over another: %v", err)
		}
		if other.Hash() != a.Hash() {
			if _, err := Apply(other, wire); !errors.Is(err, ErrBase) {
				t.Fatalf("delta on other content: %v, want ErrBase", err)
			}
		}
		if a.Hash() == b.Hash() && len(d.Put)+len(d.Del) > 0 {
			t.Fatalf("delta of equal sections is %+v", d)
		}
	})
}

// A delta that lost an item on the way changes nothing.
func TestDamagedDeltaIsRefused(t *testing.T) {
	s := NewSection(DPKG, Complete, "")
	s.Put("a", Package{Name: "a"})
	s.Put("b", Package{Name: "b"})
	s.Seal()
	d := Diff(nil, s)
	d.Put = d.Put[:1]
	if got, err := Apply(nil, d); err == nil {
		t.Errorf("apply of a delta with an item missing = %+v, want an error", got)
	}
}

func TestHashCoversStatusAndContentButNotTime(t *testing.T) {
	base := NewSection(DPKG, Complete, "")
	base.Put("a", Package{Name: "a"})
	base.Seal()
	later := *base
	later.SeenAt = base.SeenAt.AddDate(0, 0, 1)
	if later.Hash() != base.Hash() {
		t.Error("the time of looking changes the hash")
	}
	partial := *base
	partial.MarkPartial("why")
	if partial.Hash() == base.Hash() {
		t.Error("a partial section has the hash of a complete one")
	}
}

func TestMarkPartialIsBounded(t *testing.T) {
	s := NewSection(DPKG, Complete, "")
	for i := range 1000 {
		s.MarkPartial(fmt.Sprintf("reason %d", i))
		s.MarkPartial(fmt.Sprintf("reason %d", i))
	}
	if len(s.Reason) > 2000 || strings.Count(s.Reason, "reason 1;") != 1 {
		t.Errorf("reason has %d bytes, %.60q …", len(s.Reason), s.Reason)
	}
}

func TestDeviceID(t *testing.T) {
	id := IDFromKey([]byte("key"))
	if !id.Valid() {
		t.Errorf("IDFromKey = %q, which is not valid", id)
	}
	for _, bad := range []DeviceID{"", id[:39], id + "0", DeviceID(strings.ToUpper(string(id))), "../../../../../../../../../../etc/passwd."} {
		if bad.Valid() {
			t.Errorf("%q is valid", bad)
		}
	}
}

func TestDecodeKeepsTheGoodItems(t *testing.T) {
	s := &Section{Items: []Item{{"a", json.RawMessage(`{"name":"a"}`)}, {"b", json.RawMessage(`[]`)}, {"c", json.RawMessage(`{"name":"c"}`)}}}
	got, bad := Decode[Package](s)
	if diff := cmp.Diff([]string{"b"}, bad); diff != "" || len(got) != 2 || got[1].Name != "c" {
		t.Errorf("Decode = %+v, bad %v", got, bad)
	}
}

func FuzzApply(f *testing.F) {
	s := NewSection(DPKG, Complete, "")
	s.Put("a", Package{Name: "a"})
	s.Seal()
	for _, d := range []Delta{Diff(nil, s), Diff(s, s)} {
		raw, err := json.Marshal(d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d Delta
		if json.Unmarshal(raw, &d) != nil {
			return
		}
		before := s.Hash()
		if got, err := Apply(s, d); err == nil && got.Hash() != d.Hash {
			t.Errorf("applied section has another hash than announced")
		}
		if s.Hash() != before {
			t.Error("apply changed what was held")
		}
	})
}
