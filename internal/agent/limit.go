package agent

import (
	"log/slog"
	"runtime"
	"runtime/debug"
)

// The hard limits of the agent, in its service and in a control group of its
// own. They are what it can never take; what it does take is far below.
const (
	cpuPercent = 50 // of one core
	memoryMax  = 256 << 20
	tasksMax   = 128 // threads, most of which wait for the disk
)

// memoryLimit is the soft limit on the agent's memory in bytes: near it the
// collector of garbage works harder. It is no promise that it is kept.
const memoryLimit = 96 << 20

// Restrain sets the limits that this process keeps to as an agent with that
// state directory: a soft memory limit, an eager garbage collector, two threads
// at a time, and on Linux the lowest useful priority for CPU and disk and, as
// root, hard limits in a control group of its own. Call it first in main, and
// release last: it leaves nothing behind on the host. What this process starts
// inherits priority and control group, and nothing else of it.
func Restrain(state string, log *slog.Logger) (release func()) {
	debug.SetMemoryLimit(memoryLimit)
	debug.SetGCPercent(40)
	runtime.GOMAXPROCS(min(2, runtime.NumCPU()))
	if err := lowerPriority(); err != nil {
		log.Warn("the agent runs at normal priority", "error", err)
	}
	return confine(state, log)
}
