package collect

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func authWatch() []string {
	return []string{"etc/pam.d", "etc/security", "etc/security/limits.d", "etc/security/pwquality.conf.d", "etc/login.defs", "etc/default/useradd",
		"etc/sudoers", "etc/sudoers.d", "etc/profile", "etc/profile.d", "etc/bash.bashrc", "etc/bashrc"}
}

// collectAuth reads how people prove who they are and what they may become:
// PAM's stacks by service, its modules' settings as in effect, the defaults
// for new accounts, sudo, login shells and limits.
func collectAuth(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Auth, h, l)
	if no != nil {
		return no
	}
	s.loginDefs()
	s.pam()
	s.sudo()
	s.shellRC()
	s.limits()
	return s.done(ctx)
}

// loginDefs puts the defaults for new accounts and passwords.
func (s *settings) loginDefs() {
	b, err := s.config("etc/login.defs")
	if err != nil {
		return
	}
	list := conf.Words(b)
	for _, k := range strings.Fields("PASS_MAX_DAYS PASS_MIN_DAYS PASS_WARN_AGE UMASK HOME_MODE ENCRYPT_METHOD FAIL_DELAY") {
		if e, ok := conf.Last(list, "", k); ok {
			s.set("login.defs:"+k, strings.ToLower(conf.Unquote(e.Value)), at("etc/login.defs", e.Line))
		}
	}
	if b, err = s.config("etc/default/useradd"); err != nil {
		return
	}
	if e, ok := conf.Last(conf.Shell(b), "", "INACTIVE"); ok {
		s.set("useradd:INACTIVE", e.Value, at("etc/default/useradd", e.Line))
	}
}

// pamService is a service whose stack is collected, with the modules in it that
// checks ask for.
type pamService struct {
	name string
	want []string // "type/module"
}

// pamServices are local and remote log-in, becoming another user, and changing
// a password.
func pamServices() []pamService {
	return []pamService{
		{"login", []string{"auth/pam_faildelay", "auth/pam_faillock", "auth/pam_unix", "session/pam_loginuid"}},
		{"sshd", []string{"auth/pam_faillock", "auth/pam_unix", "session/pam_loginuid"}},
		{"su", []string{"auth/pam_wheel"}},
		{"passwd", []string{"password/pam_pwhistory", "password/pam_pwquality", "password/pam_unix"}},
	}
}

// pam puts "pam:SERVICE" for each service that has a file, and
// "pam:SERVICE/TYPE/MODULE" for modules in its stack, includes followed, with
// all their arguments.
func (s *settings) pam() {
	for _, p := range pamServices() {
		service := p.name
		dir := ""
		for _, d := range []string{"etc/pam.d", "usr/lib/pam.d"} {
			if dir == "" && s.h.exists(path.Join(d, service)) {
				dir = d
			}
		}
		if dir == "" {
			continue
		}
		rules, err := conf.PAMStack(service, s.pamFile)
		if err != nil {
			s.problem("the PAM stack of %s was not read in full: %s", service, err)
			continue
		}
		s.set("pam:"+service, strconv.Itoa(len(rules))+" rules", "/"+path.Join(dir, service))
		for _, m := range gatherPAM(rules, p.want) {
			s.both("pam:"+service+"/"+m.Type+"/"+m.Module, m.Control, m.Args, at("etc/pam.d/"+m.File, m.Line))
		}
		if service == "passwd" {
			s.passwordRules(rules)
		}
		if service == "login" {
			s.lockout(rules)
		}
	}
}

// pamFile reads a file of PAM's directories; an included file that is missing
// is an error, as it is for PAM.
func (s *settings) pamFile(name string) ([]byte, error) {
	if strings.Contains(name, "/") {
		return nil, fmt.Errorf("/%s lies outside of PAM's directories", strings.TrimPrefix(name, "/"))
	}
	for _, dir := range []string{"etc/pam.d", "usr/lib/pam.d"} {
		b, err := s.config(path.Join(dir, name))
		if err != nil || b != nil {
			return b, err
		}
	}
	return nil, fmt.Errorf("/etc/pam.d/%s: %w", name, fs.ErrNotExist)
}

// gatherPAM joins the rules of one type and module: the control of the first,
// the arguments of all.
func gatherPAM(rules []conf.PAMRule, want []string) []conf.PAMRule {
	var out []conf.PAMRule
	for _, r := range rules {
		if !slices.Contains(want, r.Type+"/"+r.Module) {
			continue
		}
		i := slices.IndexFunc(out, func(o conf.PAMRule) bool { return o.Type == r.Type && o.Module == r.Module })
		if i < 0 {
			r.Args = slices.Clone(r.Args)
			out = append(out, r)
			continue
		}
		for _, a := range r.Args {
			if !slices.Contains(out[i].Args, a) {
				out[i].Args = append(out[i].Args, a)
			}
		}
	}
	return out
}

// option is a module's setting with its own default; flag says that the
// argument stands alone.
type option struct {
	name, def string
	flag      bool
}

// passwordRules puts the rules for new passwords as in effect.
func (s *settings) passwordRules(rules []conf.PAMRule) {
	files := []string{"etc/security/pwquality.conf"}
	more, err := s.dropIns(".conf", "etc/security/pwquality.conf.d")
	if err == nil {
		s.moduleOptions("pwquality:", "pam_pwquality", "password", rules, append(more, files...), []option{
			{"minlen", "8", false}, {"difok", "1", false}, {"maxrepeat", "0", false}, {"maxsequence", "0", false}, {"dictcheck", "1", false},
			{"enforcing", "1", false}, {"enforce_for_root", "no", true},
		})
	}
	s.moduleOptions("pwhistory:", "pam_pwhistory", "password", rules, []string{"etc/security/pwhistory.conf"}, []option{
		{"remember", "10", false}, {"enforce_for_root", "no", true}, {"use_authtok", "no", true},
	})
}

