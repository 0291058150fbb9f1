package simulate

import (
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// distribution is what a release says of itself, and how often it is drawn.
type distribution struct {
	file      string // of the package list
	section   inventory.SectionName
	weight    int
	id        string
	versionID string
	name      string
	version   string // behind the number in os-release: "12 (bookworm)"
	codename  string
	idLike    []string
	origin    string    // of its packages
	vendor    string    // of its packages
	born      time.Time // first release
	desktop   bool      // used on desktops
	rebuild   string    // what ".alma" in a version becomes
}

// distributions lists the releases that are simulated.
func distributions() []distribution {
	date := func(y int, m time.Month) time.Time { return time.Date(y, m, 15, 9, 0, 0, 0, time.UTC) }
	debian := func(v, codename string, weight int, born time.Time) distribution {
		return distribution{file: "debian-" + v, section: inventory.DPKG, weight: weight, id: "debian", versionID: v, name: "Debian GNU/Linux",
			version: v + " (" + codename + ")", codename: codename, origin: "Debian", born: born, desktop: true}
	}
	ubuntu := func(v, codename, title string, weight int, born time.Time) distribution {
		return distribution{file: "ubuntu-" + v, section: inventory.DPKG, weight: weight, id: "ubuntu", versionID: v, name: "Ubuntu", version: title,
			codename: codename, idLike: []string{"debian"}, origin: "Ubuntu", born: born, desktop: true,
			vendor: "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>"}
	}
	enterprise := func(id, name, v, title, vendor, rebuild string, weight int, born time.Time) distribution {
		return distribution{file: "el-" + v, section: inventory.RPM, weight: weight, id: id, versionID: v, name: name, version: title,
			idLike: []string{"rhel", "centos", "fedora"}, vendor: vendor, born: born, rebuild: rebuild}
	}
	alpine := func(v string, weight int, born time.Time) distribution {
		return distribution{file: "alpine-" + v, section: inventory.APK, weight: weight, id: "alpine", versionID: v, name: "Alpine Linux", born: born}
	}
	return []distribution{
		debian("11", "bullseye", 13, date(2021, 8)),
		debian("12", "bookworm", 24, date(2023, 6)),
		debian("13", "trixie", 12, date(2025, 8)),
		ubuntu("20.04", "focal", "Focal Fossa", 8, date(2020, 4)),
		ubuntu("22.04", "jammy", "Jammy Jellyfish", 12, date(2022, 4)),
		ubuntu("24.04", "noble", "Noble Numbat", 10, date(2024, 4)),
		enterprise("almalinux", "AlmaLinux", "8", "", "AlmaLinux", ".alma", 2, date(2021, 3)),
		enterprise("almalinux", "AlmaLinux", "9", "", "AlmaLinux", ".alma", 4, date(2022, 5)),
		enterprise("rocky", "Rocky Linux", "8", "Green Obsidian", "Rocky Enterprise Software Foundation", ".rocky.0", 2, date(2021, 6)),
		enterprise("rocky", "Rocky Linux", "9", "Blue Onyx", "Rocky Enterprise Software Foundation", ".rocky.0", 4, date(2022, 7)),
		alpine("3.18", 2, date(2023, 5)),
		alpine("3.19", 3, date(2023, 12)),
		alpine("3.20", 4, date(2024, 5)),
	}
}

// role is what a device is for: the groups that it has, and where.
type role struct {
	name    string // begins its host name
	weight  int
	desktop bool
	choices []string // one is drawn: names of groups, parted by commas
}

// roles lists what devices are for. Only what a release has packages for is drawn.
func roles() []role {
	return []role{
		{"web", 22, false, []string{"nginx", "nginx,php", "nginx,node", "nginx,python", "nginx,ruby", "apache", "apache,php", "apache,php,mysql", "proxy"}},
		{"db", 13, false, []string{"mysql", "pgsql", "pgsql,redis", "redis"}},
		{"app", 12, false, []string{"java", "java,activemq", "python", "node"}},
		{"build", 8, false, []string{"build", "build,java,node", "build,python"}},
		{"ws", 17, true, []string{"desktop", "desktop,chromium", "desktop,build", "desktop,chromium,dnsmasq"}},
		{"node", 12, false, []string{"container"}},
		{"bastion", 4, false, []string{"bastion"}},
		{"mail", 4, false, []string{"mail", "mail,apache,php", "exim"}},
		{"dns", 4, false, []string{"dns"}},
		{"file", 4, false, []string{"file"}},
		{"mon", 3, false, []string{"monitoring,nginx", "monitoring,pgsql"}},
	}
}

// policy is how a device is patched.
type policy struct {
	name    string
	weight  int
	lag     [2]float64 // share of the versions that it is behind at first: from, to
	wave    float64    // how much of a wave of fixes it takes when its day comes
	reboots float64    // chance per day that a new kernel is booted
}

// policies lists how devices are patched, from well to not at all.
func policies() []policy {
	return []policy{
		{"current", 24, [2]float64{0, 0}, 1, 0.8},
		{"steady", 32, [2]float64{0, 0.35}, 0.9, 0.35},
		{"slow", 26, [2]float64{0.3, 0.8}, 0.3, 0.08},
		{"frozen", 18, [2]float64{0.85, 1}, 0, 0.02},
	}
}

// site is a place of the organisation.
type site struct {
	code, domain, zone string
}

func sites() []site {
	return []site{
		{"fra", "prod.example.com", "Europe/Berlin"},
		{"ams", "prod.example.com", "Europe/Amsterdam"},
		{"iad", "us.example.com", "America/New_York"},
		{"sfo", "us.example.com", "America/Los_Angeles"},
		{"sin", "apac.example.com", "Asia/Singapore"},
		{"lon", "corp.example.net", "Europe/London"},
		{"lab", "lab.example.net", "Etc/UTC"},
	}
}

// machine is a kind of hardware. Kinds for servers have no laptops among them.
type machine struct {
	manufacturer, model, bios, cpu, virtual string
	oui                                     string // first half of hardware addresses
	iface                                   string
	group                                   string // tools that it needs
	cores, memory                           []int  // one of them each; GiB
	desktop                                 bool
}

func machines() []machine {
	return []machine{
		{"VMware, Inc.", "VMware7,1", "VMW71.00V.21100432.B64.2301110304", "Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", "vmware", "00:50:56", "ens192", "vmware", []int{2, 4, 8}, []int{4, 8, 16, 32}, false},
		{"QEMU", "Standard PC (Q35 + ICH9, 2009)", "1.16.2-debian-1.16.2-1", "AMD EPYC 7543 32-Core Processor", "qemu", "52:54:00", "enp1s0", "cloud", []int{2, 4, 8}, []int{2, 4, 8, 16}, false},
		{"Amazon EC2", "m5.xlarge", "1.0", "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", "amazon ec2", "02:ab:7c", "ens5", "cloud", []int{2, 4, 8}, []int{8, 16, 32}, false},
		{"Microsoft Corporation", "Virtual Machine", "Hyper-V UEFI Release v4.1", "Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "hyper-v", "00:15:5d", "eth0", "cloud", []int{2, 4}, []int{4, 8, 16}, false},
		{"Dell Inc.", "PowerEdge R650", "1.12.1", "Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz", "", "d0:8e:79", "eno1", "", []int{16, 32, 64}, []int{64, 128, 256}, false},
		{"HPE", "ProLiant DL360 Gen10", "U32", "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz", "", "94:18:82", "eno1", "", []int{20, 40}, []int{96, 192}, false},
		{"Dell Inc.", "Latitude 5440", "1.19.0", "13th Gen Intel(R) Core(TM) i5-1345U", "", "c8:4b:d6", "wlp0s20f3", "", []int{12}, []int{16, 32}, true},
		{"LENOVO", "21HDCTO1WW", "N3QET44W (1.44 )", "13th Gen Intel(R) Core(TM) i7-1365U", "", "38:f3:ab", "wlp0s20f3", "", []int{12}, []int{16, 32}, true},
		{"HP", "HP EliteDesk 800 G6 Desktop Mini PC", "S21 Ver. 02.15.01", "Intel(R) Core(TM) i5-10500T CPU @ 2.30GHz", "", "c4:65:16", "eno1", "", []int{12}, []int{8, 16}, true},
	}
}
