package mde

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

// What is written without reflection is what encoding/json writes.
func TestAppendIsEncodingJSON(t *testing.T) {
	same := func(v any, got []byte) {
		t.Helper()
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, got) {
			t.Errorf("%q is written as %s, want %s", v, got, want)
		}
	}
	texts := []string{"", "plain", `<script>"&'\`, "\u2028\u2029\u2027", "\xff\xfe", "é€😀", "a\x00b\x7f\x1f\t\n\r\b\f", string(make([]byte, 300))}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		raw := make([]byte, rng.IntN(12))
		for i := range raw {
			raw[i] = byte(rng.IntN(256))
		}
		texts = append(texts, string(raw), string([]rune{rune(rng.IntN(0x3000)), rune(rng.IntN(0x110000))}))
	}
	for _, s := range texts {
		same(s, appendText(nil, s))
		same([]string{s, "x"}, appendTexts(nil, []string{s, "x"}))
	}
	same([]string{}, appendTexts(nil, nil))
	for _, f := range []float64{0, 1, 10, 9.8, 7.25, 0.1, 123456} {
		same(f, appendScore(nil, f))
	}
	same("2026-01-31 08:09:10", appendMoment(nil, time.Date(2026, 1, 31, 8, 9, 10, 999, time.UTC)))
	same(nil, appendMoment(nil, time.Time{}))
}
