package conf

import "strings"

// AptConf reads apt.conf(5): nested blocks and plain assignments come out as
// "A::B::C" and a value; the members of a list have the list's name and
// "::" at its end. "#clear NAME" comes out with the key "#clear".
func AptConf(b []byte) []Entry {
	if len(b) > MaxLines*80 {
		b = b[:MaxLines*80]
	}
	l := aptLexer{b: b, line: 1}
	var out []Entry
	var prefix []string
	var words []string
	name := func(word string) string {
		return strings.Join(append(append([]string{}, prefix...), word), "::")
	}
	for len(out) < MaxLines {
		tok, quoted, line := l.next()
		switch {
		case tok == "" && !quoted:
			return out
		case quoted || tok != "{" && tok != "}" && tok != ";":
			if len(words) < maxWords {
				words = append(words, tok)
			}
			continue
		case tok == "{":
			block := ""
			if len(words) > 0 {
				block = strings.TrimSuffix(words[0], "::")
			}
			if len(prefix) > 64 {
				return out
			}
			prefix = append(prefix, block)
		case tok == "}":
			if len(prefix) > 0 {
				prefix = prefix[:len(prefix)-1]
			}
		case tok == ";" && len(words) == 1:
			out = append(out, Entry{Key: name(""), Value: words[0], Line: line})
		case tok == ";" && len(words) > 1 && words[0] == "#clear":
			out = append(out, Entry{Key: "#clear", Value: words[1], Line: line})
		case tok == ";" && len(words) > 1:
			out = append(out, Entry{Key: name(words[0]), Value: words[1], Line: line})
		}
		words = words[:0]
	}
	return out
}

// aptLexer cuts apt's configuration into words, quoted texts and "{", "}", ";".
type aptLexer struct {
	b    []byte
	pos  int
	line int
}

// next returns "" without quotes at the end.
func (l *aptLexer) next() (tok string, quoted bool, line int) {
	l.space()
	if l.pos >= len(l.b) {
		return "", false, l.line
	}
	line = l.line
	switch c := l.b[l.pos]; c {
	case '{', '}', ';':
		l.pos++
		return string(c), false, line
	case '"':
		from := l.pos + 1
		for l.pos++; l.pos < len(l.b) && l.b[l.pos] != '"' && l.b[l.pos] != '\n'; l.pos++ {
		}
		tok = string(l.b[from:l.pos])
		if l.pos < len(l.b) && l.b[l.pos] == '"' {
			l.pos++
		}
		return tok, true, line
	}
	from := l.pos
	for l.pos < len(l.b) && !strings.ContainsRune(" \t\r\n{};\"", rune(l.b[l.pos])) {
		l.pos++
	}
	return string(l.b[from:l.pos]), false, line
}

// space passes over white space and comments.
func (l *aptLexer) space() {
	for l.pos < len(l.b) {
		rest := l.b[l.pos:]
		switch {
		case rest[0] == '\n':
			l.line++
			l.pos++
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			l.pos++
		case hasPrefix(rest, "//"), rest[0] == '#' && !hasPrefix(rest, "#clear") && !hasPrefix(rest, "#include"):
			for l.pos < len(l.b) && l.b[l.pos] != '\n' {
				l.pos++
			}
		case hasPrefix(rest, "/*"):
			for l.pos < len(l.b) && !hasPrefix(l.b[l.pos:], "*/") {
				if l.b[l.pos] == '\n' {
					l.line++
				}
				l.pos++
			}
			l.pos = min(l.pos+2, len(l.b))
		default:
			return
		}
	}
}

func hasPrefix(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// AptSource is one package archive of sources.list(5).
type AptSource struct {
	URI, Suite string
	Trusted    bool // signatures are not asked for
	Line       int
}

// AptList reads the one-line form.
func AptList(b []byte) []AptSource {
	var out []AptSource
	for n, s := range lines(b, "#", false) {
		s, _, _ = strings.Cut(s, " #")
		kind, rest, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
		if kind != "deb" && kind != "deb-src" {
			continue
		}
		rest = strings.TrimSpace(rest)
		src := AptSource{Line: n}
		if strings.HasPrefix(rest, "[") {
			opts, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				continue
			}
			for _, o := range strings.Fields(opts) {
				k, v, _ := strings.Cut(strings.ToLower(o), "=")
				src.Trusted = src.Trusted || k == "trusted" && yes(v) || k == "allow-insecure" && yes(v)
			}
			rest = after
		}
		f := strings.Fields(rest)
		if len(f) < 2 {
			continue
		}
		src.URI, src.Suite = f[0], f[1]
		out = append(out, src)
	}
	return out
}

// AptDeb822 reads the form of paragraphs.
func AptDeb822(b []byte) []AptSource {
	var out []AptSource
	field := map[string]string{}
	start := 0
	flush := func() {
		if !no(field["enabled"]) && len(out) < MaxLines {
			for _, uri := range strings.Fields(field["uris"]) {
				for _, suite := range strings.Fields(field["suites"]) {
					if len(out) < MaxLines {
						out = append(out, AptSource{URI: uri, Suite: suite, Trusted: yes(field["trusted"]) || yes(field["allow-insecure"]), Line: start})
					}
				}
			}
		}
		clear(field)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; n > MaxLines {
			break
		}
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		if line[0] == '#' || line[0] == ' ' || line[0] == '\t' || len(line) > MaxLine {
			continue
		}
		if len(field) == 0 {
			start = n
		}
		if k, v, ok := strings.Cut(line, ":"); ok && len(field) < 100 {
			field[strings.ToLower(strings.TrimSpace(k))] = strings.ToLower(strings.TrimSpace(v))
		}
	}
	flush()
	return out
}

func yes(v string) bool {
	switch strings.ToLower(v) {
	case "yes", "true", "1", "on", "with", "enable":
		return true
	}
	return false
}

func no(v string) bool {
	switch strings.ToLower(v) {
	case "no", "false", "0", "off", "without", "disable":
		return true
	}
	return false
}
