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
