package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/picketsec/picket/internal/server"
)

// MachineActionFilter narrows and orders the list of actions on devices.
type MachineActionFilter struct {
	TextFilter
	Sort      []string `query:"sort" enum:"created,-created,updated,-updated,device,-device,kind,-kind,status,-status,requester,-requester" doc:"Columns; minus is descending."`
	Device    []string `query:"device" doc:"Device ids."`
	Group     []string `query:"device_group" doc:"Device groups, by number; 0: devices that no rule takes."`
	Kind      []string `query:"kind" enum:"collect,scan,isolate,release,investigate"`
	Status    []string `query:"status" enum:"Pending,InProgress,Succeeded,Failed,TimeOut,Cancelled"`
	Requester []string `query:"requester" doc:"Names of people and applications."`
	Active    []string `query:"active" enum:"true,false" doc:"Whether it is pending or in progress."`
	From      []string `query:"from" doc:"Asked for at this instant or later (RFC 3339)."`
	To        []string `query:"to" doc:"Asked for before this instant (RFC 3339)."`
}

func (f MachineActionFilter) query() server.Query {
	return f.queryWith(f.Sort, named("device", f.Device), named("device_group", f.Group), named("kind", f.Kind), named("status", f.Status), named("requester", f.Requester),
		named("active", f.Active), named("from", f.From), named("to", f.To))
}

type machineActionsIn struct {
	Paging
	MachineActionFilter
}

type machineActionsOut struct {
	ExportFormat
	MachineActionFilter
}

type deviceActionIn struct {
	ID
	Body server.NewMachineAction
}

type devicesActionIn struct {
	Body struct {
		Devices []string `json:"devices" minItems:"1" maxItems:"100" doc:"Ids of devices."`
		server.NewMachineAction
	}
}

type cancelIn struct {
	ID
	Body struct {
		Comment string `json:"comment" maxLength:"1000" doc:"Why: it is kept with the action."`
	}
}

type packageRetentionIn struct {
	Body server.PackageRetention
}

var machineActionColumns = []column[server.MachineAction]{
	{"action_id", func(r *server.MachineAction) string { return r.ID }},
	{"kind", func(r *server.MachineAction) string { return r.Kind }},
	{"scope", func(r *server.MachineAction) string { return r.Scope }},
	{"status", func(r *server.MachineAction) string { return r.Status }},
	{"device_id", func(r *server.MachineAction) string { return string(r.DeviceID) }},
	{"device", func(r *server.MachineAction) string { return r.DeviceName }},
	{"group", func(r *server.MachineAction) string { return r.Group }},
	{"requester", func(r *server.MachineAction) string { return r.Requester }},
	{"program", func(r *server.MachineAction) string { return strconv.FormatBool(r.Program) }},
	{"comment", func(r *server.MachineAction) string { return r.Comment }},
	{"external_id", func(r *server.MachineAction) string { return r.External }},
	{"created_at", func(r *server.MachineAction) string { return instant(r.CreatedAt) }},
	{"updated_at", func(r *server.MachineAction) string { return instant(r.UpdatedAt) }},
	{"sent_at", func(r *server.MachineAction) string { return instant(r.SentAt) }},
	{"started_at", func(r *server.MachineAction) string { return instant(r.StartedAt) }},
	{"ended_at", func(r *server.MachineAction) string { return instant(r.EndedAt) }},
	{"until", func(r *server.MachineAction) string { return instant(r.Until) }},
	{"approval", func(r *server.MachineAction) string { return r.Approval }},
	{"error", func(r *server.MachineAction) string { return r.Error }},
	{"detections", func(r *server.MachineAction) string {
		if r.Result == nil || r.Result.Scan == nil {
			return ""
		}
		return strconv.Itoa(len(r.Result.Scan.Detections) + r.Result.Scan.More)
	}},
	{"package_bytes", func(r *server.MachineAction) string {
		if r.Package == nil {
			return ""
		}
		return strconv.FormatInt(r.Package.Bytes, 10)
	}},
	{"cancelled_by", func(r *server.MachineAction) string {
		if r.Cancel == nil {
			return ""
		}
		return r.Cancel.By
	}},
}

