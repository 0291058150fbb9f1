package exposure

import "strings"

// ID names the product in paths and lists: "vendor-_-product", with every byte
// outside A–Z a–z 0–9 . _ + ~ : - percent-encoded, and in lower case where the
// ecosystem does not tell names apart by case. It is empty when Product is.
func (c Component) ID() string {
	if c.Product == "" {
		return ""
	}
	product := c.Product
	if foldsCase(c.Key.Ecosystem) {
		product = strings.ToLower(product)
	}
	return escapeID(c.Vendor) + "-_-" + escapeID(product)
}

// foldsCase reports whether names of the ecosystem are the same in any case.
func foldsCase(ecosystem string) bool {
	switch ecosystem {
	case "PyPI", "NuGet", "Packagist", "Hex", "Pub":
		return true
	}
	return false
}

// escapeID percent-encodes every byte that ids in paths do not take.
func escapeID(s string) string {
	i := 0
	for i < len(s) && idByte(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 8)
	for _, c := range []byte(s) {
		if idByte(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func idByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	case c == '.', c == '_', c == '+', c == '~', c == ':', c == '-':
		return true
	}
	return false
}
