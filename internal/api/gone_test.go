package api

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/picketsec/picket/internal/server"
)

// settling is a product whose scores take longer than its client waits.
type settling struct {
	*fake
	leave context.CancelFunc // what the client does meanwhile
}

func (s *settling) ExposureScore(ctx context.Context, _ server.Caller) (server.ScoreView, error) {
	s.leave()
	return server.ScoreView{}, fmt.Errorf("settle: %w", ctx.Err())
}

// A client that goes away while its answer is made is no mistake of the
// server: no 500, nothing in the log. A cancellation that is not the client's is one.
func TestClientThatGoesAway(t *testing.T) {
	w := newWorld(t)
	auth := w.app()
	var log bytes.Buffer
	busy := &settling{fake: w.fake}
	w.h = New(Options{Server: busy, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, target := range []string{"/api/x/exposure-score", "/api/exposureScore"} {
		r := w.request(http.MethodGet, target, "", auth...)
		ctx, cancel := context.WithCancel(r.Context())
		busy.leave = cancel
		if a := w.send(r.WithContext(ctx)); a.code != statusGone || log.Len() > 0 {
			t.Errorf("%s = %d, logged %q", target, a.code, log.String())
		}
	}
	w.h = New(Options{Server: cancelled{w.fake}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if a := w.do("GET", "/api/exposureScore", "", auth...); a.code != 500 || log.Len() == 0 {
		t.Errorf("a cancellation within = %d, logged %q", a.code, log.String())
	}
}

// cancelled is a product that gives up by itself.
type cancelled struct{ *fake }

func (s cancelled) ExposureScore(context.Context, server.Caller) (server.ScoreView, error) {
	return server.ScoreView{}, context.Canceled
}
