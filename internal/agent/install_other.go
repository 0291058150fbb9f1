//go:build !linux

package agent

import (
	"context"
	"runtime"
)

func installService(context.Context, Config) error {
	return usageErr("install is not available on %s: run picket-agent run under the system's own service manager", runtime.GOOS)
}

func uninstallService(ctx context.Context, cfg Config) error { return installService(ctx, cfg) }