// lockout puts what happens after failed log-ins.
func (s *settings) lockout(rules []conf.PAMRule) {
	s.moduleOptions("faillock:", "pam_faillock", "auth", rules, []string{"etc/security/faillock.conf"}, []option{
		{"deny", "3", false}, {"unlock_time", "600", false}, {"even_deny_root", "no", true}, {"root_unlock_time", "", false},
	})
}

// moduleOptions puts the options of a module when it is in the stack: what its
// arguments say, else its files (the last one wins), else its default.
func (s *settings) moduleOptions(prefix, module, typ string, rules []conf.PAMRule, files []string, options []option) {
	i := slices.IndexFunc(rules, func(r conf.PAMRule) bool { return r.Module == module && r.Type == typ })
	if i < 0 {
		return
	}
	values, from := map[string]string{}, map[string]string{}
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.Assignments(b) {
			values[e.Key], from[e.Key] = e.Value, at(f, e.Line)
		}
	}
	for _, r := range rules {
		if r.Module != module {
			continue
		}
		for _, a := range r.Args {
			k, v, _ := strings.Cut(a, "=")
			values[k], from[k] = v, at("etc/pam.d/"+r.File, r.Line)
		}
	}
	for _, o := range options {
		v, ok := values[o.name]
		switch {
		case ok && o.flag:
			s.set(prefix+o.name, "yes", from[o.name])
		case ok:
			s.set(prefix+o.name, v, from[o.name])
		case o.def != "":
			s.set(prefix+o.name, o.def, fromDefault)
		}
	}
}

// sudo puts what sudoers lets people do, when there is one.
func (s *settings) sudo() {
	if !s.h.exists("etc/sudoers") {
		return
	}
	open := func(name string) ([]byte, error) {
		b, err := s.config(name)
		if b == nil && err == nil {
			err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return b, err
	}
	p, err := conf.Sudoers("/etc/sudoers", open, s.names)
	if err != nil {
		s.problem("sudo's rules were not read in full: %s", err)
		return
	}
	s.set("sudo", strconv.Itoa(len(p.Rules))+" rules", "/etc/sudoers")
	for _, d := range p.Defaults {
		v := d.Value
		switch {
		case d.Off:
			v = "no"
		case v == "":
			v = "yes"
		}
		switch d.Name {
		case "use_pty", "logfile", "timestamp_timeout":
			s.set("sudo:"+d.Name, v, at(d.File, d.Line))
		}
	}
	var nopasswd, noauth, negated, wild []string
	for _, d := range append(slices.Clone(p.Defaults), p.Scoped...) {
		if d.Name == "authenticate" && d.Off {
			noauth = append(noauth, at(d.File, d.Line))
		}
	}
	for _, r := range p.Rules {
		who := r.Who + " at " + at(r.File, r.Line)
		if r.NoPasswd {
			nopasswd = append(nopasswd, who)
		}
		if strings.Contains(r.What, "!/") {
			negated = append(negated, who)
		}
		if r.Who == "ALL" && strings.HasSuffix(strings.TrimSpace(r.What), "ALL") {
			wild = append(wild, who)
		}
	}
	s.offenders("sudo:nopasswd", nopasswd, "/etc/sudoers")
	s.offenders("sudo:noauthenticate", noauth, "/etc/sudoers")
	s.offenders("sudo:negation", negated, "/etc/sudoers")
	s.offenders("sudo:everybody", wild, "/etc/sudoers")
}

// shellRC puts what login shells start with: every umask that any start-up
// file sets, and after how many seconds an idle shell ends.
func (s *settings) shellRC() {
	files, err := s.dropIns(".sh", "etc/profile.d")
	if err != nil {
		return
	}
	files = append([]string{"etc/profile", "etc/bash.bashrc", "etc/bashrc"}, files...)
	var umasks []string
	umaskAt, tmout, tmoutAt, readonly := "", "", "", false
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		rc := conf.ReadShellRC(b)
		for _, u := range rc.Umasks {
			if !slices.Contains(umasks, u.Value) {
				umasks = append(umasks, u.Value)
			}
			umaskAt = at(f, u.Line)
		}
		for _, t := range rc.Tmout {
			tmout, tmoutAt = t.Value, at(f, t.Line)
		}
		readonly = readonly || rc.TmoutReadonly
	}
	if len(umasks) > 0 {
		s.list("shell:umask", umasks, umaskAt)
	}
	if tmout != "" {
		s.set("shell:TMOUT", tmout, tmoutAt)
		s.set("shell:TMOUT:readonly", map[bool]string{true: "yes", false: "no"}[readonly], tmoutAt)
	}
}

// limits puts the hard limits that hold for everybody, as "limits:hard/ITEM".
func (s *settings) limits() {
	files, err := s.dropIns(".conf", "etc/security/limits.d")
	if err != nil {
		return
	}
	for _, f := range append([]string{"etc/security/limits.conf"}, files...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.Limits(b) {
			if e.Domain != "*" || e.Item != "core" && e.Item != "maxlogins" {
				continue
			}
			if e.Type == "hard" || e.Type == "-" {
				s.set("limits:hard/"+e.Item, e.Value, at(f, e.Line))
			}
		}
	}
}
