package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// besideDebsecan runs Debian's own scanner for one host of 600 packages and
// Picket for a fleet of such hosts, on the same data, in the same run.
func besideDebsecan(b *bench) ([]figure, error) {
	if _, err := exec.LookPath("debsecan"); err != nil {
		return nil, fmt.Errorf("%w (on Debian: apt-get install debsecan)", err)
	}
	path, err := b.sample("debian-security/debsecan-release-1.derived/bookworm")
	if err != nil {
		return nil, err
	}
	served := filepath.Join(b.dir, "served")
	if err := os.MkdirAll(served, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"bookworm", "GENERIC"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(served, name), raw, 0o600); err != nil {
			return nil, err
		}
	}
	names, err := b.sources(600)
	if err != nil {
		return nil, err
	}
	status := filepath.Join(b.dir, "status")
	var text strings.Builder
	for i, n := range names {
		fmt.Fprintf(&text, "Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: %d.%d-1\nDescription: x\n\n", n, i%7, i%11)
	}
	if err := os.WriteFile(status, []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	var cpu []float64
	found := 0
	for range b.number("RUNS", 5) {
		used, out, err := debsecan(b.ctx, served, status)
		if err != nil {
			return nil, err
		}
		found = bytes.Count(out, []byte("\n"))
		cpu = append(cpu, used.Seconds())
	}
	theirs := median(cpu)
	devices := b.number("DEVICES", 45_000)
	dir := filepath.Join(b.dir, "data")
	if err := b.loadFleet(dir, devices, 600, 42_000); err != nil {
		return nil, err
	}
	all, err := b.match(dir, 3)
	if err != nil {
		return nil, err
	}
	m := all[len(all)/2]
	ours := m.CPUSeconds / float64(m.Devices)
	return []figure{
		{what: "debsecan, CPU per host of 600 packages", value: 1000 * theirs, unit: "ms", note: fmt.Sprintf("%d lines", found)},
		{what: fmt.Sprintf("Picket, CPU per host of 600 packages, %d hosts", m.Devices), value: 1e6 * ours, unit: "µs", note: "full match, cold, persisted"},
		{what: "times less CPU per host than debsecan", value: theirs / ours, unit: "×", target: 10_000, floor: 1000, more: true},
	}, nil
}

// debsecan scans one dpkg status file with data from a folder and returns the CPU time that it took.
func debsecan(ctx context.Context, data, status string) (time.Duration, []byte, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "debsecan", "--suite", "bookworm", "--source", "file://"+data, "--status", status)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, nil, fmt.Errorf("debsecan: %w: %s", err, stderr.String())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), out, nil
}
