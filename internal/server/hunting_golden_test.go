package server

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/kql"
)

// ourTypes are the columns that have another type here than in Defender. There they are texts
// with JSON; here members can be asked for, and parse_json() of them is the same.
var ourTypes = map[string]kql.Type{
	"AdditionalFields": kql.Dynamic, "LoggedOnUsers": kql.Dynamic, "DeviceManualTags": kql.Dynamic, "DeviceDynamicTags": kql.Dynamic,
}

// ourTables are the tables of which testdata/hunting_tables.txt knows no columns.
var ourTables = []string{"AlertEvidence", "AlertInfo", "DeviceNetworkInfo", "DeviceTvmInfoGatheringKB", "DeviceTvmSoftwareEvidenceBeta"}

// columnsIn reads a list of columns with letters of types.
func columnsIn(t *testing.T, list string) map[string]kql.Type {
	t.Helper()
	out := map[string]kql.Type{}
	var open []string
	for _, part := range strings.Split(list, ",") {
		name, letter, typed := strings.Cut(strings.TrimSpace(part), " ")
		if name == "" {
			continue
		}
		if open = append(open, name); typed {
			typ, ok := huntTypes[letter]
			if !ok {
				t.Fatalf("type %q of %s", letter, name)
			}
			for _, n := range open {
				if _, twice := out[n]; twice {
					t.Fatalf("column %s is there twice", n)
				}
				out[n] = typ
			}
			open = nil
		}
	}
	if open != nil {
		t.Fatalf("columns %v have no type", open)
	}
	return out
}

// The tables have the columns that Defender's have, with the same types, and no others.
func TestHuntTablesAreDefenders(t *testing.T) {
	raw, err := os.ReadFile("testdata/hunting_tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	fragments, seen := map[string]map[string]kql.Type{}, map[string]bool{}
	for _, line := range strings.Split(string(raw), "\n") {
		head, list, ok := strings.Cut(line, "=")
		words := strings.Fields(head)
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		own := columnsIn(t, list)
		if words[0] == "fragment" {
			fragments[words[1]] = own
			continue
		}
		for _, f := range words[2:] {
			if fragments[f] == nil {
				t.Fatalf("no fragment %s", f)
			}
			maps.Copy(own, fragments[f])
		}
		name := words[1]
		seen[name] = true
		table := huntTables()[name]
		if table == nil {
			t.Errorf("table %s is not there", name)
			continue
		}
		for _, c := range table.Columns {
			want, known := own[c.Name]
			if ours, ok := ourTypes[c.Name]; ok && known {
				want = ours
			}
			if !known || want != c.Type {
				t.Errorf("%s.%s is %s here, want %s (known: %v)", name, c.Name, c.Type, want, known)
			}
			delete(own, c.Name)
		}
		if len(own) > 0 {
			t.Errorf("%s lacks %v", name, slices.Sorted(maps.Keys(own)))
		}
	}
	for name := range huntTables() {
		if !seen[name] && !slices.Contains(ourTables, name) {
			t.Errorf("table %s is in no list", name)
		}
	}
	if len(seen) < 14 {
		t.Errorf("only %d tables were compared", len(seen))
	}
}

// What the schema says that events fill is what the agent's sources write, and no more. The names
// of the constants are those of the columns, whatever their case.
func TestHuntFillsWhatSensorsWrite(t *testing.T) {
	written := map[string]bool{}
	set := regexp.MustCompile(`\.Set(?:Int|Bool|Time)?\(event\.(\w+)`)
	for _, dir := range []string{"../agent", "../agent/sense", "../agent/respond"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range set.FindAllStringSubmatch(string(b), -1) {
				if c, ok := ev.ColumnOf(m[1]); ok && !c.Own() {
					written[c.String()] = true
				}
			}
		}
	}
	said := map[string]bool{}
	for _, table := range huntTables() {
		if table.events == 0 {
			continue
		}
		for name := range table.filled {
			if !slices.ContainsFunc(table.Columns, func(c kql.Column) bool { return c.Name == name }) {
				t.Errorf("%s has no column %s", table.Name, name)
			}
			said[name] = true
		}
	}
	for _, base := range strings.Fields(sensedBase) {
		delete(said, base) // of the envelope
	}
	if len(written) < 30 || !maps.Equal(said, written) {
		t.Errorf("the schema says %v\nsensors write %v", slices.Sorted(maps.Keys(said)), slices.Sorted(maps.Keys(written)))
	}
	if huntTables()["DeviceRegistryEvents"].fills("Timestamp") || !huntTables()["DeviceProcessEvents"].fills("ProcessId") || huntTables()["DeviceProcessEvents"].fills("ProcessTokenElevation") {
		t.Error("what is filled is not told")
	}
}

