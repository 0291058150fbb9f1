package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
)

const (
	ssoSetting   = "single_sign_on"
	ssoSecret    = "single sign-on"
	ssoTime      = 15 * time.Second // for one answer of the provider
	ssoAnswer    = 1 << 20          // bytes of one answer
	ssoKept      = time.Hour        // how long the provider's description is believed
	maxMappings  = 200
	maxSSOScopes = 20
)

// ssoAlgorithms are the signatures that are believed: none without a key pair.
var ssoAlgorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// SingleSignOn is sign-in at an OpenID Connect provider.
type SingleSignOn struct {
	Enabled      bool           `json:"enabled"`
	Name         string         `json:"name" maxLength:"100" doc:"What the button on the sign-in page says."`
	Issuer       string         `json:"issuer" maxLength:"500" doc:"https://…, as the provider calls itself."`
	ClientID     string         `json:"client_id" maxLength:"500"`
	Scopes       []string       `json:"scopes" maxItems:"20" doc:"Besides openid."`
	GroupClaim   string         `json:"group_claim" maxLength:"200" doc:"Claim of the id token that names the person's groups; empty: groups are not taken from it."`
	LinkClaim    string         `json:"link_claim" maxLength:"200" doc:"Claim that holds what provisioning calls externalId: ties a provisioned account to the person. Empty: sub."`
	Groups       []GroupMapping `json:"groups" maxItems:"200" doc:"Values of the group claim and the user groups that they mean."`
	RequireGroup bool           `json:"require_group" doc:"Nobody is let in who is in none of these groups."`
}

// GroupMapping gives the people with a value of the group claim a user group.
type GroupMapping struct {
	Value     string `json:"value" minLength:"1" maxLength:"500"`
	UserGroup int64  `json:"user_group" doc:"Id of a user group."`
}

// SingleSignOnView is what is set up, without the secret.
type SingleSignOnView struct {
	SingleSignOn
	HasSecret bool   `json:"has_secret"`
	Redirect  string `json:"redirect" doc:"Address that the provider must send people back to."`
}

// SingleSignOnEdit is what is saved or tried.
type SingleSignOnEdit struct {
	SingleSignOn
	Secret string `json:"secret,omitempty" maxLength:"4096" doc:"Client secret; left out: the one that is kept."`
}

// ssoStored is what the store holds.
type ssoStored struct {
	SingleSignOn
	Sealed []byte `json:"sealed"`
}

// ssoDesk keeps what is known of the provider.
type ssoDesk struct {
	mu     sync.Mutex
	stored *ssoStored // nil: nothing is set up
	known  *oidc.Provider
	knownA string // of which issuer
	at     time.Time
	client *http.Client
}

// providerClient asks identity providers: with bounds on time, redirects and size.
func providerClient() *http.Client {
	return &http.Client{Timeout: ssoTime, Transport: cappedAnswers{http.DefaultTransport}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a provider's addresses are what its description says
	}}
}

// cappedAnswers ends an answer that is too long with an error.
type cappedAnswers struct{ next http.RoundTripper }

// RoundTrip asks with a bound on the answer.
func (c cappedAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !isLoopback(r.URL.Hostname()) {
		return nil, fmt.Errorf("%s is not asked: only https, or http on this machine", r.URL.Redacted())
	}
	res, err := c.next.RoundTrip(r)
	if err == nil {
		res.Body = &cappedBody{ReadCloser: res.Body, left: ssoAnswer}
	}
	return res, err
}

type cappedBody struct {
	io.ReadCloser
	left int64
}

