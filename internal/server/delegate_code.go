package server

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

const (
	codeLife   = time.Minute
	maxAsk     = 8 << 10 // bytes of what an application asks for
	maxState   = 4 << 10
	consentAt  = "/consent"
	minVerify  = 43 // characters of a code verifier (RFC 7636, section 4.1)
	maxVerify  = 128
	challenges = 43 // characters of an S256 challenge
)

// asked is what an application asks of a person, as far as it holds.
type asked struct {
	app       store.App
	redirect  string // registered: errors may be told there
	state     string
	scopes    []string
	offline   bool
	challenge string
	prompt    string
}

// readAsk reads the query of an authorization request. While redirect is empty,
// nothing of the request may be believed, and nobody is sent anywhere.
func (a *Accounts) readAsk(ctx context.Context, raw string) (asked, error) {
	q, err := url.ParseQuery(raw)
	if err != nil || len(raw) > maxAsk {
		return asked{}, refusal("invalid_request", "The request cannot be read or is longer than %d bytes.", maxAsk)
	}
	var k asked
	app, err := a.st.AppByClient(ctx, strings.ToLower(q.Get("client_id")))
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (app.Disabled || app.Owner != 0):
		return k, refusal("invalid_client", "The application that sent you here is not registered, or turned off.")
	case err != nil:
		return k, err
	case len(q["client_id"]) > 1 || len(q["redirect_uri"]) != 1 || !redirectRegistered(&app, q.Get("redirect_uri")):
		return k, refusal("invalid_redirect", "The address that %s wants you sent back to is not registered for it.", app.Name)
	}
	k.app, k.redirect, k.state, k.challenge, k.prompt = app, q.Get("redirect_uri"), q.Get("state"), q.Get("code_challenge"), q.Get("prompt")
	for name, values := range q {
		if len(values) > 1 {
			return k, refusal("invalid_request", "%s is given twice.", cutText(name, 60))
		}
	}
	mode := q.Get("response_mode")
	switch {
	case len(k.state) > maxState:
		k.state = ""
		return k, refusal("invalid_request", "state is longer than %d bytes.", maxState)
	case q.Get("response_type") != "code":
		return k, refusal("unsupported_response_type", "response_type must be code.")
	case mode != "" && mode != "query":
		return k, refusal("invalid_request", "response_mode must be query.")
	case q.Get("code_challenge_method") != "S256" || len(k.challenge) != challenges || strings.Trim(k.challenge, urlSafe) != "":
		return k, refusal("invalid_request", "A code_challenge with code_challenge_method S256 is needed.")
	}
	k.scopes, k.offline, err = scopesAsked(&app, q.Get("scope"))
	return k, err
}

const urlSafe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// back is where a person is sent back to, with the answer, its state and who answers (RFC 9207).
func (k *asked) back(issuer string, add url.Values) string {
	if k.state != "" {
		add.Set("state", k.state)
	}
	add.Set("iss", issuer)
	return sentBack(k.redirect, add)
}

// refused is where a person is sent back to with a refusal; "" when that is nowhere.
func (k *asked) refused(issuer string, err error) string {
	var oauth *OAuthError
	if k.redirect == "" || !errors.As(err, &oauth) {
		return ""
	}
	return k.back(issuer, url.Values{"error": {oauth.Code}, "error_description": {oauth.Text}})
}

func (a *Accounts) issuer(base string) string { return base + "/" + a.tenant + "/v2.0" }

// Authorize is where a browser goes on to that an application sent here with a
// query: to the console, which asks the person, or back with a refusal. Nobody is
// sent to an address that is not registered.
func (a *Accounts) Authorize(ctx context.Context, base, query string) (string, error) {
	k, err := a.readAsk(ctx, query)
	if err == nil && slices.Contains(strings.Fields(k.prompt), "none") {
		err = refusal("interaction_required", "Picket always asks the person.")
	}
	if err == nil {
		return consentAt + "?ask=" + base64.RawURLEncoding.EncodeToString([]byte(query)), nil
	}
	if at := k.refused(a.issuer(base), err); at != "" {
		return at, nil
	}
	var oauth *OAuthError
	if errors.As(err, &oauth) {
		return consentAt + "?trouble=" + oauth.Code, nil
	}
	return "", err
}

// Consent is what a person decides on.
type Consent struct {
	Application string         `json:"application"`
	ClientID    string         `json:"client_id"`
	Permissions []ConsentRight `json:"permissions"`
	Refreshes   bool           `json:"refreshes" doc:"It will get new tokens without asking."`
	Goes        string         `json:"goes" doc:"Where the person is sent back to: host or scheme; empty for a device."`
	Remote      string         `json:"remote" doc:"Address that a device asked from; else empty."`
}

// ConsentRight is a permission that an application asks for.
type ConsentRight struct {
	Name string `json:"name" doc:"As scp names it."`
	Held bool   `json:"held" doc:"The person holds it now: else it opens nothing."`
}

