package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// exportFile serves a file of an export: path is the secret and the name.
// Whoever has the address may read it until it expires; ranges are served, so
// that a download can be resumed.
func (h *handler) exportFile(w http.ResponseWriter, r *http.Request, path string) {
	secret, name, _ := strings.Cut(path, "/")
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !plainName(name) {
		h.fail(w, r, errRoute)
		return
	}
	f, err := h.opt.Server.ExportFile(r.Context(), secret, name)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTime))
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	http.ServeContent(w, r, "", time.Time{}, f)
}

// downloadTime is how long the download of one file may take.
const downloadTime = time.Hour

// plainName reports whether a name is one that export files have.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return s != "" && s[0] != '.'
}

// noteBroken logs why an answer ended in its middle, unless its reader went away.
func (h *handler) noteBroken(r *http.Request, err error) {
	if r.Context().Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	h.opt.Log.ErrorContext(r.Context(), "answer broken off", "id", requestOf(r.Context()).id, "method", r.Method, "path", r.URL.Path, "error", err)
}
