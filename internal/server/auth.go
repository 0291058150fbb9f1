package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

// minPassword is the least length of a password, in characters; maxPassword
// the most, in bytes, so that hashing stays cheap.
const (
	minPassword = 12
	maxPassword = 1024
	maxPrefs    = 64 << 10
	linkLife    = 24 * time.Hour
)

// Me is what a signed-in person knows of the own account.
type Me struct {
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	Role        string `json:"role"`           // in a word, for people
	NeedsSecret bool   `json:"needs_password"` // no password is set: the next sign-in needs another link
	NeedsFactor bool   `json:"needs_factor" doc:"A second factor is required and none is set up: until then nothing but the own account can be used."`
	External    bool   `json:"external" doc:"Signed in at the identity provider."`
	// Administrator holds everything; Permissions are identifiers of RolePermissions.
	Administrator bool     `json:"administrator"`
	Permissions   []string `json:"permissions"`
	AllDevices    bool     `json:"all_devices"` // no device group is hidden
}

// ErrUnauthenticated says that who asks is not known: a wrong password, a
// session or token that is unknown or expired. It never says which. It is an ErrDenied.
var ErrUnauthenticated = fmt.Errorf("not signed in: %w", ErrDenied)

// WaitError says that there were too many attempts. It is an ErrUnavailable.
type WaitError struct {
	After time.Duration // how long to wait before the next attempt
}

// Error says how long to wait.
func (e *WaitError) Error() string {
	return fmt.Sprintf("too many attempts: try again in %d seconds", int(e.After.Seconds())+1)
}

// Is makes every WaitError an ErrUnavailable.
func (e *WaitError) Is(target error) bool { return target == ErrUnavailable }

// Accounts are the people with their sessions and the applications with their
// tokens. Its methods are safe for concurrent use; they are methods of Server
// too. All state is in the store, but for the counts of failed attempts.
type Accounts struct {
	st     *store.Store
	log    *slog.Logger
	now    func() time.Time
	cost   argonCost
	hashes chan struct{} // bounds how many passwords are hashed at a time
	decoy  string        // hash that is checked when there is no account
	users  backoff       // by account name
	remote backoff       // by address
	// factors counts second factors by account name: only who knows the first can make them wait.
	factors backoff
	guesses backoff // of codes that devices show, by person
	polls   pollBook
	vault   *vault
	spent   spentSlips
	policy  atomic.Pointer[SignInPolicy]
	sso     ssoDesk
	tenant  string
	keys    keyring
	rates   rateBook
	held    rightsBook
}

