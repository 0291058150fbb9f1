package main

import (
	"fmt"
	"time"

	"github.com/picketsec/picket/internal/server"
)

// LockdownCmd groups the verbs on the lockdown.
type LockdownCmd struct {
	On         LockdownOnCmd         `cmd:"" help:"Put a lockdown on at once; two administrators lift it in the console."`
	Status     LockdownStatusCmd     `cmd:"" help:"Print whether a lockdown holds."`
	BreakGlass LockdownBreakGlassCmd `cmd:"" help:"End a lockdown when there are no two administrators; it stays in the audit log."`
}

// LockdownOnCmd is "picket lockdown on".
type LockdownOnCmd struct {
	Data   string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Reason string `required:"" help:"Why: everybody reads it."`
}

// Run puts the lockdown on.
func (c *LockdownOnCmd) Run(e *env) error {
	return runLockdown(e, c.Data, "lockdown on", server.LockdownArgs{Reason: c.Reason})
}

// LockdownStatusCmd is "picket lockdown status".
type LockdownStatusCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
}

// Run prints the state.
func (c *LockdownStatusCmd) Run(e *env) error {
	return runLockdown(e, c.Data, "lockdown status", struct{}{})
}

// LockdownBreakGlassCmd is "picket lockdown break-glass".
type LockdownBreakGlassCmd struct {
	Data   string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Reason string `required:"" help:"Why: it stays in the audit log."`
}

// Run ends the lockdown.
func (c *LockdownBreakGlassCmd) Run(e *env) error {
	return runLockdown(e, c.Data, "lockdown break-glass", server.LockdownArgs{Reason: c.Reason})
}

// runLockdown runs a verb and prints the lockdown that it answers.
func runLockdown(e *env, data, verb string, args any) error {
	var l server.Lockdown
	if err := runVerb(e, data, verb, args, &l, nil); err != nil {
		return err
	}
	if !l.On {
		_, err := fmt.Fprintln(e.out, "no lockdown")
		return err
	}
	_, err := fmt.Fprintf(e.out, "lockdown since %s by %s: %s\n", l.Since.Format(time.RFC3339), l.By, l.Reason)
	for _, w := range l.Lifts {
		if err == nil {
			_, err = fmt.Fprintf(e.out, "%s wants to lift it\n", w.Name)
		}
	}
	return err
}
