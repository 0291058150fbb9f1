package mde

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/server"
)

var drawRow = rapid.Custom(func(t *rapid.T) server.MachineVuln {
	n := rapid.Uint32Range(0, 5).Draw(t, "num")
	of := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	return server.MachineVuln{Num: n, Device: inventory.DeviceID(fmt.Sprintf("%x%039x", n*3%16, n)), CVE: of("cve", "CVE-2024-1", "CVE-2024-2", "GHSA-aa"), Vendor: of("vendor", "debian", "npm", "Äpfel"),
		Product: of("product", "", "openssl", "OpenSSL"), Version: of("version", "1", "2:3-1"), Severity: of("severity", "High", "Low", "Unrated"), FixingID: of("fix", "", "DSA-2", "dsa-1")}
})

// drawLeaf draws a condition on the properties of a row, most of all on its id.
func drawLeaf(t *rapid.T, rows []server.MachineVuln) string {
	row := rapid.SampledFrom(rows).Draw(t, "row")
	p := rapid.SampledFrom(machineVulnProps).Draw(t, "prop")
	if rapid.Bool().Draw(t, "of id") {
		p = machineVulnProps[0]
	}
	s, _ := p.get(&row).(string)
	from := rapid.IntRange(0, len(s)).Draw(t, "from")
	part := strings.ToValidUTF8(s[from:min(len(s), from+rapid.IntRange(0, 60).Draw(t, "length"))], "")
	if rapid.Bool().Draw(t, "upper") {
		s, part = strings.ToUpper(s), strings.ToUpper(part)
	}
	switch rapid.IntRange(0, 12).Draw(t, "kind") {
	case 0:
		return fmt.Sprintf("%s in ('%s','%s',null)", p.name, s, part)
	case 1:
		return fmt.Sprintf("startswith(%s,'%s')", p.name, s[:from])
	case 2:
		return fmt.Sprintf("endswith(%s,'%s') eq %v", p.name, s[from:], rapid.Bool().Draw(t, "true"))
	case 3:
		return fmt.Sprintf("contains(%s,'%s')", p.name, part)
	case 4:
		return fmt.Sprintf("false ne substringof('%s',%s)", part, p.name)
	case 5:
		return rapid.SampledFrom([]string{"length(id) gt 80", "id gt machineId", "machineId eq productVersion", "tolower(machineId) gt '3'", "id eq null", "id ne null", "id eq 5", "true"}).Draw(t, "odd")
	case 6:
		return fmt.Sprintf("'%s' %s %s", part, rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op"), p.name)
	}
	return fmt.Sprintf("%s %s '%s'", p.name, rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(t, "op"), s)
}

func drawFilter(t *rapid.T, rows []server.MachineVuln, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return drawLeaf(t, rows)
	}
	if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
		return "not (" + drawFilter(t, rows, depth-1) + ")"
	}
	op := rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "junction")
	return "(" + drawFilter(t, rows, depth-1) + op + drawFilter(t, rows, depth-1) + ")"
}

// TestMachineVulnWhere: the condition that the server gets means what the
// filter means, its leaves look at what they say, and a device or weakness that
// is named is in every row.
func TestMachineVulnWhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(drawRow, 1, 12).Draw(t, "rows")
		filter := drawFilter(t, rows, 3)
		where, err := compile(machineVulnProps, filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		n, err := machineVulnFilter(filter)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		cond, _, err := machineVulnWhere(n)
		if err != nil {
			t.Fatalf("%s: %v", filter, err)
		}
		device, cve := pinned(n, "machineId"), pinned(n, "cveId")
		for i := range rows {
			want := where(&rows[i])
			if got := split(cond, &rows[i]); got != want {
				t.Fatalf("%s is %v, want %v, for %+v", filter, got, want, rows[i])
			}
			if want && (device != "" && !strings.EqualFold(device, string(rows[i].Device)) || cve != "" && !strings.EqualFold(cve, rows[i].CVE)) {
				t.Fatalf("%s is said to be about %q %q, and holds for %+v", filter, device, cve, rows[i])
			}
		}
	})
}

// split asks a condition as the server does: rows without their device.
func split(c *server.MachineVulnCondition, v *server.MachineVuln) bool {
	switch {
	case c.Op == "not":
		return !split(c.Kids[0], v)
	case c.Op == "and":
		return !slices.ContainsFunc(c.Kids, func(k *server.MachineVulnCondition) bool { return !split(k, v) })
	case c.Op == "or":
		return slices.ContainsFunc(c.Kids, func(k *server.MachineVulnCondition) bool { return split(k, v) })
	case c.Row != nil:
		row := *v
		row.Num, row.Device = 0, ""
		return c.Row(&row)
	}
	return c.Holds(v)
}

// What is asked of ids is asked of devices and of the rest, not row by row.
func TestMachineVulnIDsAreTakenApart(t *testing.T) {
	for filter, want := range map[string]bool{
		"id eq 'x'": false, "'x' lt id": false, "id in ('x','y')": false, "startswith(id,'x')": false, "endswith(id,'x') eq true": false, "contains(ID, 'x') ne false": false,
		"substringof('x',id)": false, "machineId ne 'x' and severity eq 'High'": false, "not (id eq 'x' or productName eq 'y')": false,
		"length(id) gt 5": true, "id eq machineId": true, "machineId eq cveId": true, "severity eq 'High' and tolower(id) eq 'x'": true,
	} {
		n, err := machineVulnFilter(filter)
		if err != nil {
			t.Fatal(err)
		}
		if _, each, err := machineVulnWhere(n); each != want || err != nil {
			t.Errorf("%s: row by row %v, want %v, %v", filter, each, want, err)
		}
	}
	if _, err := machineVulnFilter("-rest eq 'x'"); err == nil {
		t.Error("the part of an id can be named")
	}
}

// TestMachineVulnOrder: the server's keys order rows as $orderby does.
func TestMachineVulnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		for range rapid.IntRange(1, 3).Draw(t, "keys") {
			parts = append(parts, rapid.SampledFrom(machineVulnProps).Draw(t, "prop").name+rapid.SampledFrom([]string{"", " asc", " desc", " DESC"}).Draw(t, "way"))
		}
		orderby := strings.Join(parts, ",")
		less, err := order(machineVulnProps, orderby)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := machineVulnOrder(orderby)
		if err != nil {
			t.Fatal(err)
		}
		a, b := drawRow.Draw(t, "a"), drawRow.Draw(t, "b")
		got := 0
		for _, k := range keys {
			x, y := string(a.Device), string(b.Device)
			if k.Value != nil {
				x, y = k.Value(&a), k.Value(&b)
			}
			if got == 0 {
				got = cmp.Compare(x, y)
				if k.Desc {
					got = -got
				}
			}
		}
		if want := less(&a, &b); got != want {
			t.Fatalf("%s: %d, want %d, for %+v and %+v", orderby, got, want, a, b)
		}
	})
}
