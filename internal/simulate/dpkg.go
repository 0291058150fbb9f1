package simulate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/picketsec/picket/internal/inventory"
)

// Local is what the simulating machine itself has installed: it fills devices
// of the same release with packages beyond the embedded lists.
type Local struct {
	OS       inventory.OS // ID and VersionID alone
	Packages []inventory.Package
}

// What is read of the machine's own files, at most.
const (
	maxStatus   = 64 << 20
	maxPackages = 10_000
)

// ReadLocal reads the packages of a Debian-like root file system. A machine
// without dpkg has none, which is no error.
func ReadLocal(root fs.FS) (*Local, error) {
	release, err := root.Open("etc/os-release")
	if errors.Is(err, fs.ErrNotExist) {
		return &Local{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read this machine's release: %w", err)
	}
	defer release.Close()
	status, err := root.Open("var/lib/dpkg/status")
	if errors.Is(err, fs.ErrNotExist) {
		return &Local{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read this machine's packages: %w", err)
	}
	defer status.Close()
	l := &Local{}
	err = stanzas(io.LimitReader(release, 64<<10), "=", func(f map[string]string) {
		l.OS.ID, l.OS.VersionID = f["ID"], strings.Trim(f["VERSION_ID"], `"`)
	})
	if err == nil {
		err = stanzas(io.LimitReader(status, maxStatus), ": ", l.add)
	}
	if err != nil {
		return nil, fmt.Errorf("read this machine's packages: %w", err)
	}
	return l, nil
}

// add takes one paragraph of dpkg's status.
func (l *Local) add(f map[string]string) {
	name, v := f["Package"], f["Version"]
	if f["Status"] != "install ok installed" || name == "" || v == "" || len(name)+len(v) > 200 || len(l.Packages) == maxPackages {
		return
	}
	p := inventory.Package{Name: name, Version: v, Source: name, SourceVersion: v}
	if source, rest, _ := strings.Cut(f["Source"], " "); source != "" && len(source) <= 200 {
		p.Source = source
		if sv := strings.Trim(rest, "()"); sv != "" {
			p.SourceVersion = sv
		}
	}
	l.Packages = append(l.Packages, p)
}

// stanzas calls fn with the fields of each paragraph. Continued lines are left
// out, and so is what is too long to be a field that is asked for.
func stanzas(r io.Reader, sep string, fn func(map[string]string)) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	f := map[string]string{}
	for sc.Scan() {
		line := sc.Text()
		if line == "" && len(f) > 0 {
			fn(f)
			f = map[string]string{}
		}
		if k, v, ok := strings.Cut(line, sep); ok && line[0] != ' ' && len(f) < 100 {
			f[k] = v
		}
	}
	if len(f) > 0 {
		fn(f)
	}
	return sc.Err()
}
