package conf

import (
	"path"
	"strings"
)

// Nginx returns the directives of an nginx configuration in order, whatever
// block they stand in: the key is the first word, the value the others.
func Nginx(b []byte) []Entry {
	var out []Entry
	var words []string
	start, n := 0, 0
	for raw := range strings.Lines(string(b)) {
		if n++; n > MaxLines || len(out) >= MaxLines {
			break
		}
		if len(raw) > MaxLine {
			continue
		}
		for _, tok := range nginxTokens(raw) {
			switch tok {
			case ";", "{", "}":
				if len(words) > 0 {
					out = append(out, Entry{Key: words[0], Value: strings.Join(words[1:], " "), Line: start})
				}
				words = words[:0]
			default:
				if len(words) == 0 {
					start = n
				}
				if len(words) < maxWords {
					words = append(words, tok)
				}
			}
		}
	}
	return out
}

// nginxTokens cuts a line into words and the marks ";", "{" and "}".
func nginxTokens(s string) []string {
	var out []string
	word, in, quote := "", false, byte(0)
	flush := func() {
		if in {
			out = append(out, word)
		}
		word, in = "", false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word += string(c)
			}
		case c == '"' || c == '\'':
			quote, in = c, true
		case c == '#' && !in:
			return out
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			flush()
		case c == ';' || c == '{' || c == '}':
			flush()
			out = append(out, string(c))
		default:
			word += string(c)
			in = true
		}
	}
	flush()
	return out
}

// Apache returns the directives of an Apache configuration in order, whatever
// block they stand in; blocks come out as directives too ("<Directory").
func Apache(b []byte) []Entry {
	var out []Entry
	for n, s := range lines(b, "#", true) {
		f := fields(strings.TrimSuffix(s, ">"))
		if len(f) > 0 {
			out = append(out, Entry{Key: f[0], Value: strings.Join(f[1:], " "), Line: n})
		}
	}
	return out
}

// Included is a file with the directives that it holds.
type Included struct {
	File    string
	Entries []Entry
}

// maxIncluded bounds the files of a configuration with includes.
const maxIncluded = 500

// Follow reads a configuration with the files that its directives of the given
// names (in lower case) include. Relative names are below base. open gives the
// text of a file, glob the names that match a pattern; their errors end the
// reading and are returned.
func Follow(name, base string, parse func([]byte) []Entry, include []string, open func(string) ([]byte, error), glob func(string) ([]string, error)) ([]Included, error) {
	var out []Included
	queue := []string{name}
	seen := map[string]bool{name: true}
	for i := 0; i < len(queue); i++ {
		if i >= maxIncluded {
			return out, errDepth
		}
		b, err := open(queue[i])
		if err != nil {
			return out, err
		}
		f := Included{File: queue[i], Entries: parse(b)}
		out = append(out, f)
		for _, e := range f.Entries {
			if !containsFold(include, e.Key) || e.Value == "" {
				continue
			}
			pattern := Unquote(e.Value)
			if !path.IsAbs(pattern) {
				pattern = path.Join(base, pattern)
			}
			names, err := glob(pattern)
			if err != nil {
				return out, err
			}
			for _, n := range names {
				if !seen[n] {
					seen[n] = true
					queue = append(queue, n)
				}
			}
		}
	}
	return out, nil
}

func containsFold(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// HBA is one rule of PostgreSQL's pg_hba.conf.
type HBA struct {
	Type, Who, Address, Method string
	Line                       int
}

// PostgresHBA reads pg_hba.conf.
func PostgresHBA(b []byte) []HBA {
	var out []HBA
	for n, s := range lines(b, "#", true) {
		f := fields(trimComment(" " + s))
		h := HBA{Line: n}
		switch {
		case len(f) >= 4 && f[0] == "local":
			h.Type, h.Who, h.Method = f[0], f[2], f[3]
		case len(f) >= 5 && strings.HasPrefix(f[0], "host"):
			h.Type, h.Who, h.Address, h.Method = f[0], f[2], f[3], f[4]
			if len(f) >= 6 && strings.Trim(f[4], "0123456789.:abcdef") == "" {
				h.Method = f[5] // address and mask are words of their own
			}
		default:
			continue
		}
		h.Method = strings.ToLower(h.Method)
		out = append(out, h)
	}
	return out
}

// Postgres reads postgresql.conf: "key = value" or "key value", text in
// single quotes.
func Postgres(b []byte) []Entry {
	var out []Entry
	for n, s := range lines(b, "#", false) {
		i := strings.IndexAny(s, " \t=")
		if i <= 0 {
			continue
		}
		v := strings.TrimSpace(s[i:])
		v = strings.TrimSpace(strings.TrimPrefix(v, "="))
		if strings.HasPrefix(v, "'") {
			if end := strings.IndexByte(v[1:], '\''); end >= 0 {
				v = v[1 : end+1]
			}
		} else {
			v = trimComment(v)
		}
		out = append(out, Entry{Key: strings.ToLower(s[:i]), Value: v, Line: n})
	}
	return out
}

// Export is one client of an NFS export.
type Export struct {
	Path, Client string
	Options      []string
	Line         int
}

// Exports reads exports(5).
func Exports(b []byte) []Export {
	var out []Export
	for n, s := range lines(b, "#", true) {
		f := fields(s)
		for _, c := range f[1:] {
			e := Export{Path: f[0], Line: n}
			var opts string
			e.Client, opts, _ = strings.Cut(strings.TrimSuffix(c, ")"), "(")
			if e.Options = strings.SplitN(opts, ",", maxWords); opts == "" {
				e.Options = nil
			}
			out = append(out, e)
		}
		if len(f) == 1 {
			out = append(out, Export{Path: f[0], Line: n})
		}
	}
	return out
}
