package exposure

import (
	"errors"
	"slices"
	"strings"

	packageurl "github.com/package-url/packageurl-go"

	"github.com/picketsec/picket/internal/advisory"
)

// ComponentURL is the package URL of a component with its version, and with
// its distribution where it is a distribution's: what statements about it name.
// It is empty when the component has no product.
func ComponentURL(c Component) string {
	if c.Product == "" {
		return ""
	}
	u := productURL(c)
	u.Version = c.Version
	if ofDistribution(u.Type) {
		if epoch, rest, ok := strings.Cut(c.Version, ":"); ok && u.Type == packageurl.TypeRPM {
			u.Version = rest
			u.Qualifiers = append(u.Qualifiers, packageurl.Qualifier{Key: "epoch", Value: epoch})
		}
		if c.Key.Release != "" {
			u.Qualifiers = append(u.Qualifiers, packageurl.Qualifier{Key: "distro", Value: u.Namespace + "-" + c.Key.Release})
		}
		slices.SortFunc(u.Qualifiers, func(a, b packageurl.Qualifier) int { return strings.Compare(a.Key, b.Key) })
	}
	return u.ToString()
}

func ofDistribution(kind string) bool {
	return kind == packageurl.TypeDebian || kind == packageurl.TypeRPM || kind == packageurl.TypeApk
}

// PURLPattern is a package URL that components are held against.
type PURLPattern struct {
	u packageurl.PackageURL
	q map[string]string
}

// ParsePURL reads a package URL.
func ParsePURL(s string) (PURLPattern, error) {
	u, err := packageurl.FromString(s)
	if err != nil || u.Name == "" {
		return PURLPattern{}, errors.Join(errors.New("this is no package URL"), err)
	}
	return PURLPattern{u: u, q: u.Qualifiers.Map()}, nil
}

// Matches reports whether the package URL names a component: type, namespace
// and name, and the version and every qualifier that it has. Packages of
// distributions are named by their source package, in the name or as "upstream".
func (p PURLPattern) Matches(c Component) bool {
	if c.Product == "" || p.u.Subpath != "" {
		return false
	}
	own := productURL(c)
	own.Version = ""
	if full, err := packageurl.FromString(own.ToString()); err == nil {
		own = full // names in the case that package URLs have
	}
	name, version := p.u.Name, p.u.Version
	distribution := ofDistribution(own.Type)
	if epoch := p.q["epoch"]; distribution && version != "" && epoch != "" && epoch != "0" && !strings.Contains(version, ":") {
		version = epoch + ":" + version
	}
	named := name == own.Name || distribution && name == c.Key.Name
	if up := p.q["upstream"]; distribution && up != "" && own.Type != packageurl.TypeRPM {
		source, v, ok := strings.Cut(up, "@")
		named = source == own.Name
		if ok {
			version = v
		}
	}
	if p.u.Type != own.Type || !named || namespaceOf(p.u.Namespace) != own.Namespace {
		return false
	}
	if version != "" && bareURLVersion(own.Type, version) != bareURLVersion(own.Type, c.Version) {
		return false
	}
	for key, value := range p.q {
		switch {
		case key == "epoch" && distribution, key == "upstream" && distribution:
		case key == "arch" && distribution && (value == "source" || value == "src"):
		case key == "distro" && distribution:
			if !ofRelease(value, own.Namespace, c.Key.Release) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// bareURLVersion takes off what tools write or leave out as they like.
func bareURLVersion(kind, v string) string {
	switch kind {
	case packageurl.TypeRPM, packageurl.TypeDebian:
		return strings.TrimPrefix(v, "0:")
	case packageurl.TypeGolang:
		return strings.TrimPrefix(strings.TrimPrefix(v, "go"), "v")
	}
	return v
}

// ofRelease reports whether "debian-12", "debian-12.5" or "bookworm" is a release.
func ofRelease(value, namespace, release string) bool {
	value = strings.ToLower(value)
	id, version := namespace, value
	if i := strings.LastIndexByte(value, '-'); i > 0 {
		id, version = namespaceOf(value[:i]), value[i+1:]
	}
	version = advisory.DebianRelease(version)
	return id == namespace && release != "" && (version == release || strings.HasPrefix(version, release+"."))
}
