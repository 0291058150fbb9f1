package server

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
	"github.com/picketsec/picket/internal/vex"
)

// VEXRow is a loaded VEX document and what came of it.
type VEXRow struct {
	ID         string    `json:"id"`
	Format     string    `json:"format"` // OpenVEX, CSAF, CycloneDX
	Author     string    `json:"author"`
	Document   string    `json:"document"` // id that its author gave it
	Version    string    `json:"version"`
	Title      string    `json:"title"`
	Digest     string    `json:"digest"` // SHA-256
	Made       time.Time `json:"made"`
	Loaded     time.Time `json:"loaded"`
	LoadedBy   string    `json:"loaded_by"`
	Statements int       `json:"statements"` // pairs of a weakness and a product
	Matched    int       `json:"matched"`    // of them: about something that devices have now
	Applied    int       `json:"applied"`    // of those: with an exception
	Overruled  int       `json:"overruled"`  // of those: a later statement of the author says otherwise
	Exceptions int       `json:"exceptions"` // that hold because of it

	UnmatchedCount int    `json:"unmatched_count"` // statements that nothing was found for
	Problem        string `json:"problem"`         // why not all of its exceptions are made; ""
}

// VEXDocument is a document with the first of its statements that nothing was found for.
type VEXDocument struct {
	VEXRow
	Unmatched []VEXUnmatched `json:"unmatched"` // at most 200
}

// VEXUnmatched is a statement that nothing was found for, and why.
type VEXUnmatched struct {
	Weakness string `json:"weakness"`
	Product  string `json:"product"`
	Reason   string `json:"reason"`
}

// What came of a statement.
const (
	VEXApplied     = "Applied"     // there is an exception because of it
	VEXNotExcepted = "NotExcepted" // it says that the product is affected, or not known to be
	VEXOverruled   = "Overruled"   // a later statement of its author goes before it
	VEXUnmatchedAs = "NotMatched"  // devices have nothing that it is about
)

// VEXStatement is what a document says of one weakness and one product, and
// what came of it.
type VEXStatement struct {
	Place         int    `json:"place"` // in the document, from 1
	Weakness      string `json:"weakness"`
	Product       string `json:"product"` // as the document names it
	Status        string `json:"status"`  // affected, not_affected, fixed, under_investigation
	Justification string `json:"justification"`
	Detail        string `json:"detail"`
	Outcome       string `json:"outcome"`
	Reason        string `json:"reason"`   // of an outcome without an exception
	Software      string `json:"software"` // id of the product here; "" when nothing was found
	Devices       int    `json:"devices"`  // with what it is about

	ids []exposure.ComponentID
}

// VEXRemoval is what comes back when a document is removed.
type VEXRemoval struct {
	Exceptions int      `json:"exceptions"` // that end
	Made       int      `json:"made"`       // that earlier documents of its author make again
	Findings   int      `json:"findings"`   // that are under no exception any more, of all devices
	Weaknesses []string `json:"weaknesses"` // of those findings, at most 100
	Count      int      `json:"count"`      // of weaknesses
	Devices    int      `json:"devices"`    // with those findings
}

var vexStatuses = []string{string(vex.NotAffected), string(vex.Affected), string(vex.Fixed), string(vex.UnderInvestigation)}

func vexList() *list[VEXRow] {
	return &list[VEXRow]{
		text: func(r *VEXRow, has func(string) bool) bool {
			return has(r.Document) || has(r.Author) || has(r.Title) || has(r.LoadedBy) || has(r.ID)
		},
		filters: map[string]func(*VEXRow, []string) bool{
			"kind":   oneOf(func(r *VEXRow) string { return r.Format }),
			"author": oneOf(func(r *VEXRow) string { return r.Author }),
		},
		values: map[string][]string{"kind": {vexKinds[vex.OpenVEX], vexKinds[vex.CSAF], vexKinds[vex.CycloneDX]}},
		order: map[string]func(a, b *VEXRow) int{
			"document":   byText(func(r *VEXRow) string { return cmp.Or(r.Title, r.Document) }),
			"author":     byText(func(r *VEXRow) string { return r.Author }),
			"format":     byText(func(r *VEXRow) string { return r.Format }),
			"made":       byTime(func(r *VEXRow) time.Time { return r.Made }),
			"loaded":     byTime(func(r *VEXRow) time.Time { return r.Loaded }),
			"statements": byNumber(func(r *VEXRow) int { return r.Statements }),
			"applied":    byNumber(func(r *VEXRow) int { return r.Applied }),
			"unmatched":  byNumber(func(r *VEXRow) int { return r.UnmatchedCount }),
			"exceptions": byNumber(func(r *VEXRow) int { return r.Exceptions }),
		},
		tie:     func(a, b *VEXRow) int { return cmp.Compare(a.ID, b.ID) },
		initial: []string{"-made"},
	}
}

