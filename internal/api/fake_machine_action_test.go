package api

import (
	"context"
	"os"
	"time"

	"github.com/picketsec/picket/internal/protocol"
	"github.com/picketsec/picket/internal/server"
)

// actionID is an action that there is.
const actionID = "0123abcd-4567-49ef-8123-456789abcdef"

var machineActionRow = server.MachineAction{ID: actionID, Kind: protocol.TaskCollect, Type: "CollectInvestigationPackage", Name: poison, Status: "Succeeded", DeviceID: deviceID(1), DeviceName: poison,
	Requester: poison, Comment: poison, External: poison, Error: poison, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), UpdatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	Result:  &protocol.TaskResult{Scan: &protocol.ScanResult{Engine: poison, Detections: []protocol.Detection{{Path: poison, Signature: poison}}}},
	Package: &server.InvestigationPackage{Bytes: 3, SHA256: poison}, Cancel: &server.MachineActionCancel{By: poison, Comment: poison}}

var actionNeeds = map[string]string{protocol.TaskCollect: server.MachineCollect, protocol.TaskScan: server.MachineScan, protocol.TaskIsolate: server.MachineIsolate, protocol.TaskRelease: server.MachineIsolate, protocol.TaskInvestigate: server.AlertWrite}

func (f *fake) Respond(_ context.Context, c server.Caller, devices []string, in server.NewMachineAction) (server.MachineActionResults, error) {
	if err := need(c, actionNeeds[in.Kind]); err != nil {
		return server.MachineActionResults{}, err
	}
	switch in.Comment {
	case "busy":
		return server.MachineActionResults{}, &server.ActiveError{}
	case "unable":
		return server.MachineActionResults{}, &server.UnableError{Message: poison}
	case "old":
		return server.MachineActionResults{}, &server.UnableError{Message: poison, Old: true}
	case "locked":
		return server.MachineActionResults{}, &server.LockdownError{By: poison}
	}
	row := machineActionRow
	row.Kind, row.Scope, row.Comment, row.Status = in.Kind, in.Scope, in.Comment, "Pending"
	return server.MachineActionResults{Results: []server.MachineActionResult{{Device: devices[0], Action: &row}}}, nil
}

func (f *fake) MachineActions(_ context.Context, c server.Caller, q server.Query, where func(*server.MachineAction) bool) (server.Page[server.MachineAction], error) {
	return paged(f, []server.MachineAction{machineActionRow}, q, where), need(c, server.MachineRead)
}

func (f *fake) MachineAction(_ context.Context, c server.Caller, id string) (server.MachineAction, error) {
	if id != actionID {
		return server.MachineAction{}, server.ErrNotFound
	}
	return machineActionRow, need(c, server.MachineRead)
}

func (f *fake) CancelMachineAction(_ context.Context, c server.Caller, _, _ string) (server.MachineAction, error) {
	return machineActionRow, need(c, server.MachineIsolate, server.MachineScan, server.MachineCollect, server.AlertWrite)
}

func (f *fake) DeviceActionKinds(_ context.Context, c server.Caller, _ string) ([]server.DeviceActionKind, error) {
	return []server.DeviceActionKind{{ActionKind: server.ActionKind{ID: protocol.TaskScan, Effect: server.EffectRun}, WhyNot: poison}}, need(c, server.MachineRead)
}

func packageFile() (*os.File, error) {
	f, err := os.CreateTemp("", "package")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	if _, err := f.WriteString("PK!"); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, 0)
	return f, err
}

func (f *fake) Package(_ context.Context, c server.Caller, _ string) (server.MachineAction, *os.File, error) {
	if err := need(c, server.MachineCollect); err != nil {
		return server.MachineAction{}, nil, err
	}
	file, err := packageFile()
	return machineActionRow, file, err
}

func (f *fake) PackageLink(_ context.Context, c server.Caller, _, base string) (server.PackageLink, error) {
	return server.PackageLink{URL: base + "/packages/good/package.zip"}, need(c, server.MachineCollect)
}

func (f *fake) LinkedPackage(_ context.Context, token string) (server.MachineAction, *os.File, error) {
	if token != "good" {
		return server.MachineAction{}, nil, server.ErrNotFound
	}
	file, err := packageFile()
	return machineActionRow, file, err
}

func (f *fake) PackageRetention(_ context.Context, c server.Caller) (server.PackageRetentionView, error) {
	return server.PackageRetentionView{}, need(c, server.ManageSettings)
}

func (f *fake) SetPackageRetention(_ context.Context, c server.Caller, r server.PackageRetention) (server.PackageRetentionView, error) {
	return server.PackageRetentionView{PackageRetention: r}, need(c, server.ManageSettings)
}
