package server

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/store"
)

// MaxDelta is how far back a delta may ask.
const MaxDelta = 14 * 24 * time.Hour

// ExportQuery says what an export holds; the zero value is everything as it is.
type ExportQuery struct {
	// At is the moment that the export shows, to the microsecond: that of an
	// earlier answer, so that pages of one export fit together. Zero: now.
	At time.Time
	// Since makes a delta: what changed from then on until At.
	Since time.Time
	// From is the device to begin with, by its place in the order of enrolment.
	From uint32
}

// Export is a walk over devices in the order of enrolment. It ends early with
// one error. It holds no lock between devices, and one device in memory.
type Export[T any] struct {
	At      time.Time // the moment that it shows
	Devices iter.Seq2[*DeviceExport[T], error]
}

// DeviceExport is what an export says of one device. It is valid until the
// next one is asked for.
type DeviceExport[T any] struct {
	Num       uint32 // place in the order of enrolment
	ID        inventory.DeviceID
	Name      string // full name where the host knows it
	GroupID   exposure.Group
	Group     string // its device group: "Unassigned" where no rule takes it, "None" where there are no groups
	OSID      string // "debian", "rhel" …
	OSVersion string
	Arch      string
	LastSeen  time.Time
	Rows      []T
}

// VulnExport is one (weakness, software, version) on a device that counts in
// exposure. Rows of a device are ordered by vendor, product, version, weakness.
type VulnExport struct {
	Vendor, Product, Version string
	ProductID                string
	Weakness                 string
	Severity                 string
	CVSS                     float64 // 0: nobody scored it
	Exploit                  string
	Fixed                    string // version that fixes it, "" if none
	FixedBy                  string // vendor's advisory that announced it, "" if none
	Paths                    []string
	FirstSeen                time.Time
	// In a delta: New, Fixed or Updated, and when.
	Status    string
	ChangedAt time.Time

	part *part
}

// InventoryExport is one (software, version) on a device, ordered by vendor, product, version.
type InventoryExport struct {
	Vendor, Product, Version string
	Weaknesses               int // that count in exposure
	Paths                    []string
	FirstSeen                time.Time
	Coded                    bool // a CPE name of the product is known
	Support                  *EndOfLife
}

// CheckExport is the result of a configuration check on a device: it passed or
// failed, or does not apply. What was not assessed has no row.
type CheckExport struct {
	Check      *posture.Check
	Applicable bool
	Compliant  bool
}

// era opens the moment that a query asks for.
func (s *Server) era(caller Caller, q ExportQuery) (*era, error) {
	kept := s.changesSince.Load()
	s.core.mu.RLock() // every stamp given so far is of a change that is in the index
	now := s.core.stamps.next()
	if s.core.lens(caller).devs != nil {
		kept = max(kept, s.core.moves.since)
	}
	s.core.mu.RUnlock()
	at := now
	if !q.At.IsZero() {
		if at = q.At.UnixMicro(); at > now || at < kept {
			return nil, Invalidf("at", "the pages of this export are no longer there: begin a new one")
		}
	}
	if q.Since.IsZero() {
		return s.newEra(at, 0), nil
	}
	since := q.Since.UnixMicro()
	if since <= time.Now().Add(-MaxDelta).UnixMicro() {
		return nil, Invalidf("sinceTime", "lies more than %d days back: begin with a full export", MaxDelta/(24*time.Hour))
	}
	if since < kept {
		return nil, Invalidf("sinceTime", "lies before %s, from when on changes are recorded: begin with a full export",
			time.UnixMicro(kept).UTC().Add(time.Second).Format(time.RFC3339))
	}
	return s.newEra(at, min(since, at+1)), nil
}

// walk makes an export of what rows gives of each device.
func walk[T any](ctx context.Context, s *Server, caller Caller, e *era, from uint32, rows func(context.Context, *deviceAt, []T) ([]T, error)) Export[T] {
	s.core.mu.RLock()
	l := s.core.lens(caller)
	e.groups = l.groups
	nums := l.of(s.core.fleet.Devices()).Clone()
	for num, d := range s.core.gone {
		if l.devs == nil || slices.Contains(l.groups, d.group) {
			nums.Add(num)
		}
	}
	if l.devs != nil { // those that were in the groups at one of the moments
		for num, list := range s.core.moves.of {
			if slices.ContainsFunc(list, func(m store.Move) bool { return m.At >= e.from() && slices.Contains(l.groups, m.Was) }) {
				nums.Add(num)
			}
		}
	}
	s.core.mu.RUnlock()
	return Export[T]{At: time.UnixMicro(e.at).UTC(), Devices: func(yield func(*DeviceExport[T], error) bool) {
		if err := walkDevices(ctx, caller, e, nums, from, rows, func(d *DeviceExport[T]) bool { return yield(d, nil) }); err != nil {
			yield(nil, err)
		}
	}}
}

func walkDevices[T any](ctx context.Context, caller Caller, e *era, nums *roaring.Bitmap, from uint32, rows func(context.Context, *deviceAt, []T) ([]T, error), yield func(*DeviceExport[T]) bool) error {
	it := nums.Iterator()
	it.AdvanceIfNeeded(from)
	var out DeviceExport[T]
	for it.HasNext() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := caller.Still(ctx); err != nil {
			return err
		}
		num := it.Next()
		d, err := e.device(ctx, num)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		list, err := rows(ctx, d, out.Rows[:0])
		if err != nil {
			return fmt.Errorf("export %s: %w", d.id, err)
		}
		out = DeviceExport[T]{Num: num, ID: d.id, Name: d.sum.FQDN, GroupID: d.groupID, Group: d.groupName, OSID: d.sum.OSID, OSVersion: d.sum.OSVersion, Arch: d.sum.Arch, LastSeen: d.seen, Rows: list}
		if out.Name == "" {
			out.Name = d.sum.Name
		}
		if len(list) > 0 && !yield(&out) {
			return nil
		}
	}
	return nil
}

