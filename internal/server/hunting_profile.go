package server

import (
	"context"
	"fmt"

	ev "github.com/picketsec/picket/internal/event"
	"github.com/picketsec/picket/internal/eventlog"
	"github.com/picketsec/picket/internal/kql"
)

// fileProfile is FileProfile of hunting: what Picket's own events say of a file on
// the devices that the caller sees, as far back as events are kept. Of who signed
// it nothing is known: these columns are empty.
var fileProfile = &kql.Enrichment{
	Name: "FileProfile", Arguments: "[column [, most]]", Usual: 100, Most: 1000,
	Description: "For invoke: on how many of the devices that you see a file was met, first and last, and its sums and size, by its SHA-1 or SHA-256.",
	Keys:        []string{"SHA1", "SHA256", "InitiatingProcessSHA1", "InitiatingProcessSHA256"},
	Columns: huntColumns(fileProfileColumns + "Signer:s Issuer:s SignerHash:s IsCertificateValid:b IsRootSignerMicrosoft:b SignatureState:s " +
		"IsExecutable:b ThreatName:s Publisher:s SoftwareName:s"),
}

// fileProfileColumns are those that get values here.
const fileProfileColumns = "SHA1:s SHA256:s MD5:s FileSize:l GlobalPrevalence:l GlobalFirstSeen:d GlobalLastSeen:d "

// Enrich tells of files by their sums.
func (h *huntReader) Enrich(ctx context.Context, e *kql.Enrichment, keys []string, yield func(key string, row []kql.Value) error) error {
	if err := h.c.Still(ctx); err != nil {
		return err
	}
	scope := h.s.eventScope(h.c)
	row := make([]kql.Value, len(e.Columns))
	for i, c := range e.Columns {
		if c.Type == kql.String {
			row[i] = kql.StringValue("")
		}
	}
	for i, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		h.tell(float64(i) / float64(len(keys)))
		id, ok := ev.EntityID(ev.EntityFile, key)
		if !ok {
			continue
		}
		q := eventlog.EntityQuery{Scope: scope, Kind: ev.EntityFile, ID: id}
		seen, cost, err := h.s.telemetry.log.Sightings(ctx, q)
		if err != nil {
			return fmt.Errorf("look for the file %q: %w", id, err)
		}
		if h.damaged += cost.Damaged; len(seen.Devices) == 0 {
			continue
		}
		if seen.Unlisted > 0 {
			h.unlisted = true
		}
		out := EntityView{ID: id}
		out.count(seen.Devices)
		if err := h.s.fileFacts(ctx, q, &out); err != nil {
			return err
		}
		f := out.File
		copy(row, []kql.Value{kql.StringValue(f.SHA1), kql.StringValue(f.SHA256), kql.StringValue(f.MD5), {}, kql.LongValue(int64(out.Devices)), kql.TimeValue(out.First), kql.TimeValue(out.Last)})
		if f.Size > 0 {
			row[3] = kql.LongValue(f.Size)
		}
		if err := yield(key, row); err != nil {
			return err
		}
	}
	return nil
}
