// Package client is Picket's API for Go programs. The methods and types of
// api.gen.go follow the server's own description of the API; this file signs
// in, tries again where that is right, and turns refusals into errors.
//
//	c, err := client.New(client.Options{URL: "https://picket.example", ClientID: id, ClientSecret: secret})
//	for d, err := range c.DevicesAll(ctx, client.DevicesParams{Tag: []string{"production"}}) {
//		…
//	}
//
// The names of the API are a contract of version 1 of Picket's API: fields may
// be added, none is taken away without a new major version.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say which server it is and who asks.
type Options struct {
	URL          string // of the console and the API, "https://picket.example"
	ClientID     string // of an application, or of a person's own token
	ClientSecret string
	// HTTP sends the requests; nil: a client with sensible limits. With one that
	// signs requests in by itself, ClientID may be empty.
	HTTP *http.Client
	// MaxWait is the longest wait that a server may ask for before the request
	// is given up (a limit of calls, a server that starts); 0: one minute.
	MaxWait   time.Duration
	UserAgent string // "" is "picket-client"
}

// Client asks one server. It is safe for concurrent use.
type Client struct {
	base  string
	opt   Options
	sleep func(ctx context.Context, d time.Duration) error

	mu      sync.Mutex // guards the token
	token   string
	expires time.Time
}

const (
	maxTries  = 4
	maxAnswer = 512 << 20 // bytes of one answer that is no stream
	maxError  = 1 << 20
)

// New makes a client; nothing is sent yet. The address must be https, or http
// to this machine.
func New(opt Options) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(opt.URL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("%q is not an address like https://picket.example", opt.URL)
	}
	if h := u.Hostname(); u.Scheme == "http" && h != "localhost" && h != "127.0.0.1" && h != "::1" {
		return nil, fmt.Errorf("%q is not https: the secret would be readable on the way", opt.URL)
	}
	if (opt.ClientID == "") != (opt.ClientSecret == "") || opt.ClientID == "" && opt.HTTP == nil {
		return nil, errors.New("a client id and a client secret are needed")
	}
	if opt.HTTP == nil {
		opt.HTTP = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if opt.MaxWait == 0 {
		opt.MaxWait = time.Minute
	}
	if opt.UserAgent == "" {
		opt.UserAgent = "picket-client"
	}
	return &Client{base: strings.TrimRight(u.Scheme+"://"+u.Host+u.Path, "/"), opt: opt, sleep: sleep}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Error is what the server said when it did not do what was asked.
type Error struct {
	Status  int
	Title   string
	Detail  string
	Fields  []ErrorDetail
	Request string        // id of the request: the server's log has more under it
	After   time.Duration // the server asks to wait for this long
}

// Error is a sentence for people.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if text == "" {
		text = http.StatusText(e.Status)
	}
	for _, f := range e.Fields {
		text += "; " + strings.TrimPrefix(f.Location+": "+f.Message, ": ")
	}
	return fmt.Sprintf("the server answered %d: %s", e.Status, text)
}

// Refused reports whether the caller is not known or lacks the permission.
func (e *Error) Refused() bool { return e.Status == 401 || e.Status == 403 }

// NotFound reports whether there is no such item, or none that the caller may see.
func (e *Error) NotFound() bool { return e.Status == 404 }

// ErrUnreachable says that there was no answer at all.
var ErrUnreachable = errors.New("the server cannot be reached")

// do sends a request with a JSON body and decodes the answer into out, unless it is nil.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, in, out any) error {
	resp, err := c.send(ctx, method, path, query, in)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, maxError))
		return err
	}
	dec := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	return nil
}

// stream sends a request whose answer is read as it comes.
func (c *Client) stream(ctx context.Context, method, path string, query url.Values, in any) (*Stream, error) {
	resp, err := c.send(ctx, method, path, query, in)
	if err != nil {
		return nil, err
	}
	return newStream(resp), nil
}

// send signs a request in and sends it, and again where that is right: once
// with a new token after 401, and after the wait that the server asks for.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, in any) (*http.Response, error) {
	kind := "application/json"
	if _, raw := in.(io.Reader); raw {
		kind = "application/octet-stream"
	}
	body, again, err := bodyOf(in)
	if err != nil {
		return nil, err
	}
	fresh := false
	for try := 1; ; try++ {
		resp, err := c.once(ctx, method, path, query, kind, body)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode < 300 {
			return resp, nil
		}
		refusal := readError(resp)
		switch {
		case refusal.Status == http.StatusUnauthorized && !fresh && again && c.opt.ClientID != "":
			fresh = true
			c.forget()
		case (refusal.Status == http.StatusTooManyRequests || refusal.Status == http.StatusServiceUnavailable) && again && refusal.After > 0 && refusal.After <= c.opt.MaxWait && try < maxTries:
			if err := c.sleep(ctx, refusal.After); err != nil {
				return nil, err
			}
		default:
			return nil, refusal
		}
		if again && body != nil {
			body, _, _ = bodyOf(in)
		}
	}
}

