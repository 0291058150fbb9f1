package sense

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits until a file descriptor has something to be read. It waits in
// the runtime's own poller: a goroutine that sleeps in a system call keeps the
// runtime's monitor awake, which costs more than the waking itself.
type waiter struct {
	file *os.File
	conn syscall.RawConn
}

// newWaiter waits on a duplicate of a descriptor; the caller's is left alone,
// but for being one that does not block from now on.
func newWaiter(fd int, name string) (*waiter, error) {
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", name, err)
	}
	if err := unix.SetNonblock(own, true); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for %s: %w", name, err), unix.Close(own))
	}
	w := &waiter{file: os.NewFile(uintptr(own), name)}
	w.conn, err = w.file.SyscallConn()
	if err == nil {
		err = w.file.SetReadDeadline(time.Time{}) // refused by what cannot be waited for
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for %s: %w", name, err), w.file.Close())
	}
	return w, nil
}

// until returns when ready says so, when ctx ends, or at a time, if it is not
// zero; ready is asked at the start and whenever the kernel says that something
// came. The error is that of the descriptor.
func (w *waiter) until(ctx context.Context, at time.Time, ready func() bool) error {
	if stop, err := deadline(ctx, w.file, at); stop || err != nil {
		return err
	}
	err := w.conn.Read(func(uintptr) bool { return ready() })
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// interruptible lets the end of ctx end reads of a file, also those that have
// no deadline; release it when the file is not read any more.
func interruptible(ctx context.Context, f *os.File) (release func() bool) {
	return context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) }) // a closed file is not read
}

// deadline sets until when the next read of an interruptible file may last;
// stop: ctx has ended, and so it may not begin.
func deadline(ctx context.Context, f *os.File, at time.Time) (stop bool, err error) {
	if err := f.SetReadDeadline(at); err != nil {
		return false, err
	}
	return ctx.Err() != nil, nil // looked at last: its end sets a deadline of its own
}

// at is when a time since boot will be, for waiting; zero stays zero.
func at(boot time.Duration) time.Time {
	if boot == 0 {
		return time.Time{}
	}
	return time.Now().Add(boot - Now())
}

// sooner is the earlier of two times, of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