// OpenAccounts returns the accounts kept in a store. On a new store it makes
// the tenant id and the key that tokens are signed with.
func OpenAccounts(ctx context.Context, st *store.Store, log *slog.Logger) (*Accounts, error) {
	a := &Accounts{
		st: st, log: log, now: time.Now, cost: defaultCost,
		hashes:  make(chan struct{}, 2),
		users:   backoff{free: 10, cap: 30 * time.Second},
		remote:  backoff{free: 10, cap: 15 * time.Minute},
		factors: backoff{free: 5, cap: 15 * time.Minute},
		guesses: backoff{free: 5, cap: 15 * time.Minute},
		vault:   &vault{dir: st.Dir()},
	}
	a.decoy = encodeDecoy(a.cost)
	tenant, err := identity(ctx, st, "tenant", func() ([]byte, error) { return []byte(newUUID()), nil })
	if err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	a.tenant = string(tenant)
	if err := a.keys.load(ctx, st); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	if err := a.loadRates(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	if err = a.loadAttempts(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	if err = a.loadPolicy(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	if err = a.loadSSO(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	return a, nil
}

// identity returns a stored value, made once.
func identity(ctx context.Context, st *store.Store, name string, fresh func() ([]byte, error)) ([]byte, error) {
	value, err := st.Identity(ctx, name)
	if !errors.Is(err, store.ErrNotFound) {
		return value, err
	}
	if value, err = fresh(); err != nil {
		return nil, err
	}
	return st.KeepIdentity(ctx, name, value)
}

// SignInLink makes a one-time secret that signs the first administrator in,
// and creates that account when there is none. It lives 24 hours; only its
// digest is stored.
func (a *Accounts) SignInLink(ctx context.Context) (string, error) {
	secret := newSecret()
	at := a.now()
	if err := a.st.AddLink(ctx, 0, digest(secret), at, at.Add(linkLife)); err != nil {
		return "", err
	}
	return secret, nil
}

// RedeemLink consumes a one-time secret and opens a session for the person it
// was made for, or the first administrator, created as "admin" when there is
// none. An unknown, used or expired secret is ErrUnauthenticated. A person's
// link stands for the password alone: who has a second factor is asked for it.
// The link of the first administrator asks for none: it comes from whoever
// holds the data directory, and is the way back in when a factor was lost.
func (a *Accounts) RedeemLink(ctx context.Context, token string, from Place) (SignedIn, error) {
	at := a.now()
	if err := a.remote.attempt(addressKey(from.Remote), at); err != nil {
		return SignedIn{}, err
	}
	actor(ctx, audit.Nobody, "one-time link", "")
	whose, err := a.st.LinkAccount(ctx, digest(token), at)
	var who store.Account
	if err == nil {
		n := store.Session{Created: at} // opened below
		first := store.Account{Name: "admin", Display: "Administrator", Created: at}
		who, err = a.st.RedeemLink(ctx, digest(token), first, n, at.Add(-sessionLife), at.Add(-sessionIdle))
	}
	if errors.Is(err, store.ErrNotFound) {
		a.log.WarnContext(ctx, "sign-in link refused", "remote", from.Remote)
		return SignedIn{}, ErrUnauthenticated
	}
	if err != nil {
		return SignedIn{}, err
	}
	return a.admit(ctx, who, byLink, whose == 0, from)
}

// SignIn opens a session for a user name and a password, or asks for the
// second factor of an account that has one. Wrong ones are ErrUnauthenticated,
// too many attempts a *WaitError, a right one that the policy does not let in a
// *PolicyError. It takes the same time whether the account exists or not.
func (a *Accounts) SignIn(ctx context.Context, username, password string, from Place) (SignedIn, error) {
	name := strings.ToLower(strings.TrimSpace(username))
	at := a.now()
	if len(name) > 200 || len(password) > maxPassword {
		return SignedIn{}, ErrUnauthenticated
	}
	actor(ctx, audit.Nobody, name, "")
	if err := a.remote.attempt(addressKey(from.Remote), at); err != nil {
		return SignedIn{}, err
	}
	if err := a.users.attempt(name, at); err != nil {
		return SignedIn{}, err
	}
	who, err := a.st.AccountByName(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return SignedIn{}, err
	}
	known := err == nil && who.Password != "" && who.Disabled.IsZero()
	hash := a.decoy
	if known {
		hash = who.Password
	}
	ok, err := a.checkPassword(ctx, hash, password)
	if err != nil {
		return SignedIn{}, err
	}
	if !ok || !known {
		a.log.WarnContext(ctx, "sign-in refused", "user", name, "remote", from.Remote)
		return SignedIn{}, ErrUnauthenticated
	}
	a.users.clear(name)
	if err := a.localAllowed(ctx, who); err != nil {
		return SignedIn{}, err
	}
	return a.admit(ctx, who, byPassword, false, from)
}

// SetPassword sets the caller's own password and ends all other sessions of
// the account. The current one is needed when one is set. An account of an
// identity provider or directory has none.
func (a *Accounts) SetPassword(ctx context.Context, c Caller, current, fresh string) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	if err := a.ownOnly(ctx, who); err != nil {
		return err
	}
	switch n := utf8.RuneCountInString(fresh); {
	case !utf8.ValidString(fresh):
		return Invalidf("new", "is not text in UTF-8")
	case n < minPassword:
		return Invalidf("new", "has %d characters; use at least %d", n, minPassword)
	case len(fresh) > maxPassword:
		return Invalidf("new", "is longer than %d bytes", maxPassword)
	}
	if who.Password != "" {
		if err := a.users.attempt(who.Name, a.now()); err != nil {
			return err
		}
		ok, err := a.checkPassword(ctx, who.Password, current)
		if err != nil {
			return err
		}
		if !ok {
			return Invalidf("current", "is not the current password")
		}
		a.users.clear(who.Name)
	}
	hash, err := a.hashPassword(ctx, fresh)
	if err != nil {
		return err
	}
	audit.Change(ctx, who.Name, map[string]any{"password": setOrNot(who.Password != "")}, map[string]any{"password": "a new one"})
	if err := a.st.SetPassword(ctx, who.ID, hash, []byte(c.session)); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "password changed", "user", who.Name, "remote", c.Remote)
	return nil
}

// ownOnly is an ErrConflict for an account that signs in elsewhere: what it
// signs in with is not kept here, so that it ends where it is ended.
func (a *Accounts) ownOnly(ctx context.Context, who store.Account) error {
	external, err := a.st.IsExternal(ctx, who.ID)
	if err == nil && external {
		err = fmt.Errorf("this account belongs to the identity provider: passwords and second factors are kept there: %w", ErrConflict)
	}
	return err
}

// Prefs returns the caller's preferences, a JSON object.
func (a *Accounts) Prefs(ctx context.Context, c Caller) (json.RawMessage, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return nil, err
	}
	return a.st.Prefs(ctx, who.ID)
}

// SetPrefs replaces the caller's preferences: a JSON object of at most 64 KiB.
func (a *Accounts) SetPrefs(ctx context.Context, c Caller, prefs json.RawMessage) error {
	who, err := a.person(ctx, c)
	if err != nil {
		return err
	}
	if len(prefs) > maxPrefs {
		return Invalidf("body", "has %d bytes; at most %d are kept", len(prefs), maxPrefs)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(prefs, &object); err != nil || object == nil {
		return Invalidf("body", "is not a JSON object")
	}
	return a.st.SetPrefs(ctx, who.ID, prefs)
}

// HasPassword reports whether the caller is a person who has set a password.
func (a *Accounts) HasPassword(ctx context.Context, c Caller) (bool, error) {
	who, err := a.person(ctx, c)
	return err == nil && who.Password != "", err
}

// person is the account of a caller who is a person; applications are ErrDenied.
func (a *Accounts) person(ctx context.Context, c Caller) (store.Account, error) {
	if c.UserID == 0 || c.App != "" {
		return store.Account{}, ErrDenied
	}
	who, err := a.st.AccountByID(ctx, c.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return store.Account{}, ErrDenied
	}
	return who, err
}

// me is what a person who just signed in knows of the own account.
func (a *Accounts) me(ctx context.Context, who store.Account, method string) (Me, error) {
	owes, err := a.owesFactor(ctx, who, method)
	if err != nil {
		return Me{}, err
	}
	r, err := a.rights(ctx, who.ID)
	if owes {
		r = Rights{}
	}
	return meOf(who, r, owes, method), err
}

func meOf(who store.Account, r Rights, owes bool, method string) Me {
	m := Me{Username: who.Name, DisplayName: who.Display, NeedsSecret: who.Password == "" && method != byProvider, NeedsFactor: owes, External: method == byProvider, Role: roleWord(r),
		Administrator: r.Admin, Permissions: append([]string{}, r.Held...), AllDevices: r.Scope.All()}
	return m
}

// roleWord says in a word what somebody may do.
func roleWord(r Rights) string {
	switch {
	case r.Admin:
		return "Administrator"
	case len(r.Held) == 0:
		return "No role"
	case slices.ContainsFunc(r.Held, func(p string) bool { return p != ViewExposure && p != ViewOperations }):
		return "Operator"
	}
	return "Reader"
}

// newSecret is 256 random bits in base64url.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process rather than return less
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// newUUID is a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// setOrNot says of a secret for the audit log whether there is one.
func setOrNot(is bool) string {
	if is {
		return "set"
	}
	return "not set"
}
