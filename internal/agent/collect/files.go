package collect

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

// filePaths are the files and directories whose mode and owners are collected.
func filePaths() []string {
	return strings.Fields(`/etc/passwd /etc/passwd- /etc/group /etc/group- /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow- /etc/shells /etc/security/opasswd
		/etc/ssh/sshd_config /etc/sudoers /etc/crontab /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /etc/cron.d /etc/cron.allow /etc/at.allow
		/etc/issue /etc/issue.net /etc/motd /etc/hosts.equiv /etc/shosts.equiv /boot/grub/grub.cfg /boot/grub2/grub.cfg /etc/audit/auditd.conf /var/log/audit /var/log
		/tmp /var/tmp /root /run/docker.sock /etc/ld.so.preload`)
}

// fileGlobs are directories of which every file that matches is collected.
func fileGlobs() []string {
	return []string{"/etc/ssh/ssh_host_*_key", "/etc/ssh/ssh_host_*_key.pub", "/etc/sudoers.d/*", "/etc/audit/rules.d/*.rules", "/var/log/audit/audit.log*", "/etc/ssl/private/*.key"}
}

func filesWatch() []string {
	return []string{"etc/passwd", "etc/shadow", "etc/gshadow", "etc/group", "etc/crontab", "etc/cron.allow", "etc/cron.d", "etc/sudoers.d", "etc/ssh"}
}

// maxGlobbed bounds the files that one pattern stands for.
const maxGlobbed = 300

// collectFiles reads mode, owner and group of a fixed list of files, as
// "0640 root shadow". The mode's first digit holds set-uid, set-gid and sticky.
func collectFiles(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Files, h, l)
	if no != nil {
		return no
	}
	o, err := s.owners()
	if err != nil {
		return s.done(ctx)
	}
	for _, p := range filePaths() {
		s.file(o, p)
	}
	for _, g := range fileGlobs() {
		list, err := s.glob(g)
		if err != nil {
			continue
		}
		if len(list) > maxGlobbed {
			s.problem("%s stands for %d files: the first %d were looked at", g, len(list), maxGlobbed)
			list = list[:maxGlobbed]
		}
		for _, p := range list {
			s.file(o, p)
		}
	}
	return s.done(ctx)
}

// owners names numbers of users and groups.
type ownerNames struct{ users, groups map[int]string }

func (s *settings) owners() (ownerNames, error) {
	o := ownerNames{map[int]string{0: "root"}, map[int]string{0: "root"}}
	passwd, err := s.config("etc/passwd")
	if err != nil {
		return o, err
	}
	group, err := s.config("etc/group")
	if err != nil {
		return o, err
	}
	users, _, _ := conf.Users(passwd)
	for _, u := range users {
		if _, ok := o.users[u.UID]; !ok {
			o.users[u.UID] = u.Name
		}
	}
	groups, _, _ := conf.Groups(group)
	for _, g := range groups {
		if _, ok := o.groups[g.GID]; !ok {
			o.groups[g.GID] = g.Name
		}
	}
	return o, nil
}

// file puts one file, when it is there. A link is followed inside the root.
func (s *settings) file(o ownerNames, name string) {
	at, err := s.h.resolve(strings.TrimPrefix(name, "/"))
	if isNotExist(err) {
		return
	}
	if err != nil {
		s.unread(name, "it cannot be looked at ("+short(err)+")"+mend(err))
		return
	}
	info, err := lstat(s.h, at)
	if err != nil {
		if !isNotExist(err) {
			s.unread(name, "it cannot be looked at ("+short(err)+")"+mend(err))
		}
		return
	}
	uid, gid, ok := fileOwner(info)
	if !ok {
		s.unread(name, "the file system does not tell who owns it")
		return
	}
	s.set(name, fmt.Sprintf("%04o %s %s", unixMode(info.Mode()), nameOf(o.users, uid), nameOf(o.groups, gid)), path.Clean("/"+at))
}

// nameOf gives a number's name where it has one that is a single word.
func nameOf(names map[int]string, id uint32) string {
	if n := names[int(id)]; n != "" && !strings.ContainsAny(n, " \t") {
		return clean(n, 64)
	}
	return strconv.FormatUint(uint64(id), 10)
}

// unixMode is the mode in the octal digits of chmod(1).
func unixMode(m fs.FileMode) uint32 {
	out := uint32(m.Perm())
	for _, b := range []struct {
		mode fs.FileMode
		unix uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&b.mode != 0 {
			out |= b.unix
		}
	}
	return out
}
