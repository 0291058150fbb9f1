package sense

import "github.com/picketsec/picket/internal/event"

// allWays lists the ways to each group of kinds, the best first.
func (h *host) allWays() [][]way {
	processes := []event.Kind{event.Process, event.ProcessEnd}
	logons := []event.Kind{event.Logon}
	list := [][]way{
		{
			{SourceEBPF, append(processes[:2:2], event.Network), openKernel},
			{SourceConn, processes, openConnector},
			{SourceProc, processes, openPoller},
		},
		{
			{SourceJournal, logons, openJournal},
			{SourceUtmp, logons, openUtmp},
		},
		{{SourceFanotify, []event.Kind{event.File}, openFanotify}},
		{{SourcePacket, []event.Kind{event.DNS}, openPackets}},
		{{SourceFiles, []event.Kind{event.Antivirus}, openClam}},
		{{SourceMaps, []event.Kind{event.Image}, openMappings}},
	}
	for _, s := range []snapshot{accounts("/etc"), tasks(""), services(""), modules("/proc", &h.modules)} {
		list = append(list, []way{{SourceFiles, []event.Kind{s.kind}, openSnapshot(s)}})
	}
	return list
}
