package agent

import (
	"errors"
	"path/filepath"
)

// ownState checks a state directory that an agent may be using.
func ownState(state string) (string, error) {
	if state == "" {
		return "", usageErr("--state is missing: name the agent's directory")
	}
	dir, err := filepath.Abs(state)
	if err != nil {
		return "", stateErr("%q: %w", state, err)
	}
	root, err := openOwn(dir)
	if err != nil {
		return "", err
	}
	return dir, errors.Join(checkFiles(root, dir, responseFiles, 0o600, false), root.Close())
}
