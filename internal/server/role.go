package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Roles lists the roles, built-in ones first.
func (a *Accounts) Roles(ctx context.Context, c Caller) ([]Role, error) {
	if err := a.manage(c); err != nil {
		return nil, err
	}
	return a.roles(ctx)
}

func (a *Accounts) roles(ctx context.Context) ([]Role, error) {
	list, err := a.st.Roles(ctx)
	out := make([]Role, 0, len(list))
	for _, r := range list {
		out = append(out, Role{ID: r.ID, Name: r.Name, Description: r.Description, Permissions: heldBy(r), BuiltIn: r.BuiltIn != "", Admin: r.BuiltIn == store.RoleAdministrator, UserGroups: r.Groups})
	}
	return out, err
}

// SaveRole stores a role; id 0 makes a new one. A built-in one is ErrConflict.
func (a *Accounts) SaveRole(ctx context.Context, c Caller, id int64, e RoleEdit) (Role, error) {
	if err := a.manage(c); err != nil {
		return Role{}, err
	}
	list, err := a.roles(ctx)
	if err != nil {
		return Role{}, err
	}
	row := store.Role{ID: id, Name: strings.TrimSpace(e.Name), Description: strings.TrimSpace(e.Description)}
	if err := checkName("name", row.Name); err != nil {
		return Role{}, err
	}
	if id == 0 && len(list) >= mostRoles {
		return Role{}, Invalidf("name", "there are %d roles already, the most that there may be", len(list))
	}
	for i, p := range e.Permissions {
		switch known, ok := rolePermission(p); {
		case !ok:
			return Role{}, Invalidf(fmt.Sprintf("permissions[%d]", i), "%q is not a permission", p)
		case known.Only:
			return Role{}, Invalidf(fmt.Sprintf("permissions[%d]", i), "only the role Administrator has %q: make the people administrators", known.Name)
		case !slices.Contains(row.Permissions, p):
			row.Permissions = append(row.Permissions, p)
		}
	}
	var before any
	if i := slices.IndexFunc(list, func(r Role) bool { return r.ID == id }); i >= 0 {
		before = notedRole(list[i].Name, list[i].Description, list[i].Permissions)
	}
	audit.Change(ctx, row.Name, before, notedRole(row.Name, row.Description, row.Permissions))
	if id, err = a.st.PutRole(ctx, row); err != nil {
		return Role{}, peopleErr("id", err)
	}
	a.log.InfoContext(ctx, "role saved", "role", row.Name, "by", c.Name)
	return a.role(ctx, id)
}

func notedRole(name, description string, permissions []string) map[string]any {
	return map[string]any{"name": name, "description": description, "permissions": permissions}
}

func (a *Accounts) role(ctx context.Context, id int64) (Role, error) {
	list, err := a.roles(ctx)
	for _, r := range list {
		if r.ID == id {
			return r, err
		}
	}
	return Role{}, fmt.Errorf("role %d: %w", id, ErrNotFound)
}

// DeleteRole takes a role away from everybody. A built-in one is ErrConflict.
func (a *Accounts) DeleteRole(ctx context.Context, c Caller, id int64) error {
	if err := a.manage(c); err != nil {
		return err
	}
	r, err := a.role(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, r.Name, notedRole(r.Name, r.Description, r.Permissions), nil)
	if err := a.st.DeleteRole(ctx, id); err != nil {
		return peopleErr("id", err)
	}
	a.log.InfoContext(ctx, "role deleted", "role", r.Name, "by", c.Name)
	return nil
}

// UserGroups lists the user groups by name, the built-in one first.
func (a *Accounts) UserGroups(ctx context.Context, c Caller) ([]UserGroup, error) {
	if err := a.manage(c); err != nil {
		return nil, err
	}
	return a.userGroups(ctx)
}

func (a *Accounts) userGroups(ctx context.Context) ([]UserGroup, error) {
	list, err := a.st.UserGroups(ctx)
	out := make([]UserGroup, 0, len(list))
	for _, g := range list {
		seen := make([]exposure.Group, len(g.DeviceGroups))
		for i, d := range g.DeviceGroups {
			seen[i] = exposure.Group(d)
		}
		out = append(out, UserGroup{ID: g.ID, Name: g.Name, Description: g.Description, Source: g.Source, BuiltIn: g.BuiltIn != "", Roles: g.Roles, Members: g.Members, DeviceGroups: seen})
	}
	return out, err
}

