// Package api is HTTP for people and programs: the console's API under
// /api/x/ (typed, described by openapi.golden.json), the Defender-compatible
// routes under /api (package mde), token routes and the console itself.
//
//	h := api.New(api.Options{Server: srv, Web: web.Handler(), Log: log})
//	err := http.Serve(listener, h)
//
// Every path under /api/ asks who calls before it looks at anything else. What
// a caller may do is decided in package server, never here.
package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

// Sessions is what the HTTP layer asks of signing in and out.
type Sessions interface {
	RedeemLink(ctx context.Context, token string, from server.Place) (server.SignedIn, error)
	SignIn(ctx context.Context, username, password string, from server.Place) (server.SignedIn, error)
	SignOut(ctx context.Context, secret server.SessionSecret) error
	SessionCaller(ctx context.Context, secret server.SessionSecret) (server.Caller, server.Me, error)
	SecondFactor(ctx context.Context, ticket, factor, code string, from server.Place) (server.SignedIn, error)
	AskPasskey(ctx context.Context, step string, from server.Place) (server.Ceremony, error)
	PasskeySignIn(ctx context.Context, ticket string, answer json.RawMessage, from server.Place) (server.SignedIn, error)
}

// Own is what the HTTP layer asks of a person's own account.
type Own interface {
	SetPassword(ctx context.Context, c server.Caller, current, fresh string) error
	Prefs(ctx context.Context, c server.Caller) (json.RawMessage, error)
	SetPrefs(ctx context.Context, c server.Caller, prefs json.RawMessage) error
	Sessions(ctx context.Context, c server.Caller) ([]server.SessionRow, error)
	EndSession(ctx context.Context, c server.Caller, id string) error
	EndOtherSessions(ctx context.Context, c server.Caller) error
}

// OwnFactors is what the HTTP layer asks of a person's second factors.
type OwnFactors interface {
	OwnFactors(ctx context.Context, c server.Caller) (server.Factors, error)
	BeginCode(ctx context.Context, c server.Caller, password string) (server.NewCode, error)
	ConfirmCode(ctx context.Context, c server.Caller, code string) (server.RecoverySet, error)
	RemoveCode(ctx context.Context, c server.Caller, password string) error
	NewRecoveryCodes(ctx context.Context, c server.Caller, password string) (server.RecoverySet, error)
}

// OwnPasskeys is what the HTTP layer asks of a person's passkeys.
type OwnPasskeys interface {
	BeginPasskey(ctx context.Context, c server.Caller, password string, from server.Place) (server.Ceremony, error)
	AddPasskey(ctx context.Context, c server.Caller, ticket, name string, answer json.RawMessage, from server.Place) (server.RecoverySet, error)
	RenamePasskey(ctx context.Context, c server.Caller, id, name string) error
	RemovePasskey(ctx context.Context, c server.Caller, id, password string) error
}

// SignsIn is all that concerns people who sign in and how they do.
type SignsIn interface {
	Sessions
	Own
	OwnFactors
	OwnPasskeys
	SignInSettings
	SignOn
	Directory
}

// SignOn is what the HTTP layer asks of the identity provider.
type SignOn interface {
	SignInWays(ctx context.Context) server.SignInWays
	DepartSSO(ctx context.Context, next string, from server.Place) (server.Departure, error)
	ArriveSSO(ctx context.Context, query url.Values, slip string, from server.Place) (server.SignedIn, string, error)
	LeaveSSO(ctx context.Context, base string) string
	SingleSignOn(ctx context.Context, c server.Caller, base string) (server.SingleSignOnView, error)
	SetSingleSignOn(ctx context.Context, c server.Caller, e server.SingleSignOnEdit, base string) (server.SingleSignOnView, error)
	TestSingleSignOn(ctx context.Context, c server.Caller, e server.SingleSignOnEdit) (server.TestResult, error)
}

// Directory is what the HTTP layer asks of provisioning.
type Directory interface {
	Provisioner(ctx context.Context, token string) (*server.Provisioner, error)
	Provisioning(ctx context.Context, c server.Caller, base string) (server.Provisioning, error)
	MakeProvisioningToken(ctx context.Context, c server.Caller) (server.ProvisioningToken, error)
	EndProvisioning(ctx context.Context, c server.Caller) error
}

// SignInSettings is what the HTTP layer asks of the rules of signing in.
type SignInSettings interface {
	SignInPolicy(ctx context.Context, c server.Caller) (server.SignInPolicy, error)
	SetSignInPolicy(ctx context.Context, c server.Caller, p server.SignInPolicy) (server.SignInPolicy, error)
	Locks(ctx context.Context, c server.Caller) ([]server.LockRow, error)
	Unlock(ctx context.Context, c server.Caller, id string) error
	ResetPersonFactors(ctx context.Context, c server.Caller, id int64) error
}

// Apps is what the HTTP layer asks of applications and their tokens.
type Apps interface {
	TenantID() string
	IssueToken(ctx context.Context, base, clientID, secret string) (server.AccessToken, error)
	TokenCaller(ctx context.Context, token string) (server.Caller, error)
	KeySet() server.KeySet
	// Admit counts a call of a program.
	Admit(c server.Caller, method, path string) error
}

// Delegates is what the HTTP layer asks of applications that act for people.
type Delegates interface {
	Authorize(ctx context.Context, base, query string) (string, error)
	RedeemCode(ctx context.Context, base string, r server.CodeRequest) (server.DelegatedToken, error)
	RefreshToken(ctx context.Context, base string, r server.RefreshRequest) (server.DelegatedToken, error)
	StartDevice(ctx context.Context, base string, r server.DeviceRequest) (server.DeviceStart, error)
	PollDevice(ctx context.Context, base string, r server.DevicePoll) (server.DelegatedToken, error)
	EndRefreshToken(ctx context.Context, r server.RefreshRequest) error
	MayAskFrom(ctx context.Context, client, origin string) (bool, error)
}

