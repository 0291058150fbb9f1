package server

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/store"
)

const (
	maxRedirects = 20   // of one application
	maxRedirect  = 2000 // bytes of one
)

// checkRedirect says why people cannot be sent back to an address; "" when they
// can: https, http on this machine (RFC 8252, section 7.3), or a scheme of its
// own with a dot in its name (section 7.1), which no scheme of browsers has.
func checkRedirect(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || len(text) > maxRedirect || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\^{|}*`+"`", r) }):
		return "is not an address in ASCII without wildcards"
	case strings.Contains(text, "#"):
		return "must not have a fragment"
	case u.User != nil:
		return "must not hold a user name"
	case u.Scheme == "https" && u.Hostname() != "":
		return ""
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	case u.Scheme == "http" || u.Scheme == "https":
		return "must be https, or http at localhost, 127.0.0.1 or [::1]"
	case !strings.Contains(u.Scheme, "."):
		return "has a scheme without a dot: an application's own is named like com.example.app"
	}
	return ""
}

func checkRedirects(list []string) ([]string, error) {
	if len(list) > maxRedirects {
		return nil, Invalidf("redirects", "are %d, at most %d", len(list), maxRedirects)
	}
	out := []string{}
	for _, text := range list {
		text = strings.TrimSpace(text)
		if why := checkRedirect(text); why != "" {
			return nil, Invalidf("redirects", "%q %s", text, why)
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, nil
}

// redirectRegistered reports whether an application may have people sent back to
// an address: to the byte as it is registered, but that a public application
// listens at any port of the loopback that it was registered with.
func redirectRegistered(app *store.App, text string) bool {
	if slices.Contains(app.Redirects, text) {
		return true
	}
	if !app.Public || checkRedirect(text) != "" {
		return false
	}
	return slices.ContainsFunc(app.Redirects, func(r string) bool { return withoutPort(r) != "" && withoutPort(r) == withoutPort(text) })
}

// withoutPort is an http address of this machine without its port; "" for others.
func withoutPort(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || !isLoopback(u.Hostname()) {
		return ""
	}
	rest, _ := strings.CutPrefix(text, "http://"+u.Host)
	return strings.ToLower(u.Hostname()) + "|" + rest
}

// sentBack is an address with parameters of an answer added.
func sentBack(redirect string, add url.Values) string {
	sep := "?"
	if strings.Contains(redirect, "?") {
		sep = "&"
	}
	return redirect + sep + add.Encode()
}

// originOf is the web origin of an address as browsers write it; "" without a host.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	standard := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), standard)
}

// MayAskFrom reports whether pages of a web origin may read what the token
// address answers to an application: the application is public and people are
// sent back to that origin. With client "" any such application will do.
func (a *Accounts) MayAskFrom(ctx context.Context, client, origin string) (bool, error) {
	apps, err := a.st.PublicApps(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(apps, func(app store.App) bool {
		return (client == "" || app.Client == strings.ToLower(client)) && slices.ContainsFunc(app.Redirects, func(r string) bool { return origin != "" && originOf(r) == origin })
	}), nil
}
