package respond

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// systemFacts writes what the kernel says of itself.
func systemFacts(_ context.Context, w io.Writer) error {
	var u unix.Utsname
	var si unix.Sysinfo_t
	if err := errors.Join(unix.Uname(&u), unix.Sysinfo(&si)); err != nil {
		return err
	}
	text := func(b []byte) string { return unix.ByteSliceToString(b) }
	boot, _ := readSome("/proc/sys/kernel/random/boot_id", 64)
	line, _ := readSome("/proc/cmdline", 16<<10)
	name, _ := os.Readlink("/etc/localtime")
	zone, offset := time.Now().Zone()
	_, err := fmt.Fprintf(w, "Kernel: %s %s %s\nMachine: %s\nHost name: %s\nBooted: %s\nUp: %s\nBoot id: %s\nClock: %s\nTime zone: %s, %d s (%s)\nProcesses: %d\nMemory: %d bytes\nKernel command line: %s\n",
		text(u.Sysname[:]), text(u.Release[:]), text(u.Version[:]), text(u.Machine[:]), text(u.Nodename[:]), bootTime().Format(time.RFC3339), time.Duration(si.Uptime)*time.Second,
		strings.TrimSpace(string(boot)), time.Now().UTC().Format(time.RFC3339), zone, offset, name, si.Procs, uint64(si.Totalram)*uint64(si.Unit), strings.TrimSpace(string(line)))
	return err
}

// hardware writes what the machine is made of.
func hardware(ctx context.Context, w io.Writer) error {
	t, err := newTable(w, "Kind", "Name", "Value")
	if err != nil {
		return err
	}
	read := func(name string) string {
		raw, err := readSome(name, 4<<10)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(raw))
	}
	for _, name := range []string{"sys_vendor", "product_name", "product_version", "product_serial", "product_uuid", "board_vendor", "board_name", "bios_vendor", "bios_version", "bios_date", "chassis_type"} {
		if v := read("/sys/class/dmi/id/" + name); v != "" {
			if err := t.row("DMI", name, v); err != nil {
				return err
			}
		}
	}
	for _, kind := range []struct{ name, pattern string }{{"PCI", "/sys/bus/pci/devices/*"}, {"USB", "/sys/bus/usb/devices/*"}, {"Disk", "/sys/block/*"}} {
		list, err := filepath.Glob(kind.pattern)
		if err != nil {
			return err
		}
		for _, dir := range list[:min(len(list), 1000)] {
			var v []string
			for _, f := range []string{"vendor", "device", "class", "idVendor", "idProduct", "manufacturer", "product", "size", "removable", "device/model", "device/vendor"} {
				if s := read(filepath.Join(dir, f)); s != "" {
					v = append(v, f+" "+s)
				}
			}
			if err := t.row(kind.name, filepath.Base(dir), strings.Join(v, ", ")); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return t.end()
}

// foreign are kinds of file systems whose server may not answer.
var foreign = map[string]bool{"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "smbfs": true, "ceph": true, "9p": true, "afs": true, "glusterfs": true, "lustre": true,
	"ocfs2": true, "gfs2": true, "ncpfs": true, "coda": true, "virtiofs": true, "autofs": true, "davfs": true, "beegfs": true, "orangefs": true, "pvfs2": true}

// mount is a line of mountinfo.
type mount struct {
	root, at, kind, source, options string
	dev                             uint64
}

// isForeign reports whether the mount may hang: a network's, or a program's in user space.
func (m *mount) isForeign() bool {
	return foreign[m.kind] || strings.HasPrefix(m.kind, "fuse") && m.kind != "fuseblk"
}

func readMounts() (list []mount, err error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() && len(list) < maxEntries {
		if m, ok := parseMount(lines.Text()); ok {
			list = append(list, m)
		}
	}
	return list, lines.Err()
}

// parseMount reads a line of /proc/self/mountinfo (proc(5)).
func parseMount(line string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	f, g := strings.Fields(before), strings.Fields(after)
	if len(f) < 6 || len(g) < 2 {
		return m, false
	}
	major, minor, _ := strings.Cut(f[2], ":")
	a, err := strconv.ParseUint(major, 10, 32)
	b, err2 := strconv.ParseUint(minor, 10, 32)
	m = mount{root: unescape(f[3]), at: unescape(f[4]), options: f[5], kind: g[0], source: unescape(g[1]), dev: unix.Mkdev(uint32(a), uint32(b))}
	if len(g) > 2 {
		m.options += "," + g[2]
	}
	return m, err == nil && err2 == nil
}

// unescape takes back the octal form of blanks and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func mounts(ctx context.Context, w io.Writer) error {
	t, err := newTable(w, "Mounted on", "Source", "Type", "Options", "Bytes", "Free bytes", "Available bytes", "Inodes", "Free inodes")
	if err != nil {
		return err
	}
	list, bad := readMounts()
	for _, m := range list {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		row := []string{m.at, m.source, m.kind, m.options, "", "", "", "", ""}
		var st unix.Statfs_t
		if !m.isForeign() && unix.Statfs(m.at, &st) == nil {
			size := uint64(st.Bsize)
			for i, n := range []uint64{st.Blocks * size, st.Bfree * size, st.Bavail * size, st.Files, st.Ffree} {
				row[4+i] = strconv.FormatUint(n, 10)
			}
		}
		if err := t.row(row...); err != nil {
			return err
		}
	}
	return errors.Join(bad, t.end())
}

