package collect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/picketsec/picket/internal/inventory"
)

func platformMachine() string { return runtime.GOARCH }

func platformHostname() string {
	name, _ := os.Hostname()
	return name
}

// platformOS names the Windows version: the kernel's build number and the
// update revision that the registry holds ("10.0.20348.887").
func platformOS(_ Host, r *result, o *inventory.OS) {
	v := windows.RtlGetVersion()
	o.ID, o.Family, o.Name = "windows", "windows", "Windows"
	o.VersionID = fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SOFTWARE\Microsoft\Windows NT\CurrentVersion`, registry.QUERY_VALUE)
	if err != nil {
		r.problem(`registry key HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion cannot be read (%s): edition and update revision are not known`, err)
		return
	}
	defer k.Close()
	if name, _, err := k.GetStringValue("ProductName"); err == nil {
		o.PrettyName = r.text(name, 256)
	}
	if rel, _, err := k.GetStringValue("DisplayVersion"); err == nil {
		o.Version = r.text(rel, 64)
	}
	if ubr, _, err := k.GetIntegerValue("UBR"); err == nil {
		o.VersionID += fmt.Sprintf(".%d", ubr)
	}
}

// plainDir has no cheaper form on this system.
func plainDir(*os.File, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// openBeneath has no one system call on this system.
func openBeneath(*os.File, string, string) (*os.File, error) { return nil, errors.ErrUnsupported }

// fileOwner is known on Linux only, which alone has checks that ask for it.
func fileOwner(fs.FileInfo) (uid, gid uint32, ok bool) { return 0, 0, false }
