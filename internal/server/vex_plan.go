package server

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/version"
	"github.com/picketsec/picket/internal/vex"
)

// matchedAtOnce is how many statements are held against the fleet before others get their turn.
const matchedAtOnce = 500

// vexPlan is what some documents, oldest first, say of the fleet.
type vexPlan struct {
	rows  []VEXDocument
	lists [][]NewException // of each document
	said  map[vexKey]vexClaim
}

// find returns the place of a document, by its id or by the one that its author gave it; -1: it is not there.
func (p *vexPlan) find(id string) int {
	return slices.IndexFunc(p.rows, func(r VEXDocument) bool { return r.ID == id || r.Document == id })
}

type vexKey struct {
	author, weakness string
	component        exposure.ComponentID
}

// vexClaim is what an author said last of a weakness of a component.
type vexClaim struct {
	doc, at               int // document and statement
	status                vex.Status
	justification, detail string
}

func (c *vexClaim) excepts() bool { return c.status == vex.NotAffected || c.status == vex.Fixed }

// vexMatched is a statement about something that the fleet has.
type vexMatched struct {
	at       int
	weakness string
	ids      []exposure.ComponentID
}

// planVEX says what comes of documents. One is in memory at a time, of the
// others only what is about something that devices have.
func (s *Server) planVEX(ctx context.Context, loaded []store.VEX) (*vexPlan, error) {
	p := &vexPlan{rows: make([]VEXDocument, len(loaded)), lists: make([][]NewException, len(loaded)), said: map[vexKey]vexClaim{}}
	matched := make([][]vexMatched, len(loaded))
	for i := range loaded {
		v := &loaded[i]
		row := &p.rows[i]
		*row = VEXDocument{VEXRow: VEXRow{ID: v.ID, Format: vexKinds[vex.Format(v.Format)], Author: v.Author, Document: v.Document, Version: v.Version, Title: v.Title,
			Made: v.Made, Loaded: v.Loaded, LoadedBy: v.LoadedBy, Digest: v.Digest}, Unmatched: []VEXUnmatched{}}
		doc, err := s.readVEX(ctx, v.ID, v.Document)
		if err != nil {
			return nil, err
		}
		err = s.matchVEX(doc, func(at int, st *vex.Statement, product *vex.Product, weakness string, ids []exposure.ComponentID, reason string) {
			row.Statements++
			if reason != "" {
				if row.UnmatchedCount++; len(row.Unmatched) < mostUnmatched {
					row.Unmatched = append(row.Unmatched, VEXUnmatched{st.Weakness, cmp.Or(product.PURL, product.Name), reason})
				}
				return
			}
			row.Matched++
			matched[i] = append(matched[i], vexMatched{at, weakness, ids})
			for _, id := range ids {
				p.said[vexKey{v.Author, weakness, id}] = vexClaim{i, at, st.Status, st.Justification, st.Detail}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range matched {
		for _, m := range matched[i] {
			switch p.outcome(i, loaded[i].Author, m) {
			case VEXApplied:
				p.rows[i].Applied++
			case VEXOverruled:
				p.rows[i].Overruled++
			}
		}
	}
	s.core.mu.RLock()
	defer s.core.mu.RUnlock()
	for _, k := range slices.SortedFunc(maps.Keys(p.said), func(a, b vexKey) int {
		return cmp.Or(cmp.Compare(a.weakness, b.weakness), cmp.Compare(a.component, b.component), cmp.Compare(a.author, b.author))
	}) {
		c := p.said[k]
		if comp := s.core.fleet.Component(k.component); c.excepts() && comp.Product != "" {
			p.lists[c.doc] = append(p.lists[c.doc], vexException(k, &c, comp))
		}
	}
	for i := range p.lists {
		list := onceEach(p.lists[i])
		if n := len(list); n > mostFromSource {
			list = list[:mostFromSource]
			p.rows[i].Problem = fmt.Sprintf("it has %d exceptions, of which the first %d are made: split the document", n, mostFromSource)
		}
		p.lists[i], p.rows[i].Exceptions = list, len(list)
	}
	return p, nil
}

// onceEach leaves out exceptions that are about the same as the one before:
// components of one package differ only in where they run.
func onceEach(list []NewException) []NewException {
	type about struct {
		weakness, product, version string
		key                        advisory.Key
	}
	seen := map[about]bool{}
	return slices.DeleteFunc(list, func(e NewException) bool {
		k := about{e.Weakness, e.Product, e.VersionFrom, e.Key}
		was := seen[k]
		seen[k] = true
		return was
	})
}

// outcome is what came of a statement that is about something.
func (p *vexPlan) outcome(doc int, author string, m vexMatched) string {
	out := VEXOverruled
	for _, id := range m.ids {
		if c := p.said[vexKey{author, m.weakness, id}]; c.doc == doc && c.at == m.at {
			if c.excepts() {
				return VEXApplied
			}
			out = VEXNotExcepted
		}
	}
	return out
}

// readVEX reads a stored document.
func (s *Server) readVEX(ctx context.Context, id, name string) (*vex.Document, error) {
	body, err := s.st.VEXBody(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("document %s: %w", name, err)
	}
	doc, err := vex.Decode(body)
	if err != nil {
		return nil, fmt.Errorf("read stored document %s: %w", name, err)
	}
	return doc, nil
}

// matchVEX holds every statement of a document about a product against the
// fleet and tells each what was found: components, or why there are none.
// weakness is the id that it has here. fleet and intelligence may go on
// changing meanwhile.
func (s *Server) matchVEX(doc *vex.Document, tell func(at int, st *vex.Statement, p *vex.Product, weakness string, ids []exposure.ComponentID, reason string)) error {
	view, release, err := s.snapshot()
	if err != nil {
		return err
	}
	defer release()
	c, n := s.core, 0
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range doc.Statements {
		st := &doc.Statements[i]
		weakness := view.Canonical(st.Weakness)
		for j := range st.Products {
			if n++; n%matchedAtOnce == 0 {
				c.mu.RUnlock()
				c.mu.RLock()
			}
			ids, reason := c.vexMatch(weakness, &st.Products[j])
			tell(i, st, &st.Products[j], weakness, ids, reason)
		}
	}
	return nil
}

// vexMatch finds the components that a product names, of those that have the
// weakness and count, or says why there are none. The caller holds mu for reading.
func (c *core) vexMatch(weakness string, p *vex.Product) ([]exposure.ComponentID, string) {
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

// vexException is the exception for one weakness of one version of a release's
// package. It holds wherever that is, now and later.
func vexException(k vexKey, c *vexClaim, comp exposure.Component) NewException {
	e := NewException{Weakness: k.weakness, Product: comp.ID(), VersionFrom: comp.Version, VersionTo: comp.Version, Key: comp.Key, Scope: ScopeGlobal, Justification: AlternateMitigation}
	if strings.HasPrefix(c.justification, "protected_") || c.justification == vex.InlineMitigations {
		e.Justification = ThirdPartyControl
	}
	words := []string{string(c.status)}
	for _, w := range []string{c.justification, c.detail} {
		if w != "" {
			words = append(words, w)
		}
	}
	e.Context = strings.ToValidUTF8(clipText(strings.Join(words, ": ")+" ("+k.author+")", mostContext), "")
	return e
}

func clipText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}
