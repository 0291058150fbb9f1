package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// groups makes device groups over a large fleet and asks for the dashboard and
// the lists of one after the other. The server keeps the rows of the last few
// selections; ten that take turns are cold every time.
func groups(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 100_000)
	srv, _, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Console(b.ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Get(b.ctx, "/api/x/dashboard", nil); err != nil {
		return nil, err // settles the scores
	}
	var placing []time.Duration
	var ids []string
	for digit := range 10 {
		began := time.Now()
		id, err := makeGroup(b, c, fmt.Sprintf("bulk %d", digit), fmt.Sprint(digit))
		if err != nil {
			return nil, err
		}
		placing = append(placing, time.Since(began))
		ids = append(ids, id)
	}
	figures := []figure{{what: fmt.Sprintf("a new device group takes a tenth of %d devices", devices), value: ms(median(placing)), unit: "ms",
		note: "median of 10, saved and in effect"}}
	for _, page := range []string{"/api/x/dashboard", "/api/x/recommendations", "/api/x/software", "/api/x/weaknesses", "/api/x/devices?sort=-score"} {
		var cold, warm []time.Duration
		for range 3 {
			for i, id := range ids {
				sep := "?"
				if page == "/api/x/devices?sort=-score" {
					sep = "&"
				}
				path := page + sep + "group=" + id
				if i%2 == 1 {
					path += "," + ids[(i+3)%len(ids)]
				}
				for _, took := range []*[]time.Duration{&cold, &warm} {
					began := time.Now()
					if err := c.Get(b.ctx, path, nil); err != nil {
						return figures, err
					}
					*took = append(*took, time.Since(began))
				}
			}
		}
		target, floor := 50.0, 150.0
		if page == "/api/x/dashboard" {
			target, floor = 100, 300
		}
		figures = append(figures, figure{what: page + " of a group not asked for lately, p95", value: ms(quantile(cold, 0.95)), unit: "ms", target: target, floor: floor,
			note: fmt.Sprintf("median %s ms; asked again: p95 %s ms", short(ms(median(cold))), short(ms(quantile(warm, 0.95))))})
	}
	return figures, nil
}

// makeGroup makes a group of the devices whose names end so and waits until it has them.
func makeGroup(b *bench, c *rig.Client, name, suffix string) (id string, err error) {
	type condition struct {
		Property string   `json:"property"`
		Operator string   `json:"operator"`
		Values   []string `json:"values"`
	}
	type rule struct {
		Conditions []condition `json:"conditions"`
	}
	var made struct {
		ID      int `json:"id"`
		Devices int `json:"devices"`
	}
	ask := map[string]any{"name": name, "rules": []rule{{Conditions: []condition{{"name", "ends_with", []string{suffix}}}}}}
	if err := c.Send(b.ctx, http.MethodPost, "/api/x/device-groups", ask, &made); err != nil {
		return "", err
	}
	if made.Devices == 0 {
		return "", fmt.Errorf("device group %q took no devices", name)
	}
	return fmt.Sprint(made.ID), nil
}
