package sense

import (
	"path"
	"strings"
)

// watchedProgram is a group of programs whose changes of files are told wherever
// they are.
type watchedProgram struct {
	what  string
	names []string // of images, or of the script that an interpreter runs; patterns
	below bool     // what they start, too, and what that starts
}

// watchedPrograms are talked to by strangers, or bring what strangers offer. What
// a server starts is watched with it: an interpreter, a shell, what these start.
// The server of ssh is none of them: what people do who log on is theirs.
var watchedPrograms = []watchedProgram{
	{what: "web servers", below: true, names: []string{"nginx", "apache2", "httpd", "lighttpd", "caddy", "php-fpm*", "php-cgi*", "uwsgi*", "gunicorn*", "uvicorn", "puma", "unicorn*", "passenger*", "catalina.sh"}},
	{what: "database servers", below: true, names: []string{"mysqld", "mariadbd", "postgres", "mongod", "redis-server", "valkey-server", "memcached", "clickhouse*", "influxd"}},
	{what: "mail, file and name servers", below: true, names: []string{"exim4", "exim", "master", "smtpd", "dovecot", "imap*", "vsftpd", "proftpd", "pure-ftpd", "smbd", "named", "dnsmasq", "squid", "haproxy", "slapd", "snmpd"}},
	{what: "programs that fetch", names: []string{"curl", "wget", "wget2", "aria2c", "scp", "sftp", "sftp-server", "rsync", "ftp", "lftp", "tftp", "nc", "nc.*", "ncat", "socat"}},
}

// dailyBread are places that servers write to all the time: of these only what
// can be executed is told.
var dailyBread = []string{"/var/log", "/var/cache", "/var/spool", "/var/backups", "/var/lib/mysql", "/var/lib/postgresql", "/var/lib/pgsql", "/var/lib/mongodb",
	"/var/lib/redis", "/var/lib/clickhouse", "/var/lib/influxdb", "/var/lib/php/sessions", "/var/lib/nginx", "/var/lib/samba", "/var/lib/dovecot", "/var/lib/squid", "/var/mail", "/run", "/dev/shm"}

// watching is what a program's changes of files are to the agent.
type watching uint8

const (
	notWatched    watching = iota
	watchedItself          // what it does
	watchedBelow           // and what those do that it starts
)

// interpreters run programs that have names of their own.
var interpreters = []string{"sh", "bash", "dash", "python*", "perl*", "ruby*", "node", "php*"}

// programWatched says whether the program that a process runs is watched.
func programWatched(p *process) watching {
	names := []string{path.Base(p.path)}
	if _, rest, ok := strings.Cut(p.args, " "); ok && matches(interpreters, names[0]) {
		script, _, _ := strings.Cut(rest, " ")
		names = append(names, path.Base(script))
	}
	for i := range watchedPrograms {
		g := &watchedPrograms[i]
		for _, name := range names {
			switch {
			case !matches(g.names, name):
			case g.below:
				return watchedBelow
			default:
				return watchedItself
			}
		}
	}
	return notWatched
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if ok, err := path.Match(p, name); ok && err == nil {
			return true
		}
	}
	return false
}

// daily says whether a file lies where servers write all the time.
func daily(file string) bool {
	for _, dir := range dailyBread {
		if strings.HasPrefix(file, dir+"/") {
			return true
		}
	}
	return false
}

// disks are the directories on which each file system of its own lies, of a kind
// that finds its files again by their handles, as /proc/self/mountinfo has them.
func disks(mountinfo string) []string {
	best := map[string]string{} // by device
	var order []string
	for _, f := range fieldsOf(mountinfo) {
		i := 6
		for i < len(f) && f[i] != "-" {
			i++
		}
		if i+1 >= len(f) || !diskTypes[f[i+1]] {
			continue
		}
		device, root, at := f[2], f[3], unescaped(f[4])
		if _, known := best[device]; !known {
			order = append(order, device)
		} else if root != "/" {
			continue
		}
		best[device] = at
	}
	var out []string
	for _, device := range order {
		out = append(out, best[device])
	}
	return out[:min(len(out), maxDisks)]
}

// maxDisks is how many file systems are watched.
const maxDisks = 64

var diskTypes = map[string]bool{"ext2": true, "ext3": true, "ext4": true, "xfs": true, "btrfs": true, "f2fs": true, "tmpfs": true}
