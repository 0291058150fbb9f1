package server

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/picketsec/picket/internal/exposure"
)

// Status is what the console's frame shows: of the devices that the caller may see.
func (s *Server) Status(ctx context.Context, caller Caller) (Status, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return Status{}, err
	}
	in := s.desk.intel()
	out := Status{Version: s.opt.Version, Health: "ok", Notices: []Notice{}, Demo: in.Demo, IntelEmpty: in.Empty}
	c := s.core
	c.mu.RLock()
	l := c.lensOf(caller.sees())
	for _, d := range c.devices {
		if d != nil && l.sees.Has(d.group) {
			out.Devices++
			if d.online {
				out.Connected++
			}
		}
	}
	out.Weaknesses = c.fleet.ExposedWeaknesses(l.devs)
	c.mu.RUnlock()
	switch {
	case in.Empty:
		out.Notices = append(out.Notices, Notice{"warning", "No intelligence is loaded: nothing can be assessed. Import or synchronise feeds.", "/settings/intelligence"})
	case in.Demo:
		out.Notices = append(out.Notices, Notice{"info", "Running on demo intelligence: a few hundred well-known CVEs, not a complete picture. Synchronise the real feeds.", "/settings/intelligence"})
	}
	if in.Stale {
		var names []string
		for _, f := range in.Feeds {
			if f.Stale {
				names = append(names, f.Title)
			}
		}
		out.Notices = append(out.Notices, Notice{"warning", "Intelligence is out of date: " + strings.Join(names, ", ") + ".", "/settings/intelligence"})
	}
	damage := s.damageNotice()
	if damage != nil {
		out.Notices = append(out.Notices, *damage)
	}
	if in.Stale || in.Empty || damage != nil {
		out.Health = "amber"
	}
	if l := s.guard.lockdown.Load(); l.On {
		out.Lockdown = l
	}
	var err error
	if out.Approvals, err = s.toDecide(ctx, caller); err != nil {
		return Status{}, err
	}
	if caller.UserID != 0 {
		if has, err := s.HasPassword(ctx, caller); err == nil {
			out.NeedsSecret = !has
		}
	}
	return out, nil
}

// Search looks for devices that the caller may see, and products and weaknesses
// on them; at most eight of each.
func (s *Server) Search(_ context.Context, caller Caller, text string) ([]SearchHit, error) {
	if err := s.need(caller, MachineRead); err != nil {
		return nil, err
	}
	const most = 8
	hits := []SearchHit{}
	needle := strings.ToLower(strings.TrimSpace(text))
	if len(needle) < 2 {
		return hits, nil
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	l := c.lensOf(caller.sees())
	n := 0
	for _, d := range c.devices {
		if d == nil || n == most || !l.sees.Has(d.group) {
			continue
		}
		if strings.Contains(strings.ToLower(d.sum.Name), needle) || strings.HasPrefix(string(d.id), needle) || d.sum.IP == needle {
			hits = append(hits, SearchHit{"device", string(d.id), d.sum.Name, d.sum.OSName})
			n++
		}
	}
	if caller.Has(SoftwareRead) {
		var found []SearchHit
		for id := range c.fleet.Products() {
			if strings.Contains(strings.ToLower(id), strings.ReplaceAll(needle, " ", "_")) || strings.Contains(strings.ToLower(id), needle) {
				if info, ok := c.fleet.Product(id, l.devs); ok {
					found = append(found, SearchHit{"software", id, info.Name, info.Vendor})
				}
			}
			if len(found) == 50 {
				break
			}
		}
		sort.SliceStable(found, func(i, j int) bool { return len(found[i].Name) < len(found[j].Name) })
		hits = append(hits, found[:min(most, len(found))]...)
	}
	if caller.Has(VulnerabilityRead) {
		n = 0
		for id := range c.fleet.Weaknesses() {
			f := c.peek(id)
			if (strings.Contains(strings.ToLower(id), needle) || strings.Contains(strings.ToLower(f.Title), needle)) && l.has(c.fleet.AffectedDevices(id)) {
				hits = append(hits, SearchHit{"weakness", id, id, f.Title})
				if n++; n == most {
					break
				}
			}
		}
	}
	return hits, nil
}

// ExplainArgs are the arguments of the verb "explain".
type ExplainArgs struct {
	Device   string `json:"device"`
	Weakness string `json:"weakness"`
}

// explainVerb prints the evidence of a weakness on a device.
func explainVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	var args ExplainArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	s.core.mu.RLock()
	meant, err := s.core.meant(args.Device)
	s.core.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	admin := Caller{Name: "administrator", Admin: true}
	v, err := s.DeviceVuln(ctx, admin, string(meant.id), args.Weakness)
	if err != nil {
		return nil, err
	}
	d, err := s.Device(ctx, admin, string(meant.id))
	if err != nil {
		return nil, err
	}
	return explainText(d, v), nil
}

// EnrollTokenArgs are the arguments of the verb "enroll-token create".
type EnrollTokenArgs struct {
	Note    string `json:"note"`
	MaxUses int    `json:"max_uses"`
	Hours   int    `json:"hours"`
}

func enrollTokenVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	var args EnrollTokenArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	secret, _, err := s.CreateToken(ctx, Caller{Name: "administrator", Admin: true}, args.Note, args.MaxUses, args.Hours)
	return secret, err
}

// onboardingVerb says where agents connect and which authority they trust.
func onboardingVerb(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	return s.Onboarding(ctx, Caller{Name: "administrator", Admin: true})
}

// signInLinkVerb makes a one-time link; its path goes behind the console's address.
func signInLinkVerb(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	secret, err := s.SignInLink(ctx)
	if err != nil {
		return nil, err
	}
	return "/welcome#" + secret, nil
}

// explainText is the answer of "picket explain": what the weakness is, then
// each finding of it on the device in the words of package exposure.
func explainText(d Device, v DeviceVuln) string {
	var b strings.Builder
	say := func(format string, a ...any) { b.WriteString(exposure.Printable(fmt.Sprintf(format, a...)) + "\n") }
	say("%s on %s (%s)", v.ID, d.Name, d.OSName)
	if v.Title != "" {
		say("  title      %s", v.Title)
	}
	rating := fmt.Sprintf("  severity   %s (%s)", v.Severity, orNone(v.Weakness.SeverityFrom))
	if v.CVSS > 0 {
		rating += fmt.Sprintf(", CVSS %s %.1f", v.CVSSVer, v.CVSS)
	}
	if v.EPSS > 0 {
		rating += fmt.Sprintf(", EPSS %g", v.EPSS)
	}
	if v.Threats.KEV {
		rating += ", in CISA KEV"
	}
	say("%s", rating)
	for _, f := range v.found {
		b.WriteString("\n" + strings.Join(exposure.Explain(f.Finding, f.coverage), "\n") + "\n")
	}
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "unrated"
	}
	return s
}
