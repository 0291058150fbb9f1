package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// SignInPolicy says what signing in with an account of Picket itself takes.
// Who comes by single sign-on is its provider's matter.
type SignInPolicy struct {
	SecondFactor string  `json:"second_factor" enum:"optional,roles,everyone" doc:"Who needs a second factor."`
	Roles        []int64 `json:"roles" maxItems:"100" doc:"Ids of roles, for second_factor roles."`
	// LocalAdminsOnly lets only administrators in without single sign-on.
	LocalAdminsOnly bool `json:"local_admins_only" doc:"Only administrators sign in with a password or passkey of Picket; everybody else by single sign-on."`
}

const policySetting = "sign_in_policy"

// Values of SignInPolicy.SecondFactor.
const (
	factorOptional = "optional"
	factorRoles    = "roles"
	factorEveryone = "everyone"
)

// PolicyError says that the right password or passkey is not enough. It is an ErrDenied.
type PolicyError struct{ Message string }

// Error is what to do instead.
func (e *PolicyError) Error() string { return e.Message }

// Is makes every PolicyError an ErrDenied.
func (e *PolicyError) Is(target error) bool { return target == ErrDenied }

func (a *Accounts) loadPolicy(ctx context.Context) error {
	p := SignInPolicy{SecondFactor: factorOptional, Roles: []int64{}}
	raw, err := a.st.Setting(ctx, policySetting)
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return fmt.Errorf("read sign-in policy: %w", err)
	default:
		if err := json.Unmarshal(raw, &p); err != nil {
			return fmt.Errorf("read sign-in policy: %w", err)
		}
	}
	a.policy.Store(&p)
	return nil
}

// SignInPolicy is the policy in force.
func (a *Accounts) SignInPolicy(_ context.Context, c Caller) (SignInPolicy, error) {
	if err := a.manage(c); err != nil {
		return SignInPolicy{}, err
	}
	return *a.policy.Load(), nil
}

// SetSignInPolicy changes it. It holds from the next request of everybody:
// who owes a second factor then keeps the session and loses its rights until
// one is set up. Single sign-on must be set up before local sign-in is limited.
func (a *Accounts) SetSignInPolicy(ctx context.Context, c Caller, p SignInPolicy) (SignInPolicy, error) {
	if err := a.manage(c); err != nil {
		return SignInPolicy{}, err
	}
	if !slices.Contains([]string{factorOptional, factorRoles, factorEveryone}, p.SecondFactor) {
		return SignInPolicy{}, Invalidf("second_factor", "%q is not one of optional, roles, everyone", p.SecondFactor)
	}
	if p.SecondFactor != factorRoles {
		p.Roles = []int64{}
	} else if len(p.Roles) == 0 || len(p.Roles) > 100 {
		return SignInPolicy{}, Invalidf("roles", "name 1 to 100 roles whose people need a second factor")
	}
	audit.Change(ctx, "", a.policy.Load(), p)
	raw, err := json.Marshal(p)
	if err != nil {
		return SignInPolicy{}, fmt.Errorf("encode sign-in policy: %w", err)
	}
	was := a.policy.Swap(&p) // before those who are told that something changed look at it
	if err := a.st.SetAccessSetting(ctx, policySetting, raw); err != nil {
		a.policy.Store(was)
		return SignInPolicy{}, err
	}
	a.log.InfoContext(ctx, "sign-in policy changed", "second_factor", p.SecondFactor, "local_admins_only", p.LocalAdminsOnly, "by", c.Name)
	return p, nil
}

// owesFactor reports whether the policy asks an account that signed in this way
// for a second factor which it does not have.
func (a *Accounts) owesFactor(ctx context.Context, who store.Account, method string) (bool, error) {
	p := a.policy.Load()
	if p.SecondFactor == factorOptional || method == byProvider {
		return false, nil
	}
	if p.SecondFactor == factorRoles {
		if in, err := a.inRoles(ctx, who, p.Roles); err != nil || !in {
			return false, err
		}
	}
	has, err := a.st.HasFactor(ctx, who.ID)
	return !has, err
}

// inRoles reports whether an account holds one of these roles.
func (a *Accounts) inRoles(ctx context.Context, who store.Account, ids []int64) (bool, error) {
	roles, err := a.st.RolesOf(ctx, who.ID)
	return slices.ContainsFunc(roles, func(r int64) bool { return slices.Contains(ids, r) }), err
}

// localAllowed says whether the policy lets an account in without single sign-on.
func (a *Accounts) localAllowed(ctx context.Context, who store.Account) error {
	if !a.policy.Load().LocalAdminsOnly {
		return nil
	}
	if r, err := a.rights(ctx, who.ID); err != nil || r.Admin {
		return err
	}
	a.log.WarnContext(ctx, "local sign-in refused by policy", "user", who.Name)
	return &PolicyError{Message: "Only administrators sign in here with a password or passkey of Picket: use single sign-on."}
}
