package collect

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// collectKernel reads the running kernel and the package that it came from.
func collectKernel(ctx context.Context, h Host, l Limits) *inventory.Section {
	if !h.Live {
		return absent(inventory.Kernel, "another root file system is inventoried: no kernel of it is running")
	}
	r := begin(inventory.Kernel, l)
	release := h.line("proc/sys/kernel/osrelease")
	if release == "" {
		return absent(inventory.Kernel, "/proc/sys/kernel/osrelease cannot be read: this is not Linux, or /proc is not mounted")
	}
	k := inventory.KernelFact{Release: r.text(release, 128), Version: r.text(h.line("proc/sys/kernel/version"), 256)}
	if k.Machine = r.text(h.line("proc/sys/kernel/arch"), 32); k.Machine == "" {
		k.Machine = r.text(platformMachine(), 32)
	}
	k.BootID = r.text(h.line("proc/sys/kernel/random/boot_id"), 64)
	k.BootTime = bootTime(h)
	name, version, err := kernelPackage(ctx, h, l, release)
	if err != nil {
		r.problem("the package of the running kernel cannot be looked up: %s", short(err))
	}
	if name != "" {
		k.Package, k.PackageVersion = r.text(name, maxName), r.text(version, maxVersion)
		if v := bootedVersion(h, k.Version); v != "" {
			k.PackageVersion = r.text(v, maxVersion)
		}
	}
	r.put("running", k)
	return r.done(ctx)
}

// bootTime is the "btime" line of /proc/stat.
func bootTime(h Host) time.Time {
	b, _ := h.read("proc/stat", 4<<20)
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil && n > 0 {
				return time.Unix(n, 0).UTC()
			}
		}
	}
	return time.Time{}
}

// bootedVersion is the package version that the running kernel names itself,
// which is older than the installed package's after an upgrade without a
// restart: Debian's in uname -v ("#1 SMP Debian 6.1.128-1 (2025-02-07)"),
// Ubuntu's in /proc/version_signature ("Ubuntu 6.8.0-31.31-generic 6.8.1").
func bootedVersion(h Host, version string) string {
	if _, rest, ok := strings.Cut(version, " Debian "); ok {
		if v, _, _ := strings.Cut(rest, " "); v != "" {
			return v
		}
	}
	words := strings.Fields(h.line("proc/version_signature"))
	if len(words) >= 2 && words[0] == "Ubuntu" {
		if i := strings.LastIndexByte(words[1], '-'); i > strings.IndexByte(words[1], '-') {
			return words[1][:i]
		}
	}
	return ""
}

// kernelPackage returns the installed package that carries the kernel of this
// release; an empty name when there is none.
func kernelPackage(ctx context.Context, h Host, l Limits, release string) (name, version string, err error) {
	var errs []string
	for _, find := range []func(context.Context, Host, Limits, string) (string, string, error){dpkgKernel, rpmKernel, apkKernel} {
		name, version, err = find(ctx, h, l, release)
		if name != "" {
			return name, version, nil
		}
		if err != nil && !isNotExist(err) {
			errs = append(errs, err.Error())
		}
	}
	if len(errs) > 0 {
		return "", "", fmt.Errorf("%s", strings.Join(errs, ", "))
	}
	return "", "", nil
}

func dpkgKernel(ctx context.Context, h Host, l Limits, release string) (name, version string, err error) {
	err = eachDPKG(ctx, h, l, func(p dpkgPackage) {
		if p.state == "config-files" {
			return
		}
		switch image := "linux-image-" + release; {
		case p.Name == image,
			name == "" && (p.Name == image+"-unsigned" || p.Name == "linux-image-unsigned-"+release):
			name, version = p.Name, p.Version
		}
	}, nil)
	return name, version, err
}
