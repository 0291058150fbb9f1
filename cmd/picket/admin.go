package main

import (
	"fmt"
	"io"
	"log"

	"github.com/picketsec/picket/internal/server"
)

// EnrollTokenCmd groups the verbs on enrolment tokens.
type EnrollTokenCmd struct {
	Create EnrollTokenCreateCmd `cmd:"" help:"Print a new token."`
}

// EnrollTokenCreateCmd is "picket enroll-token create".
type EnrollTokenCreateCmd struct {
	Data  string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Uses  int    `default:"1" help:"How often it may be used; 0: any number."`
	Hours int    `default:"24" help:"How long it lives."`
	Note  string `help:"What it is for."`
}

// Run prints the token.
func (c *EnrollTokenCreateCmd) Run(e *env) error {
	var secret string
	if err := runVerb(e, c.Data, "enroll-token create", server.EnrollTokenArgs{Note: c.Note, MaxUses: c.Uses, Hours: c.Hours}, &secret, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.out, secret)
	return err
}

// SignInLinkCmd is "picket sign-in-link".
type SignInLinkCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
}

// Run prints the path and fragment of the link; it goes behind the console's address.
func (c *SignInLinkCmd) Run(e *env) error {
	var link string
	if err := runVerb(e, c.Data, "sign-in-link", struct{}{}, &link, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.out, link)
	return err
}

// ResetFactorsCmd is "picket reset-factors".
type ResetFactorsCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Name string `arg:"" help:"User name."`
}

// Run removes the factors and ends the account's sessions.
func (c *ResetFactorsCmd) Run(e *env) error {
	var ok string
	return runVerb(e, c.Data, "reset-factors", server.ResetFactorsArgs{Name: c.Name}, &ok, nil)
}

// ExplainCmd is "picket explain".
type ExplainCmd struct {
	Data     string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Device   string `arg:"" help:"Device id or name."`
	Weakness string `arg:"" name:"cve" help:"CVE or other id."`
}

// Run prints the evidence.
func (c *ExplainCmd) Run(e *env) error {
	var text string
	if err := runVerb(e, c.Data, "explain", server.ExplainArgs{Device: c.Device, Weakness: c.Weakness}, &text, nil); err != nil {
		return err
	}
	_, err := io.WriteString(e.out, text)
	return err
}

// NudgeCmd is "picket nudge".
type NudgeCmd struct {
	Data   string `required:"" env:"PICKET_DATA" help:"Data directory."`
	Device string `arg:"" help:"Device id or name."`
}

// Run asks and says whom; what the agent finds comes when it has looked.
func (c *NudgeCmd) Run(e *env) error {
	var done server.NudgeAnswer
	if err := runVerb(e, c.Data, "nudge", server.NudgeArgs{Device: c.Device}, &done, nil); err != nil {
		return err
	}
	text := "the agent of %s looks at everything now\n"
	if done.Pending {
		text = "somebody has to approve that the agent of %s looks: see Approvals in the console\n"
	}
	_, err := fmt.Fprintf(e.err, text, done.Name)
	return err
}

// discardLogger drops what net/http says of broken handshakes of strangers.
func discardLogger() *log.Logger { return log.New(io.Discard, "", 0) }
