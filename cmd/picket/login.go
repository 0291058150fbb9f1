package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/picketsec/picket/client"
	"github.com/picketsec/picket/internal/server"
)

// LoginCmd is "picket login".
type LoginCmd struct {
	URL      string   `name:"url" required:"" env:"PICKET_URL" help:"Address of a server, such as https://picket.example."`
	ClientID string   `name:"client-id" required:"" env:"PICKET_CLIENT_ID" help:"Client id of a public application that is registered for codes of devices."`
	CA       string   `name:"ca" env:"PICKET_CA" help:"Certificates (PEM) that vouch for the server; without it the system's."`
	Scope    []string `sep:"," default:".default" help:"Permissions to ask for, such as Machine.Read; all that the application is registered for unless given."`
}

// LogoutCmd is "picket logout".
type LogoutCmd struct{}

// login is who a person signed in as with "picket login": the file holds it, of mode 0600.
type login struct {
	URL      string    `json:"url"`
	ClientID string    `json:"clientId"`
	CA       string    `json:"ca,omitempty"`
	Access   string    `json:"accessToken"`
	Refresh  string    `json:"refreshToken"`
	Expires  time.Time `json:"expires"`
}

// loginFile is where it is kept.
func loginFile() (string, error) {
	if f := os.Getenv("PICKET_LOGIN"); f != "" {
		return f, nil
	}
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "picket", "login.json"), err
}

// readLogin reads a login; without a file it is the zero one.
func readLogin(file string) (l login, err error) {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) {
		return login{}, nil
	}
	if err != nil {
		return l, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return l, server.Invalidf("login", "%q has mode %04o: others can read the tokens; run picket logout and picket login", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	if err != nil {
		return l, fmt.Errorf("read login %q: %w", file, err)
	}
	return l, nil
}

// write replaces the file as a whole; it is the person's alone from the beginning.
func (l *login) write(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".login-*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("keep login: %w", err)
	}
	return nil
}

