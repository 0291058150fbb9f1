// Package names is what comes over the wire where a name is expected and a path is
// what somebody hopes for: one corpus for every place that makes a file name, an
// address or a header of what others say. It is proof, not product.
//
//	for _, name := range names.Hostile() { … }
package names

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hostile are names that must become nothing but a harmless name, or be refused.
func Hostile() []string {
	return []string{
		"", ".", "..", "...", " ", ". .", "-", "--help", "~", "~root", "*", "?",
		"../x", "../../../../../../etc/passwd", "x/../../y", "./x", "x/.", "x/..", "/", "//", "/etc/passwd", "//server/share/x", "x//y", "x/",
		`..\x`, `..\..\..\windows\win.ini`, `C:\Windows\x`, "C:x", `\\server\share\x`, `\\?\C:\x`, `\\.\PhysicalDrive0`, `\x`,
		"x.", "x. ", "x ", " x", "x..", "x...", "..x", ".x", ".ssh", ".htaccess", "x.json.", "uploads.",
		"%2e", "%2E%2E", "%2e%2e%2f", "%2E%2E%5C", "..%2fx", "%252e%252e%252f", "..%c0%af", "%00", "x%00.json", "x%0d%0aSet-Cookie: a=b",
		"\x00", "x\x00", "x\x00.json", "..\x00/x", "x\ny", "x\r\nX-Evil: 1", "x\ty", "x\x7f", "x\x1b[2J", "\x80\xff", "x\xc0\xae\xc0\xae/y",
		"x:stream", "x::$DATA", "x.json::$DATA", "x:$I30:$INDEX_ALLOCATION", "COM1", "com1.json", "CON", "con", "CON.json", "NUL", "nul.txt", "PRN", "AUX", "LPT9", "CONIN$", "CLOCK$",
		`x"; filename="evil.exe`, `x"`, "x'y", "x;y", "x`id`", "$(id)", "${x}", "|id", "&", "x<y>", "<script>",
		"\u202etxt.exe", "x\u202egpj.exe", "\u200f", "\u2066x\u2069", "\ufeffx", "x\u2028y", "\u2024\u2024\u2215x", "\uff0e\uff0e\uff0fx", "x\u00a0", "ﬁ", "e\u0301",
		"clients/server", "../clients/server", "admin.sock", "ca.key", "picket.db", "identity.pem", "lock", "isolation.json", "secrets.key",
		strings.Repeat("x", 64<<10), strings.Repeat("../", 22<<10), strings.Repeat("\u202e", 22<<10), strings.Repeat("x/", 32<<10), strings.Repeat(".", 64<<10),
	}
}

// Plain reports whether a name is harmless as that of a file on any system: one
// word without separators, streams, control or format characters, no device of
// Windows, not hidden, with no end that a system drops.
func Plain(name string) bool {
	if name == "" || len(name) > 255 || !utf8.ValidString(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name {
		return false
	}
	if strings.ContainsAny(name, `/\:*?"<>|`) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimSpace(stem)
	if len(stem) == 4 && (stem[:3] == "COM" || stem[:3] == "LPT") && stem[3] >= '0' && stem[3] <= '9' {
		return false
	}
	return !slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}, stem)
}
