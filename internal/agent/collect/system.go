package collect

import (
	"context"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func systemWatch() []string {
	return []string{"etc/apt/apt.conf", "etc/apt/apt.conf.d", "etc/apt/sources.list", "etc/apt/sources.list.d", "etc/dnf/dnf.conf", "etc/yum.conf", "etc/yum.repos.d",
		"etc/dnf/automatic.conf", "etc/issue", "etc/issue.net", "etc/motd", "etc/systemd/coredump.conf", "etc/systemd/coredump.conf.d", "etc/crypto-policies",
		"etc/chrony", "etc/chrony.conf", "var/lib/aide"}
}

// collectSystem reads how the host keeps itself up to date, what it shows to
// strangers, what becomes of crashed programs and where its time comes from.
func collectSystem(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.System, h, l)
	if no != nil {
		return no
	}
	s.apt()
	s.aptSources()
	s.dnf()
	s.banners()
	s.coredump()
	s.clock()
	s.cryptoPolicies()
	for _, f := range []string{"var/lib/aide/aide.db", "var/lib/aide/aide.db.gz"} {
		if h.exists(f) {
			s.set("aide:database", "present", "/"+f)
		}
	}
	return s.done(ctx)
}

// aptKeys are the options of apt that are collected, in lower case.
func aptKeys() []string {
	return []string{"apt::periodic::update-package-lists", "apt::periodic::unattended-upgrade", "apt::get::allowunauthenticated", "acquire::allowinsecurerepositories",
		"acquire::allowdowngradetoinsecurerepositories", "acquire::https::verify-peer", "acquire::https::verify-host", "acquire::check-valid-until"}
}

// apt puts apt's options as "apt:NAME" in lower case; the last file wins.
func (s *settings) apt() {
	if !s.h.exists("etc/apt") {
		return
	}
	files, err := s.dropIns("", "etc/apt/apt.conf.d")
	if err != nil {
		return
	}
	values := map[string]inventory.Setting{}
	for _, f := range append(aptParts(files), "etc/apt/apt.conf") {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.AptConf(b) {
			k := strings.ToLower(e.Key)
			switch {
			case k == "#clear":
				delete(values, strings.ToLower(e.Value))
			case slices.Contains(aptKeys(), k):
				values[k] = inventory.Setting{Value: strings.ToLower(e.Value), Source: at(f, e.Line)}
			}
		}
	}
	for k, v := range values {
		s.set("apt:"+k, v.Value, v.Source)
	}
}

// aptParts keeps the files whose names apt reads: without an extension, or
// with ".conf".
func aptParts(files []string) []string {
	return slices.DeleteFunc(files, func(f string) bool {
		name := f[strings.LastIndexByte(f, '/')+1:]
		return strings.Contains(strings.TrimSuffix(name, ".conf"), ".")
	})
}

// aptSources puts the archives that are taken without a signature, and the
// suites that bring security fixes.
func (s *settings) aptSources() {
	if !s.h.exists("etc/apt") {
		return
	}
	lists, err := s.dropIns(".list", "etc/apt/sources.list.d")
	if err != nil {
		return
	}
	paras, err := s.dropIns(".sources", "etc/apt/sources.list.d")
	if err != nil {
		return
	}
	var trusted, security []string
	for _, f := range slices.Concat([]string{"etc/apt/sources.list"}, lists, paras) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		read := conf.AptList
		if strings.HasSuffix(f, ".sources") {
			read = conf.AptDeb822
		}
		for _, src := range read(b) {
			if src.Trusted {
				trusted = append(trusted, src.URI+" "+src.Suite+" at "+at(f, src.Line))
			}
			if suite := strings.Trim(src.Suite, "/"); strings.HasSuffix(suite, "-security") || strings.HasSuffix(suite, "/updates") {
				security = append(security, suite)
			}
		}
	}
	s.offenders("apt:trusted", trusted, "/etc/apt/sources.list")
	s.list("apt:security", sorted(security), "/etc/apt/sources.list")
}

// dnf puts how dnf or yum checks what it installs.
func (s *settings) dnf() {
	main := "etc/dnf/dnf.conf"
	b, err := s.config(main)
	if b == nil && err == nil {
		main = "etc/yum.conf"
		b, err = s.config(main)
	}
	if err != nil || b == nil {
		return
	}
	list := conf.INI(b)
	for _, o := range []struct{ key, def string }{{"gpgcheck", "0"}, {"localpkg_gpgcheck", "0"}, {"sslverify", "1"}} {
		if e, ok := conf.Last(list, "main", o.key); ok {
			s.set("dnf:"+o.key, truth(e.Value), at(main, e.Line))
		} else {
			s.set("dnf:"+o.key, truth(o.def), fromDefault)
		}
	}
	if auto, err := s.config("etc/dnf/automatic.conf"); err == nil {
		if e, ok := conf.Last(conf.INI(auto), "commands", "apply_updates"); ok {
			s.set("dnf-automatic:apply_updates", truth(e.Value), at("etc/dnf/automatic.conf", e.Line))
		}
	}
	s.dnfRepos()
}

