package advisory

import (
	"encoding/binary"
	"fmt"
	"time"
)

// AppendRecord appends the binary form of rec to b and returns the result.
func AppendRecord(b []byte, rec Record) []byte {
	b = append(b, recordV1)
	b = appendString(b, rec.ID)
	b = appendMaybeTime(b, rec.Modified)
	b = appendBool(b, rec.Withdrawn)
	b = appendStrings(b, rec.Aliases)
	if b = appendBool(b, rec.Facts != nil); rec.Facts != nil {
		b = appendWeakness(b, rec.Facts)
	}
	b = binary.AppendUvarint(b, uint64(len(rec.Statements)))
	for i := range rec.Statements {
		p := &rec.Statements[i]
		b = appendString(b, p.Key.Ecosystem)
		b = appendString(b, p.Key.Release)
		b = appendString(b, p.Key.Name)
		b = AppendStatement(b, p.Statement)
	}
	if b = appendBool(b, rec.KEV != nil); rec.KEV != nil {
		b = appendKEV(b, rec.KEV)
	}
	if b = appendBool(b, rec.EPSS != nil); rec.EPSS != nil {
		b = appendFloat(b, rec.EPSS.Score)
		b = appendFloat(b, rec.EPSS.Percentile)
		b = appendString(b, rec.EPSS.Date)
	}
	if b = appendBool(b, rec.Product != nil); rec.Product != nil {
		b = appendProduct(b, rec.Product)
	}
	return b
}

// DecodeRecord reads what AppendRecord wrote; b must hold exactly one record.
// The result keeps no reference to b. Empty slices come back as nil and times in UTC.
func DecodeRecord(b []byte) (Record, error) {
	r := &reader{text: string(b)}
	rec := r.record()
	if r.bad || r.at != len(r.text) {
		return Record{}, fmt.Errorf("read record: %w", errCodec)
	}
	return rec, nil
}

func (r *reader) record() Record {
	var rec Record
	if r.byte() != recordV1 {
		r.bad = true
		return rec
	}
	rec.ID = r.string()
	rec.Modified = r.maybeTime()
	rec.Withdrawn = r.bool()
	rec.Aliases = r.strings()
	if r.bool() {
		rec.Facts = r.weakness()
	}
	if n := r.count(8); n > 0 {
		rec.Statements = make([]Placed, n)
		for i := range rec.Statements {
			if r.bad {
				break
			}
			p := &rec.Statements[i]
			p.Key = Key{Ecosystem: r.string(), Release: r.string(), Name: r.string()}
			if r.statement(&p.Statement) {
				p.Statement.URL = trackerPage + p.Statement.Advisory
			}
		}
	}
	if r.bool() {
		rec.KEV = r.kev()
	}
	if r.bool() {
		rec.EPSS = &EPSS{Score: r.float(), Percentile: r.float(), Date: r.string()}
	}
	if r.bool() {
		rec.Product = r.product()
	}
	return rec
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendMaybeTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return appendTime(append(b, 1), t)
}

func (r *reader) maybeTime() time.Time {
	if !r.bool() {
		return time.Time{}
	}
	return r.time()
}

func appendWeakness(b []byte, w *Weakness) []byte {
	b = appendString(b, w.ID)
	b = appendStrings(b, w.Aliases)
	b = appendString(b, w.Title)
	b = appendString(b, w.Description)
	b = appendMaybeTime(b, w.Published)
	b = appendMaybeTime(b, w.Modified)
	b = appendBool(b, w.Rejected)
	b = binary.AppendUvarint(b, uint64(len(w.Scores)))
	for _, s := range w.Scores {
		b = appendString(b, s.Version)
		b = appendString(b, s.Vector)
		b = appendFloat(b, s.Base)
		b = appendString(b, s.Source)
	}
	b = appendString(b, string(w.Severity))
	b = appendString(b, w.SeverityFrom)
	b = appendFloat(b, w.EPSS)
	b = appendFloat(b, w.EPSSRank)
	b = appendString(b, w.EPSSDate)
	if b = appendBool(b, w.KEV != nil); w.KEV != nil {
		b = appendKEV(b, w.KEV)
	}
	b = appendString(b, string(w.Exploit))
	b = appendStrings(b, w.ExploitTypes)
	b = appendStrings(b, w.CWEs)
	b = binary.AppendUvarint(b, uint64(len(w.References)))
	for _, ref := range w.References {
		b = appendString(b, ref.URL)
		b = appendStrings(b, ref.Tags)
	}
	return appendStrings(b, w.Sources)
}

