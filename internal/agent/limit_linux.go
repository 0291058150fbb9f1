package agent

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	niceness = 10
	// ioprio is class best-effort (2) with its lowest priority (7).
	ioprio = 2<<13 | 7
	// ioprioProcess addresses one thread.
	ioprioProcess = 1
)

// lowerPriority applies to every thread that exists; later ones inherit it.
func lowerPriority() error {
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	var bad error
	for _, e := range list {
		tid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if err := unix.Setpriority(unix.PRIO_PROCESS, tid, niceness); err != nil && !errors.Is(err, unix.ESRCH) {
			bad = fmt.Errorf("set priority: %w", err)
		}
		if _, _, e := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioProcess, uintptr(tid), ioprio); e != 0 && e != unix.ESRCH {
			bad = fmt.Errorf("set disk priority: %w", e)
		}
	}
	return bad
}
