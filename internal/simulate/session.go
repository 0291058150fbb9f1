package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// Tag is the tag that simulated devices carry.
const Tag = "simulated"

// What one Deliver holds at most, and what a session waits for.
const (
	batchBytes = 1 << 20 // of keys and values, unless one section alone is larger
	ackLimit   = 2 * time.Minute
	heartbeat  = 50 * time.Second
	pingLimit  = 20 * time.Second
	maxPause   = time.Minute
)

// errSilent says that a device has gone silent for a while.
var errSilent = errors.New("the device is silent")

// link is one session of one device.
type link struct {
	f    *fleet
	h    *host
	id   *identity
	conn *protocol.Conn
	in   chan *protocol.Message // closed when receiving has ended, by err
	err  error

	seq, mark uint64
	acked     uint64 // highest number that the server has acknowledged
	marked    uint64 // highest mark
	again     []inventory.SectionName
	look      bool      // the server asked for a look
	paused    time.Time // nothing is sent before
	events    bool      // the server takes events
	slot      uint64    // the last one of which they were sent
}

// session connects a device, delivers what the server does not have, and then,
// when stay is true, lives on until something ends it.
func (f *fleet) session(ctx context.Context, h *host, id *identity, stay bool, settled func()) error {
	conn, err := f.dial(ctx, id)
	if err != nil {
		return err
	}
	return f.converse(ctx, conn, h, id, stay, settled)
}

// converse is a session on an open connection, which it closes.
func (f *fleet) converse(ctx context.Context, conn *protocol.Conn, h *host, id *identity, stay bool, settled func()) error {
	ctx, cancel := context.WithCancel(ctx)
	l := &link{f: f, h: h, id: id, conn: conn, in: make(chan *protocol.Message)}
	var receiving sync.WaitGroup
	receiving.Go(func() { l.receive(ctx) })
	f.count.connected.Add(1)
	defer func() {
		f.count.connected.Add(-1)
		cancel()
		conn.CloseNow()
		receiving.Wait()
	}()
	hashes, err := l.open(ctx)
	if err != nil {
		return err
	}
	f.reached.Store(true)
	if err := l.sync(ctx, hashes); err != nil {
		return err
	}
	if err := l.act(ctx); err != nil {
		return err
	}
	settled()
	if !stay {
		conn.Close("delivered")
		return nil
	}
	return l.live(ctx)
}

// receive hands on what comes until the connection ends. It also answers pings.
func (l *link) receive(ctx context.Context) {
	defer close(l.in)
	for {
		m, done, err := l.conn.Recv(ctx)
		done()
		if err != nil {
			l.err = err
			return
		}
		select {
		case l.in <- m:
		case <-ctx.Done():
			l.err = ctx.Err()
			return
		}
	}
}

