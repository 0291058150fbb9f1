package collect

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
)

// gathered puts every value that directives have anywhere in a configuration,
// as lists; words in lower case, each once.
func (s *settings) gathered(prefix string, files []conf.Included, keys ...string) {
	for _, key := range keys {
		var values []string
		source := ""
		for _, f := range files {
			for _, e := range f.Entries {
				if !strings.EqualFold(e.Key, key) {
					continue
				}
				source = at(f.File, e.Line)
				for _, w := range strings.Fields(strings.ToLower(e.Value)) {
					if !slices.Contains(values, w) {
						values = append(values, w)
					}
				}
			}
		}
		if source != "" {
			s.list(prefix+strings.ToLower(key), values, source)
		}
	}
}

func (s *settings) nginx() {
	bin := s.first("usr/sbin/nginx")
	if bin == "" || !s.h.exists("etc/nginx/nginx.conf") {
		return
	}
	files, err := conf.Follow("/etc/nginx/nginx.conf", "/etc/nginx", conf.Nginx, []string{"include"}, s.must, s.glob)
	if err != nil {
		s.problem("the configuration of nginx was not read in full: %s", err)
		return
	}
	s.set("nginx", "present", "/"+bin)
	s.gathered("nginx:", files, "server_tokens", "ssl_protocols", "autoindex")
}

func (s *settings) apache() {
	main, base := s.first("etc/apache2/apache2.conf", "etc/httpd/conf/httpd.conf"), ""
	bin := s.first("usr/sbin/apache2", "usr/sbin/httpd")
	if main == "" || bin == "" {
		return
	}
	if base = "/etc/apache2"; strings.HasPrefix(main, "etc/httpd") {
		base = "/etc/httpd"
	}
	files, err := conf.Follow("/"+main, base, conf.Apache, []string{"include", "includeoptional"}, s.must, s.glob)
	if err != nil {
		s.problem("the configuration of Apache was not read in full: %s", err)
		return
	}
	s.set("apache", "present", "/"+bin)
	s.gathered("apache:", files, "ServerTokens", "ServerSignature", "TraceEnable", "SSLProtocol")
	var indexes []string
	for _, f := range files {
		for _, e := range f.Entries {
			for _, w := range strings.Fields(strings.ToLower(e.Value)) {
				if strings.EqualFold(e.Key, "Options") && (w == "indexes" || w == "+indexes" || w == "all") {
					indexes = append(indexes, at(f.File, e.Line))
				}
			}
		}
	}
	s.offenders("apache:indexes", indexes, "/"+main)
}

// php puts the settings of PHP as web servers run it, the weakest of several.
func (s *settings) php() {
	var files []string
	versions, _ := s.h.readDir("etc/php")
	for _, v := range versions {
		for _, sapi := range []string{"apache2", "fpm", "cgi"} {
			files = append(files, path.Join("etc/php", v.Name(), sapi, "php.ini"))
		}
	}
	files = append(files, "etc/php.ini")
	for _, f := range files[:min(len(files), 50)] {
		b, err := s.config(f)
		if err != nil || b == nil {
			continue
		}
		s.set("php", "present", "/"+f)
		list := conf.INI(b)
		for _, o := range []struct{ key, def string }{{"expose_php", "1"}, {"display_errors", "1"}, {"allow_url_include", "0"}} {
			name := "php:/" + f + ":" + o.key
			e, ok := conf.Last(list, "PHP", o.key)
			if ok {
				s.set(name, truth(e.Value), at(f, e.Line))
			} else {
				s.set(name, truth(o.def), fromDefault)
			}
		}
	}
}

// postgres puts the settings of each cluster as "postgresql:CLUSTER:NAME".
func (s *settings) postgres() {
	var dirs []string
	versions, _ := s.h.readDir("etc/postgresql")
	for _, v := range versions {
		clusters, _ := s.h.readDir(path.Join("etc/postgresql", v.Name()))
		for _, c := range clusters {
			dirs = append(dirs, path.Join("etc/postgresql", v.Name(), c.Name()))
		}
	}
	dirs = append(dirs, "var/lib/pgsql/data")
	for _, dir := range dirs[:min(len(dirs), 50)] {
		if s.h.exists(path.Join(dir, "postgresql.conf")) {
			s.cluster(dir)
		}
	}
}

