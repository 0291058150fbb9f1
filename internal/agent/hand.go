package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/picketsec/picket/internal/agent/sense"
	"github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/protocol"
)

// happened records an event of what was done on this host. What was done by order
// the server tells itself, also of a host that says no more.
func (a *agent) happened(e *event.Event) {
	if a.cfg.NoEvents || a.cfg.Once || e.Kind() == event.Response {
		return
	}
	a.events.clock.Stamp(e, sense.Now())
	a.events.Put(e)
}

// way is where connections to the server go: to it, or to a proxy.
func (a *agent) way() *url.URL {
	req := &http.Request{URL: &url.URL{Scheme: "https", Host: a.base.Host}}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		return proxy
	}
	return a.base
}

// serverAddresses are those that the session uses, and those that the next one would.
func (a *agent) serverAddresses(ctx context.Context) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	if at := a.dialled.Load(); at != nil {
		out = append(out, *at)
	}
	way := a.way()
	port := way.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[way.Scheme]
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return out, fmt.Errorf("port of the server: %w", err)
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", way.Hostname())
	if err != nil && len(out) == 0 {
		return nil, fmt.Errorf("addresses of the server: %w", err)
	}
	for _, ip := range list {
		out = append(out, netip.AddrPortFrom(ip.Unmap(), uint16(number)))
	}
	if len(out) == 0 {
		return nil, errors.New("the server has no address")
	}
	return out, nil
}

// reachServer returns nil when the server answers over a connection of its own:
// whatever it answers, it showed its certificate.
func (a *agent) reachServer(ctx context.Context) error {
	client, done := a.client(a.tasks.ident.Load())
	defer done()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url(protocol.PackagePath), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	return resp.Body.Close()
}

// dial connects as net/http does, and remembers where the last connection went.
func (a *agent) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
		at = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
		a.dialled.Store(&at)
	}
	return c, nil
}
