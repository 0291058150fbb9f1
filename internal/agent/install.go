package agent

import "context"

// Install makes the agent a service of this host, and Uninstall ends that.
// Both need the right to change the host's services.
func Install(ctx context.Context, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	return installService(ctx, cfg)
}

// Uninstall stops and removes the service. With cfg.State the state directory
// goes too: the device's key, so that the host would come back as a new device.
func Uninstall(ctx context.Context, cfg Config) error { return uninstallService(ctx, cfg) }
