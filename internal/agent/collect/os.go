package collect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"io"
	"path"
	"runtime"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

func osPaths() []string {
	return []string{"etc/os-release", "usr/lib/os-release", "etc/debian_version", "etc/hostname", "etc/hosts", "etc/machine-id", "etc/localtime"}
}

// collectOS reads what the system says of itself: os-release and its
// relatives; on a live host of another family, the system calls.
func collectOS(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.OSSection, l)
	o := inventory.OS{Family: "linux"}
	release, err := h.read("etc/os-release", 64<<10)
	if err != nil {
		release, err = h.read("usr/lib/os-release", 64<<10)
	}
	switch {
	case err == nil:
		readOSRelease(r, release, &o)
	case h.Live && runtime.GOOS != "linux":
		platformOS(h, r, &o)
	default:
		guessOS(h, &o)
		r.problem("/etc/os-release and /usr/lib/os-release cannot be read (%s): the distribution is known only in part", short(err))
	}
	o.PointRel = pointRelease(h, o.ID)
	o.Arch = hostArch(h)
	o.Hostname, o.FQDN = hostNames(h)
	if id, err := h.read("etc/machine-id", 4096); err == nil {
		if id = bytes.TrimSpace(id); len(id) > 0 {
			sum := sha256.Sum256(id)
			o.MachineID = hex.EncodeToString(sum[:])
		}
	}
	o.Timezone = timezone(h)
	r.put("os", o)
	return r.done(ctx)
}

// readOSRelease fills o from an os-release file (os-release(5)).
func readOSRelease(r *result, b []byte, o *inventory.OS) {
	for line := range strings.Lines(string(b)) {
		k, v, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		v = r.text(unquote(v), 256)
		switch k {
		case "ID":
			o.ID = strings.ToLower(v)
		case "ID_LIKE":
			o.IDLike = strings.Fields(v)
		case "NAME":
			o.Name = v
		case "PRETTY_NAME":
			o.PrettyName = v
		case "VERSION_ID":
			o.VersionID = v
		case "VERSION":
			o.Version = v
		case "VERSION_CODENAME":
			o.Codename = v
		case "UBUNTU_CODENAME":
			if o.Codename == "" {
				o.Codename = v
			}
		}
	}
	if o.ID == "" {
		o.ID = "linux" // the default of os-release(5)
	}
}

// unquote undoes the shell quoting of os-release values.
func unquote(v string) string {
	if len(v) < 2 || (v[0] != '"' && v[0] != '\'') || v[len(v)-1] != v[0] {
		return v
	}
	single := v[0] == '\''
	v = v[1 : len(v)-1]
	if single || !strings.Contains(v, `\`) {
		return v
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] == '\\' && i+1 < len(v) {
			i++
		}
		b.WriteByte(v[i])
	}
	return b.String()
}

// guessOS names a distribution that has no os-release by the file that only it has.
func guessOS(h Host, o *inventory.OS) {
	for _, g := range []struct{ file, id string }{
		{"etc/debian_version", "debian"}, {"etc/alpine-release", "alpine"}, {"etc/centos-release", "centos"},
		{"etc/oracle-release", "ol"}, {"etc/redhat-release", "rhel"},
	} {
		s := h.line(g.file)
		if s == "" {
			continue
		}
		o.ID, o.PrettyName = g.id, s
		for _, w := range strings.Fields(s) {
			if w[0] >= '0' && w[0] <= '9' {
				o.VersionID = w
				if g.id == "debian" || g.id == "centos" {
					o.VersionID, _, _ = strings.Cut(w, ".")
				}
				return
			}
		}
		return
	}
}

// pointRelease returns the full release number where os-release holds only its
// beginning.
func pointRelease(h Host, id string) string {
	for _, f := range []struct{ id, file string }{
		{"debian", "etc/debian_version"}, {"alpine", "etc/alpine-release"}, {"centos", "etc/centos-release"},
	} {
		if f.id != id {
			continue
		}
		for _, w := range strings.Fields(h.line(f.file)) {
			if w[0] >= '0' && w[0] <= '9' {
				return w
			}
		}
	}
	return ""
}

// hostArch returns the architecture in GOARCH words: as the package database
// names it, else from the header of the shell, else (live) that of the agent.
func hostArch(h Host) string {
	for _, f := range []string{"var/lib/dpkg/arch", "etc/apk/arch"} {
		if a := h.line(f); a != "" {
			return goArch(a)
		}
	}
	for _, f := range []string{"bin/sh", "usr/bin/env", "sbin/init", "lib64/ld-linux-x86-64.so.2"} {
		if a := elfArch(h, f); a != "" {
			return a
		}
	}
	if h.Live {
		return runtime.GOARCH
	}
	return ""
}

// goArch turns an architecture word of uname, dpkg, rpm or apk into Go's.
func goArch(a string) string {
	switch a {
	case "x86_64":
		return "amd64"
	case "i386", "i486", "i586", "i686", "x86":
		return "386"
	case "aarch64":
		return "arm64"
	case "armhf", "armel", "armv7", "armv7l", "armv7hl", "armv6l":
		return "arm"
	case "ppc64el":
		return "ppc64le"
	case "mips64el":
		return "mips64le"
	}
	return clean(a, 32)
}

func elfArch(h Host, name string) string {
	f, _, err := h.open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	var b [20]byte
	if _, err := io.ReadFull(f, b[:]); err != nil || string(b[:4]) != elf.ELFMAG {
		return ""
	}
	little := b[elf.EI_DATA] == byte(elf.ELFDATA2LSB)
	machine := elf.Machine(uint16(b[18]) | uint16(b[19])<<8)
	if !little {
		machine = elf.Machine(uint16(b[19]) | uint16(b[18])<<8)
	}
	switch machine {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_386:
		return "386"
	case elf.EM_AARCH64:
		return "arm64"
	case elf.EM_ARM:
		return "arm"
	case elf.EM_RISCV:
		return "riscv64"
	case elf.EM_S390:
		return "s390x"
	case elf.EM_PPC64:
		if little {
			return "ppc64le"
		}
		return "ppc64"
	case elf.EM_LOONGARCH:
		return "loong64"
	}
	return ""
}

// hostNames returns the host's name as it says it, and its full name where
// /etc/hosts or the name itself gives a domain.
func hostNames(h Host) (name, fqdn string) {
	if h.Live {
		if name = h.line("proc/sys/kernel/hostname"); name == "" {
			name = platformHostname()
		}
	}
	if name == "" {
		b, _ := h.read("etc/hostname", 64<<10)
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				name = line
				break
			}
		}
	}
	name = clean(name, 255)
	if strings.Contains(name, ".") {
		return name, name
	}
	if name == "" {
		return "", ""
	}
	b, _ := h.read("etc/hosts", 1<<20)
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		mine, full := false, ""
		for _, w := range words[1:] {
			if strings.EqualFold(w, name) {
				mine = true
			}
			if full == "" && len(w) > len(name) && w[len(name)] == '.' && strings.EqualFold(w[:len(name)], name) {
				full = w
			}
		}
		if mine && full != "" {
			return name, clean(full, 255)
		}
	}
	return name, ""
}

func timezone(h Host) string {
	if z := h.line("etc/timezone"); z != "" {
		return z
	}
	at, err := h.resolve("etc/localtime")
	if err != nil {
		return ""
	}
	if _, z, ok := strings.Cut(path.Join("/", at), "/zoneinfo/"); ok {
		return clean(z, 64)
	}
	return ""
}
