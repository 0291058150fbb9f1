package collect

import (
	"context"
	"path"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// collectRuby lists the gems that have a specification anywhere on the disk.
func (s *sweep) collectRuby(ctx context.Context, h Host, l Limits) *inventory.Section {
	r := begin(inventory.Ruby, l)
	files := s.take(ctx, h, r, gemKind)
	owner := owners(ctx, h, l, files)
	for _, f := range files {
		l.yield()
		if ctx.Err() != nil {
			break
		}
		b, err := h.readAt(f, min(l.MaxFileBytes, 1<<20))
		if err != nil {
			r.skip("gem specification that cannot be read (" + short(err) + ")")
			continue
		}
		name, version := parseGemspec(string(b))
		if name == "" || version == "" {
			name, version = gemFileName(path.Base(f))
		}
		if name == "" || version == "" {
			r.skip("gem specification without name or version")
			continue
		}
		p := inventory.Package{
			Ecosystem: inventory.EcoGem, Name: r.text(name, maxName), Version: r.text(version, maxVersion),
			Source: owner[f], Paths: []string{r.text(abs(f), maxPath)},
		}
		r.put(p.Name+"@"+p.Paths[0], p)
	}
	return r.done(ctx)
}

// parseGemspec reads name and version from a specification as RubyGems writes
// it: s.name = "rake".freeze, s.version = "13.0.6" or Gem::Version.new("13.0.6").
// Values that are computed are not evaluated and stay empty.
func parseGemspec(s string) (name, version string) {
	for line := range strings.Lines(s) {
		left, right, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		_, field, ok := strings.Cut(strings.TrimSpace(left), ".")
		if !ok {
			continue
		}
		switch field {
		case "name":
			if name == "" {
				name = rubyString(right)
			}
		case "version":
			if version == "" {
				v := strings.TrimSpace(right)
				v = strings.TrimPrefix(v, "Gem::Version.new(")
				version = rubyString(v)
			}
		}
		if name != "" && version != "" {
			break
		}
	}
	return name, version
}

// rubyString returns a string literal without interpolation at the start of s.
func rubyString(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '"' && s[0] != '\'' {
		return ""
	}
	v, _, ok := strings.Cut(s[1:], s[:1])
	if !ok || strings.Contains(v, "#{") || strings.Contains(v, `\`) {
		return ""
	}
	return v
}

// gemFileName splits "nokogiri-1.13.0-x86_64-linux.gemspec".
func gemFileName(base string) (name, version string) {
	base = strings.TrimSuffix(base, ".gemspec")
	parts := strings.Split(base, "-")
	for i := 1; i < len(parts); i++ {
		if v := parts[i]; v != "" && v[0] >= '0' && v[0] <= '9' {
			return strings.Join(parts[:i], "-"), v
		}
	}
	return "", ""
}
