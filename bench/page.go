package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// pageLatency changes one package of a tree of 700 and takes the time until the
// device's software, as the console asks for it, shows the new version.
func pageLatency(b *bench) ([]figure, error) {
	rounds := b.number("ROUNDS", 40)
	packages := map[string]string{}
	for i := range 700 {
		packages[fmt.Sprintf("pack%03d", i)] = "1.0-1"
	}
	tree, err := rig.NewTree(filepath.Join(b.dir, "root"), packages)
	if err != nil {
		return nil, err
	}
	srv, err := b.bins.StartServer(b.ctx, filepath.Join(b.dir, "data"))
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	agent, err := b.bins.StartAgent(b.ctx, srv, filepath.Join(b.dir, "state"), rig.AgentOptions{Root: tree.Root})
	if err != nil {
		return nil, err
	}
	defer agent.Stop()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := waitSoftware(b.ctx, c); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, agent.Log())
	}
	devices, err := c.Devices(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := quiet(b.ctx, agent.PID()); err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range rounds {
		name, version := fmt.Sprintf("pack%03d", i*17%700), fmt.Sprintf("2.%d-1", i)
		tree.Packages[name] = version
		path := "/api/x/devices/" + devices[0].ID + "/software?q=" + url.QueryEscape(name)
		began := time.Now()
		if err := tree.Write(); err != nil {
			return nil, err
		}
		err := rig.Wait(b.ctx, 30*time.Second, 10*time.Millisecond, func(ctx context.Context) (bool, error) {
			var page rig.Page[rig.Product]
			err := c.Get(ctx, path, &page)
			return err == nil && len(page.Items) == 1 && page.Items[0].Version == version, err
		})
		if err != nil {
			return nil, fmt.Errorf("change %d: %w\n%s", i, err, agent.Log())
		}
		took = append(took, time.Since(began))
	}
	note := fmt.Sprintf("%d changes, median %s s", rounds, short(median(took).Seconds()))
	return []figure{{what: "package change to device page, p95", value: quantile(took, 0.95).Seconds(), unit: "s", target: 2, floor: 10, note: note}}, nil
}
