package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/group"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
)

// guarded is a server with a host that is in the protected group "prod" by its
// manual tag, its tag by rule, its value and its name together.
func guarded(t *testing.T) (s *Server, host inventory.DeviceID, prod, spare exposure.Group, tag int64) {
	t.Helper()
	s = testServer(t)
	r := newReport(s, enrol(t, s, "one"))
	r.host(t, "db1", "db1.example.org", "10.1.0.5")
	mustTag(t, s, r.id, []string{"paid"}, nil)
	if err := s.SetDeviceValue(t.Context(), admin, string(r.id), "High"); err != nil {
		t.Fatal(err)
	}
	rule, err := s.SaveTagRule(t.Context(), admin, 0, RuleEdit{Name: "database", Rules: on(group.Name, group.StartsWith, "db")})
	if err != nil {
		t.Fatal(err)
	}
	prod = mustGroup(t, s, 0, "prod", []group.Rule{{Conditions: []group.Condition{
		{Property: group.Tag, Operator: group.Equals, Values: []string{"paid"}}, {Property: group.Tag, Operator: group.Equals, Values: []string{"database"}},
		{Property: group.Value, Operator: group.Equals, Values: []string{"High"}}}}})
	spare = mustGroup(t, s, 0, "spare", on(group.Name, group.StartsWith, "d"))
	wantGroup(t, s, r.id, "at first", "prod")
	if _, err := s.SetApprovalPolicy(t.Context(), boss, ApprovalPolicy{Rules: []ApprovalRule{{AllActions: true, Groups: []exposure.Group{prod}, Hours: 24}}}); err != nil {
		t.Fatal(err)
	}
	return s, r.id, prod, spare, rule.ID
}

// Whatever takes a device out of a group that a rule of approval names waits for
// another administrator: tags by hand and by rule, values, rules and ranks.
func TestLeavingApprovalNeedsAnother(t *testing.T) {
	ways := map[string]func(*Server, Caller, inventory.DeviceID, exposure.Group, exposure.Group, int64) error{
		"a tag is taken away": func(s *Server, c Caller, host inventory.DeviceID, _, _ exposure.Group, _ int64) error {
			_, err := s.ChangeTags(t.Context(), c, TagChange{Devices: []string{"DB1", string(host)}, Remove: []string{"paid"}})
			return err
		},
		"the rules of a tag change": func(s *Server, c Caller, _ inventory.DeviceID, _, _ exposure.Group, tag int64) error {
			_, err := s.SaveTagRule(t.Context(), c, tag, RuleEdit{Name: "database", Rules: on(group.Name, group.StartsWith, "sql")})
			return err
		},
		"the rules of a tag are deleted": func(s *Server, c Caller, _ inventory.DeviceID, _, _ exposure.Group, tag int64) error {
			return s.DeleteTagRule(t.Context(), c, tag)
		},
		"the value changes": func(s *Server, c Caller, host inventory.DeviceID, _, _ exposure.Group, _ int64) error {
			return s.SetDeviceValue(t.Context(), c, string(host), "Low")
		},
		"the rules of the group change": func(s *Server, c Caller, _ inventory.DeviceID, prod, _ exposure.Group, _ int64) error {
			_, err := s.SaveDeviceGroup(t.Context(), c, prod, RuleEdit{Name: "prod", Rules: on(group.Name, group.Equals, "none")})
			return err
		},
		"another group comes first": func(s *Server, c Caller, _ inventory.DeviceID, prod, spare exposure.Group, _ int64) error {
			return s.OrderDeviceGroups(t.Context(), c, []exposure.Group{spare, prod})
		},
	}
	for name, do := range ways {
		t.Run(name, func(t *testing.T) {
			s, host, prod, spare, tag := guarded(t)
			ctx := t.Context()
			admins := adminsGroup(t, s.Accounts).ID
			ann, ben := signedIn(t, s, "ann", admins), signedIn(t, s, "ben", admins)
			operator := signedIn(t, s, "olga", team(t, s.Accounts, "operators", ActOperations, Investigate))
			ask := func() string {
				t.Helper()
				err := do(s, ann, host, prod, spare, tag)
				if !errors.Is(err, ErrNeedsApproval) || !strings.Contains(err.Error(), "waits in Approvals") {
					t.Fatalf("it is done by one: %v", err)
				}
				wantGroup(t, s, host, "while it waits", "prod")
				page, err := s.Approvals(ctx, ann, Query{Filter: map[string][]string{"state": {"pending"}}})
				if err != nil || page.Total != 1 || page.Items[0].Kind != store.ApprovalLeaveKind || len(page.Items[0].Devices) != 1 || page.Items[0].Devices[0].ID != host || !strings.Contains(string(page.Items[0].Change), "before") {
					t.Fatalf("requests: %+v, %v", page.Items, err)
				}
				return page.Items[0].ID
			}
			request := ask()
			if err := do(s, ann, host, prod, spare, tag); !errors.Is(err, ErrConflict) || errors.Is(err, ErrNeedsApproval) {
				t.Errorf("the same once more: %v", err)
			}
			for who, c := range map[string]Caller{"who asked": ann, "the command line": LocalCaller(), "an operator": operator} {
				if _, err := s.Decide(ctx, c, request, true, ""); !errors.Is(err, ErrDenied) {
					t.Errorf("%s approves: %v", who, err)
				}
			}
			if row, err := s.Decide(ctx, ben, request, false, "no"); err != nil || row.State != store.ApprovalRefused {
				t.Fatalf("refused: %+v, %v", row, err)
			}
			wantGroup(t, s, host, "refused", "prod")

			request = ask()
			ben2, err := s.Decide(ctx, ben, request, true, "")
			if err != nil || ben2.State != store.ApprovalDone {
				t.Fatalf("approved: %+v, %v", ben2, err)
			}
			wantGroup(t, s, host, "approved", "spare")
			if err := do(s, ann, host, prod, spare, tag); errors.Is(err, ErrNeedsApproval) {
				t.Errorf("what takes no device out waits: %v", err)
			}
		})
	}
}

