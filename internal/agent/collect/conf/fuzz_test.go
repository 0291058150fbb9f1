package conf

import (
	"bytes"
	"errors"
	"testing"
)

// bounded proves that what a parser makes of a text is not larger than its caps.
func bounded(t *testing.T, list []Entry) {
	t.Helper()
	if len(list) > MaxLines {
		t.Fatalf("%d entries", len(list))
	}
	for _, e := range list {
		if e.Line < 0 || e.Line > MaxLines+1 {
			t.Fatalf("line %d", e.Line)
		}
	}
}

func FuzzEntries(f *testing.F) {
	f.Add([]byte("a = 1 # c\n[s]\nKEY value\nexport X=\"y\" \\\n z\n;x\n"))
	f.Add([]byte("\\\n\\\n\\"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, parse := range []func([]byte) []Entry{Assignments, Words, INI, Shell, Postgres, Apache} {
			bounded(t, parse(b))
		}
		Seconds(string(b))
		fields(string(b))
	})
}

func FuzzNginx(f *testing.F) {
	f.Add([]byte("http { server { a 'b;c' \"d\"; } } # e\n"))
	f.Fuzz(func(t *testing.T, b []byte) { Nginx(b) })
}

func FuzzAptConf(f *testing.F) {
	f.Add([]byte("A { B \"1\"; C:: \"2\"; };\n#clear A;\n/* x */ // y\nD::E \"f\";"))
	f.Add([]byte("{{{{}}}};;;\"\n/*"))
	f.Fuzz(func(t *testing.T, b []byte) { bounded(t, AptConf(b)) })
}

func FuzzAptSources(f *testing.F) {
	f.Add([]byte("deb [trusted=yes] http://a x main\nTypes: deb\nURIs: a b\nSuites: c\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		AptList(b)
		if n := len(AptDeb822(b)); n > MaxLines {
			t.Fatalf("%d sources", n)
		}
	})
}

func FuzzSysctl(f *testing.F) {
	f.Add([]byte("a.b=1\n-c/*/d\nnet.ipv4.conf.*.x = [\n"), "net.ipv4.conf.all.x")
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		list := Sysctl(b)
		if i, ok := SysctlValue(list, key); ok && (i < 0 || i >= len(list)) {
			t.Fatalf("line %d of %d", i, len(list))
		}
	})
}

func FuzzMounts(f *testing.F) {
	f.Add([]byte("/dev/a /b\\040c ext4 rw,x 0 0\nname UUID=1 none luks\n"))
	f.Fuzz(func(t *testing.T, b []byte) { Mounts(b); Crypttab(b) })
}

func FuzzAccounts(f *testing.F) {
	f.Add([]byte("root:x:0:0:r:/root:/bin/sh\n+@n::::::\na:$6$x$y:1:2:3:4:5:6:\ng:x:1:a,b\n"))
	f.Fuzz(func(t *testing.T, b []byte) { Users(b); Groups(b); Shadows(b) })
}

// once gives a text for the first names and then an error, and each name's
// own bytes as the next name.
func once(b []byte) (func(string) ([]byte, error), func(string) ([]string, error)) {
	n := 0
	open := func(string) ([]byte, error) {
		if n++; n > 50 {
			return nil, errors.New("enough")
		}
		return b, nil
	}
	return open, func(string) ([]string, error) { return []string{"a", "b"}, nil }
}

func FuzzPAM(f *testing.F) {
	f.Add([]byte("auth [success=1 default=ignore] pam_x.so a=[b c] # d\n@include y\naccount include z\n-session substack"))
	f.Fuzz(func(t *testing.T, b []byte) {
		open, _ := once(b)
		_, _ = PAMStack("login", open)
	})
}

func FuzzSudoers(f *testing.F) {
	f.Add([]byte("Defaults:a !x, y=\"z,\\\"\"\nb ALL=(ALL) NOPASSWD: ALL # c\n#includedir d\n@include e\nX_Alias F=g\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		open, list := once(b)
		_, _ = Sudoers("/etc/sudoers", open, list)
	})
}

func FuzzSSH(f *testing.F) {
	f.Add([]byte("Port 1\nInclude a \"b c\"\nMatch all\nHost *\nCiphers=-x\n"), "-a*b,^c")
	f.Fuzz(func(t *testing.T, b []byte, list string) {
		open, glob := once(b)
		_, _ = SSH("/etc/ssh/sshd_config", open, glob)
		SSHList(list, "a,b,c")
	})
}

func FuzzAuditRules(f *testing.F) {
	f.Add([]byte("-w /a -p wa\n-a always,exit -F arch=b64 -S a,b -F exit=-EPERM -C uid!=euid\n-e 2\n-a\n''\n"))
	f.Fuzz(func(t *testing.T, b []byte) { ReadAuditRules(b) })
}

func FuzzFirewall(f *testing.F) {
	f.Add([]byte("table inet f { chain i { type filter hook input priority 0; policy drop; tcp dport { 22 } accept } }\ninclude \"x\"\n*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\n"))
	f.Add([]byte("chain x\n}}}}\ntable\n\"{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		NFT(b)
		IPTables(b, "ip")
		ZoneTarget(b)
	})
}

func FuzzShellRC(f *testing.F) {
	f.Add([]byte("readonly TMOUT=900; umask 027 && typeset -xr TMOUT\n* hard core 0\ninstall a-b /bin/false\n"))
	f.Fuzz(func(t *testing.T, b []byte) { ReadShellRC(b); Limits(b); ReadModprobe(b) })
}

func FuzzServers(f *testing.F) {
	f.Add([]byte("$FileCreateMode 0640\naction(type=\"omfwd\" target=\"\u0130\")\nlocal all all trust\nhost a b c 1.2.3.4 md5\n/a b(c,d) e\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		Rsyslog(b)
		PostgresHBA(b)
		Exports(b)
		open, glob := once(b)
		_, _ = Follow("/a", "/b", Apache, []string{"include"}, open, glob)
		if bytes.Contains(b, []byte("\x00")) {
			parameter(string(b), "target")
		}
	})
}
