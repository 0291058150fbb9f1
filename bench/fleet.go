package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/rig"
)

// tracker is the feed that fleets are judged by.
const tracker = "debian-security/security-tracker.derived-2026-06-30.json.gz"

// sources lists the source packages of the tracker sample, then invented names
// up to n: a fleet has more packages than ever had a flaw.
func (b *bench) sources(n int) ([]string, error) {
	path, err := b.sample(tracker)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var all map[string]json.RawMessage
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	names := slices.Sorted(maps.Keys(all))
	for i := 0; len(names) < n; i++ {
		names = append(names, fmt.Sprintf("harmless%04d", i))
	}
	return names[:n], nil
}

// loadFleet fills the data directory dir with devices of so many packages each,
// together so many distinct ones, and loads the Debian tracker. It is the one
// place that knows how a fleet comes into being without agents. With FLEET=DIR
// a loaded fleet is kept there, and copied from there the next time.
func (b *bench) loadFleet(dir string, devices, packages, distinct int) error {
	if b.opt["FLEET"] == "" {
		return b.newFleet(dir, devices, packages, distinct)
	}
	kept := filepath.Join(b.opt["FLEET"], fmt.Sprintf("%d-%d-%d", devices, packages, distinct))
	if _, err := os.Stat(kept); err != nil {
		if err := os.MkdirAll(b.opt["FLEET"], 0o700); err != nil {
			return err
		}
		if err := b.newFleet(kept+".new", devices, packages, distinct); err != nil {
			return err
		}
		if err := os.Rename(kept+".new", kept); err != nil {
			return err
		}
	}
	b.say("copying the fleet of %s", kept)
	if out, err := exec.CommandContext(b.ctx, "cp", "-a", kept, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", kept, err, out)
	}
	return exec.CommandContext(b.ctx, "sync").Run() // what is written later must not wait for the copy
}

func (b *bench) newFleet(dir string, devices, packages, distinct int) error {
	path, err := b.sample(tracker)
	if err != nil {
		return err
	}
	if _, err := b.bins.Admin(b.ctx, dir, "intel import", path); err != nil {
		return err
	}
	names, err := b.sources(max(3000, packages))
	if err != nil {
		return err
	}
	list := filepath.Join(b.dir, "sources.txt")
	if err := os.WriteFile(list, []byte(strings.Join(names, "\n")+"\n"), 0o600); err != nil {
		return err
	}
	began := time.Now()
	out, err := b.bins.Admin(b.ctx, dir, "bench load", "--devices", fmt.Sprint(devices), "--packages", fmt.Sprint(packages),
		"--distinct", fmt.Sprint(distinct), "--sources", list)
	if err != nil {
		return err
	}
	b.say("loaded %d devices in %s s: %s", devices, short(time.Since(began).Seconds()), strings.TrimSpace(string(out)))
	return nil
}

// startFleet starts a server over the fleet that benchmarks share: so many
// devices of 600 packages, 42,000 distinct ones together.
func (b *bench) startFleet(devices int) (srv *rig.Server, dir string, err error) {
	dir = filepath.Join(b.dir, "data")
	if err := b.loadFleet(dir, devices, 600, 42_000); err != nil {
		return nil, "", err
	}
	srv, err = b.bins.StartServer(b.ctx, dir)
	return srv, dir, err
}