// SaveUserGroup stores a user group; id 0 makes a new one. What would leave
// nobody an administrator is ErrConflict.
func (a *Accounts) SaveUserGroup(ctx context.Context, c Caller, id int64, e UserGroupEdit) (UserGroup, error) {
	if err := a.manage(c); err != nil {
		return UserGroup{}, err
	}
	list, err := a.userGroups(ctx)
	if err != nil {
		return UserGroup{}, err
	}
	row := store.UserGroup{ID: id, Name: strings.TrimSpace(e.Name), Description: strings.TrimSpace(e.Description), Source: store.SourceLocal, Roles: e.Roles}
	if err := checkName("name", row.Name); err != nil {
		return UserGroup{}, err
	}
	if id == 0 && len(list) >= mostUserGroups {
		return UserGroup{}, Invalidf("name", "there are %d user groups already, the most that there may be", len(list))
	}
	after := map[string]any{"name": row.Name, "description": row.Description}
	var before any
	if i := slices.IndexFunc(list, func(g UserGroup) bool { return g.ID == id }); i >= 0 {
		was := list[i]
		if was.BuiltIn && slices.Equal(was.Roles, row.Roles) {
			row.Roles = nil
		}
		before = map[string]any{"name": was.Name, "description": was.Description, "roles": a.roleNames(ctx, was.Roles), "members": was.Members}
		after["roles"] = a.roleNames(ctx, was.Roles)
	}
	if row.Roles != nil {
		after["roles"] = a.roleNames(ctx, row.Roles)
	}
	if e.Members != nil {
		after["members"] = a.accountNames(ctx, e.Members)
	}
	audit.Change(ctx, row.Name, before, after)
	what := whichMissing(id, list)
	if id, err = a.st.PutUserGroup(ctx, row, e.Members); err != nil {
		return UserGroup{}, peopleErr(what, err)
	}
	a.log.InfoContext(ctx, "user group saved", "group", row.Name, "by", c.Name)
	return a.userGroup(ctx, id)
}

// whichMissing says what is not there when a user group cannot be stored: the
// group itself, or what it names.
func whichMissing(id int64, list []UserGroup) string {
	if id != 0 && !slices.ContainsFunc(list, func(g UserGroup) bool { return g.ID == id }) {
		return "id"
	}
	return "roles"
}

func (a *Accounts) userGroup(ctx context.Context, id int64) (UserGroup, error) {
	list, err := a.userGroups(ctx)
	for _, g := range list {
		if g.ID == id {
			return g, err
		}
	}
	return UserGroup{}, fmt.Errorf("user group %d: %w", id, ErrNotFound)
}

// DeleteUserGroup deletes a user group. One that is built in, or alone sees a
// device group, or holds the last administrator is ErrConflict.
func (a *Accounts) DeleteUserGroup(ctx context.Context, c Caller, id int64) error {
	if err := a.manage(c); err != nil {
		return err
	}
	g, err := a.userGroup(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, g.Name, map[string]any{"name": g.Name, "description": g.Description, "roles": a.roleNames(ctx, g.Roles), "members": g.Members}, nil)
	if err := a.st.DeleteUserGroup(ctx, id); err != nil {
		return peopleErr("id", err)
	}
	a.log.InfoContext(ctx, "user group deleted", "group", g.Name, "by", c.Name)
	return nil
}

// RolePermissions lists what roles may hold.
func (a *Accounts) RolePermissions(_ context.Context, c Caller) ([]RolePermission, error) {
	if err := a.manage(c); err != nil {
		return nil, err
	}
	return RolePermissions, nil
}

// groupNames, roleNames and accountNames are for the audit log: what is not
// there has its number.
func (a *Accounts) groupNames(ctx context.Context, ids []int64) []string {
	list, _ := a.st.UserGroups(ctx) // without names there are numbers
	return named(ids, list, func(g store.UserGroup) (int64, string) { return g.ID, g.Name })
}

func (a *Accounts) roleNames(ctx context.Context, ids []int64) []string {
	list, _ := a.st.Roles(ctx)
	return named(ids, list, func(r store.Role) (int64, string) { return r.ID, r.Name })
}

func (a *Accounts) accountNames(ctx context.Context, ids []int64) []string {
	list, _ := a.st.People(ctx)
	return named(ids, list, func(p store.Person) (int64, string) { return p.ID, p.Name })
}

func named[T any](ids []int64, list []T, of func(T) (int64, string)) []string {
	names := map[int64]string{}
	for _, v := range list {
		id, name := of(v)
		names[id] = name
	}
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if name, ok := names[id]; ok {
			out = append(out, name)
		} else {
			out = append(out, fmt.Sprintf("number %d", id))
		}
	}
	return out
}