// Read reads up to the bound.
func (b *cappedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the answer is too long")
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func isLoopback(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

func (a *Accounts) loadSSO(ctx context.Context) error {
	a.sso.client = providerClient()
	raw, err := a.st.Setting(ctx, ssoSetting)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read single sign-on: %w", err)
	}
	a.sso.stored = &ssoStored{}
	if err := json.Unmarshal(raw, a.sso.stored); err != nil {
		return fmt.Errorf("read single sign-on: %w", err)
	}
	return nil
}

func (d *ssoDesk) setUp() ssoStored {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stored == nil {
		return ssoStored{SingleSignOn: SingleSignOn{Name: "Sign in with your organisation", Scopes: []string{"profile", "email"}, Groups: []GroupMapping{}}}
	}
	return *d.stored
}

// SSOCallback is the path that providers send people back to.
const SSOCallback = "/signin/oidc"

// SingleSignOn tells what is set up; base is the console's address.
func (a *Accounts) SingleSignOn(_ context.Context, c Caller, base string) (SingleSignOnView, error) {
	if err := a.manage(c); err != nil {
		return SingleSignOnView{}, err
	}
	s := a.sso.setUp()
	return SingleSignOnView{SingleSignOn: s.SingleSignOn, HasSecret: len(s.Sealed) > 0, Redirect: base + SSOCallback}, nil
}

// SetSingleSignOn stores what is set up. The secret is sealed; it must be given
// again when it would go to another issuer.
func (a *Accounts) SetSingleSignOn(ctx context.Context, c Caller, e SingleSignOnEdit, base string) (SingleSignOnView, error) {
	if err := a.manage(c); err != nil {
		return SingleSignOnView{}, err
	}
	was := a.sso.setUp()
	next := ssoStored{SingleSignOn: e.SingleSignOn, Sealed: was.Sealed}
	if err := a.checkSSO(ctx, &next.SingleSignOn); err != nil {
		return SingleSignOnView{}, err
	}
	if e.Secret == "" && len(was.Sealed) > 0 && was.Issuer != next.Issuer {
		return SingleSignOnView{}, Invalidf("secret", "must be entered again because the issuer changed")
	}
	if e.Secret != "" {
		var err error
		if next.Sealed, err = a.vault.seal(ssoSecret, e.Secret); err != nil {
			return SingleSignOnView{}, fmt.Errorf("seal secret: %w", err)
		}
	}
	raw, err := json.Marshal(next)
	if err != nil {
		return SingleSignOnView{}, fmt.Errorf("encode single sign-on: %w", err)
	}
	audit.Change(ctx, "", was.SingleSignOn, next.SingleSignOn)
	if err := a.st.SetSetting(ctx, ssoSetting, raw); err != nil {
		return SingleSignOnView{}, err
	}
	a.sso.mu.Lock()
	a.sso.stored, a.sso.known = &next, nil
	a.sso.mu.Unlock()
	a.log.InfoContext(ctx, "single sign-on changed", "issuer", next.Issuer, "enabled", next.Enabled, "by", c.Name)
	return a.SingleSignOn(ctx, c, base)
}

// checkSSO brings a set-up into shape, or says what is wrong with it.
func (a *Accounts) checkSSO(ctx context.Context, s *SingleSignOn) error {
	s.Name, s.Issuer, s.ClientID = strings.TrimSpace(cutText(s.Name, 100)), strings.TrimSpace(s.Issuer), strings.TrimSpace(s.ClientID)
	s.GroupClaim, s.LinkClaim = strings.TrimSpace(s.GroupClaim), strings.TrimSpace(s.LinkClaim)
	if s.Name == "" {
		s.Name = "Sign in with your organisation"
	}
	u, err := url.Parse(s.Issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Invalidf("issuer", "%q is not the address of a provider, such as https://login.example.org", s.Issuer)
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return Invalidf("issuer", "must begin with https:// (http only on this machine)")
	case s.ClientID == "":
		return Invalidf("client_id", "is missing: the provider shows it where Picket is registered")
	case len(s.Scopes) > maxSSOScopes:
		return Invalidf("scopes", "at most %d", maxSSOScopes)
	case len(s.Groups) > maxMappings:
		return Invalidf("groups", "at most %d", maxMappings)
	case s.RequireGroup && len(s.Groups) == 0:
		return Invalidf("groups", "name at least one, or let people in without a group")
	case len(s.Groups) > 0 && s.GroupClaim == "":
		return Invalidf("group_claim", "is missing: the claim whose values the groups are")
	}
	scopes := []string{}
	for _, sc := range s.Scopes {
		if sc = strings.TrimSpace(sc); sc == "" || sc == oidc.ScopeOpenID || slices.Contains(scopes, sc) {
			continue
		}
		if strings.ContainsAny(sc, " \"\\") || len(sc) > 200 {
			return Invalidf("scopes", "%q is not a scope", sc)
		}
		scopes = append(scopes, sc)
	}
	s.Scopes = scopes
	if s.Groups == nil {
		s.Groups = []GroupMapping{}
	}
	there, err := a.st.UserGroups(ctx)
	if err != nil {
		return err
	}
	for i, m := range s.Groups {
		if !slices.ContainsFunc(there, func(g store.UserGroup) bool { return g.ID == m.UserGroup }) {
			return Invalidf(fmt.Sprintf("groups[%d].user_group", i), "there is no user group %d", m.UserGroup)
		}
		if m.Value == "" || len(m.Value) > 500 {
			return Invalidf(fmt.Sprintf("groups[%d].value", i), "must have 1 to 500 characters")
		}
	}
	return nil
}

// provider is the description of the provider, asked for when it is not known or old.
func (d *ssoDesk) provider(ctx context.Context, issuer string, at time.Time) (*oidc.Provider, error) {
	d.mu.Lock()
	if d.known != nil && d.knownA == issuer && at.Sub(d.at) < ssoKept {
		defer d.mu.Unlock()
		return d.known, nil
	}
	d.mu.Unlock()
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, d.client), issuer)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known, d.knownA, d.at = p, issuer, at
	return p, nil
}

