package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/picketsec/picket/internal/server"
)

// SBOMCmd groups the verbs on bills of materials.
type SBOMCmd struct {
	Import SBOMImportCmd `cmd:"" help:"Make devices of bills of materials, or bring them up to date."`
}

// SBOMImportCmd is "picket sbom import".
type SBOMImportCmd struct {
	Data  string   `required:"" env:"PICKET_DATA" help:"Data directory."`
	Name  string   `help:"Name of the device, and its identity; without it both come from the document. With one FILE only."`
	Force bool     `help:"Also when the device has a younger document, or this one is dated in the future."`
	JSON  bool     `name:"json" help:"Print the result as JSON."`
	Files []string `arg:"" name:"file" help:"CycloneDX 1.4 to 1.7 (JSON, XML) or SPDX 2.3 (JSON, tag-value)."`
}

// Run imports the documents and prints what became of each.
func (c *SBOMImportCmd) Run(e *env) error {
	return importDocuments(e, c.Data, "sbom import", c.Files, server.ImportArgs{Name: c.Name, Force: c.Force}, c.JSON,
		func(row func(...any), list []server.FileResult[server.SBOMImported]) {
			row("DEVICE", "NAME", "PACKAGES", "NOT READ", "FORMAT", "FILE")
			for _, f := range list {
				if r := f.Result; r != nil {
					row(r.Device, r.Name, r.Packages, r.Unread, r.Format+" "+r.Spec, f.Path)
				}
			}
		})
}

// VEXCmd groups the verbs on VEX documents.
type VEXCmd struct {
	Import VEXImportCmd `cmd:"" help:"Make exceptions of what documents say is not affected or fixed."`
	List   VEXListCmd   `cmd:"" help:"Print the loaded documents."`
	Remove VEXRemoveCmd `cmd:"" help:"Remove a document and end its exceptions."`
}

// VEXImportCmd is "picket vex import".
type VEXImportCmd struct {
	Data  string   `required:"" env:"PICKET_DATA" help:"Data directory."`
	Force bool     `help:"Also when a younger version is loaded, or this one is dated in the future."`
	JSON  bool     `name:"json" help:"Print the result as JSON, with the statements that matched nothing."`
	Files []string `arg:"" name:"file" help:"OpenVEX, CSAF VEX 2.0 or CycloneDX with vulnerabilities, as JSON."`
}

// Run imports the documents and prints what became of each.
func (c *VEXImportCmd) Run(e *env) error {
	return importDocuments(e, c.Data, "vex import", c.Files, server.ImportArgs{Force: c.Force}, c.JSON,
		func(row func(...any), list []server.FileResult[server.VEXDocument]) {
			row("ID", "STATEMENTS", "MATCHED", "NOT MATCHED", "EXCEPTIONS", "FORMAT", "FILE")
			for _, f := range list {
				if r := f.Result; r != nil {
					row(r.ID, r.Statements, r.Matched, r.UnmatchedCount, r.Exceptions, r.Format, f.Path)
				}
			}
		})
}

// VEXListCmd is "picket vex list".
type VEXListCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	JSON bool   `name:"json" help:"Print JSON, with the statements that matched nothing."`
}

// Run prints the documents.
func (c *VEXListCmd) Run(e *env) error {
	var list []server.VEXDocument
	if err := runVerb(e, c.Data, "vex list", struct{}{}, &list, nil); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e.out, list)
	}
	return table(e.out, func(row func(...any)) {
		row("ID", "STATEMENTS", "MATCHED", "NOT MATCHED", "EXCEPTIONS", "FORMAT", "VERSION", "AUTHOR", "DOCUMENT")
		for _, r := range list {
			row(r.ID, r.Statements, r.Matched, r.UnmatchedCount, r.Exceptions, r.Format, r.Version, r.Author, r.Document)
		}
	})
}

// VEXRemoveCmd is "picket vex remove".
type VEXRemoveCmd struct {
	Data string `required:"" env:"PICKET_DATA" help:"Data directory."`
	ID   string `arg:"" help:"Id of the document, as vex list prints it, or its author's."`
}

// Run removes the document.
func (c *VEXRemoveCmd) Run(e *env) error {
	return runVerb(e, c.Data, "vex remove", server.VEXRemoveArgs{ID: c.ID}, nil, nil)
}

// importDocuments runs an import verb over files, prints a table or JSON, and
// tells on stderr which files could not be used.
func importDocuments[T any](e *env, dir, verb string, files []string, args server.ImportArgs, asJSON bool, rows func(row func(...any), list []server.FileResult[T])) error {
	for _, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			return fmt.Errorf("file %q: %w", f, err)
		}
		args.Paths = append(args.Paths, abs)
	}
	var list []server.FileResult[T]
	bar := newBar(e.err)
	err := runVerb(e, dir, verb, args, &list, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(e.out, list)
	} else {
		err = table(e.out, func(row func(...any)) { rows(row, list) })
	}
	failed := 0
	for _, f := range list {
		if f.Error != "" {
			failed++
			_, _ = fmt.Fprintf(e.err, "picket: %s: %s\n", f.Path, oneLine(f.Error))
		}
	}
	if failed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d files could not be used", failed, len(files)))
	}
	return err
}
