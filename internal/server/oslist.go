package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// OSRow is a release of an operating system that devices run.
type OSRow struct {
	Platform string `json:"os_platform"`
	Version  string `json:"os_version"`
	Name     string `json:"os_name"`  // as one of the devices calls it
	Life     string `json:"os_life"`  // supported, upcoming, ended, unknown
	Until    string `json:"os_until"` // YYYY-MM-DD when its last support ends or ended, "" when that is not known
	Devices  int    `json:"devices"`
}

// OperatingSystems lists the releases that devices run, also those at rest, by
// platform and version. A release that nothing is known of has no version.
func (s *Server) OperatingSystems(_ context.Context, caller Caller) ([]OSRow, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	c := s.core
	lives := c.osLives(time.Now().UTC())
	defer lives.close()
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lens(caller)
	at := map[[2]string]*OSRow{}
	for _, d := range c.devices {
		if d == nil || d.sum.OSPlatform == "" || l.devs != nil && !l.devs.Contains(d.num) {
			continue
		}
		key := [2]string{d.sum.OSPlatform, d.sum.OSVersion}
		r := at[key]
		if r == nil {
			r = &OSRow{Platform: key[0], Version: key[1], Name: d.sum.OSName, Life: lives.word(d)}
			if life := lives.of(d); life != nil {
				r.Until = life.Date
			}
			at[key] = r
		}
		r.Devices++
	}
	out := make([]OSRow, 0, len(at))
	for _, r := range at {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b OSRow) int {
		return cmp.Or(strings.Compare(a.Platform, b.Platform), byNatural(a.Version, b.Version))
	})
	return out, nil
}

// byNatural orders versions: numbers in them by their value.
func byNatural(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		if n := cmp.Or(cmp.Compare(len(x[i]), len(y[i])), strings.Compare(x[i], y[i])); n != 0 {
			return n
		}
	}
	return len(x) - len(y)
}
