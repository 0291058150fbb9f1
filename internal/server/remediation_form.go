package server

import (
	"context"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
)

// RemediationForm is what the form to request remediation offers.
func (s *Server) RemediationForm(ctx context.Context, caller Caller, recommendation string) (RemediationForm, error) {
	if err := s.need(caller, RemediationWrite); err != nil {
		return RemediationForm{}, err
	}
	dests, err := s.formDestinations(ctx)
	if err != nil {
		return RemediationForm{}, err
	}
	affected, known, err := s.formDevices(ctx, caller, recommendation)
	if err != nil {
		return RemediationForm{}, err
	}
	free := roaring.New()
	if known != nil {
		free = known.unnoticed()
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	row, _, err := c.recommendation(l, recommendation)
	if err != nil {
		return RemediationForm{}, err
	}
	f := RemediationForm{Types: remediationTypes(row), Exposed: int(affected.GetCardinality()), Groups: []FormGroup{}, Destinations: dests, Active: c.remediations.active(l, row.ID)}
	for i := range c.sorting.groups { // without groups there is nothing to choose
		if g := c.sorting.groups[i].group(); l.sees.Has(g) {
			f.Groups = append(f.Groups, c.formGroup(g, affected, free))
		}
	}
	if len(f.Groups) > 0 && l.sees.Has(0) {
		f.Groups = append(f.Groups, c.formGroup(0, affected, free))
	}
	if k := checkOf(row.ID); k != nil && known != nil {
		f.UserImpact = noticeCount(k, known)
	}
	return f, nil
}

// formDevices are the devices that a form is about, and for a configuration
// change what is known of each.
func (s *Server) formDevices(ctx context.Context, caller Caller, recommendation string) (affected *roaring.Bitmap, known *notices, err error) {
	c := s.core
	if err := c.readSettled(ctx); err != nil {
		return nil, nil, err
	}
	l := c.lens(caller)
	row, _, err := c.recommendation(l, recommendation)
	if err == nil {
		affected = l.of(roaring.And(c.causeOf(row.ID, row.Ecosystem, false).there, c.active()))
	}
	c.mu.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	if k := checkOf(row.ID); k != nil {
		if known, err = s.noticesSoon(ctx, k, affected); known == nil && err == nil {
			known, err = s.notices(ctx, k, affected)
		}
	}
	return affected, known, err
}

// formDestinations are the places for tickets that a form offers.
func (s *Server) formDestinations(ctx context.Context) ([]FormDestination, error) {
	dests, err := s.st.Destinations(ctx)
	if err != nil {
		return nil, fmt.Errorf("read destinations: %w", err)
	}
	out := []FormDestination{}
	for _, d := range dests {
		if d.Enabled && !d.Removed {
			out = append(out, FormDestination{ID: d.ID, Name: d.Name, Kind: ticketKind(&d)})
		}
	}
	return out, nil
}

func (c *core) formGroup(g exposure.Group, affected, free *roaring.Bitmap) FormGroup {
	out := FormGroup{ID: uint32(g), Name: Ungrouped}
	if g != 0 {
		out.Name = c.groupName(g)
	}
	if m := c.members[g]; m != nil {
		out.Exposed, out.Unnoticed = int(affected.AndCardinality(m)), int(free.AndCardinality(m))
	}
	return out
}

// onlyUnnoticed leaves an activity those of its targets on which nobody would
// notice it.
func (s *Server) onlyUnnoticed(ctx context.Context, a *activity) error {
	k := checkOf(a.Recommendation)
	if k == nil {
		return Invalidf("unnoticed", "is for configuration changes: nothing says who would notice another version of software")
	}
	known, err := s.notices(ctx, k, a.targets)
	if err != nil {
		return err
	}
	if a.targets = known.unnoticed().Clone(); a.targets.IsEmpty() {
		return Invalidf("unnoticed", "of no device of these is it known that nobody would notice it")
	}
	a.targets.RunOptimize()
	return nil
}
