package server

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

const (
	ssoSlip      = "single sign-on"
	ssoSkew      = time.Minute
	maxClaimed   = 2000 // groups of one person
	maxSubject   = 255  // characters (OpenID Connect Core 1.0, section 2)
	ssoTroubleAt = "single sign-on refused"
)

// ssoNote is what a browser carries to the provider and back, sealed in a cookie.
type ssoNote struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Issuer   string `json:"issuer"`
	Client   string `json:"client"`
	Next     string `json:"next"`
}

// Departure is where a browser goes to sign in.
type Departure struct {
	Address string // of the provider
	Slip    string // for the cookie; good for five minutes and this browser
}

// SSOError says why a sign-in at the provider came to nothing, in a word that
// the sign-in page knows. It is an ErrUnauthenticated.
type SSOError struct {
	Word string // state, provider, token, disabled, group, unavailable
	Err  error
}

// Error is for the log.
func (e *SSOError) Error() string { return fmt.Sprintf("single sign-on: %s: %v", e.Word, e.Err) }

// Is makes every SSOError an ErrUnauthenticated.
func (e *SSOError) Is(target error) bool { return target == ErrUnauthenticated }

// Unwrap is what happened.
func (e *SSOError) Unwrap() error { return e.Err }

func (a *Accounts) oauth(p *oidc.Provider, s *ssoStored, base string) (*oauth2.Config, error) {
	secret, err := a.vault.unseal(ssoSecret, s.Sealed)
	if err != nil {
		return nil, err
	}
	return &oauth2.Config{ClientID: s.ClientID, ClientSecret: secret, Endpoint: p.Endpoint(), RedirectURL: base + SSOCallback, Scopes: append([]string{oidc.ScopeOpenID}, s.Scopes...)}, nil
}

// DepartSSO starts a sign-in at the provider: authorization code with PKCE,
// state and nonce, all bound to the browser that asks. next is the path to go
// to afterwards.
func (a *Accounts) DepartSSO(ctx context.Context, next string, from Place) (Departure, error) {
	s := a.sso.setUp()
	if !s.Enabled {
		return Departure{}, fmt.Errorf("single sign-on is not set up: %w", ErrConflict)
	}
	ctx, cancel := context.WithTimeout(ctx, ssoTime)
	defer cancel()
	p, err := a.sso.provider(ctx, s.Issuer, a.now())
	if err != nil {
		a.log.WarnContext(ctx, "identity provider cannot be asked", "issuer", s.Issuer, "error", err)
		return Departure{}, fmt.Errorf("the identity provider does not answer: try again soon: %w", ErrUnavailable)
	}
	conf, err := a.oauth(p, &s, from.Base)
	if err != nil {
		return Departure{}, err
	}
	note := ssoNote{State: newSecret(), Nonce: newSecret(), Verifier: newSecret(), Issuer: s.Issuer, Client: s.ClientID, Next: next}
	slip, err := a.writeSlip(ssoSlip, note)
	if err != nil {
		return Departure{}, err
	}
	return Departure{Slip: slip, Address: conf.AuthCodeURL(note.State, oidc.Nonce(note.Nonce),
		oauth2.SetAuthURLParam("code_challenge", challengeOf(note.Verifier)), oauth2.SetAuthURLParam("code_challenge_method", "S256"))}, nil
}

