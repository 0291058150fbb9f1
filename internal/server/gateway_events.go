package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/picketsec/picket/internal/protocol"
)

// events keeps what happened and acknowledges it. What cannot be read is
// counted and acknowledged too: it would come again just so. Any other failure ends the
// session, because numbers behind this one must not be kept before it.
func (s *session) events(ctx context.Context, e *protocol.Events) error {
	s.g.alive(s.id, &e.Spool, 0)
	if e.Seq > maxSeq {
		return s.refuse(ctx, protocol.RefusedRequest, fmt.Sprintf("number %d of events is not possible", e.Seq))
	}
	err := s.g.backend.keepEvents(ctx, s.id, e)
	switch {
	case errors.Is(err, ErrInvalid):
		s.g.alive(s.id, nil, 1)
		s.log.WarnContext(ctx, "events rejected", "stream", e.Stream, "seq", e.Seq, "reason", short(err.Error()))
	case err != nil:
		s.log.ErrorContext(ctx, "events not stored, the agent will try again", "stream", e.Stream, "seq", e.Seq, "error", err)
		return s.refuse(ctx, protocol.RefusedBusy, "the server cannot store events now")
	}
	return s.send(ctx, &protocol.Message{Ack: &protocol.Ack{Events: []protocol.Stream{{Stream: e.Stream, Seq: e.Seq}}}})
}
