package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// words writes values down for comparison, one per line, without the spaces at
// the ends.
func words[T any](list []T) []string {
	out := []string{}
	for _, v := range list {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%v", v)))
	}
	return out
}

func lookup(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		s, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(s), nil
	}
}

// TestEntries proves the forms of assignment that programs read.
func TestEntries(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  []Entry
		want []string
	}{
		{"assignments", Assignments([]byte("a = 1\n# c\n\nb=2 # x\nflag\n = 3\n key=v#w\n")), []string{"{ a 1 1}", "{ b 2 4}", "{ flag  5}", "{ key v#w 7}"}},
		{"words", Words([]byte("A 1\nB\t2 # x\n#C 3\nD\n! x\n")), []string{"{ A 1 1}", "{ B 2 2}", "{ D  4}"}},
		{"ini", INI([]byte("x=0\n[A]\ny = 1\n; z\n[B c]\nq\n[broken\nw=2 \\\n 3\n")), []string{"{ x 0 1}", "{A y 1 3}", "{B c q  6}", "{B c w 2  3 8}"}},
		{"shell", Shell([]byte("A=1\nexport B=\"two words\"\nC='x' # y\nd e=1\n=x\nF=\"a\n")), []string{"{ A 1 1}", "{ B two words 2}", "{ C x 3}", "{ F \"a 6}"}},
		{"nginx", Nginx([]byte("a b;\nc {\n d \"e f\" 'g;' ; # x;\n}\nh\n i;")), []string{"{ a b 1}", "{ c  2}", "{ d e f g; 3}", "{ h i 5}"}},
		{"apache", Apache([]byte("# c\nA b \"c d\" \\\n e\n<Directory /x>\n</Directory>\n")), []string{"{ A b c d e 2}", "{ <Directory /x 4}", "{ </Directory  5}"}},
		{"postgres", Postgres([]byte("a = on # c\nB 'x y' # z\n#d = 1\ne='it' \nf\n")), []string{"{ a on 1}", "{ b x y 2}", "{ e it 4}"}},
		{"apt", AptConf([]byte("A::B \"1\";\nC { D \"2\"; E { \"x\"; F:: \"y\"; }; };\n// n \"1\";\n/* A\n::B */ g \"3\" ;\n#clear A::B;\n#x \"1\";\nH \"a b\n")),
			[]string{"{ A::B 1 1}", "{ C::D 2 2}", "{ C::E:: x 2}", "{ C::E::F:: y 2}", "{ g 3 5}", "{ #clear A::B 6}"}},
	} {
		if d := cmp.Diff(tt.want, words(tt.got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, d)
		}
	}
	list := []Entry{{Key: "A", Value: "1"}, {Section: "s", Key: "a", Value: "2"}, {Key: "a", Value: "3"}}
	if e, ok := Last(list, "", "a"); !ok || e.Value != "3" {
		t.Errorf("last: %v", e)
	}
	if _, ok := Last(list, "t", "a"); ok {
		t.Error("an entry of a section that is not there")
	}
}

// TestCaps proves that long lines and files are passed over or cut.
func TestCaps(t *testing.T) {
	if got := Assignments([]byte("a=" + strings.Repeat("x", MaxLine) + "\nb=1\n")); len(got) != 1 || got[0].Key != "b" {
		t.Errorf("a long line: %d entries", len(got))
	}
	if got := Assignments([]byte(strings.Repeat("a=1\n", MaxLines+10))); len(got) != MaxLines {
		t.Errorf("a long file: %d entries", len(got))
	}
	if got := INI([]byte("a=" + strings.Repeat("x \\\n", MaxLine) + "\nb=1\n")); len(got) != 1 || got[0].Key != "b" {
		t.Errorf("a line of many: %d entries", len(got))
	}
	if got := fields(strings.Repeat("a ", 5000)); len(got) != maxWords {
		t.Errorf("many words: %d", len(got))
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "90": 90, "1m30s": 90, "2h": 7200, "1d": 86400, "1w": 604800, "5M": 300} {
		if n, ok := Seconds(s); !ok || n != want {
			t.Errorf("%s: %d %v, want %d", s, n, ok, want)
		}
	}
	for _, s := range []string{"", "x", "1x", "m", "-1", "99999999999999999999", strings.Repeat("9999999999w", 1000)} {
		if n, ok := Seconds(s); ok {
			t.Errorf("%s is %d seconds", s, n)
		}
	}
}

