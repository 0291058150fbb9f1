package collect

import (
	"bytes"
	"context"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

func grubFiles() []string {
	return []string{"boot/grub/grub.cfg", "boot/grub2/grub.cfg", "etc/grub2.cfg", "etc/grub2-efi.cfg"}
}

func bootWatch() []string {
	w := append(grubFiles(), "boot/grub2/user.cfg", "etc/default/grub", "etc/selinux/config", "etc/apparmor.d/disable", "etc/apparmor.d/force-complain")
	return append(w, modprobeDirs()...)
}

// collectBoot reads what stands between power-on and the first process, and
// what the kernel keeps out afterwards.
func collectBoot(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Boot, h, l)
	if no != nil {
		return no
	}
	s.cmdline()
	s.grub()
	if h.Live {
		s.firmware()
		s.mitigations()
	} else {
		for _, name := range []string{"firmware", "secureboot", "lockdown", "apparmor", "apparmor:enforced", "apparmor:complain", "selinux:mode", "cpu:all"} {
			s.unread(name, "no kernel of this root runs")
		}
	}
	s.lsm()
	s.modules()
	return s.done(ctx)
}

// cmdline puts the words that the kernel was or will be started with.
func (s *settings) cmdline() {
	if s.h.Live {
		b, err := s.h.readAt("proc/cmdline", 64<<10)
		if err != nil {
			s.unread("cmdline", "/proc/cmdline cannot be read ("+short(err)+")")
			return
		}
		words := strings.Fields(string(b))
		if i := slices.Index(words, "--"); i >= 0 {
			words = words[:i] // the rest is the first process's
		}
		s.list("cmdline", words, "/proc/cmdline")
		return
	}
	b, err := s.config("etc/default/grub")
	if err != nil || b == nil {
		s.unread("cmdline", "no kernel of this root runs, and it has no readable /etc/default/grub")
		return
	}
	var words []string
	for _, key := range []string{"GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT"} {
		e, _ := conf.Last(conf.Shell(b), "", key)
		words = append(words, strings.Fields(e.Value)...)
	}
	s.list("cmdline", words, "/etc/default/grub")
}

// grub puts whether the boot loader asks for a password before it is changed.
func (s *settings) grub() {
	var found string
	password := ""
	for _, f := range grubFiles() {
		b, err := s.config(f)
		if err != nil {
			return
		}
		if b == nil {
			continue
		}
		if found == "" {
			found = f
		}
		if bytes.Contains(b, []byte("set superusers=")) && (bytes.Contains(b, []byte("\npassword_pbkdf2 ")) || bytes.Contains(b, []byte("\tpassword_pbkdf2 ")) || bytes.Contains(b, []byte("  password_pbkdf2 "))) && !bytes.Contains(b, []byte("${GRUB2_PASSWORD}")) {
			password = f
		}
	}
	if b, err := s.config("boot/grub2/user.cfg"); err != nil {
		return
	} else if bytes.HasPrefix(b, []byte("GRUB2_PASSWORD=grub.pbkdf2")) {
		password = "boot/grub2/user.cfg"
	}
	switch {
	case password != "":
		s.set("grub:password", "yes", "/"+password)
	case found != "":
		s.set("grub:password", "no", "/"+found)
	}
}

const secureBoot = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

// firmware puts the kind of firmware and whether it checks what it starts.
func (s *settings) firmware() {
	if !s.h.exists("sys/firmware/efi") {
		s.set("firmware", "bios", "/sys/firmware/efi is absent")
		return
	}
	s.set("firmware", "efi", "/sys/firmware/efi")
	b, err := s.h.readAt(secureBoot, 64)
	switch {
	case isNotExist(err):
		s.set("secureboot", "no", "/"+secureBoot+" is absent")
	case err != nil || len(b) < 5:
		s.unread("secureboot", "/"+secureBoot+" cannot be read")
	default:
		s.set("secureboot", map[bool]string{true: "yes", false: "no"}[b[4] == 1], "/"+secureBoot)
	}
}

// mitigations puts what the kernel says of each weakness of the processor.
func (s *settings) mitigations() {
	const dir = "sys/devices/system/cpu/vulnerabilities"
	list, err := s.h.readDir(dir)
	if err != nil && !isNotExist(err) {
		s.problem("/%s cannot be listed (%s)", dir, short(err))
	}
	for _, e := range list {
		if e.Name() != "old_microcode" {
			s.set("cpu:"+clean(e.Name(), 64), strings.ToLower(s.h.line(path.Join(dir, e.Name()))), "/"+dir+"/"+e.Name())
		}
	}
}

// lsm puts the state of the security modules.
func (s *settings) lsm() {
	if s.h.Live {
		if v := s.h.line("sys/kernel/security/lockdown"); v != "" {
			if _, in, ok := strings.Cut(v, "["); ok {
				v, _, _ = strings.Cut(in, "]")
			}
			s.set("lockdown", v, "/sys/kernel/security/lockdown")
		}
		s.apparmor()
		if v := s.h.line("sys/fs/selinux/enforce"); v != "" {
			s.set("selinux:mode", map[bool]string{true: "enforcing", false: "permissive"}[v == "1"], "/sys/fs/selinux/enforce")
		} else {
			s.set("selinux:mode", "off", "/sys/fs/selinux is not mounted")
		}
	}
	b, err := s.config("etc/selinux/config")
	if err != nil {
		return
	}
	for _, key := range []string{"SELINUX", "SELINUXTYPE"} {
		if e, ok := conf.Last(conf.Shell(b), "", key); ok {
			s.set("selinux:config:"+strings.ToLower(key), strings.ToLower(e.Value), at("etc/selinux/config", e.Line))
		}
	}
}

