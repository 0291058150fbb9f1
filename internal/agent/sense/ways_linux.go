package sense

import "github.com/picketsec/picket/internal/event"

// allWays lists the ways to each group of kinds, the best first.
func (h *host) allWays() [][]way {
	processes := []event.Kind{event.Process, event.ProcessEnd}
	logons := []event.Kind{event.Logon}
	sockets := []way{{source: SourceSockets, kinds: []event.Kind{event.Network}, open: openSockets}}
	list := [][]way{
		{
			{source: SourceEBPF, kinds: append(processes[:2:2], event.Network), open: openKernel},
			{source: SourceConn, kinds: processes, open: openConnector, beside: sockets},
			{source: SourceProc, kinds: processes, open: openPoller, beside: sockets},
		},
		{
			{source: SourceJournal, kinds: logons, open: openJournal},
			{source: SourceUtmp, kinds: logons, open: openUtmp},
		},
		{{source: SourceFanotify, kinds: []event.Kind{event.File}, open: openFanotify}},
		{{source: SourcePacket, kinds: []event.Kind{event.DNS}, open: openPackets}},
		{{source: SourceFiles, kinds: []event.Kind{event.Antivirus}, open: openClam}},
		{{source: SourceMaps, kinds: []event.Kind{event.Image}, open: openMappings}},
	}
	for _, s := range []snapshot{accounts("/etc"), tasks(""), services(""), modules("/proc", &h.modules)} {
		list = append(list, []way{{source: SourceFiles, kinds: []event.Kind{s.kind}, open: openSnapshot(s)}})
	}
	return list
}