func vexStatementList() *list[VEXStatement] {
	return &list[VEXStatement]{
		text: func(r *VEXStatement, has func(string) bool) bool {
			return has(r.Weakness) || has(r.Product) || has(r.Detail) || has(r.Reason)
		},
		filters: map[string]func(*VEXStatement, []string) bool{
			"outcome": oneOf(func(r *VEXStatement) string { return r.Outcome }),
			"status":  oneOf(func(r *VEXStatement) string { return r.Status }),
		},
		values: map[string][]string{"outcome": {VEXApplied, VEXNotExcepted, VEXOverruled, VEXUnmatchedAs}, "status": vexStatuses},
		order: map[string]func(a, b *VEXStatement) int{
			"weakness": func(a, b *VEXStatement) int { return compareIDs(a.Weakness, b.Weakness) },
			"product":  byText(func(r *VEXStatement) string { return r.Product }),
			"status":   byText(func(r *VEXStatement) string { return r.Status }),
			"outcome":  byText(func(r *VEXStatement) string { return r.Outcome }),
		},
		tie:     func(a, b *VEXStatement) int { return cmp.Compare(a.Place, b.Place) },
		initial: []string{"outcome"},
	}
}

// lastVEX is what came of the documents, held against the fleet now if it never was.
func (s *Server) lastVEX(ctx context.Context) (*vexPlan, error) {
	if p := s.vexed.Load(); p != nil {
		return p, nil
	}
	if err := s.applyVEX(ctx); err != nil {
		return nil, err
	}
	return s.vexed.Load(), nil
}

// VEXDocuments lists the loaded documents, youngest first. What it counts is of
// all devices, whichever groups the caller asks for.
func (s *Server) VEXDocuments(ctx context.Context, caller Caller, q Query) (Page[VEXRow], error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return Page[VEXRow]{}, err
	}
	p, err := s.lastVEX(ctx)
	if err != nil {
		return Page[VEXRow]{}, err
	}
	rows := make([]*VEXRow, len(p.rows))
	for i := range p.rows {
		rows[i] = &p.rows[i].VEXRow
	}
	return vexList().page(q, rows)
}

// document finds a loaded document, by its id or by the one that its author gave it.
func (s *Server) document(ctx context.Context, caller Caller, id string) (*vexPlan, int, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return nil, 0, err
	}
	p, err := s.lastVEX(ctx)
	if err != nil {
		return nil, 0, err
	}
	i := p.find(id)
	if i < 0 {
		return nil, 0, fmt.Errorf("VEX document %q: %w", id, ErrNotFound)
	}
	return p, i, nil
}

// VEXDocument is one loaded document.
func (s *Server) VEXDocument(ctx context.Context, caller Caller, id string) (VEXDocument, error) {
	p, i, err := s.document(ctx, caller, id)
	if err != nil {
		return VEXDocument{}, err
	}
	return p.rows[i], nil
}