func consentOf(app *store.App, c Caller, scopes []string, offline bool) Consent {
	out := Consent{Application: app.Name, ClientID: app.Client, Permissions: []ConsentRight{}, Refreshes: offline}
	for _, p := range scopes {
		out.Permissions = append(out.Permissions, ConsentRight{Name: scopeOf(p), Held: c.Has(p)})
	}
	return out
}

// decider is the person in a console session who may let applications act for
// them, and how they signed in. Programs cannot, nor who owes a second factor.
func (a *Accounts) decider(ctx context.Context, c Caller) (store.Account, string, error) {
	who, err := a.person(ctx, c)
	if err != nil {
		return who, "", err
	}
	n, _, err := a.st.SessionByHash(ctx, []byte(c.session))
	if errors.Is(err, store.ErrNotFound) {
		return who, "", ErrDenied
	}
	if err != nil {
		return who, "", err
	}
	owes, err := a.owesFactor(ctx, who, n.Method)
	if err == nil && owes {
		err = &PolicyError{Message: "Set up a second factor first."}
	}
	return who, n.Method, err
}

func (a *Accounts) readConsent(ctx context.Context, ask string) (asked, error) {
	raw, err := base64.RawURLEncoding.DecodeString(ask)
	if err != nil {
		return asked{}, refusal("invalid_request", "This request cannot be read: go back to the application and begin again.")
	}
	return a.readAsk(ctx, string(raw))
}

// AskedConsent is what an application asks of the caller; ask is what Authorize
// sent along. What does not hold is an *OAuthError.
func (a *Accounts) AskedConsent(ctx context.Context, c Caller, ask string) (Consent, error) {
	if _, _, err := a.decider(ctx, c); err != nil {
		return Consent{}, err
	}
	k, err := a.readConsent(ctx, ask)
	if err != nil {
		return Consent{}, err
	}
	out := consentOf(&k.app, c, k.scopes, k.offline)
	if u, err := url.Parse(k.redirect); err == nil {
		out.Goes = u.Host
		if out.Goes == "" {
			out.Goes = u.Scheme + ":"
		}
	}
	return out, nil
}

// DecideConsent is where the caller is sent back to after deciding: with a code
// that lives for a minute and works once, or with a refusal.
func (a *Accounts) DecideConsent(ctx context.Context, c Caller, base, ask string, allow bool) (string, error) {
	who, method, err := a.decider(ctx, c)
	if err != nil {
		return "", err
	}
	k, err := a.readConsent(ctx, ask)
	if err != nil {
		return "", err
	}
	audit.Change(ctx, k.app.Client, nil, map[string]any{"application": k.app.Name, "permissions": scopesOf(k.scopes), "refreshes": k.offline, "allowed": allow})
	if !allow {
		return k.refused(a.issuer(base), refusal("access_denied", "The person said no.")), nil
	}
	code, at := newSecret(), a.now()
	err = a.st.AddAuthCode(ctx, store.AuthCode{Hash: digest(code), App: k.app.Client, Account: who.ID, Scopes: k.scopes, Offline: k.offline, Method: method,
		Redirect: k.redirect, Challenge: k.challenge, Expires: at.Add(codeLife)}, at)
	if err != nil {
		return "", err
	}
	a.log.InfoContext(ctx, "application let in", "app", k.app.Name, "client", k.app.Client, "user", who.Name)
	return k.back(a.issuer(base), url.Values{"code": {code}}), nil
}

// CodeRequest is what an application shows for a code.
type CodeRequest struct {
	Client, Secret           string
	Code, Redirect, Verifier string
	Remote                   string // address it asks from
}

// RedeemCode exchanges a code. Whoever shows a code uses it up. A code, verifier,
// redirect or application that does not fit is an *OAuthError; a code that was
// exchanged before also ends what was got with it.
func (a *Accounts) RedeemCode(ctx context.Context, base string, r CodeRequest) (DelegatedToken, error) {
	app, used, err := a.delegate(ctx, r.Client, r.Secret)
	if err != nil {
		return DelegatedToken{}, err
	}
	var g store.Grant
	var refresh string
	err = a.st.RedeemAuthCode(ctx, digest(r.Code), a.now(), func(k store.AuthCode) (store.Grant, error) {
		n := len(r.Verifier)
		if k.App != app.Client || k.Redirect != r.Redirect || n < minVerify || n > maxVerify ||
			subtle.ConstantTimeCompare([]byte(challengeOf(r.Verifier)), []byte(k.Challenge)) != 1 {
			return g, invalidGrant()
		}
		who, err := a.st.AccountByID(ctx, k.Account)
		if err == nil {
			err = a.admitToken(&app, used)
		}
		if err != nil {
			return g, err
		}
		scopes := inOrder(slices.DeleteFunc(k.Scopes, func(p string) bool { return !slices.Contains(app.Delegated, p) }))
		g, refresh = a.newGrant(&app, k.Account, scopes, k.Offline, k.Method, store.GrantByCode, r.Remote)
		noteDelegate(ctx, &app, &g, who.Name)
		audit.Change(ctx, app.Client, nil, map[string]any{"grant": g.ID, "permissions": scopesOf(scopes), "refreshes": k.Offline})
		return g, nil
	})
	var oauth *OAuthError
	switch {
	case errors.Is(err, store.ErrNotFound), errors.As(err, &oauth):
		if err := a.dropCode(ctx, &app, r); err != nil {
			return DelegatedToken{}, err
		}
		return DelegatedToken{}, invalidGrant()
	case err != nil:
		return DelegatedToken{}, err
	}
	return a.issueDelegated(ctx, base, &app, used, &g, g.Scopes, refresh)
}

