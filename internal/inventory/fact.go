package inventory

import "time"

// The package ecosystems of an endpoint. Distribution packages carry their
// distribution through OS.ID and OS.VersionID, not here.
const (
	EcoDebian  = "deb"     // dpkg: Debian, Ubuntu and their children
	EcoRPM     = "rpm"     // rpm: RHEL family, Fedora, SUSE, Amazon, Azure Linux
	EcoAlpine  = "apk"     // apk-tools: Alpine, Wolfi
	EcoSnap    = "snap"    //
	EcoFlatpak = "flatpak" //
	EcoPyPI    = "pypi"    // Python distributions, normalised name (PEP 503)
	EcoNPM     = "npm"     // npm packages, with scope: "@scope/name"
	EcoGem     = "gem"     // Ruby gems
	EcoGo      = "golang"  // Go modules linked into binaries, and "stdlib" for the toolchain
	EcoMaven   = "maven"   // Java archives: "group:artifact"
)

// OS is the operating system as os-release names it.
type OS struct {
	ID         string   `json:"id"`                   // "debian", "ubuntu", "rhel", "alpine", "windows", "darwin"
	IDLike     []string `json:"id_like,omitempty"`    // "debian", "rhel fedora"
	Name       string   `json:"name"`                 // "Debian GNU/Linux"
	PrettyName string   `json:"pretty_name"`          // "Debian GNU/Linux 12 (bookworm)"
	VersionID  string   `json:"version_id"`           // "12"; empty on rolling releases
	Version    string   `json:"version,omitempty"`    // "12 (bookworm)"
	Codename   string   `json:"codename,omitempty"`   // "bookworm"
	PointRel   string   `json:"point,omitempty"`      // "12.11" from /etc/debian_version and its like
	Family     string   `json:"family"`               // "linux", "windows", "darwin"
	Arch       string   `json:"arch"`                 // GOARCH words: "amd64", "arm64", "386"
	Hostname   string   `json:"hostname"`             // short or full, as the host says it
	FQDN       string   `json:"fqdn,omitempty"`       // when the host knows it
	MachineID  string   `json:"machine_id,omitempty"` // SHA-256 of /etc/machine-id, evidence only, never identity
	Timezone   string   `json:"timezone,omitempty"`   //
}

// KernelFact is the running kernel. Installed kernels are dpkg or rpm packages.
type KernelFact struct {
	Release string `json:"release"` // uname -r: "6.1.0-31-amd64"
	Version string `json:"version"` // uname -v: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.128-1 (2025-02-07)"
	Machine string `json:"machine"` // uname -m
	// Package and PackageVersion name the binary package that the running
	// kernel came from, empty where none is installed that carries this release
	// (a vendor's own kernel): its exposure is then not assessed.
	Package        string    `json:"package,omitempty"`
	PackageVersion string    `json:"package_version,omitempty"` // as uname -v says it; else the installed package's
	BootID         string    `json:"boot_id,omitempty"`
	BootTime       time.Time `json:"boot_time,omitzero"`
}

// HardwareFact is the machine under the operating system.
type HardwareFact struct {
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	Serial       string `json:"serial,omitempty"`
	BIOSVersion  string `json:"bios_version,omitempty"`
	CPUModel     string `json:"cpu_model,omitempty"`
	CPUCores     int    `json:"cpu_cores,omitempty"`
	MemoryBytes  uint64 `json:"memory_bytes,omitempty"`
	DiskBytes    uint64 `json:"disk_bytes,omitempty"`
	Virtual      string `json:"virtual,omitempty"` // hypervisor or container technology when known
}

// Interface is one network interface.
type Interface struct {
	Name      string   `json:"name"`
	MAC       string   `json:"mac,omitempty"` // lower case with colons
	Up        bool     `json:"up"`
	Loopback  bool     `json:"loopback,omitempty"`
	Addresses []string `json:"addresses"` // without prefix length
}

