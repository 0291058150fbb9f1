package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/vex"
)

const (
	vexEvery      = time.Minute // how often documents are held against what is new
	mostUnmatched = 200         // listed of one document
	mostVEX       = 500         // documents
)

// vexKinds are the formats as exceptions name their sources.
var vexKinds = map[vex.Format]string{vex.OpenVEX: "OpenVEX", vex.CSAF: "CSAF", vex.CycloneDX: "CycloneDX"}

// ImportVEX takes a document about exploitability: what it says is not affected
// or fixed becomes exceptions with their source, which end when it, or a later
// document of its author, says so no more. When it returns, they hold.
func (s *Server) ImportVEX(ctx context.Context, caller Caller, document []byte, force bool) (VEXDocument, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return VEXDocument{}, err
	}
	audit.Change(ctx, "", nil, documentNoted(document))
	return s.importVEX(ctx, caller.Name, document, force)
}

func (s *Server) importVEX(ctx context.Context, by string, document []byte, force bool) (VEXDocument, error) {
	s.importing.Lock()
	defer s.importing.Unlock()
	d, err := vex.Decode(document)
	if err != nil {
		return VEXDocument{}, Invalidf("document", "%v", err)
	}
	now := time.Now().UTC()
	if d.Made.IsZero() {
		d.Made = now
	}
	if d.Made.After(now.Add(futureBy)) && !force {
		return VEXDocument{}, Invalidf("document", "it is dated %s, which is in the future: later ones would be refused as older; force it if that is meant", d.Made.Format(time.RFC3339))
	}
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return VEXDocument{}, err
	}
	digest := sha256.Sum256(document)
	v := store.VEX{ID: vexID(d.Author, d.ID), Format: string(d.Format), Author: d.Author, Document: d.ID, Version: d.Version, Title: d.Title,
		Digest: hex.EncodeToString(digest[:]), Made: d.Made, Loaded: now, LoadedBy: by, Body: document}
	known := false
	var was any
	for _, o := range loaded {
		if o.ID == v.ID {
			known, was = true, map[string]any{"document": o.Document, "version": o.Version, "made": o.Made, "sha256": o.Digest}
		}
		switch {
		case o.ID == v.ID && v.Made.Before(o.Made) && !force:
			return VEXDocument{}, fmt.Errorf("version %s of %s, dated %s, is loaded; this one is older (%s): nothing was changed; force it if that is meant: %w",
				o.Version, o.Document, o.Made.Format(time.RFC3339), v.Made.Format(time.RFC3339), ErrConflict)
		case o.ID != v.ID && o.Document == v.Document && o.Format == v.Format:
			return VEXDocument{}, fmt.Errorf("a document of %s has the id %s already: remove that one first: %w", o.Author, o.Document, ErrConflict)
		}
	}
	if !known && len(loaded) >= mostVEX {
		return VEXDocument{}, fmt.Errorf("%d documents are loaded, which is the most: remove some: %w", len(loaded), ErrConflict)
	}
	audit.Change(ctx, v.ID, was, map[string]any{"document": v.Document, "version": v.Version, "made": v.Made, "sha256": v.Digest, "bytes": len(document)})
	if err := s.st.PutVEX(ctx, v); err != nil {
		return VEXDocument{}, err
	}
	s.log.InfoContext(ctx, "VEX document imported", "document", d.ID, "author", d.Author, "version", d.Version, "by", by)
	if err := s.applyVEX(ctx); err != nil {
		return VEXDocument{}, err
	}
	if plan := s.vexed.Load(); plan != nil {
		if i := plan.find(v.ID); i >= 0 {
			return plan.rows[i], nil
		}
	}
	return VEXDocument{}, fmt.Errorf("document %s was removed meanwhile: %w", d.ID, ErrConflict)
}

// RemoveVEX forgets a document, and the exceptions that came from it end.
func (s *Server) RemoveVEX(ctx context.Context, caller Caller, id string) error {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return err
	}
	return s.removeVEX(ctx, caller.Name, id)
}

