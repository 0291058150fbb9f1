package server

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// Exclusion says that somebody took a device out of scores, counts and lists over
// devices, and why. What happens on it is recorded, and raises alerts, all the same.
type Exclusion struct {
	Reason  string    `json:"reason" enum:"inactive,duplicate,not-there,out-of-scope,other"`
	Comment string    `json:"comment"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
}

// exclusionReasons are why a device may be excluded, in words.
var exclusionReasons = map[string]string{"inactive": "it is not in use", "duplicate": "it is another device's double", "not-there": "it does not exist any more",
	"out-of-scope": "it is out of scope", exclusionOther: "for another reason"}

const (
	exclusionOther       = "other"
	mostExclusionComment = 1000 // characters
)

// SetExclusion takes a device out of scores, counts and lists over devices, for a
// reason; a nil exclusion takes it in again. Of the exclusion only Reason and Comment
// count, and "other" needs a comment. A device that is as asked stays as it is.
func (s *Server) SetExclusion(ctx context.Context, caller Caller, id string, e *Exclusion) error {
	if err := s.need(caller, MachineReadWrite, ManageDevices); err != nil {
		return err
	}
	var next *store.Exclusion
	if e != nil {
		next = &store.Exclusion{Reason: e.Reason, Comment: strings.TrimSpace(e.Comment), By: caller.Name, At: s.now().Truncate(time.Millisecond)}
		switch {
		case exclusionReasons[e.Reason] == "":
			return Invalidf("reason", "%q is not a reason", ellipsis(e.Reason, 40))
		case e.Reason == exclusionOther && next.Comment == "":
			return Invalidf("comment", "must say which other reason there is")
		case utf8.RuneCountInString(next.Comment) > mostExclusionComment:
			return Invalidf("comment", "must have at most %d characters", mostExclusionComment)
		}
	}
	s.sorting.Lock()
	defer s.sorting.Unlock()
	c := s.core
	c.mu.RLock()
	d, err := c.named(caller.sees(), id)
	var was *store.Exclusion
	if err == nil {
		was = d.exclusion
	}
	c.mu.RUnlock()
	if err != nil {
		return err
	}
	if was == next || was != nil && next != nil && was.Reason == next.Reason && was.Comment == next.Comment {
		return nil
	}
	audit.Change(ctx, string(d.id), exclusionNote(was), exclusionNote(next))
	if err := s.st.SetExclusion(ctx, d.num, next); err != nil {
		return fmt.Errorf("store exclusion of %s: %w", d.id, err)
	}
	c.mu.Lock()
	d.exclusion = next
	c.place(d, s.now())
	c.mu.Unlock()
	s.log.InfoContext(ctx, "device exclusion set", "device", d.id, "excluded", next != nil, "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "device", ID: string(d.id)})
	return nil
}

// exclusionNote is what the audit log keeps of an exclusion.
func exclusionNote(e *store.Exclusion) map[string]string {
	if e == nil {
		return map[string]string{"exclusion": ""}
	}
	return map[string]string{"exclusion": e.Reason, "comment": e.Comment}
}

// excluded is the exclusion of a device as it is shown, nil when it has none.
func (d *device) excluded() *Exclusion {
	if d.exclusion == nil {
		return nil
	}
	return &Exclusion{Reason: d.exclusion.Reason, Comment: d.exclusion.Comment, By: d.exclusion.By, At: d.exclusion.At}
}

// loadExclusions reads which devices are out of scores and lists.
func (c *core) loadExclusions(ctx context.Context, st *store.Store) error {
	all, err := st.Exclusions(ctx)
	if err != nil {
		return fmt.Errorf("load exclusions of devices: %w", err)
	}
	for num, e := range all {
		if d := c.at(num); d != nil {
			d.exclusion = &e
		}
	}
	return nil
}
