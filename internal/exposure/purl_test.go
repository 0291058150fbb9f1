package exposure

import (
	"testing"

	"github.com/picketsec/picket/internal/advisory"
	"github.com/picketsec/picket/internal/inventory"
)

func TestPURL(t *testing.T) {
	t.Parallel()
	rocky := inventory.OS{ID: "rocky", VersionID: "9.4"}
	for _, tt := range []struct {
		name string
		os   inventory.OS
		p    inventory.Package
		want string
	}{
		{"deb-of-source", debian12, inventory.Package{Ecosystem: "deb", Name: "libssl3", Version: "3.0.15-1~deb12u1", Arch: "amd64", Source: "openssl", SourceVersion: "3.0.15-1~deb12u1"},
			"pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl"},
		{"deb-source-version", debian12, inventory.Package{Ecosystem: "deb", Name: "gcc", Version: "4:12.2.0-3", Arch: "amd64", Source: "gcc-defaults", SourceVersion: "1.203"},
			"pkg:deb/debian/gcc@4:12.2.0-3?arch=amd64&distro=debian-12&upstream=gcc-defaults%401.203"},
		{"deb-own-source", debian12, inventory.Package{Ecosystem: "deb", Name: "bash", Version: "5.2.15-2+b7", Arch: "amd64", Source: "bash", SourceVersion: "5.2.15-2"},
			"pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12&upstream=bash%405.2.15-2"},
		{"rpm-epoch", rocky, inventory.Package{Ecosystem: "rpm", Name: "openssl-libs", Version: "1:3.0.7-27.el9", Arch: "x86_64", Source: "openssl", SourceVersion: "3.0.7-27.el9"},
			"pkg:rpm/rocky-linux/openssl-libs@3.0.7-27.el9?arch=x86_64&distro=rocky-9.4&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm"},
		{"npm-scope", debian12, inventory.Package{Ecosystem: "npm", Name: "@babel/core", Version: "7.0.0"}, "pkg:npm/%40babel/core@7.0.0"},
		{"pypi", debian12, inventory.Package{Ecosystem: "pypi", Name: "Jinja2.Ext", Version: "1"}, "pkg:pypi/jinja2-ext@1"},
		{"go", debian12, inventory.Package{Ecosystem: "golang", Name: "golang.org/x/net", Version: "v0.1.0"}, "pkg:golang/golang.org/x/net@v0.1.0"},
		{"go-stdlib", debian12, inventory.Package{Ecosystem: "golang", Name: "stdlib", Version: "go1.26.3"}, "pkg:golang/stdlib@1.26.3"},
		{"maven", debian12, inventory.Package{Ecosystem: "maven", Name: "org.apache:log4j", Version: "2"}, "pkg:maven/org.apache/log4j@2"},
		{"snap", debian12, inventory.Package{Ecosystem: "snap", Name: "firefox", Version: "1", Channel: "stable"}, "pkg:generic/snap/firefox@1?channel=stable"},
		{"no-name", debian12, inventory.Package{Ecosystem: "deb"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := PURL(tt.os, tt.p); got != tt.want {
				t.Errorf("PURL = %s\nwant   %s", got, tt.want)
			}
		})
	}
}

func TestProductCodeAndID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		c        Component
		code, id string
	}{
		{Component{Vendor: "debian", Product: "openssl", Key: advisory.Key{Ecosystem: "Debian"}}, "pkg:deb/debian/openssl?arch=source", "debian-_-openssl"},
		{Component{Vendor: "debian", Product: "libstdc++", Key: advisory.Key{Ecosystem: "Debian"}}, "pkg:deb/debian/libstdc%2B%2B?arch=source", "debian-_-libstdc++"},
		{Component{Vendor: "rocky", Product: "bind", Key: advisory.Key{Ecosystem: "Rocky Linux"}}, "pkg:rpm/rocky-linux/bind?arch=source", "rocky-_-bind"},
		{Component{Vendor: "npm", Product: "@babel/core", Key: advisory.Key{Ecosystem: "npm"}}, "pkg:npm/%40babel/core", "npm-_-%40babel%2Fcore"},
		{Component{Vendor: "maven", Product: "org.a:b", Key: advisory.Key{Ecosystem: "Maven"}}, "pkg:maven/org.a/b", "maven-_-org.a:b"},
		{Component{Vendor: "pypi", Product: "Django", Key: advisory.Key{Ecosystem: "PyPI"}}, "pkg:pypi/Django", "pypi-_-django"},
		{Component{Vendor: "go", Product: "github.com/A/b", Key: advisory.Key{Ecosystem: "Go"}}, "pkg:golang/github.com/A/b", "go-_-github.com%2FA%2Fb"},
		{Component{Vendor: "debian", Product: "a<b>\x00é%", Key: advisory.Key{Ecosystem: "Debian"}}, "pkg:deb/debian/a%3Cb%3E%00%C3%A9%25?arch=source", "debian-_-a%3Cb%3E%00%C3%A9%25"},
		{Component{Vendor: "unknown", Product: "x"}, "pkg:generic/unknown/x", "unknown-_-x"},
		{Component{}, "", ""},
	} {
		if got := ProductCode(tt.c); got != tt.code {
			t.Errorf("ProductCode(%s) = %s, want %s", tt.c.Product, got, tt.code)
		}
		if got := tt.c.ID(); got != tt.id {
			t.Errorf("ID of %s = %s, want %s", tt.c.Product, got, tt.id)
		}
	}
}

// FuzzParsePURL reads foreign text as a package URL: what is taken has a name,
// and is held against a component without a panic.
func FuzzParsePURL(f *testing.F) {
	for _, s := range []string{"pkg:deb/debian/openssl@3.0.11-1?arch=source&distro=debian-12", "pkg:npm/%40babel/core@7.0.0", "pkg:rpm/rocky/openssl@3.0.7-27.el9?epoch=1",
		"pkg:maven/org.apache/x@1#sub/path", "pkg:golang/github.com/a/b@v1", "pkg:", "pkg:deb//", "pkg:deb/%00/%2F@%?%=%", "PKG:Deb/Debian/x"} {
		f.Add(s)
	}
	c := Component{Key: advisory.Key{Ecosystem: "Debian", Release: "12", Name: "openssl"}, Version: "3.0.11-1", Vendor: "debian", Product: "openssl"}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePURL(s)
		if err != nil {
			return
		}
		if p.u.Name == "" || p.u.Type == "" {
			t.Errorf("%q was taken: %+v", s, p.u)
		}
		p.Matches(c)
	})
}
