package conf

import "strings"

// PAMRule is one module in a stack.
type PAMRule struct {
	Type    string // "auth", "account", "password", "session"
	Control string // "required", "[success=1 default=ignore]"
	Module  string // without directory and ".so": "pam_unix"
	Args    []string
	File    string // where the rule stands
	Line    int
}

// PAMStack returns the rules of a service with everything that it includes, in
// order. open gives the text of a file of the PAM directory; its error ends
// the reading and is returned.
func PAMStack(service string, open func(name string) ([]byte, error)) ([]PAMRule, error) {
	p := pamReader{open: open}
	err := p.read(service, "", 0)
	return p.rules, err
}

type pamReader struct {
	open  func(string) ([]byte, error)
	rules []PAMRule
	files int
}

// maxPAMFiles bounds how many files make a stack, so that files that include
// each other many times cost little.
const maxPAMFiles = 100

// read appends the rules of a file; only those of one type where typ is set.
func (p *pamReader) read(name, typ string, depth int) error {
	if p.files++; depth > MaxDepth || p.files > maxPAMFiles {
		return errDepth
	}
	b, err := p.open(name)
	if err != nil {
		return err
	}
	for n, s := range lines(b, "#", true) {
		f := pamFields(s)
		if len(f) == 2 && f[0] == "@include" {
			if err := p.read(f[1], typ, depth+1); err != nil {
				return err
			}
			continue
		}
		if len(f) < 3 {
			continue
		}
		t := strings.ToLower(strings.TrimPrefix(f[0], "-"))
		if typ != "" && t != typ {
			continue
		}
		switch control := strings.ToLower(f[1]); control {
		case "include", "substack":
			if err := p.read(f[2], t, depth+1); err != nil {
				return err
			}
		default:
			module := f[2][strings.LastIndexByte(f[2], '/')+1:]
			p.rules = append(p.rules, PAMRule{Type: t, Control: control, Module: strings.TrimSuffix(module, ".so"), Args: f[3:], File: name, Line: n})
		}
	}
	return nil
}

// pamFields splits a rule; a control in brackets is one field.
func pamFields(s string) []string {
	s, _, _ = strings.Cut(s, "#")
	var out []string
	for s = strings.TrimSpace(s); s != "" && len(out) < maxWords; s = strings.TrimSpace(s) {
		end := strings.IndexAny(s, " \t")
		if s[0] == '[' {
			if end = strings.IndexByte(s, ']') + 1; end == 0 {
				end = len(s)
			}
			out = append(out, strings.Join(strings.Fields(s[:end]), " "))
		} else {
			if end < 0 {
				end = len(s)
			}
			out = append(out, s[:end])
		}
		s = s[end:]
	}
	return out
}
