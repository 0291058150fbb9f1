//go:build !linux

package agent

func lowerPriority() error { return nil }