func (s *settings) cluster(dir string) {
	main := path.Join(dir, "postgresql.conf")
	more, err := s.dropIns(".conf", path.Join(dir, "conf.d"))
	if err != nil {
		return
	}
	values, from := map[string]string{}, map[string]string{}
	for _, f := range append([]string{main}, more...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.Postgres(b) {
			values[e.Key], from[e.Key] = e.Value, at(f, e.Line)
		}
	}
	hba, err := s.config(path.Join(dir, "pg_hba.conf"))
	if err != nil {
		return
	}
	s.set("postgresql", "present", "/"+main)
	prefix := "postgresql:/" + dir + ":"
	for _, o := range []struct{ key, def string }{{"listen_addresses", "localhost"}, {"ssl", "off"}, {"password_encryption", hashOf(dir)}, {"log_connections", "off"}, {"log_disconnections", "off"}} {
		v, source := values[o.key], from[o.key]
		if source == "" {
			v, source = o.def, fromDefault
		}
		if o.key == "listen_addresses" && strings.Contains(v, "*") {
			v = "all"
		}
		s.set(prefix+o.key, truthOnOff(v), source)
	}
	var trust, weak []string
	for _, r := range conf.PostgresHBA(hba) {
		who := strings.TrimSpace(r.Type+" "+r.Who+" "+r.Address) + " at " + at(path.Join(dir, "pg_hba.conf"), r.Line)
		switch r.Method {
		case "trust":
			trust = append(trust, who)
		case "password", "md5", "ident":
			if r.Type != "local" {
				weak = append(weak, r.Method+": "+who)
			}
		}
	}
	s.offenders(prefix+"trust", trust, "/"+path.Join(dir, "pg_hba.conf"))
	s.offenders(prefix+"weak", weak, "/"+path.Join(dir, "pg_hba.conf"))
}

// hashOf is the default for passwords of the release that a directory of
// Debian's layout ("etc/postgresql/15/main") names: SCRAM since release 14.
func hashOf(dir string) string {
	major, err := strconv.Atoi(path.Base(path.Dir(dir)))
	if err == nil && major < 14 {
		return "md5"
	}
	return "scram-sha-256"
}

// truthOnOff is truth for programs that write on and off among other words.
func truthOnOff(v string) string {
	switch truth(v) {
	case "yes":
		return "on"
	case "no":
		return "off"
	}
	return strings.ToLower(v)
}

// mysql puts the settings of MySQL and MariaDB servers.
func (s *settings) mysql() {
	bin := s.first("usr/sbin/mariadbd", "usr/sbin/mysqld", "usr/libexec/mariadbd", "usr/libexec/mysqld")
	if bin == "" {
		return
	}
	files := []string{"etc/my.cnf", "etc/mysql/my.cnf"}
	for _, d := range []string{"etc/my.cnf.d", "etc/mysql/conf.d", "etc/mysql/mysql.conf.d", "etc/mysql/mariadb.conf.d"} {
		more, err := s.dropIns(".cnf", d)
		if err != nil {
			return
		}
		files = append(files, more...)
	}
	values, from := map[string]string{}, map[string]string{}
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.INI(b) {
			switch section := strings.ToLower(e.Section); {
			case section == "mysqld", section == "server", section == "mariadb", section == "mariadbd", strings.HasPrefix(section, "mariadb-"), strings.HasPrefix(section, "mysqld-"):
				k := strings.ReplaceAll(strings.ToLower(e.Key), "_", "-")
				values[k], from[k] = e.Value, at(f, e.Line)
			}
		}
	}
	s.set("mysql", "present", "/"+bin)
	for _, o := range []struct{ key, def string }{{"bind-address", "*"}, {"local-infile", "on"}, {"skip-networking", "off"}} {
		v, ok := values[o.key]
		switch {
		case ok && v == "" && o.def == "off":
			s.set("mysql:"+o.key, "on", from[o.key])
		case ok:
			s.set("mysql:"+o.key, truthOnOff(v), from[o.key])
		default:
			s.set("mysql:"+o.key, o.def, fromDefault)
		}
	}
}

// redis puts where Redis listens and whether it asks for a password, never
// the password.
func (s *settings) redis() {
	bin := s.first("usr/bin/redis-server")
	if bin == "" {
		return
	}
	file := s.first("etc/redis/redis.conf", "etc/redis.conf")
	b, err := s.config(file)
	if err != nil || file == "" {
		return
	}
	s.set("redis", "present", "/"+bin)
	bind, protected, password := []string{"*"}, "yes", "no"
	bindAt, protectedAt, passwordAt := fromDefault, fromDefault, fromDefault
	for _, e := range conf.Words(b) {
		switch strings.ToLower(e.Key) {
		case "bind":
			bind, bindAt = strings.Fields(e.Value), at(file, e.Line)
		case "protected-mode":
			protected, protectedAt = strings.ToLower(e.Value), at(file, e.Line)
		case "requirepass", "aclfile":
			password, passwordAt = "yes", at(file, e.Line)
		}
	}
	s.list("redis:bind", bind, bindAt)
	s.set("redis:protected-mode", protected, protectedAt)
	s.set("redis:password", password, passwordAt)
}