// bodyOf is the body of a request; again says that it can be sent once more.
func bodyOf(in any) (body io.Reader, again bool, err error) {
	switch b := in.(type) {
	case nil:
		return nil, true, nil
	case io.Reader:
		return b, false, nil
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, false, fmt.Errorf("encode request: %w", err)
	}
	return bytes.NewReader(raw), true, nil
}

func (c *Client) once(ctx context.Context, method, path string, query url.Values, kind string, body io.Reader) (*http.Response, error) {
	address := c.base + "/api/x" + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("User-Agent", c.opt.UserAgent)
	if c.opt.ClientID != "" {
		token, err := c.bearer(ctx)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return c.reach(req)
}

// reach sends a request; no answer is ErrUnreachable.
func (c *Client) reach(req *http.Request) (*http.Response, error) {
	resp, err := c.opt.HTTP.Do(req)
	if err != nil {
		if ctxErr := req.Context().Err(); ctxErr != nil {
			return nil, ctxErr
		}
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // the address has no secret, but says nothing new either
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base, err)
	}
	return resp, nil
}

// forget drops the token.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = ""
}

// bearer is a token that holds for a while yet.
func (c *Client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && time.Until(c.expires) > time.Minute {
		return c.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.opt.ClientID}, "client_secret": {c.opt.ClientSecret}, "scope": {"urn:picket:api/.default"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", c.opt.UserAgent)
	resp, err := c.reach(req)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", readError(resp)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxError)).Decode(&out); err != nil || out.AccessToken == "" {
		return "", fmt.Errorf("the answer of %s is no token: is it the address of Picket?", req.URL.Host)
	}
	c.token, c.expires = out.AccessToken, time.Now().Add(time.Duration(out.ExpiresIn)*time.Second)
	return c.token, nil
}

// readError reads what a refusal says and closes it.
func readError(resp *http.Response) *Error {
	defer func() { _ = resp.Body.Close() }()
	e := &Error{Status: resp.StatusCode, Request: resp.Header.Get("X-Request-Id")}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.After = time.Duration(s) * time.Second
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	if err != nil {
		return e
	}
	var p struct {
		Title       string          `json:"title"`
		Detail      string          `json:"detail"`
		Errors      []ErrorDetail   `json:"errors"`
		Code        json.RawMessage `json:"error"` // of the token address, and of the Defender API
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(raw, &p) == nil {
		e.Title, e.Detail, e.Fields = p.Title, p.Detail, p.Errors
		if p.Description != "" {
			e.Detail = p.Description
		}
	}
	return e
}

// pages walks a list from a page on. Rows that change places between two pages
// may come twice or not at all, as with every list that lives.
func pages[T any](page, size int64, get func(page, size int64) ([]T, int64, error)) iter.Seq2[T, error] {
	page, all := max(page, 1), size <= 0
	if all {
		size = 1000
	}
	return func(yield func(T, error) bool) {
		for n := page; ; n++ {
			rows, total, err := get(n, size)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
			if len(rows) == 0 || n*size >= total {
				return
			}
		}
	}
}

// addQuery adds a parameter unless it is zero. Values of a list are joined by
// commas; a comma within one is written as the API wants it.
func addQuery[T string | int64 | bool | float64 | time.Time | []string | []int64 | *bool](q url.Values, name string, v T) {
	switch x := any(v).(type) {
	case string:
		if x != "" {
			q.Set(name, x)
		}
	case int64:
		if x != 0 {
			q.Set(name, strconv.FormatInt(x, 10))
		}
	case bool:
		if x {
			q.Set(name, "true")
		}
	case float64:
		if x != 0 {
			q.Set(name, strconv.FormatFloat(x, 'f', -1, 64))
		}
	case time.Time:
		if !x.IsZero() {
			q.Set(name, x.UTC().Format(time.RFC3339Nano))
		}
	case []string:
		if len(x) > 0 {
			list := make([]string, len(x))
			for i, s := range x {
				list[i] = strings.ReplaceAll(s, ",", "%2C")
			}
			q.Set(name, strings.Join(list, ","))
		}
	case []int64:
		if len(x) > 0 {
			list := make([]string, len(x))
			for i, n := range x {
				list[i] = strconv.FormatInt(n, 10)
			}
			q.Set(name, strings.Join(list, ","))
		}
	case *bool:
		if x != nil {
			q.Set(name, strconv.FormatBool(*x))
		}
	}
}

// pathValue escapes a value of a path.
func pathValue[T string | int64](v T) string { return url.PathEscape(fmt.Sprint(v)) }
