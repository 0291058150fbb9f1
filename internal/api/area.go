package api

import (
	"net/http"
	"strings"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

// area is a part of the server that serves some paths.
type area int

const (
	areaWeb area = iota
	areaProbe
	areaFile    // of exports
	areaPackage // of actions
	areaToken
	areaArrive   // back from the identity provider
	areaSCIM     // below /scim
	areaConsole  // below /api/x
	areaDefender // the rest below /api
)

// prefix is one line of the table of what is served beside the console's pages.
type prefix struct {
	// path is one path, or, with "/" at its end, all that is below it.
	path string
	// owns takes the place of path where one does not say it.
	owns func(escaped string) bool
	area area
	cut  int // how many segments are not handed on
}

// prefixes is the whole table, the first that fits counts: what is not in it is
// a page of the console. The test of who may do what reads it as well: a line of
// which nothing is known there fails.
func prefixes() []prefix {
	return []prefix{
		{path: "/healthz", area: areaProbe, cut: 1},
		{path: "/readyz", area: areaProbe, cut: 1},
		{path: "/api/x/", area: areaConsole, cut: 2},
		{path: "/api/", area: areaDefender, cut: 1},
		{path: server.SSOCallback, area: areaArrive, cut: 2},
		{path: "/scim/", area: areaSCIM},
		{path: mde.DownloadPath, area: areaFile, cut: 1},
		{path: mde.PackagePath, area: areaPackage, cut: 1},
		{owns: isTokenPath, area: areaToken},
	}
}

// fits reports whether a path is the prefix's. The decoded path decides, in any
// letter case, so that no way of writing "/api" in another form reaches around
// what is guarded.
func (p *prefix) fits(escaped, decoded string) bool {
	if p.owns != nil {
		return p.owns(escaped)
	}
	below := strings.HasSuffix(p.path, "/")
	return decoded == strings.TrimSuffix(p.path, "/") || below && strings.HasPrefix(decoded, p.path)
}

// areaOf returns the part that a path belongs to and the escaped path below the
// prefix: below "/api" or "/api/x" it is "" or "/devices/…".
func areaOf(r *http.Request) (area, string) {
	escaped, decoded := r.URL.EscapedPath(), strings.ToLower(r.URL.Path)
	for _, p := range prefixes() {
		if p.fits(escaped, decoded) {
			return p.area, afterSegments(escaped, p.cut)
		}
	}
	return areaWeb, ""
}

// afterSegments cuts n segments off an escaped path: ("/api/x/devices", 2) is "/devices".
func afterSegments(path string, n int) string {
	for ; n > 0; n-- {
		i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/')
		if i < 0 {
			return ""
		}
		path = path[i+1:]
	}
	return path
}
