package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/version"
	"github.com/picketsec/picket/internal/vex"
)

const (
	vexEvery      = time.Minute // how often documents are held against what is new
	mostUnmatched = 200         // listed of one document
	mostVEX       = 500         // documents
)

// VEXRow is a loaded VEX document and what came of it.
type VEXRow struct {
	ID         string    `json:"id"`
	Format     string    `json:"format"` // OpenVEX, CSAF, CycloneDX
	Author     string    `json:"author"`
	Document   string    `json:"document"` // id that its author gave it
	Version    string    `json:"version"`
	Title      string    `json:"title"`
	Made       time.Time `json:"made"`
	Loaded     time.Time `json:"loaded"`
	LoadedBy   string    `json:"loaded_by"`
	Statements int       `json:"statements"` // pairs of a weakness and a product
	Matched    int       `json:"matched"`    // of them: about something that devices have now
	Exceptions int       `json:"exceptions"` // that hold because of it
	// Unmatched are the statements that nothing was found for, at most 200; UnmatchedCount counts all.
	UnmatchedCount int            `json:"unmatched_count"`
	Unmatched      []VEXUnmatched `json:"unmatched"`
}

// VEXUnmatched is a statement that nothing was found for, and why.
type VEXUnmatched struct {
	Weakness string `json:"weakness"`
	Product  string `json:"product"`
	Reason   string `json:"reason"`
}

// vexKinds are the formats as exceptions name their sources.
var vexKinds = map[vex.Format]string{vex.OpenVEX: "OpenVEX", vex.CSAF: "CSAF", vex.CycloneDX: "CycloneDX"}

// ImportVEX takes a document about exploitability: what it says is not affected
// or fixed becomes exceptions with their source, which end when it, or a later
// document of its author, says so no more. When it returns, they hold.
func (s *Server) ImportVEX(ctx context.Context, caller Caller, document []byte, force bool) (VEXRow, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return VEXRow{}, err
	}
	return s.importVEX(ctx, caller.Name, document, force)
}

func (s *Server) importVEX(ctx context.Context, by string, document []byte, force bool) (VEXRow, error) {
	s.importing.Lock()
	defer s.importing.Unlock()
	d, err := vex.Decode(document)
	if err != nil {
		return VEXRow{}, Invalidf("document", "%v", err)
	}
	now := time.Now().UTC()
	if d.Made.IsZero() {
		d.Made = now
	}
	if d.Made.After(now.Add(futureBy)) && !force {
		return VEXRow{}, Invalidf("document", "it is dated %s, which is in the future: later ones would be refused as older; force it if that is meant", d.Made.Format(time.RFC3339))
	}
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return VEXRow{}, err
	}
	name, digest := sha256.Sum256([]byte(d.Author+"\x00"+d.ID)), sha256.Sum256(document)
	v := store.VEX{ID: hex.EncodeToString(name[:12]), Format: string(d.Format), Author: d.Author, Document: d.ID, Version: d.Version, Title: d.Title,
		Digest: hex.EncodeToString(digest[:]), Made: d.Made, Loaded: now, LoadedBy: by, Body: document}
	known := false
	for _, o := range loaded {
		known = known || o.ID == v.ID
		switch {
		case o.ID == v.ID && v.Made.Before(o.Made) && !force:
			return VEXRow{}, fmt.Errorf("version %s of %s, dated %s, is loaded; this one is older (%s): nothing was changed; force it if that is meant: %w",
				o.Version, o.Document, o.Made.Format(time.RFC3339), v.Made.Format(time.RFC3339), ErrConflict)
		case o.ID != v.ID && o.Document == v.Document && o.Format == v.Format:
			return VEXRow{}, fmt.Errorf("a document of %s has the id %s already: remove that one first: %w", o.Author, o.Document, ErrConflict)
		}
	}
	if !known && len(loaded) >= mostVEX {
		return VEXRow{}, fmt.Errorf("%d documents are loaded, which is the most: remove some: %w", len(loaded), ErrConflict)
	}
	if err := s.st.PutVEX(ctx, v); err != nil {
		return VEXRow{}, err
	}
	s.log.InfoContext(ctx, "VEX document imported", "document", d.ID, "author", d.Author, "version", d.Version, "by", by)
	if err := s.applyVEX(ctx); err != nil {
		return VEXRow{}, err
	}
	for _, r := range s.vexRows() {
		if r.ID == v.ID {
			return r, nil
		}
	}
	return VEXRow{}, fmt.Errorf("document %s was removed meanwhile: %w", d.ID, ErrConflict)
}