func (r *reader) weakness() *Weakness {
	w := &Weakness{
		ID: r.string(), Aliases: r.strings(), Title: r.string(), Description: r.string(),
		Published: r.maybeTime(), Modified: r.maybeTime(), Rejected: r.bool(),
	}
	if n := r.count(11); n > 0 {
		w.Scores = make([]Score, n)
		for i := range w.Scores {
			w.Scores[i] = Score{Version: r.string(), Vector: r.string(), Base: r.float(), Source: r.string()}
		}
	}
	w.Severity, w.SeverityFrom = Severity(r.string()), r.string()
	w.EPSS, w.EPSSRank, w.EPSSDate = r.float(), r.float(), r.string()
	if r.bool() {
		w.KEV = r.kev()
	}
	w.Exploit = Exploit(r.string())
	w.ExploitTypes = r.strings()
	w.CWEs = r.strings()
	if n := r.count(2); n > 0 {
		w.References = make([]Reference, n)
		for i := range w.References {
			w.References[i] = Reference{URL: r.string(), Tags: r.strings()}
		}
	}
	w.Sources = r.strings()
	return w
}

// AppendWeakness appends the binary form of w to b and returns the result.
func AppendWeakness(b []byte, w Weakness) []byte {
	return appendWeakness(append(b, recordV1), &w)
}

// DecodeWeakness reads what AppendWeakness wrote; b must hold exactly one
// weakness. Empty slices come back as nil and times in UTC.
func DecodeWeakness(b []byte) (Weakness, error) {
	r := &reader{text: string(b)}
	if r.byte() != recordV1 {
		r.bad = true
	}
	w := r.weakness()
	if r.bad || r.at != len(r.text) {
		return Weakness{}, fmt.Errorf("read weakness: %w", errCodec)
	}
	return *w, nil
}

func appendKEV(b []byte, k *KEV) []byte {
	b = appendString(b, k.Added)
	b = appendString(b, k.Due)
	b = appendString(b, k.Name)
	b = appendString(b, k.Action)
	return appendBool(b, k.Ransomware)
}

func (r *reader) kev() *KEV {
	return &KEV{Added: r.string(), Due: r.string(), Name: r.string(), Action: r.string(), Ransomware: r.bool()}
}

func appendProduct(b []byte, p *Product) []byte {
	b = appendString(b, p.Name)
	b = appendString(b, p.Label)
	b = appendStrings(b, p.PURLs)
	b = appendStrings(b, p.CPEs)
	b = appendStrings(b, p.Repo)
	b = binary.AppendUvarint(b, uint64(len(p.Cycles)))
	for _, c := range p.Cycles {
		b = appendString(b, c.Name)
		b = appendString(b, c.Code)
		b = appendBool(b, c.Ended)
		b = appendString(b, c.EOL)
		b = appendString(b, c.LTS)
		b = appendString(b, c.Latest)
	}
	return b
}

func (r *reader) product() *Product {
	p := &Product{Name: r.string(), Label: r.string(), PURLs: r.strings(), CPEs: r.strings(), Repo: r.strings()}
	if n := r.count(6); n > 0 {
		p.Cycles = make([]Cycle, n)
		for i := range p.Cycles {
			p.Cycles[i] = Cycle{Name: r.string(), Code: r.string(), Ended: r.bool(), EOL: r.string(), LTS: r.string(), Latest: r.string()}
		}
	}
	return p
}
