package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func appsWatch() []string {
	return []string{"etc/ssh/ssh_config", "etc/ssh/ssh_config.d", "etc/chromium/policies/managed", "etc/opt/chrome/policies/managed", "etc/opt/edge/policies/managed",
		"etc/firefox/policies", "etc/nginx", "etc/nginx/sites-enabled", "etc/nginx/conf.d", "etc/apache2", "etc/apache2/conf-enabled", "etc/apache2/sites-enabled",
		"etc/httpd/conf", "etc/httpd/conf.d", "etc/mysql", "etc/my.cnf", "etc/redis", "etc/docker", "etc/postfix", "etc/samba", "etc/exports", "etc/snmp"}
}

// collectApps reads the settings of applications that checks ask for, of those
// that are installed: "PROGRAM:SETTING", and "PROGRAM" alone for being there.
func collectApps(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Apps, h, l)
	if no != nil {
		return no
	}
	s.sshClient()
	s.chromium()
	s.firefox()
	s.nginx()
	s.apache()
	s.php()
	s.postgres()
	s.mysql()
	s.redis()
	s.docker()
	s.mail()
	s.samba()
	s.exports()
	s.snmp()
	s.vsftpd()
	return s.done(ctx)
}

// first returns the first of some paths that exists.
func (s *settings) first(paths ...string) string {
	for _, p := range paths {
		if s.h.exists(p) {
			return p
		}
	}
	return ""
}

// must is config for a file that has to be there.
func (s *settings) must(name string) ([]byte, error) {
	b, err := s.config(name)
	if b == nil && err == nil {
		err = fmt.Errorf("/%s: %w", strings.TrimPrefix(name, "/"), fs.ErrNotExist)
	}
	return b, err
}

// sshClient puts what ssh does for everybody: what stands outside of Host
// blocks or below "Host *".
func (s *settings) sshClient() {
	bin := s.first("usr/bin/ssh")
	if bin == "" {
		return
	}
	c, err := s.sshConfig("/etc/ssh/ssh_config")
	if err != nil {
		s.problem("the configuration of the SSH client was not read in full: %s", err)
		return
	}
	s.set("ssh", "present", "/"+bin)
	for _, d := range []sshDefault{
		{"forwardagent", "no", 0}, {"forwardx11", "no", 0}, {"stricthostkeychecking", "ask", 0}, {"hashknownhosts", "no", 0},
		{"ciphers", sshdDefaults()[slices.IndexFunc(sshdDefaults(), func(d sshDefault) bool { return d.key == "ciphers" })].value, 'l'},
	} {
		v, ok := c.Get(d.key)
		value, source := d.value, fromDefault
		if ok {
			value, source = v.Value, at(v.File, v.Line)
		}
		if d.kind == 'l' {
			s.list("ssh:"+d.key, conf.SSHList(map[bool]string{true: v.Value}[ok], d.value), source)
			continue
		}
		s.set("ssh:"+d.key, strings.ToLower(value), source)
	}
}

// chromium puts the managed policies of Chromium and its children.
func (s *settings) chromium() {
	for _, b := range []struct{ name, dir, bin string }{
		{"chromium", "etc/chromium/policies/managed", "usr/bin/chromium"}, {"chromium", "etc/chromium/policies/managed", "usr/bin/chromium-browser"},
		{"chrome", "etc/opt/chrome/policies/managed", "opt/google/chrome/chrome"}, {"edge", "etc/opt/edge/policies/managed", "opt/microsoft/msedge/msedge"},
	} {
		if !s.h.exists(b.bin) {
			continue
		}
		s.set("browser:"+b.name, "present", "/"+b.bin)
		files, err := s.dropIns(".json", b.dir)
		if err != nil {
			continue
		}
		values, from := map[string]any{}, map[string]string{}
		bad := false
		for _, f := range files {
			text, err := s.config(f)
			if err != nil {
				bad = true
				break
			}
			var v map[string]any
			if json.Unmarshal(text, &v) != nil {
				s.problem("/%s is no JSON: the browser's policies are not known", f)
				bad = true
				break
			}
			for k := range v {
				values[k], from[k] = v[k], "/"+f
			}
		}
		if bad {
			continue
		}
		for _, k := range strings.Fields("SafeBrowsingProtectionLevel PasswordManagerEnabled ExtensionInstallBlocklist RemoteDebuggingAllowed BlockThirdPartyCookies DownloadRestrictions SSLErrorOverrideAllowed") {
			s.policy("browser:"+b.name+":"+k, values[k], from[k])
		}
	}
}

// policy puts a browser's policy. One that is not set leaves the choice to
// people, which is a value of its own.
func (s *settings) policy(name string, v any, source string) {
	if v == nil {
		s.set(name, "not set", fromDefault)
		return
	}
	s.json(name, v, source)
}

// json puts a value of a JSON file.
func (s *settings) json(name string, v any, source string) {
	switch v := v.(type) {
	case []any:
		var list []string
		for _, e := range v[:min(len(v), maxList+1)] {
			list = append(list, fmt.Sprint(e))
		}
		s.both(name, strings.Join(list[:min(len(list), 10)], " "), list, source)
	case map[string]any:
		s.set(name, fmt.Sprintf("%d entries", len(v)), source)
	default:
		s.set(name, strings.ToLower(fmt.Sprint(v)), source)
	}
}

// firefox puts the enterprise policies of Firefox.
func (s *settings) firefox() {
	bin := s.first("usr/lib/firefox/firefox", "usr/lib/firefox-esr/firefox-esr", "usr/lib64/firefox/firefox", "opt/firefox/firefox")
	if bin == "" {
		return
	}
	file := s.first("etc/firefox/policies/policies.json", "etc/firefox-esr/policies/policies.json", path.Join(path.Dir(bin), "distribution/policies.json"))
	var doc struct{ Policies map[string]any }
	if file != "" {
		b, err := s.config(file)
		if err != nil {
			return
		}
		if json.Unmarshal(b, &doc) != nil {
			s.problem("/%s is no JSON: Firefox's policies are not known", file)
			return
		}
	}
	s.set("browser:firefox", "present", "/"+bin)
	for _, k := range []string{"OfferToSaveLogins", "PasswordManagerEnabled", "DisableSecurityBypass"} {
		s.policy("browser:firefox:"+k, doc.Policies[k], "/"+file)
	}
}

// docker puts what the daemon's configuration says.
func (s *settings) docker() {
	bin := s.first("usr/bin/dockerd", "usr/sbin/dockerd", "usr/local/bin/dockerd")
	if bin == "" {
		return
	}
	b, err := s.config("etc/docker/daemon.json")
	if err != nil {
		return
	}
	var doc map[string]any
	if len(b) > 0 && json.Unmarshal(b, &doc) != nil {
		s.problem("/etc/docker/daemon.json is no JSON: the settings of Docker are not known")
		return
	}
	s.set("docker", "present", "/"+bin)
	for _, o := range []struct{ key, def string }{{"icc", "true"}, {"userns-remap", ""}, {"no-new-privileges", "false"}} {
		if v, ok := doc[o.key]; ok {
			s.json("docker:"+o.key, v, "/etc/docker/daemon.json")
		} else if o.def != "" {
			s.set("docker:"+o.key, o.def, fromDefault)
		}
	}
	for _, key := range []string{"insecure-registries", "hosts"} {
		if v, ok := doc[key].([]any); ok {
			s.json("docker:"+key, v, "/etc/docker/daemon.json")
		} else {
			s.list("docker:"+key, nil, fromDefault)
		}
	}
}
