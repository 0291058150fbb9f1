package server

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

const (
	entityDays    = 30  // that an entity is looked for when nobody says
	mostEntityAgo = 366 // days
	mostLatest    = 200 // events of an entity
)

// entityKinds are the kinds with what opens them.
var entityKinds = map[string]struct {
	kind ev.EntityKind
	need string
}{
	EntityFile:   {ev.EntityFile, FileRead},
	EntityIP:     {ev.EntityAddress, AddressRead},
	EntityDomain: {ev.EntityDomain, URLRead},
	EntityUser:   {ev.EntityAccount, AccountRead},
}

// eventScope are the devices that a caller's answer about events is about: what
// the caller may see of what was asked for.
func (s *Server) eventScope(c Caller) eventlog.Scope {
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	l := s.core.lens(c)
	if l.devs == nil {
		return eventlog.Everything()
	}
	ids := make([]inventory.DeviceID, 0, l.devs.GetCardinality())
	l.devs.Iterate(func(num uint32) bool {
		if d := s.core.at(num); d != nil {
			ids = append(ids, d.id)
		}
		return true
	})
	return eventlog.Only(ids...)
}

// entityID is an entity's id in the form in which it is kept; what is no such
// thing is an *InputError of field "id".
func entityID(kind, id string) (string, error) {
	kept, ok := ev.EntityID(entityKinds[kind].kind, id)
	if !ok {
		return "", Invalidf("id", "%q is no %s", id, map[string]string{EntityFile: "SHA-1 or SHA-256 of a file", EntityIP: "IP address",
			EntityDomain: "name of a host", EntityUser: "name of an account"}[kind])
	}
	return kept, nil
}

// lookFor makes the log's query for an entity; whoever calls it has asked for the permission.
func (s *Server) lookFor(c Caller, q *EntityQuery) (eventlog.EntityQuery, error) {
	id, err := entityID(q.Kind, q.ID)
	if err != nil {
		return eventlog.EntityQuery{}, err
	}
	q.Days = cmp.Or(q.Days, entityDays)
	if q.Days < 1 || q.Days > mostEntityAgo {
		return eventlog.EntityQuery{}, Invalidf("days", "must be 1 to %d", mostEntityAgo)
	}
	from := s.now().UTC().AddDate(0, 0, -q.Days).Truncate(24 * time.Hour)
	return eventlog.EntityQuery{Scope: s.eventScope(c), From: from, Kind: entityKinds[q.Kind].kind, ID: id}, nil
}

// Entity is what is known of a file, an address, a host or an account on the
// devices that the caller sees. What none of them met is ErrNotFound.
func (s *Server) Entity(ctx context.Context, c Caller, q EntityQuery) (EntityView, error) {
	k, ok := entityKinds[q.Kind]
	if !ok {
		return EntityView{}, Invalidf("kind", "%q is no kind of entity", q.Kind)
	}
	if err := s.need(c, k.need); err != nil {
		return EntityView{}, err
	}
	query, err := s.lookFor(c, &q)
	if err != nil {
		return EntityView{}, err
	}
	seen, cost, err := s.telemetry.log.Sightings(ctx, query)
	if err != nil {
		return EntityView{}, fmt.Errorf("look for the %s %q: %w", q.Kind, query.ID, err)
	}
	out := EntityView{Kind: q.Kind, ID: query.ID, Name: query.ID, Days: q.Days, Names: []EntityName{}, AsOf: s.now(), Unlisted: seen.Unlisted, Damaged: cost.Damaged}
	out.count(seen.Devices)
	if out.Devices == 0 {
		return EntityView{}, fmt.Errorf("%s %q: %w", q.Kind, query.ID, ErrNotFound)
	}
	for _, n := range seen.Names {
		out.Names = append(out.Names, EntityName(n))
	}
	switch q.Kind {
	case EntityFile:
		if n := out.Names; len(n) > 0 && n[0].Name != "" {
			out.Name = n[0].Name
		}
		return out, s.fileFacts(ctx, query, &out)
	case EntityIP:
		out.Sort = addressSort(query.ID)
	}
	return out, nil
}

