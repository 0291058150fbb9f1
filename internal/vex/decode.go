package vex

import (
	"encoding/json"
	"fmt"
	"strings"
)

// partOfAnother is why products inside other products are not matched.
const partOfAnother = "it speaks of a part of another product; packages of devices are matched by their own package URL"

// ---- OpenVEX

type openVulnerability struct {
	ID   string `json:"@id"`
	Name string `json:"name"`
}

// UnmarshalJSON takes the old form too, which is a text.
func (v *openVulnerability) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &v.Name)
	}
	type plain openVulnerability
	return json.Unmarshal(raw, (*plain)(v))
}

type openProduct struct {
	ID          string `json:"@id"`
	Identifiers struct {
		PURL string `json:"purl"`
	} `json:"identifiers"`
	Parts []json.RawMessage `json:"subcomponents"`
}

// UnmarshalJSON takes the old form too, which is a text.
func (p *openProduct) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &p.ID)
	}
	type plain openProduct
	return json.Unmarshal(raw, (*plain)(p))
}

func decodeOpenVEX(data []byte) (*Document, error) {
	var in struct {
		ID         string      `json:"@id"`
		Author     string      `json:"author"`
		Timestamp  string      `json:"timestamp"`
		Updated    string      `json:"last_updated"`
		Version    json.Number `json:"version"`
		Statements []struct {
			Vulnerability openVulnerability `json:"vulnerability"`
			Products      []openProduct     `json:"products"`
			Status        Status            `json:"status"`
			Justification string            `json:"justification"`
			Impact        string            `json:"impact_statement"`
			Action        string            `json:"action_statement"`
			Notes         string            `json:"status_notes"`
		} `json:"statements"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	d := &Document{Format: OpenVEX, ID: in.ID, Author: in.Author, Version: in.Version.String(), Made: parseTime(in.Updated)}
	if d.Made.IsZero() {
		d.Made = parseTime(in.Timestamp)
	}
	for _, s := range in.Statements {
		out := Statement{Weakness: s.Vulnerability.Name, Status: s.Status, Justification: s.Justification, Detail: s.Impact, Action: s.Action}
		if out.Weakness == "" {
			out.Weakness = s.Vulnerability.ID
		}
		if out.Detail == "" {
			out.Detail = s.Notes
		}
		for _, p := range s.Products {
			q := Product{PURL: p.Identifiers.PURL, Name: p.ID}
			if q.PURL == "" && strings.HasPrefix(p.ID, "pkg:") {
				q.PURL = p.ID
			}
			if len(p.Parts) > 0 {
				q.Problem = partOfAnother
			}
			out.Products = append(out.Products, q)
		}
		d.Statements = append(d.Statements, out)
	}
	return d, nil
}

// ---- CSAF

type csafProduct struct {
	ID     string `json:"product_id"`
	Name   string `json:"name"`
	Helper struct {
		PURL  string   `json:"purl"`
		PURLs []string `json:"purls"`
	} `json:"product_identification_helper"`
}

type csafBranch struct {
	Product  *csafProduct `json:"product"`
	Branches []csafBranch `json:"branches"`
}

func (b *csafBranch) each(fn func(*csafProduct)) {
	if b.Product != nil {
		fn(b.Product)
	}
	for i := range b.Branches {
		b.Branches[i].each(fn)
	}
}

type csafNote struct {
	Label    string   `json:"label"`
	Category string   `json:"category"`
	Details  string   `json:"details"`
	Products []string `json:"product_ids"`
}

func decodeCSAF(data []byte) (*Document, error) {
	var in struct {
		Document struct {
			Title     string `json:"title"`
			Publisher struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
			} `json:"publisher"`
			Tracking struct {
				ID      string `json:"id"`
				Version string `json:"version"`
				Date    string `json:"current_release_date"`
			} `json:"tracking"`
		} `json:"document"`
		Tree struct {
			Branches  []csafBranch  `json:"branches"`
			Names     []csafProduct `json:"full_product_names"`
			Relations []struct {
				Full csafProduct `json:"full_product_name"`
			} `json:"relationships"`
		} `json:"product_tree"`
		Vulnerabilities []struct {
			CVE string `json:"cve"`
			IDs []struct {
				Text string `json:"text"`
			} `json:"ids"`
			Status       map[string][]string `json:"product_status"`
			Flags        []csafNote          `json:"flags"`
			Threats      []csafNote          `json:"threats"`
			Remediations []csafNote          `json:"remediations"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	t := &in.Document.Tracking
	d := &Document{Format: CSAF, ID: t.ID, Author: in.Document.Publisher.Name, Version: t.Version, Title: in.Document.Title, Made: parseTime(t.Date)}
	products := map[string]Product{}
	add := func(p *csafProduct, problem string) {
		q := Product{PURL: p.Helper.PURL, Name: p.Name, Problem: problem}
		if q.PURL == "" && len(p.Helper.PURLs) > 0 {
			q.PURL = p.Helper.PURLs[0]
		}
		products[p.ID] = q
	}
	for i := range in.Tree.Branches {
		in.Tree.Branches[i].each(func(p *csafProduct) { add(p, "") })
	}
	for i := range in.Tree.Names {
		add(&in.Tree.Names[i], "")
	}
	for i := range in.Tree.Relations {
		add(&in.Tree.Relations[i].Full, partOfAnother)
	}
	statuses := []struct {
		key    string
		status Status
	}{{"known_affected", Affected}, {"first_affected", Affected}, {"last_affected", Affected}, {"known_not_affected", NotAffected}, {"fixed", Fixed},
		{"first_fixed", Fixed}, {"under_investigation", UnderInvestigation}}
	n := 0
	for _, v := range in.Vulnerabilities {
		id := v.CVE
		if id == "" && len(v.IDs) > 0 {
			id = v.IDs[0].Text
		}
		notes := func(list []csafNote, category string) map[string]string {
			out := map[string]string{}
			for _, x := range list {
				text := x.Details
				if category == "flag" {
					text = x.Label
				} else if category != "" && x.Category != category {
					continue
				}
				for _, p := range x.Products {
					out[p] = text
				}
			}
			return out
		}
		flags, impact, action := notes(v.Flags, "flag"), notes(v.Threats, "impact"), notes(v.Remediations, "")
		for _, st := range statuses {
			groups := map[[3]string]int{} // statements by what is said
			for _, p := range v.Status[st.key] {
				if n++; n > MaxStatements {
					return nil, fmt.Errorf("the document has more than %d statements about products", MaxStatements)
				}
				k := [3]string{flags[p], impact[p], action[p]}
				i, ok := groups[k]
				if !ok {
					i = len(d.Statements)
					groups[k] = i
					d.Statements = append(d.Statements, Statement{Weakness: id, Status: st.status, Justification: k[0], Detail: k[1], Action: k[2]})
				}
				q, known := products[p]
				if !known {
					q = Product{Name: p, Problem: "the product tree does not name it"}
				}
				d.Statements[i].Products = append(d.Statements[i].Products, q)
			}
		}
	}
	return d, nil
}

// ---- CycloneDX

type cdxPart struct {
	Ref   string    `json:"bom-ref"`
	PURL  string    `json:"purl"`
	Name  string    `json:"name"`
	Parts []cdxPart `json:"components"`
}

func (c *cdxPart) into(m map[string]Product) {
	if c.Ref != "" {
		m[c.Ref] = Product{PURL: c.PURL, Name: c.Name}
	}
	for i := range c.Parts {
		c.Parts[i].into(m)
	}
}

func decodeCycloneDX(data []byte) (*Document, error) {
	type named struct {
		Name string `json:"name"`
	}
	var in struct {
		Serial   string      `json:"serialNumber"`
		Version  json.Number `json:"version"`
		Metadata struct {
			Timestamp    string  `json:"timestamp"`
			Authors      []named `json:"authors"`
			Manufacturer named   `json:"manufacturer"`
			Manufacture  named   `json:"manufacture"`
			Supplier     named   `json:"supplier"`
			Component    cdxPart `json:"component"`
		} `json:"metadata"`
		Parts           []cdxPart `json:"components"`
		Vulnerabilities []struct {
			ID       string `json:"id"`
			Analysis struct {
				State         string   `json:"state"`
				Justification string   `json:"justification"`
				Detail        string   `json:"detail"`
				Response      []string `json:"response"`
			} `json:"analysis"`
			Recommendation string `json:"recommendation"`
			Affects        []struct {
				Ref      string `json:"ref"`
				Versions []struct {
					Version string `json:"version"`
					Range   string `json:"range"`
				} `json:"versions"`
			} `json:"affects"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	if len(in.Vulnerabilities) == 0 {
		return nil, fmt.Errorf("this CycloneDX document has no vulnerabilities: as a bill of materials it goes to sbom import")
	}
	m := &in.Metadata
	d := &Document{Format: CycloneDX, ID: in.Serial, Version: in.Version.String(), Title: m.Component.Name, Made: parseTime(m.Timestamp)}
	for _, who := range append([]named{m.Manufacturer, m.Manufacture, m.Supplier}, m.Authors...) {
		if d.Author == "" {
			d.Author = who.Name
		}
	}
	refs := map[string]Product{}
	m.Component.into(refs)
	for i := range in.Parts {
		in.Parts[i].into(refs)
	}
	for i, v := range in.Vulnerabilities {
		s := Statement{Weakness: v.ID, Justification: v.Analysis.Justification, Detail: v.Analysis.Detail, Action: v.Recommendation}
		switch v.Analysis.State {
		case "not_affected", "false_positive":
			s.Status = NotAffected
		case "resolved", "resolved_with_pedigree":
			s.Status = Fixed
		case "exploitable":
			s.Status = Affected
		case "in_triage":
			s.Status = UnderInvestigation
		case "": // a report of vulnerabilities, without a verdict
			continue
		default:
			return nil, fmt.Errorf("vulnerabilities[%d]: analysis.state %.40q is not known", i, v.Analysis.State)
		}
		for _, a := range v.Affects {
			p, ok := refs[a.Ref]
			if !ok {
				_, ref, link := strings.Cut(a.Ref, "#")
				switch {
				case strings.HasPrefix(a.Ref, "pkg:"):
					p = Product{PURL: a.Ref, Name: a.Ref}
				case link && strings.HasPrefix(ref, "pkg:"):
					p = Product{PURL: ref, Name: a.Ref}
				default:
					p = Product{Name: a.Ref, Problem: "the document does not say what it is"}
				}
			}
			if len(a.Versions) == 0 {
				s.Products = append(s.Products, p)
			}
			for _, w := range a.Versions {
				q := p
				switch {
				case w.Version != "":
					q.From, q.To = w.Version, w.Version
				case w.Range != "":
					if q.From, q.To, ok = interval(w.Range); !ok {
						q.Problem = "its range of versions cannot be taken: " + clean(w.Range)
					}
				}
				s.Products = append(s.Products, q)
			}
		}
		d.Statements = append(d.Statements, s)
	}
	return d, nil
}

// interval reads a range "vers:deb/>=1|<=2" whose ends are included.
func interval(vers string) (from, to string, ok bool) {
	rest, ok := strings.CutPrefix(vers, "vers:")
	if !ok {
		return "", "", false
	}
	_, list, ok := strings.Cut(rest, "/")
	if !ok || list == "" {
		return "", "", false
	}
	if list == "*" {
		return "", "", true
	}
	for _, c := range strings.Split(list, "|") {
		switch v, is := strings.CutPrefix(c, ">="); {
		case is && from == "":
			from = v
		case strings.HasPrefix(c, "<=") && to == "":
			to = c[2:]
		case !strings.ContainsAny(c, "<>!=") && from == "" && to == "":
			from, to = c, c
		default:
			return "", "", false
		}
	}
	return from, to, true
}
