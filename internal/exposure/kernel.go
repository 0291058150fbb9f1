package exposure

import (
	"strings"

	"github.com/picketsec/picket/internal/inventory"
	"github.com/picketsec/picket/internal/version"
)

// kernelPart says what a binary package of a kernel source is.
type kernelPart uint8

const (
	notKernel   kernelPart = iota
	kernelImage            // the image or its modules: what boots
	kernelTools            // headers, tools, documentation, metapackages
	kernelOther            // an image that is not built by the distribution
)

// kernelOf classifies a distribution package. source is the package's source
// as advisories name it: "linux" for "linux-signed-amd64". release is the
// kernel release of an image on dpkg systems ("6.1.0-31-amd64"), else "".
func (d *distro) kernelOf(p *inventory.Package) (part kernelPart, source, release string) {
	switch d.section {
	case inventory.DPKG:
		return d.debKernel(p)
	case inventory.RPM:
		return rpmKernel(p)
	case inventory.APK:
		return apkKernel(p), p.Source, ""
	}
	return notKernel, p.Source, ""
}

// apkKernel classifies a package of Alpine. One source builds several flavours
// (linux-virt is built of linux-lts), and many sources that begin with "linux-"
// are no kernel (linux-pam, linux-firmware): those of kernels are listed.
func apkKernel(p *inventory.Package) kernelPart {
	flavour, ok := strings.CutPrefix(p.Source, "linux-")
	if !ok {
		return notKernel
	}
	switch flavour {
	case "headers", "tools":
		return kernelTools
	case "lts", "virt", "stable", "edge", "rpi", "rpi2", "rpi4", "asahi", "elm", "gru", "hardened", "vanilla", "grsec", "openpax", "octeon", "starfive", "jh7100":
	default:
		return notKernel
	}
	if name, ok := strings.CutPrefix(p.Name, "linux-"); !ok || strings.HasSuffix(name, "-dev") || strings.HasSuffix(name, "-doc") {
		return kernelTools
	}
	return kernelImage
}

func (d *distro) debKernel(p *inventory.Package) (part kernelPart, source, release string) {
	source, signed := unsignedSource(p.Source)
	release, image := debImage(p.Name)
	own := source == "linux" || strings.HasPrefix(source, "linux-") && len(source) > 6 && digit(source[6])
	if d.ecosystem == "Ubuntu" { // one source per flavour: linux-aws, linux-hwe-6.5
		own = own || image && strings.HasPrefix(source, "linux-") || signed
	}
	switch {
	case own && image:
		return kernelImage, source, release
	case own, d.ecosystem == "Ubuntu" && ubuntuKernelTool(p.Name, source):
		return kernelTools, source, ""
	case image:
		return kernelOther, source, release
	}
	return notKernel, p.Source, ""
}

// unsignedSource maps the source of signed kernel images to the kernel's own:
// "linux-signed-amd64" and "linux-signed" to "linux", "linux-signed-6.1-arm64"
// to "linux-6.1", "linux-signed-aws" to "linux-aws".
func unsignedSource(source string) (string, bool) {
	rest, ok := strings.CutPrefix(source, "linux-signed")
	if !ok {
		return source, false
	}
	for _, arch := range []string{"-amd64", "-arm64", "-i386", "-armhf"} {
		rest = strings.TrimSuffix(rest, arch)
	}
	return "linux" + rest, true
}

// debImage tells whether a binary package carries a kernel or its modules, and of which release.
func debImage(name string) (release string, ok bool) {
	for _, prefix := range []string{"linux-image-unsigned-", "linux-image-", "linux-modules-extra-", "linux-modules-"} {
		rest, found := strings.CutPrefix(name, prefix)
		if !found {
			continue
		}
		rest = strings.TrimSuffix(rest, "-unsigned")
		if rest == "" || !digit(rest[0]) || strings.HasSuffix(rest, "-dbg") || strings.HasSuffix(rest, "-dbgsym") {
			return "", false
		}
		return rest, true
	}
	return "", false
}

