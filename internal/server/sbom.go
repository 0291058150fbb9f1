package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/sbom"
	"github.com/picketsec/picket/internal/store"
)

// futureBy is how far a document's date may be ahead of this server's clock.
const futureBy = 24 * time.Hour

// SBOMImport is how a bill of materials is taken.
type SBOMImport struct {
	Name  string // of the device, and its identity; "": both come from the document
	Force bool   // also a document that is older than the last one, or dated in the future
}

// SBOMImported is what became of a bill of materials.
type SBOMImported struct {
	Device   inventory.DeviceID `json:"device"`
	Name     string             `json:"name"`
	Subject  string             `json:"subject"` // what the id of the device is derived from
	New      bool               `json:"new"`     // the device was not known before
	Format   string             `json:"format" enum:"cyclonedx,spdx"`
	Spec     string             `json:"spec"`
	Packages int                `json:"packages"`
	Unread   int                `json:"unread"`            // components that were not taken
	Reasons  string             `json:"reasons,omitempty"` // why
}

// SBOMView is the document that a device without an agent was made from.
type SBOMView struct {
	Subject  string    `json:"subject"`
	Format   string    `json:"format" enum:"cyclonedx,spdx"`
	Spec     string    `json:"spec"`
	Serial   string    `json:"serial"`
	Tools    []string  `json:"tools"`
	Digest   string    `json:"digest"` // SHA-256
	Made     time.Time `json:"made"`
	Loaded   time.Time `json:"loaded"`
	LoadedBy string    `json:"loaded_by"`
	Packages int       `json:"packages"`
	Unread   int       `json:"unread"`
}

// Download is a file that is made while it is sent.
type Download struct {
	Name  string // of the file
	Type  string // media type
	Write func(io.Writer) error
}

// silent reports whether a device has never said what it is.
func (d *device) silent() bool { return d.sum.OSID == "" && d.agent.Source != store.SourceSBOM }

// ImportSBOM makes a device of a bill of materials, or brings the one that it
// describes up to date. When it returns, the findings are stored. A document
// that is older than the device's last one is ErrConflict.
func (s *Server) ImportSBOM(ctx context.Context, caller Caller, document []byte, opt SBOMImport) (SBOMImported, error) {
	if err := s.needAll(caller, MachineReadWrite, ManageSecurity); err != nil {
		return SBOMImported{}, err
	}
	audit.Change(ctx, "", nil, documentNoted(document))
	return s.importSBOM(ctx, caller.Name, document, opt)
}

func (s *Server) importSBOM(ctx context.Context, by string, document []byte, opt SBOMImport) (SBOMImported, error) {
	if len(opt.Name) > 200 {
		return SBOMImported{}, Invalidf("name", "%d bytes, at most 200", len(opt.Name))
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	doc, err := sbom.Decode(document, strings.TrimSpace(opt.Name))
	if err != nil {
		return SBOMImported{}, Invalidf("document", "%v", err)
	}
	now := time.Now().UTC()
	switch {
	case doc.Made.IsZero():
		doc.Made = now
	case doc.Made.After(now.Add(futureBy)) && !opt.Force:
		return SBOMImported{}, Invalidf("document", "it is dated %s, which is in the future: later ones would be refused as older; mend the clock of what made it, or force it",
			doc.Made.Format(time.RFC3339))
	}
	if err := s.noteSBOM(ctx, doc, document); err != nil {
		return SBOMImported{}, err
	}
	reg, err := s.st.RegisterSBOM(ctx, doc.Device(), now)
	if err != nil {
		return SBOMImported{}, err
	}
	out := SBOMImported{Device: reg.ID, Name: doc.Name, Subject: doc.Subject, Format: string(doc.Format), Spec: doc.Spec, Packages: doc.Packages,
		Unread: doc.Unread, Reasons: doc.Sections[inventory.SBOM].Reason}
	d, err := s.deviceByID(reg.ID)
	if errors.Is(err, ErrNotFound) {
		out.New = true
		s.deviceRegistered(ctx, reg.ID)
		d, err = s.deviceByID(reg.ID)
	}
	if err != nil {
		return SBOMImported{}, err
	}
	d.report.Lock()
	defer d.report.Unlock()
	last, err := s.st.SBOM(ctx, d.num)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return SBOMImported{}, err
	}
	if err == nil && doc.Made.Before(last.Made) && !opt.Force {
		return SBOMImported{}, fmt.Errorf("%s has a document of %s, this one is older (%s): nothing was changed; force it if that is meant: %w",
			doc.Name, last.Made.Format(time.RFC3339), doc.Made.Format(time.RFC3339), ErrConflict)
	}
	digest := sha256.Sum256(document)
	rep := store.Ingest{Device: d.num, ID: d.id, At: now, SBOM: &store.SBOM{Subject: doc.Subject, Format: string(doc.Format), Spec: doc.Spec, Serial: doc.Serial,
		Tools: doc.Tools, Digest: hex.EncodeToString(digest[:]), Made: doc.Made, Loaded: now, LoadedBy: by, Packages: doc.Packages, Unread: doc.Unread}}
	for _, sec := range doc.Sections {
		sec.SeenAt = doc.Made
		rep.Sections = append(rep.Sections, sec)
	}
	before, err := s.st.Sections(ctx, d.num)
	if err != nil {
		return SBOMImported{}, fmt.Errorf("read sections of %s: %w", d.id, err)
	}
	if err := s.evaluate(ctx, d, before, doc.Sections, &rep); err != nil {
		return SBOMImported{}, err
	}
	if reg, err = s.st.Device(ctx, d.id); err != nil {
		return SBOMImported{}, fmt.Errorf("read device %s: %w", d.id, err)
	}
	s.core.mu.Lock()
	d.setAgent(reg)
	s.core.place(d, now)
	s.core.mu.Unlock()
	s.live.publish(LiveEvent{Resource: "devices"})
	s.log.InfoContext(ctx, "bill of materials imported", "device", d.id, "subject", doc.Subject, "packages", doc.Packages, "unread", doc.Unread, "by", by)
	return out, nil
}

