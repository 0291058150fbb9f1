package mde

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxTop is how many rows one answer holds at most, and without $top.
const maxTop = 10000

// maxNumber bounds $top and $skip.
const maxNumber = 1 << 31

// options are the query options of a list.
type options struct {
	filter  string
	top     int // -1: not given
	skip    int
	token   string // $skiptoken
	orderby string
	selects []string
	count   bool
	plain   map[string]string // parameters that are no OData options, lower case
	pairs   [][2]string       // everything as it came, for the next link
}

// parseOptions reads a query string as clients write it: a trailing "&", "+"
// and raw blanks for blanks, "%24filter". What it does not know is ignored.
func parseOptions(raw string) (options, error) {
	o := options{top: -1, plain: map[string]string{}}
	for _, part := range strings.Split(raw, "&") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		k, v = strings.TrimSpace(unescape(k)), unescape(v)
		o.pairs = append(o.pairs, [2]string{k, v})
		if err := o.set(strings.ToLower(k), strings.TrimSpace(v)); err != nil {
			return o, err
		}
	}
	return o, nil
}

func (o *options) set(key, v string) (err error) {
	switch key {
	case "$filter":
		o.filter = v
	case "$top", "$stop": // the second is a slip in the documentation that clients copied
		o.top, err = natural("$top", v)
	case "$skip":
		o.skip, err = natural(key, v)
	case "$skiptoken":
		o.token = v
	case "$orderby":
		o.orderby = v
	case "$select":
		for _, s := range strings.Split(v, ",") {
			if s = strings.TrimSpace(s); s != "" && s != "*" {
				o.selects = append(o.selects, s)
			}
		}
	case "$count":
		o.count = strings.EqualFold(v, "true")
	case "$inlinecount":
		o.count = strings.EqualFold(v, "allpages")
	default:
		o.plain[key] = v
	}
	return err
}

func natural(name, v string) (int, error) {
	n, err := strconv.Atoi(strings.Trim(v, `'"`))
	if err != nil || n < 0 || n > maxNumber {
		return 0, odataError("%s is not a whole number from 0 on", name)
	}
	return n, nil
}

// unescape decodes a part of a query; an escape that is broken stays as it is.
func unescape(s string) string {
	if v, err := url.QueryUnescape(s); err == nil {
		return v
	}
	return strings.ReplaceAll(s, "+", " ")
}

// limit is how many rows this answer holds at most.
func (o options) limit() int {
	if o.top < 0 {
		return maxTop
	}
	return min(o.top, maxTop)
}

// next is the address of the next page; served is how many rows this one
// holds, more whether there are further ones, token where they begin ("": by
// number of rows).
func (o options) next(address string, served int, more bool, token string) string {
	if !more || served == 0 || o.top >= 0 && o.top <= served {
		return ""
	}
	var b strings.Builder
	b.WriteString(address)
	sep := byte('?')
	write := func(k, v string) {
		b.WriteByte(sep)
		sep = '&'
		b.WriteString(strings.ReplaceAll(url.QueryEscape(k), "%24", "$"))
		b.WriteByte('=')
		b.WriteString(strings.ReplaceAll(url.QueryEscape(v), "+", "%20"))
	}
	for _, p := range o.pairs {
		switch strings.ToLower(p[0]) {
		case "$skip", "$skiptoken", "$top", "$stop":
		default:
			write(p[0], p[1])
		}
	}
	if o.top >= 0 {
		write("$top", strconv.Itoa(o.top-served))
	}
	if token != "" {
		write("$skiptoken", token)
	} else {
		write("$skip", strconv.Itoa(o.skip+served))
	}
	return b.String()
}

// order makes a comparison of an $orderby; nil when there is none.
func order[T any](props []prop[T], orderby string) (func(a, b *T) int, error) {
	if strings.TrimSpace(orderby) == "" {
		return nil, nil
	}
	type key struct {
		prop prop[T]
		desc bool
	}
	var keys []key
	for _, part := range strings.Split(orderby, ",") {
		f := strings.Fields(part)
		if len(f) == 0 || len(f) > 2 || len(f) == 2 && !strings.EqualFold(f[1], "asc") && !strings.EqualFold(f[1], "desc") {
			return nil, odataError("%q is no order; write a property, then asc or desc", strings.TrimSpace(part))
		}
		p, ok := lookup(props, f[0])
		if !ok || p.kind == texts || p.kind == objects {
			return nil, odataError("there is no property %q to order by", f[0])
		}
		keys = append(keys, key{p, len(f) == 2 && strings.EqualFold(f[1], "desc")})
	}
	return func(a, b *T) int {
		for _, k := range keys {
			n := orderOf(k.prop.get(a), k.prop.get(b), k.prop.kind == word)
			if k.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	}, nil
}

// sortKeys are the server's sort keys for an $orderby that order took, nil when
// it does not have one for each property.
func sortKeys[T any](props []prop[T], orderby string, sorts map[string]string) []string {
	if strings.TrimSpace(orderby) == "" || len(sorts) == 0 {
		return nil
	}
	out := []string{}
	for _, part := range strings.Split(orderby, ",") {
		f := strings.Fields(part)
		p, _ := lookup(props, f[0])
		key, ok := sorts[p.name]
		if !ok {
			return nil
		}
		if key == "" { // all rows are the same in it
			continue
		}
		if len(f) == 2 && strings.EqualFold(f[1], "desc") {
			key = "-" + key
		}
		out = append(out, key)
	}
	return out
}

// orderOf puts null before everything.
func orderOf(a, b any, fold bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	n, _ := compare(a, b, fold)
	return n
}

// chosen are the properties that $select names, all when it names none.
func chosen[T any](props []prop[T], selects []string) ([]prop[T], error) {
	if len(selects) == 0 {
		return props, nil
	}
	var out []prop[T]
	for _, s := range selects {
		p, ok := lookup(props, s)
		if !ok {
			return nil, odataError("there is no property %q to select", s)
		}
		if !slices.ContainsFunc(out, func(q prop[T]) bool { return q.name == p.name }) {
			out = append(out, p)
		}
	}
	return out, nil
}

// timeLayout has 7 fraction digits, as the Defender API writes them.
const timeLayout = "2006-01-02T15:04:05.0000000Z"

// appendEntity writes a row as an object, its properties in their order. Markup is escaped.
func appendEntity[T any](b *bytes.Buffer, context string, props []prop[T], row *T) {
	b.WriteByte('{')
	first := true
	member := func(name string, v any) {
		if !first {
			b.WriteByte(',')
		}
		first = false
		appendJSON(b, name)
		b.WriteByte(':')
		appendJSON(b, v)
	}
	if context != "" {
		member("@odata.context", context)
	}
	for _, p := range props {
		member(p.name, p.get(row))
	}
	b.WriteByte('}')
}

// appendJSON writes a value of a property.
func appendJSON(b *bytes.Buffer, v any) {
	switch x := v.(type) {
	case time.Time:
		v = x.UTC().Format(timeLayout)
	case []string:
		if x == nil {
			v = []string{}
		}
	case []map[string]any:
		if x == nil {
			v = []map[string]any{}
		}
	}
	raw, err := json.Marshal(v)
	if err != nil { // only NaN and infinity can be the reason
		raw = []byte("null")
	}
	b.Write(raw)
}
