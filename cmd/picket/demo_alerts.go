package main

import (
	"context"
	"slices"

	"github.com/picketsec/picket/internal/server"
	"github.com/picketsec/picket/internal/simulate"
)

// demoAlert is an alert that the demo raises about an event of a simulated device.
type demoAlert struct {
	fits func(r *server.TimelineRow) bool
	most int // on so many devices
	server.NewAlert
}

// demoAlerts are what the demo raises, where a simulated device did such a thing.
func demoAlerts() []demoAlert {
	program := func(name string) func(r *server.TimelineRow) bool {
		return func(r *server.TimelineRow) bool { return r.Action == "ProcessCreated" && r.Fields["FileName"] == name }
	}
	return []demoAlert{
		{func(r *server.TimelineRow) bool {
			return r.Action == "LogonFailed" && r.Fields["FailureReason"] == "UnknownUser"
		}, 1, server.NewAlert{Severity: "High", Title: "Somebody guesses accounts over ssh", Category: "CredentialAccess",
			Description: "A logon over ssh from outside failed for an account that the device does not have. (Simulated: the demo raised this about a simulated event.)",
			Recommended: "Look for further failures from the same address, and let ssh in from known networks only.", Techniques: []string{"T1110.001"}}},
		{func(r *server.TimelineRow) bool { return r.Action == "LogonFailed" }, 2, server.NewAlert{Severity: "Medium", Title: "Failed logon of a known account", Category: "CredentialAccess",
			Description: "A logon over ssh failed. (Simulated: the demo raised this about a simulated event.)",
			Recommended: "Ask the person whether it was them.", Techniques: []string{"T1110.001"}}},
		{program("sudo"), 2, server.NewAlert{Severity: "Low", Title: "A service was restarted by hand", Category: "PrivilegeEscalation",
			Description: "Somebody used sudo on a server that changes are rolled out to. (Simulated: the demo raised this about a simulated event.)",
			Recommended: "See whether a change was announced.", Techniques: []string{"T1548.003"}}},
		{program("curl"), 1, server.NewAlert{Severity: "Informational", Title: "A tool that fetches files was started", Category: "CommandAndControl",
			Description: "curl was started. (Simulated: the demo raised this about a simulated event.)", Recommended: "Nothing, as long as the address is known.", Techniques: []string{"T1105"}}},
	}
}

// raiseDemoAlerts raises alerts about what simulated devices did, through the
// same door as everybody. A device has at most one of them.
func raiseDemoAlerts(ctx context.Context, e *env, s *server.Server) {
	admin := server.Caller{Name: "demo", Admin: true}
	page, err := s.Devices(ctx, admin, server.Query{Sort: []string{"name"}}, func(r *server.DeviceRow) bool { return slices.Contains(r.Tags, simulate.Tag) })
	if err != nil {
		e.log.WarnContext(ctx, "the demo raises no alerts", "error", err)
		return
	}
	wanted, raised := demoAlerts(), 0
	for i := range page.Items {
		d := &page.Items[i]
		line, err := s.Timeline(ctx, admin, string(d.ID), server.TimelineQuery{Limit: 500})
		if err != nil {
			e.log.WarnContext(ctx, "the demo raises no alert", "device", d.ID, "error", err)
			continue
		}
		if raiseOne(ctx, e, s, admin, d, line.Items, wanted) {
			raised++
		}
	}
	e.log.InfoContext(ctx, "the demo raised alerts about simulated devices", "alerts", raised)
}

// raiseOne raises the first alert that an event of a device fits.
func raiseOne(ctx context.Context, e *env, s *server.Server, admin server.Caller, d *server.DeviceRow, rows []server.TimelineRow, wanted []demoAlert) bool {
	for j := range wanted {
		w := &wanted[j]
		at := slices.IndexFunc(rows, func(r server.TimelineRow) bool { return w.fits(&r) })
		if w.most == 0 || at < 0 {
			continue
		}
		n := w.NewAlert
		n.Device, n.Report, n.EventTime = string(d.ID), rows[at].ID, rows[at].Time
		if _, _, err := s.CreateAlert(ctx, admin, n); err != nil {
			e.log.WarnContext(ctx, "the demo raises no alert", "device", d.ID, "error", err)
			return false
		}
		w.most--
		return true
	}
	return false
}
