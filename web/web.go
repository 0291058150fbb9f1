// Package web is the console: a single-page program that is built by npm into
// dist and carried inside the server's binary.
//
//	mux.Handle("/", web.Handler())
//
// A fresh clone has no build; then every page says how to make one, and
// nothing else needs Node.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// nonceMark stands in index.html where the nonce of the answer goes.
const nonceMark = "__CSP_NONCE__"

const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Picket</title></head>
<body><h1>console not built: run <code>make web</code></h1>
<p>This binary was built without the console. Run <code>make web</code> (it needs Node 20 and npm), then build the binary again.
The API under <code>/api/</code> works without it.</p></body></html>
`

// Built reports whether this binary carries a built console.
func Built() bool {
	_, err := fs.Stat(dist, "dist/index.html")
	return err == nil
}

// Handler serves the console: files of the build as they are, and index.html
// for every other path, because the page itself knows its routes. Each answer
// of index.html has a fresh nonce in its Content-Security-Policy. Nothing under
// /api/ or /assets/ is ever answered with a page. The handler is safe for
// concurrent use.
func Handler() http.Handler {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // only if the constant path above were invalid
		sub = dist
	}
	return newHandler(sub)
}

// asset is one file of the build, read and compressed on first use.
type asset struct {
	body, zipped []byte // zipped is nil where compression does not pay
	kind         string // Content-Type
}

type handler struct {
	files fs.FS
	index []byte // nil when the console is not built

	mu     sync.Mutex
	assets map[string]*asset // guarded by mu
}

func newHandler(files fs.FS) *handler {
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		index = nil
	}
	return &handler{files: files, index: index, assets: map[string]*asset{}}
}

// ServeHTTP answers GET and HEAD.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := path.Clean("/" + r.URL.Path)
	if p == "/api" || strings.HasPrefix(p, "/api/") {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"title":"Not Found","status":404,"detail":"no such path"}` + "\n"))
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	secure(w.Header())
	name := strings.TrimPrefix(p, "/")
	if a := h.asset(name); a != nil {
		h.serveAsset(w, r, name, a)
		return
	}
	if strings.HasPrefix(p+"/", "/assets/") {
		http.Error(w, "no such file: the console was updated, load the page again", http.StatusNotFound)
		return
	}
	h.serveIndex(w, r)
}

// secure sets the headers that every answer carries.
func secure(head http.Header) {
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("X-Frame-Options", "DENY")
}

// policy is the Content-Security-Policy of a page with this nonce.
func policy(nonce string) string {
	return "default-src 'self'; style-src 'self' 'nonce-" + nonce + "'; img-src 'self' data:; object-src 'none'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

func (h *handler) serveIndex(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Security-Policy", policy(nonce))
	head.Set("Cache-Control", "no-cache")
	status, body := http.StatusOK, bytes.ReplaceAll(h.index, []byte(nonceMark), []byte(nonce))
	if h.index == nil {
		status, body = http.StatusNotFound, []byte(notBuilt)
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader went away: nobody to tell
	}
}

func (h *handler) serveAsset(w http.ResponseWriter, r *http.Request, name string, a *asset) {
	head := w.Header()
	head.Set("Content-Type", a.kind)
	head.Set("Cache-Control", "public, max-age=3600")
	if strings.HasPrefix(name, "assets/") { // names carry a hash of the content
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	body := a.body
	if a.zipped != nil {
		head.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Get("Accept-Encoding")) {
			head.Set("Content-Encoding", "gzip")
			body = a.zipped
		}
	}
	head.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// acceptsGzip reads an Accept-Encoding header: gzip is named and not refused.
func acceptsGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q=")
			v, err := strconv.ParseFloat(q, 64)
			return !ok || err == nil && v > 0
		}
	}
	return false
}

// asset returns a file of the build, nil when there is none of that name or it
// is the page itself, a directory or a hidden file.
func (h *handler) asset(name string) *asset {
	if name == "" || name == "index.html" || !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := h.assets[name]; ok {
		return a
	}
	body, err := fs.ReadFile(h.files, name)
	if err != nil {
		return nil // absent names are not remembered: a stranger could fill the memory with them
	}
	a := &asset{body: body, kind: mime.TypeByExtension(path.Ext(name))}
	if a.kind == "" {
		a.kind = "application/octet-stream"
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	_, _ = z.Write(body)
	_ = z.Close() // a bytes.Buffer takes everything
	if b.Len() < len(body)*9/10 {
		a.zipped = b.Bytes()
	}
	h.assets[name] = a
	return a
}