func TestSysctl(t *testing.T) {
	list := Sysctl([]byte("a.b = 1\n-c/d=2\n-net.ipv4.conf.all.x\nnet.ipv4.conf.*.x=3\n; y\nz\nnet.ipv4.conf.eth0/1.x = 4\n"))
	want := []string{"{a/b 1 false 1}", "{c/d 2 false 2}", "{net/ipv4/conf/all/x  true 3}", "{net/ipv4/conf/*/x 3 false 4}", "{net/ipv4/conf/eth0.1/x 4 false 7}"}
	if d := cmp.Diff(want, words(list)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for key, want := range map[string]string{"a.b": "1", "c.d": "2", "net.ipv4.conf.all.x": "", "net.ipv4.conf.default.x": "3", "e": ""} {
		got := ""
		if i, ok := SysctlValue(list, key); ok {
			got = list[i].Value
		}
		if got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	// A line with the name wins over a glob after it.
	list = Sysctl([]byte("k.a=1\nk.*=2\n"))
	if i, _ := SysctlValue(list, "k.a"); list[i].Value != "1" {
		t.Errorf("glob wins: %v", list[i])
	}
}

func TestMounts(t *testing.T) {
	got := words(Mounts([]byte("/dev/sda1 / ext4 rw,noatime 0 0\n#x\n/dev/b /a\\040b ext4 defaults\nnone swap swap\nshort\n")))
	want := []string{"{/dev/sda1 / ext4 [rw noatime] 1}", "{/dev/b /a b ext4 [defaults] 3}", "{none swap swap [] 4}"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if got := Crypttab([]byte("a UUID=1 none luks\n# b x\nc /dev/sda\nd\n")); !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("crypttab: %v", got)
	}
}

func TestAccounts(t *testing.T) {
	users, compat, bad := Users([]byte("root:x:0:0:r:/root:/bin/sh\nopen::1:1::/:\nplain:$1$x:2:2::/:/bin/sh\nbarred:!:3:3::/:\n+@nis\nshort:x:1\nodd:x:one:1::/:\n"))
	if d := cmp.Diff([]string{"{root /root /bin/sh 0 0 true false}", "{open /  1 1 false true}", "{plain / /bin/sh 2 2 false false}", "{barred /  3 3 true false}"}, words(users)); d != "" || bad != 2 || len(compat) != 1 {
		t.Errorf("users: %s; %v, %d bad", d, compat, bad)
	}
	groups, compat, bad := Groups([]byte("a:x:1:b, c,\n+:::\nx:y\nz:x:q:\n"))
	if d := cmp.Diff([]string{"{a 1 [b c]}"}, words(groups)); d != "" || bad != 2 || len(compat) != 1 {
		t.Errorf("groups: %s; %v, %d bad", d, compat, bad)
	}
	secret := "$6$salt$SECRETHASH"
	list, _, bad := Shadows([]byte("a:" + secret + ":19000:0:99999:7:::\nb:!$y$x:1:1:1:1:1:1:\nc::::::::\nd:*:x:-1:9:::::\ne:$y$j9T$a$b:1:2:3:4:5:6:\nf:ab0123456789.:1:1:1:1:::\ng:_J9..:1:1:1:1:::\nh:$2b$12$x:1:1:1:1:::\nshort:x\n"))
	want := []string{"{a sha512 false false 19000 0 99999 7 -1 -1}", "{b  false true 1 1 1 1 1 1}", "{c  true false -1 -1 -1 -1 -1 -1}", "{d  false true -1 -1 9 -1 -1 -1}",
		"{e yescrypt false false 1 2 3 4 5 6}", "{f descrypt false false 1 1 1 1 -1 -1}", "{g bsdicrypt false false 1 1 1 1 -1 -1}", "{h bcrypt false false 1 1 1 1 -1 -1}"}
	if d := cmp.Diff(want, words(list)); d != "" || bad != 1 {
		t.Errorf("shadow: %s; %d bad", d, bad)
	}
	if strings.Contains(fmt.Sprint(list), "SECRET") {
		t.Error("a hash leaves the parser")
	}
}

func TestPAM(t *testing.T) {
	open := lookup(map[string]string{
		"login":  "auth required pam_a.so x=1 # c\n@include common\n-session optional /lib/security/pam_b.so\nauth [success=1\\\n default=ignore] pam_c.so [arg with space]\naccount include common\n",
		"common": "auth sufficient pam_d.so\naccount required pam_e.so\nauth short\n",
		"loop":   "@include loop\n",
		"wide":   strings.Repeat("@include common\n", 200),
		"broken": "auth include gone\n",
	})
	rules, err := PAMStack("login", open)
	want := []string{"{auth required pam_a [x=1] login 1}", "{auth sufficient pam_d [] common 1}", "{account required pam_e [] common 2}", "{session optional pam_b [] login 3}",
		"{auth [success=1 default=ignore] pam_c [[arg with space]] login 4}", "{account required pam_e [] common 2}"}
	if d := cmp.Diff(want, words(rules)); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
	for _, name := range []string{"loop", "wide", "broken", "gone"} {
		if _, err := PAMStack(name, open); err == nil {
			t.Errorf("%s gives no error", name)
		}
	}
}

func TestSudoers(t *testing.T) {
	files := lookup(map[string]string{
		"/etc/sudoers":     "# comment\nDefaults env_reset, !lecture\\\n, logfile=\"/a,b\" # c\nDefaults:ann !authenticate\nDefaults secure_path+=/x\nHost_Alias H=a\nann ALL=(ALL) NOPASSWD\t: ALL\n#1000 ALL=(ALL) /bin/ls\n@include more\n#includedir /etc/sudoers.d\nno rule\n",
		"/etc/more":        "bob ALL = !/bin/sh, \\\n /bin/ls\n",
		"/etc/sudoers.d/a": "%wheel ALL=(ALL) ALL\n",
		"/loop":            "#include /loop\n",
	})
	list := func(dir string) ([]string, error) {
		if dir == "/etc/sudoers.d" {
			return []string{"a", "b.bak", "c~"}, nil
		}
		return nil, errors.New("no such directory")
	}
	p, err := Sudoers("/etc/sudoers", files, list)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"{env_reset  false /etc/sudoers 2}", "{lecture  true /etc/sudoers 2}", "{logfile /a,b false /etc/sudoers 2}", "{secure_path /x false /etc/sudoers 5}"}
	if d := cmp.Diff(want, words(p.Defaults)); d != "" {
		t.Errorf("defaults (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"{authenticate  true /etc/sudoers 4}"}, words(p.Scoped)); d != "" {
		t.Errorf("scoped (-want +got):\n%s", d)
	}
	want = []string{"{ann (ALL) NOPASSWD\t: ALL true /etc/sudoers 7}", "{#1000 (ALL) /bin/ls false /etc/sudoers 8}", "{bob !/bin/sh,  /bin/ls false /etc/more 1}", "{%wheel (ALL) ALL false /etc/sudoers.d/a 1}"}
	if d := cmp.Diff(want, words(p.Rules)); d != "" {
		t.Errorf("rules (-want +got):\n%s", d)
	}
	for _, name := range []string{"/loop", "/gone"} {
		if _, err := Sudoers(name, files, list); err == nil {
			t.Errorf("%s gives no error", name)
		}
	}
}

func TestSSH(t *testing.T) {
	files := lookup(map[string]string{
		"/etc/ssh/sshd_config": "Port 22\nport 2222\nPermitRootLogin=no\nInclude d/*.conf \"/abs.conf\"\nPermitRootLogin yes\nMatch User x\n PermitRootLogin yes\n Include in.conf\nMatch all\nBanner \"/a b\" # c\n",
		"/d/1.conf":            "X11Forwarding yes\nMatch Group y\nX11Forwarding no\n",
		"/abs.conf":            "UsePAM yes\n",
		"/etc/ssh/in.conf":     "AllowTcpForwarding no\n",
		"/loop":                "Include /loop\n",
	})
	glob := func(p string) ([]string, error) {
		switch p {
		case "/etc/ssh/d/*.conf":
			return []string{"/d/1.conf"}, nil
		case "/bad":
			return nil, errors.New("cannot list")
		}
		return []string{p}, nil
	}
	c, err := SSH("/etc/ssh/sshd_config", files, glob)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"{port 22 /etc/ssh/sshd_config 1}", "{port 2222 /etc/ssh/sshd_config 2}", "{permitrootlogin no /etc/ssh/sshd_config 3}", "{x11forwarding yes /d/1.conf 1}",
		"{usepam yes /abs.conf 1}", "{banner /a b /etc/ssh/sshd_config 10}"}
	if d := cmp.Diff(want, words(c.Global)); d != "" {
		t.Errorf("global (-want +got):\n%s", d)
	}
	want = []string{"{x11forwarding no /d/1.conf 3}", "{permitrootlogin yes /etc/ssh/sshd_config 7}", "{allowtcpforwarding no /etc/ssh/in.conf 1}"}
	if d := cmp.Diff(want, words(c.Matched)); d != "" {
		t.Errorf("matched (-want +got):\n%s", d)
	}
	if v, ok := c.Get("usepam"); !ok || v.Value != "yes" {
		t.Errorf("usepam: %v", v)
	}
	if _, err := SSH("/loop", files, glob); err == nil {
		t.Error("a loop gives no error")
	}
	for _, tt := range []struct{ value, want string }{
		{"", "a,b,c"}, {"x,y", "x,y"}, {"+x", "a,b,c,x"}, {"-b*,c", "a"}, {"^x", "x,a,b,c"},
	} {
		if got := strings.Join(SSHList(tt.value, "a,b,c"), ","); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.value, got, tt.want)
		}
	}
}

