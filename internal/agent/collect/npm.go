package collect

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/picketsec/picket/internal/inventory"
)

// collectNPM lists the npm packages below any node_modules directory of the disk.
func (s *sweep) collectNPM(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.NPM, l)
	files := s.take(ctx, h, r, npmKind)
	owner := owners(ctx, h, l, files)
	for _, f := range files {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		b, err := h.readAt(f, min(l.MaxFileBytes, 4<<20))
		if err != nil {
			if !isNotExist(err) {
				r.skip("package.json that cannot be read (" + short(err) + ")")
			}
			continue
		}
		name, version, err := parsePackageJSON(b)
		if err != nil {
			r.skip("package.json that is not readable JSON")
			continue
		}
		if name == "" || version == "" {
			continue // private parts of a package carry none
		}
		p := inventory.Package{
			Ecosystem: inventory.EcoNPM, Name: r.text(name, maxName), Version: r.text(version, maxVersion),
			Source: owner[f], Paths: []string{r.text(abs(f), maxPath)},
		}
		r.put(p.Name+"@"+p.Paths[0], p)
	}
	return r.done(ctx)
}

// parsePackageJSON reads name and version; members of other types count as absent.
func parsePackageJSON(b []byte) (name, version string, err error) {
	var p struct {
		Name    json.RawMessage `json:"name"`
		Version json.RawMessage `json:"version"`
	}
	if len(b) > 2 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
		b = b[3:]
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return "", "", errors.New("not JSON")
	}
	_ = json.Unmarshal(p.Name, &name)
	_ = json.Unmarshal(p.Version, &version)
	return name, version, nil
}
