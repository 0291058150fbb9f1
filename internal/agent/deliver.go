package agent

import (
	"context"
	"errors"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/protocol"
)

// fill sends as much as may be in flight: first the changes of the spool in
// their order, then whole sections where the server has something else than
// what is kept, then which unchanged sections were looked at. idle says that
// the server has acknowledged everything that there is.
func (l *link) fill(ctx context.Context) (idle bool, err error) {
	for len(l.flight) < l.max {
		if time.Until(l.paused) > 0 {
			return false, nil
		}
		sent, err := l.sendQueued(ctx)
		if err == nil && !sent {
			sent, err = l.sendWhole(ctx)
		}
		if err != nil {
			return false, err
		}
		if !sent {
			break
		}
	}
	if len(l.flight) > 0 {
		return false, nil
	}
	if l.marked == nil {
		if l.marked = l.a.keep.takeSeen(); l.marked != nil {
			l.mark++
			err := l.conn.Send(ctx, &protocol.Message{Seen: &protocol.Seen{Mark: l.mark, Sections: l.marked, Spool: l.a.spool.stats()}})
			return false, err
		}
	}
	return l.marked == nil, nil
}

// sendQueued sends the next records of the spool as one Deliver. A change that
// does not start from what the server has is left out: its section goes whole.
func (l *link) sendQueued(ctx context.Context) (bool, error) {
	var deltas []inventory.Delta
	seq, size := uint64(0), 0
	for n := 0; n < batchRecords && size < batchBytes && len(deltas) < protocol.MaxDeltas; n++ {
		rec, ok := l.a.spool.next(l.cursor)
		if !ok {
			break
		}
		l.cursor = rec.Seq
		list, err := unpack(rec.Payload)
		if err != nil {
			l.a.log.ErrorContext(ctx, "queued change not readable, its section will be sent whole", "error", err)
			continue
		}
		for _, d := range list {
			if rec.Seq <= l.sent || d.Base == "" || d.Base != l.expect[d.Name] {
				continue
			}
			l.expect[d.Name] = d.Hash
			deltas = append(deltas, d)
			size += deltaSize(&d)
			seq = rec.Seq
		}
	}
	if len(deltas) == 0 {
		l.settle()
		return false, nil
	}
	return true, l.deliver(ctx, seq, deltas)
}

// sendWhole sends sections of which the server has something else than what is
// kept, as many as fit into one Deliver.
func (l *link) sendWhole(ctx context.Context) (bool, error) {
	var deltas []inventory.Delta
	size := 0
	hashes := l.a.keep.hashes()
	for _, name := range inventory.SectionNames {
		hash, ok := hashes[name]
		if !ok || hash == l.expect[name] || hash == l.a.rejected[name] {
			continue
		}
		sec, err := l.a.keep.content(name)
		if err != nil {
			l.a.log.ErrorContext(ctx, "kept section not readable, it is collected again", "section", name, "error", err)
			l.a.keep.forget(name)
			l.a.gather.trigger(name)
			continue
		}
		d := inventory.Diff(nil, sec)
		n := deltaSize(&d)
		if len(deltas) > 0 && size+n > batchBytes {
			break
		}
		deltas, size = append(deltas, d), size+n
		l.expect[name] = d.Hash
	}
	if len(deltas) == 0 {
		return false, nil
	}
	return true, l.deliver(ctx, l.a.spool.reserve(), deltas)
}

func (l *link) deliver(ctx context.Context, seq uint64, deltas []inventory.Delta) error {
	f := flight{seq: seq, upTo: l.cursor, deltas: make(map[inventory.SectionName]string, len(deltas)), at: time.Now()}
	for _, d := range deltas {
		f.deltas[d.Name] = d.Hash
	}
	frame, err := protocol.Encode(&protocol.Message{Deliver: &protocol.Deliver{Seq: seq, Deltas: deltas, Spool: l.a.spool.stats()}})
	if errors.Is(err, protocol.ErrTooLarge) {
		for name, hash := range f.deltas {
			l.reject(ctx, name, hash, err.Error())
		}
		return nil
	}
	if err != nil {
		return err
	}
	l.sent = max(l.sent, seq)
	l.flight = append(l.flight, f)
	return l.conn.SendFrame(ctx, frame)
}

