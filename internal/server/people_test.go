package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// boss is who manages people in these tests.
var boss = Caller{Name: "boss", Admin: true}

// hire makes a person in some user groups and returns the account.
func hire(t *testing.T, a *Accounts, name string, groups ...int64) PersonRow {
	t.Helper()
	l, err := a.AddPerson(t.Context(), boss, NewPerson{Name: name, UserGroups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return l.Person
}

// team makes a user group with a role of some permissions.
func team(t *testing.T, a *Accounts, name string, permissions ...string) int64 {
	t.Helper()
	r, err := a.SaveRole(t.Context(), boss, 0, RoleEdit{Name: "role of " + name, Permissions: permissions})
	if err != nil {
		t.Fatal(err)
	}
	g, err := a.SaveUserGroup(t.Context(), boss, 0, UserGroupEdit{Name: name, Roles: []int64{r.ID}})
	if err != nil {
		t.Fatal(err)
	}
	return g.ID
}

func adminsGroup(t *testing.T, a *Accounts) UserGroup {
	t.Helper()
	list, err := a.UserGroups(t.Context(), boss)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range list {
		if g.BuiltIn {
			return g
		}
	}
	t.Fatal("there is no group of administrators")
	return UserGroup{}
}

func TestRightsAreTheUnionOfUserGroups(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := t.Context()
	g, err := st.PutDeviceGroup(ctx, store.RuleSet{Name: "a", Rules: []byte("[]")})
	if err != nil {
		t.Fatal(err)
	}
	other, err := st.PutDeviceGroup(ctx, store.RuleSet{Name: "b", Rules: []byte("[]")})
	if err != nil {
		t.Fatal(err)
	}
	read, except := team(t, a, "readers", ViewExposure), team(t, a, "exceptions", ActExceptions)
	p := hire(t, a, "ann", read)
	ask := func() Rights {
		t.Helper()
		r, err := a.rights(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	can := func(r Rights, permission string) bool { return r.caller(store.Account{}).Has(permission) }
	if r := ask(); r.Admin || !can(r, MachineRead) || can(r, ManageExceptions) || can(r, ManageSettings) || can(r, MachineReadWrite) || !r.Scope.All() {
		t.Errorf("a reader has %+v", r)
	}
	if _, err := a.EditPerson(ctx, boss, p.ID, PersonEdit{UserGroups: []int64{read, except}}); err != nil {
		t.Fatal(err)
	}
	if r := ask(); !can(r, ManageExceptions) || !can(r, MachineRead) {
		t.Errorf("of two user groups: %+v", r)
	}
	// A device group that names user groups is hidden from the others.
	if err := st.SetAccess(ctx, g, []int64{except}); err != nil {
		t.Fatal(err)
	}
	if err := st.SetAccess(ctx, other, []int64{adminsGroup(t, a).ID}); err != nil {
		t.Fatal(err)
	}
	if r := ask(); !slices.Equal(r.Scope.Groups(), []exposure.Group{0, exposure.Group(g)}) {
		t.Errorf("the scope is %v, want 0 and %d", r.Scope.Groups(), g)
	}
	if err := st.SetAccess(ctx, 0, []int64{adminsGroup(t, a).ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.EditPerson(ctx, boss, p.ID, PersonEdit{UserGroups: []int64{read}}); err != nil {
		t.Fatal(err)
	}
	if r := ask(); r.Scope.All() || len(r.Scope.Groups()) != 0 {
		t.Errorf("of what nobody shows: %v", r.Scope.Groups())
	}
	// Administrators see all of it, also with another role beside.
	if _, err := a.EditPerson(ctx, boss, p.ID, PersonEdit{UserGroups: []int64{read, adminsGroup(t, a).ID}}); err != nil {
		t.Fatal(err)
	}
	if r := ask(); !r.Admin || !r.Scope.All() || !can(r, ManageSettings) {
		t.Errorf("an administrator has %+v", r)
	}
	// Whoever is in no user group may do nothing.
	nobody := hire(t, a, "nobody")
	if r, err := a.rights(ctx, nobody.ID); err != nil || r.Admin || len(r.Permissions) != 0 {
		t.Errorf("without a user group: %+v, %v", r, err)
	}
	if _, err := a.rights(ctx, 4711); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("of an account that is not there: %v", err)
	}
}

func TestNoRoleReachesWhatOnlyAdministratorsHave(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := t.Context()
	if _, err := a.SaveRole(ctx, boss, 0, RoleEdit{Name: "x", Permissions: []string{PortalSettings}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a role with portal settings: %v", err)
	}
	if _, err := a.SaveRole(ctx, boss, 0, RoleEdit{Name: "x", Permissions: []string{"everything"}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a role with a permission that is none: %v", err)
	}
	// Not even when it stands in the store.
	id, err := st.PutRole(ctx, store.Role{Name: "forged", Permissions: []string{PortalSettings, "Picket.Manage"}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := st.PutUserGroup(ctx, store.UserGroup{Name: "forged", Source: store.SourceLocal, Roles: []int64{id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := hire(t, a, "eve", g)
	r, err := a.rights(ctx, p.ID)
	if err != nil || r.Admin || r.caller(store.Account{}).Has(ManageSettings) {
		t.Errorf("rights of a forged role: %+v, %v", r, err)
	}
	for _, perm := range RolePermissions {
		if slices.Contains(perm.Opens, ManageSettings) && !perm.Only {
			t.Errorf("%s opens portal settings and is not administrators' alone", perm.ID)
		}
	}
	roles, err := a.Roles(ctx, boss)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		if !r.BuiltIn {
			continue
		}
		if _, err := a.SaveRole(ctx, boss, r.ID, RoleEdit{Name: r.Name, Permissions: []string{ViewExposure}}); !errors.Is(err, ErrConflict) {
			t.Errorf("changing the built-in role %s: %v", r.Name, err)
		}
		if err := a.DeleteRole(ctx, boss, r.ID); !errors.Is(err, ErrConflict) {
			t.Errorf("deleting the built-in role %s: %v", r.Name, err)
		}
		if r.Admin != slices.Contains(r.Permissions, PortalSettings) {
			t.Errorf("the role %s holds %v", r.Name, r.Permissions)
		}
	}
}

// Whatever is tried, somebody is left who can manage people.
func TestTheLastAdministratorStays(t *testing.T) {
	a, _, _ := testAccounts(t)
	ctx := t.Context()
	administrator(t, a, "")
	list, err := a.People(ctx, boss, Query{})
	if err != nil || list.Total != 1 {
		t.Fatal(list, err)
	}
	first, admins := list.Items[0], adminsGroup(t, a)
	tries := map[string]func() error{
		"disabling": func() error {
			_, err := a.EditPerson(ctx, boss, first.ID, PersonEdit{Disabled: true})
			return err
		},
		"taking out of the group": func() error {
			_, err := a.EditPerson(ctx, boss, first.ID, PersonEdit{UserGroups: []int64{}})
			return err
		},
		"emptying the group": func() error {
			_, err := a.SaveUserGroup(ctx, boss, admins.ID, UserGroupEdit{Name: admins.Name, Members: []int64{}})
			return err
		},
		"taking the role from the group": func() error {
			_, err := a.SaveUserGroup(ctx, boss, admins.ID, UserGroupEdit{Name: admins.Name, Roles: []int64{}})
			return err
		},
		"deleting":           func() error { return a.DeletePerson(ctx, boss, first.ID) },
		"deleting the group": func() error { return a.DeleteUserGroup(ctx, boss, admins.ID) },
		"a directory":        func() error { return peopleErr("id", a.st.SetGroups(ctx, first.ID, store.SourceLocal, nil)) },
	}
	for what, try := range tries {
		if err := try(); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: %v, want a conflict", what, err)
		}
		if r, err := a.rights(ctx, first.ID); err != nil || !r.Admin {
			t.Fatalf("after %s: %+v, %v", what, r, err)
		}
	}
	// A disabled administrator is none.
	second := hire(t, a, "second", admins.ID)
	if _, err := a.EditPerson(ctx, boss, second.ID, PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if err := a.DeletePerson(ctx, boss, first.ID); !errors.Is(err, ErrConflict) {
		t.Errorf("deleting the last who can sign in: %v", err)
	}
	if _, err := a.EditPerson(ctx, boss, second.ID, PersonEdit{}); err != nil {
		t.Fatal(err)
	}
	if err := a.DeletePerson(ctx, boss, first.ID); err != nil {
		t.Errorf("deleting one of two: %v", err)
	}
}

func TestPeopleSignInByTheirLinks(t *testing.T) {
	a, at, _ := testAccounts(t)
	ctx := t.Context()
	administrator(t, a, "")
	read := team(t, a, "readers", ViewExposure)
	made, err := a.AddPerson(ctx, boss, NewPerson{Name: " Ann@Example ", UserGroups: []int64{read}})
	if err != nil {
		t.Fatal(err)
	}
	if made.Person.Name != "ann@example" || made.Person.Link.IsZero() {
		t.Errorf("person %+v", made.Person)
	}
	again, err := a.LinkPerson(ctx, boss, made.Person.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := redeem(ctx, a, made.Secret, ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the link before: %v", err)
	}
	secret, me, err := redeem(ctx, a, again.Secret, "10.0.0.9")
	if err != nil || me.Username != "ann@example" || me.Administrator || me.Role != "Reader" {
		t.Fatalf("signed in as %+v, %v", me, err)
	}
	if _, _, err := redeem(ctx, a, again.Secret, ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the link a second time: %v", err)
	}
	c, _, err := a.SessionCaller(ctx, secret)
	if err != nil || c.Admin || !c.Has(MachineRead) || c.UserID != made.Person.ID {
		t.Fatalf("caller %+v, %v", c, err)
	}
	for what, try := range map[string]func() error{
		"list": func() error { _, err := a.People(ctx, c, Query{}); return err },
		"add":  func() error { _, err := a.AddPerson(ctx, c, NewPerson{Name: "x"}); return err },
		"edit": func() error { _, err := a.EditPerson(ctx, c, c.UserID, PersonEdit{}); return err },
		"link": func() error { _, err := a.LinkPerson(ctx, c, 1, false); return err },
		"role": func() error {
			_, err := a.SaveRole(ctx, c, 0, RoleEdit{Name: "x"})
			return err
		},
		"group": func() error {
			_, err := a.SaveUserGroup(ctx, c, 0, UserGroupEdit{Name: "x"})
			return err
		},
	} {
		if err := try(); !errors.Is(err, ErrDenied) {
			t.Errorf("a reader may %s: %v", what, err)
		}
	}
	if err := a.SetPassword(ctx, c, "", "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	// Disabling ends the session at once, and the way in by password and link.
	link, err := a.LinkPerson(ctx, boss, made.Person.ID, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.EditPerson(ctx, boss, made.Person.ID, PersonEdit{Disabled: true}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.SessionCaller(ctx, secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the session of a disabled person: %v", err)
	}
	if _, _, err := signIn(ctx, a, "ann@example", "correct horse battery", ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the password of a disabled person: %v", err)
	}
	if _, _, err := redeem(ctx, a, link.Secret, ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the link of a disabled person: %v", err)
	}
	if _, err := a.LinkPerson(ctx, boss, made.Person.ID, false); !errors.Is(err, ErrConflict) {
		t.Errorf("a link for a disabled person: %v", err)
	}
	if _, err := a.EditPerson(ctx, boss, made.Person.ID, PersonEdit{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := signIn(ctx, a, "ann@example", "correct horse battery", ""); err != nil {
		t.Errorf("the password of a person who is enabled again: %v", err)
	}
	// A link with reset takes the password away.
	if link, err = a.LinkPerson(ctx, boss, made.Person.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, _, err := signIn(ctx, a, "ann@example", "correct horse battery", ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("the password after a reset: %v", err)
	}
	*at = at.Add(linkLife + time.Second)
	if _, _, err := redeem(ctx, a, link.Secret, ""); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a link of yesterday: %v", err)
	}
}

func TestWhatPeopleMayNotBe(t *testing.T) {
	a, _, _ := testAccounts(t)
	ctx := t.Context()
	hire(t, a, "ann")
	for _, name := range []string{"", "ann", "ANN", "a b", "-x", "ann\n", "é", strings.Repeat("a", 201)} {
		if _, err := a.AddPerson(ctx, boss, NewPerson{Name: name}); !errors.Is(err, ErrInvalid) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	if _, err := a.AddPerson(ctx, boss, NewPerson{Name: "bob", UserGroups: []int64{99}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a user group that is not there: %v", err)
	}
	if p, err := a.People(ctx, boss, Query{Text: "bob"}); err != nil || p.Total != 0 {
		t.Errorf("after it failed there are %d", p.Total)
	}
	for _, err := range []error{
		func() error { _, err := a.Person(ctx, boss, 99); return err }(),
		a.DeletePerson(ctx, boss, 99),
		a.EndPersonSessions(ctx, boss, 99),
		a.DeleteUserGroup(ctx, boss, 99),
		a.DeleteRole(ctx, boss, 99),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("of what is not there: %v", err)
		}
	}
}

// A user group that alone sees a device group stays: without it everybody would see those devices.
func TestAUserGroupThatAloneSeesStays(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := t.Context()
	one, two := team(t, a, "one", ViewExposure), team(t, a, "two", ViewExposure)
	if err := st.SetAccess(ctx, 0, []int64{one, two}); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteUserGroup(ctx, boss, one); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteUserGroup(ctx, boss, two); !errors.Is(err, ErrConflict) {
		t.Errorf("the last one: %v", err)
	}
	out := hire(t, a, "out")
	if r, err := a.rights(ctx, out.ID); err != nil || r.Scope.All() {
		t.Errorf("somebody else sees %v, %v", r.Scope, err)
	}
}

// Memberships of several sources stand beside one another.
func TestMembershipsBySource(t *testing.T) {
	a, _, st := testAccounts(t)
	ctx := context.Background()
	g := team(t, a, "readers", ViewExposure)
	p := hire(t, a, "ann", g)
	for range 2 { // doing it again changes nothing
		if err := st.SetGroups(ctx, p.ID, store.SourceOIDC, []int64{g, g}); err != nil {
			t.Fatal(err)
		}
		if err := st.SetMembers(ctx, g, store.SourceSCIM, []int64{p.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := a.UserGroups(ctx, boss); err != nil || list[1].Members != 1 {
		t.Errorf("user groups %+v, %v", list, err)
	}
	if _, err := a.EditPerson(ctx, boss, p.ID, PersonEdit{UserGroups: []int64{}}); err != nil {
		t.Fatal(err)
	}
	if err := st.SetGroups(ctx, p.ID, store.SourceOIDC, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := a.rights(ctx, p.ID); err != nil || !slices.Contains(r.Permissions, MachineRead) {
		t.Errorf("a membership by one source is gone with those of others: %+v, %v", r, err)
	}
	if err := st.SetMembers(ctx, g, store.SourceSCIM, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := a.rights(ctx, p.ID); err != nil || len(r.Permissions) != 0 {
		t.Errorf("rights without a membership: %+v, %v", r, err)
	}
	if err := st.SetMembers(ctx, g, store.SourceSCIM, []int64{99}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a member that is not there: %v", err)
	}
}
