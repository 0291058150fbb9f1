// Package clientgen writes the generated part of the Go client from the
// description of the API (OpenAPI 3.1 as this server describes itself): a type
// for each schema, a struct for the parameters and a method for each operation.
package clientgen

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/format"
	"maps"
	"slices"
	"strconv"
	"strings"
)

type document struct {
	Paths      map[string]map[string]*operation
	Components struct{ Schemas map[string]*schema }
}

type operation struct {
	OperationID string
	Summary     string
	Parameters  []parameter
	RequestBody *struct{ Content map[string]media }
	Responses   map[string]struct{ Content map[string]media }

	method, path string
}

type media struct{ Schema *schema }

type parameter struct {
	Name, In, Description string
	Schema                *schema
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 types
	Format               string
	Description          string
	Enum                 []any
	Items                *schema
	Properties           map[string]*schema
	Required             []string
	AnyOf                []*schema
	AdditionalProperties json.RawMessage
}

// types is a type or a list of them.
type types []string

// UnmarshalJSON takes both forms.
func (t *types) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*t = types{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(t))
}

// Generate returns the formatted source of package client's generated part.
func Generate(description []byte) ([]byte, error) {
	var doc document
	if err := json.Unmarshal(description, &doc); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	g := &generator{doc: &doc}
	g.line("// Code generated from internal/api/openapi.golden.json. DO NOT EDIT.")
	g.line("// Made again by: go test ./internal/api -run OpenAPI -update")
	g.line("")
	g.line("package client")
	g.line("import (\n\"context\"\n\"encoding/json\"\n\"io\"\n\"iter\"\n\"net/http\"\n\"net/url\"\n\"time\"\n)")
	g.line("var _ json.RawMessage // schemas without a type")
	for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
		g.schema(name, doc.Components.Schemas[name])
	}
	for _, op := range g.operations() {
		g.operation(op)
	}
	if g.err != nil {
		return nil, g.err
	}
	out, err := format.Source(g.b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format client: %w", err)
	}
	return out, nil
}

type generator struct {
	doc *document
	b   bytes.Buffer
	err error
}

func (g *generator) line(format string, args ...any) {
	if len(args) == 0 {
		g.b.WriteString(format)
	} else {
		fmt.Fprintf(&g.b, format, args...)
	}
	g.b.WriteByte('\n')
}

func (g *generator) fail(format string, args ...any) {
	g.err = cmp.Or(g.err, fmt.Errorf(format, args...))
}

