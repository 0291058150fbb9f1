package vex

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what is written: statements of one author about one system or group.
type Report struct {
	Subject string // id of what it is about: part of the document's id
	Title   string // its name, for people
	Author  string
	Tool    string    // version of Picket
	Made    time.Time // equal reports of equal time give equal bytes
	// Statements are written in their order; products have package URLs.
	Statements []Statement
}

// ContentType is the media type of a format.
func (f Format) ContentType() string {
	if f == CycloneDX {
		return "application/vnd.cyclonedx+json; version=1.6"
	}
	return "application/" + string(f) + "+json"
}

// Extension is how names of files of a format end.
func (f Format) Extension() string {
	return map[Format]string{OpenVEX: ".openvex.json", CSAF: ".csaf.json", CycloneDX: ".vex.cdx.json"}[f]
}

// Encode writes a report: OpenVEX 0.2.0, CSAF VEX 2.0 or CycloneDX VEX 1.6, as JSON.
// Of a weakness and a product it says one thing: the worst that the report does.
func Encode(w io.Writer, f Format, r *Report) error {
	var v any
	r = r.once()
	switch f {
	case CSAF:
		v = r.csaf()
	case CycloneDX:
		v = r.cyclonedx()
	default:
		v = r.openvex()
	}
	enc := json.NewEncoder(w) // markup is escaped: names come from endpoints
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write %s about %s: %w", f.Title(), r.Subject, err)
	}
	return nil
}

// severity orders what may be said of one product: the worst first.
var severity = map[Status]int{Affected: 0, UnderInvestigation: 1, NotAffected: 2, Fixed: 3}

// once is the report with each pair of a weakness and a product in one
// statement only: the first of those with the worst status. Components that
// have one package URL may differ in what is known of them: headers of a kernel
// beside the kernel.
func (r *Report) once() *Report {
	type pair struct{ weakness, purl string }
	said := map[pair]int{}
	for i, s := range r.Statements {
		for _, p := range s.Products {
			k := pair{s.Weakness, p.PURL}
			if j, ok := said[k]; !ok || severity[s.Status] < severity[r.Statements[j].Status] {
				said[k] = i
			}
		}
	}
	out := *r
	out.Statements = nil
	for i, s := range r.Statements {
		var products []Product
		for _, p := range s.Products {
			if k := (pair{s.Weakness, p.PURL}); said[k] == i {
				products = append(products, p)
				said[k] = -1 // also when a statement names it twice
			}
		}
		if s.Products = products; len(products) > 0 {
			out.Statements = append(out.Statements, s)
		}
	}
	return &out
}

type object = map[string]any // keys are written in their order of letters

func (r *Report) time() string { return r.Made.UTC().Truncate(time.Second).Format(time.RFC3339) }

// digest names a text in hexadecimal digits.
func digest(text string, n int) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])[:n]
}

// label is a justification in OpenVEX's and CSAF's words, "" when it has none.
func label(j string) string {
	switch j {
	case ComponentNotPresent, CodeNotPresent, CodeNotInPath, NotControllable, InlineMitigations:
		return j
	case "code_not_present":
		return CodeNotPresent
	case "code_not_reachable":
		return CodeNotInPath
	case "requires_configuration", "requires_dependency", "requires_environment":
		return NotControllable
	case "protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control":
		return InlineMitigations
	}
	return ""
}

func (r *Report) openvex() any {
	type vulnerability struct {
		Name string `json:"name"`
	}
	type product struct {
		ID          string            `json:"@id"`
		Identifiers map[string]string `json:"identifiers"`
	}
	type statement struct {
		Vulnerability vulnerability `json:"vulnerability"`
		Products      []product     `json:"products"`
		Status        Status        `json:"status"`
		Justification string        `json:"justification,omitempty"`
		Impact        string        `json:"impact_statement,omitempty"`
		Notes         string        `json:"status_notes,omitempty"`
		Action        string        `json:"action_statement,omitempty"`
	}
	out := struct {
		Context    string      `json:"@context"`
		ID         string      `json:"@id"`
		Author     string      `json:"author"`
		Timestamp  string      `json:"timestamp"`
		Version    int         `json:"version"`
		Tooling    string      `json:"tooling"`
		Statements []statement `json:"statements"`
	}{"https://openvex.dev/ns/v0.2.0", "urn:picket:vex:" + digest(r.Subject, 40), r.Author, r.time(), 1, "Picket " + r.Tool, []statement{}}
	for _, s := range r.Statements {
		o := statement{Vulnerability: vulnerability{s.Weakness}, Status: s.Status}
		switch s.Status {
		case NotAffected:
			if o.Justification, o.Impact = label(s.Justification), s.Detail; o.Justification == "" {
				o.Impact = or(s.Detail, "not affected") // one of both must be there
			}
		case Affected: // must say what to do
			o.Action, o.Notes = or(s.Action, "No fix is known."), s.Detail
		default:
			o.Notes = s.Detail
		}
		for _, p := range s.Products {
			o.Products = append(o.Products, product{p.PURL, map[string]string{"purl": p.PURL}})
		}
		out.Statements = append(out.Statements, o)
	}
	return out
}