// DeviceInfo tells who is logged on, where the device comes from when that is public, and what it is made of.
func TestHuntDeviceInfo(t *testing.T) {
	s := testServer(t)
	l := newLife(t, s, "one")
	booted := l.now.Add(-time.Minute)
	logon := func(a ev.Action, name, typ string) ev.Event {
		return l.event(a, func(e *ev.Event) {
			e.Set(ev.AccountName, name)
			e.Set(ev.AccountDomain, "host")
			e.Set(ev.AccountSID, "1000")
			e.Set(ev.LogonType, typ)
		})
	}
	now := l.now
	l.now = booted.Add(-time.Hour)
	l.send(logon(ev.LogonSuccess, "before the start", "Interactive"))
	l.now = now
	l.send(logon(ev.LogonSuccess, "alice", "RemoteInteractive"), logon(ev.LogonSuccess, "alice", "Interactive"), logon(ev.LogoffSuccess, "alice", "Interactive"),
		logon(ev.LogonSuccess, "bob", "Interactive"), logon(ev.LogoffSuccess, "bob", "Interactive"), logon(ev.LogonSuccess, "cron", "Batch"), logon(ev.LogonFailed, "eve", "Interactive"))
	c := s.core
	c.mu.Lock()
	d := c.at(c.byID[l.id])
	d.sum.Vendor, d.sum.Model, d.sum.Kernel, d.sum.Booted, d.sum.Updates, d.sum.SecUpdates = "QEMU", "Standard PC", "6.1.0-31-amd64", booted, 3, 1
	c.mu.Unlock()
	for from, want := range map[string]string{"8.8.8.8": "8.8.8.8", "::ffff:8.8.4.4": "8.8.4.4", "10.1.2.3": "", "127.0.0.1": "", "2606:4700::1111": "2606:4700::1111", "fd00::1": "", "fe80::1": "", "2001:db8::1": "", "": ""} {
		c.mu.Lock()
		d.from, _ = netip.ParseAddr(from)
		c.mu.Unlock()
		if got, _ := hunted(t, s, admin, "DeviceInfo | project PublicIP"); len(got) != 1 || got[0] != want {
			t.Errorf("from %s: %q, want %q", from, got, want)
		}
	}
	got, _ := hunted(t, s, admin, "DeviceInfo | project x = strcat(Vendor, ', ', Model, ', ', tostring(LoggedOnUsers))")
	if want := `QEMU, Standard PC, [{"UserName":"alice","DomainName":"host","Sid":"1000"}]`; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %s", got, want)
	}
	got, _ = hunted(t, s, admin, "DeviceTvmInfoGathering | project x = strcat(AdditionalFields.KernelRelease, ' ', AdditionalFields.MissingUpdates, ' ', AdditionalFields.MissingSecurityUpdates, ' ', AdditionalFields.RestartRequired, ' ', isnull(AdditionalFields.Virtualization))")
	if want := "6.1.0-31-amd64 3 1 false true"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %s", got, want)
	}
	// Every fact is described, and nothing else is.
	kb, _ := hunted(t, s, admin, "DeviceTvmInfoGatheringKB | where isnotempty(Description) and isnotempty(DataStructure) | project FieldName")
	facts, _ := hunted(t, s, admin, "DeviceTvmInfoGathering | mv-expand k = bag_keys(AdditionalFields) to typeof(string) | project k")
	for _, f := range facts {
		if !slices.Contains(kb, f) {
			t.Errorf("the fact %s is not described", f)
		}
	}
	if len(kb) != 8 || len(facts) != 7 {
		t.Errorf("described %v, there %v", kb, facts)
	}
}

// What a report says of the machine is in its summary.
func TestSummaryOfHardware(t *testing.T) {
	s := testServer(t)
	id := enrol(t, s, "one")
	booted := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	r := newReport(s, id)
	r.send(t, "bash 5.2")
	var deltas []inventory.Delta
	for name, fact := range map[inventory.SectionName]any{
		inventory.Hardware: inventory.HardwareFact{Manufacturer: "Dell Inc.", Model: "PowerEdge", Virtual: "kvm"}, inventory.Kernel: inventory.KernelFact{Release: "6.1.0", BootTime: booted},
	} {
		sec := inventory.NewSection(name, inventory.Complete, "")
		sec.Put("it", fact)
		sec.SeenAt = time.Now().UTC()
		sec.Seal()
		deltas = append(deltas, inventory.Diff(nil, sec))
	}
	if _, err := s.ingest(t.Context(), id, 2, deltas); err != nil {
		t.Fatal(err)
	}
	got, _ := hunted(t, s, admin, "DeviceInfo | project x = strcat(Vendor, '|', Model)")
	if len(got) != 1 || got[0] != "Dell Inc.|PowerEdge" {
		t.Errorf("%q", got)
	}
	got, _ = hunted(t, s, admin, "DeviceTvmInfoGathering | project x = strcat(AdditionalFields.LastBootTime, '|', AdditionalFields.Virtualization)")
	if len(got) != 1 || got[0] != "2026-11-20T08:00:00.0000000Z|kvm" {
		t.Errorf("%q", got)
	}
}
