package server

import (
	"context"
	"fmt"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/intel"
)

// Intel is the state of the loaded intelligence.
func (s *Server) Intel(_ context.Context, c Caller) (Intel, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return Intel{}, err
	}
	return s.desk.intel(), nil
}

// SyncIntel starts to fetch the feeds from their official addresses.
func (s *Server) SyncIntel(ctx context.Context, c Caller) (JobRow, error) {
	if err := s.need(c, ManageSettings); err != nil {
		return JobRow{}, err
	}
	audit.Change(ctx, "intelligence", s.desk.noted(), map[string]any{"sync": "started"})
	return s.desk.startSync(ctx)
}

// CancelJob ends a running import or sync.
func (s *Server) CancelJob(ctx context.Context, c Caller, id string) error {
	if err := s.need(c, ManageSettings); err != nil {
		return err
	}
	audit.Change(ctx, id, map[string]any{"job": "running"}, map[string]any{"job": "cancelled"})
	return s.desk.cancel(id)
}

// LoadDemo loads demo intelligence. Only "picket demo" does.
func (s *Server) LoadDemo(ctx context.Context, data []byte) error {
	r, err := s.intel.ImportBytes(ctx, "demo.json", data, intel.ImportOptions{})
	if err != nil {
		return err
	}
	for _, l := range r.Loads {
		if l.Status == intel.Failed || l.Status == intel.Unknown {
			return fmt.Errorf("demo intelligence is %s: %s", l.Status, l.Reason)
		}
	}
	if !r.Changed {
		return nil
	}
	return s.intelChanged(ctx, r)
}
