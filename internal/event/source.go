package event

// Names of the sources of events, as SensorStarted and SensorChanged say them.
const (
	SourceEBPF     = "ebpf"
	SourceConn     = "proc connector"
	SourceProc     = "/proc"
	SourceFanotify = "fanotify"
	SourceJournal  = "journal"
	SourceUtmp     = "wtmp"
	SourceFiles    = "files"
	SourcePacket   = "packet socket"
	SourceMaps     = "perf"
	SourceSockets  = "socket diagnostics"
)

// Whole reports whether a source sees every event of a kind, or tells that it
// missed some. Of kinds that it is not said of here, none does.
func Whole(k Kind, source string) bool {
	switch k {
	case Process:
		return source == SourceEBPF
	case Logon:
		return source == SourceJournal
	}
	return false
}
