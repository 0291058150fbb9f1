package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/server"
)

// Number is the path parameter of routes below one role, user group or person.
type Number struct {
	ID int64 `path:"id" minimum:"1" doc:"Number of the item."`
}

// PeopleFilter narrows and orders the list of people.
type PeopleFilter struct {
	TextFilter
	Sort      []string `query:"sort" enum:"name,-name,display,-display,created,-created,last_used,-last_used" doc:"Columns; minus is descending."`
	Status    []string `query:"status" enum:"active,disabled"`
	UserGroup []string `query:"user_group" doc:"Ids of user groups."`
}

func (f PeopleFilter) query() server.Query {
	return f.queryWith(f.Sort, named("status", f.Status), named("user_group", f.UserGroup))
}

type peopleIn struct {
	Paging
	PeopleFilter
}

type peopleOut struct {
	ExportFormat
	PeopleFilter
}

type newPersonIn struct {
	Body server.NewPerson
}

type editPersonIn struct {
	Number
	Body server.PersonEdit
}

type linkPersonIn struct {
	Number
	Body struct {
		Reset bool `json:"reset,omitempty" doc:"Take the password away and end every session."`
	}
}

type newRoleIn struct {
	Body server.RoleEdit
}

type saveRoleIn struct {
	Number
	Body server.RoleEdit
}

type newUserGroupIn struct {
	Body server.UserGroupEdit
}

type saveUserGroupIn struct {
	Number
	Body server.UserGroupEdit
}

var peopleColumns = []column[server.PersonRow]{
	{"name", func(r *server.PersonRow) string { return r.Name }},
	{"display_name", func(r *server.PersonRow) string { return r.DisplayName }},
	{"role", func(r *server.PersonRow) string { return r.Role }},
	{"disabled", func(r *server.PersonRow) string { return instant(r.Disabled) }},
	{"sessions", func(r *server.PersonRow) string { return whole(r.Sessions) }},
	{"last_used", func(r *server.PersonRow) string { return instant(r.LastUsed) }},
	{"created_at", func(r *server.PersonRow) string { return instant(r.CreatedAt) }},
}

// peopleRoutes are people, and roleRoutes what they may do.
func (c *console) peopleRoutes() {
	list[peopleIn, peopleOut](c, "people", "/people", "People who may sign in", nil, peopleColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.PersonRow], error) {
			return c.srv.People(ctx, caller, q)
		})
	send(c, huma.Operation{OperationID: "add-person", Method: http.MethodPost, Path: "/people", Summary: "Make an account, with a one-time sign-in link", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newPersonIn) (server.PersonLink, error) {
			return c.srv.AddPerson(ctx, caller, in.Body)
		})
	get(c, "person", "/people/{id}", "One person", func(ctx context.Context, caller server.Caller, in *Number) (server.PersonRow, error) {
		return c.srv.Person(ctx, caller, in.ID)
	})
	send(c, huma.Operation{OperationID: "edit-person", Method: http.MethodPut, Path: "/people/{id}", Summary: "Change an account; disabling it ends its sessions"},
		func(ctx context.Context, caller server.Caller, in *editPersonIn) (server.PersonRow, error) {
			return c.srv.EditPerson(ctx, caller, in.ID, in.Body)
		})
	quietly(c, huma.Operation{OperationID: "delete-person", Method: http.MethodDelete, Path: "/people/{id}", Summary: "Delete an account"},
		func(ctx context.Context, caller server.Caller, in *Number) error {
			return c.srv.DeletePerson(ctx, caller, in.ID)
		})
	send(c, huma.Operation{OperationID: "link-person", Method: http.MethodPost, Path: "/people/{id}/link", Summary: "Make a one-time sign-in link; the one before ends"},
		func(ctx context.Context, caller server.Caller, in *linkPersonIn) (server.PersonLink, error) {
			return c.srv.LinkPerson(ctx, caller, in.ID, in.Body.Reset)
		})
	quietly(c, huma.Operation{OperationID: "end-person-sessions", Method: http.MethodDelete, Path: "/people/{id}/sessions", Summary: "End every session and link of a person"},
		func(ctx context.Context, caller server.Caller, in *Number) error {
			return c.srv.EndPersonSessions(ctx, caller, in.ID)
		})
}

func (c *console) roleRoutes() {
	get(c, "role-permissions", "/role-permissions", "What roles may hold", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.RolePermission, error) {
		return c.srv.RolePermissions(ctx, caller)
	})
	get(c, "roles", "/roles", "Roles, built-in ones first", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.Role, error) {
		return c.srv.Roles(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "create-role", Method: http.MethodPost, Path: "/roles", Summary: "Make a role", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newRoleIn) (server.Role, error) {
			return c.srv.SaveRole(ctx, caller, 0, in.Body)
		})
	send(c, huma.Operation{OperationID: "save-role", Method: http.MethodPut, Path: "/roles/{id}", Summary: "Change a role"},
		func(ctx context.Context, caller server.Caller, in *saveRoleIn) (server.Role, error) {
			return c.srv.SaveRole(ctx, caller, in.ID, in.Body)
		})
	quietly(c, huma.Operation{OperationID: "delete-role", Method: http.MethodDelete, Path: "/roles/{id}", Summary: "Delete a role; nobody has it any more"},
		func(ctx context.Context, caller server.Caller, in *Number) error {
			return c.srv.DeleteRole(ctx, caller, in.ID)
		})
	get(c, "user-groups", "/user-groups", "User groups, with their roles and the device groups that they see", func(ctx context.Context, caller server.Caller, _ *empty) ([]server.UserGroup, error) {
		return c.srv.UserGroups(ctx, caller)
	})
	send(c, huma.Operation{OperationID: "create-user-group", Method: http.MethodPost, Path: "/user-groups", Summary: "Make a user group", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *newUserGroupIn) (server.UserGroup, error) {
			return c.srv.SaveUserGroup(ctx, caller, 0, in.Body)
		})
	send(c, huma.Operation{OperationID: "save-user-group", Method: http.MethodPut, Path: "/user-groups/{id}", Summary: "Change a user group"},
		func(ctx context.Context, caller server.Caller, in *saveUserGroupIn) (server.UserGroup, error) {
			return c.srv.SaveUserGroup(ctx, caller, in.ID, in.Body)
		})
	quietly(c, huma.Operation{OperationID: "delete-user-group", Method: http.MethodDelete, Path: "/user-groups/{id}", Summary: "Delete a user group"},
		func(ctx context.Context, caller server.Caller, in *Number) error {
			return c.srv.DeleteUserGroup(ctx, caller, in.ID)
		})
}
