package main

import (
	"fmt"
	"slices"
	"time"
)

// plan measures What-if and patch plans at a fleet, over HTTP as the console
// asks: a basket of 20, and the smallest plan among the 500 recommendations of
// the highest impact, for several targets and limits.
func plan(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 100_000)
	srv, dir, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	names, err := b.sources(3000)
	if err != nil {
		return nil, err
	}
	for run := range 4 { // the tracker sample alone recommends some three hundred things
		path, _, err := b.deltaFile(run, names)
		if err != nil {
			return nil, err
		}
		if err := importBySocket(b.ctx, dir, path); err != nil {
			return nil, err
		}
	}
	var recs struct {
		Total int `json:"total"`
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := c.Get(b.ctx, "/api/x/recommendations?size=1000", &recs); err != nil {
		return nil, err
	}
	if len(recs.Items) < 500 {
		return nil, fmt.Errorf("the fleet has %d recommendations: the measure would be of less than 500", recs.Total)
	}
	var score struct {
		Score float64 `json:"score"`
	}
	if err := c.Get(b.ctx, "/api/x/exposure-score", &score); err != nil {
		return nil, err
	}
	var baskets []time.Duration
	for run := range 15 {
		var ids []string
		for i := range 20 {
			ids = append(ids, recs.Items[(run*23+i*7)%len(recs.Items)].ID)
		}
		slices.Sort(ids)
		began := time.Now()
		if err := c.Post(b.ctx, "/api/x/what-if", map[string]any{"recommendations": slices.Compact(ids)}, nil); err != nil {
			return nil, err
		}
		baskets = append(baskets, time.Since(began))
	}
	figures := []figure{{what: fmt.Sprintf("what-if of 20 recommendations at %d devices", devices), value: ms(quantile(baskets, 0.95)), unit: "ms", target: 200, floor: 1000,
		note: fmt.Sprintf("p95 of %d, median %s ms", len(baskets), short(ms(median(baskets))))}}
	all := []string{"Update", "Restart", "ConfigurationChange", "AttentionRequired"}
	for _, goal := range []struct {
		what string
		body map[string]any
	}{
		{"a tenth less", map[string]any{"target": thousandths(score.Score * 0.9), "types": all}},
		{"a third less", map[string]any{"target": thousandths(score.Score * 0.67), "types": all}},
		{"half, on half of the devices at most", map[string]any{"target": thousandths(score.Score * 0.5), "types": all, "max_devices": devices / 2}},
		{"out of reach", map[string]any{"target": 0, "types": all}},
	} {
		var took []time.Duration
		var p struct {
			Reached    bool       `json:"reached"`
			Steps      []struct{} `json:"steps"`
			Fewest     int        `json:"fewest"`
			Considered int        `json:"considered"`
		}
		for range b.number("RUNS", 3) {
			began := time.Now()
			if err := c.Post(b.ctx, "/api/x/plans/draft", goal.body, &p); err != nil {
				return figures, err
			}
			took = append(took, time.Since(began))
		}
		figures = append(figures, figure{what: "patch plan: " + goal.what, value: slices.Max(took).Seconds(), unit: "s", target: 3,
			note: fmt.Sprintf("slowest of %d, %d considered, reached %v with %d steps, at least %d proven", len(took), p.Considered, p.Reached, len(p.Steps), p.Fewest)})
	}
	return figures, nil
}

// thousandths is a target as the API takes it.
func thousandths(v float64) float64 { return float64(int(v*1000)) / 1000 }