// ArriveSSO ends a sign-in at the provider with the query it sent the browser
// back with, and the slip that the browser left with. It returns where to go
// on. Everything that does not hold is an *SSOError.
func (a *Accounts) ArriveSSO(ctx context.Context, query url.Values, slip string, from Place) (SignedIn, string, error) {
	fail := func(word string, err error) (SignedIn, string, error) {
		a.log.WarnContext(ctx, ssoTroubleAt, "why", word, "remote", from.Remote, "error", err)
		audit.Change(ctx, "", nil, map[string]any{"refused": word})
		return SignedIn{}, "", &SSOError{Word: word, Err: err}
	}
	var note ssoNote
	if err := a.readSlip(ssoSlip, slip, &note); err != nil {
		return fail("state", err)
	}
	if state := query.Get("state"); subtle.ConstantTimeCompare([]byte(state), []byte(note.State)) != 1 {
		return fail("state", errors.New("state is of another browser or another sign-in"))
	}
	if !a.spendSlip(slip) {
		return fail("state", errors.New("state was used already"))
	}
	s := a.sso.setUp()
	if !s.Enabled || s.Issuer != note.Issuer || s.ClientID != note.Client {
		return fail("state", errors.New("another provider is set up now"))
	}
	if iss := query.Get("iss"); iss != "" && iss != s.Issuer { // RFC 9207
		return fail("provider", errors.New("the answer is from another issuer"))
	}
	if code := query.Get("error"); code != "" {
		return fail("provider", fmt.Errorf("it says %q: %q", cutText(code, 100), cutText(query.Get("error_description"), 300)))
	}
	ctx, cancel := context.WithTimeout(ctx, 3*ssoTime)
	defer cancel()
	token, word, err := a.fetchToken(ctx, &s, query.Get("code"), note, from)
	if err != nil {
		return fail(word, err)
	}
	who, word, err := a.ssoAccount(ctx, &s, token)
	if err != nil {
		var sso *SSOError
		if word != "" || errors.As(err, &sso) {
			return fail(word, err)
		}
		return SignedIn{}, "", err
	}
	in, err := a.admit(ctx, who, byProvider, true, from)
	return in, note.Next, err
}

// fetchToken exchanges the code, and believes the token only when everything about it holds.
func (a *Accounts) fetchToken(ctx context.Context, s *ssoStored, code string, note ssoNote, from Place) (*oidc.IDToken, string, error) {
	ctx = oidc.ClientContext(ctx, a.sso.client)
	p, err := a.sso.provider(ctx, s.Issuer, a.now())
	if err != nil {
		return nil, "unavailable", err
	}
	conf, err := a.oauth(p, s, from.Base)
	if err != nil {
		return nil, "unavailable", err
	}
	got, err := conf.Exchange(ctx, code, oauth2.VerifierOption(note.Verifier))
	if err != nil {
		return nil, "provider", err
	}
	raw, _ := got.Extra("id_token").(string)
	if raw == "" || len(raw) > 256<<10 {
		return nil, "token", errors.New("there is no id token in the answer, or it is too long")
	}
	token, err := p.VerifierContext(ctx, &oidc.Config{ClientID: s.ClientID, SupportedSigningAlgs: ssoAlgorithms, Now: a.now}).Verify(ctx, raw)
	if err != nil {
		return nil, "token", err
	}
	var more struct {
		Party string `json:"azp"`
	}
	if err := token.Claims(&more); err != nil {
		return nil, "token", err
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(note.Nonce)) != 1:
		return nil, "token", errors.New("nonce is of another sign-in")
	case token.Subject == "" || len(token.Subject) > maxSubject:
		return nil, "token", errors.New("subject is missing or too long")
	case len(token.Audience) > 1 && more.Party != s.ClientID || more.Party != "" && more.Party != s.ClientID:
		return nil, "token", errors.New("token was made for another party")
	case token.IssuedAt.After(a.now().Add(ssoSkew)):
		return nil, "token", errors.New("token is from the future")
	}
	return token, "", nil
}

// ssoClaims are the claims that are read.
type ssoClaims struct {
	Name      string `json:"name"`
	Preferred string `json:"preferred_username"`
	Mail      string `json:"email"`
}

// ssoAccount is the account of who the token is about, made at the first sign-in;
// its groups are those of the token.
func (a *Accounts) ssoAccount(ctx context.Context, s *ssoStored, token *oidc.IDToken) (store.Account, string, error) {
	var c ssoClaims
	var all map[string]json.RawMessage
	if err := errors.Join(token.Claims(&c), token.Claims(&all)); err != nil {
		return store.Account{}, "token", err
	}
	groups, err := mappedGroups(s, all)
	if err != nil {
		return store.Account{}, "token", err
	}
	if s.RequireGroup && len(groups) == 0 {
		return store.Account{}, "group", errors.New("none of the person's groups is let in")
	}
	who, err := a.st.AccountByIdentity(ctx, s.Issuer, token.Subject)
	if errors.Is(err, store.ErrNotFound) {
		who, err = a.newIdentity(ctx, s, token, c, all)
	}
	if err != nil {
		return store.Account{}, "", err
	}
	if !who.Disabled.IsZero() {
		return store.Account{}, "disabled", fmt.Errorf("account %q is disabled", who.Name)
	}
	if s.GroupClaim != "" {
		err := a.st.SetGroups(audit.With(ctx, nil), who.ID, store.SourceOIDC, groups)
		if errors.Is(err, store.ErrLastAdministrator) {
			a.log.WarnContext(ctx, "groups of the last administrator were not taken from the provider", "user", who.Name)
		} else if err != nil {
			return store.Account{}, "", err
		}
	}
	if name := displayOf(c, who.Name); name != who.Display {
		if err := a.st.SetDisplay(audit.With(ctx, nil), who.ID, name); err != nil {
			return store.Account{}, "", err
		}
		who.Display = name
	}
	return who, "", nil
}

