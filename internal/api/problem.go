package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/picketsec/picket/internal/api/mde"
	"github.com/picketsec/picket/internal/server"
)

var (
	errPanic       = errors.New("panic")
	errCrossOrigin = errors.New("request comes from another site")
	errRoute       = errors.New("no such path or method")
)

// fault is an error as HTTP tells it: the only mapping there is.
type fault struct {
	status int
	code   string // of the Defender API
	text   string // for people
	field  string // what is wrong, when one field is
	after  int    // seconds to wait, when that helps
}

// statusGone is what an answer is that nobody waits for: the client went away
// and its request was cancelled. It is no mistake of the server.
const statusGone = 499

// faultIn maps an error of a request.
func faultIn(ctx context.Context, err error) fault {
	if errors.Is(ctx.Err(), context.Canceled) && errors.Is(err, context.Canceled) {
		return fault{status: statusGone, code: "BadRequest", text: "The client went away before the answer."}
	}
	return faultOf(err)
}

// faultOf maps an error of the product. What it does not know is a bug: 500,
// and the text stays in the log.
func faultOf(err error) fault {
	var input *server.InputError
	var wait *server.WaitError
	var rate *server.RateError
	var policy *server.PolicyError
	var lockdown *server.LockdownError
	var denied *server.DeniedError
	var active *server.ActiveError
	var unable *server.UnableError
	var odata *mde.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &odata):
		return fault{status: odata.Status, code: odata.Code, text: odata.Message}
	case errors.As(err, &tooLarge):
		return fault{status: http.StatusRequestEntityTooLarge, code: "BadRequest", text: "The body is too large."}
	case errors.As(err, &wait):
		return fault{status: http.StatusTooManyRequests, code: "TooManyRequests", text: "Too many attempts. Wait before you try again.", after: int(wait.After.Seconds()) + 1}
	case errors.As(err, &rate):
		return fault{status: http.StatusTooManyRequests, code: "TooManyRequests", text: rate.Error() + ".", after: rate.Seconds()}
	case errors.As(err, &input):
		return fault{status: http.StatusUnprocessableEntity, code: "InvalidInput", text: input.Error(), field: input.Field}
	case errors.As(err, &active):
		return fault{status: http.StatusConflict, code: "ActiveRequestAlreadyExists", text: active.Error()}
	case errors.As(err, &unable):
		return fault{status: http.StatusConflict, code: unable.Code(), text: unable.Error()}
	case errors.Is(err, server.ErrUnauthenticated):
		return fault{status: http.StatusUnauthorized, code: "Unauthorized", text: "Sign in, or send a valid token."}
	case errors.As(err, &lockdown):
		return fault{status: http.StatusForbidden, code: "DisallowedOperation", text: lockdown.Error()}
	case errors.As(err, &policy):
		return fault{status: http.StatusForbidden, code: "Forbidden", text: policy.Error()}
	case errors.As(err, &denied):
		return fault{status: http.StatusForbidden, code: "Forbidden", text: sentence(denied)}
	case errors.Is(err, server.ErrDenied):
		return fault{status: http.StatusForbidden, code: "Forbidden", text: "The caller lacks the permission for this."}
	case errors.Is(err, errCrossOrigin):
		return fault{status: http.StatusForbidden, code: "Forbidden", text: "The request comes from another site."}
	case errors.Is(err, errRoute):
		return fault{status: http.StatusNotFound, code: "NotFound", text: "There is no such path or method."}
	case errors.Is(err, server.ErrNotFound):
		return fault{status: http.StatusNotFound, code: "ResourceNotFound", text: "There is no such item."}
	case errors.Is(err, server.ErrConflict):
		return fault{status: http.StatusConflict, code: "DisallowedOperation", text: strings.TrimSuffix(err.Error(), ": "+server.ErrConflict.Error())}
	case errors.Is(err, server.ErrInvalid):
		return fault{status: http.StatusUnprocessableEntity, code: "InvalidInput", text: err.Error()}
	case errors.Is(err, server.ErrUnavailable):
		return fault{status: http.StatusServiceUnavailable, code: "InternalServerError", text: err.Error(), after: 5}
	}
	return fault{status: http.StatusInternalServerError, code: "InternalServerError", text: "The server made a mistake. Its log has more under the id of this request."}
}

// sentence is an error as a person reads it.
func sentence(err error) string {
	r := []rune(err.Error())
	return strings.ToUpper(string(r[:1])) + string(r[1:]) + "."
}

// noteFault logs what is the server's own fault.
func noteFault(log *slog.Logger, r *http.Request, f fault, err error) {
	if f.status < 500 || errors.Is(err, errPanic) {
		return
	}
	log.ErrorContext(r.Context(), "request failed", "id", requestOf(r.Context()).id, "method", r.Method, "path", r.URL.Path, "error", err)
}

// fail writes an error in the shape of the area that the path belongs to.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	area, _ := areaOf(r)
	if area == areaConsole {
		writeProblem(h.opt.Log, w, r, err)
		return
	}
	h.defenderError(w, r, err)
}

// defenderError writes an error in the Defender API's shape.
func (h *handler) defenderError(w http.ResponseWriter, r *http.Request, err error) {
	f := faultIn(r.Context(), err)
	if f.status == http.StatusUnprocessableEntity || slices.Contains([]string{"ActiveRequestAlreadyExists", "OsPlatformNotSupported", "ClientVersionNotSupported"}, f.code) {
		f.status = http.StatusBadRequest
	}
	noteFault(h.opt.Log, r, f, err)
	faultHeaders(w, f)
	writeJSON(w, f.status, map[string]any{"error": f.defender(requestOf(r.Context()).id)})
}

// defender is the error as the Defender API tells it; id is that of the request.
func (f *fault) defender(id string) map[string]string {
	return map[string]string{"code": f.code, "message": f.text, "target": id}
}

// writeProblem writes an error as RFC 9457 says, with the Defender API's shape
// as the extension "error": programs that guess a path find what they know.
func writeProblem(log *slog.Logger, w http.ResponseWriter, r *http.Request, err error) {
	f := faultIn(r.Context(), err)
	noteFault(log, r, f, err)
	faultHeaders(w, f)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(f.status)
	id := requestOf(r.Context()).id
	_ = json.NewEncoder(w).Encode(struct { // a client that has gone needs no answer
		*huma.ErrorModel
		Error map[string]string `json:"error"`
	}{problemOf(f, id), f.defender(id)})
}

func faultHeaders(w http.ResponseWriter, f fault) {
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="picket"`)
	}
	if f.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.after))
	}
}

func problemOf(f fault, id string) *huma.ErrorModel {
	p := &huma.ErrorModel{Title: http.StatusText(f.status), Status: f.status, Detail: f.text, Instance: "urn:picket:request:" + id}
	if f.field != "" {
		p.Errors = []*huma.ErrorDetail{{Message: f.text, Location: f.field}}
	}
	return p
}

// writeJSON writes a value as JSON; markup characters are escaped.
func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		status, raw = http.StatusInternalServerError, []byte(`{"error":{"code":"InternalServerError","message":"answer cannot be encoded"}}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
