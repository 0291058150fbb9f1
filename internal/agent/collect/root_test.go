package collect

import (
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/picketsec/picket/internal/inventory"
)

// watchedFS notes every path that is opened, listed or looked at.
type watchedFS struct {
	fstest.MapFS
	mu   *sync.Mutex
	seen map[string]bool // guarded by mu
}

func (w watchedFS) note(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[name] = true
}

// Open implements fs.FS.
func (w watchedFS) Open(name string) (fs.File, error) { w.note(name); return w.MapFS.Open(name) }

// ReadFile implements fs.ReadFileFS.
func (w watchedFS) ReadFile(name string) ([]byte, error) { w.note(name); return w.MapFS.ReadFile(name) }

// ReadDir implements fs.ReadDirFS.
func (w watchedFS) ReadDir(name string) ([]fs.DirEntry, error) {
	w.note(name)
	return w.MapFS.ReadDir(name)
}

// Lstat implements fs.ReadLinkFS.
func (w watchedFS) Lstat(name string) (fs.FileInfo, error) { w.note(name); return w.MapFS.Lstat(name) }

// Stat implements fs.StatFS.
func (w watchedFS) Stat(name string) (fs.FileInfo, error) { w.note(name); return w.MapFS.Stat(name) }

// kernelFiles is a /proc and /sys as a copied root may carry them: what they
// say is of whatever kernel ran when they were copied.
func kernelFiles() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range map[string]string{
		"proc/self/mountinfo":                "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:50 / /opt rw - nfs4 decoy:/opt rw\n",
		"proc/mounts":                        "decoy:/opt /opt nfs4 rw 0 0\n",
		"proc/1/mountinfo":                   "22 1 254:0 / / rw - ext4 /dev/decoy rw\n",
		"proc/1/cgroup":                      "0::/decoy\n",
		"proc/1/environ":                     "container=decoy\x00",
		"proc/7/maps":                        "7f01-7f02 r-xp 00000000 fe:00 101 /usr/lib/decoy.so (deleted)\n",
		"proc/7/stat":                        "7 (decoy) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 500 0 0\n",
		"proc/stat":                          "btime 1763683200\n",
		"proc/cpuinfo":                       "processor\t: 0\nmodel name\t: decoy\n",
		"proc/meminfo":                       "MemTotal: 1 kB\n",
		"proc/cmdline":                       "audit=1 decoy\n",
		"proc/version_signature":             "Ubuntu 9.9.9-1.1-decoy 9.9.9\n",
		"proc/sys/kernel/osrelease":          "9.9.9-decoy\n",
		"proc/sys/kernel/version":            "decoy\n",
		"proc/sys/kernel/arch":               "decoy\n",
		"proc/sys/kernel/hostname":           "decoy\n",
		"proc/sys/kernel/random/boot_id":     "decoy\n",
		"proc/sys/kernel/randomize_va_space": "9\n",
		"proc/sys/net/ipv4/ip_forward":       "9\n",
		"sys/class/dmi/id/sys_vendor":        "decoy\n",
		"sys/block/decoy/size":               "2048\n",
		"sys/kernel/security/lsm":            "decoy\n",
		"sys/module/decoy/initstate":         "live\n",
	} {
		m[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644, ModTime: testNow}
	}
	return m
}

// Another root is inventoried by its files alone: no collector looks at a
// kernel's files in it, which would be those of the host that it was copied
// from, and none asks the running host.
func TestOtherRootIsFilesAlone(t *testing.T) {
	w := watchedFS{MapFS: kernelFiles(), mu: &sync.Mutex{}, seen: map[string]bool{}}
	w.MapFS["opt/app/node_modules/x/package.json"] = &fstest.MapFile{Data: []byte(`{"name":"x","version":"1.0.0"}`), ModTime: testNow}
	w.MapFS["etc/os-release"] = &fstest.MapFile{Data: []byte("ID=debian\nVERSION_ID=\"12\"\n"), ModTime: testNow}
	w.MapFS["etc/fstab"] = &fstest.MapFile{Data: []byte("/dev/vda / ext4 defaults 0 1\n"), ModTime: testNow}
	var own []string // what only the running host could say
	if name, err := os.Hostname(); err == nil && len(name) > 3 {
		own = append(own, name)
	}
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		if len(i.HardwareAddr) > 0 {
			own = append(own, i.HardwareAddr.String())
		}
	}
	if raw, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		own = append(own, strings.TrimSpace(string(raw)))
	}
	all := All()
	for _, c := range all {
		s := Run(t.Context(), c, Host{FS: w, Now: testNow}, DefaultLimits())
		for _, it := range s.Items {
			text := it.Key + " " + string(it.Value)
			if strings.Contains(text, "decoy") || slices.ContainsFunc(own, func(o string) bool { return strings.Contains(text, o) }) {
				t.Errorf("section %s says of a running host: %.300s", c.Name, text)
			}
		}
		switch c.Name {
		case inventory.Kernel, inventory.Hardware, inventory.Interfaces, inventory.Restart:
			if s.Status != inventory.NotApplicable || len(s.Items) > 0 {
				t.Errorf("section %s is %s with %d items", c.Name, s.Status, len(s.Items))
			}
		case inventory.OSSection:
			if o := decode[inventory.OS](t, s); len(o) != 1 || o[0].Hostname != "" || o[0].Arch != "" {
				t.Errorf("a root without name and programs is %+v", o)
			}
		case inventory.NPM:
			if len(s.Items) != 1 {
				t.Errorf("a directory that was a mount of the copied host is left out: %s (%s)", s.Status, s.Reason)
			}
		}
	}
	for name := range w.seen {
		for _, dir := range []string{"proc", "sys"} {
			if name == dir || strings.HasPrefix(name, dir+"/") {
				t.Errorf("%s was read", name)
			}
		}
	}
}

// What is mounted on a running host from elsewhere, or a second time, is no
// software of this host, and walking it would load others.
func TestForeignMountsAreLeftOut(t *testing.T) {
	m := fstest.MapFS{"proc/self/mountinfo": {Data: []byte("22 1 254:0 / / rw - ext4 /dev/vda rw\n" +
		"23 22 0:50 / /srv/nfs rw - nfs4 server:/x rw\n24 22 254:0 /opt /mnt/again rw - ext4 /dev/vda rw\n25 22 254:1 / /data rw - xfs /dev/vdb rw\n")}}
	for _, at := range []string{"opt", "srv/nfs", "srv/own", "mnt/again", "data"} {
		m[at+"/x.jar"] = &fstest.MapFile{Data: []byte("x")}
	}
	c := walk(t.Context(), Host{FS: m, Live: true, Now: testNow}, DefaultLimits())
	if want := []string{"data/x.jar", "opt/x.jar", "srv/own/x.jar"}; !slices.Equal(c.lists[javaKind], want) {
		t.Errorf("found %v, want %v", c.lists[javaKind], want)
	}
}
