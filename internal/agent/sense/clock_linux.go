package sense

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since boot, sleep included.
func Now() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0 // every Linux that Go runs on has it
	}
	return time.Duration(ts.Nano())
}

// sinceBoot turns nanoseconds of the kernel's clock without sleep into the time
// since boot, for a moment of late.
func sinceBoot(mono uint64) time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return Now()
	}
	return Now() - time.Duration(ts.Nano()-int64(mono))
}
