package server

import (
	"errors"
	"strings"
	"testing"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/exposure"
)

const shellSum = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

// visit is what a device of these tests does: a shell runs curl, which speaks to a host; alice logs on,
// root cannot.
func (l *life) visit(shell string) {
	l.send(l.event(ev.ProcessCreated, func(e *ev.Event) {
		e.Set(ev.FileName, shell)
		e.Set(ev.FolderPath, "/usr/bin/"+shell)
		e.Set(ev.SHA256, strings.ToUpper(shellSum))
		e.SetInt(ev.FileSize, 4711)
		e.Set(ev.AccountName, "alice")
	}), l.event(ev.ConnectionSuccess, func(e *ev.Event) {
		e.Set(ev.RemoteIP, "203.0.113.9")
		e.Set(ev.RemoteURL, "www.example.com")
		e.Set(ev.InitiatingProcessFileName, "curl")
		e.Set(ev.InitiatingProcessSHA256, shellSum)
	}), l.event(ev.LogonSuccess, func(e *ev.Event) {
		e.Set(ev.AccountName, "alice")
		e.Set(ev.LogonType, "Network")
	}), l.event(ev.LogonFailed, func(e *ev.Event) { e.Set(ev.AccountName, "root") }))
}

// twoPlaces are two devices, in two groups, that met the same things; alpha's shell is called bash.
func twoPlaces(t *testing.T) (s *Server, alpha, omega *life, mine Caller) {
	t.Helper()
	s = openTest(t, t.TempDir())
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	alpha, omega = newLife(t, s, "alpha"), newLife(t, s, "omega")
	alpha.visit("bash")
	omega.visit("sh")
	omega.visit("sh")
	s.core.mu.Lock()
	s.core.regroup(s.core.at(s.core.byID[alpha.id]), 7)
	s.core.mu.Unlock()
	return s, alpha, omega, Caller{Name: "analyst", Permissions: opsViewing, Scope: exposure.Within(7)}
}

