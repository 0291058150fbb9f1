package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// DeviceRemoval is what disappears with a device without an agent.
type DeviceRemoval struct {
	ID           inventory.DeviceID `json:"id"`
	Name         string             `json:"name"`
	Group        string             `json:"group"`
	Software     int                `json:"software"`
	Weaknesses   int                `json:"weaknesses"`   // that count in exposure
	Tags         []string           `json:"tags"`         // that people gave it
	Exceptions   int                `json:"exceptions"`   // that are not over and name it
	Remediations int                `json:"remediations"` // active ones that it is a target of
	Closed       int                `json:"closed"`       // findings that closed on it
	Subject      string             `json:"subject"`      // a document of this subject makes it a device again
	Refused      string             `json:"refused"`      // why it cannot be removed; "" when it can
}

// permanent says why a device cannot be removed, "" when it can: an agent would
// bring its device back.
func (d *device) permanent() string {
	switch d.agent.Source {
	case store.SourceSBOM, store.SourceOsquery:
		return ""
	}
	return d.sum.Name + " reports through an agent and would come back: only a device without an agent of Picket can be removed"
}

// DeviceRemoval says what would disappear with a device without an agent.
// Nothing is changed.
func (s *Server) DeviceRemoval(ctx context.Context, caller Caller, id string) (DeviceRemoval, error) {
	if err := s.need(caller, MachineReadWrite, ManageSecurity); err != nil {
		return DeviceRemoval{}, err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return DeviceRemoval{}, err
	}
	bill, err := s.st.SBOM(ctx, d.num)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return DeviceRemoval{}, err
	}
	closed, err := s.closedOf(ctx, d)
	if err != nil {
		return DeviceRemoval{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	n := c.fleet.DeviceCounts(d.num)
	out := DeviceRemoval{ID: d.id, Name: d.sum.Name, Group: c.groupName(d.group), Software: int(n.Products), Weaknesses: int(n.Weaknesses),
		Tags: append([]string{}, d.tagged...), Closed: len(closed), Subject: bill.Subject, Refused: d.permanent()}
	for _, e := range c.exceptions {
		for _, t := range e.spec.Targets {
			if e.spec.open() && t.Device == d.id {
				out.Exceptions++
				break
			}
		}
	}
	out.Remediations = c.remediations.targeting(d.num)
	return out, nil
}

// RemoveDevice takes a device without an agent out of the fleet. Its findings
// close, what exports show of earlier moments stays, and activities count it
// as removed. A document of the same subject makes it a device again.
func (s *Server) RemoveDevice(ctx context.Context, caller Caller, id string) error {
	if err := s.need(caller, MachineReadWrite, ManageSecurity); err != nil {
		return err
	}
	s.core.mu.RLock()
	d, err := s.core.named(caller.sees(), id)
	var why string
	if err == nil {
		why = d.permanent()
		audit.Change(ctx, string(d.id), map[string]any{"name": d.sum.Name, "source": d.source(), "group": s.core.sorting.names[d.group], "tags": d.all}, nil)
	}
	s.core.mu.RUnlock()
	switch {
	case err != nil:
		return err
	case why != "":
		return fmt.Errorf("%s: %w", why, ErrConflict)
	}
	s.importing.Lock() // its document does not come meanwhile
	defer s.importing.Unlock()
	d.report.Lock()
	defer d.report.Unlock()
	c := s.core
	now := time.Now().UTC()
	c.mu.Lock()
	if c.at(d.num) != d {
		c.mu.Unlock()
		return fmt.Errorf("device %q: %w", id, ErrNotFound)
	}
	name, held, judged, paths := d.sum.Name, d.held, d.verdicts, c.fleet.Scores().PathsOf(d.num)
	diff := c.fleet.RemoveDevice(d.num)
	r := store.Removal{Device: d.num, At: now, By: caller.Name, Closed: c.closures(d, held.List(), diff, now.UnixMilli())}
	for i := range r.Closed {
		r.Closed[i].Reason, r.Closed[i].Detail = "removed", "the device was removed by "+caller.Name
	}
	r.Change = c.noteDevice(d, held.List(), diff, nil, nil)
	c.forgetDevice(diff)
	c.judge(d, nil)
	c.setPaths(d, nil)
	d.held = store.Holding{}
	c.partial.Remove(d.num)
	c.moveSystem(d.num, d.sum.OSPlatform, "")
	c.unsure.Remove(d.num)
	if in := c.members[d.group]; in != nil {
		in.Remove(d.num)
	}
	c.renewLenses(d.group, d.group)
	c.devices[d.num] = nil
	delete(c.byID, d.id)
	c.gone[d.num] = d
	c.mu.Unlock()

	err = s.st.RemoveSBOM(ctx, r)

	c.mu.Lock()
	d.pending = nil
	if err != nil {
		delete(c.gone, d.num)
		c.devices[d.num], c.byID[d.id] = d, d.num
		c.forgetDevice(c.fleet.SetDevice(d.num, componentIDs(held)))
		d.held = held
		c.judge(d, judged)
		c.setPaths(d, paths)
		c.setSummary(d, d.sum)
		c.place(d, now)
	} else {
		d.value, d.tagged, d.ruled, d.all = exposure.ValueNormal, nil, nil, nil
	}
	c.mu.Unlock()
	s.live.publish(LiveEvent{Resource: "all"})
	if err != nil {
		return fmt.Errorf("remove device %s: %w", d.id, err)
	}
	s.log.InfoContext(ctx, "device removed", "device", d.id, "name", name, "by", caller.Name)
	return nil
}
