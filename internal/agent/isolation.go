package agent

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"

	"github.com/picketsec/picket/internal/agent/respond"
)

// ReleaseHost ends the isolation of this host by the agent with that state
// directory, whether or not it runs; it tells its server. It reports whether the
// host was isolated.
func ReleaseHost(ctx context.Context, state string) (was bool, err error) {
	dir, err := ownState(state)
	if err != nil {
		return false, err
	}
	return respond.ReleaseLocal(ctx, dir)
}

// RestoreHost isolates this host as it was when it went down, before an agent
// runs. Where it was not isolated it does nothing.
func RestoreHost(ctx context.Context, state string, log *slog.Logger) error {
	dir, err := ownState(state)
	if err != nil {
		return err
	}
	return respond.New(respond.Config{State: dir, Log: log}).Restore(ctx)
}

// ownState checks a state directory that an agent may be using.
func ownState(state string) (string, error) {
	if state == "" {
		return "", usageErr("--state is missing: name the agent's directory")
	}
	dir, err := filepath.Abs(state)
	if err != nil {
		return "", stateErr("%q: %w", state, err)
	}
	if err := checkOwn(dir, 0o700, true); err != nil {
		return "", err
	}
	for _, name := range respond.StateFiles {
		if err := checkOwn(filepath.Join(dir, name), 0o600, false); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return dir, nil
}
