package server

import (
	"context"
	"errors"
	"slices"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// Rights are what a person may do and see: the union over the person's user groups.
type Rights struct {
	Admin       bool           // everything, on all devices
	Permissions []string       // what need asks for; of an administrator they are not listed
	Held        []string       // of RolePermissions, in their order
	Scope       exposure.Scope // the devices that the person may see
}

// rights are what an account may do at this moment. They are asked for at
// every request and never kept, so that a change holds from the next one on.
// An account that is disabled or gone is ErrUnauthenticated.
func (a *Accounts) rights(ctx context.Context, account int64) (Rights, error) {
	stored, err := a.st.Rights(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return Rights{}, ErrUnauthenticated
	}
	if err != nil {
		return Rights{}, err
	}
	return rightsOf(stored), nil
}

func rightsOf(stored store.Rights) Rights {
	r := Rights{Admin: slices.Contains(stored.BuiltIn, store.RoleAdministrator), Scope: exposure.Everywhere()}
	held := slices.Clone(stored.Permissions)
	for _, role := range stored.BuiltIn {
		held = append(held, builtInRoles[role]...)
	}
	for _, p := range RolePermissions {
		switch {
		case r.Admin:
			r.Held = append(r.Held, p.ID)
		case slices.Contains(held, p.ID) && !p.Only:
			r.Held = append(r.Held, p.ID)
			r.Permissions = append(r.Permissions, p.Opens...)
		}
	}
	slices.Sort(r.Permissions)
	r.Permissions = slices.Compact(r.Permissions)
	if stored.Hidden && !r.Admin {
		groups := make([]exposure.Group, len(stored.Groups))
		for i, g := range stored.Groups {
			groups[i] = exposure.Group(g)
		}
		r.Scope = exposure.Within(groups...)
	}
	return r
}

// caller is a person with these rights.
func (r Rights) caller(who store.Account) Caller {
	return Caller{Name: who.Name, UserID: who.ID, Admin: r.Admin, Permissions: r.Permissions, Scope: r.Scope}
}
