//go:build !linux

package agent

import "errors"

func newNotifier() (notifier, error) {
	return nil, errors.New("no notifier for this system")
}

func tellsChanges(string) bool { return false }