// apparmor puts whether AppArmor is on and what its profiles do.
func (s *settings) apparmor() {
	const enabled, profiles = "sys/module/apparmor/parameters/enabled", "sys/kernel/security/apparmor/profiles"
	if s.h.line(enabled) != "Y" {
		s.set("apparmor", "off", "/"+enabled)
		return
	}
	s.set("apparmor", "on", "/"+enabled)
	b, err := s.h.readAt(profiles, 4<<20)
	if err != nil {
		why := "/" + profiles + " cannot be read (" + short(err) + ")" + mend(err)
		s.unread("apparmor:enforced", why)
		s.unread("apparmor:complain", why)
		return
	}
	enforced := 0
	var complain []string
	for line := range strings.Lines(string(b)) {
		name, mode, ok := cutLast(strings.TrimSpace(line), " (")
		switch {
		case !ok:
		case mode == "enforce)":
			enforced++
		case mode == "complain)" || mode == "unconfined)":
			complain = append(complain, name)
		}
	}
	s.set("apparmor:enforced", strconv.Itoa(enforced), "/"+profiles)
	s.offenders("apparmor:complain", complain, "/"+profiles)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// moduleNames are the kernel modules whose availability is collected.
func moduleNames() []string {
	return strings.Fields(`cramfs freevxfs hfs hfsplus jffs2 squashfs udf usb-storage firewire-core dccp sctp rds tipc atm ax25 n_hdlc`)
}

func modprobeDirs() []string {
	return []string{"etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"}
}

// modules puts for each module "loaded", "builtin" (part of the kernel),
// "available", "blocked" (it exists and modprobe is told to refuse it) or
// "missing" (the kernels here have no such module).
func (s *settings) modules() {
	blocked, err := s.modprobeRules()
	if err != nil {
		return
	}
	state, err := s.moduleStates()
	if err != nil {
		return
	}
	for _, name := range moduleNames() {
		if !s.h.Live && !s.h.exists("lib/modules") {
			s.unread("module:"+name, "no kernel is installed in this root")
			continue
		}
		v, from := "missing", "/lib/modules"
		key := conf.ModuleName(name)
		if st, ok := state[key]; ok {
			v, from = st.state, st.source
		}
		if b, ok := blocked[key]; ok && v == "available" {
			v, from = "blocked", b
		}
		s.set("module:"+name, v, from)
	}
}

// modprobeRules returns the modules that cannot be loaded, with the line that
// says so: "install NAME /bin/false" or true. A blacklist alone does not keep a
// module from being loaded by name.
func (s *settings) modprobeRules() (map[string]string, error) {
	files, err := s.dropIns(".conf", modprobeDirs()...)
	if err != nil {
		return nil, err
	}
	blocked := map[string]string{}
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return nil, err
		}
		for _, m := range conf.ReadModprobe(b) {
			switch strings.TrimPrefix(m.Install, "/usr") {
			case "/bin/false", "/bin/true":
				blocked[m.Module] = at(f, m.Line)
			}
		}
	}
	return blocked, nil
}

type moduleState struct{ state, source string }

// moduleStates looks in the module directories of the running kernel, of
// another root in those of every kernel that is installed there.
func (s *settings) moduleStates() (map[string]moduleState, error) {
	out := map[string]moduleState{}
	var releases []string
	if s.h.Live {
		if r := s.h.line("proc/sys/kernel/osrelease"); r != "" && !strings.Contains(r, "/") {
			releases = []string{r}
		}
	} else if list, err := s.h.readDir("lib/modules"); err == nil {
		for _, e := range list {
			if e.IsDir() && len(releases) < 20 {
				releases = append(releases, e.Name())
			}
		}
	}
	for _, r := range releases {
		for _, f := range []struct{ file, state string }{{"modules.builtin", "builtin"}, {"modules.dep", "available"}} {
			name := path.Join("lib/modules", r, f.file)
			if err := s.moduleList(name, f.state, out); err != nil {
				return nil, err
			}
		}
	}
	if !s.h.Live {
		return out, nil
	}
	// What is in memory says more than what is on disk.
	for _, name := range moduleNames() {
		if n := conf.ModuleName(name); s.h.exists("sys/module/" + n) {
			out[n] = moduleState{"builtin", "/sys/module/" + n}
		}
	}
	b, err := s.h.read("proc/filesystems", 64<<10)
	if err != nil && !isNotExist(err) {
		s.problem("/proc/filesystems cannot be read (%s)", short(err))
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 0 {
			if n := f[len(f)-1]; out[n].state != "builtin" {
				out[n] = moduleState{"builtin", "/proc/filesystems"}
			}
		}
	}
	if b, err = s.h.read("proc/modules", 4<<20); err != nil && !isNotExist(err) {
		s.problem("/proc/modules cannot be read (%s)", short(err))
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		if name, _, ok := strings.Cut(line, " "); ok {
			out[name] = moduleState{"loaded", "/proc/modules"}
		}
	}
	return out, nil
}

// moduleList adds the modules that a file of a module directory lists.
func (s *settings) moduleList(name, state string, out map[string]moduleState) error {
	f, _, err := s.h.open(name)
	if isNotExist(err) {
		return nil
	}
	if err != nil {
		s.problem("/%s cannot be read (%s)", name, short(err))
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(&capped{f, 16 << 20})
	if err != nil {
		s.problem("/%s cannot be read (%s)", name, short(err))
		return err
	}
	for line := range strings.Lines(string(b)) {
		file, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		mod, _, _ := strings.Cut(path.Base(file), ".ko")
		mod = conf.ModuleName(mod)
		if _, ok := out[mod]; !ok && mod != "" {
			out[mod] = moduleState{state, "/" + name}
		}
	}
	return nil
}
