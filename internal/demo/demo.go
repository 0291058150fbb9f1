// Package demo holds demo intelligence: some 200 well-known weaknesses and the
// release lines of a few products, so that the first run shows something without a network.
//
// Ids, dates, vectors and fixed versions are facts of public record; titles and
// descriptions are Picket's own. It is a sample, not a feed: only "picket demo"
// loads it, and the console says so while it is loaded.
//
//	err := server.LoadDemo(ctx, demo.Intelligence())
package demo

import (
	"bytes"
	_ "embed" // the file below
	"encoding/json"
	"fmt"
)

//go:embed intelligence.json
var intelligence []byte

// Intelligence returns the demo intelligence in the format that package
// advisory reads as FormatDemo. The caller may change the result.
func Intelligence() []byte { return bytes.Clone(intelligence) }

// baseDay is the day of Base.
const baseDay = "2025-01-01"

// Base returns the demo intelligence as it would have been on an earlier day:
// without the weaknesses that were published later and without the entries of
// CISA's catalogue that came later. Loaded first, it makes of Intelligence an
// update that tells something.
func Base() ([]byte, error) {
	var file struct {
		Demo       int                          `json:"picket_demo"`
		Date       string                       `json:"date"`
		Products   json.RawMessage              `json:"products"`
		Weaknesses []map[string]json.RawMessage `json:"weaknesses"`
	}
	if err := json.Unmarshal(intelligence, &file); err != nil {
		return nil, fmt.Errorf("read demo intelligence: %w", err)
	}
	file.Date = baseDay
	kept := file.Weaknesses[:0]
	for _, w := range file.Weaknesses {
		var facts struct {
			Published string                  `json:"published"`
			KEV       *struct{ Added string } `json:"kev"`
		}
		raw, err := json.Marshal(w)
		if err == nil {
			err = json.Unmarshal(raw, &facts)
		}
		if err != nil {
			return nil, fmt.Errorf("read demo intelligence: %w", err)
		}
		if facts.Published > baseDay {
			continue
		}
		if facts.KEV != nil && facts.KEV.Added > baseDay { // its exploitation was not known either
			delete(w, "kev")
			delete(w, "exploit")
		}
		kept = append(kept, w)
	}
	file.Weaknesses = kept
	return json.Marshal(file)
}