// VEXStatements lists everything that a document says of products, and what
// came of it: those with an exception first. Devices are counted of all groups.
func (s *Server) VEXStatements(ctx context.Context, caller Caller, id string, q Query) (Page[VEXStatement], error) {
	p, i, err := s.document(ctx, caller, id)
	if err != nil {
		return Page[VEXStatement]{}, err
	}
	l := vexStatementList()
	if err := l.check(&q); err != nil {
		return Page[VEXStatement]{}, err
	}
	doc, err := s.readVEX(ctx, p.rows[i].ID, p.rows[i].Document)
	if err != nil {
		return Page[VEXStatement]{}, err
	}
	var rows []*VEXStatement
	err = s.matchVEX(doc, func(at int, st *vex.Statement, product *vex.Product, weakness string, ids []exposure.ComponentID, reason string) {
		r := &VEXStatement{Place: len(rows) + 1, Weakness: st.Weakness, Product: cmp.Or(product.PURL, product.Name), Status: string(st.Status), Justification: st.Justification, Detail: st.Detail,
			Outcome: VEXUnmatchedAs, Reason: reason, ids: ids}
		if reason == "" {
			r.Outcome = p.outcome(i, p.rows[i].Author, vexMatched{at, weakness, ids})
		}
		switch r.Outcome {
		case VEXNotExcepted:
			r.Reason = "it does not say that the product is not affected"
		case VEXOverruled:
			r.Reason = "a later statement of its author goes before it"
		}
		rows = append(rows, r)
	})
	if err != nil {
		return Page[VEXStatement]{}, err
	}
	page, err := l.page(q, rows)
	if err != nil {
		return Page[VEXStatement]{}, err
	}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range page.Items {
		r, on := &page.Items[i], roaring.New()
		for _, id := range r.ids {
			on.Or(c.fleet.DevicesOf(id))
			r.Software = cmp.Or(r.Software, c.fleet.Component(id).ID())
		}
		r.Devices = int(on.GetCardinality())
	}
	return page, nil
}

// VEXFile is a document as it came.
func (s *Server) VEXFile(ctx context.Context, caller Caller, id string) (Download, error) {
	p, i, err := s.document(ctx, caller, id)
	if err != nil {
		return Download{}, err
	}
	row := &p.rows[i]
	body, err := s.st.VEXBody(ctx, row.ID)
	if err != nil {
		return Download{}, fmt.Errorf("VEX document %s: %w", row.Document, err)
	}
	return Download{Name: fileWord(row.Document) + ".json", Type: "application/json", Write: func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	}}, nil
}

// VEXRemoval says what would come back if a document were removed. Nothing is changed.
func (s *Server) VEXRemoval(ctx context.Context, caller Caller, id string) (VEXRemoval, error) {
	if _, _, err := s.document(ctx, caller, id); err != nil {
		return VEXRemoval{}, err
	}
	s.importing.Lock()
	defer s.importing.Unlock()
	loaded, err := s.st.VEX(ctx)
	if err != nil {
		return VEXRemoval{}, err
	}
	i := slices.IndexFunc(loaded, func(v store.VEX) bool { return v.ID == id || v.Document == id })
	if i < 0 {
		return VEXRemoval{}, fmt.Errorf("VEX document %q: %w", id, ErrNotFound)
	}
	without := slices.Delete(slices.Clone(loaded), i, i+1)
	plan, err := s.planVEX(ctx, without)
	if err != nil {
		return VEXRemoval{}, err
	}
	var news []*exceptionSpec
	ending := map[int64]bool{}
	change := func(v *store.VEX, list []NewException) error {
		made, gone, err := s.sourceChanges(vexSource(v), list, s.now())
		for _, e := range gone {
			ending[e.id] = true
		}
		news = append(news, made...)
		return err
	}
	if err := change(&loaded[i], nil); err != nil {
		return VEXRemoval{}, err
	}
	for j := range without {
		if err := change(&without[j], plan.lists[j]); err != nil {
			return VEXRemoval{}, err
		}
	}
	out := VEXRemoval{Exceptions: len(ending), Made: len(news)}
	c := s.core
	c.mu.RLock()
	defer c.mu.RUnlock()
	var then []exposure.Exception
	for _, e := range c.exceptions {
		if x, ok := c.inForce(e.id, e.spec); ok && e.spec.open() && !ending[e.id] {
			then = append(then, x)
		}
	}
	for n, spec := range news {
		if x, ok := c.inForce(int64(-1-n), spec); ok {
			then = append(then, x)
		}
	}
	var force []exposure.Exception
	for n, suspended := range exposure.Suspended(then) {
		if !suspended {
			force = append(force, then[n])
		}
	}
	back := c.fleet.Scores().Returning(force)
	out.Findings, out.Count, out.Devices = back.Findings, len(back.Weaknesses), int(back.Devices.GetCardinality())
	out.Weaknesses = append([]string{}, back.Weaknesses[:min(len(back.Weaknesses), 100)]...)
	return out, nil
}
