package kql

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxText is the most bytes of a text that a function makes.
const maxText = 1 << 20

func cutText(s string) Value {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return StringValue(s)
}

func textFunctions() []function {
	text := []Type{String}
	return []function{
		{name: "strcat", args: "value, value …", doc: "Joins values as one text.", min: 1, max: -1, result: String, fn: func(a []Value) Value {
			n := 0
			parts := make([]string, len(a))
			for i, v := range a {
				parts[i] = v.Text()
				n += len(parts[i])
			}
			return cutText(strings.Join(parts, ""))
		}},
		{name: "strcat_delim", args: "delimiter, value …", doc: "Joins values with a delimiter between them.", min: 2, max: -1, result: String, fn: func(a []Value) Value {
			parts := make([]string, 0, len(a))
			for _, v := range a[1:] {
				parts = append(parts, v.Text())
			}
			return cutText(strings.Join(parts, a[0].Text()))
		}},
		{name: "substring", args: "text, start [, length]", doc: "A part of a text, from a place on that counts from 0.", min: 2, max: 3, result: String, wants: []Type{String, Long}, fn: substring},
		{name: "split", args: "text, delimiter [, index]", doc: "Cuts a text into an array at a delimiter.", min: 2, max: 3, result: Dynamic, wants: []Type{String, String, Long}, fn: split},
		{name: "tolower", args: "text", doc: "The text in lower case.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value { return StringValue(strings.ToLower(v.text)) }},
		{name: "toupper", args: "text", doc: "The text in upper case.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value { return StringValue(strings.ToUpper(v.text)) }},
		{name: "strlen", args: "text", doc: "How many characters a text has.", min: 1, max: 1, result: Long, wants: text, f1: func(v Value) Value { return LongValue(int64(utf8.RuneCountInString(v.text))) }},
		{name: "reverse", args: "text", doc: "The text from its end to its beginning.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value {
			r := []rune(v.text)
			for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
				r[i], r[j] = r[j], r[i]
			}
			return StringValue(string(r))
		}},
		{name: "strrep", args: "text, times [, delimiter]", doc: "Repeats a text.", min: 2, max: 3, result: String, wants: []Type{String, Long, String}, fn: func(a []Value) Value {
			if a[1].num < 0 || a[1].num > 1024 {
				return StringValue("")
			}
			parts := make([]string, a[1].num)
			for i := range parts {
				parts[i] = a[0].text
			}
			delim := ""
			if len(a) > 2 {
				delim = a[2].text
			}
			if (len(a[0].text)+len(delim))*len(parts) > maxText {
				return StringValue("")
			}
			return StringValue(strings.Join(parts, delim))
		}},
		{name: "replace_string", args: "text, part, other", doc: "Replaces every occurrence of a part.", min: 3, max: 3, result: String, wants: text, fn: func(a []Value) Value {
			if a[1].text == "" {
				return a[0]
			}
			if n := strings.Count(a[0].text, a[1].text); len(a[0].text)+n*len(a[2].text) > maxText {
				return Value{typ: String}
			}
			return StringValue(strings.ReplaceAll(a[0].text, a[1].text, a[2].text))
		}},
		{name: "indexof", args: "text, part [, start]", doc: "Where a part begins, from 0; −1 when it is not there.", min: 2, max: 3, result: Long, wants: []Type{String, String, Long}, fn: func(a []Value) Value {
			from := 0
			if len(a) > 2 {
				from = int(min(max(a[2].num, 0), int64(len(a[0].text))))
			}
			i := strings.Index(a[0].text[from:], a[1].text)
			if i < 0 {
				return LongValue(-1)
			}
			return LongValue(int64(utf8.RuneCountInString(a[0].text[:from+i])))
		}},
		{name: "countof", args: "text, part", doc: "How often a part occurs.", min: 2, max: 2, result: Long, wants: text, f2: func(a, b Value) Value {
			if b.text == "" {
				return LongValue(0)
			}
			return LongValue(int64(strings.Count(a.text, b.text)))
		}},
		{name: "strcmp", args: "a, b", doc: "−1, 0 or 1 as a text is before, the same as or behind another.", min: 2, max: 2, result: Long, wants: text, f2: func(a, b Value) Value { return LongValue(int64(strings.Compare(a.text, b.text))) }},
		{name: "base64_decode_tostring", args: "text", doc: "What a text in base 64 says.", min: 1, max: 1, result: String, wants: text, f1: decode64},
		{name: "base64_encode_tostring", args: "text", doc: "The text in base 64.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value { return StringValue(base64.StdEncoding.EncodeToString([]byte(v.text))) }},
		{name: "url_decode", args: "text", doc: "Reads %20 and the like.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value {
			if s, err := url.PathUnescape(v.text); err == nil {
				return StringValue(strings.ToValidUTF8(s, "\uFFFD"))
			}
			return v
		}},
		{name: "url_encode", args: "text", doc: "Writes what may not stand in an address as %20 and the like.", min: 1, max: 1, result: String, wants: text, f1: func(v Value) Value {
			return StringValue(strings.ReplaceAll(url.QueryEscape(v.text), "+", "%20"))
		}},
		{name: "hash_sha256", args: "value", doc: "SHA-256 of a value's text, in hexadecimal digits.", min: 1, max: 1, result: String, f1: func(v Value) Value {
			h := sha256.Sum256([]byte(v.Text()))
			return StringValue(hex.EncodeToString(h[:]))
		}},
		{name: "hash_sha1", args: "value", doc: "SHA-1 of a value's text.", min: 1, max: 1, result: String, f1: func(v Value) Value {
			h := sha1.Sum([]byte(v.Text()))
			return StringValue(hex.EncodeToString(h[:]))
		}},
		{name: "hash_md5", args: "value", doc: "MD5 of a value's text.", min: 1, max: 1, result: String, f1: func(v Value) Value {
			h := md5.Sum([]byte(v.Text()))
			return StringValue(hex.EncodeToString(h[:]))
		}},
		{name: "translate", args: "from, to, text", doc: "Replaces single characters by others.", min: 3, max: 3, result: String, wants: text, fn: func(a []Value) Value {
			from, to := []rune(a[0].text), []rune(a[1].text)
			return StringValue(strings.Map(func(r rune) rune {
				for i, f := range from {
					if f == r && len(to) > 0 {
						return to[min(i, len(to)-1)]
					} else if f == r {
						return -1
					}
				}
				return r
			}, a[2].text))
		}},
		{name: "isascii", args: "text", doc: "Whether a text has ASCII characters only.", min: 1, max: 1, result: Bool, wants: text, f1: func(v Value) Value { return BoolValue(isASCII(v.text)) }},
	}
}

