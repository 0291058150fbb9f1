package collect

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/picketsec/picket/internal/agent/collect/conf"
	"github.com/picketsec/picket/internal/inventory"
)

// mountPoints are the places whose mount options are collected, beside those
// of network file systems.
func mountPoints() []string {
	return []string{"/dev/shm", "/home", "/srv", "/tmp", "/var", "/var/log", "/var/log/audit", "/var/tmp"}
}

const maxNetworkMounts = 200

// collectMounts reads what is mounted where, with which options; of another
// root what its fstab and its units mount. "encrypted:PLACE" says whether a
// place lies on an encrypted device.
func collectMounts(ctx context.Context, h Host, l Limits) *inventory.Section {
	s, no := beginSettings(inventory.Mounts, h, l)
	if no != nil {
		return no
	}
	fstab, err := s.config("etc/fstab")
	if fstab == nil && err == nil && !h.Live {
		return absent(inventory.Mounts, "the root file system has no /etc/fstab: what is mounted where is decided by whoever runs it")
	}
	table, source := conf.Mounts(fstab), "/etc/fstab"
	if h.Live {
		table, source, err = s.mountTable()
	}
	if err != nil {
		return s.done(ctx)
	}
	mounted := map[string]conf.Mount{}
	network := 0
	for _, m := range table {
		if m.Point = path.Clean(m.Point); m.Point == "/" || slices.Contains(mountPoints(), m.Point) {
			mounted[m.Point] = m // the last one covers the others
			continue
		}
		if networkFS(m.Type) && m.Point != "none" {
			if network++; network <= maxNetworkMounts {
				s.both("network:"+clean(m.Point, maxWord), m.Type, sorted(m.Options), source)
			}
		}
	}
	if network > maxNetworkMounts {
		s.problem("%d network file systems are mounted, the first %d were kept", network, maxNetworkMounts)
	}
	if !h.Live {
		s.unitMounts(mounted)
	}
	for _, p := range mountPoints() {
		if m, ok := mounted[p]; ok {
			from := source
			if m.Line == 0 {
				from = "/" + m.Device
			}
			s.both(p, m.Type, sorted(m.Options), from)
		} else if p == "/dev/shm" && !h.Live {
			s.unread(p, "/etc/fstab does not name it, and the root does not run: the init system's options are not known")
		}
	}
	s.encryption(mounted, table)
	return s.done(ctx)
}

func sorted(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

func networkFS(t string) bool {
	switch t {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "glusterfs", "fuse.glusterfs":
		return true
	}
	return false
}

// mountTable reads the mounts of the first process, which are the host's: the
// agent itself may live in a name space with a read-only view.
func (s *settings) mountTable() ([]conf.Mount, string, error) {
	var first error
	for _, f := range []string{"proc/1/mounts", "proc/self/mounts"} {
		b, err := s.h.read(f, 8<<20)
		if err == nil {
			return conf.Mounts(b), "/" + f, nil
		}
		if first == nil {
			first = err
		}
	}
	s.problem("/proc/1/mounts cannot be read (%s)%s", short(first), mend(first))
	return nil, "", first
}

// unitMounts adds the mounts that enabled systemd units of another root make.
func (s *settings) unitMounts(mounted map[string]conf.Mount) {
	for _, unit := range []string{"tmp.mount", "var-tmp.mount", "dev-shm.mount"} {
		for _, dir := range []string{"etc/systemd/system/", "usr/lib/systemd/system/", "lib/systemd/system/"} {
			if !s.h.exists("etc/systemd/system/local-fs.target.wants/"+unit) && !s.h.exists(dir+"local-fs.target.wants/"+unit) {
				continue
			}
			b, err := s.config(dir + unit)
			if err != nil || b == nil {
				continue
			}
			list := conf.INI(b)
			where, _ := conf.Last(list, "Mount", "Where")
			what, _ := conf.Last(list, "Mount", "Type")
			opts, _ := conf.Last(list, "Mount", "Options")
			if _, ok := mounted[where.Value]; where.Value != "" && !ok {
				mounted[where.Value] = conf.Mount{Device: dir + unit, Point: where.Value, Type: what.Value, Options: strings.Split(opts.Value, ",")}
			}
			break
		}
	}
}

// encryption puts whether the places with people's data lie on encrypted
// devices: "yes", "no", or "memory" for what never reaches a disk.
func (s *settings) encryption(mounted map[string]conf.Mount, table []conf.Mount) {
	for _, p := range []string{"/", "/home"} {
		if m, ok := mounted[p]; ok {
			s.encrypted("encrypted:"+p, m.Device, m.Type)
		}
	}
	if !s.h.Live {
		for _, m := range table {
			if m.Type == "swap" {
				s.encrypted("encrypted:swap", m.Device, "swap")
			}
		}
		return
	}
	b, err := s.h.read("proc/swaps", 64<<10)
	if err != nil {
		return
	}
	verdict, from := "", ""
	for i, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if i == 0 || len(f) == 0 {
			continue
		}
		dev := f[0]
		if len(f) > 1 && f[1] == "file" {
			dev = s.deviceOf(f[0], mounted)
		}
		switch v := s.deviceState(dev); {
		case v == "no" || verdict == "":
			verdict, from = v, f[0]
		}
	}
	if verdict != "" {
		s.set("encrypted:swap", verdict, "/proc/swaps: "+from)
	}
}

