// Package scim is the part of SCIM 2.0 (RFC 7643, RFC 7644) that needs no
// server: the documents of users and groups, filters over them and patches of
// them, as directories send them.
//
//	f, err := scim.ParseFilter(`userName eq "ann@example.org" and active eq true`)
//	if f.Match(doc) { … }
//	err = scim.Patch(scim.User, doc, ops)
//
// A document holds only the attributes that Picket keeps, under their names of
// the RFC; what else a directory sends is left out. Everything is bounded, and
// every error is an *Error with a word of RFC 7644, table 9.
package scim

import (
	"fmt"
	"strings"
)

// Bounds of what is read.
const (
	MaxFilter = 2000  // bytes of a filter or path
	maxDepth  = 20    // parentheses within each other
	maxOps    = 1000  // operations of one patch
	MaxValues = 20000 // values of one attribute
	maxText   = 1000  // bytes of one text
)

// Kind is a kind of document.
type Kind string

// The kinds there are.
const (
	User  Kind = "User"
	Group Kind = "Group"
)

// Doc is a user or group: texts, booleans, documents and lists of documents.
type Doc map[string]any

// Error says what is wrong with a request.
type Error struct {
	Type    string // scimType of RFC 7644: invalidFilter, invalidPath, noTarget, invalidValue, invalidSyntax, tooMany, mutability
	Message string
}

// Error is the message for people.
func (e *Error) Error() string { return e.Message }

func errorf(kind, format string, args ...any) error {
	return &Error{Type: kind, Message: fmt.Sprintf(format, args...)}
}

// attribute says what is kept of an attribute.
type attribute struct {
	name string
	bool bool
	many bool                 // a list of documents
	subs map[string]attribute // by lower-case name; nil: a plain value
}

func attrs(list ...attribute) map[string]attribute {
	m := map[string]attribute{}
	for _, a := range list {
		m[strings.ToLower(a.name)] = a
	}
	return m
}

var kept = map[Kind]map[string]attribute{
	User: attrs(
		attribute{name: "userName"}, attribute{name: "externalId"}, attribute{name: "displayName"}, attribute{name: "active", bool: true}, attribute{name: "title"},
		attribute{name: "name", subs: attrs(attribute{name: "formatted"}, attribute{name: "givenName"}, attribute{name: "familyName"})},
		attribute{name: "emails", many: true, subs: attrs(attribute{name: "value"}, attribute{name: "type"}, attribute{name: "primary", bool: true})},
	),
	Group: attrs(
		attribute{name: "displayName"}, attribute{name: "externalId"},
		attribute{name: "members", many: true, subs: attrs(attribute{name: "value"})},
	),
}

// coreURN is what may stand before the name of an attribute.
func coreURN(kind Kind) string { return "urn:ietf:params:scim:schemas:core:2.0:" + string(kind) + ":" }

// bare is a name without the schema that it is of; ok is false for another schema's.
func bare(kind Kind, name string) (string, bool) {
	if len(name) < 4 || !strings.EqualFold(name[:4], "urn:") {
		return name, true
	}
	urn := coreURN(kind)
	if len(name) > len(urn) && strings.EqualFold(name[:len(urn)], urn) {
		return name[len(urn):], true
	}
	return "", false
}

// Read makes a document of what a directory sent: a JSON object, decoded.
func Read(kind Kind, in map[string]any) (Doc, error) {
	d := Doc{}
	return d, merge(kind, d, in)
}

// merge puts attributes into a document; keys may be paths, as some directories send them.
func merge(kind Kind, d Doc, in map[string]any) error {
	for key, v := range in {
		if strings.ContainsAny(key, ".[") || len(key) > 4 && strings.EqualFold(key[:4], "urn:") {
			if _, ok := v.(map[string]any); ok && strings.EqualFold(key[:4], "urn:") && !strings.HasSuffix(strings.ToLower(key), ":name") {
				continue // an extension's object
			}
			if err := patch(kind, d, "replace", key, v); err != nil {
				return err
			}
			continue
		}
		a, ok := kept[kind][strings.ToLower(key)]
		if !ok {
			continue
		}
		got, err := a.value(v)
		if err != nil {
			return err
		}
		if got == nil {
			delete(d, a.name)
		} else {
			d[a.name] = got
		}
	}
	return nil
}

// value is a value of the attribute in the form that documents hold; nil removes it.
func (a attribute) value(v any) (any, error) {
	switch {
	case v == nil:
		return nil, nil
	case a.many:
		return a.list(v)
	case a.subs != nil:
		return a.object(v)
	case a.bool:
		return a.truth(v)
	}
	s, ok := v.(string)
	if !ok {
		return nil, errorf("invalidValue", "%s must be a text", a.name)
	}
	if len(s) > maxText {
		return nil, errorf("invalidValue", "%s has more than %d bytes", a.name, maxText)
	}
	return s, nil
}

func (a attribute) truth(v any) (any, error) {
	switch b := v.(type) {
	case bool:
		return b, nil
	case string: // as Entra ID sends it
		if strings.EqualFold(b, "true") || strings.EqualFold(b, "false") {
			return strings.EqualFold(b, "true"), nil
		}
	}
	return nil, errorf("invalidValue", "%s must be true or false", a.name)
}

func (a attribute) object(v any) (any, error) {
	in, ok := v.(map[string]any)
	if !ok {
		return nil, errorf("invalidValue", "%s must be an object", a.name)
	}
	out := Doc{}
	for key, v := range in {
		sub, ok := a.subs[strings.ToLower(key)]
		if !ok {
			continue
		}
		got, err := sub.value(v)
		if err != nil {
			return nil, err
		}
		if got != nil {
			out[sub.name] = got
		}
	}
	return out, nil
}

func (a attribute) list(v any) (any, error) {
	in, ok := v.([]any)
	if !ok {
		in = []any{v} // one value, as some directories send it
	}
	if len(in) > MaxValues {
		return nil, errorf("tooMany", "%s has more than %d values", a.name, MaxValues)
	}
	out := []Doc{}
	for _, one := range in {
		if s, ok := one.(string); ok {
			one = map[string]any{"value": s}
		}
		got, err := a.object(one)
		if err != nil {
			return nil, err
		}
		if d, ok := got.(Doc); ok && len(d) > 0 {
			out = append(out, d)
		}
	}
	return out, nil
}

// Text is a text of a document by its path, "name.givenName"; "" when it is not there.
func (d Doc) Text(path string) string {
	head, rest, more := strings.Cut(path, ".")
	if more {
		sub, _ := d[head].(Doc)
		return sub.Text(rest)
	}
	s, _ := d[head].(string)
	return s
}

// List is a list of a document.
func (d Doc) List(name string) []Doc {
	list, _ := d[name].([]Doc)
	return list
}
