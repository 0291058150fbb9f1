package collect

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func auditWatch() []string {
	return []string{"etc/audit", "etc/audit/rules.d", "etc/systemd/journald.conf", "etc/systemd/journald.conf.d", "etc/rsyslog.conf", "etc/rsyslog.d", "var/log/journal"}
}

// maxWatched bounds the watches that are carried.
const maxWatched = 2000

// collectAudit reads what the host records of what happens on it: the audit
// daemon's settings, its rules by what they record, the journal and syslog.
func collectAudit(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Audit, h, l)
	if no != nil {
		return no
	}
	s.auditd()
	s.auditRules()
	s.journald()
	s.rsyslog()
	if h.exists("etc/logrotate.conf") {
		s.set("logrotate", "configured", "/etc/logrotate.conf")
	}
	return s.done(ctx)
}

func (s *settings) auditd() {
	b, err := s.config("etc/audit/auditd.conf")
	if err != nil {
		return
	}
	for _, e := range conf.Assignments(b) {
		switch k := strings.ToLower(e.Key); k {
		case "local_events", "write_logs", "log_file", "max_log_file", "max_log_file_action", "space_left_action", "action_mail_acct", "admin_space_left_action",
			"disk_full_action", "disk_error_action":
			s.set("auditd:"+k, strings.ToLower(e.Value), at("etc/audit/auditd.conf", e.Line))
		}
	}
}

// auditRules puts what the rule files record: "watch:PATH" with its
// permissions, "syscall:NAME" with the architectures for which every call by
// people is recorded, "denied:NAME" with the errors that are.
func (s *settings) auditRules() {
	files, err := s.dropIns(".rules", "etc/audit/rules.d")
	if err != nil {
		return
	}
	if len(files) == 0 {
		files = []string{"etc/audit/audit.rules"}
	}
	r := auditSum{watch: map[string]inventory.Setting{}, calls: map[string]inventory.Setting{}}
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		rules := conf.ReadAuditRules(b)
		for _, w := range rules.Watches {
			r.watches(w, at(f, w.Line))
		}
		for _, c := range rules.Syscalls {
			r.syscalls(c, at(f, c.Line))
		}
		if rules.Mode != "" {
			s.set("rules:mode", rules.Mode, at(f, rules.ModeAt))
		}
	}
	if len(r.watch) > maxWatched {
		s.problem("more than %d files are watched by audit rules: none of the watches was kept", maxWatched)
		return
	}
	for path, v := range r.watch {
		s.set("watch:"+clean(path, maxWord), v.Value, v.Source)
	}
	for name, v := range r.calls {
		slices.Sort(v.List)
		s.list(name, v.List, v.Source)
	}
}

// auditSum adds up rules.
type auditSum struct {
	watch map[string]inventory.Setting
	calls map[string]inventory.Setting
}

func (r *auditSum) watches(w conf.AuditWatch, source string) {
	old, ok := r.watch[w.Path]
	if ok {
		source = old.Source
	}
	merged := ""
	for _, c := range "rwxa" {
		if strings.ContainsRune(old.Value+w.Perms, c) {
			merged += string(c)
		}
	}
	if len(r.watch) <= maxWatched {
		r.watch[w.Path] = inventory.Setting{Value: merged, Source: source}
	}
}

// syscalls adds a rule when it records all calls that people make, all of
// them that are denied, or the ones that give somebody else's rights.
func (r *auditSum) syscalls(c conf.AuditSyscall, source string) {
	prefix, suffix := "syscall:", ""
	switch only := strings.Join(c.Only, " "); only {
	case "":
	case "exit=-EACCES", "exit=-EPERM":
		prefix, suffix = "denied:", ":"+strings.TrimPrefix(only, "exit=-")
	case "euid=0 uid!=euid", "uid!=euid":
		prefix = "setuid:"
	default:
		return
	}
	for _, call := range c.Calls {
		if !slices.Contains(auditCalls(), call) {
			continue
		}
		v := r.calls[prefix+call]
		if word := cmp.Or(c.Arch, "native") + suffix; !slices.Contains(v.List, word) {
			v.List = append(v.List, word)
		}
		v.Source = cmp.Or(v.Source, source)
		r.calls[prefix+call] = v
	}
}

// auditCalls are the system calls that checks ask for.
func auditCalls() []string {
	return strings.Fields(`chmod fchmod fchmodat chown fchown fchownat lchown setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr
		unlink unlinkat rename renameat creat open openat truncate ftruncate mount init_module finit_module delete_module adjtimex settimeofday
		sethostname setdomainname execve`)
}

func (s *settings) journald() {
	files, err := s.dropIns(".conf", "etc/systemd/journald.conf.d", "run/systemd/journald.conf.d", "usr/local/lib/systemd/journald.conf.d", "usr/lib/systemd/journald.conf.d")
	if err != nil || !s.h.exists("usr/lib/systemd/systemd-journald") && !s.h.exists("lib/systemd/systemd-journald") {
		return
	}
	value := map[string]inventory.Setting{
		"Storage": {Value: "auto", Source: fromDefault}, "Compress": {Value: "yes", Source: fromDefault},
	}
	for _, f := range append([]string{"etc/systemd/journald.conf"}, files...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.INI(b) {
			if _, ok := value[e.Key]; ok && e.Section == "Journal" {
				value[e.Key] = inventory.Setting{Value: strings.ToLower(e.Value), Source: at(f, e.Line)}
			}
		}
	}
	for k, v := range value {
		s.set("journald:"+strings.ToLower(k), v.Value, v.Source)
	}
	// "auto" keeps the journal on disk exactly when its directory is there.
	kept, from := "no", value["Storage"].Source
	switch value["Storage"].Value {
	case "persistent":
		kept = "yes"
	case "auto":
		from = "/var/log/journal is absent"
		if s.h.exists("var/log/journal") {
			kept, from = "yes", "/var/log/journal"
		}
	}
	s.set("journald:kept", kept, from)
}

// rsyslog puts the mode of new logs, whether logs are sent away and whether
// others' logs are taken in.
func (s *settings) rsyslog() {
	if !s.h.exists("etc/rsyslog.conf") {
		return
	}
	files, err := s.dropIns(".conf", "etc/rsyslog.d")
	if err != nil {
		return
	}
	mode, modeAt := "0644", fromDefault
	var remote, listens []string
	for _, f := range append([]string{"etc/rsyslog.conf"}, files...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		r := conf.Rsyslog(b)
		if r.FileCreateMode.Value != "" {
			mode, modeAt = r.FileCreateMode.Value, at(f, r.FileCreateMode.Line)
		}
		for _, e := range r.Remote {
			remote = append(remote, e.Value+" at "+at(f, e.Line))
		}
		for _, e := range r.Listens {
			listens = append(listens, e.Value+" at "+at(f, e.Line))
		}
	}
	s.set("rsyslog:filecreatemode", mode, modeAt)
	s.offenders("rsyslog:remote", remote, "/etc/rsyslog.conf")
	s.offenders("rsyslog:listens", listens, "/etc/rsyslog.conf")
}
