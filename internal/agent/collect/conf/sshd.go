package conf

import (
	"strings"
)

// SSHValue is one keyword of an OpenSSH configuration.
type SSHValue struct {
	Key   string // in lower case
	Value string
	File  string
	Line  int
}

// SSHConfig is an sshd_config(5) or ssh_config(5) as it holds for every
// connection.
type SSHConfig struct {
	// Global are the keywords that are in effect: for each the first one wins,
	// apart from those that add up (allowusers and their like), which stand as
	// often as they are written.
	Global []SSHValue
	// Matched are the keywords inside Match (or Host) blocks, which hold for
	// some connections only.
	Matched []SSHValue
}

// Get returns the global value of a keyword.
func (c *SSHConfig) Get(key string) (SSHValue, bool) {
	for _, v := range c.Global {
		if v.Key == key {
			return v, true
		}
	}
	return SSHValue{}, false
}

// SSH reads an OpenSSH configuration from name on, with the files that it
// includes. open gives the text of a file, glob the names that match a
// pattern (sorted); their errors end the reading and are returned.
func SSH(name string, open func(string) ([]byte, error), glob func(string) ([]string, error)) (SSHConfig, error) {
	r := sshReader{open: open, glob: glob, seen: map[string]bool{}}
	err := r.read(name, false, 0)
	return r.c, err
}

type sshReader struct {
	open  func(string) ([]byte, error)
	glob  func(string) ([]string, error)
	c     SSHConfig
	seen  map[string]bool
	files int
}

const maxSSHFiles = 500

// adds are the keywords whose lines add up.
func adds(key string) bool {
	switch key {
	case "port", "listenaddress", "allowusers", "allowgroups", "denyusers", "denygroups", "hostkey", "acceptenv", "subsystem", "sendenv", "setenv", "permitopen":
		return true
	}
	return false
}

// read reads one file. A Match block in it ends with the file.
func (r *sshReader) read(name string, matched bool, depth int) error {
	if r.files++; depth > MaxDepth || r.files > maxSSHFiles {
		return errDepth
	}
	b, err := r.open(name)
	if err != nil {
		return err
	}
	inside := matched
	for n, s := range lines(b, "#", false) {
		key, value := sshWords(s)
		switch key {
		case "":
		case "match", "host":
			all := strings.EqualFold(value, "all") && key == "match" || value == "*" && key == "host"
			inside = matched || !all
		case "include":
			for _, pattern := range fields(value) {
				if err := r.include(name, pattern, inside, depth); err != nil {
					return err
				}
			}
		default:
			v := SSHValue{Key: key, Value: value, File: name, Line: n}
			switch {
			case inside:
				r.c.Matched = append(r.c.Matched, v)
			case !r.seen[key] || adds(key):
				r.seen[key] = true
				r.c.Global = append(r.c.Global, v)
			}
		}
	}
	return nil
}

func (r *sshReader) include(file, pattern string, matched bool, depth int) error {
	if !strings.HasPrefix(pattern, "/") {
		pattern = "/etc/ssh/" + pattern
	}
	names, err := r.glob(pattern)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := r.read(n, matched, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// sshWords splits a line into keyword and value: "Key value", "Key=value",
// "Key "value"".
func sshWords(s string) (key, value string) {
	i := strings.IndexAny(s, " \t=")
	if i < 0 {
		return sshAlias(strings.ToLower(s)), ""
	}
	key = sshAlias(strings.ToLower(s[:i]))
	value = strings.TrimSpace(s[i:])
	value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	return key, Unquote(trimComment(value))
}

// sshAlias gives the present name of a keyword that was renamed.
func sshAlias(key string) string {
	switch key {
	case "challengeresponseauthentication", "skeyauthentication":
		return "kbdinteractiveauthentication"
	case "pubkeyacceptedkeytypes":
		return "pubkeyacceptedalgorithms"
	case "dsaauthentication":
		return "pubkeyauthentication"
	case "keepalive":
		return "tcpkeepalive"
	}
	return key
}

// SSHList returns what a list of algorithms is when a configuration gives
// value: "+a,b" adds to the default, "-a" takes away, "^a" puts in front;
// anything else replaces it.
func SSHList(value, def string) []string {
	if value == "" {
		return strings.Split(def, ",")
	}
	words := strings.SplitN(strings.TrimLeft(value, "+-^"), ",", maxWords)
	all := strings.Split(def, ",")
	switch value[0] {
	case '+':
		return append(all, words...)
	case '^':
		return append(words, all...)
	case '-':
		var out []string
		for _, d := range all {
			drop := false
			for _, w := range words {
				drop = drop || glob(w, d)
			}
			if !drop {
				out = append(out, d)
			}
		}
		return out
	}
	return words
}

// glob matches a pattern in which "*" stands for any text.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
