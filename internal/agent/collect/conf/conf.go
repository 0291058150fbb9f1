// Package conf reads the configuration files of Linux programs: pure parsers
// from bytes to values, one file per program.
//
// The bytes are hostile. Every parser is bounded: it reads at most MaxLines
// lines, passes over lines longer than MaxLine, follows at most MaxDepth
// includes, and never fails: what makes no sense to it is left out, as the
// program that owns the file would refuse it or pass over it.
package conf

import (
	"iter"
	"strconv"
	"strings"
)

// The caps of every parser.
const (
	MaxLines = 50_000  // lines of one file
	MaxLine  = 8 << 10 // bytes of one line, continuations included
	MaxDepth = 8       // files that include files
	maxWords = 1_000   // words of one line
)

// Entry is one assignment of a file.
type Entry struct {
	Section string // of INI files; empty elsewhere
	Key     string
	Value   string
	Line    int // from 1
}

// lines yields the lines of a file that say something: trimmed, not empty, no
// comment (a first character among comments), with the lines that a backslash
// at the end continues joined. The number is that of the first one.
func lines(b []byte, comments string, join bool) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n, start, held := 0, 0, ""
		for raw := range strings.Lines(string(b)) {
			if n++; n > MaxLines {
				return
			}
			s := strings.TrimSpace(raw)
			if held == "" {
				start = n
			}
			if join && strings.HasSuffix(s, `\`) && !(held == "" && isComment(s, comments)) {
				if held += strings.TrimSuffix(s, `\`) + " "; len(held) > MaxLine {
					held = held[:MaxLine+1]
				}
				continue
			}
			s = strings.TrimSpace(held + s)
			held = ""
			if s == "" || len(s) > MaxLine || isComment(s, comments) {
				continue
			}
			if !yield(start, s) {
				return
			}
		}
		if s := strings.TrimSpace(held); s != "" && len(s) <= MaxLine {
			yield(start, s)
		}
	}
}

func isComment(s, comments string) bool { return s != "" && strings.IndexByte(comments, s[0]) >= 0 }

// Assignments reads files of lines "key = value": auditd.conf, pwquality.conf,
// faillock.conf and their like. A key that stands alone has the value "".
func Assignments(b []byte) []Entry {
	var out []Entry
	for n, s := range lines(b, "#", false) {
		k, v, _ := strings.Cut(s, "=")
		if k = strings.TrimSpace(k); k != "" {
			out = append(out, Entry{Key: k, Value: trimComment(v), Line: n})
		}
	}
	return out
}

// trimComment cuts a comment that follows a value after white space.
func trimComment(v string) string {
	for i := 1; i < len(v); i++ {
		if v[i] == '#' && (v[i-1] == ' ' || v[i-1] == '\t') {
			v = v[:i]
			break
		}
	}
	return strings.TrimSpace(v)
}

// Words reads files of lines "KEY value": login.defs, chrony.conf, limits.conf.
// The value is everything after the key, without a comment that follows it.
func Words(b []byte) []Entry {
	var out []Entry
	for n, s := range lines(b, "#!;%", false) {
		i := strings.IndexAny(s, " \t")
		if i < 0 {
			out = append(out, Entry{Key: s, Line: n})
			continue
		}
		out = append(out, Entry{Key: s[:i], Value: trimComment(s[i:]), Line: n})
	}
	return out
}

// INI reads files of sections in brackets: systemd, dnf, MySQL, Samba. Keys
// and sections keep their case.
func INI(b []byte) []Entry {
	var out []Entry
	section := ""
	for n, s := range lines(b, "#;", true) {
		if s[0] == '[' {
			if end := strings.IndexByte(s, ']'); end > 0 {
				section = strings.TrimSpace(s[1:end])
			}
			continue
		}
		k, v, _ := strings.Cut(s, "=")
		if k = strings.TrimSpace(k); k != "" {
			out = append(out, Entry{Section: section, Key: k, Value: strings.TrimSpace(v), Line: n})
		}
	}
	return out
}

// Shell reads the assignments of files in shell form that programs read for
// values: /etc/default/*, /etc/selinux/config, ufw.conf. Quotes are undone;
// nothing is expanded.
func Shell(b []byte) []Entry {
	var out []Entry
	for n, s := range lines(b, "#", true) {
		s = strings.TrimPrefix(s, "export ")
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" || strings.ContainsAny(k, " \t") {
			continue
		}
		out = append(out, Entry{Key: k, Value: Unquote(trimComment(v)), Line: n})
	}
	return out
}

// Unquote takes one pair of quotes away.
func Unquote(v string) string {
	if len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}

// Last returns the last entry with a key of a section; keys match without
// regard to case. ok is false when there is none.
func Last(list []Entry, section, key string) (e Entry, ok bool) {
	for i := range list {
		if list[i].Section == section && strings.EqualFold(list[i].Key, key) {
			e, ok = list[i], true
		}
	}
	return e, ok
}

// Seconds reads a time as OpenSSH and systemd write it: "90", "1m30s", "2h",
// "1d". ok is false for anything else.
func Seconds(s string) (n int64, ok bool) {
	if s == "" {
		return 0, false
	}
	for s != "" {
		i := 0
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		v, err := strconv.ParseInt(s[:i], 10, 40)
		if err != nil {
			return 0, false
		}
		unit := int64(1)
		if s = s[i:]; s != "" {
			switch s[0] {
			case 's', 'S':
			case 'm', 'M':
				unit = 60
			case 'h', 'H':
				unit = 3600
			case 'd', 'D':
				unit = 86400
			case 'w', 'W':
				unit = 7 * 86400
			default:
				return 0, false
			}
			s = s[1:]
		}
		if n += v * unit; n > 1<<50 {
			return 0, false
		}
	}
	return n, true
}

// fields splits at white space and keeps words in double or single quotes
// together, without the quotes; at most maxWords words.
func fields(s string) []string {
	var out []string
	var word strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(s) && len(out) < maxWords; i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, in = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if in {
				out = append(out, word.String())
				word.Reset()
				in = false
			}
		default:
			word.WriteByte(c)
			in = true
		}
	}
	if in {
		out = append(out, word.String())
	}
	return out
}
