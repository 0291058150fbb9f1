package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Client asks a server's API as an application. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// Client registers an application and signs it in.
func (s *Server) Client(ctx context.Context) (*Client, error) {
	raw, err := s.Admin(ctx, "app create", "--name", "rig")
	if err != nil {
		return nil, err
	}
	var app struct{ TenantID, ClientID, ClientSecret string }
	if err := json.Unmarshal(raw, &app); err != nil {
		return nil, fmt.Errorf("read answer of app create: %w", err)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret},
		"scope": {"https://picket/.default"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/"+app.TenantID+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	c := &Client{base: s.URL, http: &http.Client{Timeout: time.Minute}}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := c.do(req, &token); err != nil {
		return nil, fmt.Errorf("get a token: %w", err)
	}
	c.token = token.AccessToken
	return c, nil
}

// With returns a client of the server at an address that sends what h sends
// with its requests: cookies of a session, for one.
func With(base string, h *http.Client) *Client { return &Client{base: base, http: h} }

// Get asks for path ("/api/x/devices?size=1") and decodes the JSON answer into v.
func (c *Client) Get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.do(req, v)
}

// Stream asks for a path, or for an address that the server gave, and returns
// the answer with its body unread. Only 200 is no error.
func (c *Client) Stream(ctx context.Context, path string) (*http.Response, error) {
	if strings.HasPrefix(path, "/") {
		path = c.base + path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // what can be read of it says why
		return nil, errors.Join(fmt.Errorf("GET %s: %s: %s", req.URL.Path, res.Status, body), res.Body.Close())
	}
	return res, nil
}

// Post sends v as JSON to a path and decodes what is answered into out; nil leaves it.
func (c *Client) Post(ctx context.Context, path string, v, out any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(req, out)
}

func (c *Client) do(req *http.Request, v any) error {
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 256<<20))
	if err != nil {
		return fmt.Errorf("GET %s: %w", req.URL.Path, err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %.300s", req.Method, req.URL.Path, res.Status, body)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil
}

// Page is one page of a list of the console's API.
type Page[T any] struct {
	Items []T `json:"items"`
	Total int `json:"total"`
}

// Device is a row of the list of devices.
type Device struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Software   int    `json:"software"`
	Weaknesses int    `json:"weaknesses"`
	Connected  bool   `json:"connected"`
}

// Product is a row of a device's software.
type Product struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Version     string `json:"version"`
	NotAssessed string `json:"not_assessed"` // why, else empty
}

// All returns every row of a list, page by page. path has no query.
func All[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var all []T
	for n := 1; ; n++ {
		var p Page[T]
		if err := c.Get(ctx, fmt.Sprintf("%s?size=1000&page=%d", path, n), &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if len(p.Items) == 0 || len(all) >= p.Total {
			return all, nil
		}
	}
}

// Devices returns every device.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	return All[Device](ctx, c, "/api/x/devices")
}

// Software returns a device's products: version by name. Of several of a name it
// is one that is assessed; the same product twice is an error.
func (c *Client) Software(ctx context.Context, device string) (map[string]string, error) {
	rows, err := All[Product](ctx, c, "/api/x/devices/"+device+"/software")
	if err != nil {
		return nil, err
	}
	out, seen := map[string]string{}, map[string]string{}
	for _, r := range rows {
		if old, twice := seen[r.ID]; twice {
			return nil, fmt.Errorf("product %s is listed twice: %s and %s", r.ID, old, r.Version)
		}
		seen[r.ID] = r.Version
		if _, other := out[r.Name]; !other || r.NotAssessed == "" { // a package of a language may be a distribution's too
			out[r.Name] = r.Version
		}
	}
	return out, nil
}

// Console signs in at the console as the first administrator, who need not have
// set a password yet. It can do what applications may not.
func (s *Server) Console(ctx context.Context) (*Client, error) {
	raw, err := s.Admin(ctx, "sign-in-link")
	if err != nil {
		return nil, err
	}
	_, token, _ := strings.Cut(strings.TrimSpace(string(raw)), "#")
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &Client{base: s.URL, http: &http.Client{Timeout: time.Minute, Jar: jar}}
	if err := c.Send(ctx, http.MethodPost, "/api/x/session/redeem", map[string]string{"token": token}, nil); err != nil {
		return nil, fmt.Errorf("redeem the sign-in link: %w", err)
	}
	return c, nil
}

// Send sends v as JSON and decodes the answer, if there is one, into answer.
func (c *Client) Send(ctx context.Context, method, path string, v, answer any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	return c.do(req, answer)
}
