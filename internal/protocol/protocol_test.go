package protocol

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/picketsec/picket/internal/inventory"
)

func sample(n int) *Message {
	s := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
	for i := range n {
		s.Put(strings.Repeat("k", 1+i%5)+string(rune('a'+i%26)), inventory.Package{Name: "p<&>\u2028", Version: "1", Summary: "x"})
	}
	s.SeenAt = time.Unix(1, 0).UTC()
	s.Seal()
	return &Message{Deliver: &Deliver{Seq: 7, Deltas: []inventory.Delta{inventory.Diff(nil, s)}}}
}

func TestFrameRoundTrip(t *testing.T) {
	for name, m := range map[string]*Message{
		"small": {Nudge: &Nudge{}},
		"plain": sample(1),
		"zstd":  sample(200),
		"hello": {Hello: &Hello{Version: 1, Evidence: Evidence{MACs: []string{"a"}}}},
		"task":  {Isolate: &Isolate{ID: someTask, Until: time.Unix(9, 0).UTC()}},
		"state": {TaskState: scanned()},
		"free":  {Response: &Response{Can: []Ability{{Kind: TaskScan, Reason: "no scanner"}}}},
	} {
		frame, err := Encode(m)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := Decode(frame)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestHashSurvivesTheWire holds what deltas rest on: item values are the same
// bytes at both ends.
func TestHashSurvivesTheWire(t *testing.T) {
	m := sample(50)
	frame, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := inventory.Apply(nil, got.Deliver.Deltas[0]); err != nil {
		t.Error(err)
	}
}

func TestDecodeBoundsMemory(t *testing.T) {
	var bomb bytes.Buffer
	enc, err := zstd.NewWriter(&bomb)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 200 {
		if _, err := enc.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(append([]byte{codingZstd}, bomb.Bytes()...)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("200 MiB in %d bytes: %v", bomb.Len(), err)
	}
	if _, err := Decode(append([]byte{codingPlain}, make([]byte, MaxMessage+1)...)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("oversized plain message: %v", err)
	}
	deep := strings.Repeat("[", 100_000)
	if _, err := Decode([]byte("\x00{\"deliver\":" + deep)); err == nil {
		t.Error("100,000 levels are accepted")
	}
}

func TestDecodeKeepsTheNumberOfADamagedDelivery(t *testing.T) {
	_, err := Decode([]byte("\x00" + `{"deliver":{"seq":12,"deltas":[{"name":5}]}}`))
	d, ok := errors.AsType[*DamagedError](err)
	if !ok || d.Seq != 12 {
		t.Errorf("error = %v", err)
	}
	for _, bad := range []string{"", "\x00", "\x02{}", "\x00{", "\x00[]", "\x01junk"} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("Decode(%q) gives no error", bad)
		}
	}
}

func TestClampGivesWhatCheckDeltaTakes(t *testing.T) {
	s := inventory.NewSection(inventory.NPM, inventory.Complete, "")
	s.Items = append(s.Items, inventory.Item{Key: strings.Repeat("k", MaxKey+1), Value: json.RawMessage("1")},
		inventory.Item{Key: "big", Value: json.RawMessage(`"` + strings.Repeat("v", MaxValue) + `"`)}, inventory.Item{Key: "", Value: json.RawMessage("1")})
	for i := range MaxItems + 5 {
		s.Put(string([]rune{rune('a' + i%26), rune(0x4e00 + i/26)}), i)
	}
	s.Seal()
	before := s.Status
	Clamp(s)
	if before != inventory.Complete || s.Status != inventory.Partial || !strings.Contains(s.Reason, "3 items with an over-long") || !strings.Contains(s.Reason, "5 items beyond") {
		t.Errorf("status %s, reason %q", s.Status, s.Reason)
	}
	d := inventory.Diff(nil, s)
	if err := CheckDelta(&d); err != nil || len(d.Put) != MaxItems {
		t.Errorf("CheckDelta: %v, %d items", err, len(d.Put))
	}
	fine := inventory.NewSection(inventory.NPM, inventory.Complete, "")
	fine.Put("a", 1)
	Clamp(fine)
	if fine.Status != inventory.Complete || len(fine.Items) != 1 {
		t.Errorf("a section within the limits was changed: %+v", fine)
	}
}

func TestClampBoundsBytes(t *testing.T) {
	s := inventory.NewSection(inventory.NPM, inventory.Complete, "")
	v := strings.Repeat("v", 200_000)
	for i := range 200 {
		s.Put(string(rune(0x4e00+i)), v)
	}
	Clamp(s)
	size := 0
	for _, it := range s.Items {
		size += len(it.Key) + len(it.Value)
	}
	if size > MaxSection || s.Status != inventory.Partial {
		t.Errorf("%d bytes, %s", size, s.Status)
	}
}

func TestCSR(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := NewCSR(key)
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := ParseCSR(text)
	want, err2 := KeyID(key)
	if err != nil || err2 != nil || id != want || !id.Valid() {
		t.Errorf("ParseCSR = %v, %v; KeyID = %v, %v", id, err, want, err2)
	}
	for _, bad := range []string{"", "x", strings.Replace(text, "REQUEST", "X", 2), strings.Repeat("a", MaxEnroll+1)} {
		if _, _, err := ParseCSR(bad); err == nil {
			t.Errorf("ParseCSR(%.20q) gives no error", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range []*Message{{Nudge: &Nudge{}}, sample(1), sample(100), {Ack: &Ack{Seq: 1, Rejected: []Rejected{{Reason: "r"}}}},
		{Ack: &Ack{Tasks: []TaskAck{{ID: someTask, State: TaskFailed}}}}, {TaskState: scanned()}, {Response: &Response{Can: []Ability{{Kind: TaskCollect}}, Isolation: Isolation{On: true, Task: someTask}}},
		{Collect: &Collect{ID: someTask}}, {Scan: &Scan{ID: someTask, Extent: ScanQuick}}, {Isolate: &Isolate{ID: someTask, Until: time.Unix(9, 0).UTC()}}, {Release: &Release{ID: someTask}}, {CancelTask: &CancelTask{ID: someTask}}} {
		frame, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Add([]byte{codingZstd, 0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := Decode(frame)
		if err != nil {
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("what was encoded cannot be decoded: %v", err)
		}
		if _, id, ok := m.Task(); ok && CheckTask(m) == nil && !ValidTask(id) {
			t.Fatalf("task %q passes", id)
		}
		if m.TaskState != nil && CheckTaskState(m.TaskState) == nil && m.TaskState.Result != nil && m.TaskState.Result.Scan != nil {
			ClampScan(m.TaskState.Result.Scan) // changes nothing that passes
			if err := CheckTaskState(m.TaskState); err != nil {
				t.Fatal(err)
			}
		}
		if m.Deliver == nil {
			return
		}
		for i := range m.Deliver.Deltas {
			if CheckDelta(&m.Deliver.Deltas[i]) == nil {
				_, _ = inventory.Apply(nil, m.Deliver.Deltas[i]) // must not panic
			}
		}
	})
}

func TestReadRefusal(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
		code       string // of a considered no
	}{
		{403, `{"code": "token", "reason": "it was used up"}`, "the server refuses: it was used up", RefusedToken},
		{429, `{"code": "busy", "reason": "later"}`, "the server answers 429: later", ""},
		{404, "<html>", "the server answers 404: is this the address of the agent listener?", ""},
		{403, `{"code": "unknown", "reason": "` + strings.Repeat("x", 999) + `"}`, "the server refuses: " + strings.Repeat("x", 300), RefusedUnknown},
	} {
		err := ReadRefusal(&http.Response{StatusCode: tt.status, Body: io.NopCloser(strings.NewReader(tt.body))})
		code := ""
		if r, ok := errors.AsType[*RefusedError](err); ok {
			code = r.Code
		}
		if err.Error() != tt.want || code != tt.code {
			t.Errorf("%d %s: %q with code %q, want %q with %q", tt.status, tt.body, err, code, tt.want, tt.code)
		}
	}
}

func FuzzParseCSR(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	text, err := NewCSR(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add("-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n")
	f.Fuzz(func(t *testing.T, s string) {
		id, req, err := ParseCSR(s)
		if err == nil && (!id.Valid() || req == nil) {
			t.Fatalf("ParseCSR = %q, %v without error", id, req)
		}
	})
}