func TestAuditRules(t *testing.T) {
	a := ReadAuditRules([]byte(`-w /gone -p wa
-D
-b 8192
-f 2
-w /etc/passwd -p aw -k identity
-w /etc/sudoers.d/
-a always,exit -F arch=b64 -S open,creat -S openat -F exit=-EACCES -F auid>=1000 -F auid!=unset -k access
-a exit,always -F arch=B32 -S chmod -F auid>=500 -F auid!=-1
-a always,exit -S execve -C uid!=euid -F euid=0
-a always,exit -F path=/usr/bin/sudo -F perm=x -F auid>=1000 -F auid!=4294967295 -F key=priv
-a always,exit -F dir=/etc/x/ -F perm=wa -F uid=33
-a never,exit -F arch=b64 -S chmod
-a always,user -F uid=0
-a
-e 1
-e 2
`))
	want := []string{"{/etc/passwd wa 5}", "{/etc/sudoers.d rwxa 6}", "{/usr/bin/sudo x 10}"}
	if d := cmp.Diff(want, words(a.Watches)); d != "" {
		t.Errorf("watches (-want +got):\n%s", d)
	}
	want = []string{"{b64 [open creat openat] [exit=-EACCES] 7}", "{b32 [chmod] [] 8}", "{ [execve] [euid=0 uid!=euid] 9}", "{ [] [dir=/etc/x/ perm=wa uid=33] 11}"}
	if d := cmp.Diff(want, words(a.Syscalls)); d != "" {
		t.Errorf("calls (-want +got):\n%s", d)
	}
	if a.Mode != "2" || a.ModeAt != 16 || a.Failure != "2" {
		t.Errorf("mode %q at %d, failure %q", a.Mode, a.ModeAt, a.Failure)
	}
}