func (s *Server) removeVEX(ctx context.Context, by, id string) error {
	s.importing.Lock()
	defer s.importing.Unlock()
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(loaded, func(v store.VEX) bool { return v.ID == id || v.Document == id })
	if i < 0 {
		return fmt.Errorf("VEX document %q: %w", id, ErrNotFound)
	}
	v := loaded[i]
	audit.Change(ctx, v.ID, map[string]any{"document": v.Document, "author": v.Author}, nil)
	// The exceptions first: should this end between the two, the document is
	// still there and is held against the fleet again.
	if _, _, err := s.PutExceptions(ctx, vexCaller(by), vexSource(&v), nil); err != nil {
		return err
	}
	if err := s.st.RemoveVEX(ctx, v.ID); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "VEX document removed", "document", v.Document, "author", v.Author, "by", by)
	return s.applyVEX(ctx)
}

// vexID names a document in addresses: of its author, and the id that it has from it.
func vexID(author, document string) string {
	name := sha256.Sum256([]byte(author + "\x00" + document))
	return hex.EncodeToString(name[:12])
}

func vexSource(v *store.VEX) ExceptionSource {
	return ExceptionSource{Kind: vexKinds[vex.Format(v.Format)], ID: v.Document, Author: v.Author, Hash: v.Digest}
}

// vexCaller makes the exceptions of documents, in the name of whom loaded them.
func vexCaller(by string) Caller { return Caller{Name: by, Admin: true} }

// applyVEX holds every document against the fleet and makes their exceptions
// exactly what they say of it. A document whose exceptions cannot be made says
// so in its row and stops no other.
func (s *Server) applyVEX(ctx context.Context) error {
	s.vexing.Lock()
	defer s.vexing.Unlock()
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return err
	}
	plan, err := s.planVEX(ctx, loaded)
	if err != nil {
		return err
	}
	for i := range loaded {
		_, _, err := s.PutExceptions(ctx, vexCaller(loaded[i].LoadedBy), vexSource(&loaded[i]), plan.lists[i])
		switch {
		case errors.Is(err, ErrInvalid):
			plan.rows[i].Problem, plan.rows[i].Exceptions = err.Error(), 0
			s.log.WarnContext(ctx, "a VEX document makes no exceptions", "document", loaded[i].Document, "error", err)
		case err != nil:
			return fmt.Errorf("exceptions of %s: %w", loaded[i].Document, err)
		}
	}
	plan.lists = nil
	s.vexed.Store(plan)
	return nil
}

// runVEX holds documents against components and intelligence that came since, until ctx ends.
func (s *Server) runVEX(ctx context.Context) error {
	tick := time.NewTicker(vexEvery)
	defer tick.Stop()
	last := ""
	for {
		s.core.mu.RLock()
		now := fmt.Sprint(len(s.core.fleet.Components()), " ", s.intel.Generation())
		s.core.mu.RUnlock()
		if now != last {
			if err := s.applyVEX(ctx); err == nil {
				last = now
			} else if !errors.Is(err, context.Canceled) {
				s.log.ErrorContext(ctx, "hold VEX documents against the fleet", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func vexImportVerb(ctx context.Context, s *Server, raw json.RawMessage, progress func(Progress)) (any, error) {
	var args ImportArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	if err := absolute(args.Paths); err != nil {
		return nil, err
	}
	return importFiles(ctx, args.Paths, progress, func(document []byte) (VEXDocument, error) {
		return s.importVEX(ctx, "command line", document, args.Force)
	})
}

func vexListVerb(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	if err := s.applyVEX(ctx); err != nil {
		return nil, err
	}
	rows := slices.Clone(s.vexed.Load().rows)
	slices.Reverse(rows)
	return rows, nil
}

// VEXRemoveArgs are those of the verb "vex remove".
type VEXRemoveArgs struct {
	ID string `json:"id"` // of the document: ours or its author's
}

func vexRemoveVerb(ctx context.Context, s *Server, raw json.RawMessage, _ func(Progress)) (any, error) {
	var args VEXRemoveArgs
	if err := json.Unmarshal(raw, &args); err != nil {
		return nil, Invalidf("arguments", "%v", err)
	}
	return "removed", s.removeVEX(ctx, "command line", args.ID)
}
