package sense

import (
	"context"
	"encoding/json"
	"time"
)

func openSnapshot(s snapshot) func(context.Context, *host) (running, error) {
	return func(_ context.Context, h *host) (running, error) { return &snapshotReader{snapshot: s, h: h}, nil }
}

// Run implements running.
func (s *snapshotReader) Run(ctx context.Context) error {
	why := "found when the agent was there again"
	if s.name != "" {
		if raw := s.h.cfg.Memory.Get(s.name); raw == nil || json.Unmarshal(raw, &s.known) != nil {
			s.known = nil
		}
	}
	var n *notices
	if len(s.files) > 0 {
		var err error
		if n, err = newNotices(entriesMask); err != nil {
			return err
		}
		defer n.close()
		defer interruptible(ctx, n.file)()
	}
	whole := false // every directory is watched
	for {
		if n != nil {
			s.expand()
			whole = s.watch(n, whole) // before the look: what comes after it is noticed
		}
		s.look(why)
		why = ""
		pause(ctx, s.every)
		if whole {
			if err := n.wait(ctx, time.Now().Add(lookAnyway-s.every)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// watch brings the watched directories up to date, and says whether each of
// them can be watched. Those that are not there are watched for.
func (s *snapshotReader) watch(n *notices, whole bool) bool {
	if !s.moved {
		return whole
	}
	s.moved = false
	return n.set(s.dirs) == nil
}
