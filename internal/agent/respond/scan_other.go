//go:build !linux

package respond

import (
	"context"
	"time"
)

type (
	clam   struct{}
	places struct{}
)

var (
	hostClam    clam
	quickPlaces places
)

// Scan says that this system has no scans.
func (r *Responder) Scan(context.Context, Extent, func(Progress)) (*ScanResult, error) {
	return nil, r.can(Scan)
}

// ScannedLately is false: this system has no scans.
func (r *Responder) ScannedLately(time.Duration) bool { return false }
