package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/inventory"
)

// logonDays is how far back logged-on users are told.
const logonDays = 30

// LogonUsers returns who logged on to a device in 30 days.
func (s *Server) LogonUsers(ctx context.Context, c Caller, id string) (LogonUsers, error) {
	if err := s.need(c, MachineRead); err != nil {
		return LogonUsers{}, err
	}
	return s.logons(ctx, c, id)
}

// DeviceUsers is who logged on to a device in the days of LogonUsers, the most
// frequent first, for programs that may read users and not devices. It says
// besides on how many devices these accounts logged on.
func (s *Server) DeviceUsers(ctx context.Context, c Caller, id string, q RowQuery[LogonUser]) (RowPage[LogonUser], error) {
	if err := s.need(c, AccountRead); err != nil {
		return RowPage[LogonUser]{}, err
	}
	all, err := s.logons(ctx, c, id)
	if err != nil {
		return RowPage[LogonUser]{}, err
	}
	users := slices.DeleteFunc(all.Items, func(u LogonUser) bool { return u.Logons == 0 })
	if q.Where == nil && q.Order == nil {
		page := q.Of(Each(users))
		return page, s.countMachines(ctx, c, page.Rows)
	}
	if err := s.countMachines(ctx, c, users); err != nil {
		return RowPage[LogonUser]{}, err
	}
	return q.Of(Each(users)), nil
}

// account is who logs on.
type account struct{ domain, name string }

// countMachines counts the logons of accounts on the devices that a caller sees.
func (s *Server) countMachines(ctx context.Context, c Caller, users []LogonUser) error {
	on := map[account]map[inventory.DeviceID]int{}
	var names []string
	for _, u := range users {
		on[account{u.Domain, u.Name}] = map[inventory.DeviceID]int{}
		names = append(names, u.Name)
	}
	if len(names) == 0 {
		return nil
	}
	now := s.now()
	q := eventlog.Query{Scope: s.eventScope(c), From: now.AddDate(0, 0, -logonDays), To: now.Add(time.Minute), Actions: []ev.Action{ev.LogonSuccess},
		Equals: []eventlog.Equal{{Columns: []ev.Column{ev.AccountName}, Values: names}}}
	_, err := s.telemetry.log.Scan(ctx, q, func(r eventlog.Row) error {
		e := r.Record.Event()
		if m := on[account{e.Text(ev.AccountDomain), e.Text(ev.AccountName)}]; m != nil {
			m[r.Device]++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count the devices of accounts: %w", err)
	}
	for i := range users {
		u := &users[i]
		devices := slices.Sorted(maps.Keys(on[account{u.Domain, u.Name}]))
		u.Machines = len(devices)
		for _, d := range devices {
			n := on[account{u.Domain, u.Name}]
			if u.MostOn == "" || n[d] > n[u.MostOn] {
				u.MostOn = d
			}
			if u.LeastOn == "" || n[d] < n[u.LeastOn] {
				u.LeastOn = d
			}
		}
	}
	return nil
}

// logons reads who logged on to a device; whoever calls it has asked for the permission.
func (s *Server) logons(ctx context.Context, c Caller, id string) (LogonUsers, error) {
	s.core.mu.RLock()
	d, err := s.core.named(c.sees(), id)
	s.core.mu.RUnlock()
	if err != nil {
		return LogonUsers{}, err
	}
	now := s.now()
	q := eventlog.Query{Scope: eventlog.Only(d.id), From: now.AddDate(0, 0, -logonDays), To: now.Add(time.Minute), Actions: []ev.Action{ev.LogonSuccess, ev.LogonFailed}}
	users := map[account]*LogonUser{}
	_, err = s.telemetry.log.Scan(ctx, q, func(r eventlog.Row) error {
		e := r.Record.Event()
		k := account{e.Text(ev.AccountDomain), e.Text(ev.AccountName)}
		if k.name == "" {
			return nil
		}
		u := users[k]
		if u == nil {
			if len(users) >= 10_000 {
				return eventlog.ErrStop
			}
			u = &LogonUser{Name: k.name, Domain: k.domain, First: r.Time, Last: r.Time, Types: []string{}}
			users[k] = u
		}
		u.add(&e, r.Time)
		return nil
	})
	if err != nil {
		return LogonUsers{}, fmt.Errorf("read logons of %s: %w", d.id, err)
	}
	out := LogonUsers{Days: logonDays, Items: make([]LogonUser, 0, len(users))}
	for _, u := range users {
		slices.Sort(u.Types)
		out.Items = append(out.Items, *u)
	}
	slices.SortFunc(out.Items, func(a, b LogonUser) int {
		return cmp.Or(cmp.Compare(b.Logons, a.Logons), cmp.Compare(a.Domain, b.Domain), cmp.Compare(a.Name, b.Name))
	})
	most, least := 0, 0
	for _, u := range out.Items { // by logons of people alone: a job that runs every minute is no frequent user
		if n := u.Interactive; n > 0 {
			if n > most {
				most, out.Most = n, u.Name
			}
			if least == 0 || n <= least {
				least, out.Least = n, u.Name
			}
		}
	}
	return out, nil
}

// add counts one logon.
func (u *LogonUser) add(e *ev.Event, at time.Time) {
	if e.Action == ev.LogonFailed {
		u.Failed++
	} else {
		u.Logons++
		switch e.Text(ev.LogonType) {
		case "Interactive", "RemoteInteractive":
			u.Interactive++
		}
	}
	if t := e.Text(ev.LogonType); t != "" && !slices.Contains(u.Types, t) {
		u.Types = append(u.Types, t)
	}
	if sid := e.Text(ev.AccountSID); sid != "" {
		u.SID = sid
	}
	if f, ok := e.Get(ev.IsLocalAdmin); ok && f.Number != 0 {
		u.LocalAdmin = true
	}
	if at.Before(u.First) {
		u.First = at
	}
	if at.After(u.Last) {
		u.Last = at
	}
}
