//go:build !linux

package respond

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// isolation is the state of a responder's isolation: none here.
type isolation struct {
	mu  sync.Mutex
	now kept
}

const noFollow = 0

// Isolate says that this system has no isolation.
func (r *Responder) Isolate(context.Context, string, time.Time) error { return r.can(Isolate) }

// Release says that this system has no isolation.
func (r *Responder) Release(context.Context, string) error { return r.can(Release) }

// ReleaseLocal says that this system has no isolation.
func ReleaseLocal(context.Context, string) (bool, error) {
	return false, elsewhere("release from isolation")
}

// Uninstall has nothing to leave behind.
func Uninstall(context.Context, string) error { return nil }

// Restore has nothing to restore.
func (r *Responder) Restore(context.Context) error { return nil }

// Run waits until ctx ends.
func (r *Responder) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func lock(string) (io.Closer, error) { return nil, errors.New("not on this system") }

func syncDir(string) error { return nil }