// ubuntuKernelTool reports whether a package of a flavour's source is headers or tools.
func ubuntuKernelTool(name, source string) bool {
	if !strings.HasPrefix(source, "linux-") {
		return false
	}
	for _, prefix := range []string{"linux-headers-", "linux-tools-", "linux-buildinfo-", "linux-cloud-tools-", source + "-headers-", source + "-tools-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func rpmKernel(p *inventory.Package) (part kernelPart, source, release string) {
	switch p.Source {
	case "kernel", "kernel-rt", "kernel-uek", "kernel-default", "kernel-64k", "kernel-azure", "kernel-preempt", "kernel-rt_debug", "kernel-ml", "kernel-lt":
	default:
		return notKernel, p.Source, ""
	}
	rest, ok := strings.CutPrefix(p.Name, "kernel")
	if !ok {
		return kernelTools, p.Source, ""
	}
	image := p.Name == p.Source
	for _, suffix := range []string{"-core", "-modules", "-modules-core", "-modules-extra", "-modules-internal"} {
		image = image || strings.HasSuffix(rest, suffix)
	}
	if image {
		return kernelImage, p.Source, ""
	}
	return kernelTools, p.Source, ""
}

// kernelState is what the device says of its kernels.
type kernelState struct {
	fact   inventory.KernelFact // of the running one
	known  bool                 // fact was reported
	images []kernelImageRecord  // installed images, gathered while packages are read
}

// kernelImageRecord is one installed package that carries a kernel.
type kernelImageRecord struct {
	component Component // without role, at the version on disk
	evidence  Evidence
	runs      bool
}

// runs reports whether an image package is the kernel that runs.
func (k *kernelState) runs(d *distro, p *inventory.Package, release string) bool {
	if !k.known || k.fact.Package == "" {
		return false
	}
	switch d.section {
	case inventory.DPKG:
		return release != "" && release == k.fact.Release
	case inventory.APK:
		return p.Name == k.fact.Package
	}
	// Several versions of one rpm may be installed: the version decides. Vendors
	// write it with or without the epoch.
	return sameRPM(p.Version, k.fact.PackageVersion)
}

// sameRPM compares two rpm versions, an absent epoch being any.
func sameRPM(a, b string) bool {
	if a == b {
		return true
	}
	ae, av, aok := strings.Cut(a, ":")
	be, bv, bok := strings.Cut(b, ":")
	if !aok {
		av, ae = a, ""
	}
	if !bok {
		bv, be = b, ""
	}
	return av == bv && (!aok || !bok || ae == be)
}

// newest returns the highest of the versions that can be read, "" for none.
func newest(ecosystem string, versions []string) string {
	best := ""
	for _, v := range versions {
		if version.Valid(ecosystem, v) != nil {
			continue
		}
		if best == "" {
			best = v
		} else if n, err := version.Compare(ecosystem, v, best); err == nil && n > 0 {
			best = v
		}
	}
	return best
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// kernels turns the gathered images into uses: the running one at the version
// that runs, the others latent.
func (b *profiler) kernels() {
	onDisk := map[string][]string{}
	for _, r := range b.kernel.images {
		onDisk[r.component.Key.Name] = append(onDisk[r.component.Key.Name], r.component.Version)
	}
	explained := false
	for _, r := range b.kernel.images {
		c := r.component
		c.Role = KernelLatent
		if !r.runs {
			b.use(c, r.evidence)
			continue
		}
		explained = true
		running := c
		running.Role = KernelRunning
		if v := b.kernel.fact.PackageVersion; v != "" && !sameRPM(v, c.Version) {
			running.Version = v
			b.use(c, r.evidence) // upgraded on disk since it was booted
		}
		if v := newest(c.Key.Ecosystem, onDisk[c.Key.Name]); v != "" {
			if n, err := version.Compare(c.Key.Ecosystem, v, running.Version); err == nil && n > 0 {
				running.Disk = v
			}
		}
		if running.Version == c.Version {
			b.use(running, r.evidence)
		}
		b.use(running, Evidence{Section: inventory.Kernel, Item: "running", Package: b.kernel.fact.Package, Version: running.Version, Arch: b.kernel.fact.Machine})
	}
	switch {
	case b.noKernel:
	case !b.kernel.known:
		why := "the kernel section was not reported"
		if s := b.sections[inventory.Kernel]; s != nil && s.Reason != "" {
			why = s.Reason
		}
		b.gap(inventory.Kernel, "running kernel unknown", why)
	case !explained:
		b.gap(inventory.Kernel, "running kernel "+quoted(b.kernel.fact.Release)+" not assessed", "no installed package explains it")
	}
}
