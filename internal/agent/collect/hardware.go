package collect

import (
	"context"
	"strconv"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// collectHardware reads the machine from /sys and /proc of the running host.
func collectHardware(ctx context.Context, h Host, l Limits) *inventory.Section {
	if !h.Live {
		return absent(inventory.Hardware, "another root file system is inventoried: it has no hardware of its own")
	}
	if !h.exists("proc/cpuinfo") && !h.exists("sys/class/dmi/id") {
		return absent(inventory.Hardware, "neither /proc/cpuinfo nor /sys/class/dmi can be read on this system")
	}
	r := begin(inventory.Hardware, l)
	dmi := func(name string) string {
		v := r.text(h.line("sys/class/dmi/id/"+name), 256)
		switch strings.ToLower(v) {
		case "to be filled by o.e.m.", "default string", "not specified", "none", "system product name", "system manufacturer", "system serial number", "0":
			return ""
		}
		return v
	}
	f := inventory.HardwareFact{
		Manufacturer: dmi("sys_vendor"),
		Model:        dmi("product_name"),
		Serial:       dmi("product_serial"),
		BIOSVersion:  dmi("bios_version"),
	}
	if f.Model == "" { // boards without DMI: the device tree
		f.Model = r.text(strings.TrimRight(h.line("proc/device-tree/model"), "\x00\ufffd"), 256)
	}
	guest := readCPU(h, r, &f)
	b, _ := h.read("proc/meminfo", 64<<10)
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			f.MemoryBytes = kb << 10
		}
	}
	f.DiskBytes = diskBytes(h)
	f.Virtual = virtual(h, f, guest)
	r.put("hardware", f)
	return r.done(ctx)
}

// readCPU fills model and count, and reports whether a hypervisor is below.
func readCPU(h Host, r *result, f *inventory.HardwareFact) (guest bool) {
	b, err := h.read("proc/cpuinfo", 8<<20)
	if err != nil {
		r.problem("/proc/cpuinfo cannot be read: %s", short(err))
	}
	for line := range strings.Lines(string(b)) {
		k, v, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		switch k, v = strings.TrimSpace(k), strings.TrimSpace(v); k {
		case "processor":
			if _, err := strconv.Atoi(v); err == nil {
				f.CPUCores++
			}
		case "model name", "Model", "cpu model":
			if f.CPUModel == "" {
				f.CPUModel = r.text(v, 256)
			}
		case "flags":
			guest = guest || strings.Contains(" "+v+" ", " hypervisor ")
		}
	}
	return guest
}

// diskBytes sums the disks: block devices with hardware behind them.
func diskBytes(h Host) uint64 {
	list, _ := h.readDir("sys/block")
	var sum uint64
	for _, e := range list {
		n := e.Name()
		if strings.HasPrefix(n, "loop") || strings.HasPrefix(n, "ram") || strings.HasPrefix(n, "zram") || strings.HasPrefix(n, "sr") || strings.HasPrefix(n, "fd") {
			continue
		}
		if !h.exists("sys/block/" + n + "/device") {
			continue
		}
		sectors, _ := strconv.ParseUint(h.line("sys/block/"+n+"/size"), 10, 50)
		sum += sectors * 512 // the unit of this file whatever the disk's sector size
	}
	return sum
}

// virtual names the container technology or hypervisor.
func virtual(h Host, f inventory.HardwareFact, guest bool) string {
	if c := h.line("run/systemd/container"); c != "" {
		return c
	}
	switch {
	case h.exists(".dockerenv"):
		return "docker"
	case h.exists("run/.containerenv"):
		return "podman"
	}
	id := strings.ToLower(f.Manufacturer + " " + f.Model)
	for _, v := range []struct{ word, name string }{
		{"vmware", "vmware"}, {"virtualbox", "virtualbox"}, {"innotek", "virtualbox"}, {"microsoft corporation virtual machine", "hyper-v"},
		{"amazon ec2", "amazon ec2"}, {"google compute engine", "google compute engine"}, {"qemu", "qemu"}, {"kvm", "kvm"}, {"xen", "xen"},
		{"parallels", "parallels"}, {"bochs", "bochs"}, {"openstack", "openstack"}, {"firecracker", "firecracker"},
	} {
		if strings.Contains(id, v.word) {
			return v.name
		}
	}
	if t := h.line("sys/hypervisor/type"); t != "" {
		return t
	}
	if guest {
		return "hypervisor"
	}
	return ""
}
