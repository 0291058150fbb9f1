package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// figure is one measured number beside what it should be. A target or floor of 0 is none.
type figure struct {
	what   string
	value  float64
	unit   string
	target float64
	floor  float64
	more   bool   // more is better; else less is
	note   string // what else belongs to the number
}

// better reports whether the value meets a bound.
func (f figure) meets(bound float64) bool {
	if f.more {
		return f.value >= bound
	}
	return f.value <= bound
}

// missed reports whether the floor is missed; without a floor, never.
func (f figure) missed() bool { return f.floor != 0 && !f.meets(f.floor) }

// line is the figure as one row: benchmark, figure, value, target, floor, verdict.
func (f figure) line(bench string) string {
	bound := func(word string, b float64) string {
		if b == 0 {
			return word + " -"
		}
		sign := "≤"
		if f.more {
			sign = "≥"
		}
		return fmt.Sprintf("%s %s %s %s", word, sign, short(b), f.unit)
	}
	verdict := "measured"
	switch {
	case f.missed():
		verdict = "FLOOR MISSED"
	case f.target != 0 && f.meets(f.target):
		verdict = "target met"
	case f.target != 0 && f.floor != 0:
		verdict = "floor met"
	case f.target != 0:
		verdict = "target missed"
	}
	text := fmt.Sprintf("%-11s %-52s %12s   %-18s %-18s %s", bench, f.what, short(f.value)+" "+f.unit, bound("target", f.target), bound("floor", f.floor), verdict)
	if f.note != "" {
		text += "  (" + f.note + ")"
	}
	return strings.TrimRight(text, " ")
}

// short prints three significant digits, more for large numbers.
func short(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// quantile returns the q-quantile (nearest rank) of values, which it sorts; 0 of none.
func quantile[T cmp.Ordered](values []T, q float64) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	slices.Sort(values)
	i := int(math.Ceil(q*float64(len(values)))) - 1
	return values[min(max(i, 0), len(values)-1)]
}

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
