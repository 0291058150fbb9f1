// Package inventory is what an endpoint is: the facts that an agent collects,
// in the shape in which they are collected, carried and stored.
//
// An inventory is a set of sections, one per source of facts ("dpkg", "os",
// "java"). Each section says whether it was looked at completely, in part or
// not at all, so that "nothing there" and "did not look" never look alike:
//
//	s := inventory.NewSection(inventory.DPKG, inventory.Complete, "")
//	s.Put("libssl3:amd64", inventory.Package{Ecosystem: inventory.EcoDebian, Name: "libssl3"})
//	s.Seal()
//
// The package is pure: it does no I/O and reads no clock. Values are not safe
// for concurrent change.
package inventory

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

// DeviceID names a device: 40 lower-case hexadecimal digits, derived from the
// public key that was born on the host. Nothing else (name, address, serial
// number) is ever identity.
type DeviceID string

// Valid reports whether id is 40 lower-case hexadecimal digits.
func (id DeviceID) Valid() bool {
	if len(id) != 40 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// IDFromKey derives the device id from a public key in SubjectPublicKeyInfo
// (DER) form: the first 20 bytes of its SHA-256 digest, in hexadecimal.
func IDFromKey(spki []byte) DeviceID {
	sum := sha256.Sum256(spki)
	return DeviceID(hex.EncodeToString(sum[:20]))
}

// SectionName names one source of facts.
type SectionName string

// The sections that agents of this version send.
const (
	OSSection  SectionName = "os"         // one item "os": OS
	Kernel     SectionName = "kernel"     // one item "running": KernelFact (absent when another root is inventoried)
	Hardware   SectionName = "hardware"   // one item "hardware": HardwareFact
	Interfaces SectionName = "interfaces" // one item per interface: Interface
	DPKG       SectionName = "dpkg"       // Package per binary package
	RPM        SectionName = "rpm"        // Package per binary package
	APK        SectionName = "apk"        // Package per binary package
	Snap       SectionName = "snap"       // Package
	Flatpak    SectionName = "flatpak"    // Package
	Python     SectionName = "python"     // Package per distribution and place
	NPM        SectionName = "npm"        // Package per package and place
	Ruby       SectionName = "ruby"       // Package per gem and place
	GoBinaries SectionName = "golang"     // Package per module linked into a binary, with the binary's path
	Java       SectionName = "java"       // Package per archive entry with Maven coordinates
	Updates    SectionName = "updates"    // Update per package that the host's own package manager would upgrade
	Restart    SectionName = "restart"    // RestartNeed per package whose old files are still mapped
	Sysctl     SectionName = "sysctl"     // Setting per kernel parameter
	Boot       SectionName = "boot"       // Setting: boot loader, kernel command line, security modules, kernel modules
	Mounts     SectionName = "mounts"     // Setting per mount point, and which of them are encrypted
	Accounts   SectionName = "accounts"   // Setting: what local users and groups have in common or wrong
	Auth       SectionName = "auth"       // Setting: PAM, password rules, lock-out, sudo, shells, limits
	SSHD       SectionName = "sshd"       // Setting per keyword of the SSH server, as in effect
	Services   SectionName = "services"   // Setting per unit that is enabled or masked
	Files      SectionName = "files"      // Setting per file: mode, owner and group
	Audit      SectionName = "audit"      // Setting: audit daemon, audit rules, journal, syslog
	Firewall   SectionName = "firewall"   // Setting: packet filters and their default policies
	System     SectionName = "system"     // Setting: updates, package signatures, banners, core dumps, clock
	Apps       SectionName = "apps"       // Setting: web servers, databases, browsers, containers, SSH client
)

// SectionNames lists every known section in the order in which it is shown.
var SectionNames = []SectionName{OSSection, Kernel, Hardware, Interfaces, DPKG, RPM, APK, Snap, Flatpak,
	Python, NPM, Ruby, GoBinaries, Java, Updates, Restart,
	Sysctl, Boot, Mounts, Accounts, Auth, SSHD, Services, Files, Audit, Firewall, System, Apps}

// PackageSections lists the sections whose items are Packages.
var PackageSections = []SectionName{DPKG, RPM, APK, Snap, Flatpak, Python, NPM, Ruby, GoBinaries, Java}

// SettingSections lists the sections whose items are Settings.
var SettingSections = []SectionName{Sysctl, Boot, Mounts, Accounts, Auth, SSHD, Services, Files, Audit, Firewall, System, Apps}

// Valid reports whether n is a known section.
func (n SectionName) Valid() bool {
	for _, k := range SectionNames {
		if k == n {
			return true
		}
	}
	return false
}

// Status says how well a section was looked at.
type Status string

// The statuses of a section.
const (
	Complete      Status = "complete"       // everything was read
	Partial       Status = "partial"        // something could not be read: see Reason; what was read is there
	NotApplicable Status = "not_applicable" // the source does not exist on this host
)

// Valid reports whether s is one of the three statuses.
func (s Status) Valid() bool { return s == Complete || s == Partial || s == NotApplicable }

// Item is one keyed fact of a section. Value is compact JSON with its keys in
// the order of the Go struct, so that equal facts are equal bytes.
type Item struct {
	Key   string          `json:"k"`
	Value json.RawMessage `json:"v"`
}

// Section is everything that one source says of a device. Items are sorted by
// key and keys are unique once Seal was called.
type Section struct {
	Name   SectionName `json:"name"`
	Status Status      `json:"status"`
	// Reason says why the status is partial or not_applicable: what, where, how to mend.
	Reason string `json:"reason,omitempty"`
	// SeenAt is when the collector looked (host clock, UTC). It is not part of
	// Hash: an unchanged section travels as its hash alone.
	SeenAt time.Time `json:"seen_at"`
	Items  []Item    `json:"items"`
}

// NewSection returns an empty section.
func NewSection(name SectionName, status Status, reason string) *Section {
	return &Section{Name: name, Status: status, Reason: reason, Items: []Item{}}
}

// Put adds one fact. It panics only if v cannot be encoded as JSON, which no
// type of this package can cause.
func (s *Section) Put(key string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("inventory: encode %T: %v", v, err))
	}
	s.Items = append(s.Items, Item{Key: key, Value: raw})
}

