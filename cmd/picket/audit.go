package main

import (
	"fmt"

	"github.com/picketsec/picket/internal/server"
)

// AuditCmd is "picket audit".
type AuditCmd struct {
	Verify AuditVerifyCmd `cmd:"" help:"Check that no entry of the audit log was changed or taken out."`
}

// AuditVerifyCmd is "picket audit verify".
type AuditVerifyCmd struct {
	Data   string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Expect string `help:"A hash that was noted earlier: the log is whole only if it still has that entry."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

// Run follows the chain from its beginning and prints its head.
func (c *AuditVerifyCmd) Run(e *env) error {
	var state server.AuditState
	bar := newBar(e.err)
	err := runVerb(e, c.Data, "audit verify", server.AuditVerifyArgs{Expect: c.Expect}, &state, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, state)
	}
	_, err = fmt.Fprintf(e.out, "%d entries, each fits the one before\nhead %s\nNote the head elsewhere: \"picket audit verify --expect\" finds out later whether entries were cut off after it.\n", state.Entries, state.Head)
	return err
}
