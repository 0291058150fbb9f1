package respond

import (
	"bytes"
	"io"
	"regexp"
)

const (
	leftOut = "[left out]"
	maxLine = 64 << 10 // of a text; what is longer is cut
)

// mask is a form in which secrets are written.
type mask struct {
	hints [][]byte // one of them is in every such line, in lower case
	form  *regexp.Regexp
	put   []byte
}

// masks are applied to every line of every text of a package.
var masks = []mask{
	{hints("://"), regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@"']*:[^/\s@"']*@`), []byte("${1}" + leftOut + "@")},
	{hints("auth"), regexp.MustCompile(`(?i)(authorization["']?\s*[=:]\s*["']?)[A-Za-z]+\s+[^\s"'\[]+`), []byte("${1}" + leftOut)},
	{hints("bearer", "basic"), regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.~=-]{8,}`), []byte("${1} " + leftOut)},
	{hints("pass", "pwd", "secret", "token", "key", "credential", "auth"),
		regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|credentials?|authorization)[0-9]*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"'\[]\S*)`),
		[]byte("${1}" + leftOut)},
	{hints("--"), regexp.MustCompile(`(?i)(--?[a-z0-9-]*(?:passw(?:or)?d|passphrase|pass|pwd|secret|token|api-?key|access-?key|credentials?)\s+)("[^"]*"|'[^']*'|[^\s"'\[-]\S*)`), []byte("${1}" + leftOut)},
	{hints("$"), regexp.MustCompile(`\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|sha1|md5|argon2(?:id?|d))\$[./A-Za-z0-9$=,+-]{8,}`), []byte(leftOut)},
	{hints("pkt_", "ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "akia", "asia", "npm_", "sk-"),
		regexp.MustCompile(`\b(?:pkt_|gh[pos]_|github_pat_|glpat-|xox[bp]-|AKIA|ASIA|npm_|sk-)[A-Za-z0-9_-]{12,}`), []byte(leftOut)},
	{hints("eyj"), regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`), []byte(leftOut)},
}

func hints(words ...string) [][]byte {
	out := make([][]byte, len(words))
	for i, w := range words {
		out[i] = []byte(w)
	}
	return out
}

var (
	keyBegins = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY`)
	keyEnds   = regexp.MustCompile(`-----END [A-Z0-9 ]*PRIVATE KEY`)
	keyWord   = []byte("PRIVATE KEY")
)

// redactor passes a text on without the secrets that can be told by their form:
// private keys, hashes of passwords, names and passwords in addresses, values of
// settings and options that are called a password or the like. Close passes on
// what is left of the last line.
type redactor struct {
	w     io.Writer
	line  []byte
	lower []byte
	cut   bool // the line is longer than maxLine
	key   bool // within a private key
}

// Write implements io.Writer.
func (r *redactor) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		if room := maxLine - len(r.line); len(part) > room {
			part, r.cut = part[:room], true
		}
		r.line = append(r.line, part...)
		if i < 0 {
			break
		}
		if err := r.flush(true); err != nil {
			return 0, err
		}
		p = p[i+1:]
	}
	return n, nil
}

// Close implements io.Closer.
func (r *redactor) Close() error {
	if len(r.line) == 0 {
		return nil
	}
	return r.flush(false)
}

func (r *redactor) flush(newline bool) error {
	out := r.redact(r.line)
	if out != nil {
		if r.cut {
			out = append(out, " [line cut]"...)
		}
		if newline {
			out = append(out, '\n')
		}
	}
	r.line, r.cut = r.line[:0], false
	if len(out) == 0 {
		return nil
	}
	_, err := r.w.Write(out)
	return err
}

// redact returns what of a line may be seen; nil is nothing, not even a line. The
// result may share memory with the line.
func (r *redactor) redact(line []byte) []byte {
	if r.key {
		if keyEnds.Match(line) {
			r.key = false
		}
		return nil
	}
	if bytes.Contains(line, keyWord) && keyBegins.Match(line) {
		begin := keyBegins.FindIndex(line)
		r.key = !keyEnds.Match(line[begin[1]:])
		return append(bytes.Clone(line[:begin[0]]), "[private key left out]"...)
	}
	r.lower = append(r.lower[:0], line...)
	for i, c := range r.lower {
		if c >= 'A' && c <= 'Z' {
			r.lower[i] = c + 'a' - 'A'
		}
	}
	out := line
	for i := range masks {
		m := &masks[i]
		for _, h := range m.hints {
			if bytes.Contains(r.lower, h) {
				out = m.form.ReplaceAll(out, m.put)
				break
			}
		}
	}
	return append([]byte{}, out...)
}

// redactText is the redacted form of a short text.
func redactText(s string) string {
	var b bytes.Buffer
	r := redactor{w: &b}
	_, _ = io.WriteString(&r, s) // a buffer takes everything
	_ = r.Close()
	return b.String()
}
