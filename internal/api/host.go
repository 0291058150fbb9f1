package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// misdirected reports whether a request reached this machine's own address
// under a name that is not of it: a page elsewhere whose name was made to lead
// here (DNS rebinding) would be taken for the console's own by the browser. An
// address is never such a name. It holds for plain HTTP on a loopback address,
// which is for this machine alone; elsewhere the certificate says who answers.
func (h *handler) misdirected(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || r.TLS != nil {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil || !at.Addr().Unmap().IsLoopback() {
		return false
	}
	name := bareHost(r.Host)
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return false
	}
	public, err := url.Parse(h.opt.PublicURL)
	return err != nil || name != bareHost(public.Host)
}

// bareHost is a host without its port, in lower case.
func bareHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// misdirect says how a request under another name is let in.
func misdirect(w http.ResponseWriter) {
	apiHeaders(w)
	http.Error(w, "Picket does not answer to this name here. Use the address or localhost, or start the server with --public-url and this name.", http.StatusMisdirectedRequest)
}
