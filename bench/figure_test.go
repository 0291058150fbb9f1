package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestQuantile(t *testing.T) {
	for _, tt := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0},
		{[]int{7}, 0.95, 7},
		{[]int{3, 1, 2}, 0.5, 2},
		{[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.95, 10},
		{[]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.1, 1},
	} {
		if got := quantile(tt.values, tt.q); got != tt.want {
			t.Errorf("quantile(%v, %v) = %d, want %d", tt.values, tt.q, got, tt.want)
		}
	}
}

func TestFigure(t *testing.T) {
	for _, tt := range []struct {
		f      figure
		want   string
		missed bool
	}{
		{figure{value: 20, target: 25, floor: 40}, "target met", false},
		{figure{value: 30, target: 25, floor: 40}, "floor met", false},
		{figure{value: 41, target: 25, floor: 40}, "FLOOR MISSED", true},
		{figure{value: 30, target: 25}, "target missed", false},
		{figure{value: 30}, "measured", false},
		{figure{value: 500, target: 10000, floor: 1000, more: true}, "FLOOR MISSED", true},
		{figure{value: 5000, target: 10000, floor: 1000, more: true}, "floor met", false},
	} {
		if got := tt.f.line("x"); !strings.HasSuffix(got, tt.want) || tt.f.missed() != tt.missed {
			t.Errorf("%+v: %q, missed %v; want %q, %v", tt.f, got, tt.f.missed(), tt.want, tt.missed)
		}
	}
}

func TestUsage(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"ONLY=nothing"}, &out, &errs); code != 2 || out.Len() != 0 || !strings.Contains(errs.String(), "agent-idle") {
		t.Errorf("run = %d, stdout %q, stderr %q", code, out.String(), errs.String())
	}
}
