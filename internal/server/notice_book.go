package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/posture"
)

const (
	// noticeAtOnce is of how many devices events are read while somebody waits for a list.
	noticeAtOnce = 1000
	// noticeLife is how long what was read of more than that is used.
	noticeLife = time.Hour
)

// noticeBook keeps what was read of the events of many devices, of all scopes, by
// check. Its methods are safe for concurrent use.
type noticeBook struct {
	mu    sync.Mutex
	kept  map[string]*keptNotices
	asked chan *posture.Check // to be read in the background
	few   uint64              // of how many devices events are read at once
}

type keptNotices struct {
	known *notices // nil: not read yet
	at    time.Time
	asked bool // waits for its turn, or is being read
}

func newNoticeBook() *noticeBook {
	return &noticeBook{kept: map[string]*keptNotices{}, asked: make(chan *posture.Check, len(posture.Checks())), few: noticeAtOnce}
}

// look returns what is kept of a check, nil when there is nothing. What is not
// there or too old is asked for, once.
func (b *noticeBook) look(k *posture.Check, now time.Time) *notices {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.kept[k.ID]
	if e == nil {
		e = &keptNotices{}
		b.kept[k.ID] = e
	}
	if !e.asked && (e.known == nil || now.Sub(e.at) > noticeLife || now.Before(e.at)) {
		e.asked = true
		b.asked <- k // has room for each check
	}
	return e.known
}

// put keeps what was read; known is nil when it could not be.
func (b *noticeBook) put(k *posture.Check, known *notices, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &keptNotices{known: known, at: at}
	if old := b.kept[k.ID]; known == nil && old != nil {
		e.known, e.at = old.known, old.at
	}
	b.kept[k.ID] = e
}

// runNotices reads what lists ask for of many devices, one check at a time, until ctx ends.
func (s *Server) runNotices(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case k := <-s.noticed.asked:
			if err := s.readNotices(ctx, k); err != nil && !errors.Is(err, context.Canceled) {
				s.log.ErrorContext(ctx, "read who would notice a change", "check", k.ID, "error", err)
			}
		}
	}
}

// readNotices keeps what is known of all devices on which a check fails.
func (s *Server) readNotices(ctx context.Context, k *posture.Check) error {
	n, _ := checkNumber(k.ID)
	c, at := s.core, s.now()
	c.mu.RLock()
	devs := roaring.And(c.checks.devices(n, posture.Fail), c.active())
	c.mu.RUnlock()
	known, err := s.notices(ctx, k, devs)
	s.noticed.put(k, known, at)
	return err
}

// noticesSoon is notices for lists that nobody shall wait for: of few devices
// what is known now, of many what was known within the last hour or so, and nil
// before it was read for the first time. The caller's devices are devs, and the
// answer is of no others.
func (s *Server) noticesSoon(ctx context.Context, k *posture.Check, devs *roaring.Bitmap) (*notices, error) {
	if !k.Productivity || len(k.Uses) == 0 || devs.GetCardinality() <= s.noticed.few {
		return s.notices(ctx, k, devs)
	}
	known := s.noticed.look(k, s.now())
	if known == nil {
		return nil, nil
	}
	return known.within(devs), nil
}