// deviceOf names the device that the file system of a path is on.
func (s *settings) deviceOf(file string, mounted map[string]conf.Mount) string {
	best := ""
	for p := range mounted {
		if (p == "/" || strings.HasPrefix(file, p+"/")) && len(p) > len(best) {
			best = p
		}
	}
	return mounted[best].Device
}

// encrypted puts one verdict.
func (s *settings) encrypted(name, device, fstype string) {
	if fstype == "tmpfs" || fstype == "ramfs" {
		s.set(name, "memory", device)
		return
	}
	if networkFS(fstype) || fstype == "zfs" || fstype == "overlay" {
		s.unread(name, fmt.Sprintf("whether a file system of type %s is encrypted is not known here", fstype))
		return
	}
	if !s.h.Live {
		s.planned(name, device)
		return
	}
	if v := s.deviceState(device); v != "" {
		s.set(name, v, device)
		return
	}
	s.unread(name, fmt.Sprintf("the device %s is not described in /sys", device))
}

// planned judges a device of another root by its crypttab.
func (s *settings) planned(name, device string) {
	b, err := s.config("etc/crypttab")
	if err != nil {
		return
	}
	maps := conf.Crypttab(b)
	mapped, ok := strings.CutPrefix(device, "/dev/mapper/")
	switch {
	case ok && slices.Contains(maps, mapped):
		s.set(name, "yes", "/etc/crypttab")
	case len(maps) == 0:
		s.set(name, "no", device+", and /etc/crypttab sets up nothing")
	default:
		s.unread(name, fmt.Sprintf("the device %s cannot be told from /etc/crypttab alone, and the root does not run", device))
	}
}

// deviceState follows a block device down to its disks: "yes" when a layer on
// every way is dm-crypt, "memory" for compressed memory, empty when /sys does
// not know the device.
func (s *settings) deviceState(device string) string {
	dev, ok := strings.CutPrefix(device, "/dev/")
	if !ok {
		return ""
	}
	at, err := s.h.resolve("dev/" + dev)
	if err != nil {
		return ""
	}
	return s.blockState(strings.ReplaceAll(strings.TrimPrefix(at, "dev/"), "/", "!"), 0)
}

func (s *settings) blockState(name string, depth int) string {
	dir, err := s.h.resolve("sys/class/block/" + name)
	if err != nil || depth > 8 {
		return ""
	}
	if strings.HasPrefix(name, "zram") {
		return "memory"
	}
	if strings.HasPrefix(s.h.line(dir+"/dm/uuid"), "CRYPT-") {
		return "yes"
	}
	list, _ := s.h.readDir(dir + "/slaves")
	if len(list) == 0 {
		return "no"
	}
	for _, e := range list {
		if v := s.blockState(e.Name(), depth+1); v != "yes" {
			return v
		}
	}
	return "yes"
}