// MarkPartial lowers the status to partial and adds a reason. Reasons are
// joined with "; ", repeated reasons are kept once, the text is capped at 2,000 bytes.
func (s *Section) MarkPartial(reason string) {
	s.Status = Partial
	switch {
	case s.Reason == "":
		s.Reason = reason
	case !strings.Contains(s.Reason, reason) && len(s.Reason) < 2000:
		s.Reason += "; " + reason
	}
	if len(s.Reason) > 2000 {
		s.Reason = s.Reason[:2000]
	}
}

// Seal sorts the items by key and drops all but the last of equal keys.
func (s *Section) Seal() {
	sort.SliceStable(s.Items, func(i, j int) bool { return s.Items[i].Key < s.Items[j].Key })
	out := s.Items[:0]
	for i, it := range s.Items {
		if i+1 < len(s.Items) && s.Items[i+1].Key == it.Key {
			continue
		}
		out = append(out, it)
	}
	s.Items = out
	if s.Items == nil {
		s.Items = []Item{}
	}
}

// Hash identifies the content of a sealed section: status, reason and items,
// not SeenAt. 64 hexadecimal digits of SHA-256.
func (s *Section) Hash() string {
	h := sha256.New()
	var n [8]byte
	put := func(b []byte) {
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	put([]byte(s.Name))
	put([]byte(s.Status))
	put([]byte(s.Reason))
	for _, it := range s.Items {
		put([]byte(it.Key))
		put(it.Value)
	}
	return hex.EncodeToString(h.Sum(nil))
}
