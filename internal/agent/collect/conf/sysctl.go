package conf

import (
	"path"
	"strings"
)

// SysctlLine is one line of a sysctl.d(5) file.
type SysctlLine struct {
	Key   string // with slashes: "net/ipv4/conf/*/rp_filter"
	Value string
	// Exclude says that the line only takes its key out of the globs after it.
	Exclude bool
	Line    int
}

// Sysctl reads a file of kernel parameters.
func Sysctl(b []byte) []SysctlLine {
	var out []SysctlLine
	for n, s := range lines(b, "#;", false) {
		s, ignore := strings.CutPrefix(s, "-")
		k, v, ok := strings.Cut(s, "=")
		k = slashed(strings.TrimSpace(k))
		if k == "" || !ok && !ignore {
			continue
		}
		out = append(out, SysctlLine{Key: k, Value: strings.Join(strings.Fields(v), " "), Exclude: !ok, Line: n})
	}
	return out
}

// slashed turns a key into its path below /proc/sys. The first separator
// decides: after a dot, slashes stand for dots in names (an interface "eth0.1").
func slashed(k string) string {
	i := strings.IndexAny(k, "./")
	if i < 0 || k[i] == '/' {
		return strings.Trim(k, "/")
	}
	return strings.NewReplacer(".", "/", "/", ".").Replace(k)
}

// SysctlValue returns what lines, in the order in which they are read, set a
// parameter to; at is the index of the line. A line that names the parameter
// wins over one that matches it by a glob, the last of each kind counts.
func SysctlValue(list []SysctlLine, key string) (at int, ok bool) {
	name := slashed(key)
	glob, excluded := -1, false
	at = -1
	for i, l := range list {
		switch {
		case l.Key == name && l.Exclude:
			excluded = true
		case l.Key == name:
			at = i
		case !l.Exclude && strings.ContainsAny(l.Key, "*?["):
			if match, err := path.Match(l.Key, name); err == nil && match && !excluded {
				glob = i
			}
		}
	}
	if at < 0 {
		at = glob
	}
	return at, at >= 0
}
