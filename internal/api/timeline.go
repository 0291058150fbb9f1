package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

// TimelineFilter says which events of a device.
type TimelineFilter struct {
	From    time.Time `query:"from" doc:"From this time on (RFC 3339)."`
	To      time.Time `query:"to" doc:"Before this time (RFC 3339)."`
	Group   []string  `query:"event_group" maxItems:"40" doc:"Event groups."`
	Action  []string  `query:"action" maxItems:"100" doc:"Action types."`
	Q       string    `query:"q" maxLength:"200" doc:"Text that occurs in the event, whatever its case."`
	Flagged bool      `query:"flagged" doc:"Only flagged events."`

	Technique []string `query:"technique" maxItems:"40" doc:"ATT&CK techniques, with those under them."`
}

// TimelineSort says in which order.
type TimelineSort struct {
	Sort string `query:"sort" enum:"-time,-flagged" default:"-time" doc:"-flagged: flagged events first. Newest first in any case."`
}

func (f TimelineFilter) timeline() server.TimelineQuery {
	return server.TimelineQuery{From: f.From, To: f.To, Groups: clean(f.Group), Actions: clean(f.Action), Text: f.Q, Flagged: f.Flagged, Techniques: clean(f.Technique)}
}

type timelineIn struct {
	ID
	TimelineFilter
	TimelineSort
	Cursor string `query:"cursor" maxLength:"100" doc:"Cursor of the page before; none: the newest events."`
	Size   int    `query:"size" minimum:"1" maximum:"1000" default:"30" doc:"Events per page."`
}

type timelineCountsIn struct {
	ID
	TimelineFilter
}

type timelineOut struct {
	ID
	Format string `query:"format" enum:"csv,jsonl,ecs" default:"csv" doc:"csv (RFC 4180), jsonl (one JSON object a line), or ecs (one a line, in fields of the Elastic Common Schema)."`
	TimelineFilter
	TimelineSort
}

type timelineEventIn struct {
	ID
	Sub string `path:"sub" maxLength:"100" doc:"Id of the event."`
}

type flagIn struct {
	ID
	Sub  string `path:"sub" maxLength:"100" doc:"Id of the event."`
	Body struct {
		Flagged bool `json:"flagged"`
	}
}

