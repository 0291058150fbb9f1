package api

import (
	"strconv"

	"github.com/picketsec/picket/internal/server"
)

// Columns that many exports have at their end.

// milder are the counts of weaknesses below high.
func milder[T any](of func(*T) *server.SeverityCount) []column[T] {
	return []column[T]{
		{"medium", func(r *T) string { return whole(of(r).Medium) }},
		{"low", func(r *T) string { return whole(of(r).Low) }},
		{"unrated", func(r *T) string { return whole(of(r).Unrated) }},
	}
}

// severest are the counts of weaknesses from high on.
func severest[T any](of func(*T) *server.SeverityCount) []column[T] {
	return []column[T]{
		{"critical", func(r *T) string { return whole(of(r).Critical) }},
		{"high", func(r *T) string { return whole(of(r).High) }},
	}
}

// attacked are the insights that every export has.
func attacked[T any](of func(*T) *server.Threats) []column[T] {
	return []column[T]{
		{"exploit", func(r *T) string { return string(of(r).Exploit) }},
		{"kev", func(r *T) string { return strconv.FormatBool(of(r).KEV) }},
	}
}

// likely are the insights behind those of attacked: used for ransom, the
// highest EPSS, 0 to 1, and exposed devices with active alerts.
func likely[T any](of func(*T) *server.Threats) []column[T] {
	return []column[T]{
		{"ransomware", func(r *T) string { return strconv.FormatBool(of(r).Ransom) }},
		{"highest_epss", func(r *T) string { return number(of(r).EPSS) }},
		{"alerted_devices", func(r *T) string { return whole(of(r).Alerts) }},
	}
}

// states is "fixed; open".
func states(r *server.WeaknessRow) string {
	text := make([]string, len(r.States))
	for i, s := range r.States {
		text[i] = string(s)
	}
	return words(text)
}

// evidence is "sshd: PermitRootLogin yes; …".
func evidence(r *server.DeviceCheckRow) string {
	text := make([]string, len(r.Evidence))
	for i, e := range r.Evidence {
		text[i] = e.Section + ": " + e.Setting + " " + e.Found
	}
	return words(text)
}