// settle forgets records that were left out, once nothing before them is in flight.
func (l *link) settle() {
	if n := len(l.flight); n > 0 {
		l.flight[n-1].upTo = max(l.flight[n-1].upTo, l.cursor)
		return
	}
	l.a.spool.ack(l.cursor)
}

// handle takes one message of the server.
func (l *link) handle(ctx context.Context, m *protocol.Message) error {
	a := l.a
	switch {
	case m.Ack != nil:
		l.acked(ctx, m.Ack)
	case m.Resync != nil:
		for _, name := range m.Resync.Sections {
			a.log.InfoContext(ctx, "the server asks for a whole section", "section", name)
			l.expect[name] = ""
		}
	case m.Nudge != nil:
		a.gather.nudge()
	case m.Slow != nil:
		pause := min(time.Duration(max(m.Slow.Millis, 0))*time.Millisecond, maxPause)
		l.paused = time.Now().Add(pause)
	case m.Collect != nil, m.Scan != nil, m.Isolate != nil, m.Release != nil, m.Investigate != nil:
		a.tasks.take(ctx, m)
	case m.CancelTask != nil:
		a.tasks.cancel(ctx, m.CancelTask.ID)
	case m.Renew != nil:
		return l.renew(ctx)
	case m.Certificate != nil:
		return l.renewed(ctx, m.Certificate)
	case m.Refusal != nil:
		return protocol.NewRefusal(m.Refusal)
	}
	return nil
}

func (l *link) acked(ctx context.Context, k *protocol.Ack) {
	for len(l.flight) > 0 && k.Seq >= l.flight[0].seq {
		f := l.flight[0]
		for _, r := range k.Rejected {
			if hash, ok := f.deltas[r.Name]; ok && (r.Hash == "" || r.Hash == hash) {
				l.reject(ctx, r.Name, hash, r.Reason)
			} else if r.Name == "" && f.seq == k.Seq {
				for name, hash := range f.deltas {
					l.reject(ctx, name, hash, r.Reason)
				}
			}
		}
		l.a.spool.ack(f.upTo)
		l.flight = l.flight[1:]
	}
	for _, s := range k.Events {
		l.ackedEvents(s)
	}
	l.a.tasks.acked(k.Tasks)
	if k.Mark == l.mark {
		l.marked = nil
	}
}

// reject notes that the server will not take this content, so that it is not sent again.
func (l *link) reject(ctx context.Context, name inventory.SectionName, hash, reason string) {
	l.a.log.ErrorContext(ctx, "the server rejected a section", "section", name, "reason", clip(reason))
	l.a.rejected[name] = hash
	l.expect[name] = ""
}

// renew asks for a new certificate for the same key, once per session.
func (l *link) renew(ctx context.Context) error {
	if l.renewal {
		return nil
	}
	l.renewal = true
	csr, err := protocol.NewCSR(l.a.ident.key)
	if err != nil {
		return err
	}
	return l.conn.Send(ctx, &protocol.Message{CSR: &protocol.CSR{Purpose: protocol.PurposeRenew, PEM: csr}})
}

func (l *link) renewed(ctx context.Context, c *protocol.Certificate) error {
	a := l.a
	next := &identity{key: a.ident.key, id: a.ident.id}
	if err := next.accept(c.PEM, a.roots, a.times.now()); err != nil {
		a.log.ErrorContext(ctx, "renewed certificate not accepted", "error", err)
		return nil
	}
	if err := next.save(a.state, identityFile); err != nil {
		a.log.ErrorContext(ctx, "renewed certificate not written", "error", err)
		return nil
	}
	a.ident = next
	a.tasks.ident.Store(next)
	a.log.InfoContext(ctx, "certificate renewed", "expires", next.cert.NotAfter)
	return nil
}
