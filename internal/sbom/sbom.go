// Package sbom reads and writes bills of materials: CycloneDX and SPDX.
//
// What is read becomes the sections of a device without an agent, in the same
// words in which an agent reports them, so that the same rules judge both:
//
//	doc, err := sbom.Decode(data, "")
//	profile := exposure.Profile(doc.Sections)
//
// What the document does not say (a source package, an owner, a release) is
// never filled in by a guess: it is a gap with a reason.
//
// The package is pure: it does no I/O and reads no clock. Everything that it
// reads is hostile: size, depth, counts and lengths are capped.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/picketsec/picket/internal/inventory"
)

// The limits of a document.
const (
	MaxBytes      = 64 << 20 // of the whole document
	MaxComponents = 200_000  // components or packages in it
	MaxItems      = 50_000   // packages of one kind, as in a section of an agent
	MaxDepth      = 32       // components inside components, values inside values
	maxName       = 1024
	maxVersion    = 512
	maxText       = 256
	maxPlaces     = 20 // paths of one package
	maxTold       = 5  // names in one reason
)

// Format is a family of documents.
type Format string

// The formats.
const (
	CycloneDX Format = "cyclonedx"
	SPDX      Format = "spdx"
)

// Valid reports whether f is one of the formats.
func (f Format) Valid() bool { return f == CycloneDX || f == SPDX }

// Document is what a bill of materials says of one system.
type Document struct {
	Format  Format
	Spec    string    // version of the specification: "1.6", "2.3"
	Serial  string    // the document's own id: serialNumber or namespace
	Name    string    // of the system
	Subject string    // what the identity of the device is derived from, for people
	Made    time.Time // when the document says that it was made; zero when it does not
	Tools   []string  // what made it, as written
	// Sections are sealed and ready to be stored: every package section, also
	// those that the document leaves empty, so that a later document replaces an earlier one.
	Sections map[inventory.SectionName]*inventory.Section
	Packages int // packages that were taken
	Unread   int // components that were not taken; the section "sbom" says why
}

// Device is the id of the device that the document describes. It depends on
// Subject alone, so that the next document about the same system finds it.
func (d *Document) Device() inventory.DeviceID {
	sum := sha256.Sum256([]byte("picket sbom subject\x00" + d.Subject))
	return inventory.DeviceID(hex.EncodeToString(sum[:20]))
}

// Error says what is wrong with a document and where. Line and Column count
// from 1 and are 0 where the place is not known.
type Error struct {
	Line, Column int
	Place        string // "components[12]", "" when the whole document is meant
	Text         string
}

// Error is one line for people.
func (e *Error) Error() string {
	s := e.Text
	if e.Place != "" {
		s = e.Place + ": " + s
	}
	if e.Line > 0 {
		s = fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, s)
	}
	return s
}

// Decode reads a document: CycloneDX 1.4 to 1.7 as JSON or XML, SPDX 2.3 (and
// 2.2) as JSON or tag-value. name, when given, is the name of the system and
// its identity; else both come from the document. Errors are *Error.
func Decode(data []byte, name string) (*Document, error) {
	if len(data) > MaxBytes {
		return nil, &Error{Text: fmt.Sprintf("the document has %d bytes, at most %d are read", len(data), MaxBytes)}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	b, err := parse(data)
	if err != nil {
		return nil, err
	}
	return b.document(clean(name, maxText))
}

// parse finds out which format it is and reads it.
func parse(data []byte) (*bom, error) {
	head := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(head) == 0:
		return nil, &Error{Text: "the document is empty"}
	case head[0] == '{':
		return parseJSON(data)
	case head[0] == '<':
		return parseXML(data)
	case bytes.HasPrefix(head, []byte("SPDXVersion:")) || bytes.Contains(head[:min(len(head), 4096)], []byte("\nSPDXVersion:")):
		return parseTagValue(data)
	}
	return nil, &Error{Line: 1, Column: 1, Text: "this is no bill of materials that can be read: give CycloneDX 1.4 to 1.7 (JSON or XML) or SPDX 2.3 (JSON or tag-value)"}
}

// bom is a document as written, in words that both formats share.
type bom struct {
	format     Format
	spec       string
	serial     string
	name       string // SPDX: of the document
	made       time.Time
	tools      []string
	subject    component
	props      []property
	parts      []component
	owners     map[string]string // SPDX: by id of a package, the name of the package that owns its files
	ownership  bool              // owners tells of every package
	incomplete string            // why the document says that it is not complete
}

// component is one part as written.
type component struct {
	ref     string
	kind    string // "library", "operating-system", "file" …
	group   string
	name    string
	version string
	purl    string
	vendor  string
	about   string // SPDX: sourceInfo
	props   []property
}

type property struct {
	Name  string `json:"name" xml:"name,attr"`
	Value string `json:"value" xml:",chardata"`
}

// prop returns the first property of a name, "" when there is none.
func (c *component) prop(name string) string {
	for i := range c.props {
		if c.props[i].Name == name {
			return c.props[i].Value
		}
	}
	return ""
}

// madeBy reports whether one of the tools has a name.
func (b *bom) madeBy(tool string) bool {
	for _, t := range b.tools {
		if strings.HasPrefix(strings.ToLower(t), tool) {
			return true
		}
	}
	return false
}

// clean drops control characters and cuts at n bytes, at a character.
func clean(s string, n int) string {
	ok := utf8.ValidString(s)
	for _, r := range s {
		ok = ok && !unicode.IsControl(r)
	}
	if !ok {
		s = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, strings.ToValidUTF8(s, "\uFFFD"))
	}
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// parseTime reads a time of the formats; zero when it cannot.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1990 && t.Year() < 3000 {
			return t.UTC()
		}
	}
	return time.Time{}
}

// position turns an offset into a line and a column.
func position(data []byte, offset int64) (line, column int) {
	offset = max(0, min(offset, int64(len(data))))
	head := data[:offset]
	return bytes.Count(head, []byte("\n")) + 1, len(head) - bytes.LastIndexByte(head, '\n')
}
