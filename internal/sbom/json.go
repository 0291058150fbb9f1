package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// reader walks a JSON document value by value: only one element of a list is
// held at a time, and every error says where it is.
type reader struct {
	data []byte
	dec  *json.Decoder
	n    int // components so far
}

func newReader(data []byte) *reader {
	return &reader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
}

// fail makes an error at the present place.
func (r *reader) fail(place string, err error) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	at := r.dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		err = errors.New("this is not JSON: " + syntax.Error())
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = int64(len(r.data)), errors.New("the document ends in the middle: it was cut off")
	}
	e := &Error{Place: place, Text: err.Error()}
	e.Line, e.Column = position(r.data, at)
	return e
}

// failf is fail with a text of our own.
func (r *reader) failf(place, format string, args ...any) error {
	return r.fail(place, fmt.Errorf(format, args...))
}

// object calls fn for every key; fn takes the value by value or skip.
func (r *reader) object(place string, fn func(key string) error) error {
	if there, err := r.open(place, '{', "an object"); err != nil || !there {
		return err
	}
	for r.dec.More() {
		t, err := r.dec.Token()
		if err != nil {
			return r.fail(place, err)
		}
		key, _ := t.(string)
		if err := fn(key); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	if err != nil {
		return r.fail(place, err)
	}
	return nil
}

// list calls fn before every element, at most most times.
func (r *reader) list(place string, most int, fn func(at string) error) error {
	if there, err := r.open(place, '[', "a list"); err != nil || !there {
		return err
	}
	for i := 0; r.dec.More(); i++ {
		if i >= most {
			return r.failf(place, "more than %d elements", most)
		}
		if err := fn(fmt.Sprintf("%s[%d]", place, i)); err != nil {
			return err
		}
	}
	_, err := r.dec.Token()
	if err != nil {
		return r.fail(place, err)
	}
	return nil
}

// open takes the start of a list or an object; there is false for null.
func (r *reader) open(place string, want json.Delim, what string) (there bool, err error) {
	t, err := r.dec.Token()
	if err != nil {
		return false, r.fail(place, err)
	}
	if t == nil && place != "" {
		return false, nil
	}
	if t != want {
		return false, r.failf(place, "%s is expected here", what)
	}
	return true, nil
}

// value decodes the next value into v.
func (r *reader) value(place string, v any) error {
	at := r.dec.InputOffset()
	if err := r.dec.Decode(v); err != nil {
		e := r.fail(place, err)
		var typed *json.UnmarshalTypeError
		var own *Error
		if errors.As(err, &typed) && errors.As(e, &own) {
			own.Line, own.Column = position(r.data, at)
			own.Text = fmt.Sprintf("%q is a %s where the format has another type", typed.Field, typed.Value)
		}
		return e
	}
	return nil
}

// skip passes over the next value.
func (r *reader) skip(place string) error {
	for depth := 0; ; {
		t, err := r.dec.Token()
		if err != nil {
			return r.fail(place, err)
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > 4*MaxDepth {
				return r.failf(place, "values are nested deeper than %d", 4*MaxDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// count takes one component of the whole document's allowance.
func (r *reader) count(place string) error {
	if r.n++; r.n > MaxComponents {
		return r.failf(place, "the document has more than %d components", MaxComponents)
	}
	return nil
}

// parseJSON tells CycloneDX and SPDX apart by the keys that only one has.
func parseJSON(data []byte) (*bom, error) {
	r := newReader(data)
	var kind struct {
		BOMFormat   string
		SPDXVersion string
		graph       bool
	}
	err := r.object("", func(key string) error {
		switch key {
		case "bomFormat":
			return r.value(key, &kind.BOMFormat)
		case "spdxVersion":
			return r.value(key, &kind.SPDXVersion)
		case "@graph":
			kind.graph = true
		}
		return r.skip(key)
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, r.failf("", "something follows the end of the document: give one document per file")
	}
	switch {
	case kind.BOMFormat == "CycloneDX":
		return parseCycloneDX(data)
	case kind.SPDXVersion != "":
		return parseSPDX(data, kind.SPDXVersion)
	case kind.graph:
		return nil, &Error{Line: 1, Column: 1, Text: "this is SPDX 3, which is not read: export SPDX 2.3 or CycloneDX"}
	}
	return nil, &Error{Line: 1, Column: 1, Text: `neither "bomFormat" (CycloneDX) nor "spdxVersion" (SPDX) is in the document`}
}
