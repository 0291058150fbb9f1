//go:build noexec

package agent

import (
	"context"
	"log/slog"
	"time"
)

// Responds says whether this program was built with response actions: it was not.
const Responds = false

// hands carry out nothing.
type hands struct{}

// responseFiles are the names in the state directory that an agent with response
// actions leaves.
var responseFiles = []string{"isolation.json", "isolation.lock"}

func (a *agent) newResponder() *hands { return &hands{} }

func (a *agent) newHand() hand { return noHand{} }

// Restore has nothing to restore.
func (*hands) Restore(context.Context) error { return nil }

// Run waits until ctx ends.
func (*hands) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// ScannedLately is false: there are no scans.
func (*hands) ScannedLately(time.Duration) bool { return false }

// ReleaseHost says that this program was built without it.
func ReleaseHost(_ context.Context, state string) (was bool, err error) {
	if _, err := ownState(state); err != nil {
		return false, err
	}
	return false, errNoHand
}

// RestoreHost has nothing to restore: this program isolates no host.
func RestoreHost(_ context.Context, state string, _ *slog.Logger) error {
	_, err := ownState(state)
	return err
}

func leaveNothing(context.Context, string) error { return nil }
