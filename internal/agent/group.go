package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// group runs named loops together: the first that ends ends all.
type group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	log    *slog.Logger
	wg     sync.WaitGroup
}

func newGroup(ctx context.Context, log *slog.Logger) *group {
	ctx, cancel := context.WithCancelCause(ctx)
	return &group{ctx: ctx, cancel: cancel, log: log}
}

// add starts a loop. A panic ends it, and so the group, with an error.
func (g *group) add(name string, fn func(context.Context) error) {
	g.wg.Go(func() {
		err := guard(name, fn, g.ctx)
		if g.ctx.Err() == nil {
			g.log.DebugContext(g.ctx, "loop ended", "loop", name, "error", err)
		}
		g.cancel(err)
	})
}

func guard(name string, fn func(context.Context) error, ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("loop %q: panic: %v\n%s", name, p, debug.Stack())
		}
	}()
	return fn(ctx)
}

// wait returns when all loops have, with the error of the first that ended.
func (g *group) wait() error {
	g.wg.Wait()
	err := context.Cause(g.ctx)
	g.cancel(nil)
	if errors.Is(err, context.Canceled) && g.ctx.Err() != nil {
		return context.Canceled
	}
	return err
}

// sleep waits and reports whether it was not interrupted.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
