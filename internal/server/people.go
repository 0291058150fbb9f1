package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

const (
	// mostPeople, mostRoles and mostUserGroups cap how many there are at a time.
	mostPeople     = 100_000
	mostRoles      = 200
	mostUserGroups = 2000
)

// Role is a set of permissions that is given to user groups.
type Role struct {
	ID          int64    `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`   // identifiers of RolePermissions, in their order
	BuiltIn     bool     `json:"built_in"`      // it can be neither changed nor deleted
	Admin       bool     `json:"administrator"` // it holds everything and sees all devices
	UserGroups  []int64  `json:"user_groups"`   // that have it
}

// RoleEdit is what is saved of a role.
type RoleEdit struct {
	Name        string   `json:"name" minLength:"1" maxLength:"100"`
	Description string   `json:"description,omitempty" maxLength:"1000"`
	Permissions []string `json:"permissions" maxItems:"50" doc:"Identifiers of permissions."`
}

// UserGroup is a set of people that roles and device groups are given to.
type UserGroup struct {
	ID           int64            `json:"id"`
	Name         string           `json:"name"`
	Description  string           `json:"description"`
	Source       string           `json:"source" enum:"local,oidc,scim"` // who made it
	BuiltIn      bool             `json:"built_in"`                      // name and roles stay, and it cannot be deleted
	Roles        []int64          `json:"roles"`
	Members      int              `json:"members"`       // people, disabled ones included
	DeviceGroups []exposure.Group `json:"device_groups"` // that name it among those that see them
}

// UserGroupEdit is what is saved of a user group.
type UserGroupEdit struct {
	Name        string  `json:"name" minLength:"1" maxLength:"100"`
	Description string  `json:"description,omitempty" maxLength:"1000"`
	Roles       []int64 `json:"roles,omitempty" maxItems:"200" doc:"Ids of roles; left out: they stay."`
	Members     []int64 `json:"members,omitempty" maxItems:"10000" doc:"Ids of people that an administrator makes members; left out: they stay. Memberships that a directory gives stay in any case."`
}

// PersonRow is one account of a person.
type PersonRow struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	DisplayName string    `json:"display_name"`
	UserGroups  []int64   `json:"user_groups"`
	LocalGroups []int64   `json:"local_groups"` // of them: those that an administrator gave
	Role        string    `json:"role"`         // in a word
	Disabled    time.Time `json:"disabled,omitzero" doc:"Since when it may not sign in; absent: it may."`
	HasPassword bool      `json:"has_password"`
	Sessions    int       `json:"sessions"`
	LastUsed    time.Time `json:"last_used,omitzero" doc:"Of the sessions that are open; absent: there is none."`
	Link        time.Time `json:"link_until,omitzero" doc:"Until when an unused sign-in link works; absent: there is none."`
	CreatedAt   time.Time `json:"created_at"`
}

// NewPerson is an account to be made.
type NewPerson struct {
	Name        string  `json:"name" minLength:"1" maxLength:"200" doc:"What the person signs in with: lower-case letters, digits, and . _ @ + -"`
	DisplayName string  `json:"display_name,omitempty" maxLength:"200"`
	UserGroups  []int64 `json:"user_groups,omitempty" maxItems:"200"`
}

// PersonEdit is what is changed of an account.
type PersonEdit struct {
	DisplayName string  `json:"display_name,omitempty" maxLength:"200"`
	UserGroups  []int64 `json:"user_groups,omitempty" maxItems:"200" doc:"Ids of user groups that an administrator gives; left out: they stay."`
	Disabled    bool    `json:"disabled"`
}

// PersonLink is a one-time sign-in link; its secret is shown only once.
type PersonLink struct {
	Person  PersonRow `json:"person"`
	Secret  string    `json:"secret"` // the fragment of the address /welcome
	Expires time.Time `json:"expires"`
}

