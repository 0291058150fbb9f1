//go:build !linux && !windows

package collect

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

func platformMachine() string { return runtime.GOARCH }

func platformHostname() string {
	name, _ := os.Hostname()
	return name
}

// platformOS names the macOS version from the property list that the system
// keeps of itself; other systems are named by their family alone.
func platformOS(h Host, r *result, o *inventory.OS) {
	o.ID, o.Family = runtime.GOOS, runtime.GOOS
	b, err := h.read("System/Library/CoreServices/SystemVersion.plist", 64<<10)
	if err != nil {
		r.problem("the system's version cannot be read (%s)", short(err))
		return
	}
	value := func(key string) string {
		_, rest, ok := strings.Cut(string(b), "<key>"+key+"</key>")
		if !ok {
			return ""
		}
		_, rest, _ = strings.Cut(rest, "<string>")
		v, _, _ := strings.Cut(rest, "</string>")
		return r.text(v, 64)
	}
	o.Name = value("ProductName")
	o.VersionID = value("ProductVersion")
	o.Version = o.VersionID + " (" + value("ProductBuildVersion") + ")"
	o.PrettyName = strings.TrimSpace(o.Name + " " + o.VersionID)
}

// plainDir has no cheaper form on this system.
func plainDir(*os.File, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// openBeneath has no one system call on this system.
func openBeneath(*os.File, string, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// fileOwner is known on Linux only, which alone has checks that ask for it.
func fileOwner(fs.FileInfo) (uid, gid uint32, ok bool) { return 0, 0, false }
