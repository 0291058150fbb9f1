package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/rig"
)

// firstReport enrols this very machine again and again and takes the time from
// the start of the agent until the server shows every section of its report.
func firstReport(b *bench) ([]figure, error) {
	srv, err := b.bins.StartServer(b.ctx, filepath.Join(b.dir, "data"))
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	var took, used []time.Duration
	seen := map[string]bool{}
	for i := range b.number("ROUNDS", 5) {
		began := time.Now()
		agent, err := b.bins.StartAgent(b.ctx, srv, filepath.Join(b.dir, fmt.Sprintf("state%d", i)), rig.AgentOptions{})
		if err != nil {
			return nil, err
		}
		err = rig.Wait(b.ctx, 2*time.Minute, 20*time.Millisecond, func(ctx context.Context) (bool, error) { return reported(ctx, c, seen) })
		took = append(took, time.Since(began))
		p, bad := readProc(agent.PID())
		used = append(used, p.cpu)
		agent.Stop()
		if err != nil || bad != nil {
			return nil, fmt.Errorf("first report %d: %w, %w\n%s", i, err, bad, agent.Log())
		}
		b.say("first report %d: %s s", i, short(took[i].Seconds()))
	}
	note := fmt.Sprintf("%d enrolments, slowest %s s, CPU %s s", len(took), short(quantile(took, 1).Seconds()), short(median(used).Seconds()))
	return []figure{{what: "agent: start to first report, all sections", value: median(took).Seconds(), unit: "s", target: 5, floor: 10, note: note}}, nil
}

// reported tells whether a device that is not in seen has all its sections, and adds it.
func reported(ctx context.Context, c *rig.Client, seen map[string]bool) (bool, error) {
	devices, err := c.Devices(ctx)
	if err != nil {
		return false, err
	}
	for _, d := range devices {
		if seen[d.ID] {
			continue
		}
		var page struct {
			Sections []struct {
				Name inventory.SectionName `json:"name"`
			} `json:"sections"`
		}
		if err := c.Get(ctx, "/api/x/devices/"+d.ID, &page); err != nil {
			return false, err
		}
		if len(page.Sections) < len(inventory.SectionNames) {
			return false, fmt.Errorf("%d of %d sections", len(page.Sections), len(inventory.SectionNames))
		}
		seen[d.ID] = true
		return true, nil
	}
	return false, nil
}
