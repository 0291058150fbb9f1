package rig

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is the file system of a Debian 12 host with packages: what an agent
// inventories with --root. It is not safe for concurrent use.
type Tree struct {
	Root     string
	Packages map[string]string // installed packages: version by name; source package and binary package are one
}

// NewTree makes a tree in root with these packages.
func NewTree(root string, packages map[string]string) (*Tree, error) {
	t := &Tree{Root: root, Packages: packages}
	for _, d := range []string{"etc", "usr/lib", "var/lib/dpkg/info", "var/lib/dpkg/updates"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			return nil, err
		}
	}
	release := "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"
	for name, content := range map[string]string{"etc/os-release": release, "etc/hostname": "rig\n", "etc/debian_version": "12.11\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	return t, t.Write()
}

// Write writes the package database as dpkg does: a new file that replaces the old one.
func (t *Tree) Write() error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(t.Packages)) {
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nPriority: optional\nSection: misc\nInstalled-Size: 100\nMaintainer: Rig <rig@picket.invalid>\nArchitecture: amd64\nVersion: %s\nDescription: package of a test\n A second line.\n\n", name, t.Packages[name])
	}
	dir := filepath.Join(t.Root, "var/lib/dpkg")
	fresh := filepath.Join(dir, "status-new")
	if err := os.WriteFile(fresh, []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(dir, "status"))
}
