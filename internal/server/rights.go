package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

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
// every request, and kept only while nothing changes in who may do and see
// what, so that a change holds from the next one on.
// An account that is disabled or gone is ErrUnauthenticated.
func (a *Accounts) rights(ctx context.Context, account int64) (Rights, error) {
	seen := a.st.Access()
	if r, ok := a.held.get(account, seen); ok {
		return r, nil
	}
	stored, err := a.st.Rights(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return Rights{}, ErrUnauthenticated
	}
	if err != nil {
		return Rights{}, err
	}
	r := rightsOf(stored)
	a.held.put(account, seen, r)
	return r, nil
}

// mostHeld is how many people's rights are kept in memory.
const mostHeld = 10_000

// rightsBook keeps the rights of those who asked lately until anything changes
// in who may do and see what: every request asks for them. It is safe for
// concurrent use.
type rightsBook struct {
	mu   sync.Mutex
	seen uint64 // what the store counted before they were read
	of   map[int64]Rights
}

func (b *rightsBook) get(account int64, seen uint64) (Rights, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen != seen {
		return Rights{}, false
	}
	r, ok := b.of[account]
	return r, ok
}

func (b *rightsBook) put(account int64, seen uint64, r Rights) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case seen < b.seen: // read before a change
		return
	case seen > b.seen, b.of == nil, len(b.of) >= mostHeld:
		b.seen, b.of = seen, map[int64]Rights{}
	}
	b.of[account] = r
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

// rightsAgain is how the credentials of a caller are looked at again.
type rightsAgain struct {
	changes func() uint64 // in who may do what
	seen    atomic.Uint64
	caller  func(context.Context) (Caller, error) // of the same credentials
	holder  func(context.Context) (Caller, error) // whoever holds them, also when they have ended
}

// lasting makes a caller that can be asked whether it still stands; seen is what
// the store counted before its rights were read.
func (a *Accounts) lasting(c Caller, seen uint64, caller, holder func(context.Context) (Caller, error)) Caller {
	c.again = &rightsAgain{changes: a.st.Access, caller: caller, holder: holder}
	c.again.seen.Store(seen)
	return c
}

// Again is the caller as its credentials make it now, for what lasts longer than
// a moment: a stream, an export. changed says that it may do or see something
// else than before. Credentials that hold no more are ErrUnauthenticated.
func (c Caller) Again(ctx context.Context) (now Caller, changed bool, err error) {
	if c.again == nil {
		return c, false, nil
	}
	seen := c.again.changes()
	if seen == c.again.seen.Load() {
		return c, false, nil
	}
	now, err = c.again.caller(ctx)
	if err != nil {
		return Caller{}, true, err
	}
	now.Groups, now.Remote = c.Groups, c.Remote
	if now.Admin != c.Admin || !slices.Equal(now.Permissions, c.Permissions) || !now.Scope.Equal(c.Scope) {
		return now, true, nil
	}
	c.again.seen.Store(seen)
	return c, false, nil
}

// holds reports whether whoever asked may still see what it could see then with
// a permission, whatever became of the session or the token.
func (c Caller) holds(ctx context.Context, permission string) error {
	if c.again == nil || c.again.changes() == c.again.seen.Load() {
		return nil
	}
	now, err := c.again.holder(ctx)
	if err == nil && (!now.Has(permission) || !now.sees().Covers(c.sees())) {
		err = ErrDenied
	}
	return err
}

// Still is nil while the caller may do and see exactly what it could when the
// request began. What goes out bit by bit asks now and then.
func (c Caller) Still(ctx context.Context) error {
	_, changed, err := c.Again(ctx)
	if err == nil && changed {
		err = fmt.Errorf("what the caller may see changed meanwhile: begin again: %w", ErrConflict)
	}
	return err
}

// caller is a person with these rights.
func (r Rights) caller(who store.Account) Caller {
	return Caller{Name: who.Name, UserID: who.ID, Admin: r.Admin, Permissions: r.Permissions, Scope: r.Scope}
}