func TestEntity(t *testing.T) {
	s, alpha, omega, _ := twoPlaces(t)
	boss := Caller{Name: "boss", Admin: true}
	for _, want := range []EntityView{
		{Kind: EntityFile, ID: shellSum, Name: "curl", Devices: 2, Events: 6, Names: []EntityName{{"curl", 2, 3}, {"sh", 1, 2}, {"bash", 1, 1}}},
		{Kind: EntityIP, ID: "203.0.113.9", Name: "203.0.113.9", Devices: 2, Events: 3, Names: []EntityName{{"curl", 2, 3}}},
		{Kind: EntityDomain, ID: "example.com", Name: "example.com", Devices: 2, Events: 3, Names: []EntityName{{"curl", 2, 3}}},
		{Kind: EntityUser, ID: "alice", Name: "alice", Devices: 2, Events: 6, Names: []EntityName{{"logon", 2, 3}, {"activity", 2, 3}}},
	} {
		v, err := s.Entity(t.Context(), boss, EntityQuery{Kind: want.Kind, ID: want.ID})
		if err != nil {
			t.Fatal(err)
		}
		same := v.Kind == want.Kind && v.ID == want.ID && v.Name == want.Name && v.Devices == want.Devices && v.Events == want.Events && v.Days == 30 && v.Unlisted == 0 && len(v.Names) == len(want.Names)
		for i := range want.Names {
			n := 0
			for _, x := range v.Names {
				if x == want.Names[i] {
					n++
				}
			}
			same = same && n == 1
		}
		if !same || v.First.After(v.Last) || v.First.IsZero() {
			t.Errorf("%s %s: %+v, want %+v", want.Kind, want.ID, v, want)
		}
		if want.Kind == EntityFile && (v.File == nil || v.File.SHA256 == "") {
			t.Errorf("nothing is known of the file: %+v", v.File)
		}
	}
	rows, err := s.EntityDevices(t.Context(), boss, EntityFile, shellSum, Query{Sort: []string{"-events"}})
	if err != nil || rows.Total != 2 || rows.Items[0].ID != omega.id || rows.Items[0].Events != 4 || rows.Items[1].ID != alpha.id {
		t.Errorf("devices: %+v, %v", rows, err)
	}
	events, err := s.EntityEvents(t.Context(), boss, EntityQuery{Kind: EntityDomain, ID: "example.com"}, 2)
	if err != nil || len(events.Items) != 2 || events.Items[0].DeviceName == "" || events.Items[0].Action != "ConnectionSuccess" {
		t.Errorf("events: %+v, %v", events, err)
	}
	// Who could not log on has no device.
	if on, err := s.SeenOn(t.Context(), boss, EntityQuery{Kind: EntityUser, ID: "root"}); err != nil || len(on) != 0 {
		t.Errorf("root is on %v, %v", on, err)
	}
	if on, err := s.SeenOn(t.Context(), boss, EntityQuery{Kind: EntityUser, ID: "alice"}); err != nil || len(on) != 2 {
		t.Errorf("alice is on %v, %v", on, err)
	}
	for _, q := range []EntityQuery{{Kind: EntityFile, ID: "xyz"}, {Kind: EntityIP, ID: "1.2.3"}, {Kind: EntityDomain, ID: "a b"}, {Kind: "x", ID: "y"}, {Kind: EntityUser, ID: "u", Days: 367}} {
		if _, err := s.Entity(t.Context(), boss, q); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := s.Entity(t.Context(), boss, EntityQuery{Kind: EntityUser, ID: "carol"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}

// Prevalence counts the devices that the caller sees, and what others met is as
// if it was not there.
func TestEntityScope(t *testing.T) {
	s, alpha, omega, mine := twoPlaces(t)
	omega.send(omega.event(ev.ConnectionSuccess, func(e *ev.Event) { e.Set(ev.RemoteIP, "203.0.113.77") }))
	for kind, id := range map[string]string{EntityFile: shellSum, EntityIP: "203.0.113.9", EntityDomain: "example.com", EntityUser: "alice"} {
		q := EntityQuery{Kind: kind, ID: id}
		if v, err := s.Entity(t.Context(), mine, q); err != nil || v.Devices != 1 {
			t.Errorf("%s: %+v, %v", kind, v, err)
		} else {
			for _, n := range v.Names {
				if n.Name == "sh" || n.Devices != 1 {
					t.Errorf("%s: the name of another's: %+v", kind, v.Names)
				}
			}
		}
		if rows, err := s.EntityDevices(t.Context(), mine, kind, id, Query{}); err != nil || rows.Total != 1 || rows.Items[0].ID != alpha.id {
			t.Errorf("%s: devices %+v, %v", kind, rows, err)
		}
		events, err := s.EntityEvents(t.Context(), mine, q, 50)
		if err != nil || len(events.Items) == 0 {
			t.Errorf("%s: no events, %v", kind, err)
		}
		for _, e := range events.Items {
			if e.DeviceID != alpha.id {
				t.Errorf("%s: an event of %s", kind, e.DeviceID)
			}
		}
		if on, err := s.SeenOn(t.Context(), mine, q); err != nil || len(on) != 1 || !on[alpha.id] {
			t.Errorf("%s: on %v, %v", kind, on, err)
		}
		// Whoever sees nothing finds nothing, and whoever may not is refused.
		if _, err := s.Entity(t.Context(), Caller{Permissions: opsViewing}, q); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s without a scope: %v", kind, err)
		}
		if _, err := s.Entity(t.Context(), Caller{Permissions: []string{MachineRead}, Scope: exposure.Within(7)}, q); !errors.Is(err, ErrDenied) {
			t.Errorf("%s without the permission: %v", kind, err)
		}
	}
	hidden := EntityQuery{Kind: EntityIP, ID: "203.0.113.77"}
	_, none := s.Entity(t.Context(), mine, EntityQuery{Kind: EntityIP, ID: "203.0.113.78"})
	if _, err := s.Entity(t.Context(), mine, hidden); !errors.Is(err, ErrNotFound) || strings.ReplaceAll(err.Error(), "77", "78") != none.Error() {
		t.Errorf("what is hidden and what is not there differ: %v and %v", err, none)
	}
	if on, err := s.SeenOn(t.Context(), mine, hidden); err != nil || len(on) != 0 {
		t.Errorf("hidden, on %v, %v", on, err)
	}
	all := RowQuery[LogonUser]{Limit: -1}
	if _, err := s.DeviceUsers(t.Context(), mine, string(omega.id), all); !errors.Is(err, ErrNotFound) {
		t.Errorf("users of another's device: %v", err)
	}
	u, err := s.DeviceUsers(t.Context(), mine, string(alpha.id), all)
	if err != nil || len(u.Rows) != 1 || u.Rows[0].Machines != 1 || u.Rows[0].MostOn != alpha.id || u.Rows[0].LeastOn != alpha.id {
		t.Errorf("users: %+v, %v", u, err)
	}
	all.Where = func(u *LogonUser) bool { return u.Machines == 2 } // counted before it is asked
	for range 2 {
		if u, err := s.DeviceUsers(t.Context(), admin, string(alpha.id), all); err != nil || len(u.Rows) != 1 || u.Rows[0].Machines != 2 || u.Rows[0].MostOn != omega.id || u.Rows[0].LeastOn != alpha.id {
			t.Errorf("users, seen by an administrator: %+v, %v", u, err)
		}
		all.Where = nil
	}
}