// mail puts the interfaces on which a mail server listens.
func (s *settings) mail() {
	if bin := s.first("usr/sbin/postfix"); bin != "" {
		b, err := s.config("etc/postfix/main.cf")
		if err != nil {
			return
		}
		value, source := "all", fromDefault
		if e, ok := conf.Last(conf.Assignments(b), "", "inet_interfaces"); ok {
			value, source = e.Value, at("etc/postfix/main.cf", e.Line)
		}
		s.mailListens("postfix", value, source)
	}
	if bin := s.first("usr/sbin/exim4"); bin != "" {
		b, err := s.config("etc/exim4/update-exim4.conf.conf")
		if err != nil {
			return
		}
		e, ok := conf.Last(conf.Shell(b), "", "dc_local_interfaces")
		value, source := "all", fromDefault
		if ok && e.Value != "" {
			value, source = strings.ReplaceAll(e.Value, ";", " "), at("etc/exim4/update-exim4.conf.conf", e.Line)
		}
		s.mailListens("exim", value, source)
	}
}

func (s *settings) mailListens(name, value, source string) {
	list := strings.FieldsFunc(strings.ToLower(value), func(c rune) bool { return c == ' ' || c == ',' || c == '\t' })
	s.list("mail:"+name, list, source)
}

// samba puts what a Samba server lets strangers do.
func (s *settings) samba() {
	bin := s.first("usr/sbin/smbd")
	b, err := s.config("etc/samba/smb.conf")
	if bin == "" || err != nil || b == nil {
		return
	}
	s.set("samba", "present", "/"+bin)
	list := conf.INI(b)
	var guests []string
	values := map[string]string{"server min protocol": "smb2_02", "map to guest": "never"}
	from := map[string]string{}
	for _, e := range list {
		key := strings.Join(strings.Fields(strings.ToLower(e.Key)), " ")
		if key == "min protocol" {
			key = "server min protocol"
		}
		if _, ok := values[key]; ok && strings.EqualFold(e.Section, "global") {
			values[key], from[key] = strings.ToLower(e.Value), at("etc/samba/smb.conf", e.Line)
		}
		if (key == "guest ok" || key == "public") && truth(e.Value) == "yes" && !strings.EqualFold(e.Section, "print$") && !strings.EqualFold(e.Section, "printers") {
			guests = append(guests, e.Section+" at "+at("etc/samba/smb.conf", e.Line))
		}
	}
	for k, v := range values {
		source := fromDefault
		if from[k] != "" {
			source = from[k]
		}
		s.set("samba:"+strings.ReplaceAll(k, " ", "-"), v, source)
	}
	s.offenders("samba:guests", guests, "/etc/samba/smb.conf")
}

// exports puts NFS exports that trust too much.
func (s *settings) exports() {
	files, err := s.dropIns(".exports", "etc/exports.d")
	if err != nil || !s.h.exists("etc/exports") {
		return
	}
	var root, world []string
	n := 0
	for _, f := range append([]string{"etc/exports"}, files...) {
		b, err := s.config(f)
		if err != nil {
			return
		}
		for _, e := range conf.Exports(b) {
			n++
			where := e.Path + " " + e.Client + " at " + at(f, e.Line)
			if slices.Contains(e.Options, "no_root_squash") {
				root = append(root, where)
			}
			if e.Client == "" || e.Client == "*" {
				world = append(world, where)
			}
		}
	}
	if n == 0 {
		return
	}
	s.set("nfs", "present", "/etc/exports")
	s.offenders("nfs:root", root, "/etc/exports")
	s.offenders("nfs:world", world, "/etc/exports")
}

// snmp puts whether the SNMP daemon answers to well-known communities. Their
// names are not carried otherwise.
func (s *settings) snmp() {
	bin := s.first("usr/sbin/snmpd")
	b, err := s.config("etc/snmp/snmpd.conf")
	if bin == "" || err != nil || b == nil {
		return
	}
	var known []string
	for _, e := range conf.Words(b) {
		if f := strings.Fields(e.Value); len(f) > 0 && (strings.HasPrefix(e.Key, "rocommunity") || strings.HasPrefix(e.Key, "rwcommunity") || e.Key == "com2sec") {
			for _, w := range f {
				if w == "public" || w == "private" {
					known = append(known, w+" at "+at("etc/snmp/snmpd.conf", e.Line))
				}
			}
		}
	}
	s.set("snmp", "present", "/"+bin)
	s.offenders("snmp:known", known, "/etc/snmp/snmpd.conf")
}

func (s *settings) vsftpd() {
	bin := s.first("usr/sbin/vsftpd")
	file := s.first("etc/vsftpd.conf", "etc/vsftpd/vsftpd.conf")
	if bin == "" || file == "" {
		return
	}
	b, err := s.config(file)
	if err != nil {
		return
	}
	s.set("vsftpd", "present", "/"+bin)
	for _, o := range []struct{ key, def string }{{"anonymous_enable", "yes"}, {"ssl_enable", "no"}} {
		if e, ok := conf.Last(conf.Assignments(b), "", o.key); ok {
			s.set("vsftpd:"+o.key, truth(e.Value), at(file, e.Line))
		} else {
			s.set("vsftpd:"+o.key, o.def, fromDefault)
		}
	}
}