// machineActionRoutes are what is done on devices once, and investigation packages.
func (c *console) machineActionRoutes() {
	get(c, "device-action-kinds", "/devices/{id}/action-kinds", "Actions on a device, and which of them can be asked for now", func(ctx context.Context, caller server.Caller, in *ID) ([]server.DeviceActionKind, error) {
		return c.srv.DeviceActionKinds(ctx, caller, in.ID)
	})
	act(c, huma.Operation{OperationID: "act-on-device", Method: http.MethodPost, Path: "/devices/{id}/actions", Summary: "Collect a package from a device, scan, isolate, release or investigate it; it waits for the device, and for an approval where one is needed",
		DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *deviceActionIn) (server.MachineAction, error) {
			out, err := c.srv.Respond(ctx, caller, []string{in.ID.ID}, in.Body)
			if err != nil {
				return server.MachineAction{}, err
			}
			return *out.Results[0].Action, nil
		})
	act(c, huma.Operation{OperationID: "act-on-devices", Method: http.MethodPost, Path: "/machine-actions", Summary: "The same on several devices; what one of them cannot do is told with it", DefaultStatus: http.StatusCreated},
		func(ctx context.Context, caller server.Caller, in *devicesActionIn) (server.MachineActionResults, error) {
			return c.srv.Respond(ctx, caller, in.Body.Devices, in.Body.NewMachineAction)
		})
	list[machineActionsIn, machineActionsOut](c, "machine-actions", "/machine-actions", "What was asked to be done on devices, and what became of it", nil, machineActionColumns,
		func(ctx context.Context, caller server.Caller, _ string, q server.Query) (server.Page[server.MachineAction], error) {
			return c.srv.MachineActions(ctx, caller, q, nil)
		})
	get(c, "machine-action", "/machine-actions/{id}", "One action", func(ctx context.Context, caller server.Caller, in *ID) (server.MachineAction, error) {
		return c.srv.MachineAction(ctx, caller, in.ID)
	})
	act(c, huma.Operation{OperationID: "cancel-machine-action", Method: http.MethodPost, Path: "/machine-actions/{id}/cancel", Summary: "Take an action back; an agent that has it already is told, and says what it comes to"},
		func(ctx context.Context, caller server.Caller, in *cancelIn) (server.MachineAction, error) {
			return c.srv.CancelMachineAction(ctx, caller, in.ID.ID, in.Body.Comment)
		})
	huma.Register(c.api, huma.Operation{OperationID: packageOperation, Method: http.MethodGet, Path: "/machine-actions/{id}/package", Summary: "The investigation package of an action", Errors: readErrors,
		Responses: map[string]*huma.Response{"200": {Description: "The package.", Content: map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}},
		func(ctx context.Context, in *ID) (*huma.StreamResponse, error) {
			row, f, err := c.srv.Package(ctx, callerOf(ctx), in.ID)
			if err != nil {
				return nil, c.problem(ctx, packageOperation, err)
			}
			return &huma.StreamResponse{Body: func(hc huma.Context) {
				defer func() { _ = f.Close() }() // it was only read
				_, w := humago.Unwrap(hc)
				packageHeaders(w, &row)
				w.Header().Set("Content-Length", strconv.FormatInt(row.Package.Bytes, 10))
				hc.SetStatus(http.StatusOK)
				if _, err := io.Copy(w, f); err != nil {
					panic(http.ErrAbortHandler)
				}
			}}, nil
		})
	get(c, "package-retention", "/package-retention", "How long investigation packages are kept, and what is kept", func(ctx context.Context, caller server.Caller, _ *empty) (server.PackageRetentionView, error) {
		return c.srv.PackageRetention(ctx, caller)
	})
	act(c, huma.Operation{OperationID: "set-package-retention", Method: http.MethodPut, Path: "/package-retention", Summary: "Set how long investigation packages are kept", DefaultStatus: http.StatusOK},
		func(ctx context.Context, caller server.Caller, in *packageRetentionIn) (server.PackageRetentionView, error) {
			return c.srv.SetPackageRetention(ctx, caller, in.Body)
		})
}

const packageOperation = "machine-action-package"

// packageHeaders say that what follows is a file of a host: it is saved, never shown.
func packageHeaders(w http.ResponseWriter, row *server.MachineAction) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTime)) // a writer without deadlines has none to set
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", `attachment; filename="`+fileName("package-"+row.DeviceName, row.ID, row.CreatedAt)+`.zip"`)
}

// packageFile serves the package that an address names: path is the sealed link and
// the name. Whoever has the address may read it while it holds; ranges are served.
func (h *handler) packageFile(w http.ResponseWriter, r *http.Request, path string) {
	token, _, _ := strings.Cut(path, "/")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.fail(w, r, errRoute)
		return
	}
	row, f, err := h.opt.Server.LinkedPackage(r.Context(), token)
	if err != nil {
		if !errors.Is(err, server.ErrNotFound) && errors.Is(err, os.ErrNotExist) {
			err = server.ErrNotFound
		}
		h.fail(w, r, err)
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	packageHeaders(w, &row)
	http.ServeContent(w, r, "", time.Time{}, f)
}
