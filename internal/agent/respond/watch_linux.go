package respond

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	watchRest   = time.Second      // between two looks at our rules
	watchAnyway = 30 * time.Second // without a word of the kernel
	lookServer  = time.Minute      // between two looks for the server from an isolated host
	nftGroup    = 7                // NFNLGRP_NFTABLES
)

// Run keeps isolation until ctx ends: it puts our rules back when somebody takes
// them away or changes them, ends isolation when its time is over, follows a
// server that gets another address, and notices that root on the host has ended
// isolation. Call Restore before. The error is that of ctx.
func (r *Responder) Run(ctx context.Context) error {
	if r.mayIsolate() != nil || r.cfg.Reach == nil || r.cfg.Server == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	news := make(chan struct{}, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.listen(ctx, news)
	}()
	defer func() { <-ended }()
	asked := time.Time{}
	for {
		if err := r.look(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "isolation cannot be kept", "error", err)
		}
		if k := r.isolation.get(); k.On && time.Since(asked) > lookServer {
			asked = time.Now()
			r.follow(ctx)
		}
		if !rest(ctx, watchRest, nil) || !rest(ctx, r.nextLook(), news) {
			return ctx.Err()
		}
	}
}

// rest waits for a time, or for news. It reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration, news <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
	case <-news:
	}
	return true
}

// nextLook is when to look again without news.
func (r *Responder) nextLook() time.Duration {
	k := r.isolation.get()
	d := watchAnyway
	if k.On && !k.Until.IsZero() {
		d = min(d, max(time.Until(k.Until), 0))
	}
	if k.On && !k.Verified {
		d = min(d, 5*time.Second)
	}
	return d
}

// look compares what is with what should be, and mends it.
func (r *Responder) look(ctx context.Context) error {
	r.isolation.doing.Lock()
	defer r.isolation.doing.Unlock()
	k := r.isolation.get()
	if !k.On {
		return nil
	}
	disk, err := loadKept(r.cfg.State)
	switch {
	case err == nil && !disk.On && disk.Cause == CauseLocal:
		r.isolation.set(disk)
		r.told("release", CauseLocal)
		r.cfg.Changed(disk.Isolation)
		return dropTable(ctx)
	case k.over():
		err := r.end(ctx, "", CauseTime)
		r.told("release", CauseTime)
		return err
	}
	text, err := listTable(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.isolation.mu.Lock()
	same := err == nil && text == r.isolation.listed
	r.isolation.mu.Unlock()
	if same {
		return nil
	}
	return r.repair(ctx, k)
}

// repair puts our rules back, unless root has ended isolation this very moment.
func (r *Responder) repair(ctx context.Context, k kept) error {
	k.Repaired++
	err := underLock(r.cfg.State, func() error {
		if disk, err := loadKept(r.cfg.State); err == nil && !disk.On && disk.Cause == CauseLocal {
			return errEnded
		}
		if err := r.apply(ctx, k); err != nil {
			return err
		}
		return saveKept(r.cfg.State, k)
	})
	if errors.Is(err, errEnded) {
		return nil // the next look tells of it
	}
	if err != nil {
		return err
	}
	r.isolation.set(k)
	cut(k.Servers, k.DNS)
	r.log.WarnContext(ctx, "the rules of isolation were gone or changed, and are put back", "repaired", k.Repaired)
	r.told("isolate", "the rules of isolation were gone or changed, and were put back")
	r.cfg.Changed(k.Isolation)
	return nil
}

var errEnded = errors.New("isolation was ended")

// follow makes sure that the server is reached from an isolated host: what was
// not verified before the agent ended is verified, or taken back, and a server
// that has moved is let through.
func (r *Responder) follow(ctx context.Context) {
	reach, cancel := context.WithTimeout(ctx, reachWait)
	err := r.cfg.Reach(reach)
	cancel()
	if ctx.Err() != nil {
		return
	}
	r.isolation.doing.Lock()
	defer r.isolation.doing.Unlock()
	k := r.isolation.get()
	switch {
	case !k.On || err == nil && k.Verified:
		return
	case err == nil:
		k.Verified = true
		err = errors.Join(r.apply(ctx, k), r.keep(k))
	default:
		err = r.moved(ctx, k, err)
	}
	if err != nil && ctx.Err() == nil {
		r.log.WarnContext(ctx, "the server is not reached from the isolated host", "error", err)
	}
}

// moved lets through what the server's name leads to now, as well as what it led
// to before, and takes it back when the server is not there.
func (r *Responder) moved(ctx context.Context, k kept, unreached error) error {
	was := k
	if found, err := r.servers(ctx); err == nil {
		k.Servers = merge(k.Servers, found)
	}
	if len(k.Servers) > len(was.Servers) {
		err := r.apply(ctx, k)
		if err == nil {
			err = r.verify(ctx, &k)
		}
		if err == nil {
			return nil
		}
		unreached = errors.Join(unreached, err)
	}
	if was.Verified { // it was reached before: a server that is down does not end isolation
		if len(k.Servers) > len(was.Servers) {
			return errors.Join(unreached, r.apply(ctx, was))
		}
		return unreached
	}
	cause := "the server could not be reached through the rules of isolation"
	err := r.end(ctx, "", cause)
	r.told("release", cause)
	return errors.Join(unreached, err)
}

// listen sends news when the kernel says that rules have changed, until ctx ends.
func (r *Responder) listen(ctx context.Context, news chan<- struct{}) {
	for ctx.Err() == nil {
		err := notices(ctx, news)
		if ctx.Err() != nil {
			return
		}
		r.log.WarnContext(ctx, "changes of the packet filter are not told by the kernel, looked for every half minute", "error", err)
		if !rest(ctx, watchAnyway, nil) {
			return
		}
	}
}

// notices reads the kernel's words about changes of rules.
func notices(ctx context.Context, news chan<- struct{}) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	f := os.NewFile(uintptr(fd), "netlink")
	defer f.Close()
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (nftGroup - 1)}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		_, err := f.Read(buf)
		if err != nil && !errors.Is(err, unix.ENOBUFS) { // more than there was room for is news as well
			return fmt.Errorf("read: %w", err)
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}