// count adds devices that met the entity.
func (v *EntityView) count(on []eventlog.Sighting) {
	for _, d := range on {
		v.Devices++
		v.Events += d.Events
		if v.First.IsZero() || d.First.Before(v.First) {
			v.First = d.First
		}
		if d.Last.After(v.Last) {
			v.Last = d.Last
		}
	}
}

// fileFacts fills in what the newest event says of a file.
func (s *Server) fileFacts(ctx context.Context, q eventlog.EntityQuery, out *EntityView) error {
	rows, _, err := s.telemetry.log.Latest(ctx, q, 1)
	if err != nil {
		return fmt.Errorf("read the newest event of the file %s: %w", q.ID, err)
	}
	out.File = &EntityFileFacts{}
	for i := range rows {
		e := rows[i].Record.Event()
		sha1, sha256, md5, size, path := ev.SHA1, ev.SHA256, ev.MD5, ev.FileSize, ev.FolderPath
		if e.Text(sha1) != q.ID && e.Text(sha256) != q.ID {
			sha1, sha256, md5, size, path = ev.InitiatingProcessSHA1, ev.InitiatingProcessSHA256, ev.InitiatingProcessMD5, ev.InitiatingProcessFileSize, ev.InitiatingProcessFolderPath
		}
		n, _ := e.Get(size)
		*out.File = EntityFileFacts{SHA1: e.Text(sha1), SHA256: e.Text(sha256), MD5: e.Text(md5), Size: n.Number, Path: e.Text(path)}
	}
	return nil
}

// addressSort is what kind of address it is, in the words of hunting.
func addressSort(id string) string {
	a, err := netip.ParseAddr(id)
	switch {
	case err != nil:
		return ""
	case a.IsLoopback():
		return "Loopback"
	case a.IsPrivate(), a.IsLinkLocalUnicast():
		return "Private"
	case a.IsMulticast(), a.IsUnspecified():
		return "Reserved"
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "Broadcast"
	}
	return "Public"
}

// SeenOn returns the devices that met an entity; none when nobody did. On which an
// account did no more than fail to log on is not told.
func (s *Server) SeenOn(ctx context.Context, c Caller, q EntityQuery) (map[inventory.DeviceID]bool, error) {
	if err := s.need(c, MachineRead); err != nil {
		return nil, err
	}
	query, err := s.lookFor(c, &q)
	if err != nil {
		return nil, err
	}
	seen, _, err := s.telemetry.log.Sightings(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("look for the %s %q: %w", q.Kind, query.ID, err)
	}
	out := make(map[inventory.DeviceID]bool, len(seen.Devices))
	for _, d := range seen.Devices {
		other := func(n int) bool { return seen.Names[n].Name != ev.AccountRefused }
		if q.Kind != EntityUser || slices.ContainsFunc(d.Names, other) {
			out[d.Device] = true
		}
	}
	return out, nil
}