// next waits for one message.
func (l *link) next(ctx context.Context, limit time.Duration) (*protocol.Message, error) {
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case m, ok := <-l.in:
		if !ok {
			return nil, l.err
		}
		return m, nil
	case <-late.C:
		return nil, errors.New("the server does not answer")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// open says hello and keeps the nonce. It returns what the server holds.
func (l *link) open(ctx context.Context) (map[inventory.SectionName]string, error) {
	goarch, _ := l.h.arch()
	err := l.conn.Send(ctx, &protocol.Message{Hello: &protocol.Hello{Version: protocol.Version, AgentVersion: l.f.opt.Version, OS: "linux", Arch: goarch,
		Evidence: protocol.Evidence{MachineID: l.h.digest("machine"), BootID: l.h.bootID(), MACs: []string{l.h.mac()}},
		Nonce:    l.id.nonce, Tags: []string{Tag}}})
	if err != nil {
		return nil, err
	}
	for {
		m, err := l.next(ctx, answerLimit)
		switch {
		case err != nil:
			return nil, err
		case m.Refusal != nil:
			return nil, protocol.NewRefusal(m.Refusal)
		case m.Fork != nil:
			return nil, &protocol.RefusedError{Code: protocol.RefusedClones, Reason: "this device's key is in use elsewhere: is a copy of the directory running? (" + protocol.Clip(m.Fork.Reason) + ")"}
		case m.Welcome != nil:
			l.seq, l.acked = m.Welcome.LastSeq, m.Welcome.LastSeq
			l.events = m.Welcome.Version >= 3
			for _, s := range m.Welcome.Events {
				if s.Stream == protocol.StreamActivity {
					l.slot = s.Seq
				}
			}
			l.id.nonce = protocol.Clip(m.Welcome.Nonce)
			if err := l.f.book.save(l.id); err != nil {
				return nil, err
			}
			return m.Welcome.Hashes, l.conn.Send(ctx, &protocol.Message{Kept: &protocol.Kept{Nonce: l.id.nonce}})
		}
	}
}

// sync delivers whole what the server has not as it is, and says of the rest
// that it was looked at.
func (l *link) sync(ctx context.Context, hashes map[inventory.SectionName]string) error {
	var deltas []inventory.Delta
	now := time.Now()
	same := map[inventory.SectionName]time.Time{}
	for _, s := range l.h.sections(now) {
		if s.Hash() == hashes[s.Name] {
			same[s.Name] = s.SeenAt
			continue
		}
		deltas = append(deltas, inventory.Diff(nil, s))
	}
	if err := l.deliver(ctx, deltas); err != nil {
		return err
	}
	return l.seen(ctx, same)
}

// deliver sends changes and waits until all of them are durable on the server.
func (l *link) deliver(ctx context.Context, deltas []inventory.Delta) error {
	for len(deltas) > 0 {
		n, size := 0, 0
		for n < len(deltas) && n < protocol.MaxDeltas && (n == 0 || size+deltaSize(&deltas[n]) <= batchBytes) {
			size += deltaSize(&deltas[n])
			n++
		}
		if err := l.wait(ctx); err != nil {
			return err
		}
		l.seq++
		if err := l.conn.Send(ctx, &protocol.Message{Deliver: &protocol.Deliver{Seq: l.seq, Deltas: deltas[:n]}}); err != nil {
			return err
		}
		l.f.count.deliveries.Add(1)
		if err := l.until(ctx, func() bool { return l.acked >= l.seq }); err != nil {
			return err
		}
		l.f.count.sections.Add(int64(n))
		deltas = append(deltas[n:], l.whole()...)
	}
	return nil
}

// whole are the sections that the server asked for.
func (l *link) whole() (deltas []inventory.Delta) {
	if len(l.again) == 0 {
		return nil
	}
	for _, s := range l.h.sections(time.Now()) {
		for _, name := range l.again {
			if s.Name == name {
				deltas = append(deltas, inventory.Diff(nil, s))
				break
			}
		}
	}
	l.again = nil
	return deltas
}

func deltaSize(d *inventory.Delta) int {
	n := 0
	for i := range d.Put {
		n += len(d.Put[i].Key) + len(d.Put[i].Value)
	}
	for _, key := range d.Del {
		n += len(key)
	}
	return n
}

// seen says when unchanged sections were looked at.
func (l *link) seen(ctx context.Context, sections map[inventory.SectionName]time.Time) error {
	if len(sections) == 0 {
		return nil
	}
	l.mark++
	if err := l.conn.Send(ctx, &protocol.Message{Seen: &protocol.Seen{Mark: l.mark, Sections: sections}}); err != nil {
		return err
	}
	return l.until(ctx, func() bool { return l.marked >= l.mark })
}

// wait lets the pause pass that the server asked for.
func (l *link) wait(ctx context.Context) error {
	if !sleep(ctx, time.Until(l.paused)) {
		return ctx.Err()
	}
	return nil
}

// until handles messages until ok.
func (l *link) until(ctx context.Context, ok func() bool) error {
	for !ok() {
		m, err := l.next(ctx, ackLimit)
		if err != nil {
			return err
		}
		if err := l.handle(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// handle takes one message of the server.
func (l *link) handle(ctx context.Context, m *protocol.Message) error {
	switch {
	case m.Ack != nil:
		l.f.count.acks.Add(1)
		l.acked, l.marked = max(l.acked, m.Ack.Seq), max(l.marked, m.Ack.Mark)
		for _, r := range m.Ack.Rejected {
			l.f.count.rejected.Add(1)
			l.f.log.ErrorContext(ctx, "the server rejected a section", "device", l.h.name(), "section", r.Name, "reason", protocol.Clip(r.Reason))
		}
	case m.Resync != nil:
		l.again = append(l.again, m.Resync.Sections...)
	case m.Nudge != nil:
		l.look = true
	case m.Slow != nil:
		l.paused = time.Now().Add(min(time.Duration(max(m.Slow.Millis, 0))*time.Millisecond, maxPause))
	case m.Renew != nil:
		csr, err := protocol.NewCSR(l.id.key)
		if err != nil {
			return err
		}
		return l.conn.Send(ctx, &protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr}})
	case m.Certificate != nil:
		return l.f.accept(l.id, m.Certificate.PEM)
	case m.Refusal != nil:
		return protocol.NewRefusal(m.Refusal)
	}
	return nil
}

// live lets time pass on the device, reports what changes, answers the server
// and shows that the device is there.
func (l *link) live(ctx context.Context) error {
	beat := time.NewTicker(heartbeat + rand.N(heartbeat/2))
	defer beat.Stop()
	for {
		step := time.NewTimer(l.f.untilStep(l.h))
		var err error
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case m, ok := <-l.in:
			if ok {
				err = l.handle(ctx, m)
			} else {
				err = l.err
			}
		case <-step.C:
			err = l.day(ctx)
		case <-beat.C:
			if err = l.ping(ctx); err == nil {
				err = l.act(ctx)
			}
		}
		step.Stop()
		if err == nil && l.look {
			l.look = false
			err = l.report(ctx, l.h.sections(time.Now()))
		}
		if err != nil {
			return err
		}
	}
}

// ping shows that the device is there. What comes meanwhile is handled: the
// answer stands behind it, and would not be read.
func (l *link) ping(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, pingLimit)
	answer := make(chan error, 1)
	var asking sync.WaitGroup
	asking.Go(func() { answer <- l.conn.Ping(limited) })
	defer func() {
		cancel()
		asking.Wait()
	}()
	for {
		select {
		case err := <-answer:
			if err != nil {
				return fmt.Errorf("heartbeat: %w", err)
			}
			return nil
		case m, ok := <-l.in:
			if !ok {
				return l.err
			}
			if err := l.handle(ctx, m); err != nil {
				return err
			}
		}
	}
}

// day lets the steps pass that are due and reports what they changed.
func (l *link) day(ctx context.Context) error {
	before := l.h.sections(time.Now())
	l.f.advance(l.h)
	if l.h.quiet > 0 {
		return errSilent
	}
	return l.report(ctx, before)
}

// report delivers what is other than before, and says of the rest that it was looked at.
func (l *link) report(ctx context.Context, before []*inventory.Section) error {
	var deltas []inventory.Delta
	same := map[inventory.SectionName]time.Time{}
	for i, s := range l.h.sections(time.Now()) {
		d := inventory.Diff(before[i], s)
		if d.Hash == d.Base {
			same[s.Name] = s.SeenAt
			continue
		}
		deltas = append(deltas, d)
	}
	if err := l.deliver(ctx, deltas); err != nil {
		return err
	}
	return l.seen(ctx, same)
}

// sleep waits; it reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
