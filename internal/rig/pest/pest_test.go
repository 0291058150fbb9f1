package pest

import (
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/inventory"
)

// Every string of every section is filled, an honest word stands where it is
// given, and a text that is long goes into one string of an item at a time.
func TestSections(t *testing.T) {
	list, err := Sections(func(field string) string { return "<" + field + ">" }, map[string]string{"os.id": "debian", "rpm.eco": "rpm"})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(inventory.SectionNames) {
		t.Errorf("%d sections, want %d", len(list), len(inventory.SectionNames))
	}
	for _, s := range list {
		var all strings.Builder
		for _, it := range s.Items {
			all.WriteString(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(it.Value)))
		}
		fields, err := Fields(s.Name)
		if err != nil || len(fields) < 3 {
			t.Fatalf("%s: %v, %v", s.Name, fields, err)
		}
		for _, f := range fields {
			if full := string(s.Name) + "." + f; full != "os.id" && !strings.Contains(all.String(), "<"+full+">") {
				t.Errorf("%s is nowhere", full)
			}
		}
		if s.Name == inventory.OSSection && (len(s.Items) != 1 || !strings.Contains(all.String(), `"debian"`)) {
			t.Errorf("the operating system is %s", all.String())
		}
		if slices.Contains(inventory.SettingSections, s.Name) && len(s.Items) < 5 {
			t.Errorf("%s: %d items, none for what checks look at", s.Name, len(s.Items))
		}
	}
	list, err = Sections(func(string) string { return strings.Repeat("n", 64<<10) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		for _, it := range s.Items {
			if len(it.Value) > 70<<10 {
				t.Errorf("%s: an item of %d bytes", s.Name, len(it.Value))
			}
		}
	}
}