// VEXDocuments lists the loaded documents, youngest first.
func (s *Server) VEXDocuments(ctx context.Context, caller Caller) ([]VEXRow, error) {
	if err := s.need(caller, ManageSettings); err != nil {
		return nil, err
	}
	rows := s.vexRows()
	if rows == nil { // not held against the fleet yet
		if err := s.applyVEX(ctx); err != nil {
			return nil, err
		}
		rows = s.vexRows()
	}
	return rows, nil
}

// RemoveVEX forgets a document, and the exceptions that came from it end.
func (s *Server) RemoveVEX(ctx context.Context, caller Caller, id string) error {
	if err := s.need(caller, ManageSettings); err != nil {
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

func (s *Server) vexRows() []VEXRow {
	s.vexing.Lock()
	defer s.vexing.Unlock()
	return slices.Clone(s.vexed)
}

func vexSource(v *store.VEX) ExceptionSource {
	return ExceptionSource{Kind: vexKinds[vex.Format(v.Format)], ID: v.Document, Author: v.Author, Hash: v.Digest}
}

// vexCaller makes the exceptions of documents, in the name of whom loaded them.
func vexCaller(by string) Caller { return Caller{Name: by, Admin: true} }

// vexClaim is what an author said last of a weakness of a component.
type vexClaim struct {
	doc       int
	statement *vex.Statement
}

type vexKey struct {
	author, weakness string
	component        exposure.ComponentID
}

// applyVEX holds every document against the fleet and makes their exceptions
// exactly what they say of it.
func (s *Server) applyVEX(ctx context.Context) error {
	s.vexing.Lock()
	defer s.vexing.Unlock()
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return err
	}
	view, release, err := s.snapshot()
	if err != nil {
		return err
	}
	defer release()
	rows := make([]VEXRow, len(loaded))
	docs := make([]*vex.Document, len(loaded))
	for i := range loaded { // reading documents keeps nobody waiting
		if docs[i], err = vex.Decode(loaded[i].Body); err != nil {
			return fmt.Errorf("read stored document %s: %w", loaded[i].Document, err)
		}
	}
	said := map[vexKey]vexClaim{}
	s.core.mu.RLock()
	for i := range loaded {
		v := &loaded[i]
		rows[i] = VEXRow{ID: v.ID, Format: vexKinds[vex.Format(v.Format)], Author: v.Author, Document: v.Document, Version: v.Version, Title: v.Title, Made: v.Made,
			Loaded: v.Loaded, LoadedBy: v.LoadedBy, Unmatched: []VEXUnmatched{}}
		for j := range docs[i].Statements {
			st := &docs[i].Statements[j]
			weakness := view.Canonical(st.Weakness)
			for _, p := range st.Products {
				rows[i].Statements++
				ids, reason := s.core.vexMatch(weakness, p)
				if reason != "" {
					if rows[i].UnmatchedCount++; len(rows[i].Unmatched) < mostUnmatched {
						rows[i].Unmatched = append(rows[i].Unmatched, VEXUnmatched{st.Weakness, cmp.Or(p.PURL, p.Name), reason})
					}
					continue
				}
				rows[i].Matched++
				for _, id := range ids {
					said[vexKey{v.Author, weakness, id}] = vexClaim{i, st}
				}
			}
		}
	}
	lists := make([][]NewException, len(loaded))
	for _, k := range slices.SortedFunc(maps.Keys(said), func(a, b vexKey) int {
		return cmp.Or(cmp.Compare(a.weakness, b.weakness), cmp.Compare(a.component, b.component), cmp.Compare(a.author, b.author))
	}) {
		if c := said[k]; c.statement.Status == vex.NotAffected || c.statement.Status == vex.Fixed {
			lists[c.doc] = append(lists[c.doc], s.core.vexException(k, c.statement, &loaded[c.doc], said))
		}
	}
	s.core.mu.RUnlock()
	for i := range loaded {
		if _, _, err := s.PutExceptions(ctx, vexCaller(loaded[i].LoadedBy), vexSource(&loaded[i]), lists[i]); err != nil {
			return fmt.Errorf("exceptions of %s: %w", loaded[i].Document, err)
		}
		rows[i].Exceptions = len(lists[i])
	}
	slices.Reverse(rows)
	s.vexed = rows
	return nil
}

// vexMatch finds the components that a product names, of those that have the
// weakness and count, or says why there are none. The caller holds mu for reading.
func (c *core) vexMatch(weakness string, p vex.Product) ([]exposure.ComponentID, string) {
	if p.Problem != "" {
		return nil, p.Problem
	}
	pattern, err := exposure.ParsePURL(p.PURL)
	if err != nil {
		return nil, "its package URL cannot be read"
	}
	having := c.fleet.WeaknessComponents(weakness)
	if len(having) == 0 {
		return nil, "no device has the weakness"
	}
	var out []exposure.ComponentID
	for _, id := range having {
		k := c.fleet.Component(id)
		if h, ok := c.fleet.HitOf(id, weakness); !ok || !h.Exposed || !pattern.Matches(k) || !inBounds(k, p.From, p.To) {
			continue
		}
		out = append(out, id)
	}
	if len(out) == 0 {
		return nil, "no device has the weakness in this product and version"
	}
	return out, ""
}

// inBounds reports whether a component's version lies between two bounds, both included.
func inBounds(k exposure.Component, from, to string) bool {
	for _, b := range []struct {
		v    string
		sign int
	}{{from, 1}, {to, -1}} {
		if b.v == "" {
			continue
		}
		if n, err := version.Compare(k.Key.Ecosystem, k.Version, b.v); err != nil || n*b.sign < 0 {
			return false
		}
	}
	return true
}

// vexException is the exception for one weakness of one component. It holds
// everywhere, unless another component of the same product and version has the
// weakness without being named: then on the devices that have this one. The
// caller holds mu for reading.
func (c *core) vexException(k vexKey, st *vex.Statement, v *store.VEX, said map[vexKey]vexClaim) NewException {
	comp := c.fleet.Component(k.component)
	e := NewException{Weakness: k.weakness, Product: comp.ID(), VersionFrom: comp.Version, VersionTo: comp.Version, Scope: ScopeGlobal, Justification: AlternateMitigation}
	if strings.HasPrefix(st.Justification, "protected_") || st.Justification == vex.InlineMitigations {
		e.Justification = ThirdPartyControl
	}
	words := []string{string(st.Status)}
	for _, w := range []string{st.Justification, st.Detail} {
		if w != "" {
			words = append(words, w)
		}
	}
	e.Context = strings.ToValidUTF8(clipText(strings.Join(words, ": ")+" ("+v.Author+")", mostContext), "")
	for _, id := range c.fleet.ProductComponents(comp.ID(), nil) {
		if id == k.component || c.fleet.Component(id).Version != comp.Version {
			continue
		}
		if h, ok := c.fleet.HitOf(id, k.weakness); !ok || !h.Exposed {
			continue
		}
		if o, ok := said[vexKey{k.author, k.weakness, id}]; ok && o.statement.Status == st.Status {
			continue
		}
		e.Scope = ScopeDevices
	}
	if e.Scope == ScopeDevices {
		for it := c.fleet.DevicesOf(k.component).Iterator(); it.HasNext() && len(e.Devices) < mostTargets; {
			if d := c.at(it.Next()); d != nil {
				e.Devices = append(e.Devices, d.id)
			}
		}
		slices.SortFunc(e.Devices, func(a, b inventory.DeviceID) int { return cmp.Compare(a, b) })
	}
	return e
}

func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
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
	return importFiles(ctx, args.Paths, progress, func(document []byte) (VEXRow, error) {
		return s.importVEX(ctx, "command line", document, args.Force)
	})
}

func vexListVerb(ctx context.Context, s *Server, _ json.RawMessage, _ func(Progress)) (any, error) {
	if err := s.applyVEX(ctx); err != nil {
		return nil, err
	}
	return s.vexRows(), nil
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
