//go:build !linux

package respond

import "context"

const dpkgDir = ""

var startPlaces []string

// Investigate says that this system has no investigations.
func (r *Responder) Investigate(context.Context, Questions, func(string)) (*Findings, error) {
	return nil, r.can(Investigate)
}