// timelineRoutes are what happened on a device.
func (c *console) timelineRoutes() {
	get(c, "device-timeline", "/devices/{id}/timeline", "What happened on a device, newest first, and what is missing",
		func(ctx context.Context, caller server.Caller, in *timelineIn) (server.Timeline, error) {
			q := in.timeline()
			q.Cursor, q.Limit, q.FlaggedFirst = in.Cursor, in.Size, in.Sort == "-flagged"
			return c.srv.Timeline(ctx, caller, in.ID.ID, q)
		})
	get(c, "device-timeline-counts", "/devices/{id}/timeline/counts", "A device's events by time and group",
		func(ctx context.Context, caller server.Caller, in *timelineCountsIn) (server.TimelineCounts, error) {
			return c.srv.TimelineCounts(ctx, caller, in.ID.ID, in.timeline())
		})
	get(c, "device-timeline-techniques", "/devices/{id}/timeline/techniques", "ATT&CK techniques that occur on a device, with how many of its events may be part of each",
		func(ctx context.Context, caller server.Caller, in *timelineCountsIn) ([]server.TechniqueCount, error) {
			return c.srv.TimelineTechniques(ctx, caller, in.ID.ID, in.timeline())
		})
	get(c, "device-timeline-event", "/devices/{id}/timeline/events/{sub}", "One event of a device with the graph of its entities",
		func(ctx context.Context, caller server.Caller, in *timelineEventIn) (server.TimelineEvent, error) {
			return c.srv.TimelineEvent(ctx, caller, in.ID.ID, in.Sub)
		})
	change(c, "flag-timeline-event", http.MethodPut, "/devices/{id}/timeline/events/{sub}/flag", "Flag an event of a device, or take its flag away", http.StatusNoContent,
		func(ctx context.Context, caller server.Caller, in *flagIn) (*empty, error) {
			return nil, c.srv.FlagEvent(ctx, caller, in.ID.ID, in.Sub, in.Body.Flagged)
		})
	get(c, "device-logon-users", "/devices/{id}/logonusers", "Who logged on to a device in 30 days",
		func(ctx context.Context, caller server.Caller, in *ID) (server.LogonUsers, error) {
			return c.srv.LogonUsers(ctx, caller, in.ID)
		})
	get(c, "device-health", "/devices/{id}/health", "How a device's sensor and antivirus program are, by what the agent told in 30 days",
		func(ctx context.Context, caller server.Caller, in *ID) (server.DeviceHealth, error) {
			return c.srv.DeviceHealth(ctx, caller, in.ID)
		})
	const export = "export-device-timeline"
	huma.Register(c.api, huma.Operation{
		OperationID: export, Method: http.MethodGet, Path: "/devices/{id}/timeline/export", Summary: "What happened on a device, all events of the filter as a file", Errors: readErrors,
		Responses: map[string]*huma.Response{"200": {Description: "The events. Trailers X-Picket-Rows and X-Picket-Sha256 say how many and what they hash to.",
			Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}, "application/jsonl": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
	}, func(ctx context.Context, in *timelineOut) (*huma.StreamResponse, error) {
		q := in.timeline()
		q.FlaggedFirst = in.Sort == "-flagged"
		id, rows, err := c.srv.TimelineExport(ctx, callerOf(ctx), in.ID.ID, q)
		if err == nil && in.Format == "ecs" {
			var d server.Device
			if d, err = c.srv.Device(ctx, callerOf(ctx), string(id)); err == nil {
				return &huma.StreamResponse{Body: func(hc huma.Context) {
					streamSeq(hc, "device-timeline-ecs", string(id), "jsonl", time.Now(), ecsRows(rows, &d), belongs{}, nil)
				}}, nil
			}
		}
		if err != nil {
			return nil, c.problem(ctx, export, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			streamSeq(hc, "device-timeline", string(id), in.Format, time.Now(), rows, belongs{"device_id", string(id)}, timelineColumns)
		}}, nil
	})
}

// ecsRows are the rows of a device's timeline in fields of the Elastic Common Schema.
func ecsRows(rows iter.Seq2[server.TimelineRow, error], d *server.Device) iter.Seq2[server.ECSEvent, error] {
	return func(yield func(server.ECSEvent, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(r.ECS(d), nil) {
				return
			}
		}
	}
}

// streamSeq is streamExport for rows of which nobody knows how many come. An
// error among them ends the connection.
func streamSeq[T any](hc huma.Context, name, id, format string, at time.Time, rows iter.Seq2[T, error], to belongs, cols []column[T]) {
	_, w := humago.Unwrap(hc)
	ctl := http.NewResponseController(w)
	hd := w.Header()
	kind := "text/csv; charset=utf-8; header=present"
	if format == "jsonl" {
		kind = "application/jsonl; charset=utf-8"
	}
	hd.Set("Content-Type", kind)
	hd.Set("Content-Disposition", `attachment; filename="`+fileName(name, id, at)+"."+format+`"`)
	hd.Set("Trailer", trailerRows+", "+trailerHash)
	hc.SetStatus(http.StatusOK)
	sum := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, sum), 64<<10)
	row := jsonRows[T](out, to)
	if format != "jsonl" {
		row = csvRows(out, to, cols)
	}
	n, err := 0, row(nil)
	for r, rerr := range rows {
		if err != nil || rerr != nil {
			panic(http.ErrAbortHandler)
		}
		if n%extendEvery == 0 {
			_ = ctl.SetWriteDeadline(time.Now().Add(writeTime)) // a writer without deadlines has none to set
		}
		n++
		err = row(&r)
	}
	if err != nil || out.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	hd.Set(trailerRows, strconv.Itoa(n))
	hd.Set(trailerHash, hex.EncodeToString(sum.Sum(nil)))
}

var timelineColumns = []column[server.TimelineRow]{
	{"time", func(r *server.TimelineRow) string { return r.Time.UTC().Format(time.RFC3339Nano) }},
	{"action_type", func(r *server.TimelineRow) string { return r.Action }},
	{"group", func(r *server.TimelineRow) string { return r.Group }},
	{"title", func(r *server.TimelineRow) string { return r.Title }},
	{"user", func(r *server.TimelineRow) string { return r.User }},
	{"information", func(r *server.TimelineRow) string { return words(r.Info) }},
	{"techniques", func(r *server.TimelineRow) string { return words(techniqueIDs(r.Techniques)) }},
	{"flagged", func(r *server.TimelineRow) string { return strconv.FormatBool(r.Flagged) }},
	{"table", func(r *server.TimelineRow) string { return r.Table }},
	{"kind", func(r *server.TimelineRow) string { return r.Kind }},
	{"seq", func(r *server.TimelineRow) string { return strconv.FormatUint(r.Seq, 10) }},
	{"host_time", func(r *server.TimelineRow) string { return r.HostTime.UTC().Format(time.RFC3339Nano) }},
	{"received", func(r *server.TimelineRow) string { return r.Received.UTC().Format(time.RFC3339Nano) }},
	{"event_id", func(r *server.TimelineRow) string { return r.ID }},
	{"fields", func(r *server.TimelineRow) string {
		b, err := json.Marshal(r.Fields)
		if err != nil {
			return ""
		}
		return string(b)
	}},
}
