package conf

import "strings"

// ShellRC is what the start-up files of login shells set.
type ShellRC struct {
	Umasks []Entry // every umask command, whatever its condition
	Tmout  []Entry // every assignment of TMOUT
	// TmoutReadonly says that users cannot change TMOUT.
	TmoutReadonly bool
}

// ReadShellRC reads a start-up file of a Bourne shell. Nothing is expanded or
// run.
func ReadShellRC(b []byte) ShellRC {
	var rc ShellRC
	for n, s := range lines(b, "#", true) {
		for _, part := range strings.FieldsFunc(s, func(c rune) bool { return c == ';' || c == '&' || c == '|' }) {
			w := strings.Fields(part)
			for i := 0; i < len(w); i++ {
				switch {
				case w[i] == "umask" && i+1 < len(w) && octal(w[i+1]):
					rc.Umasks = append(rc.Umasks, Entry{Key: "umask", Value: w[i+1], Line: n})
				case strings.HasPrefix(w[i], "TMOUT="):
					rc.Tmout = append(rc.Tmout, Entry{Key: "TMOUT", Value: Unquote(strings.TrimPrefix(w[i], "TMOUT=")), Line: n})
					rc.TmoutReadonly = rc.TmoutReadonly || i > 0 && readonly(w[:i])
				case w[i] == "TMOUT" && i > 0 && readonly(w[:i]):
					rc.TmoutReadonly = true
				}
			}
		}
	}
	return rc
}

func readonly(w []string) bool {
	for i, s := range w {
		if s == "readonly" || (s == "typeset" || s == "declare") && i+1 < len(w) && strings.HasPrefix(w[i+1], "-") && strings.Contains(w[i+1], "r") {
			return true
		}
	}
	return false
}

func octal(s string) bool { return s != "" && len(s) <= 5 && strings.Trim(s, "01234567") == "" }

// Limit is one line of limits.conf(5).
type Limit struct {
	Domain, Type, Item, Value string
	Line                      int
}

// Limits reads limits.conf.
func Limits(b []byte) []Limit {
	var out []Limit
	for n, s := range lines(b, "#", false) {
		f := strings.Fields(s)
		if len(f) >= 4 {
			out = append(out, Limit{Domain: f[0], Type: f[1], Item: f[2], Value: f[3], Line: n})
		}
	}
	return out
}

// Modprobe is one line of modprobe.d(5) that keeps a module out.
type Modprobe struct {
	Module string // with "_" for "-", as the kernel names modules
	// Install is the command of an "install" line; empty for "blacklist".
	Install string
	Line    int
}

// ReadModprobe reads a modprobe.d file.
func ReadModprobe(b []byte) []Modprobe {
	var out []Modprobe
	for n, s := range lines(b, "#", true) {
		f := strings.Fields(s)
		switch {
		case len(f) >= 2 && f[0] == "blacklist":
			out = append(out, Modprobe{Module: ModuleName(f[1]), Line: n})
		case len(f) >= 3 && f[0] == "install":
			out = append(out, Modprobe{Module: ModuleName(f[1]), Install: strings.Join(f[2:], " "), Line: n})
		}
	}
	return out
}

// ModuleName is how the kernel writes a module's name.
func ModuleName(s string) string { return strings.ReplaceAll(s, "-", "_") }
