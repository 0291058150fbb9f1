package protocol

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/event"
)

func records(t *testing.T, n int) []byte {
	t.Helper()
	var b []byte
	for i := range n {
		e := event.Event{Action: event.ProcessCreated, Seq: uint64(i + 1), Time: time.Unix(1764160000, int64(i))}
		e.Set(event.FileName, "sh")
		var err error
		if b, err = event.Append(b, &e); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestEventsTravel(t *testing.T) {
	raw := records(t, 100)
	ev, err := NewEvents(StreamActivity, 7, raw, 100)
	if err != nil {
		t.Fatal(err)
	}
	ev.Sent = time.Unix(1764160001, 0).UTC()
	frame, err := Encode(&Message{Events: ev})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Events.Records()
	if err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("other records: %v", err)
	}
	if m.Events.Seq != 7 || m.Events.Stream != StreamActivity || !m.Events.Sent.Equal(ev.Sent) {
		t.Errorf("head %+v", m.Events)
	}
}

func TestEventsRefused(t *testing.T) {
	good := records(t, 3)
	for name, e := range map[string]func() (*Events, error){
		"another count": func() (*Events, error) { return NewEvents(0, 1, good, 2) },
		"cut short":     func() (*Events, error) { return NewEvents(0, 1, good[:len(good)-1], 3) },
		"not packed":    func() (*Events, error) { return &Events{Seq: 1, Count: 3, Packed: good}, nil },
	} {
		ev, err := e()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ev.Records(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	bomb, err := Compress(nil, make([]byte, MaxEventBytes+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&Events{Seq: 1, Packed: bomb}).Records(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a bomb: %v", err)
	}
	for name, frame := range map[string][]byte{
		"long head":      {codingEvents, 0xff, 0xff, 0x03, '{'},
		"no events":      append([]byte{codingEvents, 2}, "{}"...),
		"unknown stream": append([]byte{codingEvents, 31}, `{"events":{"stream":9,"seq":1}}`...),
	} {
		if _, err := Decode(frame); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