// dnfRepos puts the repositories that switch a check off.
func (s *settings) dnfRepos() {
	files, err := s.dropIns(".repo", "etc/yum.repos.d")
	if err != nil {
		return
	}
	var unsigned, unverified []string
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		disabled := map[string]bool{}
		list := conf.INI(b)
		for _, e := range list {
			if e.Key == "enabled" {
				disabled[e.Section] = truth(e.Value) == "no"
			}
		}
		for _, e := range list {
			if disabled[e.Section] || truth(e.Value) != "no" {
				continue
			}
			switch e.Key {
			case "gpgcheck":
				unsigned = append(unsigned, e.Section+" at "+at(f, e.Line))
			case "sslverify":
				unverified = append(unverified, e.Section+" at "+at(f, e.Line))
			}
		}
	}
	s.offenders("dnf:unsigned", unsigned, "/etc/yum.repos.d")
	s.offenders("dnf:unverified", unverified, "/etc/yum.repos.d")
}

// truth gives the ways to say yes and no one word each.
func truth(v string) string {
	switch v = strings.ToLower(strings.TrimSpace(conf.Unquote(v))); v {
	case "1", "yes", "true", "on":
		return "yes"
	case "0", "no", "false", "off":
		return "no"
	}
	return v
}

// banners puts whether a banner is there, and what in it tells strangers about
// the system: escapes for kernel, machine, release and version (getty(8)), and
// the distribution's name.
func (s *settings) banners() {
	name := ""
	if b, err := s.config("etc/os-release"); err != nil {
		return
	} else if e, ok := conf.Last(conf.Shell(b), "", "ID"); ok {
		name = strings.ToLower(e.Value)
	}
	for _, f := range []string{"etc/issue", "etc/issue.net", "etc/motd"} {
		b, err := s.config(f)
		if err != nil || b == nil {
			continue
		}
		text := strings.ToLower(string(b))
		state := "text"
		if strings.TrimSpace(text) == "" {
			state = "empty"
		}
		tells := []string{}
		for _, esc := range []string{`\m`, `\r`, `\s`, `\v`} {
			if strings.Contains(text, esc) {
				tells = append(tells, esc)
			}
		}
		if name != "" && strings.Contains(text, name) {
			tells = append(tells, name)
		}
		s.both("banner:/"+f, state, tells, "/"+f)
	}
}

// coredump puts what systemd-coredump keeps.
func (s *settings) coredump() {
	if !s.h.exists("usr/lib/systemd/systemd-coredump") && !s.h.exists("lib/systemd/systemd-coredump") {
		s.set("coredump:handler", "none", "/usr/lib/systemd/systemd-coredump is absent")
	} else {
		s.set("coredump:handler", "systemd-coredump", "/usr/lib/systemd/systemd-coredump")
	}
	files, err := s.dropIns(".conf", "etc/systemd/coredump.conf.d", "run/systemd/coredump.conf.d", "usr/lib/systemd/coredump.conf.d")
	if err != nil {
		return
	}
	value := map[string]inventory.Setting{"Storage": {Value: "external", Source: fromDefault}, "ProcessSizeMax": {Value: "not set", Source: fromDefault}}
	for _, f := range append([]string{"etc/systemd/coredump.conf"}, files...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.INI(b) {
			if _, ok := value[e.Key]; ok && e.Section == "Coredump" {
				value[e.Key] = inventory.Setting{Value: strings.ToLower(e.Value), Source: at(f, e.Line)}
			}
		}
	}
	for k, v := range value {
		s.set("coredump:"+strings.ToLower(k), v.Value, v.Source)
	}
}

// clock puts where chrony takes the time from.
func (s *settings) clock() {
	main := s.first("etc/chrony/chrony.conf", "etc/chrony.conf")
	if main == "" {
		return
	}
	files := []string{main}
	for _, d := range []struct{ dir, suffix string }{{"etc/chrony/conf.d", ".conf"}, {"etc/chrony/sources.d", ".sources"}} {
		more, err := s.dropIns(d.suffix, d.dir)
		if err != nil {
			return
		}
		files = append(files, more...)
	}
	var servers []string
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.Words(b) {
			if e.Key == "server" || e.Key == "pool" || e.Key == "peer" {
				host, _, _ := strings.Cut(e.Value, " ")
				servers = append(servers, e.Key+" "+host)
			}
		}
	}
	s.list("clock:chrony", servers, "/"+main)
}

// cryptoPolicies puts the system-wide policy of RHEL and its children.
func (s *settings) cryptoPolicies() {
	b, err := s.config("etc/crypto-policies/config")
	if err != nil {
		return
	}
	for _, e := range conf.Words(b) {
		s.set("crypto-policy", strings.ToLower(e.Key), at("etc/crypto-policies/config", e.Line))
	}
}