// matched is what "picket bench match" prints.
type matched struct {
	Devices    int     `json:"devices"`
	Components int     `json:"components"`
	Findings   uint64  `json:"findings"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     float64 `json:"peak_mb"`
}

// match judges the whole fleet as if nothing were known; each run is a process of its own.
func (b *bench) match(dir string, runs int) ([]matched, error) {
	var all []matched
	for range runs {
		out, err := b.bins.Admin(b.ctx, dir, "bench match")
		if err != nil {
			return nil, err
		}
		var m matched
		if err := json.Unmarshal(out, &m); err != nil {
			return nil, fmt.Errorf("read answer of bench match: %w", err)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y matched) int { return int(1e6 * (x.Seconds - y.Seconds)) })
	return all, nil
}

func fullMatch(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 45_000)
	dir := filepath.Join(b.dir, "data")
	if err := b.loadFleet(dir, devices, 600, 42_000); err != nil {
		return nil, err
	}
	all, err := b.match(dir, b.number("RUNS", 5))
	if err != nil {
		return nil, err
	}
	m := all[len(all)/2]
	peak := slices.MaxFunc(all, func(x, y matched) int { return int(x.PeakMB - y.PeakMB) }).PeakMB
	return []figure{
		{what: fmt.Sprintf("full match of %d × 600, cold, persisted", m.Devices), value: m.Seconds, unit: "s", target: 1, floor: 3,
			note: fmt.Sprintf("%d distinct, %d findings, %s CPU-s", m.Components, m.Findings, short(m.CPUSeconds))},
		{what: "its peak memory", value: peak, unit: "MB"},
	}, nil
}

// delta lets 100 advisories arrive at a running server with a fleet: from the
// admin socket's request to the answer, which comes when lists answer from the new data.
func delta(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 100_000)
	srv, dir, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	names, err := b.sources(3000)
	if err != nil {
		return nil, err
	}
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	var took, scored []time.Duration
	for run := range b.number("RUNS", 7) {
		path, ids, err := b.deltaFile(run, names)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := importBySocket(b.ctx, dir, path); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
		began = time.Now()
		if err := c.Get(b.ctx, "/api/x/exposure-score", nil); err != nil {
			return nil, err
		}
		scored = append(scored, time.Since(began))
		for _, id := range []string{ids[0], ids[len(ids)-1]} {
			var w struct {
				Exposed int `json:"exposed"`
			}
			if err := c.Get(b.ctx, "/api/x/weaknesses/"+id, &w); err != nil {
				return nil, err
			}
			if w.Exposed == 0 {
				return nil, fmt.Errorf("%s of the delta has no devices: the measure would be of nothing", id)
			}
		}
	}
	return []figure{{what: fmt.Sprintf("100 advisories at %d devices to new counts", devices), value: ms(median(took)), unit: "ms", target: 20, floor: 200,
		note: fmt.Sprintf("admin request to answer, %d runs, fastest %s, slowest %s ms", len(took), short(ms(slices.Min(took))), short(ms(slices.Max(took))))},
		{what: "all scores and impacts anew after that", value: median(scored).Seconds(), unit: "s", target: 2, note: fmt.Sprintf("%d devices, slowest %s s", devices, short(slices.Max(scored).Seconds()))}}, nil
}

// deltaFile writes 100 OSV records of flaws that nobody has seen, one per source package.
func (b *bench) deltaFile(run int, names []string) (path string, ids []string, err error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("delta%d", run))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	for i := range 100 {
		id := fmt.Sprintf("CVE-2031-%05d", 10_000+run*100+i)
		record := map[string]any{
			"schema_version": "1.7.0", "id": "DEBIAN-" + id, "upstream": []string{id}, "modified": fmt.Sprintf("2026-07-%02dT00:00:00Z", 1+run),
			"published": "2026-07-01T00:00:00Z", "details": "flaw of a benchmark",
			"affected": []any{map[string]any{
				"package": map[string]string{"ecosystem": "Debian:12", "name": names[(run*100+i*29)%len(names)], "purl": ""},
				"ranges":  []any{map[string]any{"type": "ECOSYSTEM", "events": []any{map[string]string{"introduced": "0"}, map[string]string{"fixed": "999:1-1"}}}},
			}},
		}
		raw, err := json.Marshal(record)
		if err != nil {
			return "", nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, "DEBIAN-"+id+".json"), raw, 0o600); err != nil {
			return "", nil, err
		}
		ids = append(ids, id)
	}
	return dir, ids, nil
}

// longID is a device id: rows of figures name it "ID".
var longID = regexp.MustCompile(`[0-9a-f]{40}`)

// lists asks for every list and the device page of a large fleet, as the console and programs do.
func lists(b *bench) ([]figure, error) {
	devices := b.number("DEVICES", 100_000)
	srv, _, err := b.startFleet(devices)
	if err != nil {
		return nil, err
	}
	defer srv.Kill()
	c, err := srv.Client(b.ctx)
	if err != nil {
		return nil, err
	}
	paths, err := listPaths(b, c)
	if err != nil {
		return nil, err
	}
	var figures []figure
	var all []time.Duration
	for _, p := range paths {
		var took []time.Duration
		for i := range 30 {
			path := strings.ReplaceAll(p, "{n}", fmt.Sprint(1+i*7))
			began := time.Now()
			if err := c.Get(b.ctx, path, nil); err != nil {
				return figures, err
			}
			took = append(took, time.Since(began))
		}
		all = append(all, took...)
		figures = append(figures, figure{what: longID.ReplaceAllString(strings.ReplaceAll(p, "{n}", "N"), "ID"), value: ms(quantile(took, 0.95)), unit: "ms", target: 50, floor: 150,
			note: fmt.Sprintf("p95 of %d, median %s ms", len(took), short(ms(median(took))))})
	}
	return append(figures, figure{what: fmt.Sprintf("any list at %d devices, p95", devices), value: ms(quantile(all, 0.95)), unit: "ms", target: 50, floor: 150}), nil
}

// listPaths returns what is asked: {n} is a page number that changes with every request.
func listPaths(b *bench, c *rig.Client) ([]string, error) {
	var d rig.Page[rig.Device]
	if err := c.Get(b.ctx, "/api/x/devices?size=1&sort=-weaknesses", &d); err != nil {
		return nil, err
	}
	type named struct {
		ID string `json:"id"`
	}
	var w, s rig.Page[named]
	if err := c.Get(b.ctx, "/api/x/weaknesses?size=1&sort=-exposed", &w); err != nil {
		return nil, err
	}
	if err := c.Get(b.ctx, "/api/x/software?size=1&sort=-installed", &s); err != nil {
		return nil, err
	}
	var r rig.Page[named]
	if err := c.Get(b.ctx, "/api/x/recommendations?size=1", &r); err != nil {
		return nil, err
	}
	if len(d.Items) == 0 || len(w.Items) == 0 || len(s.Items) == 0 || len(r.Items) == 0 {
		return nil, fmt.Errorf("the fleet has %d devices, %d weaknesses, %d products, %d recommendations", d.Total, w.Total, s.Total, r.Total)
	}
	const rows = "/api/vulnerabilities/machinesVulnerabilities"
	recommendation := "/api/x/recommendations/" + url.PathEscape(r.Items[0].ID)
	device, weakness, product := "/api/x/devices/"+d.Items[0].ID, "/api/x/weaknesses/"+w.Items[0].ID, "/api/x/software/"+url.PathEscape(s.Items[0].ID)
	return []string{
		"/api/x/devices?page={n}", "/api/x/devices?sort=-weaknesses&page={n}", "/api/x/devices?sort=name&q=bulk-9{n}", "/api/x/devices?os=Debian&sort=-last_seen&page={n}",
		device, device + "/software?page={n}", device + "/vulnerabilities?sort=-cvss&page={n}", device + "/vulnerabilities?severity=Critical",
		"/api/x/software?page={n}", "/api/x/software?sort=-exposed&page={n}", product, product + "/devices?page={n}",
		"/api/x/weaknesses?page={n}", "/api/x/weaknesses?sort=-exposed&severity=High&page={n}", weakness, weakness + "/devices?page={n}",
		"/api/x/dashboard", "/api/x/recommendations?page={n}", "/api/x/recommendations?sort=-weaknesses&type=Update&page={n}",
		recommendation, recommendation + "/devices?page={n}", recommendation + "/vulnerabilities?page={n}",
		"/api/x/devices?exposure=High&sort=-score&page={n}", device + "/score", device + "/score/terms?page={n}", "/api/x/exposure-score/groups", "/api/x/exposure-score/devices?page={n}", "/api/x/exposure-score/devices?sort=name&q=bulk-9{n}",
		"/api/x/secure-score/checks", "/api/x/secure-score/checks/scid-1001/devices?page={n}", device + "/recommendations?page={n}",
		"/api/x/search?q=bulk-{n}", "/api/x/status",
		"/api/machines?$top=100&$skip={n}", "/api/machines?$top=100&$orderby=lastSeen%20desc&$skip={n}", "/api/machines?$top=100&$orderby=computerDnsName&$skip={n}", "/api/vulnerabilities?$top=100&$skip={n}", "/api/software?$top=100&$skip={n}",
		rows + "?$top=100&$skip={n}", rows + "?$top=100&$count=true&$filter=severity%20eq%20'Critical'", rows + "?$top=100&$orderby=severity,machineId%20desc&$skip={n}",
		rows + "?$top=100&$orderby=productName&$count=true&$filter=startswith(machineId,'a')%20and%20severity%20ne%20'Low'", rows + "?$top=100&$count=true&$skip=1000000",
	}, nil
}