// EntityDevices lists the devices that met an entity. The filter "days" says how far back.
func (s *Server) EntityDevices(ctx context.Context, c Caller, kind, id string, q Query) (Page[EntityDevice], error) {
	if err := s.need(c, MachineRead); err != nil {
		return Page[EntityDevice]{}, err
	}
	want := EntityQuery{Kind: kind, ID: id}
	if days := q.Filter["days"]; len(days) > 0 {
		want.Days, _ = strconv.Atoi(days[0])
		delete(q.Filter, "days")
	}
	query, err := s.lookFor(c, &want)
	if err != nil {
		return Page[EntityDevice]{}, err
	}
	seen, _, err := s.telemetry.log.Sightings(ctx, query)
	if err != nil {
		return Page[EntityDevice]{}, fmt.Errorf("look for the %s %q: %w", kind, query.ID, err)
	}
	if len(seen.Devices) == 0 {
		return Page[EntityDevice]{}, fmt.Errorf("%s %q: %w", kind, query.ID, ErrNotFound)
	}
	now := s.now()
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	rows := make([]*EntityDevice, 0, len(seen.Devices))
	for i := range seen.Devices {
		x := &seen.Devices[i]
		num, ok := s.core.byID[x.Device]
		if !ok {
			continue
		}
		d := s.core.at(num)
		r := &EntityDevice{ID: x.Device, Name: d.sum.Name, OSPlatform: d.sum.OSPlatform, OSName: d.sum.OSName, Health: d.health(now), Group: s.core.sorting.names[d.group],
			Exposure: s.core.exposureOf(d), Events: x.Events, First: x.First, Last: x.Last, Names: []string{}}
		for _, n := range x.Names {
			if name := seen.Names[n].Name; name != "" {
				r.Names = append(r.Names, name)
			}
		}
		rows = append(rows, r)
	}
	return entityDeviceList.page(q, rows)
}

var entityDeviceList = &list[EntityDevice]{
	text: func(r *EntityDevice, has func(string) bool) bool {
		if has(r.Name) || has(string(r.ID)) || has(r.OSName) {
			return true
		}
		for _, n := range r.Names {
			if has(n) {
				return true
			}
		}
		return false
	},
	filters: map[string]func(*EntityDevice, []string) bool{
		"os":       oneOf(func(r *EntityDevice) string { return r.OSPlatform }),
		"health":   oneOf(func(r *EntityDevice) string { return r.Health }),
		"exposure": oneOf(func(r *EntityDevice) string { return r.Exposure }),
	},
	order: map[string]func(a, b *EntityDevice) int{
		"name":   byText(func(r *EntityDevice) string { return r.Name }),
		"os":     byText(func(r *EntityDevice) string { return r.OSName }),
		"health": byText(func(r *EntityDevice) string { return r.Health }),
		"group":  byText(func(r *EntityDevice) string { return r.Group }),
		"events": func(a, b *EntityDevice) int { return cmp.Compare(a.Events, b.Events) },
		"first":  byTime(func(r *EntityDevice) time.Time { return r.First }),
		"last":   byTime(func(r *EntityDevice) time.Time { return r.Last }),
	},
	initial: []string{"-last"},
	tie:     func(a, b *EntityDevice) int { return cmp.Compare(a.ID, b.ID) },
}

// EntityEvents returns the newest events of an entity on all devices that the
// caller sees, at most limit (1 to 200).
func (s *Server) EntityEvents(ctx context.Context, c Caller, q EntityQuery, limit int) (EntityEvents, error) {
	if err := s.need(c, MachineRead); err != nil {
		return EntityEvents{}, err
	}
	query, err := s.lookFor(c, &q)
	if err != nil {
		return EntityEvents{}, err
	}
	if limit < 1 || limit > mostLatest {
		return EntityEvents{}, Invalidf("size", "must be 1 to %d", mostLatest)
	}
	rows, cost, err := s.telemetry.log.Latest(ctx, query, limit)
	if err != nil {
		return EntityEvents{}, fmt.Errorf("read events of the %s %q: %w", q.Kind, query.ID, err)
	}
	if len(rows) == 0 && cost.Damaged == 0 {
		return EntityEvents{}, fmt.Errorf("%s %q: %w", q.Kind, query.ID, ErrNotFound)
	}
	out := EntityEvents{Items: []EntityEvent{}, AsOf: s.now(), Damaged: cost.Damaged}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for i := range rows {
		e := EntityEvent{TimelineRow: timelineRow(&rows[i]), DeviceID: rows[i].Device, DeviceName: string(rows[i].Device)}
		if num, ok := s.core.byID[e.DeviceID]; ok {
			e.DeviceName = s.core.at(num).sum.Name
		}
		out.Items = append(out.Items, e)
	}
	return out, nil
}