// sbomOf is the document that a device was made from, nil for one with an agent.
func (s *Server) sbomOf(ctx context.Context, d *device) (*SBOMView, error) {
	if d.source() != "sbom" {
		return nil, nil
	}
	b, err := s.st.SBOM(ctx, d.num)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &SBOMView{Subject: b.Subject, Format: b.Format, Spec: b.Spec, Serial: b.Serial, Tools: append([]string{}, b.Tools...), Digest: b.Digest, Made: b.Made,
		Loaded: b.Loaded, LoadedBy: b.LoadedBy, Packages: b.Packages, Unread: b.Unread}, nil
}

// DeviceSBOM is a device's software as a bill of materials: format "cyclonedx"
// (1.6) or "spdx" (2.3), both as JSON.
func (s *Server) DeviceSBOM(ctx context.Context, caller Caller, id, format string) (Download, error) {
	if err := s.need(caller, SoftwareRead); err != nil {
		return Download{}, err
	}
	f := sbom.Format(format)
	if !f.Valid() {
		return Download{}, Invalidf("format", "%q is not one of cyclonedx, spdx", format)
	}
	p, err := s.portrait(ctx, caller.sees(), id)
	if err != nil {
		return Download{}, err
	}
	s.core.mu.RLock()
	name := p.device.sum.Name
	s.core.mu.RUnlock()
	sys := sbom.SystemOf(p.device.id, name, s.opt.Version, p.sections, exposure.PURL)
	return Download{Name: fileWord(name) + f.Extension(), Type: f.ContentType(), Write: func(w io.Writer) error { return sbom.Encode(w, f, sys) }}, nil
}

// fileWord makes a name safe for a file.
func fileWord(name string) string {
	out := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, name[:min(len(name), 80)])
	out = strings.Trim(out, "._")
	stem, _, _ := strings.Cut(strings.ToUpper(out), ".")
	device := len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) || slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, stem)
	switch {
	case out == "":
		return "device"
	case device: // a device of Windows, whatever follows
		return "device-" + out
	}
	return out
}

// ImportArgs are those of the verbs "sbom import" and "vex import". Paths are absolute.
type ImportArgs struct {
	Paths []string `json:"paths"`
	Name  string   `json:"name,omitempty"`
	Force bool     `json:"force,omitempty"`
}

// FileResult is what became of one file of an import: a result or an error.
type FileResult[T any] struct {
	Path   string `json:"path"`
	Result *T     `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func sbomImportVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var args ImportArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	if args.Name != "" && len(args.Paths) > 1 {
		return nil, Invalidf("name", "one name is for one file, %d are given", len(args.Paths))
	}
	if err := absolute(args.Paths); err != nil {
		return nil, err
	}
	return importFiles(ctx, args.Paths, progress, func(document []byte) (SBOMImported, error) {
		return s.importSBOM(ctx, "command line", document, SBOMImport{Name: args.Name, Force: args.Force})
	})
}

// absolute refuses paths that the directory of this process would decide about.
func absolute(paths []string) error {
	for _, p := range paths {
		if !filepath.IsAbs(p) {
			return Invalidf("path", "%q is not absolute", p)
		}
	}
	return nil
}

// importFiles reads documents one by one; one that cannot be used stops no other.
func importFiles[T any](ctx context.Context, paths []string, progress func(Progress), take func([]byte) (T, error)) ([]FileResult[T], error) {
	out := make([]FileResult[T], 0, len(paths))
	for i, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress(Progress{Text: filepath.Base(path), Done: int64(i), Of: int64(len(paths))})
		res := FileResult[T]{Path: path}
		document, err := readDocument(path)
		if err == nil {
			var v T
			if v, err = take(document); err == nil {
				res.Result = &v
			}
		}
		if err != nil {
			res.Error = err.Error()
		}
		out = append(out, res)
	}
	return out, nil
}

// readDocument reads a whole file of a size that is taken.
func readDocument(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer waits for ever else
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("this is not a file"))
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(io.LimitReader(f, sbom.MaxBytes+1))
	return b.Bytes(), err
}

// documentNoted is what the audit log keeps of a document: it can be held against the file.
// noteSBOM tells the audit log which document a device has and is to have.
func (s *Server) noteSBOM(ctx context.Context, doc *sbom.Document, document []byte) error {
	after := documentNoted(document)
	after["name"], after["made"] = doc.Name, doc.Made
	var before any
	if d, err := s.deviceByID(doc.Device()); err == nil {
		last, err := s.st.SBOM(ctx, d.num)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil {
			before = map[string]any{"name": d.sum.Name, "made": last.Made, "sha256": last.Digest}
		}
	}
	audit.Change(ctx, string(doc.Device()), before, after)
	return nil
}

func documentNoted(document []byte) map[string]any {
	sum := sha256.Sum256(document)
	return map[string]any{"bytes": len(document), "sha256": hex.EncodeToString(sum[:])}
}
