package conf

import "strings"

// Mount is one line of /proc/mounts or /etc/fstab.
type Mount struct {
	Device, Point, Type string
	Options             []string
	Line                int
}

// Mounts reads a table of mounts (fstab(5), proc_mounts(5)).
func Mounts(b []byte) []Mount {
	var out []Mount
	for n, s := range lines(b, "#", false) {
		f := strings.Fields(s)
		if len(f) < 3 {
			continue
		}
		m := Mount{Device: unescape(f[0]), Point: unescape(f[1]), Type: f[2], Line: n}
		if len(f) > 3 {
			m.Options = strings.SplitN(f[3], ",", maxWords)
		}
		out = append(out, m)
	}
	return out
}

// unescape undoes the octal escapes of white space.
func unescape(s string) string {
	if !strings.Contains(s, `\0`) && !strings.Contains(s, `\1`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// Crypttab returns the names of the mappings that crypttab(5) sets up.
func Crypttab(b []byte) []string {
	var out []string
	for _, s := range lines(b, "#", false) {
		if f := strings.Fields(s); len(f) >= 2 {
			out = append(out, f[0])
		}
	}
	return out
}