func substring(a []Value) Value {
	r := []rune(a[0].text)
	from := a[1].num
	if from < 0 {
		from = max(0, from+int64(len(r)))
	}
	to := int64(len(r))
	if from > to {
		return StringValue("")
	}
	if len(a) > 2 {
		if a[2].num < to-from {
			to = from + max(a[2].num, 0)
		}
	}
	return StringValue(string(r[from:to]))
}

func split(a []Value) Value {
	var parts []string
	if a[1].text == "" {
		parts = []string{a[0].text}
	} else {
		parts = strings.SplitN(a[0].text, a[1].text, MaxItems)
	}
	items := make([]Value, len(parts))
	for i, p := range parts {
		items[i] = StringValue(p)
	}
	v := ArrayValue(items...)
	if len(a) > 2 {
		if e := v.at(a[2].num); !e.IsNull() {
			return ArrayValue(e)
		}
		return ArrayValue()
	}
	return v
}

func decode64(v Value) Value {
	s := strings.TrimRight(strings.Join(strings.Fields(v.text), ""), "=")
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := enc.DecodeString(s); err == nil {
			if !utf8.Valid(b) {
				return StringValue("")
			}
			return StringValue(string(b))
		}
	}
	return StringValue("")
}

// moreTextFunctions are those with regular expressions, and those that take
// texts apart.
func moreTextFunctions() []function {
	text := []Type{String}
	return []function{
		{name: "replace_regex", args: "text, pattern, other", doc: "Replaces what a regular expression matches; \\1 is its first group.", min: 3, max: 3, bind: func(b *binder, n *node, _ *rowScope, args []*expr) *expr {
			re := b.pattern(args[1], n.kids[1].at)
			return made(n.text, String, []*expr{args[0], args[2]}, func(row []Value) Value {
				return cutText(re.ReplaceAllString(args[0].eval(row).Text(), groups(args[2].eval(row).Text())))
			})
		}},
		{name: "extract", args: "pattern, group, text [, typeof(type)]", doc: "What a group of a regular expression matches; group 0 is all of it.", min: 3, max: 4, lazy: true, bind: bindExtract},
		{name: "extract_all", args: "pattern, text", doc: "All that a regular expression matches, as an array.", min: 2, max: 3, wants: []Type{Null}, bind: func(b *binder, n *node, _ *rowScope, args []*expr) *expr {
			re, x := b.pattern(args[0], n.kids[0].at), args[len(args)-1]
			return made(n.text, Dynamic, []*expr{x}, func(row []Value) Value {
				items := []Value{}
				for _, m := range re.FindAllStringSubmatch(x.eval(row).Text(), 10_000) {
					switch len(m) {
					case 1, 2:
						items = append(items, StringValue(m[len(m)-1]))
					default:
						group := make([]Value, 0, len(m)-1)
						for _, g := range m[1:] {
							group = append(group, StringValue(g))
						}
						items = append(items, ArrayValue(group...))
					}
				}
				if len(items) == 0 {
					return Value{}
				}
				return ArrayValue(items...)
			})
		}},
		trimFunction("trim", "Takes what a regular expression matches away from both ends.", true, true),
		trimFunction("trim_start", "Takes what a regular expression matches away from the beginning.", true, false),
		trimFunction("trim_end", "Takes what a regular expression matches away from the end.", false, true),
		{name: "parse_url", args: "text", doc: "Takes an address apart: Scheme, Host, Port, Path, Username, Password, Query Parameters, Fragment.", min: 1, max: 1, result: Dynamic, wants: text, f1: parseURL},
		{name: "parse_path", args: "text", doc: "Takes the path of a file apart: Scheme, RootPath, DirectoryPath, DirectoryName, Filename, Extension.", min: 1, max: 1, result: Dynamic, wants: text, f1: parsePath},
		{name: "parse_command_line", args: "text [, \"posix\" or \"windows\"]", doc: "The arguments of a command line as an array.", min: 1, max: 2, result: Dynamic, wants: text, fn: commandLine},
	}
}

