package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

const (
	maxStreams = 1000             // open event streams
	heartbeat  = 20 * time.Second // comment that keeps proxies and dead peers honest
	eventTime  = 10 * time.Second // to write one event
)

// liveRoute is the stream of what changes.
func (c *console) liveRoute() {
	schema := c.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[server.LiveEvent](), true, "")
	huma.Register(c.api, huma.Operation{OperationID: "live", Method: http.MethodGet, Path: "/live", Summary: "What changes, as server-sent events",
		Description: "Events of type change; data is a LiveEvent. The stream ends with the session.", Errors: readErrors,
		Responses: map[string]*huma.Response{"200": {Description: "A stream of events.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: schema}}}}},
		func(ctx context.Context, _ *empty) (*huma.StreamResponse, error) {
			select {
			case c.streams <- struct{}{}:
			default:
				return nil, c.problem(ctx, "live", fmt.Errorf("too many open event streams: %w", server.ErrUnavailable))
			}
			stop, cancel := context.WithCancel(ctx)
			events, err := c.srv.Subscribe(stop, callerOf(ctx))
			if err != nil {
				cancel()
				<-c.streams
				return nil, c.problem(ctx, "live", err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				defer func() { cancel(); <-c.streams }()
				c.stream(hc, events)
			}}, nil
		})
}

// stream writes events until the client goes, the session ends or the server stops.
func (c *console) stream(hc huma.Context, events <-chan server.LiveEvent) {
	r, w := humago.Unwrap(hc)
	ctl := http.NewResponseController(w)
	if !c.sameOrigin(r) {
		writeProblem(c.log, w, r, errCrossOrigin)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no")
	hc.SetStatus(http.StatusOK)
	write := func(text string) bool {
		_ = ctl.SetWriteDeadline(time.Now().Add(eventTime)) // a writer without deadlines has none to set
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return ctl.Flush() == nil
	}
	if !write(": open\n\n") {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			data, err := json.Marshal(e)
			if err != nil || !write("event: change\ndata: "+string(data)+"\n\n") {
				return
			}
		case <-beat.C:
			if !c.stillSignedIn(r) || !write(": beat\n\n") {
				return
			}
		}
	}
}

// sameOrigin reports whether a browser, if it is one, asks from the console's own pages.
func (c *console) sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == c.origin {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// stillSignedIn checks the credentials of an open stream again.
func (c *console) stillSignedIn(r *http.Request) bool {
	q := requestOf(r.Context())
	var err error
	if q.bearer != "" {
		_, err = c.srv.TokenCaller(r.Context(), q.bearer)
	} else {
		_, _, err = c.srv.SessionCaller(r.Context(), q.secret)
	}
	return err == nil
}