// newIdentity ties a person to the account that provisioning made for them, or
// to a new one. No account of another kind is ever taken over, whatever its
// name or the person's mail address.
func (a *Accounts) newIdentity(ctx context.Context, s *ssoStored, token *oidc.IDToken, c ssoClaims, all map[string]json.RawMessage) (store.Account, error) {
	at := a.now()
	link := token.Subject
	if s.LinkClaim != "" {
		link = ""
		_ = json.Unmarshal(all[s.LinkClaim], &link) // another type of value links nobody
	}
	made := store.Account{Name: ssoName(c), Display: displayOf(c, ssoName(c)), Created: at}
	if link != "" {
		id, err := a.st.SCIMAccount(ctx, link)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.Account{}, err
		}
		if err == nil {
			tied, err := a.st.HasIdentity(ctx, s.Issuer, id)
			if err != nil {
				return store.Account{}, err
			}
			if !tied {
				made.ID = id
			}
		}
	}
	who, err := a.st.AddIdentity(audit.With(ctx, nil), s.Issuer, token.Subject, made, at)
	if err == nil {
		audit.Change(ctx, who.Name, nil, map[string]any{"account": map[bool]string{true: "tied to the provider", false: "made"}[made.ID != 0]})
		a.log.InfoContext(ctx, "person of the provider is known now", "user", who.Name, "provisioned", made.ID != 0)
	}
	return who, err
}

var notOfName = regexp.MustCompile(`[^a-z0-9._@+-]+`)

// ssoName is a user name made of what the provider calls a person.
func ssoName(c ssoClaims) string {
	for _, name := range []string{c.Preferred, c.Mail} {
		name = notOfName.ReplaceAllString(strings.ToLower(strings.TrimSpace(name)), "-")
		name = strings.TrimLeft(cutText(name, 150), "._@+-")
		if accountName.MatchString(name) {
			return name
		}
	}
	return "person"
}

func displayOf(c ssoClaims, name string) string {
	if d := strings.TrimSpace(cutText(c.Name, 200)); d != "" {
		return d
	}
	return name
}

// mappedGroups are the user groups that the values of the group claim mean.
func mappedGroups(s *ssoStored, all map[string]json.RawMessage) ([]int64, error) {
	groups := []int64{}
	raw, ok := all[s.GroupClaim]
	if s.GroupClaim == "" || !ok {
		return groups, nil
	}
	var values []string
	var one string
	if json.Unmarshal(raw, &one) == nil {
		values = []string{one}
	} else if err := json.Unmarshal(raw, &values); err != nil {
		return nil, fmt.Errorf("claim %q is neither a text nor a list of texts", s.GroupClaim)
	}
	if len(values) > maxClaimed {
		return nil, fmt.Errorf("claim %q has %d values; at most %d are read", s.GroupClaim, len(values), maxClaimed)
	}
	for _, m := range s.Groups {
		if slices.Contains(values, m.Value) && !slices.Contains(groups, m.UserGroup) {
			groups = append(groups, m.UserGroup)
		}
	}
	return groups, nil
}

// LeaveSSO is where a browser goes to sign out at the provider too; "" when
// the provider has no such address or does not answer.
func (a *Accounts) LeaveSSO(ctx context.Context, base string) string {
	s := a.sso.setUp()
	if !s.Enabled {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, ssoTime)
	defer cancel()
	p, err := a.sso.provider(ctx, s.Issuer, a.now())
	var m ssoMetadata
	if err != nil || p.Claims(&m) != nil || m.Out == "" {
		return ""
	}
	u, err := url.Parse(m.Out)
	if err != nil || u.Scheme != "https" && !isLoopback(u.Hostname()) {
		return ""
	}
	q := u.Query()
	q.Set("client_id", s.ClientID)
	q.Set("post_logout_redirect_uri", base+"/login")
	u.RawQuery = q.Encode()
	return u.String()
}
