const vendors: Record<string, string> = {
  debian: "Debian", ubuntu: "Ubuntu", alpine: "Alpine Linux", almalinux: "AlmaLinux", rocky: "Rocky Linux", red_hat: "Red Hat", centos: "CentOS",
  fedora: "Fedora", oracle_linux: "Oracle Linux", amazon_linux: "Amazon Linux", azure_linux: "Azure Linux", opensuse: "openSUSE", suse: "SUSE",
  wolfi: "Wolfi", chainguard: "Chainguard", pypi: "PyPI", npm: "npm", go: "Go", maven: "Maven", rubygems: "RubyGems", snap: "Snap Store", flatpak: "Flatpak",
  unknown: "Not known",
};
/** Who a package comes from, by the word in product ids: "red_hat" is "Red Hat". */
export const vendor = (v: string): string => vendors[v] ?? v;
export const vendorNames: readonly string[] = Object.keys(vendors);
