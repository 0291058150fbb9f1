package api

import (
	"context"
	"errors"
	"time"

	"github.com/picketsec/picket/internal/posture"
	"github.com/picketsec/picket/internal/server"
)

// exportOf is an export of the fake's devices; rows of one of them each.
func exportOf[T any](f *fake, q server.ExportQuery, rows func(n int) []T) server.Export[T] {
	at := q.At
	if at.IsZero() {
		at = asOf
	}
	return server.Export[T]{At: at, Devices: func(yield func(*server.DeviceExport[T], error) bool) {
		for n, d := range f.devices {
			if uint32(n) < q.From {
				continue
			}
			if f.broken == n+1 {
				yield(nil, errors.New("secret detail"))
				return
			}
			x := &server.DeviceExport[T]{Num: uint32(n), ID: d.ID, Name: d.DNSName, GroupID: 7, Group: "Servers", OSID: "debian", OSVersion: "12", Arch: "amd64", LastSeen: asOf, Rows: rows(n)}
			if x.Name == "" {
				x.Name = d.Name
			}
			if !yield(x, nil) {
				return
			}
		}
	}}
}

func (f *fake) ExportVulns(_ context.Context, c server.Caller, q server.ExportQuery) (server.Export[server.VulnExport], error) {
	f.mu.Lock()
	f.exported = q
	f.mu.Unlock()
	status := ""
	if !q.Since.IsZero() {
		status = server.RowFixed
	}
	return exportOf(f, q, func(n int) (rows []server.VulnExport) {
		for i, w := range f.weaknesses[:2] {
			r := server.VulnExport{Vendor: "debian", Product: "openssl", Version: "1:3.0.15-1", ProductID: "debian-_-openssl", Weakness: w.ID, Severity: string(w.Severity),
				CVSS: w.CVSS, Exploit: string(w.Threats.Exploit), FirstSeen: asOf.Add(-time.Hour), Status: status}
			if i == 0 {
				r.Fixed, r.FixedBy, r.Paths = "1:3.0.17-1", "DSA-5764-1", []string{"/opt/" + poison}
			}
			if status != "" {
				r.ChangedAt = asOf
			}
			rows = append(rows, r)
		}
		return rows
	}), need(c, server.VulnerabilityRead)
}

func (f *fake) ExportInventory(_ context.Context, c server.Caller, q server.ExportQuery) (server.Export[server.InventoryExport], error) {
	return exportOf(f, q, func(int) []server.InventoryExport {
		return []server.InventoryExport{{Vendor: "debian", Product: "openssl", Version: "1:3.0.15-1", Weaknesses: 2, FirstSeen: asOf},
			{Vendor: poison, Product: "node", Version: "18", Coded: true, Support: &server.EndOfLife{Tag: "EOS version", Date: "2025-04-30"}}}
	}), need(c, server.SoftwareRead)
}

func (f *fake) ExportChecks(_ context.Context, c server.Caller, q server.ExportQuery) (server.Export[server.CheckExport], error) {
	return exportOf(f, q, func(n int) []server.CheckExport {
		return []server.CheckExport{{Check: posture.Checks()[0], Applicable: n > 0, Compliant: n > 1}}
	}), need(c, server.VulnerabilityRead)
}
