package api

import (
	"context"
	"time"

	"github.com/picketsec/picket/internal/server"
)

var approvalRow = server.ApprovalRow{ID: "1", Kind: server.ActionNudge, Name: poison, State: "pending", Devices: []server.ApprovalDeviceRow{{ID: deviceID(1), Name: poison}},
	CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

func (f *fake) Nudge(_ context.Context, c server.Caller, _, _ string) (string, server.ActionResult, error) {
	return poison, server.ActionResult{State: "done"}, need(c, server.MachineReadWrite)
}

func (f *fake) ActionKinds(_ context.Context, c server.Caller) ([]server.ActionKind, error) {
	return []server.ActionKind{{ID: server.ActionNudge, Effect: server.EffectLook}}, need(c, server.MachineRead)
}

func (f *fake) Approvals(_ context.Context, c server.Caller, q server.Query) (server.Page[server.ApprovalRow], error) {
	return paged(f, []server.ApprovalRow{approvalRow}, q, nil), need(c, server.MachineRead)
}

func (f *fake) Approval(_ context.Context, c server.Caller, _ string) (server.ApprovalRow, error) {
	return approvalRow, need(c, server.MachineRead)
}

func (f *fake) Decide(_ context.Context, c server.Caller, _ string, _ bool, _ string) (server.ApprovalRow, error) {
	return approvalRow, need(c, server.ApproveActions)
}

func (f *fake) WithdrawApproval(_ context.Context, c server.Caller, _ string) (server.ApprovalRow, error) {
	return approvalRow, need(c, server.MachineRead)
}

func (f *fake) ApprovalPolicy(_ context.Context, c server.Caller) (server.ApprovalPolicy, error) {
	return server.ApprovalPolicy{Rules: []server.ApprovalRule{}}, need(c, server.ManageSettings)
}

func (f *fake) SetApprovalPolicy(_ context.Context, c server.Caller, p server.ApprovalPolicy) (server.ApprovalPolicyResult, error) {
	return server.ApprovalPolicyResult{Policy: p}, need(c, server.ManageSettings)
}

func (f *fake) Lockdown(_ context.Context, c server.Caller) (server.Lockdown, error) {
	return server.Lockdown{Lifts: []server.LockdownLift{}}, need(c, server.MachineRead)
}

func (f *fake) StartLockdown(_ context.Context, c server.Caller, _ string) (server.Lockdown, error) {
	return server.Lockdown{On: true, Lifts: []server.LockdownLift{}}, need(c, server.ManageSettings)
}

func (f *fake) LiftLockdown(_ context.Context, c server.Caller) (server.Lockdown, error) {
	return server.Lockdown{Lifts: []server.LockdownLift{}}, need(c, server.ManageSettings)
}

func (f *fake) KeepLockdown(_ context.Context, c server.Caller) (server.Lockdown, error) {
	return server.Lockdown{Lifts: []server.LockdownLift{}}, need(c, server.ManageSettings)
}
