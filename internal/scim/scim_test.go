package scim

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func doc(t *testing.T, kind Kind, text string) Doc {
	t.Helper()
	var in map[string]any
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		t.Fatal(err)
	}
	d, err := Read(kind, in)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const ann = `{"userName":"Ann@Example.org","externalId":"X1","active":true,"name":{"givenName":"Ann","familyName":"O\"Hara"},"emails":[{"type":"work","value":"a@example.org","primary":true},{"type":"home","value":"b@example.org"}]}`

func TestFilters(t *testing.T) {
	d := doc(t, User, ann)
	for filter, want := range map[string]bool{
		`userName eq "ann@example.ORG"`:                             true,
		`username EQ "ann@example.org"`:                             true,
		`userName ne "ann@example.org"`:                             false,
		`externalId eq "x1"`:                                        false,
		`externalId eq "X1"`:                                        true,
		`active eq true`:                                            true,
		`active eq false or userName sw "ann"`:                      true,
		`active eq false or userName sw "ann" and title pr`:         false,
		`(active eq false or userName sw "ann") and not (title pr)`: true,
		`emails[type eq "work" and value co "@example"]`:            true,
		`emails[type eq "home" and primary eq true]`:                false,
		`emails.type eq "home"`:                                     true,
		`emails eq "b@example.org"`:                                 true,
		`emails co "nowhere"`:                                       false,
		`name.familyName eq "o\"hara"`:                              true,
		`title eq null`:                                             true,
		`title ne "x"`:                                              true,
		`title eq "x"`:                                              false,
		`urn:ietf:params:scim:schemas:core:2.0:User:userName ew "example.org"`:        true,
		`userName gt "a" and userName lt "b" and userName ge "a" and userName le "b"`: true,
		`not (userName pr)`: false,
	} {
		f, err := ParseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if got := f.Match(d); got != want {
			t.Errorf("%s = %v, want %v", filter, got, want)
		}
	}
	for _, bad := range []string{"", " ", "userName", "userName eq", "userName eq x", `userName eq "x`, `userName is "x"`, "(userName pr", "userName pr)", `emails[type eq "x"`, `userName eq "x" and`,
		`userName eq "x" userName eq "y"`, strings.Repeat("(", 50) + "userName pr" + strings.Repeat(")", 50), strings.Repeat("x", MaxFilter+1), "not userName pr"} {
		var e *Error
		if _, err := ParseFilter(bad); !errors.As(err, &e) || e.Type != "invalidFilter" {
			t.Errorf("%.40q = %v", bad, err)
		}
	}
	f, err := ParseFilter(`userName eq "x"`)
	if err != nil {
		t.Fatal(err)
	}
	if attr, text, ok := f.Equals(); attr != "username" || text != "x" || !ok {
		t.Errorf("equals = %q %q %v", attr, text, ok)
	}
}

func TestPatches(t *testing.T) {
	for _, tt := range []struct{ name, ops, want string }{
		{"a plain value", `[{"op":"replace","path":"displayName","value":"A"}]`, `displayName=A`},
		{"without a path", `[{"op":"add","value":{"displayName":"A","name.givenName":"B","emails[type eq \"work\"].value":"c@x"}}]`, `displayName=A name.givenName=B emails=c@x,b@example.org`},
		{"a capital letter and words for truth", `[{"op":"Replace","path":"active","value":"False"}]`, `active=false`},
		{"removal", `[{"op":"remove","path":"name.givenName"},{"op":"remove","path":"externalId"}]`, `name.givenName= externalId=`},
		{"values by filter", `[{"op":"remove","path":"emails[type eq \"home\"]"}]`, `emails=a@example.org`},
		{"a value that is not there yet", `[{"op":"add","path":"emails[type eq \"other\"].value","value":"c@x"}]`, `emails=a@example.org,b@example.org,c@x`},
		{"values are added once", `[{"op":"add","path":"emails","value":[{"value":"b@example.org"},{"value":"d@x"}]}]`, `emails=a@example.org,b@example.org,d@x`},
		{"all values", `[{"op":"replace","path":"emails","value":[]}]`, `emails=`},
		{"what is not kept", `[{"op":"add","path":"nickName","value":"N"},{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"M"},{"op":"replace","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"x"}}}]`, `userName=Ann@Example.org`},
		{"a whole object", `[{"op":"replace","path":"name","value":{"formatted":"F"}}]`, `name.formatted=F name.givenName=Ann`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := doc(t, User, ann)
			var ops []Op
			if err := json.Unmarshal([]byte(tt.ops), &ops); err != nil {
				t.Fatal(err)
			}
			if err := Patch(User, d, ops); err != nil {
				t.Fatal(err)
			}
			for _, w := range strings.Fields(tt.want) {
				path, want, _ := strings.Cut(w, "=")
				got := d.Text(path)
				switch path {
				case "active":
					got = map[bool]string{true: "true", false: "false"}[d["active"].(bool)]
				case "emails":
					var list []string
					for _, e := range d.List("emails") {
						list = append(list, e.Text("value"))
					}
					got = strings.Join(list, ",")
				}
				if got != want {
					t.Errorf("%s = %q, want %q: %v", path, got, want, d)
				}
			}
		})
	}
	many := make([]Op, maxOps+1)
	for what, ops := range map[string][]Op{
		"none": {}, "too many": many, "another word": {{Op: "move", Path: "title"}}, "remove nothing": {{Op: "remove"}}, "no object": {{Op: "add", Value: "x"}},
		"a bracket": {{Op: "add", Path: "emails[type eq", Value: "x"}}, "not a list": {{Op: "add", Path: `title[value eq "x"]`, Value: "x"}},
		"a number": {{Op: "replace", Path: "userName", Value: 1.0}}, "a long text": {{Op: "replace", Path: "title", Value: strings.Repeat("x", maxText+1)}},
		"perhaps": {{Op: "replace", Path: "active", Value: "perhaps"}},
	} {
		var e *Error
		if err := Patch(User, doc(t, User, ann), ops); !errors.As(err, &e) {
			t.Errorf("%s = %v", what, err)
		}
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{`userName eq "x"`, `emails[type eq "work"].value`, `not (a pr) and (b co "c" or d eq true)`, `a eq "\\`, "((("} {
		f.Add(s)
	}
	var in map[string]any
	_ = json.Unmarshal([]byte(ann), &in)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Read(User, in)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseFilter(text); err == nil {
			got.Match(d)
		}
		_ = Patch(User, d, []Op{{Op: "add", Path: text, Value: "x"}, {Op: "remove", Path: text}})
		_ = Patch(User, d, []Op{{Op: "replace", Value: map[string]any{text: map[string]any{"value": text}}}})
	})
}