func addresses(_ context.Context, w io.Writer) error {
	t, err := newTable(w, "Interface", "Flags", "MTU", "Hardware address", "Address")
	if err != nil {
		return err
	}
	list, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range list[:min(len(list), maxEntries)] {
		all := []string{""}
		if as, err := i.Addrs(); err == nil && len(as) > 0 {
			all = all[:0]
			for _, a := range as {
				all = append(all, a.String())
			}
		}
		for _, a := range all {
			if err := t.row(i.Name, i.Flags.String(), strconv.Itoa(i.MTU), i.HardwareAddr.String(), a); err != nil {
				return err
			}
		}
	}
	return t.end()
}

// dump asks the kernel for a table of the network.
func dump(what int) ([]syscall.NetlinkMessage, error) {
	raw, err := syscall.NetlinkRIB(what, syscall.AF_UNSPEC)
	if err != nil {
		return nil, os.NewSyscallError("netlink", err)
	}
	return syscall.ParseNetlinkMessage(raw)
}

// Of the kernel's headers: the state of a neighbour, and what is told of it.
var neighbourStates = []struct {
	bit  uint16
	name string
}{{0x01, "incomplete"}, {0x02, "reachable"}, {0x04, "stale"}, {0x08, "delay"}, {0x10, "probe"}, {0x20, "failed"}, {0x40, "noarp"}, {0x80, "permanent"}}

const (
	neighbourAddr = 1 // NDA_DST
	neighbourMAC  = 2 // NDA_LLADDR
	neighbourSize = 12
)

func neighbours(_ context.Context, w io.Writer) error {
	t, err := newTable(w, "Address", "Hardware address", "Interface", "State")
	if err != nil {
		return err
	}
	list, err := dump(unix.RTM_GETNEIGH)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Header.Type != unix.RTM_NEWNEIGH || len(m.Data) < neighbourSize {
			continue
		}
		var at, mac, states string
		for kind, v := range attributes(m.Data[neighbourSize:]) {
			switch kind {
			case neighbourAddr:
				if a, ok := netip.AddrFromSlice(v); ok {
					at = a.String()
				}
			case neighbourMAC:
				mac = net.HardwareAddr(v).String()
			}
		}
		for _, s := range neighbourStates {
			if bits := uint16(m.Data[8]) | uint16(m.Data[9])<<8; bits&s.bit != 0 {
				states = strings.TrimSpace(states + " " + s.name)
			}
		}
		index := int(m.Data[4]) | int(m.Data[5])<<8 | int(m.Data[6])<<16 | int(m.Data[7])<<24
		if err := t.row(at, mac, interfaceName(index), states); err != nil {
			return err
		}
	}
	return t.end()
}

func interfaceName(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}

// attributes yields the attributes of a message: kind and value.
func attributes(b []byte) func(yield func(uint16, []byte) bool) {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= 4 {
			n, kind := int(b[0])|int(b[1])<<8, uint16(b[2])|uint16(b[3])<<8
			if n < 4 || n > len(b) || !yield(kind&^(1<<15|1<<14), b[4:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

const routeSize = 12

func routes(_ context.Context, w io.Writer) error {
	t, err := newTable(w, "Destination", "Gateway", "Interface", "Source", "Table", "Metric")
	if err != nil {
		return err
	}
	list, err := dump(unix.RTM_GETROUTE)
	if err != nil {
		return err
	}
	for _, m := range list {
		if m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < routeSize {
			continue
		}
		to, number := "default", func(v []byte) int {
			if len(v) < 4 {
				return 0
			}
			return int(v[0]) | int(v[1])<<8 | int(v[2])<<16 | int(v[3])<<24
		}
		var gateway, dev, source, metric string
		tab := int(m.Data[4])
		for kind, v := range attributes(m.Data[routeSize:]) {
			a, _ := netip.AddrFromSlice(v)
			switch kind {
			case unix.RTA_DST:
				to = fmt.Sprintf("%s/%d", a, m.Data[1])
			case unix.RTA_GATEWAY:
				gateway = a.String()
			case unix.RTA_PREFSRC:
				source = a.String()
			case unix.RTA_OIF:
				dev = interfaceName(number(v))
			case unix.RTA_PRIORITY:
				metric = strconv.Itoa(number(v))
			case unix.RTA_TABLE:
				tab = number(v)
			}
		}
		if err := t.row(to, gateway, dev, source, strconv.Itoa(tab), metric); err != nil {
			return err
		}
	}
	return t.end()
}

// legacyRules writes the rules of iptables' old way. Its program would load
// modules of the kernel, so it is only asked where they are in use.
func legacyRules(ctx context.Context, w io.Writer) error {
	found := false
	for _, v := range []struct{ table, program string }{{"/proc/net/ip_tables_names", "iptables-legacy-save"}, {"/proc/net/ip6_tables_names", "ip6tables-legacy-save"}} {
		raw, err := readSome(v.table, 4<<10)
		if err != nil || len(strings.TrimSpace(string(raw))) == 0 {
			continue
		}
		found = true
		if err := output(ctx, w, v.program); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("rules of iptables-legacy: %w", os.ErrNotExist)
	}
	return nil
}
