package scim

import (
	"strings"
)

// Op is one operation of a patch, as it was sent.
type Op struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Patch applies operations to a document in order (RFC 7644, section 3.5.2).
// The document is in no defined state after an error. Paths of attributes that
// Picket does not keep change nothing.
func Patch(kind Kind, d Doc, ops []Op) error {
	if len(ops) == 0 || len(ops) > maxOps {
		return errorf("invalidSyntax", "a patch has 1 to %d operations", maxOps)
	}
	for _, o := range ops {
		op := strings.ToLower(o.Op) // Entra ID writes them with a capital letter
		if op != "add" && op != "replace" && op != "remove" {
			return errorf("invalidSyntax", "op %q is not one of add, replace, remove", o.Op)
		}
		if o.Path != "" {
			if err := patch(kind, d, op, o.Path, o.Value); err != nil {
				return err
			}
			continue
		}
		in, ok := o.Value.(map[string]any)
		switch {
		case op == "remove":
			return errorf("noTarget", "remove needs a path")
		case !ok:
			return errorf("invalidValue", "without a path the value must be an object")
		}
		for key, v := range in {
			if err := patch(kind, d, op, key, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// target is a parsed path: attribute, filter over its values, sub-attribute.
type target struct {
	attr   attribute
	sub    *attribute
	filter *Filter
}

// parsePath parses a path; nil without an error is one that is not kept.
func parsePath(kind Kind, path string) (*target, error) {
	if len(path) > MaxFilter {
		return nil, errorf("invalidPath", "the path has more than %d bytes", MaxFilter)
	}
	name, ok := bare(kind, path)
	if !ok {
		return nil, nil
	}
	t := &target{}
	rest := ""
	if i := strings.IndexByte(name, '['); i >= 0 {
		j := strings.LastIndexByte(name, ']')
		if j < i {
			return nil, errorf("invalidPath", "%q has a bracket that is not closed", path)
		}
		var err error
		if t.filter, err = ParseFilter(name[i+1 : j]); err != nil {
			return nil, err
		}
		name, rest = name[:i], name[j+1:]
		if rest != "" && rest[0] != '.' {
			return nil, errorf("invalidPath", "%q goes on after its bracket", path)
		}
		rest = strings.TrimPrefix(rest, ".")
	} else {
		name, rest, _ = strings.Cut(name, ".")
	}
	if t.attr, ok = kept[kind][strings.ToLower(name)]; !ok {
		return nil, nil
	}
	if rest != "" {
		sub, ok := t.attr.subs[strings.ToLower(rest)]
		if !ok {
			return nil, nil
		}
		t.sub = &sub
	}
	if t.filter != nil && !t.attr.many {
		return nil, errorf("invalidPath", "%s is not a list", t.attr.name)
	}
	return t, nil
}

func patch(kind Kind, d Doc, op, path string, v any) error {
	t, err := parsePath(kind, path)
	if err != nil || t == nil {
		return err
	}
	switch {
	case t.attr.many:
		return t.many(d, op, v)
	case t.sub != nil:
		sub, _ := d[t.attr.name].(Doc)
		if sub == nil {
			sub = Doc{}
		}
		d[t.attr.name] = sub
		return t.sub.put(sub, op, v)
	case t.attr.subs != nil && op != "remove":
		got, err := t.attr.value(v)
		if err != nil {
			return err
		}
		if have, ok := d[t.attr.name].(Doc); ok && got != nil {
			for k, one := range got.(Doc) { // of an object value is what object makes
				have[k] = one
			}
			return nil
		}
		d[t.attr.name] = got
		return nil
	}
	return t.attr.put(d, op, v)
}

// put sets or removes a plain value.
func (a attribute) put(d Doc, op string, v any) error {
	if op == "remove" {
		delete(d, a.name)
		return nil
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
	return nil
}

// many changes a list.
func (t *target) many(d Doc, op string, v any) error {
	have := d.List(t.attr.name)
	if t.filter == nil && t.sub == nil {
		return t.whole(d, have, op, v)
	}
	fits := func(one Doc) bool { return t.filter == nil || t.filter.Match(one) }
	if op == "remove" && t.sub == nil {
		left := []Doc{}
		for _, one := range have {
			if !fits(one) {
				left = append(left, one)
			}
		}
		d[t.attr.name] = left
		return nil
	}
	found := false
	for _, one := range have {
		if !fits(one) {
			continue
		}
		found = true
		if err := t.set(one, op, v); err != nil {
			return err
		}
	}
	if found || op == "remove" {
		return nil
	}
	// Nothing fits: a directory that sets the value of emails[type eq "work"] means a new one.
	one := Doc{}
	if attr, text, ok := t.filterEquals(); ok {
		if sub, is := t.attr.subs[attr]; is && !sub.bool {
			one[sub.name] = text
		}
	}
	if err := t.set(one, op, v); err != nil {
		return err
	}
	if len(have) >= MaxValues {
		return errorf("tooMany", "%s has more than %d values", t.attr.name, MaxValues)
	}
	d[t.attr.name] = append(have, one)
	return nil
}

func (t *target) filterEquals() (attr, text string, ok bool) {
	if t.filter == nil {
		return "", "", false
	}
	return t.filter.Equals()
}

// set changes one value of a list: its sub-attribute, or what the object says.
func (t *target) set(one Doc, op string, v any) error {
	if t.sub != nil {
		return t.sub.put(one, op, v)
	}
	got, err := t.attr.object(v)
	if err != nil {
		return err
	}
	for k, x := range got.(Doc) { // object makes nothing else
		one[k] = x
	}
	return nil
}

// whole changes a list as a whole, by the values that are named.
func (t *target) whole(d Doc, have []Doc, op string, v any) error {
	if op == "remove" && v == nil {
		delete(d, t.attr.name)
		return nil
	}
	got, err := t.attr.list(v)
	if err != nil {
		return err
	}
	named := got.([]Doc) // list makes nothing else
	if op == "replace" {
		d[t.attr.name] = named
		return nil
	}
	at := make(map[string]bool, len(have)+len(named))
	for _, one := range named {
		at[one.Text("value")] = true
	}
	out := make([]Doc, 0, len(have)+len(named))
	for _, one := range have {
		if !at[one.Text("value")] {
			out = append(out, one)
		}
	}
	if op == "add" {
		out = append(out, named...)
	}
	if len(out) > MaxValues {
		return errorf("tooMany", "%s has more than %d values", t.attr.name, MaxValues)
	}
	d[t.attr.name] = out
	return nil
}