// ExportVulns exports what counts in exposure, or what changed of it.
func (s *Server) ExportVulns(ctx context.Context, caller Caller, q ExportQuery) (Export[VulnExport], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Export[VulnExport]{}, err
	}
	e, err := s.era(caller, q)
	if err != nil {
		return Export[VulnExport]{}, err
	}
	rows := e.vulns
	if e.since > 0 {
		rows = e.vulnChanges
	}
	return walk(ctx, s, caller, e, q.From, rows), nil
}

// vulns are the rows of a device at the moment.
func (e *era) vulns(ctx context.Context, d *deviceAt, out []VulnExport) ([]VulnExport, error) {
	out = e.vulnsOf(d.now, false, out)
	for i := range out {
		var err error
		if out[i].Paths, err = e.paths(ctx, d, out[i].part, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// vulnsOf are the rows of components at one of the two moments, without paths.
// Components that rows cannot tell apart share their rows.
func (e *era) vulnsOf(held []store.Held, then bool, out []VulnExport) []VulnExport {
	weak := func(p *part) []weakAt {
		if then {
			return p.then
		}
		return p.now
	}
	uses := e.uses(held, func(p *part) bool { return len(weak(p)) > 0 })
	for len(uses) > 0 {
		n := 1
		for n < len(uses) && uses[n].compare(uses[0].part) == 0 {
			n++
		}
		from := len(out)
		for _, u := range uses[:n] {
			for _, w := range weak(u.part) {
				out = append(out, VulnExport{Vendor: u.Vendor, Product: u.Product, Version: u.Version, ProductID: u.productID, Weakness: w.Weakness,
					Severity: w.Severity, CVSS: w.CVSS, Exploit: w.Exploit, Fixed: w.fixed, FixedBy: w.by,
					FirstSeen: time.Unix(e.firstSeen(u.part, u.held, w.Weakness), 0).UTC(), part: u.part})
			}
		}
		if n > 1 {
			out = append(out[:from], joined(out[from:])...)
		}
		uses = uses[n:]
	}
	return out
}

// joined makes one row per weakness: with a fix where one has it, first seen
// when the first was.
func joined(rows []VulnExport) []VulnExport {
	slices.SortStableFunc(rows, func(a, b VulnExport) int { return strings.Compare(a.Weakness, b.Weakness) })
	kept := rows[:0]
	for _, r := range rows {
		n := len(kept)
		if n == 0 || kept[n-1].Weakness != r.Weakness {
			kept = append(kept, r)
			continue
		}
		first := r.FirstSeen
		if kept[n-1].FirstSeen.Before(first) {
			first = kept[n-1].FirstSeen
		}
		if kept[n-1].Fixed == "" && r.Fixed != "" {
			kept[n-1] = r
		}
		kept[n-1].FirstSeen = first
	}
	return kept
}

// ExportInventory exports the software of devices.
func (s *Server) ExportInventory(ctx context.Context, caller Caller, q ExportQuery) (Export[InventoryExport], error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return Export[InventoryExport]{}, err
	}
	q.Since = time.Time{}
	e, err := s.era(caller, q)
	if err != nil {
		return Export[InventoryExport]{}, err
	}
	return walk(ctx, s, caller, e, q.From, e.inventory), nil
}

func (e *era) inventory(ctx context.Context, d *deviceAt, out []InventoryExport) ([]InventoryExport, error) {
	uses := e.uses(d.now, func(p *part) bool { return p.installed() })
	for len(uses) > 0 {
		n := 1
		for n < len(uses) && uses[n].compare(uses[0].part) == 0 {
			n++
		}
		p := uses[0].part
		row := InventoryExport{Vendor: p.Vendor, Product: p.Product, Version: p.Version, Coded: p.code, Support: p.eol}
		weak := map[string]bool{} // of several components
		first := int64(0)
		for _, u := range uses[:n] {
			at := u.held.Since
			for _, b := range u.held.Past {
				at = b.Since
			}
			if first == 0 || at < first {
				first = at
			}
			if n > 1 {
				for _, w := range u.now {
					weak[w.Weakness] = true
				}
			}
			more, err := e.paths(ctx, d, u.part, false)
			if err != nil {
				return nil, err
			}
			if len(row.Paths) == 0 {
				row.Paths = more
			}
		}
		row.FirstSeen, row.Weaknesses = time.Unix(first, 0).UTC(), len(weak)
		if n == 1 {
			row.Weaknesses = len(p.now)
		}
		out = append(out, row)
		uses = uses[n:]
	}
	return out, nil
}

// ExportChecks exports the results of configuration checks.
func (s *Server) ExportChecks(ctx context.Context, caller Caller, q ExportQuery) (Export[CheckExport], error) {
	if err := s.need(caller, VulnerabilityRead); err != nil {
		return Export[CheckExport]{}, err
	}
	q.Since = time.Time{}
	e, err := s.era(caller, q)
	if err != nil {
		return Export[CheckExport]{}, err
	}
	return walk(ctx, s, caller, e, q.From, e.checks), nil
}

// checks are the results of configuration checks of a device at the moment.
func (e *era) checks(_ context.Context, d *deviceAt, out []CheckExport) ([]CheckExport, error) {
	checks := posture.Checks()
	for i := range checks {
		switch state := d.verdicts.state(i); state {
		case posture.NotAssessed:
		default:
			out = append(out, CheckExport{Check: checks[i], Applicable: state != posture.NotApplicable, Compliant: state == posture.Pass})
		}
	}
	return out, nil
}
