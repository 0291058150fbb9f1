// Package collect holds the inventory collectors of the agent: one function
// per source of facts, from package databases to Java archives.
//
// A collector sees a file system, never the world, so that another root can be
// inventoried (--root) and tests run on captured trees:
//
//	h, root, err := collect.OpenHost("/", true, time.Now())
//	defer root.Close()
//	for _, c := range collect.All() {
//		s := collect.Run(ctx, c, h, collect.DefaultLimits())
//	}
//
// Whatever it reads is hostile: every size, depth and count is capped, and what
// was left out is counted in the reason of a partial section. A collector never
// fails; "there is nothing" (complete), "there cannot be any" (not_applicable)
// and "it was not read" (partial) are told apart.
package collect

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/picketsec/picket/internal/inventory"
)

// Host is what collectors may see.
type Host struct {
	// FS is the root file system; "/" is ".". It should also give fs.ReadLinkFS,
	// otherwise symbolic links are followed by the FS itself.
	FS fs.FS
	// Root is the path of FS's root on the operating system, for watches.
	Root string
	// Live says that FS is the running host's own, so that /proc, /sys and
	// system calls describe it. It is never set for another root.
	Live bool
	// Now is the host's clock at the start of the pass.
	Now time.Time
}

// Limits bounds one run of a collector.
type Limits struct {
	MaxFileBytes int64         // largest file that is read whole or streamed as a database, in bytes
	MaxItems     int           // items per section
	MaxDepth     int           // directories below the root in a walk
	MaxFiles     int           // directory entries seen in a walk
	Walkers      int           // directories that a walk reads at a time; 0 is one
	Budget       time.Duration // wall time of one Run
	Yield        func()        // called often in long loops, so that the agent can slow them; nil is allowed. With several Walkers they all call it
}

// DefaultLimits returns the limits that fit any honest host.
func DefaultLimits() Limits {
	return Limits{
		MaxFileBytes: 64 << 20,
		MaxItems:     100_000,
		MaxDepth:     48,
		MaxFiles:     4_000_000,
		Budget:       10 * time.Minute,
	}
}

func (l Limits) yield() {
	if l.Yield != nil {
		l.Yield()
	}
}

// Collector reads one section.
type Collector struct {
	Name inventory.SectionName
	// Watch lists paths relative to the root (files and directories, also such
	// as do not exist yet) whose change makes the section stale. A file may be
	// replaced by rename, so its directory is what has to be watched.
	Watch []string
	// Slow says that the collector walks the disk: it is run in the slow full
	// pass and when a watch fires, not in every pass.
	Slow bool
	// Collect returns the sealed section. It may be called from any goroutine,
	// several collectors of one All at a time.
	Collect func(ctx context.Context, h Host, l Limits) *inventory.Section
}

// All returns every collector, in the order of inventory.SectionNames. The
// collectors of one call share what is dear to read (the walk over the disk,
// the lists of apt); keep the result for the life of the agent.
func All() []Collector {
	sw := &sweep{}
	apt := &aptIndex{}
	return []Collector{
		{Name: inventory.OSSection, Watch: osPaths(), Collect: collectOS},
		{Name: inventory.Kernel, Watch: databases(), Collect: collectKernel},
		{Name: inventory.Hardware, Collect: collectHardware},
		{Name: inventory.Interfaces, Collect: collectInterfaces},
		{Name: inventory.DPKG, Watch: []string{dpkgStatus, dpkgStatusDir, aptLists}, Collect: apt.collectDPKG},
		{Name: inventory.RPM, Watch: rpmWatch(), Collect: collectRPM},
		{Name: inventory.APK, Watch: apkDatabases(), Collect: collectAPK},
		{Name: inventory.Snap, Watch: []string{snapFiles, snapState}, Collect: collectSnap},
		{Name: inventory.Flatpak, Watch: []string{flatpakSystem + "/app", flatpakSystem + "/runtime"}, Collect: collectFlatpak},
		{Name: inventory.Python, Watch: pythonWatch(), Slow: true, Collect: sw.collectPython},
		{Name: inventory.NPM, Watch: []string{"usr/lib/node_modules", "usr/local/lib/node_modules", "usr/share/nodejs"}, Slow: true, Collect: sw.collectNPM},
		{Name: inventory.Ruby, Watch: []string{"usr/share/rubygems-integration/all/specifications", "var/lib/gems"}, Slow: true, Collect: sw.collectRuby},
		{Name: inventory.GoBinaries, Watch: []string{"usr/local/bin", "usr/local/sbin", "opt"}, Slow: true, Collect: sw.collectGo},
		{Name: inventory.Java, Watch: []string{"usr/share/java", "opt"}, Slow: true, Collect: sw.collectJava},
		{Name: inventory.Updates, Watch: []string{dpkgStatus, aptLists}, Collect: apt.collectUpdates},
		{Name: inventory.Restart, Watch: databases(), Collect: collectRestart},
		{Name: inventory.Sysctl, Watch: sysctlWatch(), Collect: collectSysctl},
		{Name: inventory.Boot, Watch: bootWatch(), Collect: collectBoot},
		{Name: inventory.Mounts, Watch: []string{"etc/fstab", "etc/crypttab"}, Collect: collectMounts},
		{Name: inventory.Accounts, Watch: []string{"etc/passwd", "etc/shadow", "etc/group", "etc/shells"}, Collect: collectAccounts},
		{Name: inventory.Auth, Watch: authWatch(), Collect: collectAuth},
		{Name: inventory.SSHD, Watch: sshdWatch(), Collect: collectSSHD},
		{Name: inventory.Services, Watch: servicesWatch(), Collect: collectServices},
		{Name: inventory.Files, Watch: filesWatch(), Collect: collectFiles},
		{Name: inventory.Audit, Watch: auditWatch(), Collect: collectAudit},
		{Name: inventory.Firewall, Watch: firewallWatch(), Collect: collectFirewall},
		{Name: inventory.System, Watch: systemWatch(), Collect: collectSystem},
		{Name: inventory.Apps, Watch: appsWatch(), Collect: collectApps},
	}
}

// databases are the package databases of every kind of distribution.
func databases() []string {
	return append(append([]string{dpkgStatus}, rpmWatch()...), apkDatabases()...)
}

// Run runs one collector within l.Budget and returns its sealed section with
// SeenAt set to h.Now. A panic becomes a partial section without items, an
// exceeded budget a partial one with what was found until then. When ctx itself
// is done the section is partial too: the caller drops it.
func Run(ctx context.Context, c Collector, h Host, l Limits) (s *inventory.Section) {
	if l.Budget > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.Budget)
		defer cancel()
	}
	defer func() {
		if p := recover(); p != nil {
			reason := fmt.Sprintf("the %s collector stopped at an internal error (%v): nothing of it was kept; please report this", c.Name, p)
			s = inventory.NewSection(c.Name, inventory.Partial, "")
			s.MarkPartial(clean(reason, 1000))
			s.Seal()
		}
		s.SeenAt = h.Now.UTC()
	}()
	return c.Collect(ctx, h, l)
}
