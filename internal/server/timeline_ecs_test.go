package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
)

var update = flag.Bool("update", false, "rewrite golden files")

// ecsAllowed are the words of the schema for event.category, each with those for event.type.
var ecsAllowed = map[string]string{
	"authentication": "start end info", "configuration": "access change creation deletion info", "driver": "change end info start", "file": "access change creation deletion info",
	"host": "access change end info start", "iam": "admin change creation deletion group info user", "library": "start", "malware": "info",
	"network": "access allowed connection denied end info protocol start", "package": "access change deletion info installation start", "process": "access change end info start",
	"session": "start end info",
}

// Every action has a category and types that the schema has.
func TestECSKinds(t *testing.T) {
	for a := range ev.Actions {
		k, ok := ecsKinds[a]
		if !ok || len(k.category) == 0 || len(k.typ) == 0 || !slices.Contains([]string{"", "success", "failure", "unknown"}, k.outcome) {
			t.Errorf("%s: %+v", a, k)
		}
		for _, c := range k.category {
			for _, typ := range k.typ {
				if !slices.Contains(strings.Fields(ecsAllowed[c]), typ) {
					t.Errorf("%s: %q is no type of the category %q", a, typ, c)
				}
			}
		}
	}
	if len(ecsKinds) != slicesLen(ev.Actions) {
		t.Errorf("%d actions have a category", len(ecsKinds))
	}
}

func slicesLen(actions func(func(ev.Action) bool)) (n int) {
	for range actions {
		n++
	}
	return n
}

// The golden file has an event of each kind in the fields of the schema: all its columns are at a
// field, or in picket.fields.
func TestECSGolden(t *testing.T) {
	at := time.Date(2026, 11, 20, 8, 30, 0, 5e6, time.UTC)
	device := &Device{FQDN: "web1.example.test"}
	device.ID, device.Name, device.Arch, device.OSName, device.OSPlatform, device.OSVersion = "0123456789abcdef0123456789abcdef01234567", "web1", "amd64", "Debian GNU/Linux 12 (bookworm)", "Debian", "12"
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	for i, a := range []ev.Action{ev.ProcessCreated, ev.ProcessTerminated, ev.ConnectionSuccess, ev.InboundConnectionAccepted, ev.DNSQueryResponse, ev.FileRenamed, ev.ImageLoaded, ev.LogonFailed, ev.UserAccountCreated, ev.ScheduledTaskCreated, ev.PackageUpgraded} {
		e := ev.Event{Action: a, Seq: uint64(i + 1), Time: at}
		for c := range ev.Columns {
			switch c.Type() {
			case ev.String:
				e.Set(c, ecsText(c))
			case ev.Dynamic:
				e.Set(c, `{"DnsQueryString":"a.test","DnsQueryType":"A","DnsQueryResult":["192.0.2.1","alias.test"],"DnsResponseCode":0}`)
			case ev.Time:
				e.SetTime(c, at.Add(-time.Minute))
			case ev.Bool:
				e.SetBool(c, true)
			default:
				e.SetInt(c, int64(c))
			}
		}
		b, err := ev.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		rec, _, err := ev.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		row := timelineRow(&eventlog.Row{Device: device.ID, Time: at, Received: at.Add(time.Second), Record: rec})
		row.Flagged = i == 0
		doc := row.ECS(device)
		if err := enc.Encode(doc); err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range row.Fields {
			text, ok := v.(string)
			if ok && name != ev.AdditionalFields.String() && name != ev.Protocol.String() && !strings.Contains(string(raw), text) {
				t.Errorf("%s: what column %s says is lost", a, name)
			}
		}
	}
	const golden = "testdata/timeline_ecs.golden"
	if *update {
		if err := os.WriteFile(golden, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("%v: it is another than %s, which -update writes", err, golden)
	}
}

// ecsText is a text for a column that is told apart from others.
func ecsText(c ev.Column) string {
	switch c {
	case ev.RemoteIP:
		return "198.51.100.7"
	case ev.LocalIP, ev.InitiatingProcessRemoteSessionIP:
		return "2001:db8::5"
	case ev.Protocol:
		return "Tcp"
	}
	return "the " + c.String()
}

// What an endpoint says cannot break the form of a field or take another's place.
func TestECSOfHostileEvents(t *testing.T) {
	row := TimelineRow{Action: "DnsQueryResponse", Kind: "dns", Fields: map[string]any{"RemoteIP": "no address", "RemoteUrl": "a.test", "AdditionalFields": "[1", "Nothing": "x"}}
	doc := row.ECS(&Device{})
	raw, err := json.Marshal(doc)
	if err != nil || strings.Contains(string(raw), `"ip":"no address"`) || !strings.Contains(string(raw), `"RemoteIP":"no address"`) || !strings.Contains(string(raw), `"Nothing":"x"`) || !strings.Contains(string(raw), `"AdditionalFields":"[1"`) {
		t.Errorf("%s, %v", raw, err)
	}
}