// What was approved is about the devices that were shown, is done with what
// whoever asked may do then, and what leaves every device where it is needs nobody.
func TestLeavingApprovalIsOfWhatWasShown(t *testing.T) {
	s, host, prod, spare, _ := guarded(t)
	ctx := t.Context()
	admins := adminsGroup(t, s.Accounts).ID
	ann, ben := signedIn(t, s, "ann", admins), signedIn(t, s, "ben", admins)
	untag := func() (string, error) {
		_, err := s.ChangeTags(ctx, ann, TagChange{Devices: []string{string(host)}, Remove: []string{"paid"}})
		page, listErr := s.Approvals(ctx, ben, Query{Filter: map[string][]string{"state": {"pending"}}})
		if listErr != nil || len(page.Items) != 1 {
			t.Fatalf("%v, %+v, %v", err, page, listErr)
		}
		return page.Items[0].ID, err
	}
	rank := func() string {
		t.Helper()
		if err := s.OrderDeviceGroups(ctx, ann, []exposure.Group{spare, prod}); !errors.Is(err, ErrNeedsApproval) {
			t.Fatal(err)
		}
		page, err := s.Approvals(ctx, ben, Query{Filter: map[string][]string{"state": {"pending"}}})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		return page.Items[0].ID
	}
	request := rank()
	second := newReport(s, enrol(t, s, "two"))
	second.host(t, "db2", "db2.example.org", "10.1.0.6")
	mustTag(t, s, second.id, []string{"paid"}, nil)
	if err := s.SetDeviceValue(ctx, admin, string(second.id), "High"); err != nil {
		t.Fatal(err)
	}
	wantGroup(t, s, second.id, "who came meanwhile", "prod")
	row, err := s.Decide(ctx, ben, request, true, "")
	if err != nil || row.State != store.ApprovalFailed || !strings.Contains(row.Result, "ther devices than those that were shown") {
		t.Errorf("with a device that nobody was shown: %+v, %v", row, err)
	}
	wantGroup(t, s, second.id, "who came meanwhile", "prod")

	request, _ = untag()
	if _, err := s.EditPerson(ctx, boss, ann.UserID, PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if row, err := s.Decide(ctx, ben, request, true, ""); err != nil || row.State != store.ApprovalFailed {
		t.Errorf("asked by somebody who is out: %+v, %v", row, err)
	}
	wantGroup(t, s, host, "asked by somebody who is out", "prod")

	mustTag(t, s, host, []string{"other"}, nil)
	mustGroup(t, s, 0, "last", on(group.Name, group.StartsWith, "db"))
	if _, err := s.SaveDeviceGroup(ctx, admin, prod, RuleEdit{Name: "production", Rules: on(group.Name, group.StartsWith, "d")}); err != nil {
		t.Errorf("a group that keeps its devices: %v", err)
	}
}

// Nobody is shown more than a thousand devices: the rule itself has to change then.
func TestLeavingApprovalIsBounded(t *testing.T) {
	s := testServer(t)
	if _, err := s.SetApprovalPolicy(t.Context(), boss, ApprovalPolicy{Rules: []ApprovalRule{{AllActions: true, Groups: []exposure.Group{0}, Hours: 24}}}); err != nil {
		t.Fatal(err)
	}
	all := make([]*device, mostLeaving+50)
	for i := range all {
		all[i] = &device{id: inventory.DeviceID(fmt.Sprint(i))}
	}
	err := s.keepProtected(t.Context(), boss, leaving{}, all, func(*device, *group.Facts) exposure.Group { return 7 })
	if !errors.Is(err, ErrNeedsApproval) || !strings.Contains(err.Error(), "change the rule first") {
		t.Errorf("%d devices leave: %v", len(all), err)
	}
	if got := s.leavers(slices.Clone(all), func(*device, *group.Facts) exposure.Group { return 0 }); len(got) != 0 {
		t.Errorf("%d devices leave the group that they stay in", len(got))
	}
}