// Package is one installed software package, as its own database says it.
// The item key is unique per section: "name:arch" for dpkg, "name-arch@version"
// where several versions may be installed, "name@path" for language packages.
type Package struct {
	Ecosystem string `json:"eco"`
	Name      string `json:"name"`
	Version   string `json:"version"` // full: epoch, upstream and revision ("1:2.3-4"); as written, also when unreadable
	Arch      string `json:"arch,omitempty"`
	// Source and SourceVersion are what distribution advisories speak of. A
	// collector fills both for distribution packages, also when they equal Name and Version.
	Source        string `json:"source,omitempty"`
	SourceVersion string `json:"source_version,omitempty"`
	Vendor        string `json:"vendor,omitempty"`  // maintainer, publisher or rpm vendor as written
	Module        string `json:"module,omitempty"`  // rpm modularity label "name:stream"
	Channel       string `json:"channel,omitempty"` // snap channel, flatpak branch
	// Origin is the "Origin" of the package repository that offers exactly this
	// version ("Debian", "Docker"), empty when the host does not know. A known
	// origin that is not the distribution's own makes the package not assessed.
	Origin  string `json:"origin,omitempty"`
	Summary string `json:"summary,omitempty"` // one line, capped
	// Paths are the places where it was found: the database for distribution
	// packages, the metadata file, archive or binary for others ("a.jar!/lib/b.jar" for nested archives).
	Paths []string `json:"paths,omitempty"`
	// InstalledAt is when the package's own database says that it came, when it says so.
	InstalledAt time.Time `json:"installed_at,omitzero"`
	// Residual says that only configuration files remain (dpkg "rc"): listed, never assessed.
	Residual bool `json:"residual,omitempty"`
	// NoSource says that whoever reported the package does not say which source
	// it was built from: where advisories speak of sources it is not assessed.
	NoSource bool `json:"no_source,omitempty"`
	// Unassessed is why whoever reported the package says that it cannot be judged; empty when it can.
	Unassessed string `json:"unassessed,omitempty"`
}

// Update is one package that the host's own package manager would upgrade now.
type Update struct {
	Name      string `json:"name"`
	Arch      string `json:"arch,omitempty"`
	Source    string `json:"source,omitempty"`
	Installed string `json:"installed"`
	Candidate string `json:"candidate"`
	Suite     string `json:"suite,omitempty"`  // "bookworm-security"
	Origin    string `json:"origin,omitempty"` // "Debian"
	Security  bool   `json:"security"`         // comes from a security archive
}

// RestartNeed is a package of which old files, replaced on disk, are still
// mapped by running processes: fixed on disk, not in memory.
type RestartNeed struct {
	Package        string    `json:"package"`                   // binary package that owns the path
	Source         string    `json:"source,omitempty"`          //
	Installed      string    `json:"installed,omitempty"`       // source version on disk now
	RunningVersion string    `json:"running_version,omitempty"` // source version still in memory, when the package manager's log tells it
	Paths          []string  `json:"paths"`                     // the deleted files, at most 20
	Processes      []Process `json:"processes"`                 // at most 20
}

// Process is a process seen by the restart collector.
type Process struct {
	PID   int       `json:"pid"`
	Name  string    `json:"name"`
	Start time.Time `json:"start,omitzero"`
}

// Setting is one fact of how a host is configured, as it is in effect. The
// item key is its name ("kernel.kptr_restrict", "permitrootlogin"), which
// docs/posture.md lists by section. In a section that is complete a name that
// is absent is not set on the host; in a partial one it may be either.
type Setting struct {
	Value string   `json:"value,omitempty"` // as the program understands it: words in lower case, times in seconds
	List  []string `json:"list,omitempty"`  // for settings of several values, and for what offends
	// Source is where the value comes from: "/etc/ssh/sshd_config:12", or
	// "default" where nothing sets it and the program's own default holds.
	Source string `json:"source,omitempty"`
	// Unread says why the setting could not be read; value and list say nothing then.
	Unread string `json:"unread,omitempty"`
}
