package collect

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Where snapd keeps its packages and what it knows of them.
const (
	snapFiles = "var/lib/snapd/snaps"
	snapState = "var/lib/snapd/state.json"
)

// snapRecord is what state.json says of one snap.
type snapRecord struct {
	Current string
	Channel string
}

// collectSnap lists the snaps: which are there by snapd's state and its package
// files, their version by the mounted snap's own description.
func collectSnap(ctx context.Context, h Host, l Limits) *inventory.Section {
	if !h.exists("var/lib/snapd") {
		return absent(inventory.Snap, "snapd is not installed: there is no /var/lib/snapd")
	}
	r := begin(inventory.Snap, l)
	known, err := readSnapState(h, l)
	if err != nil && !isNotExist(err) {
		r.problem("/%s cannot be read (%s): channels are not known", snapState, short(err))
	}
	revisions := map[string][]string{}
	times := map[string]time.Time{}
	for _, f := range listFiles(h, snapFiles) {
		base, ok := strings.CutSuffix(path.Base(f), ".snap")
		i := strings.LastIndexByte(base, '_')
		if !ok || i <= 0 {
			continue
		}
		revisions[base[:i]] = append(revisions[base[:i]], base[i+1:])
		if st, err := lstat(h, f); err == nil {
			times[base] = st.ModTime().UTC().Truncate(time.Second)
		}
	}
	for name := range known {
		if revisions[name] == nil {
			revisions[name] = nil
		}
	}
	names := make([]string, 0, len(revisions))
	for name := range revisions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		rec := known[name]
		p := inventory.Package{Ecosystem: inventory.EcoSnap, Name: r.text(name, maxName), Channel: r.text(rec.Channel, 128)}
		if rec.Current == "" {
			if at, err := h.resolve("snap/" + name + "/current"); err == nil {
				rec.Current = path.Base(at)
			} else if n := len(revisions[name]); n == 1 {
				rec.Current = revisions[name][0]
			}
		}
		p.InstalledAt = times[name+"_"+rec.Current]
		meta := "snap/" + name + "/" + rec.Current + "/meta/snap.yaml"
		b, err := h.read(meta, 1<<20)
		if err != nil {
			r.skip("snap without a readable /snap/NAME/current/meta/snap.yaml (it is not mounted): its version is not known")
			p.Paths = []string{r.text(abs(snapFiles+"/"+name+"_"+rec.Current+".snap"), maxPath)}
		} else {
			p.Version = r.text(yamlTop(b, "version"), maxVersion)
			p.Summary = clean(yamlTop(b, "summary"), maxSummary)
			p.Paths = []string{r.text(abs(meta), maxPath)}
		}
		r.put(p.Name, p)
	}
	return r.done(ctx)
}

// readSnapState reads the current revision and channel of each snap.
func readSnapState(h Host, l Limits) (map[string]snapRecord, error) {
	b, err := h.read(snapState, min(l.MaxFileBytes, 32<<20))
	if err != nil {
		return nil, err
	}
	return parseSnapState(b)
}

func parseSnapState(b []byte) (map[string]snapRecord, error) {
	var state struct {
		Data struct {
			Snaps map[string]struct {
				Current         json.RawMessage `json:"current"`
				Channel         string          `json:"channel"`
				TrackingChannel string          `json:"tracking-channel"`
			} `json:"snaps"`
		} `json:"data"`
	}
	if err := json.Unmarshal(b, &state); err != nil {
		return nil, err
	}
	out := map[string]snapRecord{}
	for name, s := range state.Data.Snaps {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			continue
		}
		rec := snapRecord{Current: strings.Trim(string(s.Current), `"`), Channel: s.TrackingChannel}
		if strings.ContainsAny(rec.Current, "/\x00") || rec.Current == "null" {
			rec.Current = ""
		}
		if rec.Channel == "" {
			rec.Channel = s.Channel
		}
		out[name] = rec
	}
	return out, nil
}

// yamlTop returns a plain scalar at the top level of a YAML document.
func yamlTop(b []byte, key string) string {
	for line := range strings.Lines(string(b)) {
		v, ok := strings.CutPrefix(line, key+":")
		if !ok {
			continue
		}
		v = strings.TrimSpace(v)
		if len(v) > 1 && (v[0] == '"' || v[0] == '\'') {
			if end := strings.IndexByte(v[1:], v[0]); end >= 0 {
				return v[1 : 1+end]
			}
		}
		if i := strings.Index(v, " #"); i >= 0 {
			v = strings.TrimSpace(v[:i])
		}
		return v
	}
	return ""
}
