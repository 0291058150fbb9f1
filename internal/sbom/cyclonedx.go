package sbom

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// cdxComponent is a component of CycloneDX, in JSON and in XML.
type cdxComponent struct {
	Type      string `json:"type" xml:"type,attr"`
	Ref       string `json:"bom-ref" xml:"bom-ref,attr"`
	Group     string `json:"group" xml:"group"`
	Name      string `json:"name" xml:"name"`
	Version   string `json:"version" xml:"version"`
	PURL      string `json:"purl" xml:"purl"`
	Publisher string `json:"publisher" xml:"publisher"`
	Supplier  *struct {
		Name string `json:"name" xml:"name"`
	} `json:"supplier" xml:"supplier"`
	Properties []property     `json:"properties" xml:"properties>property"`
	Components []cdxComponent `json:"components" xml:"components>component"`
}

func (c *cdxComponent) component() component {
	out := component{ref: c.Ref, kind: c.Type, group: c.Group, name: c.Name, version: c.Version, purl: c.PURL, vendor: c.Publisher, props: c.Properties}
	if out.vendor == "" && c.Supplier != nil {
		out.vendor = c.Supplier.Name
	}
	return out
}

// flatten appends a component and those inside it.
func (c *cdxComponent) flatten(b *bom, depth int, count func() error) error {
	if depth > MaxDepth {
		return fmt.Errorf("components are nested deeper than %d", MaxDepth)
	}
	if err := count(); err != nil {
		return err
	}
	b.parts = append(b.parts, c.component())
	for i := range c.Components {
		if err := c.Components[i].flatten(b, depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

// cdxTool is a tool in the old form (a list of these) or the new one (components).
type cdxTool struct {
	Vendor  string `json:"vendor" xml:"vendor"`
	Name    string `json:"name" xml:"name"`
	Version string `json:"version" xml:"version"`
}

type cdxTools []cdxTool

// UnmarshalJSON takes both forms.
func (t *cdxTools) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		return json.Unmarshal(raw, (*[]cdxTool)(t))
	}
	var v struct {
		Components []cdxTool `json:"components"`
		Services   []cdxTool `json:"services"`
	}
	err := json.Unmarshal(raw, &v)
	*t = append(v.Components, v.Services...)
	return err
}

type cdxMetadata struct {
	Timestamp  string       `json:"timestamp" xml:"timestamp"`
	Tools      cdxTools     `json:"tools" xml:"tools>tool"`
	ToolParts  []cdxTool    `json:"-" xml:"tools>components>component"` // the new form in XML
	Component  cdxComponent `json:"component" xml:"component"`
	Properties []property   `json:"properties" xml:"properties>property"`
}

func (m *cdxMetadata) into(b *bom) {
	b.made = parseTime(m.Timestamp)
	for i, t := range append(m.Tools, m.ToolParts...) {
		if i < 20 {
			b.tools = append(b.tools, clean(strings.TrimSpace(t.Name+" "+t.Version), maxText))
		}
	}
	b.subject = m.Component.component()
	b.props = m.Properties
}

// specOf refuses versions that are not read.
func specOf(version string) error {
	switch version {
	case "1.4", "1.5", "1.6", "1.7":
		return nil
	case "":
		return errors.New("the version of CycloneDX is missing")
	}
	return fmt.Errorf("CycloneDX %.20q is not read: 1.4, 1.5, 1.6 and 1.7 are", version)
}

func parseCycloneDX(data []byte) (*bom, error) {
	r := newReader(data)
	b := &bom{format: CycloneDX}
	var nested []cdxComponent // inside metadata.component
	err := r.object("", func(key string) error {
		switch key {
		case "specVersion":
			if err := r.value(key, &b.spec); err != nil {
				return err
			}
			if err := specOf(b.spec); err != nil {
				return r.fail(key, err)
			}
			return nil
		case "serialNumber":
			return r.value(key, &b.serial)
		case "metadata":
			var m cdxMetadata
			if err := r.value(key, &m); err != nil {
				return err
			}
			m.into(b)
			nested = m.Component.Components
			return nil
		case "components":
			return r.list(key, MaxComponents, func(at string) error {
				var c cdxComponent
				if err := r.value(at, &c); err != nil {
					return err
				}
				if err := c.flatten(b, 1, func() error { return r.count(at) }); err != nil {
					return r.fail(at, err)
				}
				return nil
			})
		case "compositions":
			return r.list(key, MaxComponents, func(at string) error {
				var c struct {
					Aggregate  string   `json:"aggregate"`
					Assemblies []string `json:"assemblies"`
				}
				if err := r.value(at, &c); err != nil {
					return err
				}
				if strings.HasPrefix(c.Aggregate, "incomplete") {
					b.incomplete = "the document says itself that it is incomplete (compositions: " + clean(c.Aggregate, 60) + ")"
				}
				return nil
			})
		}
		return r.skip(key)
	})
	if err != nil {
		return nil, err
	}
	if b.spec == "" {
		return nil, &Error{Line: 1, Column: 1, Text: specOf("").Error()}
	}
	for i := range nested {
		at := fmt.Sprintf("metadata.component.components[%d]", i)
		if err := nested[i].flatten(b, 1, func() error { return r.count(at) }); err != nil {
			return nil, r.fail(at, err)
		}
	}
	return b, nil
}

// cdxXML is a whole document in XML.
type cdxXML struct {
	XMLName    xml.Name
	Serial     string         `xml:"serialNumber,attr"`
	Metadata   cdxMetadata    `xml:"metadata"`
	Components []cdxComponent `xml:"components>component"`
}

// parseXML reads CycloneDX in XML; the namespace says the version.
func parseXML(data []byte) (*bom, error) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	fail := func(err error) error {
		e := &Error{Text: "this is not XML that can be read: " + err.Error()}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			e.Text = "this is not XML: " + syntax.Msg
		}
		e.Line, e.Column = dec.InputPos()
		return e
	}
	// A first pass bounds depth and count before anything is held.
	depth, parts := 0, 0
	for {
		t, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fail(err)
		}
		switch v := t.(type) {
		case xml.Directive:
			return nil, fail(errors.New("document types and entities are not taken"))
		case xml.StartElement:
			if v.Name.Local == "component" {
				parts++
			}
			if depth++; depth > 4*MaxDepth {
				return nil, fail(fmt.Errorf("elements are nested deeper than %d", 4*MaxDepth))
			}
			if parts > MaxComponents {
				return nil, fail(fmt.Errorf("the document has more than %d components", MaxComponents))
			}
		case xml.EndElement:
			depth--
		}
	}
	dec = xml.NewDecoder(bytes.NewReader(data))
	var doc cdxXML
	if err := dec.Decode(&doc); err != nil {
		return nil, fail(err)
	}
	_, spec, ok := strings.Cut(doc.XMLName.Space, "cyclonedx.org/schema/bom/")
	if doc.XMLName.Local != "bom" || !ok {
		return nil, &Error{Line: 1, Column: 1, Text: "this XML is no CycloneDX document"}
	}
	if err := specOf(spec); err != nil {
		return nil, &Error{Line: 1, Column: 1, Text: err.Error()}
	}
	b := &bom{format: CycloneDX, spec: spec, serial: doc.Serial}
	doc.Metadata.into(b)
	n := 0
	for i := range doc.Components {
		at := fmt.Sprintf("components[%d]", i)
		err := doc.Components[i].flatten(b, 1, func() error {
			if n++; n > MaxComponents {
				return fmt.Errorf("the document has more than %d components", MaxComponents)
			}
			return nil
		})
		if err != nil {
			return nil, &Error{Place: at, Text: err.Error()}
		}
	}
	return b, nil
}
