// Package vex reads and writes statements about exploitability: which products
// a weakness affects, which it does not, and why. It knows OpenVEX, CSAF VEX
// 2.0 and CycloneDX VEX.
//
//	doc, err := vex.Decode(data)
//	for _, s := range doc.Statements { … }
//
// The package is pure: it does no I/O and reads no clock. Everything that it
// reads is hostile: size, depth, counts and lengths are capped.
package vex

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// The limits of a document.
const (
	MaxBytes      = 64 << 20
	MaxStatements = 100_000 // pairs of a weakness and a product
	maxDepth      = 100
	maxText       = 1000
	maxPURL       = 4096
)

// Format is a family of documents.
type Format string

// The formats.
const (
	OpenVEX   Format = "openvex"
	CSAF      Format = "csaf"
	CycloneDX Format = "cyclonedx"
)

// Valid reports whether f is one of the formats.
func (f Format) Valid() bool { return f == OpenVEX || f == CSAF || f == CycloneDX }

// Title is the name of a format for people.
func (f Format) Title() string {
	return map[Format]string{OpenVEX: "OpenVEX", CSAF: "CSAF VEX", CycloneDX: "CycloneDX VEX"}[f]
}

// Status is what is said of a product, in OpenVEX's words.
type Status string

// The statuses.
const (
	Affected           Status = "affected"
	NotAffected        Status = "not_affected"
	Fixed              Status = "fixed"
	UnderInvestigation Status = "under_investigation"
)

func (s Status) valid() bool {
	return s == Affected || s == NotAffected || s == Fixed || s == UnderInvestigation
}

// Justifications of NotAffected, in OpenVEX's words. CycloneDX has others,
// which are kept as they are.
const (
	ComponentNotPresent = "component_not_present"
	CodeNotPresent      = "vulnerable_code_not_present"
	CodeNotInPath       = "vulnerable_code_not_in_execute_path"
	NotControllable     = "vulnerable_code_cannot_be_controlled_by_adversary"
	InlineMitigations   = "inline_mitigations_already_exist"
)

// Statement is what is said of one weakness and some products.
type Statement struct {
	Weakness      string
	Status        Status
	Justification string // of NotAffected: a label, "" when only words are given
	Detail        string // impact, in words
	Action        string // what to do, in words
	Products      []Product
}

// Product is a product as the document names it.
type Product struct {
	PURL string // "" when it has none
	// From and To bound the versions (both included) where the document gives a
	// range; both empty: the version of PURL, or any.
	From, To string
	// Problem is why the product cannot be matched, whatever devices have; "" when it can.
	Problem string
	Name    string // as written, for people
}

// Document is a decoded document.
type Document struct {
	Format     Format
	ID         string // of the document, given by its author
	Author     string
	Version    string
	Title      string
	Made       time.Time // of its last change, as it says; zero when it does not
	Statements []Statement
}

// Decode reads a document. Errors say what is wrong and where.
func Decode(data []byte) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the document has %d bytes, at most %d are read", len(data), MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := sound(data); err != nil {
		return nil, err
	}
	var head struct {
		Context   any    `json:"@context"`
		BOMFormat string `json:"bomFormat"`
		Document  *struct {
			Category string `json:"category"`
			CSAF     string `json:"csaf_version"`
		} `json:"document"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, at(data, err)
	}
	var d *Document
	var err error
	switch {
	case head.BOMFormat == "CycloneDX":
		d, err = decodeCycloneDX(data)
	case head.Document != nil && head.Document.CSAF != "":
		if head.Document.Category != "csaf_vex" {
			return nil, fmt.Errorf("document.category is %.60q: csaf_vex is read", head.Document.Category)
		}
		d, err = decodeCSAF(data)
	case strings.Contains(fmt.Sprint(head.Context), "openvex"):
		d, err = decodeOpenVEX(data)
	default:
		return nil, errors.New("this is no document that can be read: give OpenVEX, CSAF VEX 2.0 or CycloneDX with vulnerabilities, as JSON")
	}
	if err != nil {
		return nil, at(data, err)
	}
	return d, d.check()
}

// check holds what every document must have.
func (d *Document) check() error {
	d.ID, d.Author, d.Version, d.Title = clean(d.ID), clean(d.Author), clean(d.Version), clean(d.Title)
	if d.ID == "" {
		return errors.New("the document has no id: nothing could ever replace or remove what it says")
	}
	if d.Author == "" {
		return errors.New("the document has no author")
	}
	n := 0
	for i := range d.Statements {
		s := &d.Statements[i]
		s.Weakness, s.Justification, s.Detail, s.Action = clean(s.Weakness), clean(s.Justification), clean(s.Detail), clean(s.Action)
		if !s.Status.valid() {
			return fmt.Errorf("statements[%d]: status %.40q is not known", i, s.Status)
		}
		if n += max(1, len(s.Products)); n > MaxStatements {
			return fmt.Errorf("the document has more than %d statements about products", MaxStatements)
		}
		for j := range s.Products {
			p := &s.Products[j]
			p.Name = clean(p.Name)
			if p.Name == "" {
				p.Name = clean(p.PURL)
			}
			switch {
			case len(p.PURL) > maxPURL:
				p.PURL, p.Problem = "", "its package URL is too long"
			case p.PURL == "" && p.Problem == "":
				p.Problem = "it has no package URL, and nothing is matched by name"
			}
		}
	}
	return nil
}

// sound walks the whole document once: syntax, depth, one value.
func sound(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	for depth, n := 0, 0; ; n++ {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			if n == 0 {
				return errors.New("the document is empty")
			}
			if depth > 0 {
				return where(data, int64(len(data)), "the document ends in the middle: it was cut off")
			}
			return nil
		}
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return where(data, int64(len(data)), "the document ends in the middle: it was cut off")
			}
			return where(data, dec.InputOffset(), "this is not JSON: "+err.Error())
		}
		if n > 0 && depth == 0 {
			return where(data, dec.InputOffset(), "something follows the end of the document: give one document per file")
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return where(data, dec.InputOffset(), fmt.Sprintf("values are nested deeper than %d", maxDepth))
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func where(data []byte, offset int64, text string) error {
	head := data[:max(0, min(offset, int64(len(data))))]
	return fmt.Errorf("line %d, column %d: %s", bytes.Count(head, []byte("\n"))+1, len(head)-bytes.LastIndexByte(head, '\n'), text)
}

// at adds the place to an error of the decoder.
func at(data []byte, err error) error {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) {
		return where(data, typed.Offset, fmt.Sprintf("%q is a %s where the format has another type", typed.Field, typed.Value))
	}
	return err
}

// clean drops control characters and cuts long texts.
func clean(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1990 && t.Year() < 3000 {
			return t.UTC()
		}
	}
	return time.Time{}
}
