package conf

import (
	"slices"
	"strings"
)

// AuditRules is what a set of audit rule files (auditctl(8)) records.
type AuditRules struct {
	Watches  []AuditWatch
	Syscalls []AuditSyscall
	Mode     string // last "-e": "2" is locked until the next boot
	ModeAt   int    // its line
	Failure  string // last "-f"
}

// AuditWatch records access to a file or directory, by any program.
type AuditWatch struct {
	Path  string
	Perms string // of "rwxa", in this order
	Line  int
}

// AuditSyscall records system calls.
type AuditSyscall struct {
	Arch  string // "b64", "b32", or empty for the program's own
	Calls []string
	// Only are the conditions beside the architecture that narrow the rule, in
	// the form "name=value", sorted. Conditions that only leave out services
	// (auid at least 500 or 1000, auid set) do not narrow what people do and
	// are not here.
	Only []string
	Line int
}

// ReadAuditRules reads one rule file.
func ReadAuditRules(b []byte) AuditRules {
	var a AuditRules
	for n, s := range lines(b, "#", false) {
		f := fields(s)
		switch {
		case f[0] == "-D":
			a.Watches, a.Syscalls = nil, nil
		case f[0] == "-e" && len(f) > 1:
			a.Mode, a.ModeAt = f[1], n
		case f[0] == "-f" && len(f) > 1:
			a.Failure = f[1]
		case f[0] == "-w" && len(f) > 1:
			w := AuditWatch{Path: trimSlash(f[1]), Perms: "rwxa", Line: n}
			for i, opt := range f {
				if opt == "-p" && i+1 < len(f) {
					w.Perms = perms(f[i+1])
				}
			}
			a.Watches = append(a.Watches, w)
		case f[0] == "-a" && len(f) > 1:
			a.rule(f, n)
		}
	}
	return a
}

func trimSlash(p string) string {
	if len(p) > 1 {
		return strings.TrimRight(p, "/")
	}
	return p
}

// perms orders permission letters, each once.
func perms(s string) string {
	out := ""
	for _, c := range "rwxa" {
		if strings.ContainsRune(s, c) {
			out += string(c)
		}
	}
	return out
}

// rule reads "-a always,exit …". Rules that do not always record are none.
func (a *AuditRules) rule(f []string, line int) {
	list := strings.Split(f[1], ",")
	if !slices.Contains(list, "always") || !slices.Contains(list, "exit") {
		return
	}
	call := AuditSyscall{Line: line}
	watch := AuditWatch{Line: line}
	for i := 2; i+1 < len(f); i++ {
		switch f[i] {
		case "-S":
			i++
			call.Calls = append(call.Calls, strings.SplitN(f[i], ",", maxWords)...)
		case "-F", "-C":
			i++
			k, op, v := condition(f[i])
			switch {
			case k == "arch" && op == "=":
				call.Arch = strings.ToLower(v)
			case (k == "path" || k == "dir") && op == "=":
				watch.Path = trimSlash(v)
				call.Only = append(call.Only, k+op+v)
			case k == "perm" && op == "=":
				watch.Perms = perms(v)
				call.Only = append(call.Only, k+op+watch.Perms)
			case k == "key" || people(k, op, v):
			default:
				call.Only = append(call.Only, k+op+v)
			}
		}
	}
	slices.Sort(call.Only)
	if watch.Path != "" {
		if watch.Perms == "" {
			watch.Perms = "rwxa"
		}
		if len(call.Only) <= 2 && (len(call.Calls) == 0 || slices.Contains(call.Calls, "all")) {
			a.Watches = append(a.Watches, watch)
			return
		}
	}
	a.Syscalls = append(a.Syscalls, call)
}

// condition splits "a0&=1" into name, operator and value.
func condition(s string) (name, op, value string) {
	i := strings.IndexAny(s, "=!<>&")
	if i < 0 {
		return s, "", ""
	}
	end := i + 1
	if end < len(s) && s[end] == '=' {
		end++
	}
	return s[:i], s[i:end], s[end:]
}

// people reports whether a condition only leaves out services and daemons.
func people(name, op, value string) bool {
	if name != "auid" {
		return false
	}
	switch value {
	case "unset", "-1", "4294967295":
		return op == "!="
	case "500", "1000":
		return op == ">="
	}
	return false
}