func (g *generator) operations() []*operation {
	var list []*operation
	for path, methods := range g.doc.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			list = append(list, op)
		}
	}
	slices.SortFunc(list, func(a, b *operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	return list
}

// schema writes the type of a component.
func (g *generator) schema(name string, s *schema) {
	g.line("\n// %s is the schema of that name.", name)
	if len(s.Properties) == 0 {
		g.line("type %s %s", name, g.goType(s))
		return
	}
	g.line("type %s struct {", name)
	for _, key := range slices.Sorted(maps.Keys(s.Properties)) {
		if key == "$schema" {
			continue
		}
		p := s.Properties[key]
		tag := key
		if !slices.Contains(s.Required, key) {
			tag += ",omitzero"
		}
		g.line("%s %s `json:%q`%s", goName(key), g.goType(p), tag, comment(p))
	}
	g.line("}")
}

// comment says what a property means and may be.
func comment(s *schema) string {
	text := strings.Join(strings.Fields(s.Description), " ")
	if len(s.Enum) > 0 {
		words := make([]string, len(s.Enum))
		for i, e := range s.Enum {
			words[i] = fmt.Sprintf("%q", e)
		}
		text = strings.TrimSpace(text + " One of " + strings.Join(words, ", ") + ".")
	}
	if text == "" {
		return ""
	}
	return " // " + text
}

// goType is the type of a value; what may be null is a pointer.
func (g *generator) goType(s *schema) string {
	if s.Ref != "" {
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	}
	if len(s.AnyOf) > 0 {
		var rest []*schema
		for _, a := range s.AnyOf {
			if !slices.Equal(a.Type, types{"null"}) {
				rest = append(rest, a)
			}
		}
		if len(rest) != 1 {
			g.fail("anyOf of %d types is not understood", len(rest))
			return "any"
		}
		return pointer(g.goType(rest[0]))
	}
	null := slices.Contains(s.Type, "null")
	kind := ""
	for _, t := range s.Type {
		if t != "null" {
			kind = t
		}
	}
	out := g.plainType(s, kind)
	if null {
		return pointer(out)
	}
	return out
}

func pointer(t string) string {
	if strings.HasPrefix(t, "[]") || strings.HasPrefix(t, "map[") || strings.HasPrefix(t, "*") || t == "json.RawMessage" {
		return t
	}
	return "*" + t
}

func (g *generator) plainType(s *schema, kind string) string {
	switch kind {
	case "string":
		if s.Format == "date-time" {
			return "time.Time"
		}
		return "string"
	case "integer":
		return "int64"
	case "number":
		return "float64"
	case "boolean":
		return "bool"
	case "array":
		return "[]" + g.goType(s.Items)
	case "object":
		var values schema
		if len(s.AdditionalProperties) > 0 && s.AdditionalProperties[0] == '{' && json.Unmarshal(s.AdditionalProperties, &values) == nil {
			return "map[string]" + g.goType(&values)
		}
		return "map[string]json.RawMessage"
	case "":
		return "json.RawMessage"
	}
	g.fail("type %q is not understood", kind)
	return "any"
}

// operation writes the method of an operation, and the struct of its query.
func (g *generator) operation(op *operation) {
	name := goName(op.OperationID)
	var query, path []parameter
	said := map[string]bool{}
	for _, p := range op.Parameters {
		if said[p.In+" "+p.Name] { // described twice
			continue
		}
		said[p.In+" "+p.Name] = true
		switch p.In {
		case "query":
			query = append(query, p)
		case "path":
			path = append(path, p)
		}
	}
	if len(query) > 0 {
		g.params(name, query)
	}
	args := []string{"ctx context.Context"}
	where := strconv.Quote(op.path)
	for _, p := range path {
		arg := p.Name
		args = append(args, arg+" "+map[bool]string{true: "int64", false: "string"}[slices.Contains(p.Schema.Type, "integer")])
		where = strings.Replace(where, "{"+p.Name+"}", `" + pathValue(`+arg+`) + "`, 1)
	}
	where = strings.TrimSuffix(where, ` + ""`)
	values := "nil"
	if len(query) > 0 {
		args, values = append(args, "p "+name+"Params"), "p.values()"
	}
	body := "nil"
	if op.RequestBody != nil {
		if m, ok := op.RequestBody.Content["application/json"]; ok {
			args, body = append(args, "in "+g.goType(m.Schema)), "in"
		} else {
			args, body = append(args, "document io.Reader"), "document"
		}
	}
	g.method(op, name, strings.Join(args, ", "), "http.Method"+title(strings.ToLower(op.method))+", "+where+", "+values+", "+body)
	if item := g.itemOf(op); item != "" {
		g.all(op, name, item, args)
	}
}

// params writes the query of an operation.
func (g *generator) params(name string, query []parameter) {
	g.line("\n// %sParams are the query of %s. Zero values are left out.", name, name)
	g.line("type %sParams struct {", name)
	for _, p := range query {
		g.line("%s %s%s", goName(p.Name), g.goType(p.Schema), comment(&schema{Description: p.Description, Enum: enumOf(p.Schema)}))
	}
	g.line("}")
	g.line("\nfunc (p %sParams) values() url.Values {\nq := url.Values{}", name)
	for _, p := range query {
		g.line("addQuery(q, %q, p.%s)", p.Name, goName(p.Name))
	}
	g.line("return q\n}")
}

func enumOf(s *schema) []any {
	if s.Items != nil && len(s.Items.Enum) <= 12 {
		return s.Items.Enum
	}
	return s.Enum
}

// answerOf finds what an operation answers when it is done.
func (g *generator) answerOf(op *operation) (json *schema, stream bool) {
	for code, r := range op.Responses {
		if code[0] != '2' {
			continue
		}
		for kind, m := range r.Content {
			if kind == "application/json" {
				return m.Schema, false
			}
			stream = true
		}
	}
	return nil, stream
}

func (g *generator) method(op *operation, name, args, call string) {
	g.line("\n// %s: %s (%s %s).", name, op.Summary, op.method, op.path)
	answer, stream := g.answerOf(op)
	switch {
	case answer != nil:
		t := g.goType(answer)
		g.line("func (c *Client) %s(%s) (%s, error) {\nvar out %s\nerr := c.do(ctx, %s, &out)\nreturn out, err\n}", name, args, t, t, call)
	case stream:
		g.line("// The caller closes the stream; Stream.Check tells whether it was whole.")
		g.line("func (c *Client) %s(%s) (*Stream, error) {\nreturn c.stream(ctx, %s)\n}", name, args, call)
	default:
		g.line("func (c *Client) %s(%s) error {\nreturn c.do(ctx, %s, nil)\n}", name, args, call)
	}
}

// itemOf is the type of the rows of a list that has pages, else "".
func (g *generator) itemOf(op *operation) string {
	answer, _ := g.answerOf(op)
	if answer == nil || !strings.HasPrefix(g.goType(answer), "Page") || op.method != "GET" {
		return ""
	}
	page := g.doc.Components.Schemas[g.goType(answer)]
	if page == nil || page.Properties["items"] == nil || page.Properties["items"].Items == nil ||
		!slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == "page" }) {
		return ""
	}
	return g.goType(page.Properties["items"].Items)
}

// all writes the iterator over the rows of all pages.
func (g *generator) all(_ *operation, name, item string, args []string) {
	var names []string
	for _, a := range args {
		n, _, _ := strings.Cut(a, " ")
		names = append(names, n)
	}
	g.line("\n// %sAll gives the rows of all pages of %s, and an error as the last.", name, name)
	g.line("func (c *Client) %sAll(%s) iter.Seq2[%s, error] {", name, strings.Join(args, ", "), item)
	g.line("return pages(p.Page, p.Size, func(page, size int64) ([]%s, int64, error) {\np.Page, p.Size = page, size\nout, err := c.%s(%s)\nreturn out.Items, out.Total, err\n})\n}",
		item, name, strings.Join(names, ", "))
}

// initials are words that Go writes in capitals.
var initials = map[string]string{"id": "ID", "ids": "IDs", "url": "URL", "ip": "IP", "os": "OS", "cve": "CVE", "cvss": "CVSS", "kev": "KEV", "epss": "EPSS", "vex": "VEX", "sbom": "SBOM",
	"dns": "DNS", "api": "API", "fqdn": "FQDN", "tls": "TLS", "ca": "CA", "json": "JSON", "mac": "MAC", "pem": "PEM", "uri": "URI", "cwe": "CWE", "cwes": "CWEs", "eol": "EOL"}

// goName is a name of the API as Go writes exported names.
func goName(s string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '_' || r == '-' || r == '.' || r == ' ' }) {
		if up, ok := initials[w]; ok {
			b.WriteString(up)
		} else {
			b.WriteString(title(w))
		}
	}
	return b.String()
}

func title(w string) string { return strings.ToUpper(w[:1]) + w[1:] }