// ssoMetadata is what Picket needs of a provider's description.
type ssoMetadata struct {
	Auth       string   `json:"authorization_endpoint"`
	Token      string   `json:"token_endpoint"`
	Keys       string   `json:"jwks_uri"`
	Out        string   `json:"end_session_endpoint"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
	Challenges []string `json:"code_challenge_methods_supported"`
}

// TestSingleSignOn asks the provider what it says of itself, and says in words
// what does not fit. Nobody is signed in and nothing is stored.
func (a *Accounts) TestSingleSignOn(ctx context.Context, c Caller, e SingleSignOnEdit) (TestResult, error) {
	if err := a.manage(c); err != nil {
		return TestResult{}, err
	}
	if err := a.checkSSO(ctx, &e.SingleSignOn); err != nil {
		return TestResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*ssoTime)
	defer cancel()
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, a.sso.client), e.Issuer)
	if err != nil {
		return ssoTrouble(e.Issuer, err), nil
	}
	var m ssoMetadata
	if err := p.Claims(&m); err != nil {
		return TestResult{Text: "The description of the provider cannot be read.", Mend: "Ask its operators."}, nil
	}
	switch {
	case m.Auth == "" || m.Token == "" || m.Keys == "":
		return TestResult{Text: "The description lacks the address for sign-in, for tokens or for keys.", Mend: "Is the issuer the address of an OpenID Connect provider?"}, nil
	case len(m.Algorithms) > 0 && !slices.ContainsFunc(m.Algorithms, func(x string) bool { return slices.Contains(ssoAlgorithms, x) }):
		return TestResult{Text: "The provider signs only with " + strings.Join(m.Algorithms, ", ") + ".", Mend: "Picket believes signatures with a key pair: choose RS256 or ES256 at the provider."}, nil
	}
	n, err := a.countKeys(ctx, m.Keys)
	if err != nil {
		return TestResult{Text: "The provider's keys cannot be fetched from " + m.Keys + ": " + plainError(err) + ".", Mend: "Open the way from this server to that address."}, nil
	}
	text := fmt.Sprintf("The provider answers as %s and has %d keys.", e.Issuer, n)
	if len(m.Challenges) > 0 && !slices.Contains(m.Challenges, "S256") {
		return TestResult{Text: text, Mend: "It does not know PKCE with S256, which Picket sends: sign-in may fail."}, nil
	}
	return TestResult{OK: true, Text: text, Mend: "Whether the client id and secret are right shows at the first sign-in."}, nil
}

func (a *Accounts) countKeys(ctx context.Context, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	res, err := a.sso.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("it answers %s", res.Status)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil {
		return 0, errors.New("the answer is not a set of keys")
	}
	if len(set.Keys) == 0 {
		return 0, errors.New("the set of keys is empty")
	}
	return len(set.Keys), nil
}

// ssoTrouble says what keeps a provider from being asked.
func ssoTrouble(issuer string, err error) TestResult {
	text := err.Error()
	switch {
	case strings.Contains(text, "did not match the issuer"):
		return TestResult{Text: "What answers calls itself by another name: " + plainError(err) + ".", Mend: "Enter the issuer exactly as the provider writes it, with or without a slash at the end."}
	case strings.Contains(text, "404"):
		return TestResult{Text: "There is no provider at " + issuer + ": it has no /.well-known/openid-configuration.", Mend: "Look the issuer up where Picket is registered at the provider."}
	case strings.Contains(text, "no such host"):
		return TestResult{Text: "The name in the issuer is not known.", Mend: "Check the spelling, and this server's name service."}
	case strings.Contains(text, "refused"):
		return TestResult{Text: "Nothing listens at " + issuer + ".", Mend: "Is the provider running, and is the port right?"}
	case errors.Is(err, context.DeadlineExceeded) || strings.Contains(text, "Timeout") || strings.Contains(text, "deadline"):
		return TestResult{Text: "The provider did not answer in time.", Mend: "Open the way from this server to " + issuer + "."}
	case strings.Contains(text, "certificate") || strings.Contains(text, "x509"):
		return TestResult{Text: "The provider's certificate is not believed: " + plainError(err) + ".", Mend: "Give this server the certificate authority that signed it."}
	}
	return TestResult{Text: "The provider cannot be asked: " + plainError(err) + ".", Mend: "Check the issuer."}
}

// plainError is the text of an error in one line of bounded length.
func plainError(err error) string { return strings.TrimRight(cutText(err.Error(), 300), ".") }

// SignInWays is what the sign-in page offers.
type SignInWays struct {
	SingleSignOn string `json:"single_sign_on" doc:"What the button says; empty: there is none."`
	LocalAdmins  bool   `json:"local_admins_only" doc:"Passwords and passkeys are for administrators."`
}

// SignInWays tells anybody how to sign in here.
func (a *Accounts) SignInWays(context.Context) SignInWays {
	w := SignInWays{LocalAdmins: a.policy.Load().LocalAdminsOnly}
	if s := a.sso.setUp(); s.Enabled {
		w.SingleSignOn = s.Name
	}
	return w
}

// challengeOf is the PKCE challenge of a verifier (RFC 7636, S256).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return b64url.EncodeToString(sum[:])
}