// groups turns \1 of the language into ${1} of Go's patterns.
func groups(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && isDigit(s[i+1]):
			fmt.Fprintf(&b, "${%c}", s[i+1])
			i++
		case s[i] == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func bindExtract(b *binder, n *node, s *rowScope, _ []*expr) *expr {
	re, x := b.pattern(b.expr(n.kids[0], s), n.kids[0].at), b.expr(n.kids[2], s)
	g := b.expr(n.kids[1], s)
	if !g.konst || !number(g.typ) || g.value().num < 0 || int(g.value().num) > re.NumSubexp() {
		panic(fail(n.kids[1].at, "the expression has the groups 0 to %d", re.NumSubexp()))
	}
	group, t := int(g.value().num), String
	if len(n.kids) == 4 {
		k := n.kids[3]
		if k.kind != nodeCall || k.text != "typeof" || len(k.kids) != 1 || k.kids[0].kind != nodeName || typeWords[k.kids[0].text] == Null {
			panic(fail(k.at, "typeof(type) is expected").with("for example typeof(long)"))
		}
		t = typeWords[k.kids[0].text]
	}
	return made("extract", t, []*expr{x}, func(row []Value) Value {
		m := re.FindStringSubmatchIndex(x.eval(row).Text())
		if m == nil || m[2*group] < 0 {
			return convert(Value{}, t)
		}
		return convert(StringValue(x.eval(row).Text()[m[2*group]:m[2*group+1]]), t)
	})
}

func trimFunction(name, doc string, start, end bool) function {
	return function{name: name, args: "pattern, text", doc: doc, min: 2, max: 2, bind: func(b *binder, n *node, _ *rowScope, args []*expr) *expr {
		re := b.pattern(args[0], n.kids[0].at)
		x := args[1]
		return made(n.text, String, []*expr{x}, func(row []Value) Value {
			s := x.eval(row).Text()
			if start {
				if m := re.FindStringIndex(s); m != nil && m[0] == 0 {
					s = s[m[1]:]
				}
			}
			if end {
				for _, m := range re.FindAllStringIndex(s, -1) {
					if m[1] == len(s) {
						return StringValue(s[:m[0]])
					}
				}
			}
			return StringValue(s)
		})
	}}
}

func parseURL(v Value) Value {
	u, err := url.Parse(v.text)
	if err != nil {
		return Value{}
	}
	password, _ := u.User.Password()
	var params bagMaker
	for i, pair := range strings.Split(u.RawQuery, "&") {
		k, p, _ := strings.Cut(pair, "=")
		if k != "" && i < 1000 {
			params.put(k, StringValue(p))
		}
	}
	return BagValue([]string{"Scheme", "Host", "Port", "Path", "Username", "Password", "Query Parameters", "Fragment"},
		[]Value{StringValue(u.Scheme), StringValue(u.Hostname()), StringValue(u.Port()), StringValue(u.Path), StringValue(u.User.Username()), StringValue(password), params.value(), StringValue(u.Fragment)})
}

func parsePath(v Value) Value {
	scheme, rest, ok := strings.Cut(v.text, "://")
	if !ok {
		scheme, rest = "", v.text
	}
	root := ""
	if len(rest) > 1 && rest[1] == ':' {
		root = rest[:2]
	} else if strings.HasPrefix(rest, "/") {
		root = "/"
	}
	dir, file := "", rest
	if i := strings.LastIndexAny(rest, `/\`); i >= 0 {
		dir, file = rest[:i], rest[i+1:]
	}
	name := dir
	if i := strings.LastIndexAny(dir, `/\`); i >= 0 {
		name = dir[i+1:]
	}
	ext := ""
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		ext = file[i+1:]
	}
	return BagValue([]string{"Scheme", "RootPath", "DirectoryPath", "DirectoryName", "Filename", "Extension", "AlternateDataStreamName"},
		[]Value{StringValue(scheme), StringValue(root), StringValue(dir), StringValue(name), StringValue(file), StringValue(ext), StringValue("")})
}

// commandLine cuts at blanks that are in no quotation marks.
func commandLine(a []Value) Value {
	posix := len(a) < 2 || a[1].text != "windows"
	items := []Value{}
	var b strings.Builder
	in, quote := false, byte(0)
	s := a[0].text
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (posix && quote != '\'' || s[i+1] == '"'):
			i++
			b.WriteByte(s[i])
			in = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || posix && c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if in {
				items = append(items, StringValue(b.String()))
				b.Reset()
			}
			in = false
		default:
			b.WriteByte(c)
			in = true
		}
	}
	if in {
		items = append(items, StringValue(b.String()))
	}
	return ArrayValue(items...)
}
