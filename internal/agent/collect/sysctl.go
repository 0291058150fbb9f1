package collect

import (
	"context"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

// sysctlNames are the kernel parameters that are collected.
func sysctlNames() []string {
	names := strings.Fields(`
		fs.protected_fifos fs.protected_hardlinks fs.protected_regular fs.protected_symlinks fs.suid_dumpable
		dev.tty.ldisc_autoload kernel.dmesg_restrict kernel.io_uring_disabled
		kernel.kexec_load_disabled kernel.kptr_restrict kernel.panic_on_oops kernel.perf_event_paranoid
		kernel.randomize_va_space kernel.sysrq kernel.unprivileged_bpf_disabled kernel.unprivileged_userns_clone kernel.yama.ptrace_scope
		net.core.bpf_jit_harden user.max_user_namespaces vm.mmap_min_addr vm.unprivileged_userfaultfd
		net.ipv4.icmp_echo_ignore_broadcasts net.ipv4.icmp_ignore_bogus_error_responses net.ipv4.ip_forward net.ipv4.tcp_rfc1337
		net.ipv4.tcp_syncookies net.ipv6.conf.all.disable_ipv6 net.ipv6.conf.all.forwarding net.ipv6.conf.default.forwarding
		net.ipv4.conf.all.accept_local net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.drop_gratuitous_arp net.ipv4.conf.all.route_localnet`)
	for _, scope := range []string{"all", "default"} {
		for _, k := range strings.Fields("accept_redirects accept_source_route log_martians rp_filter secure_redirects send_redirects shared_media") {
			names = append(names, "net.ipv4.conf."+scope+"."+k)
		}
		for _, k := range strings.Fields("accept_ra accept_redirects accept_source_route") {
			names = append(names, "net.ipv6.conf."+scope+"."+k)
		}
	}
	return names
}

// Where kernel parameters are set at boot, the directory that wins first
// (sysctl.d(5)).
func sysctlDirs() []string {
	return []string{"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d", "lib/sysctl.d"}
}

func sysctlWatch() []string { return append(sysctlDirs(), "etc/sysctl.conf", "etc/ufw") }

// collectSysctl reads kernel parameters: of a running host the values in
// effect, and beside them ("file:NAME") what its files set at the next boot;
// of another root what its files set.
func collectSysctl(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Sysctl, h, l)
	if no != nil {
		return no
	}
	lines, sources, err := s.sysctlFiles()
	for _, name := range sysctlNames() {
		i, configured := conf.SysctlValue(lines, name)
		running := s.running(name)
		switch {
		case running && configured && err == nil:
			s.set("file:"+name, lines[i].Value, at(sources[i], lines[i].Line))
		case running || h.Live || err != nil:
		case configured:
			s.set(name, lines[i].Value, at(sources[i], lines[i].Line))
		default:
			s.unread(name, "no file sets it, and no kernel of this root runs")
		}
	}
	return s.done(ctx)
}

// running puts the value of a parameter in the running kernel; false when it
// has no such parameter, or none runs.
func (s *settings) running(name string) bool {
	if !s.h.Live {
		return false
	}
	file := "proc/sys/" + strings.ReplaceAll(name, ".", "/")
	b, err := s.h.readAt(file, 4096)
	if isNotExist(err) {
		return false
	}
	if err != nil {
		s.unread(name, "/"+file+" cannot be read ("+short(err)+")"+mend(err))
		return true
	}
	s.set(name, strings.Join(strings.Fields(string(b)), " "), "/"+file)
	return true
}

// sysctlFiles returns the lines of all files in the order in which they take
// effect, with the file of each.
func (s *settings) sysctlFiles() (lines []conf.SysctlLine, sources []string, err error) {
	files, err := s.dropIns(".conf", sysctlDirs()...)
	if err != nil {
		return nil, nil, err
	}
	if !s.h.exists("usr/lib/systemd/systemd") && !s.h.exists("lib/systemd/systemd") {
		files = append(files, "etc/sysctl.conf") // systemd reads it only where a link in sysctl.d leads to it
	}
	if ufw, _ := s.config("etc/ufw/ufw.conf"); ufw != nil {
		if e, ok := conf.Last(conf.Shell(ufw), "", "ENABLED"); ok && strings.EqualFold(e.Value, "yes") {
			files = append(files, "etc/ufw/sysctl.conf")
		}
	}
	for _, f := range files {
		b, err := s.config(f)
		if err != nil {
			return nil, nil, err
		}
		for _, line := range conf.Sysctl(b) {
			lines = append(lines, line)
			sources = append(sources, f)
		}
	}
	return lines, sources, nil
}
