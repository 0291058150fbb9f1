package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

func TestEntities(t *testing.T) {
	t.Setenv("PICKET_DATA", "")
	data := t.TempDir()
	imported(t, data, "alpha", "beta")
	_, out, _ := command(t, "devices", "--data", data, "--json", "-q", "alpha")
	var d struct{ ID inventory.DeviceID }
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatal(err)
	}
	l, err := eventlog.Open(filepath.Join(data, "events"), eventlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sha := strings.Repeat("ab", 32)
	var raw []byte
	for i := range 3 {
		e := event.Event{Action: event.ConnectionSuccess, Seq: uint64(i + 1), Time: time.Now().Add(time.Duration(i-10) * time.Minute)}
		e.Set(event.RemoteIP, "192.0.2.7")
		e.Set(event.RemoteURL, "bad.example")
		e.Set(event.InitiatingProcessFileName, "curl")
		e.Set(event.InitiatingProcessSHA256, sha)
		e.Set(event.InitiatingProcessAccountName, "alice")
		if raw, err = event.Append(raw, &e); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Append(t.Context(), eventlog.Batch{Device: d.ID, Stream: 1, Seq: 1, Received: time.Now(), Records: raw, Count: 3}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for kind, value := range map[string]string{"ip": "192.0.2.7", "file": sha, "domain": "bad.example", "user": "alice"} {
		code, out, stderr := command(t, "entity", kind, value, "--data", data)
		if code != 0 || !strings.HasPrefix(out, kind+" ") || !strings.Contains(out, "seen on 1 devices in 3 events of 30 days") || !strings.Contains(out, "alpha") || strings.Contains(out, "beta") {
			t.Errorf("entity %s = %d\n%s%s", kind, code, out, stderr)
		}
		_, out, _ = command(t, "entity", kind, value, "--data", data, "--json")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var v client.EntityView
		var on client.EntityDevice
		if len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &v) != nil || json.Unmarshal([]byte(lines[1]), &on) != nil || v.Kind != kind || v.Events != 3 || on.Name != "alpha" {
			t.Errorf("entity %s --json = %q", kind, out)
		}
	}
	if code, _, stderr := command(t, "entity", "ip", "192.0.2.8", "--data", data); code != 1 || stderr == "" {
		t.Errorf("an address that nobody saw = %d %q", code, stderr)
	}
	if code, _, stderr := command(t, "entity", "process", "1", "--data", data); code != 2 || !strings.Contains(stderr, "file") {
		t.Errorf("no such kind = %d %q", code, stderr)
	}
}

func TestRetentionCommands(t *testing.T) {
	t.Setenv("PICKET_DATA", "")
	data := t.TempDir()
	imported(t, data, "alpha")
	if code, out, stderr := command(t, "retention", "--data", data); code != 0 || !strings.HasPrefix(out, "events are kept for 180 days, in 512.0 GiB at most") {
		t.Errorf("retention = %d %q %q", code, out, stderr)
	}
	code, out, stderr := command(t, "retention", "set", "--data", data, "--days", "90", "--kind", "network=30,20GiB", "--kind", "file=7", "--json")
	var v client.RetentionView
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 || v.Days != 90 || fmt.Sprint(v.Kinds) != "[{21474836480 30 network} {0 7 file}]" {
		t.Fatalf("retention set = %d %q %q, %v", code, out, stderr, err)
	}
	before := v.Bytes
	_, out, _ = command(t, "retention", "set", "--data", data, "--kind", "file=0", "--json")
	v = client.RetentionView{}
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Days != 90 || v.Bytes != before || fmt.Sprint(v.Kinds) != "[{21474836480 30 network}]" {
		t.Errorf("what is not named changed: %q, %v", out, err)
	}
	for _, args := range [][]string{{}, {"--bytes", "ten"}, {"--kind", "network"}, {"--kind", "network=x"}, {"--days", "9999"}, {"--kind", "nothing=3"}} {
		if code, _, stderr := command(t, append([]string{"retention", "set", "--data", data}, args...)...); code != 2 || stderr == "" {
			t.Errorf("retention set %q = %d %q", args, code, stderr)
		}
	}
	_, out, _ = command(t, "retention", "show", "--data", data, "--json")
	if !strings.Contains(out, `"days":90`) {
		t.Errorf("a wrong change was made: %s", out)
	}
}
