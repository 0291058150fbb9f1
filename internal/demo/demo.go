// Package demo holds demo intelligence: some 200 well-known weaknesses, so that
// the first run shows something without a network.
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
)

//go:embed intelligence.json
var intelligence []byte

// Intelligence returns the demo intelligence in the format that package
// advisory reads as FormatDemo. The caller may change the result.
func Intelligence() []byte { return bytes.Clone(intelligence) }
