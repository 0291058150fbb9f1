package server

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/vex"
)

// VEXReport says of every finding of some devices whether it can be exploited
// there: one device, or with id "" the device groups that the caller asks for.
// format is "openvex", "csaf" or "cyclonedx".
func (s *Server) VEXReport(ctx context.Context, caller Caller, id, format string) (Download, error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Download{}, err
	}
	f := vex.Format(format)
	if !f.Valid() {
		return Download{}, Invalidf("format", "%q is not one of openvex, csaf, cyclonedx", format)
	}
	r := &vex.Report{Author: "Picket", Tool: s.opt.Version, Made: time.Now().UTC().Truncate(time.Second)}
	c := s.core
	c.mu.RLock()
	var d *device
	devs := c.lens(caller).devs
	r.Title, r.Subject = "all devices", "all"
	if !caller.looks().All() {
		var names []string
		for _, g := range c.lens(caller).groups {
			names = append(names, c.groupName(g))
		}
		r.Title, r.Subject = "device groups "+someOf(names), fmt.Sprint("groups ", c.lens(caller).groups)
		if len(names) == 1 {
			r.Title = "device group " + names[0]
		}
	}
	if id != "" {
		var err error
		if d, err = c.named(caller.sees(), id); err != nil {
			c.mu.RUnlock()
			return Download{}, err
		}
		devs = roaring.BitmapOf(d.num)
		r.Title, r.Subject = d.sum.Name, "device "+string(d.id)
	}
	said := c.vexStatements(devs)
	var held []uint32
	if d != nil {
		for h := range d.held.All() {
			held = append(held, h.Component)
		}
	}
	c.mu.RUnlock()
	if d != nil {
		closed, err := s.st.ClosedOf(ctx, d.num, held, 1000)
		if err != nil {
			return Download{}, fmt.Errorf("read closed findings of %s: %w", d.id, err)
		}
		c.mu.RLock()
		c.vexFixed(said, d, closed)
		c.mu.RUnlock()
	}
	r.Statements = said.list()
	return Download{Name: fileWord(r.Title) + f.Extension(), Type: f.ContentType(), Write: func(w io.Writer) error { return vex.Encode(w, f, r) }}, nil
}

// vexSaid gathers products by what is said of them.
type vexSaid map[vexSaying]map[string]bool

type vexSaying struct {
	weakness       string
	status         vex.Status
	justification  string
	detail, action string
}

func (v vexSaid) add(s vexSaying, purl string) {
	if v[s] == nil {
		v[s] = map[string]bool{}
	}
	v[s][purl] = true
}

func (v vexSaid) list() []vex.Statement {
	out := make([]vex.Statement, 0, len(v))
	for s, purls := range v {
		st := vex.Statement{Weakness: s.weakness, Status: s.status, Justification: s.justification, Detail: s.detail, Action: s.action}
		for p := range purls {
			st.Products = append(st.Products, vex.Product{PURL: p, Name: p})
		}
		slices.SortFunc(st.Products, func(a, b vex.Product) int { return strings.Compare(a.PURL, b.PURL) })
		out = append(out, st)
	}
	slices.SortFunc(out, func(a, b vex.Statement) int {
		return cmp.Or(compareIDs(a.Weakness, b.Weakness), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Products[0].PURL, b.Products[0].PURL),
			cmp.Compare(a.Detail, b.Detail), cmp.Compare(a.Action, b.Action))
	})
	return out
}

// vexStatements says what is known of every finding on some devices (nil: all).
// The caller holds mu for reading.
func (c *core) vexStatements(devs *roaring.Bitmap) vexSaid {
	said := vexSaid{}
	for _, id := range c.fleet.Components() {
		on := c.fleet.DevicesOf(id)
		if devs != nil {
			on = roaring.And(on, devs)
		}
		if on.IsEmpty() {
			continue
		}
		k := c.fleet.Component(id)
		purl := exposure.ComponentURL(k)
		for h := range c.fleet.Hits(id) {
			said.add(c.vexSaying(id, k, h, on), purl)
		}
	}
	return said
}

// vexSaying is what the state of a finding, and the exceptions that it is
// under on all of the devices, mean in the words of VEX.
func (c *core) vexSaying(id exposure.ComponentID, k exposure.Component, h exposure.Hit, on *roaring.Bitmap) vexSaying {
	s := vexSaying{weakness: h.Weakness, status: vex.Affected}
	switch {
	case h.State == exposure.LatentKernel:
		s.status, s.justification, s.detail = vex.NotAffected, vex.CodeNotInPath, "this kernel is installed, but not running"
		return s
	case h.State == exposure.KernelToolOnly:
		s.status, s.justification, s.detail = vex.NotAffected, vex.CodeNotPresent, "headers or tools of the kernel, not the kernel itself"
		return s
	case advisory.State(h.State) == advisory.Undetermined:
		s.status, s.detail = vex.UnderInvestigation, "the distribution does not know yet"
		return s
	case h.State == exposure.RestartNeeded:
		s.action = "Restart: " + cmp.Or(h.Fixed, "the version on disk") + " is installed, the old version still runs."
	case h.Fixed != "":
		s.action = "Update " + k.Product + " to " + h.Fixed + "."
	default:
		s.action = "No fixed version is known."
	}
	s.detail = "state " + string(h.State)
	if !h.Exposed {
		return s
	}
	under := exposure.NoException
	for it := on.Iterator(); it.HasNext(); {
		u := c.fleet.Scores().UnderOf(it.Next(), id, h.Weakness)
		if u == exposure.NoException {
			return s
		}
		if under != exposure.NoException && u != under {
			u = exposure.Excepted // the weaker of the two
		}
		under = u
	}
	if under == exposure.Mitigated {
		s.status, s.justification, s.detail, s.action = vex.NotAffected, vex.InlineMitigations, "an exception says that it is mitigated", ""
	} else {
		s.detail += "; an exception accepts it"
	}
	return s
}

// vexFixed adds what a device no longer has because it was upgraded.
func (c *core) vexFixed(said vexSaid, d *device, closed []store.Closed) {
	for _, k := range closed {
		comp := c.fleet.Component(exposure.ComponentID(k.Component))
		if k.Reason != "upgraded" || comp.Product == "" {
			continue
		}
		for h := range d.held.All() {
			id := exposure.ComponentID(h.Component)
			now := c.fleet.Component(id)
			if _, still := c.fleet.HitOf(id, k.Weakness); !still && now.ID() == comp.ID() && now.Key.Name == comp.Key.Name {
				said.add(vexSaying{weakness: k.Weakness, status: vex.Fixed, detail: k.Detail}, exposure.ComponentURL(now))
			}
		}
	}
}
