package main

import (
	"fmt"
	"os"
	"path/filepath"

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
	if _, err := os.Stat(filepath.Join(c.Data, "picket.db")); err != nil {
		return server.Invalidf("data", "%q holds no store of Picket (%v): name the directory that the server runs with", c.Data, err)
	}
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
	if state.Entries == 0 {
		_, err = fmt.Fprintln(e.out, "no entries: nothing was changed yet, or the log was made anew")
		return err
	}
	_, err = fmt.Fprintf(e.out, "entries: %d, each fits the one before\nhead: %s\nNote the head elsewhere: \"picket audit verify --expect\" finds out later whether entries were cut off after it.\n", state.Entries, state.Head)
	return err
}
