package server

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestEventScripts runs testdata/events/*.txt: devices, advisories and restarts,
// and the events that follow. A line is one of
//
//	device NAME package version[, package version …]   a report
//	tracker source CVE status [fixed][; …]             the Debian tracker's file, all of it
//	demo CVE source [fixed=V] [exploit=E] [kev=yes|ransomware][; …]  demo intelligence, all of it
//	kev CVE [ransomware][; …]                          CISA's catalogue, all of it
//	restart                                            the server ends and starts again
//	break, mend                                        no event can be stored; it can again
//	fail LINE                                          the line, which must fail
//	events                                             what came since the last look, one line each:
//	  = KIND COMPONENT WEAKNESS,… IMPACTED/COUNTED now CURRENT
func TestEventScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/events/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			x := &eventScript{t: t, dir: filepath.Join(t.TempDir(), "data"), reports: map[string]*report{}}
			x.s = openTest(t, x.dir)
			defer func() { _ = x.s.Close() }()
			lines := strings.Split(string(text), "\n")
			for i := 0; i < len(lines); i++ {
				line := strings.TrimSpace(lines[i])
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				if line != "events" {
					if err := x.run(line); err != nil {
						t.Fatalf("line %d: %s: %v", i+1, line, err)
					}
					continue
				}
				var want []string
				for ; i+1 < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i+1]), "="); i++ {
					want = append(want, strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(lines[i+1]), "=")))
				}
				if diff := cmp.Diff(want, x.fresh()); diff != "" {
					t.Errorf("events up to line %d (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

type eventScript struct {
	t       *testing.T
	dir     string
	s       *Server
	reports map[string]*report
	seen    int
	day     int
}

func (x *eventScript) run(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	var parts [][]string
	for p := range strings.SplitSeq(strings.ReplaceAll(rest, ",", ";"), ";") {
		if f := strings.Fields(p); len(f) > 0 {
			parts = append(parts, f)
		}
	}
	switch verb {
	case "device":
		name := parts[0][0]
		parts[0] = parts[0][1:]
		r := x.reports[name]
		if r == nil {
			r = newReport(x.s, enrol(x.t, x.s, name))
			x.reports[name] = r
		}
		r.s = x.s
		var packages []string
		for _, p := range parts {
			if len(p) > 0 {
				packages = append(packages, strings.Join(p, " "))
			}
		}
		r.send(x.t, packages...)
		return nil
	case "tracker":
		bySource := map[string]map[string]any{}
		for _, p := range parts {
			if bySource[p[0]] == nil {
				bySource[p[0]] = map[string]any{}
			}
			rel := map[string]any{"status": p[2], "urgency": "not yet assigned", "repositories": map[string]string{}}
			if len(p) > 3 {
				rel["fixed_version"] = p[3]
			}
			bySource[p[0]][p[1]] = map[string]any{"releases": map[string]any{"bookworm": rel}}
		}
		return x.load("tracker.json", bySource)
	case "kev":
		var list []map[string]string
		for _, p := range parts {
			use := "Unknown"
			if len(p) > 1 {
				use = "Known"
			}
			list = append(list, map[string]string{"cveID": p[0], "vulnerabilityName": "N", "dateAdded": "2024-05-01", "dueDate": "2024-06-01", "knownRansomwareCampaignUse": use})
		}
		x.day++
		at := time.Date(2026, 6, x.day, 0, 0, 0, 0, time.UTC)
		return x.load("kev.json", map[string]any{"title": "T", "catalogVersion": at.Format("2006.01.02"), "dateReleased": at.Format(time.RFC3339), "count": len(list), "vulnerabilities": list})
	case "demo":
		var list []map[string]any
		for _, p := range parts {
			a := map[string]any{"ecosystem": "Debian", "release": "12", "name": p[1], "state": "affected"}
			w := map[string]any{"id": p[0], "title": "A flaw of " + p[1], "affected": []any{a}}
			for _, f := range p[2:] {
				switch k, v, _ := strings.Cut(f, "="); k {
				case "fixed":
					a["fixed"], a["state"] = v, "fixed"
				case "exploit":
					w["exploit"] = v
				case "kev":
					w["kev"] = map[string]any{"added": "2024-05-01", "ransomware": v == "ransomware"}
				}
			}
			list = append(list, w)
		}
		x.day++
		raw, err := json.Marshal(map[string]any{"picket_demo": 1, "date": fmt.Sprintf("2026-06-%02d", x.day), "weaknesses": list})
		if err != nil {
			return err
		}
		return x.s.LoadDemo(x.t.Context(), raw)
	case "restart":
		if err := x.s.Close(); err != nil {
			return err
		}
		x.s = openTest(x.t, x.dir)
		return nil
	case "break":
		return x.exec(`CREATE TRIGGER broken BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'broken by the test'); END`)
	case "mend":
		return x.exec(`DROP TRIGGER broken`)
	case "fail":
		if err := x.run(rest); err == nil {
			return errors.New("did not fail")
		}
		return nil
	}
	return fmt.Errorf("unknown verb %q", verb)
}

func (x *eventScript) exec(query string) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(x.dir, "picket.db"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(x.t.Context(), query)
	return errors.Join(err, db.Close())
}

func (x *eventScript) load(name string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	path := filepath.Join(x.t.TempDir(), name)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	_, err = x.s.desk.load(x.t.Context(), []string{path}, true, nil)
	return err
}

// fresh are the events since the last look, oldest first.
func (x *eventScript) fresh() []string {
	x.t.Helper()
	p, err := x.s.Events(x.t.Context(), admin, Query{})
	if err != nil {
		x.t.Fatal(err)
	}
	var out []string
	for _, e := range x.s.core.events.list[x.seen:] {
		d, err := x.s.Event(x.t.Context(), admin, fmt.Sprintf("ev-%d", e.ID))
		if err != nil {
			x.t.Fatal(err)
		}
		weak := strings.Join(d.WeaknessIDs, ",")
		out = append(out, fmt.Sprintf("%s %s %s %d/%d now %d", d.Kind, strings.ReplaceAll(d.Component, " ", "_"), weak, d.Impacted, d.Counted, d.Current))
	}
	x.seen = len(x.s.core.events.list)
	if p.Total != x.seen {
		x.t.Errorf("the list has %d events, the book %d", p.Total, x.seen)
	}
	return out
}
