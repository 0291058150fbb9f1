package collect

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/picketsec/picket/internal/inventory"
)

// settingFiles are files of every program whose configuration is collected.
func settingFiles() []string {
	return []string{"etc/sysctl.d/a.conf", "etc/ufw/ufw.conf", "etc/default/ufw", "etc/default/grub", "boot/grub/grub.cfg", "etc/selinux/config", "etc/modprobe.d/a.conf",
		"etc/fstab", "etc/crypttab", "etc/passwd", "etc/group", "etc/shadow", "etc/shells", "etc/login.defs", "etc/default/useradd", "etc/pam.d/login", "etc/pam.d/passwd",
		"etc/security/pwquality.conf", "etc/security/faillock.conf", "etc/sudoers", "etc/sudoers.d/a", "etc/profile", "etc/security/limits.conf", "etc/ssh/sshd_config",
		"etc/audit/auditd.conf", "etc/audit/rules.d/a.rules", "etc/systemd/journald.conf", "etc/rsyslog.conf", "etc/nftables.conf", "etc/iptables/rules.v4",
		"etc/firewalld/firewalld.conf", "etc/apt/apt.conf", "etc/apt/sources.list", "etc/apt/sources.list.d/a.sources", "etc/dnf/dnf.conf", "etc/yum.repos.d/a.repo",
		"etc/issue", "etc/systemd/coredump.conf", "etc/chrony.conf", "etc/crypto-policies/config", "etc/crypto-policies/back-ends/opensshserver.config", "etc/ssh/ssh_config",
		"etc/chromium/policies/managed/a.json", "etc/firefox/policies/policies.json", "etc/nginx/nginx.conf", "etc/apache2/apache2.conf", "etc/php/8.2/fpm/php.ini",
		"etc/postgresql/15/main/postgresql.conf", "etc/postgresql/15/main/pg_hba.conf", "etc/my.cnf", "etc/redis.conf", "etc/docker/daemon.json", "etc/postfix/main.cf",
		"etc/exim4/update-exim4.conf.conf", "etc/samba/smb.conf", "etc/exports", "etc/snmp/snmpd.conf", "etc/vsftpd.conf",
		"proc/1/mounts", "proc/swaps", "proc/cmdline", "proc/modules", "proc/filesystems", "sys/kernel/security/apparmor/profiles"}
}

// settingTree is a root on which every program is installed and enabled, with
// one text in every file.
func settingTree(text string) fstest.MapFS {
	m := fstest.MapFS{}
	file := func(name, data string) {
		m[name] = &fstest.MapFile{Data: []byte(data), Mode: 0o644, ModTime: testNow, Sys: owned(0, 0)}
	}
	for _, f := range settingFiles() {
		file(f, text)
	}
	for _, f := range []string{"usr/sbin/sshd", "usr/bin/ssh", "usr/bin/chromium", "usr/lib/firefox/firefox", "usr/sbin/nginx", "usr/sbin/apache2", "usr/sbin/mysqld", "usr/bin/redis-server",
		"usr/bin/dockerd", "usr/sbin/postfix", "usr/sbin/exim4", "usr/sbin/smbd", "usr/sbin/snmpd", "usr/sbin/vsftpd", "usr/lib/systemd/systemd", "usr/lib/systemd/systemd-journald",
		"usr/lib/systemd/systemd-coredump", "etc/systemd/system/multi-user.target.wants/nftables.service", "etc/systemd/system/multi-user.target.wants/firewalld.service",
		"etc/systemd/system/multi-user.target.wants/netfilter-persistent.service"} {
		file(f, "")
	}
	file("sys/module/apparmor/parameters/enabled", "Y")
	return m
}

// wholeSettings runs the collectors of settings and checks what each promises.
func wholeSettings(t *testing.T, h Host) {
	t.Helper()
	for _, n := range inventory.SettingSections {
		s := Run(t.Context(), collector(t, All(), n), h, DefaultLimits())
		if strings.Contains(s.Reason, "internal error") {
			t.Fatalf("%s: %s", n, s.Reason)
		}
		safe(t, n, s.Reason, 2000)
		values, bad := inventory.Decode[inventory.Setting](s)
		if len(bad) > 0 {
			t.Fatalf("%s: %v are no settings", n, bad)
		}
		for i, v := range values {
			safe(t, n, s.Items[i].Key, maxName+maxPath)
			safe(t, n, v.Value, maxWord)
			safe(t, n, v.Source, maxPath)
			safe(t, n, v.Unread, 1000)
			if len(v.List) > maxList {
				t.Errorf("%s: %s has %d values", n, s.Items[i].Key, len(v.List))
			}
			for _, e := range v.List {
				safe(t, n, e, maxWord)
			}
			if v.Unread != "" && (v.Value != "" || len(v.List) > 0) {
				t.Errorf("%s: %s is unread and has a value", n, s.Items[i].Key)
			}
		}
	}
}

// TestSettingsPoison puts every poison into every file.
func TestSettingsPoison(t *testing.T) {
	for i, p := range poisons() {
		line := strings.ReplaceAll(p, "\n", " ")
		for k, text := range []string{p, strings.Repeat(line+" = "+line+"\n", 20), strings.Repeat("a:"+line+":0:0:"+line+":/"+line+":/bin/sh\n", 20), `{"` + "A" + `":` + fmt.Sprintf("%q", line) + `}`} {
			if wholeSettings(t, Host{FS: settingTree(text), Now: testNow, Live: (i+k)%2 == 0}); t.Failed() {
				t.Fatalf("poison %d", i)
			}
		}
	}
}

