package sense

import "time"

// connection deals with a record of a socket.
func (k *kernel) connection(r *kernelConnection) {
	if r.kind == kernelSent && r.remote.Port() == dnsPort {
		k.h.asked.note(r.local.Port(), r.remote.Addr(), key{r.pid, ticks(r.start)})
	}
	if k.seen.add(keyOf(r), r) {
		k.h.put(k.h.connected(r, 1, SourceEBPF), time.Duration(r.time))
	}
}

// flushConnections tells of those that were brought together.
func (k *kernel) flushConnections(end bool) {
	k.seen.over(Now(), end, func(_ connKey, g *connGroup) {
		k.h.put(k.h.connected(&g.last, g.more, SourceEBPF), time.Duration(g.last.time))
	})
}

// The forms of two maps of the kernel program.
type (
	kernelPort  struct{ Net, Port uint32 }
	kernelOwner struct {
		Start    uint64
		PID, UID uint32
	}
)

// seedListeners tells the kernel program which process waits on which port, of
// those that did before the agent came.
func (k *kernel) seedListeners() {
	byInode := map[uint64]uint16{}
	for _, name := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		raw, err := readCapped(name, 4<<20)
		if err != nil {
			continue
		}
		for _, l := range parseListeners(string(raw)) {
			byInode[l.inode] = l.port
		}
	}
	own, err := namespace("net")
	if err != nil || len(byInode) == 0 {
		return
	}
	for pid := range k.h.procs.pids() {
		for inode := range socketsOf(pid) {
			port, listens := byInode[uint64(inode)]
			if !listens {
				continue
			}
			// Without a start the table is asked who has the number.
			_ = k.coll.Maps["listening"].Put(kernelPort{own, uint32(port)}, kernelOwner{PID: pid}) // best effort: the event lacks its process
		}
	}
}