// dropCode makes sure that a code that was shown wrongly, or once more, works no
// more, nor what was got with it.
func (a *Accounts) dropCode(ctx context.Context, app *store.App, r CodeRequest) error {
	ended, err := a.st.DropAuthCode(audit.With(ctx, nil), digest(r.Code))
	if ended {
		a.log.WarnContext(ctx, "authorization code was shown twice: what was got with it has ended", "app", app.Name, "client", app.Client, "remote", r.Remote)
		audit.Change(ctx, app.Client, nil, map[string]any{"ended": "a code was shown twice"})
	}
	return err
}

// RefreshRequest is what an application shows for new tokens.
type RefreshRequest struct {
	Client, Secret string
	Token          string
	Scope          string // fewer than were granted; "": all
	Remote         string
}

// RefreshToken exchanges a refresh token for an access token and the next
// refresh token. One that was exchanged before ends all that came of its grant;
// whatever does not hold is an *OAuthError.
func (a *Accounts) RefreshToken(ctx context.Context, base string, r RefreshRequest) (DelegatedToken, error) {
	app, used, err := a.delegate(ctx, r.Client, r.Secret)
	if err != nil {
		return DelegatedToken{}, err
	}
	family, changes, _ := strings.Cut(r.Token, ".")
	at := a.now()
	g, err := a.st.GrantByFamily(ctx, digest(family), at)
	if errors.Is(err, store.ErrNotFound) || err == nil && g.App != app.Client {
		return DelegatedToken{}, invalidGrant()
	}
	if err != nil {
		return DelegatedToken{}, err
	}
	who, err := a.st.AccountByID(ctx, g.Account)
	if err != nil {
		return DelegatedToken{}, notFound(err)
	}
	noteDelegate(ctx, &app, &g, who.Name)
	audit.Change(ctx, app.Client, nil, map[string]any{"grant": g.ID})
	if owes, err := a.owesFactor(ctx, who, g.Method); err != nil || owes {
		return DelegatedToken{}, errors.Join(err, refusal("invalid_grant", "The person has to set up a second factor first."))
	}
	scopes := g.Scopes
	if r.Scope != "" {
		narrow := app
		narrow.Delegated = g.Scopes
		if scopes, _, err = scopesAsked(&narrow, r.Scope); err != nil {
			return DelegatedToken{}, err
		}
	}
	if err := a.admitToken(&app, used); err != nil {
		return DelegatedToken{}, err
	}
	token, _, changing := refreshToken(family)
	g.Expires = at.Add(refreshIdle)
	if last := g.Created.Add(refreshLife); last.Before(g.Expires) {
		g.Expires = last
	}
	err = a.st.RotateGrant(ctx, g.ID, digest(changes), changing, at, g.Expires)
	switch {
	case errors.Is(err, store.ErrReplayed):
		a.log.WarnContext(ctx, "refresh token was shown twice: its grant has ended", "app", app.Name, "client", app.Client, "user", who.Name, "remote", r.Remote)
		audit.Change(ctx, app.Client, map[string]any{"grant": g.ID}, map[string]any{"ended": "a refresh token was shown twice"})
		if err := a.st.EndGrant(ctx, g.ID, 0, ""); err != nil && !errors.Is(err, store.ErrNotFound) {
			return DelegatedToken{}, err
		}
		return DelegatedToken{}, invalidGrant()
	case errors.Is(err, store.ErrNotFound):
		return DelegatedToken{}, invalidGrant()
	case err != nil:
		return DelegatedToken{}, err
	}
	scopes = slices.DeleteFunc(slices.Clone(scopes), func(p string) bool { return !slices.Contains(app.Delegated, p) })
	return a.issueDelegated(ctx, base, &app, used, &g, scopes, token)
}

// EndRefreshToken ends the grant of a refresh token (RFC 7009), whether that was
// used already or not. One that is not known, or another application's, is no error.
func (a *Accounts) EndRefreshToken(ctx context.Context, r RefreshRequest) error {
	app, _, err := a.delegate(ctx, r.Client, r.Secret)
	if err != nil {
		return err
	}
	family, _, _ := strings.Cut(r.Token, ".")
	g, err := a.st.GrantByFamily(ctx, digest(family), a.now())
	if errors.Is(err, store.ErrNotFound) || err == nil && g.App != app.Client {
		return nil
	}
	if err != nil {
		return err
	}
	noteDelegate(ctx, &app, &g, g.Person)
	audit.Change(ctx, app.Client, map[string]any{"grant": g.ID}, nil)
	if err := a.st.EndGrant(ctx, g.ID, 0, ""); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}
