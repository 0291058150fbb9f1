package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// intelStatus is what "picket intel status --json" says, as far as it is needed here.
type intelStatus struct {
	Feeds []struct {
		Name    string `json:"name"`
		Records int    `json:"records"`
		Skipped int    `json:"skipped"`
	} `json:"feeds"`
	Weaknesses int `json:"weaknesses"`
}

func (b *bench) intelStatus(dir string) (intelStatus, time.Duration, error) {
	var s intelStatus
	began := time.Now()
	out, err := b.bins.Admin(b.ctx, dir, "intel status", "--json")
	took := time.Since(began)
	if err != nil {
		return s, took, err
	}
	if err := json.Unmarshal(out, &s); err != nil {
		return s, took, fmt.Errorf("read answer of intel status: %w", err)
	}
	return s, took, nil
}

// feedSamples are feeds as they are published, below the folder of samples.
var feedSamples = []struct{ name, path string }{
	{"Debian tracker", "debian-security/security-tracker.derived-2026-06-30.json.gz"},
	{"Debian DSA list", "debian-security/to-2026-06-30.reconstructed/DSA.list.gz"},
	{"CVE 5", "cve5/cve-records-2024-10-17.tar.zst"},
	{"NVD 2.0", "nvd/nvdcve-2.0-2025-2026.composed.json.gz"},
	{"NVD 1.1", "nvd/nvdcve-1.1-2018.json.gz"},
	{"OSV Go", "osv/Go/all.zip"},
	{"OSV PyPI", "osv/PyPI/all.zip"},
	{"OSV AlmaLinux", "osv/AlmaLinux/all.zip"},
	{"KEV", "kev/2026-06-30/known_exploited_vulnerabilities.json"},
	{"EPSS", "epss/epss_scores-2026-06-30.kev-subset.csv.gz"},
	{"endoflife.date", "endoflife/products-full.api-v1.derived-2026-06-30.json.gz"},
}

// sample returns the path of a feed sample; the error says how to give another folder.
func (b *bench) sample(path string) (string, error) {
	full := filepath.Join(b.feed, filepath.FromSlash(path))
	if _, err := os.Stat(full); err != nil {
		return "", fmt.Errorf("%w (FEEDS=DIR names a folder of feed samples)", err)
	}
	return full, nil
}

// importRate imports each feed alone into an empty data directory.
func importRate(b *bench) ([]figure, error) {
	var figures []figure
	for i, f := range feedSamples {
		path, err := b.sample(f.path)
		if err != nil {
			return figures, err
		}
		var took []time.Duration
		records := 0
		for run := range 3 {
			dir := filepath.Join(b.dir, fmt.Sprintf("%d-%d", i, run))
			began := time.Now()
			if _, err := b.bins.Admin(b.ctx, dir, "intel import", path); err != nil {
				return figures, err
			}
			took = append(took, time.Since(began))
			s, _, err := b.intelStatus(dir)
			if err != nil {
				return figures, err
			}
			records = 0
			for _, feed := range s.Feeds {
				records += feed.Records
			}
			if err := os.RemoveAll(dir); err != nil {
				return figures, err
			}
		}
		t := median(took)
		figures = append(figures, figure{what: "import " + f.name + ", records per second", value: float64(records) / t.Seconds(), unit: "/s", more: true,
			note: fmt.Sprintf("%d records in %s s, whole command", records, short(t.Seconds()))})
	}
	return figures, nil
}

// importAll imports all feed samples into dir.
func (b *bench) importAll(dir string) error {
	args := []string{}
	for _, f := range feedSamples {
		path, err := b.sample(f.path)
		if err != nil {
			return err
		}
		args = append(args, path)
	}
	zips, err := filepath.Glob(filepath.Join(b.feed, "osv", "*", "all.zip"))
	if err != nil {
		return err
	}
	for _, z := range zips {
		if !strings.Contains(strings.Join(args, "\n"), z) {
			args = append(args, z)
		}
	}
	_, err = b.bins.Admin(b.ctx, dir, "intel import", args...)
	return err
}

// openIntel takes the time of "picket intel status" on a full data directory:
// a program start, the open, and an answer from the data.
func openIntel(b *bench) ([]figure, error) {
	dir := filepath.Join(b.dir, "data")
	b.say("importing all samples")
	if err := b.importAll(dir); err != nil {
		return nil, err
	}
	var took []time.Duration
	weaknesses := 0
	for range 7 {
		s, t, err := b.intelStatus(dir)
		if err != nil {
			return nil, err
		}
		weaknesses = s.Weaknesses
		took = append(took, t)
	}
	size, err := largest(dir)
	if err != nil {
		return nil, err
	}
	return []figure{{what: "compiled intelligence: start, open, answer", value: median(took).Seconds(), unit: "s", target: 0.5, floor: 3,
		note: fmt.Sprintf("%d weaknesses, file of %s MB", weaknesses, short(size))}}, nil
}

// largest is the size in MB of the largest file in dir.
func largest(dir string) (float64, error) {
	var sizes []int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sizes = append(sizes, info.Size())
		}
		return err
	})
	sort.Slice(sizes, func(i, j int) bool { return sizes[i] > sizes[j] })
	if err != nil || len(sizes) == 0 {
		return 0, err
	}
	return float64(sizes[0]) / (1 << 20), nil
}
