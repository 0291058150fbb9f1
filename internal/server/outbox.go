package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/ticket"
)

const (
	outboxBatch = 64 // messages or questions of one round
	outboxWide  = 4  // destinations at a time
	outboxIdle  = time.Minute
)

// runTickets sends what is in the outbox and asks for the state of tickets,
// until ctx ends.
func (s *Server) runTickets(ctx context.Context) error {
	for {
		busy, err := s.ticketRound(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "send tickets", "error", err)
		}
		if busy && err == nil {
			continue
		}
		pause := outboxIdle
		if at, err := s.st.NextDelivery(ctx); err == nil && !at.IsZero() {
			pause = min(pause, max(time.Until(at), 20*time.Millisecond))
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-s.tickets.soon:
			wait.Stop()
		case <-wait.C:
		}
	}
}

// ticketRound sends and asks once; busy says that there was something to do.
func (s *Server) ticketRound(ctx context.Context) (busy bool, err error) {
	now := time.Now().UTC()
	due, err := s.st.DueDeliveries(ctx, now, outboxBatch)
	if err != nil {
		return false, fmt.Errorf("read outbox: %w", err)
	}
	polls, err := s.st.DuePolls(ctx, now, outboxBatch)
	if err != nil {
		return false, fmt.Errorf("read tickets to ask for: %w", err)
	}
	if len(due)+len(polls) == 0 {
		return false, nil
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return false, err
	}
	type work struct{ due, polls []store.Delivery }
	todo := map[string]*work{}
	of := func(id string) *work {
		if todo[id] == nil {
			todo[id] = &work{}
		}
		return todo[id]
	}
	for _, d := range due {
		w := of(d.Destination)
		w.due = append(w.due, d)
	}
	for _, d := range polls {
		w := of(d.Destination)
		w.polls = append(w.polls, d)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(outboxWide)
	for id, w := range todo {
		dest := dests[id]
		g.Go(func() error {
			to, openErr := s.tickets.open(&dest)
			for i := range w.due {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				sent, err := s.attempt(ctx, &dest, to, openErr, &w.due[i])
				if err != nil {
					return err
				}
				if !sent {
					return nil // the receiver is in trouble: others do not wait for its time-outs
				}
			}
			for i := range w.polls {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err := s.askState(ctx, &dest, to, openErr, &w.polls[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return true, g.Wait()
}

// attempt sends one message and stores how it ended; err is for the store.
// That an attempt begins is on disk before anything goes out: after a crash the
// next one knows that it may have been sent.
func (s *Server) attempt(ctx context.Context, dest *store.Destination, to ticket.Destination, openErr error, d *store.Delivery) (sent bool, err error) {
	began := time.Now().UTC()
	if err := s.st.BeginDelivery(ctx, d.ID, began, s.tickets.lease); err != nil {
		return false, ignoreGone(err)
	}
	ref, err := ticket.Ref{}, openErr
	if err == nil {
		ref, err = s.sendOne(ctx, dest, to, d)
	}
	now := time.Now().UTC()
	d.Attempts++
	what := ""
	switch {
	case err == nil:
		d.State, d.Sent, d.Error, d.Mend, d.Ref, d.URL, d.Phase, d.Word = "sent", now, "", "", ref.ID, ref.URL, string(ref.Phase), ref.Word
		if ticketKind(dest).PollsState() && ref.ID != "" && d.Event == "created" {
			d.PollNext = now.Add(s.tickets.poll)
		}
		what = dest.Name + ": " + map[string]string{"created": "ticket sent", "completed": "completion sent", "reopened": "re-opening sent"}[d.Event]
		if ticketKind(dest).PollsState() {
			what = dest.Name + ": ticket " + ref.ID + " " + map[string]string{"created": "created", "completed": "told of the completion", "reopened": "told of the re-opening"}[d.Event]
		}
	default:
		d.Error, d.Mend = explainTicket(err)
		d.Next = now.Add(s.tickets.pause(d.Attempts, err))
		if errors.Is(err, errNoTicket) || now.After(d.Until) {
			d.State = "dead"
			what = dest.Name + ": given up after " + plural(d.Attempts, "attempt", "attempts")
		}
		s.log.WarnContext(ctx, "ticket not sent", "remediation", d.Remediation, "destination", dest.ID, "attempts", d.Attempts, "state", d.State, "error", err)
	}
	var ev *store.RemediationEvent
	if what != "" {
		ev = &store.RemediationEvent{At: now, Who: systemName, What: "ticket", Detail: what}
	}
	if err := s.st.EndDelivery(context.WithoutCancel(ctx), d, ev); err != nil {
		return false, ignoreGone(err)
	}
	s.summarise(context.WithoutCancel(ctx), d.Remediation)
	s.live.publish(LiveEvent{Resource: "remediation", ID: d.Remediation})
	return d.State == "sent", nil
}

// ignoreGone passes on what is no "not found": a message that was removed
// meanwhile needs no more.
func ignoreGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// errNoTicket is why a tracker cannot be told what became of an activity.
var errNoTicket = &ticket.Error{What: "The ticket was never made: there is nothing to comment on.", Mend: "Send the request first, then this."}

func (s *Server) sendOne(ctx context.Context, dest *store.Destination, to ticket.Destination, d *store.Delivery) (ticket.Ref, error) {
	var m ticket.Message
	if err := json.Unmarshal(d.Body, &m); err != nil {
		return ticket.Ref{}, fmt.Errorf("message %s is damaged: %w", d.Key, err)
	}
	m.Again = d.Begun
	if ticketKind(dest).PollsState() && d.Event != "created" {
		list, err := s.st.Deliveries(ctx, d.Remediation)
		if err != nil {
			return ticket.Ref{}, fmt.Errorf("read tickets of %s: %w", d.Remediation, err)
		}
		for _, first := range list {
			if first.Key == m.Thread {
				m.Ticket = first.Ref
			}
		}
		if m.Ticket == "" {
			return ticket.Ref{}, errNoTicket
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.tickets.lease*3/4) // it ends before somebody else may try
	defer cancel()
	return to.Send(ctx, &m)
}

// pause is how long to wait after an attempt: doubled each time, with jitter,
// and at least as long as the receiver asks for.
func (t *ticketDesk) pause(attempts int, err error) time.Duration {
	d := t.most
	if attempts < 20 {
		d = min(t.most, t.retry<<(attempts-1))
	}
	d = time.Duration(float64(d) * (0.75 + rand.Float64()/2))
	var e *ticket.Error
	if errors.As(err, &e) {
		d = max(d, e.After)
	}
	return d
}

// askState asks for the state of one ticket and stores the answer; err is for the store.
func (s *Server) askState(ctx context.Context, dest *store.Destination, to ticket.Destination, openErr error, d *store.Delivery) error {
	var st ticket.State
	err := openErr
	if err == nil {
		st, err = to.State(ctx, d.Ref, d.ETag)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now().UTC()
	t := d.TicketState
	t.Polled, t.PollError, t.PollNext = now, "", now.Add(s.tickets.poll)
	var ev *store.RemediationEvent
	switch {
	case errors.Is(err, ticket.ErrNoState):
		t.PollNext = time.Time{}
	case err != nil:
		what, mend := explainTicket(err)
		t.PollError, t.PollNext = strings.TrimSpace(what+" "+mend), now.Add(max(3*s.tickets.poll, s.tickets.pause(1, err)))
	case !st.Same:
		if string(st.Phase) != t.Phase && st.Phase != "" {
			ev = &store.RemediationEvent{At: now, Who: dest.Name, What: "ticket", Detail: "ticket " + d.Ref + " is " + string(st.Phase) + " (" + cmp.Or(st.Word, "no word") + ")"}
		}
		t.Phase, t.Word, t.ETag = string(st.Phase), st.Word, st.ETag
	}
	if t.Phase == string(ticket.Closed) && t.PollError == "" {
		t.PollNext = now.Add(12 * s.tickets.poll) // it may be opened again
		if a, err := s.core.remediations.get(d.Remediation); err == nil && a.Status == RemediationCompleted {
			t.PollNext = time.Time{} // both ends say that it is over
		}
	}
	if err := s.st.SetTicket(ctx, d.ID, t, d.Remediation, ev); err != nil {
		return ignoreGone(err)
	}
	if t.Phase != d.Phase || t.Word != d.Word || t.PollError != d.PollError {
		s.summarise(ctx, d.Remediation)
		s.live.publish(LiveEvent{Resource: "remediation", ID: d.Remediation})
	}
	return nil
}

// summarise brings what lists show of an activity's tickets up to date.
func (s *Server) summarise(ctx context.Context, id string) {
	list, err := s.st.Deliveries(ctx, id)
	if err != nil {
		s.log.ErrorContext(ctx, "read tickets", "remediation", id, "error", err)
		return
	}
	word := ticketSummary(list)
	s.core.remediations.change(id, func(a *activity) { a.tickets = word })
}

// ticketRows are the messages of an activity.
func (s *Server) ticketRows(ctx context.Context, id string) ([]TicketRow, error) {
	list, err := s.st.Deliveries(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read tickets of %s: %w", id, err)
	}
	dests, err := s.destinations(ctx)
	if err != nil {
		return nil, err
	}
	out := []TicketRow{}
	for _, d := range list {
		dest := dests[d.Destination]
		r := TicketRow{ID: d.ID, Destination: dest.Name, Kind: ticketKind(&dest), Event: d.Event, State: d.State, Attempts: d.Attempts, CreatedAt: d.Created, SentAt: d.Sent,
			Error: d.Error, Mend: d.Mend, Ref: d.Ref, URL: d.URL, Phase: d.Phase, Word: d.Word, AskedAt: d.Polled, AskError: d.PollError}
		if d.State == "pending" {
			r.NextAt, r.Until = d.Next, d.Until
			if !dest.Enabled {
				r.Error, r.Mend = "The destination is turned off.", "Turn it on in Settings › Ticketing."
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// RetryTicket lets a message be sent now, also one that was given up.
func (s *Server) RetryTicket(ctx context.Context, caller Caller, id string, message int64) (Remediation, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return Remediation{}, err
	}
	if _, _, err := s.mine(caller, id); err != nil {
		return Remediation{}, err
	}
	now := time.Now().UTC()
	audit.Change(ctx, id, map[string]any{"message": message, "state": "failed"}, map[string]any{"message": message, "state": "to be sent again"})
	if err := s.st.RetryDelivery(ctx, id, message, now, now.Add(s.tickets.life)); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return Remediation{}, fmt.Errorf("message %d was sent already, is not one of this activity, or its destination was removed: %w", message, ErrConflict)
		}
		return Remediation{}, err
	}
	s.summarise(ctx, id)
	s.remediationChanged(id)
	return s.remediation(ctx, caller, id)
}