// products lists every product once, sorted.
func (r *Report) products() []string {
	var list []string
	for _, s := range r.Statements {
		for _, p := range s.Products {
			list = append(list, p.PURL)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (r *Report) csaf() any {
	names := []any{}
	id := map[string]string{}
	for _, p := range r.products() {
		id[p] = "P-" + digest(p, 16)
		names = append(names, object{"name": p, "product_id": id[p], "product_identification_helper": object{"purl": p}})
	}
	type entry struct {
		status                       map[string][]string
		flags, threats, remediations []any
	}
	byID := map[string]*entry{}
	var order []string
	word := map[Status]string{Affected: "known_affected", NotAffected: "known_not_affected", Fixed: "fixed", UnderInvestigation: "under_investigation"}
	for _, s := range r.Statements {
		e := byID[s.Weakness]
		if e == nil {
			e = &entry{status: map[string][]string{}}
			byID[s.Weakness] = e
			order = append(order, s.Weakness)
		}
		var ids []string
		for _, p := range s.Products {
			ids = append(ids, id[p.PURL])
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
		if len(ids) == 0 {
			continue
		}
		e.status[word[s.Status]] = append(e.status[word[s.Status]], ids...)
		switch s.Status {
		case NotAffected:
			if l := label(s.Justification); l != "" {
				e.flags = append(e.flags, object{"label": l, "product_ids": ids})
			}
			if s.Detail != "" || label(s.Justification) == "" {
				e.threats = append(e.threats, object{"category": "impact", "details": or(s.Detail, "not affected"), "product_ids": ids})
			}
		case Affected: // the profile wants to be told what to do
			category := "none_available"
			if strings.HasPrefix(s.Action, "Update") {
				category = "vendor_fix"
			} else if s.Action != "" {
				category = "mitigation"
			}
			e.remediations = append(e.remediations, object{"category": category, "details": or(s.Action, "No fix is known."), "product_ids": ids})
		}
	}
	vulnerabilities := []any{}
	for _, w := range order {
		e := byID[w]
		v := object{"notes": []any{object{"category": "general", "text": "What is known of " + w + " on " + r.Title + "."}}}
		if isCVE(w) {
			v["cve"] = w
		} else {
			v["ids"] = []any{object{"system_name": "advisory", "text": w}}
		}
		if len(e.status) > 0 {
			for k := range e.status {
				slices.Sort(e.status[k])
				e.status[k] = slices.Compact(e.status[k])
			}
			v["product_status"] = e.status
		}
		for key, list := range map[string][]any{"flags": e.flags, "threats": e.threats, "remediations": e.remediations} {
			if len(list) > 0 {
				v[key] = list
			}
		}
		vulnerabilities = append(vulnerabilities, v)
	}
	at := r.time()
	doc := object{
		"document": object{
			"category": "csaf_vex", "csaf_version": "2.0", "title": "Exploitability on " + r.Title,
			"publisher": object{"category": "user", "name": r.Author, "namespace": "https://picket.invalid"},
			"tracking": object{"id": "picket-" + digest(r.Subject, 40), "status": "final", "version": "1", "initial_release_date": at, "current_release_date": at,
				"generator":        object{"date": at, "engine": object{"name": "Picket", "version": or(r.Tool, "dev")}},
				"revision_history": []any{object{"number": "1", "date": at, "summary": "State of that time."}}},
		},
	}
	if len(names) > 0 {
		doc["product_tree"] = object{"full_product_names": names}
	}
	if len(vulnerabilities) > 0 {
		doc["vulnerabilities"] = vulnerabilities
	}
	return doc
}

func (r *Report) cyclonedx() any {
	components := []any{}
	for _, p := range r.products() {
		name := p
		if i := strings.IndexAny(name, "?@"); i > 0 {
			name = name[:i]
		}
		components = append(components, object{"type": "library", "bom-ref": p, "name": name[strings.LastIndexByte(name, '/')+1:], "purl": p})
	}
	vulnerabilities := []any{}
	for _, s := range r.Statements {
		analysis := object{}
		switch s.Status {
		case Affected:
			analysis["state"] = "exploitable"
			if strings.HasPrefix(s.Action, "Update") {
				analysis["response"] = []string{"update"}
			}
		case NotAffected:
			analysis["state"] = "not_affected"
			analysis["justification"] = map[string]string{ComponentNotPresent: "code_not_present", CodeNotPresent: "code_not_present", CodeNotInPath: "code_not_reachable",
				NotControllable: "requires_environment", InlineMitigations: "protected_by_mitigating_control"}[or(label(s.Justification), InlineMitigations)]
		case Fixed:
			analysis["state"] = "resolved"
		default:
			analysis["state"] = "in_triage"
		}
		if s.Detail != "" {
			analysis["detail"] = s.Detail
		}
		affects := []any{}
		for _, p := range s.Products {
			affects = append(affects, object{"ref": p.PURL})
		}
		v := object{"bom-ref": fmt.Sprintf("%s#%s#%s", s.Weakness, s.Status, digest(fmt.Sprint(s.Products, s.Detail, s.Action), 12)), "id": s.Weakness, "analysis": analysis, "affects": affects}
		if s.Action != "" {
			v["recommendation"] = s.Action
		}
		vulnerabilities = append(vulnerabilities, v)
	}
	u := digest(r.Subject+"\x00vex", 32)
	u = u[:12] + "8" + u[13:16] + "8" + u[17:]
	return object{
		"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
		"serialNumber": "urn:uuid:" + u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:],
		"metadata": object{"timestamp": r.time(), "authors": []any{object{"name": r.Author}},
			"tools":     object{"components": []any{object{"type": "application", "name": "picket", "version": or(r.Tool, "dev")}}},
			"component": object{"type": "device", "bom-ref": "subject", "name": r.Title}},
		"components": components, "vulnerabilities": vulnerabilities,
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// isCVE reports whether an id has the form that CSAF's "cve" takes.
func isCVE(id string) bool {
	rest, ok := strings.CutPrefix(id, "CVE-")
	year, n, two := strings.Cut(rest, "-")
	return ok && two && len(year) == 4 && len(n) >= 4 && strings.Trim(year+n, "0123456789") == ""
}