func TestFirewall(t *testing.T) {
	chains, includes := NFT([]byte(`flush ruleset
include "/etc/nftables.d/*.nft"
define X = { 1, 2 }
table ip6 a { chain b { type filter hook input priority 0; policy drop; } }
table inet c {
	set s { type ipv4_addr; elements = { 1.2.3.4 } }
	chain d {
		type filter hook input priority filter
		tcp dport { 22, 80 } accept
		counter packets 0 bytes 0 drop
	}
	chain e { tcp dport 1 accept; }
	chain f {
		type filter hook forward priority 0; policy accept;
		jump e
	}
}
table x {
	chain y { type nat hook output priority 0; reject }
}
`))
	want := []string{"{ip6 a input drop 0 false 4}", "{inet c input accept 2 true 7}", "{inet c forward accept 1 false 13}", "{ip x output accept 1 true 19}"}
	if d := cmp.Diff(want, words(chains)); d != "" || !slices.Equal(includes, []string{"/etc/nftables.d/*.nft"}) {
		t.Errorf("includes %v (-want +got):\n%s", includes, d)
	}
	got := IPTables([]byte("*nat\n:INPUT DROP [0:0]\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:X - [0:0]\n-A INPUT -j ACCEPT\n-A FORWARD -j REJECT\n-A X -j DROP\nCOMMIT\n"), "ip")
	if d := cmp.Diff([]string{"{ip filter input drop 1 false 5}", "{ip filter forward accept 1 true 6}"}, words(got)); d != "" {
		t.Errorf("iptables (-want +got):\n%s", d)
	}
	for s, want := range map[string]string{`<zone target="DROP">`: "DROP", `<zone>`: "", `x`: "", `<zone version="1" target="ACCEPT"`: "", `<zone Target="%%REJECT%%"/>`: "%%REJECT%%"} {
		if got := ZoneTarget([]byte(s)); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

func TestApt(t *testing.T) {
	got := words(AptList([]byte("deb http://a x main # c\ndeb [ arch=amd64 trusted=yes ] http://b ./\ndeb [signed-by=/k\ndeb-src http://c x\nrpm http://d x\ndeb http://e\n")))
	if d := cmp.Diff([]string{"{http://a x false 1}", "{http://b ./ true 2}", "{http://c x false 4}"}, got); d != "" {
		t.Errorf("list (-want +got):\n%s", d)
	}
	got = words(AptDeb822([]byte("# c\nTypes: deb\nURIs: http://a http://b\nSuites: x y\n continued\n\nTypes: deb\nURIs: http://c\nSuites: z\nTrusted: yes\n\nEnabled: no\nURIs: http://d\nSuites: x")))
	want := []string{"{http://a x false 2}", "{http://a y false 2}", "{http://b x false 2}", "{http://b y false 2}", "{http://c z true 7}"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("deb822 (-want +got):\n%s", d)
	}
}

func TestShell(t *testing.T) {
	rc := ReadShellRC([]byte("umask 022\nif x; then umask 027; else umask u=rwx; fi\n# umask 000\nTMOUT=900\nreadonly TMOUT\nexport TMOUT\n"))
	if d := cmp.Diff([]string{"{ umask 022 1}", "{ umask 027 2}"}, words(rc.Umasks)); d != "" || len(rc.Tmout) != 1 || !rc.TmoutReadonly {
		t.Errorf("%+v (-want +got):\n%s", rc, d)
	}
	for s, want := range map[string]bool{"readonly TMOUT=1 ; export TMOUT": true, "typeset -xr TMOUT=\"1\"": true, "declare -x TMOUT=1": false, "export TMOUT=1": false} {
		if rc := ReadShellRC([]byte(s)); rc.TmoutReadonly != want || len(rc.Tmout) != 1 || rc.Tmout[0].Value != "1" {
			t.Errorf("%s: %+v", s, rc)
		}
	}
	if d := cmp.Diff([]string{"{* hard core 0 1}", "{@a - nproc 1 3}"}, words(Limits([]byte("* hard core 0 # x\n# y\n@a - nproc 1\n* hard core\n")))); d != "" {
		t.Errorf("limits (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"{usb_storage  1}", "{dccp /bin/false 2}"}, words(ReadModprobe([]byte("blacklist usb-storage\ninstall dccp /bin/false\noptions x y\ninstall z\n")))); d != "" {
		t.Errorf("modprobe (-want +got):\n%s", d)
	}
}

func TestServers(t *testing.T) {
	r := Rsyslog([]byte("$FileCreateMode 0640\nmodule(load=\"builtin:omfile\" fileCreateMode=\"0600\")\n*.* @@a:1\nlocal0.* /var/log/x\naction(type=\"omfwd\"\n\taction(type=\"omfwd\" Target=\"b\")\n$InputTCPServerRun 514\ninput(type=\"imudp\" port=\"514\")\ninput(type=\"imuxsock\")\n\u0130omfwd target=\"c\"\n"))
	if r.FileCreateMode.Value != "0600" || r.FileCreateMode.Line != 2 {
		t.Errorf("mode: %v", r.FileCreateMode)
	}
	if d := cmp.Diff([]string{"{  @@a:1 3}", "{   5}", "{  b 6}", "{  c 10}"}, words(trimKeys(r.Remote))); d != "" {
		t.Errorf("remote (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"{  $InputTCPServerRun 7}", "{  imudp 8}"}, words(trimKeys(r.Listens))); d != "" {
		t.Errorf("listens (-want +got):\n%s", d)
	}
	got := words(PostgresHBA([]byte("local all all trust\nhost all all 127.0.0.1/32 SCRAM-SHA-256 # c\nhostssl all \"a b\" 10.0.0.0 255.0.0.0 md5\n@include x\nhost all\n")))
	if d := cmp.Diff([]string{"{local all  trust 1}", "{host all 127.0.0.1/32 scram-sha-256 2}", "{hostssl a b 10.0.0.0 md5 3}"}, got); d != "" {
		t.Errorf("hba (-want +got):\n%s", d)
	}
	got = words(Exports([]byte("/a 10.0.0.0/8(rw,no_root_squash) *(ro)\n\"/b c\" host\n/d\n")))
	if d := cmp.Diff([]string{"{/a 10.0.0.0/8 [rw no_root_squash] 1}", "{/a * [ro] 1}", "{/b c host [] 2}", "{/d  [] 3}"}, got); d != "" {
		t.Errorf("exports (-want +got):\n%s", d)
	}
}

// trimKeys leaves value and line.
func trimKeys(list []Entry) []Entry {
	out := slices.Clone(list)
	for i := range out {
		out[i].Key = ""
	}
	return out
}

func TestFollow(t *testing.T) {
	files := lookup(map[string]string{"/main": "a 1;\ninclude sub/*;\n", "/base/sub/x": "b 2;\ninclude /main;\ninclude \"/y\";\n", "/y": "c 3;"})
	glob := func(p string) ([]string, error) {
		if p == "/base/sub/*" {
			return []string{"/base/sub/x"}, nil
		}
		return []string{p}, nil
	}
	list, err := Follow("/main", "/base", Nginx, []string{"include"}, files, glob)
	if err != nil || len(list) != 3 || list[2].File != "/y" {
		t.Errorf("%v: %v", err, list)
	}
	many := func(string) ([]byte, error) { return []byte("include x;"), nil }
	n := 0
	if _, err := Follow("/main", "/", Nginx, []string{"include"}, many, func(string) ([]string, error) { n++; return []string{fmt.Sprint("/", n)}, nil }); err == nil {
		t.Error("includes without end give no error")
	}
}