// ConsentDesk is where people let applications act for them, and end it.
type ConsentDesk interface {
	AskedConsent(ctx context.Context, c server.Caller, ask string) (server.Consent, error)
	DecideConsent(ctx context.Context, c server.Caller, base, ask string, allow bool) (string, error)
	AskedDevice(ctx context.Context, c server.Caller, code string) (server.Consent, error)
	DecideDevice(ctx context.Context, c server.Caller, code string, allow bool) error
	OwnGrants(ctx context.Context, c server.Caller) ([]server.GrantRow, error)
	EndOwnGrant(ctx context.Context, c server.Caller, id string) error
	AppGrants(ctx context.Context, c server.Caller, client string) ([]server.GrantRow, error)
	EndAppGrant(ctx context.Context, c server.Caller, client, id string) error
}

// AppDesk manages applications and people's own tokens.
type AppDesk interface {
	Apps(ctx context.Context, c server.Caller) ([]server.AppRow, error)
	NewApp(ctx context.Context, c server.Caller, in server.AppEdit, days int) (server.AppSecret, error)
	EditApp(ctx context.Context, c server.Caller, client string, in server.AppEdit) (server.AppRow, error)
	DeleteApp(ctx context.Context, c server.Caller, client string) error
	AddAppSecret(ctx context.Context, c server.Caller, client string, in server.NewSecret) (server.AppSecret, error)
	DeleteAppSecret(ctx context.Context, c server.Caller, client, id string) error
}

// APIDesk manages what holds for all applications.
type APIDesk interface {
	APISettings(ctx context.Context, c server.Caller) (server.APISettings, error)
	SetAPILimits(ctx context.Context, c server.Caller, preset string, perMinute int) error
	RotateSigningKey(ctx context.Context, c server.Caller, revoke bool) (server.SigningKey, error)
}

// OwnTokens manages what programs of a person's own sign in with.
type OwnTokens interface {
	OwnTokens(ctx context.Context, c server.Caller) ([]server.AppRow, error)
	OwnPermissions(ctx context.Context, c server.Caller) []string
	NewOwnToken(ctx context.Context, c server.Caller, name string, permissions []string, days int) (server.AppSecret, error)
	DeleteOwnToken(ctx context.Context, c server.Caller, client string) error
}

// Programs is all that concerns programs that use the API.
type Programs interface {
	Apps
	Delegates
	ConsentDesk
	AppDesk
	APIDesk
	OwnTokens
}

// Backend is the product behind the HTTP layer: *server.Server.
type Backend interface {
	server.API
	SignsIn
	Programs
	ForwardDesk
	// ExportFile opens a file of an export for whoever knows its secret.
	ExportFile(ctx context.Context, secret, name string) (*os.File, error)
}

// Options are what a handler is made of.
type Options struct {
	Server Backend
	// Web serves the console: everything that is not the API. Nil answers 404.
	Web http.Handler
	// PublicURL is what links handed out to others start with
	// ("https://picket.example"); empty: taken from each request.
	PublicURL string
	Log       *slog.Logger
	Local     bool             // whoever asks is on this machine and owns the data directory: no credentials
	Version   string           // of the product, for the API's description
	Now       func() time.Time // wall clock; nil: time.Now
}

// New returns the handler of the console's listener. It panics only on a
// mistake in the route table, which any test finds.
func New(opt Options) http.Handler {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Web == nil {
		opt.Web = http.NotFoundHandler()
	}
	opt.PublicURL = strings.TrimRight(opt.PublicURL, "/")
	h := &handler{opt: opt, console: newConsole(opt), tokens: newTokenRoutes(opt), cross: http.NewCrossOriginProtection()}
	h.mde = mde.New(mde.Options{Server: opt.Server, Fail: h.defenderError, Broken: h.noteBroken, Now: opt.Now})
	if opt.PublicURL != "" {
		if origin := originOf(opt.PublicURL); origin != "" {
			_ = h.cross.AddTrustedOrigin(origin) // an origin in this form is always taken
		}
	}
	return h
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// handler is the root: it names the request, guards it and sends it on.
type handler struct {
	opt     Options
	console *console
	mde     *mde.Handler
	tokens  *tokenRoutes
	cross   *http.CrossOriginProtection

	provisioning sync.Mutex // one change by a directory at a time
}

// ServeHTTP serves one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = h.prepare(w, r)
	defer h.recover(w, r)
	if h.misdirected(r) {
		misdirect(w)
		return
	}
	area, path := areaOf(r)
	switch area {
	case areaWeb:
		h.opt.Web.ServeHTTP(w, r)
	case areaProbe:
		h.probe(w, r)
	case areaFile:
		apiHeaders(w)
		h.exportFile(w, r, strings.TrimPrefix(path, "/"))
	case areaPackage:
		apiHeaders(w)
		h.packageFile(w, r, strings.TrimPrefix(path, "/"))
	case areaArrive:
		h.arrive(w, r)
	case areaSCIM:
		apiHeaders(w)
		h.serveSCIM(w, r, path)
	case areaToken:
		apiHeaders(w)
		h.tokens.ServeHTTP(w, r)
	default:
		apiHeaders(w)
		h.serveAPI(w, r, area, path)
	}
}

// probe answers "is it alive" and "does it answer from data".
func (h *handler) probe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte("ok\n"))
}
