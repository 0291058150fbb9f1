package agent

import (
	"log/slog"
	"runtime"
	"runtime/debug"
)

// memoryLimit is the soft limit on the agent's memory in bytes: near it the
// collector of garbage works harder. It is no promise that it is kept.
const memoryLimit = 96 << 20

// Restrain sets the limits that the agent keeps to: a soft memory limit, an
// eager garbage collector, two threads at a time, and on Linux the lowest
// useful priority for CPU and disk. Call it first in main.
func Restrain(log *slog.Logger) {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(40)
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	if err := lowerPriority(); err != nil {
		log.Warn("the agent runs at normal priority", "error", err)
	}
}