// FuzzSettings puts a text into every file.
func FuzzSettings(f *testing.F) {
	for _, s := range []string{"Include /etc/ssh/*\nMatch all\n", "root:$6$x:0:0:r:/root:/bin/sh\n", "@include login\nauth include passwd\npassword requisite pam_pwquality.so minlen=9\n",
		"#includedir /etc/sudoers.d\nDefaults !x\n", "/dev/x / ext4 rw 0 0\nUUID=1 none swap sw 0 0\n", "table inet f { chain i { type filter hook input priority 0; policy drop; } }\ninclude \"/etc/*\"\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, live := range []bool{false, true} {
			wholeSettings(t, Host{FS: settingTree(string(b)), Now: testNow, Live: live})
		}
	})
}

// TestSettingsUnreadable takes the right to read away from each file in turn:
// its section says so, and no setting that the file decides is told.
func TestSettingsUnreadable(t *testing.T) {
	for _, tt := range []struct {
		file    string
		section inventory.SectionName
		gone    []string // patterns of settings that must not be there
	}{
		{"etc/shadow", inventory.Accounts, []string{"password:", "age:", "root:password", "compat"}},
		{"etc/passwd", inventory.Accounts, []string{"uid:", "home:", "password:", "group:missing", "system:"}},
		{"etc/ssh/sshd_config", inventory.SSHD, []string{""}},
		{"etc/sudoers", inventory.Auth, []string{"sudo"}},
		{"etc/sudoers.d/a", inventory.Auth, []string{"sudo"}},
		{"etc/pam.d/login", inventory.Auth, []string{"pam:login"}},
		{"etc/login.defs", inventory.Auth, []string{"login.defs:"}},
		{"etc/security/limits.conf", inventory.Auth, []string{"limits:"}},
		{"etc/profile", inventory.Auth, []string{"shell:"}},
		{"etc/audit/rules.d/a.rules", inventory.Audit, []string{"watch:", "syscall:", "rules:"}},
		{"etc/audit/auditd.conf", inventory.Audit, []string{"auditd:"}},
		{"etc/fstab", inventory.Mounts, []string{""}},
		{"etc/apt/apt.conf", inventory.System, []string{"apt:apt", "apt:acquire"}},
		{"etc/apt/sources.list", inventory.System, []string{"apt:trusted", "apt:security"}},
		{"etc/default/ufw", inventory.Firewall, []string{""}},
		{"etc/modprobe.d/a.conf", inventory.Boot, []string{"module:"}},
		{"etc/nginx/nginx.conf", inventory.Apps, []string{"nginx"}},
		{"etc/docker/daemon.json", inventory.Apps, []string{"docker"}},
	} {
		m := settingTree("ENABLED=yes\n")
		m["etc/ufw/ufw.conf"].Data = []byte("ENABLED=yes\n")
		m["etc/sudoers"].Data = []byte("#includedir /etc/sudoers.d\n")
		m["etc/ssh/sshd_config"].Data = nil
		h := Host{FS: locked{m, tt.file}, Now: testNow}
		s := Run(t.Context(), collector(t, All(), tt.section), h, DefaultLimits())
		if s.Status != inventory.Partial || !strings.Contains(s.Reason, "/"+tt.file+" cannot be read (permission denied): run the agent as root") {
			t.Errorf("%s: %s %q", tt.file, s.Status, s.Reason)
		}
		for _, it := range s.Items {
			if slices.ContainsFunc(tt.gone, func(p string) bool { return strings.HasPrefix(it.Key, p) }) {
				t.Errorf("%s cannot be read, and %s is %s", tt.file, it.Key, it.Value)
			}
		}
	}
}

// locked is a file system with one file that may not be opened.
type locked struct {
	fstest.MapFS
	name string
}

func (l locked) Open(name string) (fs.File, error) {
	if name == l.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return l.MapFS.Open(name)
}

// TestSettingsBudget proves that one section reads a bounded amount.
func TestSettingsBudget(t *testing.T) {
	m := fstest.MapFS{}
	for i := range 20 {
		m[fmt.Sprintf("etc/sysctl.d/%02d.conf", i)] = &fstest.MapFile{Data: []byte("kernel.kptr_restrict = 2\n" + strings.Repeat("#\n", 400_000))}
	}
	s := Run(t.Context(), collector(t, All(), inventory.Sysctl), Host{FS: m, Now: testNow}, DefaultLimits())
	if s.Status != inventory.Partial || !strings.Contains(s.Reason, errTooLarge.Error()) || len(s.Items) != 0 {
		t.Errorf("%s %q, %d settings", s.Status, s.Reason, len(s.Items))
	}
}

// TestSettingsCaps proves that of many offenders the number is told, and that
// half of a list is never shown as the whole.
func TestSettingsCaps(t *testing.T) {
	var passwd, audit strings.Builder
	for i := range 300 {
		fmt.Fprintf(&passwd, "u%d:x:0:0::/root:/bin/sh\n", i)
	}
	fmt.Fprintf(&audit, "AllowUsers %s\n", strings.Repeat("u ", 200))
	h := Host{FS: fstest.MapFS{"etc/passwd": {Data: []byte(passwd.String())}, "etc/ssh/sshd_config": {Data: []byte(audit.String())}}, Now: testNow}
	s := Run(t.Context(), collector(t, All(), inventory.Accounts), h, DefaultLimits())
	for i, v := range decode[inventory.Setting](t, s) {
		if s.Items[i].Key == "uid:0" && (v.Value != "300" || len(v.List) != maxList) {
			t.Errorf("uid:0: %s, %d names", v.Value, len(v.List))
		}
	}
	s = Run(t.Context(), collector(t, All(), inventory.SSHD), h, DefaultLimits())
	for i, v := range decode[inventory.Setting](t, s) {
		if s.Items[i].Key == "allowusers" && (v.Unread == "" || len(v.List) != 0) {
			t.Errorf("allowusers: %+v", v)
		}
	}
}
