package sense

import "github.com/picketsec/picket/internal/event"

// allWays lists the ways to each group of kinds, the best first.
func allWays() [][]way {
	processes := []event.Kind{event.Process, event.ProcessEnd}
	return [][]way{
		{
			{SourceEBPF, append(processes[:2:2], event.Network), openKernel},
			{SourceProc, processes, openPoller},
		},
	}
}
