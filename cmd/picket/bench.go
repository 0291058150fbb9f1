package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/picketsec/picket/internal/server"
)

// BenchCmd groups what "make bench" needs inside the built program.
type BenchCmd struct {
	Load  BenchLoadCmd  `cmd:"" help:"Fill a data directory with devices that no agent stands behind."`
	Match BenchMatchCmd `cmd:"" help:"Judge the whole fleet again as if nothing were known, and print the figures."`
}

// BenchLoadCmd is "picket bench load".
type BenchLoadCmd struct {
	Data     string `required:"" help:"Data directory."`
	Devices  int    `default:"1000"`
	Packages int    `default:"600" help:"Packages per device."`
	Distinct int    `default:"42000" help:"Distinct packages in the fleet."`
	Sources  string `required:"" type:"existingfile" help:"File with names of source packages, one per line."`
	Seed     uint64 `default:"1"`
}

// Run loads and prints what was loaded as JSON.
func (c *BenchLoadCmd) Run(e *env) error {
	f, err := os.Open(c.Sources)
	if err != nil {
		return err
	}
	args := server.BenchLoadArgs{Devices: c.Devices, Packages: c.Packages, Distinct: c.Distinct, Seed: c.Seed}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if name := strings.TrimSpace(sc.Text()); name != "" {
			args.Sources = append(args.Sources, name)
		}
	}
	if err := errors.Join(sc.Err(), f.Close()); err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	return printVerb(e, c.Data, "bench load", args)
}

// BenchMatchCmd is "picket bench match".
type BenchMatchCmd struct {
	Data string `required:"" help:"Data directory."`
}

// Run matches and prints the figures as JSON.
func (c *BenchMatchCmd) Run(e *env) error { return printVerb(e, c.Data, "bench match", struct{}{}) }

func printVerb(e *env, dir, verb string, args any) error {
	var out json.RawMessage
	if err := runVerb(e, dir, verb, args, &out, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.out, string(out))
	return err
}