// accountName is what people sign in with.
var accountName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]*$`)

// manage is the door of what only administrators do with people. Accounts have
// one of their own because they are there without a Server.
func (a *Accounts) manage(c Caller) error {
	if !c.Has(ManageSettings) {
		return ErrDenied
	}
	return nil
}

// People lists the accounts. Filters are "status" (active, disabled) and
// "user_group", an id; it is ordered by name.
func (a *Accounts) People(ctx context.Context, c Caller, q Query) (Page[PersonRow], error) {
	if err := a.manage(c); err != nil {
		return Page[PersonRow]{}, err
	}
	rows, err := a.people(ctx)
	if err != nil {
		return Page[PersonRow]{}, err
	}
	return peopleList().page(q, rows)
}

func peopleList() *list[PersonRow] {
	return &list[PersonRow]{
		text: func(r *PersonRow, has func(string) bool) bool { return has(r.Name) || has(r.DisplayName) },
		filters: map[string]func(*PersonRow, []string) bool{
			"status": oneOf(func(r *PersonRow) string {
				if r.Disabled.IsZero() {
					return "active"
				}
				return "disabled"
			}),
			"user_group": func(r *PersonRow, v []string) bool {
				return slices.ContainsFunc(r.UserGroups, func(g int64) bool { return slices.Contains(v, strconv.FormatInt(g, 10)) })
			},
		},
		values: map[string][]string{"status": {"active", "disabled"}},
		order: map[string]func(a, b *PersonRow) int{
			"name":      byText(func(r *PersonRow) string { return r.Name }),
			"display":   byText(func(r *PersonRow) string { return r.DisplayName }),
			"created":   byTime(func(r *PersonRow) time.Time { return r.CreatedAt }),
			"last_used": byTime(func(r *PersonRow) time.Time { return r.LastUsed }),
		},
		tie:     func(a, b *PersonRow) int { return int(a.ID - b.ID) },
		initial: []string{"name"},
	}
}

func (a *Accounts) people(ctx context.Context) ([]*PersonRow, error) {
	list, err := a.st.People(ctx)
	if err != nil {
		return nil, err
	}
	roles, err := a.st.Roles(ctx)
	if err != nil {
		return nil, err
	}
	groups, err := a.st.UserGroups(ctx)
	if err != nil {
		return nil, err
	}
	words := roleWords(roles, groups)
	out := make([]*PersonRow, 0, len(list))
	for _, p := range list {
		out = append(out, &PersonRow{ID: p.ID, Name: p.Name, DisplayName: p.Display, UserGroups: p.Groups, LocalGroups: p.Local, Role: words(p.Groups), Disabled: p.Disabled,
			HasPassword: p.HasPassword, Sessions: p.Sessions, LastUsed: p.Used, Link: p.Link, CreatedAt: p.Created})
	}
	return out, nil
}

// roleWords says in a word what members of some user groups may do.
func roleWords(roles []store.Role, groups []store.UserGroup) func([]int64) string {
	byID := map[int64]store.Role{}
	for _, r := range roles {
		byID[r.ID] = r
	}
	held := map[int64]store.Rights{}
	for _, g := range groups {
		var r store.Rights
		for _, id := range g.Roles {
			if role := byID[id]; role.BuiltIn != "" {
				r.BuiltIn = append(r.BuiltIn, role.BuiltIn)
			} else {
				r.Permissions = append(r.Permissions, role.Permissions...)
			}
		}
		held[g.ID] = r
	}
	return func(in []int64) string {
		var all store.Rights
		for _, g := range in {
			all.BuiltIn = append(all.BuiltIn, held[g].BuiltIn...)
			all.Permissions = append(all.Permissions, held[g].Permissions...)
		}
		return roleWord(rightsOf(all))
	}
}

// Person is one account.
func (a *Accounts) Person(ctx context.Context, c Caller, id int64) (PersonRow, error) {
	if err := a.manage(c); err != nil {
		return PersonRow{}, err
	}
	return a.personRow(ctx, id)
}

func (a *Accounts) personRow(ctx context.Context, id int64) (PersonRow, error) {
	rows, err := a.people(ctx)
	if err != nil {
		return PersonRow{}, err
	}
	for _, r := range rows {
		if r.ID == id {
			return *r, nil
		}
	}
	return PersonRow{}, fmt.Errorf("person %d: %w", id, ErrNotFound)
}

// AddPerson makes an account and a one-time sign-in link for it, which lives
// 24 hours. A name that somebody has is ErrInvalid.
func (a *Accounts) AddPerson(ctx context.Context, c Caller, in NewPerson) (PersonLink, error) {
	if err := a.manage(c); err != nil {
		return PersonLink{}, err
	}
	name, display := strings.ToLower(strings.TrimSpace(in.Name)), strings.TrimSpace(in.DisplayName)
	if !accountName.MatchString(name) || len(name) > 200 {
		return PersonLink{}, Invalidf("name", "must be lower-case letters, digits and . _ @ + -, at most 200, and begin with a letter or digit")
	}
	if display == "" {
		display = name
	}
	if err := checkName("display_name", display); err != nil {
		return PersonLink{}, err
	}
	if n, err := a.st.CountAccounts(ctx); err != nil || n >= mostPeople {
		return PersonLink{}, errors.Join(err, Invalidf("name", "there are %d people already, the most that there may be", n))
	}
	audit.Change(ctx, name, nil, map[string]any{"name": name, "display_name": display, "user_groups": a.groupNames(ctx, in.UserGroups)})
	who, err := a.st.AddAccount(ctx, store.Account{Name: name, Display: display, Created: a.now()}, in.UserGroups)
	if err != nil {
		return PersonLink{}, peopleErr("user_groups", err)
	}
	a.log.InfoContext(ctx, "person added", "user", name, "by", c.Name)
	return a.link(ctx, who.ID)
}

// LinkPerson makes another one-time sign-in link for a person; the one before
// ends. Whoever follows it can set a new password once the old one is taken away
// with reset, which also ends every session.
func (a *Accounts) LinkPerson(ctx context.Context, c Caller, id int64, reset bool) (PersonLink, error) {
	if err := a.manage(c); err != nil {
		return PersonLink{}, err
	}
	row, err := a.personRow(ctx, id)
	if err != nil {
		return PersonLink{}, err
	}
	if !row.Disabled.IsZero() {
		return PersonLink{}, fmt.Errorf("%w: the person is disabled and could not sign in: enable the account first", ErrConflict)
	}
	audit.Change(ctx, row.Name, nil, map[string]any{"link": true, "reset": reset})
	if reset {
		if err := a.st.SetPassword(ctx, id, "", nil); err != nil {
			return PersonLink{}, peopleErr("id", err)
		}
	}
	a.log.InfoContext(ctx, "sign-in link made", "user", row.Name, "reset", reset, "by", c.Name)
	return a.link(ctx, id)
}

func (a *Accounts) link(ctx context.Context, id int64) (PersonLink, error) {
	secret, at := newSecret(), a.now()
	if err := a.st.AddLink(ctx, id, digest(secret), at, at.Add(linkLife)); err != nil {
		return PersonLink{}, err
	}
	row, err := a.personRow(ctx, id)
	return PersonLink{Person: row, Secret: secret, Expires: at.Add(linkLife).UTC()}, err
}

// EditPerson changes an account. Disabling it ends its sessions at once. The
// last administrator cannot be disabled or taken out of the group: ErrConflict.
func (a *Accounts) EditPerson(ctx context.Context, c Caller, id int64, e PersonEdit) (PersonRow, error) {
	if err := a.manage(c); err != nil {
		return PersonRow{}, err
	}
	row, err := a.personRow(ctx, id)
	if err != nil {
		return PersonRow{}, err
	}
	display := strings.TrimSpace(e.DisplayName)
	if display == "" {
		display = row.DisplayName
	}
	if err := checkName("display_name", display); err != nil {
		return PersonRow{}, err
	}
	was := map[string]any{"name": row.Name, "display_name": row.DisplayName, "user_groups": a.groupNames(ctx, row.LocalGroups), "disabled": !row.Disabled.IsZero()}
	now := map[string]any{"name": row.Name, "display_name": display, "user_groups": was["user_groups"], "disabled": e.Disabled}
	if e.UserGroups != nil {
		now["user_groups"] = a.groupNames(ctx, e.UserGroups)
	}
	audit.Change(ctx, row.Name, was, now)
	at := row.Disabled
	switch {
	case !e.Disabled:
		at = time.Time{}
	case at.IsZero():
		at = a.now()
	}
	if err := a.st.EditAccount(ctx, id, display, e.UserGroups, at); err != nil {
		return PersonRow{}, peopleErr("user_groups", err)
	}
	a.log.InfoContext(ctx, "person changed", "user", row.Name, "disabled", e.Disabled, "by", c.Name)
	return a.personRow(ctx, id)
}

// DeletePerson deletes an account; what the person did stays in the audit log.
// The last administrator is ErrConflict.
func (a *Accounts) DeletePerson(ctx context.Context, c Caller, id int64) error {
	if err := a.manage(c); err != nil {
		return err
	}
	row, err := a.personRow(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, row.Name, map[string]any{"name": row.Name, "display_name": row.DisplayName, "user_groups": a.groupNames(ctx, row.UserGroups)}, nil)
	if err := a.st.DeleteAccount(ctx, id); err != nil {
		return peopleErr("id", err)
	}
	a.log.InfoContext(ctx, "person deleted", "user", row.Name, "by", c.Name)
	return nil
}

// EndPersonSessions ends all sessions and links of a person.
func (a *Accounts) EndPersonSessions(ctx context.Context, c Caller, id int64) error {
	if err := a.manage(c); err != nil {
		return err
	}
	row, err := a.personRow(ctx, id)
	if err != nil {
		return err
	}
	audit.Change(ctx, row.Name, map[string]any{"sessions": row.Sessions}, map[string]any{"sessions": 0})
	return a.st.EndSessions(ctx, id)
}

// peopleErr says what the store refused; field is what names something that is not there.
func peopleErr(field string, err error) error {
	switch {
	case errors.Is(err, store.ErrLastAdministrator):
		return fmt.Errorf("%w: nobody would be an administrator any more: make somebody else one first", ErrConflict)
	case errors.Is(err, store.ErrBuiltIn):
		return fmt.Errorf("%w: what is built in is neither changed nor deleted", ErrConflict)
	case errors.Is(err, store.ErrSees):
		return fmt.Errorf("%w: it is the only user group that sees a device group, and without it everybody would: let another user group see it first", ErrConflict)
	case errors.Is(err, store.ErrTaken):
		return Invalidf("name", "is taken")
	case errors.Is(err, store.ErrNotFound) && field != "id":
		return Invalidf(field, "names something that does not exist: read the lists again")
	case errors.Is(err, store.ErrNotFound):
		return ErrNotFound
	}
	return err
}
