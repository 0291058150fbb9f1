package collect

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

const sshdConfig = "etc/ssh/sshd_config"

// sshDefault is a keyword with the default of OpenSSH 7.4 and later.
type sshDefault struct {
	key, value string
	kind       byte // 0 word, 't' time, 'l' list of algorithms
}

// sshdDefaults are the keywords that are collected, with the defaults of
// sshd_config(5).
func sshdDefaults() []sshDefault {
	return []sshDefault{
		{"allowagentforwarding", "yes", 0}, {"allowtcpforwarding", "yes", 0}, {"banner", "none", 0},
		{"clientalivecountmax", "3", 0}, {"clientaliveinterval", "0", 't'}, {"disableforwarding", "no", 0},
		{"gatewayports", "no", 0}, {"gssapiauthentication", "no", 0}, {"hostbasedauthentication", "no", 0}, {"ignorerhosts", "yes", 0},
		{"ignoreuserknownhosts", "no", 0}, {"kbdinteractiveauthentication", "yes", 0}, {"kerberosauthentication", "no", 0},
		{"logingracetime", "120", 't'}, {"loglevel", "info", 0}, {"maxauthtries", "6", 0}, {"maxsessions", "10", 0}, {"maxstartups", "10:30:100", 0},
		{"passwordauthentication", "yes", 0}, {"permitemptypasswords", "no", 0}, {"permitrootlogin", "prohibit-password", 0}, {"permittunnel", "no", 0},
		{"permituserenvironment", "no", 0}, {"printlastlog", "yes", 0}, {"pubkeyauthentication", "yes", 0},
		{"strictmodes", "yes", 0}, {"usepam", "no", 0}, {"x11forwarding", "no", 0},
		{"ciphers", "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com", 'l'},
		{"macs", "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1", 'l'},
		{"kexalgorithms", "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256", 'l'},
	}
}

func sshdWatch() []string {
	return []string{sshdConfig, "etc/ssh/sshd_config.d", "usr/sbin/sshd", "etc/crypto-policies/back-ends"}
}

// collectSSHD reads the configuration of the SSH server as it holds for every
// connection. What Match blocks set for some is in "match:KEYWORD".
func collectSSHD(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.SSHD, h, l)
	if no != nil {
		return no
	}
	if !h.exists("usr/sbin/sshd") && !h.exists(sshdConfig) {
		return absent(inventory.SSHD, "the OpenSSH server is not installed: there is no /usr/sbin/sshd and no /%s", sshdConfig)
	}
	over, err := s.cryptoPolicy()
	if err != nil {
		return s.done(ctx)
	}
	c, err := s.sshConfig("/" + sshdConfig)
	if err != nil {
		s.problem("the configuration of the SSH server was not read in full: %s", err)
		return s.done(ctx)
	}
	for _, d := range sshdDefaults() {
		v, ok := over[d.key]
		if !ok {
			v, ok = c.Get(d.key)
		}
		s.sshValue(d, v, ok)
	}
	for _, key := range []string{"allowusers", "allowgroups", "denyusers", "denygroups"} {
		s.sshAdded(key, c.Global)
	}
	s.sshMatched(c.Matched)
	return s.done(ctx)
}

// sshConfig reads a configuration with its includes; nothing when there is no
// such file.
func (s *settings) sshConfig(name string) (conf.SSHConfig, error) {
	if !s.h.exists(strings.TrimPrefix(name, "/")) {
		return conf.SSHConfig{}, nil
	}
	open := func(name string) ([]byte, error) {
		b, err := s.config(name)
		if b == nil && err == nil {
			err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
		return b, err
	}
	return conf.SSH(name, open, s.glob)
}

// sshValue puts a keyword as it is in effect.
func (s *settings) sshValue(d sshDefault, v conf.SSHValue, set bool) {
	value, source := d.value, fromDefault
	if set {
		value, source = strings.ToLower(v.Value), at(v.File, v.Line)
	}
	switch d.kind {
	case 'l':
		s.list(d.key, conf.SSHList(map[bool]string{true: v.Value}[set], d.value), source)
		return
	case 't':
		n, ok := conf.Seconds(value)
		if !ok {
			s.unread(d.key, fmt.Sprintf("%s gives %q, which is no time", source, clean(value, 64)))
			return
		}
		value = strconv.FormatInt(n, 10)
	}
	if d.key == "maxstartups" {
		s.maxStartups(value, source)
		return
	}
	if d.key == "permitrootlogin" && value == "without-password" {
		value = "prohibit-password"
	}
	s.set(d.key, value, source)
}

// maxStartups puts the numbers of "start:rate:full"; a number alone is where
// everything is refused.
func (s *settings) maxStartups(value, source string) {
	f := strings.Split(value, ":")
	s.set("maxstartups:start", f[0], source)
	s.set("maxstartups:full", f[len(f)-1], source)
}

// sshAdded puts a keyword whose lines add up.
func (s *settings) sshAdded(key string, global []conf.SSHValue) {
	var all []string
	source := ""
	for _, v := range global {
		if v.Key == key {
			all = append(all, strings.Fields(v.Value)...)
			source = at(v.File, v.Line)
		}
	}
	if len(all) > 0 {
		s.list(key, all, source)
	}
}

// sshMatched puts what Match blocks set for keywords that must not be loosened
// for anybody.
func (s *settings) sshMatched(matched []conf.SSHValue) {
	for _, key := range []string{"permitemptypasswords", "permitrootlogin"} {
		var all []string
		source := ""
		for _, v := range matched {
			if w := strings.ToLower(v.Value); v.Key == key && !slices.Contains(all, w) {
				all = append(all, w)
				source = at(v.File, v.Line)
			}
		}
		if len(all) > 0 {
			s.list("match:"+key, all, source)
		}
	}
}

// cryptoPolicy returns the algorithms that RHEL 8 gives the server on its
// command line, which win over its configuration. Later releases include them
// as a configuration file.
func (s *settings) cryptoPolicy() (map[string]conf.SSHValue, error) {
	const file = "etc/crypto-policies/back-ends/opensshserver.config"
	b, err := s.config(file)
	if err != nil {
		return nil, err
	}
	e, ok := conf.Last(conf.Shell(b), "", "CRYPTO_POLICY")
	if !ok {
		return nil, nil
	}
	local, err := s.config("etc/sysconfig/sshd")
	if err != nil {
		return nil, err
	}
	if _, off := conf.Last(conf.Shell(local), "", "CRYPTO_POLICY"); off {
		return nil, nil
	}
	out := map[string]conf.SSHValue{}
	for _, w := range strings.Fields(e.Value) {
		if k, v, ok := strings.Cut(strings.TrimPrefix(w, "-o"), "="); ok {
			k = strings.ToLower(k)
			out[k] = conf.SSHValue{Key: k, Value: v, File: "/" + file, Line: e.Line}
		}
	}
	return out, nil
}
