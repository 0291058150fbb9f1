package conf

import (
	"errors"
	"path"
	"strings"
)

var errDepth = errors.New("files include each other too often")

// SudoDefault is one parameter of a Defaults line that holds for everybody.
type SudoDefault struct {
	Name, Value string
	Off         bool // written with "!"
	File        string
	Line        int
}

// SudoRule is one user specification.
type SudoRule struct {
	Who, What string
	NoPasswd  bool // a NOPASSWD tag stands in it
	File      string
	Line      int
}

// SudoPolicy is what sudoers files say.
type SudoPolicy struct {
	Defaults []SudoDefault
	// Scoped are parameters that hold only for some users, hosts or commands.
	Scoped []SudoDefault
	Rules  []SudoRule
}

// Sudoers reads sudoers(5) from name on, with the files that it includes. open
// gives the text of a file, list the names in a directory (sorted); their
// errors end the reading and are returned.
func Sudoers(name string, open func(string) ([]byte, error), list func(string) ([]string, error)) (SudoPolicy, error) {
	r := sudoReader{open: open, list: list}
	err := r.read(name, 0)
	return r.p, err
}

type sudoReader struct {
	open  func(string) ([]byte, error)
	list  func(string) ([]string, error)
	p     SudoPolicy
	files int
}

const maxSudoFiles = 500

func (r *sudoReader) read(name string, depth int) error {
	if r.files++; depth > MaxDepth || r.files > maxSudoFiles {
		return errDepth
	}
	b, err := r.open(name)
	if err != nil {
		return err
	}
	for n, s := range lines(b, "", true) {
		word, rest, _ := strings.Cut(strings.ReplaceAll(s, "\t", " "), " ")
		rest = Unquote(strings.TrimSpace(rest))
		switch word {
		case "@include", "#include":
			if err := r.read(beside(name, rest), depth+1); err != nil {
				return err
			}
			continue
		case "@includedir", "#includedir":
			if err := r.readDir(beside(name, rest), depth); err != nil {
				return err
			}
			continue
		}
		if s = sudoComment(s); s == "" {
			continue
		}
		switch {
		case strings.HasPrefix(word, "Defaults"):
			r.defaults(s, name, n)
		case strings.HasSuffix(word, "_Alias"):
		default:
			r.rule(s, name, n)
		}
	}
	return nil
}

// readDir reads the files of a directory whose names hold no dot and do not
// end in "~", as sudo does.
func (r *sudoReader) readDir(dir string, depth int) error {
	names, err := r.list(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if strings.Contains(n, ".") || strings.HasSuffix(n, "~") {
			continue
		}
		if err := r.read(path.Join(dir, n), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// beside makes the name of an included file complete.
func beside(file, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(path.Dir(file), name)
}

// sudoComment cuts a comment. "#" followed by a digit is a user id.
func sudoComment(s string) string {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '#':
			digit := i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9'
			if !quoted && !digit {
				return strings.TrimSpace(s[:i])
			}
		}
	}
	return strings.TrimSpace(s)
}

func (r *sudoReader) defaults(s, file string, line int) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return
	}
	global := s[:i] == "Defaults"
	for _, p := range splitQuoted(s[i:], ',') {
		d := SudoDefault{File: file, Line: line}
		p, d.Off = strings.CutPrefix(strings.TrimSpace(p), "!")
		k, v, _ := strings.Cut(p, "=")
		d.Name, d.Value = strings.TrimRight(strings.TrimSpace(k), "+- "), Unquote(strings.TrimSpace(v))
		if d.Name == "" {
			continue
		}
		if global {
			r.p.Defaults = append(r.p.Defaults, d)
		} else {
			r.p.Scoped = append(r.p.Scoped, d)
		}
	}
}

func (r *sudoReader) rule(s, file string, line int) {
	who, what, ok := strings.Cut(s, "=")
	if !ok {
		return
	}
	f := fields(who)
	if len(f) == 0 {
		return
	}
	tag := strings.ReplaceAll(strings.ReplaceAll(what, " ", ""), "\t", "")
	r.p.Rules = append(r.p.Rules, SudoRule{Who: f[0], What: strings.TrimSpace(what), NoPasswd: strings.Contains(tag, "NOPASSWD:"), File: file, Line: line})
}

// splitQuoted splits at a byte outside double quotes.
func splitQuoted(s string, sep byte) []string {
	var out []string
	quoted, from := false, 0
	for i := 0; i < len(s) && len(out) < maxWords; i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[min(from, len(s)):])
}