// oauthAnswer is what the token and device addresses answer.
type oauthAnswer struct {
	Access      string `json:"access_token"`
	Refresh     string `json:"refresh_token"`
	ExpiresIn   int64  `json:"expires_in"`
	DeviceCode  string `json:"device_code"`
	UserCode    string `json:"user_code"`
	Address     string `json:"verification_uri"`
	Interval    int64  `json:"interval"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	status      int
}

// postForm asks the token or device address of a server.
func postForm(ctx context.Context, hc *http.Client, address string, form url.Values) (out oauthAnswer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return out, server.Invalidf("--url", "%v", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := hc.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, unreachedError{fmt.Errorf("%w: %w", client.ErrUnreachable, err)}
	}
	defer func() { _ = resp.Body.Close() }()
	out.status = resp.StatusCode
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&out); err != nil {
		return out, fmt.Errorf("the answer of %s is not Picket's: %w", req.URL.Host, err)
	}
	return out, nil
}

func (a *oauthAnswer) refusal() error {
	return refusedError{fmt.Errorf("the server refused: %s (%s)", a.Description, a.Error)}
}

// Run shows a code, waits until its person lets it in on the console, and keeps the tokens.
func (c *LoginCmd) Run(e *env) error {
	base := strings.TrimRight(c.URL, "/")
	hc, _, err := httpFor(c.CA)
	if err != nil {
		return err
	}
	if _, err := client.New(client.Options{URL: base, HTTP: hc}); err != nil {
		return server.Invalidf("--url", "%v", err)
	}
	start, err := postForm(e.ctx, hc, base+"/oauth2/v2.0/devicecode", url.Values{"client_id": {c.ClientID}, "scope": {strings.Join(append(c.Scope, "offline_access"), " ")}})
	if err != nil {
		return err
	}
	if start.DeviceCode == "" {
		return start.refusal()
	}
	_, _ = fmt.Fprintf(e.err, "Open %s in a browser and enter the code %s\n", start.Address, start.UserCode)
	wait := time.Duration(max(1, start.Interval)) * time.Second
	for end := time.Now().Add(time.Duration(start.ExpiresIn) * time.Second); time.Now().Before(end); {
		select {
		case <-e.ctx.Done():
			return e.ctx.Err()
		case <-time.After(wait):
		}
		got, err := postForm(e.ctx, hc, base+"/oauth2/v2.0/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {c.ClientID}, "device_code": {start.DeviceCode}})
		switch {
		case err != nil:
			return err
		case got.Error == "authorization_pending":
		case got.Error == "slow_down":
			wait += 5 * time.Second
		case got.Access == "":
			return got.refusal()
		default:
			file, err := loginFile()
			if err != nil {
				return err
			}
			ca := c.CA
			if ca != "" {
				if ca, err = filepath.Abs(ca); err != nil {
					return err
				}
			}
			l := login{URL: base, ClientID: c.ClientID, CA: ca}
			l.took(&got)
			unlock, err := lockFile(e.ctx, file)
			if err != nil {
				return err
			}
			defer unlock()
			if err := l.write(file); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(e.err, "Signed in. The tokens are in %s\n", file)
			return nil
		}
	}
	return refusedError{errors.New("nobody let this in in time: run picket login again")}
}

func (l *login) took(a *oauthAnswer) {
	l.Access, l.Refresh, l.Expires = a.Access, a.Refresh, time.Now().Add(time.Duration(a.ExpiresIn)*time.Second)
}

// Run ends the grant at the server and forgets the tokens.
func (LogoutCmd) Run(e *env) error {
	file, err := loginFile()
	if err != nil {
		return err
	}
	unlock, err := lockFile(e.ctx, file)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := readLogin(file)
	if err != nil || l.URL == "" {
		return errors.Join(err, os.RemoveAll(file))
	}
	hc, _, err := httpFor(l.CA)
	if err == nil {
		var got oauthAnswer
		got, err = postForm(e.ctx, hc, l.URL+"/oauth2/v2.0/revoke", url.Values{"client_id": {l.ClientID}, "token": {l.Refresh}})
		if err == nil && got.status != http.StatusOK {
			err = got.refusal()
		}
	}
	return errors.Join(err, os.Remove(file))
}

// signedIn puts the token of a login on requests, and gets a new one when it
// ends. Processes with one login take turns. It is safe for concurrent use.
type signedIn struct {
	file string
	base http.RoundTripper
	mu   sync.Mutex
	l    login
}

// RoundTrip sends a request, and once more with a new token after 401 when that can be.
func (s *signedIn) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := s.token(r.Context(), "")
	if err != nil {
		return nil, err
	}
	send := func(token string) (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Header.Set("Authorization", "Bearer "+token)
		if r.GetBody != nil {
			if again.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
		return s.base.RoundTrip(again)
	}
	resp, err := send(token)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || r.Body != nil && r.GetBody == nil {
		return resp, err
	}
	if token, err = s.token(r.Context(), token); err != nil {
		return resp, nil //nolint:nilerr // the refusal that is there says it
	}
	_ = resp.Body.Close()
	return send(token)
}

// token is one that holds for a while and is not stale.
func (s *signedIn) token(ctx context.Context, stale string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.l.Access != stale && time.Until(s.l.Expires) > time.Minute {
		return s.l.Access, nil
	}
	unlock, err := lockFile(ctx, s.file)
	if err != nil {
		return "", err
	}
	defer unlock()
	if s.l, err = readLogin(s.file); err != nil { // another process may have been first
		return "", err
	}
	if s.l.Access != stale && time.Until(s.l.Expires) > time.Minute {
		return s.l.Access, nil
	}
	got, err := postForm(ctx, &http.Client{Transport: s.base}, s.l.URL+"/oauth2/v2.0/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {s.l.ClientID}, "refresh_token": {s.l.Refresh}})
	if err != nil {
		return "", err
	}
	if got.Access == "" {
		return "", refusedError{fmt.Errorf("the sign-in has ended (%s): run picket login", got.Error)}
	}
	s.l.took(&got)
	return s.l.Access, s.l.write(s.file)
}

// lockFile waits until this process alone holds a login file. The lock, of a file
// beside it that stays, goes with the process.
func lockFile(ctx context.Context, file string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("lock login %q: %w", file, err)
		}
		select {
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
