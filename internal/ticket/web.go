package ticket

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	requestTime = 20 * time.Second // for one request, its answer included
	maxAnswer   = 2 << 20          // bytes of an answer that are read
	maxWait     = time.Hour        // that a receiver may ask for
	agentName   = "Picket-Ticketing"
)

// web is an HTTP client with the manners of this package: bounded in time and
// size, no redirect to another host, never to link-local addresses.
type web struct {
	client *http.Client
	auth   func(*http.Request)
}

func newWeb(opt Options, auth ...func(*http.Request)) *web {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: refuseLinkLocal}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext, t.Proxy = dialer.DialContext, opt.Proxy
	t.MaxResponseHeaderBytes = 64 << 10
	t.IdleConnTimeout = 30 * time.Second
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: opt.Roots}
	w := &web{client: &http.Client{Transport: t, Timeout: requestTime, CheckRedirect: sameHost}}
	if len(auth) > 0 {
		w.auth = auth[0]
	}
	return w
}

// refuseLinkLocal keeps requests away from addresses that only services of the
// machine's own surroundings have: cloud metadata is there.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := ap.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return &Error{What: "The address " + ip.String() + " is link-local: nothing is sent there.", Mend: "Enter the address of the ticket system."}
	}
	return nil
}

// sameHost follows a redirect only of a question, and only to the same place.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0]
	if r.URL.Host != first.URL.Host || r.URL.Scheme != first.URL.Scheme || first.Method != http.MethodGet || len(via) > 3 {
		return &Error{What: fmt.Sprintf("%s answered with a redirect to %s, which is not followed.", first.URL.Host, r.URL.Host),
			Mend: "Enter the final address in Settings › Ticketing."}
	}
	return nil
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// jiraAuth is Basic with a user, else a bearer token.
func jiraAuth(user, secret string) func(*http.Request) {
	if user == "" {
		return bearer(secret)
	}
	return func(r *http.Request) { r.SetBasicAuth(user, secret) }
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request with a JSON body (nil: none). Any answer is an answer; err
// is for none at all.
func (w *web) do(ctx context.Context, method, url string, body any, header ...string) (answer, error) {
	var raw []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return answer{}, fmt.Errorf("encode request: %w", err)
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(raw))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("User-Agent", agentName)
	r.Header.Set("Accept", "application/json")
	if raw != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if w.auth != nil {
		w.auth(r)
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return answer{}, unreachable(r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, unreachable(r.URL.Host, err)
	}
	if len(text) > maxAnswer {
		return answer{}, &Error{What: fmt.Sprintf("%s answered with more than %d bytes.", r.URL.Host, maxAnswer), Mend: "Check that the address is that of the ticket system's API."}
	}
	return answer{resp.StatusCode, resp.Header, redact(text, r)}, nil
}

// leastRedacted is how long a credential is at least, so that taking it out
// does not take ordinary words out.
const leastRedacted = 6

// redact takes the credentials of a request out of what was answered: a
// receiver may say back what it was told, and people read its words.
func redact(text []byte, r *http.Request) []byte {
	_, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	_, password, _ := r.BasicAuth()
	for _, secret := range []string{given, password} {
		if len(secret) >= leastRedacted {
			text = bytes.ReplaceAll(text, []byte(secret), []byte("[redacted]"))
		}
	}
	return text
}

// unreachable says why there was no answer.
func unreachable(host string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &Error{What: host + " did not answer in time.", Mend: "Check that this server may reach it (firewall, proxy) and that it is up."}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &Error{What: "The name " + dns.Name + " is not known.", Mend: "Check the address in Settings › Ticketing and this server's DNS."}
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 && strings.Contains(text, "\": ") {
		text = text[strings.Index(text, "\": ")+3:]
	}
	mend := "Check the address, and that this server may reach it (firewall, proxy)."
	if strings.Contains(text, "certificate") || strings.Contains(text, "tls:") {
		mend = "Make this server trust the receiver's certificate authority, or check the address."
	}
	return &Error{What: host + " cannot be reached: " + cut(text, 300) + ".", Mend: mend}
}

// refused turns an answer that is no success into an error. words are what the
// receiver says itself.
func (a *answer) refused(who, words string) error {
	e := &Error{What: fmt.Sprintf("%s answered %d %s", who, a.status, http.StatusText(a.status)), After: a.wait()}
	if words = cut(words, 300); words != "" {
		e.What += ": " + words
	}
	e.What += "."
	switch {
	case a.status == http.StatusUnauthorized:
		e.Mend = "Check user and token in Settings › Ticketing: the receiver does not take them."
	case a.status == http.StatusForbidden && e.After == 0:
		e.Mend = "Give the account of the token the right to create tickets there."
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		e.Mend = "Check address, project and the rights of the account: the receiver knows no such place."
	case a.status == http.StatusTooManyRequests || e.After > 0:
		e.Mend = "Nothing to do: it is sent again when the receiver allows it."
	case a.status >= 500:
		e.Mend = "Nothing to do if it passes: it is tried again. Else look at the receiver's own log."
	default:
		e.Mend = "Check the settings of this destination against what the receiver says."
	}
	return e
}

// wait is how long the receiver asks to wait.
func (a *answer) wait() time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(a.header.Get("Retry-After"))); err == nil && s > 0 {
		return min(time.Duration(s)*time.Second, maxWait)
	}
	if a.status == http.StatusForbidden && a.header.Get("X-RateLimit-Remaining") == "0" {
		return maxWait / 4
	}
	return 0
}

// decode reads a JSON answer; what is none is an error with how to mend it.
func (a *answer) decode(who string, into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return &Error{What: fmt.Sprintf("%s answered %d with something that is not the API's JSON.", who, a.status), Mend: "Check that the address is that of the ticket system and not of a sign-in page or proxy."}
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
